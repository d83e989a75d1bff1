package golang

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// vendored is the folder, in a workspace, of a vendor folder's modules. The go command
// attaches no meaning to that name.
const vendored = "vendored"

// vendor is a vendor folder. As its modules have no go.mod there, a workspace has them
// in folders of its own, with a go.mod, and links to the contents of the vendor folder.
type vendor struct {
	dir     string
	modules []vendoredModule
}

type vendoredModule struct {
	module.Version
	goLine string
}

// readVendor reads the list of modules in a vendor folder. It returns nil if there is
// none.
func readVendor(dir string) *vendor {
	data, err := regular.ReadFile(filepath.Join(dir, "modules.txt"))
	if err != nil {
		return nil
	}
	v := &vendor{dir: dir}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			// "# path version", and with what replaces it " => path [version]".
			if words := strings.Fields(rest); len(words) >= 2 && words[1] != "=>" {
				v.modules = append(v.modules, vendoredModule{Version: module.Version{Path: words[0], Version: words[1]}})
			}
		} else if _, version, ok := strings.Cut(line, "; go "); ok && strings.HasPrefix(line, "## ") && len(v.modules) > 0 {
			v.modules[len(v.modules)-1].goLine = strings.TrimSpace(version)
		}
	}
	// The list also has modules of which nothing is needed.
	v.modules = slices.DeleteFunc(v.modules, func(m vendoredModule) bool {
		_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(m.Path)))
		return err != nil
	})
	return v
}

// replaceIn makes a go.mod use the modules from the workspace.
func (v *vendor) replaceIn(c *composition) {
	if v == nil {
		return
	}
	for _, m := range v.modules {
		if !c.has(m.Path) {
			c.require(m.Version)
			c.try(c.file.AddReplace(m.Path, "", "./"+vendored+"/"+m.Path, ""))
		}
	}
}

// link makes the modules' folders in a workspace.
func (v *vendor) link(workspace string) error {
	if v == nil {
		return nil
	}
	own := map[string]bool{} // folders that are not links: those of modules, and above them
	for _, m := range v.modules {
		for dir := m.Path; dir != "." && !own[dir]; dir = filepath.ToSlash(filepath.Dir(dir)) {
			own[dir] = true
		}
	}
	root := filepath.Join(workspace, vendored)
	for _, m := range v.modules {
		to := filepath.Join(root, filepath.FromSlash(m.Path))
		text := "module " + m.Path + "\n"
		if m.goLine != "" {
			text += "\ngo " + m.goLine + "\n"
		}
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		if err := cache.WriteFile(filepath.Join(to, "go.mod"), text); err != nil {
			return err
		}
		if err := v.linkAll(m.Path, root, own); err != nil {
			return err
		}
	}
	return nil
}

// linkAll links the contents of a folder. Files are copied, as the go command embeds
// none through a link.
func (v *vendor) linkAll(folder, root string, own map[string]bool) error {
	from := filepath.Join(v.dir, filepath.FromSlash(folder))
	to := filepath.Join(root, filepath.FromSlash(folder))
	entries, err := os.ReadDir(from)
	for _, e := range entries {
		name := folder + "/" + e.Name()
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		switch {
		case own[name]:
			if slices.ContainsFunc(v.modules, func(m vendoredModule) bool { return m.Path == name }) {
				continue // a module in this one
			}
			err = errors.Join(err, os.MkdirAll(target, 0o700), v.linkAll(name, root, own))
		case e.IsDir():
			err = errors.Join(err, os.Symlink(source, target))
		default:
			text, readErr := regular.ReadFile(source)
			err = errors.Join(err, readErr, cache.WriteFile(target, string(text)))
		}
	}
	return err
}
