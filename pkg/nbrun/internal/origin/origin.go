// Package origin finds the sources of this module, which parts of it are built from
// when they are needed.
package origin

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
	"strings"
)

// Module is the path of this module.
const Module = "github.com/b3771e63/prodcons"

// Root is the folder of the module that this program was built from: a
// working copy, or a release in the module cache, which never changes.
func Root(ctx context.Context) (root string, released bool, err error) {
	_, file, _, _ := runtime.Caller(0)
	root = filepath.Dir(file)
	for range strings.Count("pkg/nbrun/internal/origin", "/") + 1 {
		root = filepath.Dir(root)
	}
	version := moduleVersion()
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil && filepath.IsAbs(root) {
		return root, strings.HasSuffix(root, "@"+version), nil
	}
	// Built with -trimpath, or on another machine.
	if version == "" {
		return "", false, errors.New("the sources that nbrun was built from are not here: install a released version (go install " + Module + "/scripts/nbrun@latest)")
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", Module+"@"+version)
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
	return "", false, fmt.Errorf("the sources of nbrun %s could not be fetched: %w", version, err)
}

// moduleVersion is the version of this module in the program that runs, "" when it
// was not built from a release.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == Module && m.Replace == nil && m.Version != "(devel)" && !strings.Contains(m.Version, "+") {
			return m.Version
		}
	}
	return ""
}
