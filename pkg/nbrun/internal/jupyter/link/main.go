//go:build unix

// Command link stands between nbrun and a Jupyter kernel: it starts the kernel, speaks
// the Jupyter messaging protocol over ZeroMQ with it, and exchanges lines of JSON, each
// a [orders.Order] or [orders.Report], with nbrun over standard input and output. When
// its input ends, it ends the kernel, with everything that the kernel has started.
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

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter/orders"
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
	told := make(chan orders.Order)
	go func() {
		defer cancel()
		dec := json.NewDecoder(bufio.NewReader(in))
		for {
			var o orders.Order
			if dec.Decode(&o) != nil {
				return
			}
			select {
			case told <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	report := func(r orders.Report) {
		if enc.Encode(r) != nil {
			cancel() // nobody listens
		}
	}
	dead := func(err error) {
		var d *orders.Dead
		if !errors.As(err, &d) {
			d = &orders.Dead{Text: err.Error()}
		}
		report(orders.Report{Dead: d})
	}

	var k *kernel
	select {
	case <-ctx.Done():
		return
	case o := <-told:
		if o.Start == nil {
			dead(errors.New("the first order must be to start a kernel"))
			return
		}
		var err error
		if k, err = start(ctx, *o.Start, func(m orders.Message) { report(orders.Report{Message: &m}) }); err != nil {
			dead(err)
			return
		}
	}
	defer k.close()
	report(orders.Report{Ready: true})
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.dead:
			dead(k.death())
			return
		case o := <-told:
			if o.Execute == nil {
				continue // an interrupt that has come too late
			}
			reply, refused, err := k.execute(ctx, *o.Execute, told)
			if err != nil {
				if ctx.Err() == nil {
					dead(err)
				}
				return
			}
			report(orders.Report{Reply: reply, Refused: refused})
		}
	}
}
