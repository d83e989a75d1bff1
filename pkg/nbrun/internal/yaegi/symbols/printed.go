package symbols

import "reflect"

// Printed is the import path of a package that programs are given to print with.
// Its function Text is for what has a String or Error method: it returns a value
// that fmt prints as that text, and that is no string, as fmt.Print puts blanks
// between operands that are none. Print and Println do what Go's builtins do; the
// interpreter's own write to stdout.
const Printed = "nbrun/printed"

type printed struct{ text string }

func (p printed) String() string { return p.text }

func init() {
	Symbols[Printed+"/printed"] = map[string]reflect.Value{
		"Text":    reflect.ValueOf(func(text string) any { return printed{text} }),
		"Print":   reflect.ValueOf(builtinPrint),
		"Println": reflect.ValueOf(builtinPrintln),
	}
}

func builtinPrint(args ...any) {
	for _, arg := range args {
		switch v := reflect.ValueOf(arg); {
		case v.CanInt():
			print(v.Int())
		case v.CanUint():
			print(v.Uint())
		case v.CanFloat():
			print(v.Float())
		case v.CanComplex():
			print(v.Complex())
		case v.Kind() == reflect.String:
			print(v.String())
		case v.Kind() == reflect.Bool:
			print(v.Bool())
		case v.Kind() == reflect.Slice:
			print("[", v.Len(), "/", v.Cap(), "]", v.UnsafePointer())
		case v.Kind() == reflect.Pointer, v.Kind() == reflect.Map, v.Kind() == reflect.Chan, v.Kind() == reflect.Func, v.Kind() == reflect.UnsafePointer:
			print(v.UnsafePointer())
		default:
			print(arg)
		}
	}
}

func builtinPrintln(args ...any) {
	for i, arg := range args {
		if i > 0 {
			print(" ")
		}
		builtinPrint(arg)
	}
	println()
}
