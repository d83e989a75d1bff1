package prodcons_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

var (
	seed   = flag.Uint64("seed", 0, "of the stress test; 0 draws one")
	rounds = flag.Int("rounds", 400, "of the stress test")
)

// Whatever happens to a group, made = used + dropped + left, each once, and those
// of one producer in their order.
func TestStress(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("repeat with: go test -run TestStress ./pkg/prodcons -args -seed %d -rounds %d", s, *rounds)
	happened := map[string]int{}
	for round := range *rounds {
		how := stress(t, rand.New(rand.NewPCG(s, uint64(round))))
		happened[how]++
		if t.Failed() {
			t.Fatalf("round %d of seed %d", round, s)
		}
	}
	t.Log(happened)
	for _, how := range []string{"all used", "error", "panic", "cancelled", "Goexit"} {
		if happened[how] == 0 && *rounds >= 400 {
			t.Errorf("in %d rounds, never: %s", *rounds, how)
		}
	}
}

// made is a value that knows where it comes from.
type made struct{ producer, number int }

func stress(t *testing.T, draw *rand.Rand) (how string) {
	g := prodcons.Group[made]{Producers: 1 + draw.IntN(8), Consumers: 1 + draw.IntN(8)}
	each := draw.IntN(400)
	bound := []int{0, 1, 2, 3, 64, 100}[draw.IntN(6)]
	policy := []prodcons.WhenFull{prodcons.Wait, prodcons.Wait, prodcons.DropNewest, prodcons.DropOldest, prodcons.Fail}[draw.IntN(5)]
	kind := draw.IntN(6)
	switch kind {
	case 0:
		g.Queue = prodcons.NewChannel[prodcons.Entry[made]](bound)
	case 1:
		g.Queue = prodcons.NewPolling[prodcons.Entry[made]](time.Microsecond)
	default:
		g.Queue = prodcons.NewBuffer[prodcons.Entry[made]](bound, policy)
	}
	if draw.IntN(3) == 0 {
		g.Drain = time.Duration(draw.IntN(3)) * time.Millisecond
	}
	// Where the faults lie: the how-manyth call of all does it, or none.
	fault := func() int64 {
		if draw.IntN(6) > 0 {
			return -1
		}
		return int64(draw.IntN(1 + each*g.Producers))
	}
	failPut, panicPut, failUse, panicUse, exitUse := fault(), fault(), fault(), fault(), fault()
	consumers := []int{draw.IntN(10), draw.IntN(10), 1 + draw.IntN(10)}
	var cancelAfter time.Duration = -1
	if draw.IntN(3) == 0 {
		cancelAfter = time.Duration(draw.IntN(3000)) * time.Microsecond
	}
	observed := draw.IntN(3) == 0
	var events atomic.Int64
	if observed {
		g.Observe = func(e prodcons.Event) {
			if e.Kind == prodcons.PickedUp {
				events.Add(1)
			}
		}
	}

	var puts, calls, accepted atomic.Int64
	g.Produce = func(_ context.Context, producer int, put func(made) error) error {
		for i := 1; i <= each; i++ {
			switch puts.Add(1) {
			case failPut:
				return errors.New("a fault of a producer")
			case panicPut:
				panic("a panic of a producer")
			}
			err := put(made{producer, i})
			if err == nil {
				accepted.Add(1)
			} else if err != prodcons.ErrFull {
				return err
			}
		}
		return nil
	}
	var mu sync.Mutex
	used := map[made]int{}
	last := map[[2]int]int{} // by consumer and producer
	g.Consume = func(_ context.Context, consumer int, v made) error {
		mu.Lock()
		used[v]++
		if last[[2]int{consumer, v.producer}] >= v.number {
			t.Errorf("consumer %d got %d of producer %d after %d", consumer, v.number, v.producer, last[[2]int{consumer, v.producer}])
		}
		last[[2]int{consumer, v.producer}] = v.number
		mu.Unlock()
		switch calls.Add(1) {
		case failUse:
			return errors.New("a fault of a consumer")
		case panicUse:
			panic("a panic of a consumer")
		case exitUse:
			runtime.Goexit()
		}
		if v.number%50 == 0 {
			time.Sleep(time.Duration(v.number) * time.Microsecond)
		}
		return nil
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if cancelAfter >= 0 {
		time.AfterFunc(cancelAfter, cancel)
	}
	var other sync.WaitGroup
	other.Go(func() {
		for _, n := range consumers {
			g.SetConsumers(n)
			_ = g.Stats()
			time.Sleep(100 * time.Microsecond)
		}
	})
	func() {
		defer func() {
			if p, ok := recover().(*prodcons.Panic); ok {
				how = "panic"
				_ = p
			}
		}()
		switch err := g.Run(ctx); {
		case err == nil:
			how = "all used"
		case errors.Is(err, context.Canceled):
			how = "cancelled"
		case errors.Is(err, prodcons.ErrGoexit):
			how = "Goexit"
		default:
			how = "error"
		}
	}()
	other.Wait()

	what := fmt.Sprintf("%s: kind %d, bound %d, %v, %d × %d, %d consumers, drain %v", how, kind, bound, policy, g.Producers, each, g.Consumers, g.Drain)
	s, left := g.Stats(), g.Left()
	if int64(s.Made) != accepted.Load() || s.Made != s.Count+s.Dropped+len(left) || s.Count != len(used) || s.Queued != len(left) {
		t.Errorf("%s: %d put, %d used, %d left; %+v", what, accepted.Load(), len(used), len(left), s)
	}
	if observed && events.Load() != int64(s.Count) {
		t.Errorf("%s: %d picked up, %d observed", what, s.Count, events.Load())
	}
	if how == "all used" && len(left) > 0 {
		t.Errorf("%s: %d left", what, len(left))
	}
	latest := map[int]int{}
	for v, n := range used {
		if n != 1 {
			t.Errorf("%s: %v was used %d times", what, v, n)
		}
		latest[v.producer] = max(latest[v.producer], v.number)
	}
	for _, v := range left {
		if v.number <= latest[v.producer] {
			t.Errorf("%s: %v is left, and was used or has gone before %d", what, v, latest[v.producer])
		}
		latest[v.producer] = v.number
	}
	return how
}
