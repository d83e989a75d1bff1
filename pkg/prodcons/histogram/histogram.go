// Package histogram counts durations in buckets whose width grows with them, so
// that a few kilobytes hold the distribution of any number of durations from a
// nanosecond to centuries, with a bounded relative error.
//
// The layout is that of Gil Tene's HdrHistogram: 32 buckets for each power of two. A
// duration read from it is the middle of its bucket, and so off by at most 1/64 (1.6
// %); below 64 ns it is exact.
package histogram

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	exact   = 64 // durations below it have a bucket each
	octave  = 32 // buckets for each power of two
	octaves = 57 // from 2^6 to 2^63
)

// Histogram is a distribution of durations. The zero value is empty and ready for use.
// It takes 15 KB. Its methods may be called by any number of goroutines at once; none
// waits or allocates.
type Histogram struct {
	buckets [exact + octaves*octave]atomic.Int64
	seconds atomic.Int64 // of the sum, each part with its weights
	rest    atomic.Int64 // nanoseconds of the sum, up to a second for each
	min     atomic.Int64 // its complement, so that zero is none
	max     atomic.Int64
}

func bucket(d time.Duration) int {
	if d < exact {
		return int(d)
	}
	shift := bits.Len64(uint64(d)) - 6
	return exact + (shift-1)*octave + int(d>>shift) - octave
}

// middle is the duration that stands for those of bucket i.
func middle(i int) time.Duration {
	if i < exact {
		return time.Duration(i)
	}
	shift := (i-exact)/octave + 1
	low := time.Duration((i-exact)%octave+octave) << shift
	return low + 1<<(shift-1)
}

// Add counts a duration that stands for weight of its kind. One below zero counts as
// zero, and one with a weight below one is not counted. It costs about 10 ns
// (BenchmarkAdd).
func (h *Histogram) Add(d time.Duration, weight int) {
	if weight < 1 {
		return
	}
	d = max(d, 0)
	h.buckets[bucket(d)].Add(int64(weight))
	if s := d / time.Second; s > 0 {
		h.seconds.Add(int64(s) * int64(weight))
	}
	h.rest.Add(int64(d%time.Second) * int64(weight))
	for v := h.max.Load(); int64(d) > v && !h.max.CompareAndSwap(v, int64(d)); v = h.max.Load() {
	}
	for v := h.min.Load(); (v == 0 || ^int64(d) > v) && !h.min.CompareAndSwap(v, ^int64(d)); v = h.min.Load() {
	}
}

// Clone returns a copy of the histogram as it is now. Durations added meanwhile may be
// in some of its numbers and not yet in others.
func (h *Histogram) Clone() *Histogram {
	c := new(Histogram)
	for i := range h.buckets {
		c.buckets[i].Store(h.buckets[i].Load())
	}
	c.seconds.Store(h.seconds.Load())
	c.rest.Store(h.rest.Load())
	c.min.Store(h.min.Load())
	c.max.Store(h.max.Load())
	return c
}

// Summary is what a histogram says at one moment. All fields are zero when it is empty.
type Summary struct {
	Count          int // the sum of all weights
	Min, Mean, Max time.Duration
	Quantiles      []time.Duration // those asked for
}

// Summarise returns the numbers of all durations so far: Min, Mean and Max exactly, and
// for each q (from 0 to 1) the smallest duration that this part of them does not
// exceed, with the package's error. Durations added meanwhile may be in some of the
// numbers and not yet in others. It costs a few microseconds.
func (h *Histogram) Summarise(q ...float64) Summary {
	var counts [len(h.buckets)]int64
	var total int64
	for i := range h.buckets {
		counts[i] = h.buckets[i].Load()
		total += counts[i]
	}
	s := Summary{Count: int(total), Quantiles: make([]time.Duration, len(q))}
	if total == 0 {
		return s
	}
	s.Min = time.Duration(^h.min.Load())
	s.Max = time.Duration(h.max.Load())
	s.Mean = mean(h.seconds.Load(), h.rest.Load(), total)
	for k, q := range q {
		rank := min(max(int64(math.Ceil(q*float64(total))), 1), total)
		for i, n := range counts {
			if rank -= n; rank <= 0 {
				s.Quantiles[k] = min(max(middle(i), s.Min), s.Max)
				break
			}
		}
	}
	return s
}

// mean is a sum, of seconds and nanoseconds, divided by n.
func mean(seconds, rest, n int64) time.Duration {
	whole, over := seconds/n, seconds%n // over seconds are less than one for each
	hi, lo := bits.Mul64(uint64(over), uint64(time.Second))
	lo, carry := bits.Add64(lo, uint64(rest), 0)
	part, _ := bits.Div64(hi+carry, lo, uint64(n))
	return time.Duration(whole)*time.Second + time.Duration(part)
}
