package rt

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Nobody is inside together with a writer, whatever the order of what goes on at once;
// and time goes on while others wait.
func TestLocksLetInWhomTheyShould(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			var m RWMutex
			var readers, writers int
			var state sync.Mutex
			enter := func(n *int) {
				state.Lock()
				defer state.Unlock()
				if *n++; writers > 1 || writers == 1 && readers > 0 {
					t.Errorf("%d readers and %d writers", readers, writers)
				}
			}
			leave := func(n *int) {
				state.Lock()
				defer state.Unlock()
				*n--
			}
			var wg sync.WaitGroup
			for i := range 20 {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				wg.Go(func() {
					for range 20 {
						time.Sleep(time.Duration(r.IntN(3)) * time.Second)
						lock, unlock, n := m.RLock, m.RUnlock, &readers
						ok := true
						switch r.IntN(5) {
						case 0:
							lock, unlock, n = m.Lock, m.Unlock, &writers
						case 1:
							lock, unlock, n = func() { ok = m.TryLock() }, m.Unlock, &writers
						case 2:
							lock = func() { ok = m.TryRLock() }
						case 3:
							lock, unlock = m.RLocker().Lock, m.RLocker().Unlock
						}
						if lock(); !ok {
							continue
						}
						enter(n)
						time.Sleep(time.Duration(r.IntN(3)) * time.Second)
						leave(n)
						unlock()
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestMutexIsHeldByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Mutex
		inside, most := 0, 0
		start := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				m.Lock()
				defer m.Unlock()
				inside++
				most = max(most, inside)
				time.Sleep(time.Second)
				inside--
			})
		}
		wg.Wait()
		if took := time.Since(start); most != 1 || took != 10*time.Second {
			t.Errorf("%d at once, for %v", most, took)
		}
		if !m.TryLock() || m.TryLock() {
			t.Error("TryLock")
		}
	})
}

// A second call returns when the first has, and not before, even if that panics.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o Once
		calls, start := 0, time.Now()
		go func() {
			defer func() { _ = recover() }()
			o.Do(func() {
				calls++
				time.Sleep(time.Hour)
				panic("in Do")
			})
		}()
		time.Sleep(time.Second)
		o.Do(func() { calls++ })
		if took := time.Since(start); calls != 1 || took != time.Hour {
			t.Errorf("%d calls, back after %v", calls, took)
		}
	})
}

// The runtime ends a process that unlocks what is not locked.
func TestUnlockOfUnlocked(t *testing.T) {
	const key = "PRODCONS_TEST_UNLOCK"
	switch os.Getenv(key) {
	case "Mutex":
		new(Mutex).Unlock()
	case "RWMutex":
		new(RWMutex).Unlock()
	case "RUnlock":
		new(RWMutex).RUnlock()
	}
	for what, want := range map[string]string{
		"Mutex":   "fatal error: sync: unlock of unlocked mutex",
		"RWMutex": "fatal error: sync: Unlock of unlocked RWMutex",
		"RUnlock": "fatal error: sync: RUnlock of unlocked RWMutex",
	} {
		self := exec.Command(os.Args[0], "-test.run", "^TestUnlockOfUnlocked$")
		self.Env = append(os.Environ(), key+"="+what)
		if out, err := self.CombinedOutput(); err == nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s: %v, %.200s", what, err, out)
		}
	}
}
