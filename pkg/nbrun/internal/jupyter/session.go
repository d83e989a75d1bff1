package jupyter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/modules"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/tidy"
)

// New returns the engine whose cells run in a real kernel: GoNB, as this module
// pins it, or an installed kernel of Go.
func New(o engine.Options) (engine.Engine, error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("GoNB does not run on this system")
	}
	if o.Clock == event.Virtual {
		return nil, errors.New("a kernel has no virtual clock; compiled and interpreted programs do")
	}
	if o.Strict {
		return nil, errors.New("a kernel does not say whether a shell command failed; the other engines do")
	}
	if o.BuildOnly {
		return nil, errors.New("a kernel can't compile a cell without running it; the other engines can")
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, fmt.Errorf("the gonb engine needs the go command on PATH (%w): install it from go.dev", err)
	}
	if err := cache.Trusted(); err != nil { // it is where the kernel is built
		return nil, err
	}
	if o.Kernel == "" {
		return kernels{}, nil
	}
	spec, err := FindSpec(o.Kernel)
	if err != nil {
		return nil, err
	}
	if spec.Language != "go" {
		return nil, fmt.Errorf("kernel %q is not a kernel for Go: its language is %s", o.Kernel, spec.Language)
	}
	return kernels{spec}, nil
}

// kernels is the engine: it starts a kernel for each notebook.
type kernels struct {
	spec *Spec // nil for our own build
}

// Open starts a kernel.
func (e kernels) Open(ctx context.Context, nb engine.Notebook) (engine.Session, error) {
	defer nb.Progress("")
	tools, err := BuildTools(ctx, nb.Progress)
	if err != nil {
		return nil, err
	}
	spec := e.spec
	if spec == nil {
		spec = tools.GoNB()
	}
	p := spec.Process(nb.Dir, nb.Env, tools)
	if nb.Timeout > 0 {
		p.Within = min(p.Within, nb.Timeout)
	}
	nb.Progress("starting the kernel")
	s := &session{cells: nb.Cells, dir: nb.Dir}
	s.kernel, err = Start(ctx, tools.Link, p, func(m Message) error { return s.run[m.Cell-1].message(m) })
	if err != nil {
		return nil, err
	}
	return s, nil
}

// session is a kernel running the cells of a notebook.
type session struct {
	kernel *Kernel
	cells  []engine.Cell
	dir    string    // the notebook's
	run    []*remote // by the kernel's number of the cell, from 0
}

// Now is the real time.
func (s *session) Now() time.Time { return time.Now() }

// Close ends the kernel.
func (s *session) Close() error { return s.kernel.Close() }

// Run runs a cell in the kernel.
func (s *session) Run(ctx context.Context, cell int, out event.Sink) (event.Clock, error) {
	r := &remote{sink: out, cell: cell}
	s.run = append(s.run, r)
	reply, err := s.kernel.Execute(ctx, s.cells[cell-1].Source)
	if err := r.flush(); err != nil {
		return event.Real, err
	}
	var dead *Dead
	switch {
	case err != nil && ctx.Err() != nil:
	case errors.As(err, &dead):
		f := event.Faultf(cell, 0, "%s", tidy.Text(dead.Error()))
		f.Traceback = []string{f.Error()}
		for _, line := range dead.Last {
			f.Traceback = append(f.Traceback, tidy.Text(line))
		}
		err = errors.Join(r.tell(f), engine.ErrOver)
	case err != nil && s.kernel.Dead():
		err = errors.Join(r.tell(event.Faultf(cell, 0, "%v", err)), engine.ErrOver)
	case errors.Is(err, ErrRefused):
		err = r.tell(event.Faultf(cell, 0, "%v", err))
	case err == nil && reply.Status != "ok":
		f := r.fault(reply)
		s.explain(f, cell)
		err = f
	}
	return event.Real, err
}

// importLine is a line that imports a package.
var importLine = regexp.MustCompile(`^\s*(?:import\s+)?(?:[\w.]+\s+)?"([^"\s]+)"\s*(?://.*)?$`)

// explain adds the place of the import to a fault about a package that has no place,
// and what to do if the package is of the notebook's own module, of which the kernel
// knows nothing.
func (s *session) explain(f *event.Fault, cell int) {
	f.Text = program.Advised(strings.TrimPrefix(f.Text, "go: "))
	if f.Line != 0 {
		return
	}
	words := strings.FieldsFunc(f.Text, func(r rune) bool { return strings.ContainsRune(" :;,", r) })
	for i := cell; i > 0 && f.Line == 0; i-- {
		for n, line := range strings.Split(s.cells[i-1].Source, "\n") {
			if m := importLine.FindStringSubmatch(line); m != nil && slices.Contains(words, m[1]) {
				f.Cell, f.Line = i, n+1
				s.explainModule(f, m[1])
				break
			}
		}
	}
}

func (s *session) explainModule(f *event.Fault, pkg string) {
	root, own := modules.Of(pkg, s.dir)
	if root == "" {
		return
	}
	if strings.Contains(pkg+"/", "/internal/") {
		f.Text += fmt.Sprintf("; the kernel's cells are not part of module %s, so they can't import its internal packages", own)
		return
	}
	rel, err := filepath.Rel(s.dir, root)
	if err != nil {
		return
	}
	f.Text += fmt.Sprintf("; the kernel does not know the module of this folder: tell it first, with !*go mod edit -replace=%s=$GONB_DIR/%s -require=%[1]s@%[3]s", own, filepath.ToSlash(rel), modules.LocalVersion(own))
}

// remote takes what a kernel publishes about one cell.
type remote struct {
	sink   event.Sink
	cell   int
	words  tidy.Words
	line   []byte       // of stderr, not yet whole
	faults event.Faults // of GoNB's page
}

// content is the content of a message of any kind.
type content struct {
	Name      string
	Text      string
	Data      map[string]any
	Metadata  map[string]any
	Transient struct {
		ID string `json:"display_id"`
	}
	Count     int `json:"execution_count"`
	Wait      bool
	Ename     string
	Evalue    string
	Traceback []string
}

// kinds are the messages that mean something to a notebook.
var kinds = map[string]event.Kind{
	"stream": event.Stream, "display_data": event.Display, "update_display_data": event.Update,
	"execute_result": event.Result, "clear_output": event.Clear, "error": event.Error,
}

// message passes on a message as an output.
func (r *remote) message(m Message) error {
	kind, ok := kinds[m.Type]
	if !ok {
		return nil
	}
	var c content
	dec := json.NewDecoder(bytes.NewReader(m.Content))
	dec.UseNumber() // metadata are to be kept as they are
	if dec.Decode(&c) != nil {
		return nil // such a message has no meaning
	}
	if kind == event.Stream && c.Name == "stderr" {
		return r.stderr([]byte(c.Text))
	}
	if err := r.flush(); err != nil {
		return err
	}
	o := event.Output{Kind: kind}
	switch kind {
	case event.Stream:
		return r.stream(c.Name, c.Text)
	case event.Clear:
		o.Wait = c.Wait
	case event.Error:
		o.Name, o.Value = c.Ename, tidy.Text(c.Evalue)
		for _, line := range c.Traceback {
			o.Traceback = append(o.Traceback, tidy.Text(line))
		}
	default:
		o.Data, o.Metadata, o.ID, o.Count = c.Data, c.Metadata, c.Transient.ID, c.Count
		r.display(&o)
	}
	return r.put(o)
}

// display makes a display as a notebook keeps it, and checks whether it is GoNB's page
// of errors.
func (r *remote) display(o *event.Output) {
	if o.Metadata == nil {
		o.Metadata = map[string]any{}
	}
	for mime, content := range o.Data {
		if text, ok := content.(string); ok && strings.HasPrefix(mime, "text/") {
			o.Data[mime] = tidy.Text(text)
		}
	}
	if page, ok := o.Data["text/html"].(string); ok && len(o.Data) == 1 && o.Kind == event.Display {
		var faults event.Faults
		if faults, o.OfFault = parsePage(page); o.OfFault && len(r.faults) == 0 {
			r.faults = append(r.faults, faults...)
		}
	}
}

func (r *remote) put(o event.Output) error { return r.sink.Put(time.Now(), o) }

func (r *remote) stream(name, text string) error {
	if text == "" {
		return nil
	}
	r.words.Saw(text)
	return r.put(event.Output{Kind: event.Stream, Name: name, Text: text})
}

// stderr takes a piece of stderr, which is passed on by whole lines, as the machine's
// paths are removed from it.
func (r *remote) stderr(p []byte) error {
	r.line = append(r.line, p...)
	n := bytes.LastIndexByte(r.line, '\n') + 1
	if len(r.line)-n > 64<<10 {
		n = len(r.line)
	}
	whole := r.line[:n]
	r.line = append([]byte(nil), r.line[n:]...)
	for line := range bytes.Lines(whole) {
		if err := r.stream("stderr", string(r.words.Line(line))); err != nil {
			return err
		}
	}
	return nil
}

// flush passes on a line of stderr that has not ended.
func (r *remote) flush() error {
	p := r.line
	r.line = nil
	if len(p) == 0 {
		return nil
	}
	return r.stream("stderr", string(r.words.Line(p)))
}

// tell writes a fault that the kernel has not shown itself, and returns it.
func (r *remote) tell(f *event.Fault) error {
	if f.Traceback == nil {
		f.Traceback = []string{f.Error()}
	}
	return errors.Join(f, r.put(event.Output{Kind: event.Error, Name: "ERROR", Value: f.Text, Traceback: f.Traceback}))
}

// fault returns the reason why the kernel failed the cell.
func (r *remote) fault(reply Reply) *event.Fault {
	f := event.Faultf(r.cell, 0, "%s", tidy.Text(reply.Value))
	switch place := len(r.faults) > 0 && r.faults[0].Cell > 0; {
	case tidy.IsExitStatus(f.Text):
		if place { // the kernel misses places when a line comes in two pieces
			r.words.At(r.faults[0].Cell, r.faults[0].Line)
		}
		r.words.Explain(f)
	case place:
		f = r.faults[0]
	case len(r.faults) > 0:
		f.Text = r.faults[0].Text
	case f.Text == "":
		f.Text = fmt.Sprintf("the kernel replied %s, and nothing else", reply.Status)
	}
	return f
}
