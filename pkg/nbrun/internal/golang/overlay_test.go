//go:build unix

package golang

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// ordered reports whether the displays of the program come in their order.
func ordered(t *testing.T, w *Workspace, j engine.Job) bool {
	t.Helper()
	var got, want []string
	exit, err := w.Run(t.Context(), j, noneAhead, event.SinkFunc(func(_ time.Time, o event.Output) error {
		if o.Kind == event.Display {
			o.Text = fmt.Sprint(o.Data["text/html"])
		}
		got = append(got, o.Text)
		return nil
	}))
	if err != nil || exit.Err != nil {
		t.Fatalf("%v, %v: %q", err, exit.Err, got)
	}
	for i := range 20 {
		want = append(want, fmt.Sprintln("a", i), fmt.Sprintln("d", i))
	}
	return slices.Equal(got, want)
}

// encoders displays as gonbui does, which this module does not have.
const encoders = `import "encoding/gob"
type DisplayData struct { Data map[string]any }
%%
f, err := os.OpenFile(os.Getenv("GONB_PIPE"), os.O_WRONLY, 0)
if err != nil { panic(err) }
enc := gob.NewEncoder(f)
for i := range 20 {
	fmt.Println("a", i)
	if err := enc.Encode(DisplayData{map[string]any{"text/html": fmt.Sprintln("d", i)}}); err != nil { panic(err) }
}`

func notebook(t *testing.T, goMod string) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, map[string]string{"go.mod": goMod})
	return filepath.Join(root, "a.ipynb")
}

// need makes the workspace believe that its programs can have gonbui.
func need(t *testing.T, w *Workspace) {
	t.Helper()
	path := filepath.Join(w.dir, "go.mod")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.dir, map[string]string{"go.mod": string(data) + "\n// github.com/janpfeifer/gonb\n"})
}

const plainModule = "module example.com/mod\n\ngo 1.26\n"

func TestProgramsWaitUntilADisplayIsTaken(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	ownCache(t)
	for name, flags := range map[string][]string{"real clock": nil, "virtual": nil, "trimpath": {"-trimpath"}, "race": {"-race"}} {
		t.Run(name, func(t *testing.T) {
			w := open(t, notebook(t, plainModule))
			need(t, w)
			w.clock = process.NewClock(name == "virtual")
			for range 5 {
				if !ordered(t, w, job(t, encoders, flags...)) {
					t.Fatal("displays and text are out of order")
				}
			}
		})
	}
}

// A Go that the go command has fetched is in the module cache.
func TestAGoFromTheModuleCache(t *testing.T) {
	ownCache(t)
	w := open(t, notebook(t, plainModule))
	need(t, w)
	cache := t.TempDir()
	root := filepath.Join(cache, "golang.org", "toolchain@v0.0.1-go1.26")
	if err := os.Mkdir(filepath.Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shell(t, "go env GOROOT"), root); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOROOT", root)
	t.Setenv("GOMODCACHE", cache)
	j := job(t, encoders)
	if !ordered(t, w, j) {
		t.Error("displays and text are out of order")
	}
	o := w.overlay(t.Context(), w.newBuild(j))
	if !strings.HasSuffix(o.root, "/pkg/mod/golang.org/toolchain@v0.0.1-go1.26") {
		t.Errorf("%+v", o)
	}
}

// What is there is compiled into every program.
func TestDamageToTheOverlayIsNotBelieved(t *testing.T) {
	ownCache(t)
	modCache := t.TempDir()
	root := filepath.Join(modCache, "golang.org", "toolchain@v0.0.1-go1.26")
	if err := os.Mkdir(filepath.Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shell(t, "go env GOROOT"), root); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOROOT", root)
	t.Setenv("GOMODCACHE", modCache)
	j := job(t, encoders)
	first := open(t, notebook(t, plainModule))
	need(t, first)
	o := first.overlay(t.Context(), first.newBuild(j))
	dir := filepath.Dir(o.file)
	for name, damage := range map[string]func() error{
		"a file":   func() error { return os.WriteFile(filepath.Join(dir, "encoder.go"), []byte("package gob"), 0o600) },
		"the list": func() error { return os.WriteFile(o.file, []byte("{}"), 0o600) },
		"the link": func() error { return errors.Join(os.Remove(o.root), os.Symlink(t.TempDir(), o.root)) },
		"a folder": func() error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "pkg")), os.Symlink(t.TempDir(), filepath.Join(dir, "pkg")))
		},
		"all of it": func() error { return os.RemoveAll(dir) },
	} {
		if err := damage(); err != nil {
			t.Fatal(name, err)
		}
		w := open(t, notebook(t, plainModule))
		need(t, w)
		if !ordered(t, w, j) {
			t.Errorf("%s: displays and text are out of order", name)
		}
		if to, err := os.Readlink(o.root); to != root || err != nil {
			t.Errorf("%s: the link is to %s, %v", name, to, err)
		}
	}
}

func TestWhenThereIsNoOverlay(t *testing.T) {
	ownCache(t)
	own := filepath.Join(t.TempDir(), "o.json")
	write(t, filepath.Dir(own), map[string]string{"o.json": "{}"})
	w := open(t, notebook(t, plainModule))
	none := func(why string, j engine.Job) {
		t.Helper()
		if o := w.overlay(t.Context(), w.newBuild(j)); o != (overlay{}) {
			t.Errorf("%s: %+v", why, o)
		}
	}
	plain := job(t, "%%\nfmt.Print(1)")
	none("no gonbui", plain)
	need(t, w)
	if w.overlay(t.Context(), w.newBuild(plain)) == (overlay{}) {
		t.Error("after go get there is still none")
	}
	none("-overlay", job(t, "%%\nfmt.Print(1)", "-overlay="+own))
	none("-overlay", job(t, "%%\nfmt.Print(1)", "-overlay", own))
	inFlags := plain
	inFlags.Env = plain.Env.With("GOFLAGS", "-mod=vendor -overlay="+own)
	none("GOFLAGS", inFlags)
	if got := output(t, w, job(t, "%%\nfmt.Print(1)", "-overlay="+own)); got != "1" {
		t.Errorf("%q", got)
	}
	if err := w.ResetModule(); err != nil {
		t.Fatal(err)
	}
	none("after a reset", plain)
}

// A build may bring gonbui into the module, and is then done again.
func TestAModuleThatABuildBringsIn(t *testing.T) {
	modules := shell(t, "go env GOMODCACHE")
	ownCache(t)
	t.Setenv("GOMODCACHE", modules)
	t.Setenv("GOPROXY", "file://"+modules+"/cache/download")
	t.Setenv("GONOSUMDB", "*")
	w := open(t, notebook(t, plainModule))
	j := job(t, `import "github.com/janpfeifer/gonb/gonbui"
%%
for i := range 20 {
	fmt.Println("a", i)
	gonbui.DisplayHTML(fmt.Sprintln("d", i))
}`)
	if w.overlay(t.Context(), w.newBuild(j)) != (overlay{}) {
		t.Fatal("there is an overlay already")
	}
	if !ordered(t, w, j) {
		t.Error("displays and text are out of order")
	}
}
