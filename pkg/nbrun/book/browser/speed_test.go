package browser_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// BenchmarkReaders measures how long a reader waits, in the book and in JupyterLite with
// its Python kernel, in one run: fresh browsers in turn, and a host on this machine that
// compresses everything but archives, as hosts of static pages do. It prints a table of
// medians and fails if a goal is missed.
//
//	go test -run '^$' -bench Readers -benchtime 5x -timeout 30m
func BenchmarkReaders(b *testing.B) {
	peer := os.Getenv("BOOK_TEST_PEER") // made before, by testdata/jupyterlite/build
	if peer == "" {
		peer = b.TempDir()
		build := exec.CommandContext(b.Context(), "testdata/jupyterlite/build", filepath.Join(npm(b, "jupyterlite"), "pyodide"), peer)
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("JupyterLite: %v\n%s", err, out)
		}
	}
	book, lite := &host{dir: site}, &host{dir: peer}
	readBook(b, book) // this round does not count: it compresses the files
	readLite(b, lite)
	times := map[string][]float64{}
	for b.Loop() {
		for _, round := range []map[string]float64{readBook(b, book), readLite(b, lite)} {
			for name, value := range round {
				times[name] = append(times[name], value)
			}
		}
	}
	goals := map[string]float64{
		"page: readable, s": 0.5, "page: first line after the first Run, cold, s": 8, "page: the same, warm, s": 3,
		"page: edit to first line, from the third cell on, s": 1, "page: lesson 01 whole, warm, s": 10,
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, name := range slices.Sorted(maps.Keys(times)) {
		list := times[name]
		slices.Sort(list)
		median := list[len(list)/2]
		verdict := ""
		if goal, ok := goals[name]; ok {
			verdict = fmt.Sprintf("goal %g", goal)
			if median > goal {
				b.Errorf("%s: %.2f, and the goal is %g", name, median, goal)
			}
		}
		fmt.Fprintf(w, "%s\t%.2f\t(%.2f to %.2f)\t%s\t\n", name, median, list[0], list[len(list)-1], verdict)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("medians of %d\n%s", len(times["page: readable, s"]), table.String()) // a log with this many lines would be cut off
}

// host serves a folder, counts what it sends, and compresses what isn't compressed yet.
type host struct {
	dir    string
	sent   atomic.Int64
	mu     sync.Mutex
	packed map[string][]byte
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := filepath.Join(h.dir, filepath.FromSlash(r.URL.Path))
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "index.html")
	}
	kinds := map[string]string{
		".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript",
		".json": "application/json", ".wasm": "application/wasm", ".svg": "image/svg+xml", ".ipynb": "application/json",
	}
	data, err := os.ReadFile(path)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if kind, ok := kinds[filepath.Ext(path)]; ok {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Encoding", "gzip")
		data = h.gzip(path, data)
	}
	n, _ := w.Write(data)
	h.sent.Add(int64(n))
}

func (h *host) gzip(path string, data []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if done, ok := h.packed[path]; ok {
		return done
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(data)
	_ = z.Close()
	if h.packed == nil {
		h.packed = map[string][]byte{}
	}
	h.packed[path] = b.Bytes()
	return b.Bytes()
}

// visit starts a fresh browser at a host.
func visit(b *testing.B, h *host) *reader {
	h.sent.Store(0)
	r := read(b, nil)
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	r.address = server.URL
	return r
}

// appears waits until an expression is true and returns how many seconds after a mark
// that was; "" stands for when the page was opened.
func appears(r *reader, mark, expression string) float64 {
	r.t.Helper()
	return js[float64](r, fmt.Sprintf(`new Promise((resolve) => {
		const begin = "%s" === "" ? 0 : performance.getEntriesByName("%s").at(-1).startTime;
		const look = () => (%s) ? resolve((performance.now() - begin) / 1000) : setTimeout(look, 5);
		look();
	})`, mark, mark, expression))
}

const mark = `performance.mark("begin");`

// readBook reads and runs a page as a reader does, with a fresh browser.
func readBook(b *testing.B, h *host) map[string]float64 {
	r := visit(b, h)
	found := map[string]float64{}
	r.open("wrong.html")
	found["page: readable, s"] = js[float64](r, `new Promise((resolve) => new PerformanceObserver((list) => resolve(list.getEntries()[0].startTime / 1000)).observe({ type: "paint", buffered: true }))`)
	js[any](r, readyPage)
	found["page: before the first Run, MB"] = float64(h.sent.Load()) / 1e6
	const live = "document.querySelector(`[data-number='%d'] .live .text`)?.innerText.includes('%s')"
	press := func(number int) {
		js[any](r, mark+fmt.Sprintf("document.querySelector(`[data-number='%d'] button.run`).click()", number))
	}
	press(1)
	found["page: first line after the first Run, cold, s"] = appears(r, "begin", fmt.Sprintf(live, 1, "hello"))
	found["both: opened to first output, cold, page, s"] = appears(r, "", "true")
	found["both: to the first output, page, MB"] = float64(h.sent.Load()) / 1e6
	idle(r)
	phases(r, "first", found)
	press(10)
	found["both: the second cell, page, s"] = appears(r, "begin", fmt.Sprintf(live, 10, "still here"))
	idle(r)
	phases(r, "second", found)

	r.open("01-synchronous.html") // another page: the browser has everything it needs
	js[any](r, readyPage)
	js[any](r, mark+"document.querySelector('[data-do=all]').click()")
	found["page: the same, warm, s"] = appears(r, "begin", "[...document.querySelectorAll('.live .text')].some((e) => e.innerText.trim())")
	idle(r)
	found["page: lesson 01 whole, warm, s"] = appears(r, "begin", "true")

	js[any](r, `document.querySelector("[data-number='3'] .code").dispatchEvent(new MouseEvent("dblclick"))`)
	r.do(chromedp.Click("[data-number='3'] .cm-content"), chromedp.KeyEvent(kb.End+" // mine"))
	js[any](r, "document.querySelector(`[data-number='3'] .live`).replaceChildren()")
	press(3)
	found["page: edit to first line, from the third cell on, s"] = appears(r, "begin", fmt.Sprintf(live, 3, "generated item"))
	idle(r)
	phases(r, "edited", found)
	chromedp.Cancel(r.ctx)
	return found
}

// phases notes where the time has gone since the cell was started.
func phases(r *reader, cell string, found map[string]float64) {
	for phase, seconds := range measured(r) {
		found["profile: the "+cell+" cell, "+phase+", s"] += seconds
	}
}

// measured returns how many seconds each phase has taken since the mark, as measured by
// the page. The workers load files in parallel.
func measured(r *reader) map[string]float64 {
	return js[map[string]float64](r, `performance.getEntriesByType("measure").reduce((sums, { name, startTime, duration }) => {
		if (startTime >= performance.getEntriesByName("begin").at(-1).startTime) sums[name] = (sums[name] ?? 0) + duration / 1000;
		return sums;
	}, {})`)
}

// idle waits until no cell runs.
func idle(r *reader) { appears(r, "", "document.querySelector('[data-do=stop]').disabled") }

// readLite makes JupyterLite's console run a line when it is opened, and then another.
func readLite(b *testing.B, h *host) map[string]float64 {
	r := visit(b, h)
	found := map[string]float64{}
	r.open("repl/index.html?kernel=python&code=print('hel'%2B'lo')")
	found["both: opened to first output, cold, JupyterLite, s"] = appears(r, "", "document.querySelector('.jp-OutputArea-output')?.innerText.includes('hello')")
	found["both: to the first output, JupyterLite, MB"] = float64(h.sent.Load()) / 1e6
	r.do(chromedp.Click(".jp-CodeConsole-promptCell .cm-content"), chromedp.KeyEvent("print('still' + ' here')"))
	js[any](r, mark+"0")
	r.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(8))) // Shift
	found["both: the second cell, JupyterLite, s"] = appears(r, "begin", "[...document.querySelectorAll('.jp-OutputArea-output')].some((e) => e.innerText.includes('still here'))")
	chromedp.Cancel(r.ctx)
	return found
}
