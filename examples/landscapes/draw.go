// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"github.com/sgflow/sgflow/examples/internal/example"
)

// The page, in points.
const (
	columns             = 4
	left, side          = 38, 172 // of the first picture, and of each
	stepX, stepY        = 204, 222
	bottom, above       = 56, 26
	resolution, contour = 150, 9
)

// draw draws the page.
func draw(s *example.Session, pictures []picture) error {
	rows := (len(pictures) + columns - 1) / columns
	fig := example.NewFigure(left+columns*stepX, float64(bottom+rows*stepY+above-20))
	for k := range pictures {
		p := &pictures[k]
		x := float64(left + k%columns*stepX)
		y := float64(bottom + (rows-1-k/columns)*stepY)
		area := fig.Panel(x, y, x+side, y+side, p.name, "", "")
		area.X.Tick.Marker, area.Y.Tick.Marker = example.Ticks(5), example.Ticks(5)
		if p.dimensions == 1 {
			p.curve(area)
		} else {
			p.plane(area)
		}
	}
	if err := legend(fig); err != nil {
		return err
	}
	return s.Save(fig, "landscapes.png")
}

// legend explains the marks, in a line below the pictures.
func legend(fig *example.Figure) error {
	p := fig.Panel(left, 6, left+columns*stepX-26, 26, "", "", "")
	p.HideAxes()
	x := 0.0
	for _, m := range marks {
		mark, err := plotter.NewScatter(plotter.XYs{{X: x, Y: 0.5}})
		if err != nil {
			return err
		}
		mark.GlyphStyle = m.style
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x + 0.012, Y: 0.5}}, Labels: []string{m.name}})
		if err != nil {
			return err
		}
		label.TextStyle[0].Font = p.Legend.TextStyle.Font
		label.TextStyle[0].YAlign = vgdraw.YCenter
		p.Add(mark, label)
		x += m.width
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	return nil
}

// marks are those of critical points, by what they are.
var marks = []struct {
	name  string
	style vgdraw.GlyphStyle
	width float64
}{
	{"minimum", vgdraw.GlyphStyle{Color: example.Orange, Radius: 3.2, Shape: vgdraw.CircleGlyph{}}, 0.13},
	{"saddle", vgdraw.GlyphStyle{Color: example.Black, Radius: 3.4, Shape: vgdraw.CrossGlyph{}}, 0.11},
	{"maximum", vgdraw.GlyphStyle{Color: example.Black, Radius: 3, Shape: vgdraw.PyramidGlyph{}}, 0.13},
	{"dark is low; each picture has heights of its own, and ends at its top", vgdraw.GlyphStyle{Color: color.Transparent}, 0},
}

// mark returns the kind of a critical point.
func (p *picture) mark(index int) int {
	switch index {
	case 0:
		return 0
	case p.dimensions:
		return 2
	}
	return 1
}

// addPoints marks the critical points that lie in the window.
func (p *picture) addPoints(area *plot.Plot, height func(theta []float64) float64) {
	for kind := len(marks) - 2; kind >= 0; kind-- {
		var at plotter.XYs
		for _, c := range p.points {
			if x, y := c.Theta[0], height(c.Theta); p.mark(c.Index) == kind && p.lo[0] < x && x < p.hi[0] && area.Y.Min < y && y < area.Y.Max {
				at = append(at, plotter.XY{X: x, Y: y})
			}
		}
		if len(at) == 0 {
			continue
		}
		if kind == 0 { // a white rim, so that it stands out in the dark
			rim := &plotter.Scatter{XYs: at, GlyphStyle: marks[0].style}
			rim.Color, rim.Radius = color.White, marks[0].style.Radius+1
			area.Add(rim)
		}
		area.Add(&plotter.Scatter{XYs: at, GlyphStyle: marks[kind].style})
	}
}

// curve draws a landscape of one dimension.
func (p *picture) curve(area *plot.Plot) {
	const n = 400
	points := make(plotter.XYs, 0, n+1)
	x, low, high := make([]float64, n+1), make([]float64, n+1), make([]float64, n+1)
	p.lowest = math.Inf(1)
	for i := range n + 1 {
		x[i] = p.lo[0] + (p.hi[0]-p.lo[0])*float64(i)/n
		high[i] = p.loss.Value([]float64{x[i]})
		p.lowest = min(p.lowest, high[i])
	}
	area.X.Min, area.X.Max, area.Y.Min, area.Y.Max = p.lo[0], p.hi[0], p.lowest-0.06*p.top, p.lowest+p.top
	for i := range low {
		low[i] = area.Y.Min
		if high[i] <= area.Y.Max {
			points = append(points, plotter.XY{X: x[i], Y: high[i]})
		}
		high[i] = min(high[i], area.Y.Max)
	}
	area.Add(example.Band(x, low, high, example.Faint(example.Blue)), example.Curve(points, example.Blue))
	p.addPoints(area, func(theta []float64) float64 { return p.loss.Value(theta) })
}

// surface is the window of a landscape as a grid of heights between 0 and 1.
type surface struct{ *picture }

func (g surface) Dims() (c, r int) { return resolution, resolution }
func (g surface) X(c int) float64  { return g.lo[0] + (g.hi[0]-g.lo[0])*(float64(c)+0.5)/resolution }
func (g surface) Y(r int) float64  { return g.lo[1] + (g.hi[1]-g.lo[1])*(float64(r)+0.5)/resolution }

// Z is √ of the height above the lowest point over the top, so that basins show.
func (g surface) Z(c, r int) float64 {
	v := (g.loss.Value(g.theta(g.X(c), g.Y(r))) - g.lowest) / g.top
	return math.Sqrt(min(max(v, 0), 1))
}

// plane draws a landscape of the plane, or a cut through one of more dimensions.
func (p *picture) plane(area *plot.Plot) {
	heat := plotter.NewHeatMap(surface{p}, blues{})
	heat.Min, heat.Max = 0, 1
	heat.Rasterized = true
	levels := make([]float64, contour)
	for i := range levels {
		levels[i] = float64(i+1) / (contour + 1)
	}
	lines := plotter.NewContour(surface{p}, levels, nil)
	lines.LineStyles = []vgdraw.LineStyle{{Color: color.NRGBA{0, 0, 0, 0x50}, Width: vg.Length(0.5)}}
	area.Add(heat, lines)
	area.X.Min, area.X.Max, area.Y.Min, area.Y.Max = p.lo[0], p.hi[0], p.lo[1], p.hi[1]
	p.addPoints(area, func(theta []float64) float64 { return theta[1] })
}

// blues is a palette from deep blue to white, of even steps in lightness.
type blues struct{}

func (blues) Colors() []color.Color {
	const n = 64
	all := make([]color.Color, n)
	for i := range all {
		t := float64(i) / (n - 1)
		mix := func(a, b, c float64) uint8 { // through a middle colour
			if t < 0.5 {
				return uint8(a + (b-a)*2*t)
			}
			return uint8(b + (c-b)*(2*t-1))
		}
		all[i] = color.NRGBA{mix(0x0b, 0x56, 0xf7), mix(0x2f, 0xa3, 0xfb), mix(0x5e, 0xd0, 0xff), 0xff}
	}
	return all
}
