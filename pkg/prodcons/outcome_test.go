package prodcons_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

func TestStatisticsOfABurstAreExact(t *testing.T) {
	for _, n := range []int{1, 2, 100, 128, 200, 2000} {
		bubble(fmt.Sprint(n), t, func(t *testing.T) {
			const work = 20 * time.Millisecond
			g := prodcons.Group[int]{Consumers: 4, Produce: numbers(n, 0), Consume: use(work), Bound: -1}
			if err := g.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			var sum, longest time.Duration // four at a time
			for i := range n {
				longest = time.Duration(i/4) * work
				sum += longest
			}
			s := g.Stats()
			if s.Measured != n || s.Latency.Mean != sum/time.Duration(n) || s.Latency.Max != longest || s.Latency.Last != longest {
				t.Errorf("%d measured, %+v; want a mean of %v and a maximum of %v", s.Measured, s.Latency, sum/time.Duration(n), longest)
			}
		})
	}
}

// What a consumer was holding when everything ended is somewhere afterwards.
func TestWhatWasInHandIsNotLost(t *testing.T) {
	fault := errors.New("a fault")
	for name, end := range map[string]func(ctx context.Context, v int) error{
		"fails": func(_ context.Context, v int) error {
			if v == 2 {
				return fault
			}
			return nil
		},
		"panics": func(_ context.Context, v int) error {
			if v == 2 {
				panic(fault)
			}
			return nil
		},
		"exits": func(_ context.Context, v int) error {
			if v == 2 {
				runtime.Goexit()
			}
			return nil
		},
		"is stopped": func(ctx context.Context, v int) error {
			if v == 2 {
				<-ctx.Done()
				return fmt.Errorf("value 2: %w", ctx.Err())
			}
			return nil
		},
		"is stopped and says why": func(ctx context.Context, v int) error {
			if v == 2 {
				<-ctx.Done()
				return context.Cause(ctx)
			}
			return nil
		},
	} {
		bubble(name, t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(errors.New("enough")) })
			var used []int
			g := prodcons.Group[int]{Produce: numbers(4, 0), Consume: func(ctx context.Context, _, v int) error {
				time.Sleep(time.Millisecond) // until all are put
				err := end(ctx, v)
				if err == nil {
					used = append(used, v)
				}
				return err
			}}
			func() {
				defer func() { _ = recover() }()
				_ = g.Run(ctx)
			}()
			var failed []int
			for _, f := range g.Failed() {
				failed = append(failed, f.Value)
				if !errors.Is(f.Err, fault) && !errors.Is(f.Err, prodcons.ErrGoexit) || !strings.HasPrefix(f.Err.Error(), "consumer 1") {
					t.Errorf("failed: %v", f.Err)
				}
			}
			wantFailed, wantLeft := []int{2}, []int{3, 4}
			if strings.HasPrefix(name, "is stopped") {
				wantFailed, wantLeft = nil, []int{2, 3, 4}
				if len(g.Errors()) > 0 {
					t.Errorf("errors: %v", g.Errors())
				}
			}
			if !slices.Equal(used, []int{1}) || !slices.Equal(failed, wantFailed) || !slices.Equal(g.Left(), wantLeft) {
				t.Errorf("used %v, failed %v, left %v; want %v and %v", used, failed, g.Left(), wantFailed, wantLeft)
			}
			if s := g.Stats(); s.Made != 4 || s.Count != 1+len(failed) || s.Failed != len(failed) || s.Queued != len(wantLeft) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAnItemsOwnDeadlineWhileDrainingIsAnError(t *testing.T) {
	for name, stop := range map[string]func(ctx context.Context) (context.Context, context.CancelFunc){
		"cancelled": context.WithCancel,
		"at deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		},
	} {
		bubble(name, t, func(t *testing.T) {
			ctx, cancel := stop(t.Context())
			time.AfterFunc(time.Second, cancel)
			g := prodcons.Group[int]{
				Drain:   time.Hour,
				Produce: numbers(4, 0),
				Consume: func(ctx context.Context, _, v int) error {
					switch own, cancel := context.WithTimeout(ctx, 2*time.Second); v {
					case 2:
						<-own.Done()
						cancel()
						return own.Err()
					case 3:
						cancel()
						return own.Err()
					default:
						cancel()
						return nil
					}
				},
			}
			if err := g.Run(ctx); err != ctx.Err() {
				t.Error(err)
			}
			all := g.Errors()
			if len(all) != 2 || !errors.Is(all[0], context.DeadlineExceeded) || !errors.Is(all[1], context.Canceled) || len(g.Failed()) != 2 {
				t.Errorf("errors %v, failed %v", all, g.Failed())
			}
		})
	}
}

func TestObserveCountsWhatWasPut(t *testing.T) {
	bubble("retries", t, func(t *testing.T) {
		record := prodcons.NewRecord("retries", nil)
		numbers := map[int]int{}
		made := 0
		g := prodcons.Group[int]{
			Bound: 1, Full: prodcons.FailWhenFull,
			Produce: func(_ context.Context, _ int, put putter) error {
				for i := range 20 {
					for put(i) != nil {
						time.Sleep(time.Second)
					}
				}
				return nil
			},
			Consume: use(1500 * time.Millisecond),
			Observe: func(e prodcons.Event) {
				record.Observe(e)
				if e.Kind == prodcons.ItemMade {
					made++
					numbers[e.Number]++
				}
			},
		}
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if s := record.Stats(); made != 20 || len(numbers) != 20 || s.Made != 20 || s.Count != 20 || g.Stats().Made != 20 {
			t.Errorf("%d made, numbers %v; %+v", made, numbers, s)
		}
	})
	for _, full := range []prodcons.WhenFull{prodcons.DropNewest, prodcons.DropOldest} {
		bubble(full.String(), t, func(t *testing.T) {
			var mu sync.Mutex
			var events []string
			var dropped []int
			g := prodcons.Group[int]{
				Bound: 1, Full: full,
				Produce: func(_ context.Context, _ int, put putter) error {
					for i := range 3 {
						time.Sleep(time.Second)
						_ = put(i + 1)
					}
					return nil
				},
				Consume: use(10 * time.Second),
				OnDrop:  func(v int) { dropped = append(dropped, v) },
				Observe: func(e prodcons.Event) {
					mu.Lock()
					defer mu.Unlock()
					events = append(events, fmt.Sprint(e.Number, " ", e.Kind))
				},
			}
			if err := g.Run(t.Context()); err != nil {
				t.Error(err)
			}
			want := map[prodcons.WhenFull]string{
				prodcons.DropNewest: "1 made, 1 picked up, 2 made, 3 made, 3 dropped, 1 used, 2 picked up, 2 used",
				prodcons.DropOldest: "1 made, 1 picked up, 2 made, 2 dropped, 3 made, 1 used, 3 picked up, 3 used",
			}[full]
			if got := strings.Join(events, ", "); got != want || len(dropped) != 1 {
				t.Errorf("dropped %v; %s; want %s", dropped, got, want)
			}
		})
	}
	bubble("left", t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		record := prodcons.NewRecord("left", nil)
		g := prodcons.Group[int]{
			Produce: numbers(10, time.Second), Observe: record.Observe,
			Consume: func(ctx context.Context, _, v int) error {
				if v == 3 {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			},
		}
		_ = g.Run(ctx)
		got, want := record.Stats(), g.Stats()
		if got.Made != want.Made || got.Count != 2 || want.Count != 2 || got.Queued != len(g.Left()) || want.Queued != len(g.Left()) {
			t.Errorf("%+v\n%+v, left %v", got, want, g.Left())
		}
	})
}

func TestLeftIsACopy(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g := prodcons.Group[int]{Produce: numbers(3, 0), Consume: func(ctx context.Context, _, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		_ = g.Run(ctx)
		g.Left()[0] = 99
		if left := g.Left(); !slices.Equal(left, []int{1, 2, 3}) {
			t.Errorf("left %v", left)
		}
	})
}

// A queue of one's own values: here a full one of items, which tell themselves
// where they come from.
func TestAGroupOverAQueueThatIsFilledAlready(t *testing.T) {
	bubble("", t, func(t *testing.T) {
		record := prodcons.NewRecord("filled", nil)
		q := new(prodcons.Buffer[prodcons.Item[string]])
		for _, word := range []string{"to", "be"} {
			_ = q.Put(t.Context(), prodcons.Item[string]{Origin: record.Made(7), Value: word})
		}
		q.Close()
		var used []string
		g := prodcons.Group[prodcons.Item[string]]{
			Queue: q, Observe: record.Observe,
			Consume: func(_ context.Context, _ int, item prodcons.Item[string]) error {
				time.Sleep(time.Second)
				used = append(used, item.Value)
				return nil
			},
		}
		if err := g.Run(t.Context()); err != nil || !slices.Equal(used, []string{"to", "be"}) {
			t.Errorf("%v, used %v", err, used)
		}
		if s := g.Stats(); s.Count != 2 || s.Measured != 2 || s.Latency.Max != time.Second {
			t.Errorf("%+v", s)
		}
		if s := record.Stats(); s.Made != 2 || s.Count != 2 || s.Latency.Max != time.Second {
			t.Errorf("%+v", s)
		}
	})
	bubble("others fill it", t, func(t *testing.T) {
		q := new(prodcons.Buffer[int])
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		go func() {
			for i := range 5 {
				_ = q.Put(t.Context(), i)
			}
		}()
		g := prodcons.Group[int]{Queue: q, Consume: use(time.Second)}
		if err := g.Run(ctx); err != context.DeadlineExceeded || len(g.Left()) != 0 || q.Len() != 1 || q.TryPut(1) != nil {
			t.Errorf("%v; left %v, and %d in the queue, which must stay open", err, g.Left(), q.Len())
		}
	})
}
