// Command nbrun runs GoNB notebooks without Jupyter, for CI and for anyone who
// has nothing but Go.
//
//	nbrun [flags] [notebook.ipynb | folder ...]
//
// Without arguments it runs the folder notebooks. What the cells put out is shown
// as it comes, then a line for each notebook. The exit status is 0 when all
// passed, 1 when a cell failed, and 2 when nothing could be run. The flags are
// told by nbrun -h, the rest by package nbrun.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

// Exit statuses.
const (
	passed = iota
	failed
	notRun
)

// memory is what we would like to need at most, in bytes. What we keep has limits of
// its own; this is for what is garbage.
const memory = 200 << 20

func main() {
	nbrun.Main()
	nbrun.Adopt()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// command is what the flags say.
type command struct {
	opts  nbrun.Options
	out   string // folder for executed copies
	write bool   // back in place
	// reports are the files to be written, by the flags that name them.
	reports map[string]string
	scrub   bool
	jobs    int
}

func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	c, paths, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return passed
	}
	complain := func(err error) { fmt.Fprintf(stderr, "nbrun: %s\n", report.Line(err.Error())) }
	if err != nil {
		complain(err)
		return notRun
	}
	notebooks, err := find(paths)
	if err != nil {
		complain(err)
		return notRun
	}
	if c.scrub {
		return c.scrubAll(notebooks, complain)
	}
	var observer event.Observer // of notebooks that are yet to be found good
	c.opts.Observer = event.ObserverFunc(func(e event.Event) error { return observer.Observe(e) })
	notebooks, errs := c.check(ctx, notebooks)
	for _, err := range errs {
		complain(err)
	}
	if len(errs) > 0 || len(notebooks) == 0 {
		return notRun
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &watched{File: stdout, gone: cancel}
	shown := out
	if slices.Contains(slices.Collect(maps.Values(c.reports)), "-") {
		shown = &watched{File: stderr, gone: cancel}
	}
	t := newTerminal(shown, stderr, notebooks)
	written, closeReports, err := c.openReports(out, notebooks)
	if err != nil {
		complain(err)
		return notRun
	}
	observer = event.All(append(written, t)...)
	status := c.runAll(ctx, notebooks, t, complain)
	for _, err := range []error{closeReports(), out.failure()} {
		if err != nil {
			complain(err)
			status = max(status, failed)
		}
	}
	return status
}

// newTerminal shows runs on the terminal, with advice that names flags.
func newTerminal(stdout *watched, stderr *os.File, notebooks []notebook) *report.Terminal {
	names := make([]string, len(notebooks))
	for i, n := range notebooks {
		names[i] = n.path
	}
	live := term.IsTerminal(int(stderr.Fd())) && os.Getenv("TERM") != "dumb"
	t := report.NewTerminal(stdout, stderr, report.Colour(term.IsTerminal(int(stdout.Fd()))), live, names)
	t.Advice = advice
	return t
}

// advice is what a user of the command can do about an error in the options.
func (c *command) advice(err error) string {
	switch {
	case errors.Is(err, exec.ErrNotFound) && c.opts.Engine != nbrun.Yaegi:
		return ", or add -engine yaegi"
	case c.opts.Kernel != "" && c.opts.Engine != nbrun.GoNB:
		return ": add -engine gonb"
	case c.opts.Clock == nbrun.Virtual && c.opts.Engine == nbrun.GoNB:
		return ": take -engine go or yaegi, or -clock real"
	}
	return ""
}

// advice is what a user of the command can do about a fault.
func advice(f *event.Fault) string {
	switch f.Reason {
	case event.Timeout:
		return "-timeout gives it more"
	case event.Unsupported:
		return "run it with -engine go"
	}
	return ""
}

func parse(args []string, stderr io.Writer) (*command, []string, error) {
	c := &command{opts: nbrun.Options{Params: map[string]string{}}, reports: map[string]string{}}
	f := flag.NewFlagSet("nbrun", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	engine := f.String("engine", "go", "what runs the cells: `go` compiles them, yaegi interprets them, gonb is the real kernel")
	f.StringVar(&c.opts.Kernel, "kernel", "", "with -engine gonb: the installed Jupyter kernel of that `name`, not our own build of GoNB")
	clock := f.String("clock", "real", "`real`, or virtual: sleeping costs nothing, and every run gives the same times")
	f.Func("p", "`name=value`: set a parameter of the notebook (repeatable)", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("give it as name=value")
		}
		c.opts.Params[name] = value
		return nil
	})
	f.StringVar(&c.out, "o", "", "write executed copies to `folder`")
	f.BoolVar(&c.write, "w", false, "write the outputs back into the notebooks that pass")
	f.DurationVar(&c.opts.Timeout, "timeout", nbrun.DefaultTimeout, "what one cell may take, in real `time`")
	c.opts.MaxOutput = nbrun.DefaultMaxOutput
	f.Func("max-output", "what one cell may put out before the rest is not kept, as `size`: a number of bytes, or of k, M or G of them (default 16M)", func(s string) (err error) {
		c.opts.MaxOutput, err = size(s)
		return err
	})
	f.BoolVar(&c.opts.AllowErrors, "allow-errors", false, "go on after a cell that fails")
	f.BoolVar(&c.opts.Times, "times", false, "with -o or -w: write into each cell when it ran")
	for _, r := range reports {
		f.Func(r.flag, r.usage+", to `file`; - is stdout, and all else then goes to stderr", func(file string) error {
			c.reports[r.flag] = file
			return nil
		})
	}
	f.IntVar(&c.jobs, "j", 0, "`notebooks` at a time; 0 is 1 on the real clock and one for each core on the virtual one")
	f.BoolVar(&c.scrub, "scrub", false, "run nothing; take the machine's paths out of the outputs in the notebooks, and join the pieces of each stream")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "usage: nbrun [flags] [notebook.ipynb | folder ...]     (default: the folder notebooks)")
			f.SetOutput(stderr)
			f.PrintDefaults()
			fmt.Fprintf(stderr, "\nWhat is built stays in the user's cache, in the folder nbrun: up to %d MiB, what was not used for longest goes first. It may be removed at any time.\n", nbrun.CacheLimit>>20)
			return nil, nil, err
		}
		return nil, nil, fmt.Errorf("%w (nbrun -h tells the flags)", err)
	}
	c.opts.Engine, c.opts.Clock = nbrun.Engine(*engine), nbrun.Clock(*clock)
	if err := c.opts.Check(); err != nil {
		return nil, nil, fmt.Errorf("%w%s", err, c.advice(err))
	}
	switch {
	case c.jobs < 0:
		return nil, nil, fmt.Errorf("-j %d: at least one notebook at a time", c.jobs)
	case c.jobs == 0 && c.opts.Clock == nbrun.Virtual:
		c.jobs = runtime.NumCPU()
	case c.jobs == 0:
		c.jobs = 1
	}
	if c.write && c.out != "" {
		return nil, nil, errors.New("-w and -o are mutually exclusive")
	}
	paths := f.Args()
	if len(paths) == 0 {
		paths = []string{"notebooks"}
	}
	return c, paths, nil
}

// size reads a number of bytes: 1000, 64k, 16M, 1G.
func size(s string) (int, error) {
	number, unit := strings.TrimRight(s, "kMG"), 1
	switch strings.TrimPrefix(s, number) {
	case "":
	case "k":
		unit = 1 << 10
	case "M":
		unit = 1 << 20
	case "G":
		unit = 1 << 30
	default:
		number = ""
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 1<<30/unit {
		return 0, errors.New("give it as 1000, 64k, 16M or, at most, 1G")
	}
	return n * unit, nil
}

// notebook is a file to run.
type notebook struct {
	path  string
	rel   string // its place below the folder that -o names
	asked bool   // by its own name, not by that of its folder
	*nbrun.Notebook
}

// find lists the notebooks in files and folders, in order of their names.
func find(paths []string) ([]notebook, error) {
	var found []notebook
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, plain(err))
		}
		if !info.IsDir() {
			found = append(found, notebook{path: path, rel: filepath.Base(path), asked: true})
			continue
		}
		before := len(found)
		err = filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("%s: %w", p, plain(err))
			}
			if d.IsDir() && p != path && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			if !d.IsDir() && strings.HasSuffix(p, ".ipynb") {
				rel, err := filepath.Rel(path, p)
				if err != nil {
					return err
				}
				found = append(found, notebook{path: p, rel: rel})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(found) == before {
			return nil, fmt.Errorf("%s: has no notebooks (*.ipynb)", path)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(n notebook) bool {
		twice := seen[n.path]
		seen[n.path] = true
		return twice
	}), nil
}

// plain is a file error without operation and path, which stand before it.
func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// check finds what is wrong before anything runs. Notebooks of other languages
// are left out, unless they were asked for by name.
func (c *command) check(ctx context.Context, notebooks []notebook) (run []notebook, errs []error) {
	targets := map[string]string{}
	for _, n := range notebooks {
		var err error
		switch n.Notebook, err = nbrun.Open(ctx, n.path, c.opts); {
		case errors.Is(err, nbrun.ErrLanguage) && !n.asked && len(notebooks) > 1:
			continue
		case err != nil:
			errs = append(errs, err)
			continue
		}
		if other, twice := targets[n.rel]; twice && c.out != "" {
			errs = append(errs, fmt.Errorf("%s: would be written to the same file as %s", n.path, other))
		}
		targets[n.rel] = n.path
		run = append(run, n)
		if c.write {
			if f, err := os.OpenFile(n.path, os.O_WRONLY, 0); err != nil {
				errs = append(errs, fmt.Errorf("%s: can't be written: %w", n.path, plain(err)))
			} else {
				f.Close()
			}
		}
	}
	if len(run) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("none of the notebooks is one of Go"))
	}
	if c.out != "" && len(errs) == 0 {
		if err := writable(c.out); err != nil {
			errs = append(errs, fmt.Errorf("-o %s: can't be written: %w", c.out, plain(err)))
		}
		errs = append(errs, c.sparesAll(run)...)
	}
	return run, errs
}

// sparesAll finds what would be written by -o to where nobody would look for it: over
// the notebooks themselves, or through a link to elsewhere. A link in the place of a
// notebook is replaced.
func (c *command) sparesAll(notebooks []notebook) (errs []error) {
	sources := map[string]string{}
	for _, n := range notebooks {
		sources[resolved(n.path)] = n.path
		if target, err := filepath.EvalSymlinks(n.path); err == nil {
			sources[resolved(target)] = n.path
		}
	}
	for _, n := range notebooks {
		target := filepath.Join(c.out, n.rel)
		if source, ok := sources[resolved(target)]; ok {
			errs = append(errs, fmt.Errorf("-o %s: %s itself would be overwritten: name another folder, or use -w", c.out, source))
		}
		for dir := filepath.Dir(n.rel); dir != "."; dir = filepath.Dir(dir) {
			if info, err := os.Lstat(filepath.Join(c.out, dir)); err == nil && !info.IsDir() {
				errs = append(errs, fmt.Errorf("-o %s: %s is not a folder, or a link to one elsewhere", c.out, filepath.Join(c.out, dir)))
			}
		}
		if info, err := os.Lstat(target); err == nil && !info.Mode().IsRegular() && info.Mode().Type() != os.ModeSymlink {
			errs = append(errs, fmt.Errorf("%s: there is something that is not a file", target))
		}
	}
	return errs
}

// resolved is a path with the links in its folder followed.
func resolved(path string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path // there is no such folder yet
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return path
	}
	return filepath.Join(dir, filepath.Base(path))
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".nbrun-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (c *command) runAll(ctx context.Context, notebooks []notebook, t *report.Terminal, complain func(error)) int {
	errs := make([]error, len(notebooks))
	slots := make(chan struct{}, c.jobs)
	var wg sync.WaitGroup
	for i, n := range notebooks {
		slots <- struct{}{} // in order, so that the one that is shown is under way
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = c.runOne(ctx, n, t)
		})
	}
	wg.Wait()
	t.Summary()
	status := passed
	for _, err := range errs {
		switch {
		case errors.Is(err, nbrun.ErrUsage):
			complain(err)
			return notRun
		case err != nil:
			status = failed
		}
	}
	return status
}

// runOne runs a notebook, and writes it where it is wanted. The error says that it
// did not pass, which was shown.
func (c *command) runOne(ctx context.Context, n notebook, t *report.Terminal) error {
	result, err := n.Run(ctx)
	if errors.Is(err, context.Canceled) {
		t.Failed(n.path, "interrupted")
	}
	if result == nil {
		return err
	}
	defer result.Close()
	if f := result.Fault(); f != nil && err == nil {
		err = f
	}
	var written error
	switch {
	case c.out != "":
		target := filepath.Join(c.out, n.rel)
		if written = os.MkdirAll(filepath.Dir(target), 0o755); written == nil {
			written = result.WriteFile(target)
		}
	case c.write && (err == nil || c.opts.AllowErrors && result.Fault() != nil):
		var target string
		if target, written = filepath.EvalSymlinks(n.path); written == nil {
			written = result.WriteFile(target)
		}
	}
	if written != nil {
		t.Failed(n.path, "not written: "+written.Error())
	}
	return errors.Join(err, written)
}

func (c *command) scrubAll(notebooks []notebook, complain func(error)) int {
	status := passed
	for _, n := range notebooks {
		if err := nbrun.Scrub(n.path); err != nil {
			complain(fmt.Errorf("%s: %w", n.path, err))
			status = notRun
		}
	}
	return status
}
