// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// Adagrad divides each coordinate's gradient by the root of the sum of all its squares, run
// as replicas as SGD is. With the learning rate η = Ensemble.Step, by coordinate,
//
//	v′ = v + g²,   θ′ = θ − η g/(√v′ + ε)
//
// The row is (θ, v), and v starts at 0. Its steps become ever shorter: there is no stationary
// law. One sampled gradient a step. Source: Duchi, Hazan & Singer, 2011, Adaptive subgradient
// methods for online learning and stochastic optimization, Journal of Machine Learning
// Research 12, § 1.1.
type Adagrad struct {
	Gradient sde.GradientSampler
	Epsilon  float64 // 0 means 1e-10
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = Adagrad{}
	_ Augmented = Adagrad{}
)

// Properties returns what the update is, or an error that says what is wrong with it.
func (u Adagrad) Properties(sde.NoiseClass) (Properties, error) {
	if err := positive("Adagrad.Epsilon", orDefault(u.Epsilon, 1e-10)); err != nil {
		return Properties{}, err
	}
	return updateProperties("Adagrad", "Adagrad.Gradient", u.Gradient, 0, 1)
}

// Width returns 2d: θ and v.
func (Adagrad) Width(d int) int { return 2 * d }

// Bind returns the kernel for a system.
func (u Adagrad) Bind(s *System) (Kernel, error) {
	return bindScaled("Adagrad", s, u.Gradient, u.Rate, 1, 1, orDefault(u.Epsilon, 1e-10))
}
