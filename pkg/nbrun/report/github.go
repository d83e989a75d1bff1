package report

import (
	"fmt"
	"html"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
)

// GitHub reports all failing cells to a workflow of GitHub Actions: by annotations in
// its log, and in a summary of the job, in Markdown.
type GitHub struct {
	log, summary io.Writer

	mu        sync.Mutex
	notebooks []*outcome
}

// outcome is how the run of a notebook ended.
type outcome struct {
	name   string
	cells  int
	took   time.Duration
	open   int // exercises
	faults []string
	over   bool
}

// NewGitHub returns an observer that writes when it is closed, so that the log of the
// run is complete by then.
func NewGitHub(log, summary io.Writer) *GitHub { return &GitHub{log: log, summary: summary} }

// Observe takes an event in.
func (g *GitHub) Observe(e event.Event) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.Action == event.Start {
		g.notebooks = append(g.notebooks, &outcome{name: e.Notebook})
	}
	for _, n := range g.notebooks {
		if n.name == e.Notebook {
			n.observe(e)
		}
	}
	return nil
}

func (n *outcome) observe(e event.Event) {
	switch e.Action {
	case event.Begin:
		n.cells++
	case event.Fail:
		if !e.Fault.Expected {
			n.faults = append(n.faults, Line(e.Fault.Error()))
		}
	case event.End:
		n.took, n.open, n.over = e.Elapsed, e.Open, true
		if e.Text != "" {
			n.faults = append(n.faults, Line(e.Text))
		}
	}
}

// Close writes the annotations and the summary.
func (g *GitHub) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var log, table, faults strings.Builder
	table.WriteString("| notebook | cells | time | |\n| --- | ---: | ---: | --- |\n")
	for _, n := range g.notebooks {
		mark := passed(n.open)
		if len(n.faults) > 0 || !n.over {
			mark = "✘"
		}
		fmt.Fprintf(&table, "| %s | %d | %s | %s |\n", markdown(n.name), n.cells, short(n.took), mark)
		for _, fault := range n.faults {
			fmt.Fprintf(&log, "::error file=%s,title=notebook::%s\n", property.Replace(n.name), data.Replace(fault))
			fmt.Fprintf(&faults, "- %s: %s\n", markdown(n.name), markdown(fault))
		}
	}
	if faults.Len() > 0 {
		table.WriteString("\n" + faults.String())
	}
	_, err := io.WriteString(g.log, log.String())
	if err == nil {
		_, err = io.WriteString(g.summary, table.String()+"\n")
	}
	return err
}

// data and property write what an annotation says, as GitHub's own toolkit does.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// markdown writes a line that Markdown shows as it is, in a table too.
func markdown(line string) string {
	line = html.EscapeString(Line(line))
	for _, c := range []string{`\`, "`", "*", "_", "[", "]", "|", "~", "$"} {
		line = strings.ReplaceAll(line, c, `\`+c)
	}
	return line
}
