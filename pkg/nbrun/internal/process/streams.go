package process

import (
	"bytes"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// Streams takes the output of a program on Go's fake clock that somebody else runs, in
// the order in which the program has written it, and passes it on as [Process.Run]
// does.
type Streams struct {
	merger   merger
	displays *displays
	answers  bytes.Buffer
}

// NewStreams returns the streams of one program. Rewrite is applied to each line of
// stderr, if it is not nil. Close them when the program has ended.
func NewStreams(sink event.Sink, rewrite func([]byte) []byte) *Streams {
	s := &Streams{merger: merger{sink: sink, framed: true, rewrite: rewrite}}
	s.displays = newDisplays(s.merger.display, &s.answers)
	return s
}

// Write takes a piece of stdout (1) or stderr (2), which come in frames.
func (s *Streams) Write(fd int, p []byte) error {
	if err := s.merger.add(fd-1, p); err != nil {
		return err
	}
	return s.merger.order(true) // what comes next was written after this
}

// Display takes what was written to gonbui's pipe, and returns what to answer through
// the pipe back.
func (s *Streams) Display(p []byte) (answer []byte, err error) {
	err = s.displays.add(p)
	answer = bytes.Clone(s.answers.Bytes())
	s.answers.Reset()
	return answer, err
}

// Close passes on what is held, and returns the time of the last write, zero if there
// was none.
func (s *Streams) Close() (last time.Time, err error) {
	err = s.merger.flush()
	s.displays.close()
	return s.merger.last, err
}
