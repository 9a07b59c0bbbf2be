// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package groups turns the sums of independent groups of particles into
// estimates with standard errors.
package groups

import "math"

// Mean returns the ratio of the totals of sums and weights, its standard error
// from the scatter between groups, and how many groups it rests on:
//
//	m = Σ s_g / Σ w_g,   se² = G/(G−1) Σ (s_g − m w_g)² / (Σ w_g)²
//
// Groups of no weight are passed over. The error is that of a ratio estimator to
// first order, exact for equal weights (Cochran, 1977, Sampling Techniques,
// eq. 2.39); it is NaN for fewer than two groups, and all is NaN for none.
func Mean(sums, weights []float64) (mean, stderr float64, n int) {
	var s, w float64
	for g, v := range sums {
		if weights[g] > 0 {
			s += v
			w += weights[g]
			n++
		}
	}
	if n == 0 {
		return math.NaN(), math.NaN(), 0
	}
	mean = s / w
	if n == 1 {
		return mean, math.NaN(), 1
	}
	var q float64
	for g, v := range sums {
		if weights[g] > 0 {
			r := v - float64(mean*weights[g])
			q += float64(r * r)
		}
	}
	return mean, math.Sqrt(q*float64(n)/float64(n-1)) / w, n
}
