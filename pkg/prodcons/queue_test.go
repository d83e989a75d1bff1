package prodcons_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("runtime.handleEvent")) // js/wasm's own
}

type (
	intItem  = prodcons.Item[int]
	intQueue = prodcons.Queue[intItem]
)

// queues are all kinds, by name.
var queues = map[string]func() intQueue{
	"slice":              func() intQueue { return new(prodcons.Slice[intItem]) },
	"polling":            func() intQueue { return prodcons.NewPolling[intItem](time.Millisecond) },
	"channel":            func() intQueue { return prodcons.NewChannel[intItem](64) },
	"channel, no buffer": func() intQueue { return prodcons.NewChannel[intItem](0) },
	"buffer":             func() intQueue { return prodcons.NewBuffer[intItem](64, prodcons.WaitWhenFull) },
	"buffer of 1":        func() intQueue { return prodcons.NewBuffer[intItem](1, prodcons.WaitWhenFull) },
	"buffer, no bound":   func() intQueue { return new(prodcons.Buffer[intItem]) },
}

// forEach runs a test on each kind of queue, in a bubble with a clock of its own.
func forEach(t *testing.T, test func(t *testing.T, q intQueue)) {
	for name, make := range queues {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, make()) })
		})
	}
}

func item(producer, value int) intItem {
	return intItem{Origin: prodcons.Origin{Producer: producer, Number: value}, Value: value}
}

// get gets an item, asking again where the queue does not wait.
func get(ctx context.Context, q intQueue) (intItem, error) {
	for {
		it, err := q.Get(ctx)
		if !errors.Is(err, prodcons.ErrEmpty) {
			return it, err
		}
		time.Sleep(time.Millisecond)
	}
}

func TestItemsComeOutInTheOrderOfEachProducerAndEachOnce(t *testing.T) {
	forEach(t, func(t *testing.T, q intQueue) {
		const producers, consumers, each = 3, 4, 200
		ctx := t.Context()
		var makers, users sync.WaitGroup
		for p := 1; p <= producers; p++ {
			makers.Go(func() {
				for i := 1; i <= each; i++ {
					if err := q.Put(ctx, item(p, i)); err != nil {
						t.Errorf("put: %v", err)
					}
				}
			})
		}
		var mu sync.Mutex
		seen := map[prodcons.Origin]int{}
		for range consumers {
			users.Go(func() {
				last := map[int]int{}
				for {
					it, err := get(ctx, q)
					if errors.Is(err, prodcons.ErrClosed) {
						return
					}
					if err != nil {
						t.Errorf("get: %v", err)
						return
					}
					if it.Number <= last[it.Producer] {
						t.Errorf("producer %d: item %d after %d", it.Producer, it.Number, last[it.Producer])
					}
					last[it.Producer] = it.Number
					mu.Lock()
					seen[it.Origin]++
					mu.Unlock()
				}
			})
		}
		makers.Wait()
		q.Close()
		users.Wait()
		if len(seen) != producers*each {
			t.Errorf("%d items came out, want %d", len(seen), producers*each)
		}
		for o, n := range seen {
			if n != 1 {
				t.Errorf("%+v came out %d times", o, n)
			}
		}
	})
}

func TestWhatWasPutBeforeCloseCanBeGot(t *testing.T) {
	forEach(t, func(t *testing.T, q intQueue) {
		ctx := t.Context()
		soon, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := q.Put(soon, item(1, 1)); errors.Is(err, context.DeadlineExceeded) {
			t.Skip("a queue without room holds nothing at Close")
		} else if err != nil {
			t.Fatal(err)
		}
		q.Close()
		q.Close() // twice is allowed
		if err := q.Put(ctx, item(1, 2)); !errors.Is(err, prodcons.ErrClosed) {
			t.Errorf("put after close: %v, want ErrClosed", err)
		}
		if it, err := q.Get(ctx); err != nil || it.Value != 1 {
			t.Errorf("get after close: %v, %v, want 1", it.Value, err)
		}
		if _, err := q.Get(ctx); !errors.Is(err, prodcons.ErrClosed) {
			t.Errorf("get from closed and empty: %v, want ErrClosed", err)
		}
	})
}

func TestGetEndsWithItsContext(t *testing.T) {
	forEach(t, func(t *testing.T, q intQueue) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := get(ctx, q)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the context's error", err)
		}
		if waited := time.Since(start); waited < time.Second || waited > 1100*time.Millisecond {
			t.Errorf("after %v, want 1 s", waited)
		}
		if err := q.Put(ctx, item(1, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("put with an ended context: %v", err)
		}
		if q.Len() != 0 {
			t.Errorf("%d items in the queue, want 0", q.Len())
		}
	})
}

func TestSliceDoesNotWait(t *testing.T) {
	var q prodcons.Slice[intItem] // the zero value is ready
	if _, err := q.Get(t.Context()); !errors.Is(err, prodcons.ErrEmpty) {
		t.Errorf("get from empty: %v, want ErrEmpty", err)
	}
}

func TestPollingPicksUpAtTheNextLookAndCountsThoseInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := prodcons.NewPolling[intItem](100 * time.Millisecond)
		start := time.Now()
		go func() {
			time.Sleep(250 * time.Millisecond)
			_ = q.Put(t.Context(), item(1, 1))
		}()
		if _, err := q.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at := time.Since(start); at != 300*time.Millisecond {
			t.Errorf("picked up after %v, want 300 ms", at)
		}
		if q.EmptyPolls() != 3 {
			t.Errorf("%d empty polls, want 3", q.EmptyPolls())
		}
	})
}

func TestChannelPicksUpAtOnceAndPutWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := prodcons.NewChannel[intItem](1)
		start := time.Now()
		go func() {
			time.Sleep(250 * time.Millisecond)
			_ = q.Put(t.Context(), item(1, 1))
		}()
		if _, err := q.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at := time.Since(start); at != 250*time.Millisecond {
			t.Errorf("picked up after %v, want 250 ms", at)
		}
		_ = q.Put(t.Context(), item(1, 2))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.Put(ctx, item(1, 3)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("put into a full channel: %v, want to wait for the context's end", err)
		}
		if q.Len() != 1 {
			t.Errorf("%d in the channel, want 1", q.Len())
		}
	})
}

func TestCloseReleasesPutsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := prodcons.NewChannel[intItem](0)
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				if err := q.Put(t.Context(), item(1, i)); !errors.Is(err, prodcons.ErrClosed) {
					t.Errorf("put: %v, want ErrClosed", err)
				}
			})
		}
		synctest.Wait()
		q.Close()
		wg.Wait()
	})
}

// Puts and a close at the same time: every Put that succeeded has its item got.
func TestNothingIsLostWhenCloseComesBetween(t *testing.T) {
	for range 200 {
		q := prodcons.NewChannel[intItem](2)
		var puts, gets int64
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range 4 {
			wg.Go(func() {
				for i := range 10 {
					if q.Put(t.Context(), item(1, i)) == nil {
						mu.Lock()
						puts++
						mu.Unlock()
					}
				}
			})
		}
		wg.Go(func() {
			for {
				if _, err := q.Get(t.Context()); err != nil {
					return
				}
				gets++
				if gets == 5 {
					go q.Close()
				}
			}
		})
		wg.Wait()
		if puts != gets {
			t.Fatalf("%d put, %d got", puts, gets)
		}
	}
}

func ExampleChannel() {
	ctx := context.Background()
	queue := prodcons.NewChannel[string](0)
	go func() {
		defer queue.Close()
		for _, word := range []string{"to", "be", "or", "not"} {
			_ = queue.Put(ctx, word)
		}
	}()
	for {
		word, err := queue.Get(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(word)
	}
	// Output:
	// to
	// be
	// or
	// not
	// queue is closed
}

func ExampleSlice() {
	ctx := context.Background()
	var queue prodcons.Slice[int]
	_, err := queue.Get(ctx)
	fmt.Println(err)
	_ = queue.Put(ctx, 49)
	value, _ := queue.Get(ctx)
	fmt.Println(value)
	// Output:
	// queue is empty
	// 49
}

func ExamplePolling() {
	ctx := context.Background()
	queue := prodcons.NewPolling[int](time.Millisecond)
	time.AfterFunc(20*time.Millisecond, func() { _ = queue.Put(ctx, 49) })
	value, _ := queue.Get(ctx)
	fmt.Println(value, queue.EmptyPolls() > 0)
	// Output: 49 true
}
