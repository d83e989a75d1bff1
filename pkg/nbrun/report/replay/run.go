package replay

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/b3771e63/prodcons/pkg/nbrun/book/render"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// Limits of what is shown, in bytes of HTML.
const (
	cellAtMost = 4 << 20
	runAtMost  = 16 << 20
)

// run is what is known of the run of a notebook. Its times are those of one story, in ns
// since its beginning: that of each cell begins when the one before it has ended.
type run struct {
	Name, File string
	Cells      []*cell

	start, end event.Event
	written    bool
	count      int     // cells that have begun
	faults     []*cell // cells that have failed, and should not have
	now        int64
	size       int
	displays   map[string][]*node // as they were last updated
}

// cell is what is known of one.
type cell struct {
	event.Cell
	run     *run
	began   time.Time
	begin   int64
	ended   int64
	verdict event.Event // its Action is "" as long as there is none

	nodes []*node
	lines map[string]*line // by the stream
	clear bool             // with the next output
	size  int              // of the nodes
	old   int              // of those that are no longer shown in the end
	lost  int
	said  []string // tracebacks of errors
}

// node is something shown from one time on, until another one if not for ever.
type node struct {
	cell      *cell
	html      string
	at, until int64
	stream    bool
	next      *node // what takes its place
}

const forever = -1

// cost is what a node counts.
func (n *node) cost() int { return len(n.html) + 64 }

func (r *run) observe(e event.Event) {
	switch e.Action {
	case event.Start:
		r.start = e
	case event.Begin, event.Skip:
		c := r.begin(e)
		if e.Action == event.Skip {
			c.verdict = e
			break
		}
		r.count++
	case event.Out:
		r.cell(e).output(e)
	case event.Pass, event.Fail:
		c := r.cell(e)
		c.ended, c.verdict = c.at(e.Time), e
		if e.Action == event.Fail && !e.Fault.Expected {
			r.faults = append(r.faults, c)
		}
	case event.End:
		r.end = e
	}
}

// begin adds a cell, in place of an earlier run of it.
func (r *run) begin(e event.Event) *cell {
	for i, c := range r.Cells {
		if c.Index == e.Cell.Index {
			r.size -= c.size
			r.Cells = append(r.Cells[:i], r.Cells[i+1:]...)
			break
		}
	}
	c := &cell{Cell: *e.Cell, run: r, began: e.Time, begin: r.now, ended: r.now, lines: map[string]*line{}}
	r.Cells = append(r.Cells, c)
	return c
}

// cell is that of an event, which has begun.
func (r *run) cell(e event.Event) *cell {
	for _, c := range r.Cells {
		if c.Index == e.Cell.Index {
			return c
		}
	}
	return r.begin(e)
}

// at is a time in the story. It never goes backwards.
func (c *cell) at(t time.Time) int64 {
	c.run.now = max(c.run.now, c.begin+t.Sub(c.began).Nanoseconds())
	return c.run.now
}

func (c *cell) output(e event.Event) {
	at, o := c.at(e.Time), e.Output
	if o.Kind == event.Clear && o.Wait {
		c.clear = true
		return
	}
	if o.Kind == event.Clear || c.clear {
		c.clear = false
		for _, n := range c.nodes {
			n.last().end(at)
		}
		c.lines = map[string]*line{}
	}
	switch {
	case o.OfFault, o.Kind == event.Clear: // the verdict tells of the fault
	case o.Kind == event.Stream:
		c.text(at, o)
	case o.Kind == event.Update:
		for i, n := range c.run.displays[o.ID] {
			if n.until == forever {
				c.run.displays[o.ID][i] = n.replace(at, render.Output(*o, nil))
			}
		}
	default:
		c.said = append(c.said, o.Traceback...)
		n := c.add(&node{html: render.Output(*o, new(render.Style)), at: at})
		if n != nil && o.ID != "" {
			c.run.displays[o.ID] = append(c.run.displays[o.ID], n)
		}
	}
}

// last is what is finally shown in place of a node.
func (n *node) last() *node {
	for n.next != nil {
		n = n.next
	}
	return n
}

// end makes a node disappear.
func (n *node) end(at int64) {
	if n.until == forever {
		n.until = at
		n.cell.old += n.cost()
	}
}

// replace puts other HTML in place of a node. If there is no room for both, the old one
// is not kept.
func (n *node) replace(at int64, html string) *node {
	next := &node{cell: n.cell, html: html, at: at, until: forever, stream: n.stream}
	if !n.cell.room(next) {
		n.cell.count(len(html) - len(n.html))
		n.at, n.html = at, html
		return n
	}
	n.end(at)
	n.next = next
	n.cell.count(next.cost())
	return next
}

// add adds a node, if there is room for it.
func (c *cell) add(n *node) *node {
	n.cell, n.until = c, forever
	if !c.room(n) {
		c.lost += len(n.html)
		return nil
	}
	c.count(n.cost())
	c.nodes = append(c.nodes, n)
	return n
}

func (c *cell) count(size int) {
	c.size += size
	c.run.size += size
}

// room reports whether there is room for a node. To make room, nodes that have
// disappeared may be forgotten.
func (c *cell) room(n *node) bool {
	full := func() bool { return c.size+n.cost() > cellAtMost || c.run.size+n.cost() > runAtMost }
	if full() && c.old > c.size/2 {
		kept := c.nodes[:0]
		size := 0
		for _, n := range c.nodes {
			if n = n.last(); n.until == forever {
				kept = append(kept, n)
				size += n.cost()
			}
		}
		clear(c.nodes[len(kept):])
		c.nodes, c.old = kept, 0
		c.count(size - c.size)
	}
	return !full()
}

// line is the line of a stream that has not ended.
type line struct {
	style render.Style // at its beginning, and
	now   render.Style // at its end
	text  string       // folded
	half  string       // of a character
	nodes []*node
}

// text adds what comes on a stream. What carriage returns and backspaces remove
// disappears from then on.
func (c *cell) text(at int64, o *event.Output) {
	l := c.lines[o.Name]
	if l == nil {
		l = new(line)
		c.lines[o.Name] = l
	}
	text := l.half + o.Text
	whole := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if tail := text[len(text)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRuneInString(tail) {
				whole -= i
			}
			break
		}
	}
	text, l.half = text[:whole], text[whole:]
	if strings.ContainsAny(l.text+text, "\r\b") {
		for part := range strings.Lines(text) {
			c.piece(at, o.Name, l, part)
		}
		return
	}
	ended := strings.LastIndexByte(text, '\n') + 1
	for _, part := range []string{text[:ended], text[ended:]} {
		if part != "" {
			c.piece(at, o.Name, l, part)
		}
	}
}

// lineAtMost is the length of a line that may be folded.
const lineAtMost = 64 << 10

// piece adds a piece of a stream: whole lines, or a piece of one, which may have to be
// folded.
func (c *cell) piece(at int64, name string, l *line, text string) {
	stream := event.Output{Kind: event.Stream, Name: name}
	if before := l.text + text; strings.ContainsAny(before, "\r\b") {
		l.now, l.text = l.style, ipynb.Fold(before)
		stream.Text = l.text
		html := render.Output(stream, &l.now)
		if len(l.nodes) > 0 {
			for _, n := range l.nodes[1:] {
				n.end(at)
			}
			l.nodes = []*node{l.nodes[0].replace(at, html)}
		} else if n := c.add(&node{html: html, at: at, stream: true}); n != nil {
			l.nodes = append(l.nodes, n)
		}
	} else {
		l.text, stream.Text = before, text
		if n := c.add(&node{html: render.Output(stream, &l.now), at: at, stream: true}); n != nil {
			l.nodes = append(l.nodes, n)
		}
	}
	if strings.HasSuffix(l.text, "\n") || len(l.text) > lineAtMost {
		l.text, l.nodes, l.style = "", nil, l.now
	}
}
