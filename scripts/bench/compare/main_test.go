package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Whatever the distribution, the interval has the median in it fifteen times in
// sixteen, and it is not wider than the rounds warrant.
func TestTheIntervalHasTheMedianInIt(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for name, value := range map[string]func() (float64, float64){
		"even":   func() (float64, float64) { return draw.Float64(), 0.5 },
		"normal": func() (float64, float64) { return draw.NormFloat64(), 0 },
		"a tail": func() (float64, float64) { return math.Exp(3 * draw.NormFloat64()), 1 },
	} {
		for _, n := range []int{5, 6, 10, 15, 50} {
			missed, width := 0, 0
			const tries = 4000
			for range tries {
				values := make([]float64, n)
				var median float64
				for i := range values {
					values[i], median = value()
				}
				low, _, high := estimate(values)
				if low > median || high < median {
					missed++
				}
				for _, v := range values {
					if v >= low && v <= high {
						width++
					}
				}
			}
			if part := float64(missed) / tries; part > 1.0/16+0.015 {
				t.Errorf("%s: %d values: the median is outside %.3f of the time", name, n, part)
			}
			if part := float64(width) / tries / float64(n); n == 50 && part > 0.32 {
				t.Errorf("%s: %d values: %.2f of them are in the interval", name, n, part)
			}
		}
	}
}

func TestAGoalIsMetMissedOrNotToBeTold(t *testing.T) {
	fill := func(ratio float64, spread float64) results {
		all := results{}
		set := func(name, unit string, values ...float64) {
			if all[name] == nil {
				all[name] = map[string][]float64{}
			}
			all[name][unit] = values
		}
		for kind, who := range map[string][]string{
			"Handover": queues, "Tight": queues[:2], "Large": queues[:2], "Crowd": queues[:2], "PingPong": queues[:2], "Work": queues[:2], "Group": callers, "Map": mappers, "Small": callers[:2],
		} {
			for _, side := range who {
				value := 1.0
				if side == "fast" || side == "fastbatch" || side == "prodcons" {
					value = 0.05
				}
				if kind == "PingPong" && side == "fast" {
					set(kind+"/"+side+"/10", perOp, ratio/spread, ratio, ratio, ratio, ratio*spread)
					continue
				}
				set(kind+"/"+side+"/10", perOp, value, value, value, value, value)
			}
		}
		set("Handover/fast/10", "allocs/op", 0, 0, 0, 0, 0)
		set("Handover/fastbatch/10", "allocs/op", 0, 0, 0, 0, 0)
		set("Small/prodcons/10", "allocs/op", 1, 1, 1, 1, 1)
		set("Measuring/on", perOp, 1, 1, 1, 1, 1)
		set("Measuring/off", perOp, 1, 1, 1, 1, 1)
		set("PickUp", "p50-ratio", 1, 1, 1, 1, 1)
		set("PickUp", "p99-ratio", 1, 1, 1, 1, 1)
		return all
	}
	for _, c := range []struct {
		what          string
		ratio, spread float64
		missed, noisy int
	}{
		{"met", 0.5, 1.1, 0, 0},
		{"met by chance", 1.5, 3, 0, 1},
		{"missed by chance", 2.5, 3, 0, 1},
		{"missed", 5, 1.1, 1, 0},
	} {
		if missed, noisy := fill(c.ratio, c.spread).goals(1); missed != c.missed || noisy != c.noisy {
			t.Errorf("%s: %d missed, %d noisy", c.what, missed, noisy)
		}
	}
}
