// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Himmelblau is the landscape of the plane with four minima of value 0:
//
//	L(x, y) = (x²+y−11)² + (x+y²−7)²
//
// D. M. Himmelblau, 1972, Applied Nonlinear Programming, McGraw–Hill.
type Himmelblau struct{}

var (
	_ sde.Loss          = Himmelblau{}
	_ sde.BatchGradient = Himmelblau{}
	_ sde.Hessian       = Himmelblau{}
	_ sde.Laplacian     = Himmelblau{}
	_ sde.Curvature     = Himmelblau{}
	_ sde.Normalizable  = Himmelblau{}
	_ sde.Charted       = Himmelblau{}
)

// Dim returns 2.
func (Himmelblau) Dim() int { return 2 }

// residuals returns x²+y−11 and x+y²−7.
func (Himmelblau) residuals(x, y float64) (a, b float64) {
	return math.FMA(x, x, y-11), math.FMA(y, y, x-7)
}

// Value returns L. It panics if theta is not of length 2.
func (l Himmelblau) Value(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	a, b := l.residuals(theta[0], theta[1])
	return math.FMA(a, a, float64(b*b))
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length 2.
func (l Himmelblau) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 2)
	x, y := theta[0], theta[1]
	a, b := l.residuals(x, y)
	dst[0], dst[1] = math.FMA(4*x, a, 2*b), math.FMA(4*y, b, 2*a)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Himmelblau) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 2)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the 2×2 matrix of second derivatives into dst. It panics if dst
// is not of length 4 or theta not of length 2.
func (l Himmelblau) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 2)
	x, y := theta[0], theta[1]
	a, b := l.residuals(x, y)
	dst[0] = math.FMA(8*x, x, math.FMA(4, a, 2))
	dst[1] = 4 * (x + y)
	dst[2] = dst[1]
	dst[3] = math.FMA(8*y, y, math.FMA(4, b, 2))
}

// Laplacian returns ∂²L/∂x² + ∂²L/∂y². It panics if theta is not of length 2.
func (l Himmelblau) Laplacian(theta []float64) float64 {
	var h [4]float64
	l.Hessian(h[:], theta)
	return h[0] + h[3]
}

// Curvature returns 133.79, the largest eigenvalue of the Hessian at the minima.
func (l Himmelblau) Curvature() float64 { return sharpest(l) }

// Normalizable reports whether temperature is above 0.
func (Himmelblau) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the four minima, the four saddles and the maximum.
func (Himmelblau) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{
		{Theta: []float64{3, 2}, Value: 0, Index: 0},
		{Theta: []float64{3.58442834033049174, -1.84812652696440355}, Value: 0, Index: 0},
		{Theta: []float64{-3.77931025337774689, -3.28318599128616941}, Value: 0, Index: 0},
		{Theta: []float64{-2.80511808695274485, 3.13131251825057297}, Value: 0, Index: 0},
		{Theta: []float64{3.38515418360702094, 0.0738518798377492877}, Value: 13.3119262704055899, Index: 1},
		{Theta: []float64{0.0866775045553963518, 2.88425470117477611}, Value: 67.7191500875261402, Index: 1},
		{Theta: []float64{-3.07302575076438961, -0.0813530442879675116}, Value: 104.015162917558106, Index: 1},
		{Theta: []float64{-0.127961346730680066, -1.95371498024457643}, Value: 178.33723920192746, Index: 1},
		{Theta: []float64{-0.270844590667347613, -0.923038556479981463}, Value: 181.616521522582704, Index: 2},
	}
}
