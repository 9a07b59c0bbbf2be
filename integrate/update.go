// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"
	"reflect"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Discrete updates are run as replicas in the place of a scheme, as SGD is: their learning
// rate is η = Ensemble.Step, a step takes the time η, the equation is the gradient flow of
// the sampled loss, and their history stands behind θ in a particle's row. What they share
// is here.

// updateProperties returns what an update with a sampler is, or an error that says what is
// wrong with that. No order is claimed: the limit η → 0 of an update with a history depends on
// what else goes with η.
func updateProperties(name, field string, g sde.GradientSampler, stability, gradients float64) (Properties, error) {
	if g == nil {
		return Properties{}, invalid(field, nil, "a sampler of gradients, such as noise.WithReplacement", nil)
	}
	if err := validSampler(g); err != nil {
		return Properties{}, err
	}
	return Properties{Name: name, Calculus: sde.Ito, Stability: stability, Gradients: gradients}, nil
}

// checkUpdate returns an error unless an update can run on a system with a sampler's
// gradients, those of the equation.
func checkUpdate(field string, s *System, g sde.GradientSampler) error {
	if err := checkPart(field, s, g); err != nil {
		return err
	}
	return checkObjective(field, s, g.Objective())
}

// checkPart is checkUpdate for the sampler of a part of the equation's loss.
func checkPart(field string, s *System, g sde.GradientSampler) error {
	if s.Noise != 0 {
		return invalid("Ensemble.Equation", fmt.Sprintf("an equation of %d noise components", s.Noise),
			"a gradient flow without a diffusion: the noise is that of the gradients", nil)
	}
	if d := g.Objective().Dim(); d != s.State {
		return invalid(field, fmt.Sprintf("gradients of dimension %d", d), fmt.Sprintf("%d, that of the equation", s.State), sde.ErrDimension)
	}
	return nil
}

// checkObjective returns an error if the gradient of the loss that is sampled is not that of the
// equation, looked at in one place: a run would otherwise be held against another flow.
func checkObjective(field string, s *System, sampled sde.Loss) error {
	loss := sde.LossOf(s.Equation)
	if a, b := reflect.ValueOf(loss), reflect.ValueOf(sampled); loss != nil && a.Type() == b.Type() && a.Comparable() && a.Equal(b) {
		return nil
	}
	x, want, got := make([]float64, s.State), make([]float64, s.State), make([]float64, s.State)
	for j := range x {
		x[j] = 0.1 + float64(0.01*float64(j%7))
	}
	s.Equation.Drift(want, x, 0)
	sampled.Gradient(got, x)
	var most, off float64
	for j, v := range got {
		most = math.Max(most, math.Max(math.Abs(v), math.Abs(want[j])))
		off = math.Max(off, math.Abs(v+want[j])) // the drift is −∇L
	}
	if math.IsNaN(off) || math.IsInf(off, 0) || off <= 1e-6*most {
		return nil
	}
	return invalid(field, fmt.Sprintf("gradients of %T, which differ from the equation's by %.3g at θ = (%.2g, …)", sampled, off, x[0]),
		"a sampler of the loss that the equation descends", nil)
}

// within01 returns an error unless lo ≤ v < 1, or lo < v < 1.
func within01(field string, v float64, open bool) error {
	if open && !(0 < v && v < 1) {
		return invalid(field, v, "a number between 0 and 1, or 0 for the default", nil)
	}
	if !(0 <= v && v < 1) {
		return invalid(field, v, "a number from 0, below 1", nil)
	}
	return nil
}

// positive returns an error unless v is positive and finite.
func positive(field string, v float64) error {
	if !(v > 0) || math.IsInf(v, 1) {
		return invalid(field, v, "a positive, finite number", nil)
	}
	return nil
}

// orDefault returns v, or its default if it is 0.
func orDefault(v, def float64) float64 {
	if v == 0 {
		return def
	}
	return v
}

// rate is a learning rate that may change with time.
type rate struct {
	step  float64
	times func(t float64) float64
}

// newRate returns step·times(t), or step if times is nil.
func newRate(field string, step float64, times func(t float64) float64) (rate, error) {
	if times != nil {
		if v := times(0); !(v >= 0) || math.IsInf(v, 1) {
			return rate{}, invalid(field+"(0)", v, "a finite number from 0, by which the learning rate is multiplied", nil)
		}
	}
	return rate{step, times}, nil
}

// at returns the learning rate at time t, NaN if that is negative: a run then reports a
// divergence.
func (r rate) at(t float64) float64 {
	if r.times == nil {
		return r.step
	}
	if v := r.times(t); v >= 0 {
		return r.step * v
	}
	return math.NaN()
}

// gradients takes the gradients at the first columns of rows that have more.
type gradients struct {
	sample   sde.GradientFunc
	theta, g sde.Batch
}

func newGradients(s *System, g sde.GradientSampler) gradients {
	return gradients{g.BindGradients(s.Rows), sde.NewBatch(s.Rows, s.State), sde.NewBatch(s.Rows, s.State)}
}

// at returns gradients at the columns of x from a place on.
func (k *gradients) at(x sde.Batch, from int, stream *sde.Stream) sde.Batch {
	theta, g := k.theta.Slice(0, x.Rows), k.g.Slice(0, x.Rows)
	if x.Rows > 0 {
		kernel.Repack(theta.Data, theta.Cols, x.Data[from:], x.Stride, theta.Cols, x.Rows)
	}
	k.sample(g, theta, stream)
	return g
}
