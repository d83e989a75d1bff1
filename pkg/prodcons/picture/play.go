package picture

import (
	"bytes"
	"fmt"
	"hash/fnv"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// Play is Show with SVGs that play the run once: time passes, four seconds of the run
// in a real one, and what has not happened yet is not seen. Where the picture is part
// of a page, a click plays it again; elsewhere it plays when it is loaded. Readers who
// have asked their system for less motion, who print, or whose program does not animate
// see the picture as Show draws it.
func Play(runs ...*prodcons.Record) { show(runs, Picture.playing) }

// playPace is how many seconds of a run pass in a second of its replay.
const playPace = 4

// playing is the SVG of a picture that plays.
func (p Picture) playing() []byte {
	hash := fnv.New32a()
	_, _ = hash.Write(p.SVG)
	id := fmt.Sprintf("run%08x", hash.Sum32()) // of its own, where several stand in a page

	var b bytes.Buffer
	b.WriteString(p.open())
	// What covers the future moves to the right, as does the line of the present. As
	// long as nothing is animated, the cover is out of the way.
	width := p.panels[0].right - p.panels[0].left
	move := fmt.Sprintf("from{transform:none;opacity:1}to{transform:translateX(%.5gpx);opacity:1}", width)
	fmt.Fprintf(&b, `<style>@keyframes %[1]s{%[2]s}@media screen and (prefers-reduced-motion:no-preference){.%[1]s{animation:%[1]s %.3[3]gs linear}#%[1]s:active .%[1]s{animation:none}}</style>
<mask id="%[1]s-seen" maskUnits="userSpaceOnUse" x="0" y="0" width="100%%" height="100%%"><rect width="100%%" height="100%%" fill="#fff"/>`,
		id, move, p.seconds/playPace)
	const mark = 5 // half of what an item's mark is wide
	var line string
	for _, part := range p.panels {
		x, y, w, h := part.left, part.top, width, part.bottom-part.top
		fmt.Fprintf(&b, `<rect class="%s" x="%.5g" y="%.5g" width="%.5g" height="%.5g" transform="translate(9999)"/>`, id, x+mark, y-1, w+mark, h+1) // half of a line may lie on the edge
		line += fmt.Sprintf("M%.5g,%.5gv%.5g", x, y, h)
	}
	fmt.Fprintf(&b, "</mask>\n<g id=\"%[1]s\"><rect width=\"100%%\" height=\"100%%\" fill=\"none\" pointer-events=\"all\"/><g mask=\"url(#%[1]s-seen)\">\n", id)
	b.Write(p.body())
	fmt.Fprintf(&b, "</g><path class=\"%s\" d=\"%s\" stroke=\"#797979\" opacity=\"0\"/></g>\n", id, line)
	b.WriteString("</svg>\n")
	return b.Bytes()
}
