package prodcons

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// sampled is a latency and the number of values that it stands for.
type sampled struct {
	latency time.Duration
	weight  int
}

// sample plays a producer that makes n values: each has a latency and takes a time.
func sample(r *rand.Rand, n int, value func(i int) (gap, latency time.Duration)) (all []time.Duration, drawn []sampled) {
	s := sampler{rand: r}
	var now time.Duration
	for i := range n {
		gap, latency := value(i)
		now += gap
		all = append(all, latency)
		if s.skip > 0 {
			s.skip--
			continue
		}
		stamp := s.stamp(now, i)
		h := hand[int]{entry: entry[int]{stamp: stamp}}
		_, weight := h.created(time.Time{})
		drawn = append(drawn, sampled{latency, weight})
	}
	return all, drawn
}

func mean(drawn []sampled) float64 {
	sum, weights := 0.0, 0
	for _, d := range drawn {
		sum += d.latency.Seconds() * float64(d.weight)
		weights += d.weight
	}
	return sum / float64(weights)
}

// For each load the mean is off by about 2 % of the standard deviation, and is not
// biased; each quantile is one of nearly that rank. The draws come from a seed:
// exceeding a bound that chance alone may exceed now and then would say nothing.
func TestSamplesTellTheTruth(t *testing.T) {
	const quick, slow = 100 * time.Nanosecond, time.Millisecond
	r := rand.New(rand.NewPCG(1, 2))
	chance := func() time.Duration { return time.Duration(r.ExpFloat64() * 1e6) }
	loads := map[string]func(i int) (gap, latency time.Duration){
		"a queue that grows":   func(i int) (time.Duration, time.Duration) { return quick, time.Duration(i) * time.Microsecond },
		"a queue that shrinks": func(i int) (time.Duration, time.Duration) { return quick, time.Second - time.Duration(i)*900 },
		"by chance":            func(int) (time.Duration, time.Duration) { return quick, chance() },
		"slow":                 func(int) (time.Duration, time.Duration) { return slow, chance() },
		"bursts of 1000": func(i int) (time.Duration, time.Duration) {
			return quick + slow*time.Duration(btoi(i%1000 == 0)), time.Duration(i%1000) * time.Millisecond
		},
		"bursts of 128": func(i int) (time.Duration, time.Duration) {
			return quick + slow*time.Duration(btoi(i%128 == 0)), time.Duration(i%128) * time.Millisecond
		},
		"in step with 2":   func(i int) (time.Duration, time.Duration) { return quick, time.Duration(i%2) * time.Millisecond },
		"one gap is short": func(i int) (time.Duration, time.Duration) { return slow * time.Duration(1-btoi(i == 1500)), chance() },
		"slow and fast in turn": func(i int) (time.Duration, time.Duration) {
			return quick + slow*time.Duration(btoi(i%7 == 0)), chance()
		},
		"a late change for worse": func(i int) (time.Duration, time.Duration) {
			return quick, time.Duration(1+1000*btoi(i%100_000 > 60_000)) * time.Microsecond
		},
		"the same all the time": func(int) (time.Duration, time.Duration) { return quick, time.Millisecond },
		"one in a thousand is bad": func(i int) (time.Duration, time.Duration) {
			return quick, time.Millisecond * time.Duration(1+100*btoi(r.IntN(1000) == 0))
		},
	}
	for _, name := range slices.Sorted(maps.Keys(loads)) {
		load := loads[name]
		for _, n := range []int{1, 2, 100, 127, 128, 129, 200, 2000, 2047, 2500, 5000, 20_000, 131_072, 1_000_000} {
			t.Run(fmt.Sprint(name, ", ", n), func(t *testing.T) {
				rounds := min(max(200_000/n, 2), 40)
				if n == 1_000_000 {
					rounds = 1
				}
				squares, bias := 0.0, 0.0
				for range rounds {
					all, drawn := sample(r, n, load)
					want, square := 0.0, 0.0
					for _, l := range all {
						want += l.Seconds() / float64(n)
					}
					for _, l := range all {
						square += (l.Seconds() - want) * (l.Seconds() - want) / float64(n)
					}
					if n < 2048 && len(drawn) != n {
						t.Fatalf("%d of %d are measured", len(drawn), n)
					}
					deviation := max(math.Sqrt(square), 1e-9)
					off := (mean(drawn) - want) / deviation
					if math.Abs(off) > 0.08 {
						t.Errorf("the mean is %.6g, want %.6g: off by %.2f standard deviations, with %d drawn", mean(drawn), want, off, len(drawn))
					}
					squares, bias = squares+off*off, bias+off
					ranks(t, all, drawn)
				}
				if rms := math.Sqrt(squares / float64(rounds)); rms > 0.03 {
					t.Errorf("the means are off by %.3f standard deviations", rms)
				}
				if bias /= float64(rounds); math.Abs(bias) > 0.03/math.Sqrt(float64(rounds))*4 {
					t.Errorf("the means have a bias of %.4f standard deviations", bias)
				}
			})
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ranks compares quantiles: those of the sample must have nearly their rank among all
// values.
func ranks(t *testing.T, all []time.Duration, drawn []sampled) {
	t.Helper()
	slices.Sort(all)
	slices.SortFunc(drawn, func(a, b sampled) int { return cmp.Compare(a.latency, b.latency) })
	total := 0
	for _, d := range drawn {
		total += d.weight
	}
	for _, q := range []float64{0.5, 0.99} {
		left := int(math.Ceil(q * float64(total)))
		for _, d := range drawn {
			if left -= d.weight; left > 0 {
				continue
			}
			low, _ := slices.BinarySearch(all, d.latency)
			high, _ := slices.BinarySearch(all, d.latency+1)
			n := float64(len(all))
			if allowed := 4 * math.Sqrt(q*(1-q)) * 0.025; float64(low)/n > q+allowed || float64(high)/n < q-allowed {
				t.Errorf("quantile %v is of rank %.4f to %.4f, with %d drawn", q, float64(low)/n, float64(high)/n, len(drawn))
			}
			break
		}
	}
}
