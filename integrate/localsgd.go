// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// LocalSGD is stochastic gradient descent by M workers that meet every H steps (federated
// averaging), run as replicas as SGD is. In a round, K of the workers, drawn anew, begin at the
// server's θ, take H steps of learning rate η = Ensemble.Step along the gradients of their own
// samplers, and the server takes the mean of where they are:
//
//	θ_m ← θ_m − η g_m(θ_m),   H times;   θ ← (1/K) Σ_m θ_m
//
// With samplers of different losses the workers are heterogeneous: between meetings they drift
// to their own minima, so that for H > 1 the fixed point is not that of the mean of their
// losses. The equation is the gradient flow of that mean, or what it is to be compared with.
// A step takes the time η and is one local step of all; within a round θ is the mean of the
// workers who take part. The row is θ, the workers' states, and who takes part.
//
// K sampled gradients a step. Sources: McMahan, Moore, Ramage, Hampson & Agüera y Arcas, 2017,
// Communication-efficient learning of deep networks from decentralized data, algorithm 1;
// Stich, 2019, Local SGD converges fast and communicates little.
type LocalSGD struct {
	Workers      []sde.GradientSampler // M of them; their noise must be white
	LocalSteps   int                   // H; 0 means 1
	Participants int                   // K ≤ M; 0 means all
	// Rate is a schedule: the learning rate at time t is η·Rate(t); nil means 1. It must be
	// a pure function, safe for concurrent use.
	Rate func(t float64) float64
}

var (
	_ Scheme    = LocalSGD{}
	_ Augmented = LocalSGD{}
	_ Starter   = (*localSGD)(nil)
)

// Properties returns what the update is, or an error that says what is wrong with it.
func (u LocalSGD) Properties(sde.NoiseClass) (Properties, error) {
	if len(u.Workers) == 0 {
		return Properties{}, invalid("LocalSGD.Workers", "none", "a sampler of gradients for each worker", nil)
	}
	if u.LocalSteps < 0 {
		return Properties{}, invalid("LocalSGD.LocalSteps", u.LocalSteps, "a number of steps from 1, or 0 for 1", nil)
	}
	if u.Participants < 0 || len(u.Workers) < u.Participants {
		return Properties{}, invalid("LocalSGD.Participants", u.Participants, fmt.Sprintf("1 to %d, or 0 for all", len(u.Workers)), nil)
	}
	var p Properties
	for m, g := range u.Workers {
		field := fmt.Sprintf("LocalSGD.Workers[%d]", m)
		var err error
		if p, err = updateProperties("local SGD", field, g, 2, float64(u.participants())); err != nil {
			return Properties{}, err
		}
		if n := sde.CorrelationStepsOf(g); n > 0 {
			return Properties{}, invalid(field, fmt.Sprintf("noise that is correlated over %d steps", n), "white noise: workers would share what is drawn for many steps", sde.ErrUnsupported)
		}
	}
	return p, nil
}

func (u LocalSGD) participants() int {
	if u.Participants == 0 {
		return len(u.Workers)
	}
	return u.Participants
}

// Width returns d + M(d + 1).
func (u LocalSGD) Width(d int) int { return d + len(u.Workers)*(d+1) }

// Bind returns the kernel for a system.
func (u LocalSGD) Bind(s *System) (Kernel, error) {
	r, err := newRate("LocalSGD.Rate", s.Step, u.Rate)
	if err != nil {
		return nil, err
	}
	k := &localSGD{d: s.State, m: len(u.Workers), k: u.participants(), h: max(u.LocalSteps, 1), rate: r,
		x: sde.NewBatch(s.Rows, s.State), g: sde.NewBatch(s.Rows, s.State), rows: make([]int, s.Rows), u: make([]float64, s.Rows*len(u.Workers))}
	for m, g := range u.Workers {
		if err := checkPart(fmt.Sprintf("LocalSGD.Workers[%d]", m), s, g); err != nil {
			return nil, err
		}
		k.gradients = append(k.gradients, g.BindGradients(s.Rows))
	}
	return k, nil
}

type localSGD struct {
	d, m, k, h int
	rate       rate
	gradients  []sde.GradientFunc
	x, g       sde.Batch
	rows       []int // that a worker takes part in
	u          []float64
}

// part returns where a row says whether worker m takes part.
func (k *localSGD) part(m int) int { return k.d*(1+k.m) + m }

// Start begins a round; the first step begins one of its own.
func (k *localSGD) Start(x sde.Batch, s *sde.Stream) { k.begin(x, s) }

func (k *localSGD) Step(x sde.Batch, t float64, stream *sde.Stream) {
	eta := k.rate.at(t)
	if _, step := stream.Place(); step%k.h == 0 {
		k.begin(x, stream)
	}
	for i := range x.Rows {
		clear(x.Row(i)[:k.d])
	}
	for m, gradient := range k.gradients {
		at := k.d * (1 + m)
		rows := k.rows[:0]
		for i := range x.Rows {
			if row := x.Row(i); row[k.part(m)] != 0 {
				copy(k.x.Row(len(rows)), row[at:])
				rows = append(rows, i)
			}
		}
		g := k.g.Slice(0, len(rows))
		gradient(g, k.x.Slice(0, len(rows)), stream)
		for n, i := range rows {
			row := x.Row(i)
			theta := row[at : at+k.d]
			for j, v := range g.Row(n) {
				theta[j] -= float64(eta * v)
				row[j] += theta[j] / float64(k.k)
			}
		}
	}
}

// begin draws who takes part in a round, each K of the M equally likely, and sends them θ.
func (k *localSGD) begin(x sde.Batch, stream *sde.Stream) {
	if k.k < k.m {
		stream.Uniforms(k.u)
	}
	for i := range x.Rows {
		row, left := x.Row(i), k.k
		for m := range k.m {
			// Of those that are left, as many as are wanted.
			takes := k.k == k.m || k.u[i*k.m+m]*float64(k.m-m) < float64(left)
			row[k.part(m)] = 0
			if takes && left > 0 {
				left--
				row[k.part(m)] = 1
				copy(row[k.d*(1+m):k.d*(2+m)], row[:k.d])
			}
		}
	}
}
