package nbrun_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// generateTypes writes a program of structs that contain each other at random, and
// that writes to, and reads from, all their fields.
func generateTypes(seed uint64, n int) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1<<32+uint64(n))), n: n}
	count := 1 + g.IntN(5)
	kinds := make([][]string, count)
	holders := []string{"*R", "[]R", "[]*R", "map[string]R", "map[string]*R", "chan *R", "func(int) *R", "func(R) int", "[2]*R", "map[int][]R"}
	for i := range kinds {
		fields := []string{"n int"}
		for f := range 1 + g.IntN(4) {
			to, holder := g.IntN(count), holders[min(g.IntN(2*len(holders))/2, g.IntN(len(holders)))]
			if to > i && g.IntN(3) == 0 { // by value only to later ones, so that it ends
				holder = g.pick("R", "[2]R")
			}
			field := fmt.Sprintf("f%d %s", f, strings.ReplaceAll(holder, "R", fmt.Sprintf("R%d%%N", to)))
			if holder == "R" && g.IntN(3) == 0 {
				field = fmt.Sprintf("R%d%%N", to)
			}
			if !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
		g.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		kinds[i] = fields
	}
	order := g.Perm(count)
	for _, i := range order {
		g.linef("type R%d%%N struct { %s }", i, strings.Join(kinds[i], "; "))
	}
	g.linef("func run%d() {", n)
	for _, i := range g.Perm(count) {
		g.linef("var x%d R%d%%N; fmt.Println(x%d.n)", i, i, i)
		g.linef("xs%d := make([]R%d%%N, 3); for i := range xs%d { xs%d[i].n = 10 * i + %d }", i, i, i, i, i)
	}
	for i, fields := range kinds {
		for _, field := range fields {
			name, kind, named := strings.Cut(field, " ")
			if !named {
				g.linef("x%d.%s.n = %d; fmt.Println(x%d.n, x%d.%s.n)", i, name, g.IntN(99), i, i, name)
				continue
			}
			if name == "n" {
				g.linef("x%d.n = %d", i, g.IntN(99))
				continue
			}
			digits := kind[strings.LastIndex(kind, "R")+1:]
			var to int
			_, _ = fmt.Sscanf(digits, "%d", &to)
			x := fmt.Sprintf("x%d.%s", i, name)
			switch holder := strings.Replace(strings.ReplaceAll(kind, "%N", ""), fmt.Sprint("R", to), "R", 1); holder {
			case "*R":
				g.linef("%s = &xs%d[1]; %s.n += 5; fmt.Println(%s.n, xs%d[1].n)", x, to, x, x, to)
			case "[]R":
				g.linef("%s = append(%s, xs%d...); %s[2].n += 7; fmt.Println(len(%s), %s[2].n, xs%d[2].n)", x, x, to, x, x, x, to)
			case "[]*R":
				g.linef("%s = append(%s, &xs%d[0], new(R%d%%N)); %s[0].n++; fmt.Println(%s[1].n, xs%d[0].n)", x, x, to, to, x, x, to)
			case "map[string]R":
				g.linef("%s = map[string]R%d%%N{\"a\": xs%d[2]}; fmt.Println(%s[\"a\"].n, %s[\"b\"].n, len(%s))", x, to, to, x, x, x)
			case "map[string]*R":
				g.linef("%s = map[string]*R%d%%N{\"a\": &xs%d[2]}; %s[\"a\"].n *= 2; fmt.Println(xs%d[2].n, %s[\"b\"] == nil)", x, to, to, x, to, x)
			case "chan *R":
				g.linef("%s = make(chan *R%d%%N, 2); %s <- &xs%d[0]; (<-%s).n += 3; fmt.Println(xs%d[0].n, cap(%s))", x, to, x, to, x, to, x)
			case "func(int) *R":
				g.linef("%s = func(i int) *R%d%%N { return &xs%d[i] }; %s(1).n += 2; fmt.Println(xs%d[1].n)", x, to, to, x, to)
			case "func(R) int":
				g.linef("%s = func(r R%d%%N) int { r.n++; return r.n }; fmt.Println(%s(xs%d[1]), xs%d[1].n)", x, to, x, to, to)
			case "[2]*R":
				g.linef("%s[1] = &xs%d[2]; %s[1].n--; fmt.Println(xs%d[2].n, %s[0] == nil)", x, to, x, to, x)
			case "map[int][]R":
				g.linef("%s = map[int][]R%d%%N{4: xs%d}; %s[4][1].n -= 4; fmt.Println(xs%d[1].n, len(%s[5]))", x, to, to, x, to, x)
			case "R":
				g.linef("%s = xs%d[1]; %s.n += 11; fmt.Println(%s.n, xs%d[1].n)", x, to, x, x, to)
			case "[2]R":
				g.linef("%s[1] = xs%d[1]; %s[0].n += 13; fmt.Println(%s[0].n, %s[1].n, xs%d[1].n)", x, to, x, x, x, to)
			default:
				panic(holder)
			}
		}
	}
	for i := range kinds {
		g.linef("y%d := []R%d%%N{x%d, x%d}; y%d[0].n++; p%d := &y%d[1]; p%d.n--; for _, y := range y%d { fmt.Println(y.n, x%d.n) }", i, i, i, i, i, i, i, i, i, i)
		g.linef("var e%d any = x%d; if r, ok := e%d.(R%d%%N); ok { fmt.Println(r.n) }", i, i, i, i)
	}
	g.linef("}")
	return "import \"fmt\"\n\n" + g.b.String()
}

// generator writes random programs of what cells use. All that a program declares
// ends in its number, so that many can be compiled as one.
type generator struct {
	*rand.Rand
	n     int // of the program
	b     strings.Builder
	depth int
	next  int // for names
	loops int
	ints  []string // variables in scope
	strs  []string
	list  []string // of type []int
	label string   // of the loop around, if it has one
}

// generate writes a program whose entry is the function run, with n behind its name.
func generate(seed uint64, n int) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(n))), n: n}
	g.declarations()
	for i := range 3 {
		g.function(i)
	}
	g.linef("func run%d() {", n)
	g.linef("defer func() { fmt.Println(\"end of run\") }()")
	for i := range 3 {
		g.linef("fmt.Println(f%d_%d(%d, %q))", i, n, g.IntN(9)-2, g.word())
	}
	for range 6 {
		g.feature()
	}
	if g.IntN(4) == 0 {
		g.linef("%s", g.pick(
			"panic(\"the end\")", "panic(fmt.Errorf(\"wrapped: %w\", &E%N{3}))", "panic(E%N{4})", "panic(42)", "panic(C%N(2))",
			"var m map[string]int; m[\"a\"] = 1", "var p *T%N; fmt.Println(p.A)", "s := []int{1}; i := len(os.Args) + 4; fmt.Println(s[i])",
			"var x any = \"text\"; fmt.Println(x.(int))", "var s Shape%N; fmt.Println(s.Area())", "z := len(os.Args) - len(os.Args); fmt.Println(1 / z)", "os.Exit(3)", "close((chan int)(nil))", "fmt.Println(strings.Repeat(\"x\", -len(global%N)))", "var wg sync.WaitGroup; wg.Done()", "m := map[any]int{}; m[[]int{1}] = 2", "var x, y any = T%N{}, T%N{}; fmt.Println(x == y)"))
	}
	g.linef("}")
	return "import (\"errors\"; \"fmt\"; \"os\"; \"sort\"; \"strings\"; \"sync\"; \"time\")\n\n" + g.b.String()
}

func (g *generator) linef(format string, args ...any) {
	g.b.WriteString(strings.ReplaceAll(fmt.Sprintf(format, args...), "%N", fmt.Sprint("_", g.n)) + "\n")
}

// pick chooses; %N is the number of the program.
func (g *generator) pick(choices ...string) string {
	return strings.ReplaceAll(choices[g.IntN(len(choices))], "%N", fmt.Sprint("_", g.n))
}

func (g *generator) word() string {
	return g.pick("a", "bee", "çé", "", "x y", "Zed", "0")
}

func (g *generator) name(kind string) string {
	g.next++
	return fmt.Sprint(kind, g.next)
}

func (g *generator) declarations() {
	text := `
type used%N struct { m *sync.Mutex; d time.Duration; f *os.File }
type C%N int
func (c C%N) String() string { return fmt.Sprintf("C<%d>", int(c)) }
const ( C0%N C%N = iota; C1%N; C2%N )
type T%N struct { A int; b string; C C%N; L []int; M map[string]int; P *T%N }
func (t T%N) Area() int { return t.A * PAR1 }
func (t *T%N) Grow(by int) { t.A += by; t.L = append(t.L, t.A) }
type U%N struct { T%N; Name string; F float64 }
func (u U%N) Area() int { return u.T%N.Area() + PAR2 }
type N%N string
func (n N%N) Area() int { return len(n) }
func (n N%N) Shout() string { return strings.ToUpper(string(n)) }
type Shape%N interface { Area() int }
type Grower%N interface { Shape%N; Grow(int) }
type E%N struct { Code int }
func (e E%N) Error() string { return fmt.Sprint("E ", e.Code) }
type W%N struct { Op string; Err error }
func (w *W%N) Error() string { return w.Op + ": " + w.Err.Error() }
func (w *W%N) Unwrap() error { return w.Err }
var base%N = errors.New("base")
var global%N = initial%N(PAR2)
func initial%N(n int) []int { return []int{n, n + 1, n * 2} }
func fail%N(n int) (err error) {
	defer func() { if r := recover(); r != nil { err = fmt.Errorf("recovered %v", r) } }()
	switch n % 6 {
	case 0: return nil
	case 1: return E%N{n}
	case 2: return &W%N{"op", base%N}
	case 3: return fmt.Errorf("at %d: %w", n, &W%N{"deep", E%N{n}})
	case 4: var m map[C%N]int; m[1]++
	}
	var s Shape%N
	return fmt.Errorf("area %d", s.Area())
}
func Map%N[T, V any](in []T, f func(T) V) []V { var out []V; for _, x := range in { out = append(out, f(x)) }; return out }
func Sum%N[T int | float64 | C%N](xs ...T) T { var s T; for _, x := range xs { s += x }; return s }
func Biggest%N[T int | string](first T, rest ...T) T { for _, x := range rest { first = max(first, x) }; return first }
type Stack%N[T any] struct { items []T }
func (s *Stack%N[T]) Push(x T) *Stack%N[T] { s.items = append(s.items, x); return s }
func (s *Stack%N[T]) Pop() (x T, ok bool) {
	if len(s.items) == 0 { return }
	x = s.items[len(s.items)-1]; s.items = s.items[:len(s.items)-1]
	return x, true
}
type Pair%N[K comparable, V any] struct { Key K; Val V }
func pairs%N[K comparable, V any](m map[K]V, less func(a, b K) bool) []Pair%N[K, V] {
	var ps []Pair%N[K, V]
	for k, v := range m { ps = append(ps, Pair%N[K, V]{k, v}) }
	sort.Slice(ps, func(i, j int) bool { return less(ps[i].Key, ps[j].Key) })
	return ps
}
func count%N(n int) func(func(int, string) bool) {
	return func(yield func(int, string) bool) { for i := range n { if !yield(i, strings.Repeat("*", i)) { return } } }
}
func kind%N(x any) string {
	switch v := x.(type) {
	case nil: return "nil"
	case int, int64: return fmt.Sprint("number ", v)
	case C%N: return "C " + v.String()
	case error: return "error " + v.Error()
	case []int: return fmt.Sprint("list ", len(v))
	case Grower%N: return fmt.Sprint("grower ", v.Area())
	case Shape%N: return fmt.Sprint("shape ", v.Area())
	case fmt.Stringer: return "stringer " + v.String()
	case func() int: return fmt.Sprint("func ", v())
	case map[string]int: return fmt.Sprint("map ", v)
	case *int: return fmt.Sprint("pointer ", *v)
	case struct{}: return "empty"
	}
	return fmt.Sprintf("other %T", x)
}
`
	text = strings.ReplaceAll(text, "PAR1", fmt.Sprint(1+g.IntN(5)))
	text = strings.ReplaceAll(text, "PAR2", fmt.Sprint(g.IntN(7)))
	g.b.WriteString(strings.ReplaceAll(text, "%N", fmt.Sprint("_", g.n)))
}

// function writes a function that computes with numbers and strings.
func (g *generator) function(i int) {
	g.ints, g.strs, g.list = []string{"a"}, []string{"s"}, []string{"l"}
	g.linef("func f%d%%N(a int, s string) (out string) {", i)
	g.linef("l := []int{%d, a, %d, len(s)}", g.IntN(9), -g.IntN(9))
	if g.IntN(2) == 0 {
		g.linef("defer func() { if r := recover(); r != nil { out += fmt.Sprint(\" recovered: \", r) } }()")
	}
	if g.IntN(2) == 0 {
		g.linef("for i := range 3 { defer func(j int) { out += fmt.Sprint(i, j) }(i * a) }")
	}
	g.block(5)
	g.linef("return fmt.Sprint(a, s, l, out)")
	g.linef("}")
}

// block writes statements. What they declare is gone after it.
func (g *generator) block(n int) {
	ints, strs, list, label := g.ints, g.strs, g.list, g.label
	g.depth++
	for range n {
		g.statement()
	}
	g.depth--
	g.ints, g.strs, g.list, g.label = ints, strs, list, label
}

func (g *generator) one(of []string) string { return of[g.IntN(len(of))] }

func (g *generator) statement() {
	if g.depth > 3 {
		g.linef("%s += %s", g.one(g.ints), g.int(1))
		return
	}
	switch g.IntN(16) {
	case 0:
		v := g.name("v")
		g.linef("%s := %s; _ = %s", v, g.int(3), v)
		g.ints = append(g.ints, v)
	case 1:
		v := g.name("w")
		g.linef("var %s string = %s; _ = %s", v, g.str(2), v)
		g.strs = append(g.strs, v)
	case 2:
		g.linef("%s %s %s", g.one(g.ints), g.pick("=", "+=", "-=", "^=", "|=", "&="), g.int(3))
	case 3:
		g.linef("%s = %s", g.one(g.strs), g.str(2))
		g.linef("if len(%s) > 40 { %s = %s[:7] }", g.strs[0], g.strs[0], g.strs[0])
	case 4:
		g.linef("if %s {", g.bool())
		g.block(2)
		g.linef("} else {")
		g.block(2)
		g.linef("}")
	case 5:
		g.loop()
	case 6:
		g.linef("switch x := %s; {", g.int(2))
		g.linef("case x > %d:", g.IntN(5))
		g.block(1)
		if g.IntN(2) == 0 {
			g.linef("fallthrough")
		}
		g.linef("case x %% 2 == 0:")
		g.block(1)
		g.linef("default:")
		g.block(1)
		g.linef("}")
	case 7:
		g.linef("%s, %s = %s, %s", g.ints[0], g.one(g.ints[len(g.ints)/2:])+g.pick("", ""), g.int(2), g.int(2))
	case 8:
		l := g.one(g.list)
		g.linef("if len(%s) < 12 { %s = append(%s, %s) }", l, l, l, g.int(2))
	case 9:
		l, v := g.one(g.list), g.name("l")
		g.linef("%s := append([]int(nil), %s...); %s = %s[min(%d, len(%s)):]", v, l, v, v, g.IntN(4), v)
		g.list = append(g.list, v)
	case 10:
		v := g.name("fn")
		g.linef("%s := func(d int) int { %s += d; return %s }", v, g.one(g.ints), g.int(2))
		g.linef("%s = %s(%d) + %s(%s)", g.one(g.ints), v, g.IntN(5), v, g.int(1))
	case 11:
		g.linef("out += fmt.Sprint(%s, \"-\", %s)", g.int(2), g.str(1))
		g.linef("if len(out) > 60 { out = out[len(out)-20:] }")
	case 12:
		l := g.one(g.list)
		g.linef("if i := %s; i >= 0 && i < len(%s) { %s[i], %s = %s, %s[i] }", g.int(1), l, l, g.one(g.ints), g.int(2), l)
	case 13:
		g.linef("for i, r := range %s { %s += i * int(r %% 7) }", g.str(1), g.one(g.ints))
	case 14:
		g.linef("%s = %s[(%s&1023) %% (len(%s) + %d)]", g.one(g.ints), g.list[0], g.int(1), g.list[0], g.IntN(2))
	default:
		g.linef("%s %s %s", g.one(g.ints), g.pick("/=", "%=", ">>=", "="), g.pick("3", "5", "7", "uint8(2)")+"")
		g.fix()
	}
}

// fix undoes an assignment of another type.
func (g *generator) fix() {
	s := g.b.String()
	i := strings.LastIndex(strings.TrimSuffix(s, "\n"), "\n") + 1
	last := s[i:]
	if strings.Contains(last, "uint8") && !strings.Contains(last, ">>=") {
		last = strings.ReplaceAll(last, "uint8(2)", "2")
	}
	g.b.Reset()
	g.b.WriteString(s[:i] + last)
}

func (g *generator) loop() {
	g.loops++
	label := fmt.Sprintf("loop%d", g.loops)
	i := g.name("i")
	old := g.ints
	g.linef("%s:", label)
	switch g.IntN(4) {
	case 0:
		g.linef("for %s, n := 0, 0; n < %d; %s, n = %s+1, n+1 {", i, 2+g.IntN(3), i, i)
	case 1:
		g.linef("for %s := range %d {", i, 2+g.IntN(3))
	case 2:
		g.linef("for _, %s := range %s {", i, g.one(g.list)+"[:2:2]")
		old = g.ints
	default:
		g.linef("for %s := range count%%N(%d) {", i, 1+g.IntN(3))
	}
	g.ints = append(append([]string(nil), g.ints...), i)
	inner := g.IntN(2) == 0
	if inner {
		g.linef("for range 2 {")
	}
	g.block(2)
	g.linef("if %s { %s %s }", g.bool(), g.pick("break", "continue"), label)
	if inner {
		g.linef("}")
	}
	g.linef("if %s == %d { continue %s }", i, g.IntN(4), label)
	g.linef("}")
	g.ints = old
}

func (g *generator) int(depth int) string {
	if depth == 0 {
		return fmt.Sprint(g.IntN(20) - 5)
	}
	switch g.IntN(9) {
	case 0:
		return fmt.Sprint(g.IntN(100) - 20)
	case 1, 2:
		return g.one(g.ints)
	case 3:
		return "len(" + g.str(depth-1) + ")"
	case 4:
		return fmt.Sprintf("(%s %s %s)", g.int(depth-1), g.pick("+", "-", "*", "&", "|", "^", "&^"), g.int(depth-1))
	case 5:
		return fmt.Sprintf("int(%s(%s & 0xfff))", g.pick("int8", "uint8", "int16", "uint32", "C%N", "float64", "float32"), g.one(g.ints))
	case 6:
		return fmt.Sprintf("%s(%s, %s)", g.pick("min", "max", "Sum%N", "Biggest%N"), g.one(g.ints), g.int(depth-1))
	case 7:
		return fmt.Sprintf("(T%%N{A: %s}).Area()", g.int(depth-1))
	default:
		return fmt.Sprintf("(%s << (uint(%s) %% 9))", g.one(g.ints), g.one(g.ints))
	}
}

func (g *generator) str(depth int) string {
	if depth == 0 {
		return fmt.Sprintf("%q", g.word())
	}
	switch g.IntN(6) {
	case 0:
		return fmt.Sprintf("%q", g.word())
	case 1, 2:
		return g.one(g.strs)
	case 3:
		return fmt.Sprintf("(%s + %s)", g.one(g.strs), g.str(depth-1))
	case 4:
		return fmt.Sprintf("fmt.Sprintf(%q, %s)", g.pick("%d", "%x", "%v|", "%03d", "%T"), g.int(depth-1))
	default:
		return fmt.Sprintf("N%%N(%s).Shout()", g.str(depth-1))
	}
}

func (g *generator) bool() string {
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("%s %s %s", g.int(2), g.pick("<", ">", "==", "!=", "<=", ">="), g.int(2))
	case 1:
		return fmt.Sprintf("%s %s %s", g.one(g.strs), g.pick("<", "==", "!="), g.str(1))
	case 2:
		return fmt.Sprintf("(%s > 3 && %s < 9)", g.one(g.ints), g.int(1))
	default:
		return fmt.Sprintf("!(%s == 2 || len(%s) > 2)", g.one(g.ints), g.one(g.list))
	}
}

// feature writes, into run, what shows one thing that cells use.
func (g *generator) feature() {
	k := g.IntN(10)
	g.linef("%s", strings.ReplaceAll(g.pick(features...), "$", fmt.Sprint(k)))
}

var features = []string{
	`for _, x := range []any{nil, $, int64($), C1%N, E%N{$}, []int{1, $}, &T%N{A: $}, T%N{A: 2}, U%N{}, N%N("abc"), time.Duration($), func() int { return $ }, map[string]int{"k": $}, struct{}{}, 1.5, "s", [2]int{}, C%N.String} { fmt.Println(kind%N(x)) }`,
	`for i := range 7 { err := fail%N(i); var e E%N; var w *W%N; fmt.Println(err, err == nil, errors.Is(err, base%N), errors.As(err, &e), e.Code, errors.As(err, &w), w != nil) }`,
	`{ t := T%N{A: $, b: "b", C: C2%N, L: []int{1}, M: map[string]int{"z": 1, "a": 2}}; u := t; u.L = append(u.L, 5); u.Grow($); fmt.Println(t, u); fmt.Printf("%v %+v\n%T %d %s\n", t, u, u, t.A, t.C) }`,
	`{ u := &U%N{T%N{A: $}, "n", 0.5}; u.Grow(2); var g Grower%N = u; g.Grow(1); f := u.Area; u.A = 100; fmt.Println(g.Area(), f(), U%N.Area(*u), (*T%N).Area(&u.T%N), u.L); fmt.Printf("%#v\n", T%N{A: $}) }`,
	`{ shapes := []Shape%N{T%N{A: 3}, N%N("four"), &U%N{Name: "x"}}; sort.Slice(shapes, func(i, j int) bool { return shapes[i].Area() > shapes[j].Area() }); for i, s := range shapes { _, grows := s.(Grower%N); fmt.Println(i, s.Area(), grows) } }`,
	`{ m := map[any]string{1: "int", "1": "string", C1%N: "C", 1.0: "float", E%N{1}: "E", [1]int{1}: "array"}; fmt.Println(m[1], m["1"], m[C%N(1)], m[1.0], m[E%N{1}], m[[1]int{1}], m[C2%N] == "", len(m)) }`,
	`{ var fs []func() int; for i := 0; i < 3; i++ { fs = append(fs, func() int { i += $; return i }) }; for _, f := range fs { fmt.Print(f(), f(), " ") }; fmt.Println() }`,
	`func() { defer fmt.Println("deferred 1"); x := $; defer fmt.Println("deferred x", x); x = 99; for i := range 3 { defer func() { fmt.Print("d", i, x, " ") }() }; defer func() { r := recover(); fmt.Println("got", r); if e, ok := r.(error); ok { fmt.Println("error", e) } }(); var a []int; _ = a[x] }()`,
	`func() { defer func() { fmt.Println(recover()) }(); defer func() { defer func() { fmt.Println("inner", recover()) }(); panic("second") }(); panic(fmt.Sprint("first ", $)) }()`,
	`{ ch := make(chan T%N, 2); done := make(chan struct{}); go func() { defer close(done); for t := range ch { fmt.Println("got", t.A, t.b) } }(); for i := range 3 { ch <- T%N{A: i * $, b: "x"} }; close(ch); <-done }`,
	`{ var wg sync.WaitGroup; var mu sync.Mutex; sum := 0; for i := range 8 { wg.Add(1); go func(k int) { defer wg.Done(); mu.Lock(); defer mu.Unlock(); sum += i * k }($) }; wg.Wait(); fmt.Println("sum", sum) }`,
	`func() { a, b := make(chan int), make(chan string, 1); go func() { for i := range 3 { a <- i }; close(a) }(); n := 0
loop:
	for { select { case v, ok := <-a: if !ok { break loop }; n += v; case b <- "once": n += 10; case <-time.After(time.Minute): fmt.Println("late") } }
	fmt.Println(n, <-b) }()`,
	`{ select { case <-make(chan int): fmt.Println("never"); default: fmt.Println("default") }; var nilch chan int; select { case nilch <- 1: default: fmt.Println("nil channel") } }`,
	`{ s := (&Stack%N[string]{}).Push("a").Push("b"); x, ok := s.Pop(); fmt.Println(x, ok, len(s.items)); c := &Stack%N[C%N]{}; y, ok := c.Push(C2%N).Pop(); fmt.Println(y, ok); y, ok = c.Pop(); fmt.Println(y, ok); fmt.Printf("%T %T\n", c, *s) }`,
	`fmt.Println(pairs%N(map[string]int{"b": 2, "a": $}, func(a, b string) bool { return a < b }), pairs%N(map[C%N]bool{2: true, 1: false}, func(a, b C%N) bool { return a < b }))`,
	`fmt.Println(Map%N([]int{1, 2, $}, func(i int) C%N { return C%N(i) }), Map%N([]string{"a", "bb"}, func(s string) Shape%N { return N%N(s) }), Sum%N(1.5, 2), Sum%N(C1%N, C2%N), Sum%N[int]())`,
	`{ n := 0; for i, s := range count%N(9) { if i == 2 { continue }; if n += len(s); i == $ { break } }; fmt.Println(n) }`,
	`{ x := []int{1, 2, 3}; i := 0; i, x[i] = 2, 100; x[0], x[1], x[2] = x[2], x[0], x[1]; y := x[:1]; y = append(y, 77); fmt.Println(i, x, y, len(y), cap(y)) ; arr := [3]int{1, 2, 3}; brr := arr; brr[0] = $; p := &arr; p[1] = 9; for i, v := range arr { arr[2] = 50; fmt.Print(i, v, " ") }; fmt.Println(arr == brr, arr, brr, *p) }`,
	`{ type point struct{ x, y int }; seen := map[point][]string{}; seen[point{1, $}] = append(seen[point{1, $}], "a", "b"); v, ok := seen[point{2, 2}]; fmt.Println(seen, v == nil, ok, len(seen[point{1, $}])); delete(seen, point{1, $}); fmt.Println(len(seen)); fmt.Printf("%+v %T\n", point{3, 4}, point{}) }`,
	`{ var e error; var p *W%N; fmt.Println(e == nil, p == nil); e = p; fmt.Println(e == nil, e != nil); e = nil; fmt.Println(e == nil); var s Shape%N = T%N{A: 1}; _, ok := s.(interface{ Grow(int) }); fmt.Println(ok) }`,
	`{ b := []byte("héllo"); r := []rune("héllo"); b[0] = 'H'; fmt.Println(string(b), len(b), len(r), string(r[1]), string(r[1:3]), strings.Contains(string(b), "é"), b[1:3]); fmt.Printf("%q %x %v %s\n", b, b, r[:2], b[:1]) }`,
	`{ var i8 int8 = 127; i8++; var u8 uint8; u8--; u := uint32(1)<<31 + $; fmt.Println(i8, u8, u*2, -7/2, -7%3, 7&^5, 1<<$, ^$, float32(0.1), 0.1+0.2, 1e100, 3/2.0) }`,
	`{ x := $; p := &x; pp := &p; **pp += 5; f := func(q *int) { *q *= 2 }; f(p); s := []*int{p, new(int)}; *s[1] = x; for _, q := range s { *q++ }; fmt.Println(x, *s[0], *s[1], p == s[0]) }`,
	`{ defer func() { fmt.Println("after", recover()) }(); var sh any = N%N("q"); fmt.Println(sh.(Shape%N).Area()); fmt.Println(sh.(Grower%N)) }`,
	`{ fmt.Print(C1%N, C2%N, "x", E%N{1}, 5, 6, N%N("n"), N%N("m"), "\n"); fmt.Printf("%5d|%-5v|%x|%q|%v|%d\n", C%N(3), C%N(3), N%N("hi"), N%N("hi"), &E%N{2}, []C%N{1}) }`,
	`func() { i := 0
again:
	i++; if i < $ { goto again }; fmt.Println("goto", i); switch { case i > 3: fmt.Println("big"); fallthrough; case i > 100: fmt.Println("fell"); default: fmt.Println("small") } }()`,
	`{ var once sync.Once; for range 3 { once.Do(func() { fmt.Println("once") }) }; t := time.Duration(1500) * time.Millisecond; fmt.Println(t, t.Seconds()); fmt.Println(strings.Fields(" a b "), strings.Repeat("ab", 2), strings.Split("a,b", ",")) }`,
	`{ h := struct { sync.Mutex; T%N; n int }{n: $}; h.Lock(); h.n++; h.Grow(3); h.Unlock(); fmt.Println(h.n, h.Area(), h.L); g := global%N; g[0]++; fmt.Println(global%N, len(g)) }`,
}
