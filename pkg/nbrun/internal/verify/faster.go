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

// drift is how far a ratio may be from the one that the README gives, as a factor.
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
	measurement = regexp.MustCompile(`(?m)^BenchmarkLesson/(\S+?)(?:-\d+)?\s+\d+\s+(\d+) ns/op`)
	tableRow    = regexp.MustCompile(`(?m)^\| (.+?) \| [\d.]+ s \| ([\d.]+) \|$`)
	failed      = regexp.MustCompile(`(?m)^\s*--- FAIL.*`)
)

// faster compares the medians of BenchmarkLesson with the least that is asked for, and
// with the README's table.
func faster(out io.Writer, paths []string) error {
	bench, err := os.ReadFile(paths[0])
	if err != nil {
		return err
	}
	readme, err := os.ReadFile(paths[1])
	if err != nil {
		return err
	}
	if line := failed.Find(bench); line != nil { // with -count, go test forgets it
		return fmt.Errorf("a benchmark failed: %s", line)
	}
	median, err := medians(bench)
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
		ratio, says := median["nbconvert"]/median[side.name], written[side.row]
		fmt.Fprintf(out, "%-30s %6.2f s, nbconvert ÷ this %5.1f, in the README %5.1f\n", side.row, median[side.name]/1e9, ratio, says)
		if least := min(ratio, median["papermill"]/median[side.name]); least < side.least {
			errs = append(errs, fmt.Errorf("%s: must be %v times as fast as its peers, and is %.1f times", side.row, side.least, least))
		}
		if ratio > says*drift || ratio < says/drift {
			errs = append(errs, fmt.Errorf("%s: has drifted from %v, as in %s, to %.1f, by more than a factor of %d", side.row, says, paths[1], ratio, drift))
		}
	}
	return errors.Join(errs...)
}

// medians are those of each side's times, in nanoseconds.
func medians(bench []byte) (map[string]float64, error) {
	times := map[string][]float64{}
	for _, m := range measurement.FindAllSubmatch(bench, -1) {
		ns, _ := strconv.ParseFloat(string(m[2]), 64) // they are digits
		times[string(m[1])] = append(times[string(m[1])], ns)
	}
	median := map[string]float64{}
	for _, side := range sides {
		of := slices.Sorted(slices.Values(times[side.name]))
		if len(of) == 0 {
			return nil, fmt.Errorf("%s was not measured", side.name)
		}
		median[side.name] = of[len(of)/2]
	}
	return median, nil
}
