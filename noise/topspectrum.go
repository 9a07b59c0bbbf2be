// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// TopSpectrum returns the k largest eigenvalues of the covariance Σ(θ) of the gradients of a finite
// sum's samples, in descending order, and their eigenvectors as the columns of a d×k matrix. Σ is
// never formed: Lanczos's method with full reorthogonalisation takes products
//
//	Σ v = (1/N) Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)·v
//
// of all N gradients each, until the residuals |Σv − λv| of all k are below 10⁻¹⁰ of the largest
// eigenvalue, or the space is exhausted. Memory is d numbers for each product, rarely more than
// some k. If Σ has a rank r < k the rest is 0. It panics if theta is of another dimension or k is
// not in 1 … d.
//
// It finds one eigenvector of an eigenvalue that is there more than once; whether it finds others
// depends on rounding. Source: G. H. Golub & C. F. Van Loan, 2013, Matrix Computations, §10.3.
func TopSpectrum(l sde.FiniteSum, theta []float64, k int) (values []float64, vectors *mat.Dense) {
	d, n := l.Dim(), l.Samples()
	if len(theta) != d {
		panic(badTheta)
	}
	if k < 1 || d < k {
		panic("noise: number of eigenvalues is not in 1 … d")
	}
	mean, buf := make([]float64, d), make([]float64, together*d)
	of := terms{FiniteSum: l}
	of.mean(mean, theta)
	product := func(dst, v []float64) {
		clear(dst)
		of.each(theta, buf, func(_ int, g []float64) {
			kernel.Axpy(g, -1, mean)
			kernel.Axpy(dst, kernel.Dot(g, v)/float64(n), g)
		})
	}
	start := make([]float64, d)
	sde.NewStream(1, nil).Normals(start)
	var basis [][]float64
	var alpha, beta []float64
	w := make([]float64, d)
	v := start
	scale := 1 / math.Sqrt(kernel.Dot(v, v))
	for {
		q := make([]float64, d)
		kernel.Scale(q, scale, v)
		basis = append(basis, q)
		product(w, q)
		alpha = append(alpha, kernel.Dot(q, w))
		size := math.Sqrt(kernel.Dot(w, w))
		for range 2 {
			for _, b := range basis {
				kernel.Axpy(w, -kernel.Dot(b, w), b)
			}
		}
		b := math.Sqrt(kernel.Dot(w, w))
		m := len(basis)
		var eigen mat.EigenSym
		t := mat.NewSymDense(m, nil)
		for i, a := range alpha {
			t.SetSym(i, i, a)
			if i < len(beta) {
				t.SetSym(i, i+1, beta[i])
			}
		}
		if !eigen.Factorize(t, true) {
			panic("noise: the eigenvalues of a tridiagonal matrix do not converge")
		}
		all := eigen.Values(nil) // ascending
		var s mat.Dense
		eigen.VectorsTo(&s)
		exhausted := m == d || b <= 1e-14*math.Max(size, all[m-1])
		done := m >= k
		for i := max(m-k, 0); i < m; i++ {
			done = done && math.Abs(b*s.At(m-1, i)) <= 1e-10*all[m-1]
		}
		if !done && !exhausted {
			beta, v, scale = append(beta, b), w, 1/b
			continue
		}
		values, vectors = make([]float64, k), mat.NewDense(d, k, nil)
		for j := range min(k, m) {
			values[j] = math.Max(all[m-1-j], 0)
			for i, q := range basis {
				for r, x := range q {
					vectors.Set(r, j, vectors.At(r, j)+float64(s.At(i, m-1-j)*x))
				}
			}
		}
		return values, vectors
	}
}
