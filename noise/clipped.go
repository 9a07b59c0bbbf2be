// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// Clipped clips the gradient that another sampler gives, the mean of a mini-batch for
// instance, to the norm c:
//
//	g = ĝ min(1, c/|ĝ|)
//
// What it does to mean and covariance depends on the law of ĝ: there is no formula. The bias is at
// most |E g − E ĝ| ≤ E max(|ĝ| − c, 0), and E|g|² ≤ c². Gradients that never reach c are as they
// were. See J. Zhang, T. He, S. Sra & A. Jadbabaie, 2020, Why gradient clipping accelerates
// training.
type Clipped struct {
	Gradient sde.GradientSampler
	Norm     float64 // c, above 0; +Inf does not clip
}

var (
	_ sde.GradientSampler = Clipped{}
	_ sde.MeanGradient    = Clipped{}
	_ sde.Correlated      = Clipped{}
)

// Validate returns an error if there is no sampler, it refuses itself, or Norm is not positive.
func (s Clipped) Validate() error {
	if err := checkSampler("noise: Clipped.Gradient", s.Gradient); err != nil {
		return err
	}
	return checkClip("noise: Clipped.Norm", s.Norm)
}

// Objective returns the loss of the sampler.
func (s Clipped) Objective() sde.Loss { return s.Gradient.Objective() }

// MeanGradient returns false: the mean is not ∇L, and not known.
func (s Clipped) MeanGradient(_, _ []float64) bool { return false }

// CorrelationSteps returns that of the sampler.
func (s Clipped) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// BindGradients implements sde.GradientSampler.
func (s Clipped) BindGradients(rows int) sde.GradientFunc {
	return bindRows(s.Gradient, rows, func(g []float64) { clip(g, s.Norm) })
}
