package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/report"
)

// progress shows what takes long: in a terminal in a line that is redrawn, elsewhere in
// lines, for the same step one every few seconds.
type progress struct {
	out   io.Writer
	live  bool
	step  string // what was shown last, without its count
	shown time.Time
}

const every = 5 * time.Second

// tell shows a step, and after a colon how far it is; "" says that it is over.
func (p *progress) tell(text string) {
	text = report.Line(text)
	step, _, _ := strings.Cut(text, ":")
	switch {
	case p.live && text == "":
		fmt.Fprint(p.out, "\r\x1b[K")
	case p.live:
		fmt.Fprintf(p.out, "\r\x1b[Kbook: %s", text)
	case text != "" && (step != p.step || time.Since(p.shown) >= every):
		fmt.Fprintf(p.out, "book: %s\n", text)
		p.step, p.shown = step, time.Now()
	}
}
