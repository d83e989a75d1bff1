// Package golang compiles the programs of a notebook with the go command. Their
// sources and binaries stay in a folder of the user's cache, one for each
// notebook, so that cells that have not changed are not built again.
package golang

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Build is a program and how to compile it.
type Build struct {
	*program.Program
	Flags   []string // for go build
	AutoGet bool     // modules that are missing are fetched
	Virtual bool     // compile for Go's fake clock
}

// CanBeVirtual tells whether the program can run on the fake clock. What needs
// cgo, as the race detector does, can not; nor can gonbui, which waits for the
// kernel in Go's poller, where on the fake clock the runtime takes it for asleep.
func (b *Build) CanBeVirtual() bool {
	return !slices.ContainsFunc(b.Flags, isSanitizer) &&
		!strings.Contains(b.Source, "\nimport  \"C\"\n") && !strings.Contains(b.Source, " \"github.com/janpfeifer/gonb/gonbui")
}

// isSanitizer tells whether a build flag is for a detector that needs the compiler
// and cgo.
func isSanitizer(flag string) bool {
	switch strings.TrimLeft(flag, "-") {
	case "race", "msan", "asan", "race=true":
		return true
	}
	return false
}

// kind is what must be the same for two programs to be built by one command.
func (b *Build) kind() string {
	return fmt.Sprint(b.Test, b.AutoGet, b.Virtual, "\x00", strings.Join(b.Flags, "\x00"))
}

// Workspace is the folder that a notebook's programs are built in: a module of
// its own, which has what the module has that the notebook lies in.
type Workspace struct {
	Dir string // the kernel's temporary folder, as cells know it

	home  bool // Dir is in the cache and stays
	lock  *flock.Flock
	goMod []byte
	goSum []byte
	built map[string]error // by binary: what building it came to, since the last Forget
	alone bool             // building several at once has failed since then
}

// KeepFor is how long the program of a cell that is no longer run stays in the
// cache.
const KeepFor = 7 * 24 * time.Hour

// Open makes the workspace of a notebook. While another process runs the same
// notebook, a temporary workspace is used.
func Open(ctx context.Context, notebook string) (*Workspace, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the go engine needs the go command on PATH: install it from go.dev, or use -engine yaegi")
	}
	abs, err := filepath.Abs(notebook)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(abs))
	id := hex.EncodeToString(sum[:6])
	w := &Workspace{built: map[string]error{}}
	if cache, err := os.UserCacheDir(); err == nil {
		w.Dir = filepath.Join(cache, "nbrun", "gonb_"+id)
		if err := os.MkdirAll(w.Dir, 0o700); err == nil {
			w.lock = flock.New(w.Dir + ".lock")
			w.home, _ = w.lock.TryLock()
		}
	}
	if !w.home {
		if w.Dir, err = os.MkdirTemp("", "gonb_"); err != nil {
			return nil, err
		}
	}
	if err := w.clean(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.moduleOf(ctx, filepath.Dir(abs), "gonb_"+id); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, w.ResetModule()
}

// Close gives the workspace up. What another run can use again stays.
func (w *Workspace) Close() error {
	if !w.home {
		return os.RemoveAll(w.Dir)
	}
	return errors.Join(w.clean(), w.lock.Unlock())
}

// clean removes what an earlier run left beside the programs, and programs not
// used for long.
func (w *Workspace) clean() error {
	entries, err := os.ReadDir(w.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if n := e.Name(); n != "p" && n != "bin" && n != "go.mod" && n != "go.sum" {
			if err := os.RemoveAll(filepath.Join(w.Dir, n)); err != nil {
				return err
			}
		}
	}
	old := time.Now().Add(-KeepFor)
	programs, _ := filepath.Glob(filepath.Join(w.Dir, "p", "*"))
	binaries, _ := filepath.Glob(filepath.Join(w.Dir, "bin", "*", "*"))
	for _, path := range append(programs, binaries...) {
		if info, err := os.Stat(path); err == nil && info.ModTime().Before(old) {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// Forget makes the next Binary ask the go command anew: something may have
// changed that programs are built from.
func (w *Workspace) Forget() {
	clear(w.built)
	w.alone = false
}

// Prepare builds programs, those of one kind by one command. It reports nothing:
// when one fails, each is built alone when its turn comes, and then says why.
func (w *Workspace) Prepare(ctx context.Context, builds []*Build, env []string) {
	if w.alone {
		return
	}
	kinds := map[string][]*Build{}
	var order []string
	for _, b := range builds {
		if !w.Wants(b) {
			continue
		}
		k := b.kind()
		if kinds[k] == nil {
			order = append(order, k)
		}
		kinds[k] = append(kinds[k], b)
	}
	for _, k := range order {
		group := kinds[k]
		if len(group) == 1 && len(order) == 1 {
			return // Binary does as well
		}
		if w.build(ctx, group, env) != nil {
			w.alone = true
			continue
		}
		for _, b := range group {
			w.built[w.binary(b)] = nil
		}
	}
}

// Wants tells whether the program still has to be built, or looked at anew.
func (w *Workspace) Wants(b *Build) bool {
	_, done := w.built[w.binary(b)]
	return !done
}

// SaveLast leaves the source of the program in main.go or main_test.go, where
// GoNB leaves it for commands that want to see it.
func (w *Workspace) SaveLast(b *Build) {
	names := []string{"main.go", "main_test.go"}
	if b.Test {
		slices.Reverse(names)
	}
	_ = os.WriteFile(filepath.Join(w.Dir, names[0]), []byte(b.Source), 0o600)
	_ = os.Remove(filepath.Join(w.Dir, names[1]))
}

// Binary builds the program if need be, and returns the path of its binary.
// Errors of the program are of type program.Errors.
func (w *Workspace) Binary(ctx context.Context, b *Build, env []string) (string, error) {
	path := w.binary(b)
	err, done := w.built[path]
	if !done {
		err = w.build(ctx, []*Build{b}, env)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		w.built[path] = err
	}
	return path, err
}

// binary is where the program's binary lies.
func (w *Workspace) binary(b *Build) string {
	sum := sha256.Sum256([]byte(b.kind()))
	name := b.Name()
	if b.Test {
		name += ".test"
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(w.Dir, "bin", hex.EncodeToString(sum[:6]), name)
}

func (w *Workspace) build(ctx context.Context, builds []*Build, env []string) error {
	first := builds[0]
	out := filepath.Dir(w.binary(first))
	if err := os.MkdirAll(out, 0o700); err != nil {
		return err
	}
	mod := "-mod=mod"
	if !first.AutoGet {
		mod = "-mod=readonly"
	}
	args := []string{"build", mod, "-o", out + string(filepath.Separator)}
	if first.Test {
		args = []string{"test", "-c", mod, "-o", out + string(filepath.Separator)}
	}
	args = append(args, flags(first)...)
	now := time.Now()
	for _, b := range builds {
		pkg, err := w.write(b)
		if err != nil {
			return err
		}
		args = append(args, pkg)
	}
	env = append(slices.Clip(env), "GOWORK=off")
	if first.Virtual {
		env = append(env, "CGO_ENABLED=0")
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = w.Dir, env
	cmd.WaitDelay = time.Second
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		var ee *exec.ExitError
		if !errors.As(err, &ee) {
			return fmt.Errorf("run go %s: %w", args[0], err)
		}
		errs := program.CompilerErrors(string(bytes.ReplaceAll(output, []byte(w.Dir+string(filepath.Separator)), nil)))
		if len(errs) == 0 {
			errs = program.Errors{{Text: fmt.Sprintf("go %s: %v", args[0], err)}}
		}
		return errs
	}
	for _, b := range builds { // what is in use is not old
		_ = os.Chtimes(w.binary(b), now, now)
		_ = os.Chtimes(filepath.Join(w.Dir, "p", b.Name()), now, now)
	}
	return nil
}

// flags are the program's build flags; the fake clock is a build tag, and of
// several -tags the go command takes the last.
func flags(b *Build) []string {
	if !b.Virtual {
		return b.Flags
	}
	tags := "faketime"
	var rest []string
	for i := 0; i < len(b.Flags); i++ {
		f := strings.TrimLeft(b.Flags[i], "-")
		switch {
		case strings.HasPrefix(f, "tags="):
			tags += "," + strings.TrimPrefix(f, "tags=")
		case f == "tags" && i+1 < len(b.Flags):
			i++
			tags += "," + b.Flags[i]
		default:
			rest = append(rest, b.Flags[i])
		}
	}
	return append(rest, "-tags="+tags)
}

// write writes the program's source, if it is not there, and returns the name of
// its package.
func (w *Workspace) write(b *Build) (string, error) {
	file := "main.go"
	if b.Test {
		file = "main_test.go"
	}
	dir := filepath.Join(w.Dir, "p", b.Name())
	path := filepath.Join(dir, file)
	if _, err := os.Stat(path); err == nil {
		return "./p/" + b.Name(), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(b.Source), 0o600); err != nil {
		return "", err
	}
	return "./p/" + b.Name(), os.Rename(tmp, path)
}
