// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// DPSGD is the gradient of differentially private SGD: samples' gradients are clipped to the
// norm c and Gaussian noise is added in proportion to what one sample can do,
//
//	g = (1/B) (Σ_k clip(∇ℓ_{i_k}) + σ c z),   z ~ N(0, I)
//
// Its mean is that of ClippedSamples, and its covariance that of ClippedSamples plus (σc/B)² I.
// The batches are those of Gradient; the usual privacy accounts are for batches that contain each
// sample independently, and for those without replacement.
// Source: M. Abadi et al., 2016, Deep learning with differential privacy, algorithm 1.
type DPSGD struct {
	Gradient   sde.Batched
	Norm       float64 // c, finite and above 0
	Multiplier float64 // σ, finite and not negative
}

var (
	_ sde.GradientSampler    = DPSGD{}
	_ sde.MeanGradient       = DPSGD{}
	_ sde.GradientCovariance = DPSGD{}
	_ sde.Correlated         = DPSGD{}
)

// Validate returns an error if there is no sampler, it refuses itself, Norm is not positive
// and finite, or Multiplier is negative or not finite.
func (s DPSGD) Validate() error {
	if err := checkSampler("noise: DPSGD.Gradient", s.Gradient); err != nil {
		return err
	}
	if err := positive("noise: DPSGD.Norm", s.Norm); err != nil {
		return err
	}
	return nonNegative("noise: DPSGD.Multiplier", s.Multiplier)
}

func (s DPSGD) clipped() ClippedSamples { return ClippedSamples{s.Gradient, s.Norm} }

// deviation returns σc/B.
func (s DPSGD) deviation() float64 {
	_, b := s.Gradient.Batches()
	return s.Multiplier * s.Norm / float64(b)
}

// Objective returns the loss of the sampler.
func (s DPSGD) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s DPSGD) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores (1/N) Σ_i clip(∇ℓ_i) into dst.
func (s DPSGD) MeanGradient(dst, theta []float64) bool { return s.clipped().MeanGradient(dst, theta) }

// GradientCovariance stores that of ClippedSamples plus (σc/B)² I into dst.
func (s DPSGD) GradientCovariance(dst, theta []float64) bool {
	s.clipped().GradientCovariance(dst, theta)
	v := s.deviation()
	addDiagonal(dst, len(theta), v*v)
	return true
}

// BindGradients implements sde.GradientSampler.
func (s DPSGD) BindGradients(rows int) sde.GradientFunc {
	return bindAdded(s.clipped(), rows, s.deviation(), (*sde.Stream).Normals)
}
