// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// DoubleWells is a double well in each of D coordinates:
//
//	L(θ) = ΔL Σ_i (θ_i²−1)²
//
// It has 2ᴰ minima, all points of ±1, of value 0, with a saddle of value ΔL between any
// two that differ in one sign. The coordinates of a particle are independent copies
// of DoubleWell.
type DoubleWells struct {
	D       int     // dimension; 0 means 2
	Barrier float64 // ΔL; 0 means ¼
}

var (
	_ sde.Loss          = DoubleWells{}
	_ sde.BatchGradient = DoubleWells{}
	_ sde.Hessian       = DoubleWells{}
	_ sde.Laplacian     = DoubleWells{}
	_ sde.Curvature     = DoubleWells{}
	_ sde.Normalizable  = DoubleWells{}
	_ sde.Charted       = DoubleWells{}
)

func (l DoubleWells) one() DoubleWell { return DoubleWell{Barrier: l.Barrier} }

// Validate returns an error if D or Barrier is negative, or Barrier not finite.
func (l DoubleWells) Validate() error {
	if err := checkD("DoubleWells", l.D, 1, 2); err != nil {
		return err
	}
	return l.one().Validate()
}

// Dim returns D.
func (l DoubleWells) Dim() int { return dimOr(l.D, 2) }

// Value returns L. It panics if theta is not of length D.
func (l DoubleWells) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		q := math.FMA(x, x, -1)
		s = math.FMA(q, q, s)
	}
	return l.one().barrier() * s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l DoubleWells) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	c := 4 * l.one().barrier()
	kernel.Cubic(dst, theta, -c, c)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l DoubleWells) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	c := 4 * l.one().barrier()
	if to, ok := dst.Flat(); ok {
		if from, ok := x.Flat(); ok {
			kernel.Cubic(to, from, -c, c)
			return
		}
	}
	for i := range x.Rows {
		kernel.Cubic(dst.Row(i), x.Row(i), -c, c)
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l DoubleWells) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	for i := range theta {
		dst[i*d+i] = l.one().Laplacian(theta[i : i+1])
	}
}

// Laplacian returns 4ΔL Σ (3θ_i²−1). It panics if theta is not of length D.
func (l DoubleWells) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for i := range theta {
		s += float64(l.one().Laplacian(theta[i : i+1]))
	}
	return s
}

// Curvature returns 8ΔL.
func (l DoubleWells) Curvature() float64 { return l.one().Curvature() }

// Normalizable reports whether temperature is above 0.
func (DoubleWells) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minima and all others, 3ᴰ, for D ≤ 9, beyond that nil.
func (l DoubleWells) CriticalPoints() []sde.CriticalPoint {
	return product(l, []root{{-1, 0}, {1, 0}, {0, 1}})
}
