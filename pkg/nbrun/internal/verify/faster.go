package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
)

// drift is how far a ratio may be from the one that is written down, as a factor.
const drift = 2

// sides are what is measured: its name in the benchmark, its row in the README's table,
// and how many times as fast as both peers it must be. With the kernel, most of the work
// is the same for all.
var sides = []struct {
	name, row string
	least     float64
}{
	{"go,clock=virtual", "`nbrun -clock virtual`", 3},
	{"yaegi", "`nbrun -engine yaegi`", 10},
	{"go,clock=real", "`nbrun`", 3},
	{"gonb", "`nbrun -engine gonb`", 1.3},
	{"nbconvert", "`jupyter nbconvert --execute`", 0},
	{"papermill", "papermill 2", 0},
}

var (
	measurement = regexp.MustCompile(`(?m)^Benchmark\w+/(\S+?)(?:-\d+)?\s+\d+\s+(\d+) ns/op`)
	tableRow    = regexp.MustCompile(`(?m)^\| (.+?) \| [\d.]+ s \| ([\d.]+) \|$`)
	failed      = regexp.MustCompile(`(?m)^\s*--- FAIL.*`)
)

// faster compares the medians of BenchmarkLesson with the least that is asked for, and
// with the README's table.
func faster(out io.Writer, paths []string) error {
	median, err := medians(paths[0])
	if err != nil {
		return err
	}
	readme, err := os.ReadFile(paths[1])
	if err != nil {
		return err
	}
	written := map[string]float64{}
	for _, m := range tableRow.FindAllSubmatch(readme, -1) {
		if written[string(m[1])], err = strconv.ParseFloat(string(m[2]), 64); err != nil {
			return err
		}
	}
	var errs []error
	for _, side := range sides {
		if median[side.name] == 0 {
			return fmt.Errorf("%s was not measured", side.name)
		}
		ratio, says := median["nbconvert"]/median[side.name], written[side.row]
		fmt.Fprintf(out, "%-30s %6.2f s, nbconvert ÷ this %5.1f, in the README %5.1f\n", side.row, median[side.name]/1e9, ratio, says)
		if least := min(ratio, median["papermill"]/median[side.name]); least < side.least {
			errs = append(errs, fmt.Errorf("%s: must be %v times as fast as its peers, and is %.1f times", side.row, side.least, least))
		}
		errs = append(errs, asWritten(side.row, "", ratio, says, drift, paths[1]))
	}
	return errors.Join(errs...)
}

// medians are those of each benchmark's times, in nanoseconds, by the name without
// that of its function.
func medians(path string) (map[string]float64, error) {
	bench, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if line := failed.Find(bench); line != nil { // with -count, go test forgets it
		return nil, fmt.Errorf("a benchmark failed: %s", line)
	}
	times := map[string][]float64{}
	for _, m := range measurement.FindAllSubmatch(bench, -1) {
		ns, _ := strconv.ParseFloat(string(m[2]), 64) // they are digits
		times[string(m[1])] = append(times[string(m[1])], ns)
	}
	median := map[string]float64{}
	for name, of := range times {
		slices.Sort(of)
		median[name] = of[len(of)/2]
	}
	return median, nil
}

var jobs = regexp.MustCompile(`ratios are ([\d.]+), ([\d.]+), ([\d.]+) and ([\d.]+), in the order above`)

// durable compares the medians of BenchmarkJobs, ours as parts of those of raw nats.go,
// with what the comment of the package says.
func durable(out io.Writer, paths []string) error {
	median, err := medians(paths[0])
	if err != nil {
		return err
	}
	doc, err := os.ReadFile(paths[1])
	if err != nil {
		return err
	}
	written := jobs.FindSubmatch(doc)
	if written == nil {
		return fmt.Errorf("%s: gives no ratios", paths[1])
	}
	var errs []error
	for i, row := range []string{"workers=1/batched=false", "workers=1/batched=true", "workers=4/batched=false", "workers=4/batched=true"} {
		ratio := median["prodcons/"+row] / median["nats/"+row]
		says, err := strconv.ParseFloat(string(written[i+1]), 64)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-23s prodcons ÷ nats.go %5.2f, in the comment %5.2f\n", row, ratio, says)
		errs = append(errs, asWritten(row, "", ratio, says, drift, paths[1]))
	}
	return errors.Join(errs...)
}

// asWritten returns an error unless what was measured is, within a factor, what a file
// says in that unit. A ratio to something that was not measured is not.
func asWritten(what, unit string, is, says, factor float64, file string) error {
	if is <= says*factor && is >= says/factor {
		return nil
	}
	return fmt.Errorf("%s has drifted from %v%s, as in %s, to %.2f, by more than a factor of %v", what, says, unit, file, is, factor)
}
