// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Ridge is a loss with weight decay,
//
//	L(θ) = L₀(θ) + ½λ|θ|²
//
// which makes exp(−L/T) normalisable for a loss that is bounded below, such as
// ABFactorisation. It knows no critical points: those of L₀ have moved.
type Ridge struct {
	Loss  sde.Loss
	Decay float64 // λ, not negative
}

var (
	_ sde.Loss          = Ridge{}
	_ sde.BatchGradient = Ridge{}
	_ sde.Hessian       = Ridge{}
	_ sde.Laplacian     = Ridge{}
)

// Validate returns an error if Loss is nil or not valid, or Decay negative or not finite.
func (l Ridge) Validate() error {
	if !(l.Decay >= 0) || math.IsInf(l.Decay, 1) {
		return &sde.SettingError{Field: "loss: Ridge.Decay", Value: l.Decay, Want: "a finite number from 0"}
	}
	return checkPart("Ridge.Loss", l.Loss)
}

// Dim returns the dimension of Loss.
func (l Ridge) Dim() int { return l.Loss.Dim() }

// Value returns L. It panics if theta is not of the dimension.
func (l Ridge) Value(theta []float64) float64 {
	return math.FMA(l.Decay/2, kernel.Dot(theta, theta), l.Loss.Value(theta))
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l Ridge) Gradient(dst, theta []float64) {
	l.Loss.Gradient(dst, theta)
	kernel.Axpy(dst, l.Decay, theta)
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l Ridge) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	batchGradient(l.Loss, dst, x)
	for i := range x.Rows {
		kernel.Axpy(dst.Row(i), l.Decay, x.Row(i))
	}
}

// Hessian stores the d×d matrix of second derivatives into dst. It panics if dst is
// not of length d² or theta not of length d.
func (l Ridge) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	hessian(l.Loss, dst, theta)
	for i := range d {
		dst[i*d+i] += l.Decay
	}
}

// Laplacian returns ΔL₀ + λd. It panics if theta is not of the dimension.
func (l Ridge) Laplacian(theta []float64) float64 {
	return math.FMA(l.Decay, float64(len(theta)), laplacian(l.Loss, theta))
}
