// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Sum is the sum of losses of one dimension,
//
//	L(θ) = Σ_k L_k(θ)
//
// It knows no critical points: those of its parts are not its own.
type Sum []sde.Loss

var (
	_ sde.Loss          = Sum{}
	_ sde.BatchGradient = Sum{}
	_ sde.Hessian       = Sum{}
	_ sde.Laplacian     = Sum{}
)

// Validate returns an error if there are no parts, or one is nil, not valid or of another
// dimension than the first.
func (l Sum) Validate() error {
	if len(l) == 0 {
		return &sde.SettingError{Field: "loss: Sum", Value: "no losses", Want: "at least one"}
	}
	for k, part := range l {
		field := fmt.Sprintf("Sum[%d]", k)
		if err := checkPart(field, part); err != nil {
			return err
		}
		if d := part.Dim(); d != l[0].Dim() {
			return &sde.SettingError{Field: "loss: " + field, Value: fmt.Sprintf("a loss of dimension %d", d), Want: fmt.Sprintf("%d, that of the first", l[0].Dim()), Err: sde.ErrDimension}
		}
	}
	return nil
}

// Dim returns the dimension of the first part.
func (l Sum) Dim() int { return l[0].Dim() }

// Value returns L. It panics if theta is not of the dimension.
func (l Sum) Value(theta []float64) float64 {
	var s float64
	for _, part := range l {
		s += float64(part.Value(theta))
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l Sum) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	l[0].Gradient(dst, theta)
	g := borrow(len(dst))
	defer scratch.Put(g)
	for _, part := range l[1:] {
		part.Gradient(*g, theta)
		kernel.Axpy(dst, 1, *g)
	}
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l Sum) BatchGradient(dst, x sde.Batch) {
	d := l.Dim()
	checkBatch(dst, x, d)
	batchGradient(l[0], dst, x)
	data := borrow(x.Rows * d)
	defer scratch.Put(data)
	g := batchOf(*data, x.Rows, d)
	for _, part := range l[1:] {
		batchGradient(part, g, x)
		for i := range x.Rows {
			kernel.Axpy(dst.Row(i), 1, g.Row(i))
		}
	}
}

// Hessian stores the d×d matrix of second derivatives into dst. It panics if dst is
// not of length d² or theta not of length d.
func (l Sum) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.Dim())
	hessian(l[0], dst, theta)
	h := borrow(len(dst))
	defer scratch.Put(h)
	for _, part := range l[1:] {
		hessian(part, *h, theta)
		kernel.Axpy(dst, 1, *h)
	}
}

// Laplacian returns the sum of the Laplacians. It panics if theta is not of the dimension.
func (l Sum) Laplacian(theta []float64) float64 {
	var s float64
	for _, part := range l {
		s += float64(laplacian(part, theta))
	}
	return s
}
