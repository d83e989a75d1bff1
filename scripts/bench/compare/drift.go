package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// drift is how far a ratio may be from the figures in the README, as a factor.
const drift = 2

// drifted compares the figures in the README, and in doc.go beside it, with what was
// measured, and returns how many are off by more than the factor drift, on this machine:
// all rounds say so, and agree to within that factor. It compares ratios only, as
// nanoseconds differ from machine to machine, and means over the rows of a table. A
// figure that is not found, or that was not measured, is an error.
func (all results) drifted(folder string) (drifted int, err error) {
	readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		return 0, err
	}
	doc, err := os.ReadFile(filepath.Join(folder, "doc.go"))
	if err != nil {
		return 0, err
	}
	var missing []string
	compare := func(what string, written, measured []float64) {
		low, median, high := estimate(measured)
		least, most := span(written)
		mark, remark := "✔", ""
		switch {
		case len(written) == 0 || math.IsNaN(median):
			mark, remark = "✘", ": not found, or not measured"
			missing = append(missing, what)
		case low <= most*drift && high >= least/drift:
		case high > low*drift:
			mark, remark = "?", ": too noisy to tell"
		default:
			mark, remark = "≠", ": has drifted"
			drifted++
		}
		fmt.Printf("%s %s: %.3g (%.3g to %.3g), in the README %.3g%s\n", mark, what, median, low, high, written, remark)
	}
	for i, who := range []string{"xsync", "fast", "fastbatch"} {
		_, ratios := all.ratios("Handover", who, "chan")
		compare(who+" ÷ channel, hand-over", cell(string(readme), "geometric mean, channel = 1", i+2), means(ratios))
	}
	for _, row := range []struct{ label, kind, like string }{
		{"values of 256 B and 4 KB, 4 → 4, room for 64", "Large", ""},
		{"1 → 1000 and 1000 → 1, room for 64", "Crowd", ""},
		{"2 µs of work for each value, 1 → 4", "Work", ""},
		{"room for 1 or 2, 1 → 1 (at worst)", "Tight", "1to1/"},
		{"room for 1 or 2, 4 → 4 (at worst)", "Tight", "4to4/"},
		{"two queues, each value an answer to the last (at worst)", "PingPong", ""},
	} {
		var ratios [][]float64
		names, every := all.ratios(row.kind, "fast", "chan")
		for i, name := range names {
			if strings.HasPrefix(name, row.like) {
				ratios = append(ratios, every[i])
			}
		}
		compare(row.label, cell(string(readme), row.label, 1), means(ratios))
	}
	for i, unit := range []string{"p50-ratio", "p99-ratio"} {
		written := cell(string(readme), "picked up by an idle consumer, p50 / p99", 1)
		compare("picked up when idle, "+unit, written[min(i, len(written)):], all["PickUp"][unit])
	}
	for i, peer := range callers[1:] {
		var written [][]float64
		for _, consumers := range []string{"1", "4", "16"} {
			written = append(written, divide(cell(string(readme), consumers, i+2), cell(string(readme), consumers, 1)))
		}
		_, ratios := all.ratios("Group", peer, "prodcons")
		compare(peer+" ÷ Group, the whole call", means(written), means(ratios))
	}
	_, ratios := all.ratios("Small", "prodcons", "workers")
	compare("a group of ten values ÷ by hand", numbers(find(string(readme), `four consumers ([\d.]+) times as much`)), means(ratios))
	small := all["Small/prodcons/10"]
	var kB []float64
	for _, bytes := range small["B/op"] {
		kB = append(kB, bytes/1000)
	}
	compare("a group of ten values, allocations", numbers(find(string(doc), `ten items takes (\d+) allocations`)), small["allocs/op"])
	compare("a group of ten values, kB", numbers(find(string(doc), `allocations and ([\d.]+) kB`)), kB)
	if len(missing) > 0 {
		return drifted, fmt.Errorf("figures of the README that are not there, or were not measured: %s", strings.Join(missing, "; "))
	}
	return drifted, nil
}

// cell returns the numbers in a cell of the row of a table that begins with a label.
func cell(readme, label string, column int) []float64 {
	row := strings.Split(find(readme, `(?m)^\| `+regexp.QuoteMeta(label)+` \|(.*)\|$`), "|")
	if column > len(row) {
		return nil
	}
	return numbers(row[column-1])
}

// find returns what the group of a pattern matches, "" if there is no match.
func find(text, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

var number = regexp.MustCompile(`\d+(\.\d+)?`)

func numbers(text string) (list []float64) {
	for _, m := range number.FindAllString(text, -1) {
		n, _ := strconv.ParseFloat(m, 64) // it matches
		list = append(list, n)
	}
	return list
}

// span returns the least and the most of some values.
func span(values []float64) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		least, most = min(least, v), max(most, v)
	}
	return least, most
}
