package picture

import (
	"fmt"
	"image/color"
	"math"
)

// Sizes in CSS pixels.
const (
	Width   = 768 // of the picture
	letters = 22  // the height of a line of text
	laneH   = 46  // a producer or consumer
	queueH  = 82  // the panel of the queue's length
	lineH   = 30  // a line of text with what is around it
	bar     = 8   // half the height of a mark
	right   = Width - 8
)

var (
	ink    = color.NRGBA{0x79, 0x79, 0x79, 0xff} // as far from white as from black
	grid   = color.NRGBA{0x80, 0x80, 0x80, 0x60}
	yellow = color.NRGBA{0xe6, 0xa8, 0x00, 0xff} // light: seen as lighter than cyan in grey, too
	edge   = color.NRGBA{0x7a, 0x56, 0x00, 0xff}
	rim    = color.NRGBA{0x00, 0x4d, 0x5a, 0xff}
	cyan   = color.NRGBA{0x00, 0x8b, 0xa3, 0xff} // dark
	wait   = color.NRGBA{0x88, 0x88, 0x99, 0xff}
	filled = color.NRGBA{0x88, 0x88, 0x99, 0x60}
	red    = color.NRGBA{0xe0, 0x3c, 0x31, 0xff}
)

// draw lays the picture out from top to bottom: the title, the lanes, the length of
// the queue if there ever is one, the time axis, and the legend.
func (v *view) draw() *drawing {
	d := &drawing{}
	d.text(point{Width / 2, lineH/2 + 3}, middle, ink,
		fmt.Sprintf("%s: total %.1f s, mean wait %.2f s", v.name, v.stats.Total.Seconds(), v.stats.Latency.Mean.Seconds()))
	left := 14 + max(textWidth(label("producer", v.producers-1, v.producers)), textWidth(label("consumer", v.consumers-1, v.consumers)))
	lanes := panel{left, right, lineH + 8, lineH + 8 + laneH*float64(v.producers+v.consumers), v.end}
	v.lanes(d, lanes)
	d.panels = append(d.panels, lanes)
	lowest := lanes
	if v.longest > 1 {
		d.text(point{left, lanes.bottom + lineH/2 + 4}, start, ink, "in queue")
		lowest.top = lanes.bottom + lineH + 4
		lowest.bottom = lowest.top + queueH
		v.queue(d, lowest)
		d.panels = append(d.panels, lowest)
	}
	for _, t := range seconds(v.end) {
		d.text(point{lowest.x(t), lowest.bottom + lineH/2 + 6}, middle, ink, fmt.Sprintf("%g", t))
	}
	d.text(point{(left + right) / 2, lowest.bottom + lineH*3/2 + 2}, middle, ink, "seconds")
	d.height = lowest.bottom + 3*lineH + 14
	v.legend(d, lowest.bottom+lineH*5/2+8)
	return d
}

// panel is a part of the picture in which time goes to the right.
type panel struct {
	left, right, top, bottom float64
	seconds                  float64 // from left to right
}

func (p panel) x(t float64) float64 { return p.left + t/p.seconds*(p.right-p.left) }

// frame draws the panel's axis, and lines where the seconds are that stand below it.
func (p panel) frame(d *drawing) {
	for _, t := range seconds(p.seconds) {
		d.line(grid, 1, point{p.x(t), p.top}, point{p.x(t), p.bottom + 5})
	}
	d.line(ink, 1, point{p.left, p.bottom}, point{p.right, p.bottom})
}

// seconds are those that are named on an axis of a length.
func seconds(end float64) (list []float64) {
	step := 5.0
	for end/step > 9 {
		step *= 2
	}
	for t := 0.0; t <= end; t += step {
		list = append(list, t)
	}
	return list
}

func label(kind string, i, n int) string {
	if n == 1 {
		return kind
	}
	return fmt.Sprintf("%s %d", kind, i+1)
}

// lanes draws producers above, consumers below, and what they do.
func (v *view) lanes(d *drawing, p panel) {
	p.frame(d)
	lane := func(i int) float64 { return p.top + (float64(i)+.5)*laneH }
	producer := func(n int) float64 { return lane(n - 1) }
	consumer := func(n int) float64 { return lane(v.producers + n - 1) }
	name := func(y float64, what string) {
		d.line(grid, 1, point{p.left, y}, point{p.right, y})
		d.text(point{p.left - 9, y}, end, ink, what)
	}
	for n := range v.producers {
		name(producer(n+1), label("producer", n, v.producers))
	}
	for n := range v.consumers {
		name(consumer(n+1), label("consumer", n, v.consumers))
	}
	v.times(d, p, (producer(v.producers)+consumer(1))/2)
	for _, s := range v.items {
		if !math.IsNaN(s.picked) {
			d.line(wait, 1.2, point{p.x(s.made), producer(s.producer)}, point{p.x(s.picked), consumer(s.consumer) - bar})
		}
	}
	for _, s := range v.items {
		if math.IsNaN(s.picked) {
			continue
		}
		done := s.done
		if math.IsNaN(done) {
			done = s.picked
		}
		from := p.x(s.picked)
		d.atWork(from, max(p.x(done), from+1), consumer(s.consumer))
	}
	for _, s := range v.items {
		if s.isDropped() {
			d.cross(point{p.x(s.dropped), producer(s.producer) + 2*bar})
		}
		d.made(point{p.x(s.made), producer(s.producer)}, s.isLeft())
	}
}

// times draws the end of the run and what else was noted; its words are at a height.
func (v *view) times(d *drawing, p panel, y float64) {
	total := p.x(v.stats.Total.Seconds())
	for _, m := range v.marks {
		at := p.x(m.at)
		d.shapes = append(d.shapes, shape{points: []point{{at, p.top}, {at, p.bottom}}, stroke: red, width: 2, dashed: true})
		if at < total && total < at+12 { // it would go through the word
			at = total
		}
		if at+5+textWidth(m.what) <= Width {
			d.text(point{at + 5, y}, start, red, m.what)
		} else {
			d.text(point{p.x(m.at) - 5, y}, end, red, m.what)
		}
	}
	if v.stats.Total > 0 {
		d.line(ink, 1.5, point{total, p.top}, point{total, p.bottom})
	}
}

// queue draws how many items wait, as an area.
func (v *view) queue(d *drawing, p panel) {
	p.frame(d)
	step := max(1, (v.longest+1)/2)
	y := func(n float64) float64 { return p.bottom - n/float64(2*step)*(p.bottom-p.top) }
	for n := 0; n <= 2*step; n += step {
		d.line(grid, 1, point{p.left - 5, y(float64(n))}, point{p.left, y(float64(n))})
		d.text(point{p.left - 9, y(float64(n))}, end, ink, fmt.Sprint(n))
	}
	line := []point{{p.x(0), y(0)}}
	last := 0.0
	for _, s := range v.steps {
		line = append(line, point{p.x(s[0]), y(last)}, point{p.x(s[0]), y(s[1])})
		last = s[1]
	}
	end := p.x(min(v.stats.Total.Seconds(), v.end))
	line = append(line, point{end, y(last)})
	d.area(filled, append(line[:len(line):len(line)], point{end, y(0)})...)
	d.line(wait, 1.5, line...)
}

// legend says what the marks mean that are in the picture.
func (v *view) legend(d *drawing, y float64) {
	x := 4.0
	entry := func(text string, mark func(at point)) {
		mark(point{x + 14, y})
		d.text(point{x + 34, y}, start, ink, text)
		x += 34 + textWidth(text) + 22
	}
	entry("made", func(at point) { d.made(at, false) })
	entry("waiting", func(at point) { d.line(wait, 1.5, point{at.x - 14, y - bar}, point{at.x + 14, y + bar}) })
	entry("at work", func(at point) { d.atWork(at.x-13, at.x+13, y) })
	if v.count(span.isDropped) > 0 {
		entry("dropped", d.cross)
	}
	if v.count(span.isLeft) > 0 {
		entry("left", func(at point) { d.made(at, true) })
	}
	entry("end", func(at point) { d.line(ink, 1.5, point{at.x, y - 11}, point{at.x, y + 11}) })
}

// made draws the mark of an item that was made: hollow if it was left.
func (d *drawing) made(at point, left bool) {
	mark := shape{
		points: []point{{at.x, at.y + bar}, {at.x + 4.5, at.y - bar}, {at.x - 4.5, at.y - bar}},
		closed: true, fill: yellow, stroke: edge, width: 1,
	}
	if left {
		mark.fill, mark.stroke, mark.width = color.NRGBA{}, yellow, 2
	}
	d.shapes = append(d.shapes, mark)
}

// atWork draws a consumer's time with an item.
func (d *drawing) atWork(from, to, y float64) {
	d.shapes = append(d.shapes, shape{
		points: []point{{from, y - bar}, {to, y - bar}, {to, y + bar}, {from, y + bar}},
		closed: true, fill: cyan, stroke: rim, width: 1,
	})
}

// cross draws the mark of an item that was dropped.
func (d *drawing) cross(at point) {
	d.line(red, 2.5, point{at.x - 5, at.y - 5}, point{at.x + 5, at.y + 5})
	d.line(red, 2.5, point{at.x - 5, at.y + 5}, point{at.x + 5, at.y - 5})
}
