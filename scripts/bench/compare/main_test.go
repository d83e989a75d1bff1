package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// The figures of the README are found, and what has drifted from them is reported.
func TestDrift(t *testing.T) {
	asWritten := func() results {
		all := results{}
		set := func(name, unit string, value float64) {
			all[name] = map[string][]float64{unit: {value, value, value, value, value}}
		}
		for kind, ratios := range map[string]map[string]float64{
			"Handover": {"xsync": 0.23, "fast": 0.37, "fastbatch": 0.09}, "Large": {"fast": 0.9}, "Crowd": {"fast": 0.35}, "Work": {"fast": 1.1}, "PingPong": {"fast": 1.3},
		} {
			set(kind+"/chan/1", perOp, 100)
			for who, ratio := range ratios {
				set(kind+"/"+who+"/1", perOp, 100*ratio)
			}
		}
		for row, ratio := range map[string]float64{"1to1/cap1": 1.2, "4to4/cap2": 1.8} {
			set("Tight/chan/"+row, perOp, 100)
			set("Tight/fast/"+row, perOp, 100*ratio)
		}
		for i, ns := range []float64{57, 110, 354, 498, 545, 434, 743} {
			set("Group/"+callers[i]+"/1", perOp, ns)
		}
		set("Small/prodcons/10", perOp, 1.3)
		all["Small/prodcons/10"]["allocs/op"] = []float64{12, 12, 12, 12, 12}
		all["Small/prodcons/10"]["B/op"] = []float64{3700, 3700, 3700, 3700, 3700}
		set("Small/workers/10", perOp, 1)
		all["PickUp"] = map[string][]float64{"p50-ratio": {1.1, 1.1, 1.1, 1.1, 1.1}, "p99-ratio": {1.2, 1.2, 1.2, 1.2, 1.2}}
		return all
	}
	empty := t.TempDir()
	for _, name := range []string{"README.md", "doc.go"} {
		if err := os.WriteFile(filepath.Join(empty, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, unit     string
		factor, spread float64
		folder         string
		want           int
	}{
		{"Handover/fast/1", perOp, 1, 1, "..", 0},
		{"Handover/fast/1", perOp, 1.9, 1, "..", 0},
		{"Handover/fast/1", perOp, 2.2, 1, "..", 1},
		{"Handover/fast/1", perOp, 2.2, 1.1, "..", 1}, // the rounds agree
		{"Handover/fast/1", perOp, 2.2, 1.3, "..", 0}, // too noisy to tell
		{"Handover/fastbatch/1", perOp, 0.4, 1, "..", 1},
		{"Tight/fast/4to4/cap2", perOp, 3, 1, "..", 1},
		{"Group/ants/1", perOp, 0.4, 1, "..", 1},
		{"PickUp", "p99-ratio", 3, 1, "..", 1},
		{"Small/prodcons/10", perOp, 3, 1, "..", 1},
		{"Small/prodcons/10", "allocs/op", 3, 1, "..", 1},
		{"Small/prodcons/10", "B/op", 3, 1, "..", 1},
		{"Handover/fast/1", perOp, 1, 1, empty, -1}, // an error
	} {
		all := asWritten()
		factor := c.factor
		for i := range all[c.name][c.unit] {
			all[c.name][c.unit][i] *= factor
			factor *= c.spread
		}
		if got, err := all.drifted(c.folder); (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("%s × %v: %d have drifted, want %d; %v", c.name, c.factor, got, c.want, err)
		}
	}
}
