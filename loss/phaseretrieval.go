// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// PhaseRetrieval is the loss of finding θ* from squares (a·θ*)², over infinitely many
// standard normal a:
//
//	L(θ) = ¼ E((a·θ)² − (a·θ*)²)² = ¾|θ|⁴ + ¾|θ*|⁴ − ½|θ|²|θ*|² − (θ·θ*)²
//
// Its minima are ±θ*, of value 0; the origin is a maximum, and there are saddles on the
// sphere |θ|² = |θ*|²/3 at right angles to θ*, where descent lingers.
//
// J. Sun, Q. Qu & J. Wright, 2018, A geometric analysis of phase retrieval, Foundations
// of Computational Mathematics 18, 1131–1198 (the real case, by the fourth moments
// of a normal vector).
type PhaseRetrieval struct {
	Signal []float64 // θ*; nil means (1, 0)
}

var (
	_ sde.Loss          = PhaseRetrieval{}
	_ sde.BatchGradient = PhaseRetrieval{}
	_ sde.Hessian       = PhaseRetrieval{}
	_ sde.Laplacian     = PhaseRetrieval{}
	_ sde.Curvature     = PhaseRetrieval{}
	_ sde.Normalizable  = PhaseRetrieval{}
	_ sde.Charted       = PhaseRetrieval{}
)

func (l PhaseRetrieval) signal() []float64 {
	if l.Signal == nil {
		return []float64{1, 0}
	}
	return l.Signal
}

// Validate returns an error if Signal is zero, empty or not finite.
func (l PhaseRetrieval) Validate() error {
	_, _, s := l.products(l.signal())
	if !(s > 0) || math.IsInf(s, 1) {
		return &sde.SettingError{Field: "loss: PhaseRetrieval.Signal", Value: l.Signal, Want: "a finite vector that is not zero, or nil for (1, 0)"}
	}
	return nil
}

// Dim returns the length of Signal.
func (l PhaseRetrieval) Dim() int { return len(l.signal()) }

// products returns |θ|², θ·θ* and |θ*|².
func (l PhaseRetrieval) products(theta []float64) (q, p, s float64) {
	for i, v := range l.signal() {
		q = math.FMA(theta[i], theta[i], q)
		p = math.FMA(theta[i], v, p)
		s = math.FMA(v, v, s)
	}
	return q, p, s
}

// Value returns L. It panics if theta is not of the dimension.
func (l PhaseRetrieval) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	q, p, s := l.products(theta)
	// ¾(q−s)² + (qs − p²), neither of which is negative.
	return math.FMA(0.75*(q-s), q-s, math.FMA(q, s, -float64(p*p)))
}

// Gradient stores ∇L = (3|θ|² − |θ*|²) θ − 2(θ·θ*) θ* into dst. It panics if dst or
// theta is not of the dimension.
func (l PhaseRetrieval) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	q, p, s := l.products(theta)
	a := math.FMA(3, q, -s)
	for i, v := range l.signal() {
		dst[i] = math.FMA(a, theta[i], -float64(2*p*v))
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l PhaseRetrieval) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores (3|θ|² − |θ*|²) I + 6θθᵀ − 2θ*θ*ᵀ into dst. It panics if dst is not of
// length d² or theta not of the dimension.
func (l PhaseRetrieval) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	q, _, s := l.products(theta)
	v := l.signal()
	for i := range d {
		for j := range d {
			dst[i*d+j] = float64(6*theta[i]*theta[j]) - float64(2*v[i]*v[j])
		}
		dst[i*d+i] += float64(3*q) - s
	}
}

// Laplacian returns (3d+6)|θ|² − (d+2)|θ*|². It panics if theta is not of the dimension.
func (l PhaseRetrieval) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	q, _, s := l.products(theta)
	return float64(len(theta)+2) * (float64(3*q) - s)
}

// Curvature returns 6|θ*|², that along θ* at the minima.
func (l PhaseRetrieval) Curvature() float64 {
	_, _, s := l.products(l.signal())
	return 6 * s
}

// Normalizable reports whether temperature is above 0.
func (PhaseRetrieval) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns the minima ±θ* and the origin, and in the plane the two saddles.
func (l PhaseRetrieval) CriticalPoints() []sde.CriticalPoint {
	v := l.signal()
	d := len(v)
	_, _, s := l.products(v)
	minus := make([]float64, d)
	for i, x := range v {
		minus[i] = -x
	}
	all := []sde.CriticalPoint{{Theta: v, Value: 0, Index: 0}, {Theta: minus, Value: 0, Index: 0},
		{Theta: make([]float64, d), Value: 0.75 * s * s, Index: d}}
	if d == 2 {
		c := 1 / math.Sqrt(3)
		for _, sign := range []float64{c, -c} {
			all = append(all, sde.CriticalPoint{Theta: []float64{-sign * v[1], sign * v[0]}, Value: 2.0 / 3 * s * s, Index: 1})
		}
	}
	return all
}
