// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"
	"slices"

	"github.com/sgflow/sgflow/sde"
	"gonum.org/v1/gonum/diff/fd"
)

// Func is a loss made of a person's functions. What they must be is what is asked
// of an sde.Loss: safe for concurrent use, and theta is neither written to nor kept.
//
// A type of one's own with methods Dim, Value and Gradient does the same and can
// have upgrades as well; FuncHessian is a Func with a Hessian.
type Func struct {
	// N is d, the number of coordinates, at least 1.
	N int
	// F returns L(θ).
	F func(theta []float64) float64
	// Grad stores ∇L(θ) into dst. If it is nil, the gradient is taken by central
	// differences (gonum's fd.Central),
	//
	//	∂L/∂θ_i ≈ (L(θ+h_i e_i) − L(θ−h_i e_i)) / (2h_i),   h_i = 6e-6·max(1, |θ_i|)
	//
	// which is slow, as it takes 2d values and allocates memory at every call, and
	// has an error of about 1e-10 relative to the size of L and its derivatives.
	Grad func(dst, theta []float64)
}

var _ sde.Loss = Func{}

// Validate returns an error if N is below 1 or F is nil.
func (l Func) Validate() error {
	if l.N < 1 {
		return &sde.SettingError{Field: "loss: Func.N", Value: l.N, Want: "at least 1", Err: sde.ErrDimension}
	}
	if l.F == nil {
		return &sde.SettingError{Field: "loss: Func.F", Want: "a function that returns the loss"}
	}
	return nil
}

// Dim returns N.
func (l Func) Dim() int { return l.N }

// Value returns F(theta). It panics if theta is not of length N.
func (l Func) Value(theta []float64) float64 {
	if len(theta) != l.N {
		panic(badTheta)
	}
	return l.F(theta)
}

// Gradient stores the gradient into dst, by Grad or by differences of F. It
// panics if dst or theta is not of length N.
func (l Func) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.N)
	if l.Grad != nil {
		l.Grad(dst, theta)
		return
	}
	x := slices.Clone(theta)
	for i, v := range theta {
		along := func(s float64) float64 {
			x[i] = s
			return l.F(x)
		}
		dst[i] = fd.Derivative(along, v, &fd.Settings{
			Formula: fd.Central,
			Step:    fd.Central.Step * math.Max(1, math.Abs(v)),
		})
		x[i] = v
	}
}

// FuncHessian is a Func whose second derivatives are known as well.
type FuncHessian struct {
	Func
	// Hess stores ∂²L/∂θ_i∂θ_j into dst[i*d+j].
	Hess func(dst, theta []float64)
}

var (
	_ sde.Loss    = FuncHessian{}
	_ sde.Hessian = FuncHessian{}
)

// Validate returns an error if the Func is not valid or Hess is nil.
func (l FuncHessian) Validate() error {
	if err := l.Func.Validate(); err != nil {
		return err
	}
	if l.Hess == nil {
		return &sde.SettingError{Field: "loss: FuncHessian.Hess", Want: "a function that stores the Hessian, or a plain Func"}
	}
	return nil
}

// Hessian stores the d×d matrix of second derivatives into dst by Hess. It panics
// if dst is not of length d² or theta not of length d.
func (l FuncHessian) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.N)
	l.Hess(dst, theta)
}
