package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// reader is a browser that a test drives, with the errors that occurred in it.
type reader struct {
	ctx     context.Context
	t       testing.TB
	address string

	mu     sync.Mutex
	errors []string
}

// read starts a headless Chromium with a host for the book. Both end with the test, and
// so does whatever the browser has stored.
func read(t testing.TB, wrap func(http.Handler) http.Handler) *reader {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		missing(t, "chromium")
	}
	handler := http.Handler(http.FileServer(http.Dir(site)))
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1200, 900),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("no-proxy-server", true))
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.Flag("no-sandbox", true))
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), flags...)
	t.Cleanup(cancel)
	return (&reader{ctx: ctx, t: t, address: server.URL}).tab()
}

// tab opens a tab in the reader's browser.
func (r *reader) tab() *reader {
	ctx, cancel := chromedp.NewContext(r.ctx)
	r.t.Cleanup(cancel)
	r = &reader{ctx: ctx, t: r.t, address: r.address}
	r.do() // the browser lives as long as the context of its first call
	err := chromedp.Listen(ctx, func(e any) {
		r.mu.Lock()
		defer r.mu.Unlock()
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			r.errors = append(r.errors, fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == "error" {
				r.errors = append(r.errors, e.Entry.Text+" "+e.Entry.URL)
			}
		}
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return r
}

// patience is how long a step of a reader may take.
const patience = 5 * time.Minute

func (r *reader) do(actions ...chromedp.Action[chromedp.Void]) {
	r.t.Helper()
	ctx := r.ctx
	if len(actions) > 0 {
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		ctx = limited
	}
	if err := chromedp.Do(ctx, actions...); err != nil {
		r.t.Fatal(err)
	}
}

// js returns the value of an expression, or of the promise it yields.
func js[T any](r *reader, expression string) T {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		r.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

func (r *reader) open(page string) { r.do(chromedp.Navigate(r.address + "/" + page)) }

// run presses Run at a cell and waits until it has ended. It returns the cell's output and
// whether it passed.
func (r *reader) run(number int) (text, verdict string) {
	r.t.Helper()
	list := js[[]string](r, fmt.Sprintf(`new Promise((resolve) => {
		const cell = document.querySelector("[data-number='%d']"), live = cell.querySelector(".live");
		live.removeAttribute("data-verdict");
		new MutationObserver((_, o) => {
			if (!live.dataset.verdict) return;
			o.disconnect();
			resolve([live.innerText, live.dataset.verdict]);
		}).observe(live, { attributes: true });
		cell.querySelector("button.run").click();
	})`, number))
	return list[0], list[1]
}

// quiet fails the test if something went wrong in the browser, except for what is
// expected.
func (r *reader) quiet(expected ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
errors:
	for _, text := range r.errors {
		for _, e := range expected {
			if strings.Contains(text, e) {
				continue errors
			}
		}
		r.t.Errorf("console: %s", text)
	}
}

// shoot saves a screenshot of the page, for those who want to look, in the folder named
// by BOOK_TEST_SHOTS.
func (r *reader) shoot(name string) { r.take(name, chromedp.FullScreenshot(100)) }

func (r *reader) take(name string, shot chromedp.Action[[]byte]) {
	dir := os.Getenv("BOOK_TEST_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(r.ctx, shot)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// readyPage waits until the page's cells can be run.
const readyPage = `new Promise((resolve) => { const look = () => document.querySelector(".cell.ready") ? resolve(true) : requestAnimationFrame(look); look(); })`

func TestFirstCellsOfALesson(t *testing.T) {
	r := read(t, nil)
	r.open("01-synchronous.html")
	js[any](r, readyPage)
	r.shoot("01-light")
	begin := time.Now()
	if text, verdict := r.run(1); verdict != "pass" {
		t.Fatalf("%s: %s", verdict, text)
	}
	t.Logf("started in %v", time.Since(begin))
	for number := 2; number <= 4; number++ {
		begin := time.Now()
		text, verdict := r.run(number)
		t.Logf("cell %d: %v", number, time.Since(begin))
		if verdict != "pass" {
			t.Errorf("cell %d: %s: %s", number, verdict, text)
		}
		if number == 3 && !strings.Contains(text, "generated item 20") {
			t.Errorf("cell 3: %s", text)
		}
	}
	if text, verdict := r.run(6); verdict != "fail" || !strings.Contains(text, "index out of range") {
		t.Errorf("cell 6: %s: %s", verdict, text)
	}
	r.shoot("01-run")
	r.quiet()
}

// prefers emulates a reader who prefers light or dark pages.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

func TestPagesOfAllSizes(t *testing.T) {
	r := read(t, nil)
	for _, scheme := range []string{"light", "dark"} {
		r.do(prefers(scheme))
		for _, width := range []int64{360, 800, 1920} {
			r.do(chromedp.EmulateViewport(width, 800))
			r.open("03-channels.html")
			if over := js[int](r, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%s, %d px: the page is %d px too wide", scheme, width, over)
			}
			r.shoot(fmt.Sprintf("03-%s-%d", scheme, width))
		}
	}
	r.quiet()
}

// What goes wrong in a cell is reported at the cell, and the page goes on working.
func TestCellsThatGoWrong(t *testing.T) {
	r := read(t, nil)
	r.open("wrong.html")
	js[any](r, readyPage)
	for number, want := range map[int]string{2: "undefined: undefined", 4: "all goroutines are asleep - deadlock!", 5: "exit status 3", 6: "stack", 8: "out of memory", 9: "a page has no shell", 12: "undefined: nothing"} {
		if text, verdict := r.run(number); verdict != "fail" || !strings.Contains(text, want) {
			t.Errorf("cell %d: %s: %.500s, want %s", number, verdict, text, want)
		}
	}
	if marked := js[int](r, "document.querySelectorAll(`[data-number='2'] .cm-lintRange-error`).length"); marked != 1 {
		t.Errorf("%d errors are marked in the editor of cell 2", marked)
	}
	if text, verdict := r.run(7); verdict != "pass" || !strings.Contains(text, "more bytes are not shown") {
		t.Errorf("cell 7: %s: %.200s", verdict, text)
	}
	took := js[float64](r, `new Promise((resolve) => {
		const cell = document.querySelector("[data-number='3']"), stop = document.querySelector("[data-do=stop]");
		cell.querySelector("button.run").click();
		setTimeout(() => {
			const begin = performance.now();
			new MutationObserver(() => resolve(performance.now() - begin)).observe(cell.querySelector(".live"), { attributes: true, attributeFilter: ["data-verdict"] });
			stop.click();
		}, 8000);
	})`)
	if t.Logf("an endless loop was stopped in %.0f ms", took); took > 1000 {
		t.Errorf("stopping took %.0f ms", took)
	}
	if text, verdict := r.run(10); verdict != "pass" || !strings.Contains(text, "still here") {
		t.Errorf("cell 10: %s: %s", verdict, text)
	}
	if text, verdict := r.run(11); verdict != "pass" || !strings.Contains(text, "[1] 0") {
		t.Errorf("cell 11, whose packages are found: %s: %s", verdict, text)
	}
	r.shoot("wrong")
	r.quiet()
}

// What gonbui displays is shown, and a program that waits for that is answered.
func TestDisplaysOfGonbui(t *testing.T) {
	r := read(t, nil)
	r.open("displays.html")
	js[any](r, readyPage)
	r.run(1)
	if text, verdict := r.run(2); verdict != "pass" || strings.Join(strings.Fields(text), " ") != "bold queue is closed shown <nil>" {
		t.Errorf("%s: %q", verdict, text)
	}
	if bold := js[string](r, "document.querySelector(`[data-number='2'] .live b`).textContent"); bold != "bold" {
		t.Errorf("bold is %q", bold)
	}
	r.quiet()
}

// Edits are still there when the page is opened again, and Reset restores the original.
func TestEditsAreKept(t *testing.T) {
	r := read(t, nil)
	r.open("wrong.html")
	js[any](r, readyPage)
	const cell = "document.querySelector(`[data-number='1']`)"
	js[any](r, `new Promise((resolve) => {
		[...`+cell+`.querySelectorAll("button")].find((b) => b.textContent === "Edit").click();
		const look = () => `+cell+`.querySelector(".cm-content") ? resolve(true) : requestAnimationFrame(look);
		look();
	})`)
	r.do(chromedp.Click("[data-number='1'] .cm-content"), chromedp.KeyEvent("// mine\n"))
	r.open("wrong.html")
	js[any](r, readyPage)
	if text := js[string](r, cell+".querySelector('.code').innerText"); !strings.Contains(text, "// mine") {
		t.Errorf("after loading the page again: %q", text)
	}
	js[any](r, `[...`+cell+`.querySelectorAll("button")].find((b) => b.textContent === "Reset").click()`)
	if text := js[string](r, cell+".querySelector('.code').innerText"); strings.Contains(text, "// mine") || !strings.Contains(text, "hello") {
		t.Errorf("after Reset: %q", text)
	}
	r.quiet()
}

// Two tabs of a lesson show the same: an edit in one is not lost through an edit in the
// other, even if that page was asleep in the meantime.
func TestTwoTabs(t *testing.T) {
	one := read(t, nil)
	two := one.tab()
	for _, r := range []*reader{one, two} {
		r.open("wrong.html")
		js[any](r, readyPage)
		js[any](r, `new Promise((resolve) => {
			const cell = document.querySelector("[data-number='1']");
			[...cell.querySelectorAll("button")].find((b) => b.textContent === "Edit").click();
			const look = () => cell.querySelector(".cm-content") ? resolve(true) : setTimeout(look, 10);
			look();
		})`)
	}
	text := func(r *reader, number int) string {
		t.Helper()
		return js[string](r, fmt.Sprintf("document.querySelector(`[data-number='%d'] .code`).innerText", number))
	}
	until := func(r *reader, want string) {
		t.Helper()
		if !js[bool](r, fmt.Sprintf("new Promise((resolve) => { const look = (tries) => document.body.innerText.includes(`%s`) ? resolve(true) : tries ? setTimeout(look, 10, tries - 1) : resolve(false); look(300); })", want)) {
			t.Errorf("there is no %q in\n%s", want, text(r, 1))
		}
	}
	write := func(r *reader, what string) {
		t.Helper()
		r.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, page.BringToFront, cdp.Empty{})
			return err
		}), chromedp.Click("[data-number='1'] .cm-content"), chromedp.KeyEvent(what))
	}
	write(one, "// of one\n")
	until(two, "// of one")
	until(two, "Cell 1 was changed in another tab")
	write(two, "// of two\n")
	until(one, "// of two")
	for _, r := range []*reader{one, two} {
		if text := text(r, 1); !strings.Contains(text, "// of one") || !strings.Contains(text, "// of two") {
			t.Errorf("of both edits there is\n%s", text)
		}
	}
	// A page that is asleep learns nothing. It checks when it becomes visible again.
	js[any](two, `window.addEventListener("storage", (e) => e.stopImmediatePropagation(), { capture: true })`)
	js[any](one, "[...document.querySelectorAll(`[data-number='1'] button`)].find((b) => b.textContent === 'Reset').click()")
	js[any](two, `document.dispatchEvent(new Event("visibilitychange"))`)
	if text := text(two, 1); strings.Contains(text, "// of") {
		t.Errorf("after Reset in the other tab:\n%s", text)
	}
	one.quiet()
	two.quiet()
}

// Where the browser stores nothing, cells can be edited and run all the same.
func TestWithStorageBlocked(t *testing.T) {
	r := read(t, nil)
	before(r, `for (const name of ["localStorage", "caches"]) Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });`)
	r.open("wrong.html")
	js[any](r, readyPage)
	js[any](r, `document.querySelector("[data-number='1'] .code").dispatchEvent(new MouseEvent("dblclick"))`)
	r.do(chromedp.Click("[data-number='1'] .cm-content"), chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(2)), chromedp.KeyEvent("\n// mine")) // Ctrl
	js[any](r, `document.dispatchEvent(new Event("visibilitychange"))`)
	if text := js[string](r, "document.querySelector(`[data-number='1'] .code`).innerText"); !strings.Contains(text, "// mine") {
		t.Errorf("the edit is gone:\n%s", text)
	}
	if text, verdict := r.run(1); verdict != "pass" || !strings.Contains(text, "hello") {
		t.Errorf("%s: %s", verdict, text)
	}
	r.quiet()
}

// A browser without WebAssembly says so, and the page can still be read.
func TestWithoutWebAssembly(t *testing.T) {
	r := read(t, nil)
	before(r, "delete globalThis.WebAssembly")
	r.open("01-synchronous.html")
	text := js[string](r, "document.body.innerText")
	for _, want := range []string{"This browser can't run Go: it lacks WebAssembly", "A producer"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	r.quiet()
}

// before runs a script in each page before the page's own.
func before(r *reader, script string) {
	r.t.Helper()
	r.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// A file that is missing on the host is reported, and the next attempt succeeds once it
// is there.
func TestAHostThatFails(t *testing.T) {
	var mu sync.Mutex
	fail := "missing"
	r := read(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			mu.Lock()
			how := fail
			mu.Unlock()
			if strings.HasSuffix(req.URL.Path, ".bin") {
				switch how {
				case "missing":
					http.NotFound(w, req)
					return
				case "cut off":
					_, _ = w.Write([]byte("\x1f\x8b"))
					return
				}
			}
			next.ServeHTTP(w, req)
		})
	})
	r.open("wrong.html")
	js[any](r, readyPage)
	for _, how := range []string{"missing", "cut off", ""} {
		mu.Lock()
		fail = how
		mu.Unlock()
		text, verdict := r.run(1)
		want, verdictWant := map[string]string{"missing": "the host answered 404", "cut off": "is cut off: got 2 bytes", "": "hello"}[how], "fail"
		if how == "" {
			verdictWant = "pass"
		}
		if verdict != verdictWant || !strings.Contains(text, want) {
			t.Errorf("%s: %s: %s", how, verdict, text)
		}
	}
	r.quiet("404")
}

// Without JavaScript the page has everything there is to read.
func TestWithoutJavaScript(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(site, "01-synchronous.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h1", "background-color:#ffd700", `<img alt="Picture of the run`, "<summary>A solution.", `href="02-polling.html"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s", want)
		}
	}
}

// Once a cell has been run, the page can be opened and run without a network.
func TestWithoutANetwork(t *testing.T) {
	var off atomic.Bool
	r := read(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if off.Load() {
				panic(http.ErrAbortHandler) // the connection is cut
			}
			next.ServeHTTP(w, req)
		})
	})
	r.open("wrong.html")
	js[any](r, readyPage)
	if text, verdict := r.run(1); verdict != "pass" {
		t.Fatalf("%s: %s", verdict, text)
	}
	js[any](r, `new Promise((resolve) => {
		const look = async () => navigator.serviceWorker.controller && await caches.match("go/go.js") && await caches.match(location.pathname) ? resolve(true) : setTimeout(look, 50);
		look();
	})`)
	off.Store(true)
	r.open("wrong.html")
	js[any](r, readyPage)
	if text, verdict := r.run(1); verdict != "pass" || !strings.Contains(text, "hello") {
		t.Errorf("without a network: %s: %s", verdict, text)
	}
	r.quiet("net::ERR_")
}

// A replay shows each moment, in the lines and in the picture, and can be controlled from
// the keyboard.
func TestReplay(t *testing.T) {
	r := read(t, nil)
	r.open("01-synchronous.html")
	js[any](r, readyPage)
	for number := 1; number <= 3; number++ {
		if text, verdict := r.run(number); verdict != "pass" {
			t.Fatalf("cell %d: %s: %s", number, verdict, text)
		}
	}
	const live = "document.querySelector(`[data-number='3'] .live`)"
	shown := live + ".querySelectorAll('.text > span:not(.later)').length"
	all := js[int](r, shown)
	js[any](r, live+".querySelector('input').focus()")
	r.do(chromedp.KeyEvent(kb.Home))
	if first := js[int](r, shown); first < 1 || first > 3 || all < 40 {
		t.Errorf("%d of %d outputs are shown at the beginning", first, all)
	}
	if text := js[string](r, live+".querySelector('.living').textContent"); !strings.Contains(text, "0.0 s · 1 in the queue") {
		t.Errorf("the picture at the beginning: %q", text)
	}
	js[any](r, live+".querySelector('button[title=\"Next step\"]').click()")
	if text := js[string](r, live+".querySelector('.living').textContent"); !strings.Contains(text, "2 in the queue") {
		t.Errorf("the picture after a step: %q", text)
	}
	r.shoot("replay")
	for _, width := range []int64{400, 1200} { // in a window of another size, the picture is redrawn at the same time
		r.do(chromedp.EmulateViewport(width, 800))
		fits := js[bool](r, `new Promise((resolve) => {
			const look = (tries) => {
				const live = `+live+`, picture = live.querySelector(".living");
				const fits = picture.viewBox.baseVal.width === Math.min(Math.max(live.clientWidth, 300), 640);
				fits || tries === 0 ? resolve(fits && picture.textContent.includes("2 in the queue")) : requestAnimationFrame(() => look(tries - 1));
			};
			look(100);
		})`)
		if !fits {
			t.Errorf("at %d px the picture is still %s", width, js[string](r, live+".querySelector('.living').getAttribute('viewBox')"))
		}
	}
	r.quiet()
}
