// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// WithReplacement samples the gradient of a finite sum by mini-batches of B samples that
// are drawn independently, with replacement, at each step and for each particle:
//
//	g = (1/B) Σ_k ∇ℓ_{i_k},   Cov g = Σ(θ)/B
//
// with Σ the covariance of ∇ℓ_i over the samples (SampleCovariance). The noise of
// different steps is independent.
type WithReplacement struct {
	Loss      sde.FiniteSum
	BatchSize int // B
}

var (
	_ sde.Batched            = WithReplacement{}
	_ sde.GradientCovariance = WithReplacement{}
)

// Validate returns an error if there is no loss, it has no samples, or BatchSize is not
// positive.
func (s WithReplacement) Validate() error {
	return checkBatches("WithReplacement", s.Loss, s.BatchSize, math.MaxInt32)
}

// Objective returns Loss.
func (s WithReplacement) Objective() sde.Loss { return s.Loss }

// CovarianceFactor returns 1/B, by which Σ is multiplied to give that of g.
func (s WithReplacement) CovarianceFactor() float64 { return 1 / float64(s.BatchSize) }

// GradientCovariance stores Σ(θ)/B into dst.
func (s WithReplacement) GradientCovariance(dst, theta []float64) bool {
	terms{FiniteSum: s.Loss}.covariance(dst, theta, s.CovarianceFactor())
	return true
}

// Batches returns Loss and BatchSize.
func (s WithReplacement) Batches() (sde.FiniteSum, int) { return s.Loss, s.BatchSize }

// BindBatches implements sde.Batched.
func (s WithReplacement) BindBatches(int) func(dst []uint32, stream *sde.Stream) {
	n := s.Loss.Samples()
	return func(dst []uint32, stream *sde.Stream) { stream.Indices(dst, n) }
}

// BindGradients implements sde.GradientSampler. Scratch memory is 4B bytes for each row.
func (s WithReplacement) BindGradients(rows int) sde.GradientFunc {
	return bindBatches(s, s.Loss, rows)
}

// checkBatches returns an error if batches of so many cannot be drawn from a finite sum.
func checkBatches(name string, l sde.FiniteSum, size, most int) error {
	if l == nil {
		return &sde.SettingError{Field: "noise: " + name + ".Loss", Value: nil, Want: "a loss that is a finite sum"}
	}
	if v, ok := l.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	if n := l.Samples(); n < 1 || n > math.MaxInt32 {
		return &sde.SettingError{Field: "noise: " + name + ".Loss", Value: n, Want: "1 to 2³¹ − 1 samples"}
	}
	if size < 1 || size > most {
		return &sde.SettingError{Field: "noise: " + name + ".BatchSize", Value: size, Want: within(1, most)}
	}
	return nil
}
