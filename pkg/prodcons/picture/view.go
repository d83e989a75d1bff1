package picture

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// axis is the shortest time axis: pictures side by side share one.
const axis = 32 * time.Second

// span is an item's way through the run. A time of NaN is one that has not come.
type span struct {
	producer, consumer int
	made, picked, done float64
	dropped            float64
}

// mark is something that happened at a time and is no item's.
type mark struct {
	at   float64
	what string
}

// view is a run as it is drawn.
type view struct {
	name      string
	stats     prodcons.Stats
	items     []span
	marks     []mark
	producers int
	consumers int
	end       float64
	steps     [][2]float64 // queue length from a time on
	longest   int          // the longest queue
}

func newView(run *prodcons.Record) *view {
	v := &view{name: run.Name(), stats: run.Stats(), producers: 1, consumers: 1}
	type step struct {
		at     float64
		change int
	}
	var steps []step
	at := map[[2]int]int{}
	begin := func(e prodcons.Event, made time.Duration) int {
		i := len(v.items)
		at[[2]int{e.Producer, e.Number}] = i
		v.items = append(v.items, span{e.Producer, 0, made.Seconds(), math.NaN(), math.NaN(), math.NaN()})
		steps = append(steps, step{made.Seconds(), 1})
		return i
	}
	for _, e := range run.Events() {
		t := e.At.Seconds()
		v.producers, v.consumers = max(v.producers, e.Producer), max(v.consumers, e.Consumer)
		i, known := at[[2]int{e.Producer, e.Number}]
		switch e.Kind {
		case prodcons.ItemMade:
			begin(e, e.At)
		case prodcons.ItemPickedUp:
			if !known { // the record has forgotten how it was made
				i = begin(e, max(e.At-e.Latency, 0))
			}
			v.items[i].consumer, v.items[i].picked = e.Consumer, t
			steps = append(steps, step{t, -1})
		case prodcons.ItemDropped:
			if known {
				v.items[i].dropped = t
				steps = append(steps, step{t, -1})
			}
		case prodcons.ItemUsed, prodcons.ItemFailed:
			if known {
				v.items[i].done = t
			}
		case prodcons.ItemLeft:
			if known && e.Consumer > 0 { // given back: it waits once more
				v.items[i].done = t
				steps = append(steps, step{t, 1})
				at[[2]int{e.Producer, e.Number}] = len(v.items)
				v.items = append(v.items, span{e.Producer, 0, v.items[i].made, math.NaN(), math.NaN(), math.NaN()})
			}
		default:
			v.marks = append(v.marks, mark{t, string(e.Kind)})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	length := 0
	for _, s := range steps {
		length += s.change
		v.steps = append(v.steps, [2]float64{s.at, float64(length)})
		v.longest = max(v.longest, length)
	}
	total := max(v.stats.Total, time.Second)
	v.end = max(axis.Seconds(), math.Ceil(total.Seconds()*1.02))
	return v
}

func (v *view) sentence() string {
	s := v.stats
	text := fmt.Sprintf("Picture of the run %q: %s %s %s in %.1f s.", v.name,
		count(v.consumers, "consumer"), map[bool]string{true: "uses", false: "use"}[v.consumers == 1],
		fmt.Sprintf("%s of %s", count(s.Count, "item"), count(v.producers, "producer")), s.Total.Seconds())
	if s.Count > 0 {
		text += fmt.Sprintf(" An item waits %.2f s for its pick-up on average, at least %.2f s and at most %.2f s.",
			s.Latency.Mean.Seconds(), s.Latency.Min.Seconds(), s.Latency.Max.Seconds())
	}
	if v.longest > 1 {
		text += fmt.Sprintf(" Up to %d items lie in the queue.", v.longest)
	}
	if n := v.count(span.isDropped); n > 0 {
		text += fmt.Sprintf(" %s dropped.", were(n))
	}
	if n := v.count(span.isLeft); n > 0 {
		text += fmt.Sprintf(" %s left.", were(n))
	}
	for _, m := range v.marks {
		text += fmt.Sprintf(" After %.2f s: %s.", m.at, m.what)
	}
	return text
}

func (s span) isDropped() bool { return !math.IsNaN(s.dropped) }
func (s span) isLeft() bool    { return math.IsNaN(s.picked) && math.IsNaN(s.dropped) }

func (v *view) count(is func(span) bool) (n int) {
	for _, s := range v.items {
		if is(s) {
			n++
		}
	}
	return n
}

func were(n int) string {
	if n == 1 {
		return "1 item was"
	}
	return fmt.Sprintf("%d items were", n)
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
