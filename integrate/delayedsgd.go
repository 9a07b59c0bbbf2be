// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"
	"sort"

	"github.com/sgflow/sgflow/sde"
)

// DelayedSGD is stochastic gradient descent with stale gradients, as of many workers that do
// not wait for one another, run as replicas as SGD is. With the learning rate η =
// Ensemble.Step, the gradient of step k is that of τ_k steps ago,
//
//	θ_{k+1} = θ_k − η g(θ_{k−τ_k})
//
// and θ is that of the start before it. The staleness τ_k is one of
//
//   - Delay, the same at all steps;
//   - drawn anew at each step and for each particle with P(τ = j) ∝ Delays[j], such as
//     GeometricDelays or a histogram of what was measured;
//   - Trace[k mod len(Trace)], a measured sequence, the same for all particles.
//
// The row is θ and the last states, as many as the longest delay. A constant τ is linearly
// stable on a quadratic of curvature h if and only if
//
//	ηh < 2 sin(π/(2(2τ+1)))
//
// One sampled gradient a step. Sources: Agarwal & Duchi, 2011, Distributed delayed stochastic
// optimization; the bound by Levin & May, 1976, A note on difference-delay equations.
type DelayedSGD struct {
	Gradient sde.GradientSampler
	Delay    int       // τ, from 0
	Delays   []float64 // P(τ = j), up to a factor
	Trace    []int
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = DelayedSGD{}
	_ Augmented = DelayedSGD{}
	_ Starter   = (*delayedSGD)(nil)
)

// GeometricDelays returns DelayedSGD.Delays for a staleness with P(τ = j) ∝ qʲ up to a longest
// one, q = mean/(1 + mean): that of a worker that is done at each step with one probability.
// Its mean is smaller than that for what is cut off. It panics unless mean is positive and
// finite and longest is not negative.
func GeometricDelays(mean float64, longest int) []float64 {
	if !(mean > 0) || math.IsInf(mean, 1) || longest < 0 {
		panic("integrate: a geometric delay has a positive, finite mean and a longest of 0 or more")
	}
	p, w := make([]float64, longest+1), 1.0
	for j := range p {
		p[j] = w
		w *= mean / (1 + mean)
	}
	return p
}

// longest returns the longest delay.
func (u DelayedSGD) longest() int {
	n := max(u.Delay, len(u.Delays)-1)
	for _, v := range u.Trace {
		n = max(n, v)
	}
	return n
}

// maxHistory is how many numbers of history a particle may have at most, 8 MiB.
const maxHistory = 1 << 20

// Properties returns what the update is, or an error that says what is wrong with it.
func (u DelayedSGD) Properties(sde.NoiseClass) (Properties, error) {
	ways := 0
	for _, set := range []bool{u.Delay != 0, u.Delays != nil, u.Trace != nil} {
		if set {
			ways++
		}
	}
	if ways > 1 {
		return Properties{}, invalid("DelayedSGD.Delay", u.Delay, "one of Delay, Delays and Trace", nil)
	}
	if u.Delay < 0 {
		return Properties{}, invalid("DelayedSGD.Delay", u.Delay, "a number of steps from 0", nil)
	}
	var sum float64
	for j, v := range u.Delays {
		if !(v >= 0) || math.IsInf(v, 1) {
			return Properties{}, invalid(fmt.Sprintf("DelayedSGD.Delays[%d]", j), v, "a finite weight from 0", nil)
		}
		sum += v
	}
	if u.Delays != nil && (!(sum > 0) || math.IsInf(sum, 1)) {
		return Properties{}, invalid("DelayedSGD.Delays", u.Delays, "weights with a positive, finite sum", nil)
	}
	for k, v := range u.Trace {
		if v < 0 {
			return Properties{}, invalid(fmt.Sprintf("DelayedSGD.Trace[%d]", k), v, "a number of steps from 0", nil)
		}
	}
	if u.Trace != nil && len(u.Trace) == 0 {
		return Properties{}, invalid("DelayedSGD.Trace", u.Trace, "at least one delay", nil)
	}
	stability := 0.0
	if u.Delays == nil && u.Trace == nil {
		stability = 2 * math.Sin(math.Pi/(2*(2*float64(u.Delay)+1)))
	}
	if n := u.longest(); n > maxHistory {
		return Properties{}, invalid("DelayedSGD", fmt.Sprintf("a delay of %d steps", n), fmt.Sprintf("at most %d", maxHistory), nil)
	}
	return updateProperties("delayed SGD", "DelayedSGD.Gradient", u.Gradient, stability, 1)
}

// Width returns (1 + τ)d, with τ the longest delay: θ and the last τ states.
func (u DelayedSGD) Width(d int) int { return (1 + u.longest()) * d }

// Bind returns the kernel for a system. It refuses a history of more than 2²⁰ numbers a
// particle.
func (u DelayedSGD) Bind(s *System) (Kernel, error) {
	if err := checkUpdate("DelayedSGD.Gradient", s, u.Gradient); err != nil {
		return nil, err
	}
	r, err := newRate("DelayedSGD.Rate", s.Step, u.Rate)
	if err != nil {
		return nil, err
	}
	k := &delayedSGD{gradients: newGradients(s, u.Gradient), d: s.State, rate: r, longest: u.longest(), delay: u.Delay, trace: u.Trace}
	if n := u.Width(s.State) - s.State; n > maxHistory {
		return nil, invalid("DelayedSGD", fmt.Sprintf("a delay of %d steps in %d dimensions", k.longest, s.State), fmt.Sprintf("at most %d numbers of history", maxHistory), nil)
	}
	if u.Delays != nil {
		k.u, k.below = make([]float64, s.Rows), make([]float64, len(u.Delays))
		var sum float64
		for j, v := range u.Delays {
			sum += v
			k.below[j] = sum
		}
		for j := range k.below {
			k.below[j] /= sum
		}
	}
	return k, nil
}

type delayedSGD struct {
	gradients
	d       int
	rate    rate
	longest int
	delay   int
	trace   []int
	u       []float64 // for random delays
	below   []float64 // P(τ ≤ j)
}

// Start makes the start the whole past.
func (k *delayedSGD) Start(x sde.Batch, _ *sde.Stream) {
	for i := range x.Rows {
		row := x.Row(i)
		for j := k.d; j < len(row); j += k.d {
			copy(row[j:j+k.d], row[:k.d])
		}
	}
}

// The state of step j < k is in place 1 + j mod τ of the row, that of step k in place 0.
func (k *delayedSGD) Step(x sde.Batch, t float64, stream *sde.Stream) {
	eta := k.rate.at(t)
	_, step := stream.Place()
	tau := k.delay
	if k.trace != nil {
		tau = k.trace[step%len(k.trace)]
	}
	if k.below != nil {
		stream.Uniforms(k.u) // as many whatever the rows, so that what follows is the same
	}
	theta, g := k.theta.Slice(0, x.Rows), k.g.Slice(0, x.Rows)
	for i := range x.Rows {
		if k.below != nil {
			tau = min(sort.SearchFloat64s(k.below, k.u[i]), len(k.below)-1)
		}
		at := 0
		if tau > 0 {
			at = k.d * (1 + (step-tau%k.longest+k.longest)%k.longest)
		}
		copy(theta.Row(i), x.Row(i)[at:])
	}
	k.sample(g, theta, stream)
	for i := range x.Rows {
		row := x.Row(i)
		if k.longest > 0 {
			copy(row[k.d*(1+step%k.longest):], row[:k.d])
		}
		for j, gj := range g.Row(i) {
			row[j] -= float64(eta * gj)
		}
	}
}
