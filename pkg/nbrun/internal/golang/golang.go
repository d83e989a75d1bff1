// Package golang compiles the programs of a notebook with the go command. Their
// sources and binaries stay in a folder of the user's cache, one for each
// notebook, so that cells that have not changed are not built again.
package golang

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// fakeClock reports whether this system has Go's fake clock.
const fakeClock = runtime.GOOS != "windows" && runtime.GOOS != "js" && runtime.GOOS != "wasip1"

// New returns what opens workspaces, whose programs run on a clock, as far as they
// can.
func New(o engine.Options) (engine.Opener, error) {
	if o.Kernel != "" {
		return nil, errors.New("a kernel is for the gonb engine only")
	}
	if o.Clock == event.Virtual && !fakeClock {
		return nil, errors.New("this system has no virtual clock for compiled programs")
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, fmt.Errorf("the go engine needs the go command on PATH (%w): install it from go.dev", err)
	}
	return func(ctx context.Context, nb engine.Notebook) (engine.Backend, error) {
		w, err := Open(ctx, nb.Path)
		if err != nil {
			return nil, err
		}
		w.progress = nb.Progress
		if o.Clock == event.Virtual {
			w.virtual, w.now = true, process.FakeStart
		}
		return w, nil
	}, nil
}

// Workspace is the folder that a notebook's programs are built in: a module of
// its own, which has what the module has that the notebook lies in.
type Workspace struct {
	dir      string // the kernel's temporary folder, as cells know it
	progress func(string)
	virtual  bool      // programs run on the fake clock, if they can
	now      time.Time // on the fake clock

	home  bool // dir is in the cache and stays
	lock  *flock.Flock
	goMod []byte
	goSum []byte
	built map[string]error // by binary: what building it came to, since the last Changed
	apart map[string]bool  // by binary: is to be built alone
	alone bool             // building several at once has failed since then

	joined bool // a go.work in dir was read since then

	overlaid struct {
		key string // what overlay depends on
		overlay
	}
}

// KeepFor is how long the program of a cell that is no longer run stays in the
// cache.
const KeepFor = 7 * 24 * time.Hour

// Open makes the workspace of a notebook. While another process runs the same
// notebook, a temporary workspace is used.
func Open(ctx context.Context, notebook string) (*Workspace, error) {
	abs, err := filepath.Abs(notebook)
	if err != nil {
		return nil, err
	}
	id := cache.ID(abs)
	w := &Workspace{built: map[string]error{}, apart: map[string]bool{}, progress: func(string) {}}
	if w.dir, err = cache.Dir(cache.Programs, id); err == nil {
		if err := os.MkdirAll(w.dir, 0o700); err == nil {
			w.lock = flock.New(cache.Lock(w.dir))
			w.home, _ = w.lock.TryLock()
		}
	}
	if !w.home {
		if w.dir, err = os.MkdirTemp("", "gonb_"); err != nil {
			return nil, err
		}
	}
	if err := w.clean(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.moduleOf(ctx, filepath.Dir(abs), string(cache.Programs)+id); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, w.ResetModule()
}

// Close gives the workspace up. What another run can use again stays.
func (w *Workspace) Close() error {
	if !w.home {
		return os.RemoveAll(w.dir)
	}
	return errors.Join(w.clean(), w.lock.Unlock())
}

// clean removes what an earlier run left beside the programs, and programs not
// used for long.
func (w *Workspace) clean() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if n := e.Name(); n != "p" && n != "bin" && n != "go.mod" && n != "go.sum" {
			if err := os.RemoveAll(filepath.Join(w.dir, n)); err != nil {
				return err
			}
		}
	}
	old := time.Now().Add(-KeepFor)
	programs, _ := filepath.Glob(filepath.Join(w.dir, "p", "*"))
	binaries, _ := filepath.Glob(filepath.Join(w.dir, "bin", "*", "*"))
	for _, path := range append(programs, binaries...) {
		if info, err := os.Stat(path); err == nil && info.ModTime().Before(old) {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Dir is the folder that programs are built in.
func (w *Workspace) Dir() string { return w.dir }

// Module says that there is one.
func (w *Workspace) Module() bool { return true }

// Now is the time on the clock of the programs.
func (w *Workspace) Now() time.Time {
	if w.virtual {
		return w.now
	}
	return time.Now()
}

// Changed makes the next Run ask the go command anew: something may have changed
// that programs are built from.
func (w *Workspace) Changed() {
	clear(w.built)
	clear(w.apart)
	w.alone = false
	w.joined = false
}

// Run builds a program, if need be, and with it those that come after it, and runs
// it.
func (w *Workspace) Run(ctx context.Context, job engine.Job, ahead func() []engine.Job, out event.Sink) (engine.Exit, error) {
	b := w.newBuild(job)
	exit := engine.Exit{Clock: event.Real}
	if b.virtual {
		exit.Clock = event.Virtual
	}
	if err := w.joinWork(); err != nil {
		return exit, err
	}
	binary, err := w.binaryOf(ctx, b, ahead)
	if err != nil {
		return exit, err
	}
	exit.Ran = true
	w.saveLast(b)
	p := &process.Process{
		Path: binary, Args: job.Args, Dir: job.Dir, Env: w.runEnv(b),
		Displays: true, Framed: b.virtual, Rewrite: job.Line,
	}
	since := w.Now()
	if b.virtual {
		out = process.Shift(out, since.Sub(process.FakeStart))
	} else {
		out = process.Shift(out, time.Until(since))
	}
	end, err := p.Run(ctx, out)
	if b.virtual && end.Last.After(process.FakeStart) {
		w.now = since.Add(end.Last.Sub(process.FakeStart))
	}
	exit.Err = end.Err
	return exit, err
}

// runEnv is the environment that a program runs in.
func (w *Workspace) runEnv(b *build) process.Env {
	env := b.Env
	if b.virtual && env.Get("GOMAXPROCS") == "" {
		// On one processor, goroutines that go on at the same instant of the fake
		// clock do so in the same order each time.
		env = env.With("GOMAXPROCS", "1")
	}
	if w.virtual && env.Get("GORACE") == "" {
		// A program built with -race waits for a second before it ends, in case of
		// late reports.
		env = env.With("GORACE", "atexit_sleep_ms=50")
	}
	return env
}
