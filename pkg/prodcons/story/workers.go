package story

import "time"

// seed makes every version of the story draw the same rests. It is chosen so
// that producer 1 rests 20.9 s in all between 20 items, much as in the program
// that the story comes from.
const seed = 41

// Producer makes items and rests. One goroutine uses it.
type Producer struct {
	story  *Story
	number int
	*Pace
}

// Producer returns the producer of that number, counted from 1. Its rests are
// the same in every story.
func (s *Story) Producer(number int) *Producer {
	return &Producer{story: s, number: number, Pace: s.pace(seed + number)}
}

// Rested returns a channel that gets the time when the next rest is over, for a
// producer that may have to stop in the middle of it.
func (p *Producer) Rested() <-chan time.Time {
	return time.After(p.story.Seconds(p.Next().Seconds()))
}

// Make makes an item of value, stamped with the time, and says so in yellow.
func (p *Producer) Make(value int) IntItem {
	item := IntItem{Origin: p.story.Made(p.number), Value: value}
	start := time.Now()
	p.story.line(yellow, " -- producer %d generated item %d (value %d)", p.number, item.Number, value)
	p.spend(time.Since(start))
	return item
}

// Consumer picks items up and works on them. One goroutine uses it.
type Consumer struct {
	story  *Story
	number int
	pace   *Pace
	item   IntItem
}

// Consumer returns the consumer of that number, counted from 1.
func (s *Story) Consumer(number int) *Consumer {
	return &Consumer{story: s, number: number, pace: s.pace(seed)}
}

// PickUp notes that the consumer has taken item, and says in cyan how long the
// item had waited.
func (c *Consumer) PickUp(item IntItem) {
	c.item = item
	waited := c.story.PickedUp(c.number, item.Origin)
	start := time.Now()
	c.story.line(cyan, " +++ consumer %d processed item %d of producer %d (value %d) after %.2f sec.", c.number, item.Number, item.Producer, item.Value, waited.Seconds())
	c.pace.spend(time.Since(start))
}

// Work works for half a second on the last item picked up.
func (c *Consumer) Work() { c.WorkFor(WorkTime.Seconds()) }

// WorkFor works for that many story seconds on the last item picked up.
func (c *Consumer) WorkFor(seconds float64) {
	c.Sleep(seconds)
	c.story.Done(c.number, c.item.Origin)
}

// Sleep sleeps for that many story seconds, as a consumer does between two
// looks.
func (c *Consumer) Sleep(seconds float64) { c.pace.Sleep(duration(seconds)) }

// Rests is the sum of the rests that the producer of that number takes after its
// first n items, in story time.
func Rests(producer, n int) time.Duration {
	pace, _ := NewPace(uint64(seed+producer), 1)
	var sum time.Duration
	for range n {
		sum += pace.Next()
	}
	return sum
}
