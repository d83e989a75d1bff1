package tidy

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lastwords"
)

// Words remembers, of what one program says, what explains its end. One goroutine at a
// time uses it.
type Words struct {
	Dir string // the kernel's temporary folder, if that is known

	fatal      string // the message of a panic or a fatal error of the runtime
	cell, line int    // where it was
	last       string // the last line of output that is not empty
	tests      tests
}

// place is a place in a cell, as GoNB writes it and Line does.
var place = regexp.MustCompile(`\[\[ Cell \[(\d+)\] Line (\d+) \]\]`)

// Line takes a line of stderr, and returns it without the machine's paths.
func (w *Words) Line(p []byte) []byte {
	if w.fatal == "" && lastwords.IsFatal(string(p)) {
		w.fatal = string(bytes.TrimSpace(p))
	}
	p = line(p, w.Dir)
	if w.fatal != "" && w.cell == 0 {
		if m := place.FindSubmatch(p); m != nil {
			w.cell, _ = strconv.Atoi(string(m[1]))
			w.line, _ = strconv.Atoi(string(m[2]))
		}
	}
	return p
}

var (
	escapes    = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	exitStatus = regexp.MustCompile(`^(exit status \d+|signal: .*)$`) // GoNB's own last line
)

// IsExitStatus reports whether a text is what the go command, or the kernel, says about
// a program's end when it knows nothing else.
func IsExitStatus(text string) bool { return exitStatus.MatchString(text) }

// Saw takes a piece of any stream, for its last line.
func (w *Words) Saw(text string) {
	w.tests.saw(text)
	text = strings.TrimSpace(text[max(0, len(text)-4096):])
	last := text[strings.LastIndexByte(text, '\n')+1:]
	last = strings.TrimSpace(escapes.ReplaceAllString(last, ""))
	if last != "" && !IsExitStatus(last) {
		w.last = last[:min(len(last), 200)]
	}
}

// At says where the program failed, if that is known from elsewhere.
func (w *Words) At(cell, line int) { w.cell, w.line = cell, line }

// Explain adds to a fault, whose text is an exit status, what was said last: a
// panic's message and place, the test that has failed, or else the last line.
func (w *Words) Explain(f *event.Fault) {
	failed := w.tests.failed()
	killed := f.Text == "signal: killed"
	switch {
	case w.fatal != "":
		f.Text = w.fatal
		if w.cell != 0 {
			f.Cell, f.Line = w.cell, w.line
		}
	case failed != nil:
		f.Text = failed.Text
		if failed.Cell != 0 {
			f.Cell, f.Line = failed.Cell, failed.Line
		}
	case w.last != "":
		f.Text += ": " + w.last
	}
	if killed { // by none of us, as a cell that we stop has another fault
		f.Text += "; it may have run out of memory"
	}
}
