//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"
	"golang.org/x/sys/unix"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/taken"
)

// pause is how long an unfinished line of stderr waits for its rest.
var pause = 20 * time.Millisecond

// grace is how long a killed process may take to exit. Those that the system can't end,
// because they wait for a disk or a network, are left to it.
const grace = 2 * time.Second

// run reads both streams and the display pipe in one goroutine, so that their order is
// kept as well as pipes allow: what was written before a display is passed on before
// it.
func (p *Process) run(ctx context.Context, m *merger) (Exit, error) {
	var none Exit
	if err := ctx.Err(); err != nil {
		return none, err
	}
	cmd := p.command()
	cmd.SysProcAttr = attributes()
	cmd.Stdin = bytes.NewReader(p.Stdin) // a pipe even if there is nothing to read, as in GoNB
	r := &reader{merger: m, in: [2]int{-1, -1}, fifo: [3]int{-1, -1, -1}}
	theirs, err := r.openStreams()
	defer func() { closeAll(theirs) }()
	defer r.leave()
	if err != nil {
		return none, err
	}
	cmd.Stdout, cmd.Stderr = theirs[0], theirs[1]
	if p.Displays {
		dir, closePipes, err := openPipes(p.Temp, &r.fifo)
		if err != nil {
			return none, err
		}
		defer closePipes()
		cmd.Env = append(cmd.Env, protocol.GONB_PIPE_ENV+"="+filepath.Join(dir, "out"), protocol.GONB_PIPE_BACK_ENV+"="+filepath.Join(dir, "back"), taken.Env+"="+filepath.Join(dir, "taken"))
		r.displays = newDisplays(m.display, &r.back)
		defer r.displays.close()
	}
	var over [2]int // becomes readable when the process has ended
	if err := pipe(&over); err != nil {
		return none, err
	}
	r.over = over[0]
	defer unix.Close(over[0])
	stopReading := sync.OnceFunc(func() { unix.Close(over[1]) })
	done, err := start(cmd, stopReading)
	if err != nil {
		return none, startError(p, err)
	}
	closeAll(theirs)
	theirs = nil

	stop := context.AfterFunc(ctx, func() {
		kill(cmd)
		time.AfterFunc(grace, stopReading)
	})
	defer stop()

	readErr := r.read()
	if readErr != nil {
		kill(cmd)
	}
	var waitErr error
	select {
	case waitErr = <-done:
	case <-time.After(grace):
		waitErr = fmt.Errorf("%s is still running, though it was killed", filepath.Base(p.Path))
	}
	err = errors.Join(readErr, m.flush())
	if ctx.Err() != nil {
		kill(cmd)
		return none, ctx.Err()
	}
	if err != nil {
		return none, err
	}
	return m.exit(waitErr)
}

// start starts the process, which must end with this one, and reports its end: first by
// calling over, then through done. The system ends a process with the thread that has
// started it, so that thread is kept for as long.
func start(cmd *exec.Cmd, over func()) (done <-chan error, err error) {
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- wait(cmd)
		}
		over()
	}()
	return ended, <-started
}

// kill kills the process and its group. The process may have moved to another group.
func kill(cmd *exec.Cmd) {
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	_ = cmd.Process.Kill()
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// wait waits for the process, not for others that hold its pipes.
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

// openPipes makes gonbui's two named pipes, and that of package taken, in a folder of
// their own. We hold both ends of each, so that opening them never blocks and never
// fails.
func openPipes(temp string, fifo *[3]int) (dir string, closePipes func(), err error) {
	dir, err = os.MkdirTemp(temp, "nbrun-pipes-")
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

// reply writes answers to gonbui, as many as there is room for. The rest is kept: a
// program that does not read must not keep us from reading.
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

// readsAtOnce is how often a pipe is read before others have their turn. What was
// written to a pipe before a process has ended needs fewer reads.
const readsAtOnce = 64

// reader reads the output of one process.
type reader struct {
	*merger
	in       [2]int // stdout and stderr, our ends
	ended    [2]bool
	fifo     [3]int // displays, answers to them, and what was taken of them
	displays *displays
	back     bytes.Buffer // answers that have found no room yet
	over     int          // becomes readable when the process has ended
	buf      [64 << 10]byte
	sent     [64 << 10]byte
}

// openStreams makes the pipes of stdout and stderr, and returns their other ends.
func (r *reader) openStreams() (theirs []*os.File, err error) {
	for i := range r.in {
		var fds [2]int
		if err := pipe(&fds); err != nil {
			return theirs, err
		}
		r.in[i] = fds[0]
		theirs = append(theirs, os.NewFile(uintptr(fds[1]), names[i]))
	}
	return theirs, nil
}

// leave keeps reading the streams of processes left behind, and discards what they
// write.
func (r *reader) leave() {
	for _, fd := range r.in {
		if fd < 0 {
			continue
		}
		_ = unix.SetNonblock(fd, false)
		f := os.NewFile(uintptr(fd), "")
		go func() { _, _ = io.Copy(io.Discard, f); f.Close() }()
	}
}

// read reads until the process has ended and everything that it wrote has been read.
func (r *reader) read() error {
	for {
		ended, paused, err := r.wait()
		if err != nil {
			return err
		}
		if paused {
			if err := r.flushLine(); err != nil {
				return err
			}
			continue
		}
		if err := reply(r.fifo[1], &r.back); err != nil {
			return err
		}
		if err := r.readDisplays(); err != nil {
			return err
		}
		reads := 2
		if ended {
			reads = readsAtOnce
		}
		if err := r.readStreams(reads); err != nil {
			return err
		}
		if ended {
			return r.readDisplays()
		}
	}
}

// wait waits until there is something to read, or room for an answer. It reports
// whether the process has ended, and whether it waited for the rest of a line and
// nothing was written.
func (r *reader) wait() (ended, paused bool, err error) {
	fds := []unix.PollFd{{Fd: int32(r.over), Events: unix.POLLIN}}
	for i, fd := range r.in {
		if !r.ended[i] {
			fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	if r.displays != nil {
		fds = append(fds, unix.PollFd{Fd: int32(r.fifo[0]), Events: unix.POLLIN})
	}
	if r.back.Len() > 0 {
		fds = append(fds, unix.PollFd{Fd: int32(r.fifo[1]), Events: unix.POLLOUT})
	}
	timeout := -1
	if len(r.merger.streams[1].line) > 0 {
		timeout = int(pause.Milliseconds())
	}
	n, err := unix.Poll(fds, timeout)
	if err == unix.EINTR {
		return false, false, nil
	}
	if err != nil {
		return false, false, os.NewSyscallError("poll", err)
	}
	return fds[0].Revents != 0, n == 0, nil
}

// readStreams reads what there is now. A pipe holds as much as buf, seldom more; a
// process that never stops writing must not keep us from everything else.
func (r *reader) readStreams(reads int) error {
	for i, fd := range r.in {
		for n := 0; n < reads && !r.ended[i]; n++ {
			n, err := unix.Read(fd, r.buf[:])
			if n > 0 {
				if err := r.add(i, r.buf[:n]); err != nil {
					return err
				}
				continue
			}
			if err == unix.EINTR {
				continue
			}
			if n == 0 || err != unix.EAGAIN {
				r.ended[i] = true
				r.merger.streams[i].closed = true
			}
			break
		}
	}
	return r.order(false)
}

// readDisplays passes on the displays that there are now, each after what the process
// wrote before it, which is in the pipes by then.
func (r *reader) readDisplays() error {
	if r.displays == nil {
		return nil
	}
	// A process left in the background may never stop.
	for range readsAtOnce {
		n, err := unix.Read(r.fifo[0], r.sent[:])
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return nil
		}
		if err := r.readStreams(2); err != nil {
			return err
		}
		if err := errors.Join(r.order(true), r.flushLine()); err != nil {
			return err
		}
		if err := r.displays.add(r.sent[:n]); err != nil {
			return err
		}
		if err := reply(r.fifo[1], &r.back); err != nil {
			return err
		}
		_, _ = unix.Write(r.fifo[2], taken.Count(n)) // full if the program does not read it
	}
	return nil
}
