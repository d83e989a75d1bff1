package prodcons

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
)

// What becomes of a group's values, and of its errors.

// Errors returns the errors of all producers and consumers that have failed, in the
// order in which they failed, each an [*Error]; only the first 1000 are kept. Errors
// that only say that the group was stopped are not among them.
func (g *Group[T]) Errors() []error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.errs)
}

// Left returns what was put and not used, once Run has returned or panicked: first what
// consumers were holding when the group was stopped, in no particular order, and then
// what was queued, oldest first. What is left in a [Lender] stays there.
func (g *Group[T]) Left() []T {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.left)
}

// Failed returns the values whose Consume has failed, each with its error, in the order
// in which they failed. A [Lender] has been told of each failure, and may lend such a
// value again.
func (g *Group[T]) Failed() []Failure[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.failed)
}

// fail notes that a worker has failed, and stops the group. The group is locked.
func (g *Group[T]) fail(role string, number int, err error) error {
	if ended := g.parent.Err(); ended != nil && g.cause == nil {
		g.stop(context.Cause(g.parent), g.Drain) // before watch does
	}
	err = &Error{Role: role, Number: number, Err: err}
	if len(g.errs) < maxErrors {
		g.errs = append(g.errs, err)
	}
	g.stop(err, g.Drain)
	return err
}

// told reports whether err is only what ctx, once it has ended, tells everybody who
// asks.
func told(err error, ctx context.Context) bool {
	ended := ctx.Err()
	return ended != nil && (errors.Is(err, ended) || errors.Is(err, context.Cause(ctx)))
}

// settle notes what has become of a consumer's value: err is what Consume has
// returned.
func (g *Group[T]) settle(c *consumer[T], h *hand[T], err error) {
	kind := ItemUsed
	if err != nil {
		kind, err = g.unused(c, h, err)
	}
	g.settled(c, h, kind, err)
}

// settled tells everybody concerned that a value was used, or why it was not.
func (g *Group[T]) settled(c *consumer[T], h *hand[T], kind EventKind, err error) {
	h.held = false
	if h.settle != nil {
		if err := h.settle(err); err != nil {
			g.mu.Lock()
			_ = g.fail(roleConsumer, c.number, &SettleError{err})
			g.mu.Unlock()
		}
	}
	if g.Observe != nil {
		g.Observe(h.event(kind, g.now(), c.number))
	}
}

// unused keeps a value that was not used, because of err.
func (g *Group[T]) unused(c *consumer[T], h *hand[T], err error) (EventKind, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if told(err, g.using) {
		c.returned.Add(1)
		if h.settle == nil {
			g.left = append(g.left, h.value)
		}
		return ItemLeft, err
	}
	err = g.fail(roleConsumer, c.number, err)
	c.failed.Add(1)
	g.failed = append(g.failed, Failure[T]{h.value, err})
	return ItemFailed, err
}

// breaks notes that a consumer has panicked, or called runtime.Goexit.
func (g *Group[T]) breaks(c *consumer[T], h *hand[T], panicked any) {
	g.mu.Lock()
	err := g.broken(roleConsumer, c.number, panicked)
	held := h.held
	if held {
		c.failed.Add(1)
		g.failed = append(g.failed, Failure[T]{h.value, err})
	}
	g.mu.Unlock()
	if held {
		g.settled(c, h, ItemFailed, err)
	}
}

// broken notes that a worker has panicked, or called runtime.Goexit, and stops the
// group, which is locked.
func (g *Group[T]) broken(role string, number int, panicked any) error {
	if panicked == nil {
		return g.fail(role, number, ErrGoexit)
	}
	p := &Panic{Role: role, Number: number, Value: panicked, Stack: debug.Stack()}
	if g.panicked == nil {
		g.panicked = p
	}
	g.stop(p, 0)
	return p
}

// giveBack returns a value that a consumer got too late to use.
func (g *Group[T]) giveBack(c *consumer[T], h *hand[T]) {
	h.held = false
	if h.settle == nil {
		g.leave(h)
		return
	}
	g.settled(c, h, ItemLeft, context.Cause(g.using))
}

// leaveQueued gets what is left in the queue, unless it belongs to others.
func (g *Group[T]) leaveQueued() {
	if g.lender != nil || g.Produce == nil {
		return
	}
	g.closeQueue()
	for {
		var h hand[T]
		var err error
		if g.Queue != nil {
			h.value, err = g.Queue.Get(context.Background())
		} else {
			err = g.own.tryGet(&h.entry)
		}
		if err != nil { // closed and empty
			return
		}
		g.leave(&h)
	}
}

// leave keeps a value that nobody has begun to use.
func (g *Group[T]) leave(h *hand[T]) {
	g.mu.Lock()
	g.left = append(g.left, h.value)
	g.mu.Unlock()
	if g.Observe != nil {
		h.await()
		g.Observe(h.event(ItemLeft, g.now(), 0))
	}
}

// dropped is called by the group's own queue with each value that it drops.
func (g *Group[T]) dropped(e entry[T]) {
	if g.OnDrop != nil {
		g.OnDrop(e.value)
	}
	if g.Observe == nil {
		return
	}
	if g.Full == DropNewest { // it has just been put, and nobody knows yet that it was made
		g.producers[e.label.producer-1].dropped = true
		return
	}
	h := hand[T]{entry: e}
	h.await()
	g.Observe(h.event(ItemDropped, g.now(), 0))
}
