package ipynb

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
)

// EditOutputs joins neighbouring pieces of one stream in the outputs stored in the
// notebook, applies edit to all their texts (streams, tracebacks, text and HTML of
// displays), and reports whether that changed any. It leaves outputs of a run alone.
func (nb *Notebook) EditOutputs(edit func(string) string) bool {
	changed := false
	for _, c := range nb.Cells {
		raw := get(c.fields, "outputs")
		if c.Type != "code" || raw == nil {
			continue
		}
		var outputs []map[string]any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if dec.Decode(&outputs) != nil {
			continue
		}
		before := len(outputs)
		outputs = joinStreams(outputs)
		touched := len(outputs) != before
		apply := func(m map[string]any, key string, lines bool) {
			text, ok := joined(m[key])
			if !ok {
				return
			}
			if edited := edit(text); edited != text {
				touched = true
				m[key] = edited
				if lines {
					m[key] = splitLines(edited)
				}
			}
		}
		for _, o := range outputs {
			apply(o, "text", true)
			apply(o, "evalue", false)
			if list, ok := o["traceback"].([]any); ok {
				for i := range list {
					one := map[string]any{"": list[i]}
					apply(one, "", false)
					list[i] = one[""]
				}
			}
			if data, ok := o["data"].(map[string]any); ok {
				for mime := range data {
					if strings.HasPrefix(mime, "text/") {
						apply(data, mime, true)
					}
				}
			}
		}
		if !touched {
			continue
		}
		changed = true
		var b bytes.Buffer
		w := &writer{Writer: bufio.NewWriter(&b), style: nb.style}
		list := make([]any, len(outputs))
		for i, o := range outputs {
			list[i] = o
		}
		_ = w.value(3, list, false) // memory does not fail, and JSON was read
		_ = w.Flush()
		for i := range c.fields {
			if c.fields[i].key == "outputs" {
				c.fields[i].value = b.Bytes()
			}
		}
		c.raw = nil
		c.edited = true
	}
	nb.edited = nb.edited || changed
	return changed
}

func joinStreams(outputs []map[string]any) []map[string]any {
	var list []map[string]any
	for _, o := range outputs {
		if n := len(list); n > 0 && o["output_type"] == "stream" && list[n-1]["output_type"] == "stream" && list[n-1]["name"] == o["name"] {
			a, ok := joined(list[n-1]["text"])
			b, ok2 := joined(o["text"])
			if ok && ok2 {
				list[n-1]["text"] = splitLines(a + b)
				continue
			}
		}
		list = append(list, o)
	}
	return list
}

func joined(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []any:
		var b strings.Builder
		for _, part := range v {
			s, ok := part.(string)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	}
	return "", false
}

func splitLines(text string) []any {
	var lines []any
	for line := range strings.Lines(text) {
		lines = append(lines, line)
	}
	return lines
}

// ClearOutputs removes the outputs stored in the notebook, with the numbers and times
// of their cells, and reports whether there were any.
func (nb *Notebook) ClearOutputs() (changed bool) {
	for _, c := range nb.Cells {
		if c.Type != "code" {
			continue
		}
		touched := c.hasOldTimes()
		for i, f := range c.fields {
			var empty string
			switch f.key {
			case "outputs":
				empty = "[]"
			case "execution_count":
				empty = "null"
			default:
				continue
			}
			if strings.TrimSpace(string(f.value)) != empty {
				c.fields[i].value = json.RawMessage(empty)
				touched = true
			}
		}
		if touched {
			c.Cleared, c.raw, c.edited = true, nil, true
			changed = true
		}
	}
	nb.edited = nb.edited || changed
	return changed
}
