package story_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fatih/color"
	"go.uber.org/goleak"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/b3771e63/prodcons/pkg/prodcons/story"
)

func TestMain(m *testing.M) {
	if os.Getenv("STORY_TEST_CELL") != "" {
		os.Exit(cell())
	}
	goleak.VerifyTestMain(m)
}

// writes counts each Write and keeps it.
type writes struct {
	mu  sync.Mutex
	all []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, string(p))
	return len(p), nil
}

// capture sends lines to w, in colour or not, and runs to a folder of the test's.
func capture(t *testing.T, colour bool) *writes {
	t.Helper()
	t.Setenv("GONB_TMP_DIR", t.TempDir())
	w := &writes{}
	out, no := story.Output, color.NoColor
	story.Output, color.NoColor = w, !colour
	t.Cleanup(func() { story.Output, color.NoColor = out, no })
	return w
}

func TestTheLinesOfTheStory(t *testing.T) {
	w := capture(t, true)
	synctest.Test(t, func(t *testing.T) {
		run := story.Start("synchronous", 1)
		producer, consumer := run.Producer(1), run.Consumer(1)
		var item story.IntItem
		for i := 1; i <= 7; i++ {
			item = producer.Make(i * i)
		}
		time.Sleep(10660 * time.Millisecond)
		consumer.PickUp(item)
		consumer.Work()
		run.End()
	})
	want := []string{
		"\x1b[1mApp started: synchronous.\x1b[22m\n",
		"\x1b[33m -- generated item 7\x1b[0m\n",
		"\x1b[36m +++ processed value 49 after 10.66 sec.\x1b[0m\n",
		"\x1b[1mApp exiting, total time: 11.16 sec.\x1b[22m\n",
	}
	got := append([]string{w.all[0]}, w.all[7:]...)
	if len(got) != len(want) {
		t.Fatalf("%d writes: %q", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestTheNumbersOfTheStory(t *testing.T) {
	for _, speed := range []float64{1, 8} {
		capture(t, false)
		synctest.Test(t, func(t *testing.T) {
			run := story.StartQuiet("synchronous", speed)
			producer, consumer := run.Producer(1), run.Consumer(1)
			var queue []story.IntItem
			for i := range 20 {
				queue = append(queue, producer.Make(i))
				producer.Rest()
			}
			for _, item := range queue {
				consumer.PickUp(item)
				consumer.Work()
			}
			run.End()
			s := run.Stats()
			for _, row := range []struct {
				name string
				got  time.Duration
				want float64
			}{
				{"total", s.Total, 30.91},
				{"first wait", s.Latency.First, 20.91},
				{"longest wait", s.Latency.Max, 20.91},
				{"last wait", s.Latency.Last, 10.47},
				{"shortest wait", s.Latency.Min, 10.47},
				{"mean wait", s.Latency.Mean, 15.89},
			} {
				if math.Abs(row.got.Seconds()-row.want) > 0.01 {
					t.Errorf("speed %v: %s is %v, want %v s", speed, row.name, row.got, row.want)
				}
			}
			if s.Count != 20 {
				t.Errorf("speed %v: %d items, want 20", speed, s.Count)
			}
		})
	}
}

func TestEachLineIsOneWrite(t *testing.T) {
	w := capture(t, true)
	run := story.Start("many", 1000)
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			producer := run.Producer(p + 1)
			for i := range 50 {
				producer.Make(i)
			}
		})
	}
	wg.Wait()
	for _, line := range w.all {
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("a write of %q", line)
		}
	}
	if len(w.all) != 1+8*50 {
		t.Errorf("%d lines", len(w.all))
	}
}

func TestAQuietStoryKeepsItsRecord(t *testing.T) {
	w := capture(t, false)
	run := story.StartQuiet("quiet/ and odd", 1000)
	c := run.Consumer(1)
	c.PickUp(run.Producer(1).Make(1))
	c.Work()
	c.Sleep(1)
	run.End()
	if len(w.all) != 0 {
		t.Errorf("it said %q", w.all)
	}
	back := story.Load("quiet/ and odd")
	if !reflect.DeepEqual(back.Stats(), run.Stats()) {
		t.Errorf("saved %+v, loaded %+v", run.Stats(), back.Stats())
	}
}

func TestRestsAreThoseOfTheProducer(t *testing.T) {
	capture(t, false)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		producer := story.StartQuiet("x", 1).Producer(2)
		for range 5 {
			producer.Rest()
		}
		if got, want := time.Since(start), story.Rests(2, 5); got != want {
			t.Errorf("rests take %v, want %v", got, want)
		}
	})
}

func TestTable(t *testing.T) {
	w := capture(t, false)
	synctest.Test(t, func(t *testing.T) {
		run := story.StartQuiet("ünïcode", 1)
		item := run.Producer(1).Make(1)
		time.Sleep(5 * time.Microsecond)
		c := run.Consumer(1)
		c.PickUp(item)
		c.Work()
		run.AddEmptyPolls(12)
		run.End()
		story.Table(run.Record, prodcons.NewRecord("nothing", time.Now))
	})
	got := strings.Split(strings.Join(w.all, ""), "\n")
	want := []string{
		`^run     items   total │   first    last     min    mean     max │ empty polls$`,
		`^ünïcode     1  0.50 s │    5 µs    5 µs    5 µs    5 µs    5 µs │          12$`,
		`^nothing     0     0 s │     0 s     0 s     0 s     0 s     0 s │           0$`,
	}
	for i, re := range want {
		if !regexp.MustCompile(re).MatchString(got[i]) {
			t.Errorf("line %d is %q, want %s", i, got[i], re)
		}
	}
}

func TestChecksOfAnExerciseDoNotFail(t *testing.T) {
	w := capture(t, false)
	c := story.Exercise(20)
	c.That("one", true, "%d", 1)
	c.Hint("not said, as there is nothing to do")
	c.Below("two", 3*time.Second, 2*time.Second)
	c.Hint("take less")
	c.About("three", time.Second, 2*time.Second, 500*time.Millisecond)
	c.End()
	want := "✔ one: 1\n✘ two: 3.00 s (limit 2.00 s)\n  → take less\n✘ three: 1.00 s (expected 2.00 s ± 0.50 s)\nNot yet: change the cell above, run it, then run this one again.\n"
	if got := strings.Join(w.all, ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	w.all = nil
	c = story.Exercise(20)
	c.About("three", time.Second, 1200*time.Millisecond, 500*time.Millisecond)
	c.End()
	if got := strings.Join(w.all, ""); !strings.HasSuffix(got, "Solved.\n") {
		t.Errorf("a solved exercise says %q", got)
	}
}

func TestAFalseClaimFailsTheCell(t *testing.T) {
	capture(t, false)
	c := story.Check(20)
	c.That("a true claim", true, "yes")
	if status := c.End(); status != 0 {
		t.Errorf("status %d where all is true", status)
	}
	c.That("a false claim", false, "no")
	if status := c.End(); status != 1 {
		t.Errorf("status %d where a claim is false, want 1", status)
	}
	c = story.Exercise(20)
	c.That("a false claim", false, "no")
	if status := c.End(); status != 0 {
		t.Errorf("status %d of an exercise not yet done, want 0", status)
	}
}

func TestWhatCannotGoOnPanicsWithALineThatSaysWhatToDo(t *testing.T) {
	t.Setenv("GONB_TMP_DIR", t.TempDir())
	for _, fault := range []struct {
		name string
		do   func()
		want string
	}{
		{"speed 0", func() { story.Start("x", 0) }, "speed must be a number above 0, not 0: 1 is real time, 10 is ten times as fast; set it in the cell of the parameters"},
		{"no run", func() { story.Load("never run") }, `there is no run named "never run" yet: run the cell that starts it, then this one again`},
		{"too few items", func() { story.Exercise(14) }, "the claims are about runs of 15 items or more, and n is 14: set it in the cell of the parameters, and run the cells from there once more"},
	} {
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || err.Error() != fault.want {
					t.Errorf("%s: %v, want an error that says %q", fault.name, err, fault.want)
				}
			}()
			fault.do()
		}()
	}
}

// cell is what a cell of a notebook does. It returns its exit status.
func cell() int {
	before := color.NoColor
	c := story.Check(20)
	c.That("a false claim", false, "no")
	if color.NoColor != before {
		return 3
	}
	return c.End()
}

func TestColourIsKeptInANotebookAndSetForNobodyElse(t *testing.T) {
	for _, env := range []struct {
		set  []string
		want bool
	}{
		{[]string{"GONB_PIPE=/somewhere"}, true},
		{[]string{"GONB_PIPE=/somewhere", "NO_COLOR=1"}, false},
		{[]string{"GONB_PIPE="}, false},
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(append(os.Environ(), "STORY_TEST_CELL=yes"), env.set...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%v: %v, want exit status 1", env.set, err)
		}
		if got := bytes.Contains(out, []byte("\x1b[31m")); got != env.want {
			t.Errorf("%v: coloured is %v, output %q", env.set, got, out)
		}
	}
}

func Example() {
	run := story.Start("example", 1000)
	producer, consumer := run.Producer(1), run.Consumer(1)
	item := producer.Make(49)
	consumer.Work()
	fmt.Println("value", item.Value)
	// Output:
	// App started: example.
	//  -- generated item 1
	// value 49
}

func ExampleCheck() {
	check := story.Check(20)
	check.That("nothing is lost", true, "made %d, used %d", 20, 20)
	fmt.Println("exit status", check.End()) // in a cell: os.Exit(check.End())
	// Output:
	// ✔ nothing is lost: made 20, used 20
	// exit status 0
}

// TestSlackKnowsWhatTheMachineWasLate runs a story while something else keeps the
// only processor, again and again, as in a cell that is run again.
func TestSlackKnowsWhatTheMachineWasLate(t *testing.T) {
	t.Setenv("GONB_TMP_DIR", t.TempDir())
	story.ForgetLate()
	if got := story.Slack(2); got != 110*time.Millisecond {
		t.Fatalf("slack is %v where nothing has run, want 110ms", got)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for {
		var busy atomic.Bool
		busy.Store(true)
		for range 8 { // they take turns, some 10 ms each
			go func() {
				for busy.Load() {
				}
			}()
		}
		run := story.StartQuiet("on a busy machine", 100)
		consumer := run.Consumer(1)
		consumer.Sleep(1)
		run.End()
		busy.Store(false)
		if late := run.Record.End() - time.Second; late < 2*time.Second {
			continue // it had luck
		}
		got := story.Slack(100)
		if got < 600*time.Millisecond+time.Second {
			t.Fatalf("slack is %v at a speed of 100, though a sleep of a second took three", got)
		}
		story.ForgetLate() // as in another cell, which is a program of its own
		if again := story.Slack(100); again != 600*time.Millisecond {
			t.Fatalf("slack is %v before anything is loaded", again)
		}
		if story.Load("on a busy machine"); story.Slack(100) != got {
			t.Fatalf("slack is %v for who loads the run, %v for who made it", story.Slack(100), got)
		}
		return
	}
}
