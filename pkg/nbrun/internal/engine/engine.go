// Package engine says what an engine is: something that runs the cells of a notebook.
// It has the interfaces and the plain data that they exchange, and no logic.
package engine

import (
	"context"
	"errors"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Engine runs notebooks. Its constructor refuses what it can't do at all.
type Engine interface {
	// Open prepares to run the cells of a notebook.
	Open(ctx context.Context, nb Notebook) (Session, error)
}

// Notebook is what an engine needs of a notebook.
type Notebook struct {
	Path     string        // absolute; there may be no file there
	Dir      string        // the folder that cells begin in
	Cells    []Cell        // the code cells that may be run, in their order
	Env      process.Env   // the environment of all processes
	Temp     string        // the folder for temporary files; it goes with the run
	Timeout  time.Duration // for one cell; starting must not take longer either
	Progress func(string)  // called with what takes long; "" when it is over
}

// Cell is a code cell. Its number is its place in Notebook.Cells, from 1.
type Cell struct {
	Source string
	// RealClock means that it has to run on the real clock.
	RealClock bool
}

// Session is what cells leave for those after them. It is used by one goroutine
// at a time.
type Session interface {
	// Now is the time at which a cell run now would begin.
	Now() time.Time
	// Run runs a cell, by its number, and returns the clock that its program ran on. A
	// fault of the cell is an *event.Fault; any other error ends the session, and so
	// does a fault that wraps ErrOver. When ctx ends, the cell is stopped, with the
	// processes it has started.
	Run(ctx context.Context, cell int, out event.Sink) (event.Clock, error)
	// Close ends the session. Cells that have been run may still produce output.
	Close() error
}

// ErrOver is joined to the fault of a cell after which no other can be run.
var ErrOver = errors.New("the session is over")

// Backend runs the programs of one notebook's cells, for engines that do themselves
// what GoNB does between programs.
type Backend interface {
	// Dir is the kernel's temporary folder, as cells know it.
	Dir() string
	// Now is the time on the clock of the programs.
	Now() time.Time
	// Run runs a program. Ahead returns what will be run after it, if all goes well; it
	// is called at most once. What keeps the program from being run is of type
	// event.Faults.
	Run(ctx context.Context, job Job, ahead func() []Job, out event.Sink) (Exit, error)
	// Changed means that what programs are built from may have changed.
	Changed()
	// ResetModule puts the module back to what it was at the beginning.
	ResetModule() error
	// Module reports whether there is one that commands can change.
	Module() bool
	// Close gives up what the backend holds.
	Close() error
}

// Opener opens the backend of a notebook.
type Opener func(ctx context.Context, nb Notebook) (Backend, error)

// Job is a program, and how to build and run it.
type Job struct {
	*program.Program
	RealClock bool // it has to run on the real clock
	Dir       string
	Env       process.Env
	Flags     []string                 // for go build
	AutoGet   bool                     // modules that are missing are fetched
	BuildOnly bool                     // it is built, and not run
	Line      func(line []byte) []byte // is applied to each line of stderr
}

// Exit is how a program ended.
type Exit struct {
	Ran   bool  // it was good enough to run; true also when it could not be run to its end
	Err   error // nil for status 0; else an *exec.ExitError
	Clock event.Clock
}

// Options are what the constructor of an engine is given. It fails when it can't
// do what they say.
type Options struct {
	Clock  event.Clock // "" is real
	Kernel string      // an installed Jupyter kernel, by its name; "" for the engine's own
	Strict bool        // shell commands that fail, and unknown % commands, fail their cell
	// BuildOnly means that programs are built and not run.
	BuildOnly bool
}
