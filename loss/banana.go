// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Banana is a bent Gaussian valley of the plane:
//
//	L(x, y) = x²/2σ² + ½(y + b(x²−σ²))²
//
// At temperature T = 1, x and y + b(x²−σ²) are independent normals of standard
// deviation σ and 1, so every moment is known; ∫ exp(−L/T) = 2πσT.
//
// H. Haario, E. Saksman & J. Tamminen, 1999, Adaptive proposal distribution for random
// walk Metropolis algorithm, Computational Statistics 14, 375–395, § 3 (with σ = 10,
// b = 0.03 and 0.1).
type Banana struct {
	Sigma float64 // σ; 0 means 10
	Bend  float64 // b; 0 means 0.03
}

var (
	_ sde.Loss          = Banana{}
	_ sde.BatchGradient = Banana{}
	_ sde.Hessian       = Banana{}
	_ sde.Laplacian     = Banana{}
	_ sde.Curvature     = Banana{}
	_ sde.Normalizable  = Banana{}
	_ sde.Charted       = Banana{}
)

func (l Banana) settings() (variance, bend float64) {
	variance, bend = float64(l.Sigma*l.Sigma), l.Bend
	if l.Sigma == 0 {
		variance = 100
	}
	if bend == 0 {
		bend = 0.03
	}
	return variance, bend
}

// Validate returns an error if Sigma is negative or a field is not finite.
func (l Banana) Validate() error {
	if !(l.Sigma >= 0) || math.IsInf(l.Sigma, 1) {
		return &sde.SettingError{Field: "loss: Banana.Sigma", Value: l.Sigma, Want: "a finite number above 0, or 0 for 10"}
	}
	if math.IsNaN(l.Bend) || math.IsInf(l.Bend, 0) {
		return &sde.SettingError{Field: "loss: Banana.Bend", Value: l.Bend, Want: "a finite number, or 0 for 0.03"}
	}
	return nil
}

// Dim returns 2.
func (Banana) Dim() int { return 2 }

// Value returns L. It panics if theta is not of length 2.
func (l Banana) Value(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	v, b := l.settings()
	x2 := float64(theta[0] * theta[0])
	u := math.FMA(b, x2-v, theta[1])
	return (x2/v + float64(u*u)) / 2
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length 2.
func (l Banana) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 2)
	v, b := l.settings()
	x := theta[0]
	u := math.FMA(b, float64(x*x)-v, theta[1])
	dst[0], dst[1] = math.FMA(float64(2*b*x), u, x/v), u
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Banana) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 2)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the 2×2 matrix of second derivatives into dst. It panics if dst
// is not of length 4 or theta not of length 2.
func (l Banana) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 2)
	v, b := l.settings()
	x := theta[0]
	u := math.FMA(b, float64(x*x)-v, theta[1])
	s := float64(2 * b * x)
	dst[0], dst[1], dst[2], dst[3] = math.FMA(s, s, math.FMA(2*b, u, 1/v)), s, s, 1
}

// Laplacian returns ∂²L/∂x² + ∂²L/∂y². It panics if theta is not of length 2.
func (l Banana) Laplacian(theta []float64) float64 {
	var h [4]float64
	l.Hessian(h[:], theta)
	return h[0] + h[3]
}

// Curvature returns 1, the larger eigenvalue of the Hessian at the minimum if σ ≥ 1.
func (l Banana) Curvature() float64 {
	v, _ := l.settings()
	return math.Max(1, 1/v)
}

// Normalizable reports whether temperature is above 0.
func (Banana) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the only one, the minimum (0, bσ²).
func (l Banana) CriticalPoints() []sde.CriticalPoint {
	v, b := l.settings()
	return []sde.CriticalPoint{{Theta: []float64{0, float64(b * v)}, Value: 0, Index: 0}}
}
