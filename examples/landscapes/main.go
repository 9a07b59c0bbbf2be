// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Landscapes draws the losses of package loss, a small picture each, with their minima,
// saddles and maxima, and counts where descents from all over a picture end.
package main

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

func main() { example.Main(program()) }

func program() example.Program {
	return example.Program{
		Name:     "landscapes",
		About:    "Draws the landscapes of package loss with their critical points, and counts where descents end. Times are in units of 1/λ, λ the largest curvature in a picture.",
		Defaults: example.Settings{Seed: 1, Particles: 2000, Time: 5000, Step: 0.5},
		Quick:    example.Settings{Particles: 200, Time: 1000},
		Run:      run,
	}
}

func run(ctx context.Context, s *example.Session) error {
	var pictures []picture
	for _, p := range gallery() {
		if err := p.explore(ctx, s); err != nil {
			return err
		}
		pictures = append(pictures, p)
	}
	table(s, pictures)
	return draw(s, pictures)
}

// picture is a landscape and what is shown of it: a window of its first two
// coordinates, the others being 0, and heights up to the top.
type picture struct {
	name       string
	loss       sde.Loss
	lo, hi     [2]float64
	top        float64 // above the lowest point of the window
	points     []sde.CriticalPoint
	sharpest   float64 // largest curvature in the window
	gradient   float64 // largest |∇L|/λ at the points that are declared
	deepest    float64 // share of descents that end at the lowest minimum, NaN if none is declared
	elsewhere  float64 // … that end at no minimum that is declared
	lowest     float64 // value in the window
	dimensions int
}

// theta returns the point of the landscape that is shown at (x, y).
func (p *picture) theta(x, y float64) []float64 {
	theta := make([]float64, p.loss.Dim())
	theta[0] = x
	if len(theta) > 1 {
		theta[1] = y
	}
	return theta
}

// explore looks at the window and follows descents from points spread evenly over it.
func (p *picture) explore(ctx context.Context, s *example.Session) error {
	p.dimensions = p.loss.Dim()
	p.lowest = math.Inf(1)
	d := p.dimensions
	h := make([]float64, d*d)
	const n = 80
	for i := range n {
		for j := range n {
			theta := p.theta(p.lo[0]+(p.hi[0]-p.lo[0])*(float64(i)+0.5)/n, p.lo[1]+(p.hi[1]-p.lo[1])*(float64(j)+0.5)/n)
			p.lowest = min(p.lowest, p.loss.Value(theta))
			p.loss.(sde.Hessian).Hessian(h, theta)
			var e mat.EigenSym
			if e.Factorize(mat.NewSymDense(d, h), false) {
				for _, v := range e.Values(nil) {
					p.sharpest = max(p.sharpest, math.Abs(v))
				}
			}
		}
	}
	if c, ok := p.loss.(sde.Charted); ok {
		p.points = c.CriticalPoints()
	}
	g := make([]float64, d)
	for _, c := range p.points {
		p.loss.Gradient(g, c.Theta)
		for _, v := range g {
			p.gradient = max(p.gradient, math.Abs(v)/p.sharpest)
		}
	}
	return p.descend(ctx, s)
}

// descend runs the flow without noise and counts where it ends.
func (p *picture) descend(ctx context.Context, s *example.Session) error {
	minima := sde.Minima(p.loss)
	p.deepest, p.elsewhere = math.NaN(), math.NaN()
	if len(minima) == 0 {
		return nil
	}
	e := s.Ensemble(sde.Flow{Loss: p.loss})
	e.Step /= p.sharpest
	e.Start = integrate.StartFunc(func(theta []float64, _ int, stream *sde.Stream) {
		stream.Uniforms(theta)
		for i := range theta {
			k := min(i, 1)
			theta[i] = p.lo[k] + (p.hi[k]-p.lo[k])*theta[i]
		}
	})
	final := new(integrate.Final)
	steps := math.Round(s.Time / s.Step)
	if _, err := s.Simulate(ctx, p.name, e, integrate.Schedule{Time: steps * e.Step}, final); err != nil {
		return err
	}
	lowest := minima[0]
	for _, m := range minima {
		if m.Value < lowest.Value {
			lowest = m
		}
	}
	near := 0.02 * (p.hi[0] - p.lo[0])
	states := final.States()
	var deepest, elsewhere float64
	for i := range states.Rows {
		at := nearest(minima, states.Row(i), near)
		switch {
		case at == nil:
			elsewhere++
		case at.Value <= lowest.Value+1e-9*math.Max(1, math.Abs(lowest.Value)):
			deepest++
		}
	}
	p.deepest, p.elsewhere = deepest/float64(states.Rows), elsewhere/float64(states.Rows)
	return nil
}

// nearest returns the minimum that is closest to theta and closer than within, or nil.
func nearest(minima []sde.CriticalPoint, theta []float64, within float64) *sde.CriticalPoint {
	var best *sde.CriticalPoint
	for k := range minima {
		var q float64
		for i, v := range minima[k].Theta {
			q += (v - theta[i]) * (v - theta[i])
		}
		if r := math.Sqrt(q); r < within {
			best, within = &minima[k], r
		}
	}
	return best
}
