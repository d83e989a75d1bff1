package yaegi

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"math"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/rt"
)

// emitter writes a program in explicit form: that of package ssa, in which each step is
// separate, in the order of the language, with a type, and with every conversion
// written out. The interpreter then sees only about thirty constructs of Go.
type emitter struct {
	*rewriter
	prog *ssa.Program
	main *ssa.Package

	decls     []string    // of structs; they stand on the first line
	begin     []beginning // of structs that contain themselves
	recursive []bool      // the structs that contain themselves
	head      []string    // other declarations that stand there
	body      strings.Builder
	line      int      // that is written next
	places    []string // of the cells, by line
	pos       token.Pos
	imports   map[string]string // names by path
	structs   []*types.Struct
	within    map[types.Type]bool
	zeros     map[string]string
	globals   map[*ssa.Global]string

	names map[*ssa.Function]string
	sites map[*ssa.Function]token.Pos // of functions that stand nowhere in the program: where it first needs them
	queue []*ssa.Function
	takes map[*ssa.Function]bool // it recovers, and takes the panic as its first parameter
	value map[*ssa.Function]bool // it is used as a value
	helps map[*ssa.Function]bool // it is a test helper, and takes the place of its call as its first parameter

	ids       typeutil.Map
	boxed     []types.Type // by ID
	described []*rt.Type
	method    map[int][]method
	ifaces    typeutil.Map
	asserted  []types.Type
	dispatch  map[string]*dispatcher
	order     []*dispatcher
	later     []placed // functions to write behind the one that is being written
	refused   map[string]bool
}

type placed struct {
	text string
	pos  token.Pos
}

type method struct {
	name string
	obj  *types.Func
	fn   *ssa.Function
}

// explicit returns the program in explicit form, and where each line came from.
func (r *rewriter) explicit(files []*ast.File) (src string, places []string, err error) {
	prog := ssa.NewProgram(r.fset, ssa.InstantiateGenerics)
	for _, p := range shared().packages {
		if _, ok := shared().sources[p]; !ok {
			prog.CreatePackage(p, nil, nil, true)
		}
	}
	for p, s := range shared().sources {
		prog.CreatePackage(p, s.files, s.info, false)
	}
	e := &emitter{
		rewriter: r, prog: prog, line: 2, places: []string{"", ""},
		imports: map[string]string{}, within: map[types.Type]bool{}, zeros: map[string]string{}, globals: map[*ssa.Global]string{},
		names: map[*ssa.Function]string{}, sites: map[*ssa.Function]token.Pos{}, takes: map[*ssa.Function]bool{}, value: map[*ssa.Function]bool{}, helps: map[*ssa.Function]bool{},
		boxed: []types.Type{nil}, described: []*rt.Type{nil}, method: map[int][]method{}, dispatch: map[string]*dispatcher{},
		refused: map[string]bool{},
	}
	defer func() {
		if p := recover(); p != nil {
			err = r.stuck(p)
		}
	}()
	e.main = prog.CreatePackage(r.pkg, files, r.info, false)
	for p := range shared().sources {
		prog.Package(p).Build()
	}
	e.main.Build()
	e.program()
	if len(r.faults) > 0 {
		sort.SliceStable(r.faults, func(i, j int) bool {
			a, b := r.faults[i], r.faults[j]
			return a.Cell < b.Cell || a.Cell == b.Cell && a.Line < b.Line
		})
		return "", nil, r.faults
	}
	return "package main; " + e.header() + "\n" + e.body.String(), e.places, nil
}

func (e *emitter) program() {
	start := []*ssa.Function{e.main.Func("init")}
	var tests []string
	if e.test {
		tests = e.tests()
	} else {
		start = append(start, e.main.Func("main"))
	}
	for _, fn := range start {
		e.function(fn)
	}
	for done := 0; ; {
		if done < len(e.queue) {
			e.writeFunction(e.queue[done])
			done++
			continue
		}
		if !e.writeDispatchers() {
			break
		}
	}
	e.pos = token.NoPos
	e.writef("func main() {")
	e.writef("defer func() { if r := recover(); r != nil { rt.Die(r) } }()")
	e.writef("rt.Types(%q)", e.descriptions())
	for id, ms := range e.method {
		for _, m := range ms {
			e.writef("rt.Method(%d, %q, %s)", id, m.name, e.lambda(m.fn))
		}
	}
	for _, call := range e.interfaces() {
		e.writef("%s", call)
	}
	if len(e.faults) == 0 {
		e.layouts()
	}
	if e.test {
		e.writef("rt.Testing()")
	}
	for _, fn := range start {
		arg := ""
		if e.takes[fn] {
			arg = e.noPanic()
		}
		e.writef("%s(%s)", e.names[fn], arg)
	}
	for _, step := range tests {
		e.writef("%s", step)
	}
	e.writef("}")
}

func (e *emitter) header() string {
	paths := make([]string, 0, len(e.imports))
	for path := range e.imports {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	parts := []string{"import rt " + strconv.Quote(rt.Path)}
	for _, path := range paths {
		parts = append(parts, "import "+e.imports[path]+" "+strconv.Quote(path))
	}
	parts = append(parts, e.decls...)
	for i, b := range e.begin {
		parts = append(parts, fmt.Sprintf("var b%d S%d", i, b.first))
	}
	parts = append(parts, e.head...)
	for form, name := range e.zeros {
		parts = append(parts, "var "+name+" "+form)
	}
	return strings.Join(parts, "; ")
}

// writef writes a line. In it, § is its number.
func (e *emitter) writef(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	e.body.WriteString(strings.ReplaceAll(text, "§", strconv.Itoa(e.line)) + "\n")
	e.line++
	place := ""
	if at := e.fset.Position(e.pos); e.pos.IsValid() && at.Filename != "" {
		place = fmt.Sprintf("%s:%d", at.Filename, at.Line)
	}
	e.places = append(e.places, place)
}

// cannot refuses the program because of what is at the place being written.
func (e *emitter) cannot(what string) { e.refuseAt(e.pos, what) }

func (e *emitter) refuseAt(pos token.Pos, what string) {
	key := fmt.Sprint(e.fset.Position(pos).Line, what)
	if !e.refused[key] {
		e.refused[key] = true
		e.fail(event.Unsupported, pos, "%s: the interpreter can't do this", what)
	}
}

// imported returns the name of a package.
func (e *emitter) imported(path string) string {
	name, ok := e.imports[path]
	if !ok {
		name = fmt.Sprintf("i%d", len(e.imports))
		e.imports[path] = name
	}
	return name
}

// zero is the name of a variable that nobody sets.
func (e *emitter) zero(t types.Type) string { return e.zeroOf(e.form(t)) }

func (e *emitter) zeroOf(form string) string {
	name, ok := e.zeros[form]
	if !ok {
		name = fmt.Sprintf("z%d", len(e.zeros))
		e.zeros[form] = name
	}
	return name
}

// constant writes a constant with its type.
func (e *emitter) constant(c *ssa.Const) string {
	b, ok := c.Type().Underlying().(*types.Basic)
	if c.Value == nil || !ok {
		if types.IsInterface(c.Type()) || c.Value == nil {
			return e.zero(c.Type())
		}
		e.cannot("a constant of type " + c.Type().String())
		return "0"
	}
	form := e.form(c.Type())
	switch v := c.Value; {
	case b.Info()&types.IsString != 0:
		return named(form, "string", strconv.Quote(constant.StringVal(v)))
	case b.Info()&types.IsBoolean != 0:
		return named(form, "bool", v.String())
	case b.Info()&types.IsInteger != 0:
		v = constant.ToInt(v)
		if i, exact := constant.Int64Val(v); exact && i == math.MinInt64 {
			return form + "(-9223372036854775807 - 1)"
		}
		return form + "(" + v.ExactString() + ")"
	case b.Info()&types.IsFloat != 0:
		f, _ := constant.Float64Val(v)
		return form + "(" + decimal(f) + ")"
	default:
		re, _ := constant.Float64Val(constant.Real(v))
		im, _ := constant.Float64Val(constant.Imag(v))
		return fmt.Sprintf("%s(complex(float64(%s), float64(%s)))", form, decimal(re), decimal(im))
	}
}

func named(form, plain, text string) string {
	if form == plain {
		return text
	}
	return form + "(" + text + ")"
}

// variable writes an operand so that the interpreter does not mistake the step for a
// constant one, which it would compute, or refuse, before the program runs.
func (e *emitter) variable(v ssa.Value, text string) string {
	if c, ok := v.(*ssa.Const); ok && basicInfo(c.Type())&(types.IsNumeric|types.IsString) != 0 {
		return "(" + e.zero(c.Type()) + " + " + text + ")"
	}
	return text
}

func decimal(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
