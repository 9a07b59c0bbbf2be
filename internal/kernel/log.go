// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

const (
	ln2      = 0x1.62e42fefa39efp-1
	sqrtHalf = 0x3fe6a09e667f3bcd // bits of √½

	// Minimax on |q| ≤ 0.1716: log((1+q)/(1−q)) = q·(2 + log1 q² + log2 q⁴ + …), 1.3e-18 relative.
	log1 = 0x1.5555555555592p-1
	log2 = 0x1.999999997ff63p-2
	log3 = 0x1.24924941db48bp-2
	log4 = 0x1.c71c521a1983ap-3
	log5 = 0x1.74663ba3487edp-3
	log6 = 0x1.39a20ba50ad72p-3
	log7 = 0x1.2f02517d4e548p-3
)

// Log sets dst[i] to the natural logarithm of x[i], the bits of Log1. The slices
// must be of one length, or Log panics; they may be the same slice.
func Log(dst, x []float64) {
	if len(dst) != len(x) {
		panic(badLength)
	}
	for len(x) > 0 {
		n := logASM(dst, x)
		dst, x = dst[n:], x[n:]
		// What is left is the end of x, or begins with a group that holds an
		// argument that is not a normal positive number.
		n = min(8, len(x))
		for i, v := range x[:n] {
			dst[i] = Log1(v)
		}
		dst, x = dst[n:], x[n:]
	}
}

// Log1 returns the natural logarithm of x,
//
//	x = 2ᵉ·m, m in [√½, √2), q = (m−1)/(m+1):   log x = e·log 2 + q·(2 + q²·P(q²)),
//
// within 2.5 units in the last place. Log1(+Inf) = +Inf, Log1(±0) = −Inf; it is
// NaN for x < 0 and NaN. Normals takes the same steps.
//
// Source of the reduction: Sun's fdlibm, e_log.c, 1993.
func Log1(x float64) float64 {
	ix := math.Float64bits(x)
	bias := 1023
	if ix-1<<52 >= 0x7ff<<52-1<<52 {
		switch {
		case x == 0:
			return math.Inf(-1)
		case x < 0 || x != x:
			return math.NaN()
		case x > math.MaxFloat64:
			return x
		}
		ix = math.Float64bits(x * 0x1p54)
		bias += 54
	}
	t := ix + (one - sqrtHalf)
	e := float64(int(t>>52) - bias)
	m := math.Float64frombits(t&fraction + sqrtHalf)
	q := (m - 1) / (m + 1)
	y := float64(q * q)
	p := math.FMA(y, log7, log6)
	p = math.FMA(y, p, log5)
	p = math.FMA(y, p, log4)
	p = math.FMA(y, p, log3)
	p = math.FMA(y, p, log2)
	p = math.FMA(y, p, log1)
	p = math.FMA(y, p, 2)
	return math.FMA(e, ln2, float64(q*p))
}
