// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/stationary"
)

// picture draws what was found and saves the numbers behind it.
func (m *measured) picture(s *example.Session) error {
	fig := example.NewFigure(840, 690)
	m.density(fig)
	m.trajectories(fig)
	if err := m.settling(s, fig); err != nil {
		return err
	}
	if err := m.deviation(s, fig); err != nil {
		return err
	}
	return s.Save(fig, "doublewell.png")
}

// wide is where a panel against x ends: all but 2 in 10⁴ of the law lie within.
func (m *measured) wide() float64 { return m.exact.Quantile(1 - 1e-4) }

// density draws panel (a): the histogram over the exact density, and the landscape.
func (m *measured) density(fig *example.Figure) {
	p := fig.Panel(62, 454, 405, 660, fmt.Sprintf("(a) density, T = ηs²/2B = %.3g", m.temperature), "", "p(x)")
	l := fig.Panel(62, 372, 405, 438, "", "x", "L(x)")
	edges := m.hist.Edges()
	density, se := m.hist.Density()
	low, high, zero := make([]float64, len(se)), make([]float64, len(se)), make([]float64, 2*len(se))
	for i, v := range density {
		low[i], high[i] = v-2*se[i], v+2*se[i]
	}
	x, y := example.Stairs(edges, density)
	_, yl := example.Stairs(edges, low)
	_, yh := example.Stairs(edges, high)
	bars := example.Band(x, zero, y, example.Faint(example.Blue))
	band := example.Band(x, yl, yh, example.Blue)
	end := m.wide()
	exact := example.Curve(sample(-end, end, m.exact.Density), example.Black)
	outline := example.Curve(example.XYs(x, y), example.Blue)
	outline.Width = 0.75
	p.Add(bars, band, outline, exact)
	p.Legend.Add("simulated, ± 2 standard errors as in (d)", bars, outline)
	p.Legend.Add("exp(−L/T)/Z", exact)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -end, end, 0, 1.4*m.exact.Density(1)
	p.X.Tick.Marker = example.Silent{Ticker: p.X.Tick.Marker}

	value := func(x ...float64) float64 { return m.loss.Value(x) }
	l.Add(example.Curve(sample(-end, end, value), example.Grey))
	l.X.Min, l.X.Max, l.Y.Min, l.Y.Max = -end, end, 0, 2*m.loss.Value([]float64{0})
	l.Y.Tick.Marker = example.Ticks(2)
}

// trajectories draws panel (b): a lane for each particle.
func (m *measured) trajectories(fig *example.Figure) {
	p := fig.Panel(482, 372, 822, 660, "(b) three of the particles", "time, in units in which a step of SGD takes η", "x")
	var ticks []plot.Tick
	n := len(m.paths.Particles)
	for i := range n {
		base := 4 * float64(n-1-i)
		times, states := m.paths.Path(i)
		points := example.XYs(times, states.Data)
		for k := range points {
			points[k].Y += base
		}
		p.Add(example.Curve(points, example.Palette[i]))
		ticks = append(ticks, plot.Tick{Value: base - 1, Label: "−1"}, plot.Tick{Value: base + 1, Label: "1"})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, m.result.Time, -2, 4*float64(n)-2
}

// settling draws panel (c): the total variation from Boltzmann's law at each time.
func (m *measured) settling(s *example.Session, fig *example.Figure) error {
	p := fig.Panel(62, 48, 405, 288, "(c) settling", "time since the start", "distance from exp(−L/T)/Z, total variation")
	floor := 0.0
	var data [][]float64
	draw := func(from *series, name string, color int) error {
		var times, distances, logs []float64
		for i := range from.Len() {
			t, h := from.At(i)
			r, err := stationary.Compare(m.exact, h)
			if err != nil {
				return err
			}
			times, distances = append(times, t), append(distances, r.TotalVariation.Value)
			logs = append(logs, math.Log10(r.TotalVariation.Value))
			floor = math.Log10(r.TotalVariation.Floor)
		}
		data = append(data, times, distances)
		curve := example.Curve(example.XYs(times, logs), example.Palette[color])
		p.Add(curve)
		p.Legend.Add(name, curve)
		return nil
	}
	if err := draw(m.oneWell, "all from the left well", 1); err != nil {
		return err
	}
	if err := draw(m.both, "half from each well", 0); err != nil {
		return err
	}
	floorLine := example.Curve(plotter.XYs{{X: 0, Y: floor}, {X: m.settled, Y: floor}}, example.Black, 4, 3)
	p.Add(floorLine)
	p.Legend.Add("sampling floor", floorLine)
	p.Y.Tick.Marker = example.Decades{}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, m.settled, floor-0.3, 0
	return s.SaveData("doublewell-settling", example.Columns(data[0], data[1], data[3]), "time", "one_well", "both_wells")
}

// deviation draws panel (d): by how much the density is off Boltzmann's, and what
// the step predicts.
func (m *measured) deviation(s *example.Session, fig *example.Figure) error {
	p := fig.Panel(482, 48, 822, 288, fmt.Sprintf("(d) what the step h = %g does", s.Step), "x", "deviation from exp(−L/T)/Z, %")
	edges := m.hist.Edges()
	density, se := m.hist.Density()
	end := m.exact.Quantile(1 - 5e-3)
	var shown, low, high, errors []float64
	lo := make([]float64, len(density))
	for i, v := range density {
		lo[i] = edges[i]
		a, b := edges[i], edges[i+1]
		exact := m.exact.Probability([]float64{a}, []float64{b}) / (b - a)
		errors = append(errors, se[i])
		if a < -end || end < b {
			continue
		}
		if shown == nil {
			shown = append(shown, a)
		}
		shown = append(shown, b)
		low, high = append(low, 100*((v-2*se[i])/exact-1)), append(high, 100*((v+2*se[i])/exact-1))
	}
	x, yl := example.Stairs(shown, low)
	_, yh := example.Stairs(shown, high)
	band := example.Band(x, yl, yh, example.Faint(example.Blue))
	law := example.Curve(sample(-end, end, func(x ...float64) float64 {
		return 100 * (m.scheme.Density(x...)/m.exact.Density(x...) - 1)
	}), example.Orange)
	zero := example.Curve(plotter.XYs{{X: -end, Y: 0}, {X: end, Y: 0}}, example.Black, 4, 3)
	p.Add(band, zero, law)
	p.Legend.Add("simulated, ± 2 standard errors", band)
	p.Legend.Add("law of Euler–Maruyama at h", law)
	p.X.Min, p.X.Max = -end, end
	p.Y.Max += 0.6 * (p.Y.Max - p.Y.Min)
	return s.SaveData("doublewell-density", example.Columns(lo, edges[1:], density, errors), "from", "to", "density", "standard_error")
}

// sample returns a function's values at places close enough for a smooth curve.
func sample(lo, hi float64, f func(x ...float64) float64) plotter.XYs {
	const n = 400
	p := make(plotter.XYs, n+1)
	for i := range p {
		x := lo + (hi-lo)*float64(i)/n
		p[i].X, p[i].Y = x, f(x)
	}
	return p
}
