package prodcons

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrClosed is returned by Put after Close, and by Get once the queue is
	// closed and empty.
	ErrClosed = errors.New("queue is closed")

	// ErrEmpty is returned by a Get that does not wait and finds nothing.
	ErrEmpty = errors.New("queue is empty")
)

// Queue carries items from producers to consumers, first in, first out.
//
// Every method may be called by any number of goroutines at once. A context
// that has already ended makes Put and Get fail before they touch the queue.
type Queue[T any] interface {
	// Put appends an item. It fails with ErrClosed after Close, and with the
	// context's error when ctx ends before there is room; the item is then
	// not in the queue.
	Put(ctx context.Context, item Item[T]) error

	// Get removes the oldest item and returns it. It fails with ErrClosed once
	// the queue is closed and empty, and with the context's error when ctx ends
	// first; no item is lost in either case. Whether Get waits for an item is
	// what sets the kinds of queue apart.
	Get(ctx context.Context) (Item[T], error)

	// Close says that no more items will be put. Those in the queue can still
	// be got. Closing twice is allowed and does nothing.
	Close()

	// Len is the number of items in the queue at this moment.
	Len() int
}

// IntQueue is the queue of the lessons, for interpreters that know no generic
// types of compiled packages.
type IntQueue = Queue[int]

// Slice is the queue that never waits: Get fails with ErrEmpty when there is
// nothing to get. It has no bound, so Put never waits either. The zero value is
// an empty queue ready for use.
type Slice[T any] struct {
	mu     sync.Mutex
	items  []Item[T]
	closed bool
}

// IntSlice is a Slice of the lessons' items.
type IntSlice = Slice[int]

// Put appends item at once. Amortised O(1).
func (q *Slice[T]) Put(ctx context.Context, item Item[T]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	q.items = append(q.items, item)
	return nil
}

// Get removes the oldest item, or fails at once: with ErrEmpty when there is
// none now, with ErrClosed when there will be none any more. O(1).
func (q *Slice[T]) Get(ctx context.Context) (Item[T], error) {
	var none Item[T]
	if err := ctx.Err(); err != nil {
		return none, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		if q.closed {
			return none, ErrClosed
		}
		return none, ErrEmpty
	}
	item := q.items[0]
	q.items[0] = none // so that the value can be collected
	q.items = q.items[1:]
	return item, nil
}

// Close ends the queue; see [Queue].
func (q *Slice[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// Len is the number of items in the queue.
func (q *Slice[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Polling is the queue that waits by looking again and again, with a sleep
// between two looks. An item waits half the interval on average for a consumer
// that was there before it, and every look in vain costs a little. It has no
// bound. Make one with [NewPolling].
type Polling[T any] struct {
	slice    Slice[T]
	interval time.Duration
	looks    atomic.Int64
}

// IntPolling is a Polling queue of the lessons' items.
type IntPolling = Polling[int]

// NewPolling returns a queue whose Get looks every interval. With an interval
// of zero or less it looks without a rest, which keeps a core busy.
func NewPolling[T any](interval time.Duration) *Polling[T] {
	return &Polling[T]{interval: interval}
}

// NewIntPolling is NewPolling for the lessons' items.
func NewIntPolling(interval time.Duration) *IntPolling { return NewPolling[int](interval) }

// Put appends item at once, as [Slice.Put] does.
func (q *Polling[T]) Put(ctx context.Context, item Item[T]) error {
	return q.slice.Put(ctx, item)
}

// Get removes the oldest item, looking until there is one.
func (q *Polling[T]) Get(ctx context.Context) (Item[T], error) {
	for {
		item, err := q.slice.Get(ctx)
		if !errors.Is(err, ErrEmpty) {
			return item, err
		}
		q.looks.Add(1)
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

// Close ends the queue; a waiting Get notices at its next look.
func (q *Polling[T]) Close() { q.slice.Close() }

// Len is the number of items in the queue.
func (q *Polling[T]) Len() int { return q.slice.Len() }

// Looks is the number of looks in vain so far.
func (q *Polling[T]) Looks() int { return int(q.looks.Load()) }

// Channel is the queue that waits and is woken: Get returns as soon as there is
// an item, Put as soon as there is room. It is a Go channel with a context, and
// with a Close that any goroutine may call at any time. Make one with
// [NewChannel].
type Channel[T any] struct {
	items   chan Item[T]
	closing chan struct{}

	mu     sync.RWMutex
	closed bool
	puts   sync.WaitGroup // the Puts that began before Close
}

// IntChannel is a Channel of the lessons' items.
type IntChannel = Channel[int]

// NewChannel returns a queue with room for capacity items. With a capacity of
// zero or less, Put waits until a consumer takes the item from its hands.
func NewChannel[T any](capacity int) *Channel[T] {
	return &Channel[T]{
		items:   make(chan Item[T], max(capacity, 0)),
		closing: make(chan struct{}),
	}
}

// NewIntChannel is NewChannel for the lessons' items.
func NewIntChannel(capacity int) *IntChannel { return NewChannel[int](capacity) }

// Put appends item, waiting until there is room for it.
func (q *Channel[T]) Put(ctx context.Context, item Item[T]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.RLock()
	if q.closed {
		q.mu.RUnlock()
		return ErrClosed
	}
	q.puts.Add(1)
	q.mu.RUnlock()
	defer q.puts.Done()
	select {
	case q.items <- item:
		return nil
	case <-q.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Get removes the oldest item, waiting until there is one. Consumers that wait
// are served in the order in which they came.
func (q *Channel[T]) Get(ctx context.Context) (Item[T], error) {
	var none Item[T]
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case item, ok := <-q.items:
		if !ok {
			return none, ErrClosed
		}
		return item, nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Close ends the queue. Puts that are waiting for room fail with ErrClosed.
func (q *Channel[T]) Close() {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	q.closed = true
	close(q.closing)
	q.mu.Unlock()
	q.puts.Wait() // all have either delivered or given up: none can send any more
	close(q.items)
}

// Len is the number of items in the channel's buffer.
func (q *Channel[T]) Len() int { return len(q.items) }
