package rt

import (
	"encoding/binary"
	"io"
	"os"
	"sync"
	"time"
)

// The standard streams, as the program sees them. On the virtual clock each write is
// framed as the Go runtime does it on its fake clock: with the time, and so that no two
// writes to different streams have the same one.
var (
	Stdout io.Writer = os.Stdout
	Stderr io.Writer = os.Stderr

	frames struct {
		sync.Mutex
		last *Stream
		at   int64
	}
	streams map[*os.File]*Stream // nil on the real clock
)

// Stream is a standard stream on the virtual clock.
type Stream struct{ *os.File }

// Frame frames what is written from now on to the standard streams.
func Frame() {
	streams = map[*os.File]*Stream{os.Stdout: {os.Stdout}, os.Stderr: {os.Stderr}}
	Stdout, Stderr = streams[os.Stdout], streams[os.Stderr]
}

// frameHeader is the length of what comes before the data of a frame.
const frameHeader = 4 + 8 + 4

// Write writes a frame.
func (s *Stream) Write(p []byte) (int, error) { return s.write(p, time.Now().UnixNano()) }

// Last writes a last frame to stderr, when the virtual clock has ended.
func Last(text string) { _, _ = streams[os.Stderr].write([]byte(text), 0) }

func (s *Stream) write(p []byte, now int64) (int, error) {
	frames.Lock()
	defer frames.Unlock()
	at := max(now, frames.at)
	if frames.last != s && at == frames.at {
		at++
	}
	frames.last, frames.at = s, at
	frame := append(make([]byte, 0, frameHeader+len(p)), 0, 0, 'P', 'B')
	frame = binary.BigEndian.AppendUint64(frame, uint64(at))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(p)))
	n, err := s.File.Write(append(frame, p...))
	return max(n-frameHeader, 0), err
}

// WriteString writes a frame.
func (s *Stream) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// ReadFrom writes what it reads.
func (s *Stream) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s}, r)
}

// AsWriter is a file that goes into an interface: its stream, if it has one.
func AsWriter(f *os.File) any {
	if s, ok := streams[f]; ok {
		return s
	}
	return f
}

// AsFile is what was a file before AsWriter.
func AsFile(x any) any {
	if s, ok := x.(*Stream); ok {
		return s.File
	}
	return x
}

// FileWrite is f.Write.
func FileWrite(f *os.File, p []byte) (int, error) { return AsWriter(f).(io.Writer).Write(p) }

// FileWriteString is f.WriteString.
func FileWriteString(f *os.File, text string) (int, error) {
	return io.WriteString(AsWriter(f).(io.Writer), text)
}

// FileReadFrom is f.ReadFrom.
func FileReadFrom(f *os.File, r io.Reader) (int64, error) {
	return AsWriter(f).(io.ReaderFrom).ReadFrom(r)
}
