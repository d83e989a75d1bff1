package golang

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/taken"
)

// overlay is how the go command is called so that programs wait until what they display
// has been taken: see package taken. The zero overlay is none.
type overlay struct {
	file string // for -overlay
	root string // for GOROOT, if it has to be named in another way
}

// gonb is the module of gonbui.
const gonb = "github.com/janpfeifer/gonb"

// overlay returns the overlay for a build. There is none if no program of the workspace
// can import gonbui, nor if the user's own flags have one, as only one is possible.
// What can't be found out or done is no error: displays may then come out of order, as
// in GoNB.
func (w *Workspace) overlay(ctx context.Context, b *build) overlay {
	mod, err := regular.ReadFile(filepath.Join(w.dir, "go.mod"))
	if err != nil || !bytes.Contains(mod, []byte(gonb)) || runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return overlay{}
	}
	if slices.ContainsFunc(b.Flags, hasOverlay) {
		return overlay{}
	}
	key := string(mod) + "\x00" + strings.Join(buildEnv(b.Env), "\x00")
	if key != w.overlaid.key {
		w.overlaid.key = key
		w.overlaid.overlay, _ = w.newOverlay(ctx, b.Env)
	}
	return w.overlaid.overlay
}

// hasOverlay reports whether a build flag is -overlay.
func hasOverlay(flag string) bool { return flagName(flag) == "overlay" }

// newOverlay writes the overlay for the Go that the workspace's go.mod selects.
func (w *Workspace) newOverlay(ctx context.Context, env process.Env) (overlay, error) {
	goEnv, err := askGo(ctx, w.dir, env.With("GOWORK", "off"))
	if err != nil {
		return overlay{}, err
	}
	if slices.ContainsFunc(strings.Fields(goEnv.GOFLAGS), hasOverlay) {
		return overlay{}, errors.New("GOFLAGS has an overlay")
	}
	files := taken.Files()
	for name := range taken.Patched {
		text, err := regular.ReadFile(filepath.Join(goEnv.GOROOT, gob, name))
		if err != nil {
			return overlay{}, err
		}
		if files[name], err = taken.Patch(name, string(text)); err != nil {
			return overlay{}, err
		}
	}
	what := []string{goEnv.GOROOT}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		what = append(what, name, files[name])
	}
	id := cache.ID(what...)
	if dir, err := cache.Dir(cache.Overlay, id); err == nil && cache.Trusted() == nil {
		if o, err := writeOverlay(dir, goEnv.GOROOT, goEnv.GOMODCACHE, files); err == nil {
			return o, nil
		}
	}
	return writeOverlay(filepath.Join(w.dir, string(cache.Overlay)+id), goEnv.GOROOT, goEnv.GOMODCACHE, files)
}

// gob is the folder of the files that are overlaid.
var gob = filepath.Join("src", "encoding", "gob")

// writeOverlay writes the overlay to a folder of its own, where it is missing.
func writeOverlay(dir, root, modCache string, files map[string]string) (overlay, error) {
	if err := cache.Folder(dir); err != nil {
		return overlay{}, err
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // what is in use is not old
	o := overlay{file: filepath.Join(dir, "overlay.json")}
	// A Go that was fetched as a module is in the module cache, where the go command
	// refuses an overlay. By another name it accepts it.
	if rel, err := filepath.Rel(modCache, root); err == nil && filepath.IsLocal(rel) {
		o.root = filepath.Join(dir, "pkg", "mod", rel)
		if err := linkTo(root, dir, o.root); err != nil {
			return overlay{}, err
		}
		root = o.root
	}
	replace := map[string]string{}
	for name, text := range files {
		replace[filepath.Join(root, gob, name)] = filepath.Join(dir, name)
		if err := cache.WriteFile(filepath.Join(dir, name), text); err != nil {
			return overlay{}, err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return overlay{}, err
	}
	return o, cache.WriteFile(o.file, string(text))
}

// linkTo makes a link below a folder in the cache.
func linkTo(target, dir, link string) error {
	rel, err := filepath.Rel(dir, filepath.Dir(link))
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(rel, string(filepath.Separator)) {
		dir = filepath.Join(dir, name)
		if err := cache.Folder(dir); err != nil {
			return err
		}
	}
	if to, err := os.Readlink(link); err == nil && to == target {
		return nil
	}
	if err := cache.Remove(link); err != nil {
		return err
	}
	if err := os.Symlink(target, link); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// command returns the go command's arguments and environment with the overlay. Its flag
// comes after the first argument.
func (o overlay) command(ctx context.Context, args []string, env process.Env) *exec.Cmd {
	name := "go"
	if o.file != "" {
		args = slices.Insert(slices.Clone(args), 1, "-overlay="+o.file)
	}
	if o.root != "" {
		name = filepath.Join(o.root, "bin", "go")
		env = env.With("GOROOT", o.root)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = env
	return cmd
}
