// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// StudentNoise adds noise with Student's law of ν degrees of freedom to another sampler's
// gradient, independent in each component:
//
//	g_j = ĝ_j + s X_j,   X = √(ν(U^{−2/ν} − 1)) cos(2πV),   U, V uniform
//
// Its tail index is ν: moments of order ν and above are infinite. The mean is that of ĝ for
// ν > 1; for less there is none, and the law is symmetric about that of ĝ. The variance is
// s²ν/(ν−2) for ν > 2, otherwise infinite. Below ν = 0.11 the noise can be infinite.
// Source: R. W. Bailey, 1994, Polar generation of random variates with the t-distribution,
// Mathematics of Computation 62, 779–781.
type StudentNoise struct {
	Gradient         sde.GradientSampler
	DegreesOfFreedom float64 // ν, finite and above 0
	Scale            float64 // s, finite and not negative
}

var (
	_ sde.GradientSampler    = StudentNoise{}
	_ sde.MeanGradient       = StudentNoise{}
	_ sde.GradientCovariance = StudentNoise{}
	_ sde.Correlated         = StudentNoise{}
)

// Validate returns an error if there is no sampler, it refuses itself, DegreesOfFreedom is not
// positive and finite, or Scale is negative or not finite.
func (s StudentNoise) Validate() error {
	if err := checkSampler("noise: StudentNoise.Gradient", s.Gradient); err != nil {
		return err
	}
	if err := positive("noise: StudentNoise.DegreesOfFreedom", s.DegreesOfFreedom); err != nil {
		return err
	}
	return nonNegative("noise: StudentNoise.Scale", s.Scale)
}

// Objective returns the loss of the sampler.
func (s StudentNoise) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s StudentNoise) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores the mean of the sampler into dst; it returns false for ν ≤ 1.
func (s StudentNoise) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta) && s.DegreesOfFreedom > 1
}

// GradientCovariance stores that of the sampler plus s²ν/(ν−2) I into dst, with +Inf on the
// diagonal for ν ≤ 2.
func (s StudentNoise) GradientCovariance(dst, theta []float64) bool {
	v := math.Inf(1)
	if nu := s.DegreesOfFreedom; nu > 2 {
		v = s.Scale * s.Scale * nu / (nu - 2)
	} else if s.Scale == 0 {
		v = 0
	}
	return addedCovariance(s.Gradient, dst, theta, v)
}

// BindGradients implements sde.GradientSampler. Scratch memory is 24d bytes for each row.
func (s StudentNoise) BindGradients(rows int) sde.GradientFunc {
	return bindAdded(s.Gradient, rows, s.Scale, pairs(rows*s.Objective().Dim(), func(u, v float64) float64 {
		return kernel.Student1(s.DegreesOfFreedom, u, v)
	}))
}
