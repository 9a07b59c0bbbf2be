// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// SVRG is stochastic gradient descent with variance reduced by a snapshot, run as replicas as
// SGD is. With the learning rate η = Ensemble.Step and θ̃ the state every so many steps,
//
//	θ′ = θ − η ( ∇ℓ_b(θ) − ∇ℓ_b(θ̃) + ∇L(θ̃) ),   ∇ℓ_b the mean over a mini-batch
//
// Its noise vanishes where θ and θ̃ meet, so that it converges to a minimum at a constant rate:
// it has no stationary law to compare with exp(−L/T), as SGD has. The row is (θ, θ̃, ∇L(θ̃)).
//
// Two mini-batch gradients a step and one of all samples every Every steps. Source: Johnson &
// Zhang, 2013, Accelerating stochastic gradient descent using predictive variance reduction,
// figure 1, option I.
type SVRG struct {
	Gradient sde.Batched // draws the batches and names the finite sum
	Every    int         // steps between snapshots; 0 means N/B, rounded up: an epoch
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = SVRG{}
	_ Augmented = SVRG{}
	_ Starter   = (*svrg)(nil)
)

// Properties returns what the update is, or an error that says what is wrong with it.
func (u SVRG) Properties(sde.NoiseClass) (Properties, error) {
	if u.Every < 0 {
		return Properties{}, invalid("SVRG.Every", u.Every, "a number of steps from 1, or 0 for an epoch", nil)
	}
	if u.Gradient == nil {
		return updateProperties("SVRG", "SVRG.Gradient", nil, 0, 0)
	}
	p, err := updateProperties("SVRG", "SVRG.Gradient", u.Gradient, 2, 2)
	if err == nil {
		l, b := u.Gradient.Batches()
		p.Gradients += float64(l.Samples()) / float64(b*u.every())
	}
	return p, err
}

func (u SVRG) every() int {
	if u.Every > 0 {
		return u.Every
	}
	l, b := u.Gradient.Batches()
	return (l.Samples() + b - 1) / b
}

// Width returns 3d: θ, θ̃ and ∇L(θ̃).
func (SVRG) Width(d int) int { return 3 * d }

// Bind returns the kernel for a system.
func (u SVRG) Bind(s *System) (Kernel, error) {
	if err := checkUpdate("SVRG.Gradient", s, u.Gradient); err != nil {
		return nil, err
	}
	l, b := u.Gradient.Batches()
	if l.Dim() != s.State {
		return nil, invalid("SVRG.Gradient", fmt.Sprintf("samples of dimension %d", l.Dim()), fmt.Sprintf("%d, that of the equation", s.State), sde.ErrDimension)
	}
	r, err := newRate("SVRG.Rate", s.Step, u.Rate)
	if err != nil {
		return nil, err
	}
	return &svrg{d: s.State, rate: r, every: u.every(), b: b, loss: l, draw: u.Gradient.BindBatches(s.Rows), samples: make([]uint32, s.Rows*b),
		mean: sde.BindMinibatches(l, s.Rows), x: sde.NewBatch(s.Rows, s.State), g: sde.NewBatch(s.Rows, s.State), old: sde.NewBatch(s.Rows, s.State)}, nil
}

type svrg struct {
	d, every, b int
	rate        rate
	loss        sde.FiniteSum
	draw        func(dst []uint32, s *sde.Stream)
	samples     []uint32
	mean        func(dst, x sde.Batch, samples []uint32)
	x, g, old   sde.Batch
}

// Start takes the first snapshot.
func (k *svrg) Start(x sde.Batch, _ *sde.Stream) { k.snapshot(x) }

func (k *svrg) snapshot(x sde.Batch) {
	for i := range x.Rows {
		row := x.Row(i)
		copy(row[k.d:2*k.d], row[:k.d])
		k.loss.Gradient(row[2*k.d:3*k.d], row[k.d:2*k.d])
	}
}

func (k *svrg) Step(x sde.Batch, t float64, stream *sde.Stream) {
	if _, step := stream.Place(); step > 0 && step%k.every == 0 {
		k.snapshot(x)
	}
	eta, samples := k.rate.at(t), k.samples[:x.Rows*k.b]
	k.draw(samples, stream)
	theta, g, old := k.x.Slice(0, x.Rows), k.g.Slice(0, x.Rows), k.old.Slice(0, x.Rows)
	for i := range x.Rows {
		copy(theta.Row(i), x.Row(i)[k.d:])
	}
	k.mean(old, theta, samples)
	for i := range x.Rows {
		copy(theta.Row(i), x.Row(i))
	}
	k.mean(g, theta, samples)
	for i := range x.Rows {
		row, o := x.Row(i), old.Row(i)
		for j, gj := range g.Row(i) {
			row[j] -= float64(eta * (gj - o[j] + row[2*k.d+j]))
		}
	}
}
