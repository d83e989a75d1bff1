package nbrun

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The time that a cell is held up does not count, up to a limit of its own.
func TestBuildingDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, a := allow(t.Context(), time.Minute)
		defer a.stop()
		time.Sleep(50 * time.Second)
		a.hold(true)
		a.hold(true)
		time.Sleep(5 * time.Minute)
		a.hold(false)
		<-ctx.Done()
		if took := time.Since(start); took != 6*time.Minute || context.Cause(ctx) != errRanTooLong {
			t.Errorf("it ended after %v, as it %v", took, context.Cause(ctx))
		}

		start = time.Now()
		ctx, a = allow(t.Context(), time.Second)
		defer a.stop()
		a.hold(true)
		<-ctx.Done()
		if took := time.Since(start); took != buildAtMost || context.Cause(ctx) != errBuiltTooLong {
			t.Errorf("it ended after %v, as it %v", took, context.Cause(ctx))
		}

		ctx, a = allow(t.Context(), NoLimit)
		a.hold(true)
		a.hold(false)
		time.Sleep(1000 * time.Hour)
		if ctx.Err() != nil {
			t.Error("it ended without a limit")
		}
		a.stop()
	})
}
