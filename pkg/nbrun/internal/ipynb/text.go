package ipynb

import (
	"bytes"
	"io"
	"os"
)

// inMemory is how much of one text stays in memory; what goes beyond lies in a
// temporary file.
const inMemory = 1 << 20

// Text is text that may be long: the first MiB is kept in memory, the rest in a
// temporary file that has no name and goes with the process.
type Text struct {
	buf    bytes.Buffer
	file   *os.File
	size   int64
	closed bool // the file is gone
}

// Write appends p.
func (t *Text) Write(p []byte) (int, error) {
	t.size += int64(len(p))
	if t.file == nil {
		if t.buf.Len()+len(p) <= inMemory {
			return t.buf.Write(p)
		}
		f, err := os.CreateTemp("", "nbrun-output-*")
		if err != nil {
			return 0, err
		}
		_ = os.Remove(f.Name()) // where an open file can't be removed, Close does it
		t.file = f
	}
	return t.file.Write(p)
}

// Len is the length in bytes.
func (t *Text) Len() int64 { return t.size }

// Reader reads the text from its beginning. No Write may follow it.
func (t *Text) Reader() (io.Reader, error) {
	if t.closed {
		return nil, os.ErrClosed
	}
	if t.file == nil {
		return bytes.NewReader(t.buf.Bytes()), nil
	}
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(t.buf.Bytes()), t.file), nil
}

// Close frees the temporary file.
func (t *Text) Close() error {
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.closed = true
	if rerr := os.Remove(t.file.Name()); rerr != nil && !os.IsNotExist(rerr) {
		return rerr
	}
	t.file = nil
	return err
}
