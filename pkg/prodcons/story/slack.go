package story

import (
	"sync/atomic"
	"time"
)

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
