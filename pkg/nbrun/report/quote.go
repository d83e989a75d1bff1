package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote precedes what could be mistaken for something other than a cell's words.
const quote = '\\'

// quoter takes what cells write, in pieces, and turns it into what may go to a terminal
// or a log, where it can pass neither for our own words nor for a command:
//
//   - Escape sequences go, but those of colours if they are wanted, and so do control
//     characters: they could change lines that are there already.
//   - A CI system takes a line that begins with :: for a command (GitHub), and ##[ or
//     ##vso[ anywhere (GitHub, Azure). These get a backslash in the middle.
//   - A line that begins as ours do, by ▣, ─, one of the heads, or ✘ and a notebook or
//     cell, gets one, too.
//
// Its state is small, whatever its input.
type quoter struct {
	colour bool
	heads  []string // what lines of our own begin with, before a blank or a colon
	put    func([]byte)

	half   []byte // of a rune
	escape escape
	params []byte // of an escape sequence that may be one of colours
	styled bool   // colours were put out, and not reset

	blank  bool   // nothing but blanks so far in this line
	colons int    // at its beginning
	hashes int    // right before
	head   []rune // the beginning of the line
	long   bool   // and it is longer
}

// escape is the position of a text within an escape sequence.
type escape int

const (
	noEscape   escape = iota
	introduced        // after ESC
	control           // after ESC [
	command           // in a string for the terminal, as its title: until BEL or ESC \
	commandEnd        // after ESC in it
)

// paramsAtMost is the length of the longest colour sequence that is passed on.
const paramsAtMost = 64

func newQuoter(colour bool, heads []string, put func([]byte)) *quoter {
	q := &quoter{colour: colour, heads: heads, put: put}
	q.newLine()
	return q
}

// newLine says that a line begins.
func (q *quoter) newLine() {
	q.blank, q.colons, q.hashes, q.head, q.long = true, 0, 0, q.head[:0], false
}

// inLine says that something other than the cell's output was written before, in this
// line.
func (q *quoter) inLine() { q.newLine(); q.blank, q.long = false, true }

// end ends what a cell has left unfinished.
func (q *quoter) end() {
	var out []byte
	for _, b := range q.half {
		out = q.rune(out, utf8.RuneError, []byte{b})
	}
	q.half, q.escape = nil, noEscape
	if q.styled {
		out = append(out, "\x1b[0m"...)
		q.styled = false
	}
	if len(out) > 0 {
		q.put(out)
	}
}

// write takes a piece.
func (q *quoter) write(text string) {
	p := append(q.half, text...)
	q.half = nil
	out := make([]byte, 0, len(p)+16)
	for len(p) > 0 {
		if !utf8.FullRune(p) {
			q.half = slices.Clone(p)
			break
		}
		r, n := utf8.DecodeRune(p)
		out = q.rune(out, r, p[:n])
		p = p[n:]
	}
	if len(out) > 0 {
		q.put(out)
	}
}

// rune takes a rune, whose bytes are raw.
func (q *quoter) rune(out []byte, r rune, raw []byte) []byte {
	if q.escape != noEscape {
		var taken bool
		if out, taken = q.inEscape(out, r, raw); taken {
			return out
		}
	}
	switch {
	case r == '\x1b':
		q.escape, q.params = introduced, q.params[:0]
		return out
	case r == '\n' || r == '\r':
		q.newLine()
		return append(out, raw...)
	case r != '\t' && unicode.IsControl(r):
		return out
	}
	return append(q.quoted(out, r), raw...)
}

// inEscape takes a rune within an escape sequence, and reports whether it belongs to
// the sequence.
func (q *quoter) inEscape(out []byte, r rune, raw []byte) ([]byte, bool) {
	switch {
	case r == '\n': // none has one; what is not ended must not hide what follows
		q.escape = noEscape
		return out, false
	case q.escape == command:
		switch r {
		case '\a':
			q.escape = noEscape
		case '\x1b':
			q.escape = commandEnd
		}
	case q.escape == commandEnd:
		if q.escape = command; r == '\\' {
			q.escape = noEscape
		}
	case q.escape == introduced && r == '[':
		q.escape = control
	case q.escape == introduced && strings.ContainsRune("]PX^_", r):
		q.escape = command
	case r >= 0x20 && r <= 0x2f, q.escape == control && r >= 0x30 && r <= 0x3f: // more of it follows
		if len(q.params) <= paramsAtMost {
			q.params = append(q.params, raw...)
		}
	case r >= 0x30 && r <= 0x7e:
		if q.escape == control && r == 'm' && q.colour && len(q.params) <= paramsAtMost {
			out = append(append(append(out, "\x1b["...), q.params...), 'm')
			q.styled = len(q.params) > 0 && string(q.params) != "0"
		}
		q.escape = noEscape
	default:
		q.escape = noEscape
		return out, false
	}
	return out, true
}

// quoted puts a quote before a rune that needs it.
func (q *quoter) quoted(out []byte, r rune) []byte {
	needed := false
	switch {
	case q.hashes >= 2 && !strings.ContainsRune("# \t", r):
		needed, q.hashes = true, 0
	case q.colons == 1 && r == ':' && q.blank:
		needed = true
	case q.blank && q.colons == 0 && len(q.heads) > 0 && strings.ContainsRune("▣─", r):
		needed = true
	case (r == ' ' || r == ':') && !q.long && q.ours(string(q.head)):
		needed = true
	}
	if needed {
		out = append(out, quote)
	}
	switch {
	case r == '#':
		q.hashes++
	case !unicode.In(r, unicode.Cf, unicode.Mn): // as if they were not there, for some who search
		q.hashes = 0
	}
	if invisible(r) {
		if !q.blank || q.colons > 0 {
			q.keep(r)
		}
		return out
	}
	switch {
	case q.blank && q.colons == 0 && r == ':':
		q.colons = 1
	case q.blank:
		q.blank = false
	}
	q.keep(r)
	return out
}

// ours reports whether a line of our own may begin so, before a blank or a colon.
func (q *quoter) ours(head string) bool {
	if fault, ok := strings.CutPrefix(head, "✘ "); ok && len(q.heads) > 0 {
		return fault == "cell" || strings.HasSuffix(fault, ".ipynb")
	}
	return slices.Contains(q.heads, head)
}

// keep keeps the beginning of a line.
func (q *quoter) keep(r rune) {
	if longest := 256; len(q.head) < longest {
		q.head = append(q.head, r)
	} else {
		q.long = true
	}
}

// invisible reports whether a rune shows nothing.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r)
}

// Plain returns a text of a cell as a log may show it: without colours, without what
// could pass for a command of a CI system, and with a backslash after the heads where a
// line begins with one of them.
func Plain(text string, heads ...string) string {
	var b strings.Builder
	q := newQuoter(false, heads, func(p []byte) { b.Write(p) })
	q.write(text)
	q.end()
	return b.String()
}

// Line returns a text that somebody else has chosen, such as the name of a file or the
// message of an error, as one line for a terminal or a log: as Plain does, and with
// what would end the line, or change the order in which it is read, escaped as in a Go
// string.
func Line(text string) string {
	var b strings.Builder
	for _, r := range Plain(strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text)) {
		if unicode.IsPrint(r) || r == ' ' {
			b.WriteRune(r)
		} else {
			quoted := fmt.Sprintf("%+q", r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
