package prodcons_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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

type putter = func(int) error

// numbers is a Produce that puts 1 to n, each after a rest.
func numbers(n int, rest time.Duration) func(context.Context, int, putter) error {
	return func(ctx context.Context, _ int, put putter) error {
		for i := 1; i <= n; i++ {
			select {
			case <-time.After(rest):
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := put(i); err != nil {
				return err
			}
		}
		return nil
	}
}

// use is a Consume that works for a time.
func use(work time.Duration) func(context.Context, int, int) error {
	return func(context.Context, int, int) error {
		time.Sleep(work)
		return nil
	}
}

// bubble runs a test on a clock of its own. When it ends, no goroutine is left.
func bubble(name string, t *testing.T, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func TestAGroupUsesEachValueOnce(t *testing.T) {
	queues := map[string]func() prodcons.Queue[int]{
		"nil": func() prodcons.Queue[int] { return nil },
		"polling": func() prodcons.Queue[int] {
			return prodcons.NewPolling[int](time.Second)
		},
		"channel": func() prodcons.Queue[int] { return prodcons.NewChannel[int](0) },
		"buffer":  func() prodcons.Queue[int] { return new(prodcons.Buffer[int]) },
	}
	for name, make := range queues {
		bubble(name, t, func(t *testing.T) {
			var mu sync.Mutex
			used := map[int]int{}
			g := prodcons.Group[int]{
				Queue: make(), Producers: 3, Consumers: 4,
				Produce: func(_ context.Context, producer int, put putter) error {
					for i := range 100 {
						time.Sleep(time.Millisecond)
						if err := put(producer*1000 + i); err != nil {
							return err
						}
					}
					return nil
				},
				Consume: func(_ context.Context, _, v int) error {
					mu.Lock()
					defer mu.Unlock()
					used[v]++
					return nil
				},
			}
			if err := g.Run(t.Context()); err != nil {
				t.Error(err)
			}
			for v, n := range used {
				if n != 1 {
					t.Errorf("%d was used %d times", v, n)
				}
			}
			if s := g.Stats(); len(used) != 300 || s.Made != 300 || s.Count != 300 || s.Queued != 0 || len(g.Left()) != 0 {
				t.Errorf("%d used; %+v", len(used), s)
			}
			if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "once") {
				t.Errorf("a second run: %v", err)
			}
		})
	}
}

func TestTheFirstErrorStopsTheRestAndSaysWhoFailed(t *testing.T) {
	bubble("consumer", t, func(t *testing.T) {
		start := time.Now()
		g := prodcons.Group[int]{
			Consumers: 3,
			Produce:   numbers(1000, time.Second),
			Consume: func(ctx context.Context, consumer, v int) error {
				if v == 5 {
					return io.ErrUnexpectedEOF
				}
				select {
				case <-ctx.Done():
					return errors.New("broken off")
				case <-time.After(1500 * time.Millisecond):
					return nil
				}
			},
		}
		err := g.Run(t.Context())
		var who *prodcons.Error
		if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &who) || who.Role != "consumer" || who.Number < 1 || who.Number > 3 {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("stopped after %v, want 5 s", took)
		}
		if all := g.Errors(); len(all) != 2 || all[0] != err || !strings.Contains(all[1].Error(), "broken off") {
			t.Errorf("all errors: %v", all)
		}
	})
	bubble("producer", t, func(t *testing.T) {
		g := prodcons.Group[int]{
			Producers: 2,
			Produce: func(ctx context.Context, producer int, put putter) error {
				if producer == 2 {
					time.Sleep(10 * time.Second)
					return fmt.Errorf("no more: %w", io.EOF)
				}
				return numbers(1000, time.Second)(ctx, producer, put)
			},
			Consume: use(0),
		}
		err := g.Run(t.Context())
		if !errors.Is(err, io.EOF) || err.Error() != "producer 2: no more: EOF" || len(g.Errors()) != 1 {
			t.Errorf("%v; %v", err, g.Errors())
		}
	})
	bubble("a queue whose Get does not wait", t, func(t *testing.T) {
		g := prodcons.Group[int]{Queue: new(prodcons.Slice[int]), Produce: numbers(3, time.Second), Consume: use(0)}
		if err := g.Run(t.Context()); !errors.Is(err, prodcons.ErrEmpty) || !strings.Contains(err.Error(), "must wait") {
			t.Error(err)
		}
	})
	bubble("the producer's own cancelled context", t, func(t *testing.T) {
		g := prodcons.Group[int]{
			Produce: func(context.Context, int, putter) error { return context.Canceled },
			Consume: use(0),
		}
		if err := g.Run(t.Context()); err == nil || err.Error() != "producer 1: context canceled" {
			t.Error(err)
		}
	})
}

func TestAPanicReachesTheCallerWithItsStack(t *testing.T) {
	run := func(g *prodcons.Group[int]) (p *prodcons.Panic) {
		defer func() { p, _ = recover().(*prodcons.Panic) }()
		_ = g.Run(context.Background())
		return nil
	}
	bubble("consumer", t, func(t *testing.T) {
		g := prodcons.Group[int]{
			Drain:   time.Hour, // not after a panic
			Produce: numbers(10, 0), Consume: func(_ context.Context, _, v int) error {
				time.Sleep(time.Second)
				if v == 3 {
					var none []int
					none[v]++
				}
				return nil
			},
		}
		p := run(&g)
		var bounds runtime.Error
		if p == nil || p.Role != "consumer" || p.Number != 1 || !errors.As(p, &bounds) || !strings.Contains(p.Error(), "group_test.go") {
			t.Fatalf("%v", p)
		}
		if left := g.Left(); !slices.Equal(left, []int{4, 5, 6, 7, 8, 9, 10}) {
			t.Errorf("left: %v", left)
		}
	})
	bubble("producer", t, func(t *testing.T) {
		g := prodcons.Group[int]{Produce: func(context.Context, int, putter) error { panic("no") }, Consume: use(0)}
		if p := run(&g); p == nil || p.Role != "producer" || p.Value != "no" {
			t.Errorf("%v", p)
		}
	})
	bubble("Goexit", t, func(t *testing.T) {
		g := prodcons.Group[int]{
			Produce: numbers(10, time.Second),
			Consume: func(context.Context, int, int) error { runtime.Goexit(); return nil },
		}
		if err := g.Run(t.Context()); !errors.Is(err, prodcons.ErrGoexit) || !strings.Contains(err.Error(), "consumer 1") {
			t.Error(err)
		}
	})
}

func TestAContextStopsAGroup(t *testing.T) {
	cause := errors.New("enough")
	for _, drain := range []time.Duration{0, time.Second, 10 * time.Second} {
		bubble(fmt.Sprint("drain ", drain), t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			var used []int
			var broken int
			g := prodcons.Group[int]{
				Drain:   drain,
				Produce: numbers(1000, 100*time.Millisecond),
				Consume: func(ctx context.Context, _, v int) error {
					select {
					case <-time.After(400 * time.Millisecond):
						used = append(used, v)
					case <-ctx.Done():
						broken++
					}
					return nil
				},
			}
			time.AfterFunc(2050*time.Millisecond, func() { cancel(cause) })
			start := time.Now()
			if err := g.Run(ctx); err != cause {
				t.Errorf("error %v, want the context's cause", err)
			}
			// 20 values were put, one each 0.1 s from 0.1 s on; one is used each 0.4 s.
			left, took := g.Left(), time.Since(start)
			want := map[time.Duration]struct {
				used, broken, left int
				took               time.Duration
			}{
				0:                {4, 1, 15, 2050 * time.Millisecond},
				time.Second:      {7, 1, 12, 3050 * time.Millisecond},
				10 * time.Second: {20, 0, 0, 8100 * time.Millisecond},
			}[drain]
			if len(used) != want.used || broken != want.broken || len(left) != want.left || took != want.took {
				t.Errorf("used %v, %d broken off, left %v after %v; want %+v", used, broken, left, took, want)
			}
			if n := len(left); n > 0 && (left[0] != 20-n+1 || left[n-1] != 20) {
				t.Errorf("left %v", left)
			}
			if s := g.Stats(); s.Made != 20 || s.Count != want.used+want.broken || s.Queued != want.left {
				t.Errorf("%+v", s)
			}
		})
	}
	bubble("before the start", t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		g := prodcons.Group[int]{Produce: numbers(10, 0), Consume: use(0)}
		if err := g.Run(ctx); err != context.Canceled {
			t.Error(err)
		}
	})
	bubble("deadline", t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		g := prodcons.Group[int]{Produce: numbers(1000, time.Second), Consume: use(0)}
		if err := g.Run(ctx); err != context.DeadlineExceeded || g.Stats().Total != time.Minute {
			t.Errorf("%v after %v", err, g.Stats().Total)
		}
	})
	bubble("while a put waits for room", t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		g := prodcons.Group[int]{
			Bound:   2,
			Produce: numbers(1000, 0),
			Consume: func(ctx context.Context, _, _ int) error { <-ctx.Done(); return nil },
		}
		if err := g.Run(ctx); err != context.DeadlineExceeded || len(g.Left()) != 2 || g.Stats().Made != 3 {
			t.Errorf("%v; left %v; %+v", err, g.Left(), g.Stats())
		}
	})
}

func TestErrorsWhileDrainingAreAllKept(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		g := prodcons.Group[int]{
			Drain: time.Hour, Consumers: 2,
			Queue:   new(prodcons.Buffer[int]),
			Produce: numbers(5000, 0),
			Consume: func(_ context.Context, _, v int) error {
				time.Sleep(time.Millisecond)
				return fmt.Errorf("value %d", v)
			},
		}
		err := g.Run(t.Context())
		if err == nil || g.Stats().Count != g.Stats().Made || len(g.Left()) != 0 {
			t.Errorf("%v; %+v", err, g.Stats())
		}
		if n := len(g.Errors()); n != 1000 || g.Errors()[0] != err {
			t.Errorf("%d errors, the first is %v", n, g.Errors()[0])
		}
	})
}

func TestConsumersComeAndGoWhileTheGroupRuns(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		var at [5]atomic.Int32 // how many work under each number
		var used atomic.Int32
		g := prodcons.Group[int]{
			Queue:   new(prodcons.Buffer[int]),
			Produce: numbers(100, 0),
			Consume: func(_ context.Context, consumer, _ int) error {
				if at[consumer].Add(1) != 1 {
					t.Errorf("two consumers are number %d", consumer)
				}
				time.Sleep(time.Second)
				at[consumer].Add(-1)
				used.Add(1)
				return nil
			},
		}
		g.SetConsumers(0) // before the start: none at first
		done := make(chan error)
		go func() { done <- g.Run(t.Context()) }()
		rate := func(consumers, want int32) {
			t.Helper()
			g.SetConsumers(int(consumers))
			time.Sleep(1100 * time.Millisecond) // those who go end what they are at
			before := used.Load()
			time.Sleep(4 * time.Second)
			if n := used.Load() - before; n != want {
				t.Errorf("%d consumers used %d values in 4 s, want %d", consumers, n, want)
			}
		}
		rate(0, 0)
		rate(1, 4)
		rate(4, 16)
		rate(2, 8)
		rate(0, 0)
		g.SetConsumers(3)
		g.SetConsumers(1) // at once: those who were too many go on no more
		g.SetConsumers(3)
		rate(3, 12)
		g.SetConsumers(-1)
		time.Sleep(time.Hour)
		select {
		case err := <-done:
			t.Fatalf("ended with nobody to do the work: %v", err)
		default:
		}
		g.SetConsumers(4)
		if err := <-done; err != nil || used.Load() != 100 {
			t.Errorf("%v; %d used", err, used.Load())
		}
		g.SetConsumers(100) // too late
		if n := len(g.Stats().Utilisation); n != 4 {
			t.Errorf("%d consumers", n)
		}
	})
}

func TestAGroupRefusesWhatItCanNotDo(t *testing.T) {
	for want, g := range map[string]*prodcons.Group[int]{
		"needs Produce":         {Consume: use(0)},
		"are for its own queue": {Produce: numbers(1, 0), Consume: use(0), Queue: new(prodcons.Buffer[int]), Bound: 1},
		"needs Consume":         {Produce: numbers(1, 0)},
		"must not be negative":  {Produce: numbers(1, 0), Consume: use(0), Consumers: -1},
		"Drain must not be ne":  {Produce: numbers(1, 0), Consume: use(0), Drain: -1},
	} {
		if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// On a clock of its own, the numbers of a run are exact.
func TestStatisticsOfAGroup(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		g := prodcons.Group[int]{Produce: numbers(20, time.Second), Consume: use(1500 * time.Millisecond)}
		if s := g.Stats(); s.Made != 0 || s.Total != 0 {
			t.Errorf("before the start: %+v", s)
		}
		time.AfterFunc(10250*time.Millisecond, func() {
			s := g.Stats() // made at 1, 2 … 10 s; picked up at 1, 2.5, 4, 5.5, 7, 8.5, 10 s
			if s.Made != 10 || s.Count != 7 || s.Queued != 3 || s.Total != 10250*time.Millisecond || s.Latency.Max != 3*time.Second {
				t.Errorf("in the middle: %+v", s)
			}
		})
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
		s := g.Stats()
		// The last is picked up at 1 + 19 × 1.5 = 29.5 s, and was made at 20 s.
		if s.Made != 20 || s.Count != 20 || s.Queued != 0 || s.Total != 31*time.Second || s.EmptyPolls != 0 || s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
		l := s.Latency
		if l.Min != 0 || l.Max != 9500*time.Millisecond || l.Mean != 4750*time.Millisecond || l.First != 0 || l.Last != l.Max {
			t.Errorf("%+v", l)
		}
		if off := l.P50.Seconds()/4.5 - 1; off < -0.016 || off > 0.016 {
			t.Errorf("P50 is %v, want 4.5 s ± 1.6 %%", l.P50)
		}
		if u := s.Utilisation; len(u) != 1 || u[0] < 30.0/31-0.0001 || u[0] > 30.0/31+0.0001 {
			t.Errorf("utilisation %v, want 30/31", u)
		}
		if line := s.String(); line != "made 20, used 20 in 31s: 0.65/s; waited 4.75s on average, 99 % at most 9.5s, all at most 9.5s; consumers: 1, busy 97 %" {
			t.Error(line)
		}
		if r := s.Rate; r < 20.0/31-0.0001 || r > 20.0/31+0.0001 {
			t.Errorf("rate %v, want 20/31", r)
		}
	})
	bubble("drops and looks", t, func(t *testing.T) {
		g := prodcons.Group[int]{Bound: 3, Full: prodcons.DropOldest, Produce: numbers(20, 0), Consume: use(time.Second)}
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if s := g.Stats(); s.Made != 20 || s.Dropped == 0 || s.Made != s.Count+s.Dropped {
			t.Errorf("%+v", s)
		}
		polling := prodcons.NewPolling[int](100 * time.Millisecond)
		g2 := prodcons.Group[int]{Queue: polling, Produce: numbers(2, time.Second), Consume: use(0)}
		if err := g2.Run(t.Context()); err != nil || g2.Stats().EmptyPolls < 19 {
			t.Errorf("%v; %+v", err, g2.Stats())
		}
	})
}

// A Record that observes a group has the group's own statistics.
func TestAGroupCanBeObserved(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		record := prodcons.NewRecord("observed", time.Now)
		g := prodcons.Group[int]{Consumers: 2, Produce: numbers(20, time.Second), Consume: use(3 * time.Second), Observe: record.Observe}
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
		record.End()
		want, got := g.Stats(), record.Stats()
		if got.Made != want.Made || got.Count != want.Count || got.Total != want.Total || got.Latency.Mean != want.Latency.Mean || got.Latency.Max != want.Latency.Max {
			t.Errorf("%+v\nthe group has %+v", got, want)
		}
		for i, u := range want.Utilisation {
			if off := got.Utilisation[i] - u; off < -0.001 || off > 0.001 {
				t.Errorf("utilisation %v, the group has %v", got.Utilisation, want.Utilisation)
			}
		}
		counts := map[prodcons.EventKind]int{}
		for _, e := range record.Events() {
			counts[e.Kind]++
		}
		if counts[prodcons.ItemMade] != 20 || counts[prodcons.ItemPickedUp] != 20 || counts[prodcons.ItemUsed] != 20 {
			t.Errorf("events: %v", counts)
		}
	})
}

// What it costs to measure latencies: go test -run '^$' -bench Measuring -count 5 ./pkg/prodcons
func BenchmarkMeasuring(b *testing.B) {
	for _, on := range []bool{true, false} {
		b.Run(map[bool]string{true: "on", false: "off"}[on], func(b *testing.B) {
			g := prodcons.Group[int]{
				Consumers: 4,
				Produce: func(_ context.Context, _ int, put putter) error {
					for i := range b.N {
						if err := put(i); err != nil {
							return err
						}
					}
					return nil
				},
				Consume: func(context.Context, int, int) error { return nil },
			}
			if !on {
				g.Unmeasured()
			}
			if err := g.Run(b.Context()); err != nil || on != (g.Stats().Latency.Max > 0) {
				b.Errorf("%v; %+v", err, g.Stats())
			}
		})
	}
}
