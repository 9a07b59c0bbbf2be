// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import "math"

// Calculus says at which point of a step the root B is taken in the integral
// ∫ B(θ, t) dW, and so which drift goes with the same B.
type Calculus int

const (
	// Ito takes B at the start of the step (α = 0).
	Ito Calculus = iota
	// Stratonovich takes it in the middle (α = ½), with respect to the root B that
	// was declared: two roots of the same D give different equations if d > 1.
	Stratonovich
	// Klimontovich takes it at the end, the anti-Itô or Hänggi–Klimontovich
	// convention (α = 1). It is fixed by D alone: dθ = a dt + ∇·D dt + B dW.
	Klimontovich
)

// String returns the name of the calculus.
func (c Calculus) String() string {
	switch c {
	case Ito:
		return "Itô"
	case Stratonovich:
		return "Stratonovich"
	case Klimontovich:
		return "Klimontovich"
	}
	return "unknown calculus"
}

// Alpha returns α: 0 for Ito, ½ for Stratonovich, 1 for Klimontovich. In one
// dimension with drift −L′ the stationary density is proportional to
//
//	D^(α−1) exp(−∫ L′/D)
func (c Calculus) Alpha() float64 { return float64(c) / 2 }

// Conversion turns the drift a of an equation in one calculus into the drift of
// the same process in another. With
//
//	c_Ito = 0,   c_Stratonovich,i = ½ Σ_jk B_jk ∂_j B_ik,   c_Klimontovich = ∇·D
//
// the drift under calculus to is a + c_from − c_to. It holds scratch memory and
// serves one goroutine at a time.
//
// Derivatives come from the diffusion's Divergence where that serves, otherwise
// from JacobianOf.
type Conversion struct {
	diffusion     Diffusion
	d, m          int
	from, to      Calculus
	jacobian      func(dst, theta []float64, t float64)
	divergence    func(dst, theta []float64, t float64)
	root, dB, div []float64
}

// NewConversion returns the conversion for a diffusion of d coordinates and m
// components, nil if both drifts are the same: one calculus, or additive noise.
func NewConversion(diffusion Diffusion, d, m int, from, to Calculus) *Conversion {
	if from == to || ClassOf(diffusion) >= Additive {
		return nil
	}
	c := &Conversion{diffusion: diffusion, d: d, m: m, from: from, to: to, jacobian: JacobianOf(diffusion, d, m),
		root: make([]float64, d*m), dB: make([]float64, d*m*d), div: make([]float64, d)}
	if g, ok := diffusion.(Divergence); ok {
		c.divergence = g.Divergence
	}
	return c
}

// Add adds the difference of the two drifts, c_from − c_to, at θ and t to drift.
func (c *Conversion) Add(drift, theta []float64, t float64) {
	for _, term := range [2]struct {
		calculus Calculus
		sign     float64
	}{{c.from, 1}, {c.to, -1}} {
		switch {
		case term.calculus == Ito:
			continue
		case term.calculus == Klimontovich && c.divergence != nil:
			c.divergence(c.div, theta, t)
		default:
			c.contract(theta, t, term.calculus == Klimontovich)
		}
		for i, v := range c.div {
			drift[i] += float64(term.sign * v)
		}
	}
}

// contract stores ½ Σ_jk B_jk ∂_j B_ik into c.div and, for ∇·D with
// D = ½BBᵀ, adds ½ Σ_jk B_ik ∂_j B_jk.
func (c *Conversion) contract(theta []float64, t float64, klimontovich bool) {
	d, m := c.d, c.m
	c.diffusion.Root(c.root, theta, t)
	c.jacobian(c.dB, theta, t)
	for i := range c.div {
		var s float64
		for j := 0; j < d; j++ {
			for k := 0; k < m; k++ {
				s += float64(c.root[j*m+k] * c.dB[(i*m+k)*d+j])
				if klimontovich {
					s += float64(c.root[i*m+k] * c.dB[(j*m+k)*d+j])
				}
			}
		}
		c.div[i] = s / 2
	}
}

// JacobianOf returns a function that stores the derivatives of the diffusion's
// root, of d coordinates and m components, as RootJacobian does. They come from
// the diffusion if it has the upgrade RootJacobian, or DiagonalDerivative and
// the class Diagonal; otherwise by central differences, which take 2d roots and
// have a relative error of about 1e-10. The function holds scratch memory and
// serves one goroutine at a time.
func JacobianOf(diffusion Diffusion, d, m int) func(dst, theta []float64, t float64) {
	if j, ok := diffusion.(RootJacobian); ok {
		return j.RootJacobian
	}
	x := make([]float64, d)
	if dd, ok := diffusion.(DiagonalDerivative); ok && ClassOf(diffusion) == Diagonal {
		return func(dst, theta []float64, t float64) {
			clear(dst)
			dd.DiagonalDerivative(x, theta, t)
			for i, v := range x {
				dst[(i*d+i)*d+i] = v
			}
		}
	}
	low, high := make([]float64, d*m), make([]float64, d*m)
	return func(dst, theta []float64, t float64) {
		copy(x, theta)
		for l, v := range theta {
			h := float64(cbrtEpsilon * math.Max(1, math.Abs(v)))
			up, down := v+h, v-h
			x[l] = up
			diffusion.Root(high, x, t)
			x[l] = down
			diffusion.Root(low, x, t)
			x[l] = v
			for ik := range high {
				dst[ik*d+l] = (high[ik] - low[ik]) / (up - down)
			}
		}
	}
}

// cbrtEpsilon is the step that balances rounding against truncation in a central
// difference, the cube root of 2⁻⁵².
const cbrtEpsilon = 6.055454452393343e-06
