package prodcons

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// The roles of workers in a group.
const (
	roleProducer = "producer"
	roleConsumer = "consumer"
)

// Error says which producer or consumer of a [Group] failed, and how.
type Error struct {
	Role   string // "producer" or "consumer"
	Number int    // its number, counted from 1
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %d: %v", e.Role, e.Number, e.Err) }

// Unwrap returns what the producer or consumer returned.
func (e *Error) Unwrap() error { return e.Err }

// SettleError is the error of a consumer that has used a value, but could not tell the
// [Lender] that lent it.
type SettleError struct{ Err error }

func (e *SettleError) Error() string { return fmt.Sprintf("settle a value: %v", e.Err) }

// Unwrap returns what the lender's Settle returned.
func (e *SettleError) Unwrap() error { return e.Err }

// ErrGoexit is the error of a producer or consumer that called runtime.Goexit.
var ErrGoexit = errors.New("it called runtime.Goexit")

// Panic is what [Group.Run] panics with when a producer or consumer has panicked.
type Panic struct {
	Role   string // "producer" or "consumer"
	Number int    // its number, counted from 1
	Value  any    // what it panicked with
	Stack  []byte // its stack then, as runtime/debug.Stack formats it
}

// Error includes the stack, so that the end of the program shows it.
func (p *Panic) Error() string {
	return fmt.Sprintf("%s %d panicked: %v\n\n%s", p.Role, p.Number, p.Value, p.Stack)
}

// Unwrap returns the panic's value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// producer is what a group knows of one.
type producer[T any] struct {
	number  int
	sampler sampler // of the producer's own goroutine, as what follows
	put     int     // how many it has put
	dropped bool    // the queue has dropped what it is putting
	made    atomic.Int64
	_       [64]byte // each producer has a cache line of its own
}

// produce is a producer's goroutine.
func (g *Group[T]) produce(p *producer[T]) {
	returned := false
	defer func() {
		panicked := recover()
		g.mu.Lock()
		if !returned {
			_ = g.broken(roleProducer, p.number, panicked)
		}
		g.producing--
		last := g.producing == 0
		g.mu.Unlock()
		if last {
			g.closeQueue()
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.working--; g.working == 0 {
			g.changed.Broadcast()
		}
	}()
	err := g.Produce(g.making, p.number, func(v T) error { return g.put(p, v) })
	returned = true
	if err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !told(err, g.making) {
			_ = g.fail(roleProducer, p.number, err)
		}
	}
}

// put puts a producer's next value.
func (g *Group[T]) put(p *producer[T], v T) error {
	e := entry[T]{value: v}
	if p.sampler.skip > 0 || g.unmeasured || g.Queue != nil {
		p.sampler.skip--
	} else {
		e.stamp = p.sampler.stamp(g.now(), p.put)
	}
	if g.Observe != nil {
		return g.putObserved(p, e)
	}
	p.put++
	p.made.Store(int64(p.put)) // before it is: never is more used than made
	err := g.enqueue(&e)
	if err != nil {
		p.put--
		p.made.Store(int64(p.put))
	}
	return err
}

// putObserved is put with an observer: a value counts as made once it is in the queue,
// and nobody sees it there before that.
func (g *Group[T]) putObserved(p *producer[T], e entry[T]) error {
	now := g.now()
	e.stamp = stamp(now, 0)
	e.label = &label{producer: p.number, number: p.put + 1, seen: make(chan struct{})}
	p.put++
	p.made.Store(int64(p.put))
	if err := g.enqueue(&e); err != nil {
		p.put--
		p.made.Store(int64(p.put))
		return err
	}
	h := hand[T]{entry: e}
	func() {
		defer close(e.label.seen) // even if Observe panics
		g.Observe(h.event(ItemMade, now, 0))
	}()
	if p.dropped {
		p.dropped = false
		g.Observe(h.event(ItemDropped, g.now(), 0))
	}
	return nil
}

// enqueue puts an entry into the queue.
func (g *Group[T]) enqueue(e *entry[T]) error {
	if g.Queue != nil {
		return g.Queue.Put(g.making, e.value)
	}
	if err := g.making.Err(); err != nil {
		return err
	}
	err := g.own.tryPut(e)
	if err == ErrFull && g.own.full == WaitWhenFull {
		return g.own.putSlow(&g.putting, *e)
	}
	return err
}

// consumer is what a group knows of one.
type consumer[T any] struct {
	number  int
	next    *consumer[T]
	then    *consumer[T]       // the next of those that have not begun yet
	group   *quitting          // the group's: it ends all consumers
	context context.Context    // for a Queue that is not the group's own: ends as Err says
	cancel  context.CancelFunc // of context
	running bool               // guarded by the group's lock
	hired   time.Duration      // since the group's start
	quit    atomic.Bool        // it has been dismissed
	place   waiter[entry[T]]   // where it sleeps
	lent    bool               // place has been lent to the queue

	used     atomic.Int64
	failed   atomic.Int64
	returned atomic.Int64
	idle     atomic.Int64 // nanoseconds
	waiting  atomic.Int64 // since then (nanoseconds after the group's start) + 1; 0: not
}

// A consumer is the context of its own waiting in the group's queue.
func (c *consumer[T]) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *consumer[T]) Done() <-chan struct{}       { return nil }
func (c *consumer[T]) Value(any) any               { return nil }
func (c *consumer[T]) Err() error {
	if c.quit.Load() || c.group.quit.Load() {
		return context.Canceled
	}
	return nil
}

// dismiss lets the consumer end after its current value.
func (c *consumer[T]) dismiss() {
	c.quit.Store(true)
	if c.cancel != nil {
		c.cancel()
	}
}

// hire starts consumers, up to the number wanted. The group is locked.
func (g *Group[T]) hire() {
	if g.over || g.using.Err() != nil {
		return
	}
	have := 0
	if g.last != nil {
		have = g.last.number
	}
	if have < g.want {
		more := make([]consumer[T], g.want-have)
		for i := range more {
			c := &more[i]
			c.number, c.group = have+i+1, &g.getting
			if g.last == nil {
				g.consumers = c
			} else {
				g.last.next = c
			}
			g.last = c
		}
	}
	now := g.now()
	for c := g.consumers; c != nil && c.number <= g.want; c = c.next {
		if c.running {
			continue
		}
		if c.hired == 0 {
			c.hired = now
		}
		c.running = true
		c.works(now)
		g.engage(c)
		g.working++
		c.then, g.hired = g.hired, c
		go g.run()
	}
}

// runNext is the goroutine of a producer, or of a consumer, that has not begun yet.
func (g *Group[T]) runNext() {
	g.mu.Lock()
	if n := g.started; n < len(g.producers) {
		g.started++
		g.mu.Unlock()
		g.produce(&g.producers[n])
		return
	}
	c := g.hired
	g.hired = c.then
	g.mu.Unlock()
	g.consume(c)
}

// engage gives the consumer, which may have been dismissed, something to wait with.
// The group is locked.
func (g *Group[T]) engage(c *consumer[T]) {
	c.quit.Store(false)
	if g.Queue != nil {
		c.context, c.cancel = context.WithCancel(g.using)
	} else if !c.lent {
		c.lent = true
		g.own.getters.lend(&c.place)
	}
}

// waits notes that the consumer waits from now on.
func (c *consumer[T]) waits(now time.Duration) { c.waiting.Store(int64(now) + 1) }

// works notes that the consumer no longer waits.
func (c *consumer[T]) works(now time.Duration) {
	if since := c.waiting.Swap(0); since > 0 {
		c.idle.Add(int64(now) - (since - 1))
	}
}

func (c *consumer[T]) utilisation(now time.Duration) float64 {
	idle := time.Duration(c.idle.Load())
	if since := c.waiting.Load(); since > 0 {
		idle += max(now-time.Duration(since-1), 0)
	}
	if now <= c.hired {
		return 0
	}
	return min(max(1-float64(idle)/float64(now-c.hired), 0), 1)
}

// consume is a consumer's goroutine.
func (g *Group[T]) consume(c *consumer[T]) {
	var h hand[T]
	returned := false
	defer func() {
		if panicked := recover(); !returned {
			g.breaks(c, &h, panicked)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.working--; g.working == 0 {
			g.changed.Broadcast()
		}
	}()
	for g.next(c, &h) {
		g.settle(c, &h, g.Consume(g.using, c.number, h.value))
	}
	returned = true
}

// next gets the consumer's next value, and reports whether there is one. If not,
// it has ended.
func (g *Group[T]) next(c *consumer[T], h *hand[T]) bool {
	for {
		now, err := time.Duration(0), g.using.Err()
		if err == nil {
			now, err = g.get(c, h)
		}
		if err == nil && now != 0 && g.using.Err() != nil { // it has waited until it was too late
			g.giveBack(c, h)
			err = g.using.Err()
		}
		if err == nil {
			g.pickedUp(c, h, now)
			return true
		}
		if !g.goesOn(c, err) {
			return false
		}
	}
}

// pickedUp notes that the consumer has got a value; now is 0 if it did not wait.
func (g *Group[T]) pickedUp(c *consumer[T], h *hand[T], now time.Duration) {
	c.used.Store(c.used.Load() + 1)
	h.origins = g.origins
	created, weight := h.created(g.start)
	if weight == 0 && g.Observe == nil {
		return
	}
	if now == 0 {
		now = g.now()
	}
	waited := max(now-created, 0)
	if weight > 0 {
		g.latencies.add(waited, weight)
	}
	if g.Observe != nil {
		h.await()
		e := h.event(ItemPickedUp, now, c.number)
		e.Latency = waited
		g.Observe(e)
	}
}

// get gets the next value into h, and returns the time if it has looked at the
// clock: only if it had to wait, where the queue can tell.
func (g *Group[T]) get(c *consumer[T], h *hand[T]) (now time.Duration, err error) {
	if err := c.ended(); err != nil {
		return 0, err
	}
	if g.Queue == nil {
		err = g.own.tryGet(&h.entry)
	} else if try, ok := g.Queue.(interface{ TryGet() (T, error) }); ok && g.lender == nil {
		h.value, err = try.TryGet()
	} else {
		err = ErrEmpty
	}
	if err != ErrEmpty {
		h.held = err == nil
		return 0, err
	}
	c.waits(g.now())
	switch {
	case g.lender != nil:
		var d Delivery[T]
		d, err = g.lender.Receive(c.context)
		h.value, h.settle = d.Value, d.Settle
	case g.Queue != nil:
		h.value, err = g.Queue.Get(c.context)
	default:
		h.entry, err = g.own.getSlow(c)
	}
	now = g.now()
	c.works(now)
	h.held = err == nil
	return now, err
}

// ended reports whether the consumer may go on: not if it was dismissed, or all were.
func (c *consumer[T]) ended() error {
	if c.context != nil {
		return c.context.Err()
	}
	return c.Err()
}

// goesOn decides whether a consumer that got err instead of a value goes on: it does if
// it was dismissed, and is wanted again by now.
func (g *Group[T]) goesOn(c *consumer[T], err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	quit := c.ended() != nil || g.using.Err() != nil
	switch {
	case errors.Is(err, ErrClosed):
		g.used = true
		quit = false
	case !quit: // it's the queue's fault
		if errors.Is(err, ErrEmpty) {
			err = fmt.Errorf("%w: the Get of a group's queue must wait, and a Slice's does not", err)
		}
		_ = g.fail(roleConsumer, c.number, err)
	}
	if c.cancel != nil {
		c.cancel() // releases its context
	}
	if quit && c.number <= g.want && g.using.Err() == nil {
		g.engage(c)
		return true
	}
	c.running = false
	c.waits(g.now())
	return false
}
