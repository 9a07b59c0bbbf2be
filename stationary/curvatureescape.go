// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// CurvatureEscape is the escape of SGD from a minimum when the noise is as
// anisotropic as the landscape, D = (η/2B) |H|, along one direction:
//
//	τ ≈ 2π/√(H_a|H_b|) · (|H_b|/H_a)^(½−α) · exp[(2BΔL/η) (s/H_a + (1−s)/|H_b|)]
//
// with the curvatures H_a at the minimum and H_b at the saddle along the escape direction, and s in (0, 1) the part of the way
// on which the curvature is that of the minimum. The prefactor is 2π/H_a under Itô's calculus, which SGD is, and
// 2π/|H_b| under Klimontovich's.
//
// Source of the exponent: Xie, Sato & Sugiyama, 2021, A diffusion theory for deep learning
// dynamics, theorem 3.2, whose printed prefactor, 2π/|H_b|, is Klimontovich's. Zero-loss minima, where gradient
// noise vanishes, cannot be left at all, which D ∝ |H| does not know (Ziyin et al., 2022, Strength of minibatch noise in SGD).
type CurvatureEscape struct {
	LearningRate, BatchSize float64 // η, B
	Barrier                 float64 // ΔL
	Minimum, Saddle         float64 // H_a > 0 and H_b < 0
	Share                   float64 // s; 0 means ½
	Calculus                sde.Calculus
}

// Predict returns the mean time in units in which a step of SGD takes η, or an error that
// names what is wrong.
func (c CurvatureEscape) Predict() (Prediction, error) {
	if c.Share == 0 {
		c.Share = 0.5
	}
	if err := positive("CurvatureEscape", []string{"LearningRate", "BatchSize", "Barrier", "Minimum", "Share", "−Saddle"},
		c.LearningRate, c.BatchSize, c.Barrier, c.Minimum, c.Share, -c.Saddle); err != nil {
		return Prediction{}, err
	}
	if c.Share >= 1 {
		return Prediction{}, wrong("CurvatureEscape.Share", c.Share, "a number between 0 and 1")
	}
	a, b := c.Minimum, -c.Saddle
	exponent := 2 * c.BatchSize * c.Barrier / c.LearningRate * (c.Share/a + (1-c.Share)/b)
	p := predict("Xie, Sato & Sugiyama", math.Log(2*math.Pi)-math.Log(a*b)/2+(0.5-c.Calculus.Alpha())*math.Log(b/a)+exponent, math.NaN())
	p.checkBarrier(exponent)
	if c.LearningRate*a > 0.2 {
		p.warn("ηH = %.2g at the minimum: a step of SGD is no small part of the time in which the flow relaxes", c.LearningRate*a)
	}
	return p, nil
}
