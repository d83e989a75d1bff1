package prodcons

import (
	"context"
	"slices"
	"sync"
)

// tightBound is the largest bound of a buffer that is tight.
const tightBound = 8

// tight is a [Buffer] with room for only a few values. There, most who put or get have
// to wait, and two locks would be in each other's way. So there is one, and values are
// handed over as in Go's channels: those who wait are served, in the order in which
// they came, by the put or get that makes it possible. Nobody waits who could be
// served: where getters wait the buffer is empty, and where putters wait it is full.
type tight[T any] struct {
	mu        sync.Mutex
	ring      []T // grows up to the bound
	bound     int
	oldest    int // its place in the ring
	n         int // how many there are
	closed    bool
	getters   line[T]
	putters   line[T]
	free      *place[T]
	listeners []chan<- struct{}
}

// line are those who wait, in the order in which they came.
type line[T any] struct{ first, last *place[T] }

// place is where one of them sleeps. It is reused by any goroutine: unlike a channel,
// its condition belongs to no bubble of testing/synctest. A sleep that a context can
// end needs a channel, which is made for that sleep.
type place[T any] struct {
	cond       sync.Cond
	woken      chan struct{} // nil: cond is signalled instead
	prev, next *place[T]
	waits      bool // is in the line
	served     bool // it has put, or was given, its value
	value      T
}

// push appends *v, for which there is room.
func (q *tight[T]) push(v *T) {
	if q.n == len(q.ring) {
		ring := make([]T, min(max(1, 2*q.n), q.bound))
		copy(ring[copy(ring, q.ring[q.oldest:]):], q.ring[:q.oldest])
		q.ring, q.oldest = ring, 0
	}
	i := q.oldest + q.n
	if i >= len(q.ring) {
		i -= len(q.ring)
	}
	q.ring[i] = *v
	q.n++
}

// pop removes the oldest value; there is one.
func (q *tight[T]) pop(v *T) {
	*v = q.ring[q.oldest]
	clear(q.ring[q.oldest : q.oldest+1]) // so that it can be collected
	if q.oldest++; q.oldest == len(q.ring) {
		q.oldest = 0
	}
	q.n--
}

// add puts *v without waiting, and reports whether it could: not if the buffer is full
// or closed. The lock is held.
func (q *tight[T]) add(v *T) bool {
	switch w := q.getters.first; {
	case q.closed:
		return false
	case w != nil:
		w.value = *v
		q.getters.serve(w)
	case q.n == q.bound:
		return false
	default:
		q.push(v)
		if q.listeners != nil {
			q.tell()
		}
	}
	return true
}

// remove gets into *v without waiting, and reports whether it could: not if the buffer
// is empty. The lock is held.
func (q *tight[T]) remove(v *T) bool {
	if q.n == 0 {
		return false
	}
	q.pop(v)
	if w := q.putters.first; w != nil {
		q.push(&w.value)
		q.putters.serve(w)
	}
	return true
}

// stuck returns the reason why nothing could be done: err, or that the buffer is
// closed. The lock is held.
func (q *tight[T]) stuck(err error) error {
	if q.closed {
		return ErrClosed
	}
	return err
}

// put puts *v, waiting until there is room.
func (q *tight[T]) put(ctx context.Context, v *T) (err error) {
	q.mu.Lock()
	for !q.add(v) {
		if q.closed {
			err = ErrClosed
			break
		}
		w := q.join(&q.putters)
		w.value = *v
		served := q.sleep(ctx, &q.putters, w)
		q.release(w)
		if served {
			break
		}
		if err = ctx.Err(); err != nil {
			break
		}
	}
	q.mu.Unlock()
	return err
}

// get gets into *v, waiting until there is a value.
func (q *tight[T]) get(ctx context.Context, v *T) (err error) {
	q.mu.Lock()
	for !q.remove(v) {
		if q.closed {
			err = ErrClosed
			break
		}
		w := q.join(&q.getters)
		if q.sleep(ctx, &q.getters, w) {
			*v = w.value
			q.release(w)
			break
		}
		q.release(w)
		if err = ctx.Err(); err != nil {
			break
		}
	}
	q.mu.Unlock()
	return err
}

// tryPut is put where there is room. Where there is none, it does what full says, and
// returns what it has dropped.
func (q *tight[T]) tryPut(v *T, full WhenFull) (old T, dropped bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.add(v) {
		return old, false, nil
	}
	if err = q.stuck(ErrFull); err == ErrFull {
		switch full {
		case DropNewest:
			return *v, true, nil
		case DropOldest:
			q.pop(&old)
			q.push(v)
			return old, true, nil
		}
	}
	return old, false, err
}

func (q *tight[T]) tryGet(v *T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.remove(v) {
		return q.stuck(ErrEmpty)
	}
	return nil
}

// tryPutBatch puts as many values as there is room for, at least one.
func (q *tight[T]) tryPutBatch(values []T) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n < len(values) && q.add(&values[n]) {
		n++
	}
	if n == 0 {
		err = q.stuck(ErrFull)
	}
	return n, err
}

// tryGetBatch gets as many values as there are, at least one.
func (q *tight[T]) tryGetBatch(buffer []T) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n < len(buffer) && q.remove(&buffer[n]) {
		n++
	}
	if n == 0 {
		err = q.stuck(ErrEmpty)
	}
	return n, err
}

// join takes a place at the end of a line. The lock is held.
func (q *tight[T]) join(l *line[T]) *place[T] {
	w := q.free
	if w == nil {
		w = new(place[T])
		w.cond.L = &q.mu
	} else {
		q.free = w.next
	}
	w.prev, w.next = l.last, nil
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last, w.waits, w.served = w, true, false
	return w
}

// release gives up a place that is in no line. The lock is held.
func (q *tight[T]) release(w *place[T]) {
	var none T
	w.value, w.woken = none, nil
	w.next, q.free = q.free, w
}

// sleep sleeps in a place of a line until it is served, which it reports, is woken for
// another reason, or ctx ends; it is in no line then. The lock is held before and
// after.
func (q *tight[T]) sleep(ctx context.Context, l *line[T], w *place[T]) (served bool) {
	done := ctx.Done()
	if done == nil {
		if ctx.Err() == nil { // one without Done tells it so
			w.cond.Wait()
		}
	} else {
		woken := make(chan struct{}, 1)
		w.woken = woken
		q.mu.Unlock()
		select {
		case <-woken:
		case <-done:
		}
		q.mu.Lock()
	}
	if w.waits {
		l.remove(w)
	}
	return w.served
}

// serve wakes w, which has put, or was given, its value. The lock is held.
func (l *line[T]) serve(w *place[T]) {
	w.served = true
	l.wake(w)
}

func (l *line[T]) wake(w *place[T]) {
	l.remove(w)
	if w.woken != nil {
		w.woken <- struct{}{} // has room
	} else {
		w.cond.Signal()
	}
}

func (l *line[T]) remove(w *place[T]) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.waits = false
}

// wakeAll makes all in a line look again.
func (q *tight[T]) wakeAll(l *line[T]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for l.first != nil {
		l.wake(l.first)
	}
}

// close says that no more will be put.
func (q *tight[T]) close() {
	q.mu.Lock()
	q.closed = true
	q.tell()
	q.mu.Unlock()
}

// tell gives each listener a token, unless it has one. The lock is held.
func (q *tight[T]) tell() {
	for _, l := range q.listeners {
		select {
		case l <- struct{}{}:
		default:
		}
	}
}

// listen gives l a token whenever something is put that nobody waits for, until
// unlisten.
func (q *tight[T]) listen(l chan<- struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.listeners = append(q.listeners, l)
}

func (q *tight[T]) unlisten(l chan<- struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.listeners = slices.DeleteFunc(q.listeners, func(other chan<- struct{}) bool { return other == l })
	if len(q.listeners) == 0 {
		q.listeners = nil
	}
}

// len is the number of values.
func (q *tight[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}

// idle reports whether there is nothing to get now, but something may still come.
func (q *tight[T]) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n == 0 && !q.closed
}
