// Package gonb does what GoNB's kernel does between programs: it parses the cells,
// carries out their commands, keeps declarations, environment and folder from cell to
// cell, and predicts the programs of later cells. A backend runs the programs. A cell
// goes in, and its output comes out.
package gonb

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
	"github.com/janpfeifer/gonb/version"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Options say what should differ from GoNB.
type Options struct {
	Strict bool // a cell fails when one of its shell commands does, or if GoNB does not know a % command
	// BuildOnly builds programs and runs none, writes no file, and runs only those
	// shell commands that change the module which programs are built in.
	BuildOnly bool
}

// Over is the engine that runs cells as GoNB does, with a backend for their programs.
func Over(open engine.Opener, opts Options) engine.Engine { return over{open, opts} }

type over struct {
	open engine.Opener
	opts Options
}

// Open opens the backend, and parses the cells.
func (e over) Open(ctx context.Context, nb engine.Notebook) (engine.Session, error) {
	backend, err := e.open(ctx, nb)
	if err != nil {
		return nil, err
	}
	s := &session{
		backend: backend, opts: e.opts, displays: map[string]bool{}, composed: map[string]composed{},
		tracked: map[string]bool{}, fixed: map[string]string{},
	}
	s.state = state{memory: new(program.Memory), env: nb.Env, cwd: nb.Dir, autoGet: true}
	s.moveTo(nb.Dir)
	s.env = s.env.With("GONB_TMP_DIR", backend.Dir()).With(protocol.GONB_VERSION, version.AppVersion.Version)
	s.env = s.env.With(protocol.GONB_JUPYTER_KERNEL_ID_ENV, strings.TrimPrefix(filepath.Base(backend.Dir()), "gonb_"))
	s.given = s.replacements()
	for i, c := range nb.Cells {
		s.cells = append(s.cells, parse(i+1, c))
	}
	return s, nil
}

// session is what GoNB's kernel keeps from cell to cell.
type session struct {
	backend  engine.Backend
	opts     Options
	cells    []cell
	displays map[string]bool // the IDs of displays that there are
	composed map[string]composed
	tracked  map[string]bool   // files and folders, by the names that cells have given them; true: with those below
	given    map[string]bool   // folders that go.mod has replaced modules by from the beginning
	fixed    map[string]string // by module: its folder, as %goworkfix has it

	state // what cells change
}

// state is what cells change, and what their programs are made from. Nothing in it
// changes in place, so a copy is a copy.
type state struct {
	memory  *program.Memory
	env     process.Env
	cwd     string
	flags   []string
	autoGet bool
}

// moveTo makes programs run in a folder.
func (st *state) moveTo(dir string) {
	st.cwd = dir
	st.env = st.env.With("PWD", dir).With("GONB_DIR", dir)
}

// cell is a cell to run.
type cell struct {
	engine.Cell
	number int
	parsed *cells.Cell
	fault  *event.Fault // what is wrong with its commands
}

func parse(number int, source engine.Cell) cell {
	c := cell{Cell: source, number: number}
	parsed, err := cells.Parse(source.Source)
	if err == nil {
		c.parsed, err = parsed, check(parsed.Steps)
	}
	if errors.As(err, &c.fault) {
		c.fault.Cell = number
	}
	return c
}

// Now is the time on the clock of the programs.
func (s *session) Now() time.Time { return s.backend.Now() }

// Replace replaces a cell by another, for a notebook that is edited.
func (s *session) Replace(number int, source engine.Cell) {
	s.cells[number-1] = parse(number, source)
	clear(s.composed)
}

// Close closes the backend.
func (s *session) Close() error { return s.backend.Close() }

// Run carries out a cell's commands and runs its Go.
func (s *session) Run(ctx context.Context, number int, sink event.Sink) (event.Clock, error) {
	return s.with(ctx, number, sink, s.program)
}

// Declare carries out a cell's commands, and remembers what its Go declares. Whether
// that compiles, the next program shows.
func (s *session) Declare(ctx context.Context, number int, sink event.Sink) error {
	_, err := s.with(ctx, number, sink, func(_ context.Context, c *cell, out *output) (event.Clock, error) {
		p, err := s.compose(c, s.memory)
		if err != nil {
			return "", s.refused(err, out)
		}
		s.memory = p.After
		return "", nil
	})
	return err
}

// with carries out a cell's commands, and what is given to do with its Go.
func (s *session) with(ctx context.Context, number int, sink event.Sink, do func(context.Context, *cell, *output) (event.Clock, error)) (event.Clock, error) {
	out := &output{session: s, sink: sink, cell: number}
	out.words.Dir = s.backend.Dir()
	c := &s.cells[number-1]
	done, err := s.prepare(ctx, c, out)
	var clock event.Clock
	if !done && err == nil {
		clock, err = do(ctx, c, out)
	}
	return clock, errors.Join(err, out.close())
}

// prepare does everything of a cell that comes before its Go, and reports whether that
// is all there is.
func (s *session) prepare(ctx context.Context, c *cell, out *output) (done bool, err error) {
	if c.fault != nil {
		return true, out.fail(c.fault)
	}
	switch {
	case s.opts.BuildOnly && (c.parsed.File != nil || c.parsed.Script != nil):
		return true, nil
	case c.parsed.File != nil:
		return true, s.writeFile(c.parsed.File, out)
	case c.parsed.Script != nil:
		script := c.parsed.Script
		return true, s.shell(ctx, 1, &process.Process{Path: script.Command[0], Args: script.Command[1:], Dir: s.cwd, Stdin: []byte(script.Input)}, out)
	}
	if f := c.parsed.Capture; f != nil && !s.opts.BuildOnly {
		if err := out.capture(s.expand(f.Path), f.Append); err != nil {
			return true, out.failf(1, "%%capture: %v", err)
		}
	}
	for _, step := range c.parsed.Steps {
		if err := s.step(ctx, step, out); err != nil {
			return true, err
		}
	}
	return !c.parsed.HasGo, nil
}

// program composes the cell's program, and runs it.
func (s *session) program(ctx context.Context, c *cell, out *output) (event.Clock, error) {
	p, err := s.compose(c, s.memory)
	if err != nil {
		return "", s.refused(err, out)
	}
	job := s.job(c, p, s.state)
	job.Line = out.words.Line
	exit, err := s.backend.Run(ctx, job, func() []engine.Job { return s.ahead(c, p) }, out)
	if exit.Ran {
		s.memory = p.After
	}
	if err != nil {
		return exit.Clock, s.refused(err, out)
	}
	return exit.Clock, out.exit(exit.Err)
}

func (s *session) job(c *cell, p *program.Program, st state) engine.Job {
	return engine.Job{Program: p, RealClock: c.RealClock, Dir: st.cwd, Env: st.env, Flags: st.flags, AutoGet: st.autoGet, BuildOnly: s.opts.BuildOnly}
}

// composed is the result of composing a program.
type composed struct {
	program *program.Program
	err     error
}

// compose composes a cell's program, once for the same cell after the same steps.
func (s *session) compose(c *cell, memory *program.Memory) (*program.Program, error) {
	key := fmt.Sprint(c.number, " ", memory.Key())
	done, ok := s.composed[key]
	if !ok {
		done.program, done.err = program.New(c.number, c.parsed, memory, s.backend.Dir())
		s.composed[key] = done
	}
	return done.program, done.err
}

// changed means that anything that programs are made from may have changed.
func (s *session) changed() {
	clear(s.composed)
	s.backend.Changed()
}

// ahead composes the programs of the cells after c, as they will be if all goes
// well, up to one whose commands could change anything.
func (s *session) ahead(c *cell, p *program.Program) []engine.Job {
	st := s.state
	st.memory = p.After
	var jobs []engine.Job
	for i := c.number; i < len(s.cells); i++ {
		next := &s.cells[i]
		if next.fault != nil {
			continue // it will do nothing
		}
		if next.parsed.Script != nil || next.parsed.File != nil || !st.foresee(next.parsed.Steps) {
			break
		}
		if !next.parsed.HasGo {
			continue
		}
		p, err := s.compose(next, st.memory)
		if err != nil {
			continue
		}
		jobs = append(jobs, s.job(next, p, st))
		st.memory = p.After
	}
	return jobs
}

// refused reports the faults of a program that could not be run; other errors stay what
// they are.
func (s *session) refused(err error, out *output) error {
	var faults event.Faults
	if errors.As(err, &faults) {
		return s.faulty(faults, out)
	}
	if errors.Is(err, process.ErrNeedsBrowser) || errors.Is(err, process.ErrNeedsInput) || errors.Is(err, process.ErrDisplay) {
		return out.failf(0, "%v", err)
	}
	return err
}

// faulty reports what is wrong with a program's source, with the lines that it is
// about.
func (s *session) faulty(faults event.Faults, out *output) error {
	if len(faults) == 0 {
		return out.failf(0, "does not compile")
	}
	first := *faults[0]
	if first.Cell == 0 {
		first.Cell, first.Line = out.cell, 0
	}
	for _, f := range faults {
		first.Traceback = append(first.Traceback, f.Error())
		if line := s.sourceLine(f); line != "" {
			first.Traceback = append(first.Traceback, "    "+line)
			if at := caret(line, f.Column); at != "" {
				first.Traceback = append(first.Traceback, "    "+at)
			}
		}
	}
	return out.told(&first, first.Error())
}

func (s *session) sourceLine(f *event.Fault) string {
	if f.Cell < 1 || f.Cell > len(s.cells) {
		return ""
	}
	lines := strings.Split(s.cells[f.Cell-1].Source, "\n")
	if f.Line < 1 || f.Line > len(lines) {
		return ""
	}
	return strings.TrimRight(lines[f.Line-1], "\r")
}

// caret points at a column, counted in bytes.
func caret(line string, col int) string {
	if col < 1 || col > len(line)+1 {
		return ""
	}
	blank := func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}
	return strings.Map(blank, line[:col-1]) + "^"
}
