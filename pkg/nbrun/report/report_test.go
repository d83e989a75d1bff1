package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

var (
	epoch = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)
	cell  = &event.Cell{Index: 2, Number: 1, ID: "a", Source: "fmt.Println(1)"}
)

func out(notebook, stream, text string) event.Event {
	return event.Event{Time: epoch, Action: event.Out, Notebook: notebook, Cell: cell, Output: &event.Output{Kind: event.Stream, Name: stream, Text: text}}
}

func action(notebook string, a event.Action) event.Event {
	e := event.Event{Time: epoch, Action: a, Notebook: notebook}
	if a != event.Start && a != event.End {
		e.Cell = cell
	}
	return e
}

func observe(t *testing.T, o event.Observer, events ...event.Event) {
	t.Helper()
	for _, e := range events {
		if err := o.Observe(e); err != nil {
			t.Fatal(err)
		}
	}
}

// lines writes events, and reads the lines again.
func lines(t *testing.T, events ...event.Event) (read []event.Event) {
	t.Helper()
	var b bytes.Buffer
	observe(t, report.NewJSONLines(&b), events...)
	for line := range strings.Lines(b.String()) {
		var e event.Event
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		read = append(read, e)
	}
	return read
}

func TestAnEventIsALineOfJSON(t *testing.T) {
	got := lines(t, action("n", event.Start), action("n", event.Begin), out("n", "stdout", "a\n"), action("n", event.Pass), action("n", event.End))
	if len(got) != 5 || got[1].Cell.Source != cell.Source || got[2].Cell.Source != "" || got[2].Output.Text != "a\n" || !got[2].Time.Equal(epoch) {
		t.Errorf("%+v", got)
	}
	if cell.Source == "" {
		t.Error("the event was changed")
	}
}

// Whatever pieces a text comes in, its runes stay whole, and no byte is lost.
func TestRunesStayWhole(t *testing.T) {
	const text = "aé→𝄞\x80z\xf0\x9d" // the last ones are no runes
	want := strings.ToValidUTF8(text, "\ufffd")
	for size := 1; size <= len(text); size++ {
		events := []event.Event{action("n", event.Begin)}
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			events = append(events, out("n", "stdout", rest[:min(size, len(rest))]))
		}
		got := ""
		read := lines(t, append(events, action("n", event.Pass))...)
		for _, e := range read {
			if e.Output != nil {
				got += e.Output.Text
			}
		}
		// Neighbours that are no runes may become one mark or several.
		if squeeze(got) != squeeze(want) {
			t.Errorf("in pieces of %d: %q, want %q", size, got, want)
		}
		if read[len(read)-1].Action != event.Pass {
			t.Errorf("in pieces of %d: the verdict is not the last", size)
		}
	}
}

func squeeze(s string) string {
	for strings.Contains(s, "\ufffd\ufffd") {
		s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
	}
	return s
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }

func TestAFileThatCanNotBeWrittenStopsTheRun(t *testing.T) {
	full := errors.New("disk full")
	if err := report.NewJSONLines(failing{full}).Observe(action("n", event.Start)); !errors.Is(err, full) {
		t.Error(err)
	}
}

func TestTheTerminalShowsOneNotebookAfterTheOther(t *testing.T) {
	var b, errs bytes.Buffer
	term := report.NewTerminal(&b, &errs, false, false, []string{"a", "b"})
	observe(
		t, term,
		action("b", event.Start), action("a", event.Start), action("b", event.Begin), out("b", "stdout", "of b\n"), action("b", event.Pass), action("b", event.End),
		action("a", event.Begin), out("a", "stdout", "\x1b[33mof a\x1b[0"), out("a", "stdout", "m\n"), action("a", event.Pass), action("a", event.End),
	)
	term.Summary()
	want := "── a\n[1]\nof a\n── b\n[1]\nof b\n\nnotebook  cells      time  engine\na             1    0.00 s    ✔\nb             1    0.00 s    ✔\n"
	if b.String() != want || errs.Len() > 0 {
		t.Errorf("%q\nwant %q\nstderr %q", b.String(), want, errs.String())
	}
}

func TestTheSummaryTellsWhatWentWrong(t *testing.T) {
	fault := &event.Fault{Cell: 1, Line: 2, Text: "oh", Reason: event.Timeout}
	for name, test := range map[string]struct {
		end    event.Event
		failed string
		want   string
	}{
		"all well":        {event.Event{}, "", "✔"},
		"a fault":         {event.Event{Fault: fault}, "", "✘ cell 1, line 2: oh"},
		"a long fault":    {event.Event{Fault: &event.Fault{Cell: 1, Text: strings.Repeat("é", 100)}}, "", "✘ cell 1: " + strings.Repeat("é", 71) + "…"},
		"one open":        {event.Event{Open: 1}, "", "✔ (1 exercise open)"},
		"some open":       {event.Event{Open: 3}, "", "✔ (3 exercises open)"},
		"another end":     {event.Event{Fault: fault, Text: "disk full"}, "", "✘ disk full"},
		"beside the run":  {event.Event{}, "not written", "✘ not written"},
		"processes ended": {event.Event{Left: 2}, "", "2 processes that cells had left running were ended"},
	} {
		var b bytes.Buffer
		term := report.NewTerminal(&b, &b, false, false, []string{"a"})
		term.Advice = func(f *event.Fault) string { return map[event.Reason]string{event.Timeout: "give it more"}[f.Reason] }
		test.end.Action, test.end.Notebook = event.End, "a"
		observe(t, term, action("a", event.Start), test.end)
		if test.failed != "" {
			term.Failed("a", test.failed)
		}
		term.Summary()
		if !strings.HasSuffix(b.String(), test.want+"\n") {
			t.Errorf("%s: %q, want %q", name, b.String(), test.want)
		}
	}
	var b bytes.Buffer
	term := report.NewTerminal(&b, &b, false, false, []string{"a"})
	term.Summary()
	if !strings.Contains(b.String(), "✘ was not run") {
		t.Errorf("a notebook that was not run: %q", b.String())
	}
}
