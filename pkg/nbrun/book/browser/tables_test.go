package browser_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons/exercises"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/truth"
)

// rerun runs all cells of notebooks as pages do. It returns the notebooks with their
// outputs, and the cells' faults by number.
func rerun(t *testing.T, path string, notebooks []*ipynb.Notebook) (done []*ipynb.Notebook, faults []map[int]*event.Fault) {
	t.Helper()
	var all []visited
	for _, nb := range notebooks {
		v, failed := visited{path: path}, map[int]*event.Fault{}
		for i, c := range nb.Cells {
			if c.Type == "code" && strings.TrimSpace(c.Source) != "" {
				v.cells = append(v.cells, event.Cell{Index: i, Number: len(v.cells) + 1, Source: c.Source, Tags: c.Tags})
				v.order = append(v.order, len(v.cells))
			}
		}
		v.observer = event.All(nb.Recorder(false), event.ObserverFunc(func(e event.Event) error {
			if e.Action == event.Fail {
				failed[e.Cell.Number] = e.Fault
			}
			return nil
		}))
		all, faults = append(all, v), append(faults, failed)
	}
	inNode(t, site, all...)
	for _, nb := range notebooks {
		var b bytes.Buffer
		if _, err := nb.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		read, err := ipynb.Read(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, read)
	}
	return done, faults
}

var update = flag.Bool("update", false, "record the page's answers where the table of truth says that they may differ")

// The table of truth in a page: a cell gives the same answer as in nbrun, or a different
// one for the reason given in the table, or it is refused with a line that says why.
func TestTruthInAPage(t *testing.T) {
	files, err := filepath.Glob("../../testdata/truth/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	if testing.Short() {
		files = files[:1]
	}
	const dir = "/home/truth"
	var tables []*truth.Table
	var notebooks []*ipynb.Notebook
	for _, file := range files {
		table, err := truth.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		nb, err := ipynb.Read([]byte(`{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`))
		if err != nil {
			t.Fatal(err)
		}
		for i, source := range table.Sources() {
			nb.Insert(i, source)
		}
		tables, notebooks = append(tables, table), append(notebooks, nb)
	}
	done, faults := rerun(t, dir+"/truth.ipynb", notebooks)
	for i, table := range tables {
		t.Run(strings.TrimSuffix(filepath.Base(files[i]), ".txtar"), func(t *testing.T) {
			answers, err := table.Answers(done[i], faults[i], dir)
			if err != nil {
				t.Fatal(err)
			}
			refused := 0
			for k, name := range table.Names {
				if a := answers[k]; a.Refused && strings.Contains(a.Text, ": a page ") {
					refused++
				} else if err := table.Check(name, "page", a, *update); err != nil {
					t.Error(err)
				}
			}
			t.Logf("of %d cells, %d are refused", len(table.Names), refused)
			if *update {
				if err := os.WriteFile(files[i], table.Format(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// In a page, whoever solves an exercise is told so, and whoever gives a wrong answer is
// told what is wrong. Where a check is not for a page, as it needs the race detector, the
// page says that and calls no wrong answer solved.
func TestExercisesInAPage(t *testing.T) {
	for _, path := range lessons.All() {
		t.Run(lessons.Topic(path), func(t *testing.T) {
			nb, all, err := exercises.Of(path)
			if err != nil {
				t.Fatal(err)
			}
			if testing.Short() {
				if lessons.Topic(path) != "synchronous" {
					t.Skip("only one exercise in a short test")
				}
				all = all[:1]
			}
			data, said, err := exercises.Attempt(nb, all)
			if err != nil {
				t.Fatal(err)
			}
			attempt, err := ipynb.Read(data)
			if err != nil {
				t.Fatal(err)
			}
			done, faults := rerun(t, path, []*ipynb.Notebook{attempt})
			lacks := false // a cell needs what no page has
			for _, f := range faults[0] {
				lacks = lacks || f.Reason == event.Unsupported
			}
			for n, f := range faults[0] {
				follows := lacks && strings.HasPrefix(f.Text, "undefined: ") // such a cell was to declare it
				if !attempt.Cells[n-1].HasTag("raises-exception") && f.Reason != event.Unsupported && !follows {
					t.Error(f)
				}
			}
			refused := func(text string) bool {
				if exercises.Solved(text) || strings.Contains(text, "✘") {
					return strings.Contains(text, "a page ")
				}
				return strings.Contains(text, "a page ") || lacks && strings.Contains(text, ": undefined: ")
			}
			for i, answers := range said(done[0]) {
				judge(t, all[i], answers, refused)
			}
		})
	}
}

// judge checks what the wrong answers and the solution are told, unless that is that a
// page can't tell.
func judge(t *testing.T, e exercises.Exercise, said []string, refused func(text string) bool) {
	t.Helper()
	judged := 0
	for k, text := range said {
		var wrong error
		solution := k == len(e.Wrong)
		if !solution {
			wrong = e.Wrong[k].Judge(text)
		}
		switch {
		case refused(text) && strings.Contains(text, "Solved."):
			t.Errorf("cell %d: a page that can't tell says\n%s", e.At+1, text)
		case refused(text):
			continue
		case solution && !exercises.Solved(text):
			t.Errorf("cell %d: the solution is told\n%s", e.At+1, text)
		case wrong != nil:
			t.Errorf("cell %d: %v", e.At+1, wrong)
		}
		judged++
	}
	t.Logf("cell %d: of %d answers, %d are judged, and of %d the page says that it can't", e.At+1, len(said), judged, len(said)-judged)
}

// The first exercise of a lesson, wrong and right, as a learner does it: the answer is
// typed into the cell's editor, and the check is run.
func TestAnExerciseInTheEditor(t *testing.T) {
	if testing.Short() {
		t.Skip("under node it is done faster")
	}
	path := lessons.Named("synchronous")
	nb, all, err := exercises.Of(path)
	if err != nil {
		t.Fatal(err)
	}
	e := all[0]
	number := func(at int) (n int) {
		for _, c := range nb.Cells[:at+1] {
			if c.Type == "code" {
				n++
			}
		}
		return n
	}
	exercise, check := number(e.At), number(e.Checks[0])
	r := read(t, nil)
	r.open("01-synchronous.html")
	js[any](r, readyPage)
	for n := range exercise - 1 {
		r.run(n + 1)
	}
	editor := fmt.Sprintf("[data-number='%d'] .cm-content", exercise)
	js[any](r, fmt.Sprintf(`document.querySelector("[data-number='%d'] .code").dispatchEvent(new MouseEvent("dblclick"))`, exercise))
	write := func(text string) {
		t.Helper()
		r.do(chromedp.Click(editor), chromedp.KeyEvent("a", chromedp.KeyModifiers(2)), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error { // Ctrl-A
			_, err := cdp.Call(ctx, target, input.InsertText, input.InsertTextParams{Text: text})
			return err
		}))
		if text, verdict := r.run(exercise); verdict != "pass" {
			t.Fatalf("%s: %s", verdict, text)
		}
	}
	for _, a := range e.Wrong[:3] {
		write(e.Give(a))
		said, _ := r.run(check)
		if err := a.Judge(said); err != nil {
			t.Error(err)
		}
	}
	write(e.Code)
	if said, _ := r.run(check); !exercises.Solved(said) {
		t.Errorf("the solution is told\n%s", said)
	}
	r.quiet()
}
