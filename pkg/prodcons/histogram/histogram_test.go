package histogram_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons/histogram"
)

func TestQuantilesAreOffByOneSixtyFourthAtMost(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for name, next := range map[string]func() time.Duration{
		"below 64 ns":    func() time.Duration { return time.Duration(draw.IntN(64)) },
		"even":           func() time.Duration { return time.Duration(draw.Int64N(int64(time.Second))) },
		"every size":     func() time.Duration { return time.Duration(math.Exp(draw.Float64() * 43)) },
		"one":            func() time.Duration { return 1234567 },
		"the very large": func() time.Duration { return math.MaxInt64 - time.Duration(draw.Int64N(1<<60)) },
	} {
		t.Run(name, func(t *testing.T) {
			var h histogram.Histogram
			all := make([]time.Duration, 10_000)
			for i := range all {
				all[i] = next()
				h.Add(all[i], 1)
			}
			slices.Sort(all)
			qs := []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 1}
			s := h.Summarise(qs...)
			if s.Count != len(all) || s.Min != all[0] || s.Max != all[len(all)-1] {
				t.Errorf("%d from %v to %v, want %d from %v to %v", s.Count, s.Min, s.Max, len(all), all[0], all[len(all)-1])
			}
			for i, q := range qs {
				want := all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
				if off := math.Abs(float64(s.Quantiles[i]-want)) / max(float64(want), 1); off > 1.0/64 {
					t.Errorf("quantile %v is %d, want %d: off by %.3f", q, s.Quantiles[i], want, off)
				}
			}
		})
	}
}

func TestWeightsCount(t *testing.T) {
	var h histogram.Histogram
	h.Add(10, 1)
	h.Add(20, 3)
	h.Add(-5, 0)
	s := h.Summarise(0.25, 0.26)
	if s.Count != 4 || s.Mean != 17 || s.Quantiles[0] != 10 || s.Quantiles[1] != 20 {
		t.Errorf("%+v", s)
	}
}

// The sum of all durations may be longer than a Duration can hold.
func TestTheMeanOfALongTime(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 999, time.Hour, 1000 * time.Hour, math.MaxInt64} {
		var h histogram.Histogram
		for range 1000 {
			h.Add(d, 20_000) // 20 million
		}
		if s := h.Summarise(); s.Mean != d || s.Count != 20_000_000 {
			t.Errorf("the mean of 20 million times %v is %v", d, s.Mean)
		}
	}
}

func TestNothing(t *testing.T) {
	var h histogram.Histogram
	if s := h.Summarise(0.5); s.Count != 0 || s.Min != 0 || s.Max != 0 || s.Mean != 0 || s.Quantiles[0] != 0 {
		t.Errorf("%+v", s)
	}
}

func TestManyAddAtOnce(t *testing.T) {
	var h histogram.Histogram
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for d := range 1000 {
				h.Add(time.Duration(1000*i+d), 1)
			}
		})
	}
	wg.Wait()
	if s := h.Summarise(); s.Count != 8000 || s.Min != 0 || s.Max != 7999 || s.Mean != 3999 {
		t.Errorf("%+v", s)
	}
}

func Example() {
	var h histogram.Histogram
	for i := range 1000 {
		h.Add(time.Duration(i)*time.Millisecond, 1)
	}
	s := h.Summarise(0.5, 0.99)
	fmt.Println(s.Count, s.Max, s.Quantiles[0].Round(10*time.Millisecond))
	// Output: 1000 999ms 500ms
}

func BenchmarkAdd(b *testing.B) {
	var h histogram.Histogram
	for i := range b.N {
		h.Add(time.Duration(i), 1)
	}
}
