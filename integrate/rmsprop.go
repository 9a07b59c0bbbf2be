// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// RMSprop divides each coordinate's gradient by a running root mean square of it, run as
// replicas as SGD is. With the learning rate η = Ensemble.Step, by coordinate,
//
//	v′ = β v + (1−β) g²,   θ′ = θ − η g/(√v′ + ε)
//
// The row is (θ, v), and v starts at 0 without a correction for that. A step takes the time η
// in the schedule; that of its own stochastic differential equations is η², see Adam.
//
// One sampled gradient a step. Source: Tieleman & Hinton, 2012, Neural networks for machine
// learning, lecture 6.5.
type RMSprop struct {
	Gradient sde.GradientSampler
	Beta     float64 // 0 means 0.99
	Epsilon  float64 // 0 means 1e-8
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = RMSprop{}
	_ Augmented = RMSprop{}
)

// Properties returns what the update is, or an error that says what is wrong with it.
func (u RMSprop) Properties(sde.NoiseClass) (Properties, error) {
	if err := within01("RMSprop.Beta", orDefault(u.Beta, 0.99), true); err != nil {
		return Properties{}, err
	}
	if err := positive("RMSprop.Epsilon", orDefault(u.Epsilon, 1e-8)); err != nil {
		return Properties{}, err
	}
	return updateProperties("RMSprop", "RMSprop.Gradient", u.Gradient, 0, 1)
}

// Width returns 2d: θ and v.
func (RMSprop) Width(d int) int { return 2 * d }

// Bind returns the kernel for a system.
func (u RMSprop) Bind(s *System) (Kernel, error) {
	beta := orDefault(u.Beta, 0.99)
	return bindScaled("RMSprop", s, u.Gradient, u.Rate, beta, 1-beta, orDefault(u.Epsilon, 1e-8))
}

func bindScaled(name string, s *System, g sde.GradientSampler, times func(t float64) float64, keep, add, epsilon float64) (Kernel, error) {
	if err := checkUpdate(name+".Gradient", s, g); err != nil {
		return nil, err
	}
	r, err := newRate(name+".Rate", s.Step, times)
	if err != nil {
		return nil, err
	}
	return &scaled{gradients: newGradients(s, g), d: s.State, rate: r, keep: keep, add: add, epsilon: epsilon}, nil
}

// scaled is the kernel of RMSprop and Adagrad.
type scaled struct {
	gradients
	d                  int
	rate               rate
	keep, add, epsilon float64
}

func (k *scaled) Step(x sde.Batch, t float64, stream *sde.Stream) {
	eta, g := k.rate.at(t), k.at(x, 0, stream)
	for i := range x.Rows {
		row := x.Row(i)
		theta, v := row[:k.d], row[k.d:2*k.d]
		for j, gj := range g.Row(i) {
			v[j] = float64(k.keep*v[j]) + float64(k.add*gj*gj)
			theta[j] -= eta * gj / (math.Sqrt(v[j]) + k.epsilon)
		}
	}
}
