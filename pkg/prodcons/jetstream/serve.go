package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Serve calls use for each value that comes into the queue, n values at a time, until
// ctx ends, or, once Close was called, until the queue is empty. Unlike in a
// [prodcons.Group], an error of use does not stop it: the value is lent again, or
// parked, as [Queue.Receive] says. What is being worked on when ctx ends goes to
// somebody else if use returns ctx's error. Serve returns ctx's cause, or what was
// wrong with the queue, or nil if it was drained. If use panics, so does Serve, after
// the value was settled.
func Serve[T any](ctx context.Context, queue *Queue[T], n int, use func(ctx context.Context, value T) error) error {
	group := prodcons.Group[prodcons.Delivery[T]]{
		Consumers: max(n, 1),
		Queue:     loans[T]{queue},
		Consume: func(ctx context.Context, _ int, d prodcons.Delivery[T]) error {
			returned := false
			defer func() {
				if !returned {
					_ = d.Settle(errors.New("its consumer panicked"))
				}
			}()
			err := use(ctx, d.Value)
			if err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
				err = fmt.Errorf("stopped: %w", context.Canceled)
			}
			returned = true
			return d.Settle(err)
		},
	}
	err := group.Run(ctx)
	for _, d := range group.Left() {
		_ = d.Settle(context.Canceled)
	}
	return err
}

// loans is a queue of what a queue lends.
type loans[T any] struct{ queue *Queue[T] }

func (l loans[T]) Put(context.Context, prodcons.Delivery[T]) error {
	return errors.New("a lent value can't be put")
}

func (l loans[T]) Get(ctx context.Context) (prodcons.Delivery[T], error) { return l.queue.Receive(ctx) }
func (l loans[T]) Close()                                                { l.queue.Close() }
func (l loans[T]) Len() int                                              { return l.queue.Len() }
