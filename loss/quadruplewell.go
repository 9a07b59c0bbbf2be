// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"github.com/sgflow/sgflow/sde"
)

// QuadrupleWell is the asymmetric landscape of the plane with four minima of different
// depth, one in each quadrant:
//
//	L(x, y) = x⁴ − x³/16 − 2x² + 3x/16 + y⁴ − y³/8 − 2y² + 3y/8
//
// The minima are at (±1, ±1), of values −2.375, −2.125, −1.875 and −1.625.
//
// Source: the model of that name in M. Hoffmann et al., 2022, Deeptime: a Python
// library for machine learning dynamical models from time series data, Machine
// Learning: Science and Technology 3, 015009.
type QuadrupleWell struct{}

var (
	_ sde.Loss          = QuadrupleWell{}
	_ sde.BatchGradient = QuadrupleWell{}
	_ sde.Hessian       = QuadrupleWell{}
	_ sde.Laplacian     = QuadrupleWell{}
	_ sde.Curvature     = QuadrupleWell{}
	_ sde.Normalizable  = QuadrupleWell{}
	_ sde.Charted       = QuadrupleWell{}
)

// Dim returns 2.
func (QuadrupleWell) Dim() int { return 2 }

// Value returns L. It panics if theta is not of length 2.
func (QuadrupleWell) Value(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	return poly(theta[0], 0, 3.0/16, -2, -1.0/16, 1) + poly(theta[1], 0, 3.0/8, -2, -1.0/8, 1)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length 2.
func (QuadrupleWell) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 2)
	dst[0], dst[1] = poly(theta[0], 3.0/16, -4, -3.0/16, 4), poly(theta[1], 3.0/8, -4, -3.0/8, 4)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l QuadrupleWell) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 2)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the 2×2 matrix of second derivatives into dst. It panics if dst
// is not of length 4 or theta not of length 2.
func (QuadrupleWell) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 2)
	dst[0], dst[1], dst[2], dst[3] = poly(theta[0], -4, -3.0/8, 12), 0, 0, poly(theta[1], -4, -3.0/4, 12)
}

// Laplacian returns ∂²L/∂x² + ∂²L/∂y². It panics if theta is not of length 2.
func (l QuadrupleWell) Laplacian(theta []float64) float64 {
	var h [4]float64
	l.Hessian(h[:], theta)
	return h[0] + h[3]
}

// Curvature returns 8.75, the largest eigenvalue of the Hessian at the minima.
func (QuadrupleWell) Curvature() float64 { return 8.75 }

// Normalizable reports whether temperature is above 0.
func (QuadrupleWell) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minima, the saddles and the maximum.
func (l QuadrupleWell) CriticalPoints() []sde.CriticalPoint {
	var all []sde.CriticalPoint
	for _, x := range []root{{-1, 0}, {1, 0}, {0.046875, 1}} {
		for _, y := range []root{{-1, 0}, {1, 0}, {0.09375, 1}} {
			theta := []float64{x.at, y.at}
			all = append(all, sde.CriticalPoint{Theta: theta, Value: l.Value(theta), Index: x.index + y.index})
		}
	}
	return all
}
