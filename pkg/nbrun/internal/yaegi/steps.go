package yaegi

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

func basicInfo(t types.Type) types.BasicInfo {
	if b, ok := t.Underlying().(*types.Basic); ok {
		return b.Info()
	}
	return 0
}

func (w *writer) unary(v *ssa.UnOp) {
	x := ""
	if v.Op != token.MUL {
		x = w.variable(v.X, w.val(v.X))
	}
	switch v.Op {
	case token.MUL:
		w.notNil(v.X)
		w.writef("%s = %s", v.Name(), w.pointee(v.X))
	case token.ARROW:
		if v.CommaOk {
			w.writef("%s_0, %s_1 = <-%s", v.Name(), v.Name(), x)
		} else {
			w.writef("%s = <-%s", v.Name(), x)
		}
	case token.SUB:
		if basicInfo(v.Type())&types.IsUnsigned != 0 {
			w.writef("%s = %s(0) - %s", v.Name(), w.form(v.Type()), x)
		} else {
			w.writef("%s = -%s", v.Name(), x)
		}
	default:
		w.writef("%s = %s%s", v.Name(), v.Op, x)
	}
}

func (w *writer) binary(v *ssa.BinOp) {
	x, y := w.variable(v.X, w.val(v.X)), w.val(v.Y)
	name := v.Name()
	switch v.Op {
	case token.SHL, token.SHR:
		if c, constant := v.Y.(*ssa.Const); constant && negative(c) {
			w.writef("rt.Shift(§)")
			return
		} else if !constant && basicInfo(v.Y.Type())&types.IsUnsigned == 0 {
			w.writef("if %s < 0 { rt.Shift(§) }", y)
		}
		w.writef("%s = %s %s uint64(%s)", name, x, v.Op, y)
	case token.QUO, token.REM:
		if c, constant := v.Y.(*ssa.Const); basicInfo(v.Y.Type())&types.IsInteger != 0 {
			if constant && constZero(c) {
				w.writef("rt.Divide(§)")
				return
			} else if !constant {
				w.writef("if %s == 0 { rt.Divide(§) }", y)
			}
		}
		y = w.variable(v.Y, y)
		w.writef("%s = %s %s %s", name, x, v.Op, y)
	case token.EQL, token.NEQ:
		w.equal(v, x, y)
	default:
		w.writef("%s = %s %s %s", name, x, v.Op, y)
	}
}

func constZero(c *ssa.Const) bool { return c.Value != nil && constant.Sign(c.Value) == 0 }

func negative(c *ssa.Const) bool { return c.Value != nil && constant.Sign(c.Value) < 0 }

func isNil(v ssa.Value) bool {
	c, ok := v.(*ssa.Const)
	return ok && c.Value == nil
}

func (w *writer) equal(v *ssa.BinOp, x, y string) {
	not := map[token.Token]string{token.EQL: "", token.NEQ: "!"}[v.Op]
	switch v.X.Type().Underlying().(type) {
	case *types.Interface:
		switch {
		case isNil(v.Y):
			w.writef("%s = %s %s nil", v.Name(), x, v.Op)
		case isNil(v.X):
			w.writef("%s = %s %s nil", v.Name(), y, v.Op)
		default:
			w.writef("%s = %srt.Equal(%s, %s, §)", v.Name(), not, x, y)
		}
	case *types.Struct, *types.Array:
		w.writef("%s = %srt.Equal(%s, %s, §)", v.Name(), not, x, y)
	case *types.Basic:
		w.writef("%s = %s %s %s", v.Name(), x, v.Op, y)
	default:
		switch {
		case isNil(v.Y):
			w.writef("%s = %s %s nil", v.Name(), x, v.Op)
		case isNil(v.X):
			w.writef("%s = %s %s nil", v.Name(), y, v.Op)
		default:
			w.writef("%s = %s %s %s", v.Name(), x, v.Op, y)
		}
	}
}

func (w *writer) convert(v *ssa.Convert) {
	from, to := v.X.Type().Underlying(), v.Type().Underlying()
	x, form := w.variable(v.X, w.val(v.X)), w.form(v.Type())
	if p, ok := to.(*types.Basic); ok && p.Kind() == types.UnsafePointer {
		w.cannot("unsafe.Pointer")
		return
	}
	if basicInfo(to)&types.IsString != 0 && basicInfo(from)&types.IsInteger != 0 {
		w.writef("%s = rt.RuneString(int64(%s))", v.Name(), x)
		return
	}
	if basicInfo(from)&types.IsInteger == 0 && basicInfo(from)&types.IsNumeric != 0 && basicInfo(to)&types.IsInteger != 0 && basicInfo(to)&types.IsUnsigned == 0 && form != "int64" {
		w.writef("%s = %s(int64(%s))", v.Name(), form, x)
		return
	}
	if form == "float32" && basicInfo(from)&types.IsInteger != 0 { // it would be rounded twice
		if basicInfo(from)&types.IsUnsigned != 0 {
			w.writef("%s = rt.FloatOfUint(uint64(%s))", v.Name(), x)
		} else {
			w.writef("%s = rt.FloatOfInt(int64(%s))", v.Name(), x)
		}
		return
	}
	if strings.ContainsAny(form, " *[(") {
		form = "(" + form + ")"
	}
	w.writef("%s = %s(%s)", v.Name(), form, x)
}

// interfaced writes a value as one of an interface type.
func (w *writer) interfaced(v *ssa.MakeInterface) {
	x, target := w.val(v.X), w.form(v.Type())
	id := w.id(v.X.Type())
	switch {
	case target != "any" && isFile(v.X.Type()):
		w.writef("%s_v = rt.AsWriter(%s); %s = %s_v.(%s)", v.Name(), x, v.Name(), v.Name(), target)
	case id == 0:
		w.writef("%s = %s", v.Name(), x)
	case target == "any":
		w.writef("%s = rt.Wrap(%d, %s)", v.Name(), id, x)
	case target == "error":
		w.writef("%s = rt.AsError(%d, %s)", v.Name(), id, x)
	default:
		w.wrapper(v.X.Type(), v.Type())
		w.writef("%s_v = rt.Assert(rt.Wrap(%d, %s), %d); %s = %s_v.(%s)", v.Name(), id, x, w.iface(v.Type()), v.Name(), v.Name(), target)
	}
}

// isFile reports whether a type is *os.File, whose writes rt must see.
func isFile(t types.Type) bool { return types.TypeString(t, nil) == "*os.File" }

// wrapper refuses an interface of compiled code that no value of the program can
// have.
func (w *writer) wrapper(from, t types.Type) {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return
	}
	if n.Obj().Pkg().Path() == "io" {
		w.optional(from, n)
	}
	table := shared().symbols[n.Obj().Pkg().Path()]
	if _, ok := table["_"+n.Obj().Name()]; !ok {
		w.cannot("a type of the program as " + n.Obj().Pkg().Name() + "." + n.Obj().Name())
	}
}

func (w *writer) changeInterface(v *ssa.ChangeInterface) {
	from, to := w.form(v.X.Type()), w.form(v.Type())
	x := w.val(v.X)
	switch {
	case to == from, to == "any" && from == "error":
		w.writef("%s = %s", v.Name(), x)
	case to == "any":
		w.writef("if %s == nil { %s = nil } else { %s = rt.Unwrap(%s) }", x, v.Name(), v.Name(), x)
	default:
		w.wrapper(nil, v.Type())
		w.writef("if %s == nil { %s = %s } else { %s_v = rt.Assert(%s, %d); %s = %s_v.(%s) }", x, v.Name(), w.zero(v.Type()), v.Name(), x, w.iface(v.Type()), v.Name(), v.Name(), to)
	}
}

func (w *writer) assert(v *ssa.TypeAssert) {
	x, form, name := w.val(v.X), w.form(v.AssertedType), v.Name()
	if isFile(v.AssertedType) {
		x = "rt.AsFile(" + x + ")"
	}
	value, ok := name, name+"_1"
	if v.CommaOk {
		value = name + "_0"
	}
	id := w.id(v.AssertedType)
	k := -1
	switch {
	case types.IsInterface(v.AssertedType):
		k = w.iface(v.AssertedType)
		w.writef("%s = rt.Implements(%s, %d)", ok, x, k)
		w.writef("if %s { %s_v = rt.Assert(%s, %d) }", ok, name, x, k)
		if form != "any" {
			w.wrapper(nil, v.AssertedType)
		}
	case id > 0:
		w.writef("%s = rt.ID(%s) == %d", ok, x, id)
		w.writef("if %s { %s_v = rt.Value(%s) }", ok, name, x)
	default:
		w.writef("%s, %s = %s.(%s)", value, ok, x, form)
		if v.CommaOk {
			w.writef("if !%s { %s = %s }", ok, value, w.zero(v.AssertedType))
			return
		}
	}
	if !v.CommaOk {
		w.writef("if !%s { rt.AssertFail(%s, %q, %q, %d, §) }", ok, x, w.reflected(v.X.Type()), w.reflected(v.AssertedType), k)
		if k < 0 && id == 0 {
			return
		}
	}
	set := fmt.Sprintf("%s = %s_v.(%s)", value, name, form)
	if form == "any" {
		set = fmt.Sprintf("%s = %s_v", value, name)
	}
	w.writef("if %s { %s } else { %s = %s }", ok, set, value, w.zero(v.AssertedType))
}

func (w *writer) slice(v *ssa.Slice) {
	x := w.variable(v.X, w.val(v.X))
	length, capacity, kind := "len("+x+")", "cap("+x+")", "slice"
	switch t := v.X.Type().Underlying().(type) {
	case *types.Pointer:
		w.notNil(v.X)
		length = fmt.Sprint(t.Elem().Underlying().(*types.Array).Len())
		capacity, kind = length, "array"
	case *types.Basic:
		capacity, kind = length, "string"
	}
	lo, hi, max := "0", length, "-2"
	if v.Low != nil {
		lo = "int(" + w.variable(v.Low, w.val(v.Low)) + ")"
	}
	if v.High != nil {
		hi = "int(" + w.variable(v.High, w.val(v.High)) + ")"
	}
	limit := capacity
	test := ""
	if v.Max != nil {
		max = "int(" + w.variable(v.Max, w.val(v.Max)) + ")"
		test = fmt.Sprintf("%s < 0 || %s > %s || ", max, max, capacity)
		limit = max
	}
	if v.High != nil {
		test += fmt.Sprintf("%s < 0 || %s > %s || ", hi, hi, limit)
	}
	if test += fmt.Sprintf("%s < 0 || %s > %s", lo, lo, hi); v.Low != nil || v.High != nil || v.Max != nil {
		w.writef("if %s { rt.Slice(%s, %s, %s, %s, %s, §, %q) }", test, lo, hi, max, length, capacity, kind)
	}
	text := ""
	if v.Low != nil {
		text = lo
	}
	text += ":"
	if v.High != nil {
		text += hi
	}
	if v.Max != nil {
		text += ":" + max
	}
	w.writef("%s = %s[%s]", v.Name(), x, text)
}

func (w *writer) lookup(v *ssa.Lookup) {
	x := w.variable(v.X, w.val(v.X))
	if _, ok := v.X.Type().Underlying().(*types.Map); !ok {
		w.inRange(v.Index, v.X, v.X.Type())
		w.writef("%s = %s[%s]", v.Name(), x, w.index(v.Index, v.X))
		return
	}
	key := w.key(v.Index, v.X)
	if !v.CommaOk {
		w.writef("%s = %s[%s]", v.Name(), x, key)
		return
	}
	w.writef("%s_0, %s_1 = %s[%s]", v.Name(), v.Name(), x, key)
	w.writef("if !%s_1 { %s_0 = %s }", v.Name(), v.Name(), w.zero(v.X.Type().Underlying().(*types.Map).Elem()))
}

func (w *writer) rangeStep(v *ssa.Range) {
	x, name := w.val(v.X), v.Name()
	m, ok := v.X.Type().Underlying().(*types.Map)
	if !ok {
		w.writef("%s = %s; %s_i = 0", name, x, name)
		return
	}
	if basicInfo(m.Key())&(types.IsFloat|types.IsComplex) != 0 {
		w.cannot("range over a map whose keys may be NaN")
	}
	keys := fmt.Sprintf("keys%d", w.line)
	key := w.form(m.Key())
	w.behind(fmt.Sprintf("func %s(m %s) []%s { r := make([]%s, 0, len(m)); for k := range m { r = append(r, k) }; return r }", keys, w.form(m), key, key))
	w.writef("%s = %s(%s); %s_i = 0", name, keys, x, name)
}

func (w *writer) next(v *ssa.Next) {
	r, name := v.Iter.(*ssa.Range), v.Name()
	iter := r.Name()
	used := func(i int) bool {
		b, ok := v.Type().(*types.Tuple).At(i).Type().(*types.Basic)
		return !ok || b.Kind() != types.Invalid
	}
	if v.IsString {
		w.writef("%s_0 = %s_i < len(%s)", name, iter, iter)
		key, value := "", iter+"_r"
		if used(1) {
			key = fmt.Sprintf("%s_1 = %s_i; ", name, iter)
		}
		set := ""
		if used(2) {
			set = fmt.Sprintf("%s_2 = %s; ", name, value)
		}
		w.writef("if %s_0 { %s%s, n := rt.Rune(%s[%s_i:]); _ = %s; %s%s_i = %s_i + n }", name, key, value, iter, iter, value, set, iter, iter)
		return
	}
	w.writef("n%d_%s:", w.line, name)
	label := fmt.Sprintf("n%d_%s", w.line-1, name)
	w.writef("%s_0 = %s_i < len(%s)", name, iter, iter)
	w.writef("if %s_0 {", name)
	m := r.X.Type().Underlying().(*types.Map)
	w.writef("var k %s; var e %s; var ok bool", w.form(m.Key()), w.form(m.Elem()))
	w.writef("k = %s[%s_i]; %s_i = %s_i + 1", iter, iter, iter, iter)
	w.writef("e, ok = %s[k]; _ = e", w.val(r.X))
	w.writef("if !ok { goto %s }", label)
	if used(1) {
		w.writef("%s_1 = k", name)
	}
	if used(2) {
		w.writef("%s_2 = e", name)
	}
	w.writef("}")
}

func (w *writer) selectStep(v *ssa.Select) {
	name := v.Name()
	if len(v.States) == 0 && v.Blocking {
		w.writef("select {}")
		return
	}
	dirs := ""
	var chans, sends []string
	for _, s := range v.States {
		if chans = append(chans, w.val(s.Chan)); s.Dir == types.SendOnly {
			dirs, sends = dirs+"s", append(sends, w.val(s.Send))
		} else {
			dirs, sends = dirs+"r", append(sends, "nil")
		}
	}
	w.writef("%s_0, %s_v, %s_1 = rt.Select(%v, %q, []any{%s}, []any{%s})", name, name, name, v.Blocking, dirs, strings.Join(chans, ", "), strings.Join(sends, ", "))
	recv := 2
	for i, s := range v.States {
		if s.Dir == types.SendOnly {
			continue
		}
		register := fmt.Sprintf("%s_%d", name, recv)
		elem := s.Chan.Type().Underlying().(*types.Chan).Elem()
		if form := w.form(elem); form == "any" {
			w.writef("if %s_0 == %d { %s = %s_v }", name, i, register, name)
		} else if form != "struct{}" {
			w.writef("if %s_0 == %d { if %s_v == nil { %s = %s } else { %s = %s_v.(%s) } }", name, i, name, register, w.zero(elem), register, name, form)
		}
		recv++
	}
}

// optional refuses a type with methods that package io would look for, besides those
// of the interface that its value is passed as.
func (w *writer) optional(from, to types.Type) {
	if from == nil {
		return
	}
	set := types.NewMethodSet(from)
	has := types.NewMethodSet(to)
	for _, name := range []string{"WriteTo", "ReadFrom", "WriteString", "ReadByte", "WriteByte", "ReadRune", "ReadAt", "WriteAt", "Seek"} {
		if set.Lookup(w.pkg, name) != nil && has.Lookup(nil, name) == nil {
			w.cannot(fmt.Sprintf("a %s as %s, as it has the method %s, too", w.reflected(from), w.reflected(to), name))
		}
	}
}
