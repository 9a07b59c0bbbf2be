// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// SRA1 is Rößler's scheme of strong order 1.5 with two gradients a step, for
// additive noise that may depend on time; see AdditiveRungeKutta for its form.
// Weak order and order of the stationary law are 2: on a quadratic of curvature k
// and with z = hk the variance is exactly
//
//	(T/k) 8(z²−3z+3) / (3(2−z)(z²−2z+4)) = (T/k)(1 − z²/6 − …)
//
// Stable for hk < 2. Two gradients and two normals for each component of noise a
// step; 2.3 times Euler–Maruyama's cost on a double well. Source: Rößler, 2010,
// Runge–Kutta methods for the strong approximation of solutions of stochastic
// differential equations, table 6.3.
type SRA1 struct{}

// SRA3 is Rößler's scheme of strong order 1.5 with three gradients a step,
// for additive noise that may depend on time; without noise it is of order 3. Weak
// order and order of the stationary law are 2.
//
// Stable on a quadratic of curvature k for hk < 2.5127. Three gradients and two
// normals for each component of noise a step. Source: Rößler, 2010, table 6.3;
// the sign of β2, wrong in some libraries, matters for noise that depends on time.
type SRA3 struct{}

// ShARK is Foster's "shifted additive-noise Runge–Kutta" scheme of strong order
// 1.5 with two gradients a step and the smallest error constant of its kind: its
// stages start at θ + g H, the path's mean over the step. Weak order and order of
// the stationary law are 2: on a quadratic of curvature k the variance is, with
// z = hk,
//
//	(T/k) (2−z)(z²+12) / (6(z²−2z+4)) = (T/k)(1 − z²/6 − …)
//
// It serves additive noise that may depend on time. Stable for hk < 2. Two
// gradients and two normals for each component of noise a step. Source: Foster,
// dos Reis & Strange, 2024, High order splitting methods for SDEs satisfying a
// commutativity condition, SIAM J. Numer. Anal. 62, eq. 6.1.
type ShARK struct{}

var (
	_ Scheme = SRA1{}
	_ Scheme = SRA3{}
	_ Scheme = ShARK{}
)

// rk3Limit is the stability limit of explicit three-stage schemes of order 3, the
// root of 1 − z + z²/2 − z³/6 = −1.
const rk3Limit = 2.512745326618329

// Tableau returns the scheme's coefficients.
func (SRA1) Tableau() AdditiveRungeKutta {
	b := [][]float64{{}, {3. / 2}}
	return AdditiveRungeKutta{Name: "SRA1", Alpha: []float64{1. / 3, 2. / 3}, C0: []float64{0, 3. / 4}, A: [][]float64{{}, {3. / 4}},
		C1: []float64{1, 0}, BW: halves(b), BH: b, Beta1: []float64{1, 0}, Beta2: []float64{-1, 1},
		Strong: 1.5, Weak: 2, Invariant: 2, Stability: 2}
}

// Properties returns what the scheme is, and an error unless the noise is additive.
func (s SRA1) Properties(class sde.NoiseClass) (Properties, error) {
	return s.Tableau().Properties(class)
}

// Bind returns the scheme's kernel for a system.
func (s SRA1) Bind(sys *System) (Kernel, error) { return s.Tableau().Bind(sys) }

// Tableau returns the scheme's coefficients.
func (SRA3) Tableau() AdditiveRungeKutta {
	b := [][]float64{{}, {}, {1, 1. / 2}}
	return AdditiveRungeKutta{Name: "SRA3", Alpha: []float64{1. / 6, 1. / 6, 2. / 3}, C0: []float64{0, 1, 1. / 2},
		A:  [][]float64{{}, {1}, {1. / 4, 1. / 4}},
		C1: []float64{1, 0, 0}, BW: halves(b), BH: b, Beta1: []float64{1, 0, 0}, Beta2: []float64{-1, 1, 0},
		Strong: 1.5, Weak: 2, Invariant: 2, Stability: rk3Limit}
}

// Properties returns what the scheme is, and an error unless the noise is additive.
func (s SRA3) Properties(class sde.NoiseClass) (Properties, error) {
	return s.Tableau().Properties(class)
}

// Bind returns the scheme's kernel for a system.
func (s SRA3) Bind(sys *System) (Kernel, error) { return s.Tableau().Bind(sys) }

// Tableau returns the scheme's coefficients.
func (ShARK) Tableau() AdditiveRungeKutta {
	return AdditiveRungeKutta{Name: "ShARK", Alpha: []float64{2. / 5, 3. / 5}, C0: []float64{0, 5. / 6}, A: [][]float64{{}, {5. / 6}},
		C1: []float64{1, 0}, BW: [][]float64{{}, {0, 5. / 6}}, BH: [][]float64{{0, 1}, {0, 1}},
		Beta1: []float64{1, 0}, Beta2: []float64{-1, 1},
		Strong: 1.5, Weak: 2, Invariant: 2, Stability: 2}
}

// Properties returns what the scheme is, and an error unless the noise is additive.
func (s ShARK) Properties(class sde.NoiseClass) (Properties, error) {
	return s.Tableau().Properties(class)
}

// Bind returns the scheme's kernel for a system.
func (s ShARK) Bind(sys *System) (Kernel, error) { return s.Tableau().Bind(sys) }
