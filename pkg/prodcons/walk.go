package prodcons

import (
	"context"
	"sync/atomic"
)

// Walk is for work that makes work: it calls f for each of the roots, and for each
// value that f puts, n calls at a time (at least 1), and returns when nothing is left
// to do. Put may be called by any goroutine until the call of f that it was given to
// returns; it never waits, so waiting values take memory. The first error stops the
// rest and is returned unchanged; when ctx ends, its cause is returned. In both cases
// put fails from then on.
//
// Values are taken in the order in which they were put: breadth first.
func Walk[T any](ctx context.Context, n int, f func(ctx context.Context, value T, put func(T) error) error, roots ...T) error {
	if len(roots) == 0 {
		return ctx.Err()
	}
	var open atomic.Int64 // values that were put and not used
	done := make(chan struct{})
	g := Group[T]{Consumers: max(n, 1), Bound: -1}
	put := func(v T) error {
		if err := g.making.Err(); err != nil {
			return err
		}
		open.Add(1)
		return g.own.tryPut(&entry[T]{value: v}) // fails if it was stopped meanwhile
	}
	g.Produce = func(ctx context.Context, _ int, _ func(T) error) error {
		open.Add(1)
		for _, v := range roots {
			if err := put(v); err != nil {
				return err
			}
		}
		if open.Add(-1) == 0 {
			return nil
		}
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	g.Consume = func(ctx context.Context, _ int, v T) error {
		err := f(ctx, v, put)
		if open.Add(-1) == 0 {
			close(done)
		}
		return err
	}
	return bare(g.Run(ctx))
}
