// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// FlatSharp is a one-dimensional landscape of two minima that are equally deep and
// differ in curvature:
//
//	L(x) = x²(x−2)²(1+x²)/4,   L′ = ½ x(x−2)(3x³−4x²+2x−2)
//
// The flat minimum at 0 has the curvature 2, the sharp one at 2 has 10, and the
// barrier between them is at 1.231555, of value 0.563520. With a constant D the
// share of the flat well grows like the square root of the ratio of curvatures, √5;
// with D ∝ 1+x², which is in the ratio of the curvatures at the two minima, it grows
// exponentially as D shrinks, while both wells stay as deep as they are.
//
// It was made for this library.
type FlatSharp struct{}

var (
	_ sde.Loss          = FlatSharp{}
	_ sde.BatchGradient = FlatSharp{}
	_ sde.Hessian       = FlatSharp{}
	_ sde.Laplacian     = FlatSharp{}
	_ sde.Curvature     = FlatSharp{}
	_ sde.Normalizable  = FlatSharp{}
	_ sde.Charted       = FlatSharp{}
)

// Dim returns 1.
func (FlatSharp) Dim() int { return 1 }

// Value returns L. It panics if theta is not of length 1.
func (FlatSharp) Value(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	x := theta[0]
	q := float64(x * (x - 2))
	return float64(q*q) * math.FMA(x, x, 1) / 4
}

// Gradient stores L′ into dst. It panics if dst or theta is not of length 1.
func (FlatSharp) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 1)
	x := theta[0]
	dst[0] = float64(x*(x-2)) * poly(x, -2, 2, -4, 3) / 2
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l FlatSharp) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 1)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores L″ into dst. It panics if dst or theta is not of length 1.
func (l FlatSharp) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 1)
	dst[0] = l.Laplacian(theta)
}

// Laplacian returns L″ = (15x⁴ − 40x³ + 30x² − 12x + 4)/2. It panics if theta is
// not of length 1.
func (FlatSharp) Laplacian(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	return poly(theta[0], 4, -12, 30, -40, 15) / 2
}

// Curvature returns 10, that of the sharp minimum.
func (FlatSharp) Curvature() float64 { return 10 }

// Normalizable reports whether temperature is above 0.
func (FlatSharp) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the flat minimum, the sharp one, and the barrier.
func (FlatSharp) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{
		{Theta: []float64{0}, Value: 0, Index: 0},
		{Theta: []float64{2}, Value: 0, Index: 0},
		{Theta: []float64{1.23155500996586267}, Value: 0.563520140705295396, Index: 1},
	}
}
