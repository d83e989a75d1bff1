package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alitto/pond/v2"
	"github.com/destel/rill"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// BenchmarkGroup runs b.N values through one producer and a number of workers,
// each value a call that may fail, under a context.
//
//	prodcons  our Group, statistics on
//	workers   by hand: errgroup's goroutines, over a channel of 256
//	rill      ForEach over a stream of a channel of 256
//	conc      pool.ContextPool, a Go for each value
//	errgroup  SetLimit, a Go for each value
//	pond      a task group, a SubmitErr for each value
//	ants      a pool of one function, an Invoke for each value, which can't fail
func BenchmarkGroup(b *testing.B) {
	for _, workers := range []int{1, 2, 4, 8, 16} {
		var sides []side
		for _, c := range callers {
			sides = append(sides, side{c.name, func(b *testing.B) {
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				var used atomic.Int64
				err := c.run(ctx, b.N, workers, func(v int) error {
					if v%1024 == 0 {
						used.Add(1)
					}
					return nil
				})
				if want := int64(b.N+1023) / 1024; err != nil || used.Load() != want {
					b.Fatalf("%d used, want %d; %v", used.Load(), want, err)
				}
			}})
		}
		beside(b, fmt.Sprint(workers), sides...)
	}
}

// BenchmarkSmall runs a whole group for ten values, with four workers.
func BenchmarkSmall(b *testing.B) {
	var sides []side
	for _, c := range callers[:2] {
		sides = append(sides, side{c.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			b.ReportAllocs()
			for range b.N {
				if err := c.run(ctx, 10, 4, func(int) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		}})
	}
	beside(b, "10", sides...)
}

// caller is a way to call a function for each of n values.
type caller struct {
	name string
	run  func(ctx context.Context, n, workers int, use func(int) error) error
}

var callers = []caller{
	{"prodcons", ourGroup},
	{"workers", byHand},
	{"rill", withRill},
	{"conc", withConc},
	{"errgroup", withErrgroup},
	{"pond", withPond},
	{"ants", withAnts},
}

func ourGroup(ctx context.Context, n, workers int, use func(int) error) error {
	g := prodcons.Group[int]{
		Consumers: workers,
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			for i := range n {
				if err := put(i); err != nil {
					return err
				}
			}
			return nil
		},
		Consume: func(_ context.Context, _, v int) error { return use(v) },
	}
	return g.Run(ctx)
}

func byHand(ctx context.Context, n, workers int, use func(int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	ch := make(chan int, 256)
	g.Go(func() error {
		defer close(ch)
		for i := range n {
			select {
			case ch <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			for v := range ch {
				if err := use(v); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func withRill(ctx context.Context, n, workers int, use func(int) error) error {
	ch := make(chan int, 256)
	go func() {
		defer close(ch)
		for i := range n {
			select {
			case ch <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	return rill.ForEach(rill.FromChan(ch, nil), workers, use)
}

func withConc(ctx context.Context, n, workers int, use func(int) error) error {
	p := pool.New().WithMaxGoroutines(workers).WithContext(ctx).WithCancelOnError()
	for i := range n {
		p.Go(func(context.Context) error { return use(i) })
	}
	return p.Wait()
}

func withErrgroup(ctx context.Context, n, workers int, use func(int) error) error {
	g, _ := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i := range n {
		g.Go(func() error { return use(i) })
	}
	return g.Wait()
}

func withPond(ctx context.Context, n, workers int, use func(int) error) error {
	p := pond.NewPool(workers, pond.WithQueueSize(256))
	defer p.StopAndWait()
	g := p.NewGroupContext(ctx)
	for i := range n {
		g.SubmitErr(func() error { return use(i) })
	}
	return g.Wait()
}

func withAnts(_ context.Context, n, workers int, use func(int) error) error {
	var wg sync.WaitGroup
	p, err := ants.NewPoolWithFuncGeneric(workers, func(v int) {
		_ = use(v)
		wg.Done()
	}, ants.WithPreAlloc(true))
	if err != nil {
		return err
	}
	defer p.Release()
	for i := range n {
		wg.Add(1)
		if err := p.Invoke(i); err != nil {
			return err
		}
	}
	wg.Wait()
	return nil
}
