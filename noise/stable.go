// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"github.com/sgflow/sgflow/sde"
)

// Stable is noise of constant scale that is driven by a symmetric α-stable motion
// instead of Brownian motion, in any dimension:
//
//	dθ = a dt + σ dL,   E exp(i k·L_t) = exp(−t Σ_j |k_j|^α)
//
// or exp(−t|k|^α) if it is Rotational. In one dimension α = 1 is Cauchy's law. With
// α = 2 it is a temperature of σ². On a quadratic of curvature k the stationary law of
// a coordinate is again stable, of scale σ/(αk)^(1/α). For α < 2 there is no
// temperature; moments of order α and above are infinite. The scheme for it is
// integrate.StableEuler; others refuse it.
//
// Source: Samorodnitsky & Taqqu, 1994, Stable Non-Gaussian Random Processes, § 1.1
// and 2.5; as a model of SGD, Şimşekli, Sagun & Gürbüzbalaban, 2019, A tail-index
// analysis of stochastic gradient noise in deep neural networks.
type Stable struct {
	// Alpha is the index of stability α, above 0 and at most 2.
	Alpha float64
	// Scale is σ, in units of θ by time to the power 1/α.
	Scale float64
	// Rotational makes the law rotationally invariant. Otherwise the coordinates'
	// noises are independent, and large jumps go along the axes.
	Rotational bool
}

var (
	_ sde.Diffusion    = Stable{}
	_ sde.Classified   = Stable{}
	_ sde.Stable       = Stable{}
	_ sde.DiagonalRoot = Stable{}
)

// Validate returns an error unless 0 < α ≤ 2, and the scale is finite and not negative.
func (n Stable) Validate() error {
	if !(n.Alpha > 0 && n.Alpha <= 2) {
		return &sde.SettingError{Field: "noise: Stable.Alpha", Value: n.Alpha, Want: "an index above 0 and at most 2"}
	}
	return nonNegative("noise: Stable.Scale", n.Scale)
}

// Dims returns 0, 0: any dimension.
func (n Stable) Dims() (state, noise int) { return 0, 0 }

// Class returns sde.Constant.
func (n Stable) Class() sde.NoiseClass { return sde.Constant }

// StableLaw returns α and whether the law is rotationally invariant.
func (n Stable) StableLaw() (alpha float64, rotational bool) { return n.Alpha, n.Rotational }

// Root stores σ I, of d×d for d = len(theta), into dst. It panics if dst is not of
// length d².
func (n Stable) Root(dst, theta []float64, t float64) {
	d := len(theta)
	if len(dst) != d*d {
		panic(badRoot)
	}
	clear(dst)
	for i := 0; i < len(dst); i += d + 1 {
		dst[i] = n.Scale
	}
}

// DiagonalRoot stores σ into each element of dst. It panics if dst and theta differ in
// length.
func (n Stable) DiagonalRoot(dst, theta []float64, t float64) {
	if len(dst) != len(theta) {
		panic(badDiagonal)
	}
	for i := range dst {
		dst[i] = n.Scale
	}
}
