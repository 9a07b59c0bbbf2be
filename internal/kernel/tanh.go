// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

// Minimax in relative error on x² ≤ 1/4: tanh x = x + x³ (tanh0 + tanh1 x² + …), 1.1e-17.
const (
	tanh0 = -0x1.5555555555555p-2
	tanh1 = 0x1.1111111110c21p-3
	tanh2 = -0x1.ba1ba1b9783d6p-5
	tanh3 = 0x1.664f484114832p-6
	tanh4 = -0x1.226e27ed0ac68p-7
	tanh5 = 0x1.d6d0a485132ebp-9
	tanh6 = -0x1.7d68abe445c4bp-10
	tanh7 = 0x1.32b0b92ad1a40p-11
	tanh8 = -0x1.cf9f3fe656023p-13
	tanh9 = 0x1.f2ddeb9a07da7p-15
)

// Tanh sets dst[i] to tanh(x[i]): for |x| < ½ by a polynomial, beyond
//
//	±(1 − e)/(1 + e),   e = exp(−2|x|)
//
// The error is at most 2.6 units in the last place. NaN gives NaN. The slices must be of one
// length, or Tanh panics; they may be the same slice.
func Tanh(dst, x []float64) {
	if len(dst) != len(x) {
		panic(badLength)
	}
	var buf [128]float64
	for len(x) > 0 {
		n := min(len(x), len(buf))
		e := buf[:n]
		for i, v := range x[:n] {
			e[i] = -2 * math.Abs(v)
		}
		Exp(e, e)
		for i, v := range x[:n] {
			q := float64(v * v)
			p := math.FMA(q, tanh9, tanh8)
			p = math.FMA(q, p, tanh7)
			p = math.FMA(q, p, tanh6)
			p = math.FMA(q, p, tanh5)
			p = math.FMA(q, p, tanh4)
			p = math.FMA(q, p, tanh3)
			p = math.FMA(q, p, tanh2)
			p = math.FMA(q, p, tanh1)
			p = math.FMA(q, p, tanh0)
			near := math.Float64bits(math.FMA(float64(v*q), p, v))
			far := math.Float64bits(math.Copysign((1-e[i])/(1+e[i]), v))
			// All bits are set where |v| < ½: a branch would often go the wrong way.
			small := uint64(int64(math.Float64bits(v)&^(1<<63)-math.Float64bits(0.5)) >> 63)
			dst[i] = math.Float64frombits(near&small | far&^small)
		}
		dst, x = dst[n:], x[n:]
	}
}
