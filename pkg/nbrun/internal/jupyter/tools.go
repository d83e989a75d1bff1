package jupyter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
)

// Tools are the programs built from this module.
type Tools struct {
	Dir  string // of gonb, goimports and link
	Link string
}

const (
	modulePath = "github.com/b3771e63/prodcons"
	linkPath   = modulePath + "/pkg/nbrun/internal/jupyter/link"
)

// packages are what Tools holds, in the versions of this module's go.mod.
var packages = []string{"github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports", linkPath}

// BuildTools builds the tools into the user's cache, unless they are there already.
// Two that do so at once build once. Progress is told what is being done, if that
// takes long.
func BuildTools(ctx context.Context, progress func(string)) (*Tools, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the gonb engine needs the go command on PATH: install it from go.dev")
	}
	root, released, err := moduleRoot(ctx)
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
			return nil, fmt.Errorf("the kernel can't be built, as its modules are not here yet and can't be had: the first time this needs the network (%s)", lines[len(lines)-1])
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

// FindTools is what BuildTools would build, and whether it is there already.
func FindTools(ctx context.Context) (t *Tools, built bool, err error) {
	root, _, err := moduleRoot(ctx)
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

// toolsDir is the folder for the tools of the module at root: another go.mod or
// another Go makes another folder.
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

// moduleRoot is the folder of the module that this program was built from: a
// working copy, or a release in the module cache, which never changes.
func moduleRoot(ctx context.Context) (root string, released bool, err error) {
	_, file, _, _ := runtime.Caller(0)
	root = filepath.Dir(file)
	for range strings.Count("pkg/nbrun/internal/jupyter", "/") + 1 {
		root = filepath.Dir(root)
	}
	version := moduleVersion()
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil && filepath.IsAbs(root) {
		return root, strings.HasSuffix(root, "@"+version), nil
	}
	// Built with -trimpath, or on another machine.
	if version == "" {
		return "", false, errors.New("the sources that nbrun was built from are not here: install a released version (go install " + modulePath + "/scripts/nbrun@latest)")
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", modulePath+"@"+version)
	cmd.Dir = os.TempDir() // outside any module
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if json.Unmarshal(out, &module) == nil && module.Dir != "" {
		return module.Dir, true, nil
	}
	if module.Error != "" {
		err = errors.New(module.Error)
	}
	return "", false, fmt.Errorf("the sources of nbrun %s can't be had: %w", version, err)
}

// moduleVersion is the version of this module in the program that runs, "" when it
// was not built from a release.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == modulePath && m.Replace == nil && m.Version != "(devel)" && !strings.Contains(m.Version, "+") {
			return m.Version
		}
	}
	return ""
}
