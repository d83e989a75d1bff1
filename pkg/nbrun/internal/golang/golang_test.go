package golang

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/testhome"
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
	w, err := Open(t.Context(), notebook, t.TempDir())
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

// ownCache gives the test a cache for programs of its own, and leaves it that of the go
// command.
func ownCache(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(out)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	testhome.Own(t) // the cache of macOS is there
}

// shell runs a command, and returns what it writes.
func shell(t testing.TB, command string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(string(out))
}

// job is the program of a cell.
func job(t testing.TB, source string, flags ...string) engine.Job {
	t.Helper()
	c, err := cells.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	p, err := program.New(1, c, new(program.Memory), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return engine.Job{Program: p, Env: os.Environ(), Flags: flags, AutoGet: true}
}

// run runs a program, and returns what it writes.
func run(t *testing.T, w *Workspace, j engine.Job, ahead ...engine.Job) (string, error) {
	t.Helper()
	var out strings.Builder
	exit, err := w.Run(t.Context(), j, func() []engine.Job { return ahead }, event.SinkFunc(func(_ time.Time, o event.Output) error {
		out.WriteString(o.Text)
		return nil
	}))
	return out.String(), errors.Join(err, exit.Err)
}

// output runs a program that does not fail.
func output(t *testing.T, w *Workspace, j engine.Job) string {
	t.Helper()
	out, err := run(t, w, j)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return out
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
		"mod/docs/a.ipynb":      "",
	})
	w := open(t, filepath.Join(root, "mod", "docs", "a.ipynb"))
	got := output(t, w, job(t, "import (\n\"example.com/mod/lib\"\n\"example.com/dep\"\n)\n%%\nfmt.Print(lib.Text, \", \", dep.Text)"))
	if got != "the module's own, required by it" {
		t.Errorf("%q", got)
	}
	if files, _ := filepath.Glob(filepath.Join(root, "mod", "*")); len(files) != 4 {
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
	if got := output(t, w, job(t, "import (\n\"example.com/a\"\n\"example.com/b\"\n)\n%%\nfmt.Print(a.Text, b.Text)")); got != "ab" {
		t.Errorf("%q", got)
	}
}

// A cell may make a go.work, as in the kernel, with modules that require others.
func TestAWorkspaceThatACellHasMade(t *testing.T) {
	ownCache(t)
	t.Setenv("GOPROXY", "off")
	root := t.TempDir()
	write(t, root, map[string]string{
		"a/go.mod":        "module example.com/a\n\ngo 1.26\n",
		"a/a.go":          "package a\n\nconst Text = \"a\"\n",
		"a/nested/go.mod": "module example.com/a/nested\n\ngo 1.26\n\nrequire example.com/a v0.0.0\n\nreplace example.com/a => ..\n",
		"a/nested/n.go":   "package nested\n\nimport \"example.com/a\"\n\nconst Text = \"nested in \" + a.Text\n",
	})
	w := open(t, filepath.Join(root, "a", "n.ipynb"))
	uses := job(t, "import \"example.com/a/nested\"\n%%\nfmt.Print(nested.Text)")
	uses.AutoGet = false
	if _, err := run(t, w, uses); err == nil {
		t.Fatal("it is there without a go.work")
	}
	write(t, w.dir, map[string]string{"go.work": "go 1.26\n\nuse (\n.\n" + filepath.Join(root, "a") + "\n" + filepath.Join(root, "a", "nested") + "\n)\n"})
	w.Changed()
	if got := output(t, w, uses); got != "nested in a" {
		t.Errorf("%q", got)
	}
}

func TestUnchangedProgramsAreNotBuiltAgain(t *testing.T) {
	ownCache(t)
	path := filepath.Join(t.TempDir(), "a.ipynb")
	b := job(t, "%%\nfmt.Print(\"x\")")
	first, err := Open(t.Context(), path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	output(t, first, b)
	binary := first.binary(first.newBuild(b))
	before, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	inode, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	write(t, first.dir, map[string]string{"left.txt": "by a cell"})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, path)
	if second.dir != first.dir {
		t.Fatalf("%s, then %s", first.dir, second.dir)
	}
	if _, err := os.Stat(filepath.Join(second.dir, "left.txt")); err == nil {
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
	w, err := Open(t.Context(), path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(w.dir, "p", "pold")
	write(t, old, map[string]string{"main.go": "package main"})
	long := time.Now().Add(-KeepFor - time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	output(t, w, job(t, "%%\nfmt.Print(1)"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "p", "*")); len(left) != 1 || left[0] == old {
		t.Errorf("left: %v", left)
	}
}

func TestTwoRunsOfOneNotebookDoNotMeet(t *testing.T) {
	ownCache(t)
	path := filepath.Join(t.TempDir(), "a.ipynb")
	a, b := open(t, path), open(t, path)
	if a.dir == b.dir {
		t.Fatalf("both are in %s", a.dir)
	}
	for _, w := range []*Workspace{a, b} {
		if got := output(t, w, job(t, "%%\nfmt.Print(1)")); got != "1" {
			t.Errorf("%q", got)
		}
	}
}

func TestAllButWhatFailsIsBuiltAhead(t *testing.T) {
	ownCache(t)
	w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
	good, bad, test := job(t, "%%\nfmt.Print(1)"), job(t, "%%\nfmt.Print(undefined)"), job(t, "%test\nfunc TestX(t *testing.T) {}")
	if got, err := run(t, w, good, bad, test); err != nil || got != "1" {
		t.Errorf("%q, %v", got, err)
	}
	if w.wants(w.newBuild(test)) {
		t.Error("the test was not built")
	}
	_, err := run(t, w, bad)
	var faults event.Faults
	if !errors.As(err, &faults) || err.Error() != "cell 1, line 2: undefined: undefined" {
		t.Errorf("%v", err)
	}
	w.Changed()
	if !w.wants(w.newBuild(good)) {
		t.Error("after Changed it is still taken for built")
	}
}

func TestFlags(t *testing.T) {
	w := &Workspace{clock: process.NewClock(true)}
	b := w.newBuild(job(t, "%%\n", "-tags=a", "-race", "-tags", "b,c"))
	if b.virtual {
		t.Error("-race can be virtual")
	}
	b.virtual = true
	if got := strings.Join(flags(b), " "); got != "-race -tags=faketime,a,b,c" {
		t.Error(got)
	}
	for source, want := range map[string]bool{
		"%%\n":                      true,
		"import \"C\"\n%%\n_ = C.x": false,
		"import \"github.com/janpfeifer/gonb/gonbui\"\n%%\ngonbui.Sync()": runtime.GOOS == "linux",
	} {
		if got := w.newBuild(job(t, source)).virtual; got != want {
			t.Errorf("%q: virtual is %v", source, got)
		}
	}
}

// What the go command depends on makes another binary; what programs depend on does
// not.
func TestTheEnvironmentOfABuild(t *testing.T) {
	w := &Workspace{dir: t.TempDir(), clock: process.NewClock(false)}
	with := func(name, value string) string {
		j := job(t, "%%\n")
		j.Env = j.Env.With(name, value)
		return w.binary(w.newBuild(j))
	}
	plain := w.binary(w.newBuild(job(t, "%%\n")))
	for name, differs := range map[string]bool{"GOFLAGS": true, "GOEXPERIMENT": true, "CGO_CFLAGS": true, "GOMAXPROCS": false, "GONB_DIR": false, "OTHER": false} {
		if got := with(name, "x") != plain; got != differs {
			t.Errorf("%s: another binary: %v", name, got)
		}
	}
}

func TestTheFakeClock(t *testing.T) {
	ownCache(t)
	w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
	w.clock = process.NewClock(true)
	j := job(t, "%%\nstart := time.Now()\ntime.Sleep(time.Hour)\nfmt.Print(time.Since(start))")
	for i := range 2 {
		var at []time.Time
		exit, err := w.Run(t.Context(), j, func() []engine.Job { return nil }, event.SinkFunc(func(when time.Time, o event.Output) error {
			if o.Text != "1h0m0s" {
				t.Errorf("%q", o.Text)
			}
			at = append(at, when)
			return nil
		}))
		if err != nil || exit.Err != nil || exit.Clock != event.Virtual {
			t.Errorf("%v, %v, clock %s", err, exit.Err, exit.Clock)
		}
		want := process.FakeStart.Add(time.Duration(i+1) * time.Hour)
		if len(at) != 1 || !at[0].Equal(want) || !w.Now().Equal(want) {
			t.Errorf("run %d wrote at %v and ended at %v, want %v", i, at, w.Now(), want)
		}
	}
	// What runs on the real clock takes no time, as seen by those after it.
	j = job(t, "%%\ntime.Sleep(time.Millisecond)")
	j.RealClock = true
	before := w.Now()
	if exit, err := w.Run(t.Context(), j, func() []engine.Job { return nil }, event.SinkFunc(nil)); err != nil || exit.Clock != event.Real || !w.Now().Equal(before) {
		t.Errorf("%v, clock %s, %v later", err, exit.Clock, w.Now().Sub(before))
	}
}

func TestABrokenModuleIsSaid(t *testing.T) {
	ownCache(t)
	root := t.TempDir()
	write(t, root, map[string]string{"go.mod": "module example.com/x\nnonsense\n"})
	_, err := Open(t.Context(), filepath.Join(root, "a.ipynb"), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "go.mod:2") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

// Whatever the notebook's module is and wherever its other modules are, its imports
// are the module's, and nothing is fetched.
func TestModulesOfOtherRepositories(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	ownCache(t)
	t.Setenv("GOPROXY", "off")
	const lib = "package lib\n\nconst Text = \"lib\"\n"
	dep := map[string]string{"dep/go.mod": "module example.com/dep\n\ngo 1.20\n", "dep/dep.go": "package dep\n\nconst Text = \"dep\"\n"}
	for name, c := range map[string]struct {
		files    map[string]string
		notebook string
		env      string // NAME=value, below the root
		source   string
		want     string
	}{
		"major version": {
			files:    map[string]string{"go.mod": "module example.com/foo/v2\n\ngo 1.26\n", "lib/lib.go": lib},
			notebook: "docs/a.ipynb", source: "import \"example.com/foo/v2/lib\"\n%%\nfmt.Print(lib.Text)", want: "lib",
		},
		"gopkg.in": {
			files:    map[string]string{"go.mod": "module gopkg.in/foo.v3\n\ngo 1.26\n", "lib/lib.go": lib},
			notebook: "docs/a.ipynb", source: "import \"gopkg.in/foo.v3/lib\"\n%%\nfmt.Print(lib.Text)", want: "lib",
		},
		"internal": {
			files:    map[string]string{"go.mod": "module example.com/foo\n\ngo 1.26\n", "internal/lib/lib.go": lib, "docs/internal/more/more.go": strings.ReplaceAll(lib, "lib", "more")},
			notebook: "docs/a.ipynb", source: "import (\n\"example.com/foo/internal/lib\"\n\"example.com/foo/docs/internal/more\"\n)\n%%\nfmt.Print(lib.Text, more.Text)", want: "libmore",
		},
		"internal, in a folder whose name can't be imported": {
			files:    map[string]string{"go.mod": "module example.com/foo\n\ngo 1.26\n", "internal/lib/lib.go": lib},
			notebook: "my docs/a.ipynb", source: "import \"example.com/foo/internal/lib\"\n%%\nfmt.Print(lib.Text)", want: "lib",
		},
		"go.work, and no module": {
			files:    map[string]string{"go.work": "go 1.26\n\nuse ./lib\n", "lib/go.mod": "module corp.example/lib\n\ngo 1.26\n", "lib/lib.go": lib},
			notebook: "docs/a.ipynb", source: "import \"corp.example/lib\"\n%%\nfmt.Print(lib.Text)", want: "lib",
		},
		"replacements of go.work": {
			files:    map[string]string{"w/go.work": "go 1.26\n\nuse ./lib\n\nreplace example.com/dep => ../dep\n", "w/lib/go.mod": "module corp.example/lib\n\ngo 1.26\n\nrequire example.com/dep v1.2.0\n", "w/lib/lib.go": "package lib\n\nimport \"example.com/dep\"\n\nconst Text = \"lib with \" + dep.Text\n"},
			notebook: "w/docs/a.ipynb", source: "import \"corp.example/lib\"\n%%\nfmt.Print(lib.Text)", want: "lib with dep",
		},
		"replacements of its modules": {
			files:    map[string]string{"w/go.work": "go 1.26\n\nuse ./lib\n", "w/lib/go.mod": "module corp.example/lib\n\ngo 1.26\n\nrequire example.com/dep v1.2.0\n\nreplace example.com/dep v1.2.0 => ../../dep\n", "w/lib/lib.go": "package lib\n\nimport \"example.com/dep\"\n\nconst Text = \"lib with \" + dep.Text\n"},
			notebook: "w/docs/a.ipynb", source: "import \"corp.example/lib\"\n%%\nfmt.Print(lib.Text)", want: "lib with dep",
		},
		"GOWORK": {
			files:    map[string]string{"elsewhere/go.work": "go 1.26\n\nuse ../lib\n", "lib/go.mod": "module corp.example/lib\n\ngo 1.26\n", "lib/lib.go": lib},
			notebook: "docs/a.ipynb", env: "GOWORK=elsewhere/go.work", source: "import \"corp.example/lib\"\n%%\nfmt.Print(lib.Text)", want: "lib",
		},
		"vendor": {
			files: map[string]string{
				"go.mod":                    "module example.com/foo\n\ngo 1.26\n\nrequire (\n\texample.com/v v1.2.3\n\texample.com/v/more/sub/v2 v2.0.1\n)\n",
				"lib/lib.go":                "package lib\n\nimport \"example.com/v/deep\"\n\nconst Text = \"lib with \" + deep.Text\n",
				"vendor/modules.txt":        "# example.com/v v1.2.3\n## explicit; go 1.21\nexample.com/v\nexample.com/v/deep\nexample.com/v/more\n# example.com/v/more/sub/v2 v2.0.1\n## explicit; go 1.22\nexample.com/v/more/sub/v2\n",
				"vendor/example.com/v/v.go": "package v\n\nimport _ \"embed\"\n\n//go:embed v.txt\nvar Text string\n", "vendor/example.com/v/v.txt": "embedded",
				"vendor/example.com/v/deep/deep.go": strings.ReplaceAll(lib, "lib", "deep"), "vendor/example.com/v/more/more.go": strings.ReplaceAll(lib, "lib", "more"),
				"vendor/example.com/v/more/sub/v2/sub.go": strings.ReplaceAll(lib, "lib", "sub"),
			},
			notebook: "docs/a.ipynb", source: "import (\n\"example.com/foo/lib\"\n\"example.com/v\"\n\"example.com/v/more\"\n\"example.com/v/more/sub/v2\"\n)\n%%\nfmt.Print(lib.Text, v.Text, more.Text, sub.Text)", want: "lib with deepembeddedmoresub",
		},
		"vendor, beside a go.work of others": {
			files: map[string]string{
				"go.work": "go 1.26\n\nuse ./lib\n", "lib/go.mod": "module corp.example/lib\n\ngo 1.26\n", "lib/lib.go": lib,
				"foo/go.mod":             "module example.com/foo\n\ngo 1.26\n\nrequire example.com/v v1.2.3\n",
				"foo/vendor/modules.txt": "# example.com/v v1.2.3\n## explicit; go 1.21\nexample.com/v\n", "foo/vendor/example.com/v/v.go": strings.ReplaceAll(lib, "lib", "v"),
			},
			notebook: "foo/docs/a.ipynb", source: "import (\n\"corp.example/lib\"\n\"example.com/v\"\n)\n%%\nfmt.Print(lib.Text, v.Text)", want: "libv",
		},
		"the language is the toolchain's": {
			files:    map[string]string{"go.mod": "module example.com/foo\n\ngo 1.20\n", "lib/lib.go": lib},
			notebook: "docs/a.ipynb", source: "import \"example.com/foo/lib\"\n%%\nvar all []func()\nfor i := range 2 {\nall = append(all, func() { fmt.Print(i, lib.Text) })\n}\nfor _, f := range all {\nf()\n}", want: "0lib1lib",
		},
		"a job that builds for others": {
			files: map[string]string{}, notebook: "a.ipynb", env: "GOOS=windows", source: "%%\nfmt.Print(\"here\")", want: "here",
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, dep)
			write(t, root, c.files)
			write(t, root, map[string]string{c.notebook: ""})
			if name, value, ok := strings.Cut(c.env, "="); ok {
				if strings.Contains(value, "/") {
					value = filepath.Join(root, value)
				}
				t.Setenv(name, value)
			}
			w := open(t, filepath.Join(root, c.notebook))
			if got := output(t, w, job(t, c.source)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// What GOFLAGS says applies on the fake clock, too.
func TestTheFlagsOfTheEnvironment(t *testing.T) {
	for goflags, want := range map[string]string{
		"-tags=foo -v":   "virtual -tags=faketime,foo",
		"-race":          "real ",
		"-mod=mod -msan": "real ",
	} {
		w := &Workspace{clock: process.NewClock(true)}
		j := job(t, "%%\n")
		j.Env = j.Env.With("GOFLAGS", goflags)
		b := w.newBuild(j)
		clock := "real "
		if b.virtual {
			clock = "virtual "
		}
		if got := clock + strings.Join(flags(b), " "); got != want {
			t.Errorf("%s: %s, want %s", goflags, got, want)
		}
	}
	w := &Workspace{clock: process.NewClock(true), goflags: "-tags=a"}
	j := job(t, "%%\n", "-tags=b")
	j.Env = j.Env.With("GOFLAGS", "")
	if got := strings.Join(flags(w.newBuild(j)), " "); got != "-tags=faketime,b" {
		t.Error(got)
	}
}
