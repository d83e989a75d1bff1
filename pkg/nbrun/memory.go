package nbrun

import (
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// lookEvery is how often the memory of a cell's programs is checked.
const lookEvery = 20 * time.Millisecond

// watchMemory ends a cell and what it runs when that holds more than that many bytes,
// if there is such a limit. What builds its programs may hold more. Calling stop ends
// the watch.
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
