// Command verify checks what CI's other tools have made: notebooks that a kernel has
// run, pages, lines of events, and measurements. It prints what it has looked at, and
// its exit status is 1 if anything is wrong or missing.
//
//	verify ran NOTEBOOK...           every code cell was run, and no claim is false
//	verify rewritten NOTEBOOK...     NOTEBOOK.again is the same, byte for byte
//	verify same DIR DIR              the notebooks in both have outputs of the same kinds
//	verify pages NOTEBOOKS PAGES     pages show the notebooks' colours and pictures
//	verify started NOTEBOOK          its first cell did not take longer than the others
//	verify events FILE README        each cell has a verdict, and the story is as long as the README says
//	verify faster BENCHMARKS README  nbrun is as much faster than its peers as the README says
//	verify durable BENCHMARKS DOC    so is the durable queue, beside raw nats.go
//	verify image SIZES README        the image, by du -m, is as large as the README says
//	verify first TIMES TIMES README  so is what the first command takes, and little is left to do then
package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// checks are what can be verified, with the number of arguments; 0 is any number above.
var checks = map[string]struct {
	args  int
	check func(out io.Writer, args []string) error
}{
	"ran":       {0, ran},
	"rewritten": {0, rewritten},
	"same":      {2, same},
	"pages":     {2, pages},
	"started":   {1, started},
	"events":    {2, events},
	"faster":    {2, faster},
	"durable":   {2, durable},
	"image":     {2, image},
	"first":     {3, first},
}

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want a check (%s) and what to check", strings.Join(slices.Sorted(maps.Keys(checks)), ", "))
	}
	c, ok := checks[args[0]]
	if args = args[1:]; !ok || c.args > 0 && len(args) != c.args {
		return fmt.Errorf("unknown check, or %d arguments where it takes others: go doc of this command lists them", len(args))
	}
	return c.check(out, args)
}
