package prodcons_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

func ExampleGroup() {
	var sum atomic.Int64
	group := prodcons.Group[int]{
		Producers: 2,
		Consumers: 4,
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			for i := range 10 {
				if err := put(i * i); err != nil {
					return err
				}
			}
			return nil
		},
		Consume: func(_ context.Context, _, square int) error {
			sum.Add(int64(square))
			return nil
		},
	}
	err := group.Run(context.Background())
	fmt.Println(sum.Load(), group.Stats().Count, err)
	// Output: 570 20 <nil>
}

// The first error stops all. Errors has those that came after it.
func ExampleGroup_Run_error() {
	group := prodcons.Group[string]{
		Produce: func(_ context.Context, _ int, put func(string) error) error {
			for _, name := range []string{"go.mod", "no-such-file", "go.sum"} {
				if err := put(name); err != nil {
					return err
				}
			}
			return nil
		},
		Consume: func(_ context.Context, _ int, name string) error {
			if strings.HasPrefix(name, "no") {
				return fmt.Errorf("open %s: %w", name, os.ErrNotExist)
			}
			return nil
		},
	}
	err := group.Run(context.Background())
	fmt.Println(err, errors.Is(err, os.ErrNotExist))
	// Output: consumer 1: open no-such-file: file does not exist true
}

// Ctrl-C is the caller's. Here it ends the producers, and the consumers have two
// seconds to finish what is queued; a second Ctrl-C ends the program.
func ExampleGroup_Run_signal() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // from the first Ctrl-C on, the next is the system's again

	group := prodcons.Group[int]{
		Drain: 2 * time.Second,
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			for i := range 3 {
				if err := put(i); err != nil {
					return err
				}
			}
			return nil
		},
		Consume: func(_ context.Context, _, _ int) error { return nil },
	}
	err := group.Run(ctx)
	fmt.Println(err, len(group.Left()))
	// Output: <nil> 0
}

// The statistics of a program that runs for long, under /debug/vars.
func ExampleGroup_Stats_expvar() {
	var group prodcons.Group[int]
	expvar.Publish("work", expvar.Func(func() any { return group.Stats() }))

	group.Produce = func(_ context.Context, _ int, put func(int) error) error { return put(1) }
	group.Consume = func(context.Context, int, int) error { return nil }
	_ = group.Run(context.Background())
	fmt.Println(strings.HasPrefix(expvar.Get("work").String(), `{"made":1,"count":1,`))
	// Output: true
}

// Each event can be reported to a metrics system: count ItemMade and ItemUsed, put
// Latency into a histogram.
func ExampleGroup_observe() {
	var made, done atomic.Int64
	group := prodcons.Group[int]{
		Produce: func(_ context.Context, _ int, put func(int) error) error { return put(49) },
		Consume: func(context.Context, int, int) error { return nil },
		Observe: func(e prodcons.Event) {
			switch e.Kind {
			case prodcons.ItemMade:
				made.Add(1)
			case prodcons.ItemPickedUp:
				if e.Latency > time.Minute {
					fmt.Println("that took long")
				}
			case prodcons.ItemUsed:
				done.Add(1)
			}
		},
	}
	_ = group.Run(context.Background())
	fmt.Println(made.Load(), done.Load())
	// Output: 1 1
}

func ExampleBuffer() {
	ctx := context.Background()
	queue := prodcons.NewBuffer[string](2, prodcons.DropOldest)
	for _, word := range []string{"to", "be", "or", "not"} {
		_ = queue.Put(ctx, word)
	}
	queue.Close()
	for word := range queue.All(ctx) {
		fmt.Println(word)
	}
	fmt.Println(queue.Dropped(), "dropped")
	// Output:
	// or
	// not
	// 2 dropped
}

// Room for two; what is dropped when that is not enough is reported.
func ExampleGroup_dropped() {
	stop := make(chan bool)
	group := prodcons.Group[int]{
		Bound: 2, Full: prodcons.DropOldest,
		OnDrop: func(v int) { fmt.Println("dropped", v) },
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			defer close(stop)
			for i := range 6 {
				if err := put(i); err != nil {
					return err
				}
				if i == 0 {
					stop <- true // the consumer has it
				}
			}
			return nil
		},
		Consume: func(context.Context, int, int) error {
			for range stop { // until all are made
			}
			return nil
		},
	}
	_ = group.Run(context.Background())
	fmt.Println(group.Stats().Count, "used")
	// Output:
	// dropped 1
	// dropped 2
	// dropped 3
	// 3 used
}

// When the context ends, consumers go on with what is queued for a while; the rest is
// left.
func ExampleGroup_Left() {
	ctx, cancel := context.WithCancel(context.Background())
	group := prodcons.Group[int]{
		Drain: time.Minute,
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			for i := range 5 {
				if err := put(i); err != nil {
					return err
				}
			}
			cancel()
			return nil
		},
		Consume: func(context.Context, int, int) error { return nil },
	}
	err := group.Run(ctx)
	fmt.Println(err, group.Left(), group.Stats().Count)
	// Output: context canceled [] 5
}

// The first error is returned by Run; Failed has the values that failed.
func ExampleGroup_Failed() {
	made := make(chan bool)
	group := prodcons.Group[int]{
		Drain: time.Minute,
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			defer close(made)
			for i := range 4 {
				if err := put(i); err != nil {
					return err
				}
			}
			return nil
		},
		Consume: func(_ context.Context, _, v int) error {
			<-made
			if v%2 == 1 {
				return fmt.Errorf("%d is odd", v)
			}
			return nil
		},
	}
	started := group.Run(context.Background())
	for i, f := range group.Failed() {
		fmt.Println(f.Value, f.Err, f.Err == group.Errors()[i])
	}
	fmt.Println(started)
	// Output:
	// 1 consumer 1: 1 is odd true
	// 3 consumer 1: 3 is odd true
	// consumer 1: 1 is odd
}

// More consumers while the group runs.
func ExampleGroup_SetConsumers() {
	var group prodcons.Group[int]
	var most atomic.Int64
	group.Produce = func(_ context.Context, _ int, put func(int) error) error {
		for i := range 100 {
			if i == 50 {
				group.SetConsumers(3)
			}
			if err := put(i); err != nil {
				return err
			}
		}
		return nil
	}
	group.Consume = func(_ context.Context, consumer, _ int) error {
		most.Store(max(most.Load(), int64(consumer)))
		time.Sleep(time.Millisecond)
		return nil
	}
	fmt.Println(group.Run(context.Background()), most.Load())
	// Output: <nil> 3
}

// A panic comes back to the caller of Run, with its stack.
func ExamplePanic() {
	group := prodcons.Group[int]{
		Produce: func(_ context.Context, _ int, put func(int) error) error { return put(1) },
		Consume: func(context.Context, int, int) error { panic("what now?") },
	}
	defer func() {
		p := recover().(*prodcons.Panic)
		fmt.Println(p.Role, p.Number, p.Value, strings.Contains(string(p.Stack), "ExamplePanic"))
	}()
	_ = group.Run(context.Background())
	// Output: consumer 1 what now? true
}

func ExampleBuffer_GetBatch() {
	ctx := context.Background()
	queue := new(prodcons.Buffer[int])
	n, err := queue.PutBatch(ctx, []int{1, 2, 3, 4, 5})
	fmt.Println(n, err)
	batch := make([]int, 3)
	n, err = queue.GetBatch(ctx, batch)
	fmt.Println(batch[:n], err)
	n, err = queue.GetBatch(ctx, batch)
	fmt.Println(batch[:n], err)
	// Output:
	// 5 <nil>
	// [1 2 3] <nil>
	// [4 5] <nil>
}

// A put that does not wait, but fails.
func ExampleBuffer_TryPut() {
	queue := prodcons.NewBuffer[string](1, prodcons.FailWhenFull)
	fmt.Println(queue.Put(context.Background(), "to"))
	fmt.Println(queue.Put(context.Background(), "be"))
	_, _ = queue.TryGet()
	fmt.Println(queue.TryPut("be"))
	// Output:
	// <nil>
	// queue is full
	// <nil>
}
