// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SaddleChain is a landscape of plateaus. Its coordinates are double wells of very
// different stiffness,
//
//	L(θ) = Σ_i r^(i−1) (θ_i² − 1)²/4,   i = 1 … D,   0 < r < 1
//
// so that a descent from near the origin comes past D saddles, each lower and of an
// index one less, and stays at the k-th for a time of about ln(1/|θ_k|)/r^(k−1): a staircase, as
// in the training of deep linear networks (A. Saxe, J. McClelland & S. Ganguli, 2014,
// Exact solutions to the nonlinear dynamics of learning in deep linear neural networks,
// ICLR). Noise of a temperature above a plateau's fall takes the stairs at once.
//
// All 3ᴰ critical points are the products of −1, 0 and 1. Coordinates are independent, so
// that laws are products too.
type SaddleChain struct {
	D     int     // dimension, 0 means 3
	Ratio float64 // r, 0 means 0.1
}

var (
	_ sde.Loss          = SaddleChain{}
	_ sde.BatchGradient = SaddleChain{}
	_ sde.Hessian       = SaddleChain{}
	_ sde.Laplacian     = SaddleChain{}
	_ sde.Curvature     = SaddleChain{}
	_ sde.Normalizable  = SaddleChain{}
	_ sde.Charted       = SaddleChain{}
)

// Validate returns an error if D is negative, or Ratio not in (0, 1] or so small that
// the last stiffness is below 1e-12.
func (l SaddleChain) Validate() error {
	r := l.ratio()
	if !(r > 0) || r > 1 || math.Pow(r, float64(l.Dim()-1)) < 1e-12 {
		return &sde.SettingError{Field: "loss: SaddleChain.Ratio", Value: l.Ratio, Want: fmt.Sprintf("a number in (0, 1] with Ratio^%d from 1e-12, or 0 for 0.1", l.Dim()-1)}
	}
	return checkD("SaddleChain", l.D, 1, 3)
}

func (l SaddleChain) ratio() float64 {
	if l.Ratio == 0 {
		return 0.1
	}
	return l.Ratio
}

// Dim returns D.
func (l SaddleChain) Dim() int { return dimOr(l.D, 3) }

// Value returns L. It panics if theta is not of length D.
func (l SaddleChain) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	k, r := 1.0, l.ratio()
	for _, x := range theta {
		q := math.FMA(x, x, -1)
		s = math.FMA(float64(k/4*q), q, s)
		k *= r
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l SaddleChain) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	k, r := 1.0, l.ratio()
	for i, x := range theta {
		dst[i] = kernel.Cubic1(x, -k, k)
		k *= r
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l SaddleChain) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives, a diagonal one, into dst. It
// panics if dst is not of length D² or theta not of length D.
func (l SaddleChain) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	k, r := 1.0, l.ratio()
	for i, x := range theta {
		dst[i*d+i] = k * math.FMA(3*x, x, -1)
		k *= r
	}
}

// Laplacian returns Σ r^(i−1) (3θ_i² − 1). It panics if theta is not of length D.
func (l SaddleChain) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	k, r := 1.0, l.ratio()
	for _, x := range theta {
		s = math.FMA(k, math.FMA(3*x, x, -1), s)
		k *= r
	}
	return s
}

// Curvature returns 2, that of the stiffest coordinate.
func (SaddleChain) Curvature() float64 { return 2 }

// Normalizable reports whether temperature is above 0.
func (SaddleChain) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns all 3ᴰ, nil for D above 9.
func (l SaddleChain) CriticalPoints() []sde.CriticalPoint {
	return product(l, []root{{-1, 0}, {1, 0}, {0, 1}})
}
