package rt

import (
	"fmt"
	"reflect"
	"strings"
)

// Refuse ends the program, before it has done anything, for what stands on a line.
var Refuse func(line int, why string)

// SeveralWays is why the interpreter can't have a type.
const SeveralWays = "a type that contains itself in more than one way"

// layout is what a struct should be, and what it has become.
type layout struct {
	line   int
	number int
	fields []string
	t      reflect.Type
}

var (
	layouts []layout
	structs = map[reflect.Type]string{}
)

// Struct tells of a struct that contains itself or that others contain which do so: its
// number, its fields' types, as written by the emitter, and a value of it.
func Struct(line, number int, fields string, value any) {
	layouts = append(layouts, layout{line, number, strings.Split(fields, ";"), reflect.TypeOf(value)})
}

// Structs compares all of them with what they should be.
func Structs() {
	for _, l := range layouts {
		if structs[l.t] != "" {
			Refuse(l.line, "two types that contain themselves and differ in nothing else")
		}
		structs[l.t] = fmt.Sprintf("S%d", l.number)
	}
	for _, l := range layouts {
		if !l.right() {
			Refuse(l.line, SeveralWays)
		}
	}
}

// right compares the types of the fields, and where they lie.
func (l layout) right() bool {
	if l.t.Kind() != reflect.Struct || l.t.NumField() != len(l.fields) {
		return false
	}
	end, widest := uintptr(0), 1
	for i, want := range l.fields {
		f := l.t.Field(i)
		align := f.Type.Align()
		end = aligned(end, align)
		if shape(f.Type) != want || f.Offset != end {
			return false
		}
		end += f.Type.Size()
		widest = max(widest, align)
	}
	return l.t.Size() >= aligned(end, widest)
}

func aligned(at uintptr, to int) uintptr { return (at + uintptr(to) - 1) &^ (uintptr(to) - 1) }

// shape writes a type with the known structs by number, and all that contains none as
// "_".
func shape(t reflect.Type) string {
	if name, ok := structs[t]; ok {
		return name
	}
	if t.Name() != "" {
		return "_"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return over("*", shape(t.Elem()))
	case reflect.Slice:
		return over("[]", shape(t.Elem()))
	case reflect.Array:
		return over(fmt.Sprintf("[%d]", t.Len()), shape(t.Elem()))
	case reflect.Chan:
		return over("chan ", shape(t.Elem()))
	case reflect.Map:
		key, elem := shape(t.Key()), shape(t.Elem())
		if key == "_" && elem == "_" {
			return "_"
		}
		return "map[" + key + "]" + elem
	case reflect.Func:
		var in, out []string
		for p := range t.Ins() {
			in = append(in, shape(p))
		}
		for r := range t.Outs() {
			out = append(out, shape(r))
		}
		text := strings.Join(in, ",") + ")(" + strings.Join(out, ",")
		if strings.Trim(text, "_,()") == "" {
			return "_"
		}
		return "func(" + text + ")"
	case reflect.Struct:
		if t.NumField() > 0 {
			return "struct" // that does not contain itself
		}
	}
	return "_"
}

func over(outer, inner string) string {
	if inner == "_" {
		return inner
	}
	return outer + inner
}
