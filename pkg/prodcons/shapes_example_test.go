package prodcons_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

func ExampleEach() {
	words := slices.Values([]string{"to", "be", "or", "not"})
	err := prodcons.Each(context.Background(), words, 2, func(_ context.Context, word string) error {
		if word == "or" {
			return errors.New("no alternatives, please")
		}
		return nil
	})
	fmt.Println(err)
	// Output: no alternatives, please
}

func ExampleEachAll() {
	texts := slices.Values([]string{"1", "two", "3", "four"})
	err := prodcons.EachAll(context.Background(), texts, 1, func(_ context.Context, text string) error {
		_, err := strconv.Atoi(text)
		return err
	})
	fmt.Println(err)
	// Output:
	// strconv.Atoi: parsing "two": invalid syntax
	// strconv.Atoi: parsing "four": invalid syntax
}

// Results in order, though the work is done side by side.
func ExampleMap() {
	rests := slices.Values([]time.Duration{3, 1, 2})
	for text, err := range prodcons.Map(context.Background(), rests, 3, func(_ context.Context, rest time.Duration) (string, error) {
		time.Sleep(rest * time.Millisecond)
		return fmt.Sprint("rested ", int(rest)), nil
	}) {
		fmt.Println(text, err)
	}
	// Output:
	// rested 3 <nil>
	// rested 1 <nil>
	// rested 2 <nil>
}

// A pipeline of three stages: an error of any stage comes out of its end, in its place,
// and leaving the loop cancels all of them.
func ExampleThen() {
	texts := prodcons.FromSeq(slices.Values([]string{"1", "2", "3", "4", "V", "6"}))
	numbers := prodcons.Then(texts, 4, func(_ context.Context, text string) (int, error) { return strconv.Atoi(text) })
	squares := prodcons.Then(numbers, 2, func(_ context.Context, n int) (int, error) { return n * n, nil })
	batches := prodcons.ThenBatches(squares, 3, time.Second)
	for batch, err := range batches(context.Background()) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(batch)
	}
	// Output:
	// [1 4 9]
	// [16]
	// strconv.Atoi: parsing "V": invalid syntax
}

// What others put into a queue, in batches of three, or of what has come within a
// second.
func ExampleBatches() {
	ctx := context.Background()
	queue := new(prodcons.Buffer[string])
	go func() {
		defer queue.Close()
		for _, word := range strings.Fields("to be or not to be that") {
			_ = queue.Put(ctx, word)
		}
	}()
	for batch, err := range prodcons.Batches(queue, 3, time.Second)(ctx) {
		fmt.Println(batch, err)
	}
	// Output:
	// [to be or] <nil>
	// [not to be] <nil>
	// [that] <nil>
}

func ExampleRetry() {
	retry := prodcons.Retry{Attempts: 5, Wait: time.Millisecond}
	calls := 0
	err := retry.Do(context.Background(), func(context.Context) error {
		if calls++; calls < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	fmt.Println(calls, err)
	err = retry.Do(context.Background(), func(context.Context) error {
		return prodcons.Permanent(errors.New("no such host"))
	})
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// no such host
}

// Changes to one account are made one after the other, those to several side by side.
func ExampleEachKeyed() {
	type change struct {
		account string
		amount  int
	}
	changes := slices.Values([]change{{"Ada", 5}, {"Bob", 7}, {"Ada", -2}, {"Bob", 1}, {"Ada", 4}})
	history := map[string]*[]int{"Ada": new([]int), "Bob": new([]int)}
	err := prodcons.EachKeyed(context.Background(), changes, 8,
		func(c change) string { return c.account },
		func(_ context.Context, c change) error {
			h := history[c.account] // nobody else works on this account now
			*h = append(*h, c.amount)
			return nil
		})
	fmt.Println(*history["Ada"], *history["Bob"], err)
	// Output: [5 -2 4] [7 1] <nil>
}

// Work that makes work: a page and everything that it links to, each once.
func ExampleWalk() {
	links := map[string][]string{"/": {"/a", "/b"}, "/a": {"/b", "/c"}, "/c": {"/"}}
	seen := make(chan map[string]bool, 1)
	seen <- map[string]bool{"/": true}
	err := prodcons.Walk(context.Background(), 4, func(_ context.Context, page string, put func(string) error) error {
		for _, link := range links[page] {
			s := <-seen
			is := s[link]
			s[link] = true
			seen <- s
			if is {
				continue
			}
			if err := put(link); err != nil {
				return err
			}
		}
		return nil
	}, "/")
	fmt.Println(len(<-seen), err)
	// Output: 4 <nil>
}

// A thousand requests a second, whoever makes them.
func ExampleLimiter() {
	limit := prodcons.Limiter{Every: time.Millisecond}
	start := time.Now()
	err := prodcons.Each(context.Background(), slices.Values(make([]int, 20)), 8, func(ctx context.Context, _ int) error {
		return limit.Wait(ctx) // and then make the request
	})
	fmt.Println(time.Since(start) >= 19*time.Millisecond, err)
	// Output: true <nil>
}

// A queue that outlives the group; here it is in memory, for the sake of the example.
// What failed stays there, and somebody else uses it.
func ExampleLending() {
	ctx := context.Background()
	queue := prodcons.NewLending[string](0)
	for _, word := range []string{"to", "be"} {
		_ = queue.Put(ctx, word)
	}
	queue.Close()
	unlucky := prodcons.Group[string]{Queue: queue, Consume: func(context.Context, int, string) error {
		return errors.New("the disk is full")
	}}
	fmt.Println(unlucky.Run(ctx), queue.Len())
	lucky := prodcons.Group[string]{Queue: queue, Consume: func(context.Context, int, string) error { return nil }}
	fmt.Println(lucky.Run(ctx), queue.Len())
	// Output:
	// consumer 1: the disk is full 2
	// <nil> 0
}

// A queue and something else, whichever comes first.
func ExampleBuffer_Ready() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	queue := new(prodcons.Buffer[int])
	ready, timeout := queue.Ready(ctx), time.After(time.Minute)
	go func() {
		_ = queue.Put(ctx, 49)
		queue.Close()
	}()
	for {
		select {
		case <-timeout:
			return
		case <-ready:
		}
		for {
			v, err := queue.TryGet()
			if err == prodcons.ErrClosed {
				return
			} else if err != nil {
				break
			}
			fmt.Println(v)
		}
	}
	// Output: 49
}

// A priority queue behind a group: any type with the four methods of [Queue] will
// do. This one is filled before the start and never waits.
func ExampleGroup_queue() {
	queue := &byLength{}
	for _, word := range strings.Fields("question that or is") {
		_ = queue.Put(context.Background(), word)
	}
	group := prodcons.Group[string]{
		Queue:   queue,
		Consume: func(_ context.Context, _ int, word string) error { fmt.Println(word); return nil },
	}
	fmt.Println(group.Run(context.Background()))
	// Output:
	// is
	// or
	// that
	// question
	// <nil>
}

// byLength is a queue whose shortest words come first.
type byLength struct{ words []string }

func (q *byLength) Put(_ context.Context, word string) error {
	q.words = append(q.words, word)
	slices.SortFunc(q.words, func(a, b string) int { return len(a)*2 - len(b)*2 + strings.Compare(a, b) })
	return nil
}

func (q *byLength) Get(context.Context) (word string, err error) {
	if len(q.words) == 0 {
		return "", prodcons.ErrClosed
	}
	word, q.words = q.words[0], q.words[1:]
	return word, nil
}

func (q *byLength) Close()   {}
func (q *byLength) Len() int { return len(q.words) }

// Results as they come: here they are added up, and their order does not matter.
func ExampleMapUnordered() {
	sum := 0
	for square, err := range prodcons.MapUnordered(context.Background(), slices.Values([]int{1, 2, 3, 4}), 2, func(_ context.Context, n int) (int, error) {
		return n * n, nil
	}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		sum += square
	}
	fmt.Println(sum)
	// Output: 30
}

// A queue that others fill is the source of a pipeline.
func ExampleFromQueue() {
	ctx := context.Background()
	queue := prodcons.NewBuffer[int](4, prodcons.WaitWhenFull)
	go func() {
		for i := range 3 {
			_ = queue.Put(ctx, i)
		}
		queue.Close()
	}()
	squares := prodcons.Then(prodcons.FromQueue(queue), 2, func(_ context.Context, n int) (int, error) { return n * n, nil })
	for square, err := range squares(ctx) {
		fmt.Println(square, err)
	}
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 4 <nil>
}

// Four consumers, and yet the words of each letter are used in their order.
func ExampleKeyed() {
	ctx := context.Background()
	queue := prodcons.NewKeyed(0, func(word string) byte { return word[0] })
	for _, word := range []string{"a1", "b1", "a2", "b2", "a3"} {
		_ = queue.Put(ctx, word)
	}
	queue.Close()
	var mu sync.Mutex
	used := map[byte][]string{}
	group := prodcons.Group[string]{Queue: queue, Consumers: 4, Consume: func(_ context.Context, _ int, word string) error {
		mu.Lock()
		defer mu.Unlock()
		used[word[0]] = append(used[word[0]], word)
		return nil
	}}
	fmt.Println(group.Run(ctx), used['a'], used['b'])
	// Output: <nil> [a1 a2 a3] [b1 b2]
}

// Who failed, and why.
func ExampleError() {
	group := prodcons.Group[int]{
		Produce: func(_ context.Context, _ int, put func(int) error) error { return put(1) },
		Consume: func(context.Context, int, int) error { return fs.ErrPermission },
	}
	err := group.Run(context.Background())
	var failed *prodcons.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Role, failed.Number, errors.Is(err, fs.ErrPermission))
	}
	// Output: consumer 1 true
}
