// Package process runs one process and passes on its output: its standard streams, and
// the displays that gonbui sends through named pipes.
package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// Process says what to run.
type Process struct {
	Path  string
	Args  []string // without the program's name
	Dir   string
	Env   []string
	Stdin []byte
	Temp  string // the folder for named pipes; "" is the system's

	Displays bool                // offer gonbui's pipes
	Framed   bool                // the process runs on Go's fake clock, and frames what it writes
	Rewrite  func([]byte) []byte // if set, is applied to each line of stderr
}

// Exit is how a process ended.
type Exit struct {
	Err  error     // nil for status 0; else an *exec.ExitError
	Last time.Time // on the fake clock: the time of the last write, zero if there was none
}

// ErrNeedsBrowser is returned when a process asks for something that only a browser
// has.
var ErrNeedsBrowser = errors.New("widgets need a browser, and nbrun has none")

// ErrNeedsInput is returned when a process asks somebody to type.
var ErrNeedsInput = errors.New("the program asks for input, but there is nobody to type it")

func (p *Process) command() *exec.Cmd {
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Dir, cmd.Env = p.Dir, p.Env
	return cmd
}

// Run runs the process until it ends, or ctx does; then the process and its process
// group are killed. Run does not wait for children that the process leaves behind. Its
// error is about running, not about the process.
//
// The sink gets streams and displays from one goroutine. Their time is that of the
// write on the fake clock, and that of the read on the real one.
func (p *Process) Run(ctx context.Context, sink event.Sink) (Exit, error) {
	return p.run(ctx, &merger{sink: sink, framed: p.Framed, rewrite: p.Rewrite})
}

// merger brings the streams into order before they reach the sink.
//
// On the real clock, output is passed on as it comes, stderr by whole lines if it is
// rewritten. On the fake clock each write carries its time, and the runtime makes sure
// that no two writes to different streams have the same one, so writes to both streams
// are held until it is known which comes first.
type merger struct {
	sink    event.Sink
	framed  bool
	rewrite func([]byte) []byte

	streams [2]stream
	last    time.Time
	held    int
}

type stream struct {
	raw    []byte // framed: not yet a whole header, or piece of a frame
	at     int64  // the time of the frame that is being read,
	left   uint32 // and how much of it is still to come
	frames []frame
	line   []byte // to be rewritten: not yet a whole line
	lineAt int64  // when its last piece was written
	closed bool
}

type frame struct {
	at   int64
	data []byte
}

var names = [2]string{"stdout", "stderr"}

// Limits of what is held. None depends on what a program says about itself.
const (
	// holdAtMost is how many bytes wait for their order. A program that writes more to
	// one stream while the other is silent is not blocked by it.
	holdAtMost  = 4 << 20
	frameCost   = 64       // of holding a frame, beside its data
	frameAtOnce = 1 << 20  // a frame is handed on in pieces of this size
	longLine    = 64 << 10 // a line of stderr is rewritten in pieces of this size
)

const frameHeader = 4 + 8 + 4 // 0 0 'P' 'B', nanoseconds, length

// add takes a piece of stream i. The data of a frame are waited for only up to a
// length, as the frame's own length may be false.
func (m *merger) add(i int, p []byte) error {
	if !m.framed {
		return m.emit(i, 0, p)
	}
	s := &m.streams[i]
	s.raw = append(s.raw, p...)
	for rest := s.raw; len(rest) > 0; s.raw = rest {
		if s.left > 0 {
			n := int(min(s.left, frameAtOnce))
			if len(rest) < n {
				break
			}
			m.hold(s, s.at, rest[:n])
			s.left -= uint32(n)
			rest = rest[n:]
			continue
		}
		if n := unframed(rest); n > 0 { // a child process writes without frames
			m.hold(s, m.now(), rest[:n])
			rest = rest[n:]
			continue
		}
		if len(rest) < frameHeader {
			break
		}
		s.at = int64(binary.BigEndian.Uint64(rest[4:]))
		s.left = binary.BigEndian.Uint32(rest[12:])
		m.last = time.Unix(0, s.at)
		rest = rest[frameHeader:]
	}
	return m.order(m.held > holdAtMost)
}

// hold keeps a piece until its turn.
func (m *merger) hold(s *stream, at int64, p []byte) {
	if len(p) == 0 {
		return
	}
	m.held += len(p) + frameCost
	s.frames = append(s.frames, frame{at, bytes.Clone(p)})
}

// frameMark begins a frame.
const frameMark = "\x00\x00PB"

// unframed is the number of bytes before the next frame, or before an end of p that may
// begin one.
func unframed(p []byte) int {
	if i := bytes.Index(p, []byte(frameMark)); i >= 0 {
		return i
	}
	for n := min(len(frameMark)-1, len(p)); n > 0; n-- {
		if bytes.HasSuffix(p, []byte(frameMark[:n])) {
			return len(p) - n
		}
	}
	return len(p)
}

// order emits the frames whose turn it is, or all of them.
func (m *merger) order(all bool) error {
	for {
		a, b := &m.streams[0], &m.streams[1]
		i := 0
		switch {
		case len(a.frames) == 0 && len(b.frames) == 0:
			return nil
		case len(a.frames) == 0:
			if !all && !a.closed {
				return nil
			}
			i = 1
		case len(b.frames) == 0:
			if !all && !b.closed {
				return nil
			}
		case b.frames[0].at < a.frames[0].at:
			i = 1
		}
		s := &m.streams[i]
		f := s.frames[0]
		s.frames = s.frames[1:]
		m.held -= len(f.data) + frameCost
		if err := m.emit(i, f.at, f.data); err != nil {
			return err
		}
	}
}

// emit passes on a piece that was written at a time of the fake clock.
func (m *merger) emit(i int, at int64, p []byte) error {
	if i == 0 || m.rewrite == nil {
		// On the real clock the rest of a line of stderr may already be in its pipe,
		// and which of the two came first is not known.
		if i == 0 && m.framed {
			if err := m.flushLine(); err != nil {
				return err
			}
		}
		return m.put(i, at, p)
	}
	s := &m.streams[1]
	s.lineAt = at
	var lines []byte
	for len(p) > 0 {
		n := bytes.IndexByte(p[:min(longLine, len(p))], '\n') + 1
		whole := n > 0
		if !whole {
			n = min(longLine, len(p))
		}
		s.line = append(s.line, p[:n]...)
		p = p[n:]
		if whole || len(s.line) >= longLine {
			lines = append(lines, m.rewrite(s.line)...)
			s.line = s.line[:0]
		}
	}
	return m.put(1, at, lines)
}

func (m *merger) put(i int, at int64, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	return m.sink.Put(m.time(at), event.Output{Kind: event.Stream, Name: names[i], Text: string(p)})
}

// display passes on a display. On the fake clock it gets the time of the last write, as
// the pipe for displays has no times.
func (m *merger) display(o event.Output) error {
	return m.sink.Put(m.time(m.now()), o)
}

// now is the time of the last write on the fake clock.
func (m *merger) now() int64 {
	if m.last.IsZero() {
		return FakeStart.UnixNano()
	}
	return m.last.UnixNano()
}

// time is a time of the fake clock, or now on the real one.
func (m *merger) time(at int64) time.Time {
	if !m.framed {
		return time.Now().Round(0)
	}
	return time.Unix(0, at).UTC()
}

// flushLine emits a line of stderr that has not ended.
func (m *merger) flushLine() error {
	s := &m.streams[1]
	if len(s.line) == 0 {
		return nil
	}
	p := s.line
	s.line = nil
	return m.put(1, s.lineAt, m.rewrite(p))
}

// flush emits all that is held.
func (m *merger) flush() error {
	err := m.order(true)
	for i := range m.streams {
		s := &m.streams[i]
		if len(s.raw) > 0 && err == nil { // cut off by the end of the process, or a child's last bytes
			if s.left > 0 || !bytes.HasPrefix(s.raw, []byte(frameMark)) {
				err = m.emit(i, m.now(), s.raw)
			}
			s.raw = nil
		}
	}
	if err == nil {
		err = m.flushLine()
	}
	return err
}

// exit makes the Exit of a process that has been waited for.
func (m *merger) exit(waitErr error) (Exit, error) {
	e := Exit{Last: m.last}
	var ee *exec.ExitError
	switch {
	case waitErr == nil:
	case errors.As(waitErr, &ee):
		e.Err = ee
	default:
		return e, waitErr
	}
	return e, nil
}

// ErrNotStarted is wrapped by the error for a program that could not be started.
var ErrNotStarted = errors.New("was not started")

type notStarted struct{ error }

func (e notStarted) Unwrap() []error { return []error{e.error, ErrNotStarted} }

// startError returns a one-line reason why a program could not be started.
func startError(p *Process, err error) error {
	var ee *exec.Error
	if errors.As(err, &ee) {
		return notStarted{fmt.Errorf("%s: not found on PATH", p.Path)}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	return notStarted{fmt.Errorf("start %s: %w", p.Path, err)}
}
