// Package show tells the story of a run on the screen: coloured lines as it
// happens, a table of the numbers afterwards, and checks of what is claimed
// about them.
//
// A [Story] has producers and consumers that sleep, speak and keep the record:
//
//	story := show.Start("synchronous", speed)
//	producer, consumer := story.Producer(1), story.Consumer(1)
//	item := producer.Make(49) // yellow:  -- generated item 1
//	consumer.PickUp(item)     // cyan:    +++ processed value 49 after 0.00 sec.
//	consumer.Work()
//	story.End()               // bold:   App exiting, total time: 0.50 sec.
//
// Each line is one write to standard output, so that lines of several
// goroutines never mix and each is seen at once. Lines are coloured in a
// terminal and in a GoNB notebook; NO_COLOR switches that off.
package show

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/fatih/color"
)

// Output is where lines go, if it is not nil; else they go to os.Stdout.
var Output io.Writer

func output() io.Writer {
	if Output != nil {
		return Output
	}
	return os.Stdout
}

var (
	plain  = color.New(color.Reset)
	yellow = color.New(color.FgYellow)
	cyan   = color.New(color.FgCyan)
	bold   = color.New(color.Bold)
	green  = color.New(color.FgGreen)
	red    = color.New(color.FgRed)
)

func init() {
	// A notebook's cell writes to a pipe, where fatih/color would give up.
	if os.Getenv("GONB_PIPE") != "" && os.Getenv("NO_COLOR") == "" {
		color.NoColor = false
	}
}

// seed makes every version of the story draw the same rests. It is chosen so
// that producer 1 rests 20.9 s in all between 20 items, much as in the program
// that the story comes from.
const seed = 41

var lines sync.Mutex

// line writes one whole line in one write.
func line(c *color.Color, format string, args ...any) {
	text := c.Sprintf(format, args...) + "\n"
	lines.Lock()
	defer lines.Unlock()
	_, _ = io.WriteString(output(), text) // nowhere is left to report to
}

// fail ends the program with one line that says what to do.
func fail(format string, args ...any) {
	lines.Lock()
	defer lines.Unlock()
	fmt.Fprintln(os.Stderr, red.Sprintf("✘ "+format, args...))
	os.Exit(1)
}

// Story is a run that tells itself. Its methods may be called by any goroutine.
type Story struct {
	*prodcons.Record
	speed float64
	quiet bool

	mu    sync.Mutex
	paces []*prodcons.Pace // of its producers and consumers
}

// Start opens a story with a bold line. Speed is how many story seconds pass in
// a real one; when it is not a positive number, the program ends with a line
// that says so. The name is that under which [Load] finds the run again.
func Start(name string, speed float64) *Story {
	s := StartQuiet(name, speed)
	s.quiet = false
	line(bold, "App started: %s.", name)
	return s
}

// StartQuiet is Start for a story that keeps its record but prints nothing.
func StartQuiet(name string, speed float64) *Story {
	if err := prodcons.CheckSpeed(speed); err != nil {
		fail("%v; set it in the cell of the parameters", err)
	}
	return &Story{Record: prodcons.NewRecord(name, clock(speed)), speed: speed, quiet: true}
}

// clock returns a clock on which that many seconds pass in a real one.
func clock(speed float64) func() time.Time {
	start := time.Now()
	return func() time.Time {
		return start.Add(time.Duration(float64(time.Since(start)) * speed))
	}
}

func (s *Story) line(c *color.Color, format string, args ...any) {
	if !s.quiet {
		line(c, format, args...)
	}
}

func (s *Story) pace(seed int) *prodcons.Pace {
	p, err := prodcons.NewPace(uint64(seed), s.speed)
	if err != nil {
		panic(err) // StartQuiet has checked the speed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paces = append(s.paces, p)
	return p
}

// Rests is the sum of the rests that the producer of that number takes after its
// first n items, in story time.
func Rests(producer, n int) time.Duration {
	pace, _ := prodcons.NewPace(uint64(seed+producer), 1)
	var sum time.Duration
	for range n {
		sum += pace.Next()
	}
	return sum
}

// LastMade is when the last item of a run was made, in story time.
func LastMade(run *prodcons.Record) (at time.Duration) {
	for _, e := range run.Events() {
		if e.Kind == prodcons.Made {
			at = e.At
		}
	}
	return at
}

// late is by how much the system has woken one of the story's producers and
// consumers too late, in real time.
func (s *Story) late() (late time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.paces {
		late = max(late, p.Late())
	}
	return late
}

// Slack is by how much times measured on the real clock may be off, in story
// time: 0.1 s, and more at a higher speed, as a millisecond that the system is late
// counts as many there. A machine that is busy with something else is later still:
// what it was late, at most, in one of the runs that this program has loaded or
// ended until now is added, so it is called after them.
func Slack(speed float64) time.Duration {
	late := time.Duration(latest.Load())
	return 100*time.Millisecond + duration(speed*(0.005+late.Seconds()))
}

// latest is the most, in ns, that the system was late in a run that this program
// has loaded or ended.
var latest atomic.Int64

func noteLate(late time.Duration) {
	for {
		most := latest.Load()
		if int64(late) <= most || latest.CompareAndSwap(most, int64(late)) {
			return
		}
	}
}

// End closes the story with a bold line that tells its total time, and saves
// its record for the cells that come after (see [Load]).
func (s *Story) End() {
	total := s.Record.End()
	s.line(bold, "App exiting, total time: %.2f sec.", total.Seconds())
	late := s.late()
	noteLate(late)
	if err := save(s.Record, late); err != nil {
		fail("the run could not be saved for the next cells: %v", err)
	}
}

// Seconds is how long that many story seconds take in real time.
func (s *Story) Seconds(story float64) time.Duration { return duration(story / s.speed) }

// Producer makes items and rests. One goroutine uses it.
type Producer struct {
	story  *Story
	number int
	*prodcons.Pace
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

// Make makes an item of value, stamped with the time, and says so in yellow, and
// who made it if that was not producer 1.
func (p *Producer) Make(value int) prodcons.IntItem {
	item := prodcons.IntItem{Origin: p.story.Made(p.number), Value: value}
	p.story.line(yellow, " -- generated item %d%s", item.Number, by("producer", p.number))
	return item
}

// Consumer picks items up and works on them. One goroutine uses it.
type Consumer struct {
	story  *Story
	number int
	pace   *prodcons.Pace
	item   prodcons.IntItem
}

// Consumer returns the consumer of that number, counted from 1.
func (s *Story) Consumer(number int) *Consumer {
	return &Consumer{story: s, number: number, pace: s.pace(seed)}
}

// PickUp notes that the consumer has taken item, and says in cyan how long the
// item had waited.
func (c *Consumer) PickUp(item prodcons.IntItem) {
	c.item = item
	waited := c.story.PickedUp(c.number, item.Origin)
	c.story.line(cyan, " +++ processed value %d after %.2f sec.%s", item.Value, waited.Seconds(), by("consumer", c.number))
}

// by names a producer or consumer at the end of a line, but for the first: alone,
// it needs no name.
func by(role string, number int) string {
	if number == 1 {
		return ""
	}
	return fmt.Sprintf(" (%s %d)", role, number)
}

// Work works for half a second on the item picked up last.
func (c *Consumer) Work() {
	c.pace.Work()
	c.story.Done(c.number, c.item.Origin)
}

// Sleep sleeps for that many story seconds, as a consumer does between two
// looks.
func (c *Consumer) Sleep(seconds float64) { c.pace.Sleep(duration(seconds)) }
