// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"errors"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// means is the finite sum of ℓ_i = ½ k (θ−x_i)², whose samples' gradients have the
// covariance k² Var x at every θ.
type means struct {
	k float64
	x []float64
}

func (means) Dim() int { return 1 }
func (l means) Value(theta []float64) (v float64) {
	for _, x := range l.x {
		v += l.k * (theta[0] - x) * (theta[0] - x) / 2 / float64(len(l.x))
	}
	return v
}
func (l means) Gradient(dst, theta []float64) {
	dst[0] = 0
	for _, x := range l.x {
		dst[0] += l.k * (theta[0] - x) / float64(len(l.x))
	}
}
func (l means) Samples() int                               { return len(l.x) }
func (l means) SampleGradient(dst, theta []float64, i int) { dst[0] = l.k * (theta[0] - l.x[i]) }

// TestSGDStationary holds SGD to its exact stationary variance on a quadratic finite
// sum, with c = f k² Var x the variance of its gradients:
//
//	S = (1−ηk)² S + η² c = η c / (k (2−ηk))
func TestSGDStationary(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	l := means{k: 1.5, x: []float64{-2, -1, 0, 0.5, 2.5}} // of mean 0
	const variance = (4 + 1 + 0.25 + 6.25) / 5
	const eta, b = 0.2, 2
	for _, c := range []struct {
		name     string
		gradient sde.GradientSampler
		factor   float64
		wrong    float64 // that of a planted fault
	}{
		{"with replacement", noise.WithReplacement{Loss: l, BatchSize: b}, 1.0 / b, 3.0 / (b * 4)},
		{"without replacement", noise.WithoutReplacement{Loss: l, BatchSize: b}, 3.0 / (b * 4), 1.0 / b},
	} {
		seed := 7 + *seedShift
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: c.gradient},
			Step: eta, Particles: 64 * 1024, Seed: seed}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{BurnIn: 40, Time: 40, Every: 4}, &m)
		exact := func(factor float64) float64 {
			return eta * factor * l.k * l.k * variance / (l.k * (2 - eta*l.k))
		}
		s, p := estimateP(m.Mean(0), 0)
		accept(t, c.name+": mean", seed, s, p)
		s, p = estimateP(m.SecondMoment(0, 0), exact(c.factor))
		accept(t, c.name+": variance", seed, s, p)
		s, p = estimateP(m.SecondMoment(0, 0), exact(c.wrong))
		reject(t, c.name+": variance of the other", seed, s, p)
	}
}

// TestSGDFullBatch holds SGD on batches of everything to gradient descent.
func TestSGDFullBatch(t *testing.T) {
	x, y := loss.LogisticTeacher(50, []float64{1, -2, 0.5}, 3)
	l, err := loss.NewLogistic(x, y, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithoutReplacement{Loss: l, BatchSize: 50}},
		Step: 0.5, Particles: 5, Seed: 1}
	s := integrate.Schedule{Time: 50}
	got := finals(t, e, s)
	e.Scheme = integrate.EulerMaruyama{}
	want := finals(t, e, s)
	for i := range got.Rows {
		for j, v := range got.Row(i) {
			if d := v - want.Row(i)[j]; !(d < 1e-13 && d > -1e-13) {
				t.Errorf("particle %d, coordinate %d: %v, gradient descent %v", i, j, v, want.Row(i)[j])
			}
		}
	}
}

// TestSGDOrder: an order is stated for noise that is white alone; what needs one refuses the rest.
func TestSGDOrder(t *testing.T) {
	l := means{k: 1, x: []float64{1, 2}}
	for _, c := range []struct {
		gradient sde.GradientSampler
		order    float64
	}{{noise.WithoutReplacement{Loss: l, BatchSize: 1}, 1}, {noise.Reshuffling{Loss: l, BatchSize: 1}, 0}} {
		p, err := integrate.SGD{Gradient: c.gradient}.Properties(sde.Constant)
		if err != nil || p.Weak != c.order || p.Invariant != c.order {
			t.Errorf("%T: weak order %v, of the stationary law %v, error %v; want %v", c.gradient, p.Weak, p.Invariant, err, c.order)
		}
	}
}

func TestSGDRefused(t *testing.T) {
	l := means{k: 1, x: []float64{1, 2}}
	ok := noise.WithReplacement{Loss: l, BatchSize: 1}
	x, y := loss.LogisticTeacher(5, []float64{1, 2}, 1)
	other, err := loss.NewLogistic(x, y, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]integrate.Ensemble{
		"no sampler":        {Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{}},
		"no loss":           {Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{BatchSize: 1}}},
		"B = 0":             {Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: l}}},
		"B > N":             {Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithoutReplacement{Loss: l, BatchSize: 3}}},
		"N = 0":             {Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: means{}, BatchSize: 1}}},
		"noise of its own":  {Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 1}}, Scheme: integrate.SGD{Gradient: ok}},
		"another loss":      {Equation: sde.Flow{Loss: means{k: 1.5, x: []float64{1, 2}}}, Scheme: integrate.SGD{Gradient: ok}},
		"a ridge of it":     {Equation: sde.Flow{Loss: loss.Ridge{Loss: l, Decay: 0.1}}, Scheme: integrate.SGD{Gradient: ok}},
		"SGLD, another":     {Equation: sde.Flow{Loss: loss.Ridge{Loss: l, Decay: 0.1}, Diffusion: noise.Temperature{T: 1}}, Scheme: integrate.SGLD{Gradient: ok}},
		"another dimension": {Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: other, BatchSize: 1}}},
	} {
		e.Step, e.Particles = 0.1, 10
		if r, err := e.Run(t.Context(), integrate.Schedule{Time: 1}); r != nil || !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: result %v, error %v, want none and one that wraps sde.ErrInvalid", name, r, err)
		}
	}
}
