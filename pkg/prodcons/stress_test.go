package prodcons_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
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

// Whatever happens to a group, each value that was put ends in exactly one place:
// used, dropped, left or failed; and the values of one producer keep their order.
func TestStress(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("repeat with: go test -run TestStress ./pkg/prodcons -args -seed %d -rounds %d", s, *rounds)
	happened := map[string]int{}
	for round := range *rounds {
		stress(t, rand.New(rand.NewPCG(s, uint64(round))), happened)
		if t.Failed() {
			t.Fatalf("round %d of seed %d", round, s)
		}
	}
	t.Log(happened)
	for _, how := range []string{"all used", "error", "panic", "cancelled", "Goexit", "dropped", "left", "failed", "given back", "lent"} {
		if happened[how] == 0 && *rounds >= 400 {
			t.Errorf("in %d rounds, never: %s", *rounds, how)
		}
	}
}

// made is a value that knows where it comes from.
type made struct{ producer, number int }

// places counts in how many places each value has been found, by place.
type places struct {
	mu    sync.Mutex
	found map[made]map[string]int
}

func (p *places) add(v made, place string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found[v] == nil {
		p.found[v] = map[string]int{}
	}
	p.found[v][place]++
}

func stress(t *testing.T, draw *rand.Rand, happened map[string]int) {
	g := prodcons.Group[made]{Producers: 1 + draw.IntN(8), Consumers: 1 + draw.IntN(8)}
	each := draw.IntN(400)
	bound := []int{0, 1, 2, 3, 64, 100}[draw.IntN(6)]
	policy := []prodcons.WhenFull{prodcons.WaitWhenFull, prodcons.WaitWhenFull, prodcons.DropNewest, prodcons.DropOldest, prodcons.FailWhenFull}[draw.IntN(5)]
	ends := places{found: map[made]map[string]int{}}
	drop := func(v made) { ends.add(v, "dropped") }
	kind := draw.IntN(10)
	switch kind {
	case 8:
		g.Queue = prodcons.NewLending[made](bound)
	case 9:
		g.Queue = prodcons.NewKeyed(bound, func(v made) int { return v.producer })
	case 0:
		g.Queue = prodcons.NewChannel[made](bound)
	case 1:
		g.Queue = prodcons.NewPolling[made](time.Microsecond)
	case 2:
		q := prodcons.NewBuffer[made](bound, policy)
		q.OnDrop(drop)
		g.Queue = q
	default:
		g.Bound, g.Full, g.OnDrop = bound-1, policy, drop
	}
	if draw.IntN(3) == 0 {
		g.Drain = time.Duration(draw.IntN(3)) * time.Millisecond
	}
	// Where the faults are: the call with which number fails, counting all calls, or
	// none.
	fault := func() int64 {
		if draw.IntN(6) > 0 {
			return -1
		}
		return int64(draw.IntN(1 + each*g.Producers))
	}
	failPut, panicPut, failUse, panicUse, exitUse := fault(), fault(), fault(), fault(), fault()
	failMore := draw.IntN(4) == 0 // while draining
	consumers := []int{draw.IntN(10), draw.IntN(10), 1 + draw.IntN(10)}
	var cancelAfter time.Duration = -1
	if draw.IntN(3) == 0 {
		cancelAfter = time.Duration(draw.IntN(3000)) * time.Microsecond
	}
	events := places{found: map[made]map[string]int{}}
	if draw.IntN(3) == 0 {
		ordered := g.Queue == nil
		g.Observe = func(e prodcons.Event) {
			v := made{e.Producer, e.Number}
			if ordered && e.Kind != prodcons.ItemMade {
				events.mu.Lock()
				if events.found[v]["made"] != 1 {
					t.Errorf("%v: %s before it was made", v, e.Kind)
				}
				events.mu.Unlock()
			}
			events.add(v, string(e.Kind))
		}
	}

	var puts, calls atomic.Int64
	accepted := places{found: map[made]map[string]int{}}
	g.Produce = func(_ context.Context, producer int, put func(made) error) error {
		for i := 1; i <= each; {
			switch puts.Add(1) {
			case failPut:
				return errors.New("a fault of a producer")
			case panicPut:
				panic("a panic of a producer")
			}
			switch err := put(made{producer, i}); err {
			case nil:
				accepted.add(made{producer, i}, "put")
				i++ // its number is that of the event
			case prodcons.ErrFull:
				if draw := puts.Load() % 5; draw == 0 {
					i++ // give it up
				}
			default:
				return err
			}
		}
		return nil
	}
	var mu sync.Mutex
	last := map[[2]int]int{} // by consumer and producer
	g.Consume = func(ctx context.Context, consumer int, v made) (err error) {
		mu.Lock()
		who, before := [2]int{consumer, v.producer}, v.number-1
		switch kind {
		case 8: // what was given back comes again, whoever gets it
			who, before = [2]int{-1, -1}, math.MaxInt
		case 9: // so it does here, but in the order of its key
			who, before = [2]int{0, v.producer}, v.number
		}
		if last[who] > before {
			t.Errorf("%v came to consumer %d after %d", v, consumer, last[who])
		}
		last[who] = v.number
		mu.Unlock()
		n := calls.Add(1)
		switch {
		case n == failUse || failMore && failUse > 0 && n > failUse && n%3 == 0:
			ends.add(v, "to fail")
			return errors.New("a fault of a consumer")
		case n == failUse+1 && failMore:
			own, cancel := context.WithTimeout(context.Background(), 0)
			defer cancel()
			ends.add(v, "to fail")
			return fmt.Errorf("its own deadline: %w", own.Err())
		case n == panicUse:
			ends.add(v, "to fail")
			panic("a panic of a consumer")
		case n == exitUse:
			ends.add(v, "to fail")
			runtime.Goexit()
		}
		if v.number%50 == 0 {
			select {
			case <-time.After(time.Duration(v.number) * time.Microsecond):
			case <-ctx.Done():
				ends.add(v, "given back")
				return ctx.Err()
			}
		}
		ends.add(v, "used")
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
	how := "panic"
	func() {
		defer func() { _, _ = recover().(*prodcons.Panic) }()
		switch err := g.Run(ctx); {
		case err == nil:
			how = "all used"
		case err == context.Canceled:
			how = "cancelled"
		case errors.Is(err, prodcons.ErrGoexit):
			how = "Goexit"
		default:
			how = "error"
		}
	}()
	other.Wait()
	happened[how]++

	what := fmt.Sprintf("%s: kind %d, bound %d, %v, %d × %d, %d consumers, drain %v", how, kind, bound, policy, g.Producers, each, g.Consumers, g.Drain)
	left := g.Left()
	for _, v := range left {
		ends.add(v, "left")
	}
	if kind >= 8 { // what was not used is still there
		if len(left) > 0 {
			t.Errorf("%s: %d left, which belong to the lender", what, len(left))
		}
		g.Queue.Close()
		for g.Queue.Len() > 0 {
			v, err := g.Queue.Get(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			ends.add(v, "lent")
		}
		lentStress(t, what, &g, &ends, &accepted, happened)
		return
	}
	for _, f := range g.Failed() {
		if f.Err == nil {
			t.Errorf("%s: %v has failed without an error", what, f.Value)
		}
		ends.add(f.Value, "failed")
	}
	count := map[string]int{}
	for v, in := range ends.found {
		for place, n := range in {
			happened[place] += n
			count[place] += n
			if n != 1 {
				t.Errorf("%s: %v was %s %d times", what, v, place, n)
			}
		}
		if accepted.found[v]["put"] != 1 {
			t.Errorf("%s: %v was not put, and is found %v", what, v, in)
		}
		if in["to fail"] != in["failed"] && (in["to fail"] == 1 || in["failed"] == 1) {
			t.Errorf("%s: %v: %v", what, v, in)
		}
		if in["given back"] > in["left"] {
			t.Errorf("%s: %v was given back and is not left: %v", what, v, in)
		}
	}
	for v := range accepted.found {
		if in := ends.found[v]; in["used"]+in["dropped"]+in["left"]+in["failed"] != 1 {
			t.Errorf("%s: %v was put and is found: %v", what, v, in)
		}
	}
	s := g.Stats()
	if s.Made != len(accepted.found) || s.Count-s.Failed != count["used"] || s.Failed != count["failed"] || s.Dropped != count["dropped"] || s.Queued != count["left"] {
		t.Errorf("%s: %d put, %v; %+v", what, len(accepted.found), count, s)
	}
	if how == "all used" && len(left) > 0 {
		t.Errorf("%s: %d left", what, len(left))
	}
	if g.Observe != nil {
		seen := map[string]int{}
		for _, in := range events.found {
			for kind, n := range in {
				seen[kind] += n
			}
		}
		want := map[string]int{"made": s.Made, "used": count["used"], "failed": count["failed"], "left": count["left"], "dropped": count["dropped"]}
		if kind == 2 {
			want["dropped"] = 0 // its Buffer tells nobody else
		}
		for kind, n := range want {
			if seen[kind] != n {
				t.Errorf("%s: %d events say that an item was %s, want %d", what, seen[kind], kind, n)
			}
		}
	}
	latest := map[int]int{} // in the queue's part of Left, after that of 10 consumers at most
	for _, v := range left[min(len(left), 10):] {
		if v.number <= latest[v.producer] {
			t.Errorf("%s: %v is left after %d", what, v, latest[v.producer])
		}
		latest[v.producer] = v.number
	}
}

// lentStress checks what is true of a group over a lender: each value was used, or is
// still there, as are those whose use has failed.
func lentStress(t *testing.T, what string, g *prodcons.Group[made], ends, accepted *places, happened map[string]int) {
	failed := map[made]int{}
	for _, f := range g.Failed() {
		failed[f.Value]++
	}
	used := 0
	for v := range accepted.found {
		in := ends.found[v]
		if in["used"]+in["lent"] != 1 {
			t.Errorf("%s: %v was put and is found: %v", what, v, in)
		}
		if in["to fail"] != failed[v] {
			t.Errorf("%s: %v failed %d times, Failed has it %d times", what, v, in["to fail"], failed[v])
		}
		used += in["used"]
		for place, n := range in {
			happened[place] += n
		}
	}
	for v, in := range ends.found {
		if accepted.found[v]["put"] != 1 {
			t.Errorf("%s: %v was not put, and is found %v", what, v, in)
		}
	}
	if s := g.Stats(); s.Made != len(accepted.found) || s.Count-s.Failed != used {
		t.Errorf("%s: %d put, %d used; %+v", what, len(accepted.found), used, s)
	}
}
