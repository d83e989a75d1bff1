package golang

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// write writes files below a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// open opens the workspace of a notebook, with a cache of the test's own. The go
// command keeps the user's.
func open(t *testing.T, notebook string) *Workspace {
	t.Helper()
	w, err := Open(t.Context(), notebook)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func ownCache(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // the cache of macOS is there
}

func build(t *testing.T, source string, flags ...string) *Build {
	t.Helper()
	c, err := cells.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	p, err := program.New(1, c, new(program.Memory), t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	return &Build{Program: p, Flags: flags, AutoGet: true}
}

// output builds and runs a program.
func output(t *testing.T, w *Workspace, b *Build) string {
	t.Helper()
	path, err := w.Binary(t.Context(), b, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestANotebookInAModuleHasWhatTheModuleHas(t *testing.T) {
	ownCache(t)
	t.Setenv("GOPROXY", "off") // nothing is to be fetched
	root := t.TempDir()
	write(t, root, map[string]string{
		"mod/go.mod":            "module example.com/mod\n\ngo 1.26\n\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ../dep\n",
		"mod/lib/lib.go":        "package lib\n\nconst Text = \"the module's own\"\n",
		"mod/internal/in/in.go": "package in\n\nconst Text = \"internal\"\n",
		"dep/go.mod":            "module example.com/dep\n\ngo 1.26\n",
		"dep/dep.go":            "package dep\n\nconst Text = \"required by it\"\n",
	})
	w := open(t, filepath.Join(root, "mod", "docs", "a.ipynb"))
	got := output(t, w, build(t, "import (\n\"example.com/mod/lib\"\n\"example.com/dep\"\n)\n%%\nfmt.Print(lib.Text, \", \", dep.Text)"))
	if got != "the module's own, required by it" {
		t.Errorf("%q", got)
	}
	if files, _ := filepath.Glob(filepath.Join(root, "mod", "*")); len(files) != 3 {
		t.Errorf("the module's folder has %v", files)
	}
}

func TestANotebookInAWorkspaceHasItsModules(t *testing.T) {
	ownCache(t)
	t.Setenv("GOPROXY", "off")
	root := t.TempDir()
	write(t, root, map[string]string{
		"go.work":  "go 1.26\n\nuse (\n./a\n./b\n)\n",
		"a/go.mod": "module example.com/a\n\ngo 1.26\n",
		"a/a.go":   "package a\n\nconst Text = \"a\"\n",
		"b/go.mod": "module example.com/b\n\ngo 1.26\n",
		"b/b.go":   "package b\n\nconst Text = \"b\"\n",
	})
	w := open(t, filepath.Join(root, "a", "n.ipynb"))
	if got := output(t, w, build(t, "import (\n\"example.com/a\"\n\"example.com/b\"\n)\n%%\nfmt.Print(a.Text, b.Text)")); got != "ab" {
		t.Errorf("%q", got)
	}
}

func TestUnchangedProgramsAreNotBuiltAgain(t *testing.T) {
	ownCache(t)
	path := filepath.Join(t.TempDir(), "a.ipynb")
	b := build(t, "%%\nfmt.Print(\"x\")")
	first, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := first.Binary(t.Context(), b, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	inode, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	write(t, first.Dir, map[string]string{"left.txt": "by a cell"})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, path)
	if second.Dir != first.Dir {
		t.Fatalf("%s, then %s", first.Dir, second.Dir)
	}
	if _, err := os.Stat(filepath.Join(second.Dir, "left.txt")); err == nil {
		t.Error("what a cell has left is still there")
	}
	if output(t, second, b) != "x" {
		t.Error("it does not run")
	}
	after, _ := os.ReadFile(binary)
	again, err := os.Stat(binary)
	if err != nil || !os.SameFile(inode, again) || !slices.Equal(before, after) {
		t.Error("the binary was built again")
	}
}

func TestOldProgramsGo(t *testing.T) {
	ownCache(t)
	path := filepath.Join(t.TempDir(), "a.ipynb")
	w, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(w.Dir, "p", "pold")
	write(t, old, map[string]string{"main.go": "package main"})
	long := time.Now().Add(-KeepFor - time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	output(t, w, build(t, "%%\nfmt.Print(1)"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.Dir, "p", "*")); len(left) != 1 || left[0] == old {
		t.Errorf("left: %v", left)
	}
}

func TestTwoRunsOfOneNotebookDoNotMeet(t *testing.T) {
	ownCache(t)
	path := filepath.Join(t.TempDir(), "a.ipynb")
	a, b := open(t, path), open(t, path)
	if a.Dir == b.Dir {
		t.Fatalf("both are in %s", a.Dir)
	}
	for _, w := range []*Workspace{a, b} {
		if got := output(t, w, build(t, "%%\nfmt.Print(1)")); got != "1" {
			t.Errorf("%q", got)
		}
	}
}

func TestPrepareBuildsAllButWhatFails(t *testing.T) {
	ownCache(t)
	w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
	good, bad, test := build(t, "%%\nfmt.Print(1)"), build(t, "%%\nfmt.Print(undefined)"), build(t, "%test\nfunc TestX(t *testing.T) {}")
	w.Prepare(t.Context(), []*Build{good, bad, test}, os.Environ())
	if w.Wants(test) {
		t.Error("the test was not built")
	}
	if got := output(t, w, good); got != "1" {
		t.Errorf("%q", got)
	}
	_, err := w.Binary(t.Context(), bad, os.Environ())
	var errs program.Errors
	if !errors.As(err, &errs) || err.Error() != "cell 1, line 2: undefined: undefined" {
		t.Errorf("%v", err)
	}
	w.Forget()
	if !w.Wants(good) {
		t.Error("after Forget it is still taken for built")
	}
}

func TestFlags(t *testing.T) {
	b := build(t, "%%\n", "-tags=a", "-race", "-tags", "b,c")
	if b.CanBeVirtual() {
		t.Error("-race can be virtual")
	}
	b.Virtual = true
	if got := strings.Join(flags(b), " "); got != "-race -tags=faketime,a,b,c" {
		t.Error(got)
	}
	for source, want := range map[string]bool{
		"%%\n":                      true,
		"import \"C\"\n%%\n_ = C.x": false,
		"import \"github.com/janpfeifer/gonb/gonbui\"\n%%\ngonbui.Sync()": false,
	} {
		if got := build(t, source).CanBeVirtual(); got != want {
			t.Errorf("%q: virtual is %v", source, got)
		}
	}
}

func TestTheFakeClock(t *testing.T) {
	ownCache(t)
	w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
	b := build(t, "%%\nstart := time.Now()\ntime.Sleep(time.Hour)\nif time.Since(start) != time.Hour || start.Year() != 2009 { os.Exit(1) }")
	b.Virtual = true
	start := time.Now()
	path, err := w.Binary(t.Context(), b, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %v", time.Since(start))
	if out, err := exec.Command(path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestABrokenModuleIsSaid(t *testing.T) {
	ownCache(t)
	root := t.TempDir()
	write(t, root, map[string]string{"go.mod": "module example.com/x\nnonsense\n"})
	_, err := Open(t.Context(), filepath.Join(root, "a.ipynb"))
	if err == nil || !strings.Contains(err.Error(), "go.mod:2") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}
