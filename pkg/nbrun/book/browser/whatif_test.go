package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const whatIfCell = "document.querySelector('.sliders').closest('.cell')"

// move moves a slider and returns the cell's new output, and after how many milliseconds
// it came.
func (r *reader) move(name, value string) (text string, took float64) {
	r.t.Helper()
	list := js[[]any](r, fmt.Sprintf(`new Promise((resolve) => {
		const cell = %s, live = cell.querySelector(".live"), input = cell.querySelector("[name=%s]"), begin = performance.now();
		live.removeAttribute("data-verdict");
		new MutationObserver((_, o) => {
			if (!live.dataset.verdict) return;
			o.disconnect();
			setTimeout(() => resolve([live.innerText, performance.now() - begin]));
		}).observe(live, { attributes: true, attributeFilter: ["data-verdict"] });
		input.value = "%s";
		input.dispatchEvent(new Event("input"));
	})`, whatIfCell, name, value))
	return list[0].(string), list[1].(float64)
}

// Sliders and what they draw fit on a phone, light and dark.
func TestSlidersOnAPhone(t *testing.T) {
	for _, page := range []string{"04-many", "05-back-pressure"} {
		if testing.Short() && page != "04-many" {
			continue
		}
		r := read(t, nil)
		r.do(chromedp.EmulateViewport(400, 900))
		r.open(page + ".html")
		js[any](r, readyPage)
		if text, _ := r.move("consumers", "2"); !strings.Contains(text, "what if") {
			t.Errorf("%s: %s", page, text)
		}
		for _, scheme := range []string{"light", "dark"} {
			r.do(prefers(scheme))
			if over := js[int](r, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s, %s: the page is %d px too wide", page, scheme, over)
			}
			r.take(fmt.Sprintf("sliders-%s-%s", page, scheme), chromedp.Screenshot(".tag-what-if"))
		}
		r.quiet()
	}
}

// A slider runs its cell again, with the cells above that declare what it needs, and the
// drawing follows. The program is built once.
func TestASliderRunsItsCellAnew(t *testing.T) {
	r := read(t, nil)
	r.open("05-back-pressure.html")
	js[any](r, readyPage)
	const cell = whatIfCell
	text, took := r.move("room", "2")
	t.Logf("the first move took %.0f ms", took)
	if run := js[int](r, "document.querySelectorAll('.live[data-verdict]').length"); run != 1 {
		t.Errorf("%d cells have been run for one slider", run)
	}
	if !strings.Contains(text, "made 60 = used 60 + dropped 0") {
		t.Errorf("room for two: %s", text)
	}
	text, took = r.move("full", "drop-newest")
	if !strings.Contains(text, "made 60 = used") || strings.Contains(text, "dropped 0") {
		t.Errorf("dropping: %s", text)
	}
	t.Logf("the second took %.0f ms", took)
	var sum float64
	for _, consumers := range []string{"2", "3", "4", "5", "6"} {
		text, took = r.move("consumers", consumers)
		sum += took
	}
	t.Logf("the next took %.0f ms each", sum/5)
	if !strings.Contains(text, "made 60 = used 60 + dropped 0") {
		t.Errorf("six consumers: %s", text)
	}
	if source := js[string](r, cell+".querySelector('.code').innerText"); !strings.HasPrefix(source, "%args -producers=3 -consumers=6 -room=2 -work=0.5 -full=drop-newest\n") {
		t.Errorf("the cell says %.100q", source)
	}
	if drawn := js[int](r, cell+".querySelectorAll('.living circle').length"); drawn < 9 {
		t.Errorf("of three producers and six consumers %d are drawn", drawn)
	}

	r.move("consumers", "6")
	if drawn := js[int](r, cell+".querySelectorAll('.living').length"); drawn != 1 {
		t.Errorf("of a run that is like the one before %d pictures are drawn", drawn)
	}

	// Moved while the cell runs, it runs once more, with the last value.
	last := js[string](r, fmt.Sprintf(`new Promise((resolve) => {
		const cell = %s, live = cell.querySelector(".live"), input = cell.querySelector("[name=producers]");
		for (const value of [1, 2, 4, 5, 6]) { input.value = value; input.dispatchEvent(new Event("input")); }
		const look = () => live.innerText.includes("made 120") ? resolve("made 120") : setTimeout(look, 20);
		look();
	})`, cell))
	if last != "made 120" {
		t.Error(last)
	}
	r.shoot("what-if")
	js[any](r, "[..."+cell+".querySelectorAll('button')].find((b) => b.textContent === 'Reset').click()")
	if producers := js[string](r, cell+".querySelector('[name=producers]').value"); producers != "3" {
		t.Errorf("after Reset: %s producers", producers)
	}
	r.quiet()
}
