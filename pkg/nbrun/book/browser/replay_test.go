package browser_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report/replay"
)

// replayed is the address of the page of a run of three cells: one that takes 40 s and
// has a progress bar, one whose output tries to harm the page, and one that fails after
// 10 s.
func replayed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	report, err := replay.Open(dir, []string{"run.ipynb"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)
	tell := func(e event.Event) {
		e.Notebook, e.Time = "run.ipynb", now
		if err := report.Observe(e); err != nil {
			t.Fatal(err)
		}
	}
	put := func(c *event.Cell, o event.Output) { tell(event.Event{Action: event.Out, Cell: c, Output: &o}) }
	print := func(c *event.Cell, text string) {
		put(c, event.Output{Kind: event.Stream, Name: "stdout", Text: text})
	}
	tell(event.Event{Action: event.Start, Engine: "go", Clock: event.Virtual})
	for i, source := range []string{"long()", "hostile()", "fails()"} {
		c := &event.Cell{Index: i, Number: i + 1, Source: source + strings.Repeat("\n// and so on", 40)}
		tell(event.Event{Action: event.Begin, Cell: c})
		verdict := event.Event{Action: event.Pass, Cell: c, Clock: event.Virtual, Elapsed: time.Millisecond}
		switch i {
		case 0:
			for second := range 40 {
				print(c, fmt.Sprintf("\x1b[33mmade %d\x1b[0m\n", second))
				now = now.Add(time.Second)
			}
			print(c, "  0%")
			print(c, "\r100%")
		case 1:
			const harm = `</script><script>document.title = "harmed"</script><p id="player" onclick="x()">x</p>`
			print(c, harm)
			for _, mime := range []string{"text/html", "text/markdown", "text/plain", harm} {
				put(c, event.Output{Kind: event.Display, Data: map[string]any{mime: harm}})
			}
		case 2:
			now = now.Add(10 * time.Second)
			print(c, "so far\n")
			verdict.Action, verdict.Fault = event.Fail, &event.Fault{Cell: 3, Line: 1, Text: "panic: no"}
		}
		tell(verdict)
	}
	tell(event.Event{Action: event.End, Elapsed: time.Second})
	if err := report.Close(); err != nil {
		t.Fatal(err)
	}
	return "file://" + filepath.ToSlash(filepath.Join(dir, "run.html"))
}

// A report opened from a file plays, pauses, and goes to any time and to each failure.
func TestAReportReplaysTheRun(t *testing.T) {
	r := read(t, nil)
	r.do(chromedp.Navigate(replayed(t)))
	const (
		lines = "document.querySelectorAll(`[id=cell-1] .text > span:not(.later, .gone)`).length"
		clock = "document.querySelector(`.player output`).value"
		play  = "document.querySelector(`.player button`)"
	)
	is := func(what, expression, want string) {
		t.Helper()
		if got := js[string](r, "String("+expression+")"); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	is("the title", "document.title", "✘ run.ipynb")
	is("at first all is there", clock+" + ' ' + document.querySelectorAll(`.later, .waiting, .running`).length", "50.00 / 50.00 s 0")
	is("with the last state of what changes", "document.querySelector(`[id=cell-1] .outputs`).innerText.trimEnd().slice(-12)", "made 39\n100%")

	js[any](r, "document.querySelector(`.player [type=range]`).focus()")
	r.do(chromedp.KeyEvent(kb.Home))
	is("at the beginning", lines+" + ' ' + document.querySelectorAll(`.cell.running`).length + ' ' + document.querySelectorAll(`.cell.waiting`).length", "1 1 2")
	js[any](r, `(() => { const range = document.querySelector(".player [type=range]"); range.value = 9500; range.dispatchEvent(new Event("input")); })()`)
	is("scrubbed to 9.5 s", lines+" + ' ' + "+clock, "10 9.50 / 50.00 s")
	js[any](r, "document.querySelector(`button[title=\"Next step\"]`).click()")
	is("a step on", lines+" + ' ' + "+clock, "11 10.00 / 50.00 s")

	js[any](r, `(() => { const speed = document.querySelector(".player select"); speed.value = 1; speed.dispatchEvent(new Event("change")); })()`)
	moved := js[[]string](r, `new Promise((resolve) => {
		const begin = performance.now(), from = `+clock+`;
		`+play+`.click();
		const look = () => {
			if (performance.now() - begin < 500) return requestAnimationFrame(look);
			`+play+`.click();
			const paused = `+clock+`;
			setTimeout(() => resolve([from, paused, `+clock+`]), 100);
		};
		look();
	})`)
	if moved[0] != "10.00 / 50.00 s" || moved[1] < "10.30" || moved[1] > "15" || moved[2] != moved[1] {
		t.Errorf("played for half a second at the run's own speed: %v", moved)
	}
	js[any](r, `(() => { const speed = document.querySelector(".player select"); speed.value = 20; speed.dispatchEvent(new Event("change")); })()`)
	js[any](r, `new Promise((resolve) => {
		const look = () => `+play+`.textContent.includes("Play") ? resolve(true) : requestAnimationFrame(look);
		`+play+`.click();
		requestAnimationFrame(look);
	})`)
	is("played to the end", clock+" + ' ' + document.querySelectorAll(`.later`).length", "50.00 / 50.00 s 0")
	if at := js[float64](r, "scrollY"); at == 0 {
		t.Error("the page has not followed the run")
	}

	js[any](r, "scrollTo(0, 0)")
	js[any](r, `[...document.querySelectorAll("button")].find((b) => b.textContent.includes("Next failure")).click()`)
	const there = `new Promise((resolve) => {
		const look = (tries) => {
			const top = document.querySelector("[id=cell-3]").getBoundingClientRect().top;
			top >= 0 && top < innerHeight ? resolve(document.activeElement.id) : tries ? requestAnimationFrame(() => look(tries - 1)) : resolve("it is at " + top);
		};
		look(600);
	})`
	if id := js[string](r, there); id != "cell-3" {
		t.Errorf("the failure: %s", id)
	}
	js[any](r, "document.querySelector(`.faults a`).click()")
	if id := js[string](r, there); id != "cell-3" {
		t.Errorf("the failure by its link: %s", id)
	}
	r.shoot("report")
	r.quiet()
}

func TestAReportWithoutJavaScriptAndOfAllSizes(t *testing.T) {
	r := read(t, nil)
	page := replayed(t)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{400, 800, 1400} {
			r.do(prefers(scheme), chromedp.EmulateViewport(width, 800), chromedp.Navigate(page))
			if over := js[int](r, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s, %d px: the page is %d px too wide", scheme, width, over)
			}
			r.shoot(fmt.Sprintf("report-%s-%d", scheme, width))
		}
	}
	r.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(page))
	text := js[string](r, "document.body.innerText")
	for _, want := range []string{"made 0", "made 39\n100%", "so far", "cell 3, line 1: panic: no", "40.00 s on the virtual clock"} {
		if !strings.Contains(text, want) {
			t.Errorf("without JavaScript there is no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "Play") || strings.Contains(text, "  0%") {
		t.Errorf("without JavaScript there is what is not for that:\n%s", text)
	}
	r.quiet()
}
