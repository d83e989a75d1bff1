// Compare runs the benchmarks of this module in turns, prints the medians as
// tables, ours beside the peers', and says which goals are met.
//
//	go run ./compare [-rounds 5] [-attempts 1] [-slack 1]
//
// Each round runs every benchmark once, so that a noisy neighbour does not hit
// one row alone. The exit status is 1 when a goal is missed by more than the
// factor slack, after all attempts.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/perf/benchfmt"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("compare: ")
	rounds := flag.Int("rounds", 5, "how often each benchmark is run; medians are taken")
	attempts := flag.Int("attempts", 1, "run as many rounds more, up to so often, while a goal is missed")
	slack := flag.Float64("slack", 1, "a goal counts as missed when the value is so many times what it may be at most")
	flag.Parse()
	if flag.NArg() > 0 || *rounds < 1 || *attempts < 1 || !(*slack >= 1) {
		log.Fatal("usage: go run ./compare [-rounds 5] [-attempts 1] [-slack 1]")
	}
	if err := run(*rounds, *attempts, *slack); err != nil {
		log.Fatal(err)
	}
}

// benchmarks are the packages whose benchmarks are run, and how.
var benchmarks = []struct{ folder, pattern, time string }{
	{".", "Handover|Group", "0.1s"},
	{".", "PickUp", "2000x"},
	{"../../pkg/prodcons", "Measuring", "0.5s"},
}

func run(rounds, attempts int, slack float64) error {
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for i, b := range benchmarks {
		build := exec.Command("go", "test", "-c", "-o", binary(dir, i), ".")
		build.Dir, build.Stderr = b.folder, os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build the benchmarks of %s: %w", b.folder, err)
		}
	}
	results := results{}
	for attempt := 1; ; attempt++ {
		if err := results.measure(dir, rounds); err != nil {
			return err
		}
		results.print()
		if results.goals(slack) {
			return nil
		}
		if attempt == attempts {
			return fmt.Errorf("a goal is missed")
		}
		fmt.Print("\nSome rounds more, to be added to these: there may have been noise.\n\n")
	}
}

func binary(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("%d.test", i)) }

// results are the values that were measured, by benchmark (without its prefix and
// the number of processors) and unit.
type results map[string]map[string][]float64

// measure adds the values of some rounds.
func (all results) measure(dir string, rounds int) error {
	for range rounds {
		for i, b := range benchmarks {
			cmd := exec.Command(binary(dir, i), "-test.run", "^$", "-test.bench", b.pattern, "-test.benchtime", b.time)
			cmd.Dir = b.folder
			out, err := cmd.CombinedOutput()
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", b.pattern, err, out)
			}
			if err := all.read(bytes.NewReader(out)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (all results) read(r io.Reader) error {
	in := benchfmt.NewReader(r, "go test")
	for in.Scan() {
		result, ok := in.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		name, parts := result.Name.Parts()
		for _, p := range parts {
			if p[0] == '/' {
				name = append(name, p...)
			}
		}
		for _, v := range result.Values {
			unit, value := v.Unit, v.Value
			if v.OrigUnit != "" {
				unit, value = v.OrigUnit, v.OrigValue
			}
			if all[string(name)] == nil {
				all[string(name)] = map[string][]float64{}
			}
			all[string(name)][unit] = append(all[string(name)][unit], value)
		}
	}
	return in.Err()
}

// median returns the median of a benchmark's values; NaN if there are none.
func (all results) median(name, unit string) float64 {
	values := slices.Sorted(slices.Values(all[name][unit]))
	if len(values) == 0 {
		return math.NaN()
	}
	return values[len(values)/2]
}

const perOp = "ns/op"

var (
	queues  = []string{"chan", "xsync", "fast", "fastbatch"}
	callers = []string{"prodcons", "workers", "rill", "conc", "errgroup", "pond", "ants"}
)

// rows are what comes after Kind/who/ in the names of benchmarks, in their order.
func (all results) rows(prefix string) []string {
	var rows []string
	for name := range maps.Keys(all) {
		if row, ok := strings.CutPrefix(name, prefix); ok {
			rows = append(rows, row)
		}
	}
	order := func(row string) string { // numbers by their size
		return strings.Join(strings.FieldsFunc(row, func(r rune) bool { return r < '0' || r > '9' }), " ")
	}
	slices.SortFunc(rows, func(a, b string) int {
		var x, y [3]int
		_, _ = fmt.Sscan(order(a), &x[0], &x[1], &x[2])
		_, _ = fmt.Sscan(order(b), &y[0], &y[1], &y[2])
		return slices.Compare(x[:], y[:])
	})
	return rows
}

func (all results) print() {
	for _, table := range []struct {
		name string
		who  []string
	}{{"Handover", queues}, {"Group", callers}} {
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(w, "%s, ns per item\t%s\t\n", table.name, strings.Join(table.who, "\t"))
		for _, row := range all.rows(table.name + "/" + table.who[0] + "/") {
			fmt.Fprintf(w, "%s\t", row)
			for _, who := range table.who {
				fmt.Fprintf(w, "%.3g\t", all.median(table.name+"/"+who+"/"+row, perOp))
			}
			fmt.Fprintln(w)
		}
		_ = w.Flush() // nowhere is left to report to
		fmt.Println()
	}
}

// ratios are who's times as parts of the peer's, row by row, and their geometric
// mean.
func (all results) ratios(kind, who, peer string) (mean, worst float64) {
	sum, n := 0.0, 0
	for _, row := range all.rows(kind + "/" + peer + "/") {
		r := all.median(kind+"/"+who+"/"+row, perOp) / all.median(kind+"/"+peer+"/"+row, perOp)
		sum += math.Log(r)
		worst = math.Max(worst, r)
		n++
	}
	return math.Exp(sum / float64(n)), worst
}

// goals says which are met (✔), nearly met (≈) or missed (✘), and reports whether
// none is missed.
func (all results) goals(slack float64) bool {
	met := true
	goal := func(what string, value, most float64) {
		mark := "✔"
		switch {
		case value <= most:
		case value <= most*slack:
			mark = "≈"
		default: // NaN too
			mark, met = "✘", false
		}
		fmt.Printf("%s %s: %.3f, at most %.2f\n", mark, what, value, most)
	}
	mean, worst := all.ratios("Handover", "fast", "chan")
	goal("fast ÷ chan", mean, 0.40)
	goal("fast ÷ chan, worst row", worst, 0.80)
	mean, _ = all.ratios("Handover", "fast", "xsync")
	goal("fast ÷ xsync", mean, 0.80)
	mean, _ = all.ratios("Handover", "fastbatch", "chan")
	goal("fastbatch ÷ chan", mean, 0.10)
	for _, peer := range callers[1:] {
		_, worst := all.ratios("Group", "prodcons", peer)
		goal("the whole call ÷ "+peer+", worst row", worst, 1)
	}
	goal("measuring on ÷ off", all.median("Measuring/on", perOp)/all.median("Measuring/off", perOp), 1.10)
	goal("pick-up when idle ÷ chan, p50", all.median("PickUp", "p50-ratio"), 1.10)
	goal("pick-up when idle ÷ chan, p99", all.median("PickUp", "p99-ratio"), 1.10)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, "Handover/fast") && all.median(name, "allocs/op") != 0 {
			goal(name+", allocations per item", all.median(name, "allocs/op"), 0)
		}
	}
	return met
}
