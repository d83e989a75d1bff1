package prodcons

import (
	"slices"
	"time"
)

// Latency sums up how long items waited from their creation to their pick-up,
// in story time. All are zero when nothing was picked up.
type Latency struct {
	Min, Mean, Max time.Duration
	First, Last    time.Duration // of the first and the last item picked up
}

// Stats sums up a run.
type Stats struct {
	Count   int           // items picked up
	Total   time.Duration // length of the run, in story time
	Latency Latency
	Looks   int // looks in vain
}

// Stats returns the statistics of the run: up to its end, or up to the last
// event of one that still goes on. It costs time in proportion to the number of
// events.
func (r *Record) Stats() Stats {
	waits := r.Latencies()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Count: len(waits), Total: r.total, Looks: r.looks}
	if n := len(r.events); s.Total == 0 && n > 0 {
		s.Total = r.events[n-1].At
	}
	if s.Count == 0 {
		return s
	}
	var sum time.Duration
	for _, l := range waits {
		sum += l
	}
	s.Latency = Latency{
		Min: slices.Min(waits), Mean: sum / time.Duration(s.Count), Max: slices.Max(waits),
		First: waits[0], Last: waits[s.Count-1],
	}
	return s
}

// Latencies returns how long each item picked up had waited, in the order of
// their pick-up, in story time.
func (r *Record) Latencies() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	type key struct{ producer, number int }
	made := make(map[key]time.Duration, len(r.events)/3)
	var waits []time.Duration
	for _, e := range r.events {
		k := key{e.Producer, e.Number}
		switch e.Kind {
		case Made:
			made[k] = e.At
		case PickedUp:
			waits = append(waits, e.At-made[k])
		}
	}
	return waits
}
