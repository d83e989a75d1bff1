package story

import (
	"runtime"
	"sync"
	"time"
)

// uncertain is by how much a time of this length, measured on the real clock, may be
// off, in story time: by what timers and goroutines need to wake, by what the system
// was late at most in one of the runs that this program has loaded or ended, and by a
// thousandth of the whole. A real millisecond is speed of them in the story.
func uncertain(length time.Duration) time.Duration {
	worst.Lock()
	defer worst.Unlock()
	speed := max(worst.speed, 1)
	return duration(speed * (time.Millisecond + worst.late + length.Abs()/1000).Seconds())
}

// worst is the highest speed, and the most that the system was late, in the runs
// that this program has loaded or ended.
var worst struct {
	sync.Mutex
	speed float64
	late  time.Duration // real time
}

func noteClock(speed float64, late time.Duration) {
	worst.Lock()
	defer worst.Unlock()
	worst.speed, worst.late = max(worst.speed, speed), max(worst.late, late)
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
