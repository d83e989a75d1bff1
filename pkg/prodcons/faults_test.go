package prodcons_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Many tests use a queue in a package's variable, some of them in a bubble.
func TestAQueueMayBeUsedInOneBubbleAndThenInAnother(t *testing.T) {
	queues := map[string]full[int]{
		"bound":    prodcons.NewBuffer[int](1, prodcons.WaitWhenFull),
		"no bound": new(prodcons.Buffer[int]),
	}
	for name, q := range queues {
		t.Run(name, func(t *testing.T) {
			use := func(t *testing.T, ctx context.Context) {
				var wg sync.WaitGroup
				wg.Go(func() {
					for i := range 3 {
						if v, err := q.Get(ctx); v != i || err != nil {
							t.Errorf("got %d, %v, want %d", v, err, i)
						}
						time.Sleep(time.Millisecond)
					}
				})
				time.Sleep(time.Millisecond)
				for i := range 3 { // with room for one, it waits in its turn
					if err := q.Put(ctx, i); err != nil {
						t.Error(err)
					}
				}
				wg.Wait()
			}
			for range 3 {
				for _, ctx := range []context.Context{context.Background(), nil} {
					in := func(t *testing.T) {
						ctx := ctx
						if ctx == nil { // one that can end
							ctx = t.Context()
						}
						use(t, ctx)
					}
					in(t)
					synctest.Test(t, in)
				}
			}
		})
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestABufferTakesNoMoreMemoryThanItsValuesNeed(t *testing.T) {
	type large [1 << 20]byte
	unbounded := new(prodcons.Buffer[large])
	var v large
	if n := allocated(func() { _ = unbounded.TryPut(v) }); n > 3<<20 {
		t.Errorf("the first value of 1 MiB takes %d KiB", n>>10)
	}
	if n := allocated(func() { prodcons.NewBuffer[large](33, prodcons.WaitWhenFull) }); n > 34<<20 {
		t.Errorf("room for 33 values of 1 MiB takes %d MiB", n>>20)
	}
	small := new(prodcons.Buffer[int64])
	if n := allocated(func() { _ = small.TryPut(1) }); n > 1<<10 {
		t.Errorf("the first value of 8 bytes takes %d bytes", n)
	}
}

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

func TestWhatAFullBufferDropsIsHandedOver(t *testing.T) {
	for full, want := range map[prodcons.WhenFull][]int{
		prodcons.DropNewest: {3, 4, 5},
		prodcons.DropOldest: {0, 1, 2},
	} {
		q := prodcons.NewBuffer[int](3, full)
		var dropped []int
		q.OnDrop(func(v int) {
			dropped = append(dropped, v)
			_ = q.Len() // it may use the buffer
		})
		for i := range 4 {
			_ = q.Put(t.Context(), i)
		}
		_, _ = q.PutBatch(t.Context(), []int{4, 5})
		if !slices.Equal(dropped, want) || q.Dropped() != len(want) {
			t.Errorf("%v: %v were handed over, want %v", full, dropped, want)
		}
	}
}
