package prodcons

import (
	"context"
	"sync/atomic"
)

// Lender is a queue that lends its values: what was received is settled when it has
// been used, and goes to somebody else otherwise. So nothing is lost when a consumer
// fails, nor when a process dies, if the queue outlives it. Its Get receives a value
// and settles it at once.
//
// A [Group] over a Lender settles a value with what Consume has returned, and leaves in
// the queue what it has not used.
type Lender[T any] interface {
	Queue[T]

	// Receive lends the oldest value that nobody has, waiting until there is one.
	// It fails as Get does.
	Receive(ctx context.Context) (Delivery[T], error)
}

// Delivery is a value that was lent.
type Delivery[T any] struct {
	Value T

	// Attempt is how often the value has been lent, this time included; 0 if that
	// is not known.
	Attempt int

	// Settle ends the loan: with nil the value was used, and is gone; with an error it
	// was not, and goes to somebody else. Each delivery is settled once. Settle fails
	// if the queue could not be told; the value may then be lent again.
	Settle func(err error) error
}

// Lending is a [Lender] in memory: the reference for what a Lender does, and a stand-in
// for a durable one in tests. [NewLending] makes one. Values are lent in the order in
// which they were put; one that was given back goes behind those that are waiting.
type Lending[T any] struct {
	keyed *Keyed[T, uint64] // each value has a key of its own
	next  atomic.Uint64
}

// NewLending returns an empty queue with room for bound values, those lent included;
// with a bound of zero or less there is no bound.
func NewLending[T any](bound int) *Lending[T] {
	return &Lending[T]{keyed: NewKeyed[T, uint64](bound, nil)}
}

// Put appends v, waiting until there is room. It fails with ErrClosed after Close,
// and with ctx's error when that ends first.
func (q *Lending[T]) Put(ctx context.Context, v T) error {
	return q.keyed.put(ctx, q.next.Add(1), v)
}

// Receive lends the oldest value that nobody has, waiting until there is one. It
// fails with ErrClosed once the queue is closed and all values are settled, and
// with ctx's error when that ends first.
func (q *Lending[T]) Receive(ctx context.Context) (Delivery[T], error) { return q.keyed.Receive(ctx) }

// Get receives a value and settles it at once.
func (q *Lending[T]) Get(ctx context.Context) (T, error) { return q.keyed.Get(ctx) }

// Close says that no more will be put. What is in the queue, and what comes back
// to it, can still be received.
func (q *Lending[T]) Close() { q.keyed.Close() }

// Len is the number of values in the queue, those lent included.
func (q *Lending[T]) Len() int { return q.keyed.Len() }
