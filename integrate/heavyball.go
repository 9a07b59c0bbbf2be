// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// HeavyBall is the continuous-time model of SGD with momentum. Of the learning rate η,
// momentum μ and a noisy gradient g with E g = ∇L and Cov g = C,
//
//	v′ = μv − η g(θ),   θ′ = θ + v′
//
// is to first order in √η the equation
//
//	dθ = p dt,   dp = −(γp + ∇L(θ)) dt + η^(−¼) B(θ, t) dW,   γ = (1−μ)/√η,   p = v/√η
//
// whose time runs by √η in a step of the optimizer. B is the root of the flow's noise, D
// = ½BBᵀ = (η/2) C: that of SGD at the same η without momentum, as noise.Minibatch has
// it. It may depend on θ, in any way. The ensemble's step h is in the time of p; h = √η
// is one step of the optimizer.
//
// Momentum heats: for D = T I the stationary density of θ is exp(−L/T_eff) with
//
//	T_eff = T/(1−μ) = ηC/(2(1−μ))
//
// whatever the loss (Properties.Heat). On a quadratic of curvature k, Var θ = T_eff/k,
// Var p = T_eff and Cov = 0. The optimizer has there, with x and v after the same
// update,
//
//	Var x = T_eff/k · 1/(1 − ηk/(2(1+μ))),   Cov(x, v) = ηk/(1+μ) Var x,   Var v = 2ηk/(1+μ) Var x
//
// so that for η → 0 at a given γ the variance of x is right to order η, and those of p =
// v/√η to order √η, as are means and covariances at a fixed time. A μ that changes with
// time is not covered.
//
// A step takes half a kick, half a drift, the exact Ornstein–Uhlenbeck step of p with
// the noise at the θ of that moment, half a drift and half a kick, as BAOAB does: it is
// of weak order 2 in h for this equation with any noise, and on a quadratic of D = T I
// has Var θ = T_eff/k exactly, for h²k < 4. p starts at 0; the row's, which observers
// find in Sample.History, is p + (h/2)∇L(θ), that before half a kick.
//
// The conversion of a flow that is meant in another calculus is that of the flow, which
// is the limit of large γ. One gradient and one normal for each component of noise a
// step. Source: Li, Tai & E, 2019, Stochastic modified equations and dynamics of
// stochastic gradient algorithms I, J. Mach. Learn. Res. 20; the exact variances: Liu,
// Ziyin & Ueda, 2021, Noise and fluctuation of finite learning rate stochastic gradient
// descent, eq. 3.
type HeavyBall struct {
	// LearningRate is η, that of the flow's noise; it must be positive.
	LearningRate float64
	// Momentum is μ, from 0 to below 1.
	Momentum float64
}

var (
	_ Scheme    = HeavyBall{}
	_ Augmented = HeavyBall{}
	_ Resident  = (*heavyBall)(nil)
	_ Starter   = (*heavyBall)(nil)
)

// checkMomentum refuses a learning rate or a momentum that is out of range.
func checkMomentum(name string, rate, momentum float64) error {
	if !(rate > 0) || math.IsInf(rate, 1) {
		return invalid(name+".LearningRate", rate, "the learning rate η that the flow's noise D = (η/2) C is of, positive and finite", nil)
	}
	if !(0 <= momentum && momentum < 1) {
		return invalid(name+".Momentum", momentum, "a momentum μ of at least 0 and below 1; at 1 there is no friction and no stationary law", nil)
	}
	return nil
}

// Properties returns what the scheme is; it serves every class. The order of the
// stationary law is stated for D = T I.
func (u HeavyBall) Properties(class sde.NoiseClass) (Properties, error) {
	if err := checkMomentum("HeavyBall", u.LearningRate, u.Momentum); err != nil {
		return Properties{}, err
	}
	p := Properties{Name: "heavy ball", Calculus: sde.Ito, Gradients: 1, Normals: 1}
	if class >= sde.Additive {
		p.Invariant, p.Heat = 2, 1/(1-u.Momentum)
	}
	return p, nil
}

// Width returns 2d: θ and p.
func (HeavyBall) Width(d int) int { return 2 * d }

// Bind returns the scheme's kernel for a system. It refuses a learning rate or momentum
// out of range, and a domain that turns particles back.
func (u HeavyBall) Bind(s *System) (Kernel, error) {
	k, err := bindMomentum("HeavyBall", s, u.LearningRate, u.Momentum, s.Step/2)
	if err != nil {
		return nil, err
	}
	return &heavyBall{k}, nil
}

// momentumKernel is what HeavyBall and Nesterov share.
type momentumKernel struct {
	underdamped
	z     []float64 // where the noise is no multiple of the normals
	noise sde.Batch
}

// bindMomentum returns a kernel of friction (1−μ)/√η whose momenta get the flow's noise
// times η^(−¼).
func bindMomentum(name string, s *System, rate, momentum, lead float64) (momentumKernel, error) {
	if err := checkMomentum(name, rate, momentum); err != nil {
		return momentumKernel{}, err
	}
	k, err := newUnderdamped(name, s, (1-momentum)/math.Sqrt(rate), lead)
	// ∫ e^(−2γs) ds η^(−½) = (1 − c²)/(2γ√η).
	k.spread /= math.Sqrt(1 - momentum)
	m := momentumKernel{underdamped: k}
	if _, ok := s.Isotropic(0); !ok {
		m.z, m.noise = make([]float64, s.Rows*s.Noise), sde.NewBatch(s.Rows, s.State)
	}
	return m, err
}

// Start sets the momenta to 0.
func (k *momentumKernel) Start(x sde.Batch, _ *sde.Stream) {
	k.Load(x)
	clear(k.p[:k.rows*k.s.State])
	k.advance()
	k.Store(x)
}

// o takes the exact step of the friction and the noise at q.
func (k *momentumKernel) o(t float64, stream *sde.Stream) {
	p := k.p[:k.rows*k.s.State]
	kernel.Axpy(p, k.loss, p)
	if k.s.Noise > 0 {
		z := k.draws()
		stream.Increments(z)
		k.scatter(k.spread, t, z)
	}
}

// draws returns where as many normals go as there are components of the noise.
func (k *momentumKernel) draws() []float64 {
	if k.z == nil {
		return k.g[:k.rows*k.s.State]
	}
	return k.z[:k.rows*k.s.Noise]
}

// scatter adds a multiple of B(q, t) z to the momenta.
func (k *momentumKernel) scatter(a, t float64, z []float64) {
	n := k.rows * k.s.State
	if scale, ok := k.s.Isotropic(t); ok {
		kernel.Axpy(k.p[:n], float64(a*scale), z)
		return
	}
	k.s.Spread(k.noise.Slice(0, k.rows), k.batch(k.q), t, z)
	kernel.Axpy(k.p[:n], a, k.noise.Data[:n])
}

type heavyBall struct{ momentumKernel }

func (k *heavyBall) Step(x sde.Batch, t float64, stream *sde.Stream) {
	k.Load(x)
	k.StepLoaded(t, stream)
	k.Store(x)
}

// StepLoaded implements Resident.
func (k *heavyBall) StepLoaded(t float64, stream *sde.Stream) {
	c := k.slope(t)
	k.b(k.h * c)
	if k.z == nil {
		k.aoa(t+float64(k.h/2), stream)
		return
	}
	k.a(k.h / 2)
	k.o(t+float64(k.h/2), stream)
	k.a(k.h / 2)
}
