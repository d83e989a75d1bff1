package book

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/origin"
)

// toolchain is the user's Go, and the place where what is made from it for pages is
// kept.
type toolchain struct {
	version string // go1.26.8
	lang    string // of the notebooks' module: go1.26
	root    string // under a name where the go command allows an overlay
	dir     string // in the user's cache
	folder  string // in the module of the notebooks
	tell    func(string)
	unlock  func()
}

// openToolchain finds the Go that is used in a folder. Close it when everything is
// built.
func openToolchain(ctx context.Context, folder string, tell func(string)) (*toolchain, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOROOT", "GOVERSION", "GOMODCACHE")
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the book needs the go command on PATH (%w): install it from go.dev", err)
	}
	var env struct{ GOROOT, GOVERSION, GOMODCACHE string }
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, err
	}
	t := &toolchain{version: env.GOVERSION, root: env.GOROOT, folder: folder, tell: tell}
	cmd = exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.GoVersion}}")
	cmd.Dir, t.lang = folder, version.Lang(env.GOVERSION)
	if out, err := cmd.Output(); err == nil { // it lies in a module
		if first, _, _ := strings.Cut(string(out), "\n"); first != "" {
			t.lang = version.Lang("go" + first)
		}
	}
	if err := cache.Trusted(); err != nil {
		return nil, err
	}
	if t.dir, err = cache.Dir(cache.Book, cache.ID(env.GOROOT, env.GOVERSION)); err != nil {
		return nil, err
	}
	if t.unlock, err = cache.Lock(ctx, t.dir, func() { tell("waiting for another run that makes a book") }); err != nil {
		return nil, err
	}
	if err := cache.Folder(t.dir); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	// A Go that was fetched as a module lies in the module cache, where the go command
	// refuses an overlay. Under another name it accepts one.
	if rel, err := filepath.Rel(env.GOMODCACHE, env.GOROOT); err == nil && filepath.IsLocal(rel) {
		t.root = filepath.Join(t.dir, "goroot")
		if err := errors.Join(cache.Remove(t.root), os.Symlink(env.GOROOT, t.root)); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

// Close releases the toolchain's cache.
func (t *toolchain) Close() error {
	t.unlock()
	cache.MakeRoom()
	return nil
}

// overlay writes an overlay, and returns the path of its file.
func (t *toolchain) overlay(name string, patches []patch) (string, error) {
	dir := filepath.Join(t.dir, name)
	if err := cache.Folder(dir); err != nil {
		return "", err
	}
	replace, err := apply(patches, t.root, t.version, dir)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, cache.WriteFile(file, string(text))
}

// command is the go command for WebAssembly, in a folder.
func (t *toolchain) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(t.root, "bin", "go"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=", "GOROOT="+t.root, "GOTOOLCHAIN=local", "GOEXPERIMENT=")
	return cmd
}

// packages is how many packages the go command builds for some others, with them. It is
// 0 if that is not known, as building them will say why.
func packages(list *exec.Cmd) int {
	out, _ := list.Output()
	return bytes.Count(out, []byte("\n"))
}

// build runs the go command with its flag -v, tells how many packages it has compiled
// for what, of that many at most, and returns what it prints. Its error has the last
// message of the command.
func (t *toolchain) build(cmd *exec.Cmd, what string, most int) ([]byte, error) {
	var stdout bytes.Buffer
	stderr := lines{told: func(n int) { t.tell(fmt.Sprintf("%s: package %d of at most %d", what, n, max(n, most))) }}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", cmd.Args[1], err, stderr.message())
	}
	return stdout.Bytes(), nil
}

// lines keeps lines, and tells of each how many there are now.
type lines struct {
	text bytes.Buffer
	n    int
	told func(n int)
}

func (l *lines) Write(p []byte) (int, error) {
	for range bytes.Count(p, []byte("\n")) {
		l.n++
		l.told(l.n)
	}
	return l.text.Write(p)
}

// message is the last line that is not the name of a package.
func (l *lines) message() string {
	last := ""
	for line := range strings.Lines(l.text.String()) {
		if line = strings.TrimSpace(line); strings.Contains(line, " ") && !strings.HasPrefix(line, "#") {
			last = line
		}
	}
	return last
}

// programs builds the compiler, the linker and core, and returns their paths by name.
func (t *toolchain) programs(ctx context.Context) (map[string]string, error) {
	overlay, err := t.overlay("tools", tools)
	if err != nil {
		return nil, err
	}
	root, _, err := origin.Root(ctx)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for name, pkg := range map[string]string{"compile": "cmd/compile", "link": "cmd/link", "core": origin.Module + "/pkg/nbrun/book/core"} {
		what := "building " + name + " for WebAssembly"
		t.tell(what)
		paths[name] = filepath.Join(t.dir, name+".wasm")
		args := []string{"build", "-v", "-trimpath", "-ldflags=-s -w", "-o", paths[name], "-overlay", overlay}
		if name != "link" { // without inlining they are a fifth smaller; the linker has to be fast, as readers wait for it longer
			args = append(args, "-gcflags=all=-l")
		}
		inModule := func(args ...string) *exec.Cmd {
			cmd := t.command(ctx, root, args...)
			cmd.Env = append(cmd.Env, "GOWORK=off", "GOFLAGS=-mod=readonly")
			return cmd
		}
		most := packages(inModule("list", "-deps", "-overlay", overlay, pkg))
		if _, err := t.build(inModule(append(args, pkg)...), what, most); err != nil {
			return nil, fmt.Errorf("%s can't be built for the page by %s (the book knows %s): %w", name, t.version, knows, err)
		}
	}
	t.tell("")
	return paths, nil
}

// archive is a compiled package.
type archive struct {
	Path     string
	Export   string // the file
	Imports  []string
	Standard bool
	Why      string // it can't be compiled; "" if it can
}

// archives compiles packages for WebAssembly and the switchable clock, with all that
// they import.
func (t *toolchain) archives(ctx context.Context, paths []string) (map[string]archive, error) {
	overlay, err := t.overlay("clock", slices.Concat(clock, smaller))
	if err != nil {
		return nil, err
	}
	const what = "compiling the packages that the notebooks import"
	t.tell(what)
	defer t.tell("")
	most := packages(t.command(ctx, t.folder, append([]string{"list", "-e", "-deps", "-tags", "faketime", "-overlay", overlay}, paths...)...))
	args := append([]string{
		"list", "-v", "-e", "-export", "-deps", "-tags", "faketime", "-trimpath", "-gcflags=all=-dwarf=false -l", "-overlay", overlay,
		"-json=ImportPath,Export,Standard,Imports,ImportMap,Incomplete,Error,DepsErrors",
	}, paths...)
	out, err := t.build(t.command(ctx, t.folder, args...), what, most)
	if err != nil {
		return nil, err
	}
	all := map[string]archive{}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath, Export string
			Standard           bool
			Imports            []string
			ImportMap          map[string]string
			Error              *struct{ Err string }
			DepsErrors         []struct{ Err string }
		}
		if err := dec.Decode(&p); err != nil {
			return nil, err
		}
		a := archive{Path: p.ImportPath, Export: p.Export, Standard: p.Standard}
		for _, path := range p.Imports {
			if to, ok := p.ImportMap[path]; ok {
				path = to
			}
			if path != "unsafe" && path != "C" {
				a.Imports = append(a.Imports, path)
			}
		}
		switch {
		case p.Error != nil:
			a.Why = p.Error.Err
		case len(p.DepsErrors) > 0:
			a.Why = p.DepsErrors[0].Err
		case p.Export == "" && p.ImportPath != "unsafe":
			a.Why = "it can't be compiled for js/wasm"
		}
		all[p.ImportPath] = a
	}
	for again := true; again; { // a package that imports a missing one is missing, too
		again = false
		for path, a := range all {
			i := slices.IndexFunc(a.Imports, func(p string) bool { return all[p].Path == "" || all[p].Why != "" })
			if a.Why == "" && i >= 0 {
				a.Why, again = "it imports "+a.Imports[i]+", which can't be compiled for js/wasm", true
				all[path] = a
			}
		}
	}
	return all, nil
}

// packed returns a file's content compressed, taken from the cache if it was compressed
// before, and a name that is made of it.
func (t *toolchain) packed(plain []byte) (name string, data []byte, err error) {
	name = cache.ID(string(plain)) + ".bin"
	to := filepath.Join(t.dir, name)
	if cache.Sealed(to) {
		data, err = os.ReadFile(to)
		return name, data, err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", nil, err
	}
	_, err = w.Write(plain)
	if err := errors.Join(err, w.Close(), cache.Unseal(to), os.WriteFile(to, b.Bytes(), 0o644), cache.Seal(to)); err != nil {
		return "", nil, err
	}
	return name, b.Bytes(), nil
}
