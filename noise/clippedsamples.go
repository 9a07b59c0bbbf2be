// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"github.com/sgflow/sgflow/sde"
)

// ClippedSamples clips the gradient of each sample of a mini-batch to the norm c before
// they are averaged:
//
//	g = (1/B) Σ_k clip(∇ℓ_{i_k}),   clip(v) = v min(1, c/|v|)
//
// It is biased where samples are clipped, E g = (1/N) Σ_i clip(∇ℓ_i), and its covariance is
// the factor of the batches times that of the clipped gradients over the samples.
// See M. Abadi et al., 2016, Deep learning with differential privacy, algorithm 1, and
// X. Chen, Z. S. Wu & M. Hong, 2020, Understanding gradient clipping in private SGD, for the bias.
type ClippedSamples struct {
	Gradient sde.Batched
	Norm     float64 // c, above 0; +Inf does not clip
}

var (
	_ sde.GradientSampler    = ClippedSamples{}
	_ sde.MeanGradient       = ClippedSamples{}
	_ sde.GradientCovariance = ClippedSamples{}
	_ sde.Correlated         = ClippedSamples{}
)

// Validate returns an error if there is no sampler, it refuses itself, or Norm is not positive.
func (s ClippedSamples) Validate() error {
	if err := checkSampler("noise: ClippedSamples.Gradient", s.Gradient); err != nil {
		return err
	}
	return checkClip("noise: ClippedSamples.Norm", s.Norm)
}

func checkClip(field string, c float64) error {
	if c > 0 {
		return nil
	}
	return &sde.SettingError{Field: field, Value: c, Want: "a norm above 0 to clip at"}
}

// Objective returns the loss of the sampler.
func (s ClippedSamples) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s ClippedSamples) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores (1/N) Σ_i clip(∇ℓ_i) into dst.
func (s ClippedSamples) MeanGradient(dst, theta []float64) bool {
	s.clipped().mean(dst, theta)
	return true
}

// GradientCovariance stores the covariance of the clipped gradients, times the factor of the
// batches, into dst.
func (s ClippedSamples) GradientCovariance(dst, theta []float64) bool {
	s.clipped().covariance(dst, theta, s.Gradient.CovarianceFactor())
	return true
}

// BindGradients implements sde.GradientSampler.
func (s ClippedSamples) BindGradients(rows int) sde.GradientFunc {
	return bindBatches(s.Gradient, s.clipped(), rows)
}

func (s ClippedSamples) clipped() terms {
	l, _ := s.Gradient.Batches()
	return terms{FiniteSum: l, norm: s.Norm}
}
