// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

// picture draws what was found and saves the numbers behind it.
func (m *measured) picture(s *example.Session) error {
	fig := example.NewFigure(840, 690)
	if err := m.times(s, fig); err != nil {
		return err
	}
	m.histogram(s, fig)
	if err := m.landscape(fig); err != nil {
		return err
	}
	m.profile(fig)
	return s.Save(fig, "escape.png")
}

// points draws estimates with bars of ± 2 standard errors.
func points(p *plot.Plot, name string, c color.Color, x []float64, value, low, high []float64) {
	dots := &plotter.Scatter{XYs: example.XYs(x, value), GlyphStyle: draw.GlyphStyle{Color: c, Radius: 2.5, Shape: draw.CircleGlyph{}}}
	for i := range x {
		bar := example.Curve(plotter.XYs{{X: x[i], Y: low[i]}, {X: x[i], Y: high[i]}}, c)
		p.Add(bar)
	}
	p.Add(dots)
	if name != "" {
		p.Legend.Add(name, dots)
	}
}

// times draws panel (a): the mean time against 1/T, and what is left of it over Kramers'.
func (m *measured) times(s *example.Session, fig *example.Figure) error {
	p := fig.Panel(62, 484, 405, 660, "(a) mean time from −1 to 1", "", "mean time")
	r := fig.Panel(62, 372, 405, 468, "", "1/T", "over Kramers'")
	var inverse, exact, kramers, ratio, corrected []float64
	for b := 4.0; b <= 88; b++ {
		e, err := predict(1 / b)
		if err != nil {
			return err
		}
		inverse = append(inverse, b)
		exact, kramers = append(exact, e.exact.Log/math.Ln10), append(kramers, e.kramers.Log/math.Ln10)
		ratio, corrected = append(ratio, math.Exp(e.exact.Log-e.kramers.Log)), append(corrected, 1+e.kramers.Correction)
	}
	line := example.Curve(example.XYs(inverse, exact), example.Black)
	dashed := example.Curve(example.XYs(inverse, kramers), example.Orange, 5, 3)
	next := example.Curve(example.XYs(inverse, corrected), example.Orange, 2, 2)
	p.Add(line, dashed)
	r.Add(example.Curve(example.XYs(inverse, ratio), example.Black), example.Curve(plotter.XYs{{X: 4, Y: 1}, {X: 88, Y: 1}}, example.Orange, 5, 3), next)
	var data [5][]float64
	for i, split := range []bool{false, true} {
		var x, v, lo, hi, rv, rlo, rhi []float64
		for _, e := range m.escapes {
			if split != (e.rare != nil) {
				continue
			}
			t := e.time()
			x, v = append(x, 1/e.temperature), append(v, math.Log10(t.Value))
			a, b := max(t.Value-2*t.StdErr, 0.01*t.Value), t.Value+2*t.StdErr
			lo, hi = append(lo, math.Log10(a)), append(hi, math.Log10(b))
			k := e.kramers.Time
			rv, rlo, rhi = append(rv, t.Value/k), append(rlo, a/k), append(rhi, b/k)
			for j, d := range []float64{e.temperature, t.Value, t.StdErr, e.exact.Time, k} {
				data[j] = append(data[j], d)
			}
		}
		name := [2]string{"simulated, ± 2 se", "by splitting, ± 2 se"}[i]
		c := []color.Color{example.Blue, example.Green}[i]
		points(p, name, c, x, v, lo, hi)
		points(r, "", c, x, rv, rlo, rhi)
	}
	p.Legend.Add("quadrature", line)
	p.Legend.Add("Kramers", dashed)
	p.Legend.Add("Kramers, next term", next)
	p.Legend.Top = false
	p.Y.Tick.Marker = tens{}
	p.X.Tick.Marker = example.Silent{Ticker: p.X.Tick.Marker}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 90, 0, 11
	r.X.Min, r.X.Max, r.Y.Min, r.Y.Max = 0, 90, 0.6, 1.6
	r.Y.Tick.Marker = example.Ticks(4)
	return s.SaveData("escape-times", example.Columns(data[0], data[1], data[2], data[3], data[4]), "temperature", "time", "standard_error", "quadrature", "kramers")
}

// tens marks every second power of ten of a logarithm.
type tens struct{}

func (tens) Ticks(lo, hi float64) (t []plot.Tick) {
	for e := math.Ceil(lo); e <= hi; e++ {
		label := ""
		if int(e)%2 == 0 {
			label = fmt.Sprintf("1e%g", e)
		}
		t = append(t, plot.Tick{Value: e, Label: label})
	}
	return t
}

// histogram draws panel (b): how the times are distributed.
func (m *measured) histogram(s *example.Session, fig *example.Figure) {
	e := m.law
	p := fig.Panel(482, 372, 822, 660, fmt.Sprintf("(b) times at T = %.3g", e.temperature), "time", "density")
	counts := e.watched.Counts()
	edges := e.watched.Edges
	n := float64(e.passages.Particles)
	density := make([]float64, len(edges)-1)
	for i := range density {
		density[i] = float64(counts[i+1]) / n / (edges[i+1] - edges[i])
	}
	x, y := example.Stairs(edges, density)
	zero := make([]float64, len(x))
	bars := example.Band(x, zero, y, example.Faint(example.Blue))
	outline := example.Curve(example.XYs(x, y), example.Blue)
	mean := e.exact.Time
	var curve plotter.XYs
	for i := range 201 {
		t := edges[len(edges)-1] * float64(i) / 200
		curve = append(curve, plotter.XY{X: t, Y: math.Exp(-t/mean) / mean})
	}
	law := example.Curve(curve, example.Black)
	p.Add(bars, outline, law)
	p.Legend.Add(fmt.Sprintf("%d particles; %d still underway", e.passages.Particles, e.passages.Censored), bars, outline)
	p.Legend.Add("exponential, mean by quadrature", law)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, edges[len(edges)-1], 0, 1.35/mean
	_ = s.SaveData("escape-histogram", example.Columns(edges[:len(edges)-1], edges[1:], density), "from", "to", "density")
}

// surface is Müller–Brown's landscape on a grid.
type surface struct{ nx, ny int }

func (g surface) Dims() (int, int) { return g.nx, g.ny }
func (g surface) X(i int) float64  { return -1.4 + 2.5*float64(i)/float64(g.nx-1) }
func (g surface) Y(j int) float64  { return -0.3 + 2.2*float64(j)/float64(g.ny-1) }
func (g surface) Z(i, j int) float64 {
	return min(loss.MullerBrown{}.Value([]float64{g.X(i), g.Y(j)}), 80)
}

// landscape draws panel (c): the way out.
func (m *measured) landscape(fig *example.Figure) error {
	p := fig.Panel(62, 48, 405, 288, "(c) the way out of Müller–Brown's deepest minimum", "x", "y")
	var levels []float64
	for v := -140.0; v <= 70; v += 15 {
		levels = append(levels, v)
	}
	contour := plotter.NewContour(surface{200, 176}, levels, shades{len(levels)})
	contour.LineStyles[0].Width = 0.6
	p.Add(contour)
	var way plotter.XYs
	for _, x := range m.path.States {
		way = append(way, plotter.XY{X: x[0], Y: x[1]})
	}
	path := example.Curve(way, example.Orange)
	path.Width = 2
	p.Add(path)
	mark := func(name string, c color.Color, shape draw.GlyphDrawer, at ...[]float64) {
		var xy plotter.XYs
		for _, x := range at {
			xy = append(xy, plotter.XY{X: x[0], Y: x[1]})
		}
		dots := &plotter.Scatter{XYs: xy, GlyphStyle: draw.GlyphStyle{Color: c, Radius: 4, Shape: shape}}
		p.Add(dots)
		p.Legend.Add(name, dots)
	}
	ends := [][]float64{m.path.States[0], m.path.States[len(m.path.States)-1]}
	for _, c := range m.path.Minima {
		ends = append(ends, c.Theta)
	}
	mark("minima", example.Blue, draw.CircleGlyph{}, ends...)
	mark("saddles", example.Black, draw.CrossGlyph{}, thetas(m.path.Saddles)...)
	p.Legend.Add("path of minimum energy", path)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -1.4, 1.1, -0.3, 1.9
	return nil
}

func thetas(points []sde.CriticalPoint) (x [][]float64) {
	for _, c := range points {
		x = append(x, c.Theta)
	}
	return x
}

// shades are greys for contours.
type shades struct{ n int }

func (s shades) Colors() []color.Color {
	c := make([]color.Color, s.n)
	for i := range c {
		v := uint8(0x70 + 0x60*i/s.n)
		c[i] = color.NRGBA{v, v, v, 0xff}
	}
	return c
}

// profile draws panel (d): the loss along the way.
func (m *measured) profile(fig *example.Figure) {
	p := fig.Panel(482, 48, 822, 288, "(d) the loss on the way", "length of the path", "L")
	p.Add(example.Curve(example.XYs(m.path.Arc, m.path.Values), example.Orange))
	var at plotter.XYs
	var labels []string
	for _, c := range m.path.Saddles {
		best, d := 0, math.Inf(1)
		for i, x := range m.path.States {
			if r := math.Hypot(x[0]-c.Theta[0], x[1]-c.Theta[1]); r < d {
				best, d = i, r
			}
		}
		at = append(at, plotter.XY{X: m.path.Arc[best], Y: c.Value})
		labels = append(labels, fmt.Sprintf("saddle, −%.4f", -c.Value))
	}
	dots := &plotter.Scatter{XYs: at, GlyphStyle: draw.GlyphStyle{Color: example.Black, Radius: 4, Shape: draw.CrossGlyph{}}}
	p.Add(dots)
	if l, err := plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: labels}); err == nil {
		for i := range l.TextStyle {
			l.TextStyle[i] = p.Legend.TextStyle
			l.TextStyle[i].XAlign = draw.XCenter
		}
		l.Offset = vg.Point{Y: 8}
		p.Add(l)
	}
	end := m.path.Arc[len(m.path.Arc)-1]
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end, -155, -15
}
