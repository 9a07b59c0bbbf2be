// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Temperature is isotropic noise of constant strength, in any dimension:
//
//	D = T I,   B = √(2T) I
//
// With it the stationary density of a flow is exp(−L/T), wherever that can be
// normalised. T has the units of the loss. The zero value, T = 0, is no noise.
type Temperature struct {
	T float64
}

var (
	_ sde.Diffusion    = Temperature{}
	_ sde.Classified   = Temperature{}
	_ sde.Thermal      = Temperature{}
	_ sde.DiagonalRoot = Temperature{}
)

// Validate returns an error unless T is finite and not negative.
func (n Temperature) Validate() error {
	return nonNegative("noise: Temperature.T", n.T)
}

// Dims returns 0, 0: any dimension.
func (n Temperature) Dims() (state, noise int) { return 0, 0 }

// Class returns sde.Constant.
func (n Temperature) Class() sde.NoiseClass { return sde.Constant }

// Temperature returns T at any time.
func (n Temperature) Temperature(float64) float64 { return n.T }

// Root stores √(2T) I, of d×d for d = len(theta), into dst. It panics if dst is
// not of length d².
func (n Temperature) Root(dst, theta []float64, t float64) {
	isotropicRoot(dst, len(theta), n.T)
}

// DiagonalRoot stores √(2T) into each element of dst. It panics if dst and theta
// differ in length.
func (n Temperature) DiagonalRoot(dst, theta []float64, t float64) {
	isotropicDiagonal(dst, len(theta), n.T)
}

// isotropicRoot stores √(2T) I into dst.
func isotropicRoot(dst []float64, d int, temperature float64) {
	if len(dst) != d*d {
		panic(badRoot)
	}
	clear(dst)
	b := math.Sqrt(2 * temperature)
	for i := 0; i < len(dst); i += d + 1 {
		dst[i] = b
	}
}

// isotropicDiagonal stores √(2T) into each element of dst.
func isotropicDiagonal(dst []float64, d int, temperature float64) {
	if len(dst) != d {
		panic(badDiagonal)
	}
	b := math.Sqrt(2 * temperature)
	for i := range dst {
		dst[i] = b
	}
}
