package inpage

import (
	"context"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
)

func has(path string) bool { return slices.Contains([]string{"flag", "fmt", "os", "testing"}, path) }

func TestCheckSaysWhatAPageCanNotDo(t *testing.T) {
	for name, test := range map[string]struct {
		cells []string
		want  string // of the last
	}{
		"plain":            {[]string{"%%\nfmt.Println(1)"}, ""},
		"a shell":          {[]string{"x := 1", "\n!ls"}, "cell 2, line 2: a page has no shell for ! lines"},
		"a script":         {[]string{"%%bash\nls"}, "cell 1, line 1: a page has no bash"},
		"the module":       {[]string{"!*go mod tidy\nimport \"fmt\""}, ""},
		"-race":            {[]string{"%goflags -race", "%%\nfmt.Println(1)"}, "cell 2: a page can't build with -race"},
		"-race no more":    {[]string{"%goflags -race", `%goflags ""`, "%%\nfmt.Println(1)"}, ""},
		"a package":        {[]string{"import (\n\t\"fmt\"\n\t\"net/http\"\n)\n%%\nfmt.Println(http.StatusOK)"}, "cell 1, line 3: a page does not have package net/http"},
		"what is no Go":    {[]string{"func {"}, ""},
		"commands, wrong":  {[]string{"%env"}, ""},
		"a package before": {[]string{"import \"net/http\"", "%%\nfmt.Println(http.StatusOK)"}, "cell 2: a page does not have package net/http"},
	} {
		t.Run(name, func(t *testing.T) {
			var list []engine.Cell
			for _, source := range test.cells {
				list = append(list, engine.Cell{Source: source})
			}
			faults, _ := Check(t.TempDir(), list, has)
			got := ""
			if last := faults[len(faults)-1]; last != nil {
				got = last.Error()
				if last.Reason != event.Unsupported {
					t.Errorf("the reason is %q", last.Reason)
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// recorded is a host that compiles nothing.
type recorded struct {
	said     string
	built    [][]Package
	started  []Process
	put      []string // to stdout, in the frames of the fake clock
	status   int
	stoppage error
}

func (r *recorded) Has(path string) bool { return has(path) }

func (r *recorded) Build(_ context.Context, packages []Package) (any, string, error) {
	r.built = append(r.built, packages)
	if r.said != "" {
		return nil, r.said, nil
	}
	return len(r.built), "", nil
}

func (r *recorded) Run(_ context.Context, _ any, p Process, put func(int, []byte) ([]byte, error)) (int, error) {
	r.started = append(r.started, p)
	for _, text := range r.put {
		if _, err := put(1, []byte(text)); err != nil {
			return 0, err
		}
	}
	return r.status, r.stoppage
}

func session(t *testing.T, host Host, cells ...string) *Session {
	t.Helper()
	nb := engine.Notebook{Path: "/home/n/n.ipynb", Dir: "/home/n", Progress: func(string) {}}
	for _, source := range cells {
		nb.Cells = append(nb.Cells, engine.Cell{Source: source})
	}
	s, err := New(t.Context(), host, nb)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCellsRememberAndAreEdited(t *testing.T) {
	host := &recorded{put: []string{"\x00\x00PB\x11\x74\xef\xed\xe6\xe2\x00\x00\x00\x00\x00\x03", "hi\n"}}
	s := session(t, host, "func f() int { return 1 }", "%%\nfmt.Println(f())")
	var out []event.Output
	sink := event.SinkFunc(func(_ time.Time, o event.Output) error { out = append(out, o); return nil })
	for number := 1; number <= 2; number++ {
		if _, err := s.Run(t.Context(), number, sink); err != nil {
			t.Fatal(err)
		}
	}
	s.Replace(2, "%args a b\n%%\nfmt.Println(2, f())")
	if _, err := s.Run(t.Context(), 2, sink); err != nil {
		t.Fatal(err)
	}
	last := host.built[len(host.built)-1][0]
	if !strings.Contains(last.Source, "return 1") || !strings.Contains(last.Source, "Println(2, f())") {
		t.Errorf("built:\n%s", last.Source)
	}
	started := host.started[len(host.started)-1]
	if started.Env.Get("GONB_TMP_DIR") != Temp || started.Dir != "/home/n" {
		t.Errorf("started as %+v", started)
	}
	if len(out) != 3 || out[2].Text != "hi\n" {
		t.Errorf("out: %v", out)
	}
	built := len(host.built)
	if _, err := s.Run(t.Context(), 2, sink); err != nil || len(host.built) != built {
		t.Errorf("what has not changed was built again: %v", err)
	}
}

// What other cells declare is available to a program that is run alone, and only that
// program is built.
func TestDeclaredWithoutARun(t *testing.T) {
	host := &recorded{}
	s := session(t, host, "%env N 7\nfunc f() int { return 1 }", "!ls\nfunc g() int { return 2 }", "%%\nfmt.Println(f())")
	discard := event.SinkFunc(func(time.Time, event.Output) error { return nil })
	if err := s.Declare(t.Context(), 1, discard); err != nil {
		t.Fatal(err)
	}
	if err := s.Declare(t.Context(), 2, discard); err == nil || err.Error() != "cell 2, line 1: a page has no shell for ! lines" {
		t.Errorf("%v", err)
	}
	if _, err := s.Run(t.Context(), 3, discard); err != nil {
		t.Fatal(err)
	}
	if len(host.built) != 1 || !strings.Contains(host.built[0][0].Source, "return 1") || strings.Contains(host.built[0][0].Source, "return 2") {
		t.Errorf("built: %+v", host.built)
	}
	if n := host.started[0].Env.Get("N"); n != "7" {
		t.Errorf("N is %q", n)
	}
}

func TestFaults(t *testing.T) {
	discard := event.SinkFunc(func(time.Time, event.Output) error { return nil })
	for name, test := range map[string]struct {
		host   recorded
		source string
		want   string
	}{
		"compiler":    {recorded{said: "/nbrun/cell1.go:2:5: undefined: x\n"}, "%%\n_ = x", "cell 1, line 2: undefined: x"},
		"exit status": {recorded{status: 3}, "%%\nos.Exit(3)", "cell 1: exit status 3"},
		"shell":       {recorded{}, "!ls", "cell 1, line 1: a page has no shell for ! lines"},
		"package":     {recorded{}, "import \"net\"\n%%\n_ = net.IPv4len", "cell 1, line 1: a page does not have package net"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := session(t, &test.host, test.source).Run(t.Context(), 1, discard)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestTestsGetAMainPackage(t *testing.T) {
	for source, want := range map[string][]string{
		"%test\nfunc TestOne(t *testing.T) {}\nfunc Testify() {}\nfunc BenchmarkTwo(b *testing.B) {}": {`{"TestOne", _test.TestOne},`, `{"BenchmarkTwo", _test.BenchmarkTwo},`, "os.Exit(m.Run())"},
		"%test\nfunc TestMain(m *testing.M) { m.Run() }":                                              {"_test.TestMain(m)", "var _ = os.Exit"},
		"%test\nfunc helper() {}": {`_ "p/`},
		"%test\nfunc Example() {\n\tfmt.Println(1)\n\t// Output: 1\n}\nfunc Example_two() {}": {"InternalExample{{\"Example\", _test.Example, \"1\\n\", false},}"},
	} {
		host := &recorded{}
		if _, err := session(t, host, source).Run(t.Context(), 1, event.SinkFunc(func(time.Time, event.Output) error { return nil })); err != nil {
			t.Fatal(err)
		}
		packages := host.built[0]
		if len(packages) != 2 || packages[0].Main || !packages[1].Main {
			t.Fatalf("%+v", packages)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", packages[1].Source, 0); err != nil {
			t.Errorf("%v\n%s", err, packages[1].Source)
		}
		for _, w := range want {
			if !strings.Contains(packages[1].Source, w) {
				t.Errorf("no %s in\n%s", w, packages[1].Source)
			}
		}
	}
}

func TestTracesHaveTheProgramsOwnGoroutines(t *testing.T) {
	for _, test := range []struct{ trace, want string }{
		{
			"fatal error: x\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/a.go:1 +0x2\n\ngoroutine 7 [select (no cases)]:\nsyscall/js.handleEvent()\n\tsyscall/js/func.go:98 +0x2b\nlast\n",
			"fatal error: x\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/a.go:1 +0x2\n\nlast\n",
		},
		{"goroutine 7 [select (no cases)]:\nmain.f()\n\t/a.go:1\n", "goroutine 7 [select (no cases)]:\nmain.f()\n\t/a.go:1\n"},
		{"goroutine 7 [select (no cases)]:\ngoroutine 8 [select (no cases)]:\nmain.f()\n", "goroutine 7 [select (no cases)]:\ngoroutine 8 [select (no cases)]:\nmain.f()\n"},
	} {
		line := withoutHandler(func(p []byte) []byte { return p })
		got := ""
		for l := range strings.Lines(test.trace) {
			got += string(line([]byte(l)))
		}
		if got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
}
