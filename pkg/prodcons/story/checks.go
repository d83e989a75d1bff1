package story

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Checks asserts claims about runs, a line each: ✔ if a claim is true, ✘ if it is
// not, and ○ if that can't be told.
type Checks struct {
	exercise       bool
	failed, unsure int
	last           bool   // the last claim was false
	needs          bool   // what the other claims need is missing
	pending        string // what is to be seen elsewhere before the exercise is solved
}

// fewest is the smallest number of items per producer for which the lessons' claims are
// true.
const fewest = 15

// Check begins the checks of a lesson whose producers make n items each. When a claim
// is false, the status that End returns fails the cell. Check panics with an error if n
// is so small that the claims say nothing.
func Check(n int) *Checks {
	if n < fewest {
		panic(fmt.Errorf("the claims are about runs of %d items or more, and n is %d: set it in the parameters cell, and run the cells from there again", fewest, n))
	}
	return &Checks{}
}

// Exercise begins the checks of an exercise, with n as in Check. It says what is
// missing, and the cell goes on: an exercise not yet done is no fault.
func Exercise(n int) *Checks {
	c := Check(n)
	c.exercise = true
	return c
}

// That checks a claim that does not depend on how exact the clock is. The numbers
// behind it are printed beside it.
func (c *Checks) That(claim string, ok bool, format string, args ...any) {
	c.last = false
	switch numbers := fmt.Sprintf(format, args...); {
	case c.needs:
		c.tell(grey, "○", claim, "open until what is needed above is true")
	case ok:
		c.tell(green, "✔", claim, numbers)
	default:
		c.tell(red, "✘", claim, numbers)
		c.failed++
		c.last = true
	}
}

// Need is That for a claim without which those after it would say nothing: if it is
// false, they are left open.
func (c *Checks) Need(claim string, ok bool, format string, args ...any) {
	c.That(claim, ok, format, args...)
	c.needs = c.needs || !ok
}

// About checks that got is want, as far as the clock can tell. All times are story
// times.
func (c *Checks) About(claim string, got, want time.Duration) { c.Between(claim, got, want, want) }

// Between checks that got lies between low and high, as far as the clock can tell.
// Where that allows for more than a third of what is measured, the claim is left open.
func (c *Checks) Between(claim string, got, low, high time.Duration) {
	middle := (low + high) / 2
	give := (high-low)/2 + uncertain(middle)
	if c.open(claim, seconds(got), give, middle) {
		return
	}
	c.That(claim, got >= middle-give && got <= middle+give, "%s (expected %s ± %s)", seconds(got), seconds(middle), seconds(give))
}

// Below checks that got is less than limit. The claim is left open if the clock can't
// tell a third of that limit, or whether got is below it.
func (c *Checks) Below(claim string, got, limit time.Duration) {
	c.beside(claim, got, limit, got < limit, "limit %s")
}

// Above checks that got is more than limit, with the same care as Below.
func (c *Checks) Above(claim string, got, limit time.Duration) {
	c.beside(claim, got, limit, got > limit, "at least %s")
}

// beside checks a claim that is true if got is on the right side of limit.
func (c *Checks) beside(claim string, got, limit time.Duration, ok bool, format string) {
	give, enough := uncertain(limit), limit
	if !ok { // false it is only if twice the give does not make it true: a busy machine delays both sides
		enough = 3 * max((got-limit).Abs()-1, 0) / 2
	}
	if !c.open(claim, seconds(got), give, enough) {
		c.That(claim, ok, "%s ("+format+")", seconds(got), seconds(limit))
	}
}

// Timed is That for a claim that the times of a run decide, where what decides are
// times that far apart, in story time. The claim is left open if the clock of that run
// can't tell a third of that. Where two runs decide, run is nil: it is the worst clock
// of all runs that this program has loaded or ended.
func (c *Checks) Timed(run *prodcons.Record, apart time.Duration, claim string, ok bool, format string, args ...any) {
	numbers := fmt.Sprintf(format, args...)
	if !c.open(claim, numbers, clockOf(run).uncertain(apart), apart) {
		c.That(claim, ok, "%s", numbers)
	}
}

// open says, where it is so, that a claim can't be decided by what was measured.
func (c *Checks) open(claim, got string, give, measured time.Duration) bool {
	if c.needs || give <= measured/3 {
		return false
	}
	c.last = false
	c.unsure++
	c.tell(grey, "○", claim, fmt.Sprintf("not measurable at this speed: %s, give or take %s", got, seconds(give)))
	return true
}

func (c *Checks) tell(look style, mark, claim, numbers string) {
	write(styled(look, mark) + " " + claim + ": " + numbers + "\n")
}

// Answers checks the answers to numbered questions, and gives the hint where one is
// wrong. The cell has only their seals: for each question the first eight digits of the
// SHA-256 of "number N: answer", so that nobody reads the answer there by accident.
func (c *Checks) Answers(answers []string, hint string, seals ...string) {
	if len(answers) != len(seals) {
		c.That("each question has an answer", false, "answers: %d, questions: %d", len(answers), len(seals))
		return
	}
	for i, answer := range answers {
		question := fmt.Sprintf("number %d", i+1)
		sum := sha256.Sum256([]byte(question + ": " + answer))
		c.That(question, hex.EncodeToString(sum[:4]) == seals[i], "you say %q", answer)
		c.Hint(hint)
	}
}

// Whole needs that many items, each of them made, picked up once and worked on once.
func (c *Checks) Whole(run *prodcons.Record, items int) {
	var made, once, worked int
	picks, uses := map[[2]int]int{}, map[[2]int]int{}
	for _, e := range run.Events() {
		key := [2]int{e.Producer, e.Number}
		switch e.Kind {
		case prodcons.ItemMade:
			made++
		case prodcons.ItemPickedUp:
			if picks[key]++; picks[key] == 1 {
				once++
			} else {
				once--
			}
		case prodcons.ItemUsed:
			if uses[key]++; uses[key] == 1 {
				worked++
			}
		}
	}
	c.Need("each item is made", made == items, "%d of %d", made, items)
	c.Need("each is picked up, and once only", once == items, "%d of %d", once, items)
	c.Hint("consumer.PickUp(item) notes a pick-up")
	c.Need("each is worked on", worked == items, "%d of %d", worked, items)
	c.Hint("consumer.Work() comes after the pick-up")
}

// InOrder checks that the items of each producer were picked up in the order in
// which they were made.
func (c *Checks) InOrder(run *prodcons.Record) {
	last, wrong := map[int]int{}, 0
	for _, e := range run.Events() {
		if e.Kind == prodcons.ItemPickedUp {
			if e.Number < last[e.Producer] {
				wrong++
			}
			last[e.Producer] = e.Number
		}
	}
	c.That("items are picked up in the order they were made", wrong == 0, "%d out of order", wrong)
}

// Ends runs f, and needs it to return within that many real seconds and to leave no
// goroutine behind.
func (c *Checks) Ends(seconds float64, f func()) {
	before := Goroutines(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	ended := false
	select {
	case <-done:
		ended = true
	case <-time.After(duration(seconds)):
	}
	c.Need("it ends", ended, "%v", ended)
	c.Hint("something waits for what never comes: an item, room, a close?")
	left := max(settled(before, 5*time.Millisecond)-before, 0) // what f has waited for ends at once
	c.That("it leaves no goroutine behind", left == 0, "%d left", left)
	c.Hint("wait for all that were started before you return")
	c.last = c.last || !ended
}

// Hint says what to do about the claim before it, if that was false.
func (c *Checks) Hint(text string) {
	if c.last {
		line(plain, "  → %s", text)
	}
}

// Pending says what must be seen elsewhere before the exercise is solved.
func (c *Checks) Pending(text string) { c.pending = text }

// End closes the checks and returns the exit status for the cell, which ends with
//
//	os.Exit(check.End())
//
// The status is 1 if a claim of a lesson was false, and 0 otherwise: an exercise not
// yet done is no failure.
func (c *Checks) End() (status int) {
	switch {
	case c.failed > 0 && c.exercise:
		line(bold, "Not yet: change the cell above, run it, then run this one again.")
	case c.failed > 0:
		return 1
	case c.unsure > 0 && c.exercise:
		line(bold, "Not measurable at this speed, or on so busy a machine. Run the exercise's cells again;")
		line(bold, "or set a lower speed in the parameters cell, and run the cells from there once more.")
	case c.exercise && c.pending != "":
		line(bold, "Solved, if %s.", c.pending)
	case c.exercise:
		line(bold, "Solved.")
	}
	return 0
}
