// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Channel is a double well in the first coordinate and a harmonic valley in all others:
//
//	L(θ) = (θ_1²−1)²/4 + ½ k Σ_{i>1} θ_i²
//
// A large k makes it stiff: what escapes does so along θ_1, in the time of DoubleWell,
// while the step of an explicit scheme must stay below 2/k.
//
// It was made for this library.
type Channel struct {
	D         int     // dimension; 0 means 2
	Stiffness float64 // k; 0 means 100
}

var (
	_ sde.Loss          = Channel{}
	_ sde.BatchGradient = Channel{}
	_ sde.Hessian       = Channel{}
	_ sde.Laplacian     = Channel{}
	_ sde.Curvature     = Channel{}
	_ sde.Normalizable  = Channel{}
	_ sde.Charted       = Channel{}
)

func (l Channel) k() float64 {
	if l.Stiffness == 0 {
		return 100
	}
	return l.Stiffness
}

// Validate returns an error if D is 1 or negative, or Stiffness negative or not finite.
func (l Channel) Validate() error {
	if k := l.k(); !(k > 0) || math.IsInf(k, 1) {
		return &sde.SettingError{Field: "loss: Channel.Stiffness", Value: l.Stiffness, Want: "a finite number above 0, or 0 for 100"}
	}
	return checkD("Channel", l.D, 2, 2)
}

// Dim returns D.
func (l Channel) Dim() int { return dimOr(l.D, 2) }

// Value returns L. It panics if theta is not of length D.
func (l Channel) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, y := range theta[1:] {
		s = math.FMA(y, y, s)
	}
	q := math.FMA(theta[0], theta[0], -1)
	return math.FMA(l.k()/2, s, float64(q*q)/4)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Channel) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	dst[0] = kernel.Cubic1(theta[0], -1, 1)
	k := l.k()
	for i, y := range theta[1:] {
		dst[1+i] = float64(k * y)
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Channel) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l Channel) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	dst[0] = math.FMA(3*theta[0], theta[0], -1)
	for i := 1; i < d; i++ {
		dst[i*d+i] = l.k()
	}
}

// Laplacian returns 3θ_1² − 1 + (D−1)k. It panics if theta is not of length D.
func (l Channel) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	return math.FMA(3*theta[0], theta[0], -1) + float64(float64(len(theta)-1)*l.k())
}

// Curvature returns k, or 2 if that is larger.
func (l Channel) Curvature() float64 { return math.Max(2, l.k()) }

// Normalizable reports whether temperature is above 0.
func (Channel) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minima at θ_1 = ±1 and the saddle between them.
func (l Channel) CriticalPoints() []sde.CriticalPoint {
	at := func(x float64, index int) sde.CriticalPoint {
		theta := make([]float64, l.Dim())
		theta[0] = x
		return sde.CriticalPoint{Theta: theta, Value: l.Value(theta), Index: index}
	}
	return []sde.CriticalPoint{at(-1, 0), at(1, 0), at(0, 1)}
}
