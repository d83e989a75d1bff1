package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
)

const (
	// slower is how far the time of the first command may be from what is written down,
	// as a factor.
	slower = 2.5
	// again is the most that it may take the second time, in seconds.
	again = 10
)

var compiling = regexp.MustCompile(`\((\d+) s on two cores\)`)

// first compares how long two cores work on the README's first command, with nothing
// compiled, with what the README says, and for the second time with a limit. The files
// have the processor times of the two runs, user and system, in seconds.
func first(out io.Writer, paths []string) error {
	var took [2]float64
	for i := range took {
		data, err := os.ReadFile(paths[i])
		if err != nil {
			return err
		}
		var user, system float64
		if _, err := fmt.Sscan(string(data), &user, &system); err != nil {
			return fmt.Errorf("%s: has no processor times: %w", paths[i], err)
		}
		took[i] = (user + system) / 2
	}
	readme, err := os.ReadFile(paths[2])
	if err != nil {
		return err
	}
	says := 0.0
	if m := compiling.FindSubmatch(readme); m != nil {
		says, _ = strconv.ParseFloat(string(m[1]), 64) // digits
	}
	fmt.Fprintf(out, "the first command takes two cores %.1f s, in the README %v s, and then %.1f s\n", took[0], says, took[1])
	if took[1] > again {
		return fmt.Errorf("the first command takes two cores %.1f s the second time; %d s are the most", took[1], again)
	}
	return asWritten("the first command", " s", took[0], says, slower, paths[2])
}
