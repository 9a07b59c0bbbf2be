// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// LogCosh is a smooth form of Σ|θ_i| in D coordinates, with a bounded gradient:
//
//	L(θ) = Σ_i log cosh θ_i,   ∂_i L = tanh θ_i
//
// At temperature T, ∫ exp(−L/T) of one coordinate is B(½, 1/2T), and for T = 1 the law
// is that of the hyperbolic secant, 1/(π cosh θ).
type LogCosh struct {
	D int // dimension; 0 means 1
}

var (
	_ sde.Loss          = LogCosh{}
	_ sde.BatchGradient = LogCosh{}
	_ sde.Hessian       = LogCosh{}
	_ sde.Laplacian     = LogCosh{}
	_ sde.Curvature     = LogCosh{}
	_ sde.Normalizable  = LogCosh{}
	_ sde.Charted       = LogCosh{}
)

// Validate returns an error if D is out of range.
func (l LogCosh) Validate() error { return checkD("LogCosh", l.D, 1, 1) }

// Dim returns D.
func (l LogCosh) Dim() int { return dimOr(l.D, 1) }

// Value returns L. It panics if theta is not of length D.
func (l LogCosh) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		a := math.Abs(x)
		if a < 0.01 { // where the logarithms below cancel
			q := float64(x * x)
			s += float64(q * poly(q, 0.5, -1.0/12, 1.0/45, -17.0/2520))
			continue
		}
		s += a + (kernel.Log1(1+kernel.Exp1(-2*a)) - math.Ln2)
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l LogCosh) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	for i, x := range theta {
		a := math.Abs(x)
		if a < 0.01 {
			q := float64(x * x)
			dst[i] = float64(x * poly(q, 1, -1.0/3, 2.0/15, -17.0/315))
			continue
		}
		e := kernel.Exp1(-2 * a)
		dst[i] = math.Copysign((1-e)/(1+e), x)
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l LogCosh) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// bend returns 1/cosh² x.
func (LogCosh) bend(x float64) float64 {
	e := kernel.Exp1(-2 * math.Abs(x))
	return 4 * e / float64((1+e)*(1+e))
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l LogCosh) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	for i, x := range theta {
		dst[i*d+i] = l.bend(x)
	}
}

// Laplacian returns Σ 1/cosh² θ_i. It panics if theta is not of length D.
func (l LogCosh) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		s += l.bend(x)
	}
	return s
}

// Curvature returns 1.
func (LogCosh) Curvature() float64 { return 1 }

// Normalizable reports whether temperature is above 0.
func (LogCosh) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the origin.
func (l LogCosh) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{{Theta: make([]float64, l.Dim()), Value: 0, Index: 0}}
}
