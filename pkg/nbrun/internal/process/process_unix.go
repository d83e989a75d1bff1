//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
	"golang.org/x/sys/unix"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/taken"
)

// pause is how long an unfinished line of stderr waits for its rest.
const pause = 20 * time.Millisecond

// run reads both streams and the display pipe in one goroutine, so that their
// order is kept as well as pipes allow: what was written before a display is
// handed on before it.
func (p *Process) run(ctx context.Context, m *merger) (Exit, error) {
	var none Exit
	if err := ctx.Err(); err != nil {
		return none, err
	}
	cmd := p.command()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var in [2]int // stdout and stderr, our ends
	var out []*os.File
	defer func() {
		for _, f := range out {
			f.Close()
		}
	}()
	for i := range in {
		var fds [2]int
		if err := pipe(&fds); err != nil {
			return none, err
		}
		in[i] = fds[0]
		out = append(out, os.NewFile(uintptr(fds[1]), names[i]))
	}
	leave := func() { // whoever still writes is read from, and not heard
		for _, fd := range in {
			_ = unix.SetNonblock(fd, false)
			f := os.NewFile(uintptr(fd), "")
			go func() { _, _ = io.Copy(io.Discard, f); f.Close() }()
		}
	}
	defer leave()
	cmd.Stdout, cmd.Stderr = out[0], out[1]
	cmd.Stdin = bytes.NewReader(p.Stdin) // a pipe even if there is nothing to read, as in GoNB
	var back bytes.Buffer
	var d *displays
	fifo := [3]int{-1, -1, -1}
	if p.Displays {
		dir, closePipes, err := openPipes(&fifo)
		if err != nil {
			return none, err
		}
		defer closePipes()
		cmd.Env = append(cmd.Env, protocol.GONB_PIPE_ENV+"="+filepath.Join(dir, "out"), protocol.GONB_PIPE_BACK_ENV+"="+filepath.Join(dir, "back"), taken.Env+"="+filepath.Join(dir, "taken"))
		d = newDisplays(m.display, &back)
		defer d.close()
	}
	var over [2]int // becomes readable when the process has ended
	if err := pipe(&over); err != nil {
		return none, err
	}
	defer unix.Close(over[0])
	if err := cmd.Start(); err != nil {
		unix.Close(over[1])
		return none, startError(p, err)
	}
	for _, f := range out {
		f.Close()
	}
	out = nil

	group := cmd.Process.Pid
	done := make(chan error, 1)
	go func() {
		done <- wait(cmd)
		unix.Close(over[1])
	}()
	stop := context.AfterFunc(ctx, func() { _ = unix.Kill(-group, unix.SIGKILL) })
	defer stop()

	loopErr := p.loop(m, d, &back, in, fifo, over[0])
	if loopErr != nil {
		_ = unix.Kill(-group, unix.SIGKILL)
	}
	waitErr := <-done
	err := errors.Join(loopErr, m.flush())
	if ctx.Err() != nil {
		_ = unix.Kill(-group, unix.SIGKILL)
		return none, ctx.Err()
	}
	if err != nil {
		return none, err
	}
	return m.exit(waitErr)
}

// wait waits for the process, not for those who hold its pipes.
func wait(cmd *exec.Cmd) error {
	cmd.WaitDelay = time.Millisecond // for the copying of Stdin, if nobody reads it
	err := cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

func pipe(fds *[2]int) error {
	if err := pipe2(fds); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	return unix.SetNonblock(fds[0], true)
}

func pipe2(fds *[2]int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(fds[:]); err != nil {
		return err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return nil
}

// openPipes makes the two named pipes of gonbui, and that of package taken, in a
// folder of their own. We hold both ends of each, so that opening them never
// blocks and never fails.
func openPipes(fifo *[3]int) (dir string, closePipes func(), err error) {
	dir, err = os.MkdirTemp("", "nbrun-pipes-")
	if err != nil {
		return "", nil, err
	}
	closePipes = func() {
		for _, fd := range fifo {
			if fd >= 0 {
				unix.Close(fd)
			}
		}
		os.RemoveAll(dir)
	}
	for i, name := range []string{"out", "back", "taken"} {
		path := filepath.Join(dir, name)
		if err = unix.Mkfifo(path, 0o600); err == nil {
			fifo[i], err = unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			closePipes()
			return "", nil, os.NewSyscallError("named pipe", err)
		}
	}
	return dir, closePipes, nil
}

// reply writes answers to gonbui as far as there is room for them. The rest stays:
// a program that does not read must not keep us from reading.
func reply(fd int, back *bytes.Buffer) error {
	for back.Len() > 0 {
		n, err := unix.Write(fd, back.Bytes())
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return nil
		case err != nil:
			return os.NewSyscallError("write to gonbui", err)
		default:
			back.Next(n)
		}
	}
	return nil
}

// loop reads until the process has ended and all that it wrote is read.
func (p *Process) loop(m *merger, d *displays, back *bytes.Buffer, in [2]int, fifo [3]int, over int) error {
	buf, sent := make([]byte, 64<<10), make([]byte, 64<<10)
	open := [2]bool{true, true}
	// streams reads what there is now. A pipe holds as much as buf, seldom more;
	// a process that never stops writing must not keep us from all else.
	streams := func(reads int) error {
		for i, fd := range in {
			for range reads {
				if !open[i] {
					break
				}
				n, err := unix.Read(fd, buf)
				if n > 0 {
					if err := m.add(i, buf[:n]); err != nil {
						return err
					}
					continue
				}
				if err == unix.EINTR {
					continue
				}
				if n == 0 || err != unix.EAGAIN {
					open[i] = false
					m.streams[i].closed = true
				}
				break
			}
		}
		return m.order(false)
	}
	shown := func() error {
		for d != nil {
			n, err := unix.Read(fifo[0], sent)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 {
				return nil
			}
			// What the process wrote before this display is in the pipes by now.
			if err := streams(2); err != nil {
				return err
			}
			if err := errors.Join(m.order(true), m.flushLine()); err != nil {
				return err
			}
			if err := d.add(sent[:n]); err != nil {
				return err
			}
			if err := reply(fifo[1], back); err != nil {
				return err
			}
			_, _ = unix.Write(fifo[2], taken.Count(n)) // full if the program does not read it
		}
		return nil
	}
	for {
		fds := []unix.PollFd{{Fd: int32(over), Events: unix.POLLIN}}
		for i, fd := range in {
			if open[i] {
				fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
			}
		}
		if d != nil {
			fds = append(fds, unix.PollFd{Fd: int32(fifo[0]), Events: unix.POLLIN})
		}
		if back.Len() > 0 {
			fds = append(fds, unix.PollFd{Fd: int32(fifo[1]), Events: unix.POLLOUT})
		}
		timeout := -1
		if len(m.streams[1].line) > 0 {
			timeout = int(pause.Milliseconds())
		}
		n, err := unix.Poll(fds, timeout)
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("poll", err)
		}
		if n == 0 && err == nil {
			if err := m.flushLine(); err != nil {
				return err
			}
			continue
		}
		ended := fds[0].Revents != 0
		if err := reply(fifo[1], back); err != nil {
			return err
		}
		if err := shown(); err != nil {
			return err
		}
		reads := 2
		if ended {
			reads = 64
		}
		if err := streams(reads); err != nil {
			return err
		}
		if ended {
			return shown()
		}
	}
}
