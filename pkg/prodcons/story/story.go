package story

import (
	"fmt"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Story is a run that tells its own story. Its methods may be called by any goroutine.
type Story struct {
	*prodcons.Record
	speed float64
	clock func() time.Time
	start time.Time
	quiet bool

	mu    sync.Mutex
	paces []*Pace // of its producers and consumers
}

// Start opens a story with a bold line. Speed is how many story seconds pass in a
// real one; Start panics with an error if it is not a positive number. The name is
// the one by which [Load] finds the run again.
func Start(name string, speed float64) *Story {
	s := StartQuiet(name, speed)
	s.quiet = false
	line(bold, "App started: %s.", name)
	return s
}

// StartQuiet is Start for a story that keeps its record but prints nothing.
func StartQuiet(name string, speed float64) *Story {
	if err := CheckSpeed(speed); err != nil {
		panic(fmt.Errorf("%w; set it in the parameters cell", err))
	}
	now := clock(speed)
	s := &Story{clock: now, start: now(), speed: speed, quiet: true}
	s.Record = prodcons.NewRecord(name, now)
	return s
}

// clock returns a clock on which that many seconds pass in a real one.
func clock(speed float64) func() time.Time {
	start := time.Now()
	return func() time.Time {
		return start.Add(time.Duration(float64(time.Since(start)) * speed))
	}
}

func (s *Story) line(look style, format string, args ...any) {
	if !s.quiet {
		line(look, format, args...)
	}
}

func (s *Story) pace(seed int) *Pace {
	p, err := NewPace(uint64(seed), s.speed)
	if err != nil {
		panic(err) // StartQuiet has checked the speed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paces = append(s.paces, p)
	return p
}

// late is how late the system has woken the story's producers and consumers, at most
// and on average, in real time.
func (s *Story) late() (most, mean time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum, sleeps int64
	for _, p := range s.paces {
		most = max(most, p.Late())
		sum, sleeps = sum+p.sum.Load(), sleeps+p.sleeps.Load()
	}
	return most, time.Duration(sum / max(sleeps, 1))
}

// End closes the story with a bold line that tells its total time, and saves its
// record for the cells that come after (see [Load]). It panics with an error if the
// record can't be saved.
func (s *Story) End() {
	total := s.Record.End()
	s.line(bold, "App exiting, total time: %.2f sec.", total.Seconds())
	late, mean := s.late()
	noteClock(s.Record, measure{s.speed, late, mean})
	if err := save(saved{s.Record, s.speed, late, mean}); err != nil {
		panic(fmt.Errorf("the run could not be saved for the next cells: %w", err))
	}
}

// Drop notes that there was no room for an item, and that it is gone.
func (s *Story) Drop(item IntItem) {
	s.Observe(prodcons.Event{Kind: prodcons.ItemDropped, At: s.now(), Producer: item.Producer, Number: item.Number})
}

// Mark notes something that happened to no item, such as a deadline. It is shown in the
// run's picture.
func (s *Story) Mark(what string) {
	s.Observe(prodcons.Event{Kind: prodcons.EventKind(what), At: s.now()})
}

// now is the time since the story began.
func (s *Story) now() time.Duration { return s.clock().Sub(s.start) }

// Seconds is how long that many story seconds take in real time.
func (s *Story) Seconds(story float64) time.Duration { return duration(story / s.speed) }

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}
