package nbrun

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// admitted describes what a limit keeps of outputs.
func admitted(l *limit, outputs ...event.Output) (kept []event.Output, notes string) {
	for _, o := range outputs {
		for _, k := range l.admit(o) {
			if strings.HasPrefix(k.Text, "[nbrun: ") {
				notes += k.Text
			} else {
				kept = append(kept, k)
			}
		}
	}
	return kept, notes
}

func stream(name, text string) event.Output {
	return event.Output{Kind: event.Stream, Name: name, Text: text}
}

func TestWhatIsBeyondTheLimitIsNotKept(t *testing.T) {
	const most = 10_000
	l := newLimits(most).cell()
	kept, notes := admitted(l, stream("stdout", strings.Repeat("é", 4_000)), stream("stdout", strings.Repeat("ü", 4_000)), stream("stdout", "more"))
	var text string
	for _, k := range kept {
		text += k.Text
	}
	if len(text) > most || len(text) < most-2*newCost || !utf8.ValidString(text) {
		t.Errorf("%d bytes are kept of %d", len(text), most)
	}
	if notes != "[nbrun: the cell has written more than 10000 bytes; the rest is not kept]\n" {
		t.Errorf("%q", notes)
	}
	if l.dropped == 0 {
		t.Error("nothing is said to be dropped")
	}
	for name, test := range map[string]struct {
		o    event.Output
		most int // of these
	}{
		"single bytes":             {stream("stdout", "x"), most / pieceCost},
		"clearing":                 {event.Output{Kind: event.Clear}, most / pieceCost},
		"displays":                 {event.Output{Kind: event.Display, Data: map[string]any{"text/plain": "x"}}, most / newCost},
		"updates":                  {event.Output{Kind: event.Update, ID: "a", Data: map[string]any{"text/plain": "x"}}, most / newCost},
		"lists of nothing":         {event.Output{Kind: event.Display, Data: map[string]any{"application/json": make([]any, 100)}}, most / 100 / valueCost},
		"results":                  {event.Output{Kind: event.Result, Data: map[string]any{"text/plain": strings.Repeat("x", 1000)}}, most / 1000},
		"errors":                   {event.Output{Kind: event.Error, Value: "x"}, maxErrors},
		"displays nested too deep": {event.Output{Kind: event.Display, Data: map[string]any{"application/json": nested(maxDepth + 1)}}, 0},
	} {
		l := newLimits(most).cell()
		var all []event.Output
		for range 1000 {
			kept, _ := admitted(l, test.o)
			all = append(all, kept...)
		}
		if len(all) > test.most || test.most > 0 && len(all) == 0 {
			t.Errorf("%s: %d are kept, want %d at most", name, len(all), test.most)
		}
	}
}

func nested(depth int) any {
	var v any = "x"
	for range depth {
		v = []any{v}
	}
	return v
}

func TestAFewDeepListsAreKept(t *testing.T) {
	kept, notes := admitted(newLimits(DefaultMaxOutput).cell(), event.Output{Kind: event.Display, Data: map[string]any{"application/json": nested(100)}})
	if len(kept) != 1 || notes != "" {
		t.Errorf("%v, %q", kept, notes)
	}
}

func TestTheCellsOfANotebookHaveALimitTogether(t *testing.T) {
	const most = 10_000
	l := newLimits(most)
	total, said := 0, ""
	for range 20 {
		kept, notes := admitted(l.cell(), stream("stdout", strings.Repeat("x", most-newCost)))
		for _, k := range kept {
			total += len(k.Text)
		}
		said += notes
	}
	if total > allCells*most || total < allCells*(most-2*newCost) {
		t.Errorf("%d bytes are kept", total)
	}
	if !strings.HasPrefix(said, "[nbrun: the notebook's cells have written more than 80000 bytes; the rest is not kept]\n") {
		t.Errorf("%q", said)
	}
}

// What the runner says about a cell's end is not lost among its outputs, and is not
// longer than anybody would read.
func TestAFaultIsToldBeyondTheLimit(t *testing.T) {
	l := newLimits(1000).cell()
	long := strings.Repeat("x", 1<<20)
	_, _ = admitted(l, stream("stdout", long))
	kept, _ := admitted(l, event.Output{Kind: event.Error, Value: "exit status 2", Traceback: []string{"a", long, long}})
	if len(kept) != 1 || kept[0].Value != "exit status 2" || len(fmt.Sprint(kept[0].Traceback)) > maxWords+10 {
		t.Errorf("%.300v", kept)
	}
}
