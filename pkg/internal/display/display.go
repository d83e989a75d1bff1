// Package display sends rich output from a program to the kernel that runs it,
// through the named pipes of GoNB's protocol. It does what gonbui does, and
// nothing else: gonbui links package net, and with it cgo, where the Go runtime
// no longer notices that all goroutines are asleep.
package display

import (
	"encoding/gob"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func init() { gob.Register(map[string]any{}) } // the metadata of an image

// InNotebook tells whether a kernel runs this program.
func InNotebook() bool { return os.Getenv(protocol.GONB_PIPE_ENV) != "" }

var kernel struct {
	sync.Mutex
	to      *gob.Encoder
	from    *gob.Decoder
	failed  error // stays, as the pipes can't be opened twice
	pending int   // number of the last sync
}

func connect() error {
	k := &kernel
	if k.failed != nil || k.to != nil {
		return k.failed
	}
	out, err := open(protocol.GONB_PIPE_ENV, syscall.O_WRONLY)
	if err == nil {
		var back *os.File
		if back, err = open(protocol.GONB_PIPE_BACK_ENV, syscall.O_RDONLY); err == nil {
			k.to, k.from = gob.NewEncoder(out), gob.NewDecoder(back)
			return nil
		}
	}
	k.failed = fmt.Errorf("no connection to the kernel: %w", err)
	return k.failed
}

// open opens a pipe so that whoever reads or writes waits in a system call. With
// os.OpenFile it would be Go's poller that waits, and on the fake clock the
// runtime takes goroutines that wait there for asleep.
func open(env string, mode int) (*os.File, error) {
	path := os.Getenv(env)
	fd, err := syscall.Open(path, mode|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// Send displays data in the cell's output. It does nothing outside a notebook.
func Send(data *protocol.DisplayData) error {
	if !InNotebook() {
		return nil
	}
	kernel.Lock()
	defer kernel.Unlock()
	if err := connect(); err != nil {
		return err
	}
	return kernel.to.Encode(data)
}

// Sync returns when the kernel has all that was sent. It does nothing when
// nothing was.
func Sync() error {
	kernel.Lock()
	defer kernel.Unlock()
	k := &kernel
	if k.to == nil {
		return k.failed
	}
	k.pending++
	err := k.to.Encode(&protocol.DisplayData{Data: map[protocol.MIMEType]any{
		protocol.MIMECommValue: &protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: k.pending},
	}})
	for err == nil {
		var v protocol.CommValue
		if err = k.from.Decode(&v); err == nil && v.Address == protocol.GonbuiSyncAckAddress && v.Value == k.pending {
			return nil
		}
	}
	return fmt.Errorf("no answer from the kernel: %w", err)
}
