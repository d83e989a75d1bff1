package nbrun_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// parse makes a notebook of code cells, to be interpreted unless the options say
// otherwise.
func parse(t *testing.T, opts nbrun.Options, sources ...string) *nbrun.Notebook {
	t.Helper()
	if opts.Engine == "" {
		opts.Engine = nbrun.Yaegi
	}
	n, err := nbrun.Parse(t.Context(), filepath.Join(t.TempDir(), "test.ipynb"), notebook(t, sources), opts)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// actions observes what happens, in words.
func actions(list *[]string) event.Observer {
	return event.ObserverFunc(func(e event.Event) error {
		text := string(e.Action)
		if e.Output != nil {
			text += " " + strings.TrimSpace(e.Output.Text+e.Output.Value)
		}
		*list = append(*list, text)
		return nil
	})
}

func TestASessionRunsCellsOneByOne(t *testing.T) {
	var told []string
	n := parse(t, nbrun.Options{AllowErrors: true, Observer: actions(&told)}, "%%\nfmt.Println(x)", "var x = 1", "%%\nfmt.Println(2)")
	s, err := n.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run := func(i int, want string) {
		t.Helper()
		fault, err := s.Run(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		if got := ""; fault != nil {
			if got = fault.Error(); got != want {
				t.Errorf("cell %d: %q, want %q", i, got, want)
			}
		} else if want != "" {
			t.Errorf("cell %d: no fault, want %q", i, want)
		}
	}
	run(0, "cell 1, line 2: undefined: x")
	run(1, "")
	run(0, "")
	for _, i := range []int{-1, 3} {
		if _, err := s.Run(t.Context(), i); err == nil {
			t.Errorf("there is a cell %d", i)
		}
	}
	r, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if f := r.Fault(); f != nil {
		t.Errorf("the fault is still there: %v", f)
	}
	if r.Cells[0].Verdict != event.Pass || r.Cells[2].Verdict != "" {
		t.Errorf("%+v", r.Cells)
	}
	if out, err := r.Cells[0].Outputs(); err != nil || len(out) != 1 || out[0].Text != "1\n" {
		t.Errorf("%+v, %v", out, err)
	}
	want := []string{"start", "cell", "output cell 1, line 2: undefined: x", "fail", "cell", "pass", "cell", "output 1", "pass", "end"}
	if !slices.Equal(told, want) {
		t.Errorf("%q\nwant %q", told, want)
	}
	if again, err := s.Close(); again != r || err != nil || len(told) != len(want) {
		t.Errorf("closed again: %v, %v, %q", again == r, err, told[len(want):])
	}
	if _, err := s.Run(t.Context(), 2); err == nil || len(told) != len(want) {
		t.Errorf("a cell was run after Close: %v", err)
	}
}

// Whatever an observer fails at, the run stops and returns its error.
func TestAnObserverThatFailsStopsTheRun(t *testing.T) {
	mine := errors.New("mine")
	for name, at := range map[string]func(event.Event) bool{
		"start":       func(e event.Event) bool { return e.Action == event.Start },
		"cell":        func(e event.Event) bool { return e.Action == event.Begin },
		"output":      func(e event.Event) bool { return e.Output != nil },
		"error":       func(e event.Event) bool { return e.Output != nil && e.Output.Kind == event.Error },
		"the verdict": func(e event.Event) bool { return e.Action == event.Fail },
		"end":         func(e event.Event) bool { return e.Action == event.End },
	} {
		for _, err := range []error{mine, event.Faultf(7, 7, "mine")} {
			failed, after := false, 0
			n := parse(t, nbrun.Options{AllowErrors: true, Observer: event.ObserverFunc(func(e event.Event) error {
				if failed && e.Action == event.Begin {
					after++
				}
				if !failed && at(e) {
					failed = true
					return err
				}
				return nil
			})}, "%%\nfmt.Println(1)\npanic(2)", "%%\nfmt.Println(3)")
			r, got := n.Run(t.Context())
			if !errors.Is(got, err) || after > 0 {
				t.Errorf("%s: %v; %d cells were run after it", name, got, after)
			}
			if r != nil {
				r.Close()
			}
		}
	}
}

func TestTheEndOfAContext(t *testing.T) {
	var told []string
	ctx, cancel := context.WithCancel(t.Context())
	n := parse(t, nbrun.Options{Observer: event.All(actions(&told), event.ObserverFunc(func(e event.Event) error {
		if e.Output != nil {
			cancel()
		}
		return nil
	}))}, "!echo begun; sleep 1000", "var x = 1")
	start := time.Now()
	r, err := n.Run(ctx)
	if !errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	defer r.Close()
	if want := []string{"start", "cell", "output begun", "end"}; !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}

// What can no longer be read is an error, and not half of it is returned.
func TestOutputsAfterClose(t *testing.T) {
	r, err := parse(t, nbrun.Options{}, "!head -c 3000000 /dev/zero | tr '\\0' x").Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if out, err := r.Cells[0].Outputs(); err != nil || len(out) != 1 || len(out[0].Text) != 3_000_000 {
		t.Errorf("%d outputs, %v", len(out), err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := r.Cells[0].Outputs(); err == nil {
		t.Errorf("%d bytes, and no error", len(out[0].Text))
	}
	path := filepath.Join(t.TempDir(), "a.ipynb")
	if err := r.WriteFile(path); err == nil {
		t.Error("half a notebook was written")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a file")
	}
}

func TestSelect(t *testing.T) {
	n := parse(t, nbrun.Options{Select: func(c event.Cell) bool { return c.Index != 1 }}, "%%\nfmt.Println(1)", "%%\npanic(2)", "%%\nfmt.Println(3)")
	r, err := n.Run(t.Context())
	if err != nil || r.Fault() != nil {
		t.Fatal(err, r.Fault())
	}
	defer r.Close()
	var got []any
	for _, c := range r.Cells {
		got = append(got, c.Number, c.Verdict)
	}
	if want := []any{1, event.Pass, 0, event.Skip, 2, event.Pass}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestErrorsNameTheNotebook(t *testing.T) {
	for name, test := range map[string]struct{ path, data, want string }{
		"no folder":   {"/none/at/all.ipynb", string(notebook(t, []string{"var x = 1"})), "/none/at/all.ipynb: there is no folder /none/at for its cells to run in"},
		"no notebook": {"a.ipynb", "[]", "a.ipynb: is a JSON list, not a JSON object: is it a notebook?"},
	} {
		_, err := nbrun.Parse(t.Context(), test.path, []byte(test.data), nbrun.Options{Engine: nbrun.Yaegi})
		if err == nil || err.Error() != test.want || !errors.Is(err, nbrun.ErrUsage) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	if _, err := nbrun.Open(t.Context(), "none.ipynb", nbrun.Options{}); err == nil || err.Error() != "none.ipynb: no such file or directory" {
		t.Error(err)
	}
}

// Where there is no place for temporary files, nothing is run, and the error says so.
func TestNoPlaceForTemporaryFilesIsSaidBeforeTheRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has other variables")
	}
	path := filepath.Join(t.TempDir(), "no")
	t.Setenv("TMPDIR", path)
	_, err := nbrun.Run(t.Context(), lessons.Named("synchronous"), nbrun.Options{Engine: nbrun.Yaegi})
	want := "the folder for temporary files, " + path + ", can't be written (no such file or directory): set TMPDIR to another one"
	if !errors.Is(err, nbrun.ErrUsage) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
