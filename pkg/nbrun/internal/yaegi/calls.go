package yaegi

import (
	"fmt"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// dispatcher is a function that calls a method of whatever type is in an interface.
type dispatcher struct {
	name   string
	method *types.Func
}

func (e *emitter) dispatcher(m *types.Func) string {
	key := m.Id() + e.signature(m.Signature())
	d, ok := e.dispatch[key]
	if !ok {
		d = &dispatcher{fmt.Sprintf("x%d_%s", len(e.order), m.Name()), m}
		e.dispatch[key] = d
		e.order = append(e.order, d)
	}
	return d.name
}

// writeDispatchers writes them when all types are known.
func (e *emitter) writeDispatchers() bool {
	for _, d := range e.order {
		sig := d.method.Signature()
		e.pos = d.method.Pos()
		var decl, names []string
		for i, form := range e.tuple(sig.Params()) {
			decl = append(decl, fmt.Sprintf("p%d %s", i, form))
			names = append(names, fmt.Sprint("p", i))
		}
		e.writef("func %s(%s)%s {", d.name, strings.Join(append([]string{"x any"}, decl...), ", "), e.results(sig))
		e.writef("id := rt.ID(x); var w any; _ = w")
		for id := 1; id < len(e.boxed); id++ {
			for _, m := range e.method[id] {
				if m.obj.Id() != d.method.Id() || e.signature(m.obj.Signature()) != e.signature(sig) {
					continue
				}
				args := []string{"v"}
				value := fmt.Sprintf("w = rt.Value(x); var v %s; v = w.(%s)", e.form(e.boxed[id]), e.form(e.boxed[id]))
				if e.form(e.boxed[id]) == "any" {
					value = "v := rt.Value(x)"
				}
				if e.takes[m.fn] {
					args = append([]string{e.noPanic()}, args...)
				}
				call := fmt.Sprintf("%s(%s)", e.function(m.fn), strings.Join(append(args, names...), ", "))
				if sig.Results().Len() == 0 {
					e.writef("if id == %d { %s; %s; return }", id, value, call)
				} else {
					e.writef("if id == %d { %s; return %s }", id, value, call)
				}
			}
		}
		e.writef("rs := rt.Call(x, %q, []any{%s})", d.method.Name(), strings.Join(names, ", "))
		e.writef("_ = rs")
		var results []string
		for i, form := range e.tuple(sig.Results()) {
			e.writef("var r%d %s", i, form)
			if form == "any" {
				e.writef("r%d = rs[%d]", i, i)
			} else {
				e.writef("if rs[%d] != nil { r%d = rs[%d].(%s) }", i, i, i, form)
			}
			results = append(results, fmt.Sprint("r", i))
		}
		e.writef("return %s", strings.Join(results, ", "))
		e.writef("}")
	}
	return false
}

// operands are the values that a call needs.
func operands(c *ssa.CallCommon) []ssa.Value {
	if c.IsInvoke() {
		return append([]ssa.Value{c.Value}, c.Args...)
	}
	switch c.Value.(type) {
	case *ssa.Function, *ssa.Builtin:
		return c.Args
	}
	return append([]ssa.Value{c.Value}, c.Args...)
}

// call writes a call with these operands. A function that recovers gets p.
func (w *writer) call(c *ssa.CallCommon, args []string, p string) string {
	if c.IsInvoke() {
		if text, ok := w.testMethod(c.Method, args, w.testPlace()); ok {
			return text
		}
		if w.compiled(c.Value.Type()) {
			spread := ""
			if c.Signature().Variadic() {
				spread = "..."
			}
			return fmt.Sprintf("%s.%s(%s%s)", args[0], c.Method.Name(), strings.Join(args[1:], ", "), spread)
		}
		return fmt.Sprintf("%s(%s)", w.dispatcher(c.Method), strings.Join(args, ", "))
	}
	switch f := c.Value.(type) {
	case *ssa.Builtin:
		return w.builtin(f, c, args)
	case *ssa.Function:
		if f.Blocks == nil {
			if obj, ok := f.Object().(*types.Func); ok {
				if text, ok := w.testMethod(obj, args, w.testPlace()); ok {
					return text
				}
			}
			return w.compiledCall(f, args, c.Args)
		}
		name := w.function(f)
		if w.takes[f] {
			args = append([]string{p}, args...)
		}
		if w.helps[f] {
			args = append([]string{w.testPlace()}, args...)
		}
		return fmt.Sprintf("%s(%s)", name, strings.Join(args, ", "))
	}
	return fmt.Sprintf("%s(%s)", args[0], strings.Join(args[1:], ", "))
}

func (w *writer) callStep(v *ssa.Call) {
	c := &v.Call
	if fn, ok := c.Value.(*ssa.Function); ok && fn.Pkg != w.main && fn.Object() == nil && fn.Name() == "init" {
		return // of another package: it is compiled, or has nothing to do
	}
	w.ready(c)
	if _, ok := c.Value.(*ssa.Builtin); ok && !w.mayPanic(c) && w.builtinStep(v) {
		return
	}
	text := ""
	if fn, ok := c.Value.(*ssa.Function); ok && fn.String() == "errors.As" {
		text = w.errorsAs(c)
	} else if w.mayPanic(c) {
		text = w.apart(c)
	} else {
		text = w.call(c, w.vals(operands(c)), w.noPanic())
	}
	switch t := v.Type().(type) {
	case *types.Tuple:
		if t.Len() == 0 {
			w.writef("%s", text)
			return
		}
		var names []string
		for i := range t.Len() {
			names = append(names, fmt.Sprintf("%s_%d", v.Name(), i))
		}
		w.writef("%s = %s", strings.Join(names, ", "), text)
	default:
		w.writef("%s = %s", v.Name(), text)
	}
}

// errorsAs writes a call of errors.As, which can't know what a target of the
// program's types points to.
func (w *writer) errorsAs(c *ssa.CallCommon) string {
	made, ok := c.Args[1].(*ssa.MakeInterface)
	if ok && w.id(made.X.Type()) == 0 {
		return w.call(c, w.vals(operands(c)), w.noPanic())
	}
	pointer, isPointer := (*types.Pointer)(nil), false
	if ok {
		pointer, isPointer = made.X.Type().Underlying().(*types.Pointer)
	}
	if !isPointer {
		w.cannot("errors.As with a target that is not a pointer")
		return "false"
	}
	name := fmt.Sprintf("as%d", w.line)
	form := w.form(pointer.Elem())
	test, value := "", "rt.Value(x)"
	if types.IsInterface(pointer.Elem()) {
		k := w.iface(pointer.Elem())
		test, value = fmt.Sprintf("rt.Implements(x, %d)", k), fmt.Sprintf("rt.Assert(x, %d)", k)
	} else {
		test = fmt.Sprintf("rt.ID(x) == %d", w.id(pointer.Elem()))
	}
	set := "v.(" + form + ")"
	if form == "any" {
		set = "v"
	}
	w.behind(fmt.Sprintf("func %s(err error, p *%s) bool { for _, x := range rt.Chain(err) { if %s { var v any; v = %s; *p = %s; return true } }; return false }", name, form, test, value, set))
	return fmt.Sprintf("%s(%s, %s)", name, w.val(c.Args[0]), w.val(made.X))
}

// steady are the packages whose functions panic only where steadyBut says so.
var steady = map[string]bool{
	"fmt": true, "strconv": true, "errors": true, "math": true, "os": true, "time": true, "unicode": true, "unicode/utf8": true,
	"io": true, "bufio": true, "strings": true, "bytes": true, "sync": true, "context": true, "sync/atomic": true, "sort": true,
}

var steadyBut = map[string]bool{
	"strings.Repeat": true, "bytes.Repeat": true, "time.NewTicker": true, "(*time.Ticker).Reset": true,
	"(*sync.WaitGroup).Add": true, "(*sync.WaitGroup).Done": true, "(*bytes.Buffer).Grow": true, "(*strings.Builder).Grow": true,
}

// mayPanic reports whether compiled code may panic in a call.
func (w *writer) mayPanic(c *ssa.CallCommon) bool {
	if fn := callee(c); fn != nil && (isTestLog(fn) || isTestMethod(fn) && fn.Name() == "Helper") {
		return false
	}
	switch f := c.Value.(type) {
	case *ssa.Builtin:
		return f.Name() == "close"
	case *ssa.Function:
		if f.Blocks != nil || f.Object() == nil || f.Object().Pkg() == nil {
			return false
		}
		return !steady[f.Object().Pkg().Path()] || steadyBut[f.String()]
	}
	return false
}

// apart writes a call of compiled code as a function of its own, because the
// interpreter reports a panic there by function only.
func (w *writer) apart(c *ssa.CallCommon) string {
	vs := operands(c)
	name := fmt.Sprintf("call%d", w.line)
	var decl, names []string
	for i, v := range vs {
		decl = append(decl, fmt.Sprintf("a%d %s", i, w.form(v.Type())))
		names = append(names, fmt.Sprint("a", i))
	}
	ret := ""
	if c.Signature().Results().Len() > 0 {
		ret = "return "
	}
	text := w.call(c, names, w.noPanic())
	w.behind(fmt.Sprintf("func %s(%s)%s { %s%s }", name, strings.Join(decl, ", "), w.results(c.Signature()), ret, text))
	return fmt.Sprintf("%s(%s)", name, strings.Join(w.vals(vs), ", "))
}

// ready writes the checks before a call.
func (w *writer) ready(c *ssa.CallCommon) {
	switch c.Value.(type) {
	case *ssa.Builtin, *ssa.Function, *ssa.MakeClosure:
		return
	}
	w.notNil(c.Value)
}

// refusedFunctions are those that show how a program is compiled, or run.
var refusedFunctions = map[string]bool{
	"runtime.Caller": true, "runtime.Callers": true, "runtime.CallersFrames": true, "runtime.FuncForPC": true, "runtime.Stack": true,
	"runtime.SetFinalizer": true, "runtime.AddCleanup": true, "runtime.ReadMemStats": true,
	"runtime/debug.Stack": true, "runtime/debug.PrintStack": true, "runtime/debug.SetPanicOnFault": true, "runtime/debug.ReadBuildInfo": true,
	"runtime/debug.SetMaxStack": true, "testing.AllocsPerRun": true,
}

// knows are the packages that can handle values of the program's types.
var knows = map[string]bool{
	"fmt": true, "log": true, "errors": true, "context": true, "sync": true, "sync/atomic": true,
	"container/list": true, "container/ring": true, "container/heap": true, "io": true, "os": true, "bufio": true, "testing": true,
}

// lessons are the packages of this module, which do nothing with such values but
// print them.
const lessons = "github.com/b3771e63/prodcons/pkg/prodcons"

// compiledCall writes a call of a compiled function or method. The values are those of
// the arguments, where they are known.
func (e *emitter) compiledCall(fn *ssa.Function, args []string, values []ssa.Value) string {
	obj, ok := fn.Object().(*types.Func)
	if !ok || obj.Pkg() == nil {
		e.cannot("the function " + fn.String())
		return "nil"
	}
	sig := obj.Signature()
	path := obj.Pkg().Path()
	if refusedFunctions[path+"."+obj.Name()] && sig.Recv() == nil {
		e.cannot(path + "." + obj.Name())
	}
	if sig.Variadic() {
		args[len(args)-1] += "..."
	}
	first := 0
	if sig.Recv() != nil {
		first = 1
	}
	for i := range sig.Params().Len() {
		if first+i < len(values) {
			args[first+i] = e.passed(obj, sig.Params().At(i).Type(), values[first+i], args[first+i])
		}
	}
	if text, ok := e.testMethod(obj, args, ""); ok {
		return text
	}
	if sig.Recv() != nil && isFile(sig.Recv().Type()) && fileWrites[obj.Name()] {
		return fmt.Sprintf("rt.File%s(%s)", obj.Name(), strings.Join(args, ", "))
	}
	if sig.Recv() != nil {
		return fmt.Sprintf("%s.%s(%s)", args[0], obj.Name(), strings.Join(args[1:], ", "))
	}
	if path == "errors" && obj.Name() == "As" && (values == nil || foreignTarget(e, values[1])) {
		e.cannot("errors.As that is deferred or passed on")
	}
	if path == "fmt" || path == "log" {
		e.formatted(obj.Name(), args)
	}
	return fmt.Sprintf("%s.%s(%s)", e.imported(path), obj.Name(), strings.Join(args, ", "))
}

// fileWrites are the methods of files that write to a stream.
var fileWrites = map[string]bool{"Write": true, "WriteString": true, "ReadFrom": true}

func foreignTarget(e *emitter, v ssa.Value) bool {
	made, ok := v.(*ssa.MakeInterface)
	return !ok || e.id(made.X.Type()) > 0
}

// formatted leaves printing to rt.
func (e *emitter) formatted(name string, args []string) {
	last := len(args) - 1
	switch {
	case strings.HasSuffix(name, "f") && last > 0 && strings.HasSuffix(args[last], "..."):
		if format := args[last-1]; !strings.HasPrefix(format, `"`) || strings.Contains(format, "T") {
			args[last-1] = fmt.Sprintf("rt.Format(%s, %s)", format, strings.TrimSuffix(args[last], "..."))
		}
	case name == "Print" || name == "Sprint" || name == "Fprint" || name == "Fatal" || name == "Panic":
		args[last] = fmt.Sprintf("rt.Operands(%s)...", strings.TrimSuffix(args[last], "..."))
	}
}

// passed writes an argument of a compiled function, which must see what it would see in
// Go.
func (e *emitter) passed(fn *types.Func, param types.Type, v ssa.Value, text string) string {
	if sig, ok := v.Type().Underlying().(*types.Signature); ok && !e.same(sig) {
		e.cannot("a function with parameters of the program's types, passed to " + fn.Pkg().Name() + "." + fn.Name())
	}
	if fn.Pkg().Path() == "sort" && strings.HasPrefix(fn.Name(), "Slice") {
		if made, ok := v.(*ssa.MakeInterface); ok {
			return e.raw(made, text)
		}
	}
	switch p, _ := param.Underlying().(*types.Signature); {
	case p == nil || p.Params().Len() != 1:
	case isTesting(p.Params().At(0).Type(), "T"):
		return "rt.OfT(" + text + ")"
	case isTesting(p.Params().At(0).Type(), "B"):
		return "rt.OfB(" + text + ")"
	}
	if knows[fn.Pkg().Path()] || strings.HasPrefix(fn.Pkg().Path(), lessons) {
		return text
	}
	if fn.Pkg().Path() == "encoding/json" && (fn.Name() == "Marshal" || fn.Name() == "MarshalIndent" || fn.Name() == "Encode") && types.IsInterface(param) {
		return "rt.Native(" + text + ")"
	}
	if slice, ok := param.(*types.Slice); ok {
		param = slice.Elem()
	}
	if i, ok := param.Underlying().(*types.Interface); !ok || !i.Empty() {
		return text
	}
	if t := e.foreign(v, 0); t != "" {
		e.cannot("passing " + t + " to " + fn.Pkg().Name() + "." + fn.Name())
	}
	return text
}

// raw is what is in an interface, as it was before.
func (e *emitter) raw(made *ssa.MakeInterface, text string) string {
	if e.id(made.X.Type()) > 0 {
		return "rt.Value(" + text + ")"
	}
	return text
}

// foreign returns what of the program may be in a value, "" if nothing is.
func (e *emitter) foreign(v ssa.Value, depth int) string {
	switch v := v.(type) {
	case *ssa.Const:
		return ""
	case *ssa.MakeInterface:
		if e.id(v.X.Type()) > 0 {
			return "a " + e.reflected(v.X.Type())
		}
		return ""
	case *ssa.ChangeInterface:
		return e.foreign(v.X, depth+1)
	case *ssa.Slice:
		if alloc, ok := v.X.(*ssa.Alloc); ok && depth < 3 {
			for _, user := range *alloc.Referrers() {
				addr, ok := user.(*ssa.IndexAddr)
				if !ok {
					continue
				}
				for _, store := range *addr.Referrers() {
					if s, ok := store.(*ssa.Store); ok && s.Addr == addr {
						if t := e.foreign(s.Val, depth+1); t != "" {
							return t
						}
					}
				}
			}
			return ""
		}
	}
	if types.IsInterface(v.Type()) || strings.HasSuffix(e.form(v.Type()), "any") {
		return "an interface value"
	}
	return ""
}

// callee is the function or method that is called, if it is known.
func callee(c *ssa.CallCommon) *types.Func {
	if c.IsInvoke() {
		return c.Method
	}
	if fn := c.StaticCallee(); fn != nil {
		obj, _ := fn.Object().(*types.Func)
		return obj
	}
	return nil
}

// generator writes, behind the function, one that makes a function of no parameters
// that does a call, so that the operands are evaluated now.
func (w *writer) generator(c *ssa.CallCommon, kind, result, before, after string) {
	if fn := c.StaticCallee(); fn != nil && isHelper(fn) {
		w.cannot("a test helper in a defer or go statement")
	}
	if fn := callee(c); fn != nil && isTestLog(fn) {
		w.cannot("the method " + fn.Name() + " of package testing in a " + map[string]string{"defer": "defer", "spawn": "go"}[kind] + " statement")
	}
	vs := operands(c)
	call := c
	if mk, ok := c.Value.(*ssa.MakeClosure); ok && w.recovers(mk.Fn.(*ssa.Function)) {
		vs = append(append([]ssa.Value{}, mk.Bindings...), c.Args...)
		call = &ssa.CallCommon{Value: mk.Fn, Args: vs}
	}
	name := fmt.Sprintf("%s%d", kind, w.line)
	var decl, names []string
	for i, v := range vs {
		decl = append(decl, fmt.Sprintf("a%d %s", i, w.form(v.Type())))
		names = append(names, fmt.Sprint("a", i))
	}
	p := w.noPanic()
	if kind == "defer" {
		p = "p"
	}
	text := w.call(call, append([]string(nil), names...), p)
	check := ""
	switch call.Value.(type) {
	case *ssa.Builtin, *ssa.Function, *ssa.MakeClosure:
	default:
		check = "if a0 == nil { rt.Nil(§) }; "
	}
	if n := call.Signature().Results().Len(); n > 0 {
		if b, ok := call.Value.(*ssa.Builtin); !ok || b.Name() == "recover" {
			text = strings.Repeat("_, ", n-1) + "_ = " + text
		}
	}
	w.behind(fmt.Sprintf("func %s(%s)%s { %s%s%s%s }", name, strings.Join(decl, ", "), result, before, check, text, after))
	made := fmt.Sprintf("%s(%s)", name, strings.Join(w.vals(vs), ", "))
	if kind == "defer" {
		made = fmt.Sprintf("d.fs = append(d.fs, %s)", made)
	}
	w.writef("%s", made)
}

// recovers looks at a closure before it is written.
func (w *writer) recovers(fn *ssa.Function) bool {
	w.function(fn)
	return w.takes[fn]
}

func (w *writer) spawn(c *ssa.CallCommon) {
	w.generator(c, "spawn", "", "go func() { defer func() { if r := recover(); r != nil { rt.Die(r) } }(); ", " }()")
}

func (w *writer) deferCall(d *ssa.Defer) {
	if d.DeferStack != nil {
		w.cannot("defer in a range over a function")
		return
	}
	if b, ok := d.Call.Value.(*ssa.Builtin); ok && b.Name() == "recover" {
		w.cannot("recover that is itself deferred")
		return
	}
	w.generator(&d.Call, "defer", " func(*rt.P)", "return func(p *rt.P) { ", " }")
}

// builtinStep writes the builtins that are more than a call.
func (w *writer) builtinStep(v *ssa.Call) bool {
	args := w.vals(v.Call.Args)
	b := v.Call.Value.(*ssa.Builtin)
	switch b.Name() {
	case "recover":
		w.writef("%s = rt.Recover(p)", v.Name())
	case "len", "cap":
		if p, ok := v.Call.Args[0].Type().Underlying().(*types.Pointer); ok {
			w.writef("%s = %d", v.Name(), p.Elem().Underlying().(*types.Array).Len())
			return true
		}
		w.writef("%s = %s(%s)", v.Name(), b.Name(), args[0])
	case "min", "max":
		w.minMax(v, args)
	case "ssa:wrapnilchk":
		w.notNil(v.Call.Args[0])
		w.writef("%s = %s", v.Name(), args[0])
	default:
		if _, none := v.Type().(*types.Tuple); none || v.Type() == nil {
			w.writef("%s", w.builtin(b, &v.Call, args))
			return true
		}
		w.writef("%s = %s", v.Name(), w.builtin(b, &v.Call, args))
	}
	return true
}

func (w *writer) minMax(v *ssa.Call, args []string) {
	name := v.Call.Value.Name()
	op := map[string]string{"min": "<", "max": ">"}[name]
	w.writef("%s = %s", v.Name(), args[0])
	for _, arg := range args[1:] {
		test := fmt.Sprintf("%s %s %s", arg, op, v.Name())
		if basicInfo(v.Type())&types.IsFloat != 0 {
			zero := map[string]string{"min": "1/float64(" + arg + ") < 0", "max": "1/float64(" + v.Name() + ") < 0"}[name]
			test = fmt.Sprintf("%s == %s && (%s || %s != %s || %s == 0 && %s == 0 && %s)", v.Name(), v.Name(), test, arg, arg, v.Name(), arg, zero)
		}
		w.writef("if %s { %s = %s }", test, v.Name(), arg)
	}
}

// builtin writes a call of a builtin.
func (w *writer) builtin(b *ssa.Builtin, c *ssa.CallCommon, args []string) string {
	bytes := func(i int) string {
		if basicInfo(c.Args[i].Type())&types.IsString != 0 {
			return "[]byte(" + args[i] + ")"
		}
		return args[i]
	}
	switch b.Name() {
	case "append":
		if len(args) == 1 {
			return args[0]
		}
		return fmt.Sprintf("append(%s, %s...)", args[0], bytes(1))
	case "copy":
		return fmt.Sprintf("copy(%s, %s)", args[0], bytes(1))
	case "delete":
		key := args[1]
		if t := c.Args[0].Type().Underlying().(*types.Map).Key(); types.IsInterface(t) && w.form(t) == "any" {
			key = "rt.Key(" + key + ", §)"
		}
		return fmt.Sprintf("delete(%s, %s)", args[0], key)
	case "print", "println":
		for i, arg := range c.Args {
			if types.IsInterface(arg.Type()) {
				args[i] = "rt.Words(" + args[i] + ")"
			}
		}
		return fmt.Sprintf("rt.%s([]any{%s})", map[string]string{"print": "Print", "println": "Println"}[b.Name()], strings.Join(args, ", "))
	case "clear":
		if _, ok := c.Args[0].Type().Underlying().(*types.Map); ok {
			return "rt.Clear(" + args[0] + ")"
		}
		elem := c.Args[0].Type().Underlying().(*types.Slice).Elem()
		return fmt.Sprintf("for i := range %s { %s[i] = %s }", args[0], args[0], w.zero(elem))
	case "recover":
		return "rt.Recover(" + w.noPanic() + ")"
	case "close", "real", "imag", "complex", "len", "cap":
		return fmt.Sprintf("%s(%s)", b.Name(), strings.Join(args, ", "))
	}
	w.cannot("the builtin " + b.Name())
	return "0"
}
