// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// StyblinskiTang is, in each of D coordinates, a double well of two depths:
//
//	L(θ) = ½ Σ_i (θ_i⁴ − 16θ_i² + 5θ_i)
//
// The minima of one coordinate are at −2.903534 and 2.746803, of values −39.166166
// and −25.029447, the barrier at 0.156731.
//
// M. A. Styblinski & T.-S. Tang, 1990, Experiments in nonconvex optimization: stochastic
// approximation with function smoothing and simulated annealing, Neural Networks 3,
// 467–483.
type StyblinskiTang struct {
	D int // dimension; 0 means 2
}

var (
	_ sde.Loss          = StyblinskiTang{}
	_ sde.BatchGradient = StyblinskiTang{}
	_ sde.Hessian       = StyblinskiTang{}
	_ sde.Laplacian     = StyblinskiTang{}
	_ sde.Curvature     = StyblinskiTang{}
	_ sde.Normalizable  = StyblinskiTang{}
	_ sde.Charted       = StyblinskiTang{}
)

// Validate returns an error if D is out of range.
func (l StyblinskiTang) Validate() error { return checkD("StyblinskiTang", l.D, 1, 2) }

// Dim returns D.
func (l StyblinskiTang) Dim() int { return dimOr(l.D, 2) }

// Value returns L. It panics if theta is not of length D.
func (l StyblinskiTang) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		s += poly(x, 0, 2.5, -8, 0, 0.5)
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l StyblinskiTang) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	for i, x := range theta {
		dst[i] = poly(x, 2.5, -16, 0, 2)
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l StyblinskiTang) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l StyblinskiTang) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	for i, x := range theta {
		dst[i*d+i] = math.FMA(6*x, x, -16)
	}
}

// Laplacian returns Σ (6θ_i² − 16). It panics if theta is not of length D.
func (l StyblinskiTang) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		s += math.FMA(6*x, x, -16)
	}
	return s
}

// Curvature returns 34.58, that of the deepest minimum.
func (l StyblinskiTang) Curvature() float64 { return 34.5830591026 }

// Normalizable reports whether temperature is above 0.
func (StyblinskiTang) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the 2ᴰ minima and all others, for D ≤ 9, beyond that nil.
func (l StyblinskiTang) CriticalPoints() []sde.CriticalPoint {
	return product(l, []root{{-2.9035340277711771, 0}, {2.74680277099083699, 0}, {0.156731256780340103, 1}})
}
