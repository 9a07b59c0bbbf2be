// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// LabelNoise adds fresh Gaussian noise to the label of each sample of each mini-batch, of a
// finite sum of ℓ_i = ½(f_i(θ) − y_i)²:
//
//	g = (1/B) Σ_k (∇ℓ_{i_k} − σ z_k ∇f_{i_k}),   z_k ~ N(0, 1)
//	Cov g = f Σ(θ) + (σ²/B) (1/N) Σ_i ∇f_i ∇f_iᵀ
//
// with f the factor of the batches. Where the model interpolates its data, f_i = y_i, Σ
// vanishes and the sum is the Hessian: C = (σ²/B) H. SGD then moves along the
// minima towards a smaller tr H, by −(ησ²/4B) ∇ tr H per unit of time.
//
// See G. Blanc, N. Gupta, G. Valiant & P. Valiant, 2020, Implicit regularization for deep neural
// networks driven by an Ornstein–Uhlenbeck like process, and A. Damian, T. Ma & J. D. Lee, 2021,
// Label noise SGD provably prefers flat global minimizers.
type LabelNoise struct {
	Gradient sde.Batched // of a finite sum with the upgrade sde.OutputGradient
	StdDev   float64     // σ, finite and not negative
}

var (
	_ sde.GradientSampler    = LabelNoise{}
	_ sde.GradientCovariance = LabelNoise{}
	_ sde.Correlated         = LabelNoise{}
)

// Validate returns an error if there is no sampler, it refuses itself, its samples have no
// outputs, or StdDev is negative or not finite.
func (s LabelNoise) Validate() error {
	if err := checkSampler("noise: LabelNoise.Gradient", s.Gradient); err != nil {
		return err
	}
	if l, _ := s.Gradient.Batches(); !is[sde.OutputGradient](l) {
		return &sde.SettingError{Field: "noise: LabelNoise.Gradient", Value: fmt.Sprintf("a sampler of a %T", l),
			Want: "one of a finite sum with the upgrade sde.OutputGradient: labels with noise are those of a regression", Err: sde.ErrUnsupported}
	}
	return nonNegative("noise: LabelNoise.StdDev", s.StdDev)
}

func is[T any](x any) bool {
	_, ok := x.(T)
	return ok
}

// Objective returns the loss of the sampler.
func (s LabelNoise) Objective() sde.Loss { return s.Gradient.Objective() }

// CorrelationSteps returns that of the sampler.
func (s LabelNoise) CorrelationSteps() int { return sde.CorrelationStepsOf(s.Gradient) }

// GradientCovariance stores f Σ(θ) + (σ²/B) (1/N) Σ_i ∇f_i ∇f_iᵀ into dst.
func (s LabelNoise) GradientCovariance(dst, theta []float64) bool {
	l, b := s.Gradient.Batches()
	terms{FiniteSum: l}.covariance(dst, theta, s.Gradient.CovarianceFactor())
	terms{FiniteSum: l, outputs: true}.addSecondMoment(dst, theta, s.StdDev*s.StdDev/float64(b))
	return true
}

// BindGradients implements sde.GradientSampler. Scratch memory is 12B bytes for each row.
func (s LabelNoise) BindGradients(rows int) sde.GradientFunc {
	l, b := s.Gradient.Batches()
	draw, mean, slope := s.Gradient.BindBatches(rows), sde.BindMinibatches(l, rows), l.(sde.OutputGradient)
	samples, z, g := make([]uint32, rows*b), make([]float64, rows*b), make([]float64, l.Dim())
	return func(dst, x sde.Batch, stream *sde.Stream) {
		all, z := samples[:x.Rows*b], z[:x.Rows*b]
		draw(all, stream)
		stream.Normals(z)
		mean(dst, x, all)
		for k, i := range all {
			r := k / b
			slope.OutputGradient(g, x.Row(r), int(i))
			kernel.Axpy(dst.Row(r), -s.StdDev*z[k]/float64(b), g)
		}
	}
}
