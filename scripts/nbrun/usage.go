package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/b3771e63/prodcons/pkg/nbrun"
)

// group is a group of flags that serve one purpose.
type group struct {
	purpose string
	flags   []string
}

// groups are all flags.
func groups() []group {
	var written []string
	for _, r := range reports {
		written = append(written, r.flag)
	}
	return []group{
		{"To run", []string{"engine", "kernel", "clock", "p", "j", "n"}},
		{"To choose what is run", []string{"only", "only-go", "failed", "fail-fast", "tag"}},
		{"To say what is a failure", []string{"check", "mask", "strict", "allow-errors"}},
		{"To keep the outputs", []string{"o", "w", "times"}},
		{"To report", append(written, "html")},
		{"To limit", []string{"timeout", "timeout-notebook", "timeout-run", "max-output", "max-memory"}},
		{"To do something else", []string{"params", "clear", "scrub", "version"}},
	}
}

// usage lists the flags by what they are for.
func usage(out io.Writer, all *flag.FlagSet) {
	fmt.Fprintln(out, "usage: nbrun [flags] [notebook.ipynb | folder ... | -]     (default: the folder notebooks; - is stdin, and the executed notebook goes to stdout)")
	for _, g := range groups() {
		fmt.Fprintf(out, "\n%s:\n", g.purpose)
		for _, name := range g.flags {
			f := all.Lookup(name)
			one := flag.NewFlagSet("", flag.ContinueOnError)
			one.SetOutput(out)
			one.Var(f.Value, f.Name, f.Usage)
			one.Lookup(name).DefValue = f.DefValue
			one.PrintDefaults()
		}
	}
	fmt.Fprintf(out, "\nWhat is built stays in the user's cache, in the folder nbrun: up to %d MiB, what was not used for longest goes first. It may be removed at any time.\n", nbrun.CacheLimit>>20)
}
