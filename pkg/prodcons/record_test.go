package prodcons_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// synchronous makes n items, one a second, and then uses them, each in half a
// second, on a clock that shows speed seconds in one. It returns the record.
func synchronous(t *testing.T, n int, speed time.Duration) *prodcons.Record {
	t.Helper()
	start := time.Now()
	run := prodcons.NewRecord("synchronous", func() time.Time {
		return start.Add(speed * time.Since(start))
	})
	var queue []prodcons.Origin
	for range n {
		queue = append(queue, run.Made(1))
		time.Sleep(time.Second / speed)
	}
	for _, o := range queue {
		run.PickedUp(1, o)
		time.Sleep(time.Second / 2 / speed)
		run.Done(1, o)
	}
	run.AddEmptyPolls(3)
	run.End()
	return run
}

func TestARecordHasTheTimesOfItsClock(t *testing.T) {
	for _, speed := range []time.Duration{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			s := synchronous(t, 20, speed).Stats()
			for _, row := range []struct {
				name      string
				got, want time.Duration
			}{
				{"total", s.Total, 30 * time.Second},
				{"first wait", s.Latency.First, 20 * time.Second},
				{"longest wait", s.Latency.Max, 20 * time.Second},
				{"last wait", s.Latency.Last, 10500 * time.Millisecond},
				{"shortest wait", s.Latency.Min, 10500 * time.Millisecond},
				{"mean wait", s.Latency.Mean, 15250 * time.Millisecond},
			} {
				if row.got != row.want {
					t.Errorf("speed %d: %s is %v, want %v", speed, row.name, row.got, row.want)
				}
			}
			if s.Count != 20 || s.EmptyPolls != 3 {
				t.Errorf("%d items and %d looks, want 20 and 3", s.Count, s.EmptyPolls)
			}
		})
	}
}

func TestStatsOfLittle(t *testing.T) {
	run := prodcons.NewRecord("nothing", time.Now)
	if s := run.Stats(); !reflect.DeepEqual(s, prodcons.Stats{}) {
		t.Errorf("statistics of nothing are %+v", s)
	}
	synctest.Test(t, func(t *testing.T) {
		s := synchronous(t, 1, 1).Stats()
		if s.Count != 1 || s.Latency.Min != s.Latency.Max || s.Latency.First != s.Latency.Last {
			t.Errorf("statistics of one item are %+v", s)
		}
	})
}

func TestEndIsTheFirstEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := prodcons.NewRecord("x", time.Now)
		time.Sleep(time.Second)
		if total := run.End(); total != time.Second {
			t.Errorf("total %v, want 1 s", total)
		}
		time.Sleep(time.Second)
		if total := run.End(); total != time.Second {
			t.Errorf("a second End says %v", total)
		}
	})
}

func TestRecordSurvivesJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := synchronous(t, 5, 3)
		data, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		var back prodcons.Record
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if back.Name() != run.Name() || !reflect.DeepEqual(back.Stats(), run.Stats()) || !reflect.DeepEqual(back.Events(), run.Events()) {
			t.Errorf("%+v became %+v", run.Stats(), back.Stats())
		}
	})
	if err := json.Unmarshal([]byte(`{"events": 3}`), new(prodcons.Record)); err == nil {
		t.Error("a record with events that are none was read")
	}
}

func TestNumbersAreGivenOncePerProducer(t *testing.T) {
	run := prodcons.NewRecord("x", time.Now)
	var wg sync.WaitGroup
	for p := range 4 {
		for range 2 { // two goroutines for each producer
			wg.Go(func() {
				for range 100 {
					run.Made(p)
				}
			})
		}
	}
	wg.Wait()
	numbers := map[int][]int{}
	for _, e := range run.Events() {
		numbers[e.Producer] = append(numbers[e.Producer], e.Number)
	}
	for p, n := range numbers {
		if len(n) != 200 || !slices.IsSorted(n) || n[0] != 1 || n[199] != 200 {
			t.Errorf("producer %d: numbers %v", p, n)
		}
	}
}

func ExampleRecord() {
	run := prodcons.NewRecord("example", time.Now)
	item := run.Made(1)
	run.PickedUp(1, item)
	run.Done(1, item)
	run.End()
	s := run.Stats()
	fmt.Println(s.Count, s.Latency.Mean < time.Second)
	// Output: 1 true
}
