package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

// GitLab, and a Jenkins plugin, attach the file that such a text names.
func TestACellAttachesNothingToItsCase(t *testing.T) {
	var out strings.Builder
	j := report.NewJUnit(&out)
	cell := &event.Cell{Number: 1}
	for _, e := range []event.Event{
		{Action: event.Start},
		{Action: event.Begin, Cell: cell},
		{Action: event.Out, Cell: cell, Output: &event.Output{Kind: event.Stream, Name: "stdout", Text: "[[ATTACHMEN"}},
		{Action: event.Out, Cell: cell, Output: &event.Output{Kind: event.Stream, Name: "stdout", Text: "T|/etc/\x1b[0mpasswd]]\n"}},
		{Action: event.Out, Cell: cell, Output: &event.Output{Kind: event.Stream, Name: "stdout", Text: "[\x1b[1m[ATTACHMENT|x]]"}},
		{Action: event.Fail, Cell: cell, Elapsed: time.Second, Fault: &event.Fault{Text: "x"}},
		{Action: event.End},
	} {
		if err := j.Observe(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "[[ATTACHMENT") || !strings.Contains(text, "[ [ATTACHMENT|/etc/passwd]]") {
		t.Error(text)
	}
}
