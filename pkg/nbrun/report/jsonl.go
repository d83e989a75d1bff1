package report

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// JSONLines writes events as lines of JSON, one each, in the order in which they come.
// The members of a line are those of [event.Event], and are described in schema.json
// beside it; empty ones are left out. The source of a cell is only in the lines of the
// actions cell and skip. A stream's text is whole runes: half of one at the end of a
// piece is held for the next, and what is not UTF-8 at all becomes U+FFFD.
type JSONLines struct {
	mu     sync.Mutex
	out    io.Writer
	halves map[half]event.Event
}

// half is where the half of a rune belongs.
type half struct {
	notebook string
	cell     int
	stream   string
}

// NewJSONLines returns an observer that writes to out.
func NewJSONLines(out io.Writer) *JSONLines {
	return &JSONLines{out: out, halves: map[half]event.Event{}}
}

// Observe writes the event. It fails when the event can't be written.
func (j *JSONLines) Observe(e event.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Cell != nil {
		if e.Action != event.Begin && e.Action != event.Skip {
			brief := *e.Cell
			brief.Source = ""
			e.Cell = &brief
		}
		if e.Output != nil && e.Output.Kind == event.Stream {
			if e = j.whole(e); e.Output.Text == "" {
				return nil
			}
		}
	}
	if e.Action == event.Pass || e.Action == event.Fail || e.Action == event.End {
		if err := j.flush(e); err != nil {
			return err
		}
	}
	return j.write(e)
}

func (j *JSONLines) write(e event.Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	// Stdout may be the log of a CI system, to which ##[ and ##vso[ are commands.
	line = bytes.ReplaceAll(line, []byte("##"), []byte(`#\u0023`))
	_, err = j.out.Write(append(line, '\n'))
	return err
}

// whole puts the held half of a rune before the text, and holds the one at its end.
func (j *JSONLines) whole(e event.Event) event.Event {
	key := half{e.Notebook, e.Cell.Index, e.Output.Name}
	o := *e.Output
	e.Output = &o
	if held, ok := j.halves[key]; ok {
		o.Text = held.Output.Text + o.Text
		delete(j.halves, key)
	}
	if n := halfRune(o.Text); n > 0 {
		held, rest := o, e
		held.Text = o.Text[len(o.Text)-n:]
		rest.Output = &held
		j.halves[key] = rest
		o.Text = o.Text[:len(o.Text)-n]
	}
	return e
}

// flush writes the halves of runes that nothing will complete: those of the cell, or,
// when the notebook has ended, those of all its cells.
func (j *JSONLines) flush(e event.Event) error {
	for key, held := range j.halves {
		if key.notebook != e.Notebook || e.Cell != nil && key.cell != e.Cell.Index {
			continue
		}
		delete(j.halves, key)
		if err := j.write(held); err != nil {
			return err
		}
	}
	return nil
}

// halfRune is how many bytes at the end of a text may be the beginning of a rune.
func halfRune(text string) int {
	for n := 1; n <= min(utf8.UTFMax-1, len(text)); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRuneInString(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
