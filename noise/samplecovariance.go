// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// SampleCovariance stores the covariance of the gradients of a finite sum's samples,
//
//	Σ(θ) = (1/N) Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ
//
// into dst, d×d or empty. It takes two passes over the samples. It panics if dst or theta
// is of another dimension.
func SampleCovariance(dst *mat.SymDense, l sde.FiniteSum, theta []float64) {
	d := l.Dim()
	if len(theta) != d {
		panic(badTheta)
	}
	if dst.IsEmpty() {
		dst.ReuseAsSym(d)
	}
	if dst.SymmetricDim() != d {
		panic("noise: covariance of another dimension")
	}
	terms{FiniteSum: l}.covariance(dst.RawSymmetric().Data, theta, 1)
}
