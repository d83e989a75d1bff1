package prodcons

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry says how often, and after how long, to try again what has failed. The zero
// value tries three times, and waits about 0.1 s before the second and 0.2 s before the
// third.
type Retry struct {
	Attempts int           // at most; 0 counts as 3, and below 0 there is no limit
	Wait     time.Duration // before the second attempt; then twice as long each time; 0 counts as 0.1 s
	MaxWait  time.Duration // the longest wait; 0 counts as 10 s
}

// Do calls f until it succeeds. It gives up after that many attempts, when f fails with
// an error that is [Permanent], or when ctx ends. It then returns f's last error,
// wrapped with the number of attempts, and with ctx's cause if that was the reason. In
// Consume it is used so:
//
//	return retry.Do(ctx, func(ctx context.Context) error { return send(ctx, value) })
//
// A wait is drawn at random from the upper half of its length, so that many callers
// that fail at the same time don't come back at the same time. The consumer stays busy
// meanwhile.
func (r Retry) Do(ctx context.Context, f func(ctx context.Context) error) error {
	for attempt := 1; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := f(ctx)
		if err == nil {
			return nil
		}
		var permanent permanentError
		if errors.As(err, &permanent) {
			return permanent.error
		}
		if told(err, ctx) {
			return err
		}
		wait, again := r.Again(attempt, err)
		if !again {
			return fmt.Errorf("after %d attempts: %w", attempt, err)
		}
		if pause(ctx, wait-rand.N(wait/2+1)) != nil {
			return fmt.Errorf("%w, after %d attempts: %w", context.Cause(ctx), attempt, err)
		}
	}
}

// Again reports whether to try again after that many attempts, the last of which has
// failed with err, and how long to wait first. It is for callers that can't wait in
// [Retry.Do], such as a queue that lends its values.
func (r Retry) Again(attempts int, err error) (wait time.Duration, again bool) {
	var permanent permanentError
	most := cmp.Or(r.Attempts, 3)
	if most > 0 && attempts >= most || errors.As(err, &permanent) {
		return 0, false
	}
	if wait = r.Wait; wait <= 0 {
		wait = 100 * time.Millisecond
	}
	longest := r.MaxWait
	if longest <= 0 {
		longest = 10 * time.Second
	}
	for ; attempts > 1 && wait < longest; attempts-- {
		wait += min(wait, longest-wait)
	}
	return min(wait, longest), true
}

// pause waits for d. It fails with ctx's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Permanent marks err as one after which [Retry] does not try again, nor does a queue
// that retries lent values; [Retry.Do] returns err itself.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }
