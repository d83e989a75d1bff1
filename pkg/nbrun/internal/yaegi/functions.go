package yaegi

import (
	"fmt"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// writer writes one function.
type writer struct {
	*emitter
	fn      *ssa.Function
	local   map[ssa.Value]string
	checked map[ssa.Value]bool // not nil, as far as the block that is being written
	steps   bool               // each step has a place of its own
	defers  bool
	targets map[*ssa.BasicBlock]bool
	below   map[*ssa.BasicBlock]*ssa.BasicBlock // what a block goes on with without a goto
	ending  bool                                // the block that is run after a recovered panic
	shared  []ssa.Value                         // variables of the body that this block reads
}

// function emits a function, and returns its name.
func (e *emitter) function(fn *ssa.Function) string {
	if name, ok := e.names[fn]; ok {
		return name
	}
	name := fmt.Sprintf("f%d_%s", len(e.names), notIdent.ReplaceAllString(fn.Name(), "_"))
	e.names[fn] = name
	if e.isGeneric(fn) || !fn.Pos().IsValid() {
		e.sites[fn] = e.pos
	}
	e.queue = append(e.queue, fn)
	each(fn, func(instr ssa.Instruction) {
		if call, ok := instr.(*ssa.Call); ok {
			if b, ok := call.Call.Value.(*ssa.Builtin); ok && b.Name() == "recover" {
				e.takes[fn] = true
			}
		}
	})
	e.helps[fn] = isHelper(fn)
	return name
}

// isGeneric reports whether a function is one of a generic package, or of its closures.
func (e *emitter) isGeneric(fn *ssa.Function) bool {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	obj := fn.Object()
	return obj != nil && obj.Pkg() != e.pkg && e.own(obj.Pkg())
}

var notIdent = regexp.MustCompile(`\W+`)

// each calls f for all steps of a function.
func each(fn *ssa.Function, f func(ssa.Instruction)) {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			f(instr)
		}
	}
}

func (e *emitter) params(fn *ssa.Function, free bool) (decl, names []string) {
	if free {
		for i, v := range fn.FreeVars {
			decl = append(decl, fmt.Sprintf("v%d %s", i, e.form(v.Type())))
			names = append(names, fmt.Sprint("v", i))
		}
		return decl, names
	}
	for i, p := range fn.Params {
		decl = append(decl, fmt.Sprintf("p%d %s", i, e.form(p.Type())))
		names = append(names, fmt.Sprint("p", i))
	}
	return decl, names
}

func (e *emitter) writeFunction(fn *ssa.Function) {
	w := &writer{emitter: e, fn: fn, local: map[ssa.Value]string{}, targets: map[*ssa.BasicBlock]bool{}, below: map[*ssa.BasicBlock]*ssa.BasicBlock{}}
	e.pos = fn.Pos()
	site, generic := e.sites[fn]
	if w.steps = !generic; generic {
		e.pos = site
	}
	if fn.Signature.RecvTypeParams() == nil && fn.TypeParams().Len() > len(fn.TypeArgs()) {
		e.cannot("a generic function that is not instantiated")
		return
	}
	for i, p := range fn.Params {
		w.local[p] = fmt.Sprint("p", i)
	}
	for i, v := range fn.FreeVars {
		w.local[v] = fmt.Sprint("v", i)
	}
	each(fn, func(instr ssa.Instruction) {
		switch instr.(type) {
		case *ssa.Defer:
			w.defers = true
		}
	})
	if e.helps[fn] && (e.takes[fn] || e.value[fn] || len(fn.FreeVars) > 0) {
		e.cannot("a test helper other than a function that is called by its name and does not recover")
	}
	name := e.names[fn]
	free, freeNames := e.params(fn, true)
	params, paramNames := e.params(fn, false)
	results, body := e.results(fn.Signature), w.writeBody
	if w.defers {
		body = func() { w.callBody(name+"_body", freeNames, paramNames) }
		results = w.namedResults()
		w.bodyFunction(name+"_body", free, params)
	}
	switch {
	case e.takes[fn]:
		all := append(append([]string{"p *rt.P"}, free...), params...)
		if len(free) > 0 {
			ret := "return "
			if fn.Signature.Results().Len() == 0 {
				ret = ""
			}
			e.behind(fmt.Sprintf("func mk%s(%s) func%s { return func(%s)%s { %s%s(%s) } }", name, strings.Join(free, ", "),
				e.signature(fn.Signature), strings.Join(params, ", "), e.results(fn.Signature), ret, name, strings.Join(append(append([]string{e.noPanic()}, freeNames...), paramNames...), ", ")))
		}
		e.writef("func %s(%s)%s {", name, strings.Join(all, ", "), results)
		body()
		e.writef("}")
	case len(free) > 0:
		e.writef("func %s(%s) func%s {", name, strings.Join(free, ", "), e.signature(fn.Signature))
		e.writef("return func(%s)%s {", strings.Join(params, ", "), results)
		body()
		e.writef("} }")
	default:
		if e.helps[fn] {
			params = append([]string{"at string"}, params...)
		}
		e.writef("func %s(%s)%s {", name, strings.Join(params, ", "), results)
		body()
		e.writef("}")
	}
	e.writeLater()
}

func (e *emitter) writeLater() {
	for _, l := range e.later {
		e.pos = l.pos
		e.writef("%s", l.text)
	}
	e.later = nil
}

// behind writes a function after this one.
func (e *emitter) behind(text string) { e.later = append(e.later, placed{text, e.pos}) }

// noPanic is the nil of type *rt.P.
func (e *emitter) noPanic() string { return e.zeroOf("*rt.P") }

func (w *writer) namedResults() string {
	forms := w.tuple(w.fn.Signature.Results())
	for i := range forms {
		forms[i] = fmt.Sprintf("r%d %s", i, forms[i])
	}
	if len(forms) == 0 {
		return ""
	}
	return " (" + strings.Join(forms, ", ") + ")"
}

// A function with deferred calls becomes two: its body, and one that makes package rt
// call the body and then the deferred calls. The interpreter's own defer evaluates
// arguments when the call is made, and after a panic in it no other function can use
// the variables.
const prelude = "type deferred struct { fs []func(*rt.P) }"

// bodyFunction writes the body of a function with deferred calls.
func (w *writer) bodyFunction(name string, free, params []string) {
	if !w.refused["prelude"] {
		w.refused["prelude"] = true
		w.head = append(w.head, prelude)
	}
	all := []string{"d *deferred"}
	if w.fn.Recover != nil {
		for _, instr := range w.fn.Recover.Instrs {
			for _, used := range instr.Operands(nil) {
				if v, ok := (*used).(*ssa.Alloc); ok && !slices.Contains(w.shared, ssa.Value(v)) {
					w.shared = append(w.shared, v)
					all = append(all, v.Name()+" "+w.form(v.Type()))
				}
			}
		}
	}
	if w.takes[w.fn] {
		all = append(all, "p *rt.P")
	}
	if w.helps[w.fn] {
		all = append(all, "at string")
	}
	w.writef("func %s(%s)%s {", name, strings.Join(append(append(all, free...), params...), ", "), w.results(w.fn.Signature))
	w.writeBody()
	w.writef("}")
}

// callBody writes what calls it.
func (w *writer) callBody(name string, free, params []string) {
	args := []string{"d"}
	w.writef("d := &deferred{}")
	for _, v := range w.shared {
		w.writef("%s := new(%s)", v.Name(), w.form(v.Type().Underlying().(*types.Pointer).Elem()))
		args = append(args, v.Name())
	}
	if w.takes[w.fn] {
		args = append(args, "p")
	}
	if w.helps[w.fn] {
		args = append(args, "at")
	}
	var results []string
	for i := range w.fn.Signature.Results().Len() {
		results = append(results, fmt.Sprint("r", i))
	}
	list, set := strings.Join(results, ", "), ""
	if list != "" {
		set = list + " = "
	}
	w.writef("q := rt.Run(func() { %s%s(%s) }, &d.fs)", set, name, strings.Join(append(append(args, free...), params...), ", "))
	if b := w.fn.Recover; b != nil && list != "" {
		w.ending = true
		w.checked = map[ssa.Value]bool{}
		w.declare(b)
		w.writef("if q != nil {")
		for _, instr := range b.Instrs {
			w.instr(instr)
		}
		w.writef("}")
	}
	w.writef("_ = q")
	w.writef("return %s", list)
}

func (w *writer) writeBody() {
	w.declare(w.fn.Blocks...)
	var blocks []*ssa.BasicBlock
	for _, b := range w.fn.Blocks {
		if b != w.fn.Recover {
			blocks = append(blocks, b)
		}
	}
	for i, b := range blocks {
		for j, s := range b.Succs {
			// One of a block's ways goes on with what comes below, if it can.
			if i+1 < len(blocks) && s == blocks[i+1] && (j == len(b.Succs)-1 || b.Succs[0] != b.Succs[1] && plain(s)) {
				w.below[b] = s
			} else {
				w.targets[s] = true
			}
		}
	}
	for _, b := range blocks {
		if w.targets[b] {
			w.writef("b%d: ;", b.Index)
		}
		w.checked = map[ssa.Value]bool{}
		for _, instr := range b.Instrs {
			if pos := placeOf(instr); w.steps && pos.IsValid() {
				w.pos = pos
			}
			w.instr(instr)
		}
	}
}

// placeOf is where a step is in the program, or, if it is not there, what uses it.
func placeOf(instr ssa.Instruction) token.Pos {
	v, ok := instr.(ssa.Value)
	if instr.Pos().IsValid() || !ok || v.Referrers() == nil {
		return instr.Pos()
	}
	for _, user := range *v.Referrers() {
		if user.Block() == instr.Block() && user.Pos().IsValid() {
			return user.Pos()
		}
	}
	return token.NoPos
}

// declare declares the registers of blocks.
func (w *writer) declare(blocks ...*ssa.BasicBlock) {
	var vars []string
	declare := func(instr ssa.Instruction) {
		v, ok := instr.(ssa.Value)
		if !ok || w.folded(v) || slices.Contains(w.shared, v) {
			return
		}
		switch v := v.(type) {
		case *ssa.Range:
			if m, ok := v.X.Type().Underlying().(*types.Map); ok {
				vars = append(vars, fmt.Sprintf("var %s []%s", v.Name(), w.form(m.Key())))
			} else {
				vars = append(vars, "var "+v.Name()+" string; var "+v.Name()+"_w int")
			}
			vars = append(vars, "var "+v.Name()+"_i int")
			return
		case *ssa.FieldAddr, *ssa.IndexAddr:
			if !w.needed(v) {
				return
			}
			vars = append(vars, "var "+v.Name()+"_v any")
		case *ssa.MakeInterface, *ssa.ChangeInterface, *ssa.SliceToArrayPointer:
			vars = append(vars, "var "+v.Name()+"_v any")
		case *ssa.TypeAssert:
			if v.CommaOk || w.id(v.AssertedType) > 0 || types.IsInterface(v.AssertedType) {
				vars = append(vars, "var "+v.Name()+"_v any")
			}
			if !v.CommaOk {
				vars = append(vars, "var "+v.Name()+"_1 bool")
			}
		case *ssa.Select:
			vars = append(vars, "var "+v.Name()+"_v any")
		case *ssa.Phi:
			vars = append(vars, fmt.Sprintf("var %s_n %s", v.Name(), w.form(v.Type())))
		}
		if t, ok := v.Type().(*types.Tuple); ok {
			for i := range t.Len() {
				if _, invalid := t.At(i).Type().(*types.Basic); invalid && t.At(i).Type().(*types.Basic).Kind() == types.Invalid {
					continue
				}
				vars = append(vars, fmt.Sprintf("var %s_%d %s", v.Name(), i, w.form(t.At(i).Type())))
			}
			return
		}
		vars = append(vars, fmt.Sprintf("var %s %s", v.Name(), w.form(v.Type())))
	}
	for _, b := range blocks {
		if b != w.fn.Recover || w.ending {
			for _, instr := range b.Instrs {
				declare(instr)
			}
		}
	}
	if len(vars) > 0 {
		w.writef("%s", strings.Join(vars, "; "))
	}
}

// val writes a value.
func (w *writer) val(v ssa.Value) string {
	switch v := v.(type) {
	case *ssa.Const:
		return w.constant(v)
	case *ssa.Global:
		return w.global(v)
	case *ssa.Function:
		return w.lambda(v)
	case *ssa.Parameter, *ssa.FreeVar:
		return w.local[v]
	}
	if w.folded(v) {
		return "(" + w.fold(v) + ")"
	}
	return v.Name()
}

// folded reports whether a step has no register of its own, because it is written where
// its result is used, once and in the same block.
func (w *writer) folded(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.BinOp:
		if basicInfo(v.X.Type()) == 0 || v.Op == token.QUO || v.Op == token.REM || v.Op == token.SHL || v.Op == token.SHR {
			return false
		}
	case *ssa.UnOp:
		if v.Op == token.MUL || v.Op == token.ARROW {
			return false
		}
	default:
		return false
	}
	users := *v.Referrers()
	if len(users) != 1 || users[0].Block() != v.(ssa.Instruction).Block() {
		return false
	}
	switch user := users[0].(type) {
	case *ssa.BinOp:
		return user.Op != token.QUO && user.Op != token.REM && user.Op != token.SHL && user.Op != token.SHR
	case *ssa.If, *ssa.Store, *ssa.Return, *ssa.UnOp:
		return true
	case *ssa.Call:
		_, builtin := user.Call.Value.(*ssa.Builtin)
		return !builtin
	}
	return false
}

// fold writes such a step.
func (w *writer) fold(v ssa.Value) string {
	switch v := v.(type) {
	case *ssa.BinOp:
		return w.variable(v.X, w.val(v.X)) + " " + v.Op.String() + " " + w.val(v.Y)
	case *ssa.UnOp:
		if v.Op == token.SUB && basicInfo(v.Type())&types.IsUnsigned != 0 {
			return w.form(v.Type()) + "(0) - " + w.val(v.X)
		}
		return v.Op.String() + w.variable(v.X, w.val(v.X))
	}
	return ""
}

// global is a variable that points to a variable of the program.
func (e *emitter) global(g *ssa.Global) string {
	if g.Pkg != e.main {
		e.cannot("the address of a variable of package " + g.Pkg.Pkg.Path())
		return "nil"
	}
	name, ok := e.globals[g]
	if !ok {
		name = fmt.Sprintf("g%d_%s", len(e.globals), notIdent.ReplaceAllString(g.Name(), "_"))
		e.globals[g] = name
		e.head = append(e.head, fmt.Sprintf("var %s = new(%s)", name, e.form(g.Type().(*types.Pointer).Elem())))
	}
	return name
}

// lambda is a function as a value.
func (e *emitter) lambda(fn *ssa.Function) string {
	e.value[fn] = true
	ret := "return "
	if fn.Signature.Results().Len() == 0 {
		ret = ""
	}
	if fn.Blocks == nil {
		decl, names := []string{}, []string{}
		recv := fn.Signature.Recv()
		if recv != nil {
			decl, names = append(decl, "q "+e.form(recv.Type())), append(names, "q")
		}
		for i := range fn.Signature.Params().Len() {
			decl = append(decl, fmt.Sprintf("q%d %s", i, e.form(fn.Signature.Params().At(i).Type())))
			names = append(names, fmt.Sprint("q", i))
		}
		return fmt.Sprintf("func(%s)%s { %s%s }", strings.Join(decl, ", "), e.results(fn.Signature), ret, e.compiledCall(fn, names, nil))
	}
	name := e.function(fn)
	decl, names := e.params(fn, false)
	if e.takes[fn] {
		names = append([]string{e.noPanic()}, names...)
	}
	return fmt.Sprintf("func(%s)%s { %s%s(%s) }", strings.Join(decl, ", "), e.results(fn.Signature), ret, name, strings.Join(names, ", "))
}

// needed reports whether an address is needed as a pointer, and not only to load
// and store what is there.
func (w *writer) needed(v ssa.Value) bool {
	for _, user := range *v.Referrers() {
		switch user := user.(type) {
		case *ssa.UnOp:
		case *ssa.Store:
			if user.Val == v {
				return true
			}
		case *ssa.FieldAddr, *ssa.DebugRef:
		case *ssa.IndexAddr:
			if user.X != v || w.needed(user) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// pointee writes what a pointer points to.
func (w *writer) pointee(p ssa.Value) string {
	switch p := p.(type) {
	case *ssa.FieldAddr:
		owner := p.X.Type().Underlying().(*types.Pointer).Elem()
		return w.owner(p.X) + "." + w.field(owner, p.Field)
	case *ssa.IndexAddr:
		if _, ok := p.X.Type().Underlying().(*types.Slice); ok {
			return w.val(p.X) + "[" + w.index(p.Index, p.X) + "]"
		}
		return w.owner(p.X) + "[" + w.index(p.Index, p.X) + "]"
	case *ssa.Global:
		if p.Pkg != w.main {
			return w.imported(p.Pkg.Pkg.Path()) + "." + p.Name()
		}
	}
	return "*" + w.val(p)
}

// owner writes a pointer to a struct or an array of which a part is selected.
func (w *writer) owner(p ssa.Value) string {
	switch p := p.(type) {
	case *ssa.FieldAddr, *ssa.IndexAddr:
		return w.pointee(p)
	case *ssa.Global:
		if p.Pkg != w.main {
			return w.pointee(p)
		}
	}
	return w.val(p)
}

// notNil writes a check that a pointer is not nil.
func (w *writer) notNil(p ssa.Value) {
	switch p.(type) {
	case *ssa.Alloc, *ssa.Global, *ssa.FieldAddr, *ssa.IndexAddr, *ssa.MakeClosure, *ssa.Function:
		return
	case *ssa.FreeVar:
		if w.fn.Synthetic == "" {
			return
		}
	case *ssa.Const:
		w.writef("rt.Nil(§)")
		return
	}
	if !w.checked[p] {
		w.checked[p] = true
		w.writef("if %s == nil { rt.Nil(§) }", w.val(p))
	}
}

// edge writes the way from a block to another.
func (w *writer) edge(from, to *ssa.BasicBlock) string {
	var at int
	for i, p := range to.Preds {
		if p == from {
			at = i
		}
	}
	var first, second []string
	var phis []*ssa.Phi
	for _, instr := range to.Instrs {
		phi, ok := instr.(*ssa.Phi)
		if !ok {
			break
		}
		phis = append(phis, phi)
	}
	for _, phi := range phis {
		v := phi.Edges[at]
		if v == phi {
			continue
		}
		clash := false
		for _, other := range phis {
			for _, edge := range phis {
				clash = clash || edge.Edges[at] == other && edge != other
			}
		}
		if clash {
			first = append(first, fmt.Sprintf("%s_n = %s", phi.Name(), w.val(v)))
			second = append(second, fmt.Sprintf("%s = %s_n", phi.Name(), phi.Name()))
		} else {
			first = append(first, fmt.Sprintf("%s = %s", phi.Name(), w.val(v)))
		}
	}
	steps := append(first, second...)
	if w.below[from] != to {
		steps = append(steps, fmt.Sprintf("goto b%d", to.Index))
	}
	return strings.Join(steps, "; ")
}

func (w *writer) instr(instr ssa.Instruction) {
	switch instr := instr.(type) {
	case *ssa.DebugRef, *ssa.Phi:
	case *ssa.Jump:
		if text := w.edge(instr.Block(), instr.Block().Succs[0]); text != "" {
			w.writef("%s", text)
		}
	case *ssa.If:
		w.branch(instr)
	case *ssa.Return:
		w.ret(instr)
	case *ssa.Panic:
		w.writef("rt.Panic(%s, §)", w.val(instr.X))
		if n := w.fn.Signature.Results().Len(); n > 0 {
			zeros := make([]string, n)
			for i := range zeros {
				zeros[i] = w.zero(w.fn.Signature.Results().At(i).Type())
			}
			w.writef("return %s", strings.Join(zeros, ", "))
		} else {
			w.writef("return")
		}
	case *ssa.RunDefers:
		w.writef("for len(d.fs) > 0 { f := d.fs[len(d.fs)-1]; d.fs = d.fs[:len(d.fs)-1]; f(%s) }", w.noPanic())
	case *ssa.Store:
		w.notNil(instr.Addr)
		w.writef("%s = %s", w.pointee(instr.Addr), w.val(instr.Val))
	case *ssa.MapUpdate:
		w.notNilMap(instr.Map)
		w.writef("%s[%s] = %s", w.val(instr.Map), w.key(instr.Key, instr.Map), w.val(instr.Value))
	case *ssa.Send:
		name := fmt.Sprintf("send%d", w.line)
		w.behind(fmt.Sprintf("func %s(c %s, v %s) { c <- v }", name, w.form(instr.Chan.Type()), w.form(instr.X.Type())))
		w.writef("%s(%s, %s)", name, w.val(instr.Chan), w.val(instr.X))
	case *ssa.Go:
		w.spawn(&instr.Call)
	case *ssa.Defer:
		w.deferCall(instr)
	case ssa.Value:
		w.define(instr)
	default:
		w.cannot(fmt.Sprintf("%T", instr))
	}
}

// plain reports whether a block begins with no choice of what it came from.
func plain(b *ssa.BasicBlock) bool {
	_, phi := b.Instrs[0].(*ssa.Phi)
	return !phi
}

func (w *writer) branch(instr *ssa.If) {
	b := instr.Block()
	if w.below[b] == b.Succs[0] && w.below[b] != b.Succs[1] {
		w.writef("if !%s { %s }", w.val(instr.Cond), w.edge(b, b.Succs[1]))
		return
	}
	w.writef("if %s { %s }", w.val(instr.Cond), w.edge(b, b.Succs[0]))
	if text := w.edge(b, b.Succs[1]); text != "" {
		w.writef("%s", text)
	}
}

func (w *writer) ret(instr *ssa.Return) {
	vals := make([]string, len(instr.Results))
	for i, v := range instr.Results {
		vals[i] = w.val(v)
		if w.ending {
			w.writef("r%d = %s", i, vals[i])
		}
	}
	if !w.ending {
		w.writef("return %s", strings.Join(vals, ", "))
	}
}

func (w *writer) notNilMap(m ssa.Value) {
	if _, made := m.(*ssa.MakeMap); !made && !w.checked[m] {
		w.checked[m] = true
		w.writef("if %s == nil { rt.NilMap(§) }", w.val(m))
	}
}

// key writes a key of a map.
func (w *writer) key(k, m ssa.Value) string {
	if t := m.Type().Underlying().(*types.Map).Key(); types.IsInterface(t) && w.form(t) == "any" {
		return "rt.Key(" + w.val(k) + ", §)"
	}
	return w.val(k)
}

// define writes a step that sets a register.
func (w *writer) define(v ssa.Value) {
	name := v.Name()
	if w.folded(v) {
		return
	}
	switch v := v.(type) {
	case *ssa.Alloc:
		if slices.Contains(w.shared, ssa.Value(v)) {
			return
		}
		w.writef("%s = new(%s)", name, w.form(v.Type().Underlying().(*types.Pointer).Elem()))
	case *ssa.FieldAddr:
		w.notNil(v.X)
		if w.needed(v) {
			w.writef("%s = &%s", name, w.pointee(v))
		}
	case *ssa.IndexAddr:
		w.indexAddr(v)
	case *ssa.Field:
		w.writef("%s = %s.%s", name, w.val(v.X), w.field(v.X.Type(), v.Field))
	case *ssa.Index:
		w.inRange(v.Index, v.X, v.X.Type())
		w.writef("%s = %s[%s]", name, w.variable(v.X, w.val(v.X)), w.index(v.Index, v.X))
	case *ssa.UnOp:
		w.unary(v)
	case *ssa.BinOp:
		w.binary(v)
	case *ssa.Call:
		w.callStep(v)
	case *ssa.ChangeType:
		w.writef("%s = %s", name, w.val(v.X))
	case *ssa.Convert:
		w.convert(v)
	case *ssa.ChangeInterface:
		w.changeInterface(v)
	case *ssa.MakeInterface:
		w.interfaced(v)
	case *ssa.TypeAssert:
		w.assert(v)
	case *ssa.Extract:
		w.writef("%s = %s_%d", name, v.Tuple.Name(), v.Index)
	case *ssa.MakeClosure:
		fn := v.Fn.(*ssa.Function)
		callee := w.function(fn)
		if w.takes[fn] {
			callee = "mk" + callee
		}
		w.writef("%s = %s(%s)", name, callee, strings.Join(w.vals(v.Bindings), ", "))
	case *ssa.MakeSlice:
		w.writef("if %s < 0 || int64(%s) > 1<<40 { rt.MakeLen(\"makeslice: len\", §) }", w.val(v.Len), w.val(v.Len))
		w.writef("if %s < 0 || int64(%s) > 1<<40 || int64(%s) < int64(%s) { rt.MakeLen(\"makeslice: cap\", §) }", w.val(v.Cap), w.val(v.Cap), w.val(v.Cap), w.val(v.Len))
		w.writef("%s = make(%s, %s, %s)", name, w.form(v.Type()), w.val(v.Len), w.val(v.Cap))
	case *ssa.MakeMap:
		w.writef("%s = make(%s)", name, w.form(v.Type()))
	case *ssa.MakeChan:
		w.writef("if %s < 0 { rt.MakeLen(\"makechan: size\", §) }", w.val(v.Size))
		w.writef("%s = make(%s, int(%s))", name, w.form(v.Type()), w.val(v.Size))
	case *ssa.Slice:
		w.slice(v)
	case *ssa.SliceToArrayPointer:
		n := v.Type().Underlying().(*types.Pointer).Elem().Underlying().(*types.Array).Len()
		w.writef("if len(%s) < %d { rt.ArrayLen(len(%s), %d, §) }", w.val(v.X), n, w.val(v.X), n)
		w.writef("%s_v = rt.ArrayPointer(%s, %d); %s = %s_v.(%s)", name, w.val(v.X), n, name, name, w.form(v.Type()))
	case *ssa.Lookup:
		w.lookup(v)
	case *ssa.Range:
		w.rangeStep(v)
	case *ssa.Next:
		w.next(v)
	case *ssa.Select:
		w.selectStep(v)
	default:
		w.cannot(fmt.Sprintf("%T", v))
	}
}

func (w *writer) vals(vs []ssa.Value) []string {
	var texts []string
	for _, v := range vs {
		texts = append(texts, w.val(v))
	}
	return texts
}

func (w *writer) indexAddr(v *ssa.IndexAddr) {
	t := v.X.Type().Underlying()
	pointer, array := t.(*types.Pointer)
	if array {
		w.notNil(v.X)
		w.inRange(v.Index, v.X, pointer.Elem())
	} else if !ranged(v) {
		w.inRange(v.Index, v.X, t)
	}
	if !w.needed(v) {
		return
	}
	if array {
		w.writef("%s_v = rt.Elem(%s, int(%s)); %s = %s_v.(%s)", v.Name(), w.val(v.X), w.val(v.Index), v.Name(), v.Name(), w.form(v.Type()))
		return
	}
	w.writef("%s = &%s", v.Name(), w.pointee(v))
}

// index writes an index. The interpreter checks constant ones before the program runs,
// and mistakes the length of one slice for that of another.
func (w *writer) index(i, of ssa.Value) string {
	t := of.Type().Underlying()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
	}
	if a, ok := t.(*types.Array); ok {
		if c, ok := i.(*ssa.Const); ok && c.Int64() >= 0 && c.Int64() < a.Len() {
			return w.val(i)
		}
	}
	return w.variable(i, w.val(i))
}

// ranged reports whether an index is that of a range over the same slice.
func ranged(v *ssa.IndexAddr) bool {
	step, ok := v.Index.(*ssa.BinOp)
	if !ok || step.Block().Comment != "rangeindex.loop" || step.Op != token.ADD {
		return false
	}
	end, ok := step.Block().Instrs[len(step.Block().Instrs)-1].(*ssa.If)
	if !ok {
		return false
	}
	cond, ok := end.Cond.(*ssa.BinOp)
	if !ok || cond.X != step {
		return false
	}
	call, ok := cond.Y.(*ssa.Call)
	return ok && call.Call.Args[0] == v.X
}

// inRange writes a check of an index.
func (w *writer) inRange(index, of ssa.Value, t types.Type) {
	i := w.val(index)
	signed := index.Type().Underlying().(*types.Basic).Info()&types.IsUnsigned == 0
	length := "len(" + w.val(of) + ")"
	if a, ok := t.Underlying().(*types.Array); ok {
		length = fmt.Sprint(a.Len())
		if c, ok := index.(*ssa.Const); ok && c.Int64() >= 0 && c.Int64() < a.Len() {
			return
		}
	}
	test := fmt.Sprintf("int(%s) >= %s", i, length)
	if index.Type().Underlying() == types.Typ[types.Int] {
		test = fmt.Sprintf("%s >= %s", i, length)
	}
	if _, constant := index.(*ssa.Const); signed && !constant {
		test = fmt.Sprintf("%s < 0 || %s", i, test)
	} else if b := index.Type().Underlying().(*types.Basic).Kind(); !signed && (b == types.Uint || b == types.Uint64 || b == types.Uintptr) {
		test = fmt.Sprintf("uint64(%s) >= uint64(%s)", i, length)
	}
	w.writef("if %s { rt.Index(%s, %s, §) }", test, i, length)
}
