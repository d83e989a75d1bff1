package prodcons

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"reflect"
	"runtime"
	"sync/atomic"
)

// WhenFull says what a [Buffer] does with a put for which it has no room.
type WhenFull int

const (
	Wait       WhenFull = iota // until there is room: back-pressure
	DropNewest                 // the value that is put is dropped
	DropOldest                 // the value that lies there longest is dropped
	Fail                       // the put fails with ErrFull
)

func (w WhenFull) String() string {
	switch w {
	case Wait:
		return "wait"
	case DropNewest:
		return "drop newest"
	case DropOldest:
		return "drop oldest"
	case Fail:
		return "fail"
	}
	return fmt.Sprintf("WhenFull(%d)", int(w))
}

// Buffer is the queue for real use: Get returns as soon as there is a value, Put
// as soon as there is room, and who waits sleeps. The zero value is an empty
// buffer without a bound, ready for use; [NewBuffer] makes one with a bound. A
// Buffer must not be copied after its first use.
//
// Order: values come out in the order in which they went in; the history of all
// calls is that of one queue (it is linearizable), but that a batch counts as
// its values one after the other.
//
// Fairness: goroutines that wait are woken in the order in which they came, one
// at a time; each wakes the next if there is more. One that need not wait may
// come between: the woken one then waits on, in front of all others. So nobody
// who comes later and waits is preferred, but a wait has no bound.
//
// Cost: a few nanoseconds, no allocation. Put and Get each take a lock that lasts
// for a few instructions; producers and consumers have one each, and don't
// disturb one another while the buffer is neither full nor empty. Who has to wait
// looks again a few times, for some microseconds at most, and then sleeps: an
// idle buffer costs no time at all. With a bound, memory for all of it is taken
// at once; without, it follows the length in both directions, in pieces of some
// kilobytes.
type Buffer[T any] struct {
	bound int // 0: none
	full  WhenFull

	// Set by make: at once if there is a bound, else by the first put, under tail's
	// lock, before it publishes its value.
	limit  uint64 // the bound, or next to infinity; 0 before
	mask   uint64 // len(piece.slots) - 1
	shared bool   // there are pointers in T

	// A position counts all values ever put or got. It shares a word with its
	// lock, so that one store publishes a value and unlocks.
	//
	// The idea of the cached opposite position is from the single-producer ring
	// of Lê, Guatto, Cohen and Pop, "Correct and Efficient Bounded FIFO Queues";
	// a lock for each end is from Michael and Scott's two-lock queue.
	_    [64]byte      // each end has cache lines of its own
	tail atomic.Uint64 // position << 2 | closed | locked
	put  struct {      // guarded by tail's lock
		got   uint64    // the head's position, as last seen
		at    *piece[T] // where the last value was put
		slots []T       // at's
	}
	drops atomic.Int64
	_     [64]byte
	head  atomic.Uint64 // position << 2 | locked
	get   struct {      // guarded by head's lock
		put   uint64    // the tail's position, as last seen
		at    *piece[T] // where the last value was got
		slots []T       // at's
	}
	spare atomic.Pointer[piece[T]] // one that has been read to its end
	_     [64]byte
	first piece[T] // has no slots: the piece before the first

	getters waiters
	_       [64]byte
	putters waiters
}

// piece is a part of a buffer. One with a bound has a single piece, which is its
// own successor.
type piece[T any] struct {
	slots []T
	next  *piece[T]
}

// The bits of an end's word.
const (
	locked = 1 << iota
	closed
	one // the position's unit
)

// NewBuffer returns an empty buffer that holds up to bound values, and what it
// does when it is full. With a bound of zero or less it has none, and is never
// full. A bound for which there is no memory makes it panic, as make does.
func NewBuffer[T any](bound int, full WhenFull) *Buffer[T] {
	q := &Buffer[T]{bound: max(bound, 0), full: full}
	if bound > 0 {
		q.make()
	}
	return q
}

// lock takes the lock in word and returns the word without it. TryPut and TryGet
// try once by themselves before they call it: the compiler does not inline it.
func lock(word *atomic.Uint64) uint64 {
	for look := 1; ; look++ {
		w := word.Load()
		if w&locked == 0 && word.CompareAndSwap(w, w|locked) {
			return w
		}
		if look%10 == 0 { // its holder may be waiting for our processor
			runtime.Gosched()
		}
	}
}

// make prepares the buffer for its first value.
func (q *Buffer[T]) make() {
	typ := reflect.TypeFor[T]()
	if q.bound > 0 {
		p := &piece[T]{slots: make([]T, 1<<bits.Len(uint(q.bound-1)))}
		p.next, q.first.next = p, p
		q.limit, q.mask = uint64(q.bound), uint64(len(p.slots)-1)
	} else {
		const bytes = 8 << 10
		n := 16
		for n < 1024 && n*int(typ.Size()) < bytes {
			n *= 2
		}
		q.limit, q.mask = math.MaxUint64, uint64(n-1)
	}
	q.shared = pointers(typ)
	q.put.at = &q.first
}

// room says how many values there is room for. The tail is locked and at position
// t.
func (q *Buffer[T]) room(t uint64) uint64 {
	if q.limit == 0 {
		q.make()
	}
	q.put.got = q.head.Load() / one
	return q.limit - (t - q.put.got)
}

// pointers says whether a value of type t refers to other memory.
func pointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && pointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if pointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return t.Kind() > reflect.Complex128
}

// grow goes on to the next piece, whose first slot is the next.
func (q *Buffer[T]) grow() {
	if q.put.at.next == nil {
		p := q.spare.Swap(nil)
		if p == nil {
			p = &piece[T]{slots: make([]T, q.mask+1)}
		}
		q.put.at.next = p
	}
	q.put.at = q.put.at.next
	q.put.slots = q.put.at.slots
}

// shrink goes on to the next piece, and keeps the one it leaves for use again.
func (q *Buffer[T]) shrink() {
	old := q.get.at
	if old == nil {
		old = &q.first
	}
	q.get.at = old.next
	q.get.slots = q.get.at.slots
	if old != &q.first && old != q.get.at {
		old.next = nil
		q.spare.Store(old)
	}
}

// TryPut appends v if there is room, or makes room as the buffer's [WhenFull]
// says. When it is Wait or Fail, TryPut fails with ErrFull instead.
func (q *Buffer[T]) TryPut(v T) error {
	w := q.tail.Load()
	if w&locked != 0 || !q.tail.CompareAndSwap(w, w|locked) {
		w = lock(&q.tail)
	}
	t := w / one
	if w&closed != 0 {
		q.tail.Store(w)
		return ErrClosed
	}
	if t-q.put.got >= q.limit && q.room(t) == 0 {
		switch q.full {
		case DropOldest:
			q.drop(t)
		case DropNewest:
			q.tail.Store(w)
			q.drops.Add(1)
			return nil
		default:
			q.tail.Store(w)
			return ErrFull
		}
	}
	i := t & q.mask
	if i == 0 {
		q.grow()
	}
	q.put.slots[i] = v
	q.tail.Store(w + one)
	if q.getters.wanted.Load() {
		q.getters.wake()
	}
	return nil
}

// drop makes room for one value. The tail is locked and at position t.
func (q *Buffer[T]) drop(t uint64) {
	w := lock(&q.head)
	h := w / one
	if t-h == q.limit { // still full
		i := h & q.mask
		if i == 0 {
			q.shrink()
		}
		var none T
		q.get.slots[i] = none
		w += one
		q.drops.Add(1)
	}
	q.get.put = t
	q.put.got = w / one
	q.head.Store(w)
}

// TryGet removes the oldest value, or fails with ErrEmpty when there is none
// now, with ErrClosed when there will be none any more.
func (q *Buffer[T]) TryGet() (v T, err error) {
	w := q.head.Load()
	if w&locked != 0 || !q.head.CompareAndSwap(w, w|locked) {
		w = lock(&q.head)
	}
	h := w / one
	if h == q.get.put {
		t := q.tail.Load()
		q.get.put = t / one
		if h == q.get.put {
			q.head.Store(w)
			if t&closed != 0 {
				return v, ErrClosed
			}
			return v, ErrEmpty
		}
	}
	i := h & q.mask
	if i == 0 {
		q.shrink()
	}
	slot := &q.get.slots[i]
	v = *slot
	if q.shared {
		var none T
		*slot = none // so that it can be collected
	}
	q.head.Store(w + one)
	if q.putters.wanted.Load() {
		q.putters.wake()
	}
	return v, nil
}

// Put appends v. When the buffer is full it does what its [WhenFull] says: wait,
// drop a value, or fail with ErrFull. It fails with ErrClosed after Close, and
// with the context's error when ctx ends before there is room; v is then not in
// the buffer.
func (q *Buffer[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := q.TryPut(v)
	if err == ErrFull && q.full == Wait {
		return q.wait(ctx, &q.putters, ErrFull, false, func() error { return q.TryPut(v) })
	}
	return err
}

// Get removes the oldest value, waiting until there is one. It fails with
// ErrClosed once the buffer is closed and empty, and with the context's error
// when ctx ends first; no value is lost in either case.
func (q *Buffer[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	if v, err = q.TryGet(); err != ErrEmpty {
		return v, err
	}
	return q.getSlow(ctx)
}

func (q *Buffer[T]) getSlow(ctx context.Context) (v T, err error) {
	err = q.wait(ctx, &q.getters, ErrEmpty, false, func() (err error) {
		v, err = q.TryGet()
		return err
	})
	return v, err
}

// All yields values, oldest first, until the buffer is closed and empty or ctx
// ends. Each value is removed as it is yielded.
func (q *Buffer[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q) }

// Close ends the buffer. Puts that are waiting for room fail with ErrClosed.
func (q *Buffer[T]) Close() {
	q.tail.Store(lock(&q.tail) | closed)
	q.getters.wakeAll()
	q.putters.wakeAll()
}

// Len is the number of values in the buffer. While others put and get, it is a
// number that was true at some moment during the call, or a close one.
func (q *Buffer[T]) Len() int {
	h := q.head.Load() / one
	for range 10 {
		t := q.tail.Load() / one
		again := q.head.Load() / one
		if h == again {
			return int(t - h)
		}
		h = again
	}
	n := int(q.tail.Load()/one - h)
	if q.bound > 0 {
		n = min(n, q.bound)
	}
	return n
}

// Dropped is the number of values that the buffer has dropped so far because it
// was full.
func (q *Buffer[T]) Dropped() int { return int(q.drops.Load()) }
