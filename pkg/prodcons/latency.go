package prodcons

import (
	"sync/atomic"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons/histogram"
)

// latencies are those of a group's values, where they were measured.
type latencies struct {
	measured    atomic.Int64
	first, last atomic.Int64     // nanoseconds + 1
	few         [24]atomic.Int64 // the first of them, each + 1; then all needs its memory
	all         atomic.Pointer[histogram.Histogram]
}

func (l *latencies) add(latency time.Duration, weight int) {
	n := l.measured.Add(1)
	l.last.Store(int64(latency) + 1)
	if n == 1 {
		l.first.Store(int64(latency) + 1)
	}
	if n <= int64(len(l.few)) { // each of them stands for itself only
		l.few[n-1].Store(int64(latency) + 1)
		return
	}
	h := l.all.Load()
	if h == nil {
		l.all.CompareAndSwap(nil, new(histogram.Histogram))
		h = l.all.Load()
	}
	h.Add(latency, weight)
}

func (l *latencies) summary() Latency {
	h := l.all.Load()
	if h == nil {
		h = new(histogram.Histogram)
	} else {
		h = h.Clone()
	}
	for i := range l.few {
		if v := l.few[i].Load(); v > 0 {
			h.Add(time.Duration(v-1), 1)
		}
	}
	s := latency(h)
	if first := l.first.Load(); first > 0 {
		s.First, s.Last = time.Duration(first-1), time.Duration(l.last.Load()-1)
	}
	return s
}
