// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// Scaled multiplies another sampler's gradient by Gaussian noise around 1, each component by
// its own, or all by the same:
//
//	g_j = ĝ_j (1 + σ z_j)     Cov g = C + σ² diag(C_jj + (E ĝ_j)²),   C = Cov ĝ
//	g   = ĝ (1 + σ z)         Cov g = C + σ² (C + E ĝ E ĝᵀ)           if Common
//
// It is noise as large as the gradient is: on a quadratic loss SGD has then a finite second moment
// only for η λ (1 + σ²) < 2, and power-law tails.
type Scaled struct {
	Gradient sde.GradientSampler
	StdDev   float64 // σ, finite and not negative
	Common   bool    // one z for all components
}

var (
	_ sde.GradientSampler    = Scaled{}
	_ sde.MeanGradient       = Scaled{}
	_ sde.GradientCovariance = Scaled{}
	_ sde.Correlated         = Scaled{}
)

// Validate returns an error if there is no sampler, it refuses itself, or StdDev is negative
// or not finite.
func (s Scaled) Validate() error {
	if err := checkSampler("noise: Scaled.Gradient", s.Gradient); err != nil {
		return err
	}
	return nonNegative("noise: Scaled.StdDev", s.StdDev)
}

// Objective returns the loss of the sampler.
func (s Scaled) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s Scaled) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores the mean of the sampler into dst.
func (s Scaled) MeanGradient(dst, theta []float64) bool {
	return sde.MeanGradientOf(s.Gradient, dst, theta)
}

// GradientCovariance stores Cov g into dst, if the sampler knows its mean and C.
func (s Scaled) GradientCovariance(dst, theta []float64) bool {
	return scaledCovariance(s.Gradient, dst, theta, s.StdDev*s.StdDev, s.Common)
}

// scaledCovariance stores the covariance of a gradient whose components are multiplied by
// factors of mean 1 and variance v, independent or common.
func scaledCovariance(s sde.GradientSampler, dst, theta []float64, v float64, common bool) bool {
	d := len(theta)
	buf := scratch(d)
	defer pool.Put(buf)
	mean := *buf
	if !sde.GradientCovarianceOf(s, dst, theta) || !sde.MeanGradientOf(s, mean, theta) {
		return false
	}
	for i := range d {
		for j := range d {
			if i == j || common {
				dst[i*d+j] += float64(v * (dst[i*d+j] + float64(mean[i]*mean[j])))
			}
		}
	}
	return true
}

// BindGradients implements sde.GradientSampler. Scratch memory is 8d bytes for each row.
func (s Scaled) BindGradients(rows int) sde.GradientFunc {
	return bindChanged(s.Gradient, rows, (*sde.Stream).Normals, func(g, z []float64) {
		for j := range g {
			f := z[j]
			if s.Common {
				f = z[0]
			}
			g[j] += float64(g[j] * float64(s.StdDev*f))
		}
	})
}
