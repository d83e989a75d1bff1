package symbols

import "reflect"

// Printed is the import path of a package that programs are given to print what
// has a String or Error method: its one function, Text, returns a value that fmt
// prints as that text, and that is no string, as fmt.Print puts blanks between
// operands that are none.
const Printed = "nbrun/printed"

type printed struct{ text string }

func (p printed) String() string { return p.text }

func init() {
	Symbols[Printed+"/printed"] = map[string]reflect.Value{
		"Text": reflect.ValueOf(func(text string) any { return printed{text} }),
	}
}
