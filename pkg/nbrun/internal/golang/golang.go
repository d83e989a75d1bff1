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
	"regexp"
	"runtime"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// fakeClock reports whether this system has Go's fake clock.
const fakeClock = runtime.GOOS != "windows" && runtime.GOOS != "js" && runtime.GOOS != "wasip1"

// New returns what opens workspaces, whose programs run on that clock, if they can.
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
	if err := cache.Trusted(); errors.Is(err, cache.ErrStrange) {
		return nil, err
	}
	return func(ctx context.Context, nb engine.Notebook) (engine.Backend, error) {
		w, err := Open(ctx, nb.Path, nb.Temp)
		if err != nil {
			return nil, err
		}
		w.progress = nb.Progress
		w.clock = process.NewClock(o.Clock == event.Virtual)
		return w, nil
	}, nil
}

// Workspace is the folder that a notebook's programs are built in: a module of its own,
// which requires what the module around the notebook requires.
type Workspace struct {
	dir      string // the kernel's temporary folder, as cells know it
	progress func(string)
	clock    *process.Clock // if it is virtual, programs run on the fake clock, if they can

	folder  string            // the notebook's
	local   []string          // the folders of its modules, those within others first
	goflags string            // GOFLAGS, as the go command has it
	vendor  *vendor           // what the notebook's module keeps of others
	unlock  func()            // nil unless dir is in the cache and stays
	temp    string            // the folder for temporary files
	module  map[string]string // go.mod and go.sum as they were at the beginning
	last    map[string]string // and as they were last
	made    bool              // something was built that was not there
	used    map[string]bool   // by binary: was built, or found to be what it should be

	built map[string]error // by binary: what building it came to, since the last Changed
	apart map[string]bool  // by binary: is to be built alone
	alone bool             // building several at once has failed since then

	joined bool // a go.work in dir was read since then

	overlaid struct {
		key string // what overlay depends on
		overlay
	}
}

// KeepFor is how long the program of a cell that is no longer run stays in the cache.
const KeepFor = 7 * 24 * time.Hour

// Open makes the workspace of a notebook. While another process runs the same
// notebook, or where there can be no cache, a workspace in the folder temp is used.
func Open(ctx context.Context, notebook, temp string) (*Workspace, error) {
	abs, err := filepath.Abs(notebook)
	if err != nil {
		return nil, err
	}
	id := cache.ID(abs)
	w := &Workspace{temp: temp, folder: filepath.Dir(abs), used: map[string]bool{}, built: map[string]error{}, apart: map[string]bool{}, progress: func(string) {}, clock: process.NewClock(false)}
	if w.dir, err = cache.Dir(cache.Programs, id); err == nil {
		switch err := cache.Trusted(); {
		case errors.Is(err, cache.ErrStrange):
			return nil, err
		case err == nil:
			w.unlock, _ = cache.TryLock(w.dir)
		}
	}
	if w.unlock == nil {
		if w.dir, err = os.MkdirTemp(temp, "gonb_"); err != nil {
			return nil, err
		}
	} else if err := cache.Folder(w.dir); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := errors.Join(w.clean(), cache.SetNotebook(w.dir, abs)); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.moduleOf(ctx, string(cache.Programs)+id); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, errors.Join(w.vendor.link(w.dir), w.ResetModule())
}

// Close gives the workspace up. What another run can use again stays, if there is room.
func (w *Workspace) Close() error {
	if w.unlock == nil {
		return os.RemoveAll(w.dir)
	}
	err := w.clean()
	if errors.Is(err, os.ErrNotExist) {
		err = nil // somebody has emptied the cache
	}
	if w.made {
		w.limit(cache.Limit / 4)
	}
	w.unlock()
	if w.made {
		cache.MakeRoom()
	}
	return err
}

// clean removes what an earlier run, or anybody else, left beside the programs, and
// programs that have not been used for long.
func (w *Workspace) clean() error {
	now := time.Now()
	_ = os.Chtimes(w.dir, now, now) // what is in use is not old
	keep := map[string]bool{"p": true, "bin": true, "go.mod": true, "go.sum": true}
	if err := removeFrom(w.dir, func(e os.DirEntry) bool { return keep[e.Name()] || cache.IsNotebook(e.Name()) }); err != nil {
		return err
	}
	for _, dir := range []string{"p", "bin"} {
		if err := cache.Folder(filepath.Join(w.dir, dir)); err != nil {
			return err
		}
	}
	// Nothing but programs: a go.mod there would make it another module.
	err := removeFrom(filepath.Join(w.dir, "p"), func(e os.DirEntry) bool { return e.IsDir() && programName.MatchString(e.Name()) })
	if err != nil {
		return err
	}
	old := now.Add(-KeepFor)
	programs, _ := filepath.Glob(filepath.Join(w.dir, "p", "*"))
	binaries, _ := filepath.Glob(filepath.Join(w.dir, "bin", "*", "*"))
	for _, path := range append(programs, binaries...) {
		if info, err := os.Lstat(path); err == nil && info.ModTime().Before(old) {
			if err := cache.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// programName is the name of the folder of a program.
var programName = regexp.MustCompile(`^p[0-9a-f]{20}$`)

// removeFrom removes from a folder what should not stay there.
func removeFrom(dir string, stays func(os.DirEntry) bool) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !stays(e) {
			err = errors.Join(err, cache.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// limit removes the binaries that were not used for longest, but none that this run has
// used, until the rest take no more than that many bytes.
func (w *Workspace) limit(bytes int64) {
	var units []cache.Unit
	binaries, _ := filepath.Glob(filepath.Join(w.dir, "bin", "*", "*"))
	for _, path := range binaries {
		if info, err := os.Lstat(path); err == nil {
			units = append(units, cache.Unit{Path: path, Size: info.Size(), Used: info.ModTime()})
		}
	}
	cache.Oldest(units, bytes, func(path string) bool { return !w.used[path] && cache.Unseal(path) == nil })
}

// restore remakes the workspace if somebody has removed it, and go.mod, which cells can
// change, if it is no longer a file.
func (w *Workspace) restore() {
	if w.last == nil {
		return // it is only being made
	}
	if info, err := os.Lstat(filepath.Join(w.dir, "go.mod")); err == nil && info.Mode().IsRegular() {
		return
	}
	if _, err := os.Lstat(w.dir); err != nil && w.unlock != nil && cache.Trusted() == nil {
		w.unlock()
		w.unlock, _ = cache.TryLock(w.dir)
		if w.unlock == nil { // another run was faster
			if dir, err := os.MkdirTemp(w.temp, "gonb_"); err == nil {
				w.dir = dir
			}
		}
	}
	// If this fails, so will building, and say why.
	_ = errors.Join(cache.Folder(w.dir), w.clean(), w.vendor.link(w.dir), w.writeModule(w.last))
	w.Changed()
}

// Dir is the folder that programs are built in.
func (w *Workspace) Dir() string {
	w.restore()
	return w.dir
}

// Module reports that there is one.
func (w *Workspace) Module() bool { return true }

// Now is the time on the clock of the programs.
func (w *Workspace) Now() time.Time { return w.clock.Now() }

// Changed makes the next Run ask the go command anew: something that programs are built
// from may have changed.
func (w *Workspace) Changed() {
	clear(w.built)
	clear(w.apart)
	w.alone = false
	w.joined = false
}

// Run builds a program, if need be, and with it those that come after it, and runs it.
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
	if job.BuildOnly {
		return exit, nil
	}
	end, err := w.start(ctx, b, binary, out)
	if errors.Is(err, process.ErrNotStarted) {
		w.forget(b) // what was built is built once more
		if binary, err = w.binaryOf(ctx, b, func() []engine.Job { return nil }); err != nil {
			return exit, err
		}
		end, err = w.start(ctx, b, binary, out)
	}
	exit.Err = end.Err
	return exit, err
}

// start runs a program that was built.
func (w *Workspace) start(ctx context.Context, b *build, binary string, out event.Sink) (process.Exit, error) {
	p := &process.Process{
		Path: binary, Args: b.Args, Dir: b.Dir, Env: w.runEnv(b), Temp: w.temp,
		Displays: true, Framed: b.virtual, Rewrite: b.Line,
	}
	return w.clock.Run(ctx, p, out)
}

// runEnv is the environment that a program runs in.
func (w *Workspace) runEnv(b *build) process.Env {
	env := b.Env
	if b.virtual && env.Get("GOMAXPROCS") == "" {
		// On one processor, goroutines that go on at the same instant of the fake clock
		// do so in the same order each time.
		env = env.With("GOMAXPROCS", "1")
	}
	if w.clock.Virtual && env.Get("GORACE") == "" {
		// A program built with -race waits for a second before it ends, in case of
		// late reports.
		env = env.With("GORACE", "atexit_sleep_ms=50")
	}
	return env
}
