// Package yaegi interprets the programs of a notebook, each in a child process
// that is this same binary started again. No Go toolchain is needed, and nothing
// is compiled.
//
// The interpreter (github.com/traefik/yaegi) knows an older Go, does much of it
// differently from Go, and knows only the packages of its symbol tables. So a program
// is first type-checked against those tables, and then written in explicit form: that
// of golang.org/x/tools/go/ssa, in which each step is separate. What has no such form
// is reported by cell, line and construct before anything runs.
//
// The files are divided by what they write: forms (types), functions, steps (operators,
// conversions, interfaces, loops), calls. What they avoid is what the interpreter gets
// wrong:
//
//   - arguments of defer and go, which it reads when the call is made: each such
//     call is a function that is made with its operands;
//   - recover and panics in deferred calls, after which no closure of the function can
//     be called: functions keep a list of their own, which package rt goes through;
//   - methods, named types and interfaces, of which it loses track: methods are
//     functions, a value of the program's types in an interface is in a box of
//     package rt, which knows the type, and calls through interfaces choose by it;
//   - range, switch, labels, loop variables, parallel assignment, the order of
//     operands, generics, range over functions: package ssa has none of them;
//   - slices, maps, cmp and iter: they are instantiated from source, as the program's
//     own functions are (package generic);
//   - constant expressions, and checks of indexes before the program runs: all
//     constants have a type, and no step has constants only;
//   - errors of the runtime, which come from package reflect, in its words: indexes,
//     nil, shifts, divisions and lengths are checked before, with their line;
//   - select, whose cases goroutines share: it is done by rt;
//   - what fmt and encoding/json make of the program's types: rt prints them;
//   - structs that contain each other, whose sizes and fields depend on which it makes
//     first: one from which all can be made is declared first, and before the program
//     runs, package rt compares them with what they should be;
//   - the places that tests log: they are written out, and what go vet would not let
//     go test run is looked for before;
//   - a label before a return, the address of an array's element, a missing entry of
//     a map, an empty struct in an interface: they are written in other words.
package yaegi

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/rt"
)

// idle are the build flags that don't change what a program does.
var idle = map[string]bool{
	"a": true, "buildvcs": true, "cover": true, "covermode": true, "coverpkg": true, "gcflags": true,
	"mod": true, "p": true, "trimpath": true, "v": true, "work": true, "x": true,
}

// refused returns the first build flag that the interpreter can't ignore, "" if there
// is none.
func refused(flags []string) string {
	for i, flag := range flags {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if value := i > 0 && !strings.HasPrefix(flag, "-"); !value && !idle[name] {
			return flag
		}
	}
	return ""
}

// New returns what opens backends. It fails if Main was not called.
func New(o engine.Options) (engine.Opener, error) {
	switch {
	case o.Kernel != "":
		return nil, errors.New("a kernel is for the gonb engine only")
	case !ready:
		return nil, errors.New("the interpreter runs in a child process of this program: call nbrun.Main first in main, and in TestMain")
	}
	return func(_ context.Context, nb engine.Notebook) (engine.Backend, error) {
		dir, err := os.MkdirTemp(nb.Temp, "gonb_")
		return &backend{dir: dir, temp: nb.Temp, clock: process.NewClock(o.Clock == event.Virtual)}, err
	}, nil
}

// backend interprets the programs of one notebook.
type backend struct {
	dir   string
	temp  string // for what is not the cells'
	clock *process.Clock
}

// Dir is a folder for the files of the session.
func (b *backend) Dir() string { return b.dir }

// Now is the time on the clock of the programs.
func (b *backend) Now() time.Time { return b.clock.Now() }

// Changed changes nothing: what programs can import is in the tables.
func (b *backend) Changed() {}

// ResetModule does nothing, as there is no module.
func (b *backend) ResetModule() error { return nil }

// Module reports that there is none.
func (b *backend) Module() bool { return false }

// Close removes the folder.
func (b *backend) Close() error { return os.RemoveAll(b.dir) }

// Run interprets a program. It does nothing ahead of time.
func (b *backend) Run(ctx context.Context, job engine.Job, _ func() []engine.Job, out event.Sink) (engine.Exit, error) {
	exit := engine.Exit{Clock: event.Real}
	// Tests have bubbles of their own, and one can't be in another.
	virtual := b.clock.Virtual && !job.RealClock && !job.Test && !strings.Contains(job.Source, ` "os/signal"`)
	if virtual {
		exit.Clock = event.Virtual
	}
	if flag := refused(job.Flags); flag != "" {
		return exit, cannotDo(job.Cell, "%goflags "+flag+": the interpreter can't do this")
	}
	src, places, err := Rewrite(job.Source, job.Test)
	if err != nil {
		return exit, err
	}
	if job.BuildOnly {
		exit.Ran = true
		return exit, nil
	}
	self, err := os.Executable()
	if err != nil {
		return exit, err
	}
	path := filepath.Join(b.dir, job.Name()+".go")
	if err := cache.WriteFile(path, src); err != nil {
		return exit, err
	}
	exit.Ran = true
	said := &stderr{places: places, test: job.Test}
	env := append(slices.Clip(job.Env), childEnv+"="+path, quiet)
	if virtual {
		env = append(env, clockEnv+"=")
	}
	p := &process.Process{
		Path: self, Args: job.Args, Dir: job.Dir, Temp: b.temp, Displays: true, Framed: virtual, Env: env,
		Rewrite: func(line []byte) []byte {
			if line = said.line(line); len(line) == 0 || job.Line == nil {
				return line
			}
			return job.Line(line)
		},
	}
	end, err := b.clock.Run(ctx, p, out)
	if err == nil {
		err = said.failure(end.Err)
	}
	exit.Err = end.Err
	return exit, err
}

// cannotDo is the fault of a cell whose first line needs something the interpreter
// doesn't have.
func cannotDo(cell int, what string) event.Faults {
	return event.Faults{{Cell: cell, Line: 1, Text: what, Reason: event.Unsupported}}
}

// quiet is for binaries built with -race, as tests are: the detector would look at the
// interpreter and not at the program, and the interpreter's goroutines race to fill one
// cache of types with the same value (itype.refType, v0.16.1).
const quiet = "GORACE=report_bugs=0 exitcode=0 atexit_sleep_ms=0"

// stderr turns what a child writes to stderr into what the program would have written.
// It is for one child, line by line.
type stderr struct {
	places []string // by line of the program
	test   bool     // it is one of package testing, which recovers panics and goes on with them
	cannot string
	frames []byte // of the program, written before the panic that they belong to
	inside bool   // a stack trace of the interpreter itself
}

// place is a position as the interpreter writes it, at the beginning of a message
// or, written by the child, in a frame.
var place = regexp.MustCompile(`^(?:(\d+):(\d+): |\t` + frameFile + `:(\d+)$)`)

// mapped replaces the program's lines by the places of cells.
func (s *stderr) mapped(line string) string {
	m := place.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	n, _ := strconv.Atoi(m[1] + m[3])
	if n >= len(s.places) || s.places[n] == "" {
		return line[len(m[0]):]
	}
	if m[3] != "" {
		return "\t" + s.places[n]
	}
	return s.places[n] + ":" + m[2] + ": " + line[len(m[0]):]
}

var (
	repanicked = regexp.MustCompile(` \[recovered(, repanicked)?\]`)
	frameLine  = regexp.MustCompile(`^(\S+\(\.\.\.\)|\t` + frameFile + `:\d+)$`)
	position   = regexp.MustCompile(`^\d+:\d+: `) // of the interpreter, in its own messages
)

// longTrace is how many bytes of frames are held for the panic that they may be of.
const longTrace = 64 << 10

// line filters a line.
func (s *stderr) line(line []byte) []byte {
	if text, ok := bytes.CutPrefix(line, []byte(cannotMark)); ok {
		s.cannot = s.mapped(string(bytes.TrimSpace(text)))
		return nil
	}
	text, end := strings.TrimSuffix(string(line), "\n"), ""
	if len(text) < len(line) {
		end = "\n"
	}
	switch {
	case s.cannot != "", s.inside:
		return nil
	case text == rt.Frames:
		s.frames = nil
		return nil
	case strings.HasPrefix(text, "goroutine ") && strings.HasSuffix(text, "]:"):
		s.inside = true
		return append(line, s.frames...)
	case frameLine.MatchString(text) && len(s.frames) < longTrace:
		s.frames = append(s.frames, s.mapped(text)+end...)
		return nil
	case strings.HasPrefix(text, "panic: "):
		text = "panic: " + position.ReplaceAllString(strings.TrimPrefix(text, "panic: "), "")
		text = repanicked.ReplaceAllString(text, "")
		if s.test {
			text += " [recovered, repanicked]"
		}
		return []byte(text + end)
	case text != "":
		s.frames = nil // of a panic that was recovered
	}
	return []byte(s.mapped(text) + end)
}

// failure says what a child's exit means: it returns faults if the interpreter could
// not do what the program needs, and otherwise nil.
func (s *stderr) failure(exit error) error {
	var ee *exec.ExitError
	if !errors.As(exit, &ee) || ee.ExitCode() != cannot || s.cannot == "" {
		return nil
	}
	faults := program.CompilerFaults(s.cannot)
	for _, f := range faults {
		f.Text, f.Reason = "the interpreter can't do this ("+f.Text+")", event.Unsupported
	}
	return faults
}
