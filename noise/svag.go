// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// SVAG is a gradient of stochastic variance amplified gradient descent, two of another
// sampler's that are added so that the mean is kept and the covariance multiplied by l:
//
//	g = c₁ g₁ + c₂ g₂,   c₁, c₂ = (1 ± √(2l−1))/2,   c₁ + c₂ = 1,   c₁² + c₂² = l
//
// Steps of η/l with it have the noise ηC per unit of time for every l: l = 1 is SGD, and l → ∞ the
// flow with D = (η/2) C, at a finite η. Where SGD differs from it, the flow is no good model.
// Source: Z. Li, S. Malladi & S. Arora, 2021, On the validity of modeling SGD with stochastic
// differential equations (SDEs).
type SVAG struct {
	Gradient sde.GradientSampler // with noise that is independent from step to step
	L        float64             // l, finite and at least 1
}

var (
	_ sde.GradientSampler    = SVAG{}
	_ sde.MeanGradient       = SVAG{}
	_ sde.GradientCovariance = SVAG{}
)

// Validate returns an error if there is no sampler, it refuses itself, its noise is
// correlated, or L is below 1 or not finite.
func (s SVAG) Validate() error {
	if err := checkSampler("noise: SVAG.Gradient", s.Gradient); err != nil {
		return err
	}
	if !(s.L >= 1) || math.IsInf(s.L, 1) {
		return &sde.SettingError{Field: "noise: SVAG.L", Value: s.L, Want: "a finite number from 1"}
	}
	return checkWhite("noise: SVAG.Gradient", s.Gradient)
}

// Weights returns c₁ and c₂.
func (s SVAG) Weights() (c1, c2 float64) {
	r := math.Sqrt(2*s.L - 1)
	return (1 + r) / 2, (1 - r) / 2
}

// Objective returns the loss of the sampler.
func (s SVAG) Objective() sde.Loss { return s.Gradient.Objective() }

// MeanGradient stores the mean of the sampler into dst.
func (s SVAG) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta)
}

// GradientCovariance stores l times that of the sampler into dst.
func (s SVAG) GradientCovariance(dst, theta []float64) bool {
	return multipliedCovariance(s.Gradient, dst, theta, s.L)
}

// BindGradients implements sde.GradientSampler. Scratch memory is 8d bytes for each row.
func (s SVAG) BindGradients(rows int) sde.GradientFunc {
	c1, c2 := s.Weights()
	return bindSum(s.Gradient, rows, c1, c2)
}

// multipliedCovariance stores f times that of a sampler into dst.
func multipliedCovariance(s sde.GradientSampler, dst, theta []float64, f float64) bool {
	if !sde.GradientCovarianceOf(s, dst, theta) {
		return false
	}
	for i := range dst {
		dst[i] *= f
	}
	return true
}
