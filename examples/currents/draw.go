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

// picture draws the four panels.
func (m *measured) picture(s *example.Session) error {
	fig := example.NewFigure(840, 720)
	a := fig.Panel(66, 400, 396, 680, "(a) linear flow: density and current, exact", "x", "y")
	velocity := func(x, y float64) (u, v float64) {
		var j [2]float64
		_ = m.linear.Velocity(j[:], []float64{x, y})
		p := math.Exp(m.gaussian.LogDensity(x, y))
		return p * j[0], p * j[1]
	}
	field(a, 3.2, 2.6, func(x, y float64) float64 { return math.Exp(m.gaussian.LogDensity(x, y)) }, velocity)

	b := fig.Panel(476, 400, 816, 680, "(b) double wells with noise that grows along y", "x", "y")
	currents := m.grid.Current(m.law)
	w := 1.9
	field(b, w, w, func(x, y float64) float64 { return m.law.Density(x, y) }, func(x, y float64) (u, v float64) {
		return currents[0].At(x, y), currents[1].At(x, y)
	})

	c := fig.Panel(66, 52, 396, 320, "(c) linear flow: it does not run backwards", "time t between the two", "E ½(x(0)y(t) − y(0)x(t))")
	var times, low, high, values, errors []float64
	for k, t := range m.rotation.times {
		v, se := m.rotation.at(k)
		times, values, errors = append(times, t), append(values, v), append(errors, se)
		low, high = append(low, v-2*se), append(high, v+2*se)
	}
	band := example.Band(times, low, high, example.Faint(example.Blue))
	points := make(plotter.XYs, 200)
	for i := range points {
		points[i].X = times[len(times)-1] * float64(i) / 199
		points[i].Y = m.exactRotation(points[i].X)
	}
	exact := example.Curve(points, example.Black)
	zero := example.Curve(plotter.XYs{{X: 0, Y: 0}, {X: times[len(times)-1], Y: 0}}, example.Grey, 4, 3)
	c.Add(band, zero, exact)
	c.Legend.Add("simulated, ± 2 standard errors", band)
	c.Legend.Add("exact", exact)
	c.Legend.Add("in equilibrium", zero)
	span := c.Y.Max - c.Y.Min
	c.Y.Max += 0.35 * span

	d := fig.Panel(476, 52, 816, 320, "(d) linear flow: entropy production", "correlation ρ of the noises", "nats a unit of time")
	exactCurve := make(plotter.XYs, 0, 181)
	for k := -90; k <= 90; k++ {
		rho := float64(k) / 100
		if v, err := exactEntropy(rho); err == nil {
			exactCurve = append(exactCurve, plotter.XY{X: rho, Y: v})
		}
	}
	line := example.Curve(exactCurve, example.Black)
	grid := &plotter.Scatter{XYs: example.XYs(m.curve[0], m.curve[2]), GlyphStyle: vgdraw.GlyphStyle{Color: example.Orange, Radius: 4, Shape: vgdraw.CircleGlyph{}}}
	sampled := &plotter.Scatter{XYs: plotter.XYs{{X: m.correlation, Y: m.sampled.Value}}, GlyphStyle: vgdraw.GlyphStyle{Color: example.Blue, Radius: 6, Shape: vgdraw.RingGlyph{}}}
	d.Add(line, grid, sampled)
	d.Legend.Add("exact", line)
	d.Legend.Add("Fokker–Planck on 88×88 cells", grid)
	d.Legend.Add("simulated", sampled)
	d.X.Min, d.X.Max, d.Y.Min, d.Y.Max = -0.95, 0.95, 0, 1.2*exactCurve[len(exactCurve)-1].Y
	if err := s.Save(fig, "currents.png"); err != nil {
		return err
	}
	return s.SaveData("currents-rotation", example.Columns(times, values, errors), "time", "rotation", "standard_error")
}

// surface is a density on a grid of places.
type surface struct {
	w, h float64
	n    int
	f    func(x, y float64) float64
}

func (g surface) Dims() (c, r int)   { return g.n, g.n }
func (g surface) X(c int) float64    { return g.w * (2*(float64(c)+0.5)/float64(g.n) - 1) }
func (g surface) Y(r int) float64    { return g.h * (2*(float64(r)+0.5)/float64(g.n) - 1) }
func (g surface) Z(c, r int) float64 { return g.f(g.X(c), g.Y(r)) }

// field draws a density over [−w, w]×[−h, h], and arrows of a current in it whose length
// goes with the root of its size, so that weak ones show.
func field(p *plot.Plot, w, h float64, density func(x, y float64) float64, current func(x, y float64) (u, v float64)) {
	g := surface{w, h, 120, density}
	heat := plotter.NewHeatMap(g, paleBlues{})
	heat.Rasterized = true
	heat.Min = 0
	p.Add(heat)
	const n = 15
	var most float64
	type arrow struct{ x, y, u, v float64 }
	var all []arrow
	for i := range n {
		for j := range n {
			x, y := w*(2*(float64(i)+0.5)/n-1), h*(2*(float64(j)+0.5)/n-1)
			u, v := current(x, y)
			all = append(all, arrow{x, y, u, v})
			most = max(most, math.Hypot(u/w, v/h))
		}
	}
	for _, a := range all {
		size := math.Hypot(a.u/w, a.v/h)
		if size < 0.004*most {
			continue
		}
		// In units of the panel, so that directions are those that are seen.
		length := 1.9 / n * math.Sqrt(size/most)
		dx, dy := a.u/w/size*length, a.v/h/size*length
		at := func(t, side float64) plotter.XY {
			return plotter.XY{X: a.x + w*(t*dx-side*dy), Y: a.y + h*(t*dy+side*dx)}
		}
		shaft := example.Curve(plotter.XYs{at(-0.5, 0), at(0.5, 0)}, example.Black)
		head := example.Curve(plotter.XYs{at(0.2, 0.2), at(0.5, 0), at(0.2, -0.2)}, example.Black)
		shaft.Width, head.Width = vg.Length(0.9), vg.Length(0.9)
		p.Add(shaft, head)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -w, w, -h, h
}

// paleBlues is a palette from white to a blue on which black arrows show.
type paleBlues struct{}

func (paleBlues) Colors() []color.Color {
	const n = 64
	all := make([]color.Color, n)
	for i := range all {
		t := float64(i) / (n - 1)
		mix := func(a, b float64) uint8 { return uint8(a + (b-a)*t) }
		all[i] = color.NRGBA{mix(0xff, 0x56), mix(0xff, 0xb4), mix(0xff, 0xe9), 0xff}
	}
	return all
}
