//go:build !js

package picture

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// sharp is how many pixels of the PNG are a CSS pixel.
const sharp = 2

var typeface = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) })

// png is the drawing as PNG.
func (d *drawing) png() ([]byte, error) {
	to := canvas{image.NewRGBA(image.Rect(0, 0, sharp*Width, int(math.Ceil(sharp*d.height))))}
	for _, s := range d.shapes {
		to.shape(s)
	}
	f, err := typeface()
	if err != nil {
		return nil, err
	}
	for _, w := range d.words {
		if err := to.words(f, w); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err = png.Encode(&b, to)
	return b.Bytes(), err
}

// canvas is drawn on in CSS pixels.
type canvas struct{ *image.RGBA }

func (c canvas) shape(s shape) {
	if s.fill.A > 0 {
		c.polygon(image.NewUniform(s.fill), s.points)
	}
	if s.stroke.A == 0 {
		return
	}
	points := s.points
	if s.closed {
		points = append(points[:len(points):len(points)], points[0])
	}
	for i := range len(points) - 1 {
		from, to := points[i], points[i+1]
		if !s.dashed {
			c.segment(s, from, to, len(points) > 2)
			continue
		}
		length := math.Hypot(to.x-from.x, to.y-from.y)
		at := func(l float64) point {
			l = min(l/length, 1)
			return point{from.x + l*(to.x-from.x), from.y + l*(to.y-from.y)}
		}
		for l := 0.0; l < length; l += dash + gap {
			c.segment(s, at(l), at(l+dash), false)
		}
	}
}

// segment draws a straight line, longer by its half width on both ends if it is
// joined to others.
func (c canvas) segment(s shape, from, to point, joined bool) {
	length := math.Hypot(to.x-from.x, to.y-from.y)
	if length == 0 {
		return
	}
	dx, dy := (to.x-from.x)/length*s.width/2, (to.y-from.y)/length*s.width/2
	if joined {
		from, to = point{from.x - dx, from.y - dy}, point{to.x + dx, to.y + dy}
	}
	c.polygon(image.NewUniform(s.stroke), []point{
		{from.x - dy, from.y + dx}, {to.x - dy, to.y + dx}, {to.x + dy, to.y - dx}, {from.x + dy, from.y - dx},
	})
}

// polygon fills what points enclose.
func (c canvas) polygon(colour image.Image, points []point) {
	lo, hi := points[0], points[0]
	for _, p := range points {
		lo, hi = point{min(lo.x, p.x), min(lo.y, p.y)}, point{max(hi.x, p.x), max(hi.y, p.y)}
	}
	box := image.Rect(int(math.Floor(sharp*lo.x)), int(math.Floor(sharp*lo.y)), int(math.Ceil(sharp*hi.x)), int(math.Ceil(sharp*hi.y)))
	at := func(p point) (x, y float32) {
		return float32(sharp*p.x) - float32(box.Min.X), float32(sharp*p.y) - float32(box.Min.Y)
	}
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	r.MoveTo(at(points[0]))
	for _, p := range points[1:] {
		r.LineTo(at(p))
	}
	r.ClosePath()
	r.Draw(c.RGBA, box, colour, image.Point{})
}

func (c canvas) words(f *opentype.Font, w words) error {
	size := float64(sharp * letters)
	var face font.Face
	for {
		var err error
		if face, err = opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72}); err != nil {
			return err
		}
		if width := font.MeasureString(face, w.text).Ceil(); width > sharp*Width {
			size *= float64(sharp*Width-8) / float64(width)
			continue
		}
		break
	}
	x := fixed.Int26_6(sharp * w.at.x * 64)
	switch width := font.MeasureString(face, w.text); w.anchor {
	case middle:
		x -= width / 2
	case end:
		x -= width
	}
	(&font.Drawer{Dst: c, Src: image.NewUniform(w.colour), Face: face, Dot: fixed.Point26_6{X: x, Y: fixed.Int26_6(sharp * (w.at.y + baseline) * 64)}}).DrawString(w.text)
	return nil
}
