package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/book"
	"github.com/b3771e63/prodcons/pkg/nbrun/book/inpage"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// cellRun is the result of a cell, in a page or in nbrun.
type cellRun struct {
	outputs     []event.Output // neighbouring pieces of one stream are one
	fault       *event.Fault
	unsupported bool
}

func (c *cellRun) add(o event.Output) {
	if n := len(c.outputs); o.Kind == event.Stream && n > 0 && c.outputs[n-1].Kind == event.Stream && c.outputs[n-1].Name == o.Name {
		c.outputs[n-1].Text += o.Text
		return
	}
	c.outputs = append(c.outputs, o)
}

// plain is the cell's output, for comparison.
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
			data := maps.Clone(o.Data)
			if data["image/svg+xml"] != nil {
				delete(data, "image/png") // package picture doesn't draw it for a browser
			}
			text, _ := json.Marshal(data)
			b.WriteString(string(o.Kind) + " " + string(text) + "\n")
		}
	}
	return b.String()
}

// visited is a notebook whose cells are run as its page does, the numbers of those cells,
// and the observer of the run.
type visited struct {
	path     string
	cells    []event.Cell
	order    []int
	observer event.Observer
}

// inNode runs notebooks one after the other, as pages of a site do. A program is stopped
// after some seconds: with a single thread, one that spins never ends.
func inNode(t *testing.T, site string, notebooks ...visited) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	type cell struct {
		Source    string
		RealClock bool
	}
	type notebook struct {
		Dir   string `json:"dir"`
		Cells []cell `json:"cells"`
		Order []int  `json:"order"`
	}
	input := struct {
		Temp      string     `json:"temp"`
		Patience  int64      `json:"patience"` // in ms
		Notebooks []notebook `json:"notebooks"`
	}{Temp: inpage.Temp, Patience: 10_000}
	for _, v := range notebooks {
		nb := notebook{Dir: filepath.Dir(v.path), Order: v.order}
		for _, c := range v.cells {
			nb.Cells = append(nb.Cells, cell{c.Source, hasTag(c, "real-clock")})
		}
		input.Notebooks = append(input.Notebooks, nb)
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "../testdata/run.js", site)
	cmd.Stdin = bytes.NewReader(text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	var now visited
	number := 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var told event.Event
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			t.Fatalf("%v: %.200s", err, lines.Bytes())
		}
		switch told.Action {
		case event.Start:
			now, notebooks = notebooks[0], notebooks[1:]
			continue
		case event.Begin:
			number, now.order = now.order[0], now.order[1:]
		}
		told.Cell = &now.cells[number-1]
		if err := now.observer.Observe(told); err != nil {
			t.Fatal(err)
		}
	}
}

// runs is an observer that collects the results of cells by number.
type runs map[int]*cellRun

func (r runs) Observe(e event.Event) error {
	switch e.Action {
	case event.Begin:
		r[e.Cell.Number] = &cellRun{}
	case event.Out:
		r[e.Cell.Number].add(*e.Output)
	case event.Pass, event.Fail:
		r[e.Cell.Number].fault = e.Fault
		r[e.Cell.Number].unsupported = e.Fault != nil && e.Fault.Reason == event.Unsupported
	}
	return nil
}

func hasTag(c event.Cell, tag string) bool { return slices.Contains(c.Tags, tag) }

// inNbrun runs a notebook on the virtual clock.
func inNbrun(t *testing.T, path string) ([]event.Cell, runs) {
	t.Helper()
	all := runs{}
	var cells []event.Cell
	observer := event.ObserverFunc(func(e event.Event) error {
		if e.Action == event.Begin {
			cells = append(cells, *e.Cell)
		}
		return all.Observe(e)
	})
	result, err := nbrun.Run(t.Context(), path, nbrun.Options{Clock: nbrun.Virtual, AllowErrors: true, Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Close(); err != nil {
		t.Fatal(err)
	}
	return cells, all
}

// Each cell that a page can run has the same output as in nbrun on the virtual clock. Of
// a stack trace, only the message and what precedes it are compared.
func TestLessonsPutOutWhatTheyDoInNbrun(t *testing.T) {
	for _, path := range lessons.All() {
		t.Run(lessons.Topic(path), func(t *testing.T) {
			if testing.Short() && lessons.Topic(path) != "synchronous" {
				t.Skip("only the first lesson in a short test")
			}
			cells, want := inNbrun(t, path)
			got := runs{}
			var order []int
			for _, c := range cells {
				if !hasTag(c, "real-clock") {
					order = append(order, c.Number)
				}
			}
			inNode(t, site, visited{path, cells, order, got})
			said := saidBefore(t, path)
			same, not, real := 0, 0, 0
			for _, c := range cells {
				g, w := got[c.Number], want[c.Number]
				switch {
				case hasTag(c, "real-clock"):
					real++
				case g == nil:
					t.Errorf("cell %d: was not run", c.Number)
				case said[c.Number]:
					not++
				case g.unsupported:
					t.Errorf("cell %d: the page does not say before that it can't run it: %v", c.Number, g.fault)
				case g.plain() != w.plain():
					at := firstDifference(g.plain(), w.plain())
					t.Errorf("cell %d: from byte %d on got\n%.1000s\nwant\n%.1000s", c.Number, at, g.plain()[at:], w.plain()[at:])
				default:
					same++
				}
			}
			t.Logf("of %d cells, %d put out the same, %d are not for a page, %d need the real clock", len(cells), same, not, real)
		})
	}
}

// firstDifference is where two texts begin to differ, or a little before that.
func firstDifference(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return max(n-100, 0)
}

// saidBefore returns the cells that a page says it can't run, because they, or cells they
// depend on, need something that a page lacks.
func saidBefore(t *testing.T, path string) map[int]bool {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(site, strings.TrimSuffix(filepath.Base(path), ".ipynb")+".html"))
	if err != nil {
		t.Fatal(err)
	}
	said := map[int]bool{}
	for _, m := range regexp.MustCompile(`data-number="(\d+)" data-unsupported`).FindAllSubmatch(page, -1) {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		said[n] = true
	}
	return said
}

// Notebooks of another module, with packages of its own and of third parties, become
// pages that run.
func TestAnotherModule(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	sums, err := os.ReadFile("../../../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("../../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	requires := regexp.MustCompile(`(?m)^\t(?:github.com/(?:fatih/color|mattn/\S+)|golang.org/x/sys) v.*$`).FindAllString(string(ours), -1)
	notebook := `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
		{"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": null, "source": "import (\n\t\"example.com/other/greet\"\n\t\"github.com/fatih/color\"\n)"},
		{"cell_type": "code", "id": "b", "metadata": {}, "outputs": [], "execution_count": null, "source": "%%\ncolor.NoColor = false\ncolor.Red(greet.Who())"},
		{"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "execution_count": null, "source": "%test\nfunc TestWho(t *testing.T) {\n\tif greet.Who() != \"you\" {\n\t\tt.Error(greet.Who())\n\t}\n}"},
		{"cell_type": "code", "id": "d", "metadata": {"tags": ["real-clock"]}, "outputs": [], "execution_count": null, "source": "%%\nready := make(chan bool)\ngo func() {\n\ttime.Sleep(time.Millisecond)\n\tready <- true\n}()\nfor got := false; !got; {\n\tselect { // spins, where there is one thread only\n\tcase got = <-ready:\n\tdefault:\n\t}\n}\nfmt.Println(\"ready\")"}]}`
	mod := "module example.com/other\n\ngo 1.26.0\n\nrequire (\n" + strings.Join(requires, "\n") + "\n)\n"
	for name, text := range map[string]string{"go.mod": mod, "go.sum": string(sums), "greet/greet.go": "package greet\n\nfunc Who() string { return \"you\" }\n", "one.ipynb": notebook} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "one.ipynb")
	if err := book.Make(t.Context(), book.Options{Notebooks: []string{path}, Out: out}); err != nil {
		t.Fatal(err)
	}
	cells, want := inNbrun(t, path)
	got := runs{}
	inNode(t, out, visited{path, cells, []int{1, 2, 3, 4}, got})
	for _, c := range cells {
		if g, w := got[c.Number], want[c.Number]; g.plain() != w.plain() || g.fault != nil {
			t.Errorf("cell %d: got\n%s%v\nwant\n%s", c.Number, g.plain(), g.fault, w.plain())
		}
	}
}
