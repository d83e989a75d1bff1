package story

import (
	"fmt"
	"math"
	"time"
)

// Checks asserts claims about runs, one line each: ✔ in green when true, ✘ in
// red when not.
type Checks struct {
	exercise bool
	failed   int
	last     bool // the last claim was true
}

// fewest is how many items of each producer the lessons' claims are about: with
// fewer, some are not true.
const fewest = 15

// Check begins the checks of a lesson whose producers make n items each. When a
// claim is false, the status that End returns fails the cell. Check panics with an
// error if n is so small that the claims say nothing.
func Check(n int) *Checks {
	if n < fewest {
		panic(fmt.Errorf("the claims are about runs of %d items or more, and n is %d: set it in the cell of the parameters, and run the cells from there once more", fewest, n))
	}
	return &Checks{}
}

// Exercise begins the checks of an exercise, with n as in Check. What is missing
// is said, and the cell goes on: an exercise not yet done is no fault.
func Exercise(n int) *Checks {
	c := Check(n)
	c.exercise = true
	return c
}

// That checks a claim. The numbers behind it stand beside it.
func (c *Checks) That(claim string, ok bool, format string, args ...any) {
	mark, text := green, "✔ "
	if !ok {
		mark, text = red, "✘ "
		c.failed++
	}
	c.last = ok
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

// Hint says what to do about the claim before it, if that was false.
func (c *Checks) Hint(text string) {
	if !c.last {
		line(plain, "  → %s", text)
	}
}

// End closes the checks and returns the exit status for the cell, which ends with
//
//	os.Exit(check.End())
//
// The status is 1 if a claim of a lesson was false, and 0 otherwise: an exercise not
// yet done is no failure.
func (c *Checks) End() (status int) {
	switch {
	case c.failed == 0 && c.exercise:
		line(bold, "Solved.")
	case c.exercise:
		line(bold, "Not yet: change the cell above, run it, then run this one again.")
	case c.failed > 0:
		return 1
	}
	return 0
}
