// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"math"
	"testing"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// bent is a double well along a valley that is bent, and wider on one side,
//
//	L = (x²−1)²/4 + ½(1+cx)(y − a(1−x²))²
type bent struct{ a, c float64 }

func (bent) Dim() int { return 2 }

func (l bent) Value(p []float64) float64 {
	x, r := p[0], p[1]-l.a*(1-p[0]*p[0])
	return (x*x-1)*(x*x-1)/4 + (1+l.c*x)*r*r/2
}

func (l bent) Gradient(g, p []float64) {
	x, r := p[0], p[1]-l.a*(1-p[0]*p[0])
	g[0] = x*x*x - x + l.c*r*r/2 + (1+l.c*x)*r*2*l.a*x
	g[1] = (1 + l.c*x) * r
}

func correction(t *testing.T, l sde.Loss, temperature float64, minimum, gate []float64) stationary.Prediction {
	t.Helper()
	p, err := stationary.EyringKramers(l, temperature, minimum, gate)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNextOrderReduces: in one dimension the next term is that of Kramers, 0.375 T/ΔL of the
// double well; what is added at right angles, or turned, changes nothing.
func TestNextOrderReduces(t *testing.T) {
	const temperature = 0.01
	want := 0.375 * temperature / 0.25
	turned := must(loss.NewRotated(loss.DoubleWells{D: 3}, loss.RandomRotation(3, 4)))
	at := func(k int) []float64 {
		for _, p := range turned.CriticalPoints() {
			if p.Index == k {
				return p.Theta
			}
		}
		return nil
	}
	minimum, gate := at(0), []float64(nil)
	for _, p := range turned.CriticalPoints() { // the saddle next to that minimum
		var q float64
		for i, v := range p.Theta {
			q += (v - minimum[i]) * (v - minimum[i])
		}
		if p.Index == 1 && math.Abs(q-1) < 1e-9 {
			gate = p.Theta
		}
	}
	for name, p := range map[string]stationary.Prediction{
		"one dimension":    correction(t, loss.DoubleWell{}, temperature, []float64{-1}, []float64{0}),
		"separable":        correction(t, loss.DoubleWells{D: 3}, temperature, []float64{1, 1, -1}, []float64{1, 0, -1}),
		"stiff across":     correction(t, loss.Channel{D: 3}, temperature, []float64{-1, 0, 0}, []float64{0, 0, 0}),
		"turned":           correction(t, turned, temperature, minimum, gate),
		"of its gradients": correction(t, gradientOnly{loss.DoubleWell{}}, temperature, []float64{-1}, []float64{0}),
	} {
		tolerance := 1e-7
		if name == "of its gradients" {
			tolerance = 1e-4 // second differences of a Hessian by differences
		}
		if !(math.Abs(p.Correction-want) <= tolerance*want) {
			t.Errorf("%s: correction %.10g, want %.10g", name, p.Correction, want)
		}
	}
	// Of an asymmetric well the cubic terms count: the landscape of theory § d.5, by Kramers.
	flow := sde.Flow{Loss: loss.FlatSharp{}, Diffusion: noise.Temperature{T: temperature}}
	const top = 1.23155500996586267
	for _, from := range []float64{0, 2} {
		k, err := stationary.Kramers(flow, from, top)
		if err != nil {
			t.Fatal(err)
		}
		if p := correction(t, loss.FlatSharp{}, temperature, []float64{from}, []float64{top}); !(math.Abs(p.Correction-k.Correction) <= 1e-6*math.Abs(k.Correction)) {
			t.Errorf("from %v: correction %.10g, Kramers has %.10g", from, p.Correction, k.Correction)
		}
	}
}

// TestNextOrder holds the next term to passage times on a grid: what they are off the first
// order, over T, as T → 0. Along a straight valley it would be 1.5.
func TestNextOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	l := bent{a: 0.5, c: 0.3}
	// Values at T, ¾T and ½T are extrapolated to 0 by their parabola.
	var limit, formula float64
	for i, temperature := range []float64{0.02, 0.015, 0.01} {
		p := correction(t, l, temperature, []float64{-1, 0}, []float64{0, l.a})
		formula = p.Correction / temperature
		var tau [2]float64
		for k, n := range []int{120, 240} {
			g, err := stationary.FokkerPlanck{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}},
				Box: sde.Box{Lo: []float64{-1.7, -1.2}, Hi: []float64{1.7, 1.6}}, Cells: []int{n, n}}.Generator()
			if err != nil {
				t.Fatal(err)
			}
			f, err := g.MeanFirstPassageTime(sde.HalfSpace{Normal: []float64{1, 0}, Offset: 0.9})
			if err != nil {
				t.Fatal(err)
			}
			tau[k] = f.At(-1, 0)
		}
		exact := (4*tau[1] - tau[0]) / 3
		limit += []float64{3, -8, 6}[i] * (exact/p.Time - 1) / temperature
	}
	if !(math.Abs(limit-formula) <= 0.02*formula) {
		t.Errorf("(τ/τ₀ − 1)/T tends to %.4f, and the formula has %.4f", limit, formula)
	}
	if math.Abs(limit-1.5) <= 0.1 {
		t.Errorf("the limit %.4f does not tell a bent valley from a straight one", limit)
	}
}
