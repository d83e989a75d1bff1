package rt

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Print is the builtin.
func Print(args []any) {
	for _, arg := range args {
		fmt.Fprint(Stderr, printed(arg))
	}
}

// Println is the builtin.
func Println(args []any) {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = printed(arg)
	}
	fmt.Fprintln(Stderr, strings.Join(words, " "))
}

// Words is an interface value as the builtin prints it: two words.
func Words(x any) any {
	if x == nil {
		return words("(0x0,0x0)")
	}
	return words("(0x4a8000,0xc000012345)")
}

type words string

func printed(arg any) string {
	arg = Value(arg)
	switch v := reflect.ValueOf(arg); {
	case arg == nil:
		return "nil"
	case v.CanFloat(), v.CanComplex():
		return number(arg)
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case v.Kind() == reflect.Slice:
		return fmt.Sprintf("[%d/%d]%#x", v.Len(), v.Cap(), v.Pointer())
	case v.Kind() == reflect.Struct || v.Kind() == reflect.Array:
		return "(0x0,0xc000012345)"
	default:
		return fmt.Sprintf("%#x", v.Pointer())
	}
}

// typeVerb stands for %T of a box: fmt writes %T itself.
const typeVerb = '\uE000'

// Format adapts a format to its arguments.
func Format(format string, args []any) string {
	if !strings.Contains(format, "T") {
		return format
	}
	var out strings.Builder
	n := 0 // the next argument
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			out.WriteByte(format[i])
			continue
		}
		end, bad := i+1, false // an index belongs right before a verb or star
		for ; end < len(format) && strings.IndexByte("+-# 0123456789.*[]", format[end]) >= 0; end++ {
			bad = bad || format[end-1] == ']' && format[end] != '*'
			switch format[end] {
			case '*':
				n++
			case '[':
				if index, _, ok := strings.Cut(format[end+1:], "]"); ok {
					if k, err := strconv.Atoi(index); err == nil {
						n = k - 1
					}
				}
			}
		}
		out.WriteString(format[i:end])
		if i = end; i == len(format) {
			break
		}
		switch {
		case format[i] == '%':
			n--
			out.WriteByte('%')
		case format[i] == 'T' && !bad && n >= 0 && n < len(args) && ID(args[n]) > 0:
			out.WriteRune(typeVerb)
		default:
			out.WriteByte(format[i])
		}
		n++
	}
	return out.String()
}

// Operands prepares arguments for fmt.Print, which puts no blank next to a string.
func Operands(args []any) []any {
	for i, arg := range args {
		if id := ID(arg); id > 0 && types[id].Kind == "string" {
			args[i] = fmt.Sprintf("%v", arg)
		}
	}
	return args
}

// Format prints the value as fmt prints one of its type.
func (b Box) Format(s fmt.State, verb rune) {
	if verb == typeVerb {
		fmt.Fprintf(s, fmt.FormatString(s, 's'), types[b.ID].Name)
		return
	}
	p := printer{s, verb, fmt.FormatString(s, verb)}
	p.value(b.ID, reflect.ValueOf(b.V), 0, true)
}

type printer struct {
	fmt.State
	verb   rune
	format string
}

func (p printer) write(s string) { fmt.Fprint(p.State, s) }

// method prints by a type's method, if fmt would.
func (p printer) method(t *Type, v reflect.Value) bool {
	if p.verb == 'v' && p.Flag('#') || !strings.ContainsRune("vsxXq", p.verb) || t.Kind == "interface" {
		return false
	}
	name := ""
	switch {
	case t.HasError:
		name = "Error"
	case t.HasString:
		name = "String"
	default:
		return false
	}
	defer func() {
		if r := recover(); r != nil {
			if v.Kind() == reflect.Pointer && v.IsNil() {
				p.write("<nil>")
				return
			}
			panic(r)
		}
	}()
	fmt.Fprintf(p.State, p.format, t.methods[name].Call([]reflect.Value{v})[0].String())
	return true
}

// value prints a value at a depth; methods says that fmt could call some.
func (p printer) value(id int, v reflect.Value, depth int, methods bool) {
	sharp := p.verb == 'v' && p.Flag('#')
	var t *Type
	name := ""
	switch {
	case id > 0:
		t = types[id]
		name = t.Name
		if methods && p.method(t, v) {
			return
		}
	case v.IsValid():
		name = v.Type().String()
		if asItIs(v, depth, methods) {
			fmt.Fprintf(p.State, p.format, v.Interface())
			return
		}
	}
	inner := func(elem int, v reflect.Value) { p.value(elem, v, depth+1, methods) }
	elem, key := 0, 0
	if t != nil {
		elem, key = t.Elem, t.Key
	}
	switch v.Kind() {
	case reflect.Interface:
		p.iface(name, v, depth, methods)
	case reflect.Struct:
		p.structure(t, name, v, depth, methods)
	case reflect.Map:
		if sharp {
			if p.write(name); v.IsNil() {
				p.write("(nil)")
				return
			}
			p.write("{")
		} else {
			p.write("map[")
		}
		for i, k := range sorted(v) {
			if i > 0 {
				p.write(map[bool]string{true: ", ", false: " "}[sharp])
			}
			inner(key, k)
			p.write(":")
			inner(elem, v.MapIndex(k))
		}
		p.write(map[bool]string{true: "}", false: "]"}[sharp])
	case reflect.Slice, reflect.Array:
		p.list(name, elem, v, depth, methods)
	case reflect.Pointer:
		if depth == 0 && !v.IsNil() {
			switch v.Elem().Kind() {
			case reflect.Array, reflect.Slice, reflect.Struct, reflect.Map:
				p.write("&")
				inner(elem, v.Elem())
				return
			}
		}
		p.pointer(name, v, depth)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		p.pointer(name, v, depth)
	default:
		text := fmt.Sprintf(p.format, basic(v))
		if strings.HasPrefix(text, "%!") { // fmt tells the type of what it can't print
			if begin, end, ok := strings.Cut(text, "("); ok {
				_, value, _ := strings.Cut(end, "=")
				text = begin + "(" + name + "=" + value
			}
		}
		p.write(text)
	}
}

// asItIs reports whether fmt prints a value of compiled code as it is.
func asItIs(v reflect.Value, depth int, methods bool) bool {
	if !methods || !v.CanInterface() {
		return false
	}
	switch v.Kind() {
	case reflect.Interface:
		return false
	case reflect.Pointer:
		if depth == 0 {
			return true
		}
		switch v.Interface().(type) {
		case fmt.Formatter, error, fmt.Stringer:
			return true
		}
		return false
	}
	return true
}

func (p printer) iface(name string, v reflect.Value, depth int, methods bool) {
	if v.IsNil() {
		if p.verb == 'v' && p.Flag('#') {
			p.write(name + "(nil)")
		} else {
			p.write("<nil>")
		}
		return
	}
	v = v.Elem()
	if b, ok := readable(v).Interface().(boxed); ok {
		p.value(b.box().ID, reflect.ValueOf(b.box().V), depth+1, methods)
		return
	}
	p.value(0, v, depth+1, methods)
}

// readable returns v, even if it comes from an unexported field.
func readable(v reflect.Value) reflect.Value {
	if v.CanInterface() {
		return v
	}
	return reflect.ValueOf("")
}

func (p printer) structure(t *Type, name string, v reflect.Value, depth int, methods bool) {
	sharp := p.verb == 'v' && p.Flag('#')
	if sharp {
		p.write(name)
	}
	p.write("{")
	for i := range v.NumField() {
		if i > 0 {
			p.write(map[bool]string{true: ", ", false: " "}[sharp])
		}
		f := Field{Name: v.Type().Field(i).Name, Exported: v.Type().Field(i).IsExported()}
		if t != nil {
			f = t.Fields[i]
		}
		if p.Flag('+') || sharp {
			p.write(f.Name + ":")
		}
		p.value(f.Type, v.Field(i), depth+1, methods && f.Exported)
	}
	p.write("}")
}

func (p printer) list(name string, elem int, v reflect.Value, depth int, methods bool) {
	sharp := p.verb == 'v' && p.Flag('#')
	if v.Type().Elem().Kind() == reflect.Uint8 && strings.ContainsRune("sqxX", p.verb) {
		if v.Kind() == reflect.Slice {
			fmt.Fprintf(p.State, p.format, v.Bytes())
			return
		}
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		fmt.Fprintf(p.State, p.format, b)
		return
	}
	if sharp {
		p.write(name)
		if v.Kind() == reflect.Slice && v.IsNil() {
			p.write("(nil)")
			return
		}
		p.write("{")
	} else {
		p.write("[")
	}
	for i := range v.Len() {
		if i > 0 {
			p.write(map[bool]string{true: ", ", false: " "}[sharp])
		}
		p.value(elem, v.Index(i), depth+1, methods)
	}
	p.write(map[bool]string{true: "}", false: "]"}[sharp])
}

func (p printer) pointer(name string, v reflect.Value, depth int) {
	sharp := p.verb == 'v' && p.Flag('#')
	switch {
	case sharp && v.IsNil():
		p.write("(" + name + ")(nil)")
	case sharp:
		p.write(fmt.Sprintf("(%s)(%#x)", name, v.Pointer()))
	case p.verb == 'v' && v.IsNil():
		p.write("<nil>")
	case p.verb == 'v':
		p.write(fmt.Sprintf("%#x", v.Pointer()))
	default:
		fmt.Fprintf(p.State, p.format, v.Pointer())
	}
}

// basic is the value as one of a predeclared type.
func basic(v reflect.Value) any {
	switch {
	case v.CanInt():
		return v.Convert(map[reflect.Kind]reflect.Type{
			reflect.Int: reflect.TypeFor[int](), reflect.Int8: reflect.TypeFor[int8](), reflect.Int16: reflect.TypeFor[int16](),
			reflect.Int32: reflect.TypeFor[int32](), reflect.Int64: reflect.TypeFor[int64](),
		}[v.Kind()]).Int()
	case v.CanUint():
		return v.Uint()
	case v.Kind() == reflect.Float32:
		return float32(v.Float())
	case v.CanFloat():
		return v.Float()
	case v.Kind() == reflect.Complex64:
		return complex64(v.Complex())
	case v.CanComplex():
		return v.Complex()
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	}
	return nil
}

// sorted are the keys of a map in the order in which fmt prints them.
func sorted(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	less := func(a, b reflect.Value) bool {
		for a.Kind() == reflect.Interface {
			a = a.Elem()
		}
		for b.Kind() == reflect.Interface {
			b = b.Elem()
		}
		if a.Kind() != b.Kind() {
			return a.Kind() < b.Kind()
		}
		switch {
		case a.CanInt():
			return a.Int() < b.Int()
		case a.CanUint():
			return a.Uint() < b.Uint()
		case a.CanFloat():
			return a.Float() < b.Float()
		case a.Kind() == reflect.String:
			return a.String() < b.String()
		case a.Kind() == reflect.Bool:
			return !a.Bool() && b.Bool()
		case a.Kind() == reflect.Struct, a.Kind() == reflect.Array:
			return fmt.Sprint(a) < fmt.Sprint(b)
		}
		return false
	}
	for i := 1; i < len(keys); i++ {
		for j := i; j > 0 && less(keys[j], keys[j-1]); j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}
