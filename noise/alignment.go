// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Alignment returns how far two symmetric matrices are in proportion to one another,
//
//	tr(A B)/(|A| |B|),   |A|² = tr A²
//
// such as the covariance Σ of gradients and the Hessian H: 1 for A = cB with c > 0, the cosine of
// the angle between them as vectors. It is NaN if one is 0. It panics if sizes differ. See Z. Zhu,
// J. Wu, B. Yu, L. Wu & J. Ma, 2019, The anisotropic noise in stochastic gradient descent.
func Alignment(a, b mat.Symmetric) float64 {
	n := a.SymmetricDim()
	if b.SymmetricDim() != n {
		panic("noise: alignment of matrices of different sizes")
	}
	var ab, aa, bb float64
	for i := range n {
		for j := range n {
			x, y := a.At(i, j), b.At(i, j)
			ab, aa, bb = ab+float64(x*y), aa+float64(x*x), bb+float64(y*y)
		}
	}
	return ab / math.Sqrt(aa) / math.Sqrt(bb)
}
