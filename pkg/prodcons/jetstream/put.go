package jetstream

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Put stores v: when it returns nil, the server has it, as safe as Sync of [Config] and
// Replicas of [Options] say. It waits while the queue is full or the server can't be
// reached, and then tries again, but stores v only once. It fails with
// [prodcons.ErrClosed] after Close, with [prodcons.ErrFull] if the queue is full and
// Full of [Options] is FailWhenFull, and with ctx's error when that ends first; only in
// that last case may v be in the queue all the same.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := q.open(ctx); err != nil {
		return err
	}
	m, err := q.message(v, q.id(v))
	if err != nil {
		return err
	}
	return q.put(ctx, m)
}

// open returns an error that says why nothing may be put, or nil.
func (q *Queue[T]) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return prodcons.ErrClosed
	}
	return nil
}

// id is the name of a value, by which the server recognises it.
func (q *Queue[T]) id(v T) string {
	if q.options.ID != nil {
		return q.options.ID(v)
	}
	return nuid.Next()
}

// put publishes until it is stored.
func (q *Queue[T]) put(ctx context.Context, m *nats.Msg) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := q.store.persist(ctx, func(ctx context.Context) error {
			_, err := q.store.js.PublishMsg(ctx, m)
			return err
		})
		if !full(err) {
			return err
		}
		if q.options.Full == prodcons.FailWhenFull {
			return prodcons.ErrFull
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// full reports whether the server has refused a value because the queue is full.
func full(err error) bool {
	var api *js.APIError
	return errors.As(err, &api) && strings.Contains(api.Description, "maximum messages exceeded")
}

// inFlight is how many puts of a batch are on their way at the same time.
const inFlight = 512

// PutBatch puts values in their order, unless something must be tried again, without
// waiting for each before it sends the next. It returns how many of the first ones are
// stored, and why the next is not; some of those after it may be stored. In a queue
// with Bound and Key, where trying again could change the order of a key, it puts them
// one after the other.
func (q *Queue[T]) PutBatch(ctx context.Context, values []T) (n int, err error) {
	if q.options.Key != nil && q.jobs.CachedInfo().Config.MaxMsgs > 0 {
		for i, v := range values {
			if err := q.Put(ctx, v); err != nil {
				return i, err
			}
		}
		return len(values), nil
	}
	if err := q.open(ctx); err != nil {
		return 0, err
	}
	messages := make([]*nats.Msg, len(values))
	for i, v := range values {
		if messages[i], err = q.message(v, q.id(v)); err != nil {
			return 0, err
		}
	}
	futures := make([]js.PubAckFuture, len(values))
	for i, m := range messages {
		if i >= inFlight {
			if err := q.confirm(ctx, messages[i-inFlight], futures[i-inFlight]); err != nil {
				return i - inFlight, err
			}
		}
		futures[i], _ = q.store.js.PublishMsgAsync(m)
	}
	for i := max(len(values)-inFlight, 0); i < len(values); i++ {
		if err := q.confirm(ctx, messages[i], futures[i]); err != nil {
			return i, err
		}
	}
	return len(values), nil
}

// confirm returns when what was published is stored; future is nil if it could not be
// sent.
func (q *Queue[T]) confirm(ctx context.Context, m *nats.Msg, future js.PubAckFuture) error {
	if future != nil {
		select {
		case <-future.Ok():
			return nil
		case <-future.Err(): // of any kind, a missing answer too
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return q.put(ctx, m) // with the same id: it is stored once
}
