package nbrun_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// exercise is one of a lesson, by the places of its cells.
type exercise struct {
	at       int       // of the cell that is to be changed
	solution int       // of the cell with the solution
	code     string    // which is this
	checks   []int     // the code cells between the two
	answers  []mistake // that somebody may well give
}

var colours = regexp.MustCompile(`\x1b\[[\d;]*m`)

// exercisesOf are the exercises of a notebook.
func exercisesOf(t *testing.T, path string) (nb *ipynb.Notebook, all []exercise) {
	t.Helper()
	nb, err := ipynb.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var now *exercise
	for i, c := range nb.Cells {
		switch {
		case c.HasTag("exercise"):
			now = &exercise{at: i}
		case c.HasTag("solution"):
			if now == nil {
				t.Fatalf("%s, cell %d: a solution without an exercise", path, i+1)
			}
			_, code, _ := strings.Cut(c.Source, "```go\n")
			now.code, _, _ = strings.Cut(code, "\n```")
			now.solution = i
			now.answers = wrong[fmt.Sprintf("%s %d", lessons.Topic(path), len(all)+1)]
			all = append(all, *now)
			now = nil
		case c.Type == "code" && now != nil:
			now.checks = append(now.checks, i)
		}
	}
	if now != nil || len(all) == 0 {
		t.Fatalf("%s: %d exercises with a solution, and %v", path, len(all), now)
	}
	return nb, all
}

// attempt makes a notebook of a lesson in which each exercise is followed by answers to
// it, the wrong ones and at last the solution, each with the cells that check it, and
// returns what those say. A cell that fails says so there, and the rest goes on.
func attempt(t *testing.T, path string, nb *ipynb.Notebook, all []exercise) (said [][]string) {
	t.Helper()
	type object map[string]any
	var cells []object
	add := func(c ipynb.Cell, source string, tags ...string) {
		cells = append(cells, object{
			"cell_type": "code", "id": fmt.Sprint("cell-", len(cells)), "metadata": object{"tags": append(tags, c.Tags...)}, "source": source,
			"execution_count": nil, "outputs": []any{},
		})
	}
	first := make([]int, len(all)) // the cell of an exercise's first answer
	next := 0                      // the cell of the lesson that comes next
	for k, e := range all {
		for _, c := range nb.Cells[next:e.at] {
			demonstration := c.HasTag("raises-exception") || c.HasTag("real-clock") || c.HasTag("check")
			if c.Type == "code" && !demonstration {
				add(*c, c.Source)
			}
		}
		first[k], next = len(cells), e.solution
		for _, a := range append(e.answers, mistake{from: e.code, to: e.code}) {
			add(*nb.Cells[e.at], strings.Replace(e.code, a.from, a.to, 1), "raises-exception")
			for _, i := range e.checks {
				add(*nb.Cells[i], nb.Cells[i].Source, "raises-exception")
			}
		}
	}
	data, err := json.Marshal(object{
		"cells": cells, "nbformat": 4, "nbformat_minor": 5,
		"metadata": object{"kernelspec": object{"name": "gonb", "display_name": "Go"}, "language_info": object{"name": "go"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// Some wrong answers never end.
	opts := nbrun.Options{Clock: nbrun.Virtual, Timeout: 20 * time.Second, AllowErrors: true}
	if lessons.Interpreted(path) && lessons.Topic(path) != "polling" { // whose races only a compiler shows
		opts.Engine, opts.Timeout = nbrun.Yaegi, 10*time.Second
	}
	r, done, _ := executeData(t, path, data, opts)
	for _, c := range r.Cells {
		if f := c.Fault; f != nil && !f.Expected && f.Reason != event.Timeout {
			t.Fatal(f)
		}
	}
	for k, e := range all {
		said = append(said, nil)
		for a := range len(e.answers) + 1 {
			i := first[k] + a*(1+len(e.checks))
			text := ""
			for k, c := range done.Cells[i : i+1+len(e.checks)] {
				stdout, stderr, errs := c.Texts()
				if k > 0 || len(errs) > 0 { // of the answer itself no more than that it fails
					text += colours.ReplaceAllString(fmt.Sprint(stdout, stderr, errs), "")
				}
			}
			said[k] = append(said[k], text)
		}
	}
	return said
}

// solved is what a check says of an exercise. That of one for the race detector leaves
// the last word to it.
var solved = regexp.MustCompile(`Solved(\.|, if the race detector below says nothing\.)`)

// fulfilled are the lines of claims that are true, or left open.
var fulfilled = regexp.MustCompile(`(?m)^(✔|○) .*$`)

func TestSolutionsPassAndWrongAnswersAreToldWhatIsWrong(t *testing.T) {
	takesLong(t)
	for _, path := range lessons.All() {
		t.Run(filepath.Base(path), func(t *testing.T) {
			nb, all := exercisesOf(t, path)
			for _, e := range all {
				if len(e.answers) < 10 {
					t.Errorf("cell %d: %d wrong answers are tried, want 10", e.at+1, len(e.answers))
				}
				for _, a := range e.answers {
					if strings.Count(e.code, a.from) == 0 {
						t.Fatalf("answers_test.go, who %s: the solution of cell %d has no %q (a new exercise changes the numbers of those after it):\n%s", a.who, e.at+1, a.from, e.code)
					}
				}
			}
			for k, answers := range attempt(t, path, nb, all) {
				e, solution := all[k], answers[len(answers)-1]
				if strings.Contains(solution, "✘") || strings.Contains(solution, "○") || !solved.MatchString(solution) {
					t.Errorf("cell %d: the solution does not pass:\n%s", e.at+1, solution)
				}
				for i, a := range e.answers {
					said := answers[i]
					if strings.Contains(said, "Solved.") || !strings.Contains(said, "✘") && !strings.Contains(said, "exit status") {
						t.Errorf("cell %d: who %s is told\n%s", e.at+1, a.who, said)
					}
					if told := fulfilled.ReplaceAllString(said, ""); !strings.Contains(told, a.says) {
						t.Errorf("cell %d: who %s is not told %q:\n%s", e.at+1, a.who, a.says, said)
					}
				}
			}
		})
	}
}
