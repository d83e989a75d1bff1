package nbrun

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// DefaultMaxOutput is how much a cell may output, in bytes, by default.
const DefaultMaxOutput = 16 << 20

// The limits of what cells output.
const (
	// allCells is how many cells may use up the limit of one; together, the cells of a
	// notebook may output no more than that.
	allCells = 8
	// pieceCost is the least that an output counts, in bytes, and newCost what is added
	// for one that does not continue the stream before it.
	pieceCost = 64
	newCost   = 256
	// valueCost is what a JSON value counts besides its text.
	valueCost = 48
	maxDepth  = 200 // of lists and objects in a display; Jupyter reads no more than a few hundred
	maxErrors = 16  // of a cell, beyond what it may put out
	maxWords  = 64 << 10
)

// limits counts what a notebook and its cells output.
type limits struct {
	most     int // of a cell
	notebook int // what the notebook may still put out
}

func newLimits(most int) *limits { return &limits{most: most, notebook: allCells * most} }

// limit counts what a cell outputs in one run of it, including what it clears again.
type limit struct {
	*limits
	left    int
	dropped int64  // bytes that were not kept
	stream  string // the last output was a piece of it
	errors  int
}

func (l *limits) cell() *limit { return &limit{limits: l, left: l.most} }

// admit returns what is kept of an output. It says once where the limit was reached.
func (l *limit) admit(o event.Output) []event.Output {
	if o.Kind == event.Error {
		if l.errors++; l.errors > maxErrors {
			return nil
		}
		return []event.Output{clipped(o)}
	}
	cost, deep := size(&o)
	if deep {
		return l.admit(note("a display nested more than %d levels deep is not shown", maxDepth))
	}
	if o.Kind != event.Stream || o.Name != l.stream {
		cost += newCost
	}
	l.stream = ""
	if o.Kind == event.Stream {
		l.stream = o.Name
	}
	if room := min(l.left, l.notebook); l.dropped == 0 && cost <= room {
		l.left -= cost
		l.notebook -= cost
		return []event.Output{o}
	}
	before := l.dropped
	kept := l.beginning(&o)
	l.dropped += int64(max(cost-newCost, 1))
	if before > 0 {
		return nil
	}
	what, most := "cell has", l.most
	if l.notebook < l.left {
		what, most = "notebook's cells have", allCells*l.most
	}
	said := note("the %s written more than %s; the rest is not kept", what, bytesInWords(int64(most)))
	l.left, l.notebook = 0, l.notebook-len(kept.Text)
	if kept.Text == "" {
		return []event.Output{said}
	}
	return []event.Output{kept, said}
}

// beginning takes as much of a stream's text, of which nothing was dropped before, as
// there is room for: whole lines if it has any.
func (l *limit) beginning(o *event.Output) (kept event.Output) {
	if o.Kind != event.Stream || l.dropped > 0 {
		return kept
	}
	n := min(max(min(l.left, l.notebook)-newCost, 0), len(o.Text))
	for n > 0 && n < len(o.Text) && !utf8.RuneStart(o.Text[n]) {
		n--
	}
	kept = *o
	kept.Text = o.Text[:n]
	if whole := strings.LastIndexByte(kept.Text, '\n') + 1; whole > 0 {
		kept.Text = kept.Text[:whole]
	}
	return kept
}

// note is what the runner says among the outputs of a cell.
func note(format string, args ...any) event.Output {
	return event.Output{Kind: event.Stream, Name: "stderr", Text: "[nbrun: " + fmt.Sprintf(format, args...) + "]\n"}
}

// bytesInWords writes a number of bytes for a person.
func bytesInWords(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size && n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// clipped shortens an error to what anybody would read.
func clipped(o event.Output) event.Output {
	left := maxWords
	clip := func(s string) string {
		n := min(len(s), left)
		left -= n
		return s[:n]
	}
	o.Name, o.Value = clip(o.Name), clip(o.Value)
	var lines []string
	for _, line := range o.Traceback {
		if left == 0 {
			break
		}
		lines = append(lines, clip(line))
	}
	o.Traceback = lines
	return o
}

// size is what an output counts, and whether its data are nested too deeply.
func size(o *event.Output) (n int, deep bool) {
	m := measure{}
	m.value(o.Data, 0)
	m.value(o.Metadata, 0)
	return max(m.size+len(o.Text)+len(o.ID), pieceCost), m.deep
}

// measure adds up roughly what JSON values take of memory.
type measure struct {
	size int
	deep bool
}

func (m *measure) value(v any, depth int) {
	if depth > maxDepth {
		m.deep = true
		return
	}
	switch v := v.(type) {
	case string:
		m.size += len(v)
	case []any:
		for _, e := range v {
			m.size += valueCost
			m.value(e, depth+1)
		}
	case map[string]any:
		for k, e := range v {
			m.size += len(k) + valueCost
			m.value(e, depth+1)
		}
	}
}
