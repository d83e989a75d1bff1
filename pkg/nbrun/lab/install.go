package lab

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
)

const (
	// jupyterLab is the version that Options.Install installs, and minJupyterLab the
	// oldest major version that will do.
	jupyterLab    = "4.6.6"
	minJupyterLab = 4
	// gopls is the newest that Go 1.26 builds. It can't be in go.mod: it needs an older
	// golang.org/x/tools than goimports.
	gopls = "v0.21.1"
)

// ErrNoJupyter is wrapped by the error that says which Jupyter is missing, or too old.
// With Options.Install that is not an error.
var ErrNoJupyter = errors.New("`pip install jupyterlab` installs it")

// findJupyter returns the jupyter-lab to start: the one on PATH, or the one in the
// cache, which it installs if asked to.
func findJupyter(ctx context.Context, state state, opts Options) (string, error) {
	program, _, err := jupyterOnPath(ctx)
	if err == nil || !errors.Is(err, ErrNoJupyter) {
		return program, err
	}
	own := ownJupyter(state)
	if _, there := os.Stat(venvDone(state)); there == nil {
		return own, nil
	}
	if !opts.Install {
		return "", err
	}
	return own, install(ctx, state, opts)
}

// jupyterOnPath returns the jupyter-lab on PATH, and its version.
func jupyterOnPath(ctx context.Context) (program, version string, err error) {
	program, err = exec.LookPath("jupyter-lab")
	if err != nil {
		return "", "", fmt.Errorf("there is no JupyterLab on PATH: %w", ErrNoJupyter)
	}
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	version = strings.TrimSpace(string(out))
	major, _, _ := strings.Cut(version, ".")
	number, notNumber := strconv.Atoi(major)
	switch {
	case err != nil || notNumber != nil:
		return "", "", fmt.Errorf("%s does not report its version, so it does not work: %w", program, ErrNoJupyter)
	case number < minJupyterLab:
		return "", "", fmt.Errorf("%s is JupyterLab %s, but %d or later is needed: %w", program, version, minJupyterLab, ErrNoJupyter)
	}
	return program, version, nil
}

func venv(state state) string       { return state.join("jupyterlab_" + jupyterLab) }
func venvDone(state state) string   { return filepath.Join(venv(state), "complete") }
func ownJupyter(state state) string { return filepath.Join(venv(state), "bin", "jupyter-lab") }

// install makes a Python environment with JupyterLab in the cache. If two processes ask
// for it at once, it is made once.
func install(ctx context.Context, state state, opts Options) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return errors.New("JupyterLab is a Python program, and there is no python3 on PATH: install it from python.org or with your system's packages")
	}
	lock := flock.New(venv(state) + ".lock")
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	defer lock.Unlock()
	if _, err := os.Stat(venvDone(state)); err == nil {
		return nil
	}
	progress := opts.progress()
	progress("installing JupyterLab " + jupyterLab)
	defer progress("")
	// What an interrupted run has left behind is of no use.
	if err := os.RemoveAll(venv(state)); err != nil {
		return err
	}
	if out, err := command(ctx, python, "-m", "venv", venv(state)); err != nil {
		if strings.Contains(out, "ensurepip") {
			out = "this Python lacks its module venv (on Debian: apt-get install python3-venv)"
		}
		return fmt.Errorf("no Python environment can be made: %s", out)
	}
	pip := filepath.Join(venv(state), "bin", "python")
	if out, err := command(ctx, pip, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "jupyterlab=="+jupyterLab); err != nil {
		return fmt.Errorf("JupyterLab can't be installed (is there a network?): %s", out)
	}
	return os.WriteFile(venvDone(state), nil, 0o600)
}

// command runs a program. If it fails, command returns the last line of its output, or
// all of it if that says more.
func command(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err == nil {
		return "", nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if bytes.Contains(out, []byte("ensurepip")) {
		return string(out), err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last, err
	}
	return err.Error(), err
}

// goplsDir is the folder of the gopls for this Go.
func goplsDir() (string, error) {
	return cache.Dir(cache.Gopls, gopls+"_"+runtime.Version())
}

// installGopls returns the folder with gopls, with which the kernel completes names and
// shows their documentation. Everything else works without it, so its absence is only a
// warning.
func installGopls(ctx context.Context, opts Options) string {
	dir, err := goplsDir()
	if err != nil {
		return ""
	}
	program := filepath.Join(dir, "gopls")
	if cache.Sealed(program) {
		return dir
	}
	if err := errors.Join(cache.Trusted(), cache.Folder(dir), cache.Unseal(program)); err != nil {
		opts.Tell("cells can't complete names: " + err.Error())
		return ""
	}
	progress := opts.progress()
	progress("building gopls")
	defer progress("")
	cmd := exec.CommandContext(ctx, "go", "install", "golang.org/x/tools/gopls@"+gopls)
	cmd.Dir = os.TempDir() // outside any module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil && ctx.Err() == nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		opts.Tell("cells can't complete names, as gopls can't be installed (is there a network?): " + lines[len(lines)-1])
	} else if err == nil {
		_ = cache.Seal(program) // or it is built again the next time
	}
	return dir
}

// Finding is one line of Check's result.
type Finding struct {
	OK   bool
	Text string
	Err  error // if something is missing, and that has an error of its own
}

// Check finds out what is there and what is missing, and changes nothing. Start would
// work if all are OK, given a network for what it still has to build.
func Check(ctx context.Context, opts Options) []Finding {
	var found []Finding
	add := func(ok bool, format string, args ...any) {
		found = append(found, Finding{OK: ok, Text: fmt.Sprintf(format, args...)})
	}
	if err := possible(); err != nil {
		add(false, "Go: %v", err)
	} else if out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output(); err != nil {
		add(false, "Go: the go command does not work: %v", err)
	} else {
		add(true, "Go: %s", strings.TrimSpace(string(out)))
	}
	switch tools, built, err := jupyter.FindTools(ctx); {
	case err != nil:
		add(false, "kernel: %v", err)
	case built:
		add(true, "kernel: GoNB is in %s", tools.Dir)
	default:
		add(true, "kernel: GoNB is not built yet; the first start builds it")
	}
	dir, _ := goplsDir()
	if cache.Sealed(filepath.Join(dir, "gopls")) {
		add(true, "completion: gopls is in %s", dir)
	} else {
		add(true, "completion: gopls is not built yet; the first start builds it")
	}
	state, err := stateDir()
	if err != nil {
		add(false, "cache: %v", err)
	}
	if program, version, err := jupyterOnPath(ctx); err == nil {
		add(true, "JupyterLab: %s is %s", version, program)
	} else if _, there := os.Stat(venvDone(state)); there == nil {
		add(true, "JupyterLab: %s is in %s", jupyterLab, venv(state))
	} else {
		add(opts.Install, "JupyterLab: %v", err)
		found[len(found)-1].Err = err
	}
	if root, _, err := place(opts.Path); err != nil {
		add(false, "notebooks: %v", err)
	} else {
		notebooks, _ := filepath.Glob(filepath.Join(escapeGlob(root), "*.ipynb"))
		add(true, "notebooks: %d in %s", len(notebooks), root)
	}
	port := cmp.Or(opts.Port, defaultPort)
	switch {
	case free(port):
		add(true, "port: %d is free", port)
	case opts.Port != 0:
		add(false, "port: %d is in use", port)
	default:
		add(true, "port: %d is in use; the next free one will do", port)
	}
	return found
}
