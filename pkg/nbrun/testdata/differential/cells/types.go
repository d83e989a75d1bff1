package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type Temp float64

func (t Temp) String() string { return fmt.Sprintf("%.1f°", float64(t)) }

type (
	Inner struct{ X, Y int }
	Outer struct {
		Inner
		*Deep
		Name string
		ts   []Temp
		m    map[Inner]string
		f    func(int) int
		e    error
		any  any
	}
)
type Deep struct{ Z int }

func (d *Deep) Set(z int)    { d.Z = z }
func (d Deep) Get() int      { return d.Z }
func (i Inner) Sum() int     { return i.X + i.Y }
func (i *Inner) Scale(k int) { i.X *= k; i.Y *= k }

type Animal interface {
	Sound() string
	Name() string
}
type Base struct{ name string }

func (b *Base) Name() string { return b.name }

type Dog struct {
	*Base
	age int
}

func (d Dog) Sound() string { return "woof" }

type byAge []Dog

func (b byAge) Len() int           { return len(b) }
func (b byAge) Less(i, j int) bool { return b[i].age < b[j].age }
func (b byAge) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

type upper struct{ w io.Writer }

func (u upper) Write(p []byte) (int, error) { return u.w.Write([]byte(strings.ToUpper(string(p)))) }

type Matrix [2][3]int

func (m Matrix) T() (t [3][2]int) {
	for i, row := range m {
		for j, v := range row {
			t[j][i] = v
		}
	}
	return
}

type Op func(int, int) int

func (o Op) Apply(a, b int) int { return o(a, b) }

type List struct {
	head *node
	n    int
}
type node struct {
	v    any
	next *node
}

func (l *List) Add(v any) *List { l.head = &node{v, l.head}; l.n++; return l }
func (l *List) Each(f func(any) bool) {
	for n := l.head; n != nil; n = n.next {
		if !f(n.v) {
			return
		}
	}
}

func divide(a, b int) (q int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("caught: %v", r)
		}
	}()
	return a / b, nil
}

func multi() (int, string, error) { return 1, "two", nil }

type Weekday int

const (
	Sunday Weekday = iota
	Monday
)

func (d Weekday) String() string { return [...]string{"Sun", "Mon"}[d] }

type MyErr struct{ msg string }

func (m *MyErr) Error() string { return m.msg }
func mayFail(f bool) error {
	var e *MyErr
	if f {
		e = &MyErr{"failed"}
	}
	return e
}

func main() {
	o := Outer{Inner: Inner{1, 2}, Deep: &Deep{3}, Name: "o", ts: []Temp{1.5}, m: map[Inner]string{{1, 2}: "a"}}
	o.Scale(3)
	o.Set(9)
	fmt.Println(o.Sum(), o.Get(), o.X, o.Z, o.m[Inner{1, 2}])
	fmt.Printf("%v %+v\n", o.Inner, o.ts)
	var a Animal = Dog{&Base{"rex"}, 3}
	fmt.Println(a.Name(), a.Sound())
	f := a.Name
	g := Dog.Sound
	h := (*Inner).Scale
	in := Inner{1, 1}
	h(&in, 5)
	fmt.Println(f(), g(Dog{}), in)
	dogs := byAge{{&Base{"a"}, 3}, {&Base{"b"}, 1}, {&Base{"c"}, 2}}
	sort.Sort(dogs)
	for _, d := range dogs {
		fmt.Print(d.name, d.age, " ")
	}
	sort.Sort(sort.Reverse(dogs))
	fmt.Println(dogs[0].age)
	fmt.Fprintf(upper{os.Stdout}, "hello %d %v\n", 5, Temp(2))
	io.WriteString(upper{os.Stdout}, "there\n")
	m := Matrix{{1, 2, 3}, {4, 5, 6}}
	m2 := m
	m2[0][0] = 100
	fmt.Println(m, m2, m.T(), m == m2, m == Matrix{{1, 2, 3}, {4, 5, 6}})
	fmt.Println(Op(func(a, b int) int { return a*b + 1 }).Apply(3, 4))
	l := (&List{}).Add(1).Add("x").Add(Temp(3)).Add(nil).Add([]int{1})
	l.Each(func(v any) bool { fmt.Printf("%v|%T ", v, v); return v != "x" })
	fmt.Println()
	fmt.Println(divide(7, 2))
	fmt.Println(divide(7, 0))
	x, y, err := multi()
	fmt.Println(x, y, err)
	fmt.Println(Monday, []Weekday{0, 1}, map[Weekday]int{Monday: 1})
	fmt.Printf("%d %v %s %x %q\n", Monday, Monday, Monday, Monday, Monday)
	fmt.Printf("%d %s %!\n", Temp(1), Inner{1, 2})
	fmt.Printf("%t %v\n", Sunday, &in)
	fmt.Println(mayFail(false) == nil, mayFail(true), mayFail(false) != nil)
	var me *MyErr
	fmt.Println(errors.As(mayFail(true), &me), me.msg)
	var wg sync.WaitGroup
	res := make([]int, 5)
	for i := range res {
		wg.Go(func() { time.Sleep(time.Duration(5-i) * time.Millisecond); res[i] = i * i })
	}
	wg.Wait()
	fmt.Println(res)
	arr := [...]string{2: "c", 0: "a"}
	for i, s := range arr {
		fmt.Print(i, s, ";")
	}
	fmt.Println(len(arr))
	type kv struct {
		k string
		v int
	}
	counts := map[string]int{}
	for _, w := range strings.Fields("a b a c b a") {
		counts[w]++
	}
	var kvs []kv
	for k, v := range counts {
		kvs = append(kvs, kv{k, v})
	}
	sort.Slice(kvs, func(i, j int) bool { return kvs[i].v > kvs[j].v })
	fmt.Println(kvs)
	fmt.Printf("%+v %#v\n", kvs[0], kvs[:1])
	mm := map[string]map[string][]int{}
	for _, k := range []string{"x", "y", "x"} {
		if mm[k] == nil {
			mm[k] = map[string][]int{}
		}
		mm[k]["z"] = append(mm[k]["z"], len(mm))
	}
	fmt.Println(mm)
	var e1 any = Inner{1, 2}
	var e2 any = Inner{1, 2}
	fmt.Println(e1 == e2, e1 != any(Inner{2, 1}), e1 == any(1))
	ptrs := map[*Inner]int{&in: 4}
	fmt.Println(ptrs[&in])
	c := make(chan [2]int, 1)
	z := [2]int{1, 2}
	c <- z
	z[0] = 9
	fmt.Println(<-c, z)
	func() {
		defer func() { fmt.Println("rec:", recover()) }()
		sort.Slice(kvs, func(i, j int) bool { panic("in less") })
	}()
	func() {
		defer func() {
			r := recover()
			err, ok := r.(error)
			fmt.Println(ok, err)
		}()
		var an Animal
		an.Name()
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		fmt.Println(a.(interface{ Fly() }))
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		var q any = Inner{}
		fmt.Println(q.(Temp))
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		k := map[any]int{}
		k[[]int{1}] = 2
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		k := map[any]int{}
		k[Outer{}] = 2
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		close((chan int)(nil))
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		panic(MyErr{"val"})
	}()
	func() {
		defer func() { fmt.Println(recover()) }()
		var arr []int
		_ = arr[:5]
	}()
	s := struct {
		A int
		B string
	}{1, "b"}
	fmt.Printf("%v %+v %#v %T\n", s, s, s, s)
	fmt.Println(strings.Map(func(r rune) rune { return r + 1 }, "abc"))
	t := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	fmt.Println(t.Add(time.Hour).Format(time.RFC3339), t.Weekday(), t)
	fmt.Println(struct{ T time.Time }{t}, []time.Duration{time.Second})
	panic(&MyErr{"last words"})
}
