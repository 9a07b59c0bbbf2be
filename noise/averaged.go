// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// Averaged is the mean of n independent gradients of another sampler at the same θ, as n workers
// that wait for one another, or one that accumulates, make it:
//
//	g = (1/n) Σ_k g_k,   E g = E g_1,   Cov g = Cov g_1/n
type Averaged struct {
	Gradient sde.GradientSampler // with noise that is independent from step to step
	Count    int                 // n, at least 1
}

var (
	_ sde.GradientSampler    = Averaged{}
	_ sde.MeanGradient       = Averaged{}
	_ sde.GradientCovariance = Averaged{}
)

// Validate returns an error if there is no sampler, it refuses itself, its noise is
// correlated, or Count is below 1.
func (s Averaged) Validate() error {
	if err := checkSampler("noise: Averaged.Gradient", s.Gradient); err != nil {
		return err
	}
	if s.Count < 1 {
		return &sde.SettingError{Field: "noise: Averaged.Count", Value: s.Count, Want: "at least 1"}
	}
	return checkWhite("noise: Averaged.Gradient", s.Gradient)
}

// Objective returns the loss of the sampler.
func (s Averaged) Objective() sde.Loss { return s.Gradient.Objective() }

// MeanGradient stores the mean of the sampler into dst.
func (s Averaged) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta)
}

// GradientCovariance stores that of the sampler divided by n into dst.
func (s Averaged) GradientCovariance(dst, theta []float64) bool {
	return multipliedCovariance(s.Gradient, dst, theta, 1/float64(s.Count))
}

// BindGradients implements sde.GradientSampler. Scratch memory is 8d bytes for each row.
func (s Averaged) BindGradients(rows int) sde.GradientFunc {
	weights := make([]float64, s.Count)
	for i := range weights {
		weights[i] = 1 / float64(s.Count)
	}
	return bindSum(s.Gradient, rows, weights...)
}

// bindSum returns a function that adds independent gradients of a sampler with weights.
func bindSum(s sde.GradientSampler, rows int, weights ...float64) sde.GradientFunc {
	inner, one := s.BindGradients(rows), sde.NewBatch(rows, s.Objective().Dim())
	return func(dst, x sde.Batch, stream *sde.Stream) {
		g := one.Slice(0, x.Rows)
		for r := range x.Rows {
			clear(dst.Row(r))
		}
		for _, w := range weights {
			inner(g, x, stream)
			addScaled(dst, w, g.Data)
		}
	}
}
