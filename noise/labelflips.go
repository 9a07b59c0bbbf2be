// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// LabelFlips gives each sample of each mini-batch another label with probability p, anew each
// time: the other one of two, any of K−1 others alike. With g_i = ∇ℓ_i, g_ik that of the label k
// places on and ḡ_i = Σ_k g_ik/(K−1),
//
//	E g   = (1/N) Σ_i h_i,   h_i = (1−p) g_i + p ḡ_i
//	Cov g = f Cov_i h_i + (1/BN) Σ_i [p(1−p) (ḡ_i − g_i)(ḡ_i − g_i)ᵀ
//	                                  + (p/(K−1)) Σ_k (g_ik − ḡ_i)(g_ik − ḡ_i)ᵀ]
//
// with f the factor of the batches. The mean is that of a loss that expects flips, not ∇L. For
// logistic regression what flips add is (p(1−p)/B) E xxᵀ: unlike the noise of a
// regression's labels it is not in proportion to the Hessian.
type LabelFlips struct {
	Gradient sde.Batched // of a finite sum with the upgrade sde.FlippedGradient
	Rate     float64     // p, 0 ≤ p ≤ 1
}

var (
	_ sde.GradientSampler    = LabelFlips{}
	_ sde.MeanGradient       = LabelFlips{}
	_ sde.GradientCovariance = LabelFlips{}
	_ sde.Correlated         = LabelFlips{}
)

// Validate returns an error if there is no sampler, it refuses itself, its samples have no other
// label, or Rate is not in [0, 1].
func (s LabelFlips) Validate() error {
	if err := checkSampler("noise: LabelFlips.Gradient", s.Gradient); err != nil {
		return err
	}
	if l, _ := s.Gradient.Batches(); !is[sde.FlippedGradient](l) {
		return &sde.SettingError{Field: "noise: LabelFlips.Gradient", Value: fmt.Sprintf("a sampler of a %T", l),
			Want: "one of a finite sum with the upgrade sde.FlippedGradient: labels that flip are those of classes", Err: sde.ErrUnsupported}
	}
	if !(0 <= s.Rate && s.Rate <= 1) {
		return &sde.SettingError{Field: "noise: LabelFlips.Rate", Value: s.Rate, Want: "a probability from 0 to 1"}
	}
	return nil
}

// Objective returns the loss of the sampler.
func (s LabelFlips) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s LabelFlips) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// MeanGradient stores (1/N) Σ_i h_i into dst.
func (s LabelFlips) MeanGradient(dst, theta []float64) bool {
	s.terms(1-s.Rate, s.Rate).mean(dst, theta)
	return true
}

// GradientCovariance stores Cov g into dst.
func (s LabelFlips) GradientCovariance(dst, theta []float64) bool {
	l, b := s.Gradient.Batches()
	s.terms(1-s.Rate, s.Rate).covariance(dst, theta, s.Gradient.CovarianceFactor())
	s.terms(-1, 1).addSecondMoment(dst, theta, s.Rate*(1-s.Rate)/float64(b))
	others := l.(sde.FlippedGradient).Classes() - 1
	for k := 1; k <= others && others > 1; k++ {
		among := terms{FiniteSum: l, other: -1, one: 1, flip: k}
		among.addSecondMoment(dst, theta, s.Rate/float64(others*b))
	}
	return true
}

func (s LabelFlips) terms(plain, other float64) terms {
	l, _ := s.Gradient.Batches()
	return terms{FiniteSum: l, plain: plain, other: other}
}

// BindGradients implements sde.GradientSampler. Scratch memory is 12B bytes for each row.
func (s LabelFlips) BindGradients(rows int) sde.GradientFunc {
	l, b := s.Gradient.Batches()
	draw, mean, change := s.Gradient.BindBatches(rows), sde.BindMinibatches(l, rows), terms{FiniteSum: l, plain: -1, one: 1}
	others := l.(sde.FlippedGradient).Classes() - 1
	samples, u, g := make([]uint32, rows*b), make([]float64, rows*b), make([]float64, l.Dim())
	return func(dst, x sde.Batch, stream *sde.Stream) {
		all, u := samples[:x.Rows*b], u[:x.Rows*b]
		draw(all, stream)
		stream.Uniforms(u)
		mean(dst, x, all)
		for k, i := range all {
			if u[k] < s.Rate {
				change.flip = 1 + min(int(u[k]/s.Rate*float64(others)), others-1)
				change.SampleGradient(g, x.Row(k/b), int(i))
				kernel.Axpy(dst.Row(k/b), 1/float64(b), g)
			}
		}
	}
}
