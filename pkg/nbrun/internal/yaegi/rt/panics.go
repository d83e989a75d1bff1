package rt

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// P is a panic of the program.
type P struct {
	value     any
	line      int // of the program in explicit form
	recovered bool
}

// Error is what the runtime writes behind "panic: ".
func (p *P) Error() string { return text(p.value) }

// Error is an error of Go's runtime.
type Error struct{ text string }

func (e Error) Error() string { return "runtime error: " + e.text }

// RuntimeError makes it a runtime.Error.
func (e Error) RuntimeError() {}

// assertion is a failed type assertion.
type assertion struct{ text string }

func (e *assertion) Error() string { return e.text }
func (e *assertion) RuntimeError() {}

const nilPointer = "invalid memory address or nil pointer dereference"

// text is a panic's value as the runtime writes it.
func text(v any) string {
	if b, ok := unwrapped(v).(boxed); ok {
		t := types[b.box().ID]
		switch x := v.(type) {
		case error:
			return x.Error()
		case fmt.Stringer:
			return x.String()
		}
		switch t.Kind {
		case "string":
			return fmt.Sprintf("%s(%q)", t.Name, b.box().V)
		case "basic":
			return fmt.Sprintf("%s(%v)", t.Name, number(b.box().V))
		}
		return fmt.Sprintf("(%s) %s", t.Name, "0xc000012345")
	}
	switch v := v.(type) {
	case *P:
		return text(v.value)
	case Error:
		s := v.Error()
		if v.text == nilPointer {
			s += "\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x0]"
		}
		return s
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case string:
		return v
	}
	switch r := reflect.ValueOf(v); {
	case r.Kind() == reflect.Bool, r.CanInt(), r.CanUint(), r.CanFloat(), r.CanComplex():
		if r.Type().PkgPath() != "" {
			return fmt.Sprintf("%s(%v)", r.Type(), number(v))
		}
		return number(v)
	}
	return fmt.Sprintf("(%T) %s", v, "0xc000012345")
}

// number is a value as the builtin print writes it.
func number(v any) string {
	r := reflect.ValueOf(v)
	switch bits := int(r.Type().Size()) * 8; {
	case r.CanFloat():
		return strconv.FormatFloat(r.Float(), 'g', -1, bits)
	case r.CanComplex():
		return strconv.FormatComplex(r.Complex(), 'g', -1, bits)
	}
	return fmt.Sprint(v)
}

// Panic panics with a value, at a line.
func Panic(v any, line int) {
	if v == nil {
		v = new(runtime.PanicNilError)
	}
	panic(&P{value: v, line: line})
}

func failed(line int, format string, args ...any) {
	panic(&P{value: Error{fmt.Sprintf(format, args...)}, line: line})
}

// Index is an index that is out of range.
func Index(i any, n, line int) {
	if v := reflect.ValueOf(i); v.CanInt() && v.Int() < 0 {
		failed(line, "index out of range [%d]", i)
	}
	failed(line, "index out of range [%d] with length %d", i, n)
}

// Slice is lo:hi:max of something with that length and capacity.
func Slice(lo, hi, max, length, capacity, line int, kind string) {
	of := "capacity"
	limit := capacity
	if kind == "string" || kind == "array" {
		of, limit = "length", length
	}
	neg := func(i int, s string) string {
		if i < 0 {
			return strings.Split(strings.Replace(s, "%d", fmt.Sprint(i), 1), " with")[0]
		}
		return s
	}
	switch {
	case max != -2 && (max < 0 || max > capacity):
		failed(line, neg(max, "slice bounds out of range [::%d] with "+of+" %d"), args(max, limit)...)
	case max != -2 && (hi < 0 || hi > max):
		failed(line, neg(hi, "slice bounds out of range [:%d:%d]"), args(hi, max)...)
	case max != -2 && (lo < 0 || lo > hi):
		failed(line, neg(lo, "slice bounds out of range [%d:%d:]"), args(lo, hi)...)
	case hi < 0 || hi > limit:
		failed(line, neg(hi, "slice bounds out of range [:%d] with "+of+" %d"), args(hi, limit)...)
	default:
		if lo < 0 {
			failed(line, "slice bounds out of range [%d:]", lo)
		}
		failed(line, "slice bounds out of range [%d:%d]", lo, hi)
	}
}

func args(i, n int) []any {
	if i < 0 {
		return nil
	}
	return []any{i, n}
}

// Nil is a nil pointer that was followed.
func Nil(line int) { failed(line, nilPointer) }

// Divide is a division by zero.
func Divide(line int) { failed(line, "integer divide by zero") }

// Shift is a shift by a negative number.
func Shift(line int) { failed(line, "negative shift amount") }

// MakeLen is a wrong length for make.
func MakeLen(what string, line int) { failed(line, "%s out of range", what) }

// ArrayLen is a slice too short for an array.
func ArrayLen(n, want, line int) {
	failed(line, "cannot convert slice with length %d to array or pointer to array with length %d", n, want)
}

// NilMap is an assignment to an entry in a nil map.
func NilMap(line int) {
	panic(&P{value: plainError("assignment to entry in nil map"), line: line})
}

type plainError string

func (e plainError) Error() string { return string(e) }
func (e plainError) RuntimeError() {}

// AssertFail is a type assertion that does not hold.
func AssertFail(x any, from, to string, i, line int) {
	switch {
	case x == nil && i < 0:
		panic(&P{value: &assertion{fmt.Sprintf("interface conversion: %s is nil, not %s", from, to)}, line: line})
	case x == nil:
		panic(&P{value: &assertion{fmt.Sprintf("interface conversion: interface is nil, not %s", to)}, line: line})
	case i < 0:
		panic(&P{value: &assertion{fmt.Sprintf("interface conversion: %s is %s, not %s", from, typeName(x), to)}, line: line})
	}
	missing := ""
	for _, m := range interfaces[i].methods {
		if id := ID(x); id > 0 {
			if _, ok := types[id].methods[m.Name]; ok {
				continue
			}
		} else if m.of(reflect.TypeOf(x)) {
			continue
		}
		missing = m.Name
		break
	}
	panic(&P{value: &assertion{fmt.Sprintf("interface conversion: %s is not %s: missing method %s", typeName(x), to, missing)}, line: line})
}

// unwound is the line of the innermost function that a panic has left since the last
// one was caught. The interpreter says no more about a panic of compiled code.
var unwound atomic.Int64

// Unwound tells the line of a function that a panic leaves.
func Unwound(line int) { unwound.CompareAndSwap(0, int64(line)) }

// Caught makes a panic of what the interpreter has recovered, or nil of nil.
func Caught(r any) *P {
	if r == nil {
		return nil
	}
	line := int(unwound.Swap(0))
	if p, ok := r.(*P); ok {
		p.recovered = false
		return p
	}
	return &P{value: r, line: line}
}

// Recover is what recover returns in a function that was deferred.
func Recover(p *P) any {
	if p == nil || p.recovered {
		return nil
	}
	p.recovered = true
	return p.value
}

// Run calls the body of a function, and, if it panics or ends its goroutine, what it
// has deferred and not called yet, last first. It returns the panic if one was
// recovered.
func Run(body func(), deferred *[]func(*P)) (p *P) {
	returned := false
	defer func() {
		if returned {
			return
		}
		p = Caught(recover())
		for n := len(*deferred); n > 0; n = len(*deferred) {
			f := (*deferred)[n-1]
			*deferred = (*deferred)[:n-1]
			p = call(f, p)
		}
		if p != nil && !p.recovered {
			panic(p)
		}
	}()
	body()
	returned = true
	return nil
}

// call calls a deferred function during a panic, if there is one, and returns the one
// that goes on.
func call(f func(*P), p *P) (q *P) {
	defer func() {
		if r := recover(); r != nil {
			q = Caught(r)
		}
	}()
	f(p)
	return p
}

// Die ends the process as an uncaught panic does.
func Die(r any) {
	p := Caught(r)
	fmt.Fprintf(Stderr, "panic: %s\n\n", text(p.value))
	p.writeFrame()
	fmt.Fprintln(Stderr, "goroutine 1 [running]:")
	os.Exit(2)
}

// writeFrame writes the known place of a panic.
func (p *P) writeFrame() {
	if p.line > 0 {
		fmt.Fprintf(Stderr, "%s\nmain.main(...)\n\t/nbrun/program.go:%d\n", Frames, p.line)
	}
}

// Frames is a line before the frames of a panic.
const Frames = "nbrun: frames"

// Rune decodes the first rune of a string.
func Rune(s string) (rune, int) { return utf8.DecodeRuneInString(s) }

// RuneString is the conversion of an integer to a string.
func RuneString(i int64) string {
	if i != int64(rune(i)) {
		i = utf8.RuneError
	}
	return string(rune(i))
}

// FloatOfInt converts an integer.
func FloatOfInt(i int64) float32 { return float32(i) }

// FloatOfUint converts an integer.
func FloatOfUint(i uint64) float32 { return float32(i) }
