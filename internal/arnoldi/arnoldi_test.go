// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package arnoldi

import (
	"errors"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Against gonum's dense eigenvalues, of a matrix with real and complex ones that are
// well apart.
func TestAgainstDense(t *testing.T) {
	t.Parallel()
	const n, k = 120, 4
	src := rand.New(rand.NewPCG(1, 1))
	a := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			a.Set(i, j, src.NormFloat64()*1e-3)
		}
		a.Set(i, i, a.At(i, i)+math.Pow(0.7, float64(i/2)))
	}
	for i := 0; i < n; i += 4 { // every other pair of equal ones becomes a rotation
		s := 0.5 * math.Pow(0.7, float64(i/2))
		a.Set(i, i+1, s)
		a.Set(i+1, i, -s)
	}
	var e mat.Eigen
	e.Factorize(a, mat.EigenNone)
	want := slices.DeleteFunc(e.Values(nil), func(l complex128) bool { return imag(l) < 0 })
	slices.SortFunc(want, func(a, b complex128) int { return int(math.Copysign(1, cmplx.Abs(b)-cmplx.Abs(a))) })
	apply := func(dst, src []float64) { mat.NewVecDense(n, dst).MulVec(a, mat.NewVecDense(n, src)) }
	weight := make([]float64, n)
	for i := range weight {
		weight[i] = 1 + src.Float64()
	}
	for _, w := range [][]float64{nil, weight} {
		got, err := Largest(apply, n, k, w, 1e-11)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range got {
			if cmplx.Abs(p.Value-want[i]) > 1e-9 {
				t.Errorf("λ_%d = %v, want %v", i, p.Value, want[i])
			}
			re, im := make([]float64, n), make([]float64, n)
			apply(re, p.Real)
			if p.Imag != nil {
				apply(im, p.Imag)
			}
			for j := range n {
				v := complex(p.Real[j], 0)
				if p.Imag != nil {
					v = complex(p.Real[j], p.Imag[j])
				}
				if d := cmplx.Abs(complex(re[j], im[j]) - p.Value*v); d > 1e-9 {
					t.Fatalf("pair %d: residual %.2g at %d", i, d, j)
				}
			}
		}
	}
	// Eigenvalues that are all alike are not told apart by so small a space.
	ring := func(dst, src []float64) {
		for i := range src {
			dst[(i+1)%len(src)] = src[i]
		}
	}
	if _, err := Largest(ring, 1000, 2, nil, 1e-11); !errors.Is(err, ErrNotConverged) {
		t.Errorf("got %v", err)
	}
}
