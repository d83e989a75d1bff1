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
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/b3771e63/prodcons/pkg/nbrun"
)

// Exit statuses.
const (
	passed = iota
	failed
	notRun
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is what the flags say.
type command struct {
	opts  nbrun.Options
	out   string // folder for executed copies
	write bool   // back in place
	scrub bool
	jobs  int
}

func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	c, paths, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return passed
	}
	complain := func(err error) { fmt.Fprintf(stderr, "nbrun: %v\n", err) }
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
	notebooks, errs := c.check(notebooks)
	for _, err := range errs {
		complain(err)
	}
	if len(errs) > 0 || len(notebooks) == 0 {
		return notRun
	}
	return c.runAll(ctx, notebooks, newTerminal(stdout, stderr), complain)
}

func parse(args []string, stderr io.Writer) (*command, []string, error) {
	c := &command{opts: nbrun.Options{Params: map[string]string{}}}
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
	f.BoolVar(&c.opts.AllowErrors, "allow-errors", false, "go on after a cell that fails")
	f.IntVar(&c.jobs, "j", 0, "`notebooks` at a time; 0 is 1 on the real clock and one for each core on the virtual one")
	f.BoolVar(&c.scrub, "scrub", false, "run nothing; take the machine's paths out of the outputs in the notebooks, and join the pieces of each stream")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "usage: nbrun [flags] [notebook.ipynb | folder ...]     (default: the folder notebooks)")
			f.SetOutput(stderr)
			f.PrintDefaults()
			return nil, nil, err
		}
		return nil, nil, fmt.Errorf("%w (nbrun -h tells the flags)", err)
	}
	c.opts.Engine, c.opts.Clock = nbrun.Engine(*engine), nbrun.Clock(*clock)
	if err := c.opts.Check(); err != nil {
		return nil, nil, err
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
		return nil, nil, errors.New("-w and -o: take one of them")
	}
	paths := f.Args()
	if len(paths) == 0 {
		paths = []string{"notebooks"}
	}
	return c, paths, nil
}

// notebook is a file to run.
type notebook struct {
	path  string
	rel   string // its place below the folder that -o names
	asked bool   // by its own name, not by that of its folder
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
			found = append(found, notebook{path, filepath.Base(path), true})
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
				found = append(found, notebook{p, rel, false})
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
	return found, nil
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
func (c *command) check(notebooks []notebook) (run []notebook, errs []error) {
	targets := map[string]string{}
	for _, n := range notebooks {
		switch err := nbrun.Check(n.path, c.opts); {
		case errors.Is(err, nbrun.ErrLanguage) && !n.asked && len(notebooks) > 1:
			continue
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", n.path, err))
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
	}
	return run, errs
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

// outcome is what became of a notebook.
type outcome struct {
	path   string
	result *nbrun.Result
	err    error
	write  error
}

func (c *command) runAll(ctx context.Context, notebooks []notebook, t *terminal, complain func(error)) int {
	outcomes := make([]outcome, len(notebooks))
	slots := make(chan struct{}, c.jobs)
	var wg sync.WaitGroup
	for i, n := range notebooks {
		slots <- struct{}{} // in order, so that the one that is shown is under way
		wg.Go(func() {
			defer func() { <-slots }()
			outcomes[i] = c.runOne(ctx, n, t.notebook(i, n.path))
			t.done(i)
		})
	}
	wg.Wait()
	t.summary(outcomes, c.opts)
	status := passed
	for _, o := range outcomes {
		switch {
		case errors.Is(o.err, nbrun.ErrUsage):
			complain(fmt.Errorf("%s: %w", o.path, o.err))
			return notRun
		case o.err != nil || o.write != nil || o.result.Failure != nil:
			status = failed
		}
	}
	return status
}

func (c *command) runOne(ctx context.Context, n notebook, view *view) outcome {
	o := outcome{path: n.path}
	opts := c.opts
	opts.Observer = view
	o.result, o.err = nbrun.Run(ctx, n.path, opts)
	if o.result == nil {
		return o
	}
	defer o.result.Close()
	switch {
	case c.out != "":
		target := filepath.Join(c.out, n.rel)
		if o.write = os.MkdirAll(filepath.Dir(target), 0o755); o.write == nil {
			o.write = o.result.WriteFile(target)
		}
	case c.write && o.err == nil && (o.result.Failure == nil || opts.AllowErrors):
		o.write = o.result.WriteFile(n.path)
	}
	return o
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

// cellList writes cells for a person: 3, 5 and 8.
func cellList(cells []int) string {
	words := make([]string, 0, len(cells))
	for _, c := range slices.Compact(slices.Clone(cells)) {
		words = append(words, fmt.Sprint(c))
	}
	if len(words) == 1 {
		return "cell " + words[0]
	}
	return "cells " + strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
