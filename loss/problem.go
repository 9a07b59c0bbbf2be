// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"github.com/sgflow/sgflow/sde"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// FromProblem returns the loss of a gonum optimisation problem in dim dimensions,
// such as those of gonum's optimize/functions: a Func, or a FuncHessian if the
// problem has a Hess. If it has no Grad, the gradient is taken by differences,
// which is slow; see Func.
//
// The problem's functions must be safe for concurrent use; its Status is not
// called. Hess allocates memory at every call, as gonum's wants a matrix. FromProblem
// returns an *sde.SettingError if dim is below 1 or the problem has no Func.
func FromProblem(p optimize.Problem, dim int) (sde.Loss, error) {
	if dim < 1 {
		return nil, &sde.SettingError{Field: "loss: FromProblem dim", Value: dim, Want: "at least 1", Err: sde.ErrDimension}
	}
	if p.Func == nil {
		return nil, &sde.SettingError{Field: "loss: FromProblem Problem.Func", Want: "a function that returns the loss"}
	}
	f := Func{N: dim, F: p.Func, Grad: p.Grad}
	if p.Hess == nil {
		return f, nil
	}
	return FuncHessian{Func: f, Hess: func(dst, theta []float64) {
		h := mat.NewSymDense(dim, nil)
		p.Hess(h, theta)
		for i := 0; i < dim; i++ {
			for j := 0; j < dim; j++ {
				dst[i*dim+j] = h.At(i, j)
			}
		}
	}}, nil
}
