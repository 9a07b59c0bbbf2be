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
	"github.com/sgflow/sgflow/integrate"
)

// table reports what was found.
func (m *measured) table(s *example.Session) {
	t := s.Report.Table("setting", "SGD with stale gradients on ½θ²")
	t.Row("learning_rate", "learning rate η", s.Step)
	t.Row("variance", "variance of the gradients", float64(variance))
	t.Row("particles", "particles", s.Particles)
	t.Row("seed", "seed", s.Seed)
	t.Row("time", "time observed", s.Time)

	t = s.Report.Table("stability", "The largest stable ηh", example.Column{Key: "measured", Label: "measured"}, example.Column{Key: "exact", Label: "2 sin(π/(2(2τ+1)))"})
	for tau, v := range m.limits {
		t.Row(fmt.Sprint(tau), fmt.Sprintf("τ = %d", tau), example.Number{Value: v, Format: "%.4f"}, example.Number{Value: stable(tau), Format: "%.4f"})
	}
	for _, v := range []struct {
		key, title string
		table      *integrate.Swept
	}{{"fixed", "⟨θ²⟩, always τ", m.fixed}, {"random", "⟨θ²⟩, geometric of mean τ", m.random}} {
		t = s.Report.Table(v.key, v.title, example.Column{Key: "simulated", Label: "simulated"}, example.Column{Key: "exact", Label: "exact"}, example.Column{Key: "sigma", Label: "off by"},
			example.Column{Key: "change", Label: "change from the first"})
		for i, r := range v.table.Rows {
			var change any
			if i > 0 {
				change = r.Changes[0]
			}
			t.Row(fmt.Sprint(r.Value), fmt.Sprintf("τ = %g", r.Value), r.Estimates[0], example.Number{Value: r.Exact[0], Format: "%.5f"},
				example.Number{Value: (r.Estimates[0].Value - r.Exact[0]) / r.Estimates[0].StdErr, Format: "%+.1f se"}, change)
		}
	}
}

// picture draws what was found and saves the numbers behind it.
func (m *measured) picture(s *example.Session) error {
	fig := example.NewFigure(840, 640)

	p := fig.Panel(62, 372, 405, 600, "(a) the largest stable learning rate", "staleness τ, in steps", "learning rate × curvature, ηh")
	var x, y, limits []float64
	for tau := 0.0; tau <= float64(m.longest); tau += 0.05 {
		x, y = append(x, tau), append(y, math.Log10(2*math.Sin(math.Pi/(2*(2*tau+1)))))
	}
	bound := example.Curve(example.XYs(x, y), example.Black)
	var taus []float64
	for tau, v := range m.limits {
		taus, limits = append(taus, float64(tau)), append(limits, math.Log10(v))
	}
	found := points(taus, limits, nil, example.Blue)
	rate := example.Curve(plotter.XYs{{X: 0, Y: math.Log10(s.Step)}, {X: float64(m.longest), Y: math.Log10(s.Step)}}, example.Orange, 4, 3)
	p.Add(bound, rate)
	found.add(p)
	p.Legend.Add("simulated without noise, by bisection", found)
	p.Legend.Add("2 sin(π/(2(2τ+1)))", bound)
	p.Legend.Add(fmt.Sprintf("ηh = %g, of (b) and (c)", s.Step), rate)
	p.Y.Tick.Marker = example.Decades{}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.3, float64(m.longest)+0.3, math.Min(-1.3, math.Log10(s.Step)-0.2), math.Log10(4)

	p = fig.Panel(482, 372, 822, 600, "(b) the variance it costs", "staleness τ, in steps", "variance over that without delay")
	none := exact(s.Step, []float64{1})
	top := 0.0
	for i, v := range []struct {
		name  string
		table *integrate.Swept
		exact func(tau int) float64
	}{
		{"every gradient τ steps old", m.fixed, func(tau int) float64 { return exact(s.Step, weights(integrate.DelayedSGD{Delay: tau})) }},
		{"geometric, of mean τ", m.random, func(tau int) float64 {
			if tau == 0 {
				return none
			}
			return exact(s.Step, weights(integrate.DelayedSGD{Delays: integrate.GeometricDelays(float64(tau), cut(float64(tau)))}))
		}},
	} {
		c := []color.NRGBA{example.Blue, example.Orange}[i]
		var x, y, se []float64
		for _, r := range v.table.Rows {
			x, y, se = append(x, r.Value), append(y, math.Log10(r.Estimates[0].Value/none)), append(se, 2*r.Estimates[0].StdErr/r.Estimates[0].Value/math.Ln10)
		}
		var line plotter.XYs
		for tau := range m.longest + 1 {
			e := v.exact(tau) / none
			line = append(line, plotter.XY{X: float64(tau), Y: math.Log10(e)})
			top = math.Max(top, math.Log10(e))
		}
		curve := example.Curve(line, example.Black)
		if i == 1 {
			curve = example.Curve(line, example.Black, 4, 3)
		}
		dots := points(x, y, se, c)
		p.Add(curve)
		dots.add(p)
		p.Legend.Add(v.name+", simulated", dots)
		p.Legend.Add("exact", curve)
	}
	p.Y.Tick.Marker = example.Decades{}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.3, float64(m.longest)+0.3, -0.1, top+0.8

	p = fig.Panel(62, 48, 822, 288, "(c) one particle, with the same noise", "time, in units in which a step takes η", "θ")
	span := 0.0
	for _, path := range m.paths {
		_, states := path.Path(0)
		for _, v := range states.Data {
			span = math.Max(span, math.Abs(v))
		}
	}
	var ticks []plot.Tick
	var columns [][]float64
	for i, path := range m.paths {
		base := 2.2 * span * float64(len(m.paths)-1-i)
		times, states := path.Path(0)
		line := example.XYs(times, states.Data)
		for k := range line {
			line[k].Y += base
		}
		curve := example.Curve(line, example.Palette[i])
		zero := example.Curve(plotter.XYs{{X: 0, Y: base}, {X: times[len(times)-1], Y: base}}, example.Grey)
		zero.Width = 0.75
		p.Add(zero, curve)
		p.Legend.Add(fmt.Sprintf("τ = %d", m.delays[i]), curve)
		half := math.Round(span*5) / 10
		ticks = append(ticks, plot.Tick{Value: base - half, Label: fmt.Sprintf("−%g", half)}, plot.Tick{Value: base, Label: "0"}, plot.Tick{Value: base + half, Label: fmt.Sprintf("%g", half)})
		if i == 0 {
			columns = append(columns, times)
			p.X.Min, p.X.Max = 0, times[len(times)-1]
		}
		columns = append(columns, states.Data)
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Min, p.Y.Max = -1.1*span, 2.2*span*float64(len(m.paths)-1)+1.9*span
	if err := s.SaveData("async-paths", example.Columns(columns...), "time", "none", "half", "longest"); err != nil {
		return err
	}
	return s.Save(fig, "async.png")
}

// dots are points with error bars.
type dots struct {
	*plotter.Scatter
	bars *plotter.YErrorBars
}

func points(x, y, half []float64, c color.Color) dots {
	d := dots{Scatter: &plotter.Scatter{XYs: example.XYs(x, y), GlyphStyle: draw.GlyphStyle{Color: c, Radius: 3, Shape: draw.CircleGlyph{}}}}
	if half != nil {
		errors := make(plotter.YErrors, len(half))
		for i, v := range half {
			errors[i].Low, errors[i].High = v, v
		}
		d.bars = &plotter.YErrorBars{XYs: d.XYs, YErrors: errors, LineStyle: draw.LineStyle{Color: c, Width: vg.Length(1)}, CapWidth: 6}
	}
	return d
}

func (d dots) add(p *plot.Plot) {
	if d.bars != nil {
		p.Add(d.bars)
	}
	p.Add(d.Scatter)
}
