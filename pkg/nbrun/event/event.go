// Package event defines what a run of a notebook is made of: a stream of events, in
// plain data with JSON names. The terminal, the notebook's file, reports and pages are
// observers of that stream.
//
// The events of one run of a notebook are, in this order: one start; for each code cell
// either a cell, its outputs, and a verdict (pass or fail), or a skip; one end.
// Progress may come anywhere between start and end. When a run is interrupted, the cell
// that was running has no verdict, and those after it have no events. An output may
// come after the verdict of its cell, as a Jupyter kernel may say that a cell is done
// and then send more; its Cell says where it belongs.
package event

import (
	"errors"
	"time"
)

// Action is what happened.
type Action string

// The actions.
const (
	Start    Action = "start"    // a notebook begins to be run: Engine and Clock say how
	Progress Action = "progress" // something takes long: Text says what; "" that it is over
	Begin    Action = "cell"     // a code cell begins
	Out      Action = "output"   // the cell has written or shown Output
	Pass     Action = "pass"     // the cell has ended as it should
	Fail     Action = "fail"     // the cell has failed: Fault says how
	Skip     Action = "skip"     // the cell was not run: Text says why
	End      Action = "end"      // the notebook has ended: Fault or Text says why if it did not pass
)

// Event is something that happened in a run.
type Event struct {
	// Time is on the clock of the cells, virtual or real; that of start, and of what
	// comes before the first cell, is real. On the virtual clock a cell that has to run
	// on the real one takes no time, as seen by those after it.
	Time     time.Time `json:"time"`
	Action   Action    `json:"action"`
	Notebook string    `json:"notebook,omitempty"` // as it was named to the runner
	Cell     *Cell     `json:"cell,omitempty"`     // of all but start, progress and end; not to be changed
	Output   *Output   `json:"output,omitempty"`
	Fault    *Fault    `json:"fault,omitempty"`
	Text     string    `json:"text,omitempty"`
	Engine   string    `json:"engine,omitempty"`
	Clock    Clock     `json:"clock,omitempty"` // start: what was asked for; pass, fail: what the cell ran on
	// Elapsed is real time in nanoseconds: of the cell for pass and fail, of all for
	// end.
	Elapsed time.Duration `json:"elapsed,omitempty"`
	Dropped int64         `json:"dropped,omitempty"` // pass, fail: bytes of the cell's output that were not kept
	Open    int           `json:"open,omitempty"`    // pass, fail: 1 for a check whose exercise is not solved yet; end: how many there are
	Left    int           `json:"left,omitempty"`    // end: processes that cells had left running, and that the runner ended
}

// Clock is the clock that a cell's program sees.
type Clock string

// The clocks.
const (
	Real Clock = "real"
	// Virtual is a clock on which waiting costs nothing: when all goroutines wait,
	// time jumps to the next timer.
	Virtual Clock = "virtual"
)

// Cell is a code cell.
type Cell struct {
	Index  int      `json:"index"`        // among all cells of the notebook, from 0
	Number int      `json:"number"`       // among those that are run, from 1: the execution count
	ID     string   `json:"id,omitempty"` // of nbformat 4.5
	Tags   []string `json:"tags,omitempty"`
	Source string   `json:"source,omitempty"` // in lines of JSON: with the actions cell and skip only
}

// Kind is a kind of output. All are as in Jupyter's messaging protocol.
type Kind string

// The kinds.
const (
	Stream  Kind = "stream"  // a piece of Text on the stream Name
	Display Kind = "display" // Data is displayed
	Update  Kind = "update"  // Data replaces what the displays of that ID show
	Result  Kind = "result"  // Data is the value of the cell
	Clear   Kind = "clear"   // what the cell has shown so far is removed
	Error   Kind = "error"   // Name, Value and Traceback of what went wrong
)

// Output is a piece of a cell's output.
type Output struct {
	Kind     Kind           `json:"kind"`
	Name     string         `json:"name,omitempty"` // of a stream: stdout, stderr; of an error
	Text     string         `json:"text,omitempty"` // of a stream: as written; it may end in the middle of a rune
	Data     map[string]any `json:"data,omitempty"` // by MIME type: text, base64 of anything binary, or JSON
	Metadata map[string]any `json:"metadata,omitempty"`
	ID       string         `json:"id,omitempty"`    // of a display that may be updated
	Count    int            `json:"count,omitempty"` // execution_count of a result
	// Wait means that a clear takes effect with the next output.
	Wait      bool     `json:"wait,omitempty"`
	Value     string   `json:"value,omitempty"`
	Traceback []string `json:"traceback,omitempty"`
	// OfFault means that a display is a page about the fault that follows.
	OfFault bool `json:"of_fault,omitempty"`
}

// Observer is notified of what happens in a run, by one goroutine at a time. One that
// observes several runs at once is called by as many goroutines. An error stops the
// run.
type Observer interface{ Observe(Event) error }

// ObserverFunc is a function as an Observer.
type ObserverFunc func(Event) error

// Observe calls f.
func (f ObserverFunc) Observe(e Event) error { return f(e) }

// All is an observer that passes events to all others, in their order, even if one
// before has failed. Nil observers are left out.
func All(observers ...Observer) Observer {
	return ObserverFunc(func(e Event) error {
		var errs []error
		for _, o := range observers {
			if o != nil {
				errs = append(errs, o.Observe(e))
			}
		}
		return errors.Join(errs...)
	})
}

// Sink takes the output of a cell, in order, with the time at which the cell's program
// wrote it. An error stops the cell.
type Sink interface {
	Put(at time.Time, o Output) error
}

// SinkFunc is a function as a Sink.
type SinkFunc func(at time.Time, o Output) error

// Put calls f.
func (f SinkFunc) Put(at time.Time, o Output) error { return f(at, o) }
