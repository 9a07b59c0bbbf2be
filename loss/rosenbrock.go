// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Rosenbrock is the bent valley of Rosenbrock in D coordinates:
//
//	L(θ) = Σ_{i<D} 100 (θ_{i+1} − θ_i²)² + (1 − θ_i)²
//
// Its global minimum is (1, …, 1), of value 0. For D from 4 to 7 there is one other
// minimum, near (−1, 1, …, 1).
//
// H. H. Rosenbrock, 1960, An automatic method for finding the greatest or least value
// of a function, Computer Journal 3, 175–184.
type Rosenbrock struct {
	D int // dimension, 2 or more; 0 means 2
}

var (
	_ sde.Loss          = Rosenbrock{}
	_ sde.BatchGradient = Rosenbrock{}
	_ sde.Hessian       = Rosenbrock{}
	_ sde.Laplacian     = Rosenbrock{}
	_ sde.Normalizable  = Rosenbrock{}
	_ sde.Charted       = Rosenbrock{}
)

// Validate returns an error if D is out of range.
func (l Rosenbrock) Validate() error { return checkD("Rosenbrock", l.D, 2, 2) }

// Dim returns D.
func (l Rosenbrock) Dim() int { return dimOr(l.D, 2) }

// Value returns L. It panics if theta is not of length D.
func (l Rosenbrock) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for i, x := range theta[:len(theta)-1] {
		r := math.FMA(-x, x, theta[i+1])
		s = math.FMA(100*r, r, math.FMA(1-x, 1-x, s))
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Rosenbrock) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	last := 0.0 // of the term before
	for i, x := range theta[:len(theta)-1] {
		r := math.FMA(-x, x, theta[i+1])
		dst[i] = math.FMA(float64(-400*x), r, math.FMA(2, x-1, last))
		last = 200 * r
	}
	dst[len(dst)-1] = last
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Rosenbrock) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l Rosenbrock) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	for i, x := range theta[:d-1] {
		dst[i*d+i] += math.FMA(1200*x, x, math.FMA(-400, theta[i+1], 2))
		dst[i*d+i+1], dst[(i+1)*d+i] = -400*x, -400*x
		dst[(i+1)*d+i+1] += 200
	}
}

// Laplacian returns Σ_{i<D} (1200θ_i² − 400θ_{i+1} + 202). It panics if theta is not
// of length D.
func (l Rosenbrock) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for i, x := range theta[:len(theta)-1] {
		s += math.FMA(1200*x, x, math.FMA(-400, theta[i+1], 202))
	}
	return s
}

// Normalizable reports whether temperature is above 0.
func (Rosenbrock) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minimum for D ≤ 3, where it is the only critical point,
// and nil beyond.
func (l Rosenbrock) CriticalPoints() []sde.CriticalPoint {
	if l.Dim() > 3 {
		return nil
	}
	theta := make([]float64, l.Dim())
	for i := range theta {
		theta[i] = 1
	}
	return []sde.CriticalPoint{{Theta: theta, Value: 0, Index: 0}}
}
