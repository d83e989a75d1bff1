package picture

import (
	"fmt"
	"strings"

	"github.com/b3771e63/prodcons/pkg/internal/display"
	"github.com/b3771e63/prodcons/pkg/prodcons"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Show draws the runs and displays each as one output of the notebook's cell,
// with SVG, PNG and the sentence in it, so that every front end finds what it
// can show, and prints what one sees below it, as the caption. It returns when the
// kernel has them. Outside a notebook it prints the captions only. It panics with an error
// if a run can't be drawn or sent.
func Show(runs ...*prodcons.Record) {
	show(runs, func(p Picture) []byte { return p.SVG })
}

func show(runs []*prodcons.Record, svg func(Picture) []byte) {
	for _, run := range runs {
		p, err := Draw(run)
		check(err)
		if !display.InNotebook() {
			_, _ = fmt.Fprintln(display.Lines(), p.Sentence)
			continue
		}
		d := protocol.DisplayData{Data: map[protocol.MIMEType]any{
			protocol.MIMEImageSVG:  string(svg(p)),
			protocol.MIMETextPlain: first(p.Sentence),
		}}
		if p.PNG != nil {
			d.Data[protocol.MIMEImagePNG] = p.PNG
			d.Metadata = map[string]any{string(protocol.MIMEImagePNG): map[string]any{"width": Width}}
		}
		check(display.Send(&d))
		// A line each: JupyterLab breaks lines that are too long in the middle of a word.
		_, _ = fmt.Fprintln(display.Lines(), strings.ReplaceAll(p.Sentence, ". ", ".\n"))
	}
}

// first is the first sentence of a text: the others stand below the picture.
func first(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}

func check(err error) {
	if err != nil {
		panic(fmt.Errorf("the picture could not be shown: %w", err))
	}
}
