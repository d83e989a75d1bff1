package prodcons_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// full is what each kind of queue has.
type full[T any] interface {
	prodcons.Queue[T]
	TryPut(v T) error
	TryGet() (T, error)
	PutBatch(ctx context.Context, values []T) (int, error)
	GetBatch(ctx context.Context, buffer []T) (int, error)
	All(ctx context.Context) iter.Seq[T]
}

// kinds makes a queue of each kind, by name; bound is its bound, or 0.
func kinds[T any]() map[string]struct {
	make  func() full[T]
	bound int
} {
	type kind = struct {
		make  func() full[T]
		bound int
	}
	return map[string]kind{
		"slice":         {func() full[T] { return new(prodcons.Slice[T]) }, 0},
		"polling":       {func() full[T] { return prodcons.NewPolling[T](time.Millisecond) }, 0},
		"channel":       {func() full[T] { return prodcons.NewChannel[T](7) }, 7},
		"buffer":        {func() full[T] { return prodcons.NewBuffer[T](7, prodcons.WaitWhenFull) }, 7},
		"buffer of one": {func() full[T] { return prodcons.NewBuffer[T](1, prodcons.WaitWhenFull) }, 1},
		"no bound":      {func() full[T] { return new(prodcons.Buffer[T]) }, 0},
	}
}

func TestEachKindTriesAndBatchesAndRanges(t *testing.T) {
	for name, kind := range kinds[int]() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, q := t.Context(), kind.make()
				if _, err := q.TryGet(); err != prodcons.ErrEmpty {
					t.Errorf("TryGet from empty: %v", err)
				}
				if n, err := q.PutBatch(ctx, nil); n != 0 || err != nil {
					t.Errorf("PutBatch of nothing: %d, %v", n, err)
				}
				if n, err := q.GetBatch(ctx, nil); n != 0 || err != nil {
					t.Errorf("GetBatch into nothing: %d, %v", n, err)
				}
				for i := range kind.bound {
					if err := q.TryPut(i); err != nil {
						t.Errorf("TryPut %d: %v", i, err)
					}
				}
				if err := q.TryPut(99); kind.bound > 0 && err != prodcons.ErrFull {
					t.Errorf("TryPut into full: %v", err)
				} else if kind.bound == 0 && err != nil {
					t.Errorf("TryPut: %v", err)
				}
				want := q.Len()
				buffer := make([]int, 100)
				if n, err := q.GetBatch(ctx, buffer); n != want || err != nil {
					t.Errorf("GetBatch: %d, %v, want %d", n, err, want)
				}
				if kind.bound > 0 && !slices.IsSorted(buffer[:want]) {
					t.Errorf("GetBatch: %v", buffer[:want])
				}

				// More than there is room for: the batch waits for the consumer.
				numbers := make([]int, 1000)
				for i := range numbers {
					numbers[i] = i
				}
				var producer sync.WaitGroup
				defer producer.Wait()
				producer.Go(func() {
					if n, err := q.PutBatch(ctx, numbers); n != 1000 || err != nil {
						t.Errorf("PutBatch: %d, %v", n, err)
					}
					q.Close()
					if err := q.TryPut(1); err != prodcons.ErrClosed {
						t.Errorf("TryPut after Close: %v", err)
					}
					if n, err := q.PutBatch(ctx, numbers); n != 0 || err != prodcons.ErrClosed {
						t.Errorf("PutBatch after Close: %d, %v", n, err)
					}
				})
				if name == "slice" {
					synctest.Wait() // it does not wait by itself
				}
				var got []int
				for v := range q.All(ctx) {
					if got = append(got, v); len(got) == 10 {
						break
					}
				}
				got = append(got, slices.Collect(q.All(ctx))...)
				if !slices.Equal(got, numbers) {
					t.Errorf("All yields %v", got)
				}
				if _, err := q.TryGet(); err != prodcons.ErrClosed {
					t.Errorf("TryGet from closed and empty: %v", err)
				}
				if n, err := q.GetBatch(ctx, buffer); n != 0 || err != prodcons.ErrClosed {
					t.Errorf("GetBatch from closed and empty: %d, %v", n, err)
				}
			})
		})
	}
}

func TestBatchesEndWithTheirContext(t *testing.T) {
	for name, kind := range kinds[int]() {
		if name == "slice" {
			continue // does not wait
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := kind.make()
				for _, q := range []full[int]{q, kind.make()} {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					if n, err := q.GetBatch(ctx, make([]int, 3)); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("GetBatch: %d, %v", n, err)
					}
					cancel()
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				n, err := q.PutBatch(ctx, make([]int, 50))
				if kind.bound == 0 && (n != 50 || err != nil) || kind.bound > 0 && (n != kind.bound || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("PutBatch: %d, %v", n, err)
				}
				more, enough := context.WithCancel(t.Context())
				defer enough()
				for range q.All(more) {
					enough() // ends the loop after its first value
				}
				if want := n - 1; q.Len() != want {
					t.Errorf("%d left, want %d", q.Len(), want)
				}
			})
		})
	}
}

// A slow consumer keeps nothing from an idle one: no item waits while somebody waits
// for items.
func TestQueuesAreWorkConserving(t *testing.T) {
	for name, kind := range kinds[time.Time]() {
		if name == "slice" || name == "polling" {
			continue // their consumers don't wait, but look
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := kind.make()
				var consumers sync.WaitGroup
				for i, pace := range []time.Duration{time.Hour, time.Minute, time.Second, time.Millisecond} {
					consumers.Go(func() {
						for created := range q.All(t.Context()) {
							if waited := time.Since(created); waited > 0 {
								t.Errorf("an item waited %v for consumer %d", waited, i)
							}
							time.Sleep(pace)
						}
					})
				}
				for range 1000 {
					time.Sleep(2 * time.Millisecond) // the fastest is idle by now
					if err := q.Put(t.Context(), time.Now()); err != nil {
						t.Error(err)
					}
				}
				q.Close()
				consumers.Wait()
			})
		})
	}
}

// Three items at once, three that wait: none waits for another's work.
func TestAllThatWaitAreWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, batch := range []bool{false, true} {
			q := new(prodcons.Buffer[int])
			var busy sync.WaitGroup
			defer busy.Wait()
			for range 3 {
				busy.Go(func() {
					if _, err := q.Get(t.Context()); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Hour)
				})
			}
			synctest.Wait()
			if batch {
				_, _ = q.PutBatch(t.Context(), []int{1, 2, 3})
			} else {
				for i := range 3 {
					_ = q.Put(t.Context(), i)
				}
			}
			synctest.Wait()
			if n := q.Len(); n != 0 {
				t.Errorf("batch %v: %d items lie there, and consumers sleep", batch, n)
			}
		}
	})
}

func TestWhoWaitsLongestIsServedFirst(t *testing.T) {
	for _, name := range []string{"channel", "buffer", "no bound"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := kinds[int]()[name].make()
				var order []int
				for i := range 5 {
					go func() {
						_, _ = q.Get(t.Context())
						order = append(order, i) // one at a time, as items come
					}()
					synctest.Wait()
				}
				for i := range 5 {
					_ = q.Put(t.Context(), i)
					synctest.Wait()
				}
				if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
					t.Errorf("served in the order %v", order)
				}
			})
		})
	}
}

func TestAFullBufferDoesWhatItIsTold(t *testing.T) {
	ctx := t.Context()
	for full, want := range map[prodcons.WhenFull][]int{
		prodcons.DropNewest:   {0, 1, 2},
		prodcons.DropOldest:   {7, 8, 9},
		prodcons.FailWhenFull: {0, 1, 2},
	} {
		for _, way := range []string{"Put", "TryPut", "PutBatch"} {
			q := prodcons.NewBuffer[int](3, full)
			var failed int
			for i := range 10 {
				var err error
				switch way {
				case "Put":
					err = q.Put(ctx, i)
				case "TryPut":
					err = q.TryPut(i)
				case "PutBatch":
					_, err = q.PutBatch(ctx, []int{i})
				}
				if err == prodcons.ErrFull {
					failed++
				} else if err != nil {
					t.Error(err)
				}
			}
			dropped := 7
			if full == prodcons.FailWhenFull {
				dropped = 0
			}
			if q.Dropped() != dropped || failed != 7-dropped {
				t.Errorf("%v, %s: dropped %d, failed %d", full, way, q.Dropped(), failed)
			}
			q.Close()
			if got := slices.Collect(q.All(ctx)); !slices.Equal(got, want) {
				t.Errorf("%v, %s: %v is left, want %v", full, way, got, want)
			}
		}
	}
	q := prodcons.NewBuffer[int](3, prodcons.DropOldest)
	if n, err := q.PutBatch(ctx, []int{0, 1, 2, 3, 4, 5, 6}); n != 7 || err != nil || q.Dropped() != 4 {
		t.Errorf("a batch: %d, %v, dropped %d", n, err, q.Dropped())
	}
	if prodcons.DropOldest.String() != "drop oldest" || prodcons.WhenFull(9).String() != "WhenFull(9)" {
		t.Error("names")
	}
}

// A bound that is too large fails at once and not in the middle of a put.
func TestABoundWithoutMemoryPanicsAtOnce(t *testing.T) {
	for _, bound := range []int{math.MaxInt, math.MaxInt/2 + 2, math.MaxInt / 8} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a buffer of %d was made", bound)
				}
			}()
			prodcons.NewBuffer[[64]byte](bound, prodcons.WaitWhenFull)
		}()
	}
}

func TestABufferWithoutBoundGivesItsMemoryBack(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	q := new(prodcons.Buffer[[64]byte])
	before := heap()
	const n = 200_000 // 12.8 MB
	for range n {
		_ = q.TryPut([64]byte{})
	}
	if full := heap(); full < before+60*n { // some other memory may have been freed
		t.Errorf("%d bytes hold %d", full-before, 64*n)
	}
	for range n {
		if _, err := q.TryGet(); err != nil {
			t.Fatal(err)
		}
	}
	if after := heap(); after > before+64<<10 {
		t.Errorf("the emptied buffer holds %d bytes", after-before)
	}
	runtime.KeepAlive(q)
}

// What has been got can be collected: the buffer does not hold on to it.
func TestABufferForgetsWhatWasGot(t *testing.T) {
	for _, bound := range []int{0, 4} {
		q := prodcons.NewBuffer[*[]byte](bound, prodcons.DropOldest)
		gone := make(chan bool, 8)
		for range 4 {
			v := new([]byte)
			runtime.AddCleanup(v, func(struct{}) { gone <- true }, struct{}{})
			_ = q.TryPut(v)
		}
		if bound > 0 { // drops one
			_ = q.TryPut(nil)
		}
		_, _ = q.TryGet()
		_, _ = q.GetBatch(t.Context(), make([]*[]byte, 2))
		for i := range 3 {
			runtime.GC()
			select {
			case <-gone:
			case <-time.After(10 * time.Second):
				t.Fatalf("bound %d: only %d of 3 were collected", bound, i)
			}
		}
		runtime.KeepAlive(q)
	}
}

func TestNoAllocationPerItem(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, bound := range []int{0, 16} {
		q := prodcons.NewBuffer[int](bound, prodcons.WaitWhenFull)
		batch := make([]int, 16)
		if n := testing.AllocsPerRun(1000, func() {
			_ = q.Put(ctx, 1)
			_, _ = q.Get(ctx)
			_, _ = q.PutBatch(ctx, batch)
			_, _ = q.GetBatch(ctx, batch)
		}); n != 0 {
			t.Errorf("bound %d: %v allocations", bound, n)
		}
	}
	// Neither when they wait for one another, with nothing to end their wait.
	q := prodcons.NewBuffer[int](1, prodcons.WaitWhenFull)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range q.All(context.Background()) {
		}
	})
	if n := testing.AllocsPerRun(1000, func() { _ = q.Put(context.Background(), 1) }); n != 0 {
		t.Errorf("waiting: %v allocations", n)
	}
	q.Close()
	wg.Wait()
}

// Nobody starves: each of many that put and get all the time has its turn again and
// again.
func TestNobodyStarves(t *testing.T) {
	q := prodcons.NewBuffer[int](8, prodcons.WaitWhenFull)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const each = 200
	var puts, gets [6]atomic.Int64
	var wg sync.WaitGroup
	enough := func() bool {
		for i := range puts {
			if puts[i].Load() < each || gets[i].Load() < each {
				return false
			}
		}
		return true
	}
	for i := range puts {
		wg.Go(func() {
			for !enough() && q.Put(ctx, i) == nil {
				puts[i].Add(1)
			}
			q.Close()
		})
		wg.Go(func() {
			for range q.All(ctx) {
				gets[i].Add(1)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		t.Errorf("after a minute: puts %v, gets %v", &puts, &gets)
	}
}
