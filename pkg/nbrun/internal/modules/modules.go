// Package modules finds out about the Go modules in folders.
package modules

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// Find looks for a file in a folder and those above it, and returns the folder
// that has it, or "".
func Find(folder, file string) string {
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

// Read reads the go.mod of a folder.
func Read(dir string) (*modfile.File, error) {
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

// ReadWork reads a go.work. Errors call it by that name.
func ReadWork(path, name string) (*modfile.WorkFile, error) {
	data, err := regular.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return modfile.ParseWork(name, data, nil)
}

// Of returns the folder of the module that a package belongs to, and the module's path,
// if it is the one around a folder, or one of the workspace (go.work) there; otherwise
// "".
func Of(pkg, folder string) (root, own string) {
	dirs := []string{Find(folder, "go.mod")}
	if work := Find(folder, "go.work"); work != "" {
		path := filepath.Join(work, "go.work")
		if f, err := ReadWork(path, path); err == nil {
			for _, use := range f.Use {
				dirs = append(dirs, absolute(use.Path, work))
			}
		}
	}
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		if m, err := Read(dir); err == nil {
			if at := m.Module.Mod.Path; len(at) > len(own) && (pkg == at || strings.HasPrefix(pkg, at+"/")) {
				root, own = dir, at
			}
		}
	}
	return root, own
}

func absolute(dir, from string) string {
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return filepath.Join(from, dir)
}

// LocalVersion is the version by which to require a module in a folder: the least that
// a module with that path can have.
func LocalVersion(path string) string {
	_, major, _ := module.SplitPathVersion(path)
	if prefix := module.PathMajorPrefix(major); prefix != "" {
		return prefix + ".0.0"
	}
	return "v0.0.0"
}

// ImportPath is the import path of a folder below the root of a module, or of the
// nearest folder above it that can have one.
func ImportPath(own, root, folder string) string {
	rel, err := filepath.Rel(root, folder)
	if err != nil {
		return own
	}
	at := own
	for part := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		next := path.Join(at, part)
		if module.CheckImportPath(next) != nil {
			break
		}
		at = next
	}
	return at
}
