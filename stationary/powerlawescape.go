// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"
)

// PowerLawEscape is the escape of SGD on a mean-square loss, whose gradient noise is
// proportional to the loss itself, D = (η L/B) H: a power of the ratio of losses takes the place of an
// exponential of their difference. In the time ∫ L dt the flow is Langevin's on
// log L with the temperature η h*/B, whence
//
//	1/τ = (|h_s|/2π) √(det Ĥ*/|det Ĥ_s|) (L_s/L*)^−(B/(η h*) + 1 − n/2)
//
// with n the dimension of the space that counts (outliers of the Hessian), h* and h_s the curvatures along the escape direction at
// the minimum and at the saddle, and det Ĥ those in that space; in one dimension, and for Ratio = h*/|h_s|,
// it is (1/2π) √(h*|h_s|) (L_s/L*)^−(½ + B/(η h*)).
//
// Source: Mori, Ziyin, Liu & Ueda, 2022, Power-law escape rate of SGD, eqs. 14 and 15.
type PowerLawEscape struct {
	LearningRate, BatchSize float64 // η, B
	LossMinimum, LossSaddle float64 // 0 < L* < L_s
	Minimum, Saddle         float64 // h* > 0 and h_s < 0
	// Dimension is n; 0 means 1. Ratio is det Ĥ*/|det Ĥ_s|, 0 meaning that all but the
	// escape direction are the same, h*/|h_s|.
	Dimension int
	Ratio     float64
}

// Exponent returns φ = 1 + B/(η h*): the stationary density is ∝ L^−φ around the minimum.
func (p PowerLawEscape) Exponent() float64 { return 1 + p.BatchSize/(p.LearningRate*p.Minimum) }

// CriticalDimension returns n_c = 2(B/(η h*) + 1): in more dimensions the minimum is unstable.
func (p PowerLawEscape) CriticalDimension() float64 { return 2 * p.Exponent() }

// Predict returns the mean time in units in which a step of SGD takes η, or an error that
// names what is wrong.
func (p PowerLawEscape) Predict() (Prediction, error) {
	if p.Dimension == 0 {
		p.Dimension = 1
	}
	if p.Ratio == 0 {
		p.Ratio = -p.Minimum / p.Saddle
	}
	if err := positive("PowerLawEscape", []string{"LearningRate", "BatchSize", "LossMinimum", "LossSaddle", "Minimum", "−Saddle", "Ratio", "Dimension"},
		p.LearningRate, p.BatchSize, p.LossMinimum, p.LossSaddle, p.Minimum, -p.Saddle, p.Ratio, float64(p.Dimension)); err != nil {
		return Prediction{}, err
	}
	if p.LossSaddle <= p.LossMinimum {
		return Prediction{}, wrong("PowerLawEscape.LossSaddle", p.LossSaddle, "more than LossMinimum")
	}
	if n := float64(p.Dimension); n > p.CriticalDimension() {
		return Prediction{}, wrong("PowerLawEscape.Dimension", p.Dimension, "at most 2(B/ηh* + 1): above that the minimum is unstable and there is nothing to escape from")
	}
	power := p.Exponent() - float64(p.Dimension)/2
	log := math.Log(2*math.Pi/-p.Saddle) - math.Log(p.Ratio)/2 + power*math.Log(p.LossSaddle/p.LossMinimum)
	r := predict("Mori, Ziyin, Liu & Ueda", log, math.NaN())
	r.checkBarrier((p.Exponent() - 1) * math.Log(p.LossSaddle/p.LossMinimum))
	return r, nil
}
