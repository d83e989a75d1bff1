package jupyter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/origin"
)

// Tools are the programs built from this module.
type Tools struct {
	Dir  string // of gonb, goimports and link
	Link string
}

const linkPath = origin.Module + "/pkg/nbrun/internal/jupyter/link"

// packages are what Tools has, in the versions of this module's go.mod.
var packages = []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports", linkPath}

// BuildTools builds the tools into the user's cache, unless they are there already. Two
// processes that do so at once build once. Progress is called with what is being done,
// if that takes long.
func BuildTools(ctx context.Context, progress func(string)) (*Tools, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the gonb engine needs the go command on PATH: install it from go.dev")
	}
	root, released, err := origin.Root(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := toolsDir(root)
	if err != nil {
		return nil, err
	}
	t := &Tools{Dir: dir, Link: filepath.Join(dir, "link")}
	if err := cache.Trusted(); err != nil {
		return nil, err
	}
	now := time.Now()
	if released && t.Complete() {
		return t, os.Chtimes(dir, now, now)
	}
	unlock, err := cache.Lock(ctx, dir, func() { progress("waiting for another run that builds the kernel") })
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := cache.Folder(dir); err != nil {
		return nil, err
	}
	complete := t.Complete()
	for _, path := range t.paths() {
		if !cache.Sealed(path) { // the go command would believe it
			if err := cache.Unseal(path); err != nil {
				return nil, err
			}
		}
	}
	progress("building the kernel")
	// Without cgo, as it is not needed and there may be no C compiler.
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-mod=readonly", "-o", dir + string(filepath.Separator)}, packages...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOOS=", "GOARCH=")
	out, err := cmd.CombinedOutput()
	progress("")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if strings.Contains(string(out), ": dial tcp") {
			return nil, fmt.Errorf("the kernel can't be built, as its modules are not on this machine yet and can't be downloaded: the first time, this needs a network (%s)", lines[len(lines)-1])
		}
		return nil, fmt.Errorf("the kernel can't be built (%w): %s", err, lines[len(lines)-1])
	}
	for _, path := range t.paths() {
		if err := cache.Seal(path); err != nil {
			return nil, err
		}
	}
	if !complete {
		cache.MakeRoom()
	}
	return t, os.Chtimes(dir, now, now)
}

// FindTools returns what BuildTools would build, and whether it is there already.
func FindTools(ctx context.Context) (t *Tools, built bool, err error) {
	root, _, err := origin.Root(ctx)
	if err != nil {
		return nil, false, err
	}
	dir, err := toolsDir(root)
	if err != nil {
		return nil, false, err
	}
	t = &Tools{Dir: dir, Link: filepath.Join(dir, "link")}
	return t, t.Complete(), nil
}

// Complete reports whether all tools are there, as they were built.
func (t *Tools) Complete() bool {
	return !slices.ContainsFunc(t.paths(), func(path string) bool { return !cache.Sealed(path) })
}

func (t *Tools) paths() []string {
	var paths []string
	for _, p := range packages {
		paths = append(paths, filepath.Join(t.Dir, filepath.Base(p)))
	}
	return paths
}

// toolsDir is the folder for the tools of the module at root: another go.mod or another
// Go makes it another folder.
func toolsDir(root string) (string, error) {
	what := []string{root, runtime.Version()}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		what = append(what, string(data))
	}
	return cache.Dir(cache.Kernel, cache.ID(what...))
}
