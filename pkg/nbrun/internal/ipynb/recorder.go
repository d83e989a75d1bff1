package ipynb

import (
	"io"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// Recorder is the observer of a run that puts the cells' output into the notebook, as
// Jupyter would.
type Recorder struct {
	notebook *Notebook
	times    bool
	displays map[string][]*output // by their ID
	clear    map[*Cell]bool       // before the next output
	store    store
}

// Recorder returns the observer for a run of the notebook. With times, the notebook
// also gets the times of its cells.
func (nb *Notebook) Recorder(times bool) *Recorder {
	return &Recorder{notebook: nb, times: times, displays: map[string][]*output{}, clear: map[*Cell]bool{}}
}

// Observe takes an event in.
func (r *Recorder) Observe(e event.Event) error {
	if e.Cell == nil {
		return nil
	}
	c := r.notebook.Cells[e.Cell.Index]
	switch e.Action {
	case event.Begin:
		if c.Outputs != nil {
			c.Outputs.clear() // of an earlier run of it
		}
		c.Outputs, c.Count = &Outputs{store: &r.store}, e.Cell.Number
		if r.times {
			c.Times = &Times{Begin: e.Time, End: e.Time}
		}
	case event.Pass, event.Fail:
		if r.times {
			c.Times.End = e.Time
		}
	case event.Out:
		return r.output(c, e.Output)
	}
	return nil
}

func (r *Recorder) output(c *Cell, o *event.Output) error {
	if o.Kind == event.Clear && o.Wait {
		r.clear[c] = true
		return nil
	}
	if o.Kind == event.Clear || r.clear[c] {
		delete(r.clear, c)
		c.Outputs.clear()
	}
	switch o.Kind {
	case event.Stream:
		return c.Outputs.stream(o.Name, o.Text)
	case event.Display:
		shown := c.Outputs.add(&output{kind: "display_data", data: o.Data, metadata: o.Metadata})
		if o.ID != "" {
			r.displays[o.ID] = append(r.displays[o.ID], shown)
		}
	case event.Update:
		for _, shown := range r.displays[o.ID] {
			shown.data, shown.metadata = o.Data, o.Metadata
		}
	case event.Result:
		c.Outputs.add(&output{kind: "execute_result", count: o.Count, data: o.Data, metadata: o.Metadata})
	case event.Error:
		c.Outputs.add(&output{kind: "error", name: o.Name, value: o.Value, traceback: o.Traceback})
	}
	return nil
}

// OutputList are the outputs of the run.
func (c *Cell) OutputList() ([]event.Output, error) {
	if c.Outputs == nil {
		return nil, nil
	}
	var list []event.Output
	for _, o := range c.Outputs.list {
		e := event.Output{Name: o.name, Data: o.data, Metadata: o.metadata, Count: o.count, Value: o.value, Traceback: o.traceback}
		switch o.kind {
		case "stream":
			e.Kind = event.Stream
			r, err := o.text.Reader()
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(r)
			if err != nil {
				return nil, err
			}
			e.Text = string(text)
		case "display_data":
			e.Kind = event.Display
		case "execute_result":
			e.Kind = event.Result
		case "error":
			e.Kind = event.Error
		}
		list = append(list, e)
	}
	return list, nil
}
