// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// The history in a row of a Metropolis chain: the acceptance probability of the
// last step and, of a chain that is tuned, the logarithms of its step and of the
// step's average over h, and the mean deficit of acceptance.
const (
	acceptanceColumn = iota
	stepColumn
	averageColumn
	deficitColumn
)

// metropolis is what the Metropolis chains have in common. A proposal y is accepted
// with the probability min(1, e^r), r = (L(x) − L(y) + work)/T, and what is not
// accepted stays where it was. What is known of L at the particles is kept from one
// step to the next beside the θ that it belongs to, as it is a function of θ alone.
type metropolis struct {
	s        *System
	loss     sde.Loss
	box      sde.Domain // nil: all of ℝᵈ
	langevin bool
	tuner    dualAveraging

	at, y sde.Batch // where the values below belong, and the proposals
	g, gy sde.Batch // −1 times the drift at both, if langevin
	seen  int       // rows of at

	value, proposed []float64 // L at at and at y
	h               []float64 // steps
	a               []float64 // acceptance probabilities
	z, u            []float64
	bad             []bool // rows that are where L is not finite
}

// metropolisProperties is what the chains state of themselves.
func metropolisProperties(name string, class sde.NoiseClass, gradients float64) (Properties, error) {
	if class < sde.Additive {
		return Properties{}, refusal(name, fmt.Sprintf("%v noise, only a temperature (D = T I)", class), "EulerMaruyama")
	}
	return Properties{Name: name, Calculus: sde.Ito, Invariant: math.Inf(1), Stability: math.Inf(1), Gradients: gradients, Normals: 1}, nil
}

// bindMetropolis checks the system and returns a kernel.
func bindMetropolis(name string, s *System, langevin bool, tuner dualAveraging) (Kernel, error) {
	loss := sde.LossOf(s.Equation)
	if loss == nil {
		return nil, refuse(name, "an equation without a loss, which has no known density", "EulerMaruyama, or a sde.Flow")
	}
	if _, ok := s.Isotropic(0); !ok {
		return nil, refuse(name, "noise that is no temperature (sde.Thermal, D = T I), whose density is unknown", "EulerMaruyama")
	}
	if s.Noise == 0 {
		return nil, refuse(name, "a flow without noise, which has no density", "EulerMaruyama, or noise.Temperature")
	}
	k := &metropolis{s: s, loss: loss, langevin: langevin, tuner: tuner, at: sde.NewBatch(s.Rows, s.State), y: sde.NewBatch(s.Rows, s.State),
		value: make([]float64, s.Rows), proposed: make([]float64, s.Rows), h: make([]float64, s.Rows), a: make([]float64, s.Rows), z: make([]float64, s.Rows*s.State), u: make([]float64, s.Rows), bad: make([]bool, s.Rows)}
	if langevin {
		k.g, k.gy = sde.NewBatch(s.Rows, s.State), sde.NewBatch(s.Rows, s.State)
	}
	if c, ok := s.Equation.(sde.Confined); ok && c.Confinement() != nil {
		if b, ok := c.Confinement().(sde.Box); !ok || b.Boundary != sde.Reflecting {
			return nil, refuse(name, fmt.Sprintf("a domain %T that is no reflecting sde.Box", c.Confinement()), "EulerMaruyama")
		}
		k.box = c.Confinement()
	}
	return k, nil
}

func (k *metropolis) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, d := k.s, k.s.State
	k.look(x, t)
	u, a := k.u[:x.Rows], k.a[:x.Rows]
	stream.Increments(k.z[:x.Rows*d])
	stream.Uniforms(u)
	scale, _ := s.Isotropic(t)
	tuning := t+float64(s.Step/2) < k.tuner.time
	k.propose(x, scale, tuning)
	y := k.y.Slice(0, x.Rows)
	if k.langevin {
		k.gradient(k.gy, y, t)
	}

	// Logarithms of the probabilities, of which none is above 0.
	finite, temperature := kernel.AllFinite(y.Data), float64(scale*scale)/2
	for i := range a {
		a[i] = math.Inf(-1)
		row := y.Data[i*d : i*d+d]
		if !finite && !kernel.AllFinite(row) || k.box != nil && !k.box.Contains(row) {
			continue
		}
		s.row = i
		k.proposed[i] = k.loss.Value(row)
		s.row = -1
		r := k.value[i] - k.proposed[i]
		if k.langevin {
			r += work(k.at.Data[i*d:i*d+d], row, k.g.Data[i*d:i*d+d], k.gy.Data[i*d:i*d+d], k.h[i])
		}
		switch {
		case math.IsNaN(r) || math.IsInf(r, 0):
		case r >= 0:
			a[i] = 0
		default:
			a[i] = r / temperature
		}
	}
	kernel.Exp(a, a)
	k.decide(x, u, a)
	if tuning {
		_, n := stream.Place()
		for i := range a {
			k.tuner.update(x.Row(i)[d:], a[i], n)
		}
	}
}

// propose sets y to the proposals and h to their steps.
func (k *metropolis) propose(x sde.Batch, scale float64, tuning bool) {
	s, d := k.s, k.s.State
	if k.tuner.time == 0 {
		n := x.Rows * d
		for i := range x.Rows {
			k.h[i] = s.Step
		}
		k.proposeRows(0, n, s.Step, scale)
		return
	}
	for i := range x.Rows {
		k.h[i] = k.tuner.step(s.Step, x.Row(i)[d:], tuning)
		k.proposeRows(i*d, (i+1)*d, k.h[i], scale)
	}
}

// proposeRows sets the coordinates from … to−1 of y.
func (k *metropolis) proposeRows(from, to int, h, scale float64) {
	y := k.y.Data[from:to]
	copy(y, k.at.Data[from:to])
	if k.langevin {
		kernel.Euler(y, k.g.Data[from:to], k.z[from:to], -h, math.Sqrt(h)*scale)
	} else {
		kernel.Axpy(y, math.Sqrt(h)*scale, k.z[from:to])
	}
}

// decide moves the rows of x whose uniform number is below their probability.
func (k *metropolis) decide(x sde.Batch, u, a []float64) {
	d := k.s.State
	for i, p := range a {
		row := x.Row(i)
		if k.bad[i] {
			row[0] = math.NaN()
			continue
		}
		row[d+acceptanceColumn] = p
		if u[i] < p {
			copy(row, k.y.Data[i*d:i*d+d])
			copy(k.at.Data[i*d:], row[:d])
			k.value[i] = k.proposed[i]
			if k.langevin {
				copy(k.g.Data[i*d:i*d+d], k.gy.Data[i*d:])
			}
		}
	}
}

// work returns what the drift makes of the ratio of the proposals' densities,
//
//	T log(q(x|y)/q(y|x)) = ½ (g_x + g_y)·(y − x) + (h/4)(|g_x|² − |g_y|²)
//
// for q(y|x) ∝ exp(−|y − x + h g_x|²/(4Th)). It is not finite where that has no meaning.
func work(x, y, gx, gy []float64, h float64) float64 {
	var a, b float64
	for j, v := range gx {
		w := gy[j]
		a = math.FMA(v+w, y[j]-x[j], a)
		b = math.FMA(v+w, v-w, b)
	}
	return math.FMA(h/4, b, a/2)
}

// look makes sure that what is known belongs to the rows of x.
func (k *metropolis) look(x sde.Batch, t float64) {
	d := k.s.State
	known := k.seen == x.Rows
	for i := 0; known && i < x.Rows; i++ {
		known = slices.Equal(x.Row(i)[:d], k.at.Row(i))
	}
	if known {
		return
	}
	k.seen = x.Rows
	for i := range x.Rows {
		copy(k.at.Row(i), x.Row(i))
	}
	at := k.at.Slice(0, x.Rows)
	if k.langevin {
		k.gradient(k.g, at, t)
	}
	for i := range x.Rows {
		k.s.row = i
		k.value[i] = k.loss.Value(at.Row(i))
		k.s.row = -1
		k.bad[i] = math.IsNaN(k.value[i]) || math.IsInf(k.value[i], 0) || k.langevin && !kernel.AllFinite(k.g.Row(i))
	}
}

// gradient stores ∇L at the rows of x.
func (k *metropolis) gradient(dst, x sde.Batch, t float64) {
	dst = dst.Slice(0, x.Rows)
	if c := k.s.Slope(dst, x, t); c != -1 {
		panic("integrate: the drift of a gradient system is not −∇L")
	}
}

// Explain implements Explainer.
func (k *metropolis) Explain(i int) error {
	if k.bad[i] {
		return errNoDensity
	}
	return nil
}

var errNoDensity = errors.New("the loss or its gradient is not finite where the particle is, and so neither is the density: start elsewhere")
