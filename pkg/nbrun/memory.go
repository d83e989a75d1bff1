package nbrun

import (
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// lookEvery is how often the memory of what a cell runs is looked at.
const lookEvery = 20 * time.Millisecond

// watchMemory ends what cells run, and the cell, when it holds more than that many
// bytes, if there is such a limit. What builds programs for it may hold more. The watch
// ends with a call of stop.
func (s *Session) watchMemory(most int64, allowed *allowance) (stop func()) {
	if most == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if allowed.held() {
				continue
			}
			if held, pids := s.traces.Memory(); held > most {
				allowed.cancel(errMemory) // first, or the engine says that they were killed
				process.KillAll(pids)
				return
			}
		}
	})
	return func() { close(done); wg.Wait() }
}
