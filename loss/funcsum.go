// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// FuncSum is a finite sum made of a person's functions of one sample,
//
//	L(θ) = (1/N) Σ_i ℓ_i(θ)
//
// What they must be is what is asked of an sde.FiniteSum: safe for concurrent use, and theta is
// neither written to nor kept. A type of one's own with methods Samples and SampleGradient beside those of
// a loss does the same, and can have upgrades as well.
type FuncSum struct {
	// Coordinates is d, at least 1, and Count is N, 1 to 2³¹ − 1.
	Coordinates, Count int
	// F returns ℓ_i(θ), 0 ≤ i < N.
	F func(theta []float64, i int) float64
	// Grad stores ∇ℓ_i(θ) into dst.
	Grad func(dst, theta []float64, i int)
}

var _ sde.FiniteSum = FuncSum{}

// Validate returns an error if there are no coordinates, no samples or too many, or a function
// is nil.
func (l FuncSum) Validate() error {
	if l.Coordinates < 1 {
		return &sde.SettingError{Field: "loss: FuncSum.Coordinates", Value: l.Coordinates, Want: "at least 1", Err: sde.ErrDimension}
	}
	if l.Count < 1 || l.Count > math.MaxInt32 {
		return &sde.SettingError{Field: "loss: FuncSum.Count", Value: l.Count, Want: "1 to 2³¹ − 1 samples"}
	}
	if l.F == nil {
		return &sde.SettingError{Field: "loss: FuncSum.F", Want: "a function that returns the loss of a sample"}
	}
	if l.Grad == nil {
		return &sde.SettingError{Field: "loss: FuncSum.Grad", Want: "a function that stores the gradient of a sample"}
	}
	return nil
}

// Dim returns Coordinates.
func (l FuncSum) Dim() int { return l.Coordinates }

// Samples returns Count.
func (l FuncSum) Samples() int { return l.Count }

// Value returns the mean of F. It panics if theta is not of the dimension.
func (l FuncSum) Value(theta []float64) float64 {
	if len(theta) != l.Coordinates {
		panic(badTheta)
	}
	var s float64
	for i := range l.Count {
		s += l.F(theta, i)
	}
	return s / float64(l.Count)
}

// Gradient stores the mean of Grad into dst; it allocates memory for one gradient. It panics if
// dst or theta is not of the dimension.
func (l FuncSum) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Coordinates)
	clear(dst)
	g := make([]float64, len(dst))
	for i := range l.Count {
		l.Grad(g, theta, i)
		for j, v := range g {
			dst[j] += v
		}
	}
	for j := range dst {
		dst[j] /= float64(l.Count)
	}
}

// SampleGradient stores ∇ℓ_i into dst, by Grad. It panics if dst or theta is not of the
// dimension, or there is no such sample.
func (l FuncSum) SampleGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.Coordinates)
	if i < 0 || l.Count <= i {
		panic("loss: no such sample")
	}
	l.Grad(dst, theta, i)
}
