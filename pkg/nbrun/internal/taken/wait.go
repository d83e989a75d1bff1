//go:build unix

package taken

import (
	"encoding/binary"
	"io"
	"os"
	"sync"
	"syscall"
)

// takenWriter returns w, or, if w is the pipe to the runner, a writer to it that waits
// until what it has written has been taken.
func takenWriter(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NBRUN_TAKEN") == "" || f.Name() != os.Getenv("GONB_PIPE") {
		return w
	}
	return takenFile{f, takenFd(f)}
}

type takenFile struct {
	file *os.File
	fd   uintptr // on the fake clock
}

func (w takenFile) Write(p []byte) (int, error) {
	taken.Lock()
	defer taken.Unlock()
	n, err := takenWrite(w, p)
	taken.owed += n
	for taken.owed > 0 && !taken.gone {
		taken.owed -= takenCount()
	}
	takenAll.Broadcast()
	return n, err
}

var taken struct {
	sync.Mutex
	fd   int
	open bool
	gone bool // nobody will say any more what is taken
	owed int  // bytes written and not yet taken
}

// takenAll means that everything written has been taken.
var takenAll = sync.NewCond(&taken)

// takenCount waits for the next count.
func takenCount() int {
	if !taken.open {
		// Without a reader at the other end, opening a pipe in the usual way waits
		// for ever.
		fd, err := syscall.Open(os.Getenv("NBRUN_TAKEN"), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		if err != nil || syscall.SetNonblock(fd, false) != nil {
			taken.gone = true
			return 0
		}
		taken.fd, taken.open = fd, true
	}
	var count [4]byte
	if takenRead(taken.fd, count[:]) < len(count) {
		taken.gone = true
		return 0
	}
	return int(binary.LittleEndian.Uint32(count[:]))
}
