package prodcons

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Group is producers and consumers over one queue. Say what they do, and call
// [Group.Run]: it starts them, waits for them, and returns when none is left.
//
// A Group runs once. Its fields must not be changed after the start, and it must
// not be copied.
type Group[T any] struct {
	// Produce is what each producer does: it puts values until it has no more,
	// and returns. Put waits while the queue is full. When put fails, because the
	// group has stopped, Produce should return, with put's error or without.
	// A put belongs to its producer: one goroutine at a time may call it. The
	// producer's number counts from 1.
	Produce func(ctx context.Context, producer int, put func(T) error) error

	// Consume uses one value. It is called by many consumers at once, for each
	// value once. The consumer's number counts from 1; of two calls with one
	// number, the first has returned before the second begins.
	Consume func(ctx context.Context, consumer int, value T) error

	Producers int // how many there are; 0 counts as 1
	Consumers int // how many there are at first (see SetConsumers); 0 counts as 1

	// Queue is what carries the values. Its Get must wait, which that of a Slice
	// does not. The group closes it. If it is nil, a [Buffer] of 256 is made.
	Queue Queue[Entry[T]]

	// Drain is how long consumers may go on with what is queued when the group
	// is stopped, by the context or by an error: until then, Consume's context
	// lives on. With 0, each ends what it is at, and what is queued is left.
	Drain time.Duration

	// Observe, if it is not nil, is called for each event: Made just before an
	// item is put, PickedUp and Done by its consumer. Many goroutines call it at
	// once, and wait for it. Times are since the start of Run, and latencies are
	// of every item then, not of samples (see Stats). Record.Observe is one.
	Observe func(Event)

	mu        sync.Mutex
	changed   sync.Cond // of mu: a worker has ended, or the group was stopped
	queue     Queue[Entry[T]]
	start     time.Time
	ended     bool
	total     time.Duration // its length, once it has ended
	parent    context.Context
	making    context.Context // of producers; ends when the group is stopped
	using     context.Context // of consumers; ends when they may not go on
	stopMake  context.CancelCauseFunc
	stopUse   context.CancelCauseFunc
	drain     *time.Timer
	drained   chan struct{} // closed when drain's function has run
	want      int           // consumers
	wantSet   bool          // by SetConsumers, before the start
	over      bool          // nobody may be hired any more
	working   int           // producers and consumers that have not ended
	producing int           // producers among them
	producers []*producer
	consumers []*consumer
	cause     error   // why it was stopped; nil when it was not
	errs      []error // of workers, in the order in which they came
	panicked  *Panic
	left      []T
	latencies latencies

	unmeasured int // so many items of each producer before the first that is; for a benchmark
}

// Entry is what lies in the queue of a [Group]: a value, and, if it is measured,
// what the group knows of it.
type Entry[T any] struct {
	value T
	label *label
}

// label is where an entry comes from.
type label struct {
	producer, number int
	created          time.Duration // since the group's start
	weight           int           // for so many entries does its latency stand
}

// maxErrors bounds the errors that a group remembers.
const maxErrors = 1000

// Run starts the producers and consumers and returns when all have ended, with
// no goroutine left:
//
//   - All producers have returned nil and all values were used: Run returns nil.
//   - A producer or consumer fails: the group is stopped, and Run returns the
//     error that came first, as an [*Error] that says who failed. [Group.Errors]
//     has those that came after it.
//   - Ctx ends before all is done: the group is stopped, and Run returns the
//     context's cause.
//   - A producer or consumer panics: the group is stopped without a drain, and
//     Run panics in turn, with a [*Panic] that has value and stack. One that
//     calls runtime.Goexit, as t.FailNow does, has failed with [ErrGoexit].
//
// When the group is stopped, put fails and Produce's context ends, and Consume's
// when Drain is over. What was put and not used by then is in [Group.Left].
func (g *Group[T]) Run(ctx context.Context) error {
	if err := g.begin(ctx); err != nil {
		return err
	}
	unwatch := g.watch(ctx)

	g.mu.Lock()
	for g.working > 0 || g.queue.Len() > 0 && g.using.Err() == nil {
		g.changed.Wait()
	}
	g.over = true
	cause := g.cause
	if cause == nil { // the workers may have seen the context's end before watch has
		cause = context.Cause(ctx)
	}
	g.mu.Unlock()

	unwatch()
	g.finish()
	if g.panicked != nil {
		panic(g.panicked)
	}
	return cause
}

// begin starts all workers.
func (g *Group[T]) begin(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.start.IsZero():
		return errors.New("a group runs once: make another")
	case g.Produce == nil:
		return errors.New("a group needs Produce: what its producers do")
	case g.Consume == nil:
		return errors.New("a group needs Consume: what its consumers do")
	case g.Producers < 0 || g.Consumers < 0 || g.Drain < 0:
		return errors.New("a group's Producers, Consumers and Drain must not be below 0")
	}
	g.changed.L = &g.mu
	g.start = time.Now()
	if g.queue = g.Queue; g.queue == nil {
		g.queue = NewBuffer[Entry[T]](256, Wait)
	}
	g.parent = ctx
	g.making, g.stopMake = context.WithCancelCause(ctx)
	if g.Drain > 0 {
		ctx = context.WithoutCancel(ctx)
	}
	g.using, g.stopUse = context.WithCancelCause(ctx)
	for i := range max(g.Producers, 1) {
		p := &producer{number: i + 1, every: 1, until: g.unmeasured}
		g.producers = append(g.producers, p)
		g.working++
		g.producing++
		go g.produce(p)
	}
	if !g.wantSet {
		g.want = max(g.Consumers, 1)
	}
	g.hire()
	return nil
}

// watch stops the group when ctx ends, until the function that it returns is
// called. No goroutine of it is left then.
func (g *Group[T]) watch(ctx context.Context) (unwatch func()) {
	seen := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(seen)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.stop(context.Cause(ctx), g.Drain)
	})
	return func() {
		if !stop() {
			<-seen
		}
	}
}

// stop stops the group, if it was not yet, and lets consumers go on for a while.
// It is called with g.mu locked.
func (g *Group[T]) stop(cause error, drain time.Duration) {
	if g.cause == nil {
		g.cause = cause
		g.stopMake(cause)
		if drain > 0 {
			g.drained = make(chan struct{})
			g.drain = time.AfterFunc(drain, func() {
				defer close(g.drained)
				g.mu.Lock()
				defer g.mu.Unlock()
				g.stopUse(cause)
				g.changed.Broadcast()
			})
		}
	}
	if drain == 0 {
		g.stopUse(cause)
	}
	g.changed.Broadcast()
}

// finish ends what is left of a group whose workers have ended.
func (g *Group[T]) finish() {
	g.mu.Lock()
	drain := g.drain
	g.mu.Unlock()
	if drain != nil && !drain.Stop() {
		<-g.drained
	}
	g.stopMake(nil)
	g.stopUse(nil)
	g.queue.Close()
	var left []T
	for {
		entry, err := g.queue.Get(context.Background())
		if err != nil { // closed and empty
			break
		}
		left = append(left, entry.value)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended, g.total, g.left = true, g.now(), left
}

// fail notes that a worker has failed, and stops the group.
func (g *Group[T]) fail(role string, number int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ended := g.parent.Err(); ended != nil && g.cause == nil {
		g.stop(context.Cause(g.parent), g.Drain) // before watch does
	}
	if g.cause != nil && isStop(err, g.cause) {
		return // it tells us what it was told
	}
	err = &Error{Role: role, Number: number, Err: err}
	if len(g.errs) < maxErrors {
		g.errs = append(g.errs, err)
	}
	g.stop(err, g.Drain)
}

// isStop says whether err is how a stopped group's contexts and queue fail.
func isStop(err, cause error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, ErrClosed) || errors.Is(err, cause)
}

// SetConsumers changes the number of consumers, also while the group runs. A
// consumer that is too many ends after the value that it is at; the highest
// numbers go first. With 0, nothing is used until there are consumers again. It
// does not wait.
func (g *Group[T]) SetConsumers(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.want, g.wantSet = max(n, 0), true; g.start.IsZero() {
		return
	}
	g.hire()
	for _, c := range g.consumers[min(g.want, len(g.consumers)):] {
		c.dismiss()
	}
}

// Errors returns the errors of all producers and consumers that have failed, in
// the order in which they did, each an [*Error]; of more than 1000, the first
// 1000. Errors that only say that the group was stopped are not among them.
func (g *Group[T]) Errors() []error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]error(nil), g.errs...)
}

// Left returns what was put and not used, oldest first, once Run has returned or
// panicked.
func (g *Group[T]) Left() []T {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.left
}

// now is the time since the group's start.
func (g *Group[T]) now() time.Duration { return time.Since(g.start) }

// Stats returns the statistics of the run, so far or as a whole. It may be called
// at any time, and costs some microseconds.
//
// Made, Count, Dropped and Looks are exact. A look at the clock costs as much as
// handing an item over, so latency is sampled: of a producer that puts fewer than
// 200,000 items per second each item is measured, of a faster one every 127th,
// which then counts for 127. With Observe, each is measured. First and Last are of
// the first and the last item measured.
//
// A consumer counts as busy while it does not wait for the queue, from when it
// was first hired; one that has ended waits.
func (g *Group[T]) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.start.IsZero() {
		return Stats{}
	}
	s := Stats{Total: g.total, Queued: len(g.left)}
	if !g.ended {
		s.Total, s.Queued = g.now(), g.queue.Len()
	}
	for _, c := range g.consumers { // before the producers: never more used than made
		s.Count += int(c.used.Load())
		s.Utilisation = append(s.Utilisation, c.utilisation(s.Total))
	}
	for _, p := range g.producers {
		s.Made += int(p.made.Load())
	}
	s.Rate = rate(s.Count, s.Total)
	s.Latency = g.latencies.summary()
	if q, ok := g.queue.(interface{ Dropped() int }); ok {
		s.Dropped = q.Dropped()
	}
	if q, ok := g.queue.(interface{ Looks() int }); ok {
		s.Looks = q.Looks()
	}
	return s
}
