package story

import (
	"fmt"
	"time"
)

// Progress shows in one line how many seconds of a story have passed, and updates it
// every real second, until the function that it returns is called, which ends the line.
// It is for runs that say nothing themselves. Speed is that of the runs.
func Progress(what string, speed float64) (done func()) {
	if err := CheckSpeed(speed); err != nil {
		panic(fmt.Errorf("%w; set it in the parameters cell", err))
	}
	now := clock(speed)
	start := now()
	tell := func(end string) {
		write(fmt.Sprintf("\r%s: %.0f s of the story%s", what, now().Sub(start).Seconds(), end))
	}
	tell("")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			select {
			case <-second.C:
				tell("")
			case <-stop:
				tell("\n")
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}
