package prodcons

import (
	"slices"
	"sync"
	"sync/atomic"
)

// waiters are the goroutines that sleep until there is something for them, in
// the order in which they came.
//
// One is woken at a time. Until it has looked, no other is, for which there
// would often be nothing left by then; when it has looked, it wakes the next if
// there is more. Go's scheduler wakes its own threads so.
type waiters struct {
	wanted  atomic.Bool  // somebody waits and nobody is on the way
	looking atomic.Int32 // the number of those that have not gone to sleep yet

	listened atomic.Bool // there are listeners

	mu          sync.Mutex
	first, last *waiter
	onTheWay    int // woken, but have not yet looked
	free        *waiter
	listeners   []chan<- struct{}
}

// waiter is a place to sleep. It is used again, by any goroutine: its condition
// belongs to no bubble of testing/synctest, as a channel would. So a channel, which
// a sleep needs that a context can end, is made for that sleep.
type waiter struct {
	ws         *waiters
	cond       sync.Cond
	woken      chan struct{} // nil: cond is signalled instead
	prev, next *waiter
	waits      bool // is in the list
}

// Unlock and Lock make a waiter the lock of its own condition. It gives up the
// list's lock when it sleeps, and does not need it when it wakes.
func (w *waiter) Unlock() { w.ws.mu.Unlock() }
func (w *waiter) Lock()   {}

// enter takes a place at the end of the list, or, for one that was woken and
// found nothing, in front. It returns with the list locked: the place is given up
// by leave, or slept in.
func (ws *waiters) enter(front bool) *waiter {
	ws.mu.Lock()
	if ws.free == nil {
		ws.own(new(waiter))
	}
	w := ws.free
	ws.free = w.next
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
func (ws *waiters) lend(w *waiter) {
	ws.mu.Lock()
	ws.own(w)
	ws.mu.Unlock()
}

func (ws *waiters) own(w *waiter) {
	w.ws, w.cond.L = ws, w
	ws.release(w)
}

// sleep sleeps in the place that enter has returned, until w is woken: then it
// must arrive. When done, which may be nil, ends the sleep before, it gives up
// the place and returns false.
func (ws *waiters) sleep(w *waiter, done <-chan struct{}) bool {
	if done == nil {
		w.cond.Wait()
		return true
	}
	woken := make(chan struct{}, 1)
	w.woken = woken
	ws.mu.Unlock()
	select {
	case <-woken:
		return true
	case <-done:
	}
	ws.mu.Lock()
	if w.waits {
		ws.leave(w)
	} else { // it had been woken by then
		ws.mu.Unlock()
		ws.arrived(w)
	}
	return false
}

// update sets wanted. The list is locked.
func (ws *waiters) update() {
	ws.wanted.Store(ws.first != nil && ws.onTheWay == 0 || len(ws.listeners) > 0)
}

// leave gives up w's place, and unlocks the list.
func (ws *waiters) leave(w *waiter) {
	ws.remove(w)
	ws.release(w)
	ws.update()
	ws.mu.Unlock()
}

// remove takes w from the list, which is locked.
func (ws *waiters) remove(w *waiter) {
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

// release keeps w for use again. The list is locked.
func (ws *waiters) release(w *waiter) { w.woken, w.next, ws.free = nil, ws.free, w }

// wake wakes the first, if nobody is on the way.
func (ws *waiters) wake() {
	if ws.looking.Load() > 0 && !ws.listened.Load() {
		return
	}
	ws.mu.Lock()
	ws.tell()
	if w := ws.first; w != nil && ws.onTheWay == 0 {
		ws.rouse(w)
		ws.update()
	}
	ws.mu.Unlock()
}

// tell gives each listener a token, if it has none. The list is locked.
func (ws *waiters) tell() {
	for _, l := range ws.listeners {
		select {
		case l <- struct{}{}:
		default:
		}
	}
}

// listen gives l a token each time when somebody would be woken, until unlisten.
func (ws *waiters) listen(l chan<- struct{}) {
	ws.mu.Lock()
	ws.listeners = append(ws.listeners, l)
	ws.listened.Store(true)
	ws.update()
	ws.mu.Unlock()
}

func (ws *waiters) unlisten(l chan<- struct{}) {
	ws.mu.Lock()
	ws.listeners = slices.DeleteFunc(ws.listeners, func(other chan<- struct{}) bool { return other == l })
	ws.listened.Store(len(ws.listeners) > 0)
	ws.update()
	ws.mu.Unlock()
}

// rouse wakes w. The list is locked.
func (ws *waiters) rouse(w *waiter) {
	ws.remove(w)
	ws.onTheWay++
	if w.woken != nil {
		w.woken <- struct{}{} // has room
	} else {
		w.cond.Signal()
	}
}

// wakeAll wakes all that wait.
func (ws *waiters) wakeAll() {
	ws.mu.Lock()
	ws.tell()
	for ws.first != nil {
		ws.rouse(ws.first)
	}
	ws.update()
	ws.mu.Unlock()
}

// arrived says that w, which was woken, has looked.
func (ws *waiters) arrived(w *waiter) {
	ws.mu.Lock()
	ws.onTheWay--
	ws.release(w)
	ws.update()
	ws.mu.Unlock()
}
