// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Scaled is a loss times a positive number,
//
//	L(θ) = c L₀(θ)
//
// At a temperature T it has the stationary law that L₀ has at T/c.
type Scaled struct {
	Loss   sde.Loss
	Factor float64 // c, above 0
}

var (
	_ sde.Loss          = Scaled{}
	_ sde.BatchGradient = Scaled{}
	_ sde.Hessian       = Scaled{}
	_ sde.Laplacian     = Scaled{}
	_ sde.Curvature     = Scaled{}
	_ sde.Normalizable  = Scaled{}
	_ sde.Charted       = Scaled{}
)

// Validate returns an error if Loss is nil or not valid, or Factor not positive and finite.
func (l Scaled) Validate() error {
	if !(l.Factor > 0) || math.IsInf(l.Factor, 1) {
		return &sde.SettingError{Field: "loss: Scaled.Factor", Value: l.Factor, Want: "a finite number above 0"}
	}
	return checkPart("Scaled.Loss", l.Loss)
}

// Dim returns the dimension of Loss.
func (l Scaled) Dim() int { return l.Loss.Dim() }

// Value returns L. It panics if theta is not of the dimension.
func (l Scaled) Value(theta []float64) float64 { return l.Factor * l.Loss.Value(theta) }

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l Scaled) Gradient(dst, theta []float64) {
	l.Loss.Gradient(dst, theta)
	kernel.Scale(dst, l.Factor, dst)
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l Scaled) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	batchGradient(l.Loss, dst, x)
	for i := range x.Rows {
		kernel.Scale(dst.Row(i), l.Factor, dst.Row(i))
	}
}

// Hessian stores the d×d matrix of second derivatives into dst. It panics if dst is
// not of length d² or theta not of length d.
func (l Scaled) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.Dim())
	hessian(l.Loss, dst, theta)
	kernel.Scale(dst, l.Factor, dst)
}

// Laplacian returns c ΔL₀. It panics if theta is not of the dimension.
func (l Scaled) Laplacian(theta []float64) float64 { return l.Factor * laplacian(l.Loss, theta) }

// Curvature returns c times that of Loss, 0 if that is not known.
func (l Scaled) Curvature() float64 { return l.Factor * curvature(l.Loss) }

// Normalizable returns what Loss says of the temperature T/c; true if it says nothing.
func (l Scaled) Normalizable(temperature float64) bool {
	return normalizable(l.Loss, temperature/l.Factor)
}

// CriticalPoints returns those of Loss, nil if they are not known.
func (l Scaled) CriticalPoints() []sde.CriticalPoint {
	return mapped(l.Loss, func(dst, x []float64) { copy(dst, x) }, func(v float64) float64 { return l.Factor * v })
}
