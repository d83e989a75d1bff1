//go:build unix

// Command link stands between nbrun and a Jupyter kernel: it starts the kernel,
// speaks the Jupyter messaging protocol over ZeroMQ to it, and lines of JSON, each
// a [jupyter.Order] or [jupyter.Report], to nbrun over standard input and output.
// When its input ends, it ends the kernel, with all that the kernel has started.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter"
)

func main() {
	runtime.LockOSThread() // the kernel is to end with the thread that has started it
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	serve(ctx, os.Stdin, os.Stdout)
}

// serve obeys orders until there are no more of them, or the kernel is dead.
func serve(ctx context.Context, in io.Reader, out io.Writer) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	orders := make(chan jupyter.Order)
	go func() {
		defer cancel()
		dec := json.NewDecoder(bufio.NewReader(in))
		for {
			var o jupyter.Order
			if dec.Decode(&o) != nil {
				return
			}
			select {
			case orders <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	report := func(r jupyter.Report) {
		if enc.Encode(r) != nil {
			cancel() // nobody listens
		}
	}
	dead := func(err error) {
		var d *jupyter.Dead
		if !errors.As(err, &d) {
			d = &jupyter.Dead{Text: err.Error()}
		}
		report(jupyter.Report{Dead: d})
	}

	var k *kernel
	select {
	case <-ctx.Done():
		return
	case o := <-orders:
		if o.Start == nil {
			dead(errors.New("the first order must be to start a kernel"))
			return
		}
		var err error
		if k, err = start(ctx, *o.Start, func(m jupyter.Message) { report(jupyter.Report{Message: &m}) }); err != nil {
			dead(err)
			return
		}
	}
	defer k.close()
	report(jupyter.Report{Ready: true})
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.dead:
			dead(k.death())
			return
		case o := <-orders:
			if o.Execute == nil {
				continue // an interrupt that has come too late
			}
			reply, refused, err := k.execute(ctx, *o.Execute, orders)
			if err != nil {
				if ctx.Err() == nil {
					dead(err)
				}
				return
			}
			report(jupyter.Report{Reply: reply, Refused: refused})
		}
	}
}
