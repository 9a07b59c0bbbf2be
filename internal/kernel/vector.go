// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

// badLength is the panic of a call with slices that do not fit each other.
const badLength = "kernel: length mismatch"

// Euler takes one Euler–Maruyama step with drift a·g and noise s·z,
//
//	x[i] = fma(s, z[i], fma(a, g[i], x[i])).
//
// The slices must be of one length, or Euler panics.
func Euler(x, g, z []float64, a, s float64) {
	if len(g) != len(x) || len(z) != len(x) {
		panic(badLength)
	}
	n := eulerASM(x, g, z, a, s)
	x = x[n:]
	g, z = g[n:][:len(x)], z[n:][:len(x)]
	for i, v := range x {
		x[i] = math.FMA(s, z[i], math.FMA(a, g[i], v))
	}
}

// Axpy adds a multiple of x to y,
//
//	y[i] = fma(a, x[i], y[i]).
//
// The slices must be of one length, or Axpy panics.
func Axpy(y []float64, a float64, x []float64) {
	if len(x) != len(y) {
		panic(badLength)
	}
	n := axpyASM(y, a, x)
	y = y[n:]
	x = x[n:][:len(y)]
	for i, v := range y {
		y[i] = math.FMA(a, x[i], v)
	}
}

// Cubic sets
//
//	dst[i] = x·(a + b·x²) = x·fma(b, x·x, a),   x = x[i],
//
// the gradient of a quartic well. The slices must be of one length, or Cubic
// panics; they may be the same slice.
func Cubic(dst, x []float64, a, b float64) {
	if len(dst) != len(x) {
		panic(badLength)
	}
	n := cubicASM(dst, x, a, b)
	dst, x = dst[n:], x[n:]
	for i, v := range x {
		dst[i] = Cubic1(v, a, b)
	}
}

// Cubic1 returns x·fma(b, x·x, a).
func Cubic1(x, a, b float64) float64 {
	return float64(x * math.FMA(b, float64(x*x), a))
}

// Mul sets dst[i] = x[i]·y[i]. The slices must be of one length, or Mul panics;
// dst may be x or y.
func Mul(dst, x, y []float64) {
	if len(x) != len(dst) || len(y) != len(dst) {
		panic(badLength)
	}
	n := mulASM(dst, x, y)
	dst = dst[n:]
	x, y = x[n:][:len(dst)], y[n:][:len(dst)]
	for i := range dst {
		dst[i] = float64(x[i] * y[i])
	}
}

// Scale sets dst[i] = a·x[i]. The slices must be of one length, or Scale panics;
// they may be the same slice.
func Scale(dst []float64, a float64, x []float64) {
	if len(x) != len(dst) {
		panic(badLength)
	}
	n := scaleASM(dst, a, x)
	dst, x = dst[n:], x[n:]
	for i, v := range x {
		dst[i] = float64(a * v)
	}
}

// Square sets dst[i] = x[i]². The slices must be of one length, or Square
// panics; they may be the same slice.
func Square(dst, x []float64) { Mul(dst, x, x) }

// AllFinite reports whether no element of x is infinite or NaN.
func AllFinite(x []float64) bool {
	n, ok := finiteASM(x)
	if !ok {
		return false
	}
	for _, v := range x[n:] {
		if v-v != 0 {
			return false
		}
	}
	return true
}
