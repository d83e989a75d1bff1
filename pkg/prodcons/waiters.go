package prodcons

import (
	"slices"
	"sync"
	"sync/atomic"
)

// waiters are the goroutines that sleep until there is something for them, in
// the order in which they came.
//
// One is woken at a time. Until it has looked, no other is woken: often nothing would
// be left for it. When it has looked, it wakes the next if there is more. Go's
// scheduler wakes its own threads the same way.
//
// A woken goroutine has been served by the one that wakes it, as with Go's channels: it
// need not look again.
type waiters[T any] struct {
	wanted  atomic.Bool  // somebody waits and nobody is on the way
	looking atomic.Int32 // the number of those that have not gone to sleep yet

	listened atomic.Bool  // there are listeners
	futile   atomic.Int32 // looks in a row that were not worth it

	mu          sync.Mutex
	first, last *waiter[T]
	onTheWay    int // woken, but have not yet looked
	free        *waiter[T]
	listeners   []chan<- struct{}
}

// waiter is a place to sleep. It is reused by any goroutine: unlike a channel, its
// condition belongs to no bubble of testing/synctest. A sleep that a context can end
// needs a channel, which is made for that sleep.
type waiter[T any] struct {
	ws         *waiters[T]
	cond       sync.Cond
	woken      chan struct{} // nil: cond is signalled instead
	prev, next *waiter[T]
	waits      bool // is in the list

	hold  [1]T         // what it wants to put, or what it was given
	batch bool         // it wants many, and can't be served by others
	state atomic.Int32 // how it was woken; whoever wakes it writes this last
}

// How a waiter was woken.
const (
	woken  = iota // to look again
	served        // it has put, or was given, its value
)

// Unlock and Lock make a waiter the lock of its own condition. It gives up the
// list's lock when it sleeps, and does not need it when it wakes.
func (w *waiter[T]) Unlock() { w.ws.mu.Unlock() }
func (w *waiter[T]) Lock()   {}

// Looking again before sleeping is worth it if it finds several values: the other side
// could work on, and nobody had to be woken. Where there is room for one, or each value
// is an answer to another, it finds one at best, and costs more than sleeping at once.
// So after a few such looks most goroutines that have to wait don't look.
const (
	enough = 3  // futile looks
	again  = 64 // after that many it looks once nevertheless
)

// hopes reports whether a look is worth it.
func (ws *waiters[T]) hopes() bool {
	n := ws.futile.Load()
	if n <= enough {
		return true
	}
	if n++; n > enough+again {
		n = enough + 1
	}
	ws.futile.Store(n)
	return n == enough+again
}

// learn notes whether a look was worth it.
func (ws *waiters[T]) learn(worth bool) {
	switch n := ws.futile.Load(); {
	case !worth && n <= enough:
		ws.futile.Store(n + 1)
	case worth && n > 0:
		ws.futile.Store(0)
	}
}

// enter takes a place at the end of the list, or, for one that was woken and
// found nothing, in front. It returns with the list locked: the place is given up
// by leave, or slept in.
func (ws *waiters[T]) enter(front bool) *waiter[T] {
	ws.mu.Lock()
	w := ws.free
	if w == nil {
		w = new(waiter[T])
	} else {
		ws.free = w.next
	}
	w.ws, w.cond.L = ws, w
	w.prev, w.next, w.waits = nil, nil, true
	switch {
	case ws.first == nil:
		ws.first, ws.last = w, w
	case front:
		w.next, ws.first.prev = ws.first, w
		ws.first = w
	default:
		w.prev, ws.last.next = ws.last, w
		ws.last = w
	}
	ws.update()
	return w
}

// lend gives ws a place to use, w, so that it need not make one.
func (ws *waiters[T]) lend(w *waiter[T]) {
	ws.mu.Lock()
	ws.release(w)
	ws.mu.Unlock()
}

// sleep sleeps in the place that enter has returned, until w is woken: then it must
// call arrive. When done, which may be nil, ends the sleep first, sleep gives up the
// place and returns false. It unlocks the list.
func (ws *waiters[T]) sleep(w *waiter[T], done <-chan struct{}) bool {
	if done == nil {
		w.cond.Wait()
		return true
	}
	channel := make(chan struct{}, 1)
	w.woken = channel
	ws.mu.Unlock()
	select {
	case <-channel:
		return true
	case <-done:
	}
	ws.mu.Lock()
	if w.waits {
		ws.leave(w)
		return false
	}
	ws.mu.Unlock() // it had been woken by then
	return true
}

// update sets wanted. The list is locked.
func (ws *waiters[T]) update() {
	ws.wanted.Store(ws.first != nil && ws.onTheWay == 0 || len(ws.listeners) > 0)
}

// leave gives up w's place, and unlocks the list.
func (ws *waiters[T]) leave(w *waiter[T]) {
	ws.remove(w)
	ws.release(w)
	ws.update()
	ws.mu.Unlock()
}

// remove takes w from the list, which is locked.
func (ws *waiters[T]) remove(w *waiter[T]) {
	if w.prev == nil {
		ws.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		ws.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.waits = false
}

// release keeps w for reuse. The list is locked.
func (ws *waiters[T]) release(w *waiter[T]) {
	clear(w.hold[:])
	w.woken, w.batch = nil, false
	w.next, ws.free = ws.free, w
}

// wake serves the first and wakes it, if nobody is on the way. Serve gives it a value
// or puts its own, and reports whether it could. Wake reports whether it has woken
// anybody.
func (ws *waiters[T]) wake(serve func(v *T) bool) bool {
	if ws.looking.Load() > 0 && !ws.listened.Load() {
		return false
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.tell()
	w := ws.first
	if w == nil || ws.onTheWay > 0 {
		return false
	}
	state := int32(woken)
	if !w.batch {
		if !serve(&w.hold[0]) {
			return false
		}
		state = served
	}
	ws.rouse(w, state)
	ws.update()
	return true
}

// tell gives each listener a token, unless it has one. The list is locked.
func (ws *waiters[T]) tell() {
	for _, l := range ws.listeners {
		select {
		case l <- struct{}{}:
		default:
		}
	}
}

// listen gives l a token whenever somebody would be woken, until unlisten.
func (ws *waiters[T]) listen(l chan<- struct{}) {
	ws.mu.Lock()
	ws.listeners = append(ws.listeners, l)
	ws.listened.Store(true)
	ws.update()
	ws.mu.Unlock()
}

func (ws *waiters[T]) unlisten(l chan<- struct{}) {
	ws.mu.Lock()
	ws.listeners = slices.DeleteFunc(ws.listeners, func(other chan<- struct{}) bool { return other == l })
	ws.listened.Store(len(ws.listeners) > 0)
	ws.update()
	ws.mu.Unlock()
}

// rouse wakes w. The list is locked.
func (ws *waiters[T]) rouse(w *waiter[T], state int32) {
	ws.remove(w)
	channel := w.woken
	w.state.Store(state)
	ws.onTheWay++
	if channel != nil {
		channel <- struct{}{} // has room
	} else {
		w.cond.Signal()
	}
}

// wakeAll wakes all that wait.
func (ws *waiters[T]) wakeAll() {
	ws.mu.Lock()
	ws.tell()
	for ws.first != nil {
		ws.rouse(ws.first, woken)
	}
	ws.update()
	ws.mu.Unlock()
}

// arrived says that w, which was woken, has looked.
func (ws *waiters[T]) arrived(w *waiter[T]) {
	ws.mu.Lock()
	ws.onTheWay--
	ws.release(w)
	ws.update()
	ws.mu.Unlock()
}
