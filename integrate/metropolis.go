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
	value []float64 // L at at
	z, u  []float64
	bad   []bool // rows that start where L is not finite
	seen  int    // rows of at
}

// metropolisProperties is what the chains state of themselves.
func metropolisProperties(name string, class sde.NoiseClass, gradients float64) (Properties, error) {
	if class < sde.Additive {
		return Properties{}, refusal(name, fmt.Sprintf("%v noise, only a temperature (D = T I)", class), "EulerMaruyama, or a smaller step of what serves that class")
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
		value: make([]float64, s.Rows), z: make([]float64, s.Rows*s.State), u: make([]float64, s.Rows), bad: make([]bool, s.Rows)}
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
	z, u := k.z[:x.Rows*d], k.u[:x.Rows]
	stream.Increments(z)
	stream.Uniforms(u)
	scale, _ := s.Isotropic(t)
	temperature := float64(scale*scale) / 2
	tuning := t+float64(s.Step/2) < k.tuner.time
	_, n := stream.Place()

	for i := range x.Rows {
		h := k.tuner.step(s.Step, x.Row(i)[d:], tuning)
		y, from := k.y.Row(i), k.at.Row(i)
		noise, zi := math.Sqrt(h)*scale, z[i*d:i*d+d]
		if k.langevin {
			g := k.g.Row(i)
			for j := range y {
				y[j] = math.FMA(noise, zi[j], math.FMA(-h, g[j], from[j]))
			}
			continue
		}
		for j := range y {
			y[j] = math.FMA(noise, zi[j], from[j])
		}
	}
	if k.langevin {
		k.gradient(k.gy, k.y.Slice(0, x.Rows), t)
	}
	for i := range x.Rows {
		row, y := x.Row(i), k.y.Row(i)
		if k.bad[i] {
			row[0] = math.NaN()
			continue
		}
		h := k.tuner.step(s.Step, row[d:], tuning)
		r, v := math.Inf(-1), 0.0
		if kernel.AllFinite(y) && (k.box == nil || k.box.Contains(y)) {
			s.row = i
			v = k.loss.Value(y)
			s.row = -1
			if r = k.value[i] - v; k.langevin {
				r += work(k.at.Row(i), y, k.g.Row(i), k.gy.Row(i), h)
			}
		}
		a := acceptance(r, temperature)
		if u[i] < a {
			copy(row, y)
			copy(k.at.Row(i), y)
			k.value[i] = v
			if k.langevin {
				copy(k.g.Row(i), k.gy.Row(i))
			}
		}
		row[d+acceptanceColumn] = a
		if tuning {
			k.tuner.update(row[d:], a, n)
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

// acceptance returns min(1, e^(r/T)), 0 for r that is no number or −∞.
func acceptance(r, temperature float64) float64 {
	switch {
	case math.IsNaN(r) || math.IsInf(r, 0):
		return 0
	case r >= 0:
		return 1
	}
	return kernel.Exp1(r / temperature)
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
