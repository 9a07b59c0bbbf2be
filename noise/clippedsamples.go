// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

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
	storeMean(dst, s.clipped(), theta)
	return true
}

// GradientCovariance stores the covariance of the clipped gradients, times the factor of the
// batches, into dst.
func (s ClippedSamples) GradientCovariance(dst, theta []float64) bool {
	storeCovariance(dst, s.clipped(), theta, s.Gradient.CovarianceFactor())
	return true
}

// BindGradients implements sde.GradientSampler.
func (s ClippedSamples) BindGradients(rows int) sde.GradientFunc {
	return bindBatches(s.Gradient, s.clipped(), rows)
}

func (s ClippedSamples) clipped() sde.FiniteSum {
	l, _ := s.Gradient.Batches()
	return clippedSum{l, s.Norm}
}

// clippedSum has the samples of a finite sum with clipped gradients. Its Gradient is still that of
// the whole.
type clippedSum struct {
	sde.FiniteSum
	norm float64
}

func (s clippedSum) SampleGradient(dst, theta []float64, i int) {
	s.FiniteSum.SampleGradient(dst, theta, i)
	clip(dst, s.norm)
}

func (s clippedSum) SampleGradients(dst sde.Batch, theta []float64, from int) {
	sde.StoreSampleGradients(dst, s.FiniteSum, theta, from)
	for r := range dst.Rows {
		clip(dst.Row(r), s.norm)
	}
}

// clip shortens g to the norm c if it is longer.
func clip(g []float64, c float64) {
	var q float64
	for _, v := range g {
		q += float64(v * v)
	}
	if n := math.Sqrt(q); n > c {
		for i := range g {
			g[i] *= c / n
		}
	}
}

// storeMean stores the mean gradient of a finite sum's samples into dst.
func storeMean(dst []float64, l sde.FiniteSum, theta []float64) {
	if len(dst) != len(theta) {
		panic(badTheta)
	}
	buf := scratch(together * len(theta))
	defer pool.Put(buf)
	clear(dst)
	eachSample(l, theta, *buf, func(_ int, g []float64) {
		for j, v := range g {
			dst[j] += v
		}
	})
	for j := range dst {
		dst[j] /= float64(l.Samples())
	}
}
