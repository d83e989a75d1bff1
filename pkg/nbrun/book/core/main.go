//go:build js && wasm

// Command core drives the cells of a page: the worker that starts it provides the cells
// and a host, and receives what happens as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"syscall/js"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/book/inpage"
	"github.com/b3771e63/prodcons/pkg/nbrun/book/render"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

func main() {
	js.Global().Set("openNotebook", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return promise(func() (any, error) { return open(args[0], args[1].String()) })
	}))
	js.Global().Get("coreReady").Invoke()
	select {}
}

// notebook is what a page says about its notebook.
type notebook struct {
	Dir   string        `json:"dir"`
	Cells []engine.Cell `json:"cells"`
}

// open opens a session and returns its functions: run(number, source, tell) resolves when
// the cell has ended, and declare(number, source) when its declarations are known. From
// then on, the cells belong to the session.
func open(h js.Value, text string) (any, error) {
	var nb notebook
	if err := json.Unmarshal([]byte(text), &nb); err != nil {
		return nil, err
	}
	progress := func(text string) { h.Call("progress", text) }
	s, err := inpage.New(context.Background(), host{h}, engine.Notebook{
		Path: nb.Dir + "/notebook.ipynb", Dir: nb.Dir, Cells: nb.Cells, Progress: progress,
		Env: process.Env{"HOME=/tmp", "PATH=/bin", "PWD=" + nb.Dir, "TMPDIR=/tmp", "GOMAXPROCS=1"},
	})
	if err != nil {
		return nil, err
	}
	run := js.FuncOf(func(_ js.Value, args []js.Value) any {
		number, source, tell := args[0].Int(), args[1].String(), args[2]
		return promise(func() (any, error) {
			s.Replace(number, source)
			return nil, runCell(s, number, tell)
		})
	})
	declare := js.FuncOf(func(_ js.Value, args []js.Value) any {
		number, source := args[0].Int(), args[1].String()
		return promise(func() (any, error) {
			s.Replace(number, source)
			return nil, s.Declare(context.Background(), number, event.SinkFunc(func(time.Time, event.Output) error { return nil }))
		})
	})
	return map[string]any{"run": run, "declare": declare}, nil
}

// told is one line to the page: an output with its HTML, or how the cell has ended.
type told struct {
	Action event.Action  `json:"action"`
	At     int64         `json:"at"` // ns on the fake clock since its start
	Output *event.Output `json:"output,omitempty"`
	HTML   string        `json:"html,omitempty"`
	Fault  *event.Fault  `json:"fault,omitempty"`
}

func runCell(s *inpage.Session, number int, tell js.Value) error {
	say := func(t told, at time.Time) error {
		t.At = at.Sub(process.FakeStart).Nanoseconds()
		text, err := json.Marshal(t)
		if err == nil {
			tell.Invoke(string(text))
		}
		return err
	}
	if err := say(told{Action: event.Begin}, s.Now()); err != nil {
		return err
	}
	style := new(render.Style)
	_, err := s.Run(context.Background(), number, event.SinkFunc(func(at time.Time, o event.Output) error {
		return say(told{Action: event.Out, Output: &o, HTML: render.Output(o, style)}, at)
	}))
	end := told{Action: event.Pass}
	if err != nil {
		end.Action = event.Fail
		if !errors.As(err, &end.Fault) {
			end.Fault = event.Faultf(number, 0, "%v", err)
		}
	}
	return say(end, s.Now())
}

// host lets the worker build and run programs.
type host struct{ js.Value }

func (h host) Has(path string) bool { return h.Call("has", path).Bool() }

func (h host) Build(ctx context.Context, packages []inpage.Package) (any, string, error) {
	text, err := json.Marshal(packages)
	if err != nil {
		return nil, "", err
	}
	v, err := await(ctx, h.Call("build", string(text)))
	if err != nil {
		return nil, "", err
	}
	if wasm := v.Get("wasm"); !wasm.IsUndefined() {
		return wasm, "", nil
	}
	return nil, v.Get("said").String(), nil
}

func (h host) Run(ctx context.Context, binary any, p inpage.Process, put func(fd int, p []byte) ([]byte, error)) (int, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	var failed error
	out := js.FuncOf(func(_ js.Value, args []js.Value) any {
		data := make([]byte, args[1].Length())
		js.CopyBytesToGo(data, args[1])
		var answer []byte
		if failed == nil {
			answer, failed = put(args[0].Int(), data)
		}
		v := js.Global().Get("Uint8Array").New(len(answer))
		js.CopyBytesToJS(v, answer)
		return v
	})
	defer out.Release()
	v, err := await(ctx, h.Call("run", binary.(js.Value), string(text), out))
	if err == nil {
		err = failed
	}
	if err != nil {
		return 0, err
	}
	return v.Int(), nil
}

// await waits for a promise.
func await(ctx context.Context, p js.Value) (js.Value, error) {
	type result struct {
		value js.Value
		err   error
	}
	done := make(chan result, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- result{value: args[0]}
		return nil
	})
	defer then.Release()
	failed := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- result{err: errors.New(args[0].Get("message").String())}
		return nil
	})
	defer failed.Release()
	p.Call("then", then, failed)
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

// promise returns a promise of f's result.
func promise(f func() (any, error)) js.Value {
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		go func() {
			v, err := f()
			if err != nil {
				args[1].Invoke(js.Global().Get("Error").New(err.Error()))
				return
			}
			args[0].Invoke(v)
		}()
		return nil
	})
	defer executor.Release() // it was called when the promise was created
	return js.Global().Get("Promise").New(executor)
}
