// Package jupyter runs cells in a real Jupyter kernel, with Jupyter's own protocol,
// without Python: it builds GoNB's kernel from this module's go.mod, or uses an
// installed one, starts it, and talks to it.
//
// The sockets are in a process of their own, the link (see the folder of that name),
// built together with the kernel. It keeps package net, and with it cgo, out of
// programs that import this package: with cgo the Go runtime detects no deadlocks,
// which interpreted cells need. It stands between us and a kernel that sends garbage,
// and it ends the kernel when we are killed.
package jupyter

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/jupyter/orders"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/process"
)

// What the link is told, and what it reports.
type (
	Message = orders.Message
	Reply   = orders.Reply
	Process = orders.Process
	Dead    = orders.Dead
)

// ErrRefused is returned for a cell that asks somebody to type.
var ErrRefused = errors.New("the program asks for input, but there is nobody to type it")

// Kernel is a running kernel. Only one goroutine may call its methods.
type Kernel struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	pipe    io.ReadCloser      // of reports
	reports chan orders.Report // closed when the link has ended
	handle  func(Message) error
	stderr  head
	dead    error
}

// grace is how long the link has to do what it was told, before it is killed. It must
// be more than the link gives the kernel.
var grace = 10 * time.Second

// Start starts a kernel with the link at that path, and returns when it is ready to
// execute. If ctx ends or p.Within passes first, the kernel is killed. What the kernel
// publishes is passed to handle, in order, during Execute and Close. It may still
// belong to an earlier cell: a kernel may say that a cell is done, and then send more.
func Start(ctx context.Context, link string, p Process, handle func(Message) error) (*Kernel, error) {
	k := &Kernel{cmd: exec.Command(link), reports: make(chan orders.Report), handle: handle}
	k.cmd.Env = p.Env // so that it is known as ours, too
	k.cmd.WaitDelay = time.Second
	k.cmd.Stderr = &k.stderr
	process.OwnGroup(k.cmd)
	var err error
	if k.orders, err = k.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if k.pipe, err = k.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := k.cmd.Start(); err != nil {
		return nil, err
	}
	go k.read(k.pipe)
	if err := k.order(orders.Order{Start: &p}); err == nil {
		select {
		case r := <-k.reports:
			if r.Ready {
				return k, nil
			}
			err = k.end(r)
		case <-ctx.Done():
			err = ctx.Err()
		}
		_ = k.Close()
		return nil, err
	}
	err = k.end(orders.Report{})
	_ = k.Close()
	return nil, err
}

func (k *Kernel) order(o orders.Order) error {
	line, err := json.Marshal(o)
	if err == nil {
		_, err = k.orders.Write(append(line, '\n'))
	}
	return err
}

func (k *Kernel) read(stdout io.Reader) {
	defer close(k.reports)
	dec := json.NewDecoder(bufio.NewReaderSize(stdout, 1<<16))
	for {
		var r orders.Report
		if dec.Decode(&r) != nil {
			return
		}
		k.reports <- r
	}
}

// end says why there will be no more reports.
func (k *Kernel) end(r orders.Report) error {
	k.dead = errors.New("the connection to the kernel has broken")
	if r.Dead != nil {
		k.dead = r.Dead
	} else if text := k.stderr.String(); text != "" {
		k.dead = fmt.Errorf("%w: %s", k.dead, text)
	}
	return k.dead
}

// Execute runs a cell, and returns when the kernel has replied and is idle again. When
// ctx ends, or handle fails, the cell is interrupted, and if that does not help, the
// kernel is killed. The error is *Dead, or ErrRefused, or that of handle or ctx.
func (k *Kernel) Execute(ctx context.Context, code string) (Reply, error) {
	if k.dead != nil {
		return Reply{}, k.dead
	}
	if k.order(orders.Order{Execute: &code}) != nil {
		return Reply{}, k.end(<-k.reports)
	}
	var failed error
	full := false // handle takes no more
	var late <-chan time.Time
	interrupt := func(err error) {
		if failed = errors.Join(failed, err); late == nil {
			_ = k.order(orders.Order{Interrupt: true}) // if it is gone, reports will say so
			late = time.After(grace)
		}
	}
	done := ctx.Done()
	for {
		select {
		case <-done:
			done = nil
			interrupt(ctx.Err())
		case <-late:
			_ = process.Kill(k.cmd)
			k.dead = errors.New("the kernel is still running, though it was killed")
			return Reply{}, errors.Join(failed, k.dead)
		case r, ok := <-k.reports:
			switch {
			case ok && r.Message != nil:
				if full {
					continue
				}
				if err := k.handle(*r.Message); err != nil {
					full = true
					interrupt(err)
				}
			case ok && r.Reply != nil:
				if r.Refused != "" {
					failed = errors.Join(failed, fmt.Errorf("%w (%s)", ErrRefused, r.Refused))
				}
				return *r.Reply, failed
			default:
				return Reply{}, errors.Join(failed, k.end(r))
			}
		}
	}
}

// Dead reports whether the kernel can no longer execute cells.
func (k *Kernel) Dead() bool { return k.dead != nil }

// Close ends the kernel and everything that it has started, and returns when it is
// gone.
func (k *Kernel) Close() error {
	err := k.orders.Close()
	late := time.AfterFunc(grace, func() {
		_ = process.Kill(k.cmd)
		k.pipe.Close() // somebody else may hold its other end
	})
	defer late.Stop()
	for r := range k.reports {
		if r.Message != nil && err == nil {
			err = k.handle(*r.Message)
		}
	}
	_ = k.cmd.Wait() // its status has been told by reports
	return err
}

// head keeps the beginning of what is written to it: the link writes to stderr
// only when it panics, and a panic says first what was wrong.
type head struct {
	mu   sync.Mutex
	text []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, p[:min(len(p), 1024-len(h.text))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	first, _, _ := strings.Cut(strings.TrimSpace(string(h.text)), "\n")
	return first
}
