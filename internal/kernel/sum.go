// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

// partial holds the 32 running sums of Dot, Sum and SumSquares: element i of a
// slice goes to partial[i mod 32], in order.
type partial [32]float64

// total adds up the running sums,
//
//	t[l] = (s[l]+s[l+8]) + (s[l+16]+s[l+24]),   l = 0…7
//	u[l] = t[l] + t[l+4],                       l = 0…3
//	(u[0]+u[2]) + (u[1]+u[3]).
func (s *partial) total() float64 {
	var t [8]float64
	for l := range t {
		t[l] = (s[l] + s[l+8]) + (s[l+16] + s[l+24])
	}
	return ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]))
}

// Dot returns Σ x[i]·y[i]: 32 running sums, s[i mod 32] = fma(x[i], y[i], s[i mod 32]),
// added up as partial.total says. The slices must be of one length, or Dot panics.
func Dot(x, y []float64) float64 {
	if len(x) != len(y) {
		panic(badLength)
	}
	var s partial
	sum, n, done := dotASM(&s, x, y)
	if done {
		return sum
	}
	x = x[n:]
	y = y[n:][:len(x)]
	for i, v := range x {
		s[i&31] = math.FMA(v, y[i], s[i&31])
	}
	return s.total()
}

// Sum returns Σ x[i]: 32 running sums, s[i mod 32] += x[i], added up as
// partial.total says.
func Sum(x []float64) float64 {
	var s partial
	sum, n, done := sumASM(&s, x)
	if done {
		return sum
	}
	for i, v := range x[n:] {
		s[i&31] += v
	}
	return s.total()
}

// SumSquares returns Σ (x[i]−c)²: with d = x[i]−c, 32 running sums
// s[i mod 32] = fma(d, d, s[i mod 32]), added up as partial.total says.
func SumSquares(x []float64, c float64) float64 {
	var s partial
	sum, n, done := sumSquaresASM(&s, x, c)
	if done {
		return sum
	}
	for i, v := range x[n:] {
		d := v - c
		s[i&31] = math.FMA(d, d, s[i&31])
	}
	return s.total()
}
