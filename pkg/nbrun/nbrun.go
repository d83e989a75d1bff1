// Package nbrun runs GoNB notebooks without Jupyter: compiled by Go, on the real
// clock or on one that makes waiting cost nothing, interpreted, or in GoNB's own
// kernel.
//
//	result, err := nbrun.Run(ctx, "lesson.ipynb", nbrun.Options{})
//
// A notebook is read ([Run] fails when it is none), its cells are run in order,
// each as the program that GoNB (github.com/janpfeifer/gonb) would have made of
// it, and the outputs are put in the place of the old ones, as Jupyter would. The
// executed notebook is written by [Result.WriteFile].
//
// Tags of cells keep the meaning that other runners give them: parameters,
// injected-parameters (papermill), raises-exception, skip-execution (nbclient).
// One is new: real-clock, for a cell that has to run on the real clock even when
// the others don't.
package nbrun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
)

// Engine is what runs the cells.
type Engine string

// The engines.
const (
	Go    Engine = "go"    // compiled by the go command, which must be on PATH
	Yaegi Engine = "yaegi" // interpreted in a child process, this same binary started again
	// GoNB is the real Jupyter kernel, built by the go command in the version of
	// this module's go.mod. It is the reference: the other engines do what it does.
	GoNB Engine = "gonb"
)

// Clock is the clock that the cells' programs see.
type Clock string

// The clocks.
const (
	Real Clock = "real"
	// Virtual is Go's own fake clock: when all goroutines wait, time jumps to the
	// next timer. Sleeping costs nothing, and every run gives the same times; for
	// that, programs run on one processor, unless GOMAXPROCS is set. It is there
	// for the go engine, not on Windows, and not for programs that need cgo, as
	// those built with -race do; these run on the real clock.
	Virtual Clock = "virtual"
)

// DefaultTimeout is the time that a cell may take when Options say nothing.
const DefaultTimeout = 10 * time.Minute

// Options say how to run a notebook. The zero value compiles it and runs it on
// the real clock.
type Options struct {
	Engine      Engine            // Go by default
	Clock       Clock             // Real by default
	Kernel      string            // with GoNB: an installed Jupyter kernel of Go to take instead, by its name
	Params      map[string]string // values for the parameters of the notebook, by name
	Timeout     time.Duration     // for one cell, in real time, building included
	AllowErrors bool              // go on after a cell that fails
	Observer    Observer          // is told what happens, if it is not nil
}

// Observer is told what happens as it happens. Its methods are called by one
// goroutine at a time.
type Observer interface {
	// Progress tells what long work is being done; an empty text that it is over.
	Progress(text string)
	// Cell tells that a code cell begins.
	Cell(number int)
	// Output takes a piece of "stdout" or "stderr". It must not keep p.
	Output(stream string, p []byte)
	// Display takes a display, by MIME type.
	Display(data map[string]any)
	// Failure tells that the cell has failed; expected, that it was allowed to.
	Failure(err *CellError, expected bool)
}

// CellError is what is wrong with a cell, or went wrong in it.
type CellError struct {
	Cell int // the cell's execution count, as Jupyter shows it in brackets
	Line int // of the cell, counted from 1; 0 when the fault has no line
	Text string
}

// Error gives cell, line and fault in one line.
func (e *CellError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("cell %d: %s", e.Cell, e.Text)
	}
	return fmt.Sprintf("cell %d, line %d: %s", e.Cell, e.Line, e.Text)
}

// Result is a notebook that was run.
type Result struct {
	Cells     int        // code cells that were run
	RealClock []int      // those that ran on the real clock though the virtual one was asked for
	Failure   *CellError // the first failure that was not allowed; nil if all went well
	Stopped   bool       // the failure ended the run before the last cell
	Elapsed   time.Duration
	Left      int // processes that cells had left running, and that were ended

	notebook *ipynb.Notebook
}

// ErrUsage is wrapped by errors that come from the notebook's file or from the
// options, before any cell has run.
var ErrUsage = errors.New("nothing was run")

func usage(err error) error { return &usageError{err} }

type usageError struct{ error }

func (e *usageError) Unwrap() []error { return []error{e.error, ErrUsage} }

// Check says what is wrong with the options, or returns nil.
func (o *Options) Check() error {
	switch o.Engine {
	case "", Go, Yaegi:
	case GoNB:
		if !kernelHere {
			return usage(errors.New("GoNB has no kernel for this system: take -engine go or yaegi"))
		}
		if o.Kernel != "" {
			if spec, err := jupyter.FindSpec(o.Kernel); err != nil {
				return usage(err)
			} else if spec.Language != "go" {
				return usage(fmt.Errorf("kernel %q is not one of Go: its language is %s", o.Kernel, spec.Language))
			}
		}
	default:
		return usage(fmt.Errorf("there is no engine %q: take go, yaegi or gonb", o.Engine))
	}
	if o.Kernel != "" && o.Engine != GoNB {
		return usage(errors.New("a kernel is for the gonb engine: add -engine gonb"))
	}
	switch o.Clock {
	case "", Real:
	case Virtual:
		if o.Engine != "" && o.Engine != Go {
			return usage(errors.New("the virtual clock is there for the go engine only: take -engine go or -clock real"))
		}
		if !virtualHere {
			return usage(errors.New("this system has no virtual clock: take -clock real"))
		}
	default:
		return usage(fmt.Errorf("there is no clock %q: take real or virtual", o.Clock))
	}
	if o.Timeout < 0 {
		return usage(fmt.Errorf("a timeout of %v is less than nothing", o.Timeout))
	}
	return nil
}

// Run runs the notebook in a file. The error is one that kept it from being run
// (it wraps ErrUsage) or from being run on (ctx has ended, the disk is full); the
// failure of a cell is in the Result. When ctx ends, what runs is killed, with
// the processes it has started, and the Result so far is returned with the
// error. Close the Result when it is no longer needed.
func Run(ctx context.Context, path string, opts Options) (*Result, error) {
	start := time.Now()
	if err := opts.Check(); err != nil {
		return nil, err
	}
	nb, err := open(path, opts)
	if err != nil {
		return nil, err
	}
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Observer == nil {
		opts.Observer = silent{}
	}
	r := &Result{notebook: nb}
	s, err := newSession(ctx, path, opts, r)
	if err != nil {
		return nil, errors.Join(err, nb.Close())
	}
	err = s.run(ctx)
	err = errors.Join(err, s.close())
	r.Elapsed = time.Since(start)
	return r, err
}

// Check reads the notebook in a file and says what would keep Run from running it
// with these options: the error that Run would return, or nil.
func Check(path string, opts Options) error {
	if err := opts.Check(); err != nil {
		return err
	}
	_, err := open(path, opts)
	return err
}

// ErrLanguage is wrapped by the error for a notebook that is not one of Go.
var ErrLanguage = errors.New("not a Go notebook")

func open(path string, opts Options) (*ipynb.Notebook, error) {
	nb, err := ipynb.ReadFile(path)
	if err != nil {
		return nil, usage(err)
	}
	if nb.Language != "" && nb.Language != "go" {
		return nil, usage(fmt.Errorf("%w: its language is %s", ErrLanguage, nb.Language))
	}
	if err := inject(nb, opts.Params); err != nil {
		return nil, usage(err)
	}
	return nb, nil
}

// WriteFile writes the executed notebook to a file, all of it or nothing.
func (r *Result) WriteFile(path string) error { return r.notebook.WriteFile(path) }

// Close frees what the outputs hold outside memory.
func (r *Result) Close() error { return r.notebook.Close() }

// silent observes nothing.
type silent struct{}

func (silent) Progress(string)          {}
func (silent) Cell(int)                 {}
func (silent) Output(string, []byte)    {}
func (silent) Display(map[string]any)   {}
func (silent) Failure(*CellError, bool) {}
