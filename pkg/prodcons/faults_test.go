package prodcons_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

func TestABatchThatWasPutIsNoError(t *testing.T) {
	for name, kind := range kinds[int]() {
		t.Run(name, func(t *testing.T) {
			q := kind.make()
			ctx := endsWhen{t.Context(), func() bool { return q.Len() > 0 }}
			if n, err := q.PutBatch(ctx, []int{1}); n != 1 || err != nil {
				t.Errorf("all was put, and PutBatch returned %d, %v", n, err)
			}
			if n, err := q.PutBatch(ctx, nil); n != 0 || err != context.Canceled {
				t.Errorf("PutBatch with a context that has ended: %d, %v", n, err)
			}
		})
	}
}

// endsWhen is a context that has ended once a condition holds.
type endsWhen struct {
	context.Context
	ended func() bool
}

func (c endsWhen) Err() error {
	if c.ended() {
		return context.Canceled
	}
	return nil
}

func TestAZeroChannelIsReadyForUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q prodcons.Channel[int]
		go func() {
			if err := q.Put(t.Context(), 49); err != nil {
				t.Error(err)
			}
			q.Close()
			q.Close()
		}()
		if v, err := q.Get(t.Context()); v != 49 || err != nil {
			t.Errorf("got %d, %v", v, err)
		}
		if _, err := q.Get(t.Context()); err != prodcons.ErrClosed {
			t.Error(err)
		}
	})
	var unused prodcons.Channel[int]
	unused.Close()
	if err := unused.TryPut(1); err != prodcons.ErrClosed || unused.Len() != 0 {
		t.Error(err)
	}
}
