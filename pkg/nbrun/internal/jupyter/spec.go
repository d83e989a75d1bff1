package jupyter

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// Spec is an installed kernel, as Jupyter knows it.
type Spec struct {
	Argv      []string          `json:"argv"`
	Language  string            `json:"language"`
	Interrupt string            `json:"interrupt_mode"` // signal, the default, or message
	Env       map[string]string `json:"env"`

	own bool // it is among the tools
}

// GoNB is the kernel among the tools.
func (t *Tools) GoNB() *Spec {
	return &Spec{Argv: []string{filepath.Join(t.Dir, "gonb"), "--kernel", "{connection_file}"}, Language: "go", Interrupt: "message", own: true}
}

// FindSpec finds an installed kernel by its name, in the folders where Jupyter
// looks for it, in the same order.
func FindSpec(name string) (*Spec, error) {
	var there []string
	for _, dir := range dataDirs() {
		dir = filepath.Join(dir, "kernels")
		entries, _ := os.ReadDir(dir) // most are not there
		for _, e := range entries {
			path := filepath.Join(dir, e.Name(), "kernel.json")
			if !strings.EqualFold(e.Name(), name) {
				if _, err := os.Stat(path); err == nil {
					there = append(there, e.Name())
				}
				continue
			}
			data, err := regular.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			s := &Spec{}
			if err == nil {
				err = json.Unmarshal(data, s)
			}
			if err == nil && len(s.Argv) == 0 {
				err = errors.New("has no argv")
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			for i := range s.Argv {
				s.Argv[i] = strings.ReplaceAll(s.Argv[i], "{resource_dir}", filepath.Dir(path))
			}
			return s, nil
		}
	}
	if len(there) == 0 {
		return nil, fmt.Errorf("there is no kernel %q, and no other is installed; nbrun can build one itself", name)
	}
	slices.Sort(there)
	return nil, fmt.Errorf("there is no kernel %q; there are: %s", name, strings.Join(slices.Compact(there), ", "))
}

// dataDirs are Jupyter's data folders
// (https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs).
func dataDirs() []string {
	dirs := append(filepath.SplitList(os.Getenv("JUPYTER_PATH")), UserDataDir())
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if dir := os.Getenv(name); dir != "" {
			dirs = append(dirs, filepath.Join(dir, "share", "jupyter"))
		}
	}
	return append(dirs, "/usr/local/share/jupyter", "/usr/share/jupyter")
}

// UserDataDir is the user's own folder among Jupyter's data folders.
func UserDataDir() string {
	home, _ := os.UserHomeDir()
	switch dir := os.Getenv("JUPYTER_DATA_DIR"); {
	case dir != "":
		return dir
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Jupyter")
	case os.Getenv("XDG_DATA_HOME") != "":
		return filepath.Join(os.Getenv("XDG_DATA_HOME"), "jupyter")
	}
	return filepath.Join(home, ".local", "share", "jupyter")
}

// Process says how to start the kernel in a folder, with an environment. Its own
// variables may refer to those, as ${NAME}. GoNB needs goimports, so the tools are on
// its PATH: first for the GoNB that is one of them, otherwise after what is there.
func (s *Spec) Process(dir string, env []string, t *Tools) Process {
	p := Process{Argv: s.Argv, Dir: dir, Env: slices.Clone(env), Signal: s.Interrupt != "message", Ports: !s.own, Within: time.Minute, Beat: 15 * time.Second}
	for name, value := range s.Env {
		p.Env = append(p.Env, name+"="+os.Expand(value, process.Env(env).Get))
	}
	path := []string{process.Env(p.Env).Get("PATH"), t.Dir}
	if s.own {
		slices.Reverse(path)
	}
	p.Env = append(p.Env, "PATH="+strings.Join(path, string(os.PathListSeparator)))
	return p
}
