// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// EntropicBarrier is a landscape of the plane in which two basins are kept apart by a
// narrow channel and not by any height:
//
//	L(x, y) = x⁴/64 + ½ k(x) y²,   k(x) = 1 + A exp(−x²/2w²)
//
// Along y = 0 there is no barrier at all. The law of x at temperature T is exactly
//
//	p(x) ∝ exp(−x⁴/64T)/√k(x),
//
// whose barrier, (T/2) log(1+A) in free energy, grows with T, so that the time to pass
// hardly depends on it.
//
// It was made for this library; on barriers of its kind see R. Zwanzig, 1992, Diffusion past an
// entropy barrier, Journal of Physical Chemistry 96, 3926–3930.
type EntropicBarrier struct {
	Narrow float64 // A; 0 means 100
	Width  float64 // w; 0 means ½
}

var (
	_ sde.Loss          = EntropicBarrier{}
	_ sde.BatchGradient = EntropicBarrier{}
	_ sde.Hessian       = EntropicBarrier{}
	_ sde.Laplacian     = EntropicBarrier{}
	_ sde.Curvature     = EntropicBarrier{}
	_ sde.Normalizable  = EntropicBarrier{}
	_ sde.Charted       = EntropicBarrier{}
)

func (l EntropicBarrier) settings() (a, w float64) {
	a, w = l.Narrow, l.Width
	if a == 0 {
		a = 100
	}
	if w == 0 {
		w = 0.5
	}
	return a, w
}

// Validate returns an error if a field is negative or not finite.
func (l EntropicBarrier) Validate() error {
	if !(l.Narrow >= 0) || math.IsInf(l.Narrow, 1) {
		return &sde.SettingError{Field: "loss: EntropicBarrier.Narrow", Value: l.Narrow, Want: "a finite number above 0, or 0 for 100"}
	}
	if !(l.Width >= 0) || math.IsInf(l.Width, 1) {
		return &sde.SettingError{Field: "loss: EntropicBarrier.Width", Value: l.Width, Want: "a finite number above 0, or 0 for 0.5"}
	}
	return nil
}

// Dim returns 2.
func (EntropicBarrier) Dim() int { return 2 }

// Value returns L. It panics if theta is not of length 2.
func (l EntropicBarrier) Value(theta []float64) float64 {
	if len(theta) != 2 {
		panic(badTheta)
	}
	x, y := theta[0], theta[1]
	x2 := float64(x * x)
	k, _ := l.channel(x)
	return math.FMA(k/2, float64(y*y), float64(x2*x2)/64)
}

// channel returns k(x) and A exp(−x²/2w²)/w².
func (l EntropicBarrier) channel(x float64) (k, bump float64) {
	a, w := l.settings()
	e := float64(a * kernel.Exp1(-float64(x*x)/float64(2*w*w)))
	return 1 + e, e / float64(w*w)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length 2.
func (l EntropicBarrier) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, 2)
	x, y := theta[0], theta[1]
	k, bump := l.channel(x)
	dst[0] = float64(x * (float64(float64(x*x)/16) - float64(bump*float64(y*y)/2)))
	dst[1] = float64(k * y)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l EntropicBarrier) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, 2)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the 2×2 matrix of second derivatives into dst. It panics if dst
// is not of length 4 or theta not of length 2.
func (l EntropicBarrier) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, 2)
	x, y := theta[0], theta[1]
	_, w := l.settings()
	k, bump := l.channel(x)
	dst[0] = math.FMA(float64(bump*y*y)/2, float64(x*x)/float64(w*w)-1, 3*float64(x*x)/16)
	dst[1] = -float64(bump * x * y)
	dst[2] = dst[1]
	dst[3] = k
}

// Laplacian returns ∂²L/∂x² + ∂²L/∂y². It panics if theta is not of length 2.
func (l EntropicBarrier) Laplacian(theta []float64) float64 {
	var h [4]float64
	l.Hessian(h[:], theta)
	return h[0] + h[3]
}

// Curvature returns 1+A, that across the channel.
func (l EntropicBarrier) Curvature() float64 {
	a, _ := l.settings()
	return 1 + a
}

// Normalizable reports whether temperature is above 0.
func (EntropicBarrier) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the only minimum, the origin, where L is of fourth order in x.
func (EntropicBarrier) CriticalPoints() []sde.CriticalPoint {
	return []sde.CriticalPoint{{Theta: []float64{0, 0}, Value: 0, Index: 0}}
}
