package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/fatih/color"
	"golang.org/x/term"

	"github.com/b3771e63/prodcons/pkg/nbrun"
)

// terminal shows notebooks that run at the same time one after the other: the
// first that is not done speaks as it runs, the others wait with what they have
// to say.
type terminal struct {
	mu     sync.Mutex
	turn   *sync.Cond
	out    io.Writer
	err    io.Writer
	colour bool
	live   bool // stderr is a terminal, where a line of progress can be drawn anew
	head   int
	views  map[int]*view
	over   map[int]bool
	drawn  bool // a line of progress is on the screen
}

func newTerminal(stdout, stderr *os.File) *terminal {
	t := &terminal{out: stdout, err: stderr, views: map[int]*view{}, over: map[int]bool{}}
	t.turn = sync.NewCond(&t.mu)
	t.live = term.IsTerminal(int(stderr.Fd())) && os.Getenv("TERM") != "dumb"
	t.colour = useColour(term.IsTerminal(int(stdout.Fd())))
	color.NoColor = !t.colour
	return t
}

// useColour follows no-color.org and force-color.org.
func useColour(isTerminal bool) bool {
	switch force := os.Getenv("FORCE_COLOR"); {
	case os.Getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0" && force != "false":
		return true
	}
	return isTerminal && os.Getenv("TERM") != "dumb"
}

var (
	bold  = color.New(color.Bold)
	faint = color.New(color.Faint)
	green = color.New(color.FgGreen)
	red   = color.New(color.FgRed)
)

// notebook returns the view of notebook i.
func (t *terminal) notebook(i int, path string) *view {
	v := &view{t: t, i: i, path: path, column0: true}
	t.mu.Lock()
	t.views[i] = v
	t.mu.Unlock()
	v.print(bold.Sprintf("── %s", path) + "\n")
	return v
}

// done says that notebook i has ended, and lets the next ones speak.
func (t *terminal) done(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over[i] = true
	for t.over[t.head] {
		t.flush(t.views[t.head])
		t.head++
	}
	if v := t.views[t.head]; v != nil {
		t.flush(v)
	}
	t.turn.Broadcast()
}

func (t *terminal) flush(v *view) {
	t.clearProgress()
	_, _ = t.out.Write(v.held.Bytes()) // a reader that has gone is not ours to report
	v.held.Reset()
}

func (t *terminal) clearProgress() {
	if t.drawn {
		fmt.Fprint(t.err, "\r\x1b[K")
		t.drawn = false
	}
}

// holdAtMost is how many bytes a notebook may have to say before it has to wait
// for its turn.
const holdAtMost = 1 << 20

// view shows one notebook. It is the observer of its run.
type view struct {
	t       *terminal
	i       int
	path    string
	held    bytes.Buffer
	cell    int
	named   bool // the cell's number has been shown
	column0 bool
	escape  []byte // an escape sequence that is not complete
	stop    func()
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

// Cell tells that a cell begins. Its number is shown with its first output.
func (v *view) Cell(number int) {
	v.freshLine()
	v.cell, v.named = number, false
}

func (v *view) freshLine() {
	if !v.column0 {
		v.print("\n")
		v.column0 = true
	}
}

func (v *view) name() string {
	if v.named {
		return ""
	}
	v.named = true
	return faint.Sprintf("[%d]", v.cell) + "\n"
}

// Output shows a piece of a stream.
func (v *view) Output(_ string, p []byte) {
	if !v.t.colour {
		if p = v.withoutEscapes(p); len(p) == 0 {
			return
		}
	}
	v.print(v.name() + string(p))
	v.column0 = p[len(p)-1] == '\n'
}

// withoutEscapes drops the escape sequences that colour text.
func (v *view) withoutEscapes(p []byte) []byte {
	p = append(v.escape, p...)
	v.escape = nil
	var out []byte
	for i := 0; i < len(p); i++ {
		if p[i] != 0x1b {
			out = append(out, p[i])
			continue
		}
		end := i + 1
		if end < len(p) && p[end] == '[' {
			for end++; end < len(p) && (p[end] < 0x40 || p[end] > 0x7e); end++ {
			}
		}
		if end >= len(p) {
			v.escape = append([]byte(nil), p[i:]...)
			break
		}
		i = end
	}
	return out
}

// Display shows a display in words.
func (v *view) Display(data map[string]any) {
	v.freshLine()
	text, ok := data["text/plain"].(string)
	if !ok {
		if text, ok = data["text/markdown"].(string); !ok {
			var kinds []string
			for kind := range data {
				kinds = append(kinds, kind)
			}
			text = strings.Join(kinds, ", ")
		}
	}
	v.print(v.name() + faint.Sprint("▣ "+strings.TrimSpace(text)) + "\n")
}

// Failure shows what went wrong.
func (v *view) Failure(err *nbrun.CellError, expected bool) {
	v.freshLine()
	if expected {
		v.print(v.name() + faint.Sprintf("✘ %v (allowed)", err) + "\n")
		return
	}
	v.print(v.name() + red.Sprintf("✘ %s: %v", v.path, err) + "\n")
}

// Progress shows that long work goes on: in a terminal by a line that is drawn
// anew, elsewhere by a line now and then.
func (v *view) Progress(text string) {
	if v.stop != nil {
		v.stop()
		v.stop = nil
	}
	if text == "" {
		return
	}
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
					fmt.Fprintf(v.t.err, "\r\x1b[K%s: %s … %v", v.path, text, seconds)
					v.t.drawn = true
				} else {
					fmt.Fprintf(v.t.err, "%s: %s … %v\n", v.path, text, seconds)
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

// summary shows a line for each notebook.
func (t *terminal) summary(outcomes []outcome, opts nbrun.Options) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clearProgress()
	width := len("notebook")
	for _, o := range outcomes {
		width = max(width, len([]rune(o.path)))
	}
	var b strings.Builder
	b.WriteString("\n" + bold.Sprintf("%-*s  %5s  %8s  %s", width, "notebook", "cells", "time", "engine") + "\n")
	for _, o := range outcomes {
		cells, elapsed, engine := 0, time.Duration(0), string(opts.Engine)
		var notes []string
		mark := green.Sprint("✔")
		if o.result != nil {
			cells, elapsed = o.result.Cells, o.result.Elapsed
			if opts.Clock == nbrun.Virtual {
				engine += ", virtual clock"
				if len(o.result.RealClock) > 0 {
					engine += " (" + cellList(o.result.RealClock) + " on the real one)"
				}
			}
			if o.result.Left > 0 {
				notes = append(notes, fmt.Sprintf("%d processes that cells had left running were ended", o.result.Left))
			}
			if f := o.result.Failure; f != nil {
				mark = red.Sprintf("✘ %v", f)
			}
		}
		switch {
		case errors.Is(o.err, context.Canceled):
			mark = red.Sprint("✘ interrupted")
		case o.err != nil:
			mark = red.Sprintf("✘ %v", o.err)
		case o.write != nil:
			mark = red.Sprintf("✘ not written: %v", o.write)
		}
		fmt.Fprintf(&b, "%-*s  %5d  %8s  %s  %s\n", width, o.path, cells, short(elapsed), engine, mark)
		for _, n := range notes {
			fmt.Fprintf(&b, "%-*s  %s\n", width, "", faint.Sprint(n))
		}
	}
	_, _ = io.WriteString(t.out, b.String())
}

func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
