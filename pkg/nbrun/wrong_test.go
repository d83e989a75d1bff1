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

// attempt makes a notebook of a lesson up to an exercise, followed by answers to it,
// each with the cells that check it, and returns what those say. A cell that fails
// says so there, and the rest goes on.
func attempt(t *testing.T, path string, nb *ipynb.Notebook, e exercise, answers []string) (said []string) {
	t.Helper()
	type object map[string]any
	cell := func(source string, tags ...string) object {
		return object{
			"cell_type": "code", "id": "", "metadata": object{"tags": tags}, "source": source,
			"execution_count": nil, "outputs": []any{},
		}
	}
	var cells []object
	for _, c := range nb.Cells[:e.at] {
		demonstration := c.HasTag("raises-exception") || c.HasTag("real-clock") || c.HasTag("check")
		if c.Type == "code" && !demonstration {
			cells = append(cells, cell(c.Source, c.Tags...))
		}
	}
	first := len(cells)
	for _, source := range answers {
		cells = append(cells, cell(source, "raises-exception"))
		for _, i := range e.checks {
			cells = append(cells, cell(nb.Cells[i].Source, append([]string{"raises-exception"}, nb.Cells[i].Tags...)...))
		}
	}
	for i, c := range cells {
		c["id"] = fmt.Sprint("cell-", i)
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
	for i := first; i < len(done.Cells); i += 1 + len(e.checks) {
		text := ""
		for k, c := range done.Cells[i : i+1+len(e.checks)] {
			stdout, stderr, errs := c.Texts()
			if k > 0 || len(errs) > 0 { // of the answer itself no more than that it fails
				text += colours.ReplaceAllString(fmt.Sprint(stdout, stderr, errs), "")
			}
		}
		said = append(said, text)
	}
	return said
}

func TestSolutionsPassTheChecksOfTheirExercises(t *testing.T) {
	takesLong(t)
	for _, path := range lessons.All() {
		t.Run(filepath.Base(path), func(t *testing.T) {
			nb, all := exercisesOf(t, path)
			for _, e := range all {
				said := attempt(t, path, nb, e, []string{e.code})[0]
				if strings.Contains(said, "✘") || strings.Contains(said, "○") || !solved.MatchString(said) {
					t.Errorf("cell %d: the solution does not pass:\n%s", e.at+1, said)
				}
			}
		})
	}
}

// solved is what a check says of an exercise. That of one for the race detector leaves
// the last word to it.
var solved = regexp.MustCompile(`Solved(\.|, if the race detector below says nothing\.)`)

// fulfilled are the lines of claims that are true, or left open.
var fulfilled = regexp.MustCompile(`(?m)^(✔|○) .*$`)

func TestWrongAnswersAreToldWhatIsWrong(t *testing.T) {
	takesLong(t)
	for _, path := range lessons.All() {
		t.Run(filepath.Base(path), func(t *testing.T) {
			nb, all := exercisesOf(t, path)
			for _, e := range all {
				if len(e.answers) < 10 {
					t.Errorf("cell %d: %d wrong answers are tried, want 10", e.at+1, len(e.answers))
				}
				var sources []string
				for _, a := range e.answers {
					if strings.Count(e.code, a.from) == 0 {
						t.Fatalf("answers_test.go, who %s: the solution of cell %d has no %q (a new exercise changes the numbers of those after it):\n%s", a.who, e.at+1, a.from, e.code)
					}
					sources = append(sources, strings.Replace(e.code, a.from, a.to, 1))
				}
				for i, said := range attempt(t, path, nb, e, sources) {
					a := e.answers[i]
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
