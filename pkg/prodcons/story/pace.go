package story

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// The times of the story.
const (
	MinRest  = 500 * time.Millisecond  // a producer's shortest rest
	MaxRest  = 1500 * time.Millisecond // its longest
	WorkTime = 500 * time.Millisecond  // what a consumer needs for one item
)

// Pace is the rhythm of one goroutine: a producer's rests, drawn from a seed, or a
// consumer's work. All its times are story times: at a speed of 10 a story second takes
// a tenth of a real one.
//
// Two paces with the same seed draw the same rests, so that two versions of a program
// can be compared. A Pace belongs to one goroutine.
type Pace struct {
	speed  float64
	draw   *rand.Rand
	behind time.Duration // what the next sleep makes up for
	late   atomic.Int64  // see Late, in ns
	sum    atomic.Int64  // of all delays, in ns
	sleeps atomic.Int64
}

// CheckSpeed says what is wrong with a speed, or returns nil. A speed is a
// positive, finite number.
func CheckSpeed(speed float64) error {
	if !(speed > 0) || math.IsInf(speed, 0) {
		return fmt.Errorf("speed must be a number above 0, not %v: 1 is real time, 10 is ten times as fast", speed)
	}
	return nil
}

// NewPace returns a pace that draws its rests from seed. It fails when speed is
// not a positive number.
func NewPace(seed uint64, speed float64) (*Pace, error) {
	if err := CheckSpeed(speed); err != nil {
		return nil, err
	}
	return &Pace{speed: speed, draw: rand.New(rand.NewPCG(seed, seed))}, nil
}

// Next draws the next rest, evenly between MinRest and MaxRest, in story time.
func (p *Pace) Next() time.Duration {
	return MinRest + time.Duration(p.draw.Int64N(int64(MaxRest-MinRest)))
}

// Rest sleeps for the next rest.
func (p *Pace) Rest() { p.Sleep(p.Next()) }

// Work sleeps for WorkTime.
func (p *Pace) Work() { p.Sleep(WorkTime) }

// Sleep sleeps for a story time. The system's timers wake a little late; the next
// sleeps make up for what one has overslept, so that the times of a story stay true at
// any speed.
func (p *Pace) Sleep(story time.Duration) {
	want := time.Duration(float64(story)/p.speed) - p.behind
	if want <= 0 {
		p.behind = -want
		return
	}
	start := time.Now()
	time.Sleep(want)
	p.woken(time.Since(start) - want)
}

// woken notes by how much a sleep was too long.
func (p *Pace) woken(late time.Duration) {
	p.behind = late
	p.sleeps.Add(1)
	p.sum.Add(int64(max(late, 0)))
	if late > timely && int64(late) > p.late.Load() { // only this goroutine stores
		p.late.Store(int64(late))
	}
}

// spend notes that printing has taken a while: the next sleep makes up for it.
func (p *Pace) spend(took time.Duration) {
	p.behind += took
	if took > timely && int64(took) > p.late.Load() {
		p.late.Store(int64(took))
	}
}

// timely is what a system's timers may be late without being called late.
const timely = 2 * time.Millisecond

// Late is the longest delay with which the system has woken this pace, in real time.
// Delays of under 2 ms are not counted, so it is 0 on a machine with nothing else to
// do. On a busy one it tells how far the times of a story can be trusted: as each sleep
// makes up for the one before, delays do not add up. It may be called by any goroutine.
func (p *Pace) Late() time.Duration { return time.Duration(p.late.Load()) }
