package ipynb

import (
	"encoding/json"
	"io"
	"time"
)

// Outputs are the outputs of a cell, in order, as Jupyter keeps them.
type Outputs struct {
	list  []*output
	store *store // of their texts; nil until there is one
}

// output is a stream, display_data, execute_result, or error.
type output struct {
	kind      string
	name      string // of a stream, or an error
	text      *Text
	data      map[string]any // of a display, by MIME type: text, or anything that is JSON
	metadata  map[string]any
	count     int    // of an execute_result
	value     string // of an error
	traceback []string
}

// Times are when a cell began and ended.
type Times struct{ Begin, End time.Time }

// stream appends to a stream, stdout or stderr. Neighbouring pieces of one
// stream become one output.
func (o *Outputs) stream(name, text string) error {
	if text == "" {
		return nil
	}
	n := len(o.list)
	if n == 0 || o.list[n-1].kind != "stream" || o.list[n-1].name != name {
		if o.store == nil {
			o.store = new(store)
		}
		o.add(&output{kind: "stream", name: name, text: &Text{store: o.store}})
		n++
	}
	_, err := io.WriteString(o.list[n-1].text, text)
	return err
}

// add appends an output, and returns it.
func (o *Outputs) add(out *output) *output {
	o.list = append(o.list, out)
	return out
}

// clear drops the outputs so far.
func (o *Outputs) clear() {
	for _, out := range o.list {
		if out.text != nil {
			out.text.drop()
		}
	}
	o.list = nil
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
			return w.lines(level, folded(r))
		}
	case "display_data", "execute_result":
		members["data"] = func(level int) error { return w.value(level, o.data, true) }
		members["metadata"] = func(level int) error { return w.value(level, o.metadata, false) }
		if o.kind == "execute_result" {
			members["execution_count"] = func(level int) error { return w.value(level, o.count, false) }
		}
	case "error":
		members["ename"] = text(o.name)
		members["evalue"] = text(o.value)
		members["traceback"] = func(level int) error {
			return w.list(level, len(o.traceback), func(i, _ int) error { w.text(o.traceback[i]); return nil })
		}
	}
	return w.object(level, members)
}

// Texts returns the text of the outputs stored in the file: all of stdout and of
// stderr, and the errors' values.
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
