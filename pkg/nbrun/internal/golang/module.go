package golang

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/modules"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// moduleOf composes the workspace's go.mod and go.sum. The workspace requires the
// module around the notebook, where it is, the modules of the go.work there, and
// everything that these require, in the same versions; so the notebook's imports are
// the module's, and nothing has to be fetched. What a vendor folder has is used from
// there.
//
// The workspace is named as if it were in the notebook's folder, so that cells can
// import the internal packages that a program there could. The language of cells is the
// toolchain's, as in GoNB, whatever the module's own is.
func (w *Workspace) moduleOf(ctx context.Context, name string) error {
	folder := w.folder
	env, err := askGo(ctx, folder, os.Environ())
	if err != nil {
		return err
	}
	w.goflags = env.GOFLAGS
	c := newComposition(new(modfile.File))
	root := modules.Find(folder, "go.mod")
	if root != "" {
		outer, err := modules.Read(root)
		if err != nil {
			return err
		}
		name = modules.ImportPath(outer.Module.Mod.Path, root, folder) + "/" + name
		c.modules = append(c.modules, local{root, outer})
		for _, g := range outer.Godebug {
			c.try(c.file.AddGodebug(g.Key, g.Value))
		}
	}
	if work := env.GOWORK; work != "" && work != "off" {
		used, err := c.addWork(work)
		if err != nil {
			return err
		}
		if root == "" || slices.Contains(used, root) {
			root = filepath.Dir(work) // where a vendor folder counts
		}
	}
	c.try(c.file.AddModuleStmt(name))
	c.try(c.file.AddGoStmt(env.version()))
	if root != "" && !strings.Contains(env.GOFLAGS, "-mod=mod") {
		w.vendor = readVendor(filepath.Join(root, "vendor"))
	}
	w.vendor.replaceIn(c)
	for _, m := range c.modules {
		w.local = append(w.local, filepath.Clean(m.dir))
	}
	slices.SortFunc(w.local, func(a, b string) int { return len(b) - len(a) })
	w.module, err = c.compose()
	return err
}

// composition is a go.mod being composed from those of modules in folders.
type composition struct {
	file    *modfile.File
	modules []local
	work    []*modfile.Replace // of go.work files, which count before all others
	sums    []string           // paths of files like go.sum
	errs    []error
}

// local is a module in a folder.
type local struct {
	dir string
	*modfile.File
}

func newComposition(f *modfile.File) *composition { return &composition{file: f} }

func (c *composition) try(err error) { c.errs = append(c.errs, err) }

// addWork adds the modules of a go.work, and returns their folders.
func (c *composition) addWork(path string) (used []string, err error) {
	work, err := modules.ReadWork(path, path)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	c.sums = append(c.sums, filepath.Join(dir, "go.work.sum"))
	c.work = append(c.work, absolute(work.Replace, dir)...)
	for _, use := range work.Use {
		at := use.Path
		if !filepath.IsAbs(at) {
			at = filepath.Join(dir, at)
		}
		m, err := modules.Read(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s:%d: there is no module in %s", path, use.Syntax.Start.Line, use.Path)
		}
		if err != nil {
			return nil, err
		}
		used = append(used, filepath.Clean(at))
		if !c.has(m.Module.Mod.Path) {
			c.modules = append(c.modules, local{at, m})
		}
	}
	return used, nil
}

// has reports whether a module is one of those in folders.
func (c *composition) has(path string) bool {
	return c.file.Module != nil && c.file.Module.Mod.Path == path ||
		slices.ContainsFunc(c.modules, func(m local) bool { return m.Module.Mod.Path == path })
}

// compose returns go.mod, and the go.sum of all modules.
func (c *composition) compose() (map[string]string, error) {
	for _, r := range c.work {
		c.replace(r, true)
	}
	for _, m := range c.modules {
		path := m.Module.Mod.Path
		c.try(c.file.AddRequire(path, modules.LocalVersion(path)))
		c.try(c.file.AddReplace(path, "", m.dir, ""))
		c.sums = append(c.sums, filepath.Join(m.dir, "go.sum"))
	}
	for _, m := range c.modules {
		for _, r := range m.Require {
			c.require(r.Mod)
		}
		for _, e := range m.Exclude {
			c.try(c.file.AddExclude(e.Mod.Path, e.Mod.Version))
		}
		for _, r := range absolute(m.Replace, m.dir) {
			c.replace(r, false)
		}
	}
	c.file.Cleanup()
	text, err := c.file.Format()
	if err := errors.Join(append(c.errs, err)...); err != nil {
		return nil, err
	}
	var sum strings.Builder
	for _, s := range c.sums {
		if data, err := regular.ReadFile(s); err == nil {
			sum.Write(data)
		}
	}
	return map[string]string{"go.mod": string(text), "go.sum": sum.String()}, nil
}

// require requires a module, in no older version than others do.
func (c *composition) require(m module.Version) {
	if c.has(m.Path) {
		return
	}
	has := slices.IndexFunc(c.file.Require, func(r *modfile.Require) bool { return r.Mod.Path == m.Path })
	if has < 0 || semver.Compare(c.file.Require[has].Mod.Version, m.Version) < 0 {
		c.try(c.file.AddRequire(m.Path, m.Version))
	}
}

// replace adds a replacement, unless there is one for the same module. With overrides
// it counts even so, and for modules in folders.
func (c *composition) replace(r *modfile.Replace, overrides bool) {
	there := slices.ContainsFunc(c.file.Replace, func(old *modfile.Replace) bool {
		return old.Old.Path == r.Old.Path && (old.Old.Version == "" || old.Old.Version == r.Old.Version)
	})
	if overrides || !there && !c.has(r.Old.Path) {
		c.try(c.file.AddReplace(r.Old.Path, r.Old.Version, r.New.Path, r.New.Version))
	}
}

// absolute returns replacements whose folders are absolute; they are relative to dir.
func absolute(replace []*modfile.Replace, dir string) []*modfile.Replace {
	var list []*modfile.Replace
	for _, r := range replace {
		at := *r
		if at.New.Version == "" && !filepath.IsAbs(at.New.Path) {
			at.New.Path = filepath.Join(dir, at.New.Path)
		}
		list = append(list, &at)
	}
	return list
}

// joinWork adds the modules of the go.work that a cell may have made here, as the
// kernel would see them. The module around the notebook is there already. Errors are of
// type event.Faults.
func (w *Workspace) joinWork() error {
	if w.joined {
		return nil
	}
	w.joined = true
	work := filepath.Join(w.dir, "go.work")
	if _, err := os.Stat(work); err != nil {
		return nil
	}
	err := w.addCellsWork(work)
	if err != nil {
		text := strings.ReplaceAll(err.Error(), w.dir+string(filepath.Separator), "")
		return event.Faults{{Text: "the go.work made by a cell can't be used: " + text}}
	}
	return nil
}

func (w *Workspace) addCellsWork(work string) error {
	f, err := modules.Read(w.dir)
	if err != nil {
		return err
	}
	before, err := f.Format()
	if err != nil {
		return err
	}
	c := newComposition(f)
	c.sums = []string{filepath.Join(w.dir, "go.sum")}
	if _, err := c.addWork(work); err != nil {
		return err
	}
	module, err := c.compose()
	if err != nil || module["go.mod"] == string(before) {
		return err
	}
	return w.writeModule(module)
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

// saveModule remembers go.mod and go.sum, which cells can change, in case they are
// removed. It reports whether they have changed since it was last called.
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
