package nbrun

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
	"github.com/janpfeifer/gonb/version"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/golang"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi"
)

// virtualHere tells whether this system has Go's fake clock.
const virtualHere = runtime.GOOS != "windows" && runtime.GOOS != "js" && runtime.GOOS != "wasip1"

// kernelHere tells whether this system can run the kernel.
const kernelHere = virtualHere

// fakeStart is the time at which Go's fake clock begins.
var fakeStart = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

// session is what GoNB's kernel keeps from cell to cell.
type session struct {
	opts    Options
	result  *Result
	nb      *ipynb.Notebook
	dir     string            // GONB_TMP_DIR, but with GoNB
	work    *golang.Workspace // with Go
	kernel  *jupyter.Kernel   // with GoNB
	remotes []*remote         // by the kernel's number of the cell, from 0
	mark    string            // an environment variable by which to know our processes

	state              // what cells change
	now      time.Time // on the virtual clock
	displays map[string][]func(data, metadata map[string]any)
	parsed   []codeCell
}

// state is what cells change, and what their programs are made of.
type state struct {
	memory  *program.Memory
	env     []string
	cwd     string
	flags   []string
	autoGet bool
}

func (s state) clone() state {
	s.memory = s.memory.Clone()
	s.env = append([]string(nil), s.env...)
	return s
}

// codeCell is a cell to run.
type codeCell struct {
	*ipynb.Cell
	number int
	cell   *cells.Cell
	err    error
}

func newSession(ctx context.Context, path string, opts Options, r *Result) (*session, error) {
	cwd, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	s := &session{opts: opts, result: r, nb: r.notebook, now: fakeStart, displays: map[string][]func(data, metadata map[string]any){}}
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	s.mark = "NBRUN_SESSION=" + hex.EncodeToString(id)
	s.state = state{memory: new(program.Memory), cwd: cwd, autoGet: true, env: append(os.Environ(), s.mark)}
	s.setenv("PWD", cwd)
	s.parse()
	switch opts.Engine {
	case GoNB:
		return s, s.startKernel(ctx)
	case Yaegi:
		s.dir, err = os.MkdirTemp("", "gonb_")
	default:
		if s.work, err = golang.Open(ctx, path); err == nil {
			s.dir = s.work.Dir
		}
	}
	if err != nil {
		return nil, err
	}
	s.setenv("GONB_DIR", cwd)
	s.setenv("GONB_TMP_DIR", s.dir)
	s.setenv(protocol.GONB_VERSION, version.AppVersion.Version)
	if opts.Clock == Virtual && s.getenv("GORACE") == "" {
		// A program built with -race waits for a second before it ends, in case
		// of late reports.
		s.setenv("GORACE", "atexit_sleep_ms=50")
	}
	return s, nil
}

// parse finds the cells to run.
func (s *session) parse() {
	number := 0
	for _, c := range s.nb.Cells {
		if c.Type != "code" || c.HasTag("skip-execution") || strings.TrimSpace(c.Source) == "" {
			continue
		}
		number++
		cc := codeCell{Cell: c, number: number}
		cc.cell, cc.err = cells.Parse(c.Source)
		s.parsed = append(s.parsed, cc)
	}
}

func (s *session) close() error {
	var err error
	if s.kernel != nil {
		err = s.kernel.Close()
	}
	s.result.Left = process.KillMarked(s.mark)
	if s.work != nil {
		err = s.work.Close()
	}
	if s.opts.Engine == Yaegi {
		err = os.RemoveAll(s.dir)
	}
	return err
}

func (s *session) run(ctx context.Context) error {
	for i := range s.parsed {
		c := &s.parsed[i]
		if err := s.cell(ctx, i); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var ce *CellError
			if !errors.As(err, &ce) {
				return fmt.Errorf("cell %d: %w", c.number, err)
			}
			expected := c.HasTag("raises-exception") || s.opts.AllowErrors
			s.opts.Observer.Failure(ce, expected)
			if !c.HasTag("raises-exception") && s.result.Failure == nil {
				s.result.Failure = ce
			}
			if !expected || s.kernel != nil && s.kernel.Dead() {
				s.result.Stopped = i+1 < len(s.parsed)
				return nil
			}
		}
	}
	return nil
}

// cell runs a cell. Its own faults are returned as *CellError.
func (s *session) cell(ctx context.Context, i int) error {
	c := &s.parsed[i]
	s.result.Cells++
	s.opts.Observer.Cell(c.number)
	c.Outputs, c.Count = new(ipynb.Outputs), c.number
	c.Times = &ipynb.Times{Begin: s.clock()}
	out := &output{session: s, cell: c.Cell}
	cellCtx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	err := s.steps(cellCtx, i, out)
	err = errors.Join(err, out.close())
	c.Times.End = s.clock()
	if err == nil || ctx.Err() != nil {
		return err
	}
	var fault *fault
	switch {
	case cellCtx.Err() != nil:
		fault = faultf(c.number, 0, "ran longer than %v and was stopped; -timeout gives it more", s.opts.Timeout)
	case !errors.As(err, &fault):
		return err
	}
	if fault.value != "" {
		c.Outputs.Error("ERROR", fault.value, fault.traceback)
	}
	return &fault.CellError
}

// clock is the time to be written into the notebook.
func (s *session) clock() time.Time {
	if s.opts.Clock == Virtual {
		return s.now
	}
	return time.Now()
}

// fault is a CellError with what the notebook's error output says.
type fault struct {
	CellError
	value     string // "" when the kernel has put the error out itself
	traceback []string
}

func faultf(cell, line int, format string, args ...any) *fault {
	f := &fault{CellError: CellError{cell, line, fmt.Sprintf(format, args...)}}
	f.value = f.Text
	f.traceback = []string{f.Error()}
	return f
}

// sourceFault makes a fault of program.Errors; other errors stay what they are.
func (s *session) sourceFault(number int, err error) error {
	var errs program.Errors
	if errors.As(err, &errs) {
		return s.compileFault(number, errs)
	}
	return err
}

// compileFault makes a fault of what is wrong with a program's source.
func (s *session) compileFault(number int, errs program.Errors) *fault {
	if len(errs) == 0 {
		return faultf(number, 0, "does not compile")
	}
	first := errs[0]
	if first.Cell == 0 {
		first.Cell, first.Line = number, 0
	}
	f := faultf(first.Cell, first.Line, "%s", first.Text)
	f.value, f.traceback = f.Error(), nil
	for _, e := range errs {
		f.traceback = append(f.traceback, e.Error())
		if line := s.sourceLine(e.Place); line != "" {
			f.traceback = append(f.traceback, "    "+line, "    "+caret(line, e.Col))
		}
	}
	return f
}

func (s *session) sourceLine(at program.Place) string {
	for _, c := range s.parsed {
		if c.number == at.Cell {
			if lines := strings.Split(c.Source, "\n"); at.Line >= 1 && at.Line <= len(lines) {
				return strings.TrimRight(lines[at.Line-1], "\r")
			}
		}
	}
	return ""
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

// steps does a cell's commands and runs its Go.
func (s *session) steps(ctx context.Context, i int, out *output) error {
	c := &s.parsed[i]
	if s.kernel != nil {
		return s.remote(ctx, c, out)
	}
	var ce *cells.Error
	if errors.As(c.err, &ce) {
		return faultf(c.number, ce.Line, "%s", ce.Text)
	}
	switch cell := c.cell; {
	case cell.File != nil:
		return s.writeFile(c.number, cell.File, out)
	case cell.Script != nil:
		s.forget()
		return s.shell(ctx, c.number, 1, &process.Process{Path: cell.Script.Command[0], Args: cell.Script.Command[1:], Stdin: []byte(cell.Script.Input)}, out)
	}
	if c.cell.Capture != nil {
		if err := out.capture(s.expand(c.cell.Capture.Path), c.cell.Capture.Append); err != nil {
			return faultf(c.number, 1, "%%capture: %v", err)
		}
	}
	for _, cmd := range c.cell.Steps {
		if err := s.command(ctx, c.number, cmd, out); err != nil {
			return err
		}
	}
	if !c.cell.HasGo {
		return nil
	}
	p, err := program.New(c.number, c.cell, s.memory, s.dir, s.opts.Engine == Yaegi)
	if err != nil {
		return s.sourceFault(c.number, err)
	}
	if s.opts.Engine == Yaegi {
		return s.interpret(ctx, c, p, out)
	}
	return s.compile(ctx, i, p, out)
}

// interpret runs a program with yaegi.
func (s *session) interpret(ctx context.Context, c *codeCell, p *program.Program, out *output) error {
	if flag := yaegi.Refused(s.flags); flag != "" {
		return faultf(c.number, 1, "the interpreter can't do %%goflags %s; %s", flag, yaegi.Advice)
	}
	process, filter, err := yaegi.Process(p, s.dir)
	if err != nil {
		return s.sourceFault(c.number, err)
	}
	s.memory = p.After
	out.filter = filter.Line
	process.Env = append(append([]string(nil), s.env...), process.Env...)
	exit, err := s.program(ctx, process, out)
	if err != nil {
		return err
	}
	if err := filter.Failure(exit.Err); err != nil {
		return s.sourceFault(c.number, err)
	}
	return s.exit(c.number, exit, out)
}

// compile builds a program, and with it those of the cells to come, and runs it.
func (s *session) compile(ctx context.Context, i int, p *program.Program, out *output) error {
	c := &s.parsed[i]
	b := s.build(c, p, s.state)
	if s.opts.Clock == Virtual && !b.Virtual {
		s.result.RealClock = append(s.result.RealClock, c.number)
	}
	if s.work.Wants(b) {
		ahead := s.ahead(i, p)
		s.opts.Observer.Progress("building " + plural(1+len(ahead), "cell"))
		s.work.Prepare(ctx, append([]*golang.Build{b}, ahead...), s.env)
	}
	binary, err := s.work.Binary(ctx, b, s.env)
	s.opts.Observer.Progress("")
	if err != nil {
		return s.sourceFault(c.number, err)
	}
	s.memory = p.After
	s.work.SaveLast(b)
	env := slices.Clone(s.env)
	if b.Virtual && s.getenv("GOMAXPROCS") == "" {
		// On one processor, goroutines that go on at the same instant of the fake
		// clock do so in the same order each time.
		env = append(env, "GOMAXPROCS=1")
	}
	exit, err := s.program(ctx, &process.Process{Path: binary, Args: p.Args, Env: env, Framed: b.Virtual}, out)
	if err != nil {
		return err
	}
	if b.Virtual && exit.Last.After(fakeStart) {
		s.now = s.now.Add(exit.Last.Sub(fakeStart))
	}
	return s.exit(c.number, exit, out)
}

func (s *session) build(c *codeCell, p *program.Program, st state) *golang.Build {
	b := &golang.Build{Program: p, Flags: st.flags, AutoGet: st.autoGet}
	b.Virtual = s.opts.Clock == Virtual && !c.HasTag("real-clock") && b.CanBeVirtual()
	return b
}

// ahead composes the programs of the cells after i, as they will be if all goes
// well, up to one whose commands could change anything.
func (s *session) ahead(i int, p *program.Program) []*golang.Build {
	st := s.state.clone()
	st.memory = p.After.Clone()
	var builds []*golang.Build
	for j := i + 1; j < len(s.parsed); j++ {
		c := &s.parsed[j]
		if c.err != nil || c.cell.File != nil {
			continue
		}
		if c.cell.Script != nil {
			break
		}
		known := true
		for _, cmd := range c.cell.Steps {
			known = known && st.foresee(cmd)
		}
		if !known {
			break
		}
		if !c.cell.HasGo {
			continue
		}
		next, err := program.New(c.number, c.cell, st.memory, s.dir, false)
		if err != nil {
			continue
		}
		builds = append(builds, s.build(c, next, st))
		st.memory = next.After
	}
	return builds
}

// program runs a cell's program in the kernel's folder.
func (s *session) program(ctx context.Context, p *process.Process, out *output) (process.Exit, error) {
	p.Dir, p.Displays, p.Rewrite = s.cwd, true, out.line
	exit, err := p.Run(ctx, out)
	if errors.Is(err, process.ErrNeedsBrowser) || errors.Is(err, process.ErrNeedsInput) {
		return exit, faultf(out.cell.Count, 0, "%v", err)
	}
	return exit, err
}

// exit makes a fault of an exit status other than 0, and says it on stderr, as
// GoNB does.
func (s *session) exit(number int, exit process.Exit, out *output) error {
	if exit.Err == nil {
		return nil
	}
	f := faultf(number, 0, "%s", exit.Err.Error())
	if err := out.Stream("stderr", []byte(f.Text+"\n")); err != nil {
		return err
	}
	out.explain(f)
	f.traceback = []string{f.Error()}
	return f
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
