//go:build unix && !(faketime && linux)

package taken

import (
	"io"
	"os"
	"syscall"
)

func takenFd(*os.File) uintptr { return 0 }

func takenWrite(w takenFile, p []byte) (int, error) { return w.file.Write(p) }

// takenRead returns the number of bytes read, 0 at the end. It waits in a system call,
// where other goroutines go on, and which nothing mistakes for a deadlock.
func takenRead(fd int, p []byte) int {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return max(n, 0)
		}
	}
}

// takenReader returns r: in Go's poller all can wait.
func takenReader(r io.Reader) io.Reader { return r }
