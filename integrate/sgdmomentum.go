// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// SGDMomentum is stochastic gradient descent with momentum, run as replicas as SGD is. With
// the learning rate η = Ensemble.Step it is the heavy ball,
//
//	v′ = μ v − η g(θ),   θ′ = θ + v′
//
// or, if Nesterov is set, Nesterov's in the form that takes the gradient where it stands,
//
//	v′ = μ v − η g(θ),   θ′ = θ + μ v′ − η g(θ)
//
// whose θ is the look-ahead point of the original. The particle's row is (θ, v), and v starts
// at 0. A step takes the time η, in which θ moves as plain SGD of learning rate η/(1−μ) does in
// the long run: for small η the law is that of the flow with D = (η/(2(1−μ))) Cov g, run by the
// clock t/(1−μ). On a quadratic of curvature h with gradient noise of variance C the heavy
// ball has exactly
//
//	Var θ = ηC(1+μ) / (h(1−μ)(2(1+μ) − ηh))
//
// One sampled gradient a step. The heavy ball is stable for ηh < 2(1+μ), Nesterov's form for
// ηh < 2(1+μ)/(1+2μ). Sources: Polyak, 1964, Some methods of speeding up the convergence of
// iteration methods; Sutskever, Martens, Dahl & Hinton, 2013, On the importance of
// initialization and momentum in deep learning, § 2; the variance by Liu, Ziyin & Ueda, 2021,
// Noise and fluctuation of finite learning rate stochastic gradient descent.
type SGDMomentum struct {
	Gradient sde.GradientSampler
	Momentum float64 // μ, from 0, below 1
	Nesterov bool
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = SGDMomentum{}
	_ Augmented = SGDMomentum{}
)

// Properties returns what the update is, or an error that says what is wrong with its sampler.
func (u SGDMomentum) Properties(sde.NoiseClass) (Properties, error) {
	if err := within01("SGDMomentum.Momentum", u.Momentum, false); err != nil {
		return Properties{}, err
	}
	name, stability := "SGD with momentum", 2*(1+u.Momentum)
	if u.Nesterov {
		name, stability = "Nesterov's SGD", stability/(1+2*u.Momentum)
	}
	return updateProperties(name, "SGDMomentum.Gradient", u.Gradient, stability, 1)
}

// Width returns 2d: θ and v.
func (SGDMomentum) Width(d int) int { return 2 * d }

// Bind returns the kernel for a system.
func (u SGDMomentum) Bind(s *System) (Kernel, error) {
	if err := checkUpdate("SGDMomentum.Gradient", s, u.Gradient); err != nil {
		return nil, err
	}
	r, err := newRate("SGDMomentum.Rate", s.Step, u.Rate)
	if err != nil {
		return nil, err
	}
	return &sgdMomentum{gradients: newGradients(s, u.Gradient), d: s.State, rate: r, mu: u.Momentum, nesterov: u.Nesterov}, nil
}

type sgdMomentum struct {
	gradients
	d        int
	rate     rate
	mu       float64
	nesterov bool
}

func (k *sgdMomentum) Step(x sde.Batch, t float64, stream *sde.Stream) {
	eta, g := k.rate.at(t), k.at(x, 0, stream)
	for i := range x.Rows {
		row := x.Row(i)
		theta, v := row[:k.d], row[k.d:2*k.d]
		for j, gj := range g.Row(i) {
			v[j] = float64(k.mu*v[j]) - float64(eta*gj)
			if k.nesterov {
				theta[j] += float64(k.mu*v[j]) - float64(eta*gj)
			} else {
				theta[j] += v[j]
			}
		}
	}
}
