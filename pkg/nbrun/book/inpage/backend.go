// Package inpage runs the programs of cells where there is no go command and there are
// no processes: in a web page. Programs composed from GoNB's memory of the cells come in,
// and their output goes out; a [Host] compiles and runs them.
package inpage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Host compiles and runs programs.
type Host interface {
	// Has reports whether a package can be imported.
	Has(path string) bool
	// Build compiles packages, each of which may import those before it, and links
	// the last. If that fails, said holds the compiler's messages.
	Build(ctx context.Context, packages []Package) (binary any, said string, err error)
	// Run runs what Build returned, until it ends or ctx does, and returns its exit
	// status. It passes to put what the program writes to stdout (1) and stderr (2), both
	// in the frames of the fake clock, and to gonbui's pipe (3); put returns the answer
	// to the latter.
	Run(ctx context.Context, binary any, p Process, put func(fd int, p []byte) (answer []byte, err error)) (status int, err error)
}

// Package is a package with a single file.
type Package struct {
	Path    string   `json:"path"`
	Main    bool     `json:"main"`
	Source  string   `json:"source"`
	Imports []string `json:"imports"`
}

// Process says how to start a program.
type Process struct {
	Args      []string    `json:"args"`
	Env       process.Env `json:"env"`
	Dir       string      `json:"dir"`
	RealClock bool        `json:"realClock"`
}

// Temp is the kernel's temporary folder, as cells see it.
const Temp = "/tmp/gonb_0"

// Open returns a function that opens the backend of a notebook in a page.
func Open(host Host) engine.Opener {
	return func(_ context.Context, nb engine.Notebook) (engine.Backend, error) {
		return &backend{host: host, progress: nb.Progress, now: process.FakeStart, built: map[string]any{}}, nil
	}
}

type backend struct {
	host     Host
	progress func(string)
	now      time.Time
	built    map[string]any // by the program's name and kind
	order    []string       // of built, the oldest first
}

// Dir is the kernel's temporary folder.
func (b *backend) Dir() string { return Temp }

// Now is the time on the fake clock.
func (b *backend) Now() time.Time { return b.now }

// Changed does nothing, as programs are built from nothing that cells can change.
func (b *backend) Changed() {}

// ResetModule does nothing, as there is no module to restore.
func (b *backend) ResetModule() error { return nil }

// Module reports that there is none.
func (b *backend) Module() bool { return false }

// Close does nothing.
func (b *backend) Close() error { return nil }

// Run compiles a program, unless it was compiled recently, and runs it.
func (b *backend) Run(ctx context.Context, job engine.Job, _ func() []engine.Job, out event.Sink) (engine.Exit, error) {
	exit := engine.Exit{Clock: event.Virtual}
	if fault := Unsupported(job, b.host.Has); fault != nil {
		return exit, event.Faults{fault}
	}
	binary, err := b.build(ctx, job)
	if err != nil {
		return exit, err
	}
	exit.Ran = true
	shift := b.now.Sub(process.FakeStart)
	if job.RealClock {
		exit.Clock, shift = event.Real, time.Until(b.now)
	}
	streams := process.NewStreams(process.Shift(out, shift), withoutHandler(job.Line))
	args := append([]string{job.Name()}, job.Args...)
	if job.Test {
		args[0] += ".test"
	}
	p := Process{Args: args, Dir: job.Dir, Env: job.Env.With(protocol.GONB_PIPE_ENV, "/dev/display").With(protocol.GONB_PIPE_BACK_ENV, "/dev/answers"), RealClock: job.RealClock}
	status, err := b.host.Run(ctx, binary, p, func(fd int, p []byte) ([]byte, error) {
		if fd == 3 {
			return streams.Display(p)
		}
		return nil, streams.Write(fd, p)
	})
	last, closed := streams.Close()
	if last.After(process.FakeStart) && !job.RealClock {
		b.now = b.now.Add(last.Sub(process.FakeStart))
	}
	if status != 0 {
		exit.Err = fmt.Errorf("exit status %d", status)
	}
	return exit, errors.Join(err, closed)
}

// mostBuilt is how many programs are kept, for cells that are run again.
const mostBuilt = 8

func (b *backend) build(ctx context.Context, job engine.Job) (any, error) {
	key := fmt.Sprint(job.Name(), job.Test)
	if binary, ok := b.built[key]; ok {
		return binary, nil
	}
	packages, err := Packages(job.Program)
	if err != nil {
		return nil, err
	}
	b.progress("building")
	defer b.progress("")
	binary, said, err := b.host.Build(ctx, packages)
	if err != nil {
		return nil, err
	}
	if binary == nil {
		faults := program.CompilerFaults(said)
		if len(faults) == 0 {
			faults = event.Faults{{Text: "the compiler failed without a message"}}
		}
		return nil, faults
	}
	if len(b.order) == mostBuilt {
		delete(b.built, b.order[0])
		b.order = b.order[1:]
	}
	b.built[key], b.order = binary, append(b.order, key)
	return binary, nil
}

// Unsupported says why a page can't build a program, because of its flags or of a package
// that it imports. It returns nil if the page can.
func Unsupported(job engine.Job, has func(path string) bool) *event.Fault {
	if i := slices.IndexFunc(job.Flags, func(flag string) bool { return flag != "" }); i >= 0 {
		f := unsupported(0, "a page can't build with %s", job.Flags[i])
		f.Cell = job.Cell
		return f
	}
	packages, err := Packages(job.Program)
	if err != nil {
		return nil // the compiler's message is better
	}
	for _, path := range packages[0].Imports {
		if !has(path) {
			f := unsupported(importLine(job, path), "a page does not have package %s", path)
			f.Cell = job.Cell
			return f
		}
	}
	return nil
}

func unsupported(line int, format string, args ...any) *event.Fault {
	f := event.Faultf(0, line, format, args...)
	f.Reason = event.Unsupported
	return f
}

// importLine is the line of the program's own cell that imports a package, or 0 if
// another cell imports it.
func importLine(job engine.Job, path string) int {
	_, before, found := strings.Cut(job.Source, fmt.Sprintf("//line %s:", program.FileName(job.Cell)))
	for found {
		head, rest, _ := strings.Cut(before, "\n")
		line, _, _ := strings.Cut(rest, "\n")
		if strings.HasPrefix(line, "import ") && strings.HasSuffix(line, fmt.Sprintf("%q", path)) {
			var n int
			_, _ = fmt.Sscanf(head, "%d", &n) // written by package program
			return n
		}
		_, before, found = strings.Cut(rest, fmt.Sprintf("//line %s:", program.FileName(job.Cell)))
	}
	return 0
}
