// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// Annealing is isotropic noise whose temperature is a function of time, as with
// a schedule of learning rates or batch sizes, in any dimension:
//
//	D(t) = T(t) I,   B(t) = √(2T(t)) I
//
// Time is that of the flow, which starts at 0. A schedule of the learning rate
// also changes how much time a step of SGD takes; the flow's own time does not
// know of it.
type Annealing struct {
	// Schedule returns T(t), finite and not negative for every t ≥ 0. It must be
	// safe for concurrent use. Where it returns a negative number or NaN, the
	// particles become NaN, which a run reports as divergence.
	Schedule func(t float64) float64
}

var (
	_ sde.Diffusion    = Annealing{}
	_ sde.Classified   = Annealing{}
	_ sde.Thermal      = Annealing{}
	_ sde.DiagonalRoot = Annealing{}
)

// Validate returns an error if Schedule is nil, or if T(0) is negative or not finite.
func (n Annealing) Validate() error {
	if n.Schedule == nil {
		return &sde.SettingError{Field: "noise: Annealing.Schedule", Want: "a function of time that returns the temperature"}
	}
	return nonNegative("noise: Annealing.Schedule(0)", n.Schedule(0))
}

// Dims returns 0, 0: any dimension.
func (n Annealing) Dims() (state, noise int) { return 0, 0 }

// Class returns sde.Additive.
func (n Annealing) Class() sde.NoiseClass { return sde.Additive }

// Temperature returns T(t).
func (n Annealing) Temperature(t float64) float64 { return n.Schedule(t) }

// Root stores √(2T(t)) I, of d×d for d = len(theta), into dst. It panics if dst
// is not of length d².
func (n Annealing) Root(dst, theta []float64, t float64) {
	isotropicRoot(dst, len(theta), n.Schedule(t))
}

// DiagonalRoot stores √(2T(t)) into each element of dst. It panics if dst and
// theta differ in length.
func (n Annealing) DiagonalRoot(dst, theta []float64, t float64) {
	isotropicDiagonal(dst, len(theta), n.Schedule(t))
}
