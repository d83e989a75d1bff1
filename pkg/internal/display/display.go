// Package display sends rich output from a program to the kernel that runs it, through
// the named pipes of GoNB's protocol. It does what gonbui does, and nothing else:
// gonbui links package net, and with it cgo, with which the Go runtime no longer
// detects that all goroutines are asleep.
package display

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func init() { gob.Register(map[string]any{}) } // the metadata of an image

// Stdout is where lines beside displays go; if it is nil they go to os.Stdout.
var Stdout io.Writer

// Lines returns it.
func Lines() io.Writer {
	if Stdout != nil {
		return Stdout
	}
	return os.Stdout
}

// InNotebook reports whether a kernel runs this program.
func InNotebook() bool { return os.Getenv(protocol.GONB_PIPE_ENV) != "" }

var kernel struct {
	sync.Mutex
	out    *os.File
	to     *gob.Encoder // to unsent
	unsent bytes.Buffer
	from   *gob.Decoder // nil if the kernel does not answer
	failed error        // stays, as the pipes can't be opened twice
	syncs  int          // the number of the last
}

func connect() error {
	k := &kernel
	if k.failed != nil || k.to != nil {
		return k.failed
	}
	if k.out, k.failed = open(protocol.GONB_PIPE_ENV, syscall.O_WRONLY); k.failed != nil {
		k.failed = fmt.Errorf("no connection to the kernel: %w", k.failed)
		return k.failed
	}
	k.to = gob.NewEncoder(&k.unsent)
	if back, err := openBack(protocol.GONB_PIPE_BACK_ENV); err == nil {
		k.from = gob.NewDecoder(reader{back})
	}
	return nil
}

// open opens a pipe so that reads and writes wait in a system call. With os.OpenFile it
// would be Go's poller that waits, and on the fake clock the runtime thinks that
// goroutines waiting there are asleep.
func open(env string, mode int) (*os.File, error) {
	path := os.Getenv(env)
	fd, err := syscall.Open(path, mode|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// reader reads from the kernel.
type reader struct{ *os.File }

func (r reader) Read(p []byte) (int, error) {
	n, err := read(r.File, p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// Send displays data in the cell's output, and returns when the kernel has it. So what
// is printed next comes after it, and the program may end. If the kernel never answers,
// because it offers no pipe to do so, Send does not wait. Outside a notebook it does
// nothing.
func Send(data *protocol.DisplayData) error {
	if !InNotebook() {
		return nil
	}
	k := &kernel
	k.Lock()
	defer k.Unlock()
	if err := connect(); err != nil {
		return err
	}
	if err := k.to.Encode(data); err != nil {
		return err // what gob has said of the types it knows stays in unsent
	}
	if k.from != nil {
		k.syncs++
		if err := k.to.Encode(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
			protocol.MIMECommValue: &protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: k.syncs},
		}}); err != nil {
			return err
		}
	}
	for k.unsent.Len() > 0 {
		n, err := write(k.out, k.unsent.Bytes())
		if err != nil {
			k.failed = fmt.Errorf("no connection to the kernel: %w", err)
			return k.failed
		}
		k.unsent.Next(n)
	}
	for k.from != nil {
		var v protocol.CommValue
		if err := k.from.Decode(&v); errors.Is(err, errNoWriter) {
			k.from = nil
		} else if err != nil {
			k.failed = fmt.Errorf("no answer from the kernel: %w", err)
			return k.failed
		} else if v.Address == protocol.GonbuiSyncAckAddress && v.Value == k.syncs {
			break
		}
	}
	return nil
}

// errNoWriter is returned by read if nobody has ever opened the pipe to write.
var errNoWriter = errors.New("nobody writes to the pipe")
