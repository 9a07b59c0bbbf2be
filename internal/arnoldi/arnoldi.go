// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package arnoldi finds a few eigenvalues of a linear map that is given as a function.
package arnoldi

import (
	"errors"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// ErrNotConverged says that the Krylov space did not hold the eigenvectors.
var ErrNotConverged = errors.New("arnoldi: eigenvalues have not converged")

// Pair is an eigenvalue and its eigenvector, of which Imag is nil if the value is real.
type Pair struct {
	Value      complex128
	Real, Imag []float64
	// Residual bounds ‖Av − λv‖/|λ| for the vector of norm 1.
	Residual float64
}

// Largest returns the k eigenvalues of largest modulus of the map from src to dst that
// apply is, of n numbers, with one of a conjugate pair standing for both. weight, of
// positive numbers, defines the inner product Σ w u v in which the Krylov basis is
// orthogonal (nil: 1); the map's start is a fixed vector. The space grows until all
// residuals are below tolerance, or ErrNotConverged is returned with what there is.
func Largest(apply func(dst, src []float64), n, k int, weight []float64, tolerance float64) ([]Pair, error) {
	dot := floats.Dot
	if weight != nil {
		dot = func(a, b []float64) float64 {
			s := 0.0
			for i, w := range weight {
				s += float64(w * a[i] * b[i])
			}
			return s
		}
	}
	most := min(n, 40+10*k)
	start := make([]float64, n)
	for i := range start { // no symmetry of a grid is in it
		start[i] = math.Mod(float64(i)*0.6180339887498949, 1) - 0.3 + 0.3*float64(i)/float64(n)
	}
	first := make([]float64, n)
	apply(first, start) // into the map's range
	norm := math.Sqrt(dot(first, first))
	if !(norm > 0) || math.IsInf(norm, 1) {
		return nil, ErrNotConverged
	}
	floats.Scale(1/norm, first)
	basis := [][]float64{first}
	h := mat.NewDense(most+1, most, nil)
	w := make([]float64, n)
	for m := 1; ; m++ {
		apply(w, basis[m-1])
		before := math.Sqrt(dot(w, w))
		for range 2 { // once more for what rounding left
			for i, b := range basis {
				c := dot(b, w)
				floats.AddScaled(w, -c, b)
				h.Set(i, m-1, h.At(i, m-1)+c)
			}
		}
		norm := math.Sqrt(dot(w, w))
		h.Set(m, m-1, norm)
		done := !(norm > 1e-14*before) || m == most
		if done || m >= 2*k+2 && m%4 == 0 {
			pairs, ok := ritz(h, basis, m, k, norm)
			converged := ok
			for _, p := range pairs {
				converged = converged && p.Residual <= tolerance
			}
			if converged {
				return pairs, nil
			}
			if done {
				return pairs, ErrNotConverged
			}
		}
		next := slices.Clone(w)
		floats.Scale(1/norm, next)
		basis = append(basis, next)
	}
}

// ritz returns the k largest eigenpairs of the leading m×m block of h; ok is false if
// there are fewer.
func ritz(h *mat.Dense, basis [][]float64, m, k int, norm float64) (pairs []Pair, ok bool) {
	var e mat.Eigen
	if !e.Factorize(h.Slice(0, m, 0, m), mat.EigenRight) {
		return nil, false
	}
	var v mat.CDense
	e.VectorsTo(&v)
	values := e.Values(nil)
	order := make([]int, 0, m)
	for i, l := range values {
		if imag(l) >= 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := cmplx.Abs(values[a]), cmplx.Abs(values[b]); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	if len(order) < k {
		return nil, false
	}
	n := len(basis[0])
	for _, i := range order[:k] {
		size := 0.0
		for j := range m {
			c := v.At(j, i)
			size += float64(real(c)*real(c)) + float64(imag(c)*imag(c))
		}
		size = math.Sqrt(size)
		p := Pair{Value: values[i], Real: make([]float64, n), Residual: norm * cmplx.Abs(v.At(m-1, i)) / size / cmplx.Abs(values[i])}
		if imag(values[i]) != 0 {
			p.Imag = make([]float64, n)
		}
		for j := range m {
			c := v.At(j, i)
			floats.AddScaled(p.Real, real(c)/size, basis[j])
			if p.Imag != nil {
				floats.AddScaled(p.Imag, imag(c)/size, basis[j])
			}
		}
		pairs = append(pairs, p)
	}
	return pairs, true
}
