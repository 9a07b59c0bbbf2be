// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// measured is what the table and the picture are made of.
type measured struct {
	result    *integrate.Result // merged
	hist      *stationary.Histogram
	moments   *integrate.Moments
	parts     int
	lives     [][]life          // of the processes, if this one has started them
	one       *integrate.Result // of one process, nil if there was none
	different int               // groups of the observers whose bits differ from one process's
}

// report prints and draws.
func (st *study) report(s *example.Session, m measured) error {
	t := s.Report.Table("run", "Flat against sharp minimum, L = x²(x−2)²(1+x²)/4")
	t.Row("particles", "particles", m.result.Particles)
	t.Row("groups", "groups, of which parts take whole ones", m.result.Groups)
	t.Row("parts", "parts merged", m.parts)
	t.Row("step", "step h", s.Step)
	t.Row("time", "simulated to time", m.result.Time)
	t.Row("seed", "seed", s.Seed)
	mean, _ := st.law.Mean(func(theta []float64) float64 { return theta[0] })
	t.Row("mean", "⟨x⟩", m.moments.Mean(0))
	t.Row("boltzmann", "⟨x⟩ of exp(−L/T)", mean)

	if m.lives != nil {
		t = s.Report.Table("processes", "Processes", []example.Column{{Key: "from", Label: "from, s"}, {Key: "to", Label: "to, s"},
			{Key: "end", Label: "end"}, {Key: "resumed", Label: "resumed at time"}}...)
		for i, lives := range m.lives {
			for k, l := range lives {
				end, resumed := "done", any(nil)
				if l.killed {
					end = "killed"
				}
				if l.resumed > 0 {
					resumed = l.resumed
				}
				t.Row(fmt.Sprintf("part%d_%d", i, k), fmt.Sprintf("part %d", i), example.Number{Value: l.from, Format: "%.2f"},
					example.Number{Value: l.to, Format: "%.2f"}, end, resumed)
			}
		}
		t = s.Report.Table("bits", "Against one process")
		t.Row("different", "saved groups of observers that differ", m.different)
		t.Row("equal", "same bits", fmt.Sprint(m.different == 0))
		t.Row("seconds", "seconds of one process", example.Number{Value: m.one.Elapsed.Seconds(), Format: "%.2g"})
		if m.different > 0 {
			return fmt.Errorf("%d groups differ from those of one process", m.different)
		}
	}
	r, err := stationary.Compare(st.law, m.hist)
	if err != nil {
		return err
	}
	s.Report.Note("Against Boltzmann: total variation %v, p = %.2g.",
		sde.Estimate{Value: r.TotalVariation.Value, StdErr: r.TotalVariation.StdErr}, r.PValue())
	return st.picture(s, m)
}

// picture draws the density and, if there were processes, their lives.
func (st *study) picture(s *example.Session, m measured) error {
	height, base := 330.0, 48.0
	if m.lives != nil {
		height, base = 560, 278
	}
	fig := example.NewFigure(840, height)
	p := fig.Panel(62, base, 822, height-30, fmt.Sprintf("(a) %d parts merged", m.parts), "x", "p(x)")
	edges := m.hist.Edges()
	density, _ := m.hist.Density()
	x, y := example.Stairs(edges, density)
	bars := example.Band(x, make([]float64, len(x)), y, example.Faint(example.Blue))
	outline := example.Curve(example.XYs(x, y), example.Blue)
	outline.Width = 0.75
	exact := make(plotter.XYs, 601)
	top := 0.0
	for i := range exact {
		exact[i].X = m.hist.Lo + (m.hist.Hi-m.hist.Lo)*float64(i)/600
		exact[i].Y = st.law.Density(exact[i].X)
		top = math.Max(top, exact[i].Y)
	}
	curve := example.Curve(exact, example.Black)
	p.Add(bars, outline, curve)
	p.Legend.Add("simulated", bars, outline)
	p.Legend.Add("exp(−L/T)/Z", curve)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = st.law.Quantile(1e-6), st.law.Quantile(1-1e-6), 0, 1.15*top
	if m.lives == nil {
		return s.Save(fig, "shards.png")
	}

	q := fig.Panel(62, 48, 822, 208, "(b) the processes, one of which was killed", "seconds since the first was started", "part")
	var ticks []plot.Tick
	end := 0.0
	var data [3][]float64
	for i, lives := range m.lives {
		level := float64(len(m.lives) - 1 - i)
		ticks = append(ticks, plot.Tick{Value: level, Label: fmt.Sprint(i)})
		for k, l := range lives {
			color := example.Blue
			if l.killed {
				color = example.Orange
			}
			bar := example.Curve(plotter.XYs{{X: l.from, Y: level}, {X: l.to, Y: level}}, color)
			bar.Width = vg.Points(9)
			q.Add(bar)
			if l.killed {
				label := "killed"
				if k+1 < len(lives) {
					label = fmt.Sprintf("killed, and resumed at time %.3g", lives[k+1].resumed)
				}
				text, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: l.to, Y: level}}, Labels: []string{label}})
				if err != nil {
					return err
				}
				text.TextStyle[0] = q.Legend.TextStyle
				text.TextStyle[0].YAlign = draw.YBottom
				text.Offset = vg.Point{X: 2, Y: 7}
				q.Add(text)
			}
			end = math.Max(end, l.to)
			data[0], data[1], data[2] = append(data[0], float64(i)), append(data[1], l.from), append(data[2], l.to)
		}
	}
	q.Y.Tick.Marker = plot.ConstantTicks(ticks)
	q.X.Min, q.X.Max, q.Y.Min, q.Y.Max = 0, end*1.02, -0.6, float64(len(m.lives))-0.1
	if err := s.SaveData("shards-processes", example.Columns(data[0], data[1], data[2]), "part", "from", "to"); err != nil {
		return err
	}
	return s.Save(fig, "shards.png")
}
