// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Quartic is the fourth power of the distance to the origin in D coordinates:
//
//	L(θ) = |θ|⁴/4,   ∇L = |θ|² θ,   ΔL = (D+2)|θ|²
//
// Its gradient grows faster than linearly: Euler–Maruyama diverges from |θ|² > 2/h. At
// the minimum the curvature is 0. E|θ|⁴ = DT at temperature T.
//
// On the divergence: M. Hutzenthaler, A. Jentzen & P. E. Kloeden, 2011, Strong and weak divergence
// in finite time of Euler's method for stochastic differential equations with non-globally Lipschitz
// continuous coefficients, Proceedings of the Royal Society A 467, 1563–1576.
type Quartic struct {
	D int // dimension; 0 means 1
}

var (
	_ sde.Loss          = Quartic{}
	_ sde.BatchGradient = Quartic{}
	_ sde.Hessian       = Quartic{}
	_ sde.Laplacian     = Quartic{}
	_ sde.Normalizable  = Quartic{}
	_ sde.Charted       = Quartic{}
)

// Validate returns an error if D is out of range.
func (l Quartic) Validate() error { return checkD("Quartic", l.D, 1, 1) }

// Dim returns D.
func (l Quartic) Dim() int { return dimOr(l.D, 1) }

// square returns |θ|².
func (Quartic) square(theta []float64) (q float64) {
	for _, x := range theta {
		q = math.FMA(x, x, q)
	}
	return q
}

// Value returns L. It panics if theta is not of length D.
func (l Quartic) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	q := l.square(theta)
	return float64(q*q) / 4
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Quartic) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	q := l.square(theta)
	for i, x := range theta {
		dst[i] = float64(q * x)
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Quartic) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores |θ|² I + 2θθᵀ into dst. It panics if dst is not of length D² or theta
// not of length D.
func (l Quartic) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	q := l.square(theta)
	for i, x := range theta {
		for j, y := range theta {
			dst[i*d+j] = 2 * x * y
		}
		dst[i*d+i] += q
	}
}

// Laplacian returns (D+2)|θ|². It panics if theta is not of length D.
func (l Quartic) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	return float64(len(theta)+2) * l.square(theta)
}

// Normalizable reports whether temperature is above 0.
func (Quartic) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the origin.
func (l Quartic) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{{Theta: make([]float64, l.Dim()), Value: 0, Index: 0}}
}
