// Command lab opens notebooks in JupyterLab, with the GoNB kernel that this module
// pins: it builds the kernel, starts JupyterLab and prints its address.
//
//	lab [flags] [folder | notebook.ipynb]
//
// Without an argument it serves copies of the notebooks in the folder notebooks,
// without outputs, in the folder my-notebooks beside it: what somebody does in them
// stays there until -reset makes them anew. With -recorded it serves the notebooks
// themselves, as it does with an argument. Ctrl-C ends JupyterLab, the kernels and
// everything that they have started. The exit status is 0 after that, and 1 when
// something is missing or JupyterLab ended on its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fatih/color"

	"github.com/b3771e63/prodcons/pkg/nbrun/lab"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

func main() {
	// A second signal changes nothing: ending takes seconds, and should be clean.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		if !errors.Is(err, errFound) {
			fmt.Fprintf(os.Stderr, "lab: %s\n", report.Line(err.Error()))
		}
		os.Exit(1)
	}
}

// errFound means that -check has found, and reported, what is missing.
var errFound = errors.New("something is missing")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opts, only, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if only == "version" {
		_, err := fmt.Fprintln(stdout, report.Version("lab"))
		return err
	}
	if only == "copy" {
		folder, err := lab.Copy(opts)
		if err == nil {
			fmt.Fprintln(stdout, folder)
		}
		return err
	}
	if only == "check" {
		for _, f := range lab.Check(ctx, opts) {
			mark := color.GreenString("✔")
			if !f.OK {
				mark, err = color.RedString("✘"), errFound
			}
			text := f.Text
			if !f.OK {
				text += advice(f.Err)
			}
			fmt.Fprintln(stdout, mark, report.Line(text))
		}
		return err
	}
	opts.Tell = func(line string) { fmt.Fprintf(stderr, "lab: %s\n", report.Line(line)) }
	server, err := lab.Start(ctx, opts)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, advice(err))
	}
	fmt.Fprintf(stdout, "%s\n%s\n", color.New(color.Bold).Sprint(server.URL), color.New(color.Faint).Sprint("Ctrl-C ends it, and all kernels."))
	return server.Wait(ctx)
}

// advice says what a user of the command can do about an error.
func advice(err error) string {
	if errors.Is(err, lab.ErrNoJupyter) {
		return ", or -install, which puts it into the cache"
	}
	return ""
}

// parse reads the flags. If only is not empty, it is what to do instead of starting
// JupyterLab.
func parse(args []string, stderr io.Writer) (opts lab.Options, only string, err error) {
	f := flag.NewFlagSet("lab", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	check := f.Bool("check", false, "start nothing; say what is there and what is missing")
	copies := f.Bool("copy", false, "start nothing; make your copies of the lessons where there are none, and print their folder")
	f.BoolVar(&opts.Install, "install", false, "if there is no JupyterLab on PATH, put one into the cache (needs Python)")
	f.IntVar(&opts.Port, "port", 0, "listen on port `N` of this machine; 0 is 8888, or the next one that is free")
	reset := f.Bool("reset", false, "make your copies of the lessons anew; what you did goes to the folder my-notebooks/before")
	recorded := f.Bool("recorded", false, "open the lessons themselves, with the outputs that were recorded, to read them")
	version := f.Bool("version", false, "start nothing; print the version of lab, and of the Go that built it")
	noBrowser := f.Bool("no-browser", false, "only print the address")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "usage: lab [flags] [folder | notebook.ipynb]     (default: your copies of the lessons)")
			f.SetOutput(stderr)
			f.PrintDefaults()
			return opts, "", err
		}
		return opts, "", fmt.Errorf("%w (lab -h lists the flags)", err)
	}
	if opts.Port < 0 || opts.Port > 65535 {
		return opts, "", fmt.Errorf("-port %d: a port is a number from 1 to 65535", opts.Port)
	}
	if f.NArg() > 1 {
		return opts, "", fmt.Errorf("one folder or notebook at a time, got %d (flags go before it)", f.NArg())
	}
	switch {
	case *reset && (*recorded || f.NArg() > 0):
		return opts, "", errors.New("-reset makes new copies of the lessons: it can't be used with -recorded or a folder")
	case *copies && (*check || *recorded || f.NArg() > 0):
		return opts, "", errors.New("-copy makes your copies of the lessons: it can't be used with -check, -recorded or a folder")
	case *reset:
		opts.Copies = lab.Reset
	case !*recorded && f.NArg() == 0:
		opts.Copies = lab.Kept
	}
	opts.Path, opts.Browser = f.Arg(0), !*noBrowser
	switch {
	case *version:
		only = "version"
	case *check:
		only = "check"
	case *copies:
		only = "copy"
	}
	return opts, only, nil
}
