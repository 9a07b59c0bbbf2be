// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// SAGA is stochastic gradient descent with variance reduced by a table of each sample's last
// gradient a_i, run as replicas as SGD is. With the learning rate η = Ensemble.Step and a
// mini-batch b,
//
//	θ′ = θ − η ( (1/B) Σ_{i∈b} (∇ℓ_i(θ) − a_i) + (1/N) Σ_i a_i ),   then a_i = ∇ℓ_i(θ) for i ∈ b
//
// or, if Averaged is set, the stochastic average gradient (SAG), which steps along the mean of
// the table after it has been changed and is biased. The noise vanishes at a minimum, to which
// both converge at a constant rate; they have no stationary law.
//
// The row is θ, the table and its mean, (N + 2)d numbers a particle, of which the history must
// be no more than 2²⁰: this is for small sums, and SVRG for others. The table starts with
// the gradients at the start. B sample gradients a step. Sources: Defazio, Bach &
// Lacoste-Julien, 2014, SAGA: a fast incremental gradient method with support for non-strongly
// convex composite objectives, § 2; Schmidt, Le Roux & Bach, 2017, Minimizing finite sums
// with the stochastic average gradient, eq. 5.
type SAGA struct {
	Gradient sde.Batched // draws the batches and names the finite sum
	Averaged bool        // SAG
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = SAGA{}
	_ Augmented = SAGA{}
	_ Starter   = (*saga)(nil)
)

// Properties returns what the update is, or an error that says what is wrong with it.
func (u SAGA) Properties(sde.NoiseClass) (Properties, error) {
	name := "SAGA"
	if u.Averaged {
		name = "SAG"
	}
	if u.Gradient == nil {
		return updateProperties(name, "SAGA.Gradient", nil, 0, 0)
	}
	p, err := updateProperties(name, "SAGA.Gradient", u.Gradient, 0, 1)
	if err != nil {
		return p, err
	}
	l, _ := u.Gradient.Batches()
	if n, d := l.Samples(), l.Dim(); n > maxHistory/max(d, 1)-1 {
		return Properties{}, invalid("SAGA.Gradient", fmt.Sprintf("a table of %d×%d numbers a particle", n, d),
			fmt.Sprintf("at most %d numbers: take SVRG, whose history is 2d", maxHistory), nil)
	}
	return p, nil
}

// Width returns (N + 2)d: θ, a gradient for each sample, and their mean.
func (u SAGA) Width(d int) int {
	l, _ := u.Gradient.Batches()
	return (l.Samples() + 2) * d
}

// Bind returns the kernel for a system.
func (u SAGA) Bind(s *System) (Kernel, error) {
	if err := checkUpdate("SAGA.Gradient", s, u.Gradient); err != nil {
		return nil, err
	}
	l, b := u.Gradient.Batches()
	if l.Dim() != s.State {
		return nil, invalid("SAGA.Gradient", fmt.Sprintf("samples of dimension %d", l.Dim()), fmt.Sprintf("%d, that of the equation", s.State), sde.ErrDimension)
	}
	r, err := newRate("SAGA.Rate", s.Step, u.Rate)
	if err != nil {
		return nil, err
	}
	return &saga{d: s.State, n: l.Samples(), b: b, rate: r, averaged: u.Averaged, loss: l, draw: u.Gradient.BindBatches(s.Rows),
		samples: make([]uint32, s.Rows*b), fresh: sde.NewBatch(b, s.State), g: make([]float64, s.State)}, nil
}

type saga struct {
	d, n, b  int
	rate     rate
	averaged bool
	loss     sde.FiniteSum
	draw     func(dst []uint32, s *sde.Stream)
	samples  []uint32
	fresh    sde.Batch // the batch's gradients
	g        []float64
}

// Start fills the table at the start.
func (k *saga) Start(x sde.Batch, _ *sde.Stream) {
	for r := range x.Rows {
		theta, table, mean := k.split(x.Row(r))
		sde.StoreSampleGradients(sde.Batch{Data: table, Rows: k.n, Cols: k.d, Stride: k.d}, k.loss, theta, 0)
		clear(mean)
		for i := range k.n {
			for j, v := range table[i*k.d : (i+1)*k.d] {
				mean[j] += v
			}
		}
		for j := range mean {
			mean[j] /= float64(k.n)
		}
	}
}

func (k *saga) split(row []float64) (theta, table, mean []float64) {
	return row[:k.d], row[k.d : (k.n+1)*k.d], row[(k.n+1)*k.d : (k.n+2)*k.d]
}

func (k *saga) Step(x sde.Batch, t float64, stream *sde.Stream) {
	eta := k.rate.at(t)
	k.draw(k.samples[:x.Rows*k.b], stream)
	for r := range x.Rows {
		theta, table, mean := k.split(x.Row(r))
		batch := k.samples[r*k.b : (r+1)*k.b]
		clear(k.g)
		for m, i := range batch {
			k.loss.SampleGradient(k.fresh.Row(m), theta, int(i))
			for j, v := range k.fresh.Row(m) {
				k.g[j] += v - table[int(i)*k.d+j]
			}
		}
		if !k.averaged {
			for j := range k.g {
				k.g[j] = k.g[j]/float64(k.b) + mean[j]
			}
		}
		for m, i := range batch { // a sample drawn twice changes once
			a := table[int(i)*k.d : (int(i)+1)*k.d]
			for j, v := range k.fresh.Row(m) {
				mean[j] += (v - a[j]) / float64(k.n)
				a[j] = v
			}
		}
		g := k.g
		if k.averaged {
			g = mean
		}
		for j, v := range g {
			theta[j] -= float64(eta * v)
		}
	}
}
