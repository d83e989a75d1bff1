// Package nbrun runs GoNB notebooks without Jupyter: compiled by Go, on the real
// clock or on one that makes waiting cost nothing, interpreted, or in GoNB's own
// kernel.
//
//	result, err := nbrun.Run(ctx, "lesson.ipynb", nbrun.Options{})
//
// A notebook is read and checked ([Open] fails if it isn't one), its cells are run in
// order, each as the program that GoNB (github.com/janpfeifer/gonb) would have made of
// it, and the outputs replace the old ones, as in Jupyter. [Result.WriteFile] writes
// the executed notebook.
//
// A run is one stream of events (package event); whatever shows, stores or judges it is
// an observer of that stream, and so is the executed notebook.
//
// Cell tags keep the meaning that other runners give them: parameters,
// injected-parameters (papermill), raises-exception, skip-execution (nbclient). Two are
// new. A cell tagged real-clock runs on the real clock even when the others don't; a
// notebook whose cells all have to run on it says so once, in its metadata: "nbrun":
// {"clock": "real"}. A cell tagged check judges an exercise, which is open while a line
// of the cell's output begins with ✘ or ○, or the cell fails as it may; that is no
// fault, but [Cell] has it, and reports tell of it.
package nbrun

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/params"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/tidy"
)

// Clock is the clock that the cells' programs see.
type Clock = event.Clock

// The clocks.
const (
	Real Clock = event.Real
	// Virtual is a clock on which time jumps to the next timer when all goroutines
	// wait. Sleeping costs nothing, and every run gives the same times; for that,
	// programs run on one processor, unless GOMAXPROCS is set. The go engine uses Go's
	// own fake clock, which does not work on Windows, nor for programs that need cgo,
	// such as those built with -race; the interpreter uses a bubble of
	// testing/synctest, which works everywhere, but not for programs that wait for
	// signals. Cells that can't run on it run on the real clock.
	Virtual Clock = event.Virtual
)

// DefaultTimeout is the time that a cell may take by default.
const DefaultTimeout = 10 * time.Minute

// NoLimit is the timeout of cells that may take as long as they like.
const NoLimit time.Duration = math.MaxInt64

// Options say how to run a notebook. The zero value compiles it and runs it on
// the real clock.
type Options struct {
	Engine Engine            // Go by default
	Clock  Clock             // Real by default
	Kernel string            // with GoNB: an installed Jupyter kernel of Go to use instead, by its name
	Params map[string]string // values for the parameters of the notebook, by name
	// Timeout is for one cell, in real time; DefaultTimeout if 0. Building does not
	// count. The metadata of a cell, or else of a notebook, override it: a number of
	// seconds, "timeout" in "execution", as for nbmake and jupyter-cache.
	Timeout time.Duration
	// MaxOutput is how many bytes of text and displays a cell may output, including
	// what it clears or replaces; DefaultMaxOutput if 0. All cells of a notebook
	// together may output eight times as much. An output counts as at least 64 bytes.
	// Beyond the limit the run goes on, but nothing more is kept or passed to
	// observers, and the cell's outputs say so.
	MaxOutput int
	// MaxMemory is how many bytes of memory the programs of a cell may hold together,
	// including what earlier cells have left running; no limit if 0. They are checked
	// about fifty times a second, so a fast one gets beyond it for a moment. Mapped
	// files don't count, nor do the go command and the kernel. The metadata of a cell,
	// or else of a notebook, override it: a number of bytes, "max_memory" in "nbrun".
	// It works on Linux only; elsewhere the option is an error, and the metadata are
	// ignored.
	MaxMemory   int64
	AllowErrors bool // go on after a cell that fails
	// Strict makes a cell fail when one of its shell commands does, when GoNB does not
	// know one of its % commands, or when it is tagged raises-exception and does not fail.
	Strict bool
	// BuildOnly compiles the cells and runs nothing: no program, no script, no shell
	// command except those that change a module ("!*go get"), and no file is written.
	// There are then no outputs to compare or to keep.
	BuildOnly bool
	// Compare makes a cell fail if its output differs from what is stored in the
	// notebook; the others still run. On the virtual clock everything is compared; on
	// the real one, times, durations, addresses and the numbers of goroutines are not.
	// The page on which the real kernel shows an error does not count, nor does the
	// order of lines in a cell that is tagged any-order. The tags nbval-ignore-output,
	// nbval-skip and nbval-raises-exception mean what they mean to nbval.
	Compare bool
	// Mask has regular expressions for what is not compared. A notebook can have more,
	// as a list in its metadata, "mask" in "nbrun".
	Mask []string
	// Times records in the executed notebook when each of its cells ran, as JupyterLab
	// can. Without it, a run that changes nothing leaves the file the same, byte for
	// byte.
	Times bool
	// Select chooses the cells to run, by reporting true; nil chooses all. The others
	// are skipped, and have the number 0.
	Select   func(event.Cell) bool
	Observer event.Observer // is told what happens, if it is not nil
}

// ErrUsage is wrapped by errors that come from the notebook's file or from the options,
// before any cell has run.
var ErrUsage = errors.New("nothing was run")

func usage(err error) error { return &usageError{err} }

type usageError struct{ error }

func (e *usageError) Unwrap() []error { return []error{e.error, ErrUsage} }

// engine returns the engine that the options name. The error says what is wrong with
// them.
func (o *Options) engine() (engine.Engine, error) {
	switch o.Clock {
	case "", Real, Virtual:
	default:
		return nil, usage(fmt.Errorf("unknown clock %q (want real or virtual)", o.Clock))
	}
	if o.Timeout < 0 {
		return nil, usage(fmt.Errorf("the timeout must not be negative, got %v", o.Timeout))
	}
	if o.MaxOutput < 0 {
		return nil, usage(fmt.Errorf("the output limit must not be negative, got %d", o.MaxOutput))
	}
	if o.MaxMemory < 0 {
		return nil, usage(fmt.Errorf("the memory limit must not be negative, got %d", o.MaxMemory))
	}
	if o.MaxMemory > 0 && !process.CanWatchMemory {
		return nil, usage(errors.New("the memory of cells can only be limited on Linux"))
	}
	if o.BuildOnly && (o.Compare || o.Strict) {
		return nil, usage(errors.New("cells that are only compiled have no output to compare, and can't be expected to fail"))
	}
	e, err := newEngine(o.Engine, engine.Options{Clock: o.Clock, Kernel: o.Kernel, Strict: o.Strict, BuildOnly: o.BuildOnly})
	if err != nil {
		return nil, usage(err)
	}
	return e, nil
}

// Check says what is wrong with the options, or returns nil.
func (o Options) Check() error {
	_, err := o.engine()
	return err
}

// Adopt makes this process, on Linux, the parent of what cells leave running, so that
// it is ended with the last open session even if it has left its session and cleared
// its environment, by which it would be recognised. It is for a program that starts
// nothing itself while it runs notebooks: all its children are ended then, except those
// that it has now.
func Adopt() { process.Adopt() }

// CacheLimit is how many bytes of what is built for notebooks stay in the user's cache,
// in the folder nbrun; what has not been used for longest goes first. The folder may be
// removed at any time.
const CacheLimit = cache.Limit

// Notebook is a notebook that can be run: it has been read and checked, and its
// parameters are set.
type Notebook struct {
	name   string
	path   string // absolute
	opts   Options
	engine engine.Engine
	file   *ipynb.Notebook
	cells  []event.Cell
	masks  []*regexp.Regexp
	asked  []ipynb.Settings // what is asked for each cell: by itself, by the notebook, or by opts
}

// Open reads the notebook in a file. Its errors name the file, except those about the
// options, and wrap ErrUsage.
func Open(ctx context.Context, path string, opts Options) (*Notebook, error) {
	data, err := ipynb.Load(path)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", path, err))
	}
	return Parse(ctx, path, data, opts)
}

// Parse is Open for a notebook that need not be in a file. Its name is the path
// that it would have there: its cells begin in that folder.
func Parse(ctx context.Context, name string, data []byte, opts Options) (*Notebook, error) {
	file, err := ipynb.Read(data)
	if err != nil {
		// A notebook of another language is not ours, whatever else is wrong with it.
		if other := otherLanguage(ipynb.LanguageOf(data)); other != nil {
			err = other
		}
		return nil, usage(fmt.Errorf("%s: %w", name, err))
	}
	return makeNotebook(ctx, name, file, opts)
}

// ErrLanguage is wrapped by the error for a notebook that is not a Go notebook.
var ErrLanguage = errors.New("not a Go notebook")

// otherLanguage is the error for a notebook whose language is known, and not Go.
func otherLanguage(language string) error {
	if language == "" || language == "go" {
		return nil
	}
	return fmt.Errorf("%w: its language is %s", ErrLanguage, language)
}

func makeNotebook(ctx context.Context, name string, file *ipynb.Notebook, opts Options) (*Notebook, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := otherLanguage(file.Language); err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err))
	}
	if err := params.Inject(file, opts.Params); err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err))
	}
	e, err := opts.engine()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, usage(err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, usage(fmt.Errorf("%s: there is no folder %s for its cells to run in", name, filepath.Dir(path)))
	}
	if opts.Timeout == 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.MaxOutput == 0 {
		opts.MaxOutput = DefaultMaxOutput
	}
	if opts.Clock == "" {
		opts.Clock = Real
	}
	if opts.Engine == "" {
		opts.Engine = engines[0].name
	}
	n := &Notebook{name: name, path: path, opts: opts, engine: e, file: file}
	all, err := file.Settings()
	if err == nil {
		n.masks, err = masksOf(opts.Mask, all.Masks)
	}
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err))
	}
	number := 0
	for i, c := range file.Cells {
		if c.Type != "code" || strings.TrimSpace(c.Source) == "" {
			continue
		}
		cell := event.Cell{Index: i, ID: c.ID(), Tags: c.Tags, Source: c.Source}
		own, err := c.Settings()
		if err != nil {
			return nil, usage(fmt.Errorf("%s: cell %d: %w", name, len(n.cells)+1, err))
		}
		own.Timeout = cmp.Or(own.Timeout, all.Timeout, opts.Timeout)
		own.MaxMemory = cmp.Or(own.MaxMemory, all.MaxMemory, opts.MaxMemory)
		own.RealClock = own.RealClock || all.RealClock || c.HasTag("real-clock")
		n.asked = append(n.asked, own)
		skip := c.HasTag("skip-execution") || opts.Compare && c.HasTag(nbvalSkip)
		if !skip && (opts.Select == nil || opts.Select(cell)) {
			number++
			cell.Number = number
		}
		n.cells = append(n.cells, cell)
	}
	return n, nil
}

// Metadata are those of the notebook, as JSON.
func (n *Notebook) Metadata() json.RawMessage { return slices.Clone(n.file.Metadata()) }

// Params are the parameters of the notebook, each with its type, in the order in which
// the cell tagged parameters declares them.
func (n *Notebook) Params() ([]string, error) { return params.List(n.file) }

// Name is the name that the notebook was opened by.
func (n *Notebook) Name() string { return n.name }

// Cells are the code cells that are not blank, in their order. Those not to be run have
// the number 0.
func (n *Notebook) Cells() []event.Cell { return append([]event.Cell(nil), n.cells...) }

// Run runs the notebook in a file: Open, then [Notebook.Run].
func Run(ctx context.Context, path string, opts Options) (*Result, error) {
	n, err := Open(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	return n.Run(ctx)
}

// Run runs all cells. The error is one that kept them from being run (ctx has ended,
// the disk is full); the fault of a cell is in the Result. When ctx ends, what is
// running is killed, with the processes it has started, and the Result so far is
// returned with the error. Close the Result when it is no longer needed.
func (n *Notebook) Run(ctx context.Context) (*Result, error) {
	s, err := n.Start(ctx)
	if err != nil {
		return nil, err
	}
	for i := range n.cells {
		if _, err := s.Run(ctx, i); err != nil {
			break // Close tells it
		}
	}
	return s.Close()
}

// Clear removes the outputs stored in a notebook's file, with the numbers and times of
// their cells, and reports whether there were any. With dry, the file stays as it is. A
// notebook without outputs is left unchanged, byte for byte, and so is one that is not
// a Go notebook.
func Clear(path string, dry bool) (had bool, err error) {
	nb, err := ipynb.ReadFile(path)
	if err != nil || otherLanguage(nb.Language) != nil {
		return false, err
	}
	if had = nb.ClearOutputs(); !had || dry {
		return had, nil
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return true, err
	}
	return true, nb.WriteFile(path)
}

// Scrub removes the machine's paths from the outputs stored in a notebook's file and
// joins neighbouring pieces of one stream, as Run does with the outputs it makes. A
// notebook that has neither is left unchanged, byte for byte.
func Scrub(path string) error {
	nb, err := ipynb.ReadFile(path)
	if err != nil {
		return err
	}
	if !nb.EditOutputs(tidy.Text) {
		return nil
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	return nb.WriteFile(path)
}
