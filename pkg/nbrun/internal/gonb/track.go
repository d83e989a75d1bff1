package gonb

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/modules"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// track notes files and folders that an editor would want to know of. Here nobody does,
// but the messages are GoNB's.
func track(s *session, _ state, args []string, _ int, out *output) error {
	if len(args) == 0 {
		return showTracked(s, out)
	}
	for _, name := range args {
		_, err := os.Lstat(s.path(name))
		var pe *fs.PathError
		switch {
		case errors.As(err, &pe) && errors.Is(err, fs.ErrNotExist):
			err = out.say("stderr", "path %q cannot be tracked because it does not exist: lstat %s: %v\n", name, name, pe.Err)
		case err != nil:
			err = out.say("stderr", "failed to track %q for changes: %v\n", name, err)
		default:
			s.tracked[name] = false
			err = out.say("stdout", "\tTracking %q\n", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func untrack(s *session, _ state, args []string, _ int, out *output) error {
	name := args[0]
	if prefix, all := strings.CutSuffix(name, "..."); all {
		maps.DeleteFunc(s.tracked, func(name string, _ bool) bool { return strings.HasPrefix(name, prefix) })
	} else if _, ok := s.tracked[name]; !ok {
		return out.say("stderr", "file or directory %q is not tracked, cannot untrack\n", name)
	}
	delete(s.tracked, name)
	return out.say("stdout", "\tUntracked %q\n", name)
}

func showTracked(s *session, out *output) error {
	lines := []string{"<b>No files or directory being tracked yet</b>"}
	if len(s.tracked) > 0 {
		lines = []string{"<b>List of files/directories being tracked:</b>", "<ul>"}
		names := maps.Clone(s.tracked)
		for name, below := range s.tracked {
			if below {
				addGoFolders(names, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			lines = append(lines, "<li>"+name+"</li>")
		}
		lines = append(lines, "</ul>")
	}
	return out.show("text/html", strings.Join(lines, "\n")+"\n")
}

// autoTrack tracks the folders that go.mod or go.work name because of cells, as GoNB
// does after a shell command.
func (s *session) autoTrack() {
	dirs := s.replacements()
	maps.DeleteFunc(dirs, func(dir string, _ bool) bool { return s.given[dir] })
	if work, err := s.goWork(); err == nil {
		for _, use := range work.Use {
			dirs[use.Path] = true
		}
	}
	for dir := range dirs {
		if info, err := os.Stat(dir); filepath.IsAbs(dir) && err == nil && info.IsDir() {
			s.tracked[dir] = true
		}
	}
}

// replacements are the folders by which the workspace's go.mod replaces modules.
func (s *session) replacements() map[string]bool {
	dirs := map[string]bool{}
	if file, err := s.goMod(); err == nil {
		for _, r := range file.Replace {
			dirs[r.New.Path] = true
		}
	}
	return dirs
}

// goMod reads the workspace's go.mod.
func (s *session) goMod() (*modfile.File, error) {
	data, err := regular.ReadFile(filepath.Join(s.backend.Dir(), "go.mod"))
	if err != nil {
		return nil, err
	}
	return modfile.Parse("go.mod", data, nil)
}

// goWork reads the go.work that a cell has made.
func (s *session) goWork() (*modfile.WorkFile, error) {
	return modules.ReadWork(filepath.Join(s.backend.Dir(), "go.work"), "go.work")
}

var goFile = regexp.MustCompile(`(\.go|\bgo\.(mod|sum|work))$`)

// addGoFolders adds the folders below one that have Go files.
func addGoFolders(names map[string]bool, dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && goFile.MatchString(path) && !strings.HasSuffix(path, "_test.go") {
			names[filepath.Dir(path)] = true
		}
		return nil
	})
}

// goWorkFix makes go.mod replace the modules of the go.work that a cell has made, as go
// get depends on nothing else, and says what GoNB says.
func goWorkFix(s *session, _ state, _ []string, line int, out *output) error {
	if !s.backend.Module() {
		return nil
	}
	work, err := s.goWork()
	if errors.Is(err, fs.ErrNotExist) {
		return out.failf(line, "%%goworkfix: there is no `go.work` file set up, nothing to do")
	}
	if err != nil {
		return out.failf(line, "%%goworkfix: %v", err)
	}
	folders := map[string]string{} // by module
	for _, use := range work.Use {
		if use.Path == "." {
			continue
		}
		dir := use.Path
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(s.backend.Dir(), dir)
		}
		data, err := regular.ReadFile(filepath.Join(dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // as in GoNB
		}
		module := modfile.ModulePath(data)
		if err == nil && module == "" {
			err = errors.New("names no module")
		}
		if err != nil {
			return out.failf(line, "%%goworkfix: %s: %v", filepath.Join(use.Path, "go.mod"), err)
		}
		folders[module] = use.Path
	}
	if err := s.replaceIn(folders, out); err != nil {
		return out.failf(line, "%%goworkfix: %v", err)
	}
	return nil
}

// replaceIn writes the replacements into the workspace's go.mod, which has some of its
// own, of which GoNB knows nothing.
func (s *session) replaceIn(folders map[string]string, out *output) error {
	file, err := s.goMod()
	if err != nil {
		return err
	}
	for _, module := range slices.Sorted(maps.Keys(folders)) {
		dir := folders[module]
		switch was, fixed := s.fixed[module]; {
		case fixed && was == dir:
			err = out.say("stdout", "\t- Replace rule for module %q to local directory %q already exists.\n", module, dir)
		case fixed:
			err = out.say("stderr", "\t- WARNING: replace rule for module %q mapping to %q, updated to `go.work` location %q\n", module, was, dir)
		default:
			err = out.say("stdout", "\t- Added replace rule for module %q to local directory %q.\n", module, dir)
		}
		if err == nil {
			err = file.AddReplace(module, "", dir, "")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", module, err)
		}
		s.fixed[module] = dir
	}
	file.Cleanup()
	text, err := file.Format()
	if err != nil {
		return err
	}
	s.changed()
	return cache.WriteFile(filepath.Join(s.backend.Dir(), "go.mod"), string(text))
}
