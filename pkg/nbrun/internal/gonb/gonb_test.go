package gonb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// backend notes what it should run, and runs nothing.
type backend struct {
	dir     string
	ran     []engine.Job
	ahead   [][]engine.Job
	changes int
	resets  int
	fail    func(engine.Job) error
	write   func(engine.Job, event.Sink) error
}

func (b *backend) Dir() string        { return b.dir }
func (b *backend) Now() time.Time     { return process.FakeStart }
func (b *backend) Changed()           { b.changes++ }
func (b *backend) ResetModule() error { b.resets++; return nil }
func (b *backend) Module() bool       { return true }
func (b *backend) Close() error       { return nil }

func (b *backend) Run(_ context.Context, job engine.Job, ahead func() []engine.Job, out event.Sink) (engine.Exit, error) {
	if b.fail != nil {
		if err := b.fail(job); err != nil {
			return engine.Exit{}, err
		}
	}
	b.ran, b.ahead = append(b.ran, job), append(b.ahead, ahead())
	if b.write != nil {
		if err := b.write(job, out); err != nil {
			return engine.Exit{Ran: true}, err
		}
	}
	return engine.Exit{Ran: true, Clock: event.Virtual}, nil
}

// runCells runs cells, and returns the output of each, and its fault.
func runCells(t *testing.T, b *backend, sources ...string) (said []string, faults []*event.Fault) {
	t.Helper()
	if b.dir == "" {
		b.dir = t.TempDir()
	}
	nb := engine.Notebook{Dir: b.dir, Env: os.Environ()}
	for _, source := range sources {
		nb.Cells = append(nb.Cells, engine.Cell{Source: source})
	}
	s, err := Over(func(context.Context, engine.Notebook) (engine.Backend, error) { return b, nil }, Options{}).Open(t.Context(), nb)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range sources {
		var text strings.Builder
		_, err := s.Run(t.Context(), i+1, event.SinkFunc(func(_ time.Time, o event.Output) error {
			switch o.Kind {
			case event.Stream:
				text.WriteString(o.Text)
			default:
				fmt.Fprintf(&text, "<%s %s %s>", o.Kind, o.ID, o.Value)
			}
			return nil
		}))
		var f *event.Fault
		if err != nil && !errors.As(err, &f) {
			t.Fatal(err)
		}
		said, faults = append(said, text.String()), append(faults, f)
	}
	return said, faults
}

// What is built ahead is what is run later, composed once.
func TestAProgramIsComposedOnce(t *testing.T) {
	b := &backend{}
	runCells(t, b, "var x = 1", "%rm x\nvar y = 2", "%goflags -race\n%env AB=b\n%%\nprintln(y)", "%autoget\n%%\nprintln(y, y)")
	if len(b.ran) != 4 || len(b.ahead[0]) != 3 {
		t.Fatalf("%d run, ahead of the first %d", len(b.ran), len(b.ahead[0]))
	}
	for i, ahead := range b.ahead {
		for j, job := range ahead {
			later := b.ran[i+1+j]
			if job.Program != later.Program {
				t.Errorf("cell %d was composed anew after cell %d", later.Cell, i+1)
			}
			if !slices.Equal(job.Flags, later.Flags) || job.AutoGet != later.AutoGet || job.Env.Get("AB") != later.Env.Get("AB") {
				t.Errorf("cell %d was foreseen with %v, %v, AB=%s; it has %v, %v, AB=%s", later.Cell, job.Flags, job.AutoGet, job.Env.Get("AB"), later.Flags, later.AutoGet, later.Env.Get("AB"))
			}
		}
	}
}

// Each command in the table does to later programs what was foreseen: the program of
// the cell after it is the one built ahead, or none was.
func TestWhatIsForeseenComesTrue(t *testing.T) {
	lines := []string{"!true", "%goworkfix", "%reset", "%nonsense", "%cd", "%untrack x", "%env A b"}
	for _, c := range commands {
		for _, name := range c.names {
			if c.check == nil || c.check(nil) == "" {
				lines = append(lines, "%"+name)
			}
			lines = append(lines, "%"+name+" x")
		}
	}
	for _, line := range lines {
		b := &backend{}
		_, faults := runCells(t, b, "var x = 1", line, "%%\nprintln(1)")
		if len(b.ran) != 2 {
			t.Errorf("%s: %d programs were run", line, len(b.ran))
			continue
		}
		known := len(b.ahead[0]) > 0
		if known && b.ahead[0][0].Program != b.ran[1].Program {
			t.Errorf("%s: the next program is not what was foreseen", line)
		}
		if refused := faults[1] != nil; !known && !refused && b.changes == 0 && line != "%goworkfix" && line != "%goworkfix x" {
			t.Errorf("%s: nothing was foreseen, though nothing has changed", line)
		}
	}
}

func TestArgumentsAreCheckedBeforeAnythingIsDone(t *testing.T) {
	for source, want := range map[string]string{
		"!echo never\n%wasm":  "cell 1, line 2: %wasm is not supported: it needs a browser",
		"%widgets":            "cell 1, line 1: %widgets is not supported: widgets need a browser",
		"%widgets_hb":         "cell 1, line 1: %widgets_hb is not supported: widgets need a browser",
		"%with_inputs\n!read": "cell 1, line 1: %with_inputs is not supported: there is nobody to type",
		"%with_password":      "cell 1, line 1: %with_password is not supported: there is nobody to type",
		"%env A":              "cell 1, line 1: %env takes a name and a value (%env NAME VALUE or %env NAME=VALUE)",
		"%env A=1":            "cell 1, line 1: %env A=1: GoNB does not accept this for a one-letter name; write %env A 1",
		"%env A=B c":          `cell 1, line 1: %env: "A=B" can't be the name of a variable`,
		"%cd a b":             "cell 1, line 1: %cd takes one folder, not 2; put a name with spaces in quotes",
		"%untrack":            "cell 1, line 1: %untrack takes the name of one file",
		"%reset all":          `cell 1, line 1: %reset takes no argument, or "go.mod"`,
		"%cd none":            "cell 1, line 1: %cd: there is no folder none",
	} {
		said, faults := runCells(t, &backend{}, source)
		if faults[0] == nil || faults[0].Error() != want {
			t.Errorf("%q: %v\nwant %s", source, faults[0], want)
		}
		if strings.Contains(said[0], "never") || !strings.Contains(said[0], "<error ") {
			t.Errorf("%q: has put out %q", source, said[0])
		}
	}
}

func TestWhatCommandsSay(t *testing.T) {
	b := &backend{dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(b.dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	said, _ := runCells(t, b,
		"%env A=1\n%env AB=2", "%env AB=2\n!echo $AB", "%cd", "%cd sub\n!basename $PWD", "%goflags -race -v", "%goflags", `%goflags ""`,
		"var x = 1", "%rm x y", "%reset", "%reset go.mod", "%nonsense", "%ls",
	)
	for i, want := range []string{
		"", "Set: AB=\"2\"\n2\n", fmt.Sprintf("Current directory: %q\n", b.dir), fmt.Sprintf("Changed directory to %q\nsub\n", b.dir+"/sub"),
		"%goflags=[\"-race\" \"-v\"]\n", "%goflags=[\"-race\" \"-v\"]\n", "%goflags=[]\n",
		"", ". removed var x\n. key \"y\" not found in any definition, not removed\n",
		"* State reset: all memorized declarations discarded.\n", "", "\"%nonsense\" unknown or not implemented yet.", "<display  >",
	} {
		if want != "" && said[i] != want {
			t.Errorf("cell %d: %q, want %q", i+1, said[i], want)
		}
	}
	if b.resets != 2 {
		t.Errorf("%d resets of the module", b.resets)
	}
}

// If a program does not compile, it is as if its cell had not been run.
func TestMemoryIsOfWhatWasAccepted(t *testing.T) {
	b := &backend{fail: func(job engine.Job) error {
		if strings.Contains(job.Source, "bad") {
			return event.Faults{{Cell: job.Cell, Line: 1, Column: 5, Text: "is bad"}}
		}
		return nil
	}}
	said, faults := runCells(t, b, "var bad = 1", "var good = 2", "%%\nprintln(good)")
	if faults[0] == nil || faults[0].Error() != "cell 1, line 1: is bad" || faults[1] != nil || faults[2] != nil {
		t.Errorf("%v", faults)
	}
	if want := []string{"cell 1, line 1: is bad", "    var bad = 1", "        ^"}; !slices.Equal(faults[0].Traceback, want) {
		t.Errorf("traceback %q", faults[0].Traceback)
	}
	if said[0] != "<error  cell 1, line 1: is bad>" {
		t.Errorf("%q", said[0])
	}
	if last := b.ran[len(b.ran)-1].Source; !strings.Contains(last, "good = 2") {
		t.Errorf("the last program is\n%s", last)
	}
}

func TestDisplaysOfAnIDAreUpdated(t *testing.T) {
	b := &backend{write: func(_ engine.Job, out event.Sink) error {
		for _, id := range []string{"a", "", "a", "b", ""} {
			if err := out.Put(time.Time{}, event.Output{Kind: event.Display, ID: id}); err != nil {
				return err
			}
		}
		return nil
	}}
	said, _ := runCells(t, b, "%%\nprintln()", "%%\nprintln()")
	if said[0] != "<display a ><display  ><update a ><display b ><display  >" || said[1] != "<update a ><display  ><update a ><update b ><display  >" {
		t.Errorf("%q", said)
	}
}

func TestCapture(t *testing.T) {
	b := &backend{write: func(_ engine.Job, out event.Sink) error {
		return errors.Join(
			out.Put(time.Time{}, event.Output{Kind: event.Stream, Name: "stdout", Text: "out\n"}),
			out.Put(time.Time{}, event.Output{Kind: event.Stream, Name: "stderr", Text: "err\n"}),
			out.Put(time.Time{}, event.Output{Kind: event.Display, Data: map[string]any{"text/html": "<b>"}}),
		)
	}}
	said, _ := runCells(t, b, "%capture file\n%%\nprintln()", "%capture -a file\n%%\nprintln()", "%%\nprintln()")
	data, err := os.ReadFile(filepath.Join(b.dir, "file"))
	if err != nil || string(data) != strings.Repeat("out\nerr\n<b>", 2) || said[0] != said[2] {
		t.Errorf("%q, %v; said %q", data, err, said)
	}
}

func TestWhatAFaultSaysOfAProgramsEnd(t *testing.T) {
	var exit error = errors.New("exit status 2")
	for name, test := range map[string]struct {
		lines []string // of stderr
		want  string
	}{
		"nothing":        {nil, "cell 1: exit status 2"},
		"its last words": {[]string{"one\n", "two\n"}, "cell 1: exit status 2: two"},
		"a panic":        {[]string{"panic: oh\n", "\n", "goroutine 1 [running]:\n", "\t" + program.FileName(1) + ":3 +0x1\n"}, "cell 1, line 3: panic: oh"},
		"of another cell": {
			[]string{"fatal error: all goroutines are asleep\n", "\t" + program.FileName(2) + ":5 +0x1\n", "\t" + program.FileName(1) + ":7\n"},
			"cell 2, line 5: fatal error: all goroutines are asleep",
		},
	} {
		b := &backend{}
		b.write = func(job engine.Job, out event.Sink) error {
			for _, line := range test.lines {
				if err := out.Put(time.Time{}, event.Output{Kind: event.Stream, Name: "stderr", Text: string(job.Line([]byte(line)))}); err != nil {
					return err
				}
			}
			return nil
		}
		out := &output{session: &session{backend: b}, cell: 1, sink: event.SinkFunc(func(time.Time, event.Output) error { return nil })}
		if err := b.write(engine.Job{Line: out.words.Line}, out); err != nil {
			t.Fatal(err)
		}
		var f *event.Fault
		if err := out.exit(exit); !errors.As(err, &f) || f.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
