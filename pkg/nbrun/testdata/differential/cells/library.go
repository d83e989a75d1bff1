package main

import (
	"bufio"
	"bytes"
	"container/heap"
	"container/list"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

type Item struct {
	Value    string `json:"value"`
	Priority int    `json:"priority,omitempty"`
	secret   int
	Tags     []string         `json:"tags"`
	Sub      *Item            `json:"sub,omitempty"`
	M        map[string]Level `json:"m,omitempty"`
	Any      any              `json:"any"`
}
type (
	Level int
	PQ    []*Item
)

func (p PQ) Len() int           { return len(p) }
func (p PQ) Less(i, j int) bool { return p[i].Priority > p[j].Priority }
func (p PQ) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *PQ) Push(x any)        { *p = append(*p, x.(*Item)) }
func (p *PQ) Pop() any          { o := *p; n := len(o); x := o[n-1]; *p = o[:n-1]; return x }

type Number interface{ ~int | ~float64 }

func SumMap[K comparable, V Number](m map[K]V) V {
	var s V
	for _, v := range m {
		s += v
	}
	return s
}

type Tree[T any] struct {
	Left, Right *Tree[T]
	Val         T
}

func (t *Tree[T]) Insert(v T, less func(a, b T) bool) *Tree[T] {
	if t == nil {
		return &Tree[T]{Val: v}
	}
	if less(v, t.Val) {
		t.Left = t.Left.Insert(v, less)
	} else {
		t.Right = t.Right.Insert(v, less)
	}
	return t
}

func (t *Tree[T]) All(yield func(T) bool) bool {
	if t == nil {
		return true
	}
	return t.Left.All(yield) && yield(t.Val) && t.Right.All(yield)
}

type Cache[K comparable, V any] struct {
	mu   sync.RWMutex
	m    map[K]V
	hits atomic.Int64
}

func (c *Cache[K, V]) Get(k K, make_ func() V) V {
	c.mu.RLock()
	v, ok := c.m[k]
	c.mu.RUnlock()
	if ok {
		c.hits.Add(1)
		return v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[K]V{}
	}
	v = make_()
	c.m[k] = v
	return v
}

type state int

const (
	idle state = iota + 1
	busy
	_
	done = busy * 10
)

func producer(ctx context.Context, n int) <-chan Item {
	out := make(chan Item)
	go func() {
		defer close(out)
		for i := range n {
			select {
			case out <- Item{Value: strconv.Itoa(i), Priority: i}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func main() {
	pq := &PQ{}
	heap.Init(pq)
	for i, w := range []string{"low", "high", "mid"} {
		heap.Push(pq, &Item{Value: w, Priority: []int{1, 9, 5}[i]})
	}
	for pq.Len() > 0 {
		fmt.Print(heap.Pop(pq).(*Item).Value, " ")
	}
	fmt.Println()
	b, err := json.Marshal(Item{Value: "v", Tags: nil, Sub: &Item{Value: "s", Priority: 2}, M: map[string]Level{"a": 1}, Any: []any{1, "x", Item{}}})
	fmt.Println(string(b), err)
	b, _ = json.MarshalIndent(map[string]any{"b": []Level{1, 2}, "a": 1.5}, "", " ")
	fmt.Println(string(b))
	fmt.Println(SumMap(map[string]Level{"a": 1, "b": 2}), SumMap(map[int]float64{1: 1.5}))
	var t *Tree[string]
	for _, s := range strings.Split("m c x a d", " ") {
		t = t.Insert(s, func(a, b string) bool { return a < b })
	}
	t.All(func(s string) bool { fmt.Print(s, " "); return s < "d" })
	fmt.Println()
	c := &Cache[string, Item]{}
	for range 3 {
		it := c.Get("k", func() Item { fmt.Println("made"); return Item{Value: "cached"} })
		it.Value = "changed"
	}
	fmt.Println(c.hits.Load(), c.m["k"].Value)
	l := list.New()
	l.PushBack(Level(3))
	l.PushFront(Item{Value: "first"})
	for e := l.Front(); e != nil; e = e.Next() {
		switch v := e.Value.(type) {
		case Level:
			fmt.Println("level", v+1)
		case Item:
			fmt.Println("item", v.Value)
		}
	}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), Level(1), "val"))
	for it := range producer(ctx, 100) {
		if it.Priority == 3 {
			cancel()
			break
		}
		fmt.Print(it.Value, " ")
	}
	fmt.Println(ctx.Err(), ctx.Value(Level(1)), ctx.Value(1))
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "a\tbbb\tc")
	fmt.Fprintln(w, "aaa\tb\tc")
	w.Flush()
	sc := bufio.NewScanner(strings.NewReader("one two\nthree"))
	sc.Split(bufio.ScanWords)
	for sc.Scan() {
		fmt.Print(sc.Text(), ",")
	}
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "%08.3f|%+d|%x|%-6s|%6s|%t|%c|%U|%e|%g", 3.14159, 5, "hi", "ab", "cd", true, 'x', 'é', 1234.5, 1e21)
	fmt.Println(buf.String(), buf.Len())
	fmt.Println(idle, busy, done)
	var once sync.Once
	var n atomic.Int32
	var wg sync.WaitGroup
	sem := make(chan struct{}, 3)
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			sem <- struct{}{}
			defer func() { <-sem }()
			once.Do(func() { fmt.Println("once") })
			n.Add(int32(i))
		}()
	}
	wg.Wait()
	fmt.Println(n.Load())
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	k := 0
	timeout := time.After(time.Second)
loop:
	for {
		select {
		case <-tick.C:
			if k++; k == 3 {
				break loop
			}
		case <-timeout:
			fmt.Println("timeout")
			return
		}
	}
	fmt.Println("ticks", k)
	cond := sync.NewCond(&sync.Mutex{})
	ready := false
	go func() { cond.L.Lock(); ready = true; cond.L.Unlock(); cond.Broadcast() }()
	cond.L.Lock()
	for !ready {
		cond.Wait()
	}
	cond.L.Unlock()
	var m sync.Map
	m.Store(Level(1), Item{Value: "sm"})
	v, ok := m.Load(Level(1))
	fmt.Println(v.(Item).Value, ok)
	_, ok = m.Load(1)
	fmt.Println(ok)
	pool := sync.Pool{New: func() any { return &Item{Value: "pooled"} }}
	fmt.Println(pool.Get().(*Item).Value)
	func() {
		defer func() { fmt.Println("r", recover()) }()
		var wg sync.WaitGroup
		wg.Done()
	}()
	num, err := strconv.Atoi("12x")
	fmt.Println(num, err)
	_, err = os.Open("/nonexistent/file")
	fmt.Println(err, os.IsNotExist(err))
	go func() { panic(fmt.Sprintf("in goroutine %v", Level(3))) }()
	time.Sleep(time.Second)
}
