// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// MALA is the Metropolis-adjusted Langevin algorithm: a step of EulerMaruyama is
// proposed, and accepted or not so that the stationary density is exp(−L/T)
// exactly, whatever the step,
//
//	y = θ − h∇L(θ) + √(2Th) z,   z ~ N(0, I)
//	θ′ = y with probability min(1, e^{−(L(y)−L(θ))/T} q(θ|y)/q(y|θ)), otherwise θ
//	q(y|θ) ∝ exp(−|y − θ + h∇L(θ)|²/(4Th))
//
// The probability is formed from logarithms; a proposal at which the loss or its
// gradient is not finite, or that lies outside the flow's domain (a reflecting sde.Box),
// has the probability 0. T comes from the flow (sde.Thermal); if it changes with time
// each step keeps the law of its own. Paths are not those of the flow: no orders
// in h are claimed.
//
// Where a step is too long nothing is accepted: on losses that grow faster than
// quadratically a particle far out stays there until the step is tuned. In d dimensions
// the best step shrinks as d^(−1/3), where 0.574 of the proposals are accepted.
// Acceptance observes how many are.
//
// With Tuning the step of each particle is adapted by dual averaging (Hoffman &
// Gelman, 2014, § 3.2) for that time, which must be within the burn-in, and fixed from then
// on: averages are over chains each of which is exact. The tuned step is kept with
// the particle, and rests on its own acceptance alone, so bits do not depend on workers
// or on other particles. The ensemble's Step is where it begins, and stays the unit
// of the schedule: one proposal each. A particle that a sde.StepObserver renews after
// tuning has the ensemble's step.
//
// One gradient, one value of the loss and one normal for each coordinate a step.
// Source: Roberts & Tweedie, 1996, Exponential convergence of Langevin distributions
// and their discrete approximations, Bernoulli 2, § 1.4; 0.574 by Roberts &
// Rosenthal, 1998, Optimal scaling of discrete approximations to Langevin diffusions.
type MALA struct {
	// Tuning is the time for which the step is adapted, 0 for not at all.
	Tuning float64
	// Target is the acceptance rate that the step is adapted to; 0 means 0.574.
	Target float64
}

var (
	_ Scheme    = MALA{}
	_ Augmented = MALA{}
	_ Tuned     = MALA{}
	_ Explainer = (*metropolis)(nil)
)

const malaName = "MALA"

// Properties returns what the scheme is; it refuses noise that depends on θ.
func (MALA) Properties(class sde.NoiseClass) (Properties, error) {
	return metropolisProperties(malaName, class, 1)
}

// Width returns d + 1, and d + 4 if the step is tuned: the acceptance probability of
// the last step, log(ε/h), log(ε̄/h) and the mean deficit of acceptance.
func (m MALA) Width(d int) int { return d + dualAveraging{time: m.Tuning}.width() }

// TuningTime returns m.Tuning.
func (m MALA) TuningTime() float64 { return m.Tuning }

// Bind returns the scheme's kernel for a system. It refuses an equation without a
// loss, noise that is no temperature, a domain other than a reflecting box, a negative
// Tuning and a Target outside (0, 1).
func (m MALA) Bind(s *System) (Kernel, error) {
	t, err := newDualAveraging(malaName, m.Tuning, m.Target, 0.574)
	if err != nil {
		return nil, err
	}
	return bindMetropolis(malaName, s, true, t)
}
