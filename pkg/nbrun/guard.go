package nbrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// grace is how long the runner may take to stop what should end. It is more than any
// engine gives its processes to exit.
var grace = 20 * time.Second

// startAtMost is how long an engine may take to open: with an empty cache, GoNB's
// kernel is built.
const startAtMost = 15 * time.Minute

// ErrHangs is wrapped by the error for something that the runner gave up on because it
// did not end long after it should have. The error says where it hangs. What a run has
// started is ended, but the goroutine stays.
var ErrHangs = errors.New("the runner hangs")

// guarded calls f, and waits for it no longer than grace after ctx has ended.
func guarded[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	id := make(chan string, 1)
	go func() {
		r := result{err: errors.New("the runner's goroutine has ended")} // by runtime.Goexit
		defer func() { done <- r }()
		id <- goroutine()
		r.value, r.err = f()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-late.C:
		var none T
		return none, fmt.Errorf("%w: %v after it should have ended, it is still %s", ErrHangs, grace, where(<-id))
	}
}

// goroutine is the heading of this goroutine in a stack trace.
func goroutine() string {
	var buf [64]byte
	head, _, _ := strings.Cut(string(buf[:runtime.Stack(buf[:], false)]), "[")
	return head
}

// frameOf returns a function and its place in a stack trace.
var frameOf = regexp.MustCompile(`(?m)^(\S+)\(.*\)\n\t(\S+?:\d+)`)

// where says where a goroutine is: in the innermost of our functions, and the one that
// they have called.
func where(goroutine string) string {
	buf := make([]byte, 1<<20)
	for trace := range bytes.SplitSeq(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
		if !bytes.HasPrefix(trace, []byte(goroutine)) {
			continue
		}
		var calls []string
		for _, m := range frameOf.FindAllSubmatch(trace, -1) {
			name := string(m[1])
			calls = append(calls, fmt.Sprintf("in %s (%s)", path.Base(name), path.Base(string(m[2]))))
			if strings.Contains(name, "prodcons/") || len(calls) == 8 {
				break
			}
		}
		return strings.Join(calls, ", called ")
	}
	return "somewhere"
}

// running are the traces of all sessions that have not been closed.
var running sync.Map

// KillAll ends the processes that the cells of all sessions have started, and returns
// how many there were. It is for a program that is about to end without closing its
// sessions.
func KillAll() int {
	n := 0
	for traces := range running.Range {
		killed, _ := traces.(*process.Traces).Clear()
		n += killed
	}
	return n
}
