package jetstream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"
)

// Parked is a value that was lent as often as allowed and never used. It is kept beside
// the queue until it is put back or removed.
type Parked[T any] struct {
	ID     uint64 // its number in the queue
	Value  T      // the zero value if Data can't be decoded
	Data   []byte // as the codec has made it
	Since  time.Time
	Errors []Failure // the oldest first
}

// Headers of parked messages.
const (
	errorsHeader  = "Prodcons-Errors"
	subjectHeader = "Prodcons-Subject"
)

// park puts a value beside the queue, with all its known errors, and err as the last if
// it is not nil. Until the last step it is in the queue, too; whoever gets it again
// repeats this.
func (q *Queue[T]) park(ctx context.Context, l *loan, err error) error {
	failures, failed := q.failures(ctx, l.seq)
	if failed != nil {
		return failed
	}
	if err != nil {
		failures = append(failures, Failure{Attempt: l.delivery, At: time.Now(), Err: err.Error()})
	}
	errs, failed := json.Marshal(failures)
	if failed != nil {
		return failed
	}
	m := &nats.Msg{
		Subject: q.parkedSubject(l.seq), Data: l.message.Data,
		Header: nats.Header{errorsHeader: {string(errs)}, subjectHeader: {l.message.Subject}},
	}
	failed = q.store.persist(ctx, func(ctx context.Context) error {
		_, err := q.store.js.PublishMsg(ctx, m)
		return err
	})
	if failed != nil {
		return failed
	}
	return q.used(ctx, l)
}

func (q *Queue[T]) parkedSubject(id uint64) string {
	return q.subject("parked." + strconv.FormatUint(id, 10))
}

// failures reads the errors of a value.
func (q *Queue[T]) failures(ctx context.Context, seq uint64) (failures []Failure, err error) {
	for _, subject := range q.notes(ctx, "failed", seq) {
		m, err := q.history.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, js.ErrMsgNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		var f Failure
		if err := json.Unmarshal(m.Data, &f); err != nil {
			return nil, fmt.Errorf("read a failure: %w", err)
		}
		failures = append(failures, f)
	}
	slices.SortFunc(failures, func(a, b Failure) int { return cmp.Compare(a.Attempt, b.Attempt) })
	return failures, nil
}

// Parked lists what is parked, in the order in which it was put into the queue.
func (q *Queue[T]) Parked(ctx context.Context) ([]Parked[T], error) {
	info, err := q.parked.Info(ctx, js.WithSubjectFilter(q.subject("parked.*")))
	if err != nil {
		return nil, err
	}
	var all []Parked[T]
	for subject := range info.State.Subjects {
		p, _, err := q.readParked(ctx, subject)
		if errors.Is(err, js.ErrMsgNotFound) { // meanwhile
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Parked[T]) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (q *Queue[T]) readParked(ctx context.Context, subject string) (p Parked[T], m *js.RawStreamMsg, err error) {
	if m, err = q.parked.GetLastMsgForSubject(ctx, subject); err != nil {
		return p, nil, err
	}
	p.ID, err = strconv.ParseUint(subject[strings.LastIndexByte(subject, '.')+1:], 10, 64)
	if err != nil {
		return p, nil, err
	}
	p.Data, p.Since = m.Data, m.Time
	if value, err := q.options.Codec.Decode(m.Data); err == nil {
		p.Value = value
	}
	return p, m, json.Unmarshal([]byte(m.Header.Get(errorsHeader)), &p.Errors)
}

// PutBack puts a parked value at the end of the queue, where it has all its tries
// again. If the queue is full, it waits or fails as Put does.
func (q *Queue[T]) PutBack(ctx context.Context, id uint64) error {
	_, m, err := q.readParked(ctx, q.parkedSubject(id))
	if err != nil {
		return q.noSuch(id, err)
	}
	// Should that be done again, as the next step has failed, it is stored once.
	name := fmt.Sprintf("parked-%d-%d", id, m.Sequence)
	err = q.put(ctx, &nats.Msg{Subject: m.Header.Get(subjectHeader), Data: m.Data, Header: nats.Header{js.MsgIDHeader: {name}}})
	if err != nil {
		return err
	}
	return q.parked.DeleteMsg(ctx, m.Sequence)
}

// Remove removes a parked value for good.
func (q *Queue[T]) Remove(ctx context.Context, id uint64) error {
	m, err := q.parked.GetLastMsgForSubject(ctx, q.parkedSubject(id))
	if err == nil {
		err = q.parked.DeleteMsg(ctx, m.Sequence)
	}
	return q.noSuch(id, err)
}

// noSuch says what is missing, if it is.
func (q *Queue[T]) noSuch(id uint64, err error) error {
	if errors.Is(err, js.ErrMsgNotFound) {
		return fmt.Errorf("queue %q: nothing is parked under the number %d", q.name, id)
	}
	return err
}
