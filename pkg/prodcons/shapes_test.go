package prodcons_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

var errFault = errors.New("a fault")

// upTo yields 1 to n.
func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 1; i <= n && yield(i); i++ {
		}
	}
}

// square works for a second.
func square(ctx context.Context, v int) (int, error) {
	select {
	case <-time.After(time.Second):
		return v * v, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func TestEach(t *testing.T) {
	bubble("all", t, func(t *testing.T) {
		start := time.Now()
		var sum, most, at atomic.Int64
		err := prodcons.Each(t.Context(), upTo(20), 4, func(_ context.Context, v int) error {
			most.Store(max(most.Load(), at.Add(1)))
			defer at.Add(-1)
			time.Sleep(time.Second)
			sum.Add(int64(v))
			return nil
		})
		if err != nil || sum.Load() != 210 || time.Since(start) != 5*time.Second || most.Load() != 4 {
			t.Errorf("%v; sum %d after %v, %d at a time", err, sum.Load(), time.Since(start), most.Load())
		}
	})
	bubble("stops", t, func(t *testing.T) {
		var calls atomic.Int64
		err := prodcons.Each(t.Context(), upTo(1000), 0, func(_ context.Context, v int) error {
			calls.Add(1)
			if v == 3 {
				return errFault
			}
			return nil
		})
		if err != errFault || calls.Load() != 3 {
			t.Errorf("%v after %d calls", err, calls.Load())
		}
	})
	bubble("goes on", t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10500*time.Millisecond, numbered(1))
		defer cancel()
		err := prodcons.EachAll(ctx, upTo(1000), 1, func(ctx context.Context, v int) error {
			if _, err := square(ctx, v); err != nil {
				return err
			}
			if v%3 == 0 {
				return numbered(v)
			}
			return nil
		})
		if err == nil || err.Error() != "fault 3\nfault 6\nfault 9\nfault 1" {
			t.Error(err)
		}
	})
	bubble("panics", t, func(t *testing.T) {
		defer func() {
			if p, ok := recover().(*prodcons.Panic); !ok || p.Value != "no" {
				t.Error(p)
			}
		}()
		_ = prodcons.Each(t.Context(), upTo(5), 2, func(context.Context, int) error { panic("no") })
	})
}

type numbered int

func (e numbered) Error() string { return fmt.Sprintf("fault %d", int(e)) }

func TestMap(t *testing.T) {
	uneven := func(ctx context.Context, v int) (int, error) {
		time.Sleep(time.Duration(10-v%10) * time.Second) // later ones are faster
		if v%7 == 0 {
			return 0, numbered(v)
		}
		return v * v, nil
	}
	for name, m := range map[string]func(ctx context.Context, values iter.Seq[int], n int, f func(context.Context, int) (int, error)) iter.Seq2[int, error]{
		"in order": prodcons.Map[int, int], "as they come": prodcons.MapUnordered[int, int],
	} {
		bubble(name, t, func(t *testing.T) {
			for range 3 { // it may be read again
				var got, faults []int
				for v, err := range m(t.Context(), upTo(200), 10, uneven) {
					var fault numbered
					if errors.As(err, &fault) {
						faults = append(faults, int(fault))
					} else if err != nil {
						t.Error(err)
					} else {
						got = append(got, v)
					}
				}
				if sorted := slices.IsSorted(got) && slices.IsSorted(faults); sorted != (name == "in order") {
					t.Errorf("sorted: %v", sorted)
				}
				slices.Sort(got)
				if len(got) != 172 || len(faults) != 28 || got[171] != 40000 || len(slices.Compact(got)) != 172 {
					t.Errorf("%d values, %d faults", len(got), len(faults))
				}
			}
		})
		bubble(name+", broken off", t, func(t *testing.T) {
			start, n := time.Now(), 0
			for _, err := range m(t.Context(), upTo(1_000_000), 4, square) {
				if n++; n == 5 || err != nil {
					break
				}
			}
			if took := time.Since(start); n != 5 || took != 2*time.Second {
				t.Errorf("%d values after %v", n, took)
			}
		})
		bubble(name+", cancelled", t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 2500*time.Millisecond, errFault)
			defer cancel()
			var errs []error
			n := 0
			for _, err := range m(ctx, upTo(1_000_000), 4, square) {
				if err != nil {
					errs = append(errs, err)
				} else {
					n++
				}
			}
			if n != 8 || len(errs) != 1 || errs[0] != errFault {
				t.Errorf("%d values, %v", n, errs)
			}
		})
		bubble(name+", panics", t, func(t *testing.T) {
			for what, run := range map[string]func(){
				"f": func() {
					for range m(t.Context(), upTo(100), 4, func(context.Context, int) (int, error) { panic("no") }) {
					}
				},
				"values": func() {
					for range m(t.Context(), func(func(int) bool) { panic("no") }, 4, square) {
					}
				},
				"loop": func() {
					for range m(t.Context(), upTo(100), 4, square) {
						panic("no")
					}
				},
			} {
				func() {
					defer func() {
						p := recover()
						if worker, ok := p.(*prodcons.Panic); ok {
							p = worker.Value
						}
						if p != "no" {
							t.Errorf("%s: %v", what, p)
						}
					}()
					run()
				}()
			}
		})
		bubble(name+", the loop returns while f exits", t, func(t *testing.T) {
			var errs []error
			for _, err := range m(t.Context(), upTo(3), 1, func(context.Context, int) (int, error) { runtime.Goexit(); return 0, nil }) {
				errs = append(errs, err)
			}
			if len(errs) != 1 || !errors.Is(errs[0], prodcons.ErrGoexit) {
				t.Error(errs)
			}
		})
	}
}

// Errors go down a pipeline, and cancels up.
func TestPipeline(t *testing.T) {
	pipeline := func(seen *[]string) prodcons.Stream[[]string] {
		var mu sync.Mutex
		note := func(ctx context.Context, v any) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				mu.Lock()
				defer mu.Unlock()
				*seen = append(*seen, "cancelled")
				return ctx.Err()
			}
		}
		squares := prodcons.Then(prodcons.FromSeq(upTo(40)), 4, func(ctx context.Context, v int) (int, error) {
			if v == 13 {
				return 0, numbered(13)
			}
			return v * v, note(ctx, v)
		})
		texts := prodcons.Then(squares, 2, func(ctx context.Context, v int) (string, error) { return fmt.Sprint(v), note(ctx, v) })
		return prodcons.ThenBatches(texts, 5, 10*time.Second)
	}
	bubble("to the end", t, func(t *testing.T) {
		var seen, batches []string
		for batch, err := range pipeline(&seen)(t.Context()) {
			if err != nil {
				batches = append(batches, err.Error())
			} else {
				batches = append(batches, fmt.Sprint(len(batch)))
			}
		}
		if got := strings.Join(batches, " "); got != "5 5 2 fault 13 2 5 5 5 5 5" || len(seen) > 0 {
			t.Errorf("%s; %v", got, seen)
		}
	})
	bubble("broken off", t, func(t *testing.T) {
		var seen []string
		start := time.Now()
		for _, err := range pipeline(&seen)(t.Context()) {
			if err != nil {
				break
			}
		}
		// The stages are at work, and are cancelled at once.
		if took := time.Since(start); len(seen) == 0 || took != 8*time.Second {
			t.Errorf("%v after %v", seen, took)
		}
	})
	bubble("cancelled", t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		var seen []string
		var errs []error
		values := 0
		for batch, err := range pipeline(&seen)(ctx) {
			values += len(batch)
			if err != nil {
				errs = append(errs, err)
			}
		}
		if values == 0 || len(errs) != 1 || errs[0] != context.DeadlineExceeded {
			t.Errorf("%d values, %v", values, errs)
		}
	})
}

func TestBatches(t *testing.T) {
	bubble("by size or time", t, func(t *testing.T) {
		q := new(prodcons.Buffer[int])
		go func() {
			for i, rest := range []time.Duration{0, 0, 0, 0, 2, 2, 2, 2, 9, 20, 0} {
				time.Sleep(rest * time.Second)
				_ = q.Put(t.Context(), i)
			}
			q.Close()
		}()
		start := time.Now()
		var got []string
		for batch, err := range prodcons.Batches(prodcons.Queue[int](q), 3, 5*time.Second)(t.Context()) {
			got = append(got, fmt.Sprint(batch, " ", time.Since(start), err))
		}
		want := "[0 1 2] 0s <nil>, [3 4 5] 4s <nil>, [6 7] 11s <nil>, [8] 22s <nil>, [9 10] 37s <nil>"
		if strings.Join(got, ", ") != want {
			t.Errorf("%s, want %s", strings.Join(got, ", "), want)
		}
	})
	bubble("nothing is lost", t, func(t *testing.T) {
		q := new(prodcons.Buffer[int])
		_, _ = q.PutBatch(t.Context(), slices.Collect(upTo(8)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var got []string
		for batch, err := range prodcons.Batches(prodcons.Queue[int](q), 5, 0)(ctx) {
			got = append(got, fmt.Sprint(batch, err))
		}
		if want := "[1 2 3 4 5] <nil>, [6 7 8] <nil>, [] context deadline exceeded"; strings.Join(got, ", ") != want {
			t.Errorf("%v, want %v", got, want)
		}
		_, _ = q.PutBatch(t.Context(), slices.Collect(upTo(8)))
		for range prodcons.Batches(prodcons.Queue[int](q), 5, 0)(t.Context()) {
			break
		}
		if q.Len() != 3 {
			t.Errorf("%d left in the queue", q.Len())
		}
	})
}

func TestRetryAgain(t *testing.T) {
	const most = time.Duration(math.MaxInt64)
	for _, c := range []struct {
		retry    prodcons.Retry
		attempts int
		err      error
		wait     time.Duration
		again    bool
	}{
		{prodcons.Retry{}, 0, nil, 100 * time.Millisecond, true},
		{prodcons.Retry{}, 1, errFault, 100 * time.Millisecond, true},
		{prodcons.Retry{}, 2, errFault, 200 * time.Millisecond, true},
		{prodcons.Retry{}, 3, errFault, 0, false},
		{prodcons.Retry{Attempts: 1}, 1, errFault, 0, false},
		{prodcons.Retry{Attempts: -1}, 1000, errFault, 10 * time.Second, true},
		{prodcons.Retry{Attempts: -1, Wait: time.Minute}, 1, errFault, 10 * time.Second, true},
		{prodcons.Retry{Attempts: -1, MaxWait: most}, math.MaxInt, errFault, most, true},
		{prodcons.Retry{Attempts: -1}, 1, fmt.Errorf("so: %w", prodcons.Permanent(errFault)), 0, false},
	} {
		if wait, again := c.retry.Again(c.attempts, c.err); wait != c.wait || again != c.again {
			t.Errorf("%+v after %d, %v: %v, %v", c.retry, c.attempts, c.err, wait, again)
		}
	}
}

func TestRetry(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		fails := func(times int) (calls *int, f func(context.Context) error) {
			calls = new(int)
			return calls, func(context.Context) error {
				if *calls++; *calls <= times {
					return numbered(*calls)
				}
				return nil
			}
		}
		between := func(what string, start time.Time, low, high time.Duration) {
			t.Helper()
			if took := time.Since(start); took < low || took > high {
				t.Errorf("%s: %v", what, took)
			}
		}
		start := time.Now()
		calls, f := fails(2)
		if err := (prodcons.Retry{}).Do(t.Context(), f); err != nil || *calls != 3 {
			t.Errorf("%v after %d calls", err, *calls)
		}
		between("two waits", start, 150*time.Millisecond, 300*time.Millisecond)
		calls, f = fails(9)
		if err := (prodcons.Retry{}).Do(t.Context(), f); err == nil || err.Error() != "after 3 attempts: fault 3" || *calls != 3 {
			t.Errorf("%v after %d calls", err, *calls)
		}
		start = time.Now()
		calls, f = fails(9)
		if err := (prodcons.Retry{Attempts: -1, Wait: time.Second, MaxWait: 4 * time.Second}).Do(t.Context(), f); err != nil || *calls != 10 {
			t.Errorf("%v after %d calls", err, *calls)
		}
		between("nine waits", start, 15*time.Second, 31*time.Second) // 1 + 2 + 7 × 4, or half of it
		calls = new(int)
		if err := (prodcons.Retry{}).Do(t.Context(), func(context.Context) error { *calls++; return prodcons.Permanent(errFault) }); err != errFault || *calls != 1 {
			t.Errorf("%v after %d calls", err, *calls)
		}
		if prodcons.Permanent(nil) != nil {
			t.Error("nil became an error")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, f = fails(1000)
		err := prodcons.Retry{Attempts: -1}.Do(ctx, f)
		var last numbered
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &last) || time.Now().Before(start) {
			t.Error(err)
		}
	})
}

func TestKeyedOrder(t *testing.T) {
	type change struct{ account, number int }
	bubble("", t, func(t *testing.T) {
		var mu sync.Mutex
		at, last, most := map[int]bool{}, map[int]int{}, 0
		start := time.Now()
		err := prodcons.EachKeyed(t.Context(), func(yield func(change) bool) {
			for i := range 100 {
				if !yield(change{i % 5, i}) {
					return
				}
			}
		}, 10, func(c change) int { return c.account }, func(_ context.Context, c change) error {
			mu.Lock()
			if at[c.account] || c.number < last[c.account] {
				t.Errorf("%v while another is at work, or after %d", c, last[c.account])
			}
			at[c.account], last[c.account] = true, c.number
			most = max(most, len(at))
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			delete(at, c.account)
			mu.Unlock()
			return nil
		})
		if took := time.Since(start); err != nil || took != 20*time.Second || most != 5 {
			t.Errorf("%v after %v, %d keys at a time", err, took, most)
		}
	})
}

func TestALenderHandsWhatWasNotUsedToSomebodyElse(t *testing.T) {
	bubble("keyed", t, func(t *testing.T) {
		q := prodcons.NewKeyed(0, func(v int) int { return v % 2 })
		for i := range 4 {
			_ = q.Put(t.Context(), i)
		}
		a, _ := q.Receive(t.Context()) // 0; 2 has to wait
		b, _ := q.Receive(t.Context()) // 1
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if d, err := q.Receive(ctx); err != context.DeadlineExceeded {
			t.Errorf("%v, %v", d, err)
		}
		_ = a.Settle(errFault)
		_ = a.Settle(nil) // too late
		again, _ := q.Receive(t.Context())
		if a.Value != 0 || b.Value != 1 || again.Value != 0 || again.Attempt != 2 || q.Len() != 4 {
			t.Errorf("%v, %v, %v, %d there", a, b, again, q.Len())
		}
		q.Close()
		_ = again.Settle(nil)
		_ = b.Settle(nil)
		if v, err := q.Get(t.Context()); v != 2 && v != 3 || err != nil {
			t.Error(v, err)
		}
		if v, err := q.Get(t.Context()); v != 2 && v != 3 || err != nil {
			t.Error(v, err)
		}
		if _, err := q.Get(t.Context()); err != prodcons.ErrClosed {
			t.Error(err)
		}
		if err := q.Put(t.Context(), 1); err != prodcons.ErrClosed {
			t.Error(err)
		}
	})
	bubble("waits for what is lent", t, func(t *testing.T) {
		q := prodcons.NewLending[int](1)
		_ = q.Put(t.Context(), 1)
		d, _ := q.Receive(t.Context())
		go func() {
			if err := q.Put(t.Context(), 2); err != prodcons.ErrClosed {
				t.Error(err)
			}
		}()
		synctest.Wait()
		q.Close()
		time.AfterFunc(time.Second, func() { _ = d.Settle(errFault) })
		if v, err := q.Get(t.Context()); v != 1 || err != nil {
			t.Error(v, err)
		}
		if _, err := q.Receive(t.Context()); err != prodcons.ErrClosed {
			t.Error(err)
		}
	})
}

func TestAGroupOverALender(t *testing.T) {
	bubble("leaves there what it has not used", t, func(t *testing.T) {
		q := prodcons.NewLending[int](0)
		for i := range 6 {
			_ = q.Put(t.Context(), i)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		first := prodcons.Group[int]{Queue: q, Consume: func(ctx context.Context, _, v int) error { _, err := square(ctx, v); return err }}
		if err := first.Run(ctx); err != context.DeadlineExceeded || len(first.Left()) != 0 || q.Len() != 4 || first.Stats().Queued != 4 {
			t.Errorf("%v; left %v, %d there", err, first.Left(), q.Len())
		}
		second := prodcons.Group[int]{Queue: q, Consume: func(_ context.Context, _, v int) error {
			if v == 4 {
				return errFault
			}
			return nil
		}}
		if err := second.Run(t.Context()); !errors.Is(err, errFault) || len(second.Failed()) != 1 || q.Len() == 0 {
			t.Errorf("%v; failed %v, %d there", err, second.Failed(), q.Len())
		}
		q.Close()
		rest := q.Len()
		third := prodcons.Group[int]{Queue: q, Consumers: 3, Consume: use(0)}
		if err := third.Run(t.Context()); err != nil || third.Stats().Count != rest || q.Len() != 0 {
			t.Errorf("%v; %+v", err, third.Stats())
		}
	})
	bubble("says so when a value can't be settled", t, func(t *testing.T) {
		q := refusing{prodcons.NewLending[int](0)}
		_ = q.Put(t.Context(), 1)
		g := prodcons.Group[int]{Queue: q, Consume: use(0)}
		err := g.Run(t.Context())
		var settle *prodcons.SettleError
		if !errors.As(err, &settle) || !errors.Is(err, errFault) || err.Error() != "consumer 1: settle a value: a fault" {
			t.Error(err)
		}
	})
	bubble("does not ask for its length under a lock", t, func(t *testing.T) {
		q := &asking{Lending: prodcons.NewLending[int](0)}
		g := prodcons.Group[int]{Queue: q, Produce: numbers(3, time.Second), Consume: use(time.Second)}
		q.group = &g
		go func() {
			time.Sleep(1500 * time.Millisecond)
			_ = g.Stats()
		}()
		g.SetConsumers(0)
		time.AfterFunc(10*time.Second, func() { g.SetConsumers(1) })
		if err := g.Run(t.Context()); err != nil || q.asked < 2 {
			t.Errorf("%v; asked %d times", err, q.asked)
		}
	})
}

// refusing can't be told that a value was used.
type refusing struct{ *prodcons.Lending[int] }

func (q refusing) Receive(ctx context.Context) (prodcons.Delivery[int], error) {
	d, err := q.Lending.Receive(ctx)
	d.Settle = func(error) error { return errFault }
	return d, err
}

// asking needs its group's lock to tell its length.
type asking struct {
	*prodcons.Lending[int]
	group *prodcons.Group[int]
	asked int
}

func (q *asking) Len() int {
	q.asked++
	_ = q.group.Errors()
	return q.Lending.Len()
}

func TestWalk(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		start := time.Now()
		var found atomic.Int64
		err := prodcons.Walk(t.Context(), 1000, func(_ context.Context, depth int, put func(int) error) error {
			time.Sleep(time.Second)
			found.Add(1)
			for range 2 {
				if depth > 0 {
					if err := put(depth - 1); err != nil {
						return err
					}
				}
			}
			return nil
		}, 9)
		if took := time.Since(start); err != nil || found.Load() != 1023 || took != 10*time.Second {
			t.Errorf("%v; %d found after %v", err, found.Load(), took)
		}
		if err := prodcons.Walk(t.Context(), 4, func(context.Context, int, func(int) error) error { return errFault }); err != nil {
			t.Errorf("nothing to do: %v", err)
		}
		err = prodcons.Walk(t.Context(), 4, func(_ context.Context, v int, put func(int) error) error {
			if v == 12 {
				return errFault
			}
			return cmp.Or(put(v+1), put(v+1)) // without an end
		}, 1, 2, 3)
		if err != errFault {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err = prodcons.Walk(ctx, 4, func(ctx context.Context, v int, put func(int) error) error {
			_, err := square(ctx, v)
			return cmp.Or(err, put(v))
		}, 1)
		if err != context.DeadlineExceeded {
			t.Error(err)
		}
	})
}

func TestLimiter(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		start := time.Now()
		limit := prodcons.Limiter{Every: time.Second, Burst: 3}
		var mu sync.Mutex
		var times []time.Duration
		pass := func(ctx context.Context, _ int) error {
			if err := limit.Wait(ctx); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(start))
			return nil
		}
		if err := prodcons.Each(t.Context(), upTo(6), 4, pass); err != nil {
			t.Error(err)
		}
		time.Sleep(100 * time.Second) // no more than a burst is saved up
		for range 5 {
			_ = pass(t.Context(), 0)
		}
		if want := "[0s 0s 0s 1s 2s 3s 1m43s 1m43s 1m43s 1m44s 1m45s]"; fmt.Sprint(times) != want {
			t.Errorf("%v, want %s", times, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := limit.Wait(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		var none prodcons.Limiter
		if none.Wait(t.Context()) != nil || none.Wait(ctx) != context.DeadlineExceeded {
			t.Error("the zero value")
		}
	})
}

func TestABufferInASelect(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		a, b := new(prodcons.Buffer[int]), prodcons.NewBuffer[int](1, prodcons.WaitWhenFull)
		_ = a.Put(t.Context(), 1) // before
		for _, q := range []*prodcons.Buffer[int]{a, b} {
			go func() {
				for i := range 100 {
					time.Sleep(time.Duration(i%3) * time.Second)
					_ = q.Put(t.Context(), 1)
				}
				q.Close()
			}()
		}
		ctx, cancel := context.WithCancel(t.Context())
		readyA, readyB, after := a.Ready(ctx), b.Ready(ctx), b.Ready(ctx)
		sum := 0
		for open := 2; open > 0; {
			q, ready := a, &readyA
			select {
			case <-readyA:
			case <-readyB:
				q, ready = b, &readyB
			}
			for {
				v, err := q.TryGet()
				if err == prodcons.ErrClosed {
					open, *ready = open-1, nil // never ready again
				}
				if err != nil {
					break
				}
				sum += v
			}
		}
		if sum != 201 {
			t.Errorf("got %d of 201", sum)
		}
		cancel()
		synctest.Wait()
		<-after // from before
		b.Close()
		select {
		case <-after:
			t.Error("a token after the end")
		default:
		}
	})
}
