// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lyapunov

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// random returns a matrix of eigenvalues with positive real part, spread over so
// many decades, and a positive semi-definite one.
func random(src *rand.Rand, n int, decades float64) (a, q *mat.Dense) {
	a, b := mat.NewDense(n, n, nil), mat.NewDense(n, n, nil)
	for i := range n {
		a.Set(i, i, math.Pow(10, decades*src.Float64()))
		for j := i + 1; j < n; j++ {
			a.Set(i, j, src.NormFloat64())
		}
		for j := range n {
			b.Set(i, j, src.NormFloat64())
		}
	}
	if n > 1 { // a pair of complex eigenvalues
		a.Set(1, 1, a.At(0, 0))
		a.Set(0, 1, 1)
		a.Set(1, 0, -1)
	}
	var qr mat.QR
	qr.Factorize(b)
	var u, t, r, s mat.Dense
	qr.QTo(&u)
	t.Mul(&u, a)
	r.Mul(&t, u.T())
	s.Mul(b, b.T())
	return &r, &s
}

// kron solves (A⊗I + I⊗A) vec S = vec Q, or (I − M⊗M) vec S = vec V, densely.
func kron(t *testing.T, a, q mat.Matrix, discrete bool) *mat.Dense {
	t.Helper()
	n, _ := a.Dims()
	eye := mat.NewDiagDense(n, nil)
	for i := range n {
		eye.SetDiag(i, 1)
	}
	var big, other, x mat.Dense
	if discrete {
		big.Kronecker(a, a)
		big.Scale(-1, &big)
		for i := range n * n {
			big.Set(i, i, big.At(i, i)+1)
		}
	} else {
		big.Kronecker(a, eye)
		other.Kronecker(eye, a)
		big.Add(&big, &other)
	}
	if err := x.Solve(&big, mat.NewVecDense(n*n, mat.DenseCopyOf(q).RawMatrix().Data)); err != nil && x.IsEmpty() {
		t.Fatal(err)
	}
	return mat.NewDense(n, n, x.RawMatrix().Data)
}

func distance(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return mat.Norm(&d, 2) / mat.Norm(b, 2)
}

// Against the dense system of n² unknowns.
func TestAgainstKronecker(t *testing.T) {
	t.Parallel()
	src := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 8, 15} {
		for _, decades := range []float64{0, 3, 6} {
			a, q := random(src, n, decades)
			s, slowest, ok := Continuous(a, q)
			if !ok || !(slowest > 0) {
				t.Fatalf("n = %d: refused, slowest %g", n, slowest)
			}
			if e := distance(s, kron(t, a, q, false)); e > 1e-9 {
				t.Errorf("continuous, n = %d, %g decades: off by %.2g", n, decades, e)
			}
			var m mat.Dense
			m.Scale(-1.9/math.Pow(10, decades)/2, a)
			for i := range n {
				m.Set(i, i, m.At(i, i)+1)
			}
			v, radius, ok := Discrete(&m, q)
			if !ok {
				if radius < 1 {
					t.Errorf("refused at radius %g", radius)
				}
				continue
			}
			if e := distance(v, kron(t, &m, q, true)); e > 1e-12/(1-radius) {
				t.Errorf("discrete, n = %d, %g decades: off by %.2g at radius %g", n, decades, e, radius)
			}
		}
	}
}

func TestUnstable(t *testing.T) {
	t.Parallel()
	eye := mat.NewDense(2, 2, []float64{1, 0, 0, 1})
	if _, slowest, ok := Continuous(mat.NewDense(2, 2, []float64{1, 0, 0, -0.1}), eye); ok || math.Abs(slowest+0.1) > 1e-15 {
		t.Errorf("slowest %g, %t", slowest, ok)
	}
	if _, radius, ok := Discrete(mat.NewDense(2, 2, []float64{0, 1.5, -1.5, 0}), eye); ok || math.Abs(radius-1.5) > 1e-15 {
		t.Errorf("radius %g, %t", radius, ok)
	}
}
