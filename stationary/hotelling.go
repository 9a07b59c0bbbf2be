// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// Test is the outcome of a significance test.
type Test struct {
	// PValue is the probability of a statistic at least as large as this one if
	// the hypothesis holds: uniform on [0, 1] then.
	PValue float64 `json:"pValue"`
	// F is the statistic, and DF1 and DF2 the degrees of freedom of the
	// distribution that it has if the hypothesis holds.
	F   float64 `json:"f"`
	DF1 int     `json:"df1"`
	DF2 int     `json:"df2"`
}

// hotelling tests whether independent vectors y_g of q components have the mean
// μ. This is where the p-value of a comparison comes from: y_g are the
// frequencies of the q+1 cells in group g (the last one left out, as they sum to
// 1), w_g the number of samples in the group and μ the cells' probabilities
// under the law.
//
// Samples of one group may be correlated in any way, in time above all. All that
// is used is that groups are independent of one another, and that a frequency
// over a whole group is nearly normal with a covariance Σ/w_g. Then
//
//	ȳ  = Σ w_g y_g / W,   W = Σ w_g
//	S  = Σ w_g (y_g − ȳ)(y_g − ȳ)ᵀ / (G−1)
//	T² = W (ȳ − μ)ᵀ S⁻¹ (ȳ − μ)
//	F  = T² (G−q) / (q (G−1))
//
// and F has the distribution F(q, G−q): weighted least squares makes (G−1)S a
// Wishart matrix of G−1 degrees of freedom that is independent of ȳ (Hotelling,
// 1931, The generalization of Student's ratio; Anderson, 2003, An Introduction to
// Multivariate Statistical Analysis, Theorem 5.2.2). With groups of equal size it
// is the textbook test. Weights by size are right where sizes differ because
// some groups hold more particles, or were watched for longer.
//
// For cells that no group, or every group alike, has met, S is singular. It is
// therefore raised by 10⁻⁶ of the covariance that independent samples would
// have, diag(μ) − μμᵀ, which is far below what random samples show.
//
// It needs G > q; there is no test (nil) otherwise.
func hotelling(y [][]float64, w []float64, mu []float64, base []float64) *Test {
	q, groups := len(mu), len(y)
	if q < 1 || groups <= q {
		return nil
	}
	mean, total := weightedMean(y, w)
	s := mat.NewSymDense(q, nil)
	r := mat.NewVecDense(q, nil)
	for g := range y {
		for i := range q {
			r.SetVec(i, y[g][i]-mean[i])
		}
		s.SymRankOne(s, w[g]/float64(groups-1), r)
	}
	const least = 1e-6
	for i := range q {
		for j := i; j < q; j++ {
			v := -base[i] * base[j]
			if i == j {
				v += base[i] + 1e-12
			}
			s.SetSym(i, j, s.At(i, j)+least*v)
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(s) {
		return nil
	}
	for i := range q {
		r.SetVec(i, mean[i]-mu[i])
	}
	var x mat.VecDense
	if chol.SolveVecTo(&x, r) != nil && x.IsEmpty() {
		return nil
	}
	t2 := total * mat.Dot(r, &x)
	f := t2 * float64(groups-q) / (float64(q) * float64(groups-1))
	return &Test{PValue: fSurvival(f, q, groups-q), F: f, DF1: q, DF2: groups - q}
}

// weightedMean returns Σ w_g y_g / Σ w_g and Σ w_g.
func weightedMean(y [][]float64, w []float64) (mean []float64, total float64) {
	mean = make([]float64, len(y[0]))
	for g := range y {
		total += w[g]
		for i, v := range y[g] {
			mean[i] += w[g] * v
		}
	}
	for i := range mean {
		mean[i] /= total
	}
	return mean, total
}

// fSurvival returns P(F > f) for F of the distribution F(d1, d2).
func fSurvival(f float64, d1, d2 int) float64 {
	if !(f > 0) {
		return 1
	}
	a, b := float64(d1), float64(d2)
	if math.IsInf(f, 1) {
		return 0
	}
	return mathext.RegIncBeta(b/2, a/2, b/(b+a*f))
}

// tTest returns the two-sided p-value of a deviation of z standard errors, where
// the standard error comes from the scatter between that many groups.
func tTest(z float64, groups int) float64 {
	if groups < 2 {
		return 1
	}
	return fSurvival(z*z, 1, groups-1)
}
