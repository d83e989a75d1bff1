package prodcons

import (
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
	looking atomic.Int32 // so many have not gone to sleep yet

	mu          sync.Mutex
	first, last *waiter
	onTheWay    int // woken, but have not yet looked
	free        *waiter
}

type waiter struct {
	woken      chan struct{}
	prev, next *waiter
	waits      bool // is in the list
}

// enter takes a place at the end of the list, or, for one that was woken in
// vain, in front.
func (ws *waiters) enter(front bool) *waiter {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.free
	if w == nil {
		w = &waiter{woken: make(chan struct{}, 1)}
	} else {
		ws.free = w.next
	}
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

// update sets wanted. The list is locked.
func (ws *waiters) update() { ws.wanted.Store(ws.first != nil && ws.onTheWay == 0) }

// leave gives up w's place. If w had been woken, it arrives.
func (ws *waiters) leave(w *waiter) {
	ws.mu.Lock()
	if w.waits {
		ws.remove(w)
		w.next, ws.free = ws.free, w
		ws.update()
		ws.mu.Unlock()
		return
	}
	ws.mu.Unlock()
	<-w.woken
	ws.arrived(w)
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

// wake wakes the first, if nobody is on the way.
func (ws *waiters) wake() {
	if ws.looking.Load() > 0 {
		return
	}
	ws.mu.Lock()
	w := ws.first
	if w == nil || ws.onTheWay > 0 {
		ws.mu.Unlock()
		return
	}
	ws.remove(w)
	ws.onTheWay++
	ws.wanted.Store(false)
	ws.mu.Unlock()
	w.woken <- struct{}{} // has room
}

// wakeAll wakes all that wait.
func (ws *waiters) wakeAll() {
	ws.mu.Lock()
	for w := ws.first; w != nil; w = ws.first {
		ws.remove(w)
		ws.onTheWay++
		w.woken <- struct{}{}
	}
	ws.update()
	ws.mu.Unlock()
}

// arrived says that w, which was woken, has looked.
func (ws *waiters) arrived(w *waiter) {
	ws.mu.Lock()
	ws.onTheWay--
	w.next, ws.free = ws.free, w
	ws.update()
	ws.mu.Unlock()
}
