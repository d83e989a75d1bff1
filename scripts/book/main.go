// Command book turns notebooks into pages: plain files, whose cells can be run and
// changed in the browser, by Go's own compiler.
//
//	book [-o site] [-serve] [notebooks or folders]
//
// Without arguments it makes the book of the folder notebooks. The exit status is 0,
// or 1 if the book could not be made.
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
	"syscall"

	"golang.org/x/term"

	"github.com/b3771e63/prodcons/pkg/nbrun/book"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "book: %s\n", report.Line(err.Error()))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr *os.File) error {
	f := flag.NewFlagSet("book", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	out := f.String("o", "site", "write the book to `folder`")
	serve := f.Bool("serve", false, "serve it to this machine, and print its address; Ctrl-C ends that")
	version := f.Bool("version", false, "make nothing; print the version of book, and of the Go that built it")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "usage: book [flags] [notebooks or folders]     (default: the folder notebooks)")
			f.SetOutput(stderr)
			f.PrintDefaults()
			return err
		}
		return fmt.Errorf("%w (book -h lists the flags)", err)
	}
	if *version {
		_, err := fmt.Fprintln(stdout, report.Version("book"))
		return err
	}
	paths := f.Args()
	if len(paths) == 0 {
		if _, err := os.Stat("notebooks"); errors.Is(err, os.ErrNotExist) {
			return errors.New("there is no folder notebooks here: name notebooks, or a folder of them")
		}
		paths = []string{"notebooks"}
	}
	notebooks, err := expand(paths)
	if err != nil {
		return err
	}
	p := progress{out: stderr, live: report.Live(term.IsTerminal(int(stderr.Fd())))}
	if err := book.Make(ctx, book.Options{Notebooks: notebooks, Out: *out, Tell: p.tell}); err != nil {
		p.tell("")
		if ctx.Err() != nil {
			return errors.New("interrupted: the book is not made")
		}
		return err
	}
	if !*serve {
		_, err := fmt.Fprintln(stdout, filepath.Join(*out, "index.html"))
		return err
	}
	return book.Serve(ctx, *out, func(address string) { fmt.Fprintln(stdout, address) })
}

// expand replaces each folder by its notebooks.
func expand(paths []string) ([]string, error) {
	var list []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no such notebook or folder", path)
		}
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			list = append(list, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(path, "*.ipynb"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: there are no notebooks in this folder", path)
		}
		list = append(list, found...)
	}
	return list, nil
}
