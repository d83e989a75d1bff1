package nbrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// Session runs the cells of a notebook one by one. What a cell declares is there for
// those that are run after it. A Session is used by one goroutine at a time.
type Session struct {
	notebook *Notebook
	observer event.Observer
	session  engine.Session
	result   *Result
	traces   *process.Traces
	start    time.Time
	over     string    // why no more cells are run; "" while they are
	err      error     // what has ended the session, if not the fault of a cell
	observed error     // the first error of an observer
	last     time.Time // of the cell's last output
	limits   *limits
	allowed  *allowance  // of the cell that runs
	hangs    atomic.Bool // the engine was given up, and is no longer listened to
	closed   bool
}

// Start prepares to run the cells. The session has to be closed.
func (n *Notebook) Start(ctx context.Context) (*Session, error) {
	traces, err := process.NewTraces()
	if err != nil {
		return nil, usage(err)
	}
	s := &Session{notebook: n, traces: traces, start: time.Now(), limits: newLimits(n.opts.MaxOutput)}
	running.Store(traces, nil)
	s.result = newResult(n)
	s.observer = event.All(s.result.file.Recorder(n.opts.Times), n.opts.Observer)
	dir := filepath.Dir(n.path)
	nb := engine.Notebook{
		Path: n.path, Dir: dir, Env: environment(dir, traces), Temp: traces.Dir,
		Timeout: n.opts.Timeout, Progress: s.progress,
	}
	for i, c := range n.cells {
		if c.Number > 0 {
			nb.Cells = append(nb.Cells, engine.Cell{Source: c.Source, RealClock: n.asked[i].RealClock})
		}
	}
	begin := event.Event{Time: time.Now(), Action: event.Start, Engine: string(n.opts.Engine), Clock: n.opts.Clock}
	err = s.tell(begin)
	if err == nil {
		s.session, err = s.open(ctx, nb)
	}
	if err != nil {
		s.err = err
		_, err = s.Close()
		return nil, err
	}
	return s, nil
}

// environment returns the environment of all processes of a notebook in a folder.
// Jupyter's root is the folder that it was started in; here, that is ours.
func environment(dir string, traces *process.Traces) process.Env {
	env := traces.On(os.Environ()).With("PWD", dir)
	if root, err := os.Getwd(); err == nil && env.Get(protocol.GONB_JUPYTER_ROOT_ENV) == "" {
		env = env.With(protocol.GONB_JUPYTER_ROOT_ENV, root)
	}
	return env
}

// open opens the engine.
func (s *Session) open(ctx context.Context, nb engine.Notebook) (engine.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, max(startAtMost, nb.Timeout))
	defer cancel()
	return guarded(ctx, func() (engine.Session, error) { return s.notebook.engine.Open(ctx, nb) })
}

// tell passes an event to the observers.
func (s *Session) tell(e event.Event) error {
	e.Notebook = s.notebook.name
	err := s.observer.Observe(e)
	if s.observed == nil {
		s.observed = err
	}
	return err
}

// progress says what takes long. If an observer fails, it will do so again with an
// event that matters more.
func (s *Session) progress(text string) {
	if s.allowed != nil {
		s.allowed.hold(text != "")
	}
	_ = s.tell(event.Event{Time: s.now(), Action: event.Progress, Text: text})
}

// now is the time on the cells' clock.
func (s *Session) now() time.Time {
	if s.session == nil {
		return time.Now()
	}
	return s.session.Now()
}

// Run runs cell i of [Notebook.Cells], and returns its fault, nil if there is none. A
// cell that must not run, because it was not chosen or an earlier one failed, is
// skipped. A cell may be run more than once; its last run counts. After an error no
// cell can be run.
func (s *Session) Run(ctx context.Context, i int) (*event.Fault, error) {
	switch {
	case s.closed:
		return nil, errors.New("the session is closed")
	case s.err != nil:
		return nil, s.err
	case i < 0 || i >= len(s.result.Cells):
		return nil, fmt.Errorf("there is no cell %d: there are %d, counted from 0", i, len(s.result.Cells))
	}
	c := &s.result.Cells[i]
	*c = Cell{Cell: c.Cell, outputs: c.outputs, asked: c.asked}
	switch {
	case c.Number == 0 && slices.Contains(c.Tags, "skip-execution"):
		s.err = s.skip(c, "it is tagged skip-execution")
	case c.Number == 0 && s.notebook.opts.Compare && slices.Contains(c.Tags, nbvalSkip):
		s.err = s.skip(c, "it is tagged "+nbvalSkip)
	case c.Number == 0:
		s.err = s.skip(c, "it was not chosen")
	case s.over != "":
		s.err = s.skip(c, s.over)
	default:
		s.err = s.run(ctx, c)
	}
	return c.Fault, s.err
}

func (s *Session) skip(c *Cell, why string) error {
	c.Verdict = event.Skip
	return s.tell(event.Event{Time: s.now(), Action: event.Skip, Cell: &c.Cell, Text: why})
}

// run runs a cell, and reports how it went.
func (s *Session) run(ctx context.Context, c *Cell) error {
	began := time.Now()
	c.Begin = s.now()
	c.End = c.Begin
	if err := s.tell(event.Event{Time: c.Begin, Action: event.Begin, Cell: &c.Cell}); err != nil {
		return err
	}
	err := s.execute(ctx, c)
	if c.End, c.Elapsed = s.now(), time.Since(began); c.End.Before(s.last) {
		c.End = s.last // it ran on the real clock, and the session's is virtual
	}
	if errors.Is(err, engine.ErrOver) {
		s.over = fmt.Sprintf("cell %d ended the session", c.Number)
	}
	verdict := event.Event{Time: c.End, Action: event.Pass, Cell: &c.Cell, Clock: c.Clock, Elapsed: c.Elapsed, Dropped: c.Dropped}
	switch {
	case errors.Is(err, ErrHangs):
		return fmt.Errorf("cell %d: %w", c.Number, err)
	case ctx.Err() != nil:
		return ctx.Err()
	case s.observed != nil:
		return s.observed
	case err != nil && !errors.As(err, &c.Fault):
		return fmt.Errorf("cell %d: %w", c.Number, err)
	case err != nil:
		// A cell that may fail may not hang, or fill the memory.
		c.Fault.Expected = s.mayFail(c) && c.Fault.Reason != event.Timeout && c.Fault.Reason != event.Memory
		verdict.Action, verdict.Fault = event.Fail, c.Fault
		if !c.Fault.Expected && !s.notebook.opts.AllowErrors {
			s.over = fmt.Sprintf("cell %d failed", c.Number)
		}
	}
	if s.notebook.opts.Compare && (c.Fault == nil || c.Fault.Expected) {
		fault, err := s.compare(c)
		if err != nil {
			return err
		}
		if fault != nil {
			c.Fault, verdict.Action, verdict.Fault = fault, event.Fail, fault
		}
	}
	if s.notebook.opts.Strict && c.Fault == nil && s.mayFail(c) {
		c.Fault = event.Faultf(c.Number, 0, "should have failed, but did not")
		verdict.Action, verdict.Fault = event.Fail, c.Fault
	}
	if c.Open, err = c.findsOpen(); err != nil {
		return err
	}
	if c.Open {
		verdict.Open = 1
	}
	c.Verdict = verdict.Action
	return s.tell(verdict)
}

// mayFail reports whether a cell is allowed to fail.
func (s *Session) mayFail(c *Cell) bool {
	return slices.Contains(c.Tags, "raises-exception") || s.notebook.opts.Compare && slices.Contains(c.Tags, nbvalRaises)
}

// execute makes the engine run a cell, for as long as it may take.
func (s *Session) execute(ctx context.Context, c *Cell) error {
	cellCtx, allowed := allow(ctx, c.timeout())
	defer allowed.stop()
	defer s.watchMemory(c.asked.MaxMemory, allowed)()
	s.allowed = allowed
	s.last = c.Begin
	limit := s.limits.cell()
	sink := event.SinkFunc(func(at time.Time, o event.Output) error {
		if s.hangs.Load() {
			return ErrHangs
		}
		if at.After(s.last) {
			s.last = at
		}
		var errs []error
		for _, o := range limit.admit(o) {
			errs = append(errs, s.tell(event.Event{Time: at, Action: event.Out, Cell: &c.Cell, Output: &o}))
		}
		return errors.Join(errs...)
	})
	clock, err := guarded(cellCtx, func() (event.Clock, error) { return s.session.Run(cellCtx, c.Number, sink) })
	c.Clock = cmp.Or(clock, s.notebook.opts.Clock)
	if errors.Is(err, ErrHangs) {
		s.hangs.Store(true)
		return err
	}
	c.Dropped = limit.dropped
	if err == nil || ctx.Err() != nil || cellCtx.Err() == nil {
		return err
	}
	f := s.stopped(c, context.Cause(cellCtx))
	told := sink.Put(s.now(), event.Output{Kind: event.Error, Name: "ERROR", Value: f.Text, Traceback: f.Traceback})
	if errors.Is(err, engine.ErrOver) {
		told = errors.Join(told, engine.ErrOver)
	}
	return errors.Join(f, told)
}

// timeout is the time that the cell may take.
func (c *Cell) timeout() time.Duration {
	if c.asked.Timeout < 0 {
		return NoLimit
	}
	return c.asked.Timeout
}

// stopped is the fault of a cell that was stopped for that reason.
func (s *Session) stopped(c *Cell, cause error) *event.Fault {
	var f *event.Fault
	switch timeout := c.timeout(); cause {
	case errBuiltTooLong:
		f = event.Faultf(c.Number, 0, "could not be built within %v", max(buildAtMost, timeout))
	case errMemory:
		f = event.Faultf(c.Number, 0, "used more than %s of memory and was stopped", bytesInWords(c.asked.MaxMemory))
		f.Reason = event.Memory
	default:
		still := ""
		if c.Clock == event.Virtual {
			still = " (on the virtual clock time stands still while a goroutine works, or waits for a process or a network: the tag real-clock keeps a cell off it)"
		}
		f = event.Faultf(c.Number, 0, "ran longer than %v and was stopped%s", timeout, still)
		f.Reason = event.Timeout
	}
	f.Traceback = []string{f.Error()}
	return f
}

// Close ends the session with everything that its cells have left running, and returns
// the result. The error is what ended it, if that was not the fault of a cell. Closing
// again does nothing more.
func (s *Session) Close() (*Result, error) {
	if s.closed {
		return s.result, s.err
	}
	s.closed = true
	var closed error
	if s.session != nil && !s.hangs.Load() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_, closed = guarded(now, func() (any, error) { return nil, s.session.Close() })
	}
	var cleared error
	s.result.Left, cleared = s.traces.Clear()
	running.Delete(s.traces)
	s.result.Elapsed = time.Since(s.start)
	end := event.Event{Time: s.now(), Action: event.End, Fault: s.result.Fault(), Left: s.result.Left, Elapsed: s.result.Elapsed}
	for _, c := range s.result.Cells {
		if c.Open {
			end.Open++
		}
	}
	if s.err = errors.Join(s.err, closed, cleared); s.err != nil {
		end.Text = s.err.Error()
	}
	s.err = errors.Join(s.err, s.tell(end))
	return s.result, s.err
}
