package replay_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report/replay"
)

var epoch = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

// teller reports the run of a notebook.
type teller struct {
	t      *testing.T
	report *replay.Report
	name   string
	now    time.Time
	cell   *event.Cell
}

func (r *teller) tell(e event.Event) {
	r.t.Helper()
	e.Notebook, e.Time = r.name, r.now
	if e.Cell == nil && e.Action != event.Start && e.Action != event.End {
		e.Cell = r.cell
	}
	if err := r.report.Observe(e); err != nil {
		r.t.Fatal(err)
	}
}

// begin begins the next cell.
func (r *teller) begin(source string) {
	next := &event.Cell{Number: 1, Source: source}
	if r.cell != nil {
		next.Index, next.Number = r.cell.Index+1, r.cell.Number+1
	}
	r.cell = next
	r.tell(event.Event{Action: event.Begin})
}

func (r *teller) put(outputs ...event.Output) {
	r.t.Helper()
	for _, o := range outputs {
		r.tell(event.Event{Action: event.Out, Output: &o})
	}
}

func text(text string) event.Output {
	return event.Output{Kind: event.Stream, Name: "stdout", Text: text}
}

func (r *teller) wait(seconds float64) { r.now = r.now.Add(time.Duration(seconds * 1e9)) }

func (r *teller) pass() {
	r.tell(event.Event{Action: event.Pass, Clock: event.Virtual, Elapsed: time.Millisecond})
}

func (r *teller) fail(f event.Fault) {
	r.tell(event.Event{Action: event.Fail, Fault: &f, Elapsed: time.Millisecond})
}

// told is the page of a notebook that with describes.
func told(t *testing.T, with func(r *teller)) string {
	t.Helper()
	dir := t.TempDir()
	report, err := replay.Open(dir, []string{"docs/a b.ipynb"})
	if err != nil {
		t.Fatal(err)
	}
	r := &teller{t: t, report: report, name: "docs/a b.ipynb", now: epoch}
	r.tell(event.Event{Action: event.Start, Engine: "go", Clock: event.Virtual})
	with(r)
	r.tell(event.Event{Action: event.End, Elapsed: 3 * time.Second})
	if err := report.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, filepath.Join(dir, "a b.html"))
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// shown is the text of the outputs that are there in the end.
func shown(t *testing.T, page string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(n *html.Node, in bool)
	walk = func(n *html.Node, in bool) {
		for _, a := range n.Attr {
			in = in || a.Key == "class" && a.Val == "outputs"
			if a.Key == "class" && a.Val == "gone" {
				return
			}
		}
		if in && n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for c := range n.ChildNodes() {
			walk(c, in)
		}
	}
	walk(doc, false)
	return b.String()
}

func wants(t *testing.T, page string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !regexp.MustCompile(want).MatchString(page) {
			t.Errorf("no %s in\n%s", want, page[strings.Index(page, "<body"):])
		}
	}
}

func TestAPageSaysWhatWasWhen(t *testing.T) {
	page := told(t, func(r *teller) {
		r.begin("%%\nfmt.Println(1)")
		r.put(text("\x1b[33mone\x1b[0m\n"))
		r.wait(1.5)
		r.put(text("two\n"), text("three\n"))
		r.pass()
		r.now = epoch // as after a cell on another clock
		r.begin("four()")
		r.wait(2)
		r.put(event.Output{Kind: event.Display, Data: map[string]any{"image/png": "AAAA", "text/plain": "a picture"}})
		r.pass()
	})
	wants(
		t, page, `<h1>docs/a b.ipynb</h1>`, `✔ passed <span>2 cells in 3.00 s · go, virtual clock · 2009-11-10 23:00:00 UTC`,
		`id="cell-1" tabindex="-1" data-begin="0" data-end="1500000000"`, `1.50 s on the virtual clock, in 0.00 s`, `<span class="nf">Println</span>`,
		`<span data-at="0"><span class="stdout"><span class="ansi-yellow">one</span>`, `<span data-at="1500000000"><span class="stdout">two\n</span><span class="stdout">three`,
		`id="cell-2" tabindex="-1" data-begin="1500000000" data-end="3500000000"`, `<div data-at="3500000000"><figure><img alt="a picture"`,
	)
}

func TestEachWayToFailIsSeen(t *testing.T) {
	page := told(t, func(r *teller) {
		r.tell(event.Event{Action: event.Skip, Cell: &event.Cell{Index: 9, Source: "never()"}, Text: "it is tagged skip-execution"})
		r.begin("a()")
		r.put(event.Output{Kind: event.Error, Traceback: []string{"cell 1, line 2: undefined: a", "    a()"}})
		r.fail(event.Fault{Cell: 1, Line: 2, Text: "undefined: a"})
		r.begin("b()")
		r.fail(event.Fault{Cell: 2, Text: "can't do this", Reason: event.Unsupported})
		r.begin("c()")
		r.fail(event.Fault{Cell: 3, Text: "ran longer than 1s", Reason: event.Timeout})
		r.begin("d()")
		r.fail(event.Fault{Cell: 4, Text: "differs from what is stored", Reason: event.Differs, Traceback: []string{"- 1", "+ 2"}})
		r.begin("e()")
		r.fail(event.Fault{Cell: 5, Text: "may", Expected: true})
		r.begin("f()")
		r.put(text("so far"))
	})
	wants(
		t, page, `✘ failed <span>6 cells`, `class="cell skip" id="cell-10" tabindex="-1">`, `not run: it is tagged skip-execution`,
		`<li><a href="#cell-1">cell 1, line 2: undefined: a</a>`, `✘ failed`, `<pre class="error">cell 1, line 2: undefined: a`,
		`✘ refused`, `<p class="fault" data-at="0">cell 2: can&#39;t do this</p>`, `✘ hung`, `cell 3: ran longer than 1s</p>`, `✘ differs`, `<pre class="text" tabindex="0">- 1\n`,
		`✔ failed, as it may`, `✘ has not ended`, `so far`,
	)
	if strings.Contains(page, `<p class="fault" data-at="0">cell 1`) {
		t.Error("the first fault is said twice")
	}
	if strings.Contains(page, `#cell-5"`) {
		t.Error("a fault that may be is among the failures")
	}
}

// What is overwritten, cleared or updated is there for its time, and not at the end.
func TestWhatIsReplacedIsGone(t *testing.T) {
	display := func(kind event.Kind, text string) event.Output {
		return event.Output{Kind: kind, ID: "d", Data: map[string]any{"text/plain": text}}
	}
	for name, test := range map[string]struct {
		outputs []event.Output
		want    string
		gone    int
	}{
		"a bar of progress":      {[]event.Output{text("before\n  1%"), text("\r 50%"), text("\r100%"), text("\ndone\n")}, "before\n100%\ndone\n", 2},
		"half of it":             {[]event.Output{text("abc"), text("\r"), text("X"), text("\n")}, "Xbc\n", 2},
		"in colour":              {[]event.Output{text("\x1b[31mno\n"), text("a\rb"), text("\bc\n")}, "no\nc\n", 1},
		"lines of Windows":       {[]event.Output{text("a\r\nb\r\n"), text("c\r\n")}, "a\nb\nc\n", 0},
		"half a letter":          {[]event.Output{text("\xe2\x9c"), text("\x94\r\xe2"), text("\x9c\x98\n")}, "✘\n", 1},
		"two streams":            {[]event.Output{text("a"), {Kind: event.Stream, Name: "stderr", Text: "b"}, text("\rc")}, "cb", 1},
		"cleared":                {[]event.Output{text("a\n"), {Kind: event.Clear}, text("b\n")}, "b\n", 1},
		"cleared with the next":  {[]event.Output{text("a\n"), {Kind: event.Clear, Wait: true}}, "a\n", 0},
		"cleared then":           {[]event.Output{text("a\n"), {Kind: event.Clear, Wait: true}, text("b\n")}, "b\n", 1},
		"updated":                {[]event.Output{display(event.Display, "a"), display(event.Update, "b"), display(event.Update, "c")}, "c", 2},
		"updated after clearing": {[]event.Output{display(event.Display, "a"), {Kind: event.Clear}, display(event.Update, "b")}, "", 1},
		"the page of a fault":    {[]event.Output{{Kind: event.Display, OfFault: true, Data: map[string]any{"text/plain": "a"}}}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			page := told(t, func(r *teller) {
				r.begin("")
				for _, o := range test.outputs {
					r.put(o)
					r.wait(1)
				}
				r.pass()
			})
			if got := shown(t, page); got != test.want {
				t.Errorf("%q is shown, want %q", got, test.want)
			}
			if gone := strings.Count(page, `class="gone"`); gone != test.gone {
				t.Errorf("%d outputs are gone, want %d", gone, test.gone)
			}
		})
	}
}

// A page has a limit. What is shown at the end takes precedence over what was there for
// a while.
func TestAPageHasALimit(t *testing.T) {
	const frame = 64 << 10
	page := told(t, func(r *teller) {
		r.begin("")
		for range 100 {
			r.put(event.Output{Kind: event.Clear}, text(strings.Repeat("x", frame)+"\n"))
		}
		r.put(event.Output{Kind: event.Clear}, text("the end\n"), event.Output{Kind: event.Display, ID: "d", Data: map[string]any{"text/plain": "first"}})
		for i := range 100 {
			r.put(event.Output{Kind: event.Update, ID: "d", Data: map[string]any{"text/plain": fmt.Sprint("update ", i, " ", strings.Repeat("y", frame))}})
		}
		r.pass()
		r.begin("")
		r.put(event.Output{Kind: event.Display, Data: map[string]any{"text/plain": strings.Repeat("z", 5<<20)}}, text("after\n"))
		for range 40_000 {
			r.put(text("line\n"))
		}
		r.pass()
		for range 5 {
			r.begin("")
			r.put(text(strings.Repeat("x", 3<<20)))
			r.pass()
		}
	})
	if len(page) > 20<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	end := shown(t, page)
	if !strings.HasPrefix(end, "the end\nupdate 99 yyy") || !strings.Contains(end, "after\nline\n") {
		t.Errorf("shown is %.100q", end)
	}
	wants(t, page, `\d+ bytes are not on this page`)
}

// hostile is what a cell may write to pass for the page.
var hostile = []string{
	`</script><script>alert(1)</script>`, `</pre></div></section></main><h1>✔ passed</h1>`, `--><img src=x onerror=alert(1)>`, `</style><style>*{display:none}</style>`,
	`<section class="cell fail" id="cell-1" data-begin="0" data-at="0" data-until="9" style="position:fixed" onclick="alert(1)">x</section>`,
	`<div class="gone">x</div><p id="player">x</p>`, `<iframe srcdoc="<script>alert(1)</script>"></iframe>`, `<meta http-equiv="refresh" content="0;url=https://x">`, "{{.Name}}",
}

func TestNothingOfACellIsHTMLOfTheReport(t *testing.T) {
	// What the page is made of: scripts and the like, and what identifies the report's
	// own parts.
	own := regexp.MustCompile(`^(cell|outputs|verdict|summary|faults|fault|note|tools|gone|pass|fail)$`)
	parts := func(page string) map[string]int {
		doc, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		list := map[string]int{}
		for n := range doc.Descendants() {
			switch n.Data {
			case "script", "style", "meta", "iframe", "main", "link", "form", "svg":
				list[n.Data]++
			}
			for _, a := range n.Attr {
				if a.Key == "id" || a.Key == "style" || strings.HasPrefix(a.Key, "data-") || strings.HasPrefix(a.Key, "on") {
					list[a.Key]++
				}
				for _, class := range strings.Fields(a.Val) {
					if a.Key == "class" && own.MatchString(class) {
						list[class]++
					}
				}
			}
		}
		return list
	}
	run := func(words string) string {
		return told(t, func(r *teller) {
			r.begin(words)
			r.cell.Tags = []string{words}
			r.put(text(words), event.Output{Kind: event.Stream, Name: words, Text: words}, event.Output{Kind: event.Error, Name: words, Value: words, Traceback: []string{words}})
			for _, mime := range []string{"text/plain", "image/svg+xml", words} {
				r.put(event.Output{Kind: event.Display, ID: words, Data: map[string]any{mime: words}})
			}
			for _, mime := range []string{"text/html", "text/markdown"} {
				r.put(event.Output{Kind: event.Display, Data: map[string]any{mime: words}})
			}
			r.fail(event.Fault{Cell: 1, Text: words, Reason: event.Differs, Traceback: []string{words}})
		})
	}
	want := parts(run("harmless"))
	for _, words := range hostile {
		if got := parts(run(words)); !maps.Equal(got, want) {
			t.Errorf("%s: the page has %v, want %v", words, got, want)
		}
	}
}

func TestTheIndexIsTrueAtAnyTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	names := []string{"a/x.ipynb", "b/X.ipynb", "index.ipynb", "-", "c/<b>.ipynb"}
	report, err := replay.Open(dir, names)
	if err != nil {
		t.Fatal(err)
	}
	index := func(wanted ...string) {
		t.Helper()
		wants(t, read(t, filepath.Join(dir, "index.html")), wanted...)
	}
	index(`<h1>✘ 5 of 5 notebooks not run to the end</h1>`, `class="fail"><span class="mark">✘</span>\n<span class="name">a/x.ipynb</span>`)
	for i, name := range names {
		r := &teller{t: t, report: report, name: name, now: epoch}
		r.tell(event.Event{Action: event.Start, Engine: "go"})
		r.begin("a()")
		if i == 1 {
			r.fail(event.Fault{Cell: 1, Line: 1, Text: "undefined: a"})
		} else {
			r.pass()
		}
		end := event.Event{Action: event.End, Elapsed: time.Second}
		if i == 2 {
			end.Text = "disk full"
		}
		r.tell(end)
		if i == 1 {
			index(`<h1>✘ 1 of 5 notebooks failed, 3 not run to the end</h1>`, `<a href="x.html">a/x.ipynb</a>`, `<a href="X-2.html#cell-1">cell 1, line 1: undefined: a</a>`)
		}
	}
	index(`<h1>✘ 2 of 5 notebooks failed</h1>`, `<a href="index-2.html">index.ipynb</a>`, `disk full`, `<a href="stdin.html">-</a>`, `<a href="%3cb%3e.html">c/&lt;b&gt;.ipynb</a>`)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 6 {
		t.Errorf("%v, %v", files, err)
	}
}

// An existing file that is not a page of a report stays.
func TestAReportOverwritesNoOtherFile(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"is not a page of such a report": func(path string) error { return os.WriteFile(path, []byte("<p>mine</p>"), 0o644) },
		"is not a file":                  func(path string) error { return os.Symlink("elsewhere", path) },
	} {
		for _, file := range []string{"index.html", "a.html"} {
			dir := t.TempDir()
			if err := make(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
			if _, err := replay.Open(dir, []string{"a.ipynb"}); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), file) {
				t.Errorf("%s: %v", name, err)
			}
			if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 1 {
				t.Errorf("%v were written", files)
			}
		}
	}
	dir := t.TempDir()
	for range 2 {
		if _, err := replay.Open(dir, []string{"a.ipynb"}); err != nil {
			t.Errorf("an earlier report: %v", err)
		}
	}
}
