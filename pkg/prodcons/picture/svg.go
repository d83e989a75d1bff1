package picture

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"
)

// drawing is what a picture is drawn from, in either format: lines and areas, and
// above them words.
type drawing struct {
	shapes []shape
	words  []words
	panels []panel
	height float64
}

// point is a place in the picture in CSS pixels, from the left and from the top.
type point struct{ x, y float64 }

// shape is a line or an area; it has no outline if its stroke has no colour.
type shape struct {
	points       []point
	closed       bool
	fill, stroke color.NRGBA
	width        float64 // of the line
	dashed       bool
}

// dash and gap are how long the parts of a dashed line are.
const dash, gap = 6, 4

// words are a text whose start, middle or end is at a point, and whose letters are
// as far above as below it.
type words struct {
	at     point
	anchor anchor
	colour color.NRGBA
	text   string
}

type anchor string

const (
	start  anchor = "start"
	middle anchor = "middle"
	end    anchor = "end"
)

// baseline is how far below the middle of letters the line is that they stand on.
const baseline = letters * .35

// textWidth is how wide a text may become: fonts differ.
func textWidth(text string) float64 { return letters * .54 * float64(len([]rune(text))) }

func (d *drawing) line(c color.NRGBA, width float64, points ...point) {
	d.shapes = append(d.shapes, shape{points: points, stroke: c, width: width})
}

func (d *drawing) area(c color.NRGBA, points ...point) {
	d.shapes = append(d.shapes, shape{points: points, closed: true, fill: c})
}

func (d *drawing) text(at point, a anchor, c color.NRGBA, text string) {
	d.words = append(d.words, words{at, a, c, text})
}

// open is the tag that the SVG begins with.
func (d *drawing) open() string {
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%[2]g\" viewBox=\"0 0 %[1]d %[2]g\">\n", Width, d.height)
}

// body is what is in it.
func (d *drawing) body() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<g fill=\"none\" font-family=\"Liberation Sans,Arial,Helvetica,sans-serif\" font-size=\"%d\">\n", letters)
	for _, s := range d.shapes {
		b.WriteString(`<path d="`)
		for i, p := range s.points {
			fmt.Fprintf(&b, "%c%.4g,%.4g", "ML"[min(i, 1)], p.x, p.y)
		}
		if s.closed {
			b.WriteByte('Z')
		}
		b.WriteByte('"')
		paint(&b, "fill", s.fill)
		if paint(&b, "stroke", s.stroke) && s.width != 1 {
			fmt.Fprintf(&b, ` stroke-width="%g"`, s.width)
		}
		if s.dashed {
			fmt.Fprintf(&b, ` stroke-dasharray="%d,%d"`, dash, gap)
		}
		b.WriteString("/>\n")
	}
	for _, w := range d.words {
		fmt.Fprintf(&b, `<text x="%.4g" y="%.4g"`, w.at.x, w.at.y+baseline)
		if w.anchor != start {
			fmt.Fprintf(&b, ` text-anchor="%s"`, w.anchor)
		}
		if wide := textWidth(w.text); wide > Width {
			fmt.Fprintf(&b, ` textLength="%d" lengthAdjust="spacingAndGlyphs"`, Width-8)
		}
		paint(&b, "fill", w.colour)
		fmt.Fprintf(&b, ">%s</text>\n", escaped(w.text))
	}
	b.WriteString("</g>\n")
	return b.Bytes()
}

var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escaped is a text as it stands in XML, without what can't be there.
func escaped(text string) string {
	return markup.Replace(strings.Map(func(r rune) rune {
		if r < ' ' || r == '\uFFFE' || r == '\uFFFF' {
			return '\uFFFD'
		}
		return r
	}, text))
}

// paint writes the attribute of a colour, if there is one.
func paint(b *bytes.Buffer, attribute string, c color.NRGBA) bool {
	if c.A == 0 {
		return false
	}
	fmt.Fprintf(b, ` %s="#%02x%02x%02x"`, attribute, c.R, c.G, c.B)
	if c.A < 255 {
		fmt.Fprintf(b, ` %s-opacity="%.2g"`, attribute, float64(c.A)/255)
	}
	return true
}
