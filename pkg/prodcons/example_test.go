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

// Each event can be told to a system of metrics: count Made and Done, put
// Latency into a histogram.
func ExampleGroup_observe() {
	var made, done atomic.Int64
	group := prodcons.Group[int]{
		Produce: func(_ context.Context, _ int, put func(int) error) error { return put(49) },
		Consume: func(context.Context, int, int) error { return nil },
		Observe: func(e prodcons.Event) {
			switch e.Kind {
			case prodcons.Made:
				made.Add(1)
			case prodcons.PickedUp:
				if e.Latency > time.Minute {
					fmt.Println("that took long")
				}
			case prodcons.Done:
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
