package prodcons

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLateIsWhatTheSystemWasLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace, err := NewPace(1, 10)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			pace.Rest()
		}
		if late := pace.Late(); late != 0 {
			t.Errorf("late by %v on a clock that never is", late)
		}
		pace.woken(1900 * time.Microsecond) // as timers are
		pace.woken(30 * time.Millisecond)
		pace.woken(12 * time.Millisecond)
		if late := pace.Late(); late != 42*time.Millisecond {
			t.Errorf("late by %v, want 42ms", late)
		}
	})
}
