package prodcons

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// Each calls f for each of the values, n calls at a time (at least 1), and returns when
// all calls have returned. The first error stops the rest and is returned unchanged;
// when ctx ends, its cause is returned. A panic in f or in values reaches the caller as
// a [*Panic].
//
// One goroutine reads the values, a little ahead: 64 of them, or 2n if that is more.
// Use a [Group] to learn which values were not used, or how long they waited.
func Each[T any](ctx context.Context, values iter.Seq[T], n int, f func(ctx context.Context, value T) error) error {
	g := Group[T]{
		Consumers: max(n, 1),
		Bound:     ahead(n),
		Produce:   putAll(values),
		Consume:   func(ctx context.Context, _ int, v T) error { return f(ctx, v) },
	}
	return bare(g.Run(ctx))
}

// EachAll is Each, but goes on after errors: it returns all of them, joined, in
// the order in which they came.
func EachAll[T any](ctx context.Context, values iter.Seq[T], n int, f func(ctx context.Context, value T) error) error {
	var mu sync.Mutex
	var errs []error
	err := Each(ctx, values, n, func(ctx context.Context, v T) error {
		if err := f(ctx, v); err != nil && !told(err, ctx) {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// ahead is how many values are read before n workers are ready for them.
func ahead(n int) int { return max(64, 2*n) }

// putAll is a Produce that puts all values.
func putAll[T any](values iter.Seq[T]) func(context.Context, int, func(T) error) error {
	return func(_ context.Context, _ int, put func(T) error) error {
		for v := range values {
			if err := put(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// bare returns what a worker has returned, without its name.
func bare(err error) error {
	if worker, ok := err.(*Error); ok {
		return worker.Err
	}
	return err
}
