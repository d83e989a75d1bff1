//go:build faketime && linux

package display

import (
	"os"
	"syscall"
	"unsafe"
)

// The runner has the pipes open before the program starts.
func openBack(env string) (*os.File, error) { return open(env, syscall.O_RDONLY) }

// The runtime does not know that read and write wait, so no other goroutine gets its
// turn depending on how long that lasts, and every run on the fake clock is the same.

func read(f *os.File, p []byte) (int, error) { return call(syscall.SYS_READ, f, p) }

func write(f *os.File, p []byte) (int, error) { return call(syscall.SYS_WRITE, f, p) }

func call(number uintptr, f *os.File, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(number, f.Fd(), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
