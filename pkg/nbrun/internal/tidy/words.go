package tidy

import (
	"bytes"
	"regexp"
	"slices"
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
	untrue     string // the first line of a check that says what is not so
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

// Saw takes a piece of any stream, for its last line, and the first that a check marks.
func (w *Words) Saw(text string) {
	w.tests.saw(text)
	if w.untrue == "" && strings.Contains(text, "✘") {
		for l := range strings.Lines(text) {
			if l = plain(l); strings.HasPrefix(l, "✘ ") {
				w.untrue = l
				break
			}
		}
	}
	for rest := text[max(0, len(text)-4096):]; rest != ""; {
		end := strings.LastIndexByte(rest, '\n')
		if l := plain(rest[end+1:]); l != "" && !IsExitStatus(l) {
			w.last = l
			return
		}
		rest = rest[:max(end, 0)]
	}
}

// plain is a line without colours, and not too long of it.
func plain(line string) string {
	line = strings.TrimSpace(escapes.ReplaceAllString(line, ""))
	return strings.ToValidUTF8(line[:min(len(line), 200)], "")
}

// ofCheck reports whether a line is one of a check: what is so, what isn't, and what
// can't be told.
func ofCheck(line string) bool { return marked(line, "✔", "✘", "○") }

// marked reports whether a line begins with one of some marks.
func marked(line string, marks ...string) bool {
	mark, _, _ := strings.Cut(line, " ")
	return slices.Contains(marks, mark)
}

// IsOpen reports whether a line of a text is one of a check that says what isn't so, or
// can't be told.
func IsOpen(text string) bool {
	for l := range strings.Lines(text) {
		if strings.ContainsAny(l, "✘○") && marked(plain(l), "✘", "○") {
			return true
		}
	}
	return false
}

// At says where the program failed, if that is known from elsewhere.
func (w *Words) At(cell, line int) { w.cell, w.line = cell, line }

// Explain adds to a fault, whose text is an exit status, what was said last: a
// panic's message and place, the test that has failed, the first claim of a check that
// is not true, or else the last line.
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
	case w.untrue != "" && ofCheck(w.last):
		f.Text += ": " + w.untrue
	case w.last != "":
		f.Text += ": " + w.last
	}
	if killed { // by none of us, as a cell that we stop has another fault
		f.Text += "; it may have run out of memory"
	}
}
