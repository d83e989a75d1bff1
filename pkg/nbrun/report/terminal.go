// Package report has observers of runs: some show them in a terminal, others write them
// to files for other programs. Each takes events of any number of notebooks that run at
// once.
package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fatih/color"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// Terminal shows notebooks that run at the same time one after the other: the output of
// the first that has not ended is shown as it comes, and the others' is held back. At
// the end it shows a line for each.
type Terminal struct {
	// Advice, if it is not nil, adds to a fault what can be done about it.
	Advice func(*event.Fault) string
	// Notes are lines to be shown below the summary.
	Notes []string

	out, err io.Writer
	colour   bool
	live     bool // err is a terminal, where a line of progress can be drawn anew

	mu    sync.Mutex
	turn  *sync.Cond
	head  int // the view that speaks
	views []*view
	drawn bool // a line of progress is on the screen
}

// NewTerminal returns an observer that shows the notebooks with these names, all
// different, in this order. With colour it writes escape sequences, and passes on those
// of cells that colour text; live says that errors go to a terminal. What cells write,
// and names and messages, can pass neither for its own words nor for commands of a CI
// system. It uses no global state.
func NewTerminal(out, err io.Writer, colour, live bool, notebooks []string) *Terminal {
	t := &Terminal{out: out, err: err, colour: colour, live: live}
	t.turn = sync.NewCond(&t.mu)
	heads := []string{"notebook", "nbrun"} // of lines of the summary, and of errors
	for i, name := range notebooks {
		v := &view{t: t, i: i, notebook: name, name: Line(name), column0: true}
		heads = append(heads, v.name)
		t.views = append(t.views, v)
	}
	for _, v := range t.views {
		v.cells = newQuoter(colour, heads, v.put)
	}
	return t
}

// Colour reports whether to colour what goes to a file, by the conventions of
// no-color.org and force-color.org.
func Colour(isTerminal bool) bool {
	switch force := os.Getenv("FORCE_COLOR"); {
	case os.Getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0" && force != "false":
		return true
	}
	return Live(isTerminal)
}

// Live reports whether a line that was written can be drawn anew, as in a terminal that
// is not dumb.
func Live(isTerminal bool) bool { return isTerminal && os.Getenv("TERM") != "dumb" }

// Observe shows an event. It blocks a notebook that writes much before its turn.
func (t *Terminal) Observe(e event.Event) error {
	v := t.view(e.Notebook)
	if v == nil {
		return fmt.Errorf("report: there is no notebook %s to show", e.Notebook)
	}
	switch e.Action {
	case event.Start:
		v.engine, v.clock = e.Engine, e.Clock
		v.print(t.style(color.Bold, "── "+v.name) + "\n")
	case event.Progress:
		v.progress(e.Text)
	case event.Begin:
		v.ran++
		v.freshLine()
		v.cell, v.named, v.caption = e.Cell.Number, false, ""
	case event.Out:
		v.output(e.Output)
	case event.Pass, event.Fail:
		v.cells.end()
		if e.Clock == event.Real && v.clock == event.Virtual {
			v.onReal = append(v.onReal, e.Cell.Number)
		}
		if e.Dropped > 0 {
			v.cut = append(v.cut, e.Cell.Number)
		}
		if e.Fault != nil {
			v.fault(e.Fault)
		}
	case event.End:
		v.cells.end()
		v.end = e
		t.ended(v)
	}
	return nil
}

// view returns the view of the notebook with that name.
func (t *Terminal) view(name string) *view {
	i := slices.IndexFunc(t.views, func(v *view) bool { return v.notebook == name })
	if i < 0 {
		return nil
	}
	return t.views[i]
}

// style writes text in a terminal style, if styles are on.
func (t *Terminal) style(a color.Attribute, text string) string {
	c := color.New(a)
	if c.DisableColor(); t.colour {
		c.EnableColor()
	}
	return c.Sprint(text)
}

// ended shows the notebooks that come after one that has ended.
func (t *Terminal) ended(v *view) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v.over = true
	for t.head < len(t.views) {
		t.flush(t.views[t.head])
		if !t.views[t.head].over {
			break
		}
		t.head++
	}
	t.turn.Broadcast()
}

func (t *Terminal) flush(v *view) {
	t.clearProgress()
	_, _ = t.out.Write(v.held.Bytes()) // a reader that has gone is not ours to report
	v.held.Reset()
}

func (t *Terminal) clearProgress() {
	if t.drawn {
		fmt.Fprint(t.err, "\r\x1b[K")
		t.drawn = false
	}
}

// holdAtMost is how many bytes are held back for a notebook before it has to wait for
// its turn.
const holdAtMost = 1 << 20

// view shows one notebook.
type view struct {
	t *Terminal
	i int
	// notebook is its name, and name that as it is shown.
	notebook, name string
	held           bytes.Buffer
	cells          *quoter // what they write
	cell           int
	named          bool // the cell's number has been shown
	column0        bool
	caption        string // the words for the picture just before: they are not shown twice if a cell writes them below it
	stop           func() // of progress

	engine string
	clock  event.Clock
	ran    int   // cells
	onReal []int // cells that ran on the real clock though the virtual one was asked for
	cut    []int // cells whose outputs were not kept whole
	over   bool
	end    event.Event
	failed string // what went wrong besides the run
}

func (v *view) print(text string) {
	t := v.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.head != v.i && v.held.Len() > holdAtMost {
		t.turn.Wait()
	}
	v.held.WriteString(text)
	if t.head == v.i {
		t.flush(v)
	}
}

func (v *view) freshLine() {
	v.cells.end()
	if !v.column0 {
		v.print("\n")
		v.column0 = true
	}
	v.cells.newLine()
}

// number is the cell's number, before the first that it has to say.
func (v *view) number() string {
	if v.named {
		return ""
	}
	v.named = true
	return v.t.style(color.Faint, fmt.Sprintf("[%d]", v.cell)) + "\n"
}

// output shows an output: streams as they are, and displays in words.
func (v *view) output(o *event.Output) {
	switch {
	case o.Kind == event.Stream:
		text := strings.TrimPrefix(o.Text, v.caption)
		if v.caption = ""; text != "" {
			v.cells.write(text)
		}
	case o.OfFault:
	case o.Kind == event.Display, o.Kind == event.Update, o.Kind == event.Result:
		v.freshLine()
		v.print(v.number() + v.t.style(color.Faint, "▣ "))
		v.cells.inLine()
		words := inWords(o.Data) + "\n"
		v.cells.write(words)
		v.freshLine()
		if v.caption = ""; isPicture(o.Data) {
			v.caption = words
		}
	}
}

// put prints what cells write.
func (v *view) put(p []byte) {
	v.print(v.number() + string(p))
	v.column0 = p[len(p)-1] == '\n'
}

// isPicture reports whether a display's words stand for a picture.
func isPicture(data map[string]any) bool {
	for kind := range data {
		if strings.HasPrefix(kind, "image/") {
			return true
		}
	}
	return false
}

// inWords describes a display in words.
func inWords(data map[string]any) string {
	for _, mime := range []string{"text/plain", "text/markdown"} {
		if text, ok := data[mime].(string); ok {
			return strings.TrimSpace(text)
		}
	}
	var kinds []string
	for kind := range data {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return strings.Join(kinds, ", ")
}

// progress shows that long work is still going on: in a terminal by a line that is
// redrawn, elsewhere by a line now and then.
func (v *view) progress(text string) {
	if v.stop != nil {
		v.stop()
		v.stop = nil
	}
	if text == "" {
		return
	}
	text = Line(text)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	start := time.Now()
	wg.Go(func() {
		wait := time.Second / 2
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			v.t.mu.Lock()
			if v.t.head == v.i {
				seconds := time.Since(start).Round(time.Second)
				if v.t.live {
					fmt.Fprintf(v.t.err, "\r\x1b[K%s: %s … %v", v.name, text, seconds)
					v.t.drawn = true
				} else {
					fmt.Fprintf(v.t.err, "%s: %s … %v\n", v.name, text, seconds)
				}
			}
			v.t.mu.Unlock()
			if wait = time.Second; !v.t.live {
				wait = 10 * time.Second
			}
		}
	})
	v.stop = func() {
		cancel()
		wg.Wait()
		v.t.mu.Lock()
		if v.t.head == v.i {
			v.t.clearProgress()
		}
		v.t.mu.Unlock()
	}
}

// Failed notes what went wrong besides the run of a notebook, such as writing its file.
func (t *Terminal) Failed(notebook, text string) {
	if v := t.view(notebook); v != nil {
		v.failed = Line(text)
	}
}

// Summary shows a line for each notebook.
func (t *Terminal) Summary() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clearProgress()
	width := len("notebook")
	for _, v := range t.views {
		width = max(width, len([]rune(v.name)))
	}
	var b strings.Builder
	b.WriteString("\n" + t.style(color.Bold, fmt.Sprintf("%-*s  %5s  %8s  %s", width, "notebook", "cells", "time", "engine")) + "\n")
	for _, v := range t.views {
		engine := v.engine
		if v.clock == event.Virtual {
			engine += ", virtual clock"
			switch n := len(v.onReal); {
			case n > 1 && n == v.ran:
				engine += " (all cells on the real one)"
			case n > 0:
				engine += " (" + cellList(v.onReal) + " on the real one)"
			}
		}
		fmt.Fprintf(&b, "%-*s  %5d  %8s  %s  %s\n", width, v.name, v.ran, short(v.end.Elapsed), engine, v.mark())
		if len(v.cut) > 0 {
			fmt.Fprintf(&b, "%-*s  %s\n", width, "", t.style(color.Faint, cellList(v.cut)+" wrote more than is kept"))
		}
		if v.end.Left > 0 {
			note := Left(v.end.Left)
			fmt.Fprintf(&b, "%-*s  %s\n", width, "", t.style(color.Faint, note))
		}
	}
	for _, note := range t.Notes {
		b.WriteString(t.style(color.Faint, Line(note)) + "\n")
	}
	_, _ = io.WriteString(t.out, b.String())
}

// mark is the verdict on a notebook.
func (v *view) mark() string {
	switch {
	case v.failed != "":
		return v.t.style(color.FgRed, "✘ "+v.failed)
	case v.end.Text != "":
		return v.t.style(color.FgRed, "✘ "+Line(v.end.Text))
	case v.end.Fault != nil:
		return v.t.style(color.FgRed, "✘ "+brief(v.end.Fault))
	case !v.over:
		return v.t.style(color.FgRed, "✘ was not run")
	}
	return v.t.style(color.FgGreen, passed(v.end.Open))
}

// brief is a fault that was shown in full where it happened: its place, and the
// beginning of what it is.
func brief(f *event.Fault) string {
	const most = 80
	text := []rune(Line(f.Error()))
	if len(text) > most {
		text = append(text[:most-1], '…')
	}
	return string(text)
}

// advised returns a fault and what to do about it.
func (v *view) advised(f *event.Fault) string {
	if v.t.Advice != nil {
		if advice := v.t.Advice(f); advice != "" {
			return Line(f.Error() + "; " + advice)
		}
	}
	return Line(f.Error())
}

// fault shows what went wrong.
func (v *view) fault(f *event.Fault) {
	v.freshLine()
	if f.Expected {
		v.print(v.number() + v.t.style(color.Faint, "✘ "+v.advised(f)+" (allowed)") + "\n")
		return
	}
	v.print(v.number() + v.t.style(color.FgRed, "✘ "+v.name+": "+v.advised(f)) + "\n")
	switch below := f.Traceback; {
	case f.Reason == event.Differs:
		v.print(Plain(strings.Join(below, "\n")) + "\n")
	case len(below) > 1 && below[0] == f.Error(): // of source: the line, and what else is wrong
		v.cells.write(strings.Join(below[1:], "\n") + "\n")
		v.freshLine()
	}
}

// cellList writes numbers of cells for a person: cells 3, 5 and 8.
func cellList(cells []int) string {
	words := make([]string, len(cells))
	for i, c := range cells {
		words[i] = fmt.Sprint(c)
	}
	if len(words) == 1 {
		return "cell " + words[0]
	}
	return "cells " + strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// Left says that processes left running by cells were ended.
func Left(n int) string {
	if n == 1 {
		return "1 process that cells had left running was ended"
	}
	return fmt.Sprintf("%d processes that cells had left running were ended", n)
}

// Exercises says how many exercises are not solved yet, "" if there are none.
func Exercises(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 exercise open"
	}
	return fmt.Sprintf("%d exercises open", n)
}

// passed is the mark of a notebook that passed, with that many exercises open.
func passed(open int) string {
	if open == 0 {
		return "✔"
	}
	return "✔ (" + Exercises(open) + ")"
}

func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
