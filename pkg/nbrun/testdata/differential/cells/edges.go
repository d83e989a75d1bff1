package main

import (
	"fmt"
	"os"
	"strings"
)

type (
	A struct{ B }
	B struct{ C }
	C struct{ v int }
)

func (c *C) Inc()    { c.v++ }
func (c C) Get() int { return c.v }

type (
	I interface{ Get() int }
	J interface {
		I
		Inc()
	}
)
type (
	F func(int) F
	R struct{ f func(R) int }
)

type Err string

func (e Err) Error() string { return string(e) }

type wrap struct{ error }

type grid [3][3]int

func mod(g grid) grid { g[1][1] = 5; return g }

type opt struct {
	a, b *int
	_    int
	c    struct{ d []string }
}

func variadic(pre string, xs ...any) string { return pre + fmt.Sprint(len(xs), xs) }
func ints(xs ...int) (n int) {
	for _, x := range xs {
		n += x
	}
	return
}

var (
	va = vb + 1
	vb = fc()
	vm = map[string]func() int{"a": fc}
)

func fc() int { return 41 }
func init()   { vb++ }

func deferOrder() (s string) {
	for i := 0; i < 3; i++ {
		defer func(n int) { s += fmt.Sprint(n) }(i)
	}
	defer func() {
		defer func() { s += fmt.Sprint("[", recover(), "]") }()
		panic("inner")
	}()
	return "r"
}

func nested() {
	defer fmt.Println("n1")
	func() {
		defer func() {
			fmt.Println("re:", recover())
		}()
		nested2()
	}()
	fmt.Println("n2")
}

func nested2() {
	defer func() {
		r := recover()
		panic(fmt.Sprint("again ", r))
	}()
	panic("orig")
}

func main() {
	a := &A{}
	var j J = a
	j.Inc()
	var i I = a
	i.(J).Inc()
	fmt.Println(a.Get(), a.v, i.Get(), I.Get(a))
	w := wrap{Err("e")}
	var e error = w
	fmt.Println(e, w.Error(), e == wrap{Err("e")})
	_, isErr := e.(Err)
	fmt.Println(isErr)
	g := grid{}
	h := mod(g)
	fmt.Println(g, h, g != h)
	x := 3
	o := opt{a: &x}
	o.c.d = append(o.c.d, "q")
	o2 := o
	o2.c.d[0] = "z"
	*o2.a = 4
	fmt.Println(x, o.c.d, o.b == nil)
	fmt.Println(variadic("p"), variadic("p", nil), variadic("p", []any{1, 2}...), variadic("p", []int{1}), ints(), ints([]int{1, 2}...))
	fmt.Println(va, vb, vm["a"]())
	fmt.Println(deferOrder())
	nested()
	r := R{f: func(r R) int { return 7 }}
	fmt.Println(r.f(r))
	var fn func()
	func() {
		defer func() { fmt.Println("nilfn", recover()) }()
		fn()
	}()
	func() {
		defer func() { fmt.Println("nilmap", recover()) }()
		var m map[string][]int
		fmt.Println(m["x"], len(m))
		m["x"] = nil
	}()
	func() {
		defer func() { fmt.Println("conv", recover()) }()
		var e error
		fmt.Println(e.(Err))
	}()
	func() {
		defer func() { fmt.Println("neg", recover()) }()
		n := -1
		_ = make([]int, n)
	}()
	func() {
		defer func() { fmt.Println("shift", recover()) }()
		n := -1
		_ = 1 << n
	}()
	func() {
		defer func() { fmt.Println("idx", recover()) }()
		s := "abc"
		k := 5
		_ = s[k]
	}()
	func() {
		defer func() { fmt.Println("slice", recover()) }()
		s := []int{1, 2, 3}
		k := 2
		l := 1
		_ = s[k:l]
	}()
	func() {
		defer func() { fmt.Println("arr", recover()) }()
		s := []int{1, 2, 3}
		_ = [4]int(s)
	}()
	fmt.Fprintln(os.Stderr, "to stderr")
	type pt struct{ x, y float64 }
	ps := map[string]*pt{"a": {1, 2}}
	ps["a"].x += 10
	fmt.Println(*ps["a"], len(ps))
	ms := map[string]pt{"a": {1, 2}}
	t := ms["a"]
	t.x = 100
	fmt.Println(ms, t)
	b := strings.Builder{}
	for i := range 3 {
		fmt.Fprintf(&b, "%d,", i)
	}
	fmt.Println(b.String())
	println("done", 1.5, true, 'x', nil == any(nil))
	os.Exit(func() int { fmt.Println("exiting"); return 7 }())
}
