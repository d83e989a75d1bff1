package prodcons

import (
	"context"
	"fmt"
	"iter"
	"math"
	"reflect"
	"runtime"
	"sync/atomic"
)

// WhenFull says what a [Buffer] does with a put for which it has no room.
type WhenFull int

const (
	WaitWhenFull WhenFull = iota // until there is room: back-pressure
	DropNewest                   // the value that is put is dropped
	DropOldest                   // the value that lies there longest is dropped
	FailWhenFull                 // the put fails with ErrFull
)

func (w WhenFull) String() string {
	switch w {
	case WaitWhenFull:
		return "wait"
	case DropNewest:
		return "drop newest"
	case DropOldest:
		return "drop oldest"
	case FailWhenFull:
		return "fail"
	}
	return fmt.Sprintf("WhenFull(%d)", int(w))
}

// Buffer is the queue for real use: Get returns as soon as there is a value, Put as
// soon as there is room, and a waiting goroutine sleeps. The zero value is an empty
// buffer without a bound, ready for use; [NewBuffer] makes one with a bound. A Buffer
// must not be copied after its first use.
//
// Order: values come out in the order in which they went in. The queue is linearizable,
// except that a batch counts as its values one after the other.
//
// Fairness: waiting goroutines are woken in the order in which they came, one at a
// time; each wakes the next if there is more. A goroutine that need not wait may come
// between: the woken one then keeps waiting, ahead of all others. So nobody who comes
// later and waits is preferred, but a wait has no bound. With a bound of eight or less
// nobody comes between: those who wait are served in their order.
//
// Cost: a few nanoseconds, no allocation. Put and Get each take a lock for a few
// instructions; producers and consumers have one each, and don't disturb each other
// while the buffer is neither full nor empty. (With a bound of eight or less it is
// nearly always one or the other: then there is a single lock, and values go from hand
// to hand, as in a channel.) A goroutine that has to wait looks again a few times, for
// a few microseconds at most, and then sleeps: an idle buffer costs no time at all.
// Sleeping under a context that can end allocates about 100 bytes.
//
// Memory: with a bound, memory for exactly that number of values is allocated at once;
// without one, it follows the length in both directions, in pieces of at most 8 KiB, or
// of one value if that is larger.
type Buffer[T any] struct {
	bound  int // 0: none
	full   WhenFull
	onDrop func(T)
	tight  *tight[T] // instead of the two ends, if there is hardly any room

	// Set by make: at once if there is a bound, else by the first put, under tail's
	// lock, before it publishes its value.
	limit  uint64 // the bound, or next to infinity; 0 before
	shared bool   // there are pointers in T

	// A position counts all values ever put or got. It shares a word with its
	// lock, so that one store publishes a value and unlocks.
	//
	// The idea of the cached opposite position is from the single-producer ring
	// of Lê, Guatto, Cohen and Pop, "Correct and Efficient Bounded FIFO Queues";
	// a lock for each end is from Michael and Scott's two-lock queue.
	_    [64]byte      // each end has cache lines of its own
	tail atomic.Uint64 // position << 2 | closed | locked
	put  end[T]        // guarded by tail's lock
	size int           // of the next piece; guarded by tail's lock

	drops  atomic.Int64
	_      [64]byte
	head   atomic.Uint64            // position << 2 | locked
	get    end[T]                   // guarded by head's lock
	spare  atomic.Pointer[piece[T]] // one that has been read to its end
	_      [64]byte
	first  piece[T] // has no slots: the piece before the first
	second piece[T]

	getters waiters[T]
	_       [64]byte
	putters waiters[T]
}

// end is what one end of the buffer knows.
type end[T any] struct {
	other uint64    // the opposite end's position, as last seen
	at    *piece[T] // where the last value was put or got
	slots []T       // at's
	base  uint64    // the position of slots[0]
}

// piece is a part of a buffer. A ring is its own successor.
type piece[T any] struct {
	slots []T
	next  *piece[T]
	ring  bool
}

// The bits of an end's word.
const (
	locked = 1 << iota
	closed
	one // the position's unit
)

// NewBuffer returns an empty buffer that holds up to bound values; full says what it
// does when there is no room. With a bound of zero or less the buffer is unbounded and
// never full. NewBuffer panics, as make does, if there is no memory for that many
// values.
func NewBuffer[T any](bound int, full WhenFull) *Buffer[T] {
	q := newBuffer[T](bound, full)
	switch {
	case q.tight != nil:
		q.tight.ring = make([]T, bound)
	case bound > 0:
		p := &q.second
		*p = piece[T]{slots: make([]T, bound), next: p, ring: true}
		q.first.next = p
	}
	return q
}

// newBuffer returns a buffer that takes memory for what it holds only, even if
// it has a bound.
func newBuffer[T any](bound int, full WhenFull) *Buffer[T] {
	q := new(Buffer[T])
	q.set(bound, full)
	return q
}

func (q *Buffer[T]) set(bound int, full WhenFull) {
	q.bound, q.full = max(bound, 0), full
	if bound > 0 && bound <= tightBound {
		q.tight = &tight[T]{bound: bound}
	}
}

// OnDrop makes the buffer call f with each value that it drops because it is full. The
// call comes after the put that caused it, in the same goroutine; f may use the buffer.
// OnDrop must be called before the buffer is used.
func (q *Buffer[T]) OnDrop(f func(v T)) { q.onDrop = f }

// lock takes the lock in word and returns the word without it. TryPut and TryGet try
// once themselves before they call it, because the compiler does not inline it.
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

// The sizes of pieces, in bytes: of the first, and of the largest. Each is twice
// as large as the one before.
const (
	smallPiece = 512
	largePiece = 8 << 10
)

// slots is the number of values of type T that fit into a piece of that size.
func slots[T any](bytes int) int {
	return max(1, bytes/max(8, int(reflect.TypeFor[T]().Size())))
}

// make prepares the buffer for its first value.
func (q *Buffer[T]) make() {
	q.limit = math.MaxUint64
	if q.bound > 0 {
		q.limit = uint64(q.bound)
	}
	q.size = slots[T](smallPiece)
	q.shared = q.shared || pointers(reflect.TypeFor[T]())
	q.put.at = &q.first
}

// room returns the number of values there is room for. The tail is locked and at
// position t.
func (q *Buffer[T]) room(t uint64) uint64 {
	if q.limit == 0 {
		q.make()
	}
	q.put.other = q.head.Load() / one
	return q.limit - (t - q.put.other)
}

// pointers reports whether a value of type t refers to other memory.
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

// grow goes on to the next piece, whose first slot is that of position t.
func (q *Buffer[T]) grow(t uint64) {
	if q.put.at.next == nil {
		p := q.spare.Swap(nil)
		switch {
		case q.put.at == &q.first:
			p = &q.second
			p.slots = make([]T, q.size)
		case p == nil || len(p.slots) < q.size:
			p = &piece[T]{slots: make([]T, q.size)}
		}
		q.size = min(2*q.size, slots[T](largePiece))
		q.put.at.next = p
	}
	q.put.enter(t)
}

// shrink goes on to the next piece, whose first slot is that of position h, and keeps
// the one it leaves for reuse.
func (q *Buffer[T]) shrink(h uint64) {
	if q.get.at == nil {
		q.get.at = &q.first
	}
	old := q.get.at
	q.get.enter(h)
	if old != &q.first && !q.get.at.ring {
		old.next = nil
		q.spare.Store(old)
	}
}

// enter goes on to the next piece.
func (e *end[T]) enter(position uint64) {
	e.at = e.at.next
	e.slots, e.base = e.at.slots, position
}

// TryPut appends v if there is room, or makes room as the buffer's [WhenFull]
// says. When it is WaitWhenFull or FailWhenFull,
// TryPut fails with ErrFull instead.
func (q *Buffer[T]) TryPut(v T) error { return q.tryPut(&v) }

// tryPut puts *v, which is not copied on the way to its slot.
func (q *Buffer[T]) tryPut(v *T) error { return q.append(v, true) }

// append is tryPut, which may leave it to its caller to wake those that wait.
func (q *Buffer[T]) append(v *T, wake bool) error {
	if q.tight != nil {
		old, dropped, err := q.tight.tryPut(v, q.full)
		if dropped {
			q.dropped(&old)
		}
		return err
	}
	w := q.tail.Load()
	if w&locked != 0 || !q.tail.CompareAndSwap(w, w|locked) {
		w = lock(&q.tail)
	}
	t := w / one
	if w&closed != 0 {
		q.tail.Store(w)
		return ErrClosed
	}
	if t-q.put.other >= q.limit && q.room(t) == 0 {
		err := q.tryPutFull(w, v)
		if wake && q.getters.wanted.Load() {
			q.wake()
		}
		return err
	}
	i := t - q.put.base
	if i == uint64(len(q.put.slots)) {
		q.grow(t)
		i = 0
	}
	q.put.slots[i] = *v
	q.tail.Store(w + one)
	if wake && q.getters.wanted.Load() {
		q.wake()
	}
	return nil
}

// tryPutFull is tryPut into a full buffer, whose tail is locked and was w.
func (q *Buffer[T]) tryPutFull(w uint64, v *T) error {
	switch q.full {
	case DropOldest:
		t := w / one
		old, dropped := q.drop(t)
		if t-q.put.base == uint64(len(q.put.slots)) {
			q.grow(t)
		}
		q.put.slots[t-q.put.base] = *v
		q.tail.Store(w + one)
		if dropped {
			q.dropped(&old)
		}
		return nil
	case DropNewest:
		q.tail.Store(w)
		q.dropped(v)
		return nil
	}
	q.tail.Store(w)
	return ErrFull
}

// dropped counts a dropped value and hands it to OnDrop's function. Nothing is locked.
func (q *Buffer[T]) dropped(v *T) {
	q.drops.Add(1)
	if q.onDrop != nil {
		q.onDrop(*v)
	}
}

// drop makes room for one value. The tail is locked and at position t.
func (q *Buffer[T]) drop(t uint64) (old T, dropped bool) {
	w := lock(&q.head)
	h := w / one
	if t-h == q.limit { // it is still full
		i := h - q.get.base
		if i == uint64(len(q.get.slots)) {
			q.shrink(h)
			i = 0
		}
		old, dropped = q.get.slots[i], true
		clear(q.get.slots[i : i+1])
		w += one
	}
	q.get.other = t
	q.put.other = w / one
	q.head.Store(w)
	return old, dropped
}

// TryGet removes the oldest value. It fails with ErrEmpty when there is none now, and
// with ErrClosed when there will be none any more.
func (q *Buffer[T]) TryGet() (v T, err error) {
	err = q.tryGet(&v)
	return v, err
}

// tryGet gets into *v, which it leaves alone if there is nothing.
func (q *Buffer[T]) tryGet(v *T) error { return q.take(v, true) }

// take is tryGet, which may leave it to its caller to wake those that wait.
func (q *Buffer[T]) take(v *T, wake bool) error {
	if q.tight != nil {
		return q.tight.tryGet(v)
	}
	w := q.head.Load()
	if w&locked != 0 || !q.head.CompareAndSwap(w, w|locked) {
		w = lock(&q.head)
	}
	h := w / one
	if h == q.get.other {
		t := q.tail.Load()
		q.get.other = t / one
		if h == q.get.other {
			q.head.Store(w)
			if t&closed != 0 {
				return ErrClosed
			}
			return ErrEmpty
		}
	}
	i := h - q.get.base
	if i == uint64(len(q.get.slots)) {
		q.shrink(h)
		i = 0
	}
	*v = q.get.slots[i]
	if q.shared {
		clear(q.get.slots[i : i+1]) // so that it can be collected
	}
	q.head.Store(w + one)
	if wake && q.putters.wanted.Load() {
		q.wake()
	}
	return nil
}

// Put appends v. When the buffer is full it does what its [WhenFull] says: wait,
// drop a value, or fail with ErrFull. It fails with ErrClosed after Close, and
// with the context's error when ctx ends before there is room; v is then not in
// the buffer.
func (q *Buffer[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.tight != nil && q.full == WaitWhenFull {
		return q.tight.put(ctx, &v)
	}
	err := q.tryPut(&v)
	if err == ErrFull && q.full == WaitWhenFull {
		return q.putSlow(ctx, v)
	}
	return err
}

func (q *Buffer[T]) putSlow(ctx context.Context, v T) error {
	if q.tight != nil {
		return q.tight.put(ctx, &v)
	}
	return q.wait(ctx, &q.putters, ErrFull, &v, func() error { return q.tryPut(&v) })
}

// Get removes the oldest value, waiting until there is one. It fails with
// ErrClosed once the buffer is closed and empty, and with the context's error
// when ctx ends first; no value is lost in either case.
func (q *Buffer[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	if q.tight != nil {
		err = q.tight.get(ctx, &v)
		return v, err
	}
	if err = q.tryGet(&v); err != ErrEmpty {
		return v, err
	}
	return q.getSlow(ctx)
}

func (q *Buffer[T]) getSlow(ctx context.Context) (v T, err error) {
	if q.tight != nil {
		err = q.tight.get(ctx, &v)
		return v, err
	}
	err = q.wait(ctx, &q.getters, ErrEmpty, &v, func() error { return q.tryGet(&v) })
	return v, err
}

// All yields values, oldest first, until the buffer is closed and empty or ctx
// ends. Each value is removed as it is yielded.
func (q *Buffer[T]) All(ctx context.Context) iter.Seq[T] { return all(ctx, q) }

// Ready returns a channel for a select: until ctx ends, it has a token when there may
// be something to get, or the buffer was closed. After each token, call TryGet until it
// fails, with ErrEmpty or, at the end, ErrClosed: others may have been faster, and
// several puts may have left one token. After ErrClosed set the variable that holds the
// channel to nil, as one does with a closed channel.
func (q *Buffer[T]) Ready(ctx context.Context) <-chan struct{} {
	tokens := make(chan struct{}, 1)
	var listeners interface {
		listen(l chan<- struct{})
		unlisten(l chan<- struct{})
	} = &q.getters
	if q.tight != nil {
		listeners = q.tight
	}
	listeners.listen(tokens)
	context.AfterFunc(ctx, func() { listeners.unlisten(tokens) })
	if !q.idle() {
		select {
		case tokens <- struct{}{}:
		default:
		}
	}
	return tokens
}

// idle reports whether there is nothing to get now, but something may still come.
func (q *Buffer[T]) idle() bool {
	if q.tight != nil {
		return q.tight.idle()
	}
	return q.stuck(ErrEmpty)
}

// Close ends the buffer. Puts that are waiting for room fail with ErrClosed.
func (q *Buffer[T]) Close() {
	if q.tight != nil {
		q.tight.close()
	} else {
		q.tail.Store(lock(&q.tail) | closed)
	}
	q.wakeGetters()
	q.wakePutters()
}

// wakeGetters makes those who wait for a value look again, at their context too.
func (q *Buffer[T]) wakeGetters() {
	if q.tight != nil {
		q.tight.wakeAll(&q.tight.getters)
	}
	q.getters.wakeAll()
}

// wakePutters makes those who wait for room look again, at their context too.
func (q *Buffer[T]) wakePutters() {
	if q.tight != nil {
		q.tight.wakeAll(&q.tight.putters)
	}
	q.putters.wakeAll()
}

// Len is the number of values in the buffer. While others put and get, it is a number
// that was true at some moment during the call, or close to one.
func (q *Buffer[T]) Len() int {
	if q.tight != nil {
		return q.tight.len()
	}
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
