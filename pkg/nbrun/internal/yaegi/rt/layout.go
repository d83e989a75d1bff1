package rt

import (
	"fmt"
	"reflect"
	"strings"
)

// Refuse ends the program, before it has done anything, because of what is on a line.
var Refuse func(line int, why string)

// SeveralWays is the reason why the interpreter can't make a type.
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

// Struct describes a struct that contains itself: its number, its fields' types, as
// written by the emitter, and a value of it.
func Struct(line, number int, fields string, value any) {
	layouts = append(layouts, layout{line, number, strings.Split(fields, ";"), reflect.TypeOf(value)})
}

// Structs compares all of them with what they should be.
func Structs() {
	for _, l := range layouts {
		if structs[l.t] != "" {
			Refuse(l.line, "two types that contain themselves and differ in nothing else")
		}
		structs[l.t] = StructName(l.number)
	}
	for _, l := range layouts {
		if !l.right() {
			Refuse(l.line, SeveralWays)
		}
	}
}

// right compares the types and offsets of the fields.
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

// shape writes a type with the known structs by number, and everything that contains
// none as "_".
func shape(t reflect.Type) string {
	if name, ok := structs[t]; ok {
		return name
	}
	if t.Name() != "" {
		return NoStruct
	}
	switch t.Kind() {
	case reflect.Pointer:
		return Around("*", shape(t.Elem()))
	case reflect.Slice:
		return Around("[]", shape(t.Elem()))
	case reflect.Array:
		return Around(fmt.Sprintf("[%d]", t.Len()), shape(t.Elem()))
	case reflect.Chan:
		return Around("chan ", shape(t.Elem()))
	case reflect.Map:
		return OfMap(shape(t.Key()), shape(t.Elem()))
	case reflect.Func:
		var in, out []string
		for p := range t.Ins() {
			in = append(in, shape(p))
		}
		for r := range t.Outs() {
			out = append(out, shape(r))
		}
		return OfFunc(in, out)
	case reflect.Struct:
		if t.NumField() > 0 {
			return PlainStruct
		}
	}
	return NoStruct
}

// How the emitter and this package write types, so that both can be compared: those that
// contain no struct, and structs that do not contain themselves, are all the same.
const (
	NoStruct    = "_"
	PlainStruct = "struct"
)

// StructName is a struct that contains itself.
func StructName(number int) string { return fmt.Sprintf("S%d", number) }

// Around writes a type that is made of another.
func Around(outer, inner string) string {
	if inner == NoStruct {
		return inner
	}
	return outer + inner
}

// OfMap writes a map.
func OfMap(key, elem string) string {
	if key == NoStruct && elem == NoStruct {
		return NoStruct
	}
	return "map[" + key + "]" + elem
}

// OfFunc writes a function.
func OfFunc(in, out []string) string {
	if strings.Trim(strings.Join(in, "")+strings.Join(out, ""), NoStruct) == "" {
		return NoStruct
	}
	return "func(" + strings.Join(in, ",") + ")(" + strings.Join(out, ",") + ")"
}
