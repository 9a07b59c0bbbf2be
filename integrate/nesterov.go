// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Nesterov is the continuous-time model of SGD with Nesterov's momentum, whose gradient
// is taken ahead. Of the learning rate η and momentum μ,
//
//	v′ = μv − η g(θ + μv),   θ′ = θ + v′
//
// is to first order in √η the equation
//
//	dθ = p dt,   dp = −(γp + ∇L(θ + ℓp)) dt + η^(−¼) B(θ, t) dW,   γ = (1−μ)/√η,   ℓ = μ√η
//
// with the time, the noise and p = v/√η of HeavyBall, from which to that order it does
// not differ. What is ahead is kept since it is what sets Nesterov's momentum apart:
// friction along the gradient's change, ℓHp. On a quadratic of curvature k it is a heavy
// ball of momentum μ̃ = μ(1 − ηk), as the optimizer is exactly, and for D = T I
//
//	Var θ = T/(k(1−μ̃)),   Var p = T/(1−μ̃)
//
// colder than HeavyBall's where it is steep: there is no temperature of the whole. The
// variance of x of the optimizer is HeavyBall's with μ̃ for μ. The noise is taken at θ
// and not ahead, which matters at higher order in √η; μ that changes with time, as in
// Nesterov's accelerated gradient for convex losses, is not covered.
//
// A step takes half a drift, the kick by the midpoint rule, half a drift, and the exact
// Ornstein–Uhlenbeck step of p: it is of weak order 2 in h for this equation with any
// noise, whose p starts at 0, with half an Ornstein–Uhlenbeck step. Observers find that
// p in Sample.History, with another half of such a step to come. Two gradients and one
// normal for each component of noise a step. Source: Li, Tai & E, 2019, Stochastic
// modified equations and dynamics of stochastic gradient algorithms I, J. Mach. Learn.
// Res. 20; the friction along the Hessian: Shi, Du, Jordan & Su, 2022, Understanding the
// acceleration phenomenon via high-resolution differential equations, Math. Program.
// 195.
type Nesterov struct {
	// LearningRate is η, that of the flow's noise; it must be positive.
	LearningRate float64
	// Momentum is μ, from 0 to below 1.
	Momentum float64
}

var (
	_ Scheme    = Nesterov{}
	_ Augmented = Nesterov{}
	_ Resident  = (*nesterov)(nil)
	_ Starter   = (*nesterov)(nil)
)

// Properties returns what the scheme is; it serves every class.
func (u Nesterov) Properties(sde.NoiseClass) (Properties, error) {
	if err := checkMomentum("Nesterov", u.LearningRate, u.Momentum); err != nil {
		return Properties{}, err
	}
	return Properties{Name: "Nesterov", Calculus: sde.Ito, Gradients: 2, Normals: 1}, nil
}

// Width returns 2d: θ and p.
func (Nesterov) Width(d int) int { return 2 * d }

// Bind returns the scheme's kernel for a system. It refuses a learning rate or momentum
// out of range, and a domain that turns particles back.
func (u Nesterov) Bind(s *System) (Kernel, error) {
	k, err := bindMomentum("Nesterov", s, u.LearningRate, u.Momentum, 0)
	if err != nil {
		return nil, err
	}
	return &nesterov{momentumKernel: k, friction: (1 - u.Momentum) / math.Sqrt(u.LearningRate), ahead: u.Momentum * math.Sqrt(u.LearningRate),
		x: make([]float64, s.Rows*s.State)}, nil
}

type nesterov struct {
	momentumKernel
	friction, ahead float64 // γ, ℓ
	x               []float64
}

// Start sets the momenta to those that the half of an Ornstein–Uhlenbeck step takes 0
// to.
func (k *nesterov) Start(x sde.Batch, stream *sde.Stream) {
	k.momentumKernel.Start(x, stream)
	k.Load(x)
	c := kernel.Exp1(-k.friction * k.h / 2)
	if k.s.Noise > 0 {
		z := k.draws()
		stream.Normals(z)
		k.scatter(k.spread/math.Sqrt(1+float64(c*c)), 0, z)
	}
	k.Store(x)
}

func (k *nesterov) Step(x sde.Batch, t float64, stream *sde.Stream) {
	k.Load(x)
	k.StepLoaded(t, stream)
	k.Store(x)
}

// StepLoaded implements Resident.
func (k *nesterov) StepLoaded(t float64, stream *sde.Stream) {
	n := k.rows * k.s.State
	p, g, x := k.p[:n], k.g[:n], k.x[:n]
	k.a(k.h / 2)
	// p₁ = p − (h/2)∇L(q + ℓp), p′ = p − h∇L(q + ℓp₁)
	copy(x, k.q)
	kernel.Axpy(x, k.ahead, p)
	c := k.s.Slope(k.batch(g), k.batch(x), t)
	kernel.Axpy(x, k.ahead*k.h/2*c, g)
	c = k.s.Slope(k.batch(g), k.batch(x), t+float64(k.h/2))
	kernel.Axpy(p, k.h*c, g)
	k.a(k.h / 2)
	k.o(t+k.h, stream)
}
