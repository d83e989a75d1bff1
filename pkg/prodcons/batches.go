package prodcons

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Batches is a stream of what it gets from q, in batches of up to size values (at least
// 1). A batch is yielded as soon as it is full, or when its first value was got wait
// ago; with a wait of 0 or less, only when it is full or the queue has ended. The loop
// may keep the slice.
//
// Nothing is lost: when ctx ends, what was got so far is yielded before ctx's cause,
// and breaking out of the loop leaves everything outside the current batch in the
// queue.
func Batches[T any](q Queue[T], size int, wait time.Duration) Stream[[]T] {
	size = max(size, 1)
	return func(ctx context.Context) iter.Seq2[[]T, error] {
		return func(yield func([]T, error) bool) {
			for {
				batch, err := nextBatch(ctx, q, size, wait)
				if len(batch) > 0 && !yield(batch, nil) {
					return
				}
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						yield(nil, err)
					}
					return
				}
			}
		}
	}
}

// nextBatch gets a batch, and returns an error if it is the last.
func nextBatch[T any](ctx context.Context, q Queue[T], size int, wait time.Duration) (batch []T, err error) {
	within := ctx
	for len(batch) < size {
		v, err := q.Get(within)
		switch {
		case err == nil:
		case ctx.Err() != nil && told(err, ctx):
			return batch, context.Cause(ctx)
		case len(batch) > 0 && told(err, within): // it is time
			return batch, nil
		default:
			return batch, err
		}
		if batch = append(batch, v); len(batch) == 1 && wait > 0 {
			var cancel context.CancelFunc
			within, cancel = context.WithTimeout(ctx, wait)
			defer cancel()
		}
	}
	return batch, nil
}

// ThenBatches puts a stage behind a stream that gathers its values into batches,
// as [Batches] does. An error comes after the batch of the values before it.
func ThenBatches[T any](s Stream[T], size int, wait time.Duration) Stream[[]T] {
	return func(ctx context.Context) iter.Seq2[[]T, error] {
		return func(yield func([]T, error) bool) {
			q := newBuffer[result[T]](max(size, 1), WaitWhenFull)
			run := func(ctx context.Context) error {
				for v, err := range s(ctx) {
					if err := q.Put(ctx, result[T]{v, err}); err != nil {
						return context.Cause(ctx)
					}
				}
				return nil
			}
			behind(ctx, run, q.Close, func(<-chan struct{}) bool {
				for batch, err := range Batches(Queue[result[T]](q), size, wait)(context.WithoutCancel(ctx)) {
					if err != nil || !split(batch, yield) {
						return false
					}
				}
				return true
			}, yield)
		}
	}
}

// split yields the values of a batch, up to each error, and the error.
func split[T any](batch []result[T], yield func([]T, error) bool) bool {
	var values []T
	flush := func() bool {
		out := values
		values = nil
		return len(out) == 0 || yield(out, nil)
	}
	for _, r := range batch {
		if r.err == nil {
			values = append(values, r.value)
		} else if !flush() || !yield(nil, r.err) {
			return false
		}
	}
	return flush()
}
