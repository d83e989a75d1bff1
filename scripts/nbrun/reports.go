package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
	"github.com/b3771e63/prodcons/pkg/nbrun/report/replay"
)

// reports are the forms in which a run can be written down. Each has a flag that names
// its file. An observer that is an io.Closer is closed when all notebooks have ended.
var reports = []struct {
	flag, usage string
	new         func(io.Writer) event.Observer
}{
	{"json", "write what happens, as lines of JSON", func(w io.Writer) event.Observer { return report.NewJSONLines(w) }},
	{"junit", "write a suite for each notebook and a case for each cell, as JUnit's XML", func(w io.Writer) event.Observer { return report.NewJUnit(w) }},
}

// openReports opens the files of the reports that are asked for, all of them or
// none. No notebook is overwritten.
func (c *command) openReports(stdout *watched, notebooks []notebook) (observers []event.Observer, closeAll func() error, err error) {
	var closers []func() error
	closeAll = func() error {
		var errs []error
		for _, f := range closers {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	for _, r := range reports {
		name, asked := c.reports[r.flag]
		if !asked {
			continue
		}
		failed := func(err error) error { return fmt.Errorf("-%s %s: %w", r.flag, name, err) }
		var file io.Writer = stdout
		closeFile := func() error { return nil } // stdout is not ours to close
		if name != "-" {
			if err := spare(name, notebooks); err != nil {
				return nil, nil, errors.Join(failed(err), closeAll())
			}
			f, err := os.Create(name)
			if err != nil {
				return nil, nil, errors.Join(failed(fmt.Errorf("can't be written: %w", plain(err))), closeAll())
			}
			file, closeFile = f, f.Close
		}
		o := r.new(file)
		observers = append(observers, o)
		closers = append(closers, func() error {
			var err error
			if closer, ok := o.(io.Closer); ok {
				err = closer.Close()
			}
			if err = errors.Join(err, closeFile()); err != nil {
				return failed(plain(err))
			}
			return nil
		})
	}
	if c.html != "" {
		o, err := replay.Open(c.html, names(notebooks))
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("-html %s: %w", c.html, plain(err)), closeAll())
		}
		observers = append(observers, o)
		closers = append(closers, func() error {
			if err := o.Close(); err != nil {
				return fmt.Errorf("-html %s: %w", c.html, err)
			}
			return nil
		})
	}
	return observers, closeAll, nil
}

// names are those that the notebooks are known by in events.
func names(notebooks []notebook) []string {
	list := make([]string, len(notebooks))
	for i, n := range notebooks {
		list[i] = n.path
	}
	return list
}

// openGitHub returns an observer that reports to GitHub Actions, if this is one of its
// workflows: in its log, and in the summary of its job. Nothing is shown before it is
// closed.
func openGitHub(log io.Writer) (observer event.Observer, closeAll func() error, err error) {
	if os.Getenv("GITHUB_ACTIONS") != "true" {
		return nil, func() error { return nil }, nil
	}
	var summary io.Writer = io.Discard
	closeFile := func() error { return nil }
	if name := os.Getenv("GITHUB_STEP_SUMMARY"); name != "" {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, nil, fmt.Errorf("GITHUB_STEP_SUMMARY=%s: can't be written: %w", name, plain(err))
		}
		summary, closeFile = f, f.Close
	}
	g := report.NewGitHub(log, summary)
	return g, func() error { return errors.Join(g.Close(), closeFile()) }, nil
}

// spare returns an error if a report must not be written to a file because it is a
// notebook, or will be one.
func spare(name string, notebooks []notebook) error {
	if filepath.Ext(name) == ".ipynb" {
		return errors.New("is the name of a notebook, which would be overwritten: name another file")
	}
	if info, err := os.Stat(name); err == nil {
		for _, n := range notebooks {
			if other, err := os.Stat(n.path); err == nil && os.SameFile(info, other) {
				return fmt.Errorf("is the notebook %s: name another file", n.path)
			}
		}
	}
	if target, err := os.Readlink(name); err == nil && !isDevice(name) {
		return fmt.Errorf("is a link to %s, which would be overwritten: name that, or remove the link", target)
	}
	return nil
}

// isDevice reports whether a name is one that the system has for something already
// open, such as /dev/stdout.
func isDevice(name string) bool {
	name = filepath.ToSlash(filepath.Clean(name))
	return strings.HasPrefix(name, "/dev/") || strings.HasPrefix(name, "/proc/")
}
