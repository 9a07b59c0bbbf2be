// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SGD is stochastic gradient descent, run as replicas in the place of a scheme: with
// the learning rate η = Ensemble.Step, so that a step takes the time η,
//
//	θ′ = θ − η g(θ),   E g = ∇L
//
// The ensemble's equation is the gradient flow that SGD follows for η → 0: a sde.Flow of
// the sampled loss, without a diffusion of its own, because the noise is that of g. Its
// loss is what observers are shown, a Thermometer for one; that it is the sampled one is not
// looked at beyond its dimension. As
// a model of SGD it is the flow with D = (η/2) Cov g, to which SGD is of weak order 1, or 2
// for the flow of loss.Modified with the same D
// (Q. Li, C. Tai & W. E, 2019, Stochastic modified equations and dynamics of stochastic
// gradient algorithms I, Journal of Machine Learning Research 20, 1–47, theorem 9). Of noise that
// is correlated between steps (sde.Correlated), such as that of epochs in random order, that flow
// is no model, and no order is stated.
//
// One sampled gradient a step; it is linearly stable for η λ < 2.
type SGD struct {
	Gradient sde.GradientSampler
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var _ Scheme = SGD{}

// Properties returns what SGD is, or an error that says what is wrong with its sampler.
func (u SGD) Properties(sde.NoiseClass) (Properties, error) {
	p, err := updateProperties("SGD", "SGD.Gradient", u.Gradient, 2, 1)
	if err == nil && sde.CorrelationStepsOf(u.Gradient) == 0 {
		p.Weak, p.Invariant = 1, 1
	}
	return p, err
}

// Bind returns the kernel for a system.
func (u SGD) Bind(s *System) (Kernel, error) {
	if err := checkUpdate("SGD.Gradient", s, u.Gradient); err != nil {
		return nil, err
	}
	r, err := newRate("SGD.Rate", s.Step, u.Rate)
	if err != nil {
		return nil, err
	}
	return &sgd{gradient: u.Gradient.BindGradients(s.Rows), g: sde.NewBatch(s.Rows, s.State), rate: r}, nil
}

type sgd struct {
	gradient sde.GradientFunc
	g        sde.Batch
	rate     rate
}

func (k *sgd) Step(x sde.Batch, t float64, stream *sde.Stream) {
	k.gradient(k.g.Slice(0, x.Rows), x, stream)
	n := x.Rows * x.Cols
	kernel.Axpy(x.Data[:n], -k.rate.at(t), k.g.Data[:n])
}
