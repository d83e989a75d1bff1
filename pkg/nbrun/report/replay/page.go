package replay

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/book/assets"
	"github.com/b3771e63/prodcons/pkg/nbrun/book/render"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

//go:embed assets
var files embed.FS

func file(name string) string {
	data, _ := files.ReadFile("assets/" + name) // it is embedded
	return string(data)
}

// The script and the style of a page. The script is one module; no other may run.
var (
	script  = assets.Player + file("replay.js")
	style   = assets.Style + file("replay.css")
	allowed = func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}(script)
)

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"script": func() template.HTML { return template.HTML(`<script type="module">` + script + `</script>`) }, // ours
	"style":  func() template.CSS { return template.CSS(style) },
	"mark":   func() template.HTML { return mark },
	"policy": func() string {
		return "default-src 'none'; script-src " + allowed + "; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
	},
}).ParseFS(files, "assets/*.html"))

// Runs are the notebooks, for the index.
func (r *Report) Runs() []*run { return r.runs }

// Verdict says how all went.
func (r *Report) Verdict() string {
	failed, over, all := 0, 0, many(len(r.runs), "notebook")
	for _, run := range r.runs {
		if run.over() {
			over++
			if !run.Passed() {
				failed++
			}
		}
	}
	switch missing := len(r.runs) - over; {
	case failed > 0 && missing > 0:
		return fmt.Sprintf("✘ %d of %s failed, %d not run to the end", failed, all, missing)
	case failed > 0:
		return fmt.Sprintf("✘ %d of %s failed", failed, all)
	case missing > 0:
		return fmt.Sprintf("✘ %d of %s not run to the end", missing, all)
	}
	return "✔ " + all + " passed"
}

func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func (r *run) over() bool { return r.end.Action != "" }

// Passed reports whether the run was completed and all cells passed.
func (r *run) Passed() bool { return r.over() && r.end.Text == "" && len(r.faults) == 0 }

// Written reports whether there is a page.
func (r *run) Written() bool { return r.written }

// Ran is the number of cells that were run.
func (r *run) Ran() string { return many(r.count, "cell") }

// Took is the real time of the run.
func (r *run) Took() string {
	if !r.over() {
		return ""
	}
	return short(r.end.Elapsed)
}

// When is the time at which the run began.
func (r *run) When() string { return r.start.Time.UTC().Format("2006-01-02 15:04:05 UTC") }

// How says how the cells were run.
func (r *run) How() string {
	if r.start.Clock == event.Virtual {
		return r.start.Engine + ", virtual clock"
	}
	return r.start.Engine
}

// Faults are the cells that failed and should not have.
func (r *run) Faults() []*cell { return r.faults }

// First is the first of them, nil if there is none.
func (r *run) First() *cell {
	if len(r.faults) == 0 {
		return nil
	}
	return r.faults[0]
}

// Trouble is what kept the run from completing, and is no cell's fault.
func (r *run) Trouble() string {
	if !r.over() {
		return "not run to the end"
	}
	return r.end.Text
}

// Left says what cells had left running.
func (r *run) Left() string {
	if r.end.Left == 0 {
		return ""
	}
	return report.Left(r.end.Left)
}

// Open says how many exercises are not solved yet.
func (r *run) Open() string { return report.Exercises(r.end.Open) }

// Anchor is the cell's place in the page. Outputs have no such names.
func (c *cell) Anchor() string { return fmt.Sprintf("cell-%d", c.Index+1) }

// Label is the cell's number, if it has one.
func (c *cell) Label() string {
	if c.Number == 0 {
		return "[ ]"
	}
	return fmt.Sprintf("[%d]", c.Number)
}

// State is the class of the cell.
func (c *cell) State() string {
	switch {
	case c.verdict.Action == "":
		return "stopped"
	case c.verdict.Fault != nil && c.verdict.Fault.Expected:
		return "allowed"
	}
	return string(c.verdict.Action)
}

// Verdict is the cell's, in a few words.
func (c *cell) Verdict() string {
	switch state := c.State(); {
	case state == "skip":
		return "not run: " + c.verdict.Text
	case state == "stopped":
		return "✘ has not ended"
	case c.verdict.Open > 0:
		return "✔ exercise open"
	case state == "allowed":
		return "✔ failed, as it may"
	case state == "pass":
		return "✔"
	case c.verdict.Fault.Reason == event.Timeout:
		return "✘ hung"
	case c.verdict.Fault.Reason == event.Unsupported:
		return "✘ refused"
	case c.verdict.Fault.Reason == event.Differs:
		return "✘ differs"
	}
	return "✘ failed"
}

// Time is how long the cell took.
func (c *cell) Time() string {
	if c.verdict.Action != event.Pass && c.verdict.Action != event.Fail {
		return ""
	}
	took := short(c.verdict.Elapsed)
	switch story := time.Duration(c.ended - c.begin); {
	case c.verdict.Clock == event.Virtual && story > time.Millisecond:
		return fmt.Sprintf("%s on the virtual clock, in %s", short(story), took)
	case c.verdict.Clock == event.Real && c.run.start.Clock == event.Virtual:
		return took + " on the real clock"
	}
	return took
}

func short(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// Ran reports whether the cell is part of the replay.
func (c *cell) Ran() bool { return c.verdict.Action != event.Skip }

// Begin and End are its times there, in ns. What has not ended has no End.
func (c *cell) Begin() int64 { return c.begin }

// End is when it ended; see Begin.
func (c *cell) End() int64 {
	if c.verdict.Action == "" {
		return c.run.now
	}
	return c.ended
}

// Code is the source.
func (c *cell) Code() template.HTML { return template.HTML(render.Code(c.Source)) } // escaped

// Fault is what went wrong, in one line.
func (c *cell) Fault() string {
	if c.verdict.Fault == nil {
		return ""
	}
	return report.Line(c.verdict.Fault.Error())
}

// Said reports whether the fault is in the outputs, too.
func (c *cell) Said() bool { return slices.Contains(c.said, c.verdict.Fault.Error()) }

// Differs is where the outputs differ from the stored ones.
func (c *cell) Differs() string {
	if f := c.verdict.Fault; f != nil && f.Reason == event.Differs {
		return report.Plain(strings.Join(f.Traceback, "\n"))
	}
	return ""
}

// Missing says which outputs are not shown.
func (c *cell) Missing() string {
	var missing []string
	if c.verdict.Dropped > 0 {
		missing = append(missing, fmt.Sprintf("%d bytes more than are kept were put out", c.verdict.Dropped))
	}
	if c.lost > 0 {
		missing = append(missing, fmt.Sprintf("%d bytes are not on this page, which would be too large", c.lost))
	}
	return strings.Join(missing, "; ")
}

// Outputs are the cell's outputs as they are shown in the end, and those that were
// shown for a while.
func (c *cell) Outputs() template.HTML {
	var b strings.Builder
	text := false
	var piece *node // that is open
	for _, first := range c.nodes {
		for n := first; n != nil; n = n.next {
			if piece != nil && (!n.stream || n.at != piece.at || n.until != forever || piece.until != forever) {
				b.WriteString("</span>")
				piece = nil
			}
			if n.stream != text {
				b.WriteString(map[bool]string{true: `<pre class="text" tabindex="0">`, false: "</pre>"}[n.stream])
				text = n.stream
			}
			if piece == nil {
				b.WriteString(map[bool]string{true: "<span", false: "<div"}[n.stream] + n.times() + ">")
			}
			b.WriteString(n.html)
			if piece = n; !n.stream {
				b.WriteString("</div>")
				piece = nil
			}
		}
	}
	if piece != nil {
		b.WriteString("</span>")
	}
	if text {
		b.WriteString("</pre>")
	}
	return template.HTML(b.String()) // made by render
}

// times are a node's attributes for the replay.
func (n *node) times() string {
	if n.until == forever {
		return fmt.Sprintf(` data-at="%d"`, n.at)
	}
	return fmt.Sprintf(` data-at="%d" data-until="%d" class="gone"`, n.at, n.until)
}
