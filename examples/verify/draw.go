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
	"github.com/sgflow/sgflow/stationary"
	"github.com/sgflow/sgflow/stationary/stationarytest"
)

// draw draws the densities, and how far the temperatures are off.
func draw(s *example.Session, law *stationary.Density, o stationarytest.Options, all []verified) error {
	fig := example.NewFigure(840, 660)
	const columns, side, high = 4, 170, 118
	for k, v := range all {
		x, y := float64(46+k%columns*200), float64(500-k/columns*190)
		ylabel := ""
		if k%columns == 0 {
			ylabel = "p(x)"
		}
		p := fig.Panel(x, y, x+side, y+high, v.name, "x", ylabel)
		edges := v.hist.Edges()
		density, _ := v.hist.Density()
		xs, ys := example.Stairs(edges, density)
		zero := make([]float64, len(xs))
		c := verdictColor(v.report.Verdict)
		p.Add(example.Band(xs, zero, ys, example.Faint(c)))
		exact := make(plotter.XYs, 200)
		for i := range exact {
			exact[i].X = -2.2 + 4.4*float64(i)/199
			exact[i].Y = law.Density(exact[i].X)
		}
		p.Add(example.Curve(exact, example.Black))
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -2.2, 2.2, 0, 1
		p.X.Tick.Marker, p.Y.Tick.Marker = example.Ticks(4), example.Ticks(3)
	}
	if err := key4(fig); err != nil {
		return err
	}
	return ratios(s, fig, o, all)
}

// verdictColor is the colour of a verdict.
func verdictColor(v stationarytest.Verdict) color.NRGBA {
	switch v {
	case stationarytest.Pass:
		return example.Green
	case stationarytest.Fail:
		return example.Orange
	}
	return example.Yellow
}

// key4 explains the colours in the place of an eighth panel.
func key4(fig *example.Figure) error {
	p := fig.Panel(646, 310, 816, 428, "", "", "")
	p.HideAxes()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	line := example.Curve(plotter.XYs{{X: 0, Y: 0.9}, {X: 0.12, Y: 0.9}}, example.Black)
	p.Add(line)
	texts := plotter.XYLabels{XYs: plotter.XYs{{X: 0.17, Y: 0.9}}, Labels: []string{"exp(−L/T)/Z"}}
	for i, v := range []stationarytest.Verdict{stationarytest.Pass, stationarytest.Fail, stationarytest.Inconclusive} {
		y := 0.68 - 0.22*float64(i)
		p.Add(example.Band([]float64{0, 0.12}, []float64{y - 0.06, y - 0.06}, []float64{y + 0.06, y + 0.06}, example.Faint(verdictColor(v))))
		texts.XYs = append(texts.XYs, plotter.XY{X: 0.17, Y: y})
		texts.Labels = append(texts.Labels, string(v))
	}
	labels, err := plotter.NewLabels(texts)
	if err != nil {
		return err
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].Font = p.Legend.TextStyle.Font
		labels.TextStyle[i].YAlign = vgdraw.YCenter
	}
	p.Add(labels)
	return nil
}

// ratios draws T̂/T of each optimizer beside what is allowed, on a logarithmic axis.
func ratios(s *example.Session, fig *example.Figure, o stationarytest.Options, all []verified) error {
	p := fig.Panel(180, 48, 816, 228, "temperature, ± 5 standard errors, and what is allowed", "temperature that is sampled / T", "")
	n := float64(len(all))
	lo, hi := math.Log2(1-o.Temperature), math.Log2(1+o.Temperature)
	p.Add(example.Band([]float64{lo, hi}, []float64{-0.6, -0.6}, []float64{n - 0.4, n - 0.4}, example.Light))
	var names []plot.Tick
	var data [3][]float64
	for i, v := range all {
		y := n - 1 - float64(i)
		names = append(names, plot.Tick{Value: y, Label: v.name})
		c := verdictColor(v.report.Verdict)
		r, se := v.report.Ratio, v.report.RatioStdErr
		data[0], data[1], data[2] = append(data[0], r), append(data[1], se), append(data[2], v.report.Checks[1].Departure)
		const floor = 1.0 / 16
		bar := example.Curve(plotter.XYs{{X: math.Log2(max(r-5*se, floor)), Y: y}, {X: math.Log2(max(r+5*se, floor)), Y: y}}, c)
		bar.Width = vg.Length(3)
		point := &plotter.Scatter{XYs: plotter.XYs{{X: math.Log2(max(r, floor)), Y: y}}, GlyphStyle: vgdraw.GlyphStyle{Color: c, Radius: 4, Shape: vgdraw.CircleGlyph{}}}
		p.Add(bar, point)
	}
	p.Y.Tick.Marker = plot.ConstantTicks(names)
	p.X.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: -4, Label: "≤ 1/16"}, {Value: -3, Label: "⅛"}, {Value: -2, Label: "¼"}, {Value: -1, Label: "½"}, {Value: 0, Label: "1"}, {Value: 1, Label: "2"}, {Value: 2, Label: "4"}})
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -4.3, 2, -0.6, n-0.4
	if err := s.Save(fig, "verify.png"); err != nil {
		return err
	}
	return s.SaveData("verify", example.Columns(data[0], data[1], data[2]), "ratio", "standard_error", "total_variation")
}
