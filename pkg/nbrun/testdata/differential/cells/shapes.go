package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"time"
)

type (
	Celsius float64
	ID      string
	Stack   []int
)

func (s *Stack) Push(v int) { *s = append(*s, v) }
func (s *Stack) Pop() int {
	old := *s
	v := old[len(old)-1]
	*s = old[:len(old)-1]
	return v
}

type (
	Visitor interface{ Visit(n Node) Visitor }
	Node    interface{ Children() []Node }
	leaf    int
	branch  []Node
)

func (leaf) Children() []Node     { return nil }
func (b branch) Children() []Node { return b }

type counter struct{ n *int }

func (c counter) Visit(n Node) Visitor { *c.n++; return c }
func walk(v Visitor, n Node) {
	if v = v.Visit(n); v == nil {
		return
	}
	for _, c := range n.Children() {
		walk(v, c)
	}
}

type Shape interface {
	Area() float64
	Perimeter() float64
}
type (
	Rect   struct{ W, H float64 }
	Circle struct{ R float64 }
)

func (r Rect) Area() float64         { return r.W * r.H }
func (r Rect) Perimeter() float64    { return 2 * (r.W + r.H) }
func (c *Circle) Area() float64      { return math.Pi * c.R * c.R }
func (c *Circle) Perimeter() float64 { return 2 * math.Pi * c.R }

type Logger struct {
	sync.Mutex
	b      strings.Builder
	prefix string
}

func (l *Logger) Write(p []byte) (int, error) { return l.b.Write(p) }
func (l *Logger) Logf(format string, args ...any) {
	l.Lock()
	defer l.Unlock()
	fmt.Fprintf(l, l.prefix+format+"\n", args...)
}

type (
	Option func(*config)
	config struct {
		name string
		size int
		opts map[string]any
	}
)

func WithSize(n int) Option { return func(c *config) { c.size = n } }
func New(opts ...Option) *config {
	c := &config{name: "def", opts: map[string]any{}}
	for _, o := range opts {
		o(c)
	}
	return c
}

type Set[T comparable] map[T]struct{}

func (s Set[T]) Add(v T) Set[T] { s[v] = struct{}{}; return s }
func (s Set[T]) Has(v T) bool   { _, ok := s[v]; return ok }
func Filter[S ~[]E, E any](s S, f func(E) bool) S {
	var out S
	for _, e := range s {
		if f(e) {
			out = append(out, e)
		}
	}
	return out
}

func Reduce[T, A any](s []T, a A, f func(A, T) A) A {
	for _, x := range s {
		a = f(a, x)
	}
	return a
}

type Num interface{ ~int | ~int64 | ~float64 }

func Abs[T Num](x T) T {
	if x < 0 {
		return -x
	}
	return x
}

func named() (x int, s string, err error) {
	defer func() {
		x *= 2
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
			s = "recovered"
		}
	}()
	x = 5
	s = "set"
	var a [3]int
	idx := len(os.Args) + 10
	a[idx%4] = 1
	panic("boom")
}

func gen(n int) <-chan int {
	c := make(chan int)
	go func() {
		for i := 2; i < n; i++ {
			c <- i
		}
		close(c)
	}()
	return c
}

func filter(in <-chan int, p int) <-chan int {
	out := make(chan int)
	go func() {
		for v := range in {
			if v%p != 0 {
				out <- v
			}
		}
		close(out)
	}()
	return out
}

func main() {
	var st Stack
	st.Push(1)
	st.Push(2)
	fmt.Println(st.Pop(), st, len(st))
	n := 0
	walk(counter{&n}, branch{leaf(1), branch{leaf(2), leaf(3)}})
	fmt.Println(n)
	for _, s := range []Shape{Rect{2, 3}, &Circle{1}} {
		fmt.Printf("%T %.2f %.2f %v\n", s, s.Area(), s.Perimeter(), s)
	}
	l := &Logger{prefix: "> "}
	l.Logf("%d %s", 1, "x")
	fmt.Print(l.b.String(), l.b.Len())
	c := New(WithSize(3), func(c *config) { c.name = "n" })
	fmt.Printf("%+v\n", *c)
	s := Set[ID]{}
	s.Add("a").Add("b")
	fmt.Println(s.Has("a"), s.Has("z"), len(s))
	type ids []ID
	fmt.Printf("%v %T\n", Filter(ids{"a", "bb"}, func(i ID) bool { return len(i) > 1 }), Filter(ids{}, nil))
	fmt.Println(Reduce([]int{1, 2, 3}, "", func(a string, i int) string { return a + fmt.Sprint(i) }), Abs(Celsius(-2.5)), Abs(-3))
	fmt.Println(named())
	p := gen(30)
	for {
		prime, ok := <-p
		if !ok {
			break
		}
		fmt.Print(prime, " ")
		p = filter(p, prime)
	}
	fmt.Println()
	grid := [3][4]rune{}
	for i := range grid {
		for j := range grid[i] {
			grid[i][j] = '.'
		}
	}
	grid[1][2] = '#'
	for _, row := range grid {
		fmt.Println(string(row[:]))
	}
	b := [][]int{{1}, {2, 3}}
	b[0], b[1] = b[1], b[0]
	cp := make([][]int, len(b))
	copy(cp, b)
	cp[0][0] = 99
	fmt.Println(b, cp)
	funcs := map[string]func(float64, float64) (float64, error){
		"+": func(a, b float64) (float64, error) { return a + b, nil },
		"/": func(a, b float64) (float64, error) {
			if b == 0 {
				return 0, fmt.Errorf("div by zero")
			}
			return a / b, nil
		},
	}
	for _, op := range []string{"+", "/", "^"} {
		if f, ok := funcs[op]; ok {
			r, err := f(1, 0)
			fmt.Println(op, r, err)
		} else {
			fmt.Println("no", op)
		}
	}
	var x interface{} = 3.0
	switch y := x.(type) {
	case int, float64:
		fmt.Printf("%T %v\n", y, y)
	}
	fmt.Println(math.MaxInt64, uint64(math.MaxUint64), math.Inf(1), -math.Inf(1), math.NaN(), math.Pi)
	var u uint = 3
	fmt.Println(u-4 > 0, ^u, u<<62, int32(math.MinInt32)/int32(-1+len(os.Args)-len(os.Args)))
	fmt.Println(float32(16777216.0)+1, 0.1+0.2, float32(0.1), 1e6, 1e21, 123456789.0, complex(1, -2))
	fmt.Println(time.Duration(90)*time.Second, time.Unix(0, 0).UTC())
	const big = 1 << 100
	fmt.Println(big>>98, len("héé"), "a"+"b" < "ac", 'a'+1, string(rune(0x4e16)))
	type T struct {
		a int
		b *T
		c func()
	}
	t := &T{a: 1}
	t.b = t
	fmt.Println(t.b.b.b.a, t.c == nil)
	lbl := 0
outer:
	for i := 0; ; i++ {
		switch {
		case i == 2:
			continue outer
		case i > 5:
			break outer
		default:
			lbl += i
		}
	}
	fmt.Println(lbl)
	var arr [5]int
	sl := arr[1:3:4]
	sl = append(sl, 7)
	sl = append(sl, 8)
	sl[0] = 5
	fmt.Println(arr, sl, cap(arr[2:]))
	var np *Rect
	defer fmt.Println("deferred before the crash")
	fmt.Println(np.Area())
}
