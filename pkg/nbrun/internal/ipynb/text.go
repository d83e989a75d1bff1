package ipynb

import (
	"bytes"
	"io"
	"os"
)

// How much of the texts stays in memory; the rest goes to a temporary file.
const (
	inMemory    = 1 << 20  // of one text
	allInMemory = 16 << 20 // of all texts of a notebook
)

// store is the temporary file for all texts of a notebook. It has no name and goes
// with the process.
type store struct {
	held   int // bytes that are in memory
	file   *os.File
	size   int64
	closed bool
}

// write appends p to the file.
func (s *store) write(p []byte) (int, error) {
	if s.file == nil {
		f, err := os.CreateTemp("", "nbrun-output-*")
		if err != nil {
			return 0, err
		}
		_ = os.Remove(f.Name()) // where an open file can't be removed, close does it
		s.file = f
	}
	n, err := s.file.WriteAt(p, s.size)
	s.size += int64(n)
	return n, err
}

// close frees the file. Closing again does nothing.
func (s *store) close() error {
	if s == nil || s.file == nil || s.closed {
		return nil
	}
	s.closed = true
	err := s.file.Close()
	if rerr := os.Remove(s.file.Name()); rerr != nil && !os.IsNotExist(rerr) {
		return rerr
	}
	return err
}

// Text is text that may be long: its beginning is kept in memory, the rest in its
// store, in pieces.
type Text struct {
	store  *store
	buf    bytes.Buffer
	pieces []piece
	size   int64
}

// piece is a part of the file.
type piece struct{ at, size int64 }

// Write appends p.
func (t *Text) Write(p []byte) (int, error) {
	t.size += int64(len(p))
	s := t.store
	if len(t.pieces) == 0 && t.buf.Len()+len(p) <= inMemory && s.held+len(p) <= allInMemory {
		s.held += len(p)
		return t.buf.Write(p)
	}
	at := s.size
	n, err := s.write(p)
	if last := len(t.pieces) - 1; last >= 0 && t.pieces[last].at+t.pieces[last].size == at {
		t.pieces[last].size += int64(n)
	} else {
		t.pieces = append(t.pieces, piece{at, int64(n)})
	}
	return n, err
}

// Len is the length in bytes.
func (t *Text) Len() int64 { return t.size }

// Reader reads the text from its beginning.
func (t *Text) Reader() (io.Reader, error) {
	if len(t.pieces) > 0 && t.store.closed {
		return nil, os.ErrClosed
	}
	readers := []io.Reader{bytes.NewReader(t.buf.Bytes())}
	for _, p := range t.pieces {
		readers = append(readers, io.NewSectionReader(t.store.file, p.at, p.size))
	}
	return io.MultiReader(readers...), nil
}

// drop says that the text is no longer needed.
func (t *Text) drop() { t.store.held -= t.buf.Len() }
