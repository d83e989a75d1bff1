package ipynb

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// style is how a file's JSON is laid out.
type style struct {
	indent string // one level; "" when all is on one line
	nl     string // what ends a line; "" when all is on one line
	colon  string
	comma  string // between members on one line
	end    string // what follows the closing brace
}

// styleOf looks at the first lines of a file. Jupyter's own style is one blank per
// level.
func styleOf(data []byte) style {
	s := style{indent: " ", nl: "\n", colon: ": ", comma: ","}
	s.end = string(data[len(bytes.TrimRight(data, " \t\r\n")):])
	start := bytes.IndexByte(data, '{') + 1
	key := start + bytes.IndexByte(data[start:], '"')
	if key < start {
		return s
	}
	space := string(data[start:key])
	i := strings.LastIndexByte(space, '\n')
	if i < 0 {
		s.indent, s.nl, s.comma = "", "", ", "
	} else {
		s.indent = space[i+1:]
		if strings.Contains(space, "\r\n") {
			s.nl = "\r\n"
		}
	}
	if c := bytes.IndexByte(data[key:], ':'); c >= 0 && key+c+1 < len(data) && data[key+c+1] != ' ' {
		s.colon = ":"
		if s.nl == "" {
			s.comma = ","
		}
	}
	return s
}

// WriteFile writes the notebook to a file, as regular.WriteFile does.
func (nb *Notebook) WriteFile(path string) error {
	return trimPath(regular.WriteFile(path, func(w io.Writer) error {
		_, err := nb.WriteTo(w)
		return err
	}))
}

// WriteTo writes the notebook. Cells without new outputs are written as they
// were read.
func (nb *Notebook) WriteTo(out io.Writer) (int64, error) {
	changed := nb.edited || slices.ContainsFunc(nb.Cells, func(c *Cell) bool { return c.Outputs != nil })
	if !changed {
		n, err := out.Write(nb.raw)
		return int64(n), err
	}
	w := &writer{Writer: bufio.NewWriterSize(out, 1<<16), style: nb.style}
	members := map[string]func(int) error{}
	order := make([]string, len(nb.fields))
	for i, f := range nb.fields {
		order[i] = f.key
		members[f.key] = func(int) error { w.raw(f.value); return nil }
	}
	members["cells"] = func(level int) error {
		return w.list(level, len(nb.Cells), func(i, level int) error { return nb.Cells[i].write(w, level) })
	}
	if err := w.ordered(0, order, members); err != nil {
		return w.n, err
	}
	w.raw([]byte(nb.style.end))
	return w.n, w.Flush()
}

func (c *Cell) write(w *writer, level int) error {
	if c.raw != nil && c.Outputs == nil {
		w.raw(c.raw)
		return nil
	}
	members := map[string]func(int) error{}
	var order []string
	add := func(key string, write func(int) error) {
		if _, there := members[key]; !there {
			order = insert(order, key)
		}
		members[key] = write
	}
	for _, f := range c.fields {
		order = append(order, f.key)
		members[f.key] = func(int) error { w.raw(f.value); return nil }
	}
	if c.raw == nil && !c.edited { // a new cell
		add("cell_type", func(int) error { w.text(c.Type); return nil })
		add("metadata", func(level int) error { return w.value(level, map[string]any{"tags": c.Tags}, false) })
		add("source", func(level int) error { return w.lines(level, strings.NewReader(c.Source)) })
		add("execution_count", func(int) error { w.raw([]byte("null")); return nil })
		add("outputs", func(int) error { w.raw([]byte("[]")); return nil })
	}
	if c.Outputs != nil {
		add("execution_count", func(int) error {
			if c.Count == 0 {
				w.raw([]byte("null"))
			} else {
				w.raw(fmt.Append(nil, c.Count))
			}
			return nil
		})
		add("outputs", func(level int) error { return c.Outputs.write(w, level) })
	}
	if c.Outputs != nil && c.Times != nil || (c.Outputs != nil || c.Cleared) && c.hasOldTimes() {
		add("metadata", func(level int) error { return c.writeMetadata(w, level) })
	}
	return w.ordered(level, order, members)
}

// hasOldTimes reports whether the file has times of an earlier execution. A timeout is
// in the same place.
func (c *Cell) hasOldTimes() bool {
	fields, err := object(get(c.fields, "metadata"))
	if err != nil {
		return false
	}
	raw := get(fields, "execution")
	times, err := object(raw)
	return raw != nil && (err != nil || len(times) == 0 || slices.ContainsFunc(times, func(f field) bool { return f.key != "timeout" }))
}

// writeMetadata writes the cell's metadata with the times of its execution, if there
// are any, in the member and form that JupyterLab and nbclient use. Those of an earlier
// one are left out.
func (c *Cell) writeMetadata(w *writer, level int) error {
	fields := []field{}
	if raw := get(c.fields, "metadata"); raw != nil {
		var err error
		if fields, err = object(raw); err != nil {
			return err
		}
	}
	members := map[string]func(int) error{}
	var order []string
	var limit json.RawMessage
	for _, f := range fields {
		if f.key == "execution" {
			limits, err := object(f.value)
			if err != nil {
				continue
			}
			if limit = get(limits, "timeout"); limit == nil || c.Times != nil {
				continue
			}
			f.value = json.RawMessage(`{"timeout": ` + string(limit) + `}`)
		}
		order = append(order, f.key)
		members[f.key] = func(int) error { w.raw(f.value); return nil }
	}
	if c.raw == nil && !c.edited && c.Tags != nil {
		order = insert(order, "tags")
		members["tags"] = func(level int) error { return w.value(level, c.Tags, false) }
	}
	if c.Times == nil {
		return w.ordered(level, order, members)
	}
	order = insert(order, "execution")
	begin, end := c.Times.Begin.UTC().Format(stamp), c.Times.End.UTC().Format(stamp)
	members["execution"] = func(level int) error {
		times := map[string]any{
			"iopub.execute_input": begin, "iopub.status.busy": begin,
			"iopub.status.idle": end, "shell.execute_reply": end,
		}
		if limit != nil {
			times["timeout"] = limit
		}
		return w.value(level, times, false)
	}
	return w.ordered(level, order, members)
}

// stamp is ISO 8601 as jupyter_client writes it.
const stamp = "2006-01-02T15:04:05.000000" + "Z"

// insert adds key in alphabetical order if keys are sorted, as Jupyter sorts them, and
// otherwise at the end.
func insert(keys []string, key string) []string {
	if !slices.IsSorted(keys) {
		return append(keys, key)
	}
	i, _ := slices.BinarySearch(keys, key)
	return slices.Insert(keys, i, key)
}

// writer writes JSON in a style, escaping as Python's json module does.
type writer struct {
	*bufio.Writer
	style
	n int64
}

func (w *writer) raw(p []byte) {
	n, _ := w.Write(p) // bufio keeps the error for Flush
	w.n += int64(n)
}

func (w *writer) str(s string) { w.raw([]byte(s)) }

func (w *writer) newline(level int) {
	if w.nl == "" {
		return
	}
	w.str(w.nl)
	for range level {
		w.str(w.indent)
	}
}

func (w *writer) separate(i int) {
	if i > 0 {
		if w.nl == "" {
			w.str(w.comma)
		} else {
			w.str(",")
		}
	}
}

// list writes a list whose elements are written one level deeper.
func (w *writer) list(level, n int, element func(i, level int) error) error {
	if n == 0 {
		w.str("[]")
		return nil
	}
	w.str("[")
	for i := range n {
		w.separate(i)
		w.newline(level + 1)
		if err := element(i, level+1); err != nil {
			return err
		}
	}
	w.newline(level)
	w.str("]")
	return nil
}

func (w *writer) object(level int, members map[string]func(int) error) error {
	keys := make([]string, 0, len(members))
	for k := range members {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return w.ordered(level, keys, members)
}

func (w *writer) ordered(level int, keys []string, members map[string]func(int) error) error {
	if len(keys) == 0 {
		w.str("{}")
		return nil
	}
	w.str("{")
	for i, k := range keys {
		w.separate(i)
		w.newline(level + 1)
		w.text(k)
		w.str(w.colon)
		if err := members[k](level + 1); err != nil {
			return err
		}
	}
	w.newline(level)
	w.str("}")
	return nil
}

// value writes any value that encoding/json could; split says that this is a MIME
// bundle, whose texts are split into lines where nbformat splits them.
func (w *writer) value(level int, v any, split bool) error {
	switch v := v.(type) {
	case nil:
		w.str("null")
	case string:
		w.text(v)
	case []string:
		return w.list(level, len(v), func(i, level int) error { return w.value(level, v[i], false) })
	case []any:
		return w.list(level, len(v), func(i, level int) error { return w.value(level, v[i], false) })
	case map[string]any:
		members := map[string]func(int) error{}
		for k, member := range v {
			members[k] = func(level int) error {
				if s, ok := member.(string); ok && split && splits(k) {
					return w.lines(level, strings.NewReader(s))
				}
				return w.value(level, member, false)
			}
		}
		return w.object(level, members)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return err
		}
		var plain any
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&plain); err != nil {
			return err
		}
		switch plain.(type) {
		case map[string]any, []any, string:
			return w.value(level, plain, false)
		}
		w.raw(raw)
	}
	return nil
}

func splits(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" || mime == "application/javascript"
}

// lines writes a text as a list of its lines, split where Python's splitlines
// splits.
func (w *writer) lines(level int, r io.Reader) error {
	br := bufio.NewReaderSize(r, 1<<16)
	if _, err := br.Peek(1); err == io.EOF {
		w.str("[]")
		return nil
	}
	w.str("[")
	for i := 0; ; i++ {
		if _, err := br.Peek(1); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		w.separate(i)
		w.newline(level + 1)
		w.str(`"`)
		if err := w.oneLine(br); err != nil {
			return err
		}
		w.str(`"`)
	}
	w.newline(level)
	w.str("]")
	return nil
}

func (w *writer) oneLine(r *bufio.Reader) error {
	for {
		c, _, err := r.ReadRune()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		w.rune(c)
		switch c {
		case '\r':
			if next, err := r.Peek(1); err == nil && next[0] == '\n' {
				_, _ = r.ReadByte()
				w.rune('\n')
			}
			return nil
		case '\n', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
			return nil
		}
	}
}

// text writes a string.
func (w *writer) text(s string) {
	w.str(`"`)
	for _, c := range s {
		w.rune(c)
	}
	w.str(`"`)
}

func (w *writer) rune(c rune) {
	switch c {
	case '"':
		w.str(`\"`)
	case '\\':
		w.str(`\\`)
	case '\n':
		w.str(`\n`)
	case '\r':
		w.str(`\r`)
	case '\t':
		w.str(`\t`)
	case '\b':
		w.str(`\b`)
	case '\f':
		w.str(`\f`)
	default:
		if c < 0x20 {
			w.str(fmt.Sprintf(`\u%04x`, c))
			return
		}
		n, _ := w.WriteRune(c) // what is not UTF-8 has become U+FFFD
		w.n += int64(n)
	}
}
