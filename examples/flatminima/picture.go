// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/stationary"
)

// picture draws what was found and saves the numbers behind it.
func picture(s *example.Session, all []*model) error {
	fig := example.NewFigure(840, 690)
	if err := densities(fig, all); err != nil {
		return err
	}
	if err := preference(s, fig, all); err != nil {
		return err
	}
	for i, m := range all {
		if err := times(fig, i, m); err != nil {
			return err
		}
	}
	return s.Save(fig, "flatminima.png")
}

// densities draws panel (a): the landscape, and the two laws at one D.
func densities(fig *example.Figure, all []*model) error {
	const d = 0.1
	p := fig.Panel(62, 484, 405, 660, fmt.Sprintf("(a) stationary law at D = %g (at x = 0)", d), "", "p(x)")
	l := fig.Panel(62, 372, 405, 468, "", "x", "L(x)")
	const lo, hi, n = -1.2, 3.0, 500
	for i, m := range all {
		law, err := stationary.ZeroFlux(m.flow(d))
		if err != nil {
			return err
		}
		var xy plotter.XYs
		for k := range n + 1 {
			x := lo + (hi-lo)*float64(k)/n
			xy = append(xy, plotter.XY{X: x, Y: law.Density(x)})
		}
		c := example.Curve(xy, example.Palette[i])
		p.Add(c)
		p.Legend.Add(m.name, c)
	}
	var xy plotter.XYs
	for k := range n + 1 {
		x := lo + (hi-lo)*float64(k)/n
		xy = append(xy, plotter.XY{X: x, Y: loss.FlatSharp{}.Value([]float64{x})})
	}
	l.Add(example.Curve(xy, example.Grey))
	p.X.Min, p.X.Max, p.Y.Min = lo, hi, 0
	p.X.Tick.Marker = example.Silent{Ticker: p.X.Tick.Marker}
	l.X.Min, l.X.Max, l.Y.Min, l.Y.Max = lo, hi, 0, 1.2
	l.Y.Tick.Marker = example.Ticks(3)
	return nil
}

// preference draws panel (b): the ratio of the wells' shares against 1/D.
func preference(s *example.Session, fig *example.Figure, all []*model) error {
	p := fig.Panel(482, 372, 822, 660, "(b) time in the flat well over the sharp one", "1/D", "ratio")
	var data [4][]float64
	for i, m := range all {
		var xy plotter.XYs
		for b := 1.0; b <= 30; b++ {
			law, err := stationary.ZeroFlux(m.flow(1 / b))
			if err != nil {
				return err
			}
			inf := math.Inf(1)
			flat, sharp := law.Probability([]float64{-inf}, []float64{barrier}), law.Probability([]float64{barrier}, []float64{inf})
			xy = append(xy, plotter.XY{X: b, Y: math.Log10(flat / sharp)})
		}
		c := example.Curve(xy, example.Palette[i])
		p.Add(c)
		p.Legend.Add(m.name+", zero-flux law", c)
		dots := &plotter.Scatter{GlyphStyle: draw.GlyphStyle{Color: example.Palette[i], Radius: 3, Shape: draw.CircleGlyph{}}}
		for _, r := range m.runs {
			e := r.ratio()
			dots.XYs = append(dots.XYs, plotter.XY{X: 1 / r.d, Y: math.Log10(e.Value)})
			low := max(e.Value-2*e.StdErr, 0.01*e.Value)
			p.Add(example.Curve(plotter.XYs{{X: 1 / r.d, Y: math.Log10(low)}, {X: 1 / r.d, Y: math.Log10(e.Value + 2*e.StdErr)}}, example.Palette[i]))
			for j, v := range []float64{float64(i), r.d, e.Value, e.StdErr} {
				data[j] = append(data[j], v)
			}
		}
		p.Add(dots)
		if i == 0 {
			p.Legend.Add("simulated, ± 2 se", dots)
		}
	}
	root := example.Curve(plotter.XYs{{X: 0, Y: math.Log10(math.Sqrt(5))}, {X: 30, Y: math.Log10(math.Sqrt(5))}}, example.Black, 4, 3)
	p.Add(root)
	p.Legend.Add("√(10/2)", root)
	p.Y.Tick.Marker = powers{}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 30, 0, 5
	return s.SaveData("flatminima-ratio", example.Columns(data[0], data[1], data[2], data[3]), "model", "d", "ratio", "standard_error")
}

// times draws panels (c) and (d): how long it takes to leave either well.
func times(fig *example.Figure, i int, m *model) error {
	left := 62 + 420*float64(i)
	p := fig.Panel(left, 48, left+340, 288, fmt.Sprintf("(%c) mean time to leave, %s", 'c'+i, m.name), "1/D", "mean time")
	for k, way := range [][3]float64{{0, barrier, 2}, {2, barrier, 0}} {
		var exact, kramers plotter.XYs
		for b := 2.0; b <= 30; b++ {
			e, err := stationary.MeanFirstPassageTime(m.flow(1/b), way[0], way[2])
			if err != nil {
				return err
			}
			f, err := stationary.Kramers(m.flow(1/b), way[0], way[1])
			if err != nil {
				return err
			}
			exact = append(exact, plotter.XY{X: b, Y: e.Log / math.Ln10})
			kramers = append(kramers, plotter.XY{X: b, Y: f.Log / math.Ln10})
		}
		line, dashed := example.Curve(exact, example.Palette[2+k]), example.Curve(kramers, example.Palette[2+k], 5, 3)
		p.Add(line, dashed)
		p.Legend.Add([2]string{"flat to sharp", "sharp to flat"}[k], line)
		if k == 1 {
			p.Legend.Add("Kramers", dashed)
		}
	}
	p.Y.Tick.Marker = powers{}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 30, 0, 10
	return nil
}

// powers marks every power of ten of a logarithm.
type powers struct{}

func (powers) Ticks(lo, hi float64) (t []plot.Tick) {
	for e := math.Ceil(lo); e <= hi; e++ {
		t = append(t, plot.Tick{Value: e, Label: fmt.Sprintf("1e%g", e)})
	}
	return t
}
