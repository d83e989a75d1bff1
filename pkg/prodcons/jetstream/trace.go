package jetstream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	js "github.com/nats-io/nats.go/jetstream"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Trace is the record of a run of many processes: each reports what happens there, and
// any of them can make a [prodcons.Record] of it. [NewTrace] makes one.
//
// Times are by each machine's own wall clock, since the trace was made by the server's.
// Between machines they are off by the difference of their clocks: a few milliseconds
// where these are kept by NTP.
type Trace struct {
	store   *Store
	name    string
	subject string
	start   time.Time
}

// NewTrace opens the trace of that name, and begins it if it is not there.
func NewTrace(ctx context.Context, store *Store, name string) (*Trace, error) {
	if !named.MatchString(name) {
		return nil, fmt.Errorf("trace %q: its name must be 1 to 64 letters, digits and dashes", name)
	}
	t := &Trace{store: store, name: name, subject: "prodcons." + name + ".trace"}
	err := store.persist(ctx, func(ctx context.Context) error {
		stream, err := store.js.CreateOrUpdateStream(ctx, js.StreamConfig{
			Name: t.stream(), Description: "trace of a prodcons run", Subjects: []string{t.subject},
			MaxMsgs: 1_000_000, // the last of them
		})
		if err == nil {
			t.start = stream.CachedInfo().Created
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("trace %q: %w", name, err)
	}
	return t, nil
}

func (t *Trace) stream() string { return t.name + "_trace" }

// Observer returns a function for the field Observe of a [prodcons.Group], or for
// events of your own. It adds the first numbers to those of the group's producers and
// consumers, so that each has a number of its own in the whole run. Values should be
// items whose [prodcons.Origin] has these. It does not wait for the server: what a
// killed process reported in its last moment may be missing.
func (t *Trace) Observer(firstProducer, firstConsumer int) func(prodcons.Event) {
	var began atomic.Int64 // the group's beginning: no event is told before it happens
	began.Store(int64(^uint64(0) >> 1))
	return func(e prodcons.Event) {
		at := int64(time.Since(t.start) - e.At)
		for old := began.Load(); at < old && !began.CompareAndSwap(old, at); old = began.Load() {
		}
		e.At += time.Duration(began.Load())
		if e.Kind == prodcons.ItemMade { // of others, the item's origin tells
			e.Producer += firstProducer
		}
		if e.Consumer > 0 {
			e.Consumer += firstConsumer
		}
		if data, err := json.Marshal(e); err == nil {
			_, _ = t.store.js.PublishAsync(t.subject, data)
		}
	}
}

// Start is when the trace began.
func (t *Trace) Start() time.Time { return t.start }

// withDeaths sorts the events, and adds what a process that died could not report: an
// item that is picked up again was given back. When is not known; it is dated to the
// first moment at which it can have been.
func withDeaths(events []prodcons.Event) []prodcons.Event {
	byTime := func(a, b prodcons.Event) int { return cmp.Compare(a.At, b.At) }
	slices.SortStableFunc(events, byTime)
	type item struct{ producer, number int }
	lent := map[item]prodcons.Event{}
	for _, e := range events { // as it was: what is added is not ranged over
		key := item{e.Producer, e.Number}
		before, twice := lent[key]
		switch e.Kind {
		case prodcons.ItemPickedUp:
			if twice {
				events = append(events, prodcons.Event{
					Kind: prodcons.ItemLeft, At: before.At, Producer: before.Producer, Number: before.Number, Consumer: before.Consumer,
				})
			}
			lent[key] = e
		case prodcons.ItemUsed, prodcons.ItemFailed, prodcons.ItemLeft:
			delete(lent, key)
		}
	}
	slices.SortStableFunc(events, byTime)
	return events
}

// Record makes a record of everything reported so far. An item that was picked up by a
// process that died, and then by another, counts as given back by the first.
func (t *Trace) Record(ctx context.Context) (*prodcons.Record, error) {
	r, err := t.record(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace %q: %w", t.name, err)
	}
	return r, nil
}

func (t *Trace) record(ctx context.Context) (*prodcons.Record, error) {
	select {
	case <-t.store.js.PublishAsyncComplete():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	consumer, err := t.store.js.OrderedConsumer(ctx, t.stream(), js.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	file := struct {
		Name   string           `json:"name"`
		Total  time.Duration    `json:"total"`
		Events []prodcons.Event `json:"events"`
	}{Name: t.name}
	info, err := consumer.Info(ctx)
	if err != nil {
		return nil, err
	}
	for left := int(info.NumPending); left > 0; {
		batch, err := consumer.Fetch(min(left, 1000), js.FetchMaxWait(patience))
		if err != nil {
			return nil, err
		}
		for m := range batch.Messages() {
			var e prodcons.Event
			if err := json.Unmarshal(m.Data(), &e); err != nil {
				return nil, fmt.Errorf("read an event: %w", err)
			}
			file.Events = append(file.Events, e)
			file.Total = max(file.Total, e.At)
			left--
		}
		if err := batch.Error(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	file.Events = withDeaths(file.Events)
	data, err := json.Marshal(file)
	if err != nil {
		return nil, err
	}
	record := prodcons.NewRecord(t.name, nil)
	return record, record.UnmarshalJSON(data)
}
