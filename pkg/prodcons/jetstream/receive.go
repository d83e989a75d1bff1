package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

var errStoreClosed = errors.New("the store is closed")

// Receive lends the oldest value that nobody has, waiting until there is one. It fails
// with [prodcons.ErrClosed] once Close was called and the queue was seen empty, and
// with ctx's error when that ends first. While the server can't be reached, it waits.
//
// Settle(nil) removes the value: when it returns nil, the server knows. Settle(err)
// notes the error, and the value is lent again after a while; or it is parked, if it
// has been lent often enough (see Retry of [Options]) or err is [prodcons.Permanent].
// With an error that is context.Canceled the value goes to somebody else at once, and
// that does not count as a try. Settle fails if the server could not be reached before
// the lease was over.
func (q *Queue[T]) Receive(ctx context.Context) (prodcons.Delivery[T], error) {
	for {
		l, err := q.lend(ctx)
		if err != nil {
			return prodcons.Delivery[T]{}, err
		}
		value, err := q.options.Codec.Decode(l.message.Data)
		if err != nil {
			err = fmt.Errorf("decode: %w", err)
		} else if q.spent(l.delivery-1) && q.spent(q.tries(ctx, l)-1) {
			err = fmt.Errorf("lent %d times, and not settled the last time", l.delivery-1)
		}
		if err == nil {
			var once sync.Once
			settle := func(err error) (failed error) {
				once.Do(func() { failed = q.settle(l, err) })
				return failed
			}
			return prodcons.Delivery[T]{Value: value, Attempt: l.delivery, Settle: settle}, nil
		}
		// If that fails, its lease ends, and whoever gets it then tries again.
		_ = q.park(ctx, l, err)
		q.desk.end(l)
	}
}

// lend waits for the next value.
func (q *Queue[T]) lend(ctx context.Context) (*loan, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-q.emptied:
		return nil, prodcons.ErrClosed
	default:
	}
	w, err := q.desk.enter()
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	q.lookIfEmpty()
	q.mu.Unlock()
	select {
	case l := <-w.ready:
		return l, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-q.emptied:
		err = prodcons.ErrClosed
	case <-q.store.ctx.Done():
		err = errStoreClosed
	}
	if l := q.desk.leave(w); l != nil {
		return l, nil
	}
	return nil, err
}

// Get receives a value and settles it at once.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	d, err := q.Receive(ctx)
	if err == nil {
		err = d.Settle(nil)
	}
	return d.Value, err
}

// settle ends a loan.
func (q *Queue[T]) settle(l *loan, err error) error {
	defer q.desk.end(l)
	ctx, cancel := context.WithTimeout(q.store.ctx, max(q.desk.lease, patience))
	defer cancel()
	switch {
	case err == nil:
		return q.used(ctx, l)
	case errors.Is(err, context.Canceled):
		_ = q.note(ctx, l, "returned", nil)
		return q.tell(ctx, l, "-NAK")
	}
	if failed := q.note(ctx, l, "failed", err); failed != nil {
		return failed
	}
	wait, again := q.options.Retry.Again(q.tries(ctx, l), err)
	if !again {
		return q.park(ctx, l, nil)
	}
	return q.tell(ctx, l, fmt.Sprintf(`-NAK {"delay":%d}`, wait.Nanoseconds()))
}

// used removes a value.
func (q *Queue[T]) used(ctx context.Context, l *loan) error {
	if l.delivery > 1 {
		_ = q.forget(ctx, l.seq)
	}
	err := q.tell(ctx, l, "+ACK")
	select {
	case q.settled <- struct{}{}:
	default:
	}
	return err
}

// tell tells the server what became of a value, and returns when it knows.
func (q *Queue[T]) tell(ctx context.Context, l *loan, what string) error {
	return q.store.persist(ctx, func(ctx context.Context) error {
		_, err := q.store.conn.RequestWithContext(ctx, l.message.Reply, []byte(what))
		return err
	})
}

// Failure is one time that a value was not used.
type Failure struct {
	Attempt int       `json:"attempt"` // how often it had been lent, that time included
	At      time.Time `json:"at"`      // by the clock of whoever told it
	Err     string    `json:"err"`
}

// note keeps what became of this delivery.
func (q *Queue[T]) note(ctx context.Context, l *loan, kind string, err error) error {
	var data []byte
	if err != nil {
		data, _ = json.Marshal(Failure{Attempt: l.delivery, At: time.Now(), Err: err.Error()})
	}
	return q.store.persist(ctx, func(ctx context.Context) error {
		_, err := q.store.js.Publish(ctx, l.notice(q.subject(kind)), data)
		return err
	})
}

// tries is how often a value has been lent, not counting the times that it came back
// through no fault of its own.
func (q *Queue[T]) tries(ctx context.Context, l *loan) int {
	if l.delivery == 1 {
		return 1
	}
	return l.delivery - len(q.notes(ctx, "returned", l.seq))
}

// spent reports whether a value may not be lent again after that many tries.
func (q *Queue[T]) spent(tries int) bool {
	_, again := q.options.Retry.Again(tries, nil)
	return !again
}

// notes are the subjects of what is known of a value.
func (q *Queue[T]) notes(ctx context.Context, kind string, seq uint64) (subjects []string) {
	_ = q.store.persist(ctx, func(ctx context.Context) error {
		info, err := q.history.Info(ctx, js.WithSubjectFilter(q.subject(kind)+"."+strconv.FormatUint(seq, 10)+".*"))
		if err == nil {
			for subject := range info.State.Subjects {
				subjects = append(subjects, subject)
			}
		}
		return err
	})
	return subjects
}

// forget removes what is known of the failures of a value.
func (q *Queue[T]) forget(ctx context.Context, seq uint64) error {
	for _, kind := range []string{"failed", "returned"} {
		filter := q.subject(kind) + "." + strconv.FormatUint(seq, 10) + ".*"
		if err := q.history.Purge(ctx, js.WithPurgeSubject(filter)); err != nil {
			return err
		}
	}
	return nil
}

// message is what is put for a value.
func (q *Queue[T]) message(v T, id string) (*nats.Msg, error) {
	data, err := q.options.Codec.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return &nats.Msg{Subject: q.subjectOf(v), Data: data, Header: nats.Header{js.MsgIDHeader: {id}}}, nil
}
