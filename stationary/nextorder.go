// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// The next term of the Eyring–Kramers formula in any dimension. The mean time to leave a well
// over a gate is ∫_well e^(−L/T) / cap, cap = min T∫|∇h|² e^(−L/T) (Bovier, Eckhoff, Gayrard &
// Klein, 2004). In coordinates y of the eigenvectors at a critical point, scaled by √T,
//
//	L/T = const + ½ Σ λ_i y_i² + √T C(y) + T Q(y),   C = c_ijk y_i y_j y_k/6,   Q = q_ijkl y_i y_j y_k y_l/24
//
// and with ⟨·⟩ over independent normal y_i of variance 1/μ_i, μ_i = |λ_i|, Laplace's method
// gives for the well 1 + T⟨C²/2 − Q⟩. At the gate, with λ_1 = −ν the negative one, the
// minimum h is that of the linear landscape plus √T h₀′ g, g the quadratic polynomial with
//
//	Σ_i (∂_ii − μ_i y_i ∂_i) g − ν g = ∂_1 C
//
// by which the capacity is 1 + T(⟨C²/2 − Q⟩ + ⟨g ∂_1 C⟩) of its first order. In one dimension
// this is the correction of Kramers.

// expansion is a critical point's neighbourhood to fourth order, in the coordinates of the
// Hessian's eigenvectors.
type expansion struct {
	mu    []float64     // |λ_i|
	third [][][]float64 // c_ijk
	pairs [][]float64   // q_iijj
}

// expand differentiates the Hessian around a critical point, by central differences along its
// eigenvectors with Richardson's extrapolation: the loss must be smooth over a hundredth of
// the distance to where it is no longer quadratic.
func expand(loss sde.Loss, p critical, scale float64) expansion {
	d := len(p.theta)
	hessian := hessianOf(loss)
	var eig mat.EigenSym
	h := mat.NewSymDense(d, nil)
	hessian(h, p.theta)
	eig.Factorize(h, true)
	var u mat.Dense
	eig.VectorsTo(&u)
	e := expansion{mu: make([]float64, d), third: make([][][]float64, d), pairs: make([][]float64, d)}
	for i, l := range eig.Values(nil) {
		e.mu[i] = math.Abs(l)
		e.third[i], e.pairs[i] = make([][]float64, d), make([]float64, d)
		for j := range d {
			e.third[i][j] = make([]float64, d)
		}
	}
	// turned returns UᵀHU at a distance along eigenvector k.
	turned := func(k int, s float64) *mat.Dense {
		x := append([]float64(nil), p.theta...)
		for i := range x {
			x[i] += s * u.At(i, k)
		}
		hessian(h, x)
		var half, out mat.Dense
		half.Mul(h, &u)
		out.Mul(u.T(), &half)
		return &out
	}
	middle := turned(0, 0)
	for k := range d {
		const coarse = 2
		step := 1e-2 * scale
		up, down, up2, down2 := turned(k, step), turned(k, -step), turned(k, coarse*step), turned(k, -coarse*step)
		for i := range d {
			for j := range d {
				a := (up.At(i, j) - down.At(i, j)) / (2 * step)
				b := (up2.At(i, j) - down2.At(i, j)) / (2 * coarse * step)
				e.third[i][j][k] = (4*a - b) / 3
			}
			a := (up.At(i, i) - 2*middle.At(i, i) + down.At(i, i)) / (step * step)
			b := (up2.At(i, i) - 2*middle.At(i, i) + down2.At(i, i)) / (coarse * coarse * step * step)
			e.pairs[i][k] = (4*a - b) / 3
		}
	}
	return e
}

// laplace returns ⟨C²/2 − Q⟩, by Isserlis' theorem
//
//	⅛ Σ_k (Σ_i c_iik/μ_i)²/μ_k + 1/12 Σ_ijk c_ijk²/(μ_i μ_j μ_k) − ⅛ Σ_ij q_iijj/(μ_i μ_j)
func (e expansion) laplace() float64 {
	var sum float64
	for k, mk := range e.mu {
		var loop float64
		for i, mi := range e.mu {
			loop += e.third[i][i][k] / mi
			sum -= (e.pairs[i][k] + e.pairs[k][i]) / 2 / (8 * mi * mk)
			for j, mj := range e.mu {
				c := e.third[i][j][k]
				sum += c * c / (12 * mi * mj * mk)
			}
		}
		sum += loop * loop / (8 * mk)
	}
	return sum
}

// committor returns ⟨g ∂_1 C⟩ at a gate, whose first coordinate is the unstable one:
// g = ½ b_jk y_j y_k + Σ b_jj/ν, b_jk = −c_1jk/(μ_j + μ_k + ν).
func (e expansion) committor() float64 {
	nu := e.mu[0]
	var trace, loopB, loopC, cross float64
	for j, mj := range e.mu {
		for k, mk := range e.mu {
			c := e.third[0][j][k]
			b := -c / (mj + mk + nu)
			cross += b * c / (mj * mk)
			if j == k {
				trace += b
				loopB += b / mj
				loopC += c / mj
			}
		}
	}
	return (loopB*loopC+2*cross)/4 + trace/nu*loopC/2
}
