package prodcons

import (
	"context"
	"iter"
	"sync"
)

// Keyed is a queue that keeps the order of the values of each key: it lends one value
// of a key at a time, and the next one when that has been settled. So keys are worked
// on side by side, and the values of each one after the other, by whichever consumer is
// free. It is a [Lender]: give it to a [Group] as its Queue.
//
// Order: the values of one key come out in the order in which they went in; one that
// was not used comes again before those behind it. Keys take turns. Cost: a few hundred
// nanoseconds per value, and memory only for keys that have values.
type Keyed[T any, K comparable] struct {
	key   func(T) K
	room  *Buffer[struct{}]   // a token for each value; nil: no bound
	ready Buffer[*lane[T, K]] // those with a value that can be lent

	mu     sync.Mutex
	lanes  map[K]*lane[T, K]
	values int // those lent included
	closed bool
}

// lane is the values of one key, the one that is lent included.
type lane[T any, K comparable] struct {
	key      K
	values   []T
	attempts int // how often the first was lent
}

// NewKeyed returns an empty queue with room for bound values, those lent included;
// with a bound of zero or less there is no bound.
func NewKeyed[T any, K comparable](bound int, key func(value T) K) *Keyed[T, K] {
	q := &Keyed[T, K]{key: key, lanes: map[K]*lane[T, K]{}}
	if bound > 0 {
		q.room = newBuffer[struct{}](bound, WaitWhenFull)
	}
	return q
}

// Put appends v, waiting until there is room. It fails with ErrClosed after Close,
// and with ctx's error when that ends first.
func (q *Keyed[T, K]) Put(ctx context.Context, v T) error { return q.put(ctx, q.key(v), v) }

func (q *Keyed[T, K]) put(ctx context.Context, k K, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.room != nil {
		if err := q.room.Put(ctx, struct{}{}); err != nil {
			return err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	q.values++
	l := q.lanes[k]
	if l == nil {
		l = &lane[T, K]{key: k}
		q.lanes[k] = l
	}
	if l.values = append(l.values, v); len(l.values) == 1 {
		return q.ready.TryPut(l)
	}
	return nil
}

// Receive lends the next value of a key that has no value lent, waiting until there is
// one. It fails with ErrClosed once the queue is closed and all values are settled, and
// with ctx's error when that ends first.
func (q *Keyed[T, K]) Receive(ctx context.Context) (Delivery[T], error) {
	l, err := q.ready.Get(ctx)
	if err != nil {
		return Delivery[T]{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	l.attempts++
	var once sync.Once
	settle := func(err error) error {
		once.Do(func() { q.settle(l, err == nil) })
		return nil
	}
	return Delivery[T]{Value: l.values[0], Attempt: l.attempts, Settle: settle}, nil
}

// settle ends the loan of a lane's first value.
func (q *Keyed[T, K]) settle(l *lane[T, K], used bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if used {
		clear(l.values[:1])
		l.values, l.attempts = l.values[1:], 0
		q.values--
		if q.room != nil {
			_, _ = q.room.TryGet()
		}
	}
	if len(l.values) > 0 {
		_ = q.ready.TryPut(l)
	} else {
		delete(q.lanes, l.key)
	}
	if q.closed && q.values == 0 {
		q.ready.Close()
	}
}

// Get receives a value and settles it at once.
func (q *Keyed[T, K]) Get(ctx context.Context) (T, error) {
	d, err := q.Receive(ctx)
	if err == nil {
		err = d.Settle(nil)
	}
	return d.Value, err
}

// Close says that no more will be put. What is in the queue, and what comes back
// to it, can still be received.
func (q *Keyed[T, K]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.room != nil {
		q.room.Close()
	}
	if q.values == 0 {
		q.ready.Close()
	}
}

// Len is the number of values in the queue, those lent included.
func (q *Keyed[T, K]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.values
}

// EachKeyed is [Each], but values of one key are used one after the other, in
// their order.
func EachKeyed[T any, K comparable](ctx context.Context, values iter.Seq[T], n int, key func(value T) K, f func(ctx context.Context, value T) error) error {
	g := Group[T]{
		Consumers: max(n, 1),
		Queue:     NewKeyed(ahead(n), key),
		Produce:   putAll(values),
		Consume:   func(ctx context.Context, _ int, v T) error { return f(ctx, v) },
	}
	return bare(g.Run(ctx))
}
