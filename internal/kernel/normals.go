// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

const (
	signBit  = 1 << 63
	fraction = 1<<52 - 1
	one      = 0x3ff0000000000000 // bits of 1

	uniformBias = 1 - 0x1p-53
	halfPi      = 0x1.921fb54442d18p+0  // π/2; three low bits are zero, so 1.5 times it is exact
	halfPi15    = -0x1.2d97c7f3321d2p+1 // −(3/2)·halfPi

	// Minimax on [−π/4, π/4], in even powers: sin a = a + a³·(s1 + s2 a² + …),
	// 4e-18 relative; cos a = 1 − a²/2 + a⁴·(c2 + c3 a² + …), 6e-20.
	sin1 = -0x1.5555555555548p-3
	sin2 = 0x1.111111110f730p-7
	sin3 = -0x1.a01a019be9217p-13
	sin4 = 0x1.71de35552b52cp-19
	sin5 = -0x1.ae5e4b83e4772p-26
	sin6 = 0x1.5d8b5594a0ab9p-33
	cos2 = 0x1.555555555554bp-5
	cos3 = -0x1.6c16c16c15015p-10
	cos4 = 0x1.a01a019c8f254p-16
	cos5 = -0x1.27e4f7f191463p-22
	cos6 = 0x1.1ee9dbcef7150p-29
	cos7 = -0x1.8fa68483f279cp-37
)

// Normals fills dst with independent standard normal numbers made from words,
// in groups of 16: words w0…w7 give radii, w8…w15 angles,
//
//	dst[i], dst[i+8] = √(−2 log u)·(cos a, sin a),   i = 0…7,
//
// with u = (⌊w[i]/2¹²⌋ + ½)·2⁻⁵² and a = ⌊w[i+8]/2¹²⌋·2⁻⁵²·π/2, the word taken
// as signed, so a lies in [−π/4, π/4). The three low bits of w[i+8] do the rest
// of the circle: bit 2 swaps cosine and sine, bit 0 is the sign of dst[i] and
// bit 1 that of dst[i+8]. The largest number that can occur is 8.572.
//
// A number is within 4 units in the last place of the exact transform of its
// words.
//
// The length of words must be that of dst rounded up to a multiple of 16, or
// Normals panics; what dst does not take of the last group is dropped.
//
// Source: G. E. P. Box and M. E. Muller, A Note on the Generation of Random
// Normal Deviates, Annals of Mathematical Statistics 29(2), 1958.
func Normals(dst []float64, words []uint64) {
	if len(words) != (len(dst)+15)&^15 {
		panic("kernel: words do not match normals")
	}
	n := normalsASM(dst, words)
	dst, words = dst[n:], words[n:]
	for len(dst) >= 16 {
		normals16((*[16]float64)(dst), (*[16]uint64)(words))
		dst, words = dst[16:], words[16:]
	}
	if len(dst) > 0 {
		var last [16]float64
		if normalsASM(last[:], words) == 0 {
			normals16(&last, (*[16]uint64)(words))
		}
		copy(dst, last[:])
	}
}

// normals16 transforms one group of 16 words.
func normals16(z *[16]float64, w *[16]uint64) {
	for i := range 8 {
		w0, w1 := w[i], w[i+8]
		u := math.Float64frombits(w0>>12|one) - uniformBias

		// −2 log u: the steps of log1 times −2, exactly.
		t := math.Float64bits(u) + (one - sqrtHalf)
		e := float64(int64(t>>52) - 1023)
		m := math.Float64frombits(t&fraction + sqrtHalf)
		q := (m - 1) / (m + 1)
		y := float64(q * q)
		p := math.FMA(y, -2*log7, -2*log6)
		p = math.FMA(y, p, -2*log5)
		p = math.FMA(y, p, -2*log4)
		p = math.FMA(y, p, -2*log3)
		p = math.FMA(y, p, -2*log2)
		p = math.FMA(y, p, -2*log1)
		p = math.FMA(y, p, -4)
		r := math.Sqrt(math.FMA(e, -2*ln2, float64(q*p)))

		// The signed 52 bits k as 1.5 + k/2⁵², then a = k/2⁵²·π/2.
		a := math.FMA(math.Float64frombits(w1>>12^(one|1<<51)), halfPi, halfPi15)
		b := float64(a * a)
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
		s = math.FMA(float64(a*b), s, a)
		c = math.FMA(b, c, -0.5)
		c = math.FMA(b, c, 1)

		x, v := math.Float64bits(float64(r*c)), math.Float64bits(float64(r*s))
		swap := (x ^ v) & -(w1 >> 2 & 1)
		z[i] = math.Float64frombits(x ^ swap ^ w1<<63)
		z[i+8] = math.Float64frombits(v ^ swap ^ w1<<62&signBit)
	}
}

// Uniforms sets dst[i] to a number of (0, 1) made of the top 52 bits of words[i],
//
//	dst[i] = (⌊words[i]/2¹²⌋ + ½)·2⁻⁵²,
//
// exactly. The slices must be of one length, or Uniforms panics.
func Uniforms(dst []float64, words []uint64) {
	if len(dst) != len(words) {
		panic(badLength)
	}
	n := uniformsASM(dst, words)
	dst, words = dst[n:], words[n:]
	for i, w := range words {
		dst[i] = math.Float64frombits(w>>12|one) - uniformBias
	}
}
