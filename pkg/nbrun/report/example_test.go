package report_test

import (
	"fmt"
	"os"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

// told are the events of a run of one cell.
func told(o event.Observer) {
	at := time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)
	c := &event.Cell{Number: 1}
	for _, e := range []event.Event{
		{Time: at, Action: event.Begin, Notebook: "a.ipynb", Cell: c},
		{Time: at, Action: event.Out, Notebook: "a.ipynb", Cell: c, Output: &event.Output{Kind: event.Stream, Name: "stdout", Text: "hello\n"}},
		{Time: at, Action: event.Pass, Notebook: "a.ipynb", Cell: c, Elapsed: time.Second},
	} {
		if err := o.Observe(e); err != nil {
			panic(err)
		}
	}
}

func ExampleNewJSONLines() {
	told(report.NewJSONLines(os.Stdout))
	// Output:
	// {"time":"2009-11-10T23:00:00Z","action":"cell","notebook":"a.ipynb","cell":{"index":0,"number":1}}
	// {"time":"2009-11-10T23:00:00Z","action":"output","notebook":"a.ipynb","cell":{"index":0,"number":1},"output":{"kind":"stream","name":"stdout","text":"hello\n"}}
	// {"time":"2009-11-10T23:00:00Z","action":"pass","notebook":"a.ipynb","cell":{"index":0,"number":1},"elapsed":1000000000}
}

// What a cell writes can't pass for a command of GitHub Actions.
func ExamplePlain() {
	fmt.Print(report.Plain("::error::all is lost\n\x1b[31mred\x1b[0m\n"))
	// Output:
	// :\:error::all is lost
	// red
}
