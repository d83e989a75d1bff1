//go:build faketime && linux

package taken

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// On the fake clock, a goroutine that waits in Go's poller looks asleep. And if the
// runtime knew that these functions wait, other goroutines would get their turn
// depending on how long that lasts; as it is, every run is the same.

// takenFd makes the file wait in a system call.
func takenFd(f *os.File) uintptr { return f.Fd() }

func takenWrite(w takenFile, p []byte) (int, error) {
	for done := 0; done < len(p); {
		n, errno := takenCall(syscall.SYS_WRITE, w.fd, p[done:])
		if errno != 0 {
			return done, &os.PathError{Op: "write", Path: w.file.Name(), Err: errno}
		}
		done += n
	}
	return len(p), nil
}

// takenRead returns the number of bytes read, 0 at the end.
func takenRead(fd int, p []byte) int {
	n, _ := takenCall(syscall.SYS_READ, uintptr(fd), p)
	return n
}

func takenCall(number, fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// takenReader returns r, or, if r is the pipe from the runner, a reader that looks for
// answers whenever something was taken.
func takenReader(r io.Reader) io.Reader {
	f, ok := r.(*os.File)
	if !ok || os.Getenv("NBRUN_TAKEN") == "" || f.Name() != os.Getenv("GONB_PIPE_BACK") {
		return r
	}
	fd := f.Fd()
	if syscall.SetNonblock(int(fd), true) != nil {
		return r
	}
	return takenAnswers{f, fd}
}

type takenAnswers struct {
	file *os.File
	fd   uintptr
}

func (r takenAnswers) Read(p []byte) (int, error) {
	taken.Lock()
	defer taken.Unlock()
	for {
		switch n, errno := takenCall(syscall.SYS_READ, r.fd, p); {
		case errno == syscall.EAGAIN:
			takenAll.Wait()
		case errno != 0:
			return 0, &os.PathError{Op: "read", Path: r.file.Name(), Err: errno}
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
