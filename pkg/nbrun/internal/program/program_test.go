package program

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
)

// compose parses cells one after the other and returns the last one's program.
func compose(t *testing.T, sources ...string) (*Program, error) {
	t.Helper()
	memory := new(Memory)
	var last *Program
	for i, source := range sources {
		c, err := cells.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(i+1, c, memory, t.TempDir())
		if err != nil {
			return nil, err
		}
		memory, last = p.After, p
	}
	return last, nil
}

func TestProgram(t *testing.T) {
	for name, test := range map[string]struct {
		cells  []string
		has    []string
		hasNot []string
	}{
		"a declaration is remembered": {
			[]string{"func f() int { return 1 }", "%%\nfmt.Println(f())"},
			[]string{"func f() int { return 1 }", `import  "fmt"`, `import  "flag"`, "fmt.Println(f())"},
			nil,
		},
		"a new one replaces it": {
			[]string{"func f() int { return 1 }", "func f() int { return 2 }", "%%\nf()"},
			[]string{"return 2"},
			[]string{"return 1"},
		},
		"but not one of another kind, as in GoNB": {
			[]string{"func f() int { return 1 }", "var f = 3"},
			[]string{"return 1", "var f = 3"},
			nil,
		},
		"main is not": {[]string{"%%\none()", "%%\ntwo()"}, []string{"two()"}, []string{"one()"}},
		"methods are, by their type": {
			[]string{"type A int\nfunc (a A) M() int { return 1 }\ntype B[T any] struct{ x T }\nfunc (b *B[T]) M() int { return 2 }", "func (a A) M() int { return 3 }"},
			[]string{"return 3", "return 2"},
			[]string{"return 1"},
		},
		"imports are remembered, unused ones dropped": {
			[]string{"import (\n\"fmt\"\nstr \"strings\"\n\"os\"\n)", "%%\nfmt.Println(str.ToUpper(\"a\"))"},
			[]string{`import  "fmt"`, `import str "strings"`},
			[]string{`"os"`},
		},
		"blank imports stay":         {[]string{"import _ \"embed\"", "%%\n"}, []string{`import _ "embed"`}, nil},
		"dot imports, too":           {[]string{"import . \"fmt\"", "%%\nos.Exit(0)"}, []string{`import . "fmt"`}, nil},
		"missing imports are found":  {[]string{"%%\n_ = rand.Int63()\n_ = filepath.Base(\"\")"}, []string{`"math/rand"`, `"path/filepath"`}, nil},
		"a variable hides a package": {[]string{"%%\nfmt := T{}\nfmt.X()"}, nil, []string{`import  "fmt"`}},
		"init functions are renamed": {
			[]string{"func init_a() { println(\"a\") }\nfunc init_b() {}"},
			[]string{"func init  () { println(\"a\") }", "func init  () {}"},
			[]string{"init_a"},
		},
		"a tuple of one call stays together": {
			[]string{"func two() (int, int) { return 1, 2 }\nvar a, b = two()", "%%\n_ = a"},
			[]string{"var a, b = two()"},
			nil,
		},
		"and goes together": {
			[]string{"func two() (int, int) { return 1, 2 }\nvar a, b = two()", "var b = 3"},
			[]string{"var b = 3"},
			[]string{"var a"},
		},
		"several variables of one line are apart": {[]string{"var a, b int = 1, 2", "var b = 3"}, []string{"var a int =\n//line /nbrun/cell1.go:1:16\n1\n", "var b = 3"}, []string{"b int"}},
		"constants of a declaration stay together": {
			[]string{"const (\nA = iota\nB\nC\n)", "const B = \"b\""},
			[]string{"A = iota\n", "B\n", "C\n", "B = \"b\""},
			nil,
		},
		"until the first is replaced":            {[]string{"const (\nA = iota\nB\n)", "const A = 5"}, []string{"A = 5"}, []string{"iota", "B"}},
		"a declaration of blank constants stays": {[]string{"const (\n_ = iota\nA\n)"}, []string{"_ = iota\n", "A\n"}, nil},
		"unformatted code":                       {[]string{"func   f( )int{return 1};var x=f( )"}, []string{"func   f( )int{return 1}", "var x =\n//line /nbrun/cell1.go:1:32\nf( )\n"}, nil},
		"comments in odd places":                 {[]string{"// f does.\nfunc f() {} // after\n/* between */ var x = /* in */ 1"}, []string{"// f does.\n", "var x =\n//line /nbrun/cell1.go:3:32\n1\n"}, nil},
		"exec":                                   {[]string{"%exec hello\nfunc hello() {}"}, []string{"hello() }"}, nil},
	} {
		p, err := compose(t, test.cells...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range test.has {
			if !strings.Contains(p.Source, want) {
				t.Errorf("%s: has no %q:\n%s", name, want, p.Source)
			}
		}
		for _, not := range test.hasNot {
			if strings.Contains(p.Source, not) {
				t.Errorf("%s: has %q:\n%s", name, not, p.Source)
			}
		}
	}
}

func TestSyntaxErrorsNameTheCellsLine(t *testing.T) {
	for source, want := range map[string]string{
		"%%\nx := 1\ny = = 2": "cell 1, line 3: expected operand, found '='",
		"func f() {":          "cell 1, line 1: expected '}', found 'EOF'",
		"%%\nfor {":           "cell 1, line 2: expected '}', found 'EOF'",
		"x := 1":              "cell 1, line 1: expected declaration, found x",
		"!echo\nvar x = @":    "cell 1, line 2: illegal character U+0040 '@'",
	} {
		_, err := compose(t, source)
		var errs event.Faults
		if !errors.As(err, &errs) || !strings.HasPrefix(err.Error(), want) {
			// Where a block is not closed, its end is as good a place as any.
			t.Errorf("%q: %v\nwant %s", source, err, want)
		}
	}
}

func TestPlacesOfDeclarations(t *testing.T) {
	p, err := compose(t, "\nvar (\n  x = 1\n  y string\n)\n\nfunc f() {\n}", "type T struct{\n}\n%%\nf()")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"//line /nbrun/cell1.go:3\nvar x = 1\n",
		"//line /nbrun/cell1.go:4\nvar y string\n",
		"//line /nbrun/cell1.go:7:1\nfunc f() {\n}\n",
		"//line /nbrun/cell2.go:1:1\ntype T struct{\n}\n",
		"//line /nbrun/cell2.go:3:1\nfunc main() { flag.Parse()\nf()\n",
	} {
		if !strings.Contains(p.Source, want) {
			t.Errorf("no %q in\n%s", want, p.Source)
		}
	}
}

// planted is an undefined name.
const planted = "plantedX"

// undefined are the places at which the type checker misses the planted name.
func undefined(t testing.TB, p *Program) (places []string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", p.Source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%v in\n%s", err, p.Source)
	}
	config := types.Config{FakeImportC: true, Importer: noImports{}, Error: func(err error) {
		if e, ok := err.(types.Error); ok && strings.Contains(e.Msg, "undefined: "+planted) {
			places = append(places, e.Fset.Position(e.Pos).String())
		}
	}}
	_, _ = config.Check("main", fset, []*ast.File{file}, nil) // there are other errors
	return places
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not here") }

func TestAnUndefinedNameIsReportedWhereItStands(t *testing.T) {
	for _, source := range []string{
		"var a, b = f(1), plantedX",
		"var a, b = f(\n1,\n), plantedX",
		"var a,\n\tb = plantedX,\n 1",
		"var a,\n\tb plantedX",
		"var a,\n\tb plantedX = 1,\n 2",
		"var a,\n\tb map[string]plantedX = nil,\n nil",
		"var a, b =\n\n two(\nplantedX)",
		"var (\n a = 1\n b, c int = 2,\n\n   plantedX\n)",
		"const (\n a = 1\n b, c = 2,\n\n   plantedX\n)",
		"var s struct {\n\ta int\n\tb plantedX\n}",
		"var f = func(a int,\n b plantedX) {}",
		"func f(a int,\n b plantedX) {\n}",
		"type T struct {\n\ta plantedX\n}",
		"func two() (int,\n plantedX) { return 1, 2 }",
		"%%\nx := 1\n_ = x +\n  plantedX",
		"type A int\nvar a A\n%%\na.b()\nplantedX()",
	} {
		p, err := compose(t, "func f(a int) int { return a }\nfunc two(int) (int, int) { return 1, 2 }", source)
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(source, planted)
		line := 1 + strings.Count(before, "\n")
		column := len(before) - strings.LastIndexByte(before, '\n')
		want := fmt.Sprintf("/nbrun/cell2.go:%d:%d", line, column)
		places := undefined(t, p)
		for i := range places { // a type may be there for each name
			if places[i] != want && places[i] != fmt.Sprintf("/nbrun/cell2.go:%d", line) { // columns before the first can't be said
				t.Errorf("%q: reported at %s, want %s\n%s", source, places[i], want, p.Source)
			}
		}
		if len(places) == 0 {
			t.Errorf("%q: not reported\n%s", source, p.Source)
		}
	}
}

// FuzzCompose makes programs of three cells, and in the middle one replaces a word by a
// name that nothing declares: it is reported in that cell and line, by the type
// checker, or the cell is found faulty before.
func FuzzCompose(f *testing.F) {
	f.Add("func f(a int) int { return a }", "var a, b = f(\n1,\n), 2", "%%\nprintln(a, b)", uint(4))
	f.Add("type T[E any] struct{ x E }\nfunc (t T[E]) M() {}", "const (\nA = iota\nB, C\n)\nvar t T[int]", "%%\nt.M()", uint(3))
	f.Add("import \"fmt\"\nvar x int", "func g() (int,\n error) { return x, nil }\n%%\nfmt.Println(g())", "var x = 3", uint(2))
	f.Add("func init_a() {}", "var (\n a,\n b map[string]int = nil, nil\n)", "%test\nfunc TestA(t *testing.T) {}", uint(5))
	f.Fuzz(func(t *testing.T, one, two, three string, word uint) {
		at := identifiers(two)
		if len(at) == 0 || strings.Contains(one+two+three, planted) || strings.Contains(one+two+three, "line") {
			return
		}
		w := at[word%uint(len(at))]
		two = two[:w[0]] + planted + two[w[1]:]
		line := 1 + strings.Count(two[:w[0]], "\n")
		memory := new(Memory)
		for i, source := range []string{one, two, three} {
			c, err := cells.Parse(source)
			if err != nil || c.Script != nil || c.File != nil {
				return
			}
			p, err := New(i+1, c, memory, "")
			var faults event.Faults
			if errors.As(err, &faults) {
				for _, f := range faults {
					if f.Cell != i+1 && f.Cell != 0 || f.Line > 1+strings.Count(source, "\n") {
						t.Errorf("cell %d: %v", i+1, f)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			memory = p.After
			// A constant without a value has that of the one before it, and its fault.
			places := undefined(t, p)
			there := func(place string) bool {
				want := fmt.Sprintf("/nbrun/cell2.go:%d", line)
				return place == want || strings.HasPrefix(place, want+":")
			}
			if i == 1 && len(places) > 0 && !slices.ContainsFunc(places, there) {
				t.Errorf("%q: reported at %s, want line %d\n%s", two, places, line, p.Source)
			}
			for _, place := range places {
				if !strings.HasPrefix(place, "/nbrun/cell2.go:") {
					t.Errorf("%q: reported at %s\n%s", two, place, p.Source)
				}
			}
		}
	})
}

// identifiers are the positions of a source's identifiers.
func identifiers(src string) (at [][2]int) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	s.Init(file, []byte(src), func(token.Position, string) {}, 0)
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return at
		}
		if tok == token.IDENT {
			at = append(at, [2]int{file.Offset(pos), file.Offset(pos) + len(text)})
		}
	}
}

func TestArgumentsOfTests(t *testing.T) {
	for source, want := range map[string]string{
		"%test\nfunc TestA(t *testing.T) {}\nfunc TestB(t *testing.T) {}\nfunc TestMain(m *testing.M) {}": "[-test.v -test.run=^TestA$|^TestB$]",
		"%test\nfunc BenchmarkA(b *testing.B) {}":                                                         "[-test.v -test.bench=. -test.run=^BenchmarkA$]",
		"%test": "[-test.v]",
		"%test -test.run=X\nfunc TestA(t *testing.T) {}": "[-test.run=X]",
	} {
		p, err := compose(t, source)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(p.Args); !p.Test || got != want {
			t.Errorf("%q: %s, want %s", source, got, want)
		}
	}
}

func TestRemoveAndList(t *testing.T) {
	p, err := compose(t, "import \"fmt\"\ntype T int\nfunc (t T) M() {}\nconst c = 1\nvar v = 2\nfunc f() { fmt.Println() }")
	if err != nil {
		t.Fatal(err)
	}
	m := p.After
	if got := fmt.Sprint(m.List()); got != "[{Imports [fmt]} {Constants [c]} {Types [T]} {Variables [v]} {Functions [T~M f]}]" {
		t.Errorf("%s", got)
	}
	for name, kind := range map[string]string{"fmt": "import", "T": "type", "T~M": "func", "c": "const", "v": "var", "f": "func", "none": ""} {
		without, got := m.Without(name)
		if got != kind {
			t.Errorf("remove %s: %q, want %q", name, got, kind)
		}
		if (without.Key() == m.Key()) != (kind == "") {
			t.Errorf("remove %s: the key stays, or changes without need", name)
		}
		m = without
	}
	if got := fmt.Sprint(m.List()); got != "[{Imports []} {Constants []} {Types []} {Variables []} {Functions []}]" {
		t.Errorf("after: %s", got)
	}
}

func TestAMemoryDoesNotChange(t *testing.T) {
	p, err := compose(t, "const (\nA = iota\nB\n)\nvar v = 1")
	if err != nil {
		t.Fatal(err)
	}
	without, _ := p.After.Without("A")
	without, _ = without.Without("v")
	if got := fmt.Sprint(without.List()); strings.Contains(got, "A") || strings.Contains(got, "[v]") {
		t.Errorf("nothing was removed: %s", got)
	}
	if got := fmt.Sprint(p.After.List()); !strings.Contains(got, "[A B]") || !strings.Contains(got, "[v]") {
		t.Errorf("the original has lost something: %s", got)
	}
}

func TestAMissingModuleIsSaidWithWhatToDo(t *testing.T) {
	const want = "cell 1, line 6: no module here provides package example.com/x/y: run go get example.com/x/y in the notebook's folder, after go mod init NAME if there is no go.mod"
	for _, said := range []string{
		"/nbrun/cell1.go:6:2: cannot find module providing package example.com/x/y: import lookup disabled by -mod=readonly\n",
		"/nbrun/cell1.go:6:2: no required module provides package example.com/x/y; to add it:\n\tgo get example.com/x/y\n",
	} {
		if got := CompilerFaults(said).Error(); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
	const other = "/nbrun/cell1.go:6:2: cannot find module providing package example.com/x: module lookup disabled by GOPROXY=off\n"
	if got := CompilerFaults(other).Error(); !strings.HasSuffix(got, "GOPROXY=off") {
		t.Errorf("%q is said in other words", got)
	}
}

func TestCompilerFaults(t *testing.T) {
	errs := CompilerFaults("# gonb_1/p/p12\n/nbrun/cell3.go:4:5: undefined: x\n\thave (int)\n/nbrun/cell3.go:5:6: duplicate case 1\n\t/nbrun/cell3.go:3:6[p/p12/main.go:6:6]: previous case\n/nbrun/cell3.go:7: missing return\np/p12ab/main.go:2:8: module x: not found\n\tserver says no\n")
	want := []string{"cell 3, line 4: undefined: x; have (int)", "cell 3, line 5: duplicate case 1; cell 3, line 3: previous case", "cell 3, line 7: missing return", "module x: not found; server says no"}
	var got []string
	for _, e := range errs {
		got = append(got, e.Error())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	start := time.Now()
	for _, line := range []string{"x\n", "\tx\n"} {
		faults := CompilerFaults("/nbrun/cell3.go:4:5: undefined: x\n" + strings.Repeat(line, 1<<20))
		if n := len(fmt.Sprint(faults)); n > 1<<20 {
			t.Errorf("%d bytes of faults", n)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if e := (event.Faults{}).Error(); e != "does not compile" {
		t.Errorf("no errors say %q", e)
	}
}
