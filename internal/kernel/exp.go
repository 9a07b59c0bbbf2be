// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

const (
	log2e = 0x1.71547652b82fep+0
	ln2lo = 0x1.abc9e3b39803fp-56 // log 2 − ln2
	round = 0x1.8p48              // t + round − round is t to the nearest 1/16
	expLo = -746                  // below, exp is less than half the smallest number
	expHi = 710                   // above, exp overflows

	// Minimax on |r| ≤ log(2)/32: exp r = 1 + r + exp2 r² + …, 1.2e-17 relative.
	exp2 = 0x1.fffffffffffb9p-2
	exp3 = 0x1.555555548f84fp-3
	exp4 = 0x1.55555558f7188p-5
	exp5 = 0x1.11123ab188920p-7
	exp6 = 0x1.6c14cc731964ap-10
)

// pow2 holds 2^(j/16) to the nearest number, and pow2Rest what is missing, as a
// fraction of it.
var pow2 = [16]float64{
	0x1.0000000000000p+0, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0, 0x1.2387a6e756238p+0,
	0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0, 0x1.4bfdad5362a27p+0, 0x1.5ab07dd485429p+0,
	0x1.6a09e667f3bcdp+0, 0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0, 0x1.9c49182a3f090p+0,
	0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0, 0x1.d5818dcfba487p+0, 0x1.ea4afa2a490dap+0,
}

var pow2Rest = [16]float64{
	0, 0x1.79aa65d837b6dp-54, -0x1.01b15eaa59348p-55, 0x1.68efde3a8a894p-54,
	0x1.34d754db0abb6p-55, 0x1.59f48a72a4c6dp-55, 0x1.690cebb7aafb0p-56, 0x1.063e1e21c5409p-54,
	-0x1.3b3efbf5e2228p-54, -0x1.b32dcb94da51dp-56, 0x1.db72fc1f0eab4p-55, 0x1.1affc2b91ce27p-56,
	0x1.c1a7792cb3387p-55, 0x1.36eae30af0cb3p-56, 0x1.4a385a63d07a7p-56, -0x1.ff7128fd391f0p-55,
}

// Exp sets dst[i] to exp(x[i]), the bits of Exp1. The slices must be of one
// length, or Exp panics; they may be the same slice.
func Exp(dst, x []float64) {
	if len(dst) != len(x) {
		panic(badLength)
	}
	n := expASM(dst, x)
	dst, x = dst[n:], x[n:]
	for i, v := range x {
		dst[i] = Exp1(v)
	}
}

// Exp1 returns exp(x),
//
//	x = t·log 2 + r, t the nearest sixteenth:   exp x = 2^⌊t⌋·T + 2^⌊t⌋·T·(P(r) + l),
//
// where T·(1+l) is 2^(t−⌊t⌋) from a table. The error is at most 0.68 units in
// the last place, 0.84 where the result is subnormal. Results above the largest
// number are +Inf, below half the smallest 0; NaN gives NaN.
//
// Source of the method: P. T. P. Tang, Table-Driven Implementation of the
// Exponential Function in IEEE Floating-Point Arithmetic, ACM Transactions on
// Mathematical Software 15(2), 1989.
func Exp1(x float64) float64 {
	if x > expHi {
		x = expHi
	}
	if x < expLo {
		x = expLo
	}
	s := math.FMA(x, log2e, round)
	t := s - round
	r := math.FMA(t, -ln2, x)
	r = math.FMA(t, -ln2lo, r)
	k := int64(math.Float64bits(s)) - 0x42f8000000000000
	p := math.FMA(r, exp6, exp5)
	p = math.FMA(r, p, exp4)
	p = math.FMA(r, p, exp3)
	p = math.FMA(r, p, exp2)
	p = math.FMA(r, p, 1)
	p = math.FMA(r, p, pow2Rest[k&15])
	y := math.FMA(pow2[k&15], p, pow2[k&15])
	// Two factors: 2^⌊t⌋ itself may be no number. The first product is exact.
	n := k >> 4
	h := n >> 1
	return float64(y*math.Float64frombits(uint64(h+1023)<<52)) * math.Float64frombits(uint64(n-h+1023)<<52)
}
