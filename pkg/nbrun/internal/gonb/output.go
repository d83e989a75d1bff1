package gonb

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/tidy"
)

// output takes the output of one cell, and passes it on.
type output struct {
	*session
	sink  event.Sink
	cell  int
	words tidy.Words
	file  *os.File // of %capture
}

// Limits of the displays that can be replaced. Those beyond are displays like any
// other.
const (
	longID = 256 // bytes
	maxIDs = 10_000
)

// Put passes an output on. A display with the ID of an earlier one replaces what that
// shows.
func (o *output) Put(at time.Time, e event.Output) error {
	switch {
	case e.Kind == event.Stream:
		o.words.Saw(e.Text)
	case e.Kind == event.Display && o.displays[e.ID]:
		e.Kind = event.Update
	case e.Kind == event.Display && e.ID != "" && len(e.ID) <= longID && len(o.displays) < maxIDs:
		o.displays[e.ID] = true
	}
	return errors.Join(o.captured(e), o.sink.Put(at, e))
}

// say writes what the kernel itself says.
func (o *output) say(stream, format string, args ...any) error {
	return o.Put(o.Now(), event.Output{Kind: event.Stream, Name: stream, Text: fmt.Sprintf(format, args...)})
}

// show displays something of the kernel's own.
func (o *output) show(mime, text string) error {
	return o.Put(o.Now(), event.Output{Kind: event.Display, Data: map[string]any{mime: text}, Metadata: map[string]any{}})
}

// failf reports a fault at one of the cell's lines, and returns it.
func (o *output) failf(line int, format string, args ...any) error {
	return o.fail(event.Faultf(o.cell, line, format, args...))
}

// fail reports a fault, and returns it.
func (o *output) fail(f *event.Fault) error {
	if f.Traceback == nil {
		f.Traceback = []string{f.Error()}
	}
	return o.told(f, f.Text)
}

// told writes a fault as the notebook has it, and returns it.
func (o *output) told(f *event.Fault, value string) error {
	return errors.Join(f, o.Put(o.Now(), event.Output{Kind: event.Error, Name: "ERROR", Value: value, Traceback: f.Traceback}))
}

// exit makes a fault of an exit status other than 0, and writes it to stderr, as GoNB
// does.
func (o *output) exit(status error) error {
	if status == nil {
		return nil
	}
	f := event.Faultf(o.cell, 0, "%v", status)
	if err := o.say("stderr", "%s\n", f.Text); err != nil {
		return err
	}
	value := f.Text
	o.words.Explain(f)
	f.Traceback = []string{f.Error()}
	return o.told(f, value)
}

// capture copies the cell's output to a file.
func (o *output) capture(path string, add bool) error {
	f, err := create(path, add)
	o.file = f
	return err
}

// create opens a regular file for a cell to write, or to append to. Anything else might
// block us.
func create(path string, add bool) (*os.File, error) {
	mode := os.O_TRUNC
	if add {
		mode = os.O_APPEND
	}
	return regular.OpenFile(path, os.O_CREATE|os.O_WRONLY|mode, 0o644)
}

// captured copies text, and displays that are text, to the file of %capture.
func (o *output) captured(e event.Output) error {
	if o.file == nil || e.Kind == event.Error {
		return nil
	}
	if _, err := o.file.WriteString(e.Text); err != nil {
		return err
	}
	for _, content := range e.Data {
		if text, ok := content.(string); ok {
			if _, err := o.file.WriteString(text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// onOurClock passes on the output of a process on the real clock, at the current time
// of the programs' clock.
func (o *output) onOurClock() event.Sink {
	return event.SinkFunc(func(_ time.Time, e event.Output) error { return o.Put(o.Now(), e) })
}
