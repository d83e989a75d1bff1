package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/b3771e63/prodcons/pkg/prodcons/jetstream"
)

// open returns a store in a folder of the test's own.
func open(t testing.TB, config jetstream.Config) *jetstream.Store {
	t.Helper()
	if config.Dir == "" && config.Address == "" {
		config.Dir = t.TempDir()
	}
	store, err := jetstream.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func newQueue[T any](t testing.TB, store *jetstream.Store, options jetstream.Options[T]) *jetstream.Queue[T] {
	t.Helper()
	q, err := jetstream.NewQueue(t.Context(), store, "jobs", options)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func put[T any](t testing.TB, q *jetstream.Queue[T], values ...T) {
	t.Helper()
	for _, v := range values {
		if err := q.Put(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
}

func receive[T any](t testing.TB, q *jetstream.Queue[T]) prodcons.Delivery[T] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d, err := q.Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func settle[T any](t testing.TB, d prodcons.Delivery[T], err error) {
	t.Helper()
	if err := d.Settle(err); err != nil {
		t.Fatal(err)
	}
}

// nothing checks that nothing can be received for a while.
func nothing[T any](t testing.TB, q *jetstream.Queue[T], while time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), while)
	defer cancel()
	if d, err := q.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, %v", d.Value, err)
	}
}

// eventually checks again and again.
func eventually(t testing.TB, what string, check func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !check(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: ", what)
		}
	}
}

func TestFirstInFirstOut(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[string]{})
	put(t, q, "a", "b", "c")
	if n := q.Len(); n != 3 {
		t.Errorf("length %d", n)
	}
	for _, want := range []string{"a", "b", "c"} {
		d := receive(t, q)
		if d.Value != want || d.Attempt != 1 {
			t.Errorf("got %q, attempt %d; want %q", d.Value, d.Attempt, want)
		}
		settle(t, d, nil)
		settle(t, d, errors.New("settled twice: of no effect"))
	}
	nothing(t, q, 300*time.Millisecond)
	if n := q.Len(); n != 0 {
		t.Errorf("length %d", n)
	}
}

func TestReceiveIsWokenAtOnce(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[int]{})
	for i := range 10 {
		var wg sync.WaitGroup
		wg.Go(func() {
			d := receive(t, q)
			settle(t, d, nil)
		})
		time.Sleep(time.Duration(i) * time.Millisecond)
		start := time.Now()
		put(t, q, i)
		wg.Wait()
		if d := time.Since(start); d > time.Second {
			t.Errorf("took %v", d)
		}
	}
}

func TestAFailedValueComesAgainLaterAndIsParkedAtLast(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[string]{
		Retry: prodcons.Retry{Attempts: 3, Wait: 200 * time.Millisecond},
	})
	put(t, q, "bad", "good")
	settle(t, receive(t, q), errors.New("fault 1"))
	start := time.Now()
	if d := receive(t, q); d.Value != "good" {
		t.Fatalf("got %q before the good one", d.Value)
	} else {
		settle(t, d, nil)
	}
	for i, wait := range []time.Duration{200 * time.Millisecond, 400 * time.Millisecond} {
		d := receive(t, q)
		if took := time.Since(start); d.Value != "bad" || d.Attempt != i+2 || took < wait*9/10 {
			t.Errorf("got %q, attempt %d, after %v; want it after %v", d.Value, d.Attempt, took, wait)
		}
		settle(t, d, fmt.Errorf("fault %d", i+2))
		start = time.Now()
	}
	nothing(t, q, time.Second)
	stats, err := q.Stats(t.Context())
	if err != nil || stats != (jetstream.Stats{Parked: 1}) {
		t.Errorf("stats %+v, %v", stats, err)
	}
	parked, err := q.Parked(t.Context())
	if err != nil || len(parked) != 1 {
		t.Fatalf("parked: %v, %v", parked, err)
	}
	p := parked[0]
	if p.Value != "bad" || p.ID != 1 || string(p.Data) != `"bad"` || time.Since(p.Since) > time.Minute {
		t.Errorf("parked: %+v", p)
	}
	for i, f := range p.Errors {
		if f.Err != fmt.Sprintf("fault %d", i+1) || f.Attempt != i+1 || time.Since(f.At) > time.Minute {
			t.Errorf("error %d: %+v", i, f)
		}
	}
	if len(p.Errors) != 3 {
		t.Errorf("errors: %v", p.Errors)
	}

	if err := q.PutBack(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	d := receive(t, q)
	if d.Value != "bad" || d.Attempt != 1 {
		t.Errorf("put back: %q, attempt %d", d.Value, d.Attempt)
	}
	settle(t, d, nil)
	if parked, err := q.Parked(t.Context()); err != nil || len(parked) != 0 {
		t.Errorf("parked: %v, %v", parked, err)
	}
	if err := q.PutBack(t.Context(), p.ID); err == nil || !strings.Contains(err.Error(), "nothing is parked under the number 1") {
		t.Errorf("put back twice: %v", err)
	}
}

func TestWhatCannotBeDecodedIsParked(t *testing.T) {
	store := open(t, jetstream.Config{})
	put(t, newQueue(t, store, jetstream.Options[string]{}), "no number")
	q := newQueue(t, store, jetstream.Options[int]{})
	put(t, q, 49)
	d := receive(t, q)
	if d.Value != 49 {
		t.Errorf("got %d", d.Value)
	}
	settle(t, d, nil)
	parked, err := q.Parked(t.Context())
	if err != nil || len(parked) != 1 || string(parked[0].Data) != `"no number"` || len(parked[0].Errors) != 1 {
		t.Fatalf("parked: %+v, %v", parked, err)
	}
	if err := q.Remove(t.Context(), parked[0].ID); err != nil {
		t.Error(err)
	}
	if err := q.Remove(t.Context(), parked[0].ID); err == nil {
		t.Error("removed twice")
	}
}

func TestAnIDIsStoredOnce(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[int]{ID: func(v int) string { return fmt.Sprint(v) }})
	put(t, q, 1, 2, 1, 1)
	if n, err := q.PutBatch(t.Context(), []int{2, 3, 3, 1}); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if n := q.Len(); n != 3 {
		t.Errorf("length %d", n)
	}
	settle(t, receive(t, q), nil)
	put(t, q, 1) // used meanwhile
	if n := q.Len(); n != 2 {
		t.Errorf("length %d", n)
	}
}

func TestBound(t *testing.T) {
	store := open(t, jetstream.Config{})
	id := func(v int) string { return fmt.Sprint(v) }
	fails := newQueue(t, store, jetstream.Options[int]{Bound: 2, Full: prodcons.FailWhenFull, ID: id})
	waits := newQueue(t, store, jetstream.Options[int]{ID: id})
	put(t, fails, 1, 2)
	if err := fails.Put(t.Context(), 3); !errors.Is(err, prodcons.ErrFull) {
		t.Errorf("put into a full queue: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := waits.Put(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put into a full queue: %v", err)
	}
	d := receive(t, fails)
	if err := fails.Put(t.Context(), 3); !errors.Is(err, prodcons.ErrFull) {
		t.Errorf("what is lent needs its place: %v", err)
	}
	done := make(chan error)
	go func() { done <- waits.Put(t.Context(), 3) }()
	settle(t, d, nil)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n, err := waits.PutBatch(ctx, []int{4, 5}); n != 0 || err == nil {
		t.Errorf("batch into a full queue: %d, %v", n, err)
	}
	go func() {
		_, err := waits.PutBatch(t.Context(), []int{4, 5, 6, 7, 8})
		done <- err
	}()
	var got []int
	for range 7 {
		d := receive(t, fails)
		got = append(got, d.Value)
		settle(t, d, nil)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	slices.Sort(got)
	if !slices.Equal(got, []int{2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("got %v", got)
	}
}

func TestPutBatchKeepsTheOrder(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[int]{})
	var values []int
	for i := range 3000 {
		values = append(values, i)
	}
	if n, err := q.PutBatch(t.Context(), values); n != len(values) || err != nil {
		t.Fatal(n, err)
	}
	for i := range values {
		v, err := q.Get(t.Context())
		if err != nil || v != i {
			t.Fatalf("got %d, %v; want %d", v, err, i)
		}
	}
}

func TestLongWorkKeepsItsLease(t *testing.T) {
	store := open(t, jetstream.Config{})
	q := newQueue(t, store, jetstream.Options[int]{Lease: 300 * time.Millisecond})
	put(t, q, 49)
	d := receive(t, q)
	nothing(t, q, 1500*time.Millisecond)
	settle(t, d, nil)
	if n := q.Len(); n != 0 {
		t.Errorf("length %d", n)
	}
}

func TestAConsumerThatHangsLosesItsLease(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[int]{Lease: 300 * time.Millisecond, MaxWork: 500 * time.Millisecond})
	put(t, q, 49)
	hangs := receive(t, q)
	start := time.Now()
	d := receive(t, q)
	if took := time.Since(start); took < 450*time.Millisecond || d.Attempt != 2 {
		t.Errorf("attempt %d after %v", d.Attempt, took)
	}
	settle(t, d, nil)
	settle(t, hangs, nil) // late, and of no effect
	if n := q.Len(); n != 0 {
		t.Errorf("length %d", n)
	}
}

func TestWhatIsGivenBackCountsAsNoTry(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[int]{Retry: prodcons.Retry{Attempts: 2, Wait: time.Millisecond}})
	put(t, q, 49)
	for range 5 {
		settle(t, receive(t, q), context.Canceled)
	}
	settle(t, receive(t, q), errors.New("fault"))
	d := receive(t, q)
	if d.Attempt != 7 {
		t.Errorf("attempt %d", d.Attempt)
	}
	settle(t, d, errors.New("fault"))
	if parked, err := q.Parked(t.Context()); err != nil || len(parked) != 1 || len(parked[0].Errors) != 2 {
		t.Errorf("parked: %+v, %v", parked, err)
	}
}

// What a process has asked for ahead, and does not use, goes to others.
func TestAhead(t *testing.T) {
	store := open(t, jetstream.Config{})
	options := jetstream.Options[int]{Lease: 300 * time.Millisecond, Ahead: 10}
	busy := newQueue(t, store, options)
	options.Ahead = 0
	other := newQueue(t, store, options)
	for i := range 20 {
		put(t, busy, i)
	}
	first := receive(t, busy) // and ten more
	got := []int{first.Value}
	for range 19 {
		d := receive(t, other)
		got = append(got, d.Value)
		settle(t, d, nil)
	}
	settle(t, first, nil)
	slices.Sort(got)
	for i, v := range got {
		if v != i {
			t.Errorf("got %v", got)
		}
	}
	if n := busy.Len(); n != 0 {
		t.Errorf("length %d", n)
	}
}

func TestAReceiveThatEndsTakesNothingAlong(t *testing.T) {
	q := newQueue(t, open(t, jetstream.Config{}), jetstream.Options[int]{})
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan prodcons.Delivery[int], 1)
		go func() {
			d, err := q.Receive(ctx)
			if err != nil {
				d.Settle = nil
			}
			got <- d
		}()
		time.Sleep(time.Duration(i%5) * 50 * time.Microsecond)
		go cancel()
		put(t, q, i)
		if d := <-got; d.Settle != nil {
			settle(t, d, nil)
			continue
		}
		d := receive(t, q)
		if d.Value != i {
			t.Fatalf("got %d, want %d", d.Value, i)
		}
		settle(t, d, nil)
	}
}

// One value of each key is lent at a time, and their order stays, even when some fail.
func TestKeys(t *testing.T) {
	type step struct{ Key, Number int }
	store := open(t, jetstream.Config{})
	options := jetstream.Options[step]{
		Key:   func(s step) string { return fmt.Sprint(s.Key) },
		Lanes: 8, Lease: time.Second,
		Retry: prodcons.Retry{Attempts: -1, Wait: time.Millisecond},
	}
	const keys, numbers = 20, 30
	var all []step
	for number := range numbers {
		for key := range keys {
			all = append(all, step{key, number})
		}
	}
	var mu sync.Mutex
	next, busy, failed := map[int]int{}, map[int]bool{}, 0
	consume := func(_ context.Context, _ int, s step) error {
		mu.Lock()
		if busy[s.Key] || next[s.Key] != s.Number {
			t.Errorf("key %d: number %d comes, busy %v, expected %d", s.Key, s.Number, busy[s.Key], next[s.Key])
		}
		busy[s.Key] = true
		mu.Unlock()
		time.Sleep(100 * time.Microsecond)
		mu.Lock()
		defer mu.Unlock()
		busy[s.Key] = false
		if failed++; failed%7 == 0 {
			return errors.New("fault")
		}
		next[s.Key]++
		return nil
	}
	first := newQueue(t, store, options)
	if n, err := first.PutBatch(t.Context(), all); n != len(all) || err != nil {
		t.Fatal(n, err)
	}
	var wg sync.WaitGroup
	for range 3 {
		q := newQueue(t, store, options)
		q.Close()
		wg.Go(func() {
			err := jetstream.Serve(t.Context(), q, 3, func(ctx context.Context, s step) error { return consume(ctx, 0, s) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for key := range keys {
		if next[key] != numbers {
			t.Errorf("key %d: %d of %d used", key, next[key], numbers)
		}
	}
}

func TestAGroupOverTheQueue(t *testing.T) {
	store := open(t, jetstream.Config{})
	t.Run("all is used, and it ends", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[prodcons.Item[int]]{})
		record := prodcons.NewRecord("a group", nil)
		var mu sync.Mutex
		sum := 0
		group := prodcons.Group[prodcons.Item[int]]{
			Producers: 2, Consumers: 3, Queue: q,
			Produce: func(_ context.Context, producer int, put func(prodcons.Item[int]) error) error {
				for i := 1; i <= 100; i++ {
					item := prodcons.Item[int]{Value: i, Origin: prodcons.Origin{Producer: producer, Number: i, Created: time.Now()}}
					if err := put(item); err != nil {
						return err
					}
				}
				return nil
			},
			Consume: func(_ context.Context, _ int, item prodcons.Item[int]) error {
				mu.Lock()
				defer mu.Unlock()
				sum += item.Value
				return nil
			},
			Observe: record.Observe,
		}
		if err := group.Run(t.Context()); err != nil || sum != 2*5050 {
			t.Errorf("%v, sum %d", err, sum)
		}
		s := group.Stats()
		if s.Made != 200 || s.Count != 200 || s.Queued != 0 || s.Measured != 200 || s.Latency.Max > time.Minute {
			t.Errorf("stats: %v", s)
		}
	})
	t.Run("an error stops it, and all stays in the queue", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[prodcons.Item[int]]{})
		for i := range 5 {
			put(t, q, prodcons.Item[int]{Value: i})
		}
		fault := errors.New("fault")
		group := prodcons.Group[prodcons.Item[int]]{Queue: q, Consume: func(context.Context, int, prodcons.Item[int]) error { return fault }}
		if err := group.Run(t.Context()); !errors.Is(err, fault) {
			t.Error(err)
		}
		if n := q.Len(); n != 5 || group.Stats().Queued != 5 {
			t.Errorf("length %d, stats %v", n, group.Stats())
		}
	})
	t.Run("it runs until its context ends", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[prodcons.Item[int]]{})
		ctx, cancel := context.WithCancel(t.Context())
		used := 0
		group := prodcons.Group[prodcons.Item[int]]{Queue: q, Consume: func(context.Context, int, prodcons.Item[int]) error {
			if used++; used == 5 {
				time.AfterFunc(200*time.Millisecond, cancel)
			}
			return nil
		}}
		if err := group.Run(ctx); !errors.Is(err, context.Canceled) || used != 5 {
			t.Errorf("%v, used %d", err, used)
		}
	})
	t.Run("one that is closed is drained", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[prodcons.Item[int]]{})
		put(t, q, prodcons.Item[int]{}, prodcons.Item[int]{})
		q.Close()
		if err := q.Put(t.Context(), prodcons.Item[int]{}); !errors.Is(err, prodcons.ErrClosed) {
			t.Errorf("put after Close: %v", err)
		}
		used := 0
		group := prodcons.Group[prodcons.Item[int]]{Queue: q, Consume: func(context.Context, int, prodcons.Item[int]) error {
			used++
			return nil
		}}
		if err := group.Run(t.Context()); err != nil || used != 2 {
			t.Errorf("%v, used %d", err, used)
		}
	})
}

func TestServe(t *testing.T) {
	store := open(t, jetstream.Config{})
	t.Run("errors don't stop it", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[int]{Retry: prodcons.Retry{Attempts: 2, Wait: time.Millisecond}})
		put(t, q, 1, 2, 3)
		q.Close()
		var calls sync.Map
		err := jetstream.Serve(t.Context(), q, 2, func(_ context.Context, v int) error {
			if _, again := calls.LoadOrStore(v, true); !again && v == 1 || v == 2 {
				return errors.New("fault")
			}
			return nil
		})
		parked, _ := q.Parked(t.Context())
		if err != nil || len(parked) != 1 || parked[0].Value != 2 {
			t.Errorf("%v, parked %v", err, parked)
		}
	})
	t.Run("what can't succeed is parked at once", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[int]{Retry: prodcons.Retry{Attempts: -1}})
		put(t, q, 1)
		q.Close()
		calls := 0
		err := jetstream.Serve(t.Context(), q, 1, func(context.Context, int) error {
			calls++
			return prodcons.Permanent(errors.New("no such account"))
		})
		parked, _ := q.Parked(t.Context()) // beside what was parked above
		if last := parked[len(parked)-1]; err != nil || calls != 1 || last.Value != 1 || len(last.Errors) != 1 || last.Errors[0].Err != "no such account" {
			t.Errorf("%v, %d calls, parked %v", err, calls, parked)
		}
	})
	t.Run("what is in work at the end of its context goes to somebody else", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[int]{})
		put(t, q, 7)
		ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		err := jetstream.Serve(ctx, q, 2, func(ctx context.Context, v int) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		d := receive(t, q)
		if d.Value != 7 {
			t.Errorf("got %d", d.Value)
		}
		settle(t, d, nil)
	})
	t.Run("a panic comes back", func(t *testing.T) {
		q := newQueue(t, store, jetstream.Options[int]{Retry: prodcons.Retry{Attempts: 1}})
		put(t, q, 9)
		defer func() {
			if p := recover(); p == nil {
				t.Error("no panic")
			}
			if n := q.Len(); n != 0 {
				t.Errorf("length %d", n)
			}
		}()
		_ = jetstream.Serve(t.Context(), q, 2, func(context.Context, int) error { panic("no") })
	})
}

func TestStats(t *testing.T) {
	store := open(t, jetstream.Config{})
	q := newQueue(t, store, jetstream.Options[int]{Retry: prodcons.Retry{Wait: time.Minute, MaxWait: time.Minute}})
	if s, err := q.Stats(t.Context()); err != nil || s != (jetstream.Stats{}) {
		t.Errorf("stats %+v, %v", s, err)
	}
	put(t, q, 1, 2, 3, 4)
	time.Sleep(10 * time.Millisecond)
	settle(t, receive(t, q), errors.New("fault"))
	settle(t, receive(t, q), context.Canceled)
	d := receive(t, q)
	s, err := q.Stats(t.Context())
	if err != nil || s.Queued != 2 || s.Lent != 2 || s.Redelivered != 1 || s.Parked != 0 || s.Oldest < 10*time.Millisecond || s.Oldest > time.Minute {
		t.Errorf("stats %+v, %v", s, err)
	}
	settle(t, d, nil)
}

func TestAQueueOutlivesItsServer(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		store, err := jetstream.Open(t.Context(), jetstream.Config{Dir: dir, Sync: round == 1})
		if err != nil {
			t.Fatal(err)
		}
		q := newQueue(t, store, jetstream.Options[int]{})
		if round > 0 {
			if n := q.Len(); n != 2 {
				t.Errorf("round %d: length %d", round, n)
			}
			v, err := q.Get(t.Context())
			if err != nil || v != round-1 {
				t.Errorf("got %d, %v", v, err)
			}
		} else {
			put(t, q, -1)
		}
		put(t, q, round)
		if round == 0 {
			if v, err := q.Get(t.Context()); v != -1 || err != nil {
				t.Error(v, err)
			}
			put(t, q, 1)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if _, err := q.Receive(t.Context()); err == nil {
			t.Error("received from a closed store")
		}
		if err := q.Put(t.Context(), 1); err == nil {
			t.Error("put into a closed store")
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	store := open(t, jetstream.Config{})
	key := func(int) string { return "" }
	newQueue(t, store, jetstream.Options[int]{Key: key})
	dir := t.TempDir()
	open(t, jetstream.Config{Dir: dir})
	config := func(c jetstream.Config) func() error {
		return func() error {
			s, err := jetstream.Open(t.Context(), c)
			if err == nil {
				_ = s.Close()
			}
			return err
		}
	}
	queue := func(name string, o jetstream.Options[int]) func() error {
		return func() error {
			_, err := jetstream.NewQueue(t.Context(), store, name, o)
			return err
		}
	}
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"no place", config(jetstream.Config{}), "Dir or Address must be set"},
		{"two places", config(jetstream.Config{Dir: "x", Address: "y"}), "mutually exclusive"},
		{"settings of others", config(jetstream.Config{Address: "y", Sync: true}), "has its own settings"},
		{"a folder in use", config(jetstream.Config{Dir: dir}), "another process has it open"},
		{"an address for all", config(jetstream.Config{Dir: t.TempDir(), Listen: "0.0.0.0:0"}), "loopback"},
		{"an address without port", config(jetstream.Config{Dir: t.TempDir(), Listen: "127.0.0.1"}), "port"},
		{"nobody there", config(jetstream.Config{Address: "nats://127.0.0.1:1"}), "no servers available"},
		{"a name", queue("a.b", jetstream.Options[int]{}), "letters, digits and dashes"},
		{"to drop", queue("x", jetstream.Options[int]{Full: prodcons.DropNewest}), "WaitWhenFull or FailWhenFull"},
		{"below zero", queue("x", jetstream.Options[int]{Bound: -1}), "must not be negative"},
		{"lanes without keys", queue("x", jetstream.Options[int]{Lanes: 2}), "Lanes"},
		{"no keys where there are", queue("jobs", jetstream.Options[int]{}), "Key must be set"},
		{"other lanes", queue("jobs", jetstream.Options[int]{Key: key, Lanes: 3}), "made with 16 lanes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// Two programs, each with its own connection, report to one trace.
func TestTrace(t *testing.T) {
	here := open(t, jetstream.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	there := open(t, jetstream.Config{Address: here.Address()})
	for i, store := range []*jetstream.Store{here, there} {
		trace, err := jetstream.NewTrace(t.Context(), store, "run")
		if err != nil {
			t.Fatal(err)
		}
		type item = prodcons.Item[int]
		q, err := jetstream.NewQueue(t.Context(), store, "traced", jetstream.Options[item]{})
		if err != nil {
			t.Fatal(err)
		}
		group := prodcons.Group[item]{
			Queue: q, Observe: trace.Observer(i, i),
			Produce: func(_ context.Context, producer int, put func(item) error) error {
				for n := 1; n <= 10; n++ {
					if err := put(item{Origin: prodcons.Origin{Producer: producer + i, Number: n, Created: time.Now()}, Value: n}); err != nil {
						return err
					}
				}
				return nil
			},
			Consume: func(context.Context, int, item) error { return nil },
		}
		if err := group.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		record, err := trace.Record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "all events", func() bool {
			if record, err = trace.Record(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := record.Stats()
			return s.Made == 10*(i+1) && s.Count == s.Made && len(s.Utilisation) == i+1
		})
		last := time.Duration(0)
		for _, e := range record.Events() {
			if e.At < last || e.At > time.Since(trace.Start()) || e.Producer > i+1 {
				t.Errorf("event %+v after %v", e, last)
			}
			last = e.At
		}
	}
}

// A process that dies can't report that it gives back what it had.
func TestATraceKnowsTheDead(t *testing.T) {
	trace, err := jetstream.NewTrace(t.Context(), open(t, jetstream.Config{}), "run")
	if err != nil {
		t.Fatal(err)
	}
	tell := trace.Observer(0, 0)
	for i, e := range []prodcons.Event{
		{Kind: prodcons.ItemMade, Producer: 1, Number: 1},
		{Kind: prodcons.ItemPickedUp, Producer: 1, Number: 1, Consumer: 1},
		{Kind: prodcons.ItemPickedUp, Producer: 1, Number: 1, Consumer: 2},
		{Kind: prodcons.ItemUsed, Producer: 1, Number: 1, Consumer: 2},
	} {
		e.At = time.Since(trace.Start())
		tell(e)
		time.Sleep(time.Duration(i) * time.Millisecond)
	}
	record, err := trace.Record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var kinds []prodcons.EventKind
	for _, e := range record.Events() {
		kinds = append(kinds, e.Kind)
	}
	want := []prodcons.EventKind{prodcons.ItemMade, prodcons.ItemPickedUp, prodcons.ItemLeft, prodcons.ItemPickedUp, prodcons.ItemUsed}
	if s := record.Stats(); !slices.Equal(kinds, want) || s.Made != 1 || s.Count != 1 || s.Queued != 0 {
		t.Errorf("%v, %v", kinds, s)
	}
}
