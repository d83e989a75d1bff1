package picture

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const legendH = 32

// words is how letters look that stand by themselves.
func words(c color.Color, align draw.XAlignment) draw.TextStyle {
	return draw.TextStyle{
		Color:   c,
		Font:    font.From(font.Font{Typeface: plot.DefaultFont.Typeface, Variant: "Sans"}, px(letters)),
		XAlign:  align,
		YAlign:  draw.YCenter,
		Handler: plot.DefaultTextHandler,
	}
}

// made draws the mark of an item that was made: hollow if it was left.
func made(c draw.Canvas, at vg.Point, size vg.Length, left bool) {
	tick := []vg.Point{{X: at.X, Y: at.Y - size}, {X: at.X + px(4.5), Y: at.Y + size}, {X: at.X - px(4.5), Y: at.Y + size}}
	if !left {
		c.FillPolygon(yellow, tick)
	}
	look := draw.LineStyle{Color: edge, Width: px(1)}
	if left {
		look = draw.LineStyle{Color: yellow, Width: px(2)}
	}
	c.StrokeLines(look, append(tick, tick[0]))
}

// cross draws the mark of an item that was dropped.
func cross(c draw.Canvas, at vg.Point) {
	look, arm := draw.LineStyle{Color: red, Width: px(2.5)}, px(5)
	c.StrokeLine2(look, at.X-arm, at.Y-arm, at.X+arm, at.Y+arm)
	c.StrokeLine2(look, at.X-arm, at.Y+arm, at.X+arm, at.Y-arm)
}

// legend says what the marks mean that are in the picture.
func (v *view) legend(c draw.Canvas) {
	y := (c.Min.Y + c.Max.Y) / 2
	x := c.Min.X + px(4)
	look := words(ink, draw.XLeft)
	entry := func(text string, mark func(x vg.Length)) {
		mark(x + px(14))
		c.FillText(look, vg.Point{X: x + px(34), Y: y}, text)
		x += px(34) + look.Width(text) + px(22)
	}
	entry("made", func(x vg.Length) { made(c, vg.Point{X: x, Y: y}, px(9), false) })
	entry("waiting", func(x vg.Length) {
		c.StrokeLine2(draw.LineStyle{Color: wait, Width: px(1.5)}, x-px(14), y+px(8), x+px(14), y-px(8))
	})
	entry("at work", func(x vg.Length) {
		w, h := px(13), px(8)
		c.FillPolygon(cyan, []vg.Point{{X: x - w, Y: y - h}, {X: x + w, Y: y - h}, {X: x + w, Y: y + h}, {X: x - w, Y: y + h}})
	})
	if v.count(span.isDropped) > 0 {
		entry("dropped", func(x vg.Length) { cross(c, vg.Point{X: x, Y: y}) })
	}
	if v.count(span.isLeft) > 0 {
		entry("left", func(x vg.Length) { made(c, vg.Point{X: x, Y: y}, px(9), true) })
	}
	entry("end", func(x vg.Length) {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: px(1.5)}, x, y-px(11), x, y+px(11))
	})
}
