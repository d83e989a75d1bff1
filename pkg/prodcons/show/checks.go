package show

import (
	"fmt"
	"math"
	"os"
	"time"
)

// Checks asserts claims about runs, one line each: ✔ in green when true, ✘ in
// red when not.
type Checks struct {
	exercise bool
	failed   int
}

// Check begins the checks of a lesson. When one fails, End fails the cell.
func Check() *Checks { return &Checks{} }

// Exercise begins the checks of an exercise. What is missing is said, and the
// cell goes on: an exercise not yet done is no fault.
func Exercise() *Checks { return &Checks{exercise: true} }

// That checks a claim. The numbers behind it stand beside it.
func (c *Checks) That(claim string, ok bool, format string, args ...any) {
	mark, text := green, "✔ "
	if !ok {
		mark, text = red, "✘ "
		c.failed++
	}
	line(mark, "%s", text+claim+": "+fmt.Sprintf(format, args...))
}

// About checks that got is within slack of want, all in story time.
func (c *Checks) About(claim string, got, want, slack time.Duration) {
	diff := time.Duration(math.Abs(float64(got - want)))
	c.That(claim, diff <= slack, "%s (expected %s ± %s)", seconds(got), seconds(want), seconds(slack))
}

// Below checks that got is under limit, both in story time.
func (c *Checks) Below(claim string, got, limit time.Duration) {
	c.That(claim, got < limit, "%s (limit %s)", seconds(got), seconds(limit))
}

// End closes the checks. It ends the program with status 1 when a claim of a
// lesson was false. It is the last call of a cell.
func (c *Checks) End() {
	switch {
	case c.failed == 0 && c.exercise:
		line(bold, "Solved.")
	case c.exercise:
		line(bold, "Not yet: change the cell above, run it, then run this one again.")
	case c.failed > 0:
		os.Exit(1)
	}
}
