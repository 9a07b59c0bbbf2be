// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package lyapunov solves Lyapunov's matrix equations, which gonum does not.
package lyapunov

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/mat"
)

// Discrete returns the symmetric solution of
//
//	S = M S Mᵀ + V
//
// and the spectral radius of M, which must be below 1 (ok is false otherwise). V is
// symmetric. S = Σ_k M^k V (M^k)ᵀ is summed by doubling the number of terms, as in
// Smith, 1968, Matrix equation XA + BX = C, SIAM J. Appl. Math. 16, 198–201, so that
// a V that is positive semi-definite makes an S that is so but for rounding.
func Discrete(m, v mat.Matrix) (s *mat.SymDense, radius float64, ok bool) {
	values, ok := eigenvalues(m)
	if !ok {
		return nil, math.NaN(), false
	}
	for _, l := range values {
		radius = math.Max(radius, cmplx.Abs(l))
	}
	if !(radius < 1) {
		return nil, radius, false
	}
	d := smith(m, v)
	var residual, t mat.Dense
	t.Mul(m, d)
	residual.Mul(&t, m.T())
	residual.Add(&residual, v)
	residual.Sub(&residual, d)
	d.Add(d, smith(m, &residual))
	return symmetric(d), radius, true
}

// Continuous returns the symmetric solution of
//
//	A S + S Aᵀ = Q
//
// and the smallest real part of an eigenvalue of A, which must be above 0 (ok is
// false otherwise). Cayley's transform, C = (A−pI)(A+pI)⁻¹, turns it into a discrete
// one, S = C S Cᵀ + 2p (A+pI)⁻¹ Q (A+pI)⁻ᵀ.
func Continuous(a, q mat.Matrix) (s *mat.SymDense, slowest float64, ok bool) {
	values, ok := eigenvalues(a)
	if !ok {
		return nil, math.NaN(), false
	}
	slowest = math.Inf(1)
	low, high := math.Inf(1), 0.0
	for _, l := range values {
		slowest = math.Min(slowest, real(l))
		low, high = math.Min(low, cmplx.Abs(l)), math.Max(high, cmplx.Abs(l))
	}
	if !(slowest > 0) {
		return nil, slowest, false
	}
	n, _ := a.Dims()
	p := float64(math.Sqrt(low) * math.Sqrt(high))
	var plus, inverse, minus, c mat.Dense
	plus.CloneFrom(a)
	minus.CloneFrom(a)
	for i := range n {
		plus.Set(i, i, plus.At(i, i)+p)
		minus.Set(i, i, minus.At(i, i)-p)
	}
	if err := inverse.Inverse(&plus); err != nil && inverse.IsEmpty() {
		return nil, slowest, false
	}
	c.Mul(&minus, &inverse)
	solve := func(q mat.Matrix) *mat.Dense {
		var t, v mat.Dense
		t.Mul(&inverse, q)
		v.Mul(&t, inverse.T())
		v.Scale(2*p, &v)
		return smith(&c, &v)
	}
	d := solve(q)
	for range 2 { // what rounding left
		var t, residual mat.Dense
		t.Mul(a, d)
		residual.Add(&t, t.T())
		residual.Sub(q, &residual)
		d.Add(d, solve(&residual))
	}
	return symmetric(d), slowest, true
}

// smith returns Σ_k M^k V (M^k)ᵀ.
func smith(m, v mat.Matrix) *mat.Dense {
	s, power := mat.DenseCopyOf(v), mat.DenseCopyOf(m)
	for range 64 {
		var t, add, square mat.Dense
		t.Mul(power, s)
		add.Mul(&t, power.T())
		size := mat.Norm(&add, 1)
		if size == 0 || math.IsNaN(size) {
			break
		}
		s.Add(s, &add)
		if size <= 0x1p-56*mat.Norm(s, 1) {
			break
		}
		square.Mul(power, power)
		power.Copy(&square)
	}
	return s
}

func eigenvalues(a mat.Matrix) ([]complex128, bool) {
	var e mat.Eigen
	if !e.Factorize(a, mat.EigenNone) {
		return nil, false
	}
	return e.Values(nil), true
}

func symmetric(d *mat.Dense) *mat.SymDense {
	n, _ := d.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (d.At(i, j)+d.At(j, i))/2)
		}
	}
	return s
}
