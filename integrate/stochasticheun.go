// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// StochasticHeun is the Stratonovich predictor–corrector
//
//	θ̂  = θ + h a(θ, t) + B(θ, t) ΔW
//	θ′ = θ + (h/2) (a(θ, t) + a(θ̂, t+h)) + ½ (B(θ, t) + B(θ̂, t+h)) ΔW
//
// with a the Stratonovich drift: an equation meant in another calculus is
// converted, with respect to the declared root. It serves every class of noise
// and needs no derivatives of an equation that is meant in Stratonovich's sense.
// Strong order is 1 for commutative noise and ½ for general noise; weak order and
// order of the stationary law are 1, and 2 for additive noise, when the variance on
// a quadratic of curvature k is, with z = hk,
//
//	(T/k) (1 − z/2) / (1 − z/2 + z²/4)
//
// Stable for hk < 2. Two gradients, two roots and one normal for each component
// of noise a step; 1.4 times Euler–Maruyama's cost on a double well. Source:
// Rümelin, 1982, Numerical treatment of stochastic differential equations; Kloeden
// & Platen, 1992, § 11.1, and § 15.1 for weak order 2 with additive noise.
type StochasticHeun struct{}

// StratonovichMidpoint is the Stratonovich scheme
//
//	θ̂  = θ + (h/2) a(θ, t) + ½ B(θ, t) ΔW
//	θ′ = θ + h a(θ̂, t + h/2) + B(θ̂, t + h/2) ΔW
//
// with a as in StochasticHeun, which it resembles in everything but that it is of
// weak order 1 for additive noise too: on a quadratic both have the same law, but
// where the curvature changes the midpoint sees only half of the noise's spread.
//
// Stable on a quadratic of curvature k for hk < 2. Two gradients, two roots and
// one normal for each component of noise a step. Source: Milstein, 1995, Numerical
// Integration of Stochastic Differential Equations, § 5.
type StratonovichMidpoint struct{}

var (
	_ Scheme = StochasticHeun{}
	_ Scheme = StratonovichMidpoint{}
)

// heunTableau is StochasticHeun for additive noise.
func heunTableau(name string) AdditiveRungeKutta {
	return AdditiveRungeKutta{Name: name, Alpha: []float64{0.5, 0.5}, C0: []float64{0, 1}, A: [][]float64{{}, {1}},
		C1: []float64{0, 1}, BW: [][]float64{{}, {1}}, Beta1: []float64{0.5, 0.5}, Strong: 1, Weak: 2, Invariant: 2, Stability: 2}
}

func stratonovich(name string, class sde.NoiseClass) Properties {
	p := Properties{Name: name, Calculus: sde.Stratonovich, Strong: 1, Weak: 1, Invariant: 1, Stability: 2, Gradients: 2, Normals: 1}
	if class == sde.General {
		p.Strong = 0.5
	}
	return p
}

// Properties returns what the scheme is; it serves every class.
func (StochasticHeun) Properties(class sde.NoiseClass) (Properties, error) {
	p := stratonovich("stochastic Heun", class)
	if class >= sde.Additive {
		p.Weak, p.Invariant = 2, 2
	}
	return p, nil
}

// Bind returns the scheme's kernel for a system.
func (StochasticHeun) Bind(s *System) (Kernel, error) {
	if s.Noise == 0 || s.Class >= sde.Additive {
		return heunTableau("stochastic Heun").Bind(s)
	}
	return newTwoStage(s, 1, 0.5), nil
}

// Properties returns what the scheme is; it serves every class.
func (StratonovichMidpoint) Properties(class sde.NoiseClass) (Properties, error) {
	return stratonovich("Stratonovich midpoint", class), nil
}

// Bind returns the scheme's kernel for a system.
func (StratonovichMidpoint) Bind(s *System) (Kernel, error) {
	if s.Noise == 0 || s.Class >= sde.Additive {
		return AdditiveRungeKutta{Name: "Stratonovich midpoint", Alpha: []float64{0, 1}, C0: []float64{0, 0.5}, A: [][]float64{{}, {0.5}},
			C1: []float64{0, 0.5}, BW: [][]float64{{}, {0.5}}, Beta1: []float64{0, 1}}.Bind(s)
	}
	return newTwoStage(s, 0.5, 0), nil
}

// twoStage is the scheme whose second stage lies at the fraction c of an Euler
// step, and whose first has the weight w.
type twoStage struct {
	s    *System
	c, w float64
	f, g [2]sde.Batch
	y    sde.Batch
	z    []float64
	sum  combination
}

func newTwoStage(s *System, c, w float64) *twoStage {
	batch := func() sde.Batch { return sde.NewBatch(s.Rows, s.State) }
	return &twoStage{s: s, c: c, w: w, f: [2]sde.Batch{batch(), batch()}, g: [2]sde.Batch{batch(), batch()}, y: batch(),
		z: make([]float64, s.Rows*s.Noise), sum: newCombination(4)}
}

func (k *twoStage) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n, rows := k.s, x.Rows*x.Cols, x.Rows
	z := k.z[:rows*s.Noise]
	stream.Increments(z)
	h, sqrtH := s.Step, math.Sqrt(s.Step)
	c := s.Slope(k.f[0].Slice(0, rows), x, t)
	s.Spread(k.g[0].Slice(0, rows), x, t, z)
	y := k.y.Slice(0, rows)
	copy(y.Data[:n], x.Data[:n])
	k.sum.reset()
	k.sum.add(k.c*c*h, k.f[0].Data)
	k.sum.add(k.c*sqrtH, k.g[0].Data)
	k.sum.addTo(y.Data[:n])
	k.sum.reset()
	k.sum.add(k.w*c*h, k.f[0].Data)
	k.sum.add(k.w*sqrtH, k.g[0].Data)
	c = s.Slope(k.f[1].Slice(0, rows), y, t+float64(k.c*h))
	s.Spread(k.g[1].Slice(0, rows), y, t+float64(k.c*h), z)
	k.sum.add((1-k.w)*c*h, k.f[1].Data)
	k.sum.add((1-k.w)*sqrtH, k.g[1].Data)
	k.sum.addTo(x.Data[:n])
}
