package prodcons

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Group is a number of producers and consumers over one queue. Say what they do, and
// call [Group.Run]: it starts them, waits for them, and returns when all have ended.
//
// Nothing is lost: every value that was put is exactly one of used, dropped by a full
// queue (OnDrop), left ([Group.Left]) or failed ([Group.Failed]).
//
// A Group runs once. Its fields must not be changed after the start, and it must not be
// copied.
type Group[T any] struct {
	// Produce is what each producer does: it puts values until it has no more,
	// and returns. Put waits while the queue is full. When put fails, because the
	// group has stopped, Produce should return, with put's error or without.
	// A put belongs to its producer: one goroutine at a time may call it. The
	// producer's number counts from 1. Produce may be nil if there is a Queue,
	// which others fill and close.
	Produce func(ctx context.Context, producer int, put func(T) error) error

	// Consume uses one value. Many consumers call it at once, once for each value. The
	// consumer's number counts from 1; of two calls with the same number, the first has
	// returned before the second begins. When ctx ends, Consume should return soon,
	// with ctx's error if it has not used the value: the value is then left.
	Consume func(ctx context.Context, consumer int, value T) error

	Producers int // how many there are; 0 counts as 1
	Consumers int // how many there are at first (see SetConsumers); 0 counts as 1

	// Bound is how many values the queue has room for: 0 counts as 256, and below
	// 0 there is no bound. Full is what a put does when there is no room.
	Bound int
	Full  WhenFull

	// Queue carries the values instead of the group's own [Buffer], which Bound and
	// Full describe: a queue that is already filled, one with an order of its own, or
	// one that outlives the group. Its Get must wait, which a Slice's does not. The
	// group closes it when all producers have ended. If it is a [Lender], values are
	// settled after they have been used, and those not used stay there, as they do if
	// Produce is nil.
	Queue Queue[T]

	// Drain is how long consumers may go on with what is queued when the group is
	// stopped, by the context or by an error: until then, Consume's context lives on.
	// With 0, Consume's context ends at once, and what is queued is left.
	Drain time.Duration

	// OnDrop, if it is not nil, is called with each value that the group's own
	// queue drops, by the producer whose put made it do so.
	OnDrop func(value T)

	// Observe, if it is not nil, is called for each event; see [Event]. Many goroutines
	// call it at once, and wait for it. Times are since the start of Run. Every item's
	// latency is then measured, not only that of a sample (see Stats). Record.Observe
	// is such a function.
	Observe func(Event)

	mu        sync.Mutex
	changed   sync.Cond // of mu: the last worker has ended, or the group was stopped
	start     time.Time
	ended     bool
	total     time.Duration // its length, once it has ended
	parent    context.Context
	making    context.Context // of producers; ends when the group is stopped
	using     context.Context // of consumers; ends when they may not go on
	stopMake  context.CancelCauseFunc
	stopUse   context.CancelCauseFunc
	drain     *time.Timer
	timers    int            // functions of timers and contexts that may still run
	want      int            // consumers
	wantSet   bool           // by SetConsumers, before the start
	over      bool           // nobody may be hired any more
	used      bool           // a consumer has found the queue closed and empty
	working   int            // producers and consumers that have not ended
	producing int            // producers among them
	producers []producer[T]  // does not grow
	sole      [1]producer[T] // all of them, if there is one
	started   int            // how many of them have begun
	run       func()         // runNext: one value for all, as each would be an allocation
	consumers *consumer[T]   // from the first on
	last      *consumer[T]
	hired     *consumer[T] // those that have not begun yet
	cause     error        // why it was stopped; nil when it was not
	errs      []error      // of workers, in the order in which they came
	panicked  *Panic
	left      []T
	failed    []Failure[T]

	own     Buffer[entry[T]] // if Queue is nil
	lender  Lender[T]        // Queue, if it is one
	origins bool             // values of Queue carry their origins
	putting quitting         // ends own's puts
	getting quitting         // ends own's gets

	latencies  latencies
	unmeasured bool // for a benchmark
}

// Failure is a value whose Consume has failed, and why: Err is an [*Error] or a
// [*Panic].
type Failure[T any] struct {
	Value T
	Err   error
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
// When the group is stopped, put fails and Produce's context ends, and Consume's ends
// when Drain is over. What was put and not used by then is in [Group.Left].
func (g *Group[T]) Run(ctx context.Context) error {
	if err := g.begin(ctx); err != nil {
		return err
	}
	unwatch := g.watch(ctx)
	g.work()

	g.mu.Lock()
	cause := g.cause
	if cause == nil { // the workers may have seen the context's end before watch has
		cause = context.Cause(ctx)
	}
	g.mu.Unlock()

	g.finish(unwatch)
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
	case g.Produce == nil && g.Queue == nil:
		return errors.New("a group needs Produce: what its producers do")
	case g.Consume == nil:
		return errors.New("a group needs Consume: what its consumers do")
	case g.Producers < 0 || g.Consumers < 0 || g.Drain < 0:
		return errors.New("a group's Producers, Consumers and Drain must not be negative")
	case g.Queue != nil && (g.Bound != 0 || g.Full != WaitWhenFull || g.OnDrop != nil):
		return errors.New("a group's Bound, Full and OnDrop are for its own queue, and can't be used with Queue")
	}
	g.changed.L = &g.mu
	g.start = time.Now()
	g.open()
	g.parent = ctx
	g.making, g.stopMake = context.WithCancelCause(ctx)
	g.using, g.stopUse = g.making, g.stopMake
	if g.Drain > 0 {
		g.using, g.stopUse = context.WithCancelCause(context.WithoutCancel(ctx))
	}
	if g.producers = g.sole[:0]; g.Produce != nil {
		if g.producers = g.sole[:]; g.Producers > 1 {
			g.producers = make([]producer[T], g.Producers)
		}
	}
	g.working, g.producing = len(g.producers), len(g.producers)
	g.run = g.runNext
	for i := range g.producers {
		g.producers[i].number = i + 1
		go g.run()
	}
	if !g.wantSet {
		g.want = max(g.Consumers, 1)
	}
	g.hire()
	return nil
}

// open prepares the queue.
func (g *Group[T]) open() {
	if g.Queue != nil {
		g.lender, _ = g.Queue.(Lender[T])
		g.origins = carriesOrigin[T]()
		return
	}
	bound := g.Bound
	if bound == 0 {
		bound = 256
	}
	g.own.set(bound, g.Full)
	g.own.shared = true // an entry has a pointer
	if g.OnDrop != nil || g.Observe != nil {
		g.own.onDrop = g.dropped
	}
}

// closeQueue says that no more will be put.
func (g *Group[T]) closeQueue() {
	if g.Queue != nil {
		g.Queue.Close()
	} else {
		g.own.Close()
	}
}

// length is the queue's length. It must not be called under a lock: the queue may be in
// another process.
func (g *Group[T]) length() int {
	if g.Queue != nil {
		return g.Queue.Len()
	}
	return g.own.Len()
}

// work returns when all workers have ended, and nothing is left to do that others could
// be hired for.
func (g *Group[T]) work() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for g.working > 0 {
			g.changed.Wait()
		}
		if !g.used && g.using.Err() == nil {
			g.mu.Unlock()
			n := g.length()
			g.mu.Lock()
			if g.working > 0 {
				continue
			}
			if n > 0 && g.using.Err() == nil {
				g.changed.Wait()
				continue
			}
		}
		g.over = true
		return
	}
}

// watch stops the group when ctx ends, until the function that it returns is called.
// That function returns false if the group has been stopped, or is about to be.
func (g *Group[T]) watch(ctx context.Context) (unwatch func() bool) {
	if ctx.Done() == nil {
		return nil
	}
	return context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.stop(context.Cause(ctx), g.Drain)
		g.timers--
		g.changed.Broadcast()
	})
}

// stop stops the group, unless it was already, and lets consumers go on for a while. It
// is called with g.mu locked.
func (g *Group[T]) stop(cause error, drain time.Duration) {
	if g.cause == nil {
		g.cause = cause
		g.stopMake(cause)
		g.putting.quit.Store(true)
		g.own.wakePutters()
		if drain > 0 {
			g.drain = time.AfterFunc(drain, func() {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.end(cause)
				g.timers--
				g.changed.Broadcast()
			})
		}
	}
	if drain == 0 {
		g.end(cause)
	}
	g.changed.Broadcast()
}

// end ends the consumers. It is called with g.mu locked.
func (g *Group[T]) end(cause error) {
	g.stopUse(cause)
	g.getting.quit.Store(true)
	g.own.wakeGetters()
}

// finish ends what remains of a group whose workers have ended.
func (g *Group[T]) finish(unwatch func() bool) {
	g.mu.Lock()
	if unwatch != nil && !unwatch() {
		g.timers++
	}
	if g.drain != nil && !g.drain.Stop() {
		g.timers++
	}
	for g.timers > 0 { // their functions count it down
		g.changed.Wait()
	}
	g.stopMake(nil)
	g.stopUse(nil)
	g.mu.Unlock()
	g.leaveQueued()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended, g.total = true, g.now()
}

// SetConsumers changes the number of consumers, also while the group runs. A surplus
// consumer ends after the value that it is working on; the highest numbers go first.
// With 0, nothing is used until there are consumers again. It does not wait.
func (g *Group[T]) SetConsumers(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.want, g.wantSet = max(n, 0), true; g.start.IsZero() {
		return
	}
	g.hire()
	for c := g.consumers; c != nil; c = c.next {
		if c.number > g.want {
			c.dismiss()
		}
	}
	g.own.wakeGetters()
}

// now is the time since the group's start.
func (g *Group[T]) now() time.Duration { return time.Since(g.start) }

// quitting is a context for waiting in a group's own queue: it ends when told so
// and its waiters are woken. Its Done is nil, so they need no channel.
type quitting struct {
	context.Context // nil
	quit            atomic.Bool
}

func (q *quitting) Done() <-chan struct{} { return nil }

func (q *quitting) Err() error {
	if q.quit.Load() {
		return context.Canceled
	}
	return nil
}
