// Package nbtest runs GoNB notebooks as Go tests, in any repository: a subtest for
// each notebook, and in it one for each code cell.
//
//	func TestDocs(t *testing.T) {
//		nbtest.Run(t, "../docs/*.ipynb", nbrun.Options{Clock: nbrun.Virtual})
//	}
//
// A single cell is run, with those before it that it needs, by
//
//	go test -run 'TestDocs/intro.ipynb/cell_3_'
package nbtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

// Run runs the notebooks that match the pattern, as for [path/filepath.Glob], in the
// folder of the test. If none matches, the test fails.
//
// The subtest of a notebook has the name of its file, that of a cell its number and its
// id, if it has one: cell_3_setup. A cell fails when nbrun says so, with file, cell,
// line and what is wrong; those after it are skipped, and say why, unless the options
// allow errors. Cells tagged skip-execution are skipped. What cells write is logged, so
// that it is seen when they fail, and always with -v. If -run chooses a cell without
// those before it, these run first; when one of them fails, the cell fails, too.
//
// A cell that is still running shortly before go test's own deadline is stopped, with
// everything that it has started.
//
// With the engine nbrun.Yaegi, TestMain has to call nbrun.Main first. An Observer in
// the options gets all events, as in a run by nbrun.
func Run(t *testing.T, pattern string, opts nbrun.Options) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	if len(files) == 0 {
		t.Fatalf("%s: matches no notebook", pattern)
	}
	for _, file := range files {
		t.Run(filepath.ToSlash(name(file, files)), func(t *testing.T) { run(t, file, opts) })
	}
}

// name is the name of a file, with its folder if there is another file of that name.
func name(file string, files []string) string {
	base := filepath.Base(file)
	same := 0
	for _, other := range files {
		if filepath.Base(other) == base {
			same++
		}
	}
	if same > 1 {
		return file
	}
	return base
}

// run runs one notebook.
func run(t *testing.T, file string, opts nbrun.Options) {
	t.Helper()
	out := &output{}
	opts.Observer = event.All(out, opts.Observer)
	nb, err := nbrun.Open(t.Context(), file, opts)
	if err != nil {
		t.Fatal(err)
	}
	// The session outlives the subtests, and their contexts.
	ctx, cancel := beforeDeadline(t)
	defer cancel()
	s, err := nb.Start(ctx)
	if err != nil {
		t.Fatalf("%s: %s", report.Line(file), report.Line(err.Error()))
	}
	defer func() {
		result, err := s.Close()
		if err != nil && !t.Failed() {
			t.Errorf("%s: %s", report.Line(file), report.Line(err.Error()))
		}
		if result.Left > 0 {
			t.Logf("%s: %s", report.Line(file), report.Left(result.Left))
		}
		if err := result.Close(); err != nil {
			t.Errorf("%s: %s", report.Line(file), report.Line(err.Error()))
		}
	}()
	r := &runner{file: report.Line(file), session: s, cells: nb.Cells(), out: out, goOn: opts.AllowErrors}
	for i, c := range r.cells {
		t.Run(cellName(c), func(t *testing.T) { r.cell(t, i) })
	}
}

// margin is the time that a stopped run has before go test's own deadline.
const margin = 5 * time.Second

// beforeDeadline is the test's context, but ends early enough to stop what runs.
func beforeDeadline(t *testing.T) (context.Context, context.CancelFunc) {
	deadline, ok := t.Deadline()
	if !ok {
		return context.WithCancel(t.Context())
	}
	left := time.Until(deadline)
	return context.WithTimeoutCause(t.Context(), left-min(margin, left/4), errDeadline)
}

var errDeadline = errors.New("stopped, as go test is about to reach its deadline")

func cellName(c event.Cell) string {
	name := fmt.Sprintf("cell_%d", c.Number)
	if c.Number == 0 {
		name = fmt.Sprintf("index_%d", c.Index)
	}
	if c.ID != "" {
		name += "_" + c.ID
	}
	return name
}

// runner runs the cells of one notebook, in their order.
type runner struct {
	file    string
	session *nbrun.Session
	cells   []event.Cell
	out     *output
	goOn    bool   // after a cell that has failed
	next    int    // the first that was not run
	stopped string // why no more are run
}

// cell is the subtest of cell i. Those before it that were not chosen are run first.
func (r *runner) cell(t *testing.T, i int) {
	t.Helper()
	for ; r.next < i && r.stopped == ""; r.next++ {
		if fault := r.run(t, r.next); fault != nil && !fault.Expected && !r.goOn {
			r.stopped = report.Line(fault.Error())
			t.Fatalf("%s: not run, as an earlier cell failed: %s", r.file, r.stopped)
		}
	}
	if r.stopped != "" {
		t.Skipf("not run, as an earlier cell failed: %s", r.stopped)
	}
	r.next = i + 1
	if c := r.cells[i]; c.Number == 0 {
		r.run(t, i)
		if slices.Contains(c.Tags, "skip-execution") {
			t.Skip("tagged skip-execution")
		}
		t.Skip("not chosen")
	}
	r.out.Reset()
	fault := r.run(t, i)
	if text := strings.TrimRight(r.out.String(), "\n"); text != "" {
		t.Log("\n" + plain(text))
	}
	switch {
	case fault == nil:
	case fault.Expected:
		t.Logf("failed, as it may: %s", report.Line(fault.Error()))
	default:
		t.Errorf("%s: %s\n%s", r.file, report.Line(fault.Error()), plain(strings.Join(fault.Traceback, "\n")))
		if !r.goOn {
			r.stopped = report.Line(fault.Error())
		}
	}
}

func (r *runner) run(t *testing.T, i int) *event.Fault {
	t.Helper()
	ctx, cancel := beforeDeadline(t)
	defer cancel()
	fault, err := r.session.Run(ctx, i)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		r.stopped = report.Line(err.Error())
		t.Fatalf("%s: cell %d: %s", r.file, r.cells[i].Number, r.stopped)
	}
	return fault
}

// plain returns a text of a cell for the log of a test, where no line of it can pass
// for one of go test.
func plain(text string) string { return report.Plain(text, "---", "===") }

// output keeps what a cell writes.
type output struct{ strings.Builder }

// logAtMost is how much of a cell's text is logged.
const logAtMost = 64 << 10

// Observe takes an event in.
func (o *output) Observe(e event.Event) error {
	if e.Output != nil && e.Output.Kind == event.Stream && o.Len() < logAtMost {
		o.WriteString(e.Output.Text)
	}
	return nil
}
