//go:build !unix

package process

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"sync"
	"time"
)

// run reads both streams as they come. Displays need named pipes, which this system
// doesn't have: gonbui then behaves as it does outside a notebook.
func (p *Process) run(ctx context.Context, m *merger) (Exit, error) {
	cmd := p.command()
	cmd.Stdin = bytes.NewReader(p.Stdin) // a pipe even if there is nothing to read, as in GoNB
	var mu sync.Mutex
	cmd.Stdout, cmd.Stderr = &part{m, &mu, 0}, &part{m, &mu, 1}
	cmd.WaitDelay = 200 * time.Millisecond
	if err := cmd.Start(); err != nil {
		return Exit{}, startError(p, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	if err == exec.ErrWaitDelay {
		err = nil
	}
	mu.Lock()
	defer mu.Unlock()
	if err := m.flush(); err != nil {
		return Exit{}, err
	}
	if ctx.Err() != nil {
		return Exit{}, ctx.Err()
	}
	return m.exit(err)
}

type part struct {
	m  *merger
	mu *sync.Mutex
	i  int
}

var _ io.Writer = (*part)(nil)

func (w *part) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(p), w.m.add(w.i, p)
}
