// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/sde"
)

// table reports what was found.
func (m *measured) table(s *example.Session) {
	t := s.Report.Table("setting", "SGD with noisy labels on ½(ab−1)²")
	t.Row("learning_rate", "learning rate η", s.Step)
	t.Row("sigma", "noise σ of a label", m.sigma)
	t.Row("batch_size", "batch size B", m.batch)
	t.Row("start", "start a, b = 1/a", m.start)
	t.Row("particles", "particles", m.result.Particles)
	t.Row("seed", "seed", s.Seed)
	t.Row("time", "time", m.result.Time)
	t.Row("steps", "steps", m.result.Steps)

	t = s.Report.Table("slide", "u = a²−b²", example.Column{Key: "simulated", Label: "simulated"}, example.Column{Key: "law", Label: "law"},
		example.Column{Key: "small", Label: "u(0)exp(−ησ²t/B)"}, example.Column{Key: "sde", Label: "its SDE, step η/4"}, example.Column{Key: "sharpness", Label: "sharpness a²+b²"})
	for k := range 5 {
		i := (k + 1) * (m.sgd.Len() - 1) / 5
		time, o := m.sgd.At(i)
		var flow any
		if i < m.flow.Len() {
			_, f := m.flow.At(i)
			flow = f.Estimate(0)
		}
		t.Row(fmt.Sprintf("t%d", k+1), fmt.Sprintf("t = %.4g", time), o.Estimate(0), number(m.law.at(time)), number(m.law.small(time)), flow, o.Estimate(1))
	}
	t = s.Report.Table("checks", "Checks")
	t.Row("pathwise", "|u′ − u(1−η²r²)|/(a²+b²), at most", example.Number{Value: m.worst, Format: "%.1e"})
	_, last := m.silent.At(m.silent.Len() - 1)
	t.Row("silent", "u at the end without noise", number(last.Estimate(0).Value))
	t.Row("start_u", "u at the start", number(m.law.start))
}

func number(v float64) example.Number { return example.Number{Value: v, Format: "%.4f"} }

// columns returns the times of a series, and the values of function k with their errors.
func columns(s series, k int) (times []float64, values []sde.Estimate) {
	for i := range s.Len() {
		t, o := s.At(i)
		times, values = append(times, t), append(values, o.Estimate(k))
	}
	return times, values
}

// picture draws what was found and saves the numbers behind it.
func (m *measured) picture(s *example.Session) error {
	fig := example.NewFigure(840, 640)
	m.plane(fig)
	end := s.Time
	times, u := columns(m.sgd, 0)
	flowTimes, flow := columns(m.flow, 0)
	_, silent := columns(m.silent, 0)

	p := fig.Panel(482, 372, 822, 600, "(b) sliding", "time, in units in which a step takes η", "u = a²−b²")
	logs := func(times []float64, f func(i int) float64) (xy plotter.XYs) {
		for i, t := range times {
			if v := f(i); v > 0 {
				xy = append(xy, plotter.XY{X: t, Y: math.Log10(v)})
			}
		}
		return xy
	}
	sgd := example.Curve(logs(times, func(i int) float64 { return u[i].Value }), example.Blue)
	sgd.Width = 5
	sgd.Color = example.Faint(example.Blue)
	sd := example.Curve(logs(flowTimes, func(i int) float64 { return flow[i].Value }), example.Green, 2, 4)
	small := example.Curve(logs(times, func(i int) float64 { return m.law.small(times[i]) }), example.Orange, 4, 3)
	exact := example.Curve(logs(times, func(i int) float64 { return m.law.at(times[i]) }), example.Black)
	quiet := example.Curve(logs(times[:min(len(times), len(silent))], func(i int) float64 { return silent[i].Value }), example.Grey)
	p.Add(quiet, sgd, exact, small, sd)
	p.Legend.Add("without noise", quiet)
	p.Legend.Add("SGD, noisy labels", sgd)
	p.Legend.Add("law", exact)
	p.Legend.Add("u(0)exp(−ησ²t/B)", small)
	p.Legend.Add("its SDE", sd)
	p.Y.Tick.Marker = example.Decades{}
	top := math.Log10(m.law.start)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end, math.Log10(m.law.small(end))-0.4, top+1.3

	p = fig.Panel(62, 48, 405, 276, "(c) getting flatter", "time, in units in which a step takes η", "sharpness tr H = a²+b²")
	times, sharp := columns(m.sgd, 1)
	var curve plotter.XYs
	dots := &plotter.Scatter{GlyphStyle: draw.GlyphStyle{Color: example.Blue, Radius: 2.5, Shape: draw.CircleGlyph{}}}
	for i, t := range times {
		curve = append(curve, plotter.XY{X: t, Y: math.Hypot(m.law.at(t), 2)})
		if i%4 == 0 {
			dots.XYs = append(dots.XYs, plotter.XY{X: t, Y: sharp[i].Value})
		}
	}
	line := example.Curve(curve, example.Black)
	floor := example.Curve(plotter.XYs{{X: 0, Y: 2}, {X: end, Y: 2}}, example.Grey, 4, 3)
	p.Add(floor, line, dots)
	p.Legend.Add("SGD, noisy labels", dots)
	p.Legend.Add("√(u²+4) by the law of u", line)
	p.Legend.Add("flattest minimum", floor)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end, 0, 1.2*math.Hypot(m.law.start, 2)

	p = fig.Panel(482, 48, 822, 276, "(d) how good the laws are", "time, in units in which a step takes η", "log(u simulated/u of a law), %")
	data := [][]float64{times}
	values, errors := make([]float64, len(times)), make([]float64, len(times))
	span := 1.0
	for k, v := range []struct {
		name string
		at   func(t float64) float64
	}{{"u(0)exp(−ησ²t/B)", m.law.small}, {"law, with fluctuations about the minima", m.law.at}} {
		low, high, line := make([]float64, len(times)), make([]float64, len(times)), make(plotter.XYs, len(times))
		for i, t := range times {
			values[i], errors[i] = u[i].Value, u[i].StdErr
			off, half := 100*math.Log(u[i].Value/v.at(t)), 200*u[i].StdErr/u[i].Value
			low[i], high[i], line[i] = off-half, off+half, plotter.XY{X: t, Y: off}
			if u[i].Value > 0 {
				span = math.Max(span, math.Abs(off)+half)
			}
		}
		band := example.Band(times, low, high, example.Faint(example.Palette[1-k]))
		curve := example.Curve(line, example.Palette[1-k])
		p.Add(band, curve)
		p.Legend.Add(v.name, band, curve)
	}
	p.Add(example.Curve(plotter.XYs{{X: 0, Y: 0}, {X: end, Y: 0}}, example.Black, 4, 3))
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end, -1.1*span, 0.6*span
	data = append(data, values, errors)
	if err := s.SaveData("labelnoise", example.Columns(data...), "time", "u", "standard_error"); err != nil {
		return err
	}
	return s.Save(fig, "labelnoise.png")
}

// plane draws panel (a): the minima and a particle on its way along them.
func (m *measured) plane(fig *example.Figure) {
	p := fig.Panel(62, 372, 405, 600, "(a) one particle along the minima", "a", "b")
	end := 1.2 * math.Max(m.start, 1/m.start)
	hyperbola := func(c float64) (xy plotter.XYs) {
		for i := range 401 {
			x := end * float64(i+1) / 401
			if y := c / x; y <= end {
				xy = append(xy, plotter.XY{X: x, Y: y})
			}
		}
		return xy
	}
	for _, c := range []float64{0.25, 0.5, 2, 3, 4} {
		p.Add(example.Curve(hyperbola(c), example.Light))
	}
	_, states := m.path.Path(0)
	every := max(1, states.Rows/2000)
	var xy plotter.XYs
	for i := 0; i < states.Rows; i += every {
		xy = append(xy, plotter.XY{X: states.Row(i)[0], Y: states.Row(i)[1]})
	}
	path := example.Curve(xy, example.Blue)
	path.Width = 0.75
	minima := example.Curve(hyperbola(1), example.Black)
	flattest := &plotter.Scatter{XYs: plotter.XYs{{X: 1, Y: 1}}, GlyphStyle: plotter.DefaultGlyphStyle}
	flattest.Color, flattest.Radius = example.Orange, 4
	flattest.Shape = draw.CircleGlyph{}
	p.Add(path, minima, flattest)
	p.Legend.Add("SGD, noisy labels", path)
	p.Legend.Add("minima ab = 1", minima)
	p.Legend.Add("flattest, a = b", flattest)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, end, 0, 0.9*end
}
