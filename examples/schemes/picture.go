// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"image/color"
	"math"
	"sort"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/sde"
)

// The corners of the panels, in points.
const (
	panelWidth, panelHeight  = 205, 205
	firstColumn, columnsStep = 58, 277
	upperRow, lowerRow       = 403, 128
)

// picture draws a column of two panels for each landscape, and the legend below.
func picture(s *example.Session, found []*diagram) error {
	fig := example.NewFigure(840, 640)
	for i, d := range found {
		left := float64(firstColumn + i*columnsStep)
		letter := string(rune('a' + i))
		p := fig.Panel(left, upperRow, left+panelWidth, upperRow+panelHeight, fmt.Sprintf("(%s) %s", letter, d.name),
			"gradients per unit of time", "error of the mean of "+d.what)
		d.panel(p, func(c curve, k int) float64 { return c.gradients / d.steps[k] }, func(c curve) ([]sde.Estimate, sde.Estimate) { return c.average, c.averageRate }, false)
		p = fig.Panel(left, lowerRow, left+panelWidth, lowerRow+panelHeight, fmt.Sprintf("(%s) paths, t = %.3g", string(rune('d'+i)), s.Time*d.unit*d.times),
			"step h", "median distance from the path")
		d.panel(p, func(_ curve, k int) float64 { return d.steps[k] }, func(c curve) ([]sde.Estimate, sde.Estimate) { return c.path, c.pathRate }, true)
	}
	legend(fig.Panel(firstColumn, 8, 820, 78, "", "", ""), found[0].methods)
	return s.Save(fig, "schemes.png")
}

// tag is an order that stands at the end of a curve.
type tag struct {
	x, y float64
	text string
	c    color.Color
}

// panel draws the curves of a panel over x, on logarithmic axes, and their orders at the
// shortest step.
func (d *diagram) panel(p *plot.Plot, x func(c curve, k int) float64, of func(c curve) ([]sde.Estimate, sde.Estimate), strong bool) {
	p.X.Tick.Marker, p.Y.Tick.Marker = powers{}, powers{}
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	var tags []tag
	var exact []string
	rings := false
	for i, c := range d.curves {
		m := d.methods[i]
		if !strong && c.exact {
			exact = append(exact, m.name)
			continue
		}
		errs, order := of(c)
		var points plotter.XYs
		for k, e := range errs {
			if !(e.Value > 0) {
				continue
			}
			q := plotter.XY{X: math.Log10(x(c, k)), Y: math.Log10(e.Value)}
			if !strong && e.StdErr > 0 && e.Value < 2*e.StdErr {
				// What is not told from 0: no point, but how far down it may be.
				q.Y = math.Log10(e.Value + 2*e.StdErr)
				p.Add(mark(q, m.colour, draw.RingGlyph{}))
				rings = true
			} else {
				if e.StdErr > 0.02*e.Value {
					w := 2 * e.StdErr / e.Value / math.Ln10
					line := example.Curve(plotter.XYs{{X: q.X, Y: q.Y - w}, {X: q.X, Y: q.Y + w}}, m.colour)
					line.Width = 0.75
					p.Add(bare{line})
				}
				points = append(points, q)
			}
			lo[0], hi[0], lo[1], hi[1] = math.Min(lo[0], q.X), math.Max(hi[0], q.X), math.Min(lo[1], q.Y), math.Max(hi[1], q.Y)
		}
		if len(points) == 0 {
			continue
		}
		p.Add(example.Curve(points, m.colour, m.dashes...))
		for _, q := range points {
			p.Add(mark(q, m.colour, draw.CircleGlyph{}))
		}
		if !math.IsNaN(order.Value) {
			tags = append(tags, tag{points[len(points)-1].X, points[len(points)-1].Y, fmt.Sprintf("%.1f", order.Value), m.colour})
		}
	}
	width, height := hi[0]-lo[0], hi[1]-lo[1]
	beside, align := 0.03*width, text.XLeft
	if strong {
		beside, align = -beside, text.XRight
		lo[0], hi[0], lo[1] = lo[0]-0.17*width, hi[0]+0.05*width, lo[1]-0.04*height
	} else {
		lo[0], hi[0] = lo[0]-0.05*width, hi[0]+0.17*width
	}
	lo[1], hi[1] = lo[1]-0.06*height, hi[1]+0.06*height
	var words []string
	if len(exact) > 0 {
		words = append([]string{"exact at every step:", "BAOAB"}, exact...)
	}
	if rings {
		words = append(words, "rings: within 2 standard", "errors of 0, below the ring")
	}
	if len(words) > 0 {
		lo[1] -= 0.085 * float64(len(words)) * height
		note(p, lo[0]+0.03*width, lo[1]+0.03*height, strings.Join(words, "\n"))
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = lo[0], hi[0], lo[1], hi[1]
	spread(tags, 0.12*(hi[0]-lo[0]), 0.058*(hi[1]-lo[1]))
	for _, t := range tags {
		l := &plotter.Labels{XYs: plotter.XYs{{X: t.x + beside, Y: t.y}}, Labels: []string{t.text}, TextStyle: []text.Style{p.Legend.TextStyle}}
		l.TextStyle[0].Color, l.TextStyle[0].XAlign, l.TextStyle[0].YAlign = t.c, align, text.YCenter
		p.Add(bare{l})
	}
}

// spread moves tags up and down until none overlaps another.
func spread(tags []tag, wide, high float64) {
	sort.Slice(tags, func(i, j int) bool { return tags[i].y < tags[j].y })
	for range 200 {
		for i := range tags {
			for j := range i {
				a, b := &tags[j], &tags[i]
				if lack := high - (b.y - a.y); lack > 1e-9 && math.Abs(a.x-b.x) < wide {
					a.y -= lack / 2
					b.y += lack / 2
				}
			}
		}
	}
}

// mark is a point of a curve.
func mark(q plotter.XY, c color.Color, shape draw.GlyphDrawer) plot.Plotter {
	return bare{&plotter.Scatter{XYs: plotter.XYs{q}, GlyphStyle: draw.GlyphStyle{Color: c, Radius: 2, Shape: shape}}}
}

// note writes lines from a lower left corner.
func note(p *plot.Plot, x, y float64, s string) {
	l := &plotter.Labels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{s}, TextStyle: []text.Style{p.Legend.TextStyle}}
	l.TextStyle[0].Color, l.TextStyle[0].XAlign, l.TextStyle[0].YAlign = example.Black, text.XLeft, text.YBottom
	p.Add(bare{l})
}

// legend draws the methods' lines and names in rows of three, in a panel without axes.
func legend(p *plot.Plot, methods []method) {
	p.HideAxes()
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(nil), plot.ConstantTicks(nil)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 3, 0, 4
	rows := (len(methods) + 2) / 3
	for i, m := range methods {
		x, y := float64(i/rows), 3.5-float64(i%rows)
		p.Add(example.Curve(plotter.XYs{{X: x, Y: y}, {X: x + 0.12, Y: y}}, m.colour, m.dashes...), mark(plotter.XY{X: x + 0.06, Y: y}, m.colour, draw.CircleGlyph{}))
		l := &plotter.Labels{XYs: plotter.XYs{{X: x + 0.15, Y: y}}, Labels: []string{m.name}, TextStyle: []text.Style{p.Legend.TextStyle}}
		l.TextStyle[0].XAlign, l.TextStyle[0].YAlign, l.Offset = text.XLeft, text.YCenter, vg.Point{}
		p.Add(bare{l})
	}
	note(p, 0, 0, "Numbers at the ends of the curves are fitted orders. Bars are 2 standard errors; curves without have none, or smaller ones than the points.")
}

// bare is a plotter that does not make room for itself: panels line up, and what
// stands in them has been given its place.
type bare struct{ plot.Plotter }

// powers labels the powers of ten, and marks what is between them if they are few.
type powers struct{}

// Ticks implements plot.Ticker.
func (powers) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	for _, t := range (example.Decades{}).Ticks(lo, hi) {
		if t.Label != "" {
			if e := math.Round(t.Value); math.Abs(e) < 3 {
				t.Label = strconv.FormatFloat(math.Pow(10, e), 'g', -1, 64)
			} else {
				t.Label = fmt.Sprintf("1e%g", e)
			}
		}
		if t.Label != "" || hi-lo < 3.5 {
			ticks = append(ticks, t)
		}
	}
	return ticks
}
