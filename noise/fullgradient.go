// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// FullGradient is the gradient of a loss itself, without noise,
//
//	g = ∇L(θ)
//
// which samplers that add noise of their own, such as GradientNoise or StableNoise, start from.
type FullGradient struct {
	Loss sde.Loss
}

var (
	_ sde.GradientSampler    = FullGradient{}
	_ sde.GradientCovariance = FullGradient{}
)

// Validate returns an error if there is no loss.
func (s FullGradient) Validate() error {
	if s.Loss == nil {
		return &sde.SettingError{Field: "noise: FullGradient.Loss", Want: "a loss"}
	}
	return validate(s.Loss)
}

// Objective returns Loss.
func (s FullGradient) Objective() sde.Loss { return s.Loss }

// GradientCovariance stores zeros into dst.
func (s FullGradient) GradientCovariance(dst, _ []float64) bool {
	clear(dst)
	return true
}

// BindGradients implements sde.GradientSampler.
func (s FullGradient) BindGradients(int) sde.GradientFunc {
	if b, ok := s.Loss.(sde.BatchGradient); ok {
		return func(dst, x sde.Batch, _ *sde.Stream) { b.BatchGradient(dst, x) }
	}
	return func(dst, x sde.Batch, _ *sde.Stream) {
		for r := range x.Rows {
			s.Loss.Gradient(dst.Row(r), x.Row(r))
		}
	}
}
