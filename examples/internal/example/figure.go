// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package example

import (
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// The sizes of every picture, in points. A point is two pixels of the PNG, so
// that at half size, the width of a column of text, one is a pixel.
const (
	dpi = 144

	titleSize = 13
	labelSize = 12
	tickSize  = 11

	// LineWidth is the width of a curve.
	LineWidth = 1.5
)

// The palette of Okabe & Ito (2008, Color universal design), which people see
// apart who do not see all colours, and two greys.
var (
	Black  = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	Blue   = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	Orange = color.NRGBA{0xd5, 0x5e, 0x00, 0xff} // vermillion
	Green  = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	Sky    = color.NRGBA{0x56, 0xb4, 0xe9, 0xff}
	Yellow = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	Purple = color.NRGBA{0xcc, 0x79, 0xa7, 0xff}
	Grey   = color.NRGBA{0x77, 0x77, 0x77, 0xff}
	Light  = color.NRGBA{0xe4, 0xe4, 0xe4, 0xff}
)

// Palette is the order in which curves take colours.
var Palette = []color.NRGBA{Blue, Orange, Green, Purple, Yellow, Sky}

// Faint returns a colour mixed with so much white that curves stand out on it.
func Faint(c color.NRGBA) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8((int(v) + 2*0xff) / 3) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

// Figure is a picture of several panels.
type Figure struct {
	width, height vg.Length
	panels        []panel
}

type panel struct {
	*plot.Plot
	data  vg.Rectangle
	title string
}

// NewFigure returns a figure of the given size in points. One of 840 is as wide
// as a column of text.
func NewFigure(width, height float64) *Figure {
	return &Figure{width: vg.Length(width), height: vg.Length(height)}
}

// Panel adds a panel whose data area, without title and axes, has the given
// corners in points from the lower left of the figure, so that panels line up.
// Labels belong to the axes; units stand in them.
func (f *Figure) Panel(left, bottom, right, top float64, title, x, y string) *plot.Plot {
	p := plot.New()
	style := func(f *font.Font, size font.Length) { f.Typeface, f.Variant, f.Size = "Liberation", "Sans", size }
	p.BackgroundColor = nil // panels may reach into one another's margins
	p.X.Label.Text, p.Y.Label.Text = x, y
	style(&p.Title.TextStyle.Font, titleSize)
	p.Title.TextStyle.Font.Weight = 3 // bold, as golang.org/x/image/font counts
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XLeft, draw.YBottom
	style(&p.Legend.TextStyle.Font, tickSize)
	p.Legend.TextStyle.Color = Black
	p.Legend.Top, p.Legend.Padding, p.Legend.ThumbnailWidth = true, 2, 20
	p.Legend.YPosition = draw.PosCenter
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		style(&a.Label.TextStyle.Font, labelSize)
		style(&a.Tick.Label.Font, tickSize)
		a.Label.TextStyle.Color, a.Tick.Label.Color = Black, Black
		a.Label.Padding = 4
		a.Padding = 0
		a.LineStyle.Color, a.Tick.LineStyle.Color = Grey, Grey
		a.LineStyle.Width, a.Tick.LineStyle.Width = 0.75, 0.75
		a.Tick.Length = 4
		a.Tick.Marker = Ticks(6)
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = Light, Light
	p.Add(grid)
	f.panels = append(f.panels, panel{p, vg.Rectangle{Min: vg.Point{X: vg.Length(left), Y: vg.Length(bottom)},
		Max: vg.Point{X: vg.Length(right), Y: vg.Length(top)}}, title})
	return p
}

// Save writes the figure as a PNG into the folder -out and reports it.
func (s *Session) Save(f *Figure, name string) error {
	img := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(dpi))
	canvas := draw.New(img)
	for _, p := range f.panels {
		// What title and axes need about the data depends, a little, on the whole.
		at := p.data
		for range 4 {
			inner := p.DataCanvas(draw.Canvas{Canvas: canvas.Canvas, Rectangle: at})
			at.Min = at.Min.Add(p.data.Min).Sub(inner.Min)
			at.Max = at.Max.Add(p.data.Max).Sub(inner.Max)
		}
		// Title and legend keep to the data, whatever the axes need beside it.
		const inset = 6
		p.Legend.XOffs, p.Legend.YOffs = p.data.Max.X-at.Max.X-inset, p.data.Max.Y-at.Max.Y
		p.Draw(draw.Canvas{Canvas: canvas.Canvas, Rectangle: at})
		canvas.FillText(p.Title.TextStyle, vg.Point{X: p.data.Min.X, Y: p.data.Max.Y + 8}, p.title)
	}
	return s.write(name, &s.Report.pictures, func(w io.Writer) error {
		_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(w)
		return err
	})
}

// Ticks marks about so many round numbers, with a true minus.
type Ticks int

// Ticks implements plot.Ticker.
func (n Ticks) Ticks(lo, hi float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(n))))
	for _, f := range []float64{2, 2.5, 2} {
		if (hi-lo)/step <= float64(n) {
			break
		}
		step *= f
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: minus(strconv.FormatFloat(i*step+0, 'f', digits, 64))})
	}
	return ticks
}

// Silent marks what its Ticker does, without labels: for a panel whose axis is
// labelled by the panel beneath.
type Silent struct{ plot.Ticker }

// Ticks implements plot.Ticker.
func (s Silent) Ticks(lo, hi float64) []plot.Tick {
	ticks := s.Ticker.Ticks(lo, hi)
	for i := range ticks {
		ticks[i].Label = ""
	}
	return ticks
}

// Decades marks the powers of ten on an axis of logarithms to base 10, and what
// lies between them without a label. (The logarithmic scale of package plot
// misplaces the axis's label in working out the space that it needs.)
type Decades struct{}

// Ticks implements plot.Ticker.
func (Decades) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Floor(lo); e <= hi; e++ {
		for k := 1.0; k < 10; k++ {
			if v := e + math.Log10(k); lo <= v && v <= hi {
				label := ""
				if k == 1 {
					label = strconv.FormatFloat(math.Pow(10, e), 'g', 3, 64)
				}
				ticks = append(ticks, plot.Tick{Value: v, Label: label})
			}
		}
	}
	return ticks
}

func minus(s string) string {
	if len(s) > 0 && s[0] == '-' {
		return "−" + s[1:]
	}
	return s
}

// XYs pairs up coordinates. It panics if their numbers differ.
func XYs(x, y []float64) plotter.XYs {
	if len(x) != len(y) {
		panic("example: coordinates do not pair up")
	}
	p := make(plotter.XYs, len(x))
	for i := range p {
		p[i].X, p[i].Y = x[i], y[i]
	}
	return p
}

// Curve returns a line through points, in the theme's width; dashes, if any, are
// lengths in points.
func Curve(points plotter.XYs, c color.Color, dashes ...float64) *plotter.Line {
	l := &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: c, Width: LineWidth}}
	for _, d := range dashes {
		l.Dashes = append(l.Dashes, vg.Length(d))
	}
	return l
}

// Band returns the area between two curves over the same x.
func Band(x, low, high []float64, c color.Color) *plotter.Polygon {
	ring := XYs(x, high)
	for i := len(x) - 1; i >= 0; i-- {
		ring = append(ring, plotter.XY{X: x[i], Y: low[i]})
	}
	return &plotter.Polygon{XYs: []plotter.XYs{ring}, Color: c}
}

// Stairs turns the values of bins into a curve: each value twice, at the ends of
// its bin. There is one more edge than values.
func Stairs(edges, values []float64) (x, y []float64) {
	for i, v := range values {
		x = append(x, edges[i], edges[i+1])
		y = append(y, v, v)
	}
	return x, y
}
