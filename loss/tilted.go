// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Tilted is a loss with a slope added,
//
//	L(θ) = L₀(θ) + a·θ
//
// a constant force −a. It knows no critical points: those of L₀ have moved.
type Tilted struct {
	Loss  sde.Loss
	Slope []float64 // a
}

var (
	_ sde.Loss          = Tilted{}
	_ sde.BatchGradient = Tilted{}
	_ sde.Hessian       = Tilted{}
	_ sde.Laplacian     = Tilted{}
)

// Validate returns an error if Loss is nil or not valid, or Slope not finite or not of
// its dimension.
func (l Tilted) Validate() error {
	if err := checkPart("Tilted.Loss", l.Loss); err != nil {
		return err
	}
	return checkVector("Tilted.Slope", l.Slope, l.Loss.Dim())
}

// Dim returns the dimension of Loss.
func (l Tilted) Dim() int { return l.Loss.Dim() }

// Value returns L. It panics if theta is not of the dimension.
func (l Tilted) Value(theta []float64) float64 {
	if len(theta) != len(l.Slope) {
		panic(badTheta)
	}
	return l.Loss.Value(theta) + kernel.Dot(l.Slope, theta)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l Tilted) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, len(l.Slope))
	l.Loss.Gradient(dst, theta)
	kernel.Axpy(dst, 1, l.Slope)
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l Tilted) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	batchGradient(l.Loss, dst, x)
	for i := range x.Rows {
		kernel.Axpy(dst.Row(i), 1, l.Slope)
	}
}

// Hessian stores the d×d matrix of second derivatives, that of Loss, into dst. It panics
// if dst is not of length d² or theta not of length d.
func (l Tilted) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.Dim())
	hessian(l.Loss, dst, theta)
}

// Laplacian returns ΔL, that of Loss. It panics if theta is not of the dimension.
func (l Tilted) Laplacian(theta []float64) float64 { return laplacian(l.Loss, theta) }
