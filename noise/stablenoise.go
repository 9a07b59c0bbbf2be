// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/internal/stable"
	"github.com/sgflow/sgflow/sde"
)

// StableNoise adds symmetric α-stable noise to another sampler's gradient, independent in
// each component:
//
//	g_j = ĝ_j + σ X_j,   E exp(ikX) = exp(−|k|^α)
//
// The mean is that of ĝ for α > 1; for α ≤ 1 there is none, and the law is symmetric about that of
// ĝ. The variance is infinite for α < 2, and 2σ² for α = 2. SGD of learning rate η with it is
// Euler's scheme for a flow driven by a Lévy process, dθ = −∇L dt + ε dL^α with ε = σ η^{1−1/α}.
// See U. Şimşekli, L. Sagun & M. Gürbüzbalaban, 2019, A tail-index analysis of stochastic gradient
// noise in deep neural networks.
type StableNoise struct {
	Gradient sde.GradientSampler
	Alpha    float64 // α, 0 < α ≤ 2; below 0.11 the noise can be infinite
	Scale    float64 // σ, finite and not negative
}

var (
	_ sde.GradientSampler    = StableNoise{}
	_ sde.MeanGradient       = StableNoise{}
	_ sde.GradientCovariance = StableNoise{}
	_ sde.Correlated         = StableNoise{}
)

// Validate returns an error if there is no sampler, it refuses itself, Alpha is not in (0, 2],
// or Scale is negative or not finite.
func (s StableNoise) Validate() error {
	if err := checkSampler("noise: StableNoise.Gradient", s.Gradient); err != nil {
		return err
	}
	if !(0 < s.Alpha && s.Alpha <= 2) {
		return &sde.SettingError{Field: "noise: StableNoise.Alpha", Value: s.Alpha, Want: "a number above 0, at most 2"}
	}
	return nonNegative("noise: StableNoise.Scale", s.Scale)
}

// Objective returns the loss of the sampler.
func (s StableNoise) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s StableNoise) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores the mean of the sampler into dst; it returns false for α ≤ 1.
func (s StableNoise) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta) && s.Alpha > 1
}

// GradientCovariance stores that of the sampler into dst, with +Inf on the diagonal for α < 2
// and 2σ² added for α = 2.
func (s StableNoise) GradientCovariance(dst, theta []float64) bool {
	v := math.Inf(1)
	if s.Alpha == 2 {
		v = 2 * s.Scale * s.Scale
	} else if s.Scale == 0 {
		v = 0
	}
	return addedCovariance(s.Gradient, dst, theta, v)
}

// addedCovariance stores that of a sampler plus v I into dst.
func addedCovariance(s sde.GradientSampler, dst, theta []float64, v float64) bool {
	if !sde.GradientCovarianceOf(s, dst, theta) {
		return false
	}
	addDiagonal(dst, len(theta), v)
	return true
}

// BindGradients implements sde.GradientSampler. Scratch memory is 24d bytes for each row.
func (s StableNoise) BindGradients(rows int) sde.GradientFunc {
	return bindAdded(s.Gradient, rows, s.Scale, pairs(rows*s.Objective().Dim(), func(u, v float64) float64 {
		return stable.Symmetric(s.Alpha, u, v)
	}))
}

// pairs returns a function that stores at most n variates, each made of two uniforms.
func pairs(n int, variate func(u, v float64) float64) func(stream *sde.Stream, dst []float64) {
	u := make([]float64, 2*n)
	return func(stream *sde.Stream, dst []float64) {
		u := u[:2*len(dst)]
		stream.Uniforms(u)
		for i := range dst {
			dst[i] = variate(u[2*i], u[2*i+1])
		}
	}
}
