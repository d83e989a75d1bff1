//go:build unix && !(faketime && linux)

package display

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a kernel may take to open its end of the pipe. GoNB's does
// so while the program starts.
var patience = 10 * time.Second

var first sync.Once

// openBack opens a pipe to read, which without O_NONBLOCK would wait until somebody
// has opened it to write.
func openBack(env string) (*os.File, error) {
	f, err := open(env, syscall.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(int(f.Fd()), false); err != nil {
		return nil, err
	}
	return f, nil
}

func read(f *os.File, p []byte) (n int, err error) {
	silent := false
	first.Do(func() {
		// Until there is a writer, reading would say that the pipe has ended.
		for range 100 { // signals
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}}, int(patience.Milliseconds()))
			if silent = n == 0 && err == nil; err != unix.EINTR {
				return
			}
		}
	})
	if silent {
		return 0, errNoWriter
	}
	return f.Read(p)
}

func write(f *os.File, p []byte) (int, error) { return f.Write(p) }
