// Compare runs the benchmarks of this module in turns, prints the medians as
// tables, ours beside the peers', and says which goals are met, and which figures of
// the README have drifted.
//
//	go run ./compare [-rounds 5] [-attempts 1] [-slack 1]
//
// Each round runs every benchmark once, and the next one in reverse order, so that a
// noisy neighbour does not hit only one row or one side. What counts are the ratios of
// one round. The median of each is estimated with an interval, from the order of the
// rounds' ratios: a goal is met or missed when the whole interval is on one side of it,
// and otherwise it is too noisy to tell. A figure has drifted when the whole interval
// is more than a factor of 2 away from it, and is not wider than that; that is reported,
// as it may be the machine. The exit status is 1 when a goal is missed by more than the
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
	slack := flag.Float64("slack", 1, "a goal counts as missed when the value is more than that factor above its limit")
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
	{".", "Handover|Tight|Large|Crowd|PingPong|Work|Group|Map", "0.1s"},
	{".", "Small", "0.2s"},
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
		missed, noisy := results.goals(slack)
		fmt.Printf("\nThe figures in the README, within a factor of %d:\n", drift)
		drifted, err := results.drifted(".")
		if err != nil {
			return err
		}
		if missed+noisy+drifted == 0 {
			return nil
		}
		if attempt == attempts {
			if missed > 0 {
				return fmt.Errorf("goals missed: %d", missed)
			}
			fmt.Printf("Of %d goals it is too noisy to tell whether they are met. Here, %d figures are others than in the README.\n", noisy, drifted)
			return nil
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
	for round := range rounds {
		for i, b := range benchmarks {
			cmd := exec.Command(binary(dir, i), "-test.run", "^$", "-test.bench", b.pattern, "-test.benchtime", b.time)
			if round%2 == 1 && b.folder == "." {
				cmd.Args = append(cmd.Args, "-reverse")
			}
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
	queues  = []string{"chan", "fast", "xsync", "fastbatch"}
	mappers = []string{"prodcons", "rill"}
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
	}{{"Handover", queues}, {"Tight", queues[:2]}, {"Large", queues[:2]}, {"Crowd", queues[:2]}, {"PingPong", queues[:2]}, {"Work", queues[:2]}, {"Group", callers}, {"Map", mappers}, {"Small", callers[:2]}} {
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

// ratios are who's times as parts of the peer's, row by row and round by round.
func (all results) ratios(kind, who, peer string) (rows []string, ratios [][]float64) {
	rows = all.rows(kind + "/" + peer + "/")
	for _, row := range rows {
		ratios = append(ratios, divide(all[kind+"/"+who+"/"+row][perOp], all[kind+"/"+peer+"/"+row][perOp]))
	}
	return rows, ratios
}

func divide(a, b []float64) []float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, a[i]/b[i])
	}
	return ratios
}

// means are the geometric means of all rows, round by round.
func means(ratios [][]float64) []float64 {
	var means []float64
	if len(ratios) == 0 {
		return nil
	}
	for round := range ratios[0] {
		sum := 0.0
		for _, row := range ratios {
			sum += math.Log(row[round])
		}
		means = append(means, math.Exp(sum/float64(len(ratios))))
	}
	return means
}

// estimate returns the median of some values, and an interval that contains the true
// median fifteen times in sixteen: from the values' order, so it holds for an odd
// distribution as well as for a normal one.
func estimate(values []float64) (low, median, high float64) {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	// The chance that at most k of n values are below the median.
	skip, chance, term := 0, 0.0, math.Pow(0.5, float64(n))
	for k := range n / 2 {
		if chance += term; chance > 1.0/32 {
			break
		}
		skip = k + 1
		term *= float64(n-k) / float64(k+1)
	}
	low, high = 0, math.Inf(1)
	if skip > 0 {
		low, high = values[skip-1], values[n-skip]
	}
	return low, values[n/2], high
}

// goals says which are met (✔), missed (✘) or can't be told (?), and how many are
// not met.
func (all results) goals(slack float64) (missed, noisy int) {
	goal := func(what string, values []float64, most float64) {
		low, median, high := estimate(values)
		mark, remark := "✔", ""
		switch {
		case high <= most*slack:
		case low > most*slack || math.IsNaN(median):
			mark = "✘"
			missed++
		default:
			mark, remark = "?", ": too noisy to tell"
			noisy++
		}
		fmt.Printf("%s %s: %.3g (%.3g to %.3g), at most %.2f%s\n", mark, what, median, low, high, most, remark)
	}
	// The limits are what the code does on a quiet machine, and a little more. Where a
	// channel is faster, that is because of the locked instructions of a wait: about
	// twenty here, four there.
	rows := func(what, kind, who, peer string, mean, worst float64) {
		names, ratios := all.ratios(kind, who, peer)
		if len(ratios) > 1 && mean > 0 {
			goal(what+", geometric mean", means(ratios), mean)
		}
		for i, row := range ratios { // the worst row is each row
			goal(what+", "+names[i], row, worst)
		}
	}
	rows("Buffer ÷ channel", "Handover", "fast", "chan", 0.40, 0.80)
	_, xsync := all.ratios("Handover", "fast", "xsync")
	// It never sleeps. Of a Put or Get 95 % of the time is in two locked instructions,
	// which it has, too; so the rest depends on the machine.
	goal("Buffer ÷ xsync, geometric mean", means(xsync), 1.70)
	rows("Buffer, 32 at a time ÷ channel", "Handover", "fastbatch", "chan", 0.12, 0.30)
	rows("hardly any room ÷ channel", "Tight", "fast", "chan", 0, 2.20)
	rows("ping-pong ÷ channel", "PingPong", "fast", "chan", 0, 2.00)
	rows("large values ÷ channel", "Large", "fast", "chan", 0, 2.20)
	rows("crowds ÷ channel", "Crowd", "fast", "chan", 0, 1.20)
	rows("2 µs of work ÷ channel", "Work", "fast", "chan", 0, 1.25)
	for _, peer := range callers[1:] {
		rows("the whole call ÷ "+peer, "Group", "prodcons", peer, 0, 1)
	}
	rows("Map ÷ rill", "Map", "prodcons", "rill", 0, 1)
	rows("a group of ten values ÷ by hand", "Small", "prodcons", "workers", 0, 2.20)
	goal("a group of ten values, allocations", all["Small/prodcons/10"]["allocs/op"], 15)
	goal("measuring on ÷ off", divide(all["Measuring/on"][perOp], all["Measuring/off"][perOp]), 1.10)
	goal("pick-up when idle ÷ channel, p50", all["PickUp"]["p50-ratio"], 1.20)
	goal("pick-up when idle ÷ channel, p99", all["PickUp"]["p99-ratio"], 1.20)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, "Handover/fast") && all.median(name, "allocs/op") != 0 {
			goal(name+", allocations per item", all[name]["allocs/op"], 0)
		}
	}
	return missed, noisy
}
