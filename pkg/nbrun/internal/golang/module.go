package golang

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// moduleOf composes the workspace's go.mod and go.sum. If folder lies in a
// module, the workspace requires that module, from where it lies, and all that it
// requires, in the same versions; so the notebook's imports are the module's, and
// nothing has to be fetched. The modules of a go.work are replaced likewise.
func (w *Workspace) moduleOf(ctx context.Context, folder, name string) error {
	f := new(modfile.File)
	if err := f.AddModuleStmt(name); err != nil {
		return err
	}
	root := find(folder, "go.mod")
	if root == "" {
		version, err := goVersion(ctx)
		if err != nil {
			return err
		}
		if err := f.AddGoStmt(version); err != nil {
			return err
		}
		text, err := f.Format()
		w.module = map[string]string{"go.mod": string(text), "go.sum": ""}
		return err
	}
	outer, err := readMod(root)
	if err != nil {
		return err
	}
	var errs []error
	add := func(err error) { errs = append(errs, err) }
	if outer.Go != nil {
		add(f.AddGoStmt(outer.Go.Version))
	}
	own := outer.Module.Mod.Path
	add(f.AddRequire(own, "v0.0.0"))
	add(f.AddReplace(own, "", root, ""))
	for _, r := range outer.Require {
		add(f.AddRequire(r.Mod.Path, r.Mod.Version))
	}
	for _, e := range outer.Exclude {
		add(f.AddExclude(e.Mod.Path, e.Mod.Version))
	}
	for _, r := range outer.Replace {
		to := r.New.Path
		if r.New.Version == "" && !filepath.IsAbs(to) {
			to = filepath.Join(root, to)
		}
		add(f.AddReplace(r.Old.Path, r.Old.Version, to, r.New.Version))
	}
	for _, g := range outer.Godebug {
		add(f.AddGodebug(g.Key, g.Value))
	}
	sums := []string{filepath.Join(root, "go.sum")}
	if dir := find(folder, "go.work"); dir != "" && os.Getenv("GOWORK") != "off" {
		more, err := addWork(f, dir, own)
		add(err)
		sums = append(sums, more...)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	f.Cleanup()
	text, err := f.Format()
	if err != nil {
		return err
	}
	var sum strings.Builder
	for _, s := range sums {
		if data, err := regular.ReadFile(s); err == nil {
			sum.Write(data)
		}
	}
	w.module = map[string]string{"go.mod": string(text), "go.sum": sum.String()}
	return nil
}

// addWork adds the modules of a go.work, except own, and returns the paths of
// their go.sum files.
func addWork(f *modfile.File, dir, own string) (sums []string, err error) {
	path := filepath.Join(dir, "go.work")
	data, err := regular.ReadFile(path)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(path, data, nil)
	if err != nil {
		return nil, err
	}
	sums = append(sums, filepath.Join(dir, "go.work.sum"))
	for _, use := range work.Use {
		at := use.Path
		if !filepath.IsAbs(at) {
			at = filepath.Join(dir, at)
		}
		m, err := readMod(at)
		if err != nil {
			return nil, err
		}
		if m.Module.Mod.Path == own {
			continue
		}
		sums = append(sums, filepath.Join(at, "go.sum"))
		if err := errors.Join(requireAll(f, m, own), f.AddRequire(m.Module.Mod.Path, "v0.0.0"), f.AddReplace(m.Module.Mod.Path, "", at, "")); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// requireAll makes f require what m does, but own, in no older versions.
func requireAll(f, m *modfile.File, own string) error {
	var errs []error
	for _, r := range m.Require {
		has := slices.IndexFunc(f.Require, func(other *modfile.Require) bool { return other.Mod.Path == r.Mod.Path })
		if r.Mod.Path != own && (has < 0 || semver.Compare(f.Require[has].Mod.Version, r.Mod.Version) < 0) {
			errs = append(errs, f.AddRequire(r.Mod.Path, r.Mod.Version))
		}
	}
	return errors.Join(errs...)
}

// joinWork adds the modules of the go.work that a cell may have made here, as the
// kernel would have them. The module that the notebook lies in is there already.
func (w *Workspace) joinWork() error {
	if w.joined {
		return nil
	}
	w.joined = true
	if _, err := os.Stat(filepath.Join(w.dir, "go.work")); err != nil {
		return nil
	}
	f, err := readMod(w.dir)
	if err != nil {
		return err
	}
	before, err := f.Format()
	if err != nil {
		return err
	}
	files, err := addWork(f, w.dir, f.Module.Mod.Path)
	if err != nil {
		return err
	}
	f.Cleanup()
	after, err := f.Format()
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	sum, err := regular.ReadFile(filepath.Join(w.dir, "go.sum"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if data, err := regular.ReadFile(file); err == nil {
			sum = append(sum, data...)
		}
	}
	return w.writeModule(map[string]string{"go.mod": string(after), "go.sum": string(sum)})
}

func readMod(dir string) (*modfile.File, error) {
	path := filepath.Join(dir, "go.mod")
	data, err := regular.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := modfile.Parse(path, data, nil)
	if err != nil {
		return nil, err
	}
	if m.Module == nil || module.CheckImportPath(m.Module.Mod.Path) != nil {
		return nil, fmt.Errorf("%s: names no module", path)
	}
	return m, nil
}

// find looks for a file in a folder and those above it, and returns the folder
// that has it, or "".
func find(folder, file string) string {
	for {
		if info, err := os.Stat(filepath.Join(folder, file)); err == nil && info.Mode().IsRegular() {
			return folder
		}
		up := filepath.Dir(folder)
		if up == folder {
			return ""
		}
		folder = up
	}
}

// ResetModule puts go.mod back to what it was at the beginning.
func (w *Workspace) ResetModule() error {
	w.Changed()
	return w.writeModule(w.module)
}

func (w *Workspace) writeModule(files map[string]string) error {
	w.last = files
	for name, text := range files {
		if err := cache.WriteFile(filepath.Join(w.dir, name), text); err != nil {
			return err
		}
	}
	return nil
}

// saveModule remembers go.mod and go.sum, which cells can change, in case that they
// are removed. It reports whether they have changed since it was last called.
func (w *Workspace) saveModule() (changed bool) {
	files := map[string]string{}
	for name := range w.module {
		text, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			return false
		}
		files[name] = string(text)
	}
	changed = !maps.Equal(files, w.last)
	w.last = files
	return changed
}

// goVersion is the version of the go command, asked for once.
func goVersion(ctx context.Context) (string, error) {
	version.Do(func() {
		out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
		version.text, version.err = strings.TrimPrefix(strings.TrimSpace(string(out)), "go"), err
		if i := strings.IndexAny(version.text, " -"); i > 0 {
			version.text = version.text[:i] // a build from a branch or with an experiment
		}
	})
	return version.text, version.err
}

var version struct {
	sync.Once
	text string
	err  error
}
