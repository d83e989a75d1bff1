package story

import (
	"runtime"
	"sync"
	"time"
)

// uncertain is by how much a time of this length, measured on the real clock, may be
// off, in story time: by what timers and goroutines need to wake, and what the system
// was late on average; by what it was late at most; and by a thousandth of the whole.
// Of what is shorter than a second, which in the lessons are means of many waits, what
// it was late at most counts for no more than a twentieth, as a delay passes: the next
// sleeps make up for it. All this is of the worst of the runs that this program has
// loaded or ended. A real millisecond is speed of them in the story.
func uncertain(length time.Duration) time.Duration {
	worst.Lock()
	defer worst.Unlock()
	length = length.Abs()
	story := func(real time.Duration) time.Duration { return duration(max(worst.speed, 1) * real.Seconds()) }
	late := story(worst.late)
	if length < time.Second {
		late = min(late, length/20)
	}
	return story(time.Millisecond+worst.mean+length/1000) + late
}

// worst is the highest speed, and what the system was late, in the runs that this
// program has loaded or ended.
var worst struct {
	sync.Mutex
	speed      float64
	late, mean time.Duration // real time
}

func noteClock(speed float64, late, mean time.Duration) {
	worst.Lock()
	defer worst.Unlock()
	worst.speed, worst.late, worst.mean = max(worst.speed, speed), max(worst.late, late), max(worst.mean, mean)
}

// Goroutines is the number of goroutines once those that are about to end have: it
// waits, for a second at most, until there are no more than so many. With 0 it does
// not wait.
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
