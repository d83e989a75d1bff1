// Package picture draws a run: time goes to the right, each producer has a lane
// with a yellow mark where it makes an item, each consumer a lane with a cyan bar
// while it works on one, and a thin line leads from each item's creation to its
// pick-up. Long, flat lines are waiting. A cross is an item that was dropped, a
// hollow mark one that was left, and a dashed line something else that was noted,
// such as a deadline.
//
// The ground is transparent: all is seen on a white page and on a black one, and
// letters can be read where the picture is only 368 pixels wide.
package picture

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/b3771e63/prodcons/pkg/prodcons"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Picture is a drawing of a run in two formats, and in words.
type Picture struct {
	SVG      []byte
	PNG      []byte // at two pixels a point, for sharp screens
	Sentence string // what one sees, to be read aloud

	panels  []vg.Rectangle // where time goes to the right
	height  vg.Length
	seconds float64 // that pass in a panel
}

// Size of the picture in CSS pixels.
const (
	Width   = 768
	frameH  = 130 // title, legend and axis
	laneH   = 46  // a producer or consumer
	queueH  = 150 // more, when the queue is drawn below
	letters = 22
)

// px is a length in CSS pixels: 96 of them are 72 points.
func px(n float64) vg.Length { return vg.Points(n * .75) }

// minimum length of the time axis, so that pictures side by side share one.
const axis = 32 * time.Second

var (
	ink    = color.Gray{0x79} // as far from white as from black
	grid   = color.RGBA{0x30, 0x30, 0x30, 0x60}
	yellow = color.RGBA{0xe6, 0xa8, 0x00, 0xff} // light: seen as lighter than cyan in grey, too
	edge   = color.RGBA{0x7a, 0x56, 0x00, 0xff}
	rim    = color.RGBA{0x00, 0x4d, 0x5a, 0xff}
	cyan   = color.RGBA{0x00, 0x8b, 0xa3, 0xff} // dark
	wait   = color.RGBA{0x88, 0x88, 0x99, 0xff}
	red    = color.RGBA{0xe0, 0x3c, 0x31, 0xff}
)

// Draw draws the run. The time axis is at least 32 s long and grows with the
// run. Where two or more items lie in the queue at once, a second panel shows
// how many.
func Draw(run *prodcons.Record) (Picture, error) {
	v := newView(run)
	lanes := v.lanes()
	rows := [][]*plot.Plot{{lanes}}
	w, h := px(Width), px(frameH+laneH*float64(v.producers+v.consumers))
	if v.longest > 1 {
		rows = append(rows, []*plot.Plot{v.queue()})
		h += px(queueH)
	} else {
		lanes.X.Label.Text = "seconds"
	}
	pic := Picture{height: h, seconds: v.end}
	svg := vgsvg.New(w, h)
	pic.panels = v.draw(rows, draw.New(svg))
	var b bytes.Buffer
	if _, err := svg.WriteTo(&b); err != nil {
		return pic, fmt.Errorf("draw run %q as SVG: %w", run.Name(), err)
	}
	pic.SVG = append([]byte(nil), b.Bytes()...)
	png := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(2*96), vgimg.UseBackgroundColor(color.Transparent))
	v.draw(rows, draw.New(png))
	b.Reset()
	if _, err := (vgimg.PngCanvas{Canvas: png}).WriteTo(&b); err != nil {
		return pic, fmt.Errorf("draw run %q as PNG: %w", run.Name(), err)
	}
	pic.PNG = b.Bytes()
	pic.Sentence = v.sentence()
	return pic, nil
}

// draw draws the rows of plots and returns where in them time goes to the right.
func (v *view) draw(rows [][]*plot.Plot, c draw.Canvas) (panels []vg.Rectangle) {
	c = draw.Crop(c, px(4), -px(14), px(4), -px(6))
	v.legend(draw.Crop(c, 0, 0, 0, -(c.Max.Y - c.Min.Y - px(legendH))))
	c = draw.Crop(c, 0, 0, px(legendH), 0)
	if len(rows) == 1 {
		rows[0][0].Draw(c)
		return append(panels, rows[0][0].DataCanvas(c).Rectangle)
	}
	// plot.Align gives every row the same height; the queue needs less.
	lower := px(queueH)
	top := draw.Crop(c, 0, 0, lower, 0)
	bottom := draw.Crop(c, 0, 0, 0, -(c.Max.Y - c.Min.Y - lower + vg.Points(4)))
	left := max(rows[0][0].DataCanvas(top).Min.X, rows[1][0].DataCanvas(bottom).Min.X)
	for i, part := range []draw.Canvas{top, bottom} {
		p := rows[i][0]
		part = draw.Crop(part, left-p.DataCanvas(part).Min.X, 0, 0, 0)
		p.Draw(part)
		panels = append(panels, p.DataCanvas(part).Rectangle)
	}
	return panels
}

// span is an item's way through the run. A time of NaN is one that has not come.
type span struct {
	producer, consumer int
	made, picked, done float64
	dropped            float64
}

// mark is something that happened at a time and is no item's.
type mark struct {
	at   float64
	what string
}

// view is a run as it is drawn.
type view struct {
	name      string
	stats     prodcons.Stats
	items     []span
	marks     []mark
	producers int
	consumers int
	end       float64
	steps     [][2]float64 // queue length from a time on
	longest   int          // the longest queue
}

func newView(run *prodcons.Record) *view {
	v := &view{name: run.Name(), stats: run.Stats(), producers: 1, consumers: 1}
	type step struct {
		at     float64
		change int
	}
	var steps []step
	at := map[[2]int]int{}
	begin := func(e prodcons.Event, made time.Duration) int {
		i := len(v.items)
		at[[2]int{e.Producer, e.Number}] = i
		v.items = append(v.items, span{e.Producer, 0, made.Seconds(), math.NaN(), math.NaN(), math.NaN()})
		steps = append(steps, step{made.Seconds(), 1})
		return i
	}
	for _, e := range run.Events() {
		t := e.At.Seconds()
		v.producers, v.consumers = max(v.producers, e.Producer), max(v.consumers, e.Consumer)
		i, known := at[[2]int{e.Producer, e.Number}]
		switch e.Kind {
		case prodcons.ItemMade:
			begin(e, e.At)
		case prodcons.ItemPickedUp:
			if !known { // the record has forgotten how it was made
				i = begin(e, max(e.At-e.Latency, 0))
			}
			v.items[i].consumer, v.items[i].picked = e.Consumer, t
			steps = append(steps, step{t, -1})
		case prodcons.ItemDropped:
			if known {
				v.items[i].dropped = t
				steps = append(steps, step{t, -1})
			}
		case prodcons.ItemUsed, prodcons.ItemFailed:
			if known {
				v.items[i].done = t
			}
		case prodcons.ItemLeft:
			if known && e.Consumer > 0 { // given back: it waits once more
				v.items[i].done = t
				steps = append(steps, step{t, 1})
				at[[2]int{e.Producer, e.Number}] = len(v.items)
				v.items = append(v.items, span{e.Producer, 0, v.items[i].made, math.NaN(), math.NaN(), math.NaN()})
			}
		default:
			v.marks = append(v.marks, mark{t, string(e.Kind)})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	length := 0
	for _, s := range steps {
		length += s.change
		v.steps = append(v.steps, [2]float64{s.at, float64(length)})
		v.longest = max(v.longest, length)
	}
	total := max(v.stats.Total, time.Second)
	v.end = max(axis.Seconds(), math.Ceil(total.Seconds()*1.02))
	return v
}

func (v *view) sentence() string {
	s := v.stats
	text := fmt.Sprintf("Picture of the run %q: %s %s %s in %.1f s.", v.name,
		count(v.consumers, "consumer"), map[bool]string{true: "uses", false: "use"}[v.consumers == 1],
		fmt.Sprintf("%s of %s", count(s.Count, "item"), count(v.producers, "producer")), s.Total.Seconds())
	if s.Count > 0 {
		text += fmt.Sprintf(" An item waits %.2f s for its pick-up on average, at least %.2f s and at most %.2f s.",
			s.Latency.Mean.Seconds(), s.Latency.Min.Seconds(), s.Latency.Max.Seconds())
	}
	if v.longest > 1 {
		text += fmt.Sprintf(" Up to %d items lie in the queue.", v.longest)
	}
	if n := v.count(span.isDropped); n > 0 {
		text += fmt.Sprintf(" %s dropped.", were(n))
	}
	if n := v.count(span.isLeft); n > 0 {
		text += fmt.Sprintf(" %s left.", were(n))
	}
	for _, m := range v.marks {
		text += fmt.Sprintf(" After %.2f s: %s.", m.at, m.what)
	}
	return text
}

func (s span) isDropped() bool { return !math.IsNaN(s.dropped) }
func (s span) isLeft() bool    { return math.IsNaN(s.picked) && math.IsNaN(s.dropped) }

func (v *view) count(is func(span) bool) (n int) {
	for _, s := range v.items {
		if is(s) {
			n++
		}
	}
	return n
}

func were(n int) string {
	if n == 1 {
		return "1 item was"
	}
	return fmt.Sprintf("%d items were", n)
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func (v *view) frame() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // none
	for _, f := range []*font.Font{&p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Title.TextStyle.Font} {
		f.Variant, f.Size = "Sans", px(letters)
	}
	p.Title.TextStyle.Font.Weight = 2 // bold
	p.Title.Padding = vg.Points(4)
	p.X.Min, p.X.Max = 0, v.end
	p.X.Tick.Marker = plot.TickerFunc(secondsTicks)
	p.X.Padding, p.Y.Padding = 0, 0
	for _, c := range []*color.Color{&p.X.Label.TextStyle.Color, &p.Y.Label.TextStyle.Color, &p.X.Tick.Label.Color, &p.Y.Tick.Label.Color, &p.Title.TextStyle.Color, &p.X.Color, &p.Y.Color} {
		*c = ink
	}
	return p
}

func secondsTicks(_, hi float64) []plot.Tick {
	step := 5.0
	for hi/step > 9 {
		step *= 2
	}
	var ticks []plot.Tick
	for t := 0.0; t <= hi; t += step {
		ticks = append(ticks, plot.Tick{Value: t, Label: fmt.Sprintf("%g", t)})
	}
	return ticks
}

// lanes is the main panel: producers above, consumers below.
func (v *view) lanes() *plot.Plot {
	p := v.frame()
	p.Title.Text = fmt.Sprintf("%s: total %.1f s, mean wait %.2f s", v.name, v.stats.Total.Seconds(), v.stats.Latency.Mean.Seconds())
	n := v.producers + v.consumers
	p.Y.Min, p.Y.Max = 0.4, float64(n)+.6
	var ticks []plot.Tick
	for i := range v.producers {
		ticks = append(ticks, plot.Tick{Value: float64(n - i), Label: label("producer", i, v.producers)})
	}
	for i := range v.consumers {
		ticks = append(ticks, plot.Tick{Value: float64(v.consumers - i), Label: label("consumer", i, v.consumers)})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length, p.Y.LineStyle.Width = 0, 0
	p.Add(lanes{v})
	return p
}

func label(kind string, i, n int) string {
	if n == 1 {
		return kind
	}
	return fmt.Sprintf("%s %d", kind, i+1)
}

// lanes draws the marks, bars and waits.
type lanes struct{ *view }

func (l lanes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	producer := func(n int) vg.Length { return y(float64(l.consumers + l.producers - n + 1)) }
	consumer := func(n int) vg.Length { return y(float64(l.consumers - n + 1)) }
	bar := (y(1) - y(0)) * .17
	bar = min(max(bar, px(5)), px(13))

	gridStyle := draw.LineStyle{Color: grid, Width: vg.Points(.7)}
	for _, t := range secondsTicks(0, l.end) {
		c.StrokeLine2(gridStyle, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
	}
	for n := 1; n <= l.producers; n++ {
		c.StrokeLine2(gridStyle, x(0), producer(n), x(l.end), producer(n))
	}
	for n := 1; n <= l.consumers; n++ {
		c.StrokeLine2(gridStyle, x(0), consumer(n), x(l.end), consumer(n))
	}
	end := x(l.stats.Total.Seconds())
	for _, m := range l.marks {
		at := x(m.at)
		c.StrokeLine2(draw.LineStyle{Color: red, Width: px(2), Dashes: []vg.Length{px(6), px(4)}}, at, c.Min.Y, at, c.Max.Y)
		if at < end && end < at+px(12) { // it would go through the word
			at = end
		}
		c.FillText(words(red, draw.XLeft), vg.Point{X: at + px(5), Y: consumer(1) + (producer(1)-consumer(1))/2}, m.what)
	}
	if l.stats.Total > 0 {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: px(1.5)}, end, c.Min.Y, end, c.Max.Y)
	}
	waits := draw.LineStyle{Color: wait, Width: px(1.2)}
	for _, s := range l.items {
		if !math.IsNaN(s.picked) {
			c.StrokeLine2(waits, x(s.made), producer(s.producer), x(s.picked), consumer(s.consumer)+bar)
		}
	}
	for _, s := range l.items {
		if math.IsNaN(s.picked) {
			continue
		}
		done := s.done
		if math.IsNaN(done) {
			done = s.picked
		}
		left, right := x(s.picked), max(x(done), x(s.picked)+vg.Points(1))
		at := consumer(s.consumer)
		box := []vg.Point{{X: left, Y: at - bar}, {X: right, Y: at - bar}, {X: right, Y: at + bar}, {X: left, Y: at + bar}}
		c.FillPolygon(cyan, box)
		c.StrokeLines(draw.LineStyle{Color: rim, Width: px(1)}, append(box, box[0]))
	}
	for _, s := range l.items {
		at := producer(s.producer)
		if s.isDropped() {
			cross(c, vg.Point{X: x(s.dropped), Y: at - 2*bar})
		}
		made(c, vg.Point{X: x(s.made), Y: at}, bar, s.isLeft())
	}
}

// queue is the lower panel: how many items wait.
func (v *view) queue() *plot.Plot {
	p := v.frame()
	p.X.Label.Text = "seconds"
	step := max(1, (v.longest+1)/2)
	p.Y.Min, p.Y.Max = 0, max(float64(v.longest)*1.1, float64(2*step))
	var ticks []plot.Tick
	for n := 0; n <= 2*step; n += step {
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: fmt.Sprint(n)})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Label.Text = "in queue"
	p.Add(steps{v})
	return p
}

// steps draws the length of the queue as an area.
type steps struct{ *view }

func (s steps) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	sort.SliceStable(s.steps, func(i, j int) bool { return s.steps[i][0] < s.steps[j][0] })
	area := []vg.Point{{X: x(0), Y: y(0)}}
	last := 0.0
	for _, st := range s.view.steps {
		area = append(area, vg.Point{X: x(st[0]), Y: y(last)}, vg.Point{X: x(st[0]), Y: y(st[1])})
		last = st[1]
	}
	end := min(s.stats.Total.Seconds(), s.end)
	area = append(area, vg.Point{X: x(end), Y: y(last)})
	c.FillPolygon(color.RGBA{0x33, 0x33, 0x39, 0x60}, append(area, vg.Point{X: x(end), Y: y(0)}))
	c.StrokeLines(draw.LineStyle{Color: wait, Width: px(1.5)}, area)
}
