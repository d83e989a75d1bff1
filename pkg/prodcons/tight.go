package prodcons

import (
	"context"
	"sync"
)

// tightBound is the largest bound of a buffer that is tight.
const tightBound = 8

// tight is what a [Buffer] is with room for a few values only. There most who put
// or get have to wait, and two locks would be in each other's way. So there is one,
// and values are handed over as Go's channels do it: those who wait are served, in
// the order in which they came, by the put or get that makes it possible. Nobody
// waits who could be served: where getters wait the buffer is empty, and where
// putters wait it is full.
type tight[T any] struct {
	mu     sync.Mutex // also of the buffer's waiters
	ring   []T        // grows up to the bound
	bound  int
	oldest int // its place in the ring
	n      int // how many there are
	closed bool
	places sync.Pool // of *waiter[T]
}

// push appends *v, for which there is room.
func (r *tight[T]) push(v *T) {
	if r.n == len(r.ring) {
		ring := make([]T, min(max(1, 2*r.n), r.bound))
		copy(ring[copy(ring, r.ring[r.oldest:]):], r.ring[:r.oldest])
		r.ring, r.oldest = ring, 0
	}
	i := r.oldest + r.n
	if i >= len(r.ring) {
		i -= len(r.ring)
	}
	r.ring[i] = *v
	r.n++
}

// pop removes the oldest, which there is.
func (r *tight[T]) pop(v *T) {
	slot := &r.ring[r.oldest]
	*v = *slot
	clear(r.ring[r.oldest : r.oldest+1]) // so that it can be collected
	if r.oldest++; r.oldest == len(r.ring) {
		r.oldest = 0
	}
	r.n--
}

// add puts *v, without waiting. The lock is held.
func (q *Buffer[T]) add(v *T) error {
	if q.tight.closed {
		return ErrClosed
	}
	if w := q.getters.first; w != nil {
		w.hold[0] = *v
		q.getters.rouse(w, served)
		return nil
	}
	if q.tight.n == q.bound {
		return ErrFull
	}
	q.tight.push(v)
	q.getters.tell()
	return nil
}

// remove gets into *v, without waiting. The lock is held.
func (q *Buffer[T]) remove(v *T) error {
	switch {
	case q.tight.n > 0:
	case q.tight.closed:
		return ErrClosed
	default:
		return ErrEmpty
	}
	q.tight.pop(v)
	if w := q.putters.first; w != nil {
		q.tight.push(&w.hold[0])
		q.putters.rouse(w, served)
	}
	return nil
}

// putTight is Put if it may wait, and else TryPut.
func (q *Buffer[T]) putTight(ctx context.Context, v *T, wait bool) error {
	q.tight.mu.Lock()
	for beaten := false; ; beaten = true {
		err := q.add(v)
		if err == ErrFull {
			switch {
			case q.full == DropNewest:
				q.tight.mu.Unlock()
				q.dropped(v)
				return nil
			case q.full == DropOldest:
				var old T
				q.tight.pop(&old)
				q.tight.push(v)
				q.tight.mu.Unlock()
				q.dropped(&old)
				return nil
			case q.full == WaitWhenFull && wait:
				if done, err := q.putters.await(ctx, beaten, v); done || err != nil {
					return err
				}
				continue
			}
		}
		q.tight.mu.Unlock()
		return err
	}
}

// getTight is Get if it may wait, and else TryGet, into *v.
func (q *Buffer[T]) getTight(ctx context.Context, v *T, wait bool) error {
	q.tight.mu.Lock()
	for beaten := false; ; beaten = true {
		err := q.remove(v)
		if err == ErrEmpty && wait {
			if done, err := q.getters.await(ctx, beaten, v); done || err != nil {
				return err
			}
			continue
		}
		q.tight.mu.Unlock()
		return err
	}
}

// await sleeps, with *v to put or to be given, until it is served, and then says
// so, until it is woken for another reason, or until ctx ends. It is called with
// the tight buffer's lock held, and returns with it held only if there is reason to
// look again: when it was neither served nor has failed.
func (ws *waiters[T]) await(ctx context.Context, front bool, v *T) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		ws.lock().Unlock()
		return false, err
	}
	w := ws.join(front)
	w.hold[0] = *v
	if !ws.sleep(w, ctx.Done()) {
		return false, ctx.Err()
	}
	if done = w.state.Load() == served; done {
		*v = w.hold[0]
	}
	ws.giveBack(w)
	if !done {
		ws.lock().Lock()
	}
	return done, nil
}

// putBatchTight puts as many of the values as there is room for, one at least.
func (q *Buffer[T]) putBatchTight(values []T) (n int, err error) {
	q.tight.mu.Lock()
	defer q.tight.mu.Unlock()
	for ; n < len(values); n++ {
		if err := q.add(&values[n]); err != nil {
			if n == 0 {
				return 0, err
			}
			break
		}
	}
	return n, nil
}

// getBatchTight gets as many values as there are, one at least.
func (q *Buffer[T]) getBatchTight(buffer []T) (n int, err error) {
	q.tight.mu.Lock()
	defer q.tight.mu.Unlock()
	for ; n < len(buffer); n++ {
		if err := q.remove(&buffer[n]); err != nil {
			if n == 0 {
				return 0, err
			}
			break
		}
	}
	return n, nil
}

// len is the number of values.
func (r *tight[T]) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// close says that no more will be put.
func (r *tight[T]) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
}

// idle says whether there is nothing to get, and something may come.
func (r *tight[T]) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n == 0 && !r.closed
}
