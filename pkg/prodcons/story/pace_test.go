package story_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons/story"
)

func TestPaceDrawsTheSameRestsFromOneSeed(t *testing.T) {
	a, _ := story.NewPace(7, 1)
	b, _ := story.NewPace(7, 50)
	c, _ := story.NewPace(8, 1)
	same := true
	for range 1000 {
		x, y, z := a.Next(), b.Next(), c.Next()
		if x != y {
			t.Fatalf("%v and %v from one seed", x, y)
		}
		if x < story.MinRest || x >= story.MaxRest {
			t.Fatalf("a rest of %v", x)
		}
		same = same && x == z
	}
	if same {
		t.Error("two seeds draw the same rests")
	}
}

func TestPaceRejectsSpeedsThatAreNone(t *testing.T) {
	for _, speed := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := story.NewPace(1, speed); err == nil {
			t.Errorf("speed %v was taken", speed)
		}
	}
}

func TestPaceMakesUpForLateTimers(t *testing.T) {
	const n, each = 200, 2 * time.Millisecond
	pace, _ := story.NewPace(1, 1)
	start := time.Now()
	for range n {
		pace.Sleep(each)
	}
	// On the real clock, each sleep is late; the sum may only be as late as one.
	if took := time.Since(start); took < n*each || took > n*each+150*time.Millisecond {
		t.Errorf("%d sleeps of %v took %v", n, each, took)
	}
}

func TestLateIsWhatTheSystemWasLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace, err := story.NewPace(1, 10)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			pace.Rest()
		}
		if late := pace.Late(); late != 0 {
			t.Errorf("late by %v on a clock that never is", late)
		}
		pace.Woken(1900 * time.Microsecond) // as timers are
		pace.Woken(30 * time.Millisecond)
		pace.Woken(12 * time.Millisecond)
		if late := pace.Late(); late != 30*time.Millisecond {
			t.Errorf("late by %v, want 30ms", late)
		}
	})
}

func ExamplePace() {
	pace, err := story.NewPace(42, 100) // a hundred times as fast as real time
	if err != nil {
		panic(err)
	}
	for range 3 {
		fmt.Println(pace.Next().Round(time.Millisecond))
	}
	// Output:
	// 1.119s
	// 876ms
	// 1.138s
}
