// Package picture draws a run: time goes to the right, each producer has a lane
// with a yellow mark where it makes an item, each consumer a lane with a cyan bar
// while it works on one, and a thin line leads from each item's creation to its
// pick-up. Long, flat lines are waiting. A cross is an item that was dropped, a
// hollow mark one that was left, and a dashed line something else that was noted,
// such as a deadline.
//
// The background is transparent: everything can be seen on a white page and on a black
// one, and the letters can be read even where the picture is only 368 pixels wide.
package picture

import (
	"fmt"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Picture is a drawing of a run in two formats, and in words.
type Picture struct {
	SVG      []byte
	PNG      []byte // at two pixels a point, for sharp screens; nil on GOOS=js, as browsers show the SVG
	Sentence string // what there is to see, to be read aloud

	*drawing
	seconds float64 // that pass in a panel
}

// Draw draws the run. The time axis is at least 32 s long and grows with the
// run. Where two or more items lie in the queue at once, a second panel shows
// how many.
func Draw(run *prodcons.Record) (Picture, error) {
	v := newView(run)
	p := Picture{Sentence: v.sentence(), drawing: v.draw(), seconds: v.end}
	p.SVG = fmt.Appendf(nil, "%s%s</svg>\n", p.open(), p.body())
	var err error
	if p.PNG, err = p.png(); err != nil {
		return p, fmt.Errorf("draw run %q as PNG: %w", run.Name(), err)
	}
	return p, nil
}
