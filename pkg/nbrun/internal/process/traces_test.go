//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// runnerEnv makes the test's binary a program that runs a script, as nbrun would.
const runnerEnv = "PROCESS_TEST_SCRIPT"

// runner runs a script, says where its folder is, and clears up.
func runner(script string) int {
	os.Unsetenv(runnerEnv)
	Adopt()
	t, err := NewTraces()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(t.Dir)
	p := shell(script)
	p.Env, p.Temp, p.Displays = t.On(os.Environ()), t.Dir, true
	if _, err := p.Run(context.Background(), &sink{}); err != nil {
		fmt.Println(err)
		return 1
	}
	n, err := t.Clear()
	fmt.Println(n, err)
	return 0
}

// The system ends a program with the thread that has started it: no thread that starts
// a program of this process may end, whatever else goroutines do with their threads.
func TestAProgramDoesNotEndWithAThread(t *testing.T) {
	stop := make(chan struct{})
	var done [4]chan struct{}
	for i := range done {
		done[i] = make(chan struct{})
		go func() {
			defer close(done[i])
			for {
				select {
				case <-stop:
					return
				default:
				}
				ended := make(chan struct{})
				go func() {
					runtime.LockOSThread() // and never unlocks it: the thread ends
					close(ended)
				}()
				<-ended
				time.Sleep(100 * time.Microsecond)
			}
		}()
	}
	for range 20 {
		exit, err := shell("sleep 0.05").Run(t.Context(), &sink{})
		if err != nil || exit.Err != nil {
			t.Error(exit.Err, err)
		}
	}
	close(stop)
	for i := range done {
		<-done[i]
	}
}

// Two runs that begin at once, while a third clears away, have a folder each.
func TestARunThatBeginsIsNotTakenForDead(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	stop := make(chan struct{})
	cleaner := make(chan struct{})
	go func() {
		defer close(cleaner)
		for {
			select {
			case <-stop:
				return
			default:
				clearDead()
			}
		}
	}()
	for range 200 {
		traces, err := NewTraces()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(traces.Dir, "file"), nil, 0o600); err != nil {
			t.Error(err)
		}
		if err := traces.remove(); err != nil {
			t.Error(err)
		}
		open.Add(-1)
	}
	close(stop)
	<-cleaner
}
