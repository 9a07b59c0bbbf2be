// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Funnel is Neal's funnel, minus the logarithm of a density whose width in D−1
// coordinates depends on the first, v = θ_1:
//
//	L(θ) = v²/18 + ½ (D−1) v + ½ e^(−v) Σ_{i>1} θ_i²
//
// At T = 1, v is normal of standard deviation 3 and the others, given v, of e^(v/2):
// no step is right both in the neck and in the mouth. The only minimum is at
// v = −9(D−1)/2, far down the neck, and of a curvature e^(9(D−1)/2).
//
// R. M. Neal, 2003, Slice sampling, Annals of Statistics 31, 705–767, § 8 (D = 10).
type Funnel struct {
	D int // dimension, 2 or more; 0 means 10
}

var (
	_ sde.Loss          = Funnel{}
	_ sde.BatchGradient = Funnel{}
	_ sde.Hessian       = Funnel{}
	_ sde.Laplacian     = Funnel{}
	_ sde.Normalizable  = Funnel{}
	_ sde.Charted       = Funnel{}
)

// Validate returns an error if D is out of range.
func (l Funnel) Validate() error { return checkD("Funnel", l.D, 2, 10) }

// Dim returns D.
func (l Funnel) Dim() int { return dimOr(l.D, 10) }

// terms returns e^(−v) and Σ_{i>1} θ_i².
func (Funnel) terms(theta []float64) (e, q float64) {
	for _, x := range theta[1:] {
		q = math.FMA(x, x, q)
	}
	return kernel.Exp1(-theta[0]), q
}

// Value returns L. It panics if theta is not of length D.
func (l Funnel) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	e, q := l.terms(theta)
	v := theta[0]
	return math.FMA(v/18, v, math.FMA(float64(len(theta)-1)/2, v, float64(e*q)/2))
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Funnel) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	e, q := l.terms(theta)
	dst[0] = theta[0]/9 + float64((float64(len(theta)-1)-float64(e*q))/2)
	for i, x := range theta[1:] {
		dst[1+i] = float64(e * x)
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Funnel) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l Funnel) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	e, q := l.terms(theta)
	dst[0] = 1.0/9 + float64(e*q/2)
	for i := 1; i < d; i++ {
		dst[i], dst[i*d] = -e*theta[i], -e*theta[i]
		dst[i*d+i] = e
	}
}

// Laplacian returns 1/9 + e^(−v) (D−1 + ½ Σ θ_i²). It panics if theta is not of
// length D.
func (l Funnel) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	e, q := l.terms(theta)
	return math.FMA(e, float64(len(theta)-1)+q/2, 1.0/9)
}

// Normalizable reports whether temperature is above 0.
func (Funnel) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minimum at v = −9(D−1)/2, of value −9(D−1)²/8, the only critical
// point. For D > 150, where the curvature there is beyond float64, it returns nil.
func (l Funnel) CriticalPoints() []sde.CriticalPoint {
	if l.Dim() > 150 {
		return nil
	}
	m := float64(l.Dim() - 1)
	theta := make([]float64, l.Dim())
	theta[0] = -4.5 * m
	return []sde.CriticalPoint{{Theta: theta, Value: -1.125 * m * m, Index: 0}}
}
