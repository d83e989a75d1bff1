package prodcons

import (
	"context"
	"iter"
	"sync"
)

// Channel is the queue that waits and is woken: Get returns as soon as there is
// a value, Put as soon as there is room. It is a Go channel with a context, and
// with a Close that any goroutine may call at any time. The zero value is ready for
// use and has no room; [NewChannel] makes one with room. [Buffer] does the same in
// a fraction of the time.
type Channel[T any] struct {
	once    sync.Once // makes the channels
	values  chan T
	closing chan struct{}

	mu     sync.RWMutex
	closed bool
	puts   sync.WaitGroup // the puts that began before Close
}

// NewChannel returns a queue with room for capacity values. With a capacity of zero or
// less, Put waits until a consumer takes the value.
func NewChannel[T any](capacity int) *Channel[T] {
	q := new(Channel[T])
	q.make(capacity)
	return q
}

// make makes the channels, unless they are there.
func (q *Channel[T]) make(capacity int) {
	q.once.Do(func() {
		q.values, q.closing = make(chan T, max(capacity, 0)), make(chan struct{})
	})
}

// begin reports whether a put may go on; if so, it must end with q.puts.Done.
func (q *Channel[T]) begin() bool {
	q.make(0)
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return false
	}
	q.puts.Add(1)
	return true
}

// Put appends v, waiting until there is room for it. Waiting producers are served in
// the order in which they came.
func (q *Channel[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !q.begin() {
		return ErrClosed
	}
	defer q.puts.Done()
	select {
	case q.values <- v:
		return nil
	case <-q.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TryPut appends v if there is room or a waiting consumer, and otherwise fails with
// ErrFull.
func (q *Channel[T]) TryPut(v T) error {
	if !q.begin() {
		return ErrClosed
	}
	defer q.puts.Done()
	select {
	case q.values <- v:
		return nil
	default:
		return ErrFull
	}
}

// PutBatch puts the values one by one, in their order, and returns how many it has put.
// Values of other goroutines may come between them.
func (q *Channel[T]) PutBatch(ctx context.Context, values []T) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for i, v := range values {
		if err := q.Put(ctx, v); err != nil {
			return i, err
		}
	}
	return len(values), nil
}

// Get removes the oldest value, waiting until there is one. Waiting consumers are
// served in the order in which they came.
func (q *Channel[T]) Get(ctx context.Context) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	q.make(0)
	select {
	case v, ok := <-q.values:
		if !ok {
			return none, ErrClosed
		}
		return v, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// TryGet removes the oldest value, or takes one from a waiting Put, and fails with
// ErrEmpty if there is neither.
func (q *Channel[T]) TryGet() (T, error) {
	var none T
	q.make(0)
	select {
	case v, ok := <-q.values:
		if !ok {
			return none, ErrClosed
		}
		return v, nil
	default:
		return none, ErrEmpty
	}
}

// GetBatch removes the oldest values, up to len(buffer) of them, waiting until there is
// at least one, and copies them to buffer in their order. With an empty buffer it does
// nothing.
func (q *Channel[T]) GetBatch(ctx context.Context, buffer []T) (n int, err error) {
	if err := ctx.Err(); err != nil || len(buffer) == 0 {
		return 0, err
	}
	if buffer[0], err = q.Get(ctx); err != nil {
		return 0, err
	}
	for n = 1; n < len(buffer); n++ {
		if buffer[n], err = q.TryGet(); err != nil {
			break
		}
	}
	return n, nil
}

// All yields values, oldest first, until the queue is closed and empty or ctx
// ends. Each value is removed as it is yielded.
func (q *Channel[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q) }

// Close ends the queue. Puts that are waiting for room fail with ErrClosed.
func (q *Channel[T]) Close() {
	q.make(0)
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	q.closed = true
	close(q.closing)
	q.mu.Unlock()
	q.puts.Wait() // all have either delivered or given up: none can send any more
	close(q.values)
}

// Len is the number of values in the channel's buffer.
func (q *Channel[T]) Len() int {
	q.make(0)
	return len(q.values)
}
