// Command nbrun runs GoNB notebooks without Jupyter, for CI and for anyone who
// has nothing but Go.
//
//	nbrun [flags] [notebook.ipynb | folder ...]
//
// Without arguments it runs the folder notebooks. The cells' output is shown as it
// comes, then a line for each notebook. The exit status is 0 when all passed, 1 when a
// cell failed, and 2 when nothing could be run. nbrun -h lists the flags; the
// documentation of package nbrun says the rest.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/term"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

// Exit statuses.
const (
	passed = iota
	failed
	notRun
)

// memory is the most that we want to use, in bytes. What we keep has limits of its own;
// this one is for garbage.
const memory = 200 << 20

func main() {
	nbrun.Main()
	nbrun.Adopt()
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// command is what the flags say.
type command struct {
	opts  nbrun.Options
	out   string // folder for executed copies
	write bool   // back in place
	// reports are the files to be written, by the flags that name them.
	reports map[string]string
	html    string // folder for pages of the runs
	scrub   bool
	clear   bool
	params  bool // list them
	version bool // print it
	stdout  io.Writer
	pipe    bool // the notebook "-" is read from stdin, and written to stdout
	jobs    int
	stop    bool          // after a notebook that fails
	each    time.Duration // what one notebook may take, in all
	all     time.Duration // and all notebooks
	tags    []string
	only    []condition
	failed  bool     // only what failed last time
	onlyGo  bool     // notebooks of other languages don't count, even if they were asked for
	leftOut []string // notebooks of other languages, in folders
}

func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	c, paths, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return passed
	}
	complain := func(err error) { fmt.Fprintf(stderr, "nbrun: %s\n", report.Line(err.Error())) }
	if err != nil {
		complain(err)
		return notRun
	}
	if c.version {
		fmt.Fprintln(stdout, report.Version("nbrun"))
		return passed
	}
	notebooks, err := c.choose(paths)
	if err != nil {
		complain(err)
		return notRun
	}
	if len(notebooks) == 0 {
		fmt.Fprintln(stdout, "nothing failed last time")
		return passed
	}
	switch {
	case c.scrub:
		return c.scrubAll(notebooks, complain)
	case c.clear:
		return c.clearAll(notebooks, complain)
	}
	var observer event.Observer // of notebooks that are yet to be found good
	c.opts.Observer = event.ObserverFunc(func(e event.Event) error { return observer.Observe(e) })
	notebooks, errs := c.check(ctx, notebooks)
	for _, err := range errs {
		complain(err)
	}
	if len(errs) > 0 {
		return notRun
	}
	if len(notebooks) == 0 {
		fmt.Fprintln(stdout, "none of the notebooks is a Go notebook")
		return passed
	}
	if c.params {
		return listParams(notebooks, stdout, complain)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &watched{File: stdout, gone: cancel}
	c.stdout = out
	shown := out
	if c.pipe || slices.Contains(slices.Collect(maps.Values(c.reports)), "-") {
		shown = &watched{File: stderr, gone: cancel}
	}
	t := newTerminal(shown, stderr, notebooks)
	if len(c.leftOut) > 0 {
		t.Notes = append(t.Notes, "left out, as they are not Go notebooks: "+strings.Join(c.leftOut, ", "))
	}
	written, closeReports, err := c.openReports(out, notebooks)
	if err != nil {
		complain(err)
		return notRun
	}
	gitHub, closeGitHub, err := openGitHub(shown)
	if err != nil {
		complain(errors.Join(err, closeReports()))
		return notRun
	}
	observer = event.All(append(written, gitHub, t)...)
	status := c.runAll(ctx, notebooks, t, complain)
	for _, err := range []error{closeGitHub(), closeReports(), out.failure()} {
		if err != nil {
			complain(err)
			status = max(status, failed)
		}
	}
	return status
}

// newTerminal shows runs on the terminal, with advice that names flags.
func newTerminal(stdout *watched, stderr *os.File, notebooks []notebook) *report.Terminal {
	live := report.Live(term.IsTerminal(int(stderr.Fd())))
	t := report.NewTerminal(stdout, stderr, report.Colour(term.IsTerminal(int(stdout.Fd()))), live, names(notebooks))
	t.Advice = advice
	return t
}

// advice says what a user of the command can do about an error in the options.
func (c *command) advice(err error) string {
	switch {
	case errors.Is(err, exec.ErrNotFound) && c.opts.Engine != nbrun.Yaegi:
		return ", or add -engine yaegi"
	case c.opts.Kernel != "" && c.opts.Engine != nbrun.GoNB:
		return ": add -engine gonb"
	case (c.opts.Strict || c.opts.BuildOnly) && c.opts.Engine == nbrun.GoNB:
		return ": use -engine go"
	case c.opts.Clock == nbrun.Virtual && c.opts.Engine == nbrun.GoNB:
		return ": use -engine go or yaegi, or -clock real"
	}
	return ""
}

// advice says what a user of the command can do about a fault.
func advice(f *event.Fault) string {
	switch f.Reason {
	case event.Timeout:
		return "-timeout allows more"
	case event.Memory:
		return "-max-memory allows more"
	case event.Unsupported:
		return "run it with -engine go"
	}
	return ""
}

func parse(args []string, stderr io.Writer) (*command, []string, error) {
	c := &command{opts: nbrun.Options{Params: map[string]string{}}, reports: map[string]string{}}
	f := flag.NewFlagSet("nbrun", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	c.define(f)
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(stderr, f)
			return nil, nil, err
		}
		return nil, nil, fmt.Errorf("%w (nbrun -h lists the flags)", err)
	}
	if len(c.tags) > 0 {
		c.opts.Select = func(cell event.Cell) bool {
			return slices.ContainsFunc(cell.Tags, func(tag string) bool {
				return slices.Contains(c.tags, tag) || slices.Contains(alwaysRun, tag)
			})
		}
	}
	if err := c.opts.Check(); err != nil {
		return nil, nil, fmt.Errorf("%w%s", err, c.advice(err))
	}
	switch {
	case c.jobs < 0:
		return nil, nil, fmt.Errorf("-j must not be negative, got %d", c.jobs)
	case c.jobs == 0 && c.opts.Clock == nbrun.Virtual:
		c.jobs = runtime.NumCPU()
	case c.jobs == 0:
		c.jobs = 1
	}
	switch {
	case c.write && c.out != "":
		return nil, nil, errors.New("-w and -o are mutually exclusive")
	case c.write && c.opts.Compare:
		return nil, nil, errors.New("-w and -check are mutually exclusive")
	case c.opts.BuildOnly && (c.write || c.out != ""):
		return nil, nil, errors.New("-n runs nothing: there are no outputs for -w or -o to write")
	}
	paths := f.Args()
	if c.pipe = slices.Contains(paths, "-"); c.pipe {
		if err := c.checkPipe(paths); err != nil {
			return nil, nil, err
		}
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); path != "-" && err != nil && strings.HasPrefix(path, "-") && !slices.Contains(args, "--") {
			return nil, nil, fmt.Errorf("%s comes after the name of a notebook: flags go before all names", path)
		}
	}
	if len(paths) == 0 {
		if _, err := os.Stat("notebooks"); err != nil && !c.version {
			return nil, nil, errors.New("no notebook is named, and there is no folder notebooks here: name a notebook or a folder")
		}
		paths = []string{"notebooks"}
	}
	return c, paths, nil
}

// checkPipe returns an error if a notebook can't be read from stdin and written to
// stdout.
func (c *command) checkPipe(paths []string) error {
	switch {
	case len(paths) > 1:
		return errors.New("- must be the only notebook")
	case c.write || c.out != "" || c.scrub || c.clear || c.params || c.failed || c.opts.BuildOnly:
		return errors.New("- is written to stdout: -w, -o, -n, -failed, -scrub, -clear and -params are for files")
	case slices.Contains(slices.Collect(maps.Values(c.reports)), "-"):
		return errors.New("- is written to stdout: name a file for the report")
	}
	return nil
}

// define defines the flags.
func (c *command) define(f *flag.FlagSet) {
	f.StringVar((*string)(&c.opts.Engine), "engine", "go", "what runs the cells: "+engines())
	f.StringVar(&c.opts.Kernel, "kernel", "", "with -engine gonb: the installed Jupyter kernel of that `name`, not our own build of GoNB")
	f.StringVar((*string)(&c.opts.Clock), "clock", "real", "`real`, or virtual: sleeping costs nothing, and every run gives the same times")
	f.Func("p", "`name=value`: set a parameter of the notebook, lists and maps as JSON; or @FILE, JSON or YAML with several (repeatable)", func(s string) error {
		if file, ok := strings.CutPrefix(s, "@"); ok {
			return readParams(file, c.opts.Params)
		}
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("give it as name=value")
		}
		c.opts.Params[name] = value
		return nil
	})
	f.StringVar(&c.out, "o", "", "write executed copies to `folder`")
	f.BoolVar(&c.write, "w", false, "write the outputs back into the notebooks that pass")
	f.Func("timeout", fmt.Sprintf("the real `time` that one cell may take, as 30s or 10m; 0 is no limit; building does not count (default %v)", nbrun.DefaultTimeout), func(s string) (err error) {
		c.opts.Timeout, err = timeout(s)
		return err
	})
	c.each, c.all = nbrun.NoLimit, nbrun.NoLimit
	f.Func("timeout-notebook", "the `time` that all cells of one notebook may take, building included (default no limit)", func(s string) (err error) {
		c.each, err = timeout(s)
		return err
	})
	f.Func("timeout-run", "the `time` that all notebooks may take (default no limit)", func(s string) (err error) {
		c.all, err = timeout(s)
		return err
	})
	c.opts.MaxOutput = nbrun.DefaultMaxOutput
	f.Func("max-output", "the `size` of the output that is kept of one cell: in bytes, or with k, M or G behind the number (default 16M)", func(s string) error {
		n, err := size(s, 1<<30)
		c.opts.MaxOutput = int(n)
		return err
	})
	f.Func("max-memory", "the `size` of the memory that the programs of one cell may use before they are stopped (default no limit; on Linux)", func(s string) (err error) {
		c.opts.MaxMemory, err = size(s, 1<<50)
		return err
	})
	f.BoolVar(&c.opts.AllowErrors, "allow-errors", false, "go on after a cell that fails")
	f.BoolVar(&c.opts.Compare, "check", false, "fail cells whose output differs from what is stored; nbval's tags count")
	f.Func("mask", "with -check: a `file` of regular expressions, one per line, for what is not compared", func(file string) (err error) {
		c.opts.Mask, err = readMasks(file)
		return err
	})
	f.BoolVar(&c.opts.Times, "times", false, "with -o or -w: write into each cell when it ran")
	for _, r := range reports {
		f.Func(r.flag, r.usage+", to `file`; - is stdout, and everything else then goes to stderr", func(file string) error {
			c.reports[r.flag] = file
			return nil
		})
	}
	f.StringVar(&c.html, "html", "", "write a page for each notebook, which replays its run, and an index of them, to `folder`")
	f.BoolVar(&c.opts.Strict, "strict", false, "fail cells whose shell commands fail, those with an unknown % command, and those tagged raises-exception that don't fail")
	f.BoolVar(&c.stop, "fail-fast", false, "start no other notebook after one that fails")
	f.Func("tag", "run only cells with that `tag`, and those tagged parameters, injected-parameters or setup (repeatable)", func(tag string) error {
		c.tags = append(c.tags, tag)
		return nil
	})
	f.Func("only", "run only notebooks whose name or path matches the `pattern`, as '0*.ipynb', or whose metadata have a value, as course.level=2; with ! before it, all others (repeatable)", func(text string) error {
		cond, err := parseCondition(text)
		c.only = append(c.only, cond)
		return err
	})
	f.BoolVar(&c.onlyGo, "only-go", false, "leave out notebooks of other languages, even those that are named; it is no failure if none is left")
	f.BoolVar(&c.failed, "failed", false, "run only notebooks that failed when nbrun last ran them")
	f.BoolVar(&c.opts.BuildOnly, "n", false, "compile the cells, and run none")
	f.BoolVar(&c.params, "params", false, "run nothing; list the parameters of the notebooks")
	f.BoolVar(&c.clear, "clear", false, "run nothing; remove the outputs of the notebooks, or, with -check, say which have any")
	f.BoolVar(&c.version, "version", false, "run nothing; print the version of nbrun, and of the Go that built it")
	f.IntVar(&c.jobs, "j", 0, "`notebooks` at a time; 0 is 1 on the real clock and one for each core on the virtual one")
	f.BoolVar(&c.scrub, "scrub", false, "run nothing; remove the machine's paths from the outputs in the notebooks, and join the pieces of each stream")
}

// engines lists what each engine does, the first as its name for the flag.
func engines() string {
	var list []string
	for i, e := range nbrun.Engines() {
		name := string(e)
		if i == 0 {
			name = "`" + name + "`"
		}
		list = append(list, name+" "+e.Does())
	}
	return strings.Join(list, ", ")
}

// readParams reads parameters from a file, an object of JSON or a mapping of YAML.
func readParams(file string, params map[string]string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return plain(err)
	}
	var values map[string]yaml.Node
	if values, err = fromJSON(data); err != nil { // which may have tabs, unlike YAML
		if yaml.Unmarshal(data, &values) != nil || values == nil {
			return fmt.Errorf("is neither a JSON object nor a YAML mapping: %w", err)
		}
	}
	for name, value := range values {
		if params[name], err = parameter(&value); err != nil {
			return fmt.Errorf("%s can't be a parameter: %w", name, err)
		}
	}
	return nil
}

// fromJSON reads an object.
func fromJSON(data []byte) (map[string]yaml.Node, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil {
		return nil, err
	}
	nodes := map[string]yaml.Node{}
	for name, value := range values {
		text := string(value)
		_ = json.Unmarshal(value, &text) // if it is one
		nodes[name] = yaml.Node{Kind: yaml.ScalarNode, Value: text}
	}
	return nodes, nil
}

// parameter returns a value as it is given on the command line: lists and maps as JSON.
func parameter(value *yaml.Node) (string, error) {
	if value.Kind == yaml.ScalarNode {
		return value.Value, nil
	}
	var v any
	if err := value.Decode(&v); err != nil {
		return "", err
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// readMasks reads regular expressions, one per line. Blank lines, and those that begin
// with #, are ignored.
func readMasks(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, plain(err)
	}
	var masks []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := regexp.Compile(line); err != nil {
			return nil, err
		}
		masks = append(masks, line)
	}
	return masks, nil
}

// timeout reads a duration; 0 is no limit.
func timeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch _, number := strconv.ParseFloat(s, 64); {
	case err == nil && d == 0:
		return nbrun.NoLimit, nil
	case err != nil && number == nil:
		return 0, fmt.Errorf("the unit is missing: give it as %ss or %[1]sm", s)
	case err != nil:
		return 0, errors.New("give it as 30s, 10m or 1h30m")
	}
	return d, nil
}

// size reads a number of bytes: 1000, 64k, 16M, 1G.
func size(s string, most int64) (int64, error) {
	number, unit := strings.TrimRight(s, "kMG"), int64(1)
	switch strings.TrimPrefix(s, number) {
	case "":
	case "k":
		unit = 1 << 10
	case "M":
		unit = 1 << 20
	case "G":
		unit = 1 << 30
	default:
		number = ""
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > most/unit {
		return 0, fmt.Errorf("give it as 1000, 64k, 16M or, at most, %dG", most>>30)
	}
	return n * unit, nil
}

// notebook is a file to run.
type notebook struct {
	path  string
	rel   string // its place below the folder that -o names
	asked bool   // by its own name, not by that of its folder
	*nbrun.Notebook
}

// find lists the notebooks in files and folders, in order of their names.
func find(paths []string) ([]notebook, error) {
	var found []notebook
	for _, path := range paths {
		if path == "-" {
			found = append(found, notebook{path: path, asked: true})
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			err = fmt.Errorf("%s: %w", path, plain(err))
			if strings.ContainsAny(path, "*?[") {
				err = fmt.Errorf("%w; patterns go to -only", err)
			}
			return nil, err
		}
		if !info.IsDir() {
			found = append(found, notebook{path: path, rel: filepath.Base(path), asked: true})
			continue
		}
		before := len(found)
		root := filepath.Clean(path) + string(filepath.Separator) // also if it is a link
		err = filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("%s: %w", p, plain(err))
			}
			if d.IsDir() && p != root && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			if !d.IsDir() && strings.HasSuffix(p, ".ipynb") {
				rel, err := filepath.Rel(path, p)
				if err != nil {
					return err
				}
				found = append(found, notebook{path: p, rel: rel})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(found) == before {
			return nil, fmt.Errorf("%s: has no notebooks (*.ipynb)", path)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(n notebook) bool {
		twice := seen[n.path]
		seen[n.path] = true
		return twice
	}), nil
}

// plain returns a file error without its operation and path, which the message has
// already.
func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// check finds what is wrong before anything runs. Notebooks of other languages
// are left out, unless they were asked for by name.
func (c *command) check(ctx context.Context, notebooks []notebook) (run []notebook, errs []error) {
	targets := map[string]string{}
	for _, n := range notebooks {
		var err error
		switch n.Notebook, err = c.open(ctx, n.path); {
		case errors.Is(err, nbrun.ErrLanguage) && (c.onlyGo || !n.asked && len(notebooks) > 1):
			c.leftOut = append(c.leftOut, n.path)
			continue
		case err != nil:
			errs = append(errs, err)
			continue
		}
		if !c.chosen(n) {
			continue
		}
		if other, twice := targets[n.rel]; twice && c.out != "" {
			errs = append(errs, fmt.Errorf("%s: would be written to the same file as %s", n.path, other))
		}
		targets[n.rel] = n.path
		run = append(run, n)
		if c.write {
			if f, err := os.OpenFile(n.path, os.O_WRONLY, 0); err != nil {
				errs = append(errs, fmt.Errorf("%s: can't be written: %w", n.path, plain(err)))
			} else {
				f.Close()
			}
		}
	}
	if len(run) == 0 && len(errs) == 0 && (!c.onlyGo || len(c.leftOut) < len(notebooks)) {
		errs = append(errs, errors.New(map[bool]string{
			true: "none of the notebooks is a Go notebook", false: "-only matches no Go notebook",
		}[c.only == nil]))
	}
	if len(errs) == 0 {
		errs = append(errs, c.tagged(run)...)
	}
	if c.out != "" && len(errs) == 0 {
		if err := writable(c.out); err != nil {
			errs = append(errs, fmt.Errorf("-o %s: can't be written: %w", c.out, plain(err)))
		}
		errs = append(errs, c.sparesAll(run)...)
	}
	return run, errs
}

// open reads a notebook.
func (c *command) open(ctx context.Context, path string) (*nbrun.Notebook, error) {
	if path != "-" {
		return nbrun.Open(ctx, path, c.opts)
	}
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, fmt.Errorf("stdin: %w", plain(err))
	}
	return nbrun.Parse(ctx, path, data, c.opts)
}

// sparesAll finds what -o would write where nobody would expect it: over the notebooks
// themselves, or through a link to elsewhere. A link in place of a notebook is
// replaced.
func (c *command) sparesAll(notebooks []notebook) (errs []error) {
	sources := map[string]string{}
	for _, n := range notebooks {
		sources[resolved(n.path)] = n.path
		if target, err := filepath.EvalSymlinks(n.path); err == nil {
			sources[resolved(target)] = n.path
		}
	}
	for _, n := range notebooks {
		target := filepath.Join(c.out, n.rel)
		if source, ok := sources[resolved(target)]; ok {
			errs = append(errs, fmt.Errorf("-o %s: %s itself would be overwritten: name another folder, or use -w", c.out, source))
		}
		for dir := filepath.Dir(n.rel); dir != "."; dir = filepath.Dir(dir) {
			if info, err := os.Lstat(filepath.Join(c.out, dir)); err == nil && !info.IsDir() {
				errs = append(errs, fmt.Errorf("-o %s: %s is not a folder, or a link to one elsewhere", c.out, filepath.Join(c.out, dir)))
			}
		}
		if info, err := os.Lstat(target); err == nil && !info.Mode().IsRegular() && info.Mode().Type() != os.ModeSymlink {
			errs = append(errs, fmt.Errorf("%s: exists and is not a file", target))
		}
	}
	return errs
}

// resolved returns a path with the links in its folder resolved.
func resolved(path string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path // there is no such folder yet
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return path
	}
	return filepath.Join(dir, filepath.Base(path))
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".nbrun-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (c *command) runAll(ctx context.Context, notebooks []notebook, t *report.Terminal, complain func(error)) int {
	ctx, cancel := context.WithTimeoutCause(ctx, c.all, fmt.Errorf("the run took longer than %v, and was stopped", c.all))
	defer cancel()
	errs := make([]error, len(notebooks))
	slots := make(chan struct{}, c.jobs)
	var wg sync.WaitGroup
	var bad atomic.Bool
	for i, n := range notebooks {
		slots <- struct{}{} // in order, so that the one that is shown is under way
		if c.stop && bad.Load() || ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if errs[i] = c.runOne(ctx, n, t); errs[i] != nil {
				bad.Store(true)
			}
			c.remember(n, errs[i])
		})
	}
	wg.Wait()
	t.Summary()
	status := passed
	for _, err := range errs {
		switch {
		case errors.Is(err, nbrun.ErrUsage):
			complain(err)
			return notRun
		case err != nil:
			status = failed
		}
	}
	return status
}

// runOne runs a notebook, and writes it where that was asked for. The error says that
// it did not pass, which has been shown already.
func (c *command) runOne(ctx context.Context, n notebook, t *report.Terminal) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.each, fmt.Errorf("took longer than %v in all, and was stopped", c.each))
	defer cancel()
	result, err := n.Run(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		t.Failed(n.path, "interrupted")
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		t.Failed(n.path, context.Cause(ctx).Error())
	}
	if result == nil {
		return err
	}
	defer result.Close()
	if f := result.Fault(); f != nil && err == nil {
		err = f
	}
	var written error
	switch {
	case c.pipe:
		_, written = result.WriteTo(c.stdout)
	case c.out != "":
		target := filepath.Join(c.out, n.rel)
		if written = os.MkdirAll(filepath.Dir(target), 0o755); written == nil {
			written = result.WriteFile(target)
		}
	case c.write && (err == nil || c.opts.AllowErrors && result.Fault() != nil):
		var target string
		if target, written = filepath.EvalSymlinks(n.path); written == nil {
			written = result.WriteFile(target)
		}
	}
	if written != nil {
		t.Failed(n.path, "not written: "+written.Error())
	}
	return errors.Join(err, written)
}

func (c *command) scrubAll(notebooks []notebook, complain func(error)) int {
	status := passed
	for _, n := range notebooks {
		if err := nbrun.Scrub(n.path); err != nil {
			complain(fmt.Errorf("%s: %w", n.path, err))
			status = notRun
		}
	}
	return status
}

// clearAll removes the outputs of notebooks; with -check it only says which have any.
func (c *command) clearAll(notebooks []notebook, complain func(error)) int {
	status := passed
	for _, n := range notebooks {
		had, err := nbrun.Clear(n.path, c.opts.Compare)
		switch {
		case err != nil:
			complain(fmt.Errorf("%s: %w", n.path, err))
			status = notRun
		case had && c.opts.Compare:
			complain(fmt.Errorf("%s: has outputs: -clear removes them", n.path))
			status = max(status, failed)
		}
	}
	return status
}

// listParams writes a line for each parameter of each notebook.
func listParams(notebooks []notebook, out io.Writer, complain func(error)) int {
	status := passed
	for _, n := range notebooks {
		list, err := n.Params()
		if err != nil {
			complain(fmt.Errorf("%s: %w", n.path, err))
			status = failed
		}
		if err == nil && len(list) == 0 {
			complain(fmt.Errorf("%s: has no parameters: no cell is tagged so", n.path))
		}
		for _, p := range list {
			fmt.Fprintf(out, "%s: %s\n", report.Line(n.path), report.Line(p))
		}
	}
	return status
}
