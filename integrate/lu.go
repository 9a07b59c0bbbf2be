// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
)

// lu is an LU factorisation with partial pivoting of small dense matrices, in memory of
// its own: gonum's allocates and starts goroutines for larger ones, and its bits are
// those of the BLAS in use.
type lu struct {
	n     int
	a     []float64 // the matrix, row-major; then its factors
	pivot []int
}

func newLU(n int) lu { return lu{n: n, a: make([]float64, n*n), pivot: make([]int, n)} }

func (f *lu) row(i int) []float64 { return f.a[i*f.n : (i+1)*f.n] }

// factor replaces the matrix by its factors and reports whether it is regular.
func (f *lu) factor() bool {
	n := f.n
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(f.a[i*n+k]) > math.Abs(f.a[p*n+k]) {
				p = i
			}
		}
		f.pivot[k] = p
		top := f.row(k)
		if p != k {
			other := f.row(p)
			for j, v := range top {
				top[j], other[j] = other[j], v
			}
		}
		if v := math.Abs(top[k]); !(v > 0) || v > math.MaxFloat64 {
			return false
		}
		for i := k + 1; i < n; i++ {
			row := f.row(i)
			if row[k] != 0 {
				row[k] /= top[k]
				subtract(row[k+1:], row[k], top[k+1:])
			}
		}
	}
	return true
}

// solve replaces b by the solution x of A x = b.
func (f *lu) solve(b []float64) {
	n := f.n
	for k, p := range f.pivot {
		b[k], b[p] = b[p], b[k]
	}
	for i := 1; i < n; i++ {
		b[i] -= product(f.row(i)[:i], b[:i])
	}
	for i := n - 1; i >= 0; i-- {
		row := f.row(i)
		b[i] = (b[i] - product(row[i+1:], b[i+1:])) / row[i]
	}
}

// subtract is kernel.Axpy of −a, without a call for a few numbers.
func subtract(y []float64, a float64, x []float64) {
	if len(x) > 16 {
		kernel.Axpy(y, -a, x)
		return
	}
	for i, v := range x {
		y[i] = math.FMA(-a, v, y[i])
	}
}

// product is kernel.Dot, without a call for a few numbers.
func product(x, y []float64) float64 {
	if len(x) > 16 {
		return kernel.Dot(x, y)
	}
	var s float64
	for i, v := range x {
		s = math.FMA(v, y[i], s)
	}
	return s
}
