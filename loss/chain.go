// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Chain is a ring of D double wells, each drawn towards its neighbours:
//
//	L(θ) = Σ_i θ_i⁴/4 − θ_i²/2 + (γ/4) (θ_{i+1} − θ_i)²,   θ_{D+1} = θ_1
//
// For γ above 1/(1 − cos(2π/D)), about D²/2π², the coordinates go together: the only
// minima are ±(1, …, 1), of value −D/4, and the saddle is the origin. Below, the origin is
// of a higher index and saddles with kinks take its place; without coupling there are
// 2ᴰ minima and 3ᴰ critical points.
//
// N. Berglund, B. Fernandez & B. Gentz, 2007, Metastability in interacting nonlinear
// stochastic differential equations: I. From weak coupling to synchronization,
// Nonlinearity 20, 2551–2581, eqs. 2.1–2.9.
type Chain struct {
	D        int     // dimension, 3 or more; 0 means 4
	Coupling float64 // γ
}

var (
	_ sde.Loss          = Chain{}
	_ sde.BatchGradient = Chain{}
	_ sde.Hessian       = Chain{}
	_ sde.Laplacian     = Chain{}
	_ sde.Normalizable  = Chain{}
	_ sde.Charted       = Chain{}
)

// Validate returns an error if D is below 3, or Coupling negative or not finite.
func (l Chain) Validate() error {
	if !(l.Coupling >= 0) || math.IsInf(l.Coupling, 1) {
		return &sde.SettingError{Field: "loss: Chain.Coupling", Value: l.Coupling, Want: "a finite number from 0"}
	}
	return checkD("Chain", l.D, 3, 4)
}

// Dim returns D.
func (l Chain) Dim() int { return dimOr(l.D, 4) }

// Value returns L. It panics if theta is not of length D.
func (l Chain) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	last := theta[len(theta)-1]
	for _, x := range theta {
		q := float64(x * x)
		s = math.FMA(q, math.FMA(q, 0.25, -0.5), s)
		s = math.FMA(float64(l.Coupling/4*(x-last)), x-last, s)
		last = x
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Chain) Gradient(dst, theta []float64) {
	d := l.Dim()
	checkGradient(dst, theta, d)
	last := theta[d-1]
	for i, x := range theta {
		next := theta[0]
		if i+1 < d {
			next = theta[i+1]
		}
		dst[i] = math.FMA(l.Coupling/2, (x-last)+(x-next), kernel.Cubic1(x, -1, 1))
		last = x
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Chain) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l Chain) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	for i, x := range theta {
		dst[i*d+i] = math.FMA(3*x, x, l.Coupling-1)
		j := (i + 1) % d
		dst[i*d+j] -= float64(l.Coupling / 2)
		dst[j*d+i] -= float64(l.Coupling / 2)
	}
}

// Laplacian returns Σ (3θ_i² − 1 + γ). It panics if theta is not of length D.
func (l Chain) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		s += math.FMA(3*x, x, l.Coupling-1)
	}
	return s
}

// Normalizable reports whether temperature is above 0.
func (Chain) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the two minima and the saddle of a ring whose coordinates go
// together, all 3ᴰ points of one without coupling and D ≤ 9, otherwise nil.
func (l Chain) CriticalPoints() []sde.CriticalPoint {
	d := l.Dim()
	if l.Coupling == 0 {
		return product(l, []root{{-1, 0}, {1, 0}, {0, 1}})
	}
	if !(l.Coupling*(1-math.Cos(2*math.Pi/float64(d))) > 1) {
		return nil
	}
	var all []sde.CriticalPoint
	for _, p := range []root{{-1, 0}, {1, 0}, {0, 1}} {
		theta := make([]float64, d)
		for i := range theta {
			theta[i] = p.at
		}
		all = append(all, sde.CriticalPoint{Theta: theta, Value: l.Value(theta), Index: p.index})
	}
	return all
}
