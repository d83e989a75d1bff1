package nbrun_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons/exercises"
)

func TestSolutionsPassAndWrongAnswersAreToldWhatIsWrong(t *testing.T) {
	takesLong(t)
	for _, path := range lessons.All() {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel() // many answers hang, and are waited for
			nb, all, err := exercises.Of(path)
			if err != nil {
				t.Fatal(err)
			}
			data, said, err := exercises.Attempt(nb, all)
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
			for k, answers := range said(done) {
				e := all[k]
				if len(e.Wrong) < 10 {
					t.Errorf("the exercise of cell %d (markdown cells count) has %d wrong answers in answers.go, want 10", e.At+1, len(e.Wrong))
				}
				for i, a := range e.Wrong {
					if err := a.Judge(answers[i]); err != nil {
						t.Errorf("cell %d: %v", e.At+1, err)
					}
				}
				if solution := answers[len(e.Wrong)]; !exercises.Solved(solution) {
					t.Errorf("cell %d: the solution does not pass:\n%s", e.At+1, solution)
				}
			}
		})
	}
}
