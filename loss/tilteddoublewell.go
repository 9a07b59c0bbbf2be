// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// TiltedDoubleWell is the double well in one dimension with a slope:
//
//	L(x) = (x²−1)²/4 + a x,   L′ = x³ − x + a,   L″ = 3x² − 1
//
// For |a| < 2/(3√3) = 0.3849 it has two minima and a barrier between them,
//
//	x_k = (2/√3) cos((arccos(−3√3 a/2) − 2πk)/3),   k = 0, 1, 2,
//
// otherwise one minimum.
type TiltedDoubleWell struct {
	Tilt float64 // a
}

var (
	_ sde.Loss          = TiltedDoubleWell{}
	_ sde.BatchGradient = TiltedDoubleWell{}
	_ sde.Hessian       = TiltedDoubleWell{}
	_ sde.Laplacian     = TiltedDoubleWell{}
	_ sde.Curvature     = TiltedDoubleWell{}
	_ sde.Normalizable  = TiltedDoubleWell{}
	_ sde.Charted       = TiltedDoubleWell{}
)

// Validate returns an error if Tilt is not finite.
func (l TiltedDoubleWell) Validate() error {
	if math.IsNaN(l.Tilt) || math.IsInf(l.Tilt, 0) {
		return &sde.SettingError{Field: "loss: TiltedDoubleWell.Tilt", Value: l.Tilt, Want: "a finite number"}
	}
	return nil
}

// Dim returns 1.
func (TiltedDoubleWell) Dim() int { return 1 }

// Value returns L. It panics if theta is not of length 1.
func (l TiltedDoubleWell) Value(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	q := math.FMA(theta[0], theta[0], -1)
	return math.FMA(l.Tilt, theta[0], float64(q*q)/4)
}

// Gradient stores L′ into dst. It panics if dst or theta is not of length 1.
func (l TiltedDoubleWell) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 1)
	dst[0] = poly(theta[0], l.Tilt, -1, 0, 1)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l TiltedDoubleWell) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 1)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores L″ into dst. It panics if dst or theta is not of length 1.
func (l TiltedDoubleWell) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 1)
	dst[0] = l.Laplacian(theta)
}

// Laplacian returns L″. It panics if theta is not of length 1.
func (TiltedDoubleWell) Laplacian(theta []float64) float64 {
	if len(theta) != 1 {
		panic(badTheta)
	}
	return math.FMA(3*theta[0], theta[0], -1)
}

// Curvature returns L″ at the sharper minimum.
func (l TiltedDoubleWell) Curvature() float64 { return sharpest(l) }

// Normalizable reports whether temperature is above 0.
func (TiltedDoubleWell) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the deeper minimum and, if there are, the other and the
// barrier.
func (l TiltedDoubleWell) CriticalPoints() []sde.CriticalPoint {
	point := func(x float64, index int) sde.CriticalPoint {
		// One step of Newton's method takes off what rounding has left.
		if h := float64(3*x*x) - 1; h != 0 {
			x -= (float64(x*x*x) - x + l.Tilt) / h
		}
		theta := []float64{x}
		return sde.CriticalPoint{Theta: theta, Value: l.Value(theta), Index: index}
	}
	c := 1.5 * math.Sqrt(3) * math.Abs(l.Tilt)
	side := -math.Copysign(2/math.Sqrt(3), l.Tilt) // of the deeper minimum
	if c >= 1 {
		return []sde.CriticalPoint{point(float64(side*math.Cosh(math.Acosh(c)/3)), 0)}
	}
	a := math.Acos(c) / 3
	return []sde.CriticalPoint{
		point(float64(side*math.Cos(a)), 0),
		point(float64(side*math.Cos(a+2*math.Pi/3)), 0),
		point(float64(side*math.Cos(a+4*math.Pi/3)), 1),
	}
}
