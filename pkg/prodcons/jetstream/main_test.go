//go:build unix

package jetstream_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

var rounds = flag.Int("rounds", 0, "how often workers and producers are killed, servers half as often, nodes of a cluster 30 times of 200; 0: a few times")

// roleKey is the variable of the environment that makes this program a process that
// the tests of faults end.
const roleKey = "PRODCONS_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleKey); role != "" {
		if err := play(role); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// times is how many faults to make where a whole run makes that many.
func times(all int) int {
	if *rounds == 0 {
		return max(all/20, 2)
	}
	return max(*rounds*all/200, 1)
}
