package yaegi

import (
	"cmp"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
	_ "github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols/lessons" // for gonbui
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// sink keeps a program's output.
type sink struct{ stdout, stderr string }

func (s *sink) Put(_ time.Time, o event.Output) error {
	switch {
	case o.Kind == event.Display:
		s.stdout += o.Data["text/html"].(string)
	case o.Name == "stdout":
		s.stdout += o.Text
	default:
		s.stderr += o.Text
	}
	return nil
}

// runCell runs a cell.
func runCell(t *testing.T, source string, flags ...string) (*sink, error) {
	t.Helper()
	c, err := cells.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	open, err := New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := open(t.Context(), engine.Notebook{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p, err := program.New(1, c, new(program.Memory), b.Dir())
	if err != nil {
		return nil, err
	}
	s := &sink{}
	exit, err := b.Run(t.Context(), engine.Job{Program: p, Env: os.Environ(), Flags: flags}, nil, s)
	return s, cmp.Or(err, exit.Err)
}

// Each program prints what Go prints.
func TestInterpreted(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"range over an int":          {"for i := range 3 {\nfmt.Print(i, \" \")\n}\nfor range 2 { fmt.Print(\"x\") }", "0 1 2 xx"},
		"of another type":            {"var n uint8 = 3\nfor i := range n {\nfmt.Printf(\"%T%d \", i, i)\n}", "uint80 uint81 uint82 "},
		"of a constant":              {"const n = 2\nfor i := range n + 1 { fmt.Print(i) }", "012"},
		"with continue and label":    {"outer:\nfor i := range 3 {\nfor j := range 3 {\nif j == 1 { continue outer }\nfmt.Print(i, j, \" \")\n}\n}", "0 0 1 0 2 0 "},
		"whose variable is set":      {"for i := range 3 { i *= 10; fmt.Print(i, \" \") }", "0 10 20 "},
		"over a set variable":        {"var i int\nfor i = range 4 {}\nfmt.Print(i)", "3"},
		"over a negative number":     {"n := -1\nfor range n { fmt.Print(\"never\") }\nfmt.Print(\"ok\")", "ok"},
		"min and max":                {"a, b := 3, 2\nfmt.Print(min(a, b, 5), max(a, b), min(\"b\", \"a\"), max(1.5, float64(a)), max(1, 2))", "2 3a3 2"},
		"a float of an integer":      {"u, i := uint64(0x8234508000000001), int64(0x100000100000001)\nfmt.Print(float32(u) == float32(float64(u)), float32(i) == float32(float64(i)), float32(uint8(3)))", "false false 3"},
		"methods by their type":      {"err := fmt.Errorf(\"%w %w\", io.EOF, io.EOF)\none := fmt.Errorf(\"%w\", err)\n_, a := err.(interface{ Unwrap() []error })\n_, b := one.(interface{ Unwrap() []error })\n_, c := one.(interface{ Unwrap() error })\nfmt.Print(a, b, c)", "true false true"},
		"constants that are runes":   {"r := utf8.RuneError\nfmt.Printf(\"%T %T %T\", r, os.PathSeparator, unicode.MaxRune)", "int32 int32 int32"},
		"sequences of compiled code": {"var s iter.Seq[string] = strings.Lines(\"a\\nb\")\nfor l := range s { fmt.Print(l) }\nfmt.Printf(\" %T\", s)", "a\nb iter.Seq[string]"},
		"min of NaN":                 {"n := math.NaN()\nfmt.Print(min(n, 1), max(1, n), min(1, n))", "NaN NaN NaN"},
		"max of zeros":               {"z := 0.0\nfmt.Print(1/max(-z*1, z), 1/min(z, math.Copysign(0, -1)))", "+Inf -Inf"},
		"min of a named type":        {"fmt.Print(min(2*time.Second, time.Second), max(time.Second, 0))", "1s 1s"},
		"min in a range":             {"a, b := 2, 3\nfor i := range min(a, b) { fmt.Print(max(i, 1)) }", "11"},
		"clear":                      {"m := map[string]int{\"a\": 1}\nclear(m)\ns := []int{1, 2}\nclear(s)\nfmt.Print(len(m), s)", "0 [0 0]"},
		"closures in loops": {"var fs []func()\nfor i := 0; i < 3; i++ { fs = append(fs, func() { fmt.Print(i) }) }\nfor _, x := range []int{7, 8} { fs = append(fs, func() { fmt.Print(x) }) }\n" +
			"for i := range 2 { fs = append(fs, func() { fmt.Print(i) }) }\nfor _, f := range fs { f() }", "0127801"},
		"deferred in loops":     {"for i := range 3 { defer func() { fmt.Print(i) }() }\nfor i := 5; i < 7; i++ { defer func() { fmt.Print(i) }() }", "65210"},
		"goroutines in loops":   {"var wg sync.WaitGroup\nvar mu sync.Mutex\nsum := 0\nfor i := range 10 { wg.Go(func() { mu.Lock(); defer mu.Unlock(); sum += i }) }\nfor i := range 10 { wg.Add(1); go func() { defer wg.Done(); mu.Lock(); defer mu.Unlock(); sum += i }() }\nwg.Wait()\nfmt.Print(sum)", "90"},
		"select and context":    {"ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)\ndefer cancel()\nselect {\ncase <-ctx.Done(): fmt.Print(ctx.Err())\ncase <-time.After(time.Minute):\n}", "context deadline exceeded"},
		"range over a function": {"for x := range func(yield func(int) bool) { _ = yield(1) && yield(2) } { fmt.Print(x) }", "12"},
		"displays":              {"gonbui.DisplayHTML(\"<b>x</b>\")\ngonbui.Sync()\nfmt.Print(\"after\")", "<b>x</b>after"},
	} {
		imports := ""
		if strings.Contains(test.source, "gonbui") {
			imports = "import \"github.com/janpfeifer/gonb/gonbui\"\n"
		}
		s, err := runCell(t, imports+"%%\n"+test.source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.stdout != test.want || s.stderr != "" {
			t.Errorf("%s: %q, want %q (stderr %q)", name, s.stdout, test.want, s.stderr)
		}
	}
}

func TestDeclarations(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"inference":               {"func Map[T, U any](in []T, f func(T) U) []U { var out []U; for _, x := range in { out = append(out, f(x)) }; return out }\n%%\nfmt.Print(Map([]int{1, 2}, func(i int) string { return fmt.Sprint(\"n\", i) }))", "[n1 n2]"},
		"a generic type":          {"type Stack[T any] struct{ items []T }\nfunc (s *Stack[T]) Push(x T) { s.items = append(s.items, x) }\n%%\ns := &Stack[int]{}\ns.Push(3)\nfmt.Print(len(s.items), s.items[0])", "1 3"},
		"a String method":         {"type C int\nfunc (c C) String() string { return \"C!\" }\n%%\nfmt.Print(C(1))\nfmt.Printf(\"%v %d %s %05d\", C(1), C(2), C(3), C(4))\nfmt.Println(C(5))", "C!C! 2 C! 00004C!\n"},
		"an Error method":         {"type E struct{}\nfunc (e *E) Error() string { return \"E!\" }\nfunc f() error { return &E{} }\n%%\nfmt.Print(f(), &E{})", "E! E!"},
		"variables set by a call": {"func two() (int, string) { return 1, \"b\" }\nvar a, b = two()\n%%\nfmt.Print(a, b)", "1b"},
		"min of type parameters":  {"func m[T int | float64](a, b T) T { return min(a, b) }\n%%\nfmt.Print(m(2, 1), m(1.5, 2))", "1 1.5"},
		"methods below the top":   {"type C int\nfunc (c C) String() string { return \"C!\" }\ntype S struct { A C; b C }\n%%\nfmt.Print([]C{1}, map[C]int{2: 3})\nfmt.Printf(\" %v %+v %T\", S{1, 2}, &S{3, 4}, S{})", "[C!] map[C!:3] {C! 2} &{A:C! b:4} main.S"},
		"types and indexes":       {"type S struct{ A int }\n%%\nfmt.Printf(\"%[1]T %[1]v %[2]T %8.3[1]T|%[3]*[1]T|%%T %T %-8T|%[1]8T\", S{1}, &S{2}, 8)", "main.S {1} *main.S      mai|  main.S|%T *main.S int     |%!T(BADINDEX)"},
		"types in each other":     {"type A struct{ b *B; n int }\ntype B struct{ d *D; a *A }\ntype D struct{ b *B }\n%%\nx := D{&B{}}\nx.b.a = &A{x.b, 3}\nx.b.d = &x\nfmt.Print(x.b.d.b.a.n, x.b.a.b.a.n)", "3 3"},
		"a type by value":         {"type Node struct{ list List; v int }\ntype List struct{ head *Node; n int }\n%%\nvar l List\nl.head = &Node{v: 7}\nns := make([]Node, 3)\nfor i := range ns { ns[i].v, ns[i].list.n = i, 10*i }\nfmt.Print(l.head.v, ns[1], ns[2])", "7 {{<nil> 10} 1} {{<nil> 20} 2}"},
		"an init function":        {"func init_x() { fmt.Print(\"init \") }\n%%\nfmt.Print(\"main\")", "init main"},
		"arguments":               {"var n = flag.Int(\"n\", 1, \"\")\n%% -n 3 rest\nfmt.Print(*n, flag.Args())", "3 [rest]"},
	} {
		s, err := runCell(t, test.source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if s.stdout != test.want {
			t.Errorf("%s: %q, want %q", name, s.stdout, test.want)
		}
	}
}

func TestWhatItCanNotDoIsSaidByCellLineAndConstruct(t *testing.T) {
	for source, want := range map[string]string{
		"%%\nfmt.Print(reflect.TypeFor[int]())":                   "cell 1, line 2: reflect.TypeFor is not known to the interpreter, which has no generic functions and types of compiled packages",
		"type T struct{ A int }\n%%\nreflect.DeepEqual(T{}, T{})": "cell 1, line 3: passing a main.T to reflect.DeepEqual: the interpreter can't do this",
		"type E []error\nfunc (e E) Error() string { return \"\" }\nfunc (e E) Unwrap() []error { return e }\n%%\nfmt.Println(errors.Is(E{}, nil))": "cell 1, line 3: a type with the method Unwrap() []error: the interpreter can't do this",
		"%%\nvar p unsafe.Pointer\n_ = p":                     "cell 1, line 2: package unsafe is not known to the interpreter",
		"import \"net/http\"\n%%\nhttp.Get(\"\")":             "cell 1, line 1: package net/http is not known to the interpreter",
		"%%\n_ = http.StatusOK":                               "cell 1, line 2: package net/http is not known to the interpreter",
		"type K struct{ m map[*K]int }\n%%\nfmt.Print(K{}.m)": "cell 1, line 1: the interpreter can't do this (a type that contains itself in more than one way)",
		"type B struct{ c *C; d *D }\ntype C struct{ b B }\ntype D struct{ b B; n int }\n%%\nfmt.Print(C{})": "cell 1, line 2: a type that contains itself in more than one way: the interpreter can't do this",
		"import . \"io/ioutil\"\nimport \"io/fs\"\n%%\nvar _ fs.FileMode\nReadFile(\"\")":                    "cell 1, line 1: package io/ioutil is not known to the interpreter",
		"%test\nfunc Fuzz(f *testing.F) {}":                      "cell 1, line 2: the function Fuzz in a cell with %test: the interpreter can't do this",
		"%test\nfunc TestMain(m *testing.M) {}":                  "cell 1, line 2: TestMain: the interpreter can't do this",
		"%test\nfunc TestA() {}":                                 "cell 1, line 2: wrong signature for TestA, must be: func TestA(t *testing.T)",
		"%test\nfunc TestA(t *testing.T) {\nf := t.Log\nf(1)\n}": "cell 1, line 3: the method Log of package testing as a value: the interpreter can't do this",
		"%test\nfunc TestA(t *testing.T) {\ndefer t.Log(1)\n}":   "cell 1, line 3: the method Log of package testing in a defer statement: the interpreter can't do this",
		"%test\nfunc h(t *testing.T) { t.Helper() }\nfunc TestA(t *testing.T) {\nfor _, f := range []func(*testing.T){h} { f(t) }\n}": "cell 1, line 2: a test helper other than a function that is called by its name and does not recover: the interpreter can't do this",
		"%test\nfunc TestA(t *testing.T) {\nfunc() { t.Helper() }()\n}":                                                               "cell 1, line 3: a test helper other than a function that is called by its name and does not recover: the interpreter can't do this",
		"%test\nfunc BenchmarkA(b *testing.B) {\nb.ReportAllocs()\n}":                                                                 "cell 1, line 3: the method ReportAllocs of package testing: the interpreter can't do this",
		"%%\nvar x int = \"a\"; _ = x": `cell 1, line 2: cannot use "a" (untyped string constant) as int value in variable declaration`,
		"%%\nx := 1":                   "cell 1, line 2: declared and not used: x",
	} {
		_, err := runCell(t, source)
		var fault *event.Fault
		var faults event.Faults
		if errors.As(err, &faults) && len(faults) > 0 {
			fault = faults[0]
		} else if !errors.As(err, &fault) {
			t.Errorf("%q: %v\nwant %s", source, err, want)
			continue
		}
		if fault.Error() != want {
			t.Errorf("%q: %v\nwant %s", source, err, want)
		}
		if ours := strings.Contains(want, "interpreter"); (fault.Reason == event.Unsupported) != ours {
			t.Errorf("%q: the reason is %q", source, fault.Reason)
		}
	}
}

func TestPanicsAreThoseOfTheProgram(t *testing.T) {
	for source, want := range map[string]string{
		"%%\npanic(\"oh\")":                                                      "panic: oh\n",
		"%%\nch := make(chan int)\nclose(ch)\nch <- 1":                           "panic: send on closed channel\n",
		"%%\nch := make(chan int)\n<-ch":                                         "fatal error: all goroutines are asleep - deadlock!\n",
		"%%\ngo func() { panic(\"in a goroutine\") }()\ntime.Sleep(time.Second)": "panic: in a goroutine",
	} {
		if cgo && strings.Contains(want, "asleep") {
			continue // CI runs the tests without the race detector, too
		}
		s, err := runCell(t, source)
		if err == nil || err.Error() != "exit status 2" {
			t.Errorf("%q: %v, want exit status 2", source, err)
			continue
		}
		if !strings.Contains(s.stderr, want) {
			t.Errorf("%q: stderr is\n%s\nwant %s", source, s.stderr, want)
		}
		if strings.Contains(s.stderr, "yaegi") || strings.Contains(s.stderr, "reflect.") {
			t.Errorf("%q: the interpreter shows:\n%s", source, s.stderr)
		}
	}
	if _, err := runCell(t, "%%\nos.Exit(4)"); err == nil || err.Error() != "exit status 4" {
		t.Errorf("os.Exit(4): %v", err)
	}
}

func TestRefused(t *testing.T) {
	for flags, want := range map[string]string{
		"": "", "--cover --covermode=set": "", "-p 4 -v": "", "-race": "-race", "-v -ldflags=-s": "-ldflags=-s", "-tags special": "-tags", "-nonsense": "-nonsense",
	} {
		if got := refused(strings.Fields(flags)); got != want {
			t.Errorf("%s: %q, want %q", flags, got, want)
		}
	}
}
