// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Adam is the update of Kingma and Ba with decoupled weight decay (AdamW), run as replicas as
// SGD is. With the learning rate η = Ensemble.Step, by coordinate and at step n = 1, 2, …
//
//	m′ = β₁ m + (1−β₁) g,   v′ = β₂ v + (1−β₂) g²
//	θ′ = θ − η ( m̂/(√v̂ + ε) + λ θ ),   m̂ = m′/(1−β₁ⁿ),   v̂ = v′/(1−β₂ⁿ)
//
// The row is (θ, m, v, β₁ⁿ, β₂ⁿ). A step takes the time η in the schedule; the time of Adam's
// own stochastic differential equations is η² a step, and batches of κB go with √κ η,
// 1 − κ(1−β) and ε/√κ (Malladi, Lyu, Panigrahi & Arora, 2022, On the SDEs and scaling rules for
// adaptive gradient algorithms).
//
// One sampled gradient a step. Sources: Kingma & Ba, 2015, Adam: a method for stochastic
// optimization, algorithm 1; Loshchilov & Hutter, 2019, Decoupled weight decay
// regularization, algorithm 2.
type Adam struct {
	Gradient     sde.GradientSampler
	Beta1, Beta2 float64 // 0 means 0.9 and 0.999; RMSprop has no β₁
	Epsilon      float64 // 0 means 1e-8
	Decay        float64 // λ, from 0
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = Adam{}
	_ Augmented = Adam{}
	_ Starter   = (*adam)(nil)
)

// Scaled returns the update for batches of κ times the size, to be run with a learning rate of √κ
// times: the square-root rule of Malladi et al. (2022), β′ = 1 − κ(1−β) and ε′ = ε/√κ. Where the
// noise of a gradient is large against it, σ ∝ 1/√B, that keeps all constants of Adam's stochastic
// differential equations, ση, εη and (1−β)/η², and so the law at the time η² a step. For SGD
// the rule is linear, η′ = κη. It returns an error unless κ is positive and the new β are from 0, below 1.
func (u Adam) Scaled(kappa float64) (Adam, error) {
	if err := positive("Adam.Scaled κ", kappa); err != nil {
		return Adam{}, err
	}
	if _, err := u.Properties(sde.Constant); err != nil {
		return Adam{}, err
	}
	u.Beta1, u.Beta2 = 1-float64(kappa*(1-orDefault(u.Beta1, 0.9))), 1-float64(kappa*(1-orDefault(u.Beta2, 0.999)))
	u.Epsilon = orDefault(u.Epsilon, 1e-8) / math.Sqrt(kappa)
	if !(u.Beta1 > 0 && u.Beta2 > 0) {
		return Adam{}, invalid("Adam.Scaled κ", kappa, "a factor that leaves β = 1 − κ(1−β) above 0", nil)
	}
	return u, nil
}

// Properties returns what the update is, or an error that says what is wrong with it.
func (u Adam) Properties(sde.NoiseClass) (Properties, error) {
	for _, f := range []struct {
		name string
		v    float64
	}{{"Beta1", orDefault(u.Beta1, 0.9)}, {"Beta2", orDefault(u.Beta2, 0.999)}} {
		if err := within01("Adam."+f.name, f.v, true); err != nil {
			return Properties{}, err
		}
	}
	if err := positive("Adam.Epsilon", orDefault(u.Epsilon, 1e-8)); err != nil {
		return Properties{}, err
	}
	if !(u.Decay >= 0) || math.IsInf(u.Decay, 1) {
		return Properties{}, invalid("Adam.Decay", u.Decay, "a finite number from 0", nil)
	}
	return updateProperties("Adam", "Adam.Gradient", u.Gradient, 0, 1)
}

// Width returns 3d + 2: θ, m, v, β₁ⁿ and β₂ⁿ.
func (Adam) Width(d int) int { return 3*d + 2 }

// Bind returns the kernel for a system.
func (u Adam) Bind(s *System) (Kernel, error) {
	if err := checkUpdate("Adam.Gradient", s, u.Gradient); err != nil {
		return nil, err
	}
	r, err := newRate("Adam.Rate", s.Step, u.Rate)
	if err != nil {
		return nil, err
	}
	return &adam{gradients: newGradients(s, u.Gradient), d: s.State, rate: r, decay: u.Decay,
		beta1: orDefault(u.Beta1, 0.9), beta2: orDefault(u.Beta2, 0.999), epsilon: orDefault(u.Epsilon, 1e-8)}, nil
}

type adam struct {
	gradients
	d                            int
	rate                         rate
	beta1, beta2, epsilon, decay float64
}

// Start sets the history of no steps.
func (k *adam) Start(x sde.Batch, _ *sde.Stream) {
	for i := range x.Rows {
		history := x.Row(i)[k.d:]
		clear(history)
		history[2*k.d], history[2*k.d+1] = 1, 1
	}
}

func (k *adam) Step(x sde.Batch, t float64, stream *sde.Stream) {
	eta, g := k.rate.at(t), k.at(x, 0, stream)
	for i := range x.Rows {
		row := x.Row(i)
		theta, m, v, power := row[:k.d], row[k.d:2*k.d], row[2*k.d:3*k.d], row[3*k.d:]
		power[0] = float64(power[0] * k.beta1)
		power[1] = float64(power[1] * k.beta2)
		c1, c2 := 1/(1-power[0]), 1/(1-power[1])
		for j, gj := range g.Row(i) {
			m[j] = float64(k.beta1*m[j]) + float64((1-k.beta1)*gj)
			v[j] = float64(k.beta2*v[j]) + float64((1-k.beta2)*gj*gj)
			theta[j] -= float64(eta * (m[j]*c1/(math.Sqrt(v[j]*c2)+k.epsilon) + float64(k.decay*theta[j])))
		}
	}
}
