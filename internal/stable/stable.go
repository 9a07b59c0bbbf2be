// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package stable makes α-stable variates from uniforms, with the same bits everywhere.
package stable

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
)

// Symmetric returns a symmetric α-stable variate of unit scale,
//
//	E exp(ikX) = exp(−|k|^α),   0 < α ≤ 2
//
// from independent uniforms 0 < u, v < 1: with φ = π(u−½) and W = −log v,
//
//	X = sin(αφ)/cos(φ)^{1/α} · (cos((1−α)φ)/W)^{(1−α)/α}
//
// It is a Cauchy variate for α = 1 and has the law N(0, 2) for α = 2. Below α = 0.11 the tail
// can exceed the range of float64 and give ±Inf. Source: J. M. Chambers, C. L. Mallows &
// B. W. Stuck, 1976, A method for simulating stable random variables, Journal of the American
// Statistical Association 71, 340–344.
func Symmetric(alpha, u, v float64) float64 {
	phi := math.Pi * (u - 0.5)
	cos, _ := kernel.SinCos1(math.Pi * math.Min(u, 1-u)) // cos φ, accurate where it is small
	sin, _ := kernel.SinCos1(phi)
	switch alpha {
	case 1:
		return sin / cos
	case 2:
		return 2 * sin * math.Sqrt(-kernel.Log1(v))
	}
	s, _ := kernel.SinCos1(alpha * phi)
	_, c := kernel.SinCos1((1 - alpha) * phi)
	if s == 0 {
		return 0
	}
	e := kernel.Log1(math.Abs(s)) - float64(kernel.Log1(cos)/alpha)
	e += float64((1 - alpha) / alpha * (kernel.Log1(c) - kernel.Log1(-kernel.Log1(v))))
	return math.Copysign(kernel.Exp1(e), s)
}
