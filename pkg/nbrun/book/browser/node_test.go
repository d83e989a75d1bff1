package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/book/inpage"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// cellRun is what a cell came to, in a page or in nbrun.
type cellRun struct {
	outputs     []event.Output // neighbouring pieces of one stream are one
	fault       *event.Fault
	unsupported bool
	real        bool
}

func (c *cellRun) add(o event.Output) {
	if n := len(c.outputs); o.Kind == event.Stream && n > 0 && c.outputs[n-1].Kind == event.Stream && c.outputs[n-1].Name == o.Name {
		c.outputs[n-1].Text += o.Text
		return
	}
	c.outputs = append(c.outputs, o)
}

// plain is what a cell has put out, for comparing.
func (c *cellRun) plain() string {
	var b strings.Builder
	for _, o := range c.outputs {
		switch o.Kind {
		case event.Stream:
			text := o.Text
			if o.Name == "stderr" && strings.Contains(text, "goroutine ") {
				text, _, _ = strings.Cut(text, "\ngoroutine ")
			}
			b.WriteString(o.Name + ": " + text + "\n")
		case event.Error:
			b.WriteString("error: " + o.Value + "\n")
		default:
			data, _ := json.Marshal(o.Data)
			b.WriteString(string(o.Kind) + " " + string(data) + "\n")
		}
	}
	return b.String()
}

// inNode runs a notebook's cells as a page does.
func inNode(t *testing.T, path string, cells []event.Cell) map[int]*cellRun {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	type cell struct {
		Source    string
		RealClock bool
	}
	input := struct {
		Dir   string `json:"dir"`
		Temp  string `json:"temp"`
		Cells []cell `json:"cells"`
	}{filepath.Dir(path), inpage.Temp, nil}
	for _, c := range cells {
		input.Cells = append(input.Cells, cell{c.Source, hasTag(c, "real-clock")})
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "../testdata/run.js", site)
	cmd.Stdin = bytes.NewReader(text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	runs := map[int]*cellRun{}
	number := 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var told struct {
			Action event.Action
			Output *event.Output
			Fault  *event.Fault
		}
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			t.Fatalf("%v: %.200s", err, lines.Bytes())
		}
		switch told.Action {
		case event.Begin:
			number++
			runs[number] = &cellRun{}
		case event.Out:
			runs[number].add(*told.Output)
		case event.Fail:
			runs[number].fault = told.Fault
			runs[number].unsupported = told.Fault.Reason == event.Unsupported
		}
	}
	return runs
}

func hasTag(c event.Cell, tag string) bool {
	for _, t := range c.Tags {
		if t == tag {
			return true
		}
	}
	return false
}

// inNbrun runs a notebook on the virtual clock.
func inNbrun(t *testing.T, path string) ([]event.Cell, map[int]*cellRun) {
	t.Helper()
	runs := map[int]*cellRun{}
	var cells []event.Cell
	observer := event.ObserverFunc(func(e event.Event) error {
		switch e.Action {
		case event.Begin:
			cells = append(cells, *e.Cell)
			runs[e.Cell.Number] = &cellRun{}
		case event.Out:
			runs[e.Cell.Number].add(*e.Output)
		case event.Pass, event.Fail:
			runs[e.Cell.Number].fault = e.Fault
			runs[e.Cell.Number].real = e.Clock == event.Real
		}
		return nil
	})
	result, err := nbrun.Run(t.Context(), path, nbrun.Options{Clock: nbrun.Virtual, AllowErrors: true, Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Close(); err != nil {
		t.Fatal(err)
	}
	return cells, runs
}

// Each cell that a page can run puts out what it does in nbrun on the virtual clock.
// Of stack traces, the message and what comes before it are compared.
func TestLessonsPutOutWhatTheyDoInNbrun(t *testing.T) {
	for _, path := range lessons.All() {
		t.Run(lessons.Topic(path), func(t *testing.T) {
			if testing.Short() && lessons.Topic(path) != "synchronous" {
				t.Skip("only the first lesson in a short test")
			}
			cells, want := inNbrun(t, path)
			got := inNode(t, path, cells)
			same, not := 0, 0
			for _, c := range cells {
				g, w := got[c.Number], want[c.Number]
				switch {
				case g == nil:
					t.Errorf("cell %d: was not run", c.Number)
				case g.unsupported:
					not++
				case w.real:
					if (g.fault == nil) != (w.fault == nil) {
						t.Errorf("cell %d, on the real clock: %v, want %v", c.Number, g.fault, w.fault)
					}
				case g.plain() != w.plain():
					t.Errorf("cell %d: got\n%.2000s\nwant\n%.2000s", c.Number, g.plain(), w.plain())
				default:
					same++
				}
			}
			t.Logf("%d cells are the same, %d are not for a page, of %d", same, not, len(cells))
		})
	}
}
