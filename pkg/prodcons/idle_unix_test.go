//go:build unix

package prodcons_test

import (
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// A waiting goroutine sleeps: the whole process takes next to no processor time.
func TestWaitingCostsNoTime(t *testing.T) {
	empty := prodcons.NewBuffer[int](4, prodcons.WaitWhenFull)
	full := prodcons.NewBuffer[int](4, prodcons.WaitWhenFull)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _, _ = empty.Get(t.Context()) })
		wg.Go(func() { _, _ = full.PutBatch(t.Context(), make([]int, 100)) })
	}
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	time.Sleep(2 * time.Second)
	if took := used() - before; took > 20*time.Millisecond {
		t.Errorf("16 goroutines that wait took %v of 2 s, want less than 1 %%", took)
	} else {
		t.Logf("%v of 2 s", took)
	}
	empty.Close()
	full.Close()
	wg.Wait()
}
