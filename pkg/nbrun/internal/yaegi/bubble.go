package yaegi

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/rt"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols"
)

// virtualClock prepares for a program that is to run in a bubble: what it writes is
// framed, and its locks don't stop the clock.
func virtualClock() {
	rt.Frame()
	for _, adapt := range symbols.Adapt {
		adapt(symbols.Surroundings{Stdout: rt.Stdout, Stderr: rt.Stderr, Goroutines: func() int { return len(ours) }})
	}
	locks := symbols.Symbols["sync/sync"]
	locks["Mutex"] = reflect.ValueOf((*rt.Mutex)(nil))
	locks["RWMutex"] = reflect.ValueOf((*rt.RWMutex)(nil))
	locks["Once"] = reflect.ValueOf((*rt.Once)(nil))
	if os.Getenv("GOMAXPROCS") == "" {
		// As for compiled programs on the fake clock: what goes on at the same instant
		// does so in the same order each time.
		runtime.GOMAXPROCS(1)
	}
}

// bubble calls program, which ends the process, in a bubble of testing/synctest: when
// all of its goroutines wait, time jumps to when the next goes on. It begins when Go's
// fake clock does.
func bubble(program func()) {
	args := os.Args
	os.Args = args[:1] // those of package testing
	everything := func(string, string) (bool, error) { return true, nil }
	testing.Main(everything, []testing.InternalTest{{Name: "program", F: func(t *testing.T) {
		os.Args = args
		flag.CommandLine = flag.NewFlagSet(args[0], flag.ExitOnError)
		flag.CommandLine.Usage = func() { flag.Usage() }
		defer func() {
			if r := recover(); r != nil {
				deadlocked(r)
			}
		}()
		synctest.Test(t, func(*testing.T) {
			time.Sleep(time.Until(process.FakeStart))
			for number := range goroutines() {
				ours[number] = true
			}
			go program()
			<-make(chan bool)
		})
	}}}, nil, nil)
}

// ours are the goroutines that are not the program's.
var ours = map[int]bool{}

// deadlocked ends the process as the runtime does when all goroutines of the program
// are asleep.
func deadlocked(r any) {
	if !strings.HasPrefix(fmt.Sprint(r), "deadlock: ") {
		panic(r)
	}
	states := goroutines()
	maps.DeleteFunc(states, func(number int, _ string) bool { return ours[number] })
	if len(states) == 0 {
		rt.Last("fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n")
	} else {
		first := slices.Min(slices.Collect(maps.Keys(states)))
		rt.Last("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [" + states[first] + "]:\n")
	}
	os.Exit(2)
}

// goroutines returns what each goroutine waits for, by its number.
func goroutines() map[int]string {
	states := map[int]string{}
	for _, m := range goroutine.FindAllStringSubmatch(string(stack()), -1) {
		if number, err := strconv.Atoi(m[1]); err == nil {
			states[number] = m[2]
		}
	}
	return states
}

// goroutine is the first line of a goroutine's stack.
var goroutine = regexp.MustCompile(`(?m)^goroutine (\d+) .*\[([^](,]*[^](, ])`)

func stack() []byte {
	for size := 1 << 16; ; size *= 2 {
		buffer := make([]byte, size)
		if n := runtime.Stack(buffer, true); n < size {
			return buffer[:n]
		}
	}
}
