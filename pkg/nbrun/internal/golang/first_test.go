package golang

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestOthersWaitForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f first
		begin := time.Now()
		done, err := f.wait(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		for kind, want := range map[string]time.Duration{"a": time.Minute, "b": 0} {
			go func() {
				done, err := f.wait(t.Context(), kind)
				if waited := time.Since(begin); err != nil || waited != want {
					t.Errorf("%s waits for %v and has error %v, want %v and none", kind, waited, err, want)
				}
				done()
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := f.wait(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the end of its context: %v", err)
		}
		time.Sleep(time.Minute - time.Since(begin))
		done()
		synctest.Wait()
		if _, err := f.wait(t.Context(), "a"); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("the last waits until %v, %v", time.Since(begin), err)
		}
	})
}
