// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// DoubleWell is the symmetric double well in one dimension:
//
//	L(x) = ΔL (x²−1)²,   L′ = 4ΔL x(x²−1),   L″ = 4ΔL (3x²−1)
//
// Its minima are at x = ±1, of value 0 and curvature 8ΔL, and the barrier between
// them is at 0, of value ΔL and curvature −4ΔL. The zero value is the usual
// (x²−1)²/4, whose normalisation at temperature T is
//
//	∫ exp(−L/T) dx = (π/2) exp(−a) (I_{−1/4}(a) + I_{1/4}(a)),   a = 1/(8T)
//
// The standard example of escape, whose theory is that of H. A. Kramers, 1940, Brownian motion in a
// field of force and the diffusion model of chemical reactions, Physica 7, 284–304.
type DoubleWell struct {
	// Barrier is ΔL, the height of the barrier above the minima; 0 means ¼.
	Barrier float64
}

var (
	_ sde.Loss          = DoubleWell{}
	_ sde.BatchGradient = DoubleWell{}
	_ sde.Hessian       = DoubleWell{}
	_ sde.Laplacian     = DoubleWell{}
	_ sde.Curvature     = DoubleWell{}
	_ sde.Normalizable  = DoubleWell{}
	_ sde.Charted       = DoubleWell{}
)

func (l DoubleWell) barrier() float64 {
	if l.Barrier == 0 {
		return 0.25
	}
	return l.Barrier
}

// Validate returns an error if Barrier is negative or not finite.
func (l DoubleWell) Validate() error {
	if b := l.barrier(); !(b > 0) || math.IsInf(b, 0) {
		return &sde.SettingError{Field: "loss: DoubleWell.Barrier", Value: l.Barrier, Want: "a finite number above 0, or 0 for 0.25"}
	}
	return nil
}

// Dim returns 1.
func (l DoubleWell) Dim() int { return 1 }

// Value returns L. It panics if theta is not of length 1.
func (l DoubleWell) Value(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	q := math.FMA(theta[0], theta[0], -1)
	return l.barrier() * float64(q*q)
}

// Gradient stores L′ into dst. It panics if dst or theta is not of length 1.
func (l DoubleWell) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 1)
	c := 4 * l.barrier()
	dst[0] = kernel.Cubic1(theta[0], -c, c)
}

// BatchGradient stores L′ at each row of x into dst, with the bits of Gradient.
// It panics if the batches are not both of one column and of as many rows.
func (l DoubleWell) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 1)
	c := 4 * l.barrier()
	if to, ok := dst.Flat(); ok {
		if from, ok := x.Flat(); ok {
			kernel.Cubic(to, from, -c, c)
			return
		}
	}
	for i := 0; i < x.Rows; i++ {
		dst.Data[i*dst.Stride] = kernel.Cubic1(x.Data[i*x.Stride], -c, c)
	}
}

// Hessian stores L″ into dst. It panics if dst or theta is not of length 1.
func (l DoubleWell) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 1)
	dst[0] = l.Laplacian(theta)
}

// Laplacian returns L″. It panics if theta is not of length 1.
func (l DoubleWell) Laplacian(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	return 4 * l.barrier() * math.FMA(3*theta[0], theta[0], -1)
}

// Curvature returns L″(±1) = 8ΔL.
func (l DoubleWell) Curvature() float64 { return 8 * l.barrier() }

// Normalizable reports whether temperature is above 0.
func (l DoubleWell) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minima at −1 and 1 and the barrier between them.
func (l DoubleWell) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{
		{Theta: []float64{-1}, Value: 0, Index: 0},
		{Theta: []float64{1}, Value: 0, Index: 0},
		{Theta: []float64{0}, Value: l.barrier(), Index: 1},
	}
}
