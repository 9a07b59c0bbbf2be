// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"github.com/sgflow/sgflow/sde"
)

// Shifted is a loss moved to another place,
//
//	L(θ) = L₀(θ − s)
type Shifted struct {
	Loss  sde.Loss
	Shift []float64 // s
}

var (
	_ sde.Loss          = Shifted{}
	_ sde.BatchGradient = Shifted{}
	_ sde.Hessian       = Shifted{}
	_ sde.Laplacian     = Shifted{}
	_ sde.Curvature     = Shifted{}
	_ sde.Normalizable  = Shifted{}
	_ sde.Charted       = Shifted{}
)

// Validate returns an error if Loss is nil or not valid, or Shift not finite or not of
// its dimension.
func (l Shifted) Validate() error {
	if err := checkPart("Shifted.Loss", l.Loss); err != nil {
		return err
	}
	return checkVector("Shifted.Shift", l.Shift, l.Loss.Dim())
}

// Dim returns the dimension of Loss.
func (l Shifted) Dim() int { return l.Loss.Dim() }

// moved returns θ − s, to be given back by scratch.Put.
func (l Shifted) moved(theta []float64) *[]float64 {
	if len(theta) != len(l.Shift) {
		panic(badTheta)
	}
	x := borrow(len(theta))
	for i, v := range theta {
		(*x)[i] = v - l.Shift[i]
	}
	return x
}

// Value returns L. It panics if theta is not of the dimension.
func (l Shifted) Value(theta []float64) float64 {
	x := l.moved(theta)
	defer scratch.Put(x)
	return l.Loss.Value(*x)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l Shifted) Gradient(dst, theta []float64) {
	x := l.moved(theta)
	defer scratch.Put(x)
	l.Loss.Gradient(dst, *x)
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l Shifted) BatchGradient(dst, x sde.Batch) {
	d := l.Dim()
	checkBatch(dst, x, d)
	data := borrow(x.Rows * d)
	defer scratch.Put(data)
	y := batchOf(*data, x.Rows, d)
	for i := range x.Rows {
		row := y.Row(i)
		for j, v := range x.Row(i) {
			row[j] = v - l.Shift[j]
		}
	}
	batchGradient(l.Loss, dst, y)
}

// Hessian stores the d×d matrix of second derivatives into dst. It panics if dst is
// not of length d² or theta not of length d.
func (l Shifted) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.Dim())
	x := l.moved(theta)
	defer scratch.Put(x)
	hessian(l.Loss, dst, *x)
}

// Laplacian returns ΔL. It panics if theta is not of the dimension.
func (l Shifted) Laplacian(theta []float64) float64 {
	x := l.moved(theta)
	defer scratch.Put(x)
	return laplacian(l.Loss, *x)
}

// Curvature returns that of Loss, 0 if it is not known.
func (l Shifted) Curvature() float64 { return curvature(l.Loss) }

// Normalizable returns what Loss says, true if it says nothing.
func (l Shifted) Normalizable(temperature float64) bool { return normalizable(l.Loss, temperature) }

// CriticalPoints returns those of Loss, moved, nil if they are not known.
func (l Shifted) CriticalPoints() []sde.CriticalPoint {
	return mapped(l.Loss, func(dst, x []float64) {
		for i, v := range x {
			dst[i] = v + l.Shift[i]
		}
	}, func(v float64) float64 { return v })
}
