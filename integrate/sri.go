// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// SRIW1 is Rößler's scheme of strong order 1.5 for diagonal noise and for noise of
// one component, in Itô's calculus, without derivatives of the root; see
// DiagonalRungeKutta for its form. For additive noise it is SRA1. Commutative
// noise of more components and general noise are refused: take Milstein.
//
// Weak order and order of the stationary law are 2. Stable on a quadratic of curvature k for hk < 2. Two
// gradients, four roots and two normals for each component of noise a step.
// Source: Rößler, 2010, Runge–Kutta methods for the strong approximation of
// solutions of stochastic differential equations, table 6.1.
type SRIW1 struct{}

// SRIW2 is SRIW1 with a third gradient: without noise it is of order 3, and for
// additive noise it is SRA3. Its weak order and that of the stationary law are only
// 1.5 for multiplicative noise: the stages of the root that the drift sees are
// displaced by √h, αᵀB0(B1e) = −1/6 where SRIW1 has 0. Stable on a quadratic of curvature k for hk < 2.5127.
// Three gradients, and as many roots and normals as SRIW1 takes.
// Source: Rößler, 2010, table 6.2.
type SRIW2 struct{}

var (
	_ Scheme = SRIW1{}
	_ Scheme = SRIW2{}
)

// Tableau returns the scheme's coefficients.
func (SRIW1) Tableau() DiagonalRungeKutta {
	return DiagonalRungeKutta{Name: "SRIW1", Alpha: []float64{1. / 3, 2. / 3, 0, 0},
		C0: []float64{0, 3. / 4, 0, 0}, C1: []float64{0, 1. / 4, 1, 1. / 4},
		A0: [][]float64{{}, {3. / 4}}, B0: [][]float64{{}, {3. / 2}},
		A1:    [][]float64{{}, {1. / 4}, {1}, {0, 0, 1. / 4}},
		B1:    [][]float64{{}, {1. / 2}, {-1}, {-5, 3, 1. / 2}},
		Beta1: []float64{-1, 4. / 3, 2. / 3, 0}, Beta2: []float64{-1, 4. / 3, -1. / 3, 0},
		Beta3: []float64{2, -4. / 3, -2. / 3, 0}, Beta4: []float64{-2, 5. / 3, -2. / 3, 1},
		Additive: SRA1{}.Tableau(), Strong: 1.5, Weak: 2, Invariant: 2, Stability: 2}
}

// Tableau returns the scheme's coefficients.
func (SRIW2) Tableau() DiagonalRungeKutta {
	return DiagonalRungeKutta{Name: "SRIW2", Alpha: []float64{1. / 6, 1. / 6, 2. / 3, 0},
		C0: []float64{0, 1, 1. / 2, 0}, C1: []float64{0, 1. / 4, 1, 1. / 4},
		A0: [][]float64{{}, {1}, {1. / 4, 1. / 4}}, B0: [][]float64{{}, {}, {1, 1. / 2}},
		A1:    [][]float64{{}, {1. / 4}, {1}, {0, 0, 1. / 4}},
		B1:    [][]float64{{}, {-1. / 2}, {1}, {2, -1, 1. / 2}},
		Beta1: []float64{-1, 4. / 3, 2. / 3, 0}, Beta2: []float64{1, -4. / 3, 1. / 3, 0},
		Beta3: []float64{2, -4. / 3, -2. / 3, 0}, Beta4: []float64{-2, 5. / 3, -2. / 3, 1},
		Additive: SRA3{}.Tableau(), Strong: 1.5, Weak: 1.5, Invariant: 1.5, Stability: rk3Limit}
}

// Properties returns what the scheme is, and an error for general noise.
func (s SRIW1) Properties(class sde.NoiseClass) (Properties, error) {
	return s.Tableau().Properties(class)
}

// Bind returns the scheme's kernel for a system.
func (s SRIW1) Bind(sys *System) (Kernel, error) { return s.Tableau().Bind(sys) }

// Properties returns what the scheme is, and an error for general noise.
func (s SRIW2) Properties(class sde.NoiseClass) (Properties, error) {
	return s.Tableau().Properties(class)
}

// Bind returns the scheme's kernel for a system.
func (s SRIW2) Bind(sys *System) (Kernel, error) { return s.Tableau().Bind(sys) }
