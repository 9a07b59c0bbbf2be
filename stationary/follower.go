// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// follower takes steps in the eigenvectors of the Hessian.
type follower struct {
	loss     sde.Loss
	hessian  func(dst *mat.SymDense, theta []float64)
	h        *mat.SymDense
	gradient []float64
	values   []float64 // rising
	vectors  mat.Dense
}

func newFollower(loss sde.Loss) *follower {
	d := loss.Dim()
	return &follower{loss: loss, hessian: hessianOf(loss), h: mat.NewSymDense(d, nil), gradient: make([]float64, d)}
}

// at looks at the gradient and the Hessian, and reports whether they are numbers.
func (f *follower) at(x []float64) bool {
	f.loss.Gradient(f.gradient, x)
	f.hessian(f.h, x)
	for _, v := range append(f.h.RawSymmetric().Data, f.gradient...) {
		if !isNumber(v) {
			return false
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(f.h, true) {
		return false
	}
	f.values = eig.Values(nil)
	f.vectors.Reset()
	eig.VectorsTo(&f.vectors)
	return true
}

// step returns the step that leads up along the first so many eigenvectors and down
// along the others: Newton's where the eigenvalues have these signs.
func (f *follower) step(up int) []float64 {
	s := make([]float64, len(f.gradient))
	for k, l := range f.values {
		dot := 0.0
		for i, g := range f.gradient {
			dot += f.vectors.At(i, k) * g
		}
		scale := math.Max(math.Abs(l), 1e-6*f.largest())
		if scale == 0 {
			continue
		}
		if k < up {
			dot = -dot
		}
		for i := range s {
			s[i] -= dot / scale * f.vectors.At(i, k)
		}
	}
	return s
}

// largest returns the largest absolute eigenvalue.
func (f *follower) largest() (l float64) {
	for _, v := range f.values {
		l = math.Max(l, math.Abs(v))
	}
	return l
}
