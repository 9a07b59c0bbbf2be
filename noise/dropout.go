// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// Dropout multiplies each component of another sampler's gradient by an independent mask
// that is 0 with probability p, and scales what is left so that the mean is kept:
//
//	g_j = ĝ_j m_j/(1−p),   m_j = 0 with probability p, otherwise 1
//	Cov g = C + p/(1−p) diag(C_jj + (E ĝ_j)²),   C = Cov ĝ
//
// It is noise in proportion to the gradient, as with dropout of a linear model's inputs; it
// vanishes at a minimum. At p = ½ it is twice the gradient of a random half of the coordinates.
type Dropout struct {
	Gradient sde.GradientSampler
	Rate     float64 // p, 0 ≤ p < 1
}

var (
	_ sde.GradientSampler    = Dropout{}
	_ sde.MeanGradient       = Dropout{}
	_ sde.GradientCovariance = Dropout{}
	_ sde.Correlated         = Dropout{}
)

// Validate returns an error if there is no sampler, it refuses itself, or Rate is not in [0, 1).
func (s Dropout) Validate() error {
	if err := checkSampler("noise: Dropout.Gradient", s.Gradient); err != nil {
		return err
	}
	if !(0 <= s.Rate && s.Rate < 1) {
		return &sde.SettingError{Field: "noise: Dropout.Rate", Value: s.Rate, Want: "a probability from 0, below 1"}
	}
	return nil
}

// Objective returns the loss of the sampler.
func (s Dropout) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s Dropout) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores the mean of the sampler into dst.
func (s Dropout) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta)
}

// GradientCovariance stores C + p/(1−p) diag(C_jj + (E ĝ_j)²) into dst, if the sampler
// knows its mean and C.
func (s Dropout) GradientCovariance(dst, theta []float64) bool {
	return scaledCovariance(s.Gradient, dst, theta, s.Rate/(1-s.Rate), false)
}

// BindGradients implements sde.GradientSampler. Scratch memory is 8d bytes for each row.
func (s Dropout) BindGradients(rows int) sde.GradientFunc {
	scale := 1 / (1 - s.Rate)
	return bindChanged(s.Gradient, rows, (*sde.Stream).Uniforms, func(g, u []float64) {
		for j := range g {
			if g[j] *= scale; u[j] < s.Rate {
				g[j] = 0
			}
		}
	})
}
