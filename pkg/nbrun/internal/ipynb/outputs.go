package ipynb

import (
	"encoding/json"
	"errors"
	"time"
)

// Outputs are what a cell puts out, in order, as Jupyter keeps it.
type Outputs struct {
	list []*output
}

// output is a stream, display_data, execute_result, or error.
type output struct {
	kind      string
	name      string // of a stream
	text      *Text
	data      map[string]any // of a display, by MIME type: text, or anything that is JSON
	metadata  map[string]any
	count     int      // of an execute_result
	traceback []string // of an error, with its name and value
	ename     string
	evalue    string
}

// Times are when a cell began and ended.
type Times struct{ Begin, End time.Time }

// Stream appends to a stream, stdout or stderr. Neighbouring pieces of one
// stream become one output.
func (o *Outputs) Stream(name string, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	n := len(o.list)
	if n == 0 || o.list[n-1].kind != "stream" || o.list[n-1].name != name {
		o.list = append(o.list, &output{kind: "stream", name: name, text: new(Text)})
		n++
	}
	_, err := o.list[n-1].text.Write(p)
	return err
}

// Display appends a display and returns a function that replaces its content.
func (o *Outputs) Display(data, metadata map[string]any) (update func(data, metadata map[string]any)) {
	out := &output{kind: "display_data", data: data, metadata: metadata}
	o.list = append(o.list, out)
	return func(data, metadata map[string]any) { out.data, out.metadata = data, metadata }
}

// Result appends the value that a cell has, of a kernel that tells one, with the
// cell's execution count.
func (o *Outputs) Result(count int, data, metadata map[string]any) {
	o.list = append(o.list, &output{kind: "execute_result", count: count, data: data, metadata: metadata})
}

// Clear drops what has been put out so far.
func (o *Outputs) Clear() error {
	err := o.close()
	o.list = nil
	return err
}

// Error appends an error.
func (o *Outputs) Error(name, value string, traceback []string) {
	o.list = append(o.list, &output{kind: "error", ename: name, evalue: value, traceback: traceback})
}

func (o *Outputs) close() error {
	var errs []error
	for _, out := range o.list {
		if out.text != nil {
			errs = append(errs, out.text.Close())
		}
	}
	return errors.Join(errs...)
}

func (o *Outputs) write(w *writer, level int) error {
	return w.list(level, len(o.list), func(i, level int) error { return o.list[i].write(w, level) })
}

func (o *output) write(w *writer, level int) error {
	text := func(s string) func(int) error { return func(int) error { w.text(s); return nil } }
	members := map[string]func(level int) error{"output_type": text(o.kind)}
	switch o.kind {
	case "stream":
		members["name"] = text(o.name)
		members["text"] = func(level int) error {
			r, err := o.text.Reader()
			if err != nil {
				return err
			}
			return w.lines(level, r)
		}
	case "display_data", "execute_result":
		members["data"] = func(level int) error { return w.value(level, o.data, true) }
		members["metadata"] = func(level int) error { return w.value(level, o.metadata, false) }
		if o.kind == "execute_result" {
			members["execution_count"] = func(level int) error { return w.value(level, o.count, false) }
		}
	case "error":
		members["ename"] = text(o.ename)
		members["evalue"] = text(o.evalue)
		members["traceback"] = func(level int) error {
			return w.list(level, len(o.traceback), func(i, _ int) error { w.text(o.traceback[i]); return nil })
		}
	}
	return w.object(level, members)
}

// Texts returns what the outputs stored in the file say: the whole of stdout and
// of stderr, and the errors' values.
func (c *Cell) Texts() (stdout, stderr string, errs []string) {
	var stored []struct {
		Type   string          `json:"output_type"`
		Name   string          `json:"name"`
		Text   json.RawMessage `json:"text"`
		Evalue string          `json:"evalue"`
	}
	_ = json.Unmarshal(get(c.fields, "outputs"), &stored)
	for _, s := range stored {
		text, _ := multiline(s.Text)
		switch {
		case s.Type == "error":
			errs = append(errs, s.Evalue)
		case s.Name == "stdout":
			stdout += text
		case s.Name == "stderr":
			stderr += text
		}
	}
	return stdout, stderr, errs
}
