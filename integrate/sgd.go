// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SGD is stochastic gradient descent, run as replicas in the place of a scheme: with
// the learning rate η = Ensemble.Step, so that a step takes the time η,
//
//	θ′ = θ − η g(θ),   E g = ∇L
//
// The ensemble's equation is the gradient flow that SGD follows for η → 0: a sde.Flow of
// the sampled loss, without a diffusion of its own, because the noise is that of g. As
// a model of SGD it is the flow with D = (η/2) Cov g, to which SGD is of weak order 1
// (Q. Li, C. Tai & W. E, 2019, Stochastic modified equations and dynamics of stochastic
// gradient algorithms I, Journal of Machine Learning Research 20, 1–47, theorem 9).
//
// One sampled gradient a step; it is linearly stable for η λ < 2.
type SGD struct {
	Gradient sde.GradientSampler
}

var _ Scheme = SGD{}

// Properties returns what SGD is, or an error that says what is wrong with its sampler.
func (u SGD) Properties(sde.NoiseClass) (Properties, error) {
	if u.Gradient == nil {
		return Properties{}, invalid("SGD.Gradient", nil, "a sampler of gradients, such as noise.WithReplacement", nil)
	}
	if err := validSampler(u.Gradient); err != nil {
		return Properties{}, err
	}
	return Properties{Name: "SGD", Calculus: sde.Ito, Weak: 1, Invariant: 1, Stability: 2, Gradients: 1}, nil
}

// Bind returns the kernel for a system.
func (u SGD) Bind(s *System) (Kernel, error) {
	if s.Noise != 0 {
		return nil, invalid("Ensemble.Equation", fmt.Sprintf("an equation of %d noise components", s.Noise),
			"a gradient flow without a diffusion: SGD's noise is that of its gradients", nil)
	}
	if d := u.Gradient.Objective().Dim(); d != s.State {
		return nil, invalid("SGD.Gradient", fmt.Sprintf("gradients of dimension %d", d), fmt.Sprintf("%d, that of the equation", s.State), sde.ErrDimension)
	}
	return &sgd{gradient: u.Gradient.BindGradients(s.Rows), g: sde.NewBatch(s.Rows, s.State), rate: s.Step}, nil
}

type sgd struct {
	gradient sde.GradientFunc
	g        sde.Batch
	rate     float64
}

func (k *sgd) Step(x sde.Batch, _ float64, stream *sde.Stream) {
	k.gradient(k.g.Slice(0, x.Rows), x, stream)
	n := x.Rows * x.Cols
	kernel.Axpy(x.Data[:n], -k.rate, k.g.Data[:n])
}
