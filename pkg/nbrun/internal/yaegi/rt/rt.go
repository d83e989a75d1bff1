// Package rt is what interpreted programs in explicit form call for what the
// interpreter does differently from Go: interface values of types that the program
// declares, panics with their place, and the printing of both.
package rt

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols"
)

// Path is the import path by which programs know this package.
const Path = "nbrun/rt"

func init() {
	table := map[string]reflect.Value{
		"Box": reflect.ValueOf((*Box)(nil)), "P": reflect.ValueOf((*P)(nil)), "M": reflect.ValueOf((*M)(nil)),
	}
	for name, f := range map[string]any{
		"Struct": Struct, "Structs": Structs, "Testing": Testing, "Test": Test, "Benchmark": Benchmark, "RunTests": RunTests, "OfT": OfT, "OfB": OfB, "TestLog": TestLog,
		"Types": Types, "Method": Method, "Interface": Interface,
		"Wrap": Wrap, "ID": ID, "Value": Value, "Equal": Equal, "Key": Key, "Implements": Implements, "Assert": Assert,
		"Call": Call, "AsError": AsError, "Unwrap": unwrapped,
		"Panic": Panic, "Index": Index, "Slice": Slice, "Nil": Nil, "Divide": Divide, "Shift": Shift, "MakeLen": MakeLen, "NilMap": NilMap,
		"ArrayLen": ArrayLen, "AssertFail": AssertFail, "Recover": Recover, "Run": Run, "Die": Die,
		"Rune": Rune, "RuneString": RuneString, "FloatOfInt": FloatOfInt, "FloatOfUint": FloatOfUint, "Print": Print, "Println": Println, "Clear": Clear, "Format": Format, "Operands": Operands, "Elem": Elem, "Select": Select, "Native": Native, "Chain": Chain, "Words": Words, "ArrayPointer": ArrayPointer,
		"AsWriter": AsWriter, "AsFile": AsFile, "FileWrite": FileWrite, "FileWriteString": FileWriteString, "FileReadFrom": FileReadFrom,
	} {
		table[name] = reflect.ValueOf(f)
	}
	symbols.Symbols[Path+"/rt"] = table
}

// Type describes a type that the program declares, or one made of such types.
type Type struct {
	Name       string // as reflect writes it
	Kind       string
	Elem, Key  int // of pointers, slices, arrays, maps; 0 for types that compiled code knows
	Fields     []Field
	Comparable bool
	HasError   bool // it has the method Error() string
	HasString  bool
	methods    map[string]reflect.Value
}

// Field is one of a struct.
type Field struct {
	Name     string
	Type     int
	Exported bool
	Embedded bool
	Tag      string
}

var (
	types      []*Type // by ID; the first is nil
	interfaces []iface
)

// M is a method of an interface: its name, and its type as reflect writes it.
type M struct{ Name, Type string }

// of reports whether a type of compiled code has the method.
func (m M) of(t reflect.Type) bool {
	has, ok := t.MethodByName(m.Name)
	if !ok {
		return false
	}
	return reflect.Zero(t).Method(has.Index).Type().String() == m.Type
}

type iface struct {
	methods []M
	types   []int // those of the program that implement it
	wrapper reflect.Type
	native  reflect.Type
}

// Types says what the IDs mean, in JSON.
func Types(text string) {
	if err := json.Unmarshal([]byte(text), &types); err != nil {
		panic(err)
	}
}

// Method provides a type's method: a function whose first parameter is the receiver.
func Method(id int, name string, f any) {
	if types[id].methods == nil {
		types[id].methods = map[string]reflect.Value{}
	}
	types[id].methods[name] = reflect.ValueOf(f)
}

// Interface describes the next interface type: its methods, and the
// types of the program that implement it. One of a compiled package has a name.
func Interface(methods []M, ids []int, pkg, name string) {
	i := iface{methods: methods, types: ids}
	if pkg != "" {
		table := symbols.Symbols[pkg+"/"+pkg[strings.LastIndex(pkg, "/")+1:]]
		if v, ok := table[name]; ok {
			i.native = v.Type().Elem()
		}
		if v, ok := table["_"+name]; ok {
			i.wrapper = v.Type().Elem()
		}
	}
	interfaces = append(interfaces, i)
}

// Box is a value of a type of the program in an interface.
type Box struct {
	ID int
	V  any
}

type (
	errorBox    struct{ Box }
	stringerBox struct{ Box }
	bothBox     struct{ errorBox }
)

func (b errorBox) Error() string     { return b.text("Error") }
func (b stringerBox) String() string { return b.text("String") }
func (b bothBox) String() string     { return b.text("String") }

// Unwrap is for errors.Is and errors.As.
func (b errorBox) Unwrap() error {
	if m, ok := types[b.ID].methods["Unwrap"]; ok {
		err, _ := m.Call([]reflect.Value{reflect.ValueOf(b.V)})[0].Interface().(error)
		return err
	}
	return nil
}

// Is is for errors.Is.
func (b errorBox) Is(target error) bool {
	if m, ok := types[b.ID].methods["Is"]; ok {
		arg := reflect.New(reflect.TypeFor[error]()).Elem()
		if target != nil {
			arg.Set(reflect.ValueOf(target))
		}
		return m.Call([]reflect.Value{reflect.ValueOf(b.V), arg})[0].Bool()
	}
	return false
}

func (b Box) text(method string) string {
	return types[b.ID].methods[method].Call([]reflect.Value{reflect.ValueOf(b.V)})[0].String()
}

func (b Box) box() Box { return b }

type boxed interface{ box() Box }

// Wrap puts a value into an interface.
func Wrap(id int, v any) any {
	b := Box{id, v}
	switch t := types[id]; {
	case t.HasError && t.HasString:
		return bothBox{errorBox{b}}
	case t.HasError:
		return errorBox{b}
	case t.HasString:
		return stringerBox{b}
	}
	return b
}

// AsError is Wrap for a type with the method Error.
func AsError(id int, v any) error { return Wrap(id, v).(error) }

// unwrapped is x, or what x was made of by Assert.
func unwrapped(x any) any {
	if v := reflect.ValueOf(x); v.Kind() == reflect.Struct {
		if inner := v.FieldByName("IValue"); inner.IsValid() {
			if b, ok := inner.Interface().(boxed); ok {
				return b
			}
		}
	}
	return x
}

// ID is that of the type of an interface value, 0 for a type of compiled code, and
// -1 for nil.
func ID(x any) int {
	if x == nil {
		return -1
	}
	if b, ok := unwrapped(x).(boxed); ok {
		return b.box().ID
	}
	return 0
}

// Value is what is in an interface.
func Value(x any) any {
	if b, ok := unwrapped(x).(boxed); ok {
		return b.box().V
	}
	return x
}

// typeName is the name of the type of an interface value.
func typeName(x any) string {
	if id := ID(x); id > 0 {
		return types[id].Name
	}
	if x == nil {
		return "nil"
	}
	return reflect.TypeOf(x).String()
}

// Implements reports whether the type of x has the methods of an interface.
func Implements(x any, i int) bool {
	switch id := ID(x); {
	case id < 0:
		return false
	case id > 0:
		return len(interfaces[i].methods) == 0 || slices.Contains(interfaces[i].types, id)
	}
	t := reflect.TypeOf(x)
	if interfaces[i].native != nil {
		return t.Implements(interfaces[i].native)
	}
	return !slices.ContainsFunc(interfaces[i].methods, func(m M) bool { return !m.of(t) })
}

// Assert returns x in a form that has the methods of an interface of compiled code.
func Assert(x any, i int) any {
	x = unwrapped(x)
	b, ok := x.(boxed)
	if !ok || interfaces[i].native == nil || reflect.TypeOf(x).Implements(interfaces[i].native) {
		return x
	}
	methods := types[b.box().ID].methods
	w := reflect.New(interfaces[i].wrapper).Elem()
	w.FieldByName("IValue").Set(reflect.ValueOf(x))
	receiver := reflect.ValueOf(b.box().V)
	for _, m := range interfaces[i].methods {
		f := w.FieldByName("W" + m.Name)
		method := methods[m.Name]
		f.Set(reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
			args = append([]reflect.Value{receiver}, args...)
			return method.Call(args)
		}))
	}
	return w.Interface()
}

// Call calls a method of a value of compiled code.
func Call(x any, method string, args []any) []any {
	m := reflect.ValueOf(x).MethodByName(method)
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		if in[i] = reflect.ValueOf(arg); arg == nil {
			in[i] = reflect.Zero(m.Type().In(i))
		}
	}
	var results []reflect.Value
	if m.Type().IsVariadic() {
		results = m.CallSlice(in)
	} else {
		results = m.Call(in)
	}
	out := make([]any, len(results))
	for i, r := range results {
		out[i] = r.Interface()
	}
	return out
}

// Equal compares interfaces.
func Equal(x, y any, line int) bool {
	x, y = unwrapped(x), unwrapped(y)
	if ID(x) == ID(y) && x != nil && reflect.TypeOf(x) == reflect.TypeOf(y) && !comparable(x) {
		failed(line, "comparing uncomparable type %s", typeName(x))
	}
	return x == y
}

// comparable reports whether values of the type of x can be compared.
func comparable(x any) bool {
	if id := ID(x); id > 0 {
		return types[id].Comparable
	}
	return reflect.TypeOf(x).Comparable()
}

// Key is x, as the key of a map.
func Key(x any, line int) any {
	x = unwrapped(x)
	if x != nil && !comparable(x) {
		failed(line, "hash of unhashable type %s", typeName(x))
	}
	return x
}

// Clear empties a map.
func Clear(m any) { reflect.ValueOf(m).Clear() }

// Elem is the address of an element of an array.
func Elem(array any, i int) any { return reflect.ValueOf(array).Elem().Index(i).Addr().Interface() }

var _ fmt.Formatter = Box{}

// ArrayPointer converts a slice to a pointer to an array of n elements.
func ArrayPointer(slice any, n int) any {
	v := reflect.ValueOf(slice)
	return v.Convert(reflect.PointerTo(reflect.ArrayOf(n, v.Type().Elem()))).Interface()
}

// Select waits for the first of its cases; dirs has s for one that sends. It returns
// which one it was, -1 if none was ready, and the received value.
func Select(blocking bool, dirs string, chans, sends []any) (int, any, bool) {
	cases := make([]reflect.SelectCase, len(chans), len(chans)+1)
	for i, ch := range chans {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)}
		if dirs[i] == 's' {
			cases[i].Dir = reflect.SelectSend
			if cases[i].Send = reflect.ValueOf(sends[i]); sends[i] == nil {
				cases[i].Send = reflect.Zero(cases[i].Chan.Type().Elem())
			}
		}
	}
	if !blocking {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectDefault})
	}
	i, v, ok := reflect.Select(cases)
	if i == len(chans) {
		return -1, nil, false
	}
	if !v.IsValid() {
		return i, nil, false
	}
	return i, v.Interface(), ok
}

// Chain is an error with all that it wraps, in the order of errors.As.
func Chain(err error) []error {
	if err == nil {
		return nil
	}
	chain := []error{err}
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		return append(chain, Chain(x.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range x.Unwrap() {
			chain = append(chain, Chain(inner)...)
		}
	}
	return chain
}
