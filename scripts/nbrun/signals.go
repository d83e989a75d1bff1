package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
)

// stopWithin is the time that a run has to end after a signal. The runner's own limits
// are shorter; a notebook that writes to a terminal that nobody reads has none.
var stopWithin = 45 * time.Second

// untilSignal returns a context that ends with the first signal to stop. A second one
// ends this process, with everything the cells have started; so does a run that hangs,
// after saying where.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endings()...)
	// Writing to a pipe that nobody reads must fail, and not end this process, which
	// still has to end those of the cells. Nobody listens; ignoring the signal would
	// make cells ignore it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		<-signals
		cancel()
		late := time.After(stopWithin)
		select {
		case s := <-signals:
			nbrun.KillAll()
			os.Exit(128 + int(s.(syscall.Signal)))
		case <-late:
			fmt.Fprintf(os.Stderr, "nbrun: still running %v after it was told to stop; these goroutines run:\n", stopWithin)
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
			nbrun.KillAll()
			os.Exit(failed)
		}
	}()
	return ctx
}

// endings are the signals that end a run, including that of a closed terminal, unless
// it was to be ignored, as by nohup.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// watched is a file that we write to, with the first write error.
type watched struct {
	*os.File
	gone context.CancelFunc // is called when nobody reads it any more

	mu  sync.Mutex
	err error
}

var _ io.Writer = (*watched)(nil)

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err == nil {
			w.err = err
		}
		if errors.Is(err, syscall.EPIPE) {
			w.gone()
		}
	}
	return n, err
}

// failure says what kept us from writing.
func (w *watched) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.err, syscall.EPIPE) {
		return errors.New("nobody is reading the output, so nbrun has stopped")
	}
	if w.err != nil {
		return fmt.Errorf("%s can't be written: %w", w.Name(), plain(w.err))
	}
	return nil
}
