// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Quantised rounds each component of another sampler's gradient to a grid of spacing δ, up
// or down at random so that the mean is kept:
//
//	g_j = δ (⌊ĝ_j/δ⌋ + [u_j < ĝ_j/δ − ⌊ĝ_j/δ⌋]),   u_j uniform
//
// Given ĝ the components are independent, of mean ĝ_j and variance δ² f(1−f) ≤ δ²/4 with f the
// fractional part of ĝ_j/δ, which is added to the covariance of ĝ. The mean of that is known only
// for a gradient without noise. See D. Alistarh, D. Grubic, J. Li, R. Tomioka & M. Vojnović, 2017,
// QSGD: communication-efficient SGD via gradient quantization and encoding.
type Quantised struct {
	Gradient sde.GradientSampler
	Spacing  float64 // δ, finite and above 0
}

var (
	_ sde.GradientSampler    = Quantised{}
	_ sde.MeanGradient       = Quantised{}
	_ sde.GradientCovariance = Quantised{}
	_ sde.Correlated         = Quantised{}
)

// Validate returns an error if there is no sampler, it refuses itself, or Spacing is not
// positive and finite.
func (s Quantised) Validate() error {
	if err := checkSampler("noise: Quantised.Gradient", s.Gradient); err != nil {
		return err
	}
	return positive("noise: Quantised.Spacing", s.Spacing)
}

// Objective returns the loss of the sampler.
func (s Quantised) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s Quantised) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores the mean of the sampler into dst.
func (s Quantised) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta)
}

// GradientCovariance stores δ² f_j(1−f_j) into the diagonal of dst if the sampler declares
// that it has no noise, and otherwise returns false.
func (s Quantised) GradientCovariance(dst, theta []float64) bool {
	if !sde.GradientCovarianceOf(s.Gradient, dst, theta) {
		return false
	}
	for _, v := range dst {
		if v != 0 {
			return false
		}
	}
	buf := scratch(len(theta))
	defer pool.Put(buf)
	g := *buf
	if !sde.MeanGradientOf(s.Gradient, g, theta) {
		return false
	}
	for j, v := range g {
		f := v / s.Spacing
		f -= math.Floor(f)
		dst[j*len(g)+j] = s.Spacing * s.Spacing * f * (1 - f)
	}
	return true
}

// BindGradients implements sde.GradientSampler. Scratch memory is 8d bytes for each row.
func (s Quantised) BindGradients(rows int) sde.GradientFunc {
	return bindChanged(s.Gradient, rows, (*sde.Stream).Uniforms, func(g, u []float64) {
		for j, v := range g {
			whole := math.Floor(v / s.Spacing)
			if u[j] < v/s.Spacing-whole {
				whole++
			}
			g[j] = whole * s.Spacing
		}
	})
}
