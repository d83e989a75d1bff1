package golang

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/tidy"
)

// build is a program and how to compile it.
type build struct {
	engine.Job
	inherited []string // the flags in GOFLAGS
	virtual   bool     // compile for Go's fake clock
}

func (w *Workspace) newBuild(job engine.Job) *build {
	b := &build{Job: job, inherited: strings.Fields(cmp.Or(job.Env.Get("GOFLAGS"), w.goflags))}
	b.virtual = w.clock.Virtual && !job.RealClock && b.canBeVirtual()
	return b
}

// idle are the build flags with which the go command only builds.
var idle = map[string]bool{
	"a": true, "asan": true, "buildvcs": true, "cover": true, "covermode": true, "coverpkg": true, "msan": true,
	"p": true, "race": true, "tags": true, "trimpath": true, "v": true, "x": true,
}

// hasNoEffect reports whether building the program does nothing else. A flag that names
// a program makes it run (-toolexec, -ldflags=-extld), others write files
// (-gcflags=-cpuprofile), and cgo runs other compilers.
func (b *build) hasNoEffect() bool {
	all := b.Flags
	if set := b.Env.Get("GOFLAGS"); set != os.Getenv("GOFLAGS") {
		all = append(slices.Clip(all), strings.Fields(set)...)
	}
	harmful := func(flag string) bool { return strings.HasPrefix(flag, "-") && !idle[flagName(flag)] }
	return !b.usesCgo() && !slices.ContainsFunc(all, harmful)
}

// isBuiltLike reports whether a program is built in the same way as another, with the
// same flags and environment, so that it can be built with that one before its turn.
func (b *build) isBuiltLike(other *build) bool {
	return !b.usesCgo() && b.how() == other.how()
}

func (b *build) usesCgo() bool { return strings.Contains(b.Source, "\nimport  \"C\"\n") }

// canBeVirtual reports whether the program can run on the fake clock. What needs cgo,
// as the race detector does, can't; nor can gonbui if it is not built with the overlay,
// as it waits for the kernel in Go's poller, where on the fake clock the runtime thinks
// it is asleep.
func (b *build) canBeVirtual() bool {
	all := slices.Concat(b.inherited, b.Flags)
	if runtime.GOOS != "linux" || slices.ContainsFunc(all, hasOverlay) {
		if strings.Contains(b.Source, " \"github.com/janpfeifer/gonb/gonbui") {
			return false
		}
	}
	return !slices.ContainsFunc(all, isSanitizer) && !b.usesCgo()
}

// isSanitizer reports whether a build flag is for a detector that needs the compiler
// and cgo.
func isSanitizer(flag string) bool {
	switch strings.TrimLeft(flag, "-") {
	case "race", "msan", "asan", "race=true":
		return true
	}
	return false
}

// flagName is the name of a build flag, "" for a flag's value.
func flagName(flag string) string {
	if !strings.HasPrefix(flag, "-") {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
	return name
}

// kind is what must be the same for two programs to be built by one command.
func (b *build) kind() string {
	return fmt.Sprint(b.Test, b.AutoGet, b.virtual, "\x00", b.how())
}

// how is what the go command is told about building the program.
func (b *build) how() string {
	return strings.Join(b.Flags, "\x00") + "\x00" + strings.Join(buildEnv(b.Env), "\x00")
}

// toolchainEnv is what the go command depends on besides its own variables: compilers,
// and where its settings files are.
var toolchainEnv = []string{"CC", "CXX", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "PKG_CONFIG"}

// buildEnv is what the go command depends on of an environment.
func buildEnv(env process.Env) []string {
	last := map[string]string{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GOTRACEBACK", "GORACE", "GODEBUG": // of programs that run
			continue
		}
		if strings.HasPrefix(name, "GO") && !strings.HasPrefix(name, "GONB") || strings.HasPrefix(name, "CGO_") || slices.Contains(toolchainEnv, name) {
			last[name] = name + "=" + value
		}
	}
	return slices.Sorted(maps.Values(last))
}

// prepare builds programs, those of one kind by one command. It reports nothing:
// for one that fails, binaryOf says why when its turn comes.
func (w *Workspace) prepare(ctx context.Context, builds []*build) {
	if w.alone {
		return
	}
	kinds := map[string][]*build{}
	var order []string
	for _, b := range builds {
		if !w.wants(b) || w.apart[w.binary(b)] {
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
			return // binaryOf does as well
		}
		w.together(ctx, group)
	}
}

// wants reports whether the program still has to be built or checked.
func (w *Workspace) wants(b *build) bool {
	_, done := w.built[w.binary(b)]
	return !done
}

// forget makes the program be built anew.
func (w *Workspace) forget(b *build) {
	path := w.binary(b)
	delete(w.built, path)
	_ = cache.Unseal(path) // or building will fail and say why
}

// saveLast leaves the source of the program in main.go or main_test.go, as GoNB does,
// for commands that look at it.
func (w *Workspace) saveLast(b *build) {
	names := []string{"main.go", "main_test.go"}
	if b.Test {
		slices.Reverse(names)
	}
	_ = cache.WriteFile(filepath.Join(w.dir, names[0]), b.Source)
	_ = os.Remove(filepath.Join(w.dir, names[1]))
}

// binaryOf builds the program, if need be, and with it those that come after it,
// and returns the path of its binary. Errors of the program are of type
// event.Faults.
func (w *Workspace) binaryOf(ctx context.Context, b *build, ahead func() []engine.Job) (string, error) {
	if w.wants(b) {
		builds := []*build{b}
		if b.hasNoEffect() {
			for _, job := range ahead() {
				if later := w.newBuild(job); later.isBuiltLike(b) {
					later.Env = b.Env
					builds = append(builds, later)
				}
			}
		}
		w.progress("building " + plural(len(builds), "cell"))
		defer w.progress("")
		w.prepare(ctx, builds)
	}
	path := w.binary(b)
	err, done := w.built[path]
	if !done || err == nil && !cache.Sealed(path) {
		err = w.build(ctx, b)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		w.built[path] = err
	}
	return path, err
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// binary is the path of the program's binary.
func (w *Workspace) binary(b *build) string {
	name := b.Name()
	if b.Test {
		name += ".test"
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(w.dir, "bin", cache.ID(b.kind()), name)
}

// build builds a program.
func (w *Workspace) build(ctx context.Context, b *build) error {
	output, err := w.goBuild(ctx, []*build{b}, w.mod(b))
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		return failure(b, output, ee)
	}
	return err
}

// failure turns what the go command said about a build into faults.
func failure(b *build, output string, exit error) event.Faults {
	if faults := program.CompilerFaults(verdict.ReplaceAllString(output, "")); len(faults) > 0 {
		return faults
	}
	return event.Faults{{Text: fmt.Sprintf("go %s: %v", command(b), exit)}}
}

// verdict is a line of go test that only says that there are errors.
var verdict = regexp.MustCompile(`(?m)^FAIL(?:\t.*)?\n`)

// command is the go command's word for building the program.
func command(b *build) string {
	if b.Test {
		return "test"
	}
	return "build"
}

// goBuild makes the go command build programs of one kind, with its flag -mod, and
// returns what it says. The error is an *exec.ExitError if the go command has failed.
func (w *Workspace) goBuild(ctx context.Context, builds []*build, mod string) (string, error) {
	w.restore()
	first := builds[0]
	out := filepath.Dir(w.binary(first))
	for _, dir := range []string{filepath.Dir(out), out, filepath.Join(w.dir, "p")} {
		if err := cache.Folder(dir); err != nil {
			return "", err
		}
	}
	args := []string{command(first)}
	if first.Test {
		args = append(args, "-c")
	}
	args = append(args, mod, "-o", out+string(filepath.Separator))
	args = append(args, flags(first)...)
	now := time.Now()
	for _, b := range builds {
		pkg, err := w.write(b)
		if err != nil {
			return "", err
		}
		args = append(args, pkg)
		if path := w.binary(b); !cache.Sealed(path) { // the go command would believe it
			w.made = true
			if err := cache.Unseal(path); err != nil {
				return "", err
			}
		}
	}
	if first.hasNoEffect() { // or it could hold others up
		done, err := firsts.wait(ctx, first.kind())
		if err != nil {
			return "", err
		}
		defer done()
	}
	o := w.overlay(ctx, first)
	output, err := w.goCommand(ctx, o, first, args)
	if err == nil && o == (overlay{}) {
		// The go command may have found out only now that gonbui is needed.
		if o = w.overlay(ctx, first); o != (overlay{}) {
			output, err = w.goCommand(ctx, o, first, args)
		}
	}
	if err == nil {
		for _, b := range builds { // what is in use is not old
			path := w.binary(b)
			_ = os.Chtimes(path, now, now)
			_ = os.Chtimes(filepath.Join(w.dir, "p", b.Name()), now, now)
			w.used[path], w.used[path+cache.SealExt] = true, true
			if err := cache.Seal(path); err != nil {
				return "", err
			}
		}
		if w.saveModule() {
			w.alone = false // what kept others from being built together may be gone
		}
	}
	return output, err
}

// readonly makes the go command fetch no modules, and leave go.mod as it is.
const readonly = "-mod=readonly"

// mod is the flag for a program whose turn it is: only for that are missing modules
// fetched.
func (w *Workspace) mod(b *build) string {
	if b.AutoGet {
		return "-mod=mod"
	}
	return readonly
}

// goCommand runs the go command in the workspace, and returns what it says, with paths
// relative to it.
func (w *Workspace) goCommand(ctx context.Context, o overlay, b *build, args []string) (string, error) {
	// The environment of a cross-building job is not for this machine.
	env := b.Env.With("GOWORK", "off").With("GOOS", runtime.GOOS).With("GOARCH", runtime.GOARCH)
	if b.virtual {
		env = env.With("CGO_ENABLED", "0")
	}
	cmd := o.command(ctx, args, env)
	cmd.Dir = w.dir
	process.OwnGroup(cmd)
	cmd.Cancel = func() error { return process.Kill(cmd) } // with its compilers
	cmd.WaitDelay = time.Second
	var said beginning
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		err = fmt.Errorf("run go %s: %w", args[0], err)
	}
	return w.tidied(string(said)), err
}

// tidied is what the go command has said, with paths relative to the workspace, or, for
// the notebook's own modules, to the notebook.
func (w *Workspace) tidied(said string) string {
	const slash = string(filepath.Separator)
	said = strings.ReplaceAll(said, w.dir+slash, "")
	for _, dir := range w.local {
		from, err := filepath.Rel(w.folder, dir)
		if err != nil {
			continue
		}
		if from += slash; from == "."+slash {
			from = ""
		}
		said = strings.ReplaceAll(said, dir+slash, from)
		if rel, err := filepath.Rel(w.dir, dir); err == nil {
			said = strings.ReplaceAll(said, rel+slash, from)
		}
	}
	return tidy.Paths(said)
}

// mostSaid is how much of what the go command says is kept, in bytes. A cell's flags
// may make it run anything.
const mostSaid = 1 << 20

// beginning keeps the beginning of what is written to it.
type beginning []byte

func (b *beginning) Write(p []byte) (int, error) {
	*b = append(*b, p[:min(len(p), mostSaid-len(*b))]...)
	return len(p), nil
}

// flags are the program's build flags; the fake clock is a build tag, and if there are
// several -tags the go command uses the last, before any in GOFLAGS.
func flags(b *build) []string {
	if !b.virtual {
		return b.Flags
	}
	tags, rest := splitTags(b.Flags)
	if len(tags) == 0 {
		tags, _ = splitTags(b.inherited)
	}
	return append(rest, "-tags="+strings.Join(append([]string{"faketime"}, tags...), ","))
}

// splitTags takes the build tags out of build flags.
func splitTags(flags []string) (tags, rest []string) {
	for i := 0; i < len(flags); i++ {
		f := strings.TrimLeft(flags[i], "-")
		switch {
		case strings.HasPrefix(f, "tags="):
			tags = append(tags, strings.TrimPrefix(f, "tags="))
		case f == "tags" && i+1 < len(flags):
			i++
			tags = append(tags, flags[i])
		default:
			rest = append(rest, flags[i])
		}
	}
	return tags, rest
}

// write writes the program's source, with nothing else beside it that would be
// compiled, and returns the name of its package.
func (w *Workspace) write(b *build) (string, error) {
	file := "main.go"
	if b.Test {
		file = "main_test.go"
	}
	dir := filepath.Join(w.dir, "p", b.Name())
	if err := cache.Folder(dir); err != nil {
		return "", err
	}
	if err := removeFrom(dir, func(e os.DirEntry) bool { return e.Name() == file }); err != nil {
		return "", err
	}
	return "./p/" + b.Name(), cache.WriteFile(filepath.Join(dir, file), b.Source)
}
