//go:build unix

package golang

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
)

// forged makes a program say something else; no hash or path contains it.
const forged = "package main\n\nimport \"os\"\n\nfunc init() { os.Stdout.WriteString(\"COUNTERFEIT\"); os.Exit(0) }\n"

// damages are what can happen to a file or folder of the cache. Evil is a program
// that says something else.
var damages = []struct {
	name string
	do   func(path, evil string, r *rand.Rand) error
}{
	{"cut off", func(path, _ string, r *rand.Rand) error {
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			return err
		}
		return os.Truncate(path, r.Int64N(info.Size()+1))
	}},
	{"a byte changed", func(path, _ string, r *rand.Rand) error {
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			return nil
		}
		data[r.IntN(len(data))] ^= byte(1 + r.IntN(255))
		info, _ := os.Stat(path)
		return errors.Join(os.WriteFile(path, data, 0o600), os.Chtimes(path, info.ModTime(), info.ModTime()))
	}},
	{"removed", func(path, _ string, _ *rand.Rand) error { return os.RemoveAll(path) }},
	{"a file added", func(path, _ string, r *rand.Rand) error {
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			path = filepath.Dir(path)
		}
		name := []string{"forged.go", "forged_test.go", "go.mod", "vendor", "forged.s", "go.work"}[r.IntN(6)]
		return os.WriteFile(filepath.Join(path, name), []byte(forged), 0o600)
	}},
	{"nothing allowed", func(path, _ string, _ *rand.Rand) error { return os.Chmod(path, 0) }},
	{"all allowed to all", func(path, _ string, _ *rand.Rand) error { return os.Chmod(path, 0o777) }},
	{"a folder in its place", func(path, _ string, _ *rand.Rand) error {
		return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, "main.go"), []byte(forged), 0o600))
	}},
	{"a link in its place", func(path, evil string, _ *rand.Rand) error {
		return errors.Join(os.RemoveAll(path), os.Symlink(evil, path))
	}},
	{"another program in its place", func(path, evil string, _ *rand.Rand) error {
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(evil)
		if strings.HasSuffix(path, ".go") {
			data = []byte(forged)
		}
		return errors.Join(err, os.WriteFile(path, data, 0o700), os.Chtimes(path, info.ModTime(), info.ModTime()))
	}},
}

// Whatever happens to the cache, before a run or in the middle of it, cells say what
// they should, and not even the first run after it fails.
func TestDamageToTheCacheIsNeitherBelievedNorLasting(t *testing.T) {
	ownCache(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "a.ipynb")
	write(t, folder, map[string]string{"a.ipynb": "{}", "kept.txt": "kept"})
	evil := filepath.Join(folder, "evil")
	other := open(t, filepath.Join(folder, "evil.ipynb"))
	b := other.newBuild(job(t, "%%\nos.Stdout.WriteString(\"COUNTERFEIT\")"))
	if err := other.build(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(other.binary(b), evil); err != nil {
		t.Fatal(err)
	}
	program, test := job(t, "%%\nos.Stdout.WriteString(\"42\")"), job(t, "%test\nfunc TestX(t *testing.T) { os.Stdout.WriteString(\"42\") }")
	i := 0
	says := func(w *Workspace) string { // one time what the program does, one time what the test does
		w.Changed() // as after a ! line
		got, err := run(t, w, []engine.Job{program, test}[i%2])
		switch {
		case err != nil:
			return err.Error()
		case i%2 == 1 && strings.Contains(got, "\n42") && !strings.Contains(got, "COUNTERFEIT"):
			return "42"
		}
		return got
	}
	dir, err := cache.Dir(cache.Programs, cache.ID(path))
	if err != nil {
		t.Fatal(err)
	}
	count := 200
	if testing.Short() {
		count = 20
	}
	for ; i < count; i++ {
		r := rand.New(rand.NewPCG(20, uint64(i)))
		during := r.IntN(2) == 0
		w, err := Open(t.Context(), path, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if i < 2 || during {
			if got := says(w); got != "42" {
				t.Fatalf("%d: before: %s", i, got)
			}
		}
		if !during {
			if err := w.Close(); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		var paths []string
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
			paths = append(paths, path)
			return nil
		})
		at, d := paths[r.IntN(len(paths))], damages[r.IntN(len(damages))]
		what := strings.TrimPrefix(at, dir) + ": " + d.name
		if err := d.do(at, evil, r); err != nil {
			t.Fatalf("%d: %s: %v", i, what, err)
		}
		if !during {
			if w, err = Open(t.Context(), path, t.TempDir()); err != nil {
				t.Errorf("%d: %s: %v", i, what, err)
				continue
			}
		}
		got := says(w)
		if module := filepath.Base(at) == "go.mod" || filepath.Base(at) == "go.sum" || d.name == "a file added"; during && module && (strings.Contains(got, "go: ") || strings.Contains(got, "go.work:") || strings.Contains(got, "go.mod:")) && !strings.Contains(got, "COUNTERFEIT") {
			// Cells may change that: the next run has its own again.
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if w, err = Open(t.Context(), path, t.TempDir()); err != nil {
				t.Fatal(err)
			}
			got = says(w)
		}
		if got != "42" {
			t.Errorf("%d: %s (in the middle of a run: %v): %s", i, what, during, got)
			if got := says(w); got != "42" {
				t.Errorf("%d: and the next time: %s", i, got)
			}
		}
		if err := w.Close(); err != nil {
			t.Errorf("%d: %s: %v", i, what, err)
		}
	}
	if left, _ := os.ReadDir(folder); len(left) != 3 {
		t.Errorf("beside the notebook are %v", left)
	}
}

// A cell's own program is checked again right before it is run.
func TestABinaryIsBuiltAgainWhenItsTurnComes(t *testing.T) {
	ownCache(t)
	w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
	one, two := job(t, "%%\nfmt.Print(1)"), job(t, "%%\nfmt.Print(2)")
	if got, err := run(t, w, one, two); got != "1" || err != nil {
		t.Fatal(got, err)
	}
	for name, damage := range map[string]func(path string) error{
		"changed":   func(path string) error { return os.WriteFile(path, []byte("#!/bin/sh\necho forged\n"), 0o700) },
		"removed":   os.Remove,
		"all of it": func(string) error { return os.RemoveAll(w.dir) },
		"can't be run, though it is as it was built": func(path string) error {
			return errors.Join(os.WriteFile(path, []byte("no program"), 0o700), cache.Seal(path))
		},
	} {
		if err := damage(w.binary(w.newBuild(two))); err != nil {
			t.Fatal(err)
		}
		if got, err := run(t, w, two); got != "2" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestOneNotebookDoesNotFillTheCache(t *testing.T) {
	ownCache(t)
	path := filepath.Join(t.TempDir(), "a.ipynb")
	first, err := Open(t.Context(), path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	old, recent := job(t, "%%\nprint(1)"), job(t, "%%\nprint(2)")
	binary := func(w *Workspace, j engine.Job) string { return w.binary(w.newBuild(j)) }
	output(t, first, old)
	output(t, first, recent)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(binary(first, old), long, long); err != nil {
		t.Fatal(err)
	}
	second := open(t, path)
	info, err := os.Stat(binary(second, recent))
	if err != nil {
		t.Fatal(err)
	}
	second.limit(info.Size() + 1000)
	if _, err := os.Stat(binary(second, old)); err == nil {
		t.Error("the older one is still there")
	}
	output(t, second, recent)
	second.limit(0)
	if _, err := os.Stat(binary(second, recent)); err != nil {
		t.Error("what is in use is gone")
	}
}
