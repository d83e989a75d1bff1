package browser_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// Each lesson is run whole in its page, with the button for that: each cell passes, fails
// as it should, or says that it is not for a page. Of those on the real clock, one spins,
// waiting for a second thread, and one starts a process: a page has neither.
func TestLessonsRunWholeInTheirPages(t *testing.T) {
	for _, path := range lessons.All() {
		t.Run(lessons.Topic(path), func(t *testing.T) {
			if testing.Short() && lessons.Topic(path) != "channels" {
				t.Skip("only one lesson in a short test")
			}
			r := read(t, nil)
			name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
			r.open(name + ".html")
			js[any](r, readyPage)
			took := js[float64](r, `new Promise((resolve) => {
				const begin = performance.now(), stop = document.querySelector("[data-do=stop]");
				new MutationObserver((_, o) => { if (stop.disabled) { o.disconnect(); resolve((performance.now() - begin) / 1000); } }).observe(stop, { attributes: true });
				document.querySelector("[data-do=all]").click();
			})`)
			t.Logf("all cells took %.1f s", took)
			for _, wrong := range js[[]string](r, `[...document.querySelectorAll("[data-number]")].filter((c) => {
				const verdict = c.querySelector(".live").dataset.verdict;
				const unsupported = c.dataset.unsupported !== undefined;
				if (c.classList.contains("tag-real-clock") && /one thread|not implemented for js/.test(c.querySelector(".live").innerText)) return false;
				return !unsupported && verdict !== (c.classList.contains("tag-raises-exception") ? "fail" : "pass"); // one may pass that lacks what others could not declare
			}).map((c) => c.id + ": " + c.querySelector(".live").dataset.verdict + ": " + c.querySelector(".live").innerText.slice(-300))`) {
				t.Error(wrong)
			}
			r.shoot(name + "-run")
			r.quiet()
		})
	}
}
