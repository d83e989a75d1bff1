package jetstream

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"sync"
	"time"

	js "github.com/nats-io/nats.go/jetstream"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Options describe a queue. The zero value works. What the server keeps with the queue
// (Bound, Lanes, Lease, Window, Replicas) is set for everybody by whoever sets it; 0
// leaves it as it is.
type Options[T any] struct {
	// ID names a value: it is stored once, however often it is put within Window. Nil
	// gives each put a name of its own. (A name is forgotten early if its value was
	// used and the server died before Window was over.)
	ID     func(value T) string
	Window time.Duration // 0 counts as two minutes

	// Key, if it is not nil, makes the queue keep the order of the values of each key:
	// one of them is lent at a time, and if it was not used, it comes again before
	// those behind it, until it is parked. Keys share Lanes, by default 16, which is
	// how many values can be lent at a time in all; it can't be changed later. A
	// process whose consumers are busy may hold the next value of each lane for a third
	// of Lease.
	Key   func(value T) string
	Lanes int

	// Bound is how many values the queue has room for, those lent included; by default
	// there is no bound. Full is what a put does if there is no room: WaitWhenFull or
	// FailWhenFull.
	Bound int
	Full  prodcons.WhenFull

	// Retry is how often a value is lent before it is parked, and how long it waits in
	// between; see [prodcons.Retry]. The zero value lends it three times. One that has
	// failed with an error that is [prodcons.Permanent] is parked at once.
	Retry prodcons.Retry

	// Lease is how long a process may show no sign of life before its values are lent
	// to somebody else; by default 30 s. As long as the process lives, the lease does
	// not end, however long the work takes; but no longer than MaxWork, if that is set,
	// for consumers that may hang.
	Lease   time.Duration
	MaxWork time.Duration

	// Ahead is how many values a process asks for before its consumers wait for them;
	// it has no effect on a queue with Key. It saves short work a round trip to the
	// server, but while its consumers are busy, a process holds them for up to a third
	// of Lease. With 0, no value waits while any consumer does.
	Ahead int

	// Codec is JSON if it is nil.
	Codec Codec[T]

	// Replicas is the number of a cluster's servers that keep the queue, by default 1;
	// with 3, one of them may be lost.
	Replicas int
}

// Queue is a queue that outlives its programs: any number of processes put into it and
// receive from it. It is a [prodcons.Lender]. [NewQueue] opens one.
//
// Delivery is at least once: a confirmed value is lent until somebody has settled it,
// so if a process dies between work and settling, it comes again, and a consumer must
// be ready for that. Order: first in, first out, but what is lent again comes when its
// time has come; see also Key of [Options].
type Queue[T any] struct {
	name    string
	store   *Store
	options Options[T]
	desk    desk

	jobs, parked, history js.Stream

	emptied chan struct{} // closed when the queue was closed, and seen empty
	settled chan struct{} // tells whoever looks for that

	mu      sync.Mutex
	closed  bool
	looking bool // somebody looks whether it is empty
	length  int  // when it was last known
}

var _ prodcons.Lender[int] = (*Queue[int])(nil)

var named = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// The settings of a new queue.
const (
	firstLease  = 30 * time.Second
	firstWindow = 2 * time.Minute
	firstLanes  = 16
)

// NewQueue opens the queue with that name, of letters, digits and dashes, and makes it
// if it isn't there.
func NewQueue[T any](ctx context.Context, store *Store, name string, options Options[T]) (*Queue[T], error) {
	q, err := newQueue(ctx, store, name, options)
	if err != nil {
		return nil, fmt.Errorf("queue %q: %w", name, err)
	}
	return q, nil
}

func newQueue[T any](ctx context.Context, store *Store, name string, options Options[T]) (*Queue[T], error) {
	switch {
	case !named.MatchString(name):
		return nil, errors.New("its name must be 1 to 64 letters, digits and dashes")
	case options.Full != prodcons.WaitWhenFull && options.Full != prodcons.FailWhenFull:
		return nil, fmt.Errorf("option Full must be WaitWhenFull or FailWhenFull, got %v", options.Full)
	case options.Bound < 0 || options.Lanes < 0 || options.Ahead < 0 || options.Replicas < 0:
		return nil, errors.New("options Bound, Lanes, Ahead and Replicas must not be negative")
	case options.Lease < 0 || options.MaxWork < 0 || options.Window < 0:
		return nil, errors.New("options Lease, MaxWork and Window must not be negative")
	case options.Lanes > 0 && options.Key == nil:
		return nil, errors.New("option Lanes is for a queue with Key")
	}
	if options.Codec == nil {
		options.Codec = JSON[T]{}
	}
	q := &Queue[T]{
		name: name, store: store, options: options,
		emptied: make(chan struct{}), settled: make(chan struct{}, 1),
	}
	if err := q.store.persist(ctx, q.makeStreams); err != nil {
		return nil, err
	}
	if err := q.store.persist(ctx, q.makeLanes); err != nil {
		return nil, err
	}
	if err := q.desk.open(store, q.subject("returned"), options.MaxWork, options.Ahead); err != nil {
		return nil, err
	}
	return q, nil
}

// subject is that of a kind of message of this queue.
func (q *Queue[T]) subject(kind string) string { return "prodcons." + q.name + "." + kind }

// lanesKey is the key for the number of lanes in the metadata of a queue's stream.
const lanesKey = "prodcons-lanes"

// makeStreams makes or changes the streams on the server.
func (q *Queue[T]) makeStreams(ctx context.Context) (err error) {
	config := js.StreamConfig{
		Name:        q.name,
		Description: "values of a prodcons queue",
		Subjects:    []string{q.subject("job"), q.subject("job.*")},
		Retention:   js.WorkQueuePolicy,
		Discard:     js.DiscardNew,
		MaxMsgs:     -1,
		Duplicates:  firstWindow,
		Replicas:    1,
		Metadata:    map[string]string{lanesKey: "0"},
	}
	there, err := q.store.js.Stream(ctx, q.name)
	lanes := 0
	switch {
	case errors.Is(err, js.ErrStreamNotFound):
		if q.options.Key != nil {
			lanes = firstLanes
		}
		if q.options.Lanes > 0 {
			lanes = q.options.Lanes
		}
		config.Metadata[lanesKey] = strconv.Itoa(lanes)
	case err != nil:
		return err
	default:
		config = there.CachedInfo().Config
		if lanes, err = q.lanesOf(config); err != nil {
			return err
		}
	}
	q.desk.lanes = make([]lane, max(lanes, 1))
	set(&config.Duplicates, q.options.Window)
	set(&config.Replicas, q.options.Replicas)
	set(&config.MaxMsgs, int64(q.options.Bound))
	if q.jobs, err = q.store.js.CreateOrUpdateStream(ctx, config); err != nil {
		return err
	}
	q.parked, err = q.store.js.CreateOrUpdateStream(ctx, js.StreamConfig{
		Name: q.name + "_parked", Description: "parked values of a prodcons queue",
		Subjects: []string{q.subject("parked.*")}, MaxMsgsPerSubject: 1, Replicas: config.Replicas,
	})
	if err != nil {
		return err
	}
	q.history, err = q.store.js.CreateOrUpdateStream(ctx, js.StreamConfig{
		Name: q.name + "_history", Description: "failures of values of a prodcons queue",
		Subjects:          []string{q.subject("failed.*.*"), q.subject("returned.*.*")},
		MaxMsgsPerSubject: 1, MaxAge: 30 * 24 * time.Hour, Replicas: config.Replicas,
	})
	return err
}

// set changes a setting, if it is given.
func set[N int | int64 | time.Duration](setting *N, said N) {
	if said != 0 {
		*setting = said
	}
}

// lanesOf reads how many lanes a queue was made with, 0 if it has no keys.
func (q *Queue[T]) lanesOf(config js.StreamConfig) (lanes int, err error) {
	lanes, err = strconv.Atoi(config.Metadata[lanesKey])
	switch {
	case err != nil:
		return 0, errors.New("the server has a stream of this name that is not a queue of this package")
	case lanes > 0 && q.options.Key == nil:
		return 0, errors.New("it was made with keys, so Key must be set")
	case lanes == 0 && q.options.Key != nil:
		return 0, errors.New("it was made without keys, so Key must not be set")
	case q.options.Lanes > 0 && q.options.Lanes != lanes:
		return 0, fmt.Errorf("it was made with %d lanes, which can't be changed to %d", lanes, q.options.Lanes)
	}
	return lanes, nil
}

// makeLanes makes or changes the consumers on the server.
func (q *Queue[T]) makeLanes(ctx context.Context) error {
	for i := range q.desk.lanes {
		config := js.ConsumerConfig{
			Durable:       "workers",
			AckPolicy:     js.AckExplicitPolicy,
			AckWait:       firstLease,
			MaxDeliver:    -1,
			MaxAckPending: -1,
			MaxWaiting:    1 << 20,
			FilterSubject: q.subject("job"),
		}
		if q.options.Key != nil {
			config.Durable = "lane-" + strconv.Itoa(i)
			config.MaxAckPending = 1
			config.FilterSubject = q.subject("job." + strconv.Itoa(i))
		}
		there, err := q.jobs.Consumer(ctx, config.Durable)
		if err == nil {
			config = there.CachedInfo().Config
		} else if !errors.Is(err, js.ErrConsumerNotFound) {
			return err
		}
		set(&config.AckWait, q.options.Lease)
		made, err := q.jobs.CreateOrUpdateConsumer(ctx, config)
		if err != nil {
			return err
		}
		q.desk.lease = made.CachedInfo().Config.AckWait
		q.desk.lanes[i].consumer, q.desk.lanes[i].next = config.Durable, "$JS.API.CONSUMER.MSG.NEXT."+q.name+"."+config.Durable
	}
	return nil
}

// subjectOf is the subject on which a value is put.
func (q *Queue[T]) subjectOf(v T) string {
	if q.options.Key == nil {
		return q.subject("job")
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(q.options.Key(v)))
	return q.subject("job." + strconv.Itoa(int(h.Sum32()%uint32(len(q.desk.lanes)))))
}

// Close says that this Queue will put no more; others may still put. Receive goes on
// until it has seen the queue empty, nothing lent: a Group over a closed Queue drains
// it and ends. One over a Queue that nobody closes, without Produce, runs until its
// context ends. Close touches no value, and not the Store.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.lookIfEmpty()
}

// Len is the number of values in the queue, those lent included, whoever put them; if
// the server can't be asked, it is the last known number. It asks the server, which
// takes about 50 µs for one in this process.
func (q *Queue[T]) Len() int {
	ctx, cancel := context.WithTimeout(q.store.ctx, patience)
	defer cancel()
	n, err := q.ask(ctx)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		q.length = n
	}
	return q.length
}

// ask asks the server for the queue's length.
func (q *Queue[T]) ask(ctx context.Context) (int, error) {
	stream, err := q.store.js.Stream(ctx, q.name)
	if err != nil {
		return 0, err
	}
	return int(stream.CachedInfo().State.Msgs), nil
}

// lookIfEmpty starts a goroutine that waits for a closed queue to be empty, if somebody
// needs to know. It is called with q.mu locked.
func (q *Queue[T]) lookIfEmpty() {
	if !q.closed || q.looking || q.desk.waiting() == 0 {
		return
	}
	q.looking = true
	q.store.working.Go(func() {
		wait := time.Millisecond
		for {
			n, err := q.ask(q.store.ctx)
			q.mu.Lock()
			if done := err == nil && n == 0; done || q.desk.waiting() == 0 || q.store.ctx.Err() != nil {
				if done {
					close(q.emptied)
				} else {
					q.looking = false
				}
				q.mu.Unlock()
				return
			}
			q.mu.Unlock()
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
				wait = min(2*wait, 500*time.Millisecond)
			case <-q.settled: // it may have been the last: but not too often
				timer.Stop()
				_ = pause(q.store.ctx, time.Millisecond)
			case <-q.store.ctx.Done():
				timer.Stop()
			}
		}
	})
}
