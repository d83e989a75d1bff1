package nbrun

import (
	"bytes"
	"os"
	"regexp"
	"strconv"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// output takes what a cell puts out: it is kept, shown, and captured.
type output struct {
	*session
	cell   *ipynb.Cell
	filter func([]byte) []byte // of the engine, for lines of stderr
	file   *os.File            // of %capture

	fatal string        // the message of a panic or a fatal error of the runtime
	at    program.Place // where it was
	last  []byte        // the last line of output that is not empty
}

func (o *output) capture(path string, add bool) error {
	f, err := create(path, add)
	o.file = f
	return err
}

// create opens a file for a cell to write, or to add to.
func create(path string, add bool) (*os.File, error) {
	mode := os.O_TRUNC
	if add {
		mode = os.O_APPEND
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|mode, 0o644)
}

func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// Stream takes a piece of stdout or stderr.
func (o *output) Stream(name string, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	o.remember(p)
	o.opts.Observer.Output(name, p)
	if o.file != nil {
		if _, err := o.file.Write(p); err != nil {
			return err
		}
	}
	return o.cell.Outputs.Stream(name, p)
}

var (
	escapes    = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	exitStatus = regexp.MustCompile(`^(exit status \d+|signal: .*)$`) // GoNB's own last line
)

// remember keeps the last line, for the message of a failure.
func (o *output) remember(p []byte) {
	p = p[max(0, len(p)-4096):]
	lines := bytes.Split(bytes.TrimSpace(p), []byte("\n"))
	last := bytes.TrimSpace(escapes.ReplaceAll(lines[len(lines)-1], nil))
	if len(last) > 0 && !exitStatus.Match(last) {
		o.last = append(o.last[:0], last[:min(len(last), 200)]...)
	}
}

// explain adds to the fault of a program that has failed, which is its exit status,
// what it said last.
func (o *output) explain(f *fault) {
	switch {
	case o.fatal != "":
		f.Text = o.fatal
		if o.at.Cell != 0 {
			f.Cell, f.Line = o.at.Cell, o.at.Line
		}
	case len(o.last) > 0:
		f.Text += ": " + string(o.last)
	}
}

// Display takes a display.
func (o *output) Display(data, metadata map[string]any, id string) error {
	if updates := o.displays[id]; id != "" && len(updates) > 0 {
		return o.update(data, metadata, id)
	}
	return o.display(data, metadata, id)
}

// update replaces what the displays of that id show.
func (o *output) update(data, metadata map[string]any, id string) error {
	err := o.show(data)
	for _, update := range o.displays[id] {
		update(data, metadata)
	}
	return err
}

// display appends a display.
func (o *output) display(data, metadata map[string]any, id string) error {
	update := o.cell.Outputs.Display(data, metadata)
	if id != "" {
		o.displays[id] = append(o.displays[id], update)
	}
	return o.show(data)
}

// show shows a display, and captures it.
func (o *output) show(data map[string]any) error {
	o.opts.Observer.Display(data)
	if o.file != nil {
		for _, content := range data {
			if text, ok := content.(string); ok {
				if _, err := o.file.WriteString(text); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var (
	cellPlace   = regexp.MustCompile(`/nbrun/cell(\d+)\.go:(\d+)`)
	kernelPlace = regexp.MustCompile(`\[\[ Cell \[(\d+)\] Line (\d+) \]\]`)
)

// line rewrites a line of stderr: places in generated files become places in
// cells, and no path of the machine is kept.
func (o *output) line(p []byte) []byte {
	if o.filter != nil {
		if p = o.filter(p); len(p) == 0 {
			return nil
		}
	}
	if o.fatal == "" && (bytes.HasPrefix(p, []byte("panic: ")) || bytes.HasPrefix(p, []byte("fatal error: "))) {
		o.fatal = string(bytes.TrimSpace(p))
	}
	place := cellPlace
	if o.opts.Engine == GoNB {
		place = kernelPlace
	}
	if m := place.FindSubmatch(p); m != nil && o.at.Cell == 0 && o.fatal != "" {
		o.at = program.Place{Cell: atoi(m[1]), Line: atoi(m[2])}
	}
	return scrubLine(p, o.dir)
}

// atoi reads digits that a pattern has found.
func atoi(p []byte) int {
	n, _ := strconv.Atoi(string(p))
	return n
}
