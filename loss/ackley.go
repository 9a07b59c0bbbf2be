// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Ackley is a cone in a field of waves, in D coordinates:
//
//	L(θ) = 20 + e − 20 exp(−|θ|/5√D) − exp(Σ_i cos(2πθ_i)/D)
//
// Its global minimum is the origin, of value 0, where L has a cusp and no gradient;
// Gradient returns 0 there. L stays below 20 + e, so exp(−L/T) cannot be normalised
// without a domain. The other minima are not listed: there is no end to them, as the slope of the cone
// vanishes far out and that of the waves does not.
//
// D. H. Ackley, 1987, A Connectionist Machine for Genetic Hillclimbing, Kluwer, with
// the constants that are usual since.
type Ackley struct {
	D int // dimension; 0 means 2
}

var (
	_ sde.Loss          = Ackley{}
	_ sde.BatchGradient = Ackley{}
	_ sde.Hessian       = Ackley{}
	_ sde.Laplacian     = Ackley{}
	_ sde.Normalizable  = Ackley{}
)

// Validate returns an error if D is out of range.
func (l Ackley) Validate() error { return checkD("Ackley", l.D, 1, 2) }

// Dim returns D.
func (l Ackley) Dim() int { return dimOr(l.D, 2) }

// terms returns |θ|, 20 exp(−|θ|/5√D) and exp(Σ cos(2πθ_i)/D).
func (Ackley) terms(theta []float64) (r, cone, waves float64) {
	d := float64(len(theta))
	var q, c float64
	for _, x := range theta {
		_, cos := kernel.SinCos1(2 * math.Pi * x)
		c += cos
		q = math.FMA(x, x, q)
	}
	r = math.Sqrt(q)
	return r, 20 * kernel.Exp1(-r/float64(5*math.Sqrt(d))), kernel.Exp1(c / d)
}

// Value returns L. It panics if theta is not of length D.
func (l Ackley) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	_, cone, waves := l.terms(theta)
	return 20 - cone + (math.E - waves)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Ackley) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	r, cone, waves := l.terms(theta)
	d := float64(len(theta))
	radial := 0.0
	if r > 0 {
		radial = cone / float64(5*math.Sqrt(d)*r)
	}
	wave := 2 * math.Pi * waves / d
	for i, x := range theta {
		sin, _ := kernel.SinCos1(2 * math.Pi * x)
		dst[i] = math.FMA(radial, x, float64(wave*sin))
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Ackley) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst; at the origin, where
// there is none, that of the waves. It panics if dst is not of length D² or theta not
// of length D.
func (l Ackley) Hessian(dst, theta []float64) {
	n := l.Dim()
	checkHessian(dst, theta, n)
	r, cone, waves := l.terms(theta)
	d := float64(n)
	a := 1 / (5 * math.Sqrt(d))
	for i, x := range theta {
		si, ci := kernel.SinCos1(2 * math.Pi * x)
		for j := range theta[:i+1] {
			sj, _ := kernel.SinCos1(2 * math.Pi * theta[j])
			h := float64(-waves * (2 * math.Pi / d) * (2 * math.Pi / d) * si * sj)
			if i == j {
				h += float64(waves * 4 * math.Pi * math.Pi / d * ci)
			}
			if r > 0 {
				h -= float64(cone * a * x * theta[j] / (r * r) * (1/r + a))
				if i == j {
					h += cone * a / r
				}
			}
			dst[i*n+j], dst[j*n+i] = h, h
		}
	}
}

// Laplacian returns the trace of the Hessian,
//
//	20κ exp(−κ|θ|) ((D−1)/|θ| − κ) + (4π²/D) exp(Σ_i cos(2πθ_i)/D) Σ_i (cos(2πθ_i) − sin²(2πθ_i)/D)
//
// with κ = 1/5√D, and at the origin that of the waves. It panics if theta is not of length D.
func (l Ackley) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	r, cone, waves := l.terms(theta)
	d := float64(len(theta))
	var s float64
	for _, x := range theta {
		sin, cos := kernel.SinCos1(2 * math.Pi * x)
		s += math.FMA(-sin/d, sin, cos)
	}
	s *= float64(4 * math.Pi * math.Pi / d * waves)
	if r > 0 {
		k := 1 / (5 * math.Sqrt(d))
		s = math.FMA(float64(cone*k), (d-1)/r-k, s)
	}
	return s
}

// Normalizable returns false: L is bounded.
func (Ackley) Normalizable(temperature float64) bool { return false }
