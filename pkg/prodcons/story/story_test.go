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
		"\x1b[1mApp started: synchronous.\x1b[0m\n",
		"\x1b[38;5;16;48;5;220m -- producer 1 generated item 7 (value 49)\x1b[0m\n",
		"\x1b[38;5;231;48;5;23m +++ consumer 1 processed item 7 of producer 1 (value 49) after 10.66 sec.\x1b[0m\n",
		"\x1b[1mApp exiting, total time: 11.16 sec.\x1b[0m\n",
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

// slow is a writer whose reader has other things to do.
type slow struct{}

func (slow) Write(p []byte) (int, error) {
	time.Sleep(30 * time.Millisecond)
	return len(p), nil
}

// The times of a story are those of its sleeps, however long it takes to print it.
func TestTellingTakesNoTimeOfTheStory(t *testing.T) {
	capture(t, false)
	story.Output = slow{}
	synctest.Test(t, func(t *testing.T) {
		run := story.Start("slow", 10)
		producer := run.Producer(1)
		for i := range 20 {
			producer.Make(i)
			producer.Rest()
		}
		if got, want := run.Record.End(), story.Rests(1, 20)+300*time.Millisecond; (got - want).Abs() > time.Millisecond {
			t.Errorf("it takes %v, want %v", got, want) // the first line is told before the first sleep
		}
		if late := producer.Late(); late != 30*time.Millisecond {
			t.Errorf("late by %v, want 30ms", late)
		}
	})
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
	story.ForgetLate()
	c := story.Exercise(20)
	c.That("one", true, "%d %%", 1)
	c.Hint("not said, as there is nothing to do")
	c.Below("two", 3*time.Second, 2*time.Second)
	c.Hint("take less")
	c.About("three", time.Second, 2*time.Second)
	c.Above("four", time.Second, 2*time.Second)
	c.End()
	want := "✔ one: 1 %\n✘ two: 3.00 s (limit 2.00 s)\n  → take less\n✘ three: 1.00 s (expected 2.00 s ± 3.0 ms)\n✘ four: 1.00 s (at least 2.00 s)\nNot yet: change the cell above, run it, then run this one again.\n"
	if got := strings.Join(w.all, ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	w.all = nil
	c = story.Exercise(20)
	c.About("three", time.Second, time.Second+time.Millisecond)
	c.Between("four", 400*time.Millisecond, 400*time.Millisecond, 600*time.Millisecond)
	c.End()
	if got := strings.Join(w.all, ""); !strings.HasSuffix(got, "Solved.\n") {
		t.Errorf("a solved exercise says %q", got)
	}
}

// A tick could have been a cross: where a claim allows for more than a third of what is
// measured, it is left open, and an exercise is not solved.
func TestWhatCannotBeMeasuredIsLeftOpen(t *testing.T) {
	w := capture(t, false)
	story.ForgetLate()
	for _, claim := range []func(*story.Checks){
		func(c *story.Checks) { c.About("it", 500*time.Microsecond, 500*time.Microsecond) },
		func(c *story.Checks) { c.Between("it", time.Second, time.Second, 3*time.Second) },
		func(c *story.Checks) { c.Below("it", 0, 2*time.Millisecond) },
		func(c *story.Checks) { c.Above("it", time.Second, 2*time.Millisecond) },
	} {
		for _, begin := range []func(int) *story.Checks{story.Exercise, story.Check} {
			w.all = nil
			c := begin(20)
			claim(c)
			if status := c.End(); status != 0 {
				t.Errorf("status %d", status)
			}
			got := strings.Join(w.all, "")
			if !strings.HasPrefix(got, "○ it: not measurable at this speed: ") || strings.Contains(got, "Solved") {
				t.Errorf("it says %q", got)
			}
		}
	}
}

// A claim that depends on a few milliseconds is open if the system was later than that.
func TestAClaimIsAsGoodAsTheClockOfItsRun(t *testing.T) {
	for _, row := range []struct {
		speed float64
		late  time.Duration
		says  string
	}{
		{1, 0, "✘ it: 3"},
		{4, 10 * time.Millisecond, "✘ it: 3"},
		{400, 0, "○ it: not measurable at this speed: 3, give or take 0.58 s"},
		{4, 50 * time.Millisecond, "○ it: not measurable at this speed: 3, give or take 0.41 s"},
	} {
		story.ForgetLate()
		w := capture(t, false)
		synctest.Test(t, func(t *testing.T) {
			run := story.StartQuiet("timed", row.speed)
			run.Producer(1).Woken(row.late)
			run.End()
			other := story.StartQuiet("much faster", 100*row.speed)
			other.End()
			check := story.Check(20)
			check.Timed(run.Record, 450*time.Millisecond, "it", false, "%d", 3)
			check.Timed(nil, 450*time.Millisecond, "beside the other", true, "%d", 3)
		})
		got, both, _ := strings.Cut(strings.Join(w.all, ""), "\n")
		if got != row.says {
			t.Errorf("at speed %v, %v late, it says %q, want %q", row.speed, row.late, got, row.says)
		}
		if open := strings.HasPrefix(both, "○"); open != (row.speed > 1 || row.late > 0) {
			t.Errorf("at speed %v, %v late, it says beside a faster run %q", row.speed, row.late, both)
		}
	}
}

// Where the clock can't tell on which side of a limit a time is, the check does not say
// that it is on the wrong one.
func TestWhatIsCloseToALimitIsLeftOpen(t *testing.T) {
	w := capture(t, false)
	story.ForgetLate()
	c := story.Check(20)
	c.Below("it", 2001*time.Millisecond, 2*time.Second)
	c.Above("it", 1999*time.Millisecond, 2*time.Second)
	c.Below("it", 2005*time.Millisecond, 2*time.Second)
	c.Below("it", 2007*time.Millisecond, 2*time.Second)
	c.Below("it", 2*time.Second-1, 2*time.Second)
	c.Below("it", time.Second, 2*time.Millisecond) // whatever the clock
	want := "○ it: not measurable at this speed: 2.00 s, give or take 3.0 ms\n○ it: not measurable at this speed: 2.00 s, give or take 3.0 ms\n○ it: not measurable at this speed: 2.00 s, give or take 3.0 ms\n✘ it: 2.01 s (limit 2.00 s)\n✔ it: 2.00 s (limit 2.00 s)\n✘ it: 1.00 s (limit 2.0 ms)\n"
	if got := strings.Join(w.all, ""); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
}

func TestProgressIsOneLine(t *testing.T) {
	w := capture(t, false)
	synctest.Test(t, func(t *testing.T) {
		done := story.Progress("two runs", 5)
		time.Sleep(2100 * time.Millisecond)
		done()
		time.Sleep(time.Hour)
	})
	want := "\rtwo runs: 0 s of the story|\rtwo runs: 5 s of the story|\rtwo runs: 10 s of the story|\rtwo runs: 10 s of the story\n"
	if got := strings.Join(w.all, "|"); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

// A check that needs a claim to be true says nothing if it is false.
func TestClaimsThatNeedOthers(t *testing.T) {
	w := capture(t, false)
	run := story.StartQuiet("nothing is picked up", 1000)
	producer := run.Producer(1)
	for i := range 20 {
		producer.Make(i)
	}
	c := story.Exercise(20)
	c.Whole(run.Record, 20)
	c.Below("the longest wait is short", run.Stats().Latency.Max, time.Second)
	c.InOrder(run.Record)
	c.End()
	got := strings.Join(w.all, "")
	if strings.Count(got, "✔") != 1 || strings.Count(got, "✘") != 1 || strings.Count(got, "○") != 3 || !strings.Contains(got, "Not yet") {
		t.Errorf("of a run in which nothing is picked up it says\n%s", got)
	}
}

func TestOrderAndDoubles(t *testing.T) {
	for _, mistake := range []struct {
		picks []int
		says  string
	}{
		{[]int{1, 2, 3}, ""},
		{[]int{2, 1, 3}, "✘ items are picked up in the order they were made: 1 out of order"},
		{[]int{1, 2, 2, 3}, "✘ each is picked up, and once only: 2 of 3"},
		{[]int{1, 3}, "✘ each is picked up, and once only: 2 of 3"},
	} {
		w := capture(t, false)
		run := story.StartQuiet("order", 1000)
		producer, consumer := run.Producer(1), run.Consumer(1)
		var items []story.IntItem
		for i := range 3 {
			items = append(items, producer.Make(i))
		}
		for _, number := range mistake.picks {
			consumer.PickUp(items[number-1])
			consumer.Work()
		}
		c := story.Check(20)
		c.Whole(run.Record, 3)
		c.InOrder(run.Record)
		got := strings.Join(w.all, "")
		if !strings.Contains(got, mistake.says) || mistake.says == "" && strings.Contains(got, "✘") {
			t.Errorf("%v: it says\n%s", mistake.picks, got)
		}
	}
}

func TestEndsSeesWhatHangsAndWhatIsLeftBehind(t *testing.T) {
	stop := make(chan struct{})
	for _, program := range []struct {
		name string
		f    func()
		says string
	}{
		{"good", func() {}, ""},
		{"hangs", func() { <-stop }, "✘ it ends: false"},
		{"leaves one", func() { go func() { <-stop }() }, "✘ it leaves no goroutine behind: 1 left"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := capture(t, false)
			stop = make(chan struct{})
			c := story.Exercise(20)
			c.Ends(5, program.f)
			close(stop)
			got := strings.Join(w.all, "")
			if !strings.Contains(got, program.says) || program.says == "" && strings.Contains(got, "✘") {
				t.Errorf("%s: it says\n%s", program.name, got)
			}
		})
	}
}

func TestAnAnswerIsKnownByItsSeal(t *testing.T) {
	w := capture(t, false)
	c := story.Exercise(20)
	c.Answers([]string{"close", "send"}, "read on", "e206df39", "e206df39")
	c.Answers([]string{"close"}, "read on", "e206df39", "e206df39")
	c.Answers([]string{"close", "send"}, "read on", "e206df39")
	const want = "✔ number 1: you say \"close\"\n" +
		"✘ number 2: you say \"send\"\n  → read on\n" +
		"✘ each question has an answer: answers: 1, questions: 2\n" +
		"✘ each question has an answer: answers: 2, questions: 1\n"
	if got := strings.Join(w.all, ""); got != want {
		t.Errorf("it says %q, want %q", got, want)
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
		{"speed 0", func() { story.Start("x", 0) }, "speed must be a number above 0, not 0: 1 is real time, 10 is ten times as fast; set it in the parameters cell"},
		{"no run", func() { story.Load("never run") }, `there is no run named "never run" yet: run the cell that starts it, then this one again`},
		{"too few items", func() { story.Exercise(14) }, "the claims are about runs of 15 items or more, and n is 14: set it in the parameters cell, and run the cells from there again"},
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
		if got := bytes.Contains(out, []byte("\x1b[38;5;231;48;5;124m")); got != env.want {
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
	//  -- producer 1 generated item 1 (value 49)
	// value 49
}

// One cell runs a story; another, which is a program of its own, finds its record.
func ExampleLoad() {
	run := story.StartQuiet("quiet", 1000)
	run.Producer(1).Make(49)
	run.End()

	fmt.Println(story.Load("quiet").Stats().Made)
	// Output: 1
}

// An exercise not yet done says what is missing, and is no failure.
func ExampleExercise() {
	check := story.Exercise(20)
	check.Need("each item is made", false, "%d of %d", 0, 20)
	check.Hint("Call producer.Make.")
	fmt.Println("exit status", check.End())
	// Output:
	// ✘ each item is made: 0 of 20
	//   → Call producer.Make.
	// Not yet: change the cell above, run it, then run this one again.
	// exit status 0
}

func ExampleCheck() {
	check := story.Check(20)
	check.That("nothing is lost", true, "made %d, used %d", 20, 20)
	fmt.Println("exit status", check.End()) // in a cell: os.Exit(check.End())
	// Output:
	// ✔ nothing is lost: made 20, used 20
	// exit status 0
}

// TestTheClockIsTrustedLessOnABusyMachine runs a story while something else keeps the
// only processor, again and again, as in a cell that is run again.
func TestTheClockIsTrustedLessOnABusyMachine(t *testing.T) {
	t.Setenv("GONB_TMP_DIR", t.TempDir())
	story.ForgetLate()
	if got := story.Uncertain(time.Second); got != 2*time.Millisecond {
		t.Fatalf("a second is uncertain by %v where nothing has run, want 2ms", got)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for {
		var busy atomic.Bool
		busy.Store(true)
		for range 8 { // they take turns, about 10 ms each
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
			story.ForgetLate()
			continue // it had luck
		}
		got := story.Uncertain(time.Second)
		if got < 200*time.Millisecond+time.Second {
			t.Fatalf("it is uncertain by %v at a speed of 100, though a sleep of a second took three", got)
		}
		story.ForgetLate() // as in another cell, which is a program of its own
		if story.Load("on a busy machine"); story.Uncertain(time.Second) != got {
			t.Fatalf("%v for who loads the run, %v for who made it", story.Uncertain(time.Second), got)
		}
		return
	}
}
