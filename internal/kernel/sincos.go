// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

const (
	twoOverPi = 0x1.45f306dc9c883p-1
	halfPiLo  = 0x1.1a62633145c07p-54 // π/2 − halfPi
	nearest   = 0x1.8p52              // t + nearest − nearest is t to the nearest integer
	sinCosMax = 1 << 30
)

// SinCos1 returns sin x and cos x. With k the integer nearest to 2x/π,
//
//	r = (x − k·halfPi) − k·halfPiLo,
//
// whose first part is exact, and the polynomials of Normals at r, swapped and
// signed by k mod 4. The error is at most 1.5 units in the last place, or 2⁻⁷⁵ where
// that is larger, right beside a zero. Beyond |x| = 2³⁰ the remainder of x by the
// number nearest to 2π is taken first: that is a wave of slightly another length.
// Infinities and NaN give NaN.
func SinCos1(x float64) (sin, cos float64) {
	if !(math.Abs(x) <= sinCosMax) {
		x = math.Mod(x, 4*halfPi)
	}
	t := math.FMA(x, twoOverPi, nearest)
	k := t - nearest
	r := math.FMA(-k, halfPi, x)
	r = math.FMA(-k, halfPiLo, r)
	b := float64(r * r)
	s := math.FMA(b, sin6, sin5)
	c := math.FMA(b, cos7, cos6)
	s = math.FMA(b, s, sin4)
	c = math.FMA(b, c, cos5)
	s = math.FMA(b, s, sin3)
	c = math.FMA(b, c, cos4)
	s = math.FMA(b, s, sin2)
	c = math.FMA(b, c, cos3)
	s = math.FMA(b, s, sin1)
	c = math.FMA(b, c, cos2)
	s = math.FMA(float64(r*b), s, r)
	c = math.FMA(b, c, -0.5)
	c = math.FMA(b, c, 1)
	q := math.Float64bits(t)
	if q&1 != 0 {
		s, c = c, s
	}
	if q&2 != 0 {
		s = -s
	}
	if (q+1)&2 != 0 {
		c = -c
	}
	return s, c
}
