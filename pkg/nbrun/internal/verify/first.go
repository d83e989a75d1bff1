package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

const (
	// cores is how far the time of the first command may be from what is written down,
	// as a factor: machines have more than two cores, or are busy.
	cores = 3
	// again is the most that it may take the second time, in seconds.
	again = 10
)

var compiling = regexp.MustCompile(`\((\d+) s on two cores\)`)

// first compares how many seconds the README's first command took, with nothing compiled,
// with what the README says, and the second time with a limit.
func first(out io.Writer, paths []string) error {
	var took [2]float64
	for i := range took {
		data, err := os.ReadFile(paths[i])
		if err != nil {
			return err
		}
		if took[i], err = strconv.ParseFloat(strings.TrimSpace(string(data)), 64); err != nil {
			return fmt.Errorf("%s: %w", paths[i], err)
		}
	}
	readme, err := os.ReadFile(paths[2])
	if err != nil {
		return err
	}
	says := 0.0
	if m := compiling.FindSubmatch(readme); m != nil {
		says, _ = strconv.ParseFloat(string(m[1]), 64) // digits
	}
	fmt.Fprintf(out, "the first command takes %v s, in the README %v s, and then %v s\n", took[0], says, took[1])
	if took[1] > again {
		return fmt.Errorf("the first command takes %v s the second time; %d s are the most", took[1], again)
	}
	return asWritten("the first command", " s", took[0], says, cores, paths[2])
}
