package prodcons

import (
	"context"
	"sync"
	"time"
)

// Limiter limits a rate, however many goroutines ask: it lets one through per Every,
// and up to Burst at once when nobody has asked for a while. The zero value lets
// everything through. In Consume it is used so:
//
//	if err := limiter.Wait(ctx); err != nil {
//		return err
//	}
//
// The algorithm is the leaky bucket in its form without a bucket (GCRA, ITU-T I.371):
// it remembers only when the next may go.
type Limiter struct {
	Every time.Duration
	Burst int // 0 counts as 1

	mu   sync.Mutex
	next time.Time
}

// Wait waits for the caller's turn: turns are given in the order of the calls.
// When ctx ends first, it fails with ctx's error, and the turn is lost.
func (l *Limiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil || l.Every <= 0 {
		return err
	}
	wait := l.turn(time.Now())
	if wait <= 0 {
		return nil
	}
	return pause(ctx, wait)
}

// turn assigns the next turn, and returns how long it is until then.
func (l *Limiter) turn(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if earliest := now.Add(-time.Duration(max(l.Burst, 1)-1) * l.Every); l.next.Before(earliest) {
		l.next = earliest
	}
	turn := l.next
	l.next = turn.Add(l.Every)
	return turn.Sub(now)
}
