package prodcons

import (
	"context"
	"errors"
	"iter"
)

// Stream is a source of values that may fail, or one with stages behind it (see
// [Then]): called with a context it yields values, and errors in their places. After an
// error it goes on; the reader decides whether to break. When ctx ends, its cause comes
// last.
//
// Breaking out of the loop cancels all stages and waits for them: no goroutine is
// left. A Stream can be read more than once if its source can.
type Stream[T any] func(ctx context.Context) iter.Seq2[T, error]

// FromSeq is a stream of values. Its reader waits for values to yield: no context can
// interrupt that.
func FromSeq[T any](values iter.Seq[T]) Stream[T] {
	return func(ctx context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			for v := range values {
				if ctx.Err() != nil {
					yield(v, context.Cause(ctx))
					return
				}
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// FromQueue is a stream of what it gets from q, until q is closed and empty. Stages
// behind it read a little ahead: what they have got and not yielded when they are
// stopped is lost. [Batches] loses nothing.
func FromQueue[T any](q Queue[T]) Stream[T] {
	return func(ctx context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			for {
				v, err := q.Get(ctx)
				if err == nil && yield(v, nil) {
					continue
				}
				if err != nil && !errors.Is(err, ErrClosed) {
					if told(err, ctx) {
						err = context.Cause(ctx)
					}
					yield(v, err)
				}
				return
			}
		}
	}
}
