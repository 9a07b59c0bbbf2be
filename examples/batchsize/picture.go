// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// table reports what was found.
func (m *measured) table(s *example.Session) error {
	clock := integrate.Clock{LearningRate: s.Step, BatchSize: m.batch, Samples: m.loss.Samples()}
	t := s.Report.Table("setting", "Logistic regression of the breast-cancer data")
	t.Row("samples", "samples N", m.loss.Samples())
	t.Row("features", "features, and an intercept", fmt.Sprintf("%s, %s", m.features[0], m.features[1]))
	t.Row("learning_rate", "learning rate η", s.Step)
	t.Row("batch_size", "batch size B of the clouds", m.batch)
	t.Row("particles", "particles", m.result.Particles)
	t.Row("seed", "seed", s.Seed)
	t.Row("time", "time observed", s.Time)
	t.Row("steps", "steps of SGD in that", clock.Steps(s.Time))
	t.Row("epochs", "epochs in that", clock.Epochs(s.Time))

	t = s.Report.Table("gradients", "Trace of a gradient's covariance", example.Column{Key: "with", Label: "with replacement"}, example.Column{Key: "with_exact", Label: "tr Σ/B"},
		example.Column{Key: "without", Label: "without"}, example.Column{Key: "without_exact", Label: "× (N−B)/(N−1)"})
	for i := 0; i < len(m.gradients); i += 2 {
		a, b := m.gradients[i], m.gradients[i+1]
		t.Row(fmt.Sprint(a.size), fmt.Sprintf("B = %d", a.size), a.trace, number(a.exact), b.trace, number(b.exact))
	}

	t = s.Report.Table("diffusion", "tr D from a step of SGD", example.Column{Key: "measured", Label: "measured"}, example.Column{Key: "exact", Label: "(η/2B) tr Σ"})
	for _, d := range m.diffusions {
		t.Row(fmt.Sprintf("%g/%d", d.eta, d.size), fmt.Sprintf("η/B = %g/%d", d.eta, d.size), d.trace, number(d.exact))
	}

	t = s.Report.Table("variance", "Stationary E|θ−θ*|²", example.Column{Key: "simulated", Label: "simulated"}, example.Column{Key: "linear", Label: "for small noise"}, example.Column{Key: "change", Label: "change from B = 1"})
	for i, r := range m.variances.Rows {
		var change any
		if i > 0 {
			change = r.Changes[0]
		}
		t.Row(fmt.Sprint(r.Value), fmt.Sprintf("B = %g", r.Value), r.Estimates[0], number(r.Exact[0]), change)
	}

	t = s.Report.Table("powers", "Power laws", example.Column{Key: "exponent", Label: "exponent"}, example.Column{Key: "low", Label: "95 % from"}, example.Column{Key: "high", Label: "to"}, example.Column{Key: "p", Label: "p of a power law"})
	for _, f := range m.fits() {
		law, err := noise.FitPowerLaw(f.x, f.y)
		if err != nil {
			return err
		}
		low, high := law.Interval(0.95)
		t.Row(f.key, f.label, law.Exponent, number(low), number(high), example.Number{Value: law.P(), Format: "%.2g"})
	}

	sgd, flow := m.stationary(s.Step, m.batch)
	t = s.Report.Table("clouds", fmt.Sprintf("Covariance of the clouds at B = %d", m.batch), example.Column{Key: "sgd", Label: "SGD"}, example.Column{Key: "sgd_linear", Label: "for small noise"},
		example.Column{Key: "sde", Label: "its SDE, step η/2"}, example.Column{Key: "sde_linear", Label: "for small noise"})
	for i := range m.best {
		for j := i; j < len(m.best); j++ {
			t.Row(fmt.Sprintf("%d%d", i, j), fmt.Sprintf("%s, %s", m.name(i), m.name(j)), m.cloud.Covariance(i, j), number(sgd.At(i, j)), m.ofFinal(i, j), number(flow.At(i, j)))
		}
	}
	return nil
}

// ofFinal returns the covariance of two coordinates of the equation's cloud, with the standard
// error of independent normal particles.
func (m *measured) ofFinal(i, j int) sde.Estimate {
	x := m.flow.States()
	n := float64(x.Rows)
	var mi, mj, ii, jj, ij float64
	for k := range x.Rows {
		mi, mj = mi+x.Row(k)[i]/n, mj+x.Row(k)[j]/n
	}
	for k := range x.Rows {
		u, v := x.Row(k)[i]-mi, x.Row(k)[j]-mj
		ii, jj, ij = ii+u*u/(n-1), jj+v*v/(n-1), ij+u*v/(n-1)
	}
	return sde.Estimate{Value: ij, StdErr: math.Sqrt((ii*jj + ij*ij) / (n - 1)), Groups: x.Rows}
}

func number(v float64) example.Number { return example.Number{Value: v, Format: "%.4g"} }

func (m *measured) name(j int) string {
	if j < len(m.features) {
		return m.features[j]
	}
	return "intercept"
}

// fit is what a power law is fitted to.
type fit struct {
	key, label string
	x          []float64
	y          []sde.Estimate
}

func (m *measured) fits() []fit {
	f := []fit{{key: "gradient", label: "gradient's variance against B"}, {key: "diffusion", label: "D against η/B"}}
	for _, g := range m.gradients {
		if g.replacement {
			f[0].x, f[0].y = append(f[0].x, float64(g.size)), append(f[0].y, g.trace)
		}
	}
	for _, d := range m.diffusions {
		f[1].x, f[1].y = append(f[1].x, d.eta/float64(d.size)), append(f[1].y, d.trace)
	}
	return f
}

func logs(x, y []float64) plotter.XYs {
	p := make(plotter.XYs, len(x))
	for i := range x {
		p[i].X, p[i].Y = math.Log10(x[i]), math.Log10(y[i])
	}
	return p
}

func dots(xy plotter.XYs, c color.Color, radius vg.Length) *plotter.Scatter {
	return &plotter.Scatter{XYs: xy, GlyphStyle: draw.GlyphStyle{Color: c, Radius: radius, Shape: draw.CircleGlyph{}}}
}

// picture draws what was found and saves the numbers behind it.
func (m *measured) picture(s *example.Session) error {
	fig := example.NewFigure(840, 960)
	at := func(row, column int, title, x, y string) *plot.Plot {
		left, bottom := 72+418*float64(column), 684-318*float64(row)
		return fig.Panel(left, bottom, left+332, bottom+236, title, x, y)
	}
	decades := func(p *plot.Plot) { p.X.Tick.Marker, p.Y.Tick.Marker = example.Decades{}, example.Decades{} }

	p := at(0, 0, "(a) the noise of a gradient", "batch size B", "tr Cov g at the optimum")
	for k, with := range []bool{true, false} {
		var x, y []float64
		var line plotter.XYs
		for _, g := range m.gradients {
			if g.replacement == with {
				x, y = append(x, float64(g.size)), append(y, g.trace.Value)
			}
		}
		n := float64(m.loss.Samples())
		for l := 0.0; l <= math.Log10(n-1); l += 0.005 {
			b := math.Pow(10, l)
			v := mat.Trace(&m.sigma) / b
			if !with {
				v *= (n - b) / (n - 1)
			}
			line = append(line, plotter.XY{X: l, Y: math.Log10(v)})
		}
		curve := example.Curve(line, example.Black)
		if !with {
			curve = example.Curve(line, example.Black, 4, 3)
		}
		points := dots(logs(x, y), example.Palette[k], 3)
		p.Add(curve, points)
		p.Legend.Add([]string{"with replacement", "without"}[k], points)
		p.Legend.Add([]string{"tr Σ/B", "tr Σ/B · (N−B)/(N−1)"}[k], curve)
	}
	decades(p)
	p.X.Min, p.X.Max, p.Y.Max = -0.1, 2.9, p.Y.Max+0.6

	p = at(0, 1, "(b) the diffusion of a step", "η/B", "tr D = tr Cov(θ′−θ)/2η")
	var line plotter.XYs
	for k, eta := range []float64{0.5, 0.1, 2} {
		var x, y []float64
		for _, d := range m.diffusions {
			if d.eta == eta {
				x, y = append(x, d.eta/float64(d.size)), append(y, d.trace.Value)
			}
			line = append(line, plotter.XY{X: math.Log10(d.eta / float64(d.size)), Y: math.Log10(d.exact)})
		}
		points := dots(logs(x, y), example.Palette[k], []vg.Length{5, 3, 3}[k])
		p.Add(points)
		p.Legend.Add(fmt.Sprintf("η = %g", eta), points)
	}
	low, high := line[0], line[0]
	for _, v := range line {
		if v.X < low.X {
			low = v
		}
		if v.X > high.X {
			high = v
		}
	}
	exact := example.Curve(plotter.XYs{low, high}, example.Black)
	p.Add(exact)
	p.X.Min, p.X.Max = low.X-0.2, high.X+0.2
	p.Legend.Add("(η/2B) tr Σ", exact)
	decades(p)
	p.Y.Min, p.Y.Max = low.Y-0.3, high.Y+1.2

	p = at(1, 0, fmt.Sprintf("(c) the stationary variance, η = %g", s.Step), "batch size B", "mean square distance from the optimum")
	var x, y, linear []float64
	for _, r := range m.variances.Rows {
		x, y, linear = append(x, r.Value), append(y, r.Estimates[0].Value), append(linear, r.Exact[0])
	}
	points, curve := dots(logs(x, y), example.Blue, 3), example.Curve(logs(x, linear), example.Black)
	p.Add(curve, points)
	p.Legend.Add("SGD", points)
	p.Legend.Add("law for small noise, falling as 1/B", curve)
	decades(p)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.1, 2.3, p.Y.Min-0.1, p.Y.Max+0.3
	if err := s.SaveData("batchsize-variance", example.Columns(x, y, linear), "batch_size", "variance", "small_noise"); err != nil {
		return err
	}

	p = at(1, 1, "(d) the gradient noise scale on the way down", "time of gradient descent from 0", "batch size tr Σ/|G|², G the gradient")
	var scales, exacts plotter.XYs
	for _, v := range m.scales {
		exacts = append(exacts, plotter.XY{X: v.time, Y: math.Log10(v.exact)})
		if v.measured.Value > 0 {
			scales = append(scales, plotter.XY{X: v.time, Y: math.Log10(v.measured.Value)})
		}
	}
	found, way := dots(scales, example.Blue, 3), example.Curve(exacts, example.Black)
	p.Add(way, found)
	p.Legend.Add("from pairs of batches of 4 and 64", found)
	p.Legend.Add("from all samples", way)
	p.Y.Tick.Marker = example.Decades{}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 60, 0, p.Y.Max+1

	m.clouds(s, at)
	return s.Save(fig, "batchsize.png")
}

// clouds draws panels (e) and (f): where SGD's particles are, and those of its equation, with the
// ellipses that hold 95 % of the laws for small noise.
func (m *measured) clouds(s *example.Session, at func(row, column int, title, x, y string) *plot.Plot) {
	sgd, flow := m.stationary(s.Step, m.batch)
	spanX, spanY := 4.2*math.Sqrt(sgd.At(0, 0)), 4.2*math.Sqrt(sgd.At(1, 1))
	for k, c := range []struct {
		title string
		final *integrate.Final
		s     *mat.SymDense
	}{{fmt.Sprintf("(e) SGD, B = %d", m.batch), m.sgd, sgd}, {"(f) its stochastic differential equation", m.flow, flow}} {
		p := at(2, k, c.title, "weight of "+m.features[0], "weight of "+m.features[1])
		states := c.final.States()
		var xy plotter.XYs
		for i := range min(states.Rows, 2000) {
			xy = append(xy, plotter.XY{X: states.Row(i)[0], Y: states.Row(i)[1]})
		}
		cloud := dots(xy, []color.NRGBA{example.Blue, example.Green}[k], 1)
		ring := example.Curve(ellipse(c.s, m.best, math.Sqrt(5.991464547107979)), example.Black)
		p.Add(cloud, ring)
		p.Legend.Add("95 % of the law for small noise", ring)
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = m.best[0]-spanX, m.best[0]+spanX, m.best[1]-spanY, m.best[1]+1.3*spanY
	}
}

// ellipse returns where zᵀS⁻¹z = r² for the first two coordinates.
func ellipse(s *mat.SymDense, center []float64, r float64) plotter.XYs {
	a := math.Sqrt(s.At(0, 0)) // Cholesky's factor
	b := s.At(0, 1) / a
	c := math.Sqrt(s.At(1, 1) - b*b)
	var xy plotter.XYs
	for i := range 201 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 200)
		xy = append(xy, plotter.XY{X: center[0] + r*a*cos, Y: center[1] + r*(b*cos+c*sin)})
	}
	return xy
}
