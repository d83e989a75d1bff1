package nbrun_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons/exercises"
)

// attempt gives answers to an exercise of a lesson, and returns what is said to each.
func attempt(t *testing.T, path string, nb *ipynb.Notebook, e exercises.Exercise, answers []string) []string {
	t.Helper()
	data, first, err := e.Attempt(nb, answers)
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
	return e.Said(done, first)
}

// ofEach calls f for each exercise of each lesson.
func ofEach(t *testing.T, f func(t *testing.T, path string, nb *ipynb.Notebook, e exercises.Exercise)) {
	for _, path := range lessons.All() {
		t.Run(filepath.Base(path), func(t *testing.T) {
			nb, all, err := exercises.Of(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				f(t, path, nb, e)
			}
		})
	}
}

func TestSolutionsPassTheChecksOfTheirExercises(t *testing.T) {
	ofEach(t, func(t *testing.T, path string, nb *ipynb.Notebook, e exercises.Exercise) {
		if said := attempt(t, path, nb, e, []string{e.Code})[0]; !exercises.Solved(said) {
			t.Errorf("cell %d: the solution does not pass:\n%s", e.At+1, said)
		}
	})
}

func TestWrongAnswersAreToldWhatIsWrong(t *testing.T) {
	ofEach(t, func(t *testing.T, path string, nb *ipynb.Notebook, e exercises.Exercise) {
		if len(e.Wrong) < 10 {
			t.Errorf("cell %d: %d wrong answers are tried, want 10", e.At+1, len(e.Wrong))
		}
		var sources []string
		for _, a := range e.Wrong {
			sources = append(sources, e.Give(a))
		}
		for i, said := range attempt(t, path, nb, e, sources) {
			if err := e.Wrong[i].Judge(said); err != nil {
				t.Errorf("cell %d: %v", e.At+1, err)
			}
		}
	})
}
