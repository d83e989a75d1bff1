package nbrun

import (
	"context"
	"errors"
	"sync"
	"time"
)

// allowance is the time that a cell may take. What the runner does for it, such as
// building, does not count, but may not take for ever either.
type allowance struct {
	mu     sync.Mutex
	left   time.Duration
	since  time.Time // when the cell was last let go on; zero while it is held up
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// buildAtMost is how long building may take before a cell can run, together with the
// cells that are built with it.
const buildAtMost = startAtMost

// The reasons why a cell is stopped.
var (
	errRanTooLong   = errors.New("ran longer than allowed")
	errBuiltTooLong = errors.New("took longer to build than allowed")
	errMemory       = errors.New("used more memory than allowed")
)

// allow returns a context that ends when the cell's time is over.
func allow(ctx context.Context, d time.Duration) (context.Context, *allowance) {
	ctx, cancel := context.WithCancelCause(ctx)
	a := &allowance{left: d, since: time.Now(), cancel: cancel}
	a.timer = time.AfterFunc(d, a.over)
	return ctx, a
}

func (a *allowance) over() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() {
		a.cancel(errBuiltTooLong)
	} else {
		a.cancel(errRanTooLong)
	}
}

// hold stops the cell's time, or lets it go on.
func (a *allowance) hold(still bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if still == a.since.IsZero() || !a.timer.Stop() {
		return
	}
	if still {
		a.left -= time.Since(a.since)
		a.since = time.Time{}
		a.timer.Reset(max(buildAtMost, a.left))
	} else {
		a.since = time.Now()
		a.timer.Reset(max(0, a.left))
	}
}

// held reports whether the cell's time is stopped.
func (a *allowance) held() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.since.IsZero()
}

// stop ends the context, if it has not ended.
func (a *allowance) stop() {
	a.timer.Stop()
	a.cancel(nil)
}
