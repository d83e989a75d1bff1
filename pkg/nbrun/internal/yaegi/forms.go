package yaegi

import (
	"encoding/json"
	"fmt"
	"go/types"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/rt"
)

// own reports whether a package is interpreted: the program's own, or a generic one.
func (e *emitter) own(pkg *types.Package) bool {
	_, generic := shared().sources[pkg]
	return generic || pkg == e.pkg
}

// form writes a type as the interpreter gets it. Names of the program's types are gone:
// a struct is one of those at the head of the program, the same for all struct types
// with the same fields; any interface of the program is any; and all other types are
// what they are made of. So conversions between types of one form do nothing, and there
// are no methods.
func (e *emitter) form(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			e.cannot("unsafe.Pointer")
		}
		return types.Default(t).String()
	case *types.Named:
		if t.Obj().Pkg() == nil {
			if t.Obj().Name() == "error" {
				return "error"
			}
			return "any"
		}
		if !e.own(t.Obj().Pkg()) {
			name, ok := shared().nameOf(t)
			if !ok {
				e.cannot("a " + e.reflected(t) + ", which has no name that programs could use")
				return "any"
			}
			return e.imported(name.path) + "." + name.name
		}
		if e.within[t] {
			e.cannot("a type that contains itself other than by a struct, " + t.Obj().Name())
			return "any"
		}
		if _, ok := t.Underlying().(*types.Struct); !ok {
			e.within[t] = true
			defer delete(e.within, t)
		}
		return e.form(t.Underlying())
	case *types.Pointer:
		return "*" + e.form(t.Elem())
	case *types.Slice:
		return "[]" + e.form(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), e.form(t.Elem()))
	case *types.Map:
		return "map[" + e.form(t.Key()) + "]" + e.form(t.Elem())
	case *types.Chan:
		elem := e.form(t.Elem())
		if strings.HasPrefix(elem, "<-") {
			elem = "(" + elem + ")"
		}
		return map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()] + elem
	case *types.Signature:
		return "func" + e.signature(t)
	case *types.Struct:
		return e.structure(t)
	case *types.Interface:
		return "any"
	}
	e.cannot(fmt.Sprintf("the type %s", t))
	return "any"
}

// signature writes parameters and results. A variadic parameter is a slice.
func (e *emitter) signature(t *types.Signature) string {
	return "(" + strings.Join(e.tuple(t.Params()), ", ") + ")" + e.results(t)
}

func (e *emitter) tuple(t *types.Tuple) []string {
	var forms []string
	for v := range t.Variables() {
		forms = append(forms, e.form(v.Type()))
	}
	return forms
}

func (e *emitter) results(t *types.Signature) string {
	switch forms := e.tuple(t.Results()); len(forms) {
	case 0:
		return ""
	case 1:
		return " " + forms[0]
	default:
		return " (" + strings.Join(forms, ", ") + ")"
	}
}

func (e *emitter) structure(t *types.Struct) string {
	if t.NumFields() == 0 {
		return "struct{}"
	}
	return fmt.Sprintf("S%d", e.structIndex(t))
}

// structIndex is the number of a struct's form.
func (e *emitter) structIndex(t *types.Struct) int {
	for i, s := range e.structs {
		if types.IdenticalIgnoreTags(s, t) {
			return i
		}
	}
	n := len(e.structs)
	e.structs = append(e.structs, t)
	var b strings.Builder
	fmt.Fprintf(&b, "type S%d struct {", n)
	for i := range t.NumFields() {
		fmt.Fprintf(&b, " F%d %s;", i, e.form(t.Field(i).Type()))
	}
	b.WriteString(" }")
	e.decls = append(e.decls, b.String())
	return n
}

// field is the name of a field.
func (e *emitter) field(t types.Type, i int) string {
	if n, ok := types.Unalias(t).(*types.Named); ok && !e.own(n.Obj().Pkg()) {
		return n.Underlying().(*types.Struct).Field(i).Name()
	}
	return fmt.Sprintf("F%d", i)
}

// same reports whether the form of a type is the type itself, so that compiled code
// sees what it would see in Go.
func (e *emitter) same(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return true
	case *types.Named:
		return !e.own(t.Obj().Pkg())
	case *types.Pointer:
		return e.same(t.Elem())
	case *types.Slice:
		return e.same(t.Elem())
	case *types.Array:
		return e.same(t.Elem())
	case *types.Chan:
		return e.same(t.Elem())
	case *types.Map:
		return e.same(t.Key()) && e.same(t.Elem())
	case *types.Struct:
		return t.NumFields() == 0
	case *types.Interface:
		return t.Empty()
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				if !e.same(v.Type()) {
					return false
				}
			}
		}
		return !t.Variadic()
	}
	return false
}

// compiled reports whether an interface is one of compiled code.
func (e *emitter) compiled(t types.Type) bool { return e.form(t) != "any" }

// id numbers the types whose values need a box in an interface.
func (e *emitter) id(t types.Type) int {
	t = types.Unalias(t)
	if id, ok := e.ids.At(t).(int); ok {
		return id
	}
	if e.same(t) && !empty(t) {
		return 0
	}
	id := len(e.boxed)
	e.ids.Set(t, id)
	e.boxed = append(e.boxed, t)
	e.described = append(e.described, nil)
	d := &rt.Type{Name: e.reflected(t), Kind: "basic", Comparable: types.Comparable(t)}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			d.Kind = "string"
		}
	case *types.Pointer:
		d.Kind, d.Elem = "pointer", e.id(u.Elem())
	case *types.Slice:
		d.Kind, d.Elem = "slice", e.id(u.Elem())
	case *types.Array:
		d.Kind, d.Elem = "array", e.id(u.Elem())
	case *types.Chan:
		d.Kind = "chan"
	case *types.Map:
		d.Kind, d.Key, d.Elem = "map", e.id(u.Key()), e.id(u.Elem())
	case *types.Struct:
		d.Kind = "struct"
		for i := range u.NumFields() {
			f := u.Field(i)
			d.Fields = append(d.Fields, rt.Field{Name: f.Name(), Type: e.id(f.Type()), Exported: f.Exported(), Tag: u.Tag(i), Embedded: f.Embedded()})
		}
	case *types.Interface:
		d.Kind = "interface"
	case *types.Signature:
		d.Kind = "func"
	}
	if _, ok := t.Underlying().(*types.Interface); !ok {
		e.methods(id, t, d)
	}
	e.described[id] = d
	return id
}

// empty reports whether a type is struct{}, to which the interpreter can't assert a
// value.
func empty(t types.Type) bool {
	s, ok := t.(*types.Struct)
	return ok && s.NumFields() == 0
}

// methods emits the methods of a type, as its values may be asked for them.
func (e *emitter) methods(id int, t types.Type, d *rt.Type) {
	set := e.prog.MethodSets.MethodSet(t)
	for i := range set.Len() {
		sel := set.At(i)
		fn := e.prog.MethodValue(sel)
		if fn == nil {
			continue
		}
		name := sel.Obj().Name()
		sig := sel.Obj().(*types.Func).Signature()
		text := sig.Params().Len() == 0 && sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.Typ[types.String])
		d.HasError = d.HasError || name == "Error" && text
		d.HasString = d.HasString || name == "String" && text
		e.method[id] = append(e.method[id], method{name, sel.Obj().(*types.Func), fn})
		e.function(fn)
		switch name {
		case "Format", "GoString", "MarshalJSON", "MarshalText", "UnmarshalJSON", "UnmarshalText", "As":
			e.refuseAt(sel.Obj().Pos(), "a type with the method "+name)
		case "Unwrap":
			if sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.NewSlice(types.Universe.Lookup("error").Type())) {
				e.refuseAt(sel.Obj().Pos(), "a type with the method Unwrap() []error")
			}
		}
	}
}

// reflected writes a type as package reflect does.
func (e *emitter) reflected(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if t.Obj().Pkg() == nil {
			return t.Obj().Name()
		}
		s := t.Obj().Pkg().Name() + "." + t.Obj().Name()
		if t.TypeArgs().Len() > 0 {
			var args []string
			for arg := range t.TypeArgs().Types() {
				args = append(args, e.reflected(arg))
			}
			s += "[" + strings.Join(args, ",") + "]"
		}
		return s
	case *types.Pointer:
		return "*" + e.reflected(t.Elem())
	case *types.Slice:
		return "[]" + e.reflected(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), e.reflected(t.Elem()))
	case *types.Map:
		return "map[" + e.reflected(t.Key()) + "]" + e.reflected(t.Elem())
	case *types.Chan:
		return map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()] + e.reflected(t.Elem())
	case *types.Interface:
		if t.Empty() {
			return "interface {}"
		}
		var ms []string
		for m := range t.Methods() {
			ms = append(ms, m.Name()+strings.TrimPrefix(e.reflected(m.Signature()), "func"))
		}
		return "interface { " + strings.Join(ms, "; ") + " }"
	case *types.Struct:
		if t.NumFields() == 0 {
			return "struct {}"
		}
		var fs []string
		for i := range t.NumFields() {
			f := t.Field(i)
			s := e.reflected(f.Type())
			if !f.Embedded() {
				s = f.Name() + " " + s
			}
			if t.Tag(i) != "" {
				s += fmt.Sprintf(" %q", t.Tag(i))
			}
			fs = append(fs, s)
		}
		return "struct { " + strings.Join(fs, "; ") + " }"
	case *types.Signature:
		var in, out []string
		for v := range t.Params().Variables() {
			in = append(in, e.reflected(v.Type()))
		}
		if t.Variadic() {
			in[len(in)-1] = "..." + strings.TrimPrefix(in[len(in)-1], "[]")
		}
		for v := range t.Results().Variables() {
			out = append(out, e.reflected(v.Type()))
		}
		s := "func(" + strings.Join(in, ", ") + ")"
		switch len(out) {
		case 0:
			return s
		case 1:
			return s + " " + out[0]
		}
		return s + " (" + strings.Join(out, ", ") + ")"
	case *types.Basic:
		return types.Typ[types.Default(t).(*types.Basic).Kind()].String() // and not byte or rune
	}
	return t.String()
}

// descriptions is what the program tells rt of its types.
func (e *emitter) descriptions() string {
	data, err := json.Marshal(e.described)
	if err != nil {
		panic(err) // plain data
	}
	return string(data)
}

// iface numbers the interface types that values are asserted to have.
func (e *emitter) iface(t types.Type) int {
	if i, ok := e.ifaces.At(t).(int); ok {
		return i
	}
	i := len(e.asserted)
	e.ifaces.Set(t, i)
	e.asserted = append(e.asserted, t)
	return i
}

// interfaces is what the program tells rt of its interfaces, when all types are
// known.
func (e *emitter) interfaces() []string {
	var calls []string
	for _, t := range e.asserted {
		u := t.Underlying().(*types.Interface)
		var methods, ids []string
		for m := range u.Methods() {
			methods = append(methods, fmt.Sprintf("{Name: %q, Type: %q}", m.Name(), e.reflected(m.Signature())))
		}
		for id, b := range e.boxed {
			if b != nil && !types.IsInterface(b) && types.Implements(b, u) {
				ids = append(ids, fmt.Sprint(id))
			}
		}
		pkg, name := "", ""
		if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil && !e.own(n.Obj().Pkg()) {
			pkg, name = n.Obj().Pkg().Path(), n.Obj().Name()
		}
		calls = append(calls, fmt.Sprintf("rt.Interface([]rt.M{%s}, []int{%s}, %q, %q)", strings.Join(methods, ", "), strings.Join(ids, ", "), pkg, name))
	}
	return calls
}
