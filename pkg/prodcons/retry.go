package prodcons

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry is how often, and after what time, something is tried again that has
// failed. The zero value tries three times, and waits some 0.1 s before the second
// and 0.2 s before the third.
type Retry struct {
	Attempts int           // at most; 0 counts as 3, and below 0 there is no limit
	Wait     time.Duration // before the second attempt; then twice as long each time; 0 counts as 0.1 s
	MaxWait  time.Duration // the longest wait; 0 counts as 10 s
}

// Do calls f until it succeeds. It gives up after that many attempts, or when f has
// failed with an error that is [Permanent], or ctx has ended; and returns f's last
// error, wrapped with the number of attempts, and with ctx's cause if that was the
// reason. In Consume it is
//
//	return retry.Do(ctx, func(ctx context.Context) error { return send(ctx, value) })
//
// A wait is drawn by chance from the upper half of its length, so that many who
// fail at the same time don't come back at the same time. It occupies its consumer.
func (r Retry) Do(ctx context.Context, f func(ctx context.Context) error) error {
	if r.Attempts == 0 {
		r.Attempts = 3
	}
	if r.Wait <= 0 {
		r.Wait = 100 * time.Millisecond
	}
	if r.MaxWait <= 0 {
		r.MaxWait = 10 * time.Second
	}
	wait := min(r.Wait, r.MaxWait)
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
		if attempt == r.Attempts {
			return fmt.Errorf("after %d attempts: %w", attempt, err)
		}
		timer := time.NewTimer(wait - rand.N(wait/2+1))
		wait = min(2*wait, r.MaxWait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w, after %d attempts: %w", context.Cause(ctx), attempt, err)
		}
	}
}

// Permanent returns an error that [Retry] does not try again; it returns err
// itself.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }
