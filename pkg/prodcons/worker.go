package prodcons

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons/histogram"
)

// The roles of workers in a group.
const (
	roleProducer = "producer"
	roleConsumer = "consumer"
)

// Error says which producer or consumer of a [Group] has failed, and how.
type Error struct {
	Role   string // "producer" or "consumer"
	Number int    // its number, counted from 1
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %d: %v", e.Role, e.Number, e.Err) }

// Unwrap returns what the producer or consumer returned.
func (e *Error) Unwrap() error { return e.Err }

// ErrGoexit is how a producer or consumer has failed that called runtime.Goexit.
var ErrGoexit = errors.New("it called runtime.Goexit")

// Panic is what [Group.Run] panics with when a producer or consumer has panicked.
type Panic struct {
	Role   string // "producer" or "consumer"
	Number int    // its number, counted from 1
	Value  any    // what it panicked with
	Stack  []byte // its stack then, as runtime/debug.Stack formats it
}

// Error tells all, with the stack, so that the end of the program shows it.
func (p *Panic) Error() string {
	return fmt.Sprintf("%s %d panicked: %v\n\n%s", p.Role, p.Number, p.Value, p.Stack)
}

// Unwrap returns the panic's value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// producer is what a group knows of one.
type producer struct {
	_      [64]byte // each producer has cache lines of its own
	number int
	made   atomic.Int64

	// Of the producer's own goroutine: how many it has put, and which of them are
	// measured.
	put   int
	every int           // one in so many
	until int           // so many are left till the next
	last  time.Duration // when the last one was, since the group's start
	_     [64]byte
}

// A producer is fast when it takes less than this for an item. Of those of a
// fast one, one in every is measured: a prime, so as not to fall into step with
// anything.
const (
	fast      = 5 * time.Microsecond
	fastEvery = 127
)

// measure notes that an item is made now, that it is measured, and when the next
// one will be.
func (p *producer) measure(now time.Duration) *label {
	l := &label{producer: p.number, number: p.put, created: now, weight: p.every}
	each := (now - p.last) / time.Duration(p.every)
	p.last, p.every = now, 1
	if each < fast {
		p.every = fastEvery
	}
	p.until = p.every
	return l
}

// produce is a producer's goroutine.
func (g *Group[T]) produce(p *producer) {
	returned := false
	defer func() { g.end(roleProducer, p.number, returned, recover()) }()
	put := func(v T) error {
		p.put++
		entry := Entry[T]{value: v}
		if g.Observe != nil {
			entry.label = &label{p.number, p.put, g.now(), 1}
			g.Observe(Event{Kind: Made, At: entry.label.created, Producer: p.number, Number: p.put})
		} else if p.until--; p.until <= 0 {
			entry.label = p.measure(g.now())
		}
		p.made.Store(int64(p.put))
		err := g.queue.Put(g.making, entry)
		if err != nil {
			p.put--
			p.made.Store(int64(p.put))
		}
		return err
	}
	if err := g.Produce(g.making, p.number, put); err != nil {
		g.fail(roleProducer, p.number, err)
	}
	returned = true
}

// consumer is what a group knows of one.
type consumer struct {
	_       [64]byte // each consumer has cache lines of its own
	number  int
	ctx     context.Context // ends when the consumer is dismissed, or the group's using
	dismiss context.CancelFunc
	running bool          // guarded by the group's lock
	hired   time.Duration // since the group's start

	used    atomic.Int64
	idle    atomic.Int64 // nanoseconds
	waiting atomic.Int64 // since then (nanoseconds after the group's start) + 1; 0: not
	_       [64]byte
}

// hire starts consumers, up to the number wanted. The group is locked.
func (g *Group[T]) hire() {
	if g.over || g.using.Err() != nil {
		return
	}
	for i := range g.want {
		now := g.now()
		if i == len(g.consumers) {
			g.consumers = append(g.consumers, &consumer{number: i + 1, hired: now})
		}
		c := g.consumers[i]
		if c.running {
			continue
		}
		c.running = true
		c.works(now)
		c.ctx, c.dismiss = context.WithCancel(g.using)
		g.working++
		go g.consume(c)
	}
}

// waits notes that the consumer waits from now on.
func (c *consumer) waits(now time.Duration) { c.waiting.Store(int64(now) + 1) }

// works notes that the consumer does not wait any more.
func (c *consumer) works(now time.Duration) {
	if since := c.waiting.Swap(0); since > 0 {
		c.idle.Add(int64(now) - (since - 1))
	}
}

func (c *consumer) utilisation(now time.Duration) float64 {
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
func (g *Group[T]) consume(c *consumer) {
	returned := false
	defer func() {
		g.end(roleConsumer, c.number, returned, recover())
	}()
	defer c.dismiss() // releases its context
	try, _ := g.queue.(trier[T])
	for {
		entry, err := g.next(c, try)
		if err != nil {
			if g.goesOn(c, err) {
				continue
			}
			break
		}
		c.used.Store(c.used.Load() + 1)
		if l := entry.label; l != nil {
			now := g.now()
			g.latencies.add(now-l.created, l.weight)
			if g.Observe != nil {
				g.Observe(Event{Kind: PickedUp, At: now, Producer: l.producer, Number: l.number, Consumer: c.number, Latency: now - l.created})
			}
		}
		if err := g.Consume(g.using, c.number, entry.value); err != nil {
			g.fail(roleConsumer, c.number, err)
		}
		if g.Observe != nil {
			g.Observe(Event{Kind: Done, At: g.now(), Producer: entry.label.producer, Number: entry.label.number, Consumer: c.number})
		}
	}
	returned = true
}

// trier is a queue that can tell whether Get would wait.
type trier[T any] interface{ TryGet() (Entry[T], error) }

// next gets the consumer's next entry. It looks at the clock only when it has to
// wait, if the queue can tell.
func (g *Group[T]) next(c *consumer, try trier[T]) (entry Entry[T], err error) {
	if err := c.ctx.Err(); err != nil {
		return entry, err
	}
	if try != nil {
		if entry, err = try.TryGet(); err != ErrEmpty {
			return entry, err
		}
	}
	c.waits(g.now())
	entry, err = g.queue.Get(c.ctx)
	c.works(g.now())
	return entry, err
}

// goesOn decides whether a consumer that got err instead of an item goes on: when
// it was dismissed, and is wanted again by now.
func (g *Group[T]) goesOn(c *consumer, err error) bool {
	if c.ctx.Err() == nil && !errors.Is(err, ErrClosed) { // it's the queue's fault
		if errors.Is(err, ErrEmpty) {
			err = fmt.Errorf("%w: the queue of a group is one whose Get waits, and a Slice is none", err)
		}
		g.fail(roleConsumer, c.number, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.number <= g.want && c.ctx.Err() != nil && g.using.Err() == nil {
		c.ctx, c.dismiss = context.WithCancel(g.using)
		return true
	}
	c.running = false
	c.waits(g.now())
	return false
}

// end notes that a worker has ended, and how: it returned, or panicked with a
// value, or neither.
func (g *Group[T]) end(role string, number int, returned bool, panicked any) {
	if panicked != nil {
		g.panics(&Panic{Role: role, Number: number, Value: panicked, Stack: debug.Stack()})
	} else if !returned {
		g.fail(role, number, ErrGoexit)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.working--
	if role == roleProducer {
		if g.producing--; g.producing == 0 {
			g.queue.Close()
		}
	}
	g.changed.Broadcast()
}

// panics notes that a worker has panicked, and stops the group.
func (g *Group[T]) panics(p *Panic) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.panicked == nil {
		g.panicked = p
	}
	g.stop(p, 0)
}

// latencies are those of a group's items, as far as they were measured.
type latencies struct {
	all         histogram.Histogram
	first, last atomic.Int64 // nanoseconds + 1
}

func (l *latencies) add(latency time.Duration, weight int) {
	l.all.Add(latency, weight)
	l.last.Store(int64(latency) + 1)
	if l.first.Load() == 0 {
		l.first.CompareAndSwap(0, int64(latency)+1)
	}
}

func (l *latencies) summary() Latency {
	s := latency(&l.all)
	if first := l.first.Load(); first > 0 {
		s.First, s.Last = time.Duration(first-1), time.Duration(l.last.Load()-1)
	}
	return s
}
