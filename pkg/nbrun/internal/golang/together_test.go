package golang

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
)

// noneAhead is for a program when nothing is known to come after it.
func noneAhead() []engine.Job { return nil }

// newBuild is the build of a cell's program.
func newBuild(t *testing.T, w *Workspace, source string, flags ...string) *build {
	t.Helper()
	return w.newBuild(job(t, source, flags...))
}

// counted puts a go command on PATH that notes how often it is called with build or
// test, and with which arguments.
func counted(t *testing.T) (calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	goCommand := shell(t, "command -v go")
	write(t, dir, map[string]string{"go": fmt.Sprintf("#!/bin/sh\ncase $1 in build|test) echo $* >>%s;; esac\nexec %s \"$@\"\n", log, goCommand)})
	if err := os.Chmod(filepath.Join(dir, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func() []string {
		data, _ := os.ReadFile(log)
		_ = os.Remove(log)
		return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
	}
}

func TestOneBadProgramDoesNotSetTheOthersApart(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	const (
		bad    = "%%\nx := 1"
		worse  = "%%\nfmt.Println(nothing)\nvar s string = 3"
		noPkg  = "import \"nosuch\"\n%%\nnosuch.X()"
		noMod  = "import \"example.invalid/nosuch\"\n%%\nnosuch.X()"
		broken = "import \"example.com/mod/broken\"\n%%\nbroken.X()"
		test   = "%test\nfunc TestX(t *testing.T) { t.Log(1) }"
		test2  = "%test\nfunc TestY(t *testing.T) { t.Log(2) }"
		badT   = "%test\nfunc TestX(t *testing.T) { x := 1 }"
		vet    = "%test\nfunc TestX(t *testing.T) { t.Errorf(\"%d\", \"a\") }"
		noPkgT = "import \"nosuch\"\n%test\nfunc TestX(t *testing.T) { nosuch.X() }"
	)
	good := func(n int) string { return fmt.Sprintf("%%%%\nfmt.Print(%d)", n) }
	for name, c := range map[string]struct {
		cells []string
		flags []string
		calls int // of the go command, for all
	}{
		"none bad":                     {[]string{good(1), good(2), good(3)}, nil, 1},
		"the first":                    {[]string{bad, good(1), good(2)}, nil, 2},
		"in the middle":                {[]string{good(1), bad, good(2)}, nil, 2},
		"two, of different kinds":      {[]string{good(1), bad, worse, good(2)}, nil, 2},
		"all":                          {[]string{bad, worse}, nil, 1},
		"with the race detector":       {[]string{good(1), bad, good(2)}, []string{"-race"}, 2},
		"a test":                       {[]string{test, badT, test2}, nil, 2},
		"a test that fails go vet":     {[]string{test, vet, test2}, nil, 2},
		"tests for all reasons":        {[]string{test, vet, badT, noPkgT, test2}, nil, 2},
		"an import of no package":      {[]string{good(1), noPkg, good(2)}, nil, 3},
		"and the like in two":          {[]string{good(1), noPkg, good(2), noPkg + "\n", bad}, nil, 5},
		"an import of no module":       {[]string{good(1), noMod, good(2)}, nil, 3},
		"an import that is itself bad": {[]string{good(1), broken, bad, good(2)}, nil, 4},
	} {
		t.Run(name, func(t *testing.T) {
			ownCache(t)
			t.Setenv("GOPROXY", "off")
			root := t.TempDir()
			write(t, root, map[string]string{
				"go.mod":           "module example.com/mod\n\ngo 1.26\n",
				"broken/broken.go": "package broken\n\nfunc X() { return 1 }\n",
			})
			w, alone := open(t, filepath.Join(root, "a.ipynb")), open(t, filepath.Join(root, "b.ipynb"))
			calls := counted(t)
			var builds []*build
			for _, cell := range c.cells {
				builds = append(builds, w.newBuild(job(t, cell, c.flags...)))
			}
			w.prepare(t.Context(), builds)
			var got []error
			for _, b := range builds {
				w.prepare(t.Context(), builds) // as for each cell
				path, err := w.binaryOf(t.Context(), b, noneAhead)
				if _, there := os.Stat(path); (err == nil) != (there == nil) {
					t.Errorf("%q: %v, but %v", b.Source, err, there)
				}
				got = append(got, err)
			}
			if list := calls(); len(list) != c.calls {
				t.Errorf("%d calls, want %d:\n%s", len(list), c.calls, strings.Join(list, "\n"))
			}
			for i, b := range builds {
				if strings.HasPrefix(c.cells[i], "%%\nfmt.Print(") || c.cells[i] == test || c.cells[i] == test2 {
					if got[i] != nil {
						t.Errorf("%s: %v", c.cells[i], got[i])
					}
					continue
				}
				_, want := alone.binaryOf(t.Context(), b, noneAhead)
				if text(t, got[i]) != text(t, want) {
					t.Errorf("%s:\n%s\nand alone\n%s", c.cells[i], text(t, got[i]), text(t, want))
				}
				if errs := event.Faults(nil); !errors.As(got[i], &errs) {
					t.Errorf("%s: %v", c.cells[i], got[i])
				}
			}
		})
	}
}

// text returns all parts of an error.
func text(t *testing.T, err error) string {
	t.Helper()
	data, jsonErr := json.Marshal(err)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return fmt.Sprintf("%v %s", err, data)
}

// An old binary is no proof that its program compiles, and not all that the go
// command says is about errors.
func TestOldBinariesAndTalk(t *testing.T) {
	ownCache(t)
	root := t.TempDir()
	write(t, root, map[string]string{"go.mod": "module example.com/mod\n\ngo 1.26\n", "x/x.go": "package x\n\nfunc X() int { return 1 }\n"})
	w := open(t, filepath.Join(root, "a.ipynb"))
	uses := newBuild(t, w, "import \"example.com/mod/x\"\n%%\nvar n int = x.X()\nfmt.Print(n)")
	loud := newBuild(t, w, "%%\ny := 1", "-v")
	loud2 := newBuild(t, w, "%%\nfmt.Print(2)", "-v")
	all := []*build{uses, newBuild(t, w, "%%\nx := 1"), loud, loud2}
	w.prepare(t.Context(), all)
	if got := output(t, w, uses.Job) + output(t, w, loud2.Job); got != "12" {
		t.Errorf("%q", got)
	}
	if _, err := w.binaryOf(t.Context(), loud, noneAhead); err == nil || err.Error() != "cell 1, line 2: declared and not used: y" {
		t.Error(err)
	}
	write(t, root, map[string]string{"x/x.go": "package x\n\nfunc X() string { return \"\" }\n"})
	w.Changed()
	w.prepare(t.Context(), all)
	if _, err := w.binaryOf(t.Context(), uses, noneAhead); err == nil || !strings.Contains(err.Error(), "cell 1, line 3: cannot use x.X()") {
		t.Error(err)
	}
}

// If nothing shows which program is at fault, each is built alone.
func TestABrokenModuleSetsAllApart(t *testing.T) {
	ownCache(t)
	w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
	a, b := newBuild(t, w, "%%\nfmt.Print(1)"), newBuild(t, w, "%%\nfmt.Print(2)")
	write(t, w.dir, map[string]string{"go.mod": "module x\n\nnonsense\n"})
	w.prepare(t.Context(), []*build{a, b})
	for _, p := range []*build{a, b} {
		if _, err := w.binaryOf(t.Context(), p, noneAhead); err == nil || !strings.Contains(err.Error(), "go.mod:3: unknown directive: nonsense") {
			t.Errorf("%v", err)
		}
	}
	if err := w.ResetModule(); err != nil {
		t.Fatal(err)
	}
	if got := output(t, w, a.Job); got != "1" {
		t.Errorf("%q", got)
	}
}

func BenchmarkPrepare(b *testing.B) {
	for name, bad := range map[string]int{"good": 0, "one bad": 1} {
		b.Run(name, func(b *testing.B) {
			b.Setenv("XDG_CACHE_HOME", b.TempDir())
			n := 0
			for b.Loop() {
				b.StopTimer()
				w, err := Open(b.Context(), filepath.Join(b.TempDir(), "a.ipynb"), b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				var builds []*build
				for i := range 20 {
					source := fmt.Sprintf("%%%%\nfmt.Print(%d)", n*20+i)
					if i < bad {
						source = "%%\nx := 1"
					}
					builds = append(builds, w.newBuild(job(b, source)))
				}
				n++
				b.StartTimer()
				for _, p := range builds {
					w.prepare(b.Context(), builds)
					_, _ = w.binaryOf(b.Context(), p, noneAhead)
				}
				b.StopTimer()
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
