package prodcons

import (
	"context"
	"iter"
	"sync"
)

// Slice is the queue that never waits: Get fails with ErrEmpty when there is
// nothing to get. It has no bound, so Put never waits either. The zero value is
// an empty queue ready for use. All its methods cost O(1), or O(n) for n values,
// amortised over the calls.
type Slice[T any] struct {
	mu     sync.Mutex
	values []T
	got    int // the number of values that have been got
	closed bool
}

// Put appends v at once, or fails with ErrClosed.
func (q *Slice[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return q.TryPut(v)
}

// TryPut is Put; a Slice is never full.
func (q *Slice[T]) TryPut(v T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	q.values = append(q.values, v)
	return nil
}

// PutBatch appends all values in their order, with none of another goroutine's between
// them, or none of them.
func (q *Slice[T]) PutBatch(ctx context.Context, values []T) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0, ErrClosed
	}
	q.values = append(q.values, values...)
	return len(values), nil
}

// Get removes the oldest value, or fails at once: with ErrEmpty when there is none now,
// and with ErrClosed when there will be none any more.
func (q *Slice[T]) Get(ctx context.Context) (T, error) {
	if err := ctx.Err(); err != nil {
		var none T
		return none, err
	}
	return q.TryGet()
}

// TryGet is Get; a Slice never waits.
func (q *Slice[T]) TryGet() (T, error) {
	var one [1]T
	_, err := q.take(one[:])
	return one[0], err
}

// GetBatch removes the oldest values, up to len(buffer) of them, and copies them to
// buffer in their order. It fails as Get does when there is none. With an empty buffer
// it does nothing.
func (q *Slice[T]) GetBatch(ctx context.Context, buffer []T) (n int, err error) {
	if err := ctx.Err(); err != nil || len(buffer) == 0 {
		return 0, err
	}
	return q.take(buffer)
}

func (q *Slice[T]) take(buffer []T) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = copy(buffer, q.values[q.got:])
	if n == 0 {
		if q.closed {
			return 0, ErrClosed
		}
		return 0, ErrEmpty
	}
	clear(q.values[q.got : q.got+n]) // so that they can be collected
	q.got += n
	// Move what is left to the front once that is the smaller half, and give the
	// memory back when nothing is left of much.
	if rest := len(q.values) - q.got; rest <= q.got {
		copy(q.values, q.values[q.got:])
		clear(q.values[rest:])
		q.values, q.got = q.values[:rest], 0
		if rest == 0 && cap(q.values) > 1024 {
			q.values = nil
		}
	}
	return n, nil
}

// All yields what is in the queue, oldest first, until there is nothing more now
// or ctx ends. Each value is removed as it is yielded.
func (q *Slice[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q) }

// Close ends the queue; see [Queue].
func (q *Slice[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// Len is the number of values in the queue.
func (q *Slice[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.values) - q.got
}
