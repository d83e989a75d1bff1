package prodcons

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync/atomic"
	"time"
)

// Polling is the queue that waits by looking again and again, with a sleep in between.
// A value waits half the interval on average for a consumer that was there before it,
// and every empty poll costs a little. It has no bound. The zero value looks without a
// rest; see [NewPolling].
type Polling[T any] struct {
	slice    Slice[T]
	interval time.Duration
	empty    atomic.Int64
}

// NewPolling returns a queue whose Get looks once per interval. With an interval of
// zero or less it looks without a rest, which keeps a core busy.
func NewPolling[T any](interval time.Duration) *Polling[T] {
	return &Polling[T]{interval: interval}
}

// Put appends v at once, as [Slice.Put] does.
func (q *Polling[T]) Put(ctx context.Context, v T) error { return q.slice.Put(ctx, v) }

// TryPut appends v at once, as [Slice.TryPut] does.
func (q *Polling[T]) TryPut(v T) error { return q.slice.TryPut(v) }

// PutBatch appends all values or none, as [Slice.PutBatch] does.
func (q *Polling[T]) PutBatch(ctx context.Context, values []T) (n int, err error) {
	return q.slice.PutBatch(ctx, values)
}

// Get removes the oldest value, looking until there is one. Whoever looks next gets it:
// consumers are not served in the order in which they came.
func (q *Polling[T]) Get(ctx context.Context) (T, error) {
	var one [1]T
	_, err := q.GetBatch(ctx, one[:])
	return one[0], err
}

// TryGet looks once. An empty poll is counted.
func (q *Polling[T]) TryGet() (T, error) {
	v, err := q.slice.TryGet()
	if errors.Is(err, ErrEmpty) {
		q.empty.Add(1)
	}
	return v, err
}

// GetBatch removes the oldest values, up to len(buffer) of them, looking until there is
// at least one, and copies them to buffer in their order.
func (q *Polling[T]) GetBatch(ctx context.Context, buffer []T) (n int, err error) {
	for {
		n, err := q.slice.GetBatch(ctx, buffer)
		if !errors.Is(err, ErrEmpty) {
			return n, err
		}
		q.empty.Add(1)
		if q.interval <= 0 {
			runtime.Gosched()
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(q.interval):
		}
	}
}

// All yields values, oldest first, until the queue is closed and empty or ctx
// ends. Each value is removed as it is yielded.
func (q *Polling[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q) }

// Close ends the queue; a Get that waits notices at its next look.
func (q *Polling[T]) Close() { q.slice.Close() }

// Len is the number of values in the queue.
func (q *Polling[T]) Len() int { return q.slice.Len() }

// EmptyPolls is how many looks so far found nothing.
func (q *Polling[T]) EmptyPolls() int { return int(q.empty.Load()) }
