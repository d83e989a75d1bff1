package nbrun

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
)

// stuck is an engine that does not end when it should.
type stuck struct {
	at      string // open, run or close
	release chan struct{}
}

func (e *stuck) wait(at string) error {
	if e.at == at {
		<-e.release
	}
	return nil
}

func (e *stuck) Open(context.Context, engine.Notebook) (engine.Session, error) {
	return e, e.wait("open")
}
func (e *stuck) Now() time.Time { return time.Now() }
func (e *stuck) Close() error   { return e.wait("close") }

func (e *stuck) Run(_ context.Context, _ int, out event.Sink) (event.Clock, error) {
	_ = e.wait("run")
	return event.Real, out.Put(time.Now(), event.Output{Kind: event.Stream, Name: "stdout", Text: "late"})
}

func TestAnEngineThatHangsIsGivenUp(t *testing.T) {
	defer func(was time.Duration) { grace = was }(grace)
	grace = 50 * time.Millisecond
	data := []byte(`{"cells": [{"cell_type": "code", "source": "x", "metadata": {}}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`)
	for at, want := range map[string]string{
		"open":  "the runner hangs: 50ms after it should have ended, it is still in nbrun.(*stuck).wait (guard_test.go:",
		"run":   "cell 1: the runner hangs: 50ms after it should have ended, it is still in nbrun.(*stuck).wait (guard_test.go:",
		"close": "the runner hangs: 50ms after it should have ended, it is still in nbrun.(*stuck).wait (guard_test.go:",
	} {
		e := &stuck{at: at, release: make(chan struct{})}
		late := make(chan bool, 1)
		n, err := Parse(t.Context(), filepath.Join(t.TempDir(), "a.ipynb"), data, Options{
			Engine: Yaegi, Timeout: 50 * time.Millisecond,
			Observer: event.ObserverFunc(func(e event.Event) error {
				if e.Action == event.Out {
					late <- true
				}
				return nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		n.engine = e
		ctx, cancel := context.WithCancel(t.Context())
		if at == "open" {
			cancel()
		}
		_, err = n.Run(ctx)
		cancel()
		if !errors.Is(err, ErrHangs) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", at, err)
		}
		close(e.release)
		if at == "run" {
			select {
			case <-late:
				t.Error("what was given up is listened to")
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}
