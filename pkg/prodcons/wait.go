package prodcons

import (
	"context"
	"runtime"
)

// A goroutine that finds nothing looks away for a moment before it looks again. It
// keeps looking away while the other side makes progress, so that there is more to do
// when it looks, and it does not disturb the other side meanwhile. These numbers were
// chosen by the hand-over benchmarks: a moment is about a sixth of a microsecond.
const (
	moment  = 500 // turns of an empty loop
	moments = 6
	yields  = 3
)

// parallel says that others run while this goroutine looks away.
var parallel = runtime.GOMAXPROCS(0) > 1

// wait calls try until it returns an error other than stuck, which is ErrEmpty or
// ErrFull, and sleeps among ws until there is reason to hope; or until another
// goroutine has served it, by getting *v for it or putting *v. (In a batch v is nil,
// and nobody can.) It fails with the context's error when ctx ends first.
func (q *Buffer[T]) wait(ctx context.Context, ws *waiters[T], stuck error, v *T, try func() error) error {
	batch := v == nil
	if batch { // it will leave little to others: they need not be woken meanwhile
		ws.looking.Add(1)
	}
	err := stuck
	if ws.hopes() {
		err = q.look(stuck, batch, try)
		ws.learn(err == nil && q.more(stuck))
	}
	if batch {
		ws.looking.Add(-1)
	}
	if err != stuck {
		q.pass(ws, stuck)
		return err
	}
	beaten := false
	for {
		w := ws.enter(beaten)
		if err := ctx.Err(); err != nil { // a context without Done tells it so
			ws.leave(w)
			q.pass(ws, stuck)
			return err
		}
		if !q.stuck(stuck) { // since our look, before our entry
			ws.leave(w)
			if err := try(); err != stuck {
				q.pass(ws, stuck)
				return err
			}
			continue
		}
		if w.batch = batch; !batch && stuck == ErrFull {
			w.hold[0] = *v
		}
		if !ws.sleep(w, ctx.Done()) {
			q.pass(ws, stuck)
			return ctx.Err()
		}
		err, done := stuck, w.state.Load() == served
		if !done {
			err = try()
		} else if stuck == ErrEmpty {
			*v = w.hold[0]
		}
		ws.arrived(w)
		q.pass(ws, stuck)
		if done {
			return nil
		}
		if err != stuck {
			return err
		}
		beaten = true
	}
}

// look looks away, and then looks again a few times.
func (q *Buffer[T]) look(stuck error, batch bool, try func() error) error {
	if parallel && q.lookAway(stuck, batch) {
		if err := try(); err != stuck {
			return err
		}
	}
	for range yields {
		runtime.Gosched()
		if q.stuck(stuck) {
			continue
		}
		if err := try(); err != stuck {
			return err
		}
	}
	return stuck
}

// pass wakes the next of the waiting goroutines, if there is something for it.
func (q *Buffer[T]) pass(ws *waiters[T], stuck error) {
	if ws.wanted.Load() && !q.stuck(stuck) {
		q.wake()
	}
}

// wake serves and wakes waiting goroutines as long as there is something for them: what
// one has got makes room for another's.
func (q *Buffer[T]) wake() {
	for {
		got := q.getters.wanted.Load() && q.getters.wake(func(v *T) bool { return q.take(v, false) == nil })
		put := q.putters.wanted.Load() && q.putters.wake(func(v *T) bool { return q.append(v, false) == nil })
		if !got && !put {
			return
		}
	}
}

// lookAway lets a few moments pass, as long as the other side makes progress. It
// reports whether it made any.
func (q *Buffer[T]) lookAway(stuck error, batch bool) bool {
	other, enough, turns := &q.tail, uint64(moment), moment
	if stuck == ErrFull {
		other = &q.head
	}
	if q.bound > 0 {
		enough = uint64(q.bound+1) / 2
		if batch { // the other side may be through with it in no time
			turns = min(moment, q.bound/2)
		}
	}
	first := other.Load() / one
	last := first
	for range moments {
		for range turns {
		}
		now := other.Load() / one
		if now == last {
			break
		}
		if last = now; now-first >= enough {
			break
		}
	}
	return last != first
}

// stuck reports whether a goroutine that waits because of err must keep waiting.
func (q *Buffer[T]) stuck(err error) bool {
	h := q.head.Load() / one // before the tail, which may then only be further
	w := q.tail.Load()
	if err == ErrEmpty {
		return w/one == h && w&closed == 0
	}
	return w/one-h >= uint64(q.bound) && w&closed == 0
}

// more reports whether there is more for the goroutine that has just been served.
func (q *Buffer[T]) more(stuck error) bool {
	n := q.tail.Load()/one - q.head.Load()/one
	if stuck == ErrEmpty {
		return n > 0
	}
	return n < uint64(q.bound)
}
