package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report/replay"
)

// The report observes a run, and writes its page and the index when it ends. Here the
// events are made up; nbrun.Options.Observer gets those of a run.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "pages")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	report, err := replay.Open(dir, []string{"docs/hello.ipynb"})
	if err != nil {
		panic(err)
	}
	at := time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)
	cell := &event.Cell{Number: 1, Source: "%%\nfmt.Println(42)"}
	for _, e := range []event.Event{
		{Action: event.Start, Engine: "go", Clock: event.Virtual},
		{Action: event.Begin, Cell: cell},
		{Action: event.Out, Cell: cell, Output: &event.Output{Kind: event.Stream, Name: "stdout", Text: "42\n"}},
		{Action: event.Pass, Cell: cell, Clock: event.Virtual},
		{Action: event.End},
	} {
		e.Time, e.Notebook = at, "docs/hello.ipynb"
		if err := report.Observe(e); err != nil {
			panic(err)
		}
	}
	if err := report.Close(); err != nil {
		panic(err)
	}
	pages, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, page := range pages {
		fmt.Println(filepath.Base(page))
	}
	// Output:
	// hello.html
	// index.html
}
