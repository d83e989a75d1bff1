package prodcons

import (
	"context"
	"errors"
	"iter"
)

var (
	// ErrClosed is returned by puts after Close, and by gets once the queue is
	// closed and empty.
	ErrClosed = errors.New("queue is closed")

	// ErrEmpty is returned by a get that does not wait and finds nothing.
	ErrEmpty = errors.New("queue is empty")

	// ErrFull is returned by a put that does not wait and finds no room.
	ErrFull = errors.New("queue is full")
)

// Queue carries values from producers to consumers, first in, first out. This is all
// that [Group] asks of a queue; those of this package have more methods, the same for
// each kind:
//
//	TryPut(v) error              puts now or fails now: ErrFull, ErrClosed
//	TryGet() (v, error)          gets now or fails now: ErrEmpty, ErrClosed
//	PutBatch(ctx, values) (n, error)  puts many, in their order
//	GetBatch(ctx, buffer) (n, error)  gets what is there, at least one
//	All(ctx) iter.Seq[T]         for range: gets until the queue has ended
//
// Every method may be called by any number of goroutines at once. A method that takes a
// context fails before it touches the queue if that context has already ended.
type Queue[T any] interface {
	// Put appends v. It fails with ErrClosed after Close, and with the context's
	// error when ctx ends before there is room; v is then not in the queue.
	Put(ctx context.Context, v T) error

	// Get removes the oldest value and returns it. It fails with ErrClosed once
	// the queue is closed and empty, and with the context's error when ctx ends
	// first; no value is lost in either case. Whether Get waits for a value is
	// what sets the kinds of queue apart.
	Get(ctx context.Context) (T, error)

	// Close says that no more will be put. What is in the queue can still be got.
	// Closing twice is allowed and does nothing.
	Close()

	// Len is the number of values in the queue at this moment.
	Len() int
}

// all is the All of each kind of queue.
func all[T any](ctx context.Context, q Queue[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := q.Get(ctx)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}
