// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// ABFactorisation is the smallest matrix factorisation,
//
//	L(a, b) = ½(ab−1)²
//
// with a valley of minima ab = 1 along which the sharpness, trace of the Hessian
// a² + b², has its least value at a = b = ±1, and a saddle at the origin. Gradient flow
// without noise keeps a² − b². With exp(−L/T) not normalisable at any T, since
// the valley goes on for ever, there is no stationary law.
//
// It is MatrixFactorisation of one number, with factors that may differ; on what noisy
// labels make of it see noise.LabelNoise.
type ABFactorisation struct{}

var (
	_ sde.Loss          = ABFactorisation{}
	_ sde.BatchGradient = ABFactorisation{}
	_ sde.Hessian       = ABFactorisation{}
	_ sde.Laplacian     = ABFactorisation{}
	_ sde.Normalizable  = ABFactorisation{}
	_ sde.Charted       = ABFactorisation{}
)

// Dim returns 2.
func (ABFactorisation) Dim() int { return 2 }

// Value returns L. It panics if theta is not of length 2.
func (ABFactorisation) Value(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	r := math.FMA(theta[0], theta[1], -1)
	return float64(r*r) / 2
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length 2.
func (ABFactorisation) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 2)
	a, b := theta[0], theta[1]
	r := math.FMA(a, b, -1)
	dst[0], dst[1] = float64(r*b), float64(r*a)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l ABFactorisation) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 2)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the 2×2 matrix of second derivatives into dst. It panics if dst
// is not of length 4 or theta not of length 2.
func (ABFactorisation) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 2)
	a, b := theta[0], theta[1]
	m := math.FMA(2*a, b, -1)
	dst[0], dst[1], dst[2], dst[3] = float64(b*b), m, m, float64(a*a)
}

// Laplacian returns a² + b². It panics if theta is not of length 2.
func (ABFactorisation) Laplacian(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	return math.FMA(theta[0], theta[0], float64(theta[1]*theta[1]))
}

// Normalizable returns false.
func (ABFactorisation) Normalizable(temperature float64) bool { return false }

// CriticalPoints returns the saddle, where the curvatures are ±1: the only critical point that
// is isolated. All others are the minima of the valley.
func (ABFactorisation) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{{Theta: []float64{0, 0}, Value: 0.5, Index: 1}}
}
