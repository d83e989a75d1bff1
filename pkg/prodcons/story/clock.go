package story

import (
	"runtime"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// measure is how exact the clock of a run is: how much story time a real second is, and
// how late the system has woken the run's goroutines, at most and on average, in real
// time.
type measure struct {
	speed      float64
	late, mean time.Duration
}

// uncertain is how far a time of this length, measured on the real clock, may be off,
// in story time: by what timers and goroutines need to wake, by how late the system was
// on average and at most, and by a thousandth of the whole.
func (m measure) uncertain(length time.Duration) time.Duration {
	return m.story(time.Millisecond+m.mean+length.Abs()/1000) + m.story(m.late)
}

// uncertainMean is uncertain for the mean of many waits: the longest delay counts for
// no more than a twentieth, as a delay passes, and the next sleeps make up for it.
func (m measure) uncertainMean(length time.Duration) time.Duration {
	m.late = min(m.late, time.Duration(float64(length.Abs()/20)/max(m.speed, 1)))
	return m.uncertain(length)
}

// story is a real time in story time.
func (m measure) story(real time.Duration) time.Duration {
	return duration(max(m.speed, 1) * real.Seconds())
}

// uncertain is measure.uncertain for the worst of the runs that this program has loaded
// or ended. What is shorter than a second is the mean of many waits, in the lessons.
func uncertain(length time.Duration) time.Duration {
	clocks.Lock()
	defer clocks.Unlock()
	if length.Abs() < time.Second {
		return clocks.worst.uncertainMean(length)
	}
	return clocks.worst.uncertain(length)
}

// clocks are those of the runs that this program has loaded or ended.
var clocks struct {
	sync.Mutex
	of    map[*prodcons.Record]measure
	worst measure // of each the worst
}

func noteClock(run *prodcons.Record, m measure) {
	clocks.Lock()
	defer clocks.Unlock()
	if clocks.of == nil {
		clocks.of = map[*prodcons.Record]measure{}
	}
	clocks.of[run] = m
	w := &clocks.worst
	w.speed, w.late, w.mean = max(w.speed, m.speed), max(w.late, m.late), max(w.mean, m.mean)
}

// clockOf is the clock of a run that this program has loaded or ended; of nil, the worst
// of them.
func clockOf(run *prodcons.Record) measure {
	clocks.Lock()
	defer clocks.Unlock()
	if run == nil {
		return clocks.worst
	}
	return clocks.of[run]
}

// Goroutines returns the number of goroutines, once those that are about to end have
// ended: it waits, for at most a second, until there are no more than before. With 0 it
// does not wait.
func Goroutines(before int) int {
	if before == 0 {
		return runtime.NumGoroutine()
	}
	return settled(before, time.Second)
}

// settled is the number of goroutines, when it has fallen to what it was before, or
// after a while.
func settled(before int, within time.Duration) int {
	for start := time.Now(); runtime.NumGoroutine() > before && time.Since(start) < within; {
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}
