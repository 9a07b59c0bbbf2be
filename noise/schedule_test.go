// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"math"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func TestSchedules(t *testing.T) {
	t.Parallel()
	steps := noise.Stepwise{Times: []float64{1, 3}, Values: []float64{4, 2, 1}}
	warm := noise.Warmup{Start: 1, Duration: 2, Then: noise.Cosine{From: 3, To: 1, Duration: 4}}
	cycle := noise.Cyclic{Low: 1, High: 3, Period: 4}
	batch := noise.BatchFor{Decay: steps, LearningRate: 4, BatchSize: 10}
	for _, c := range []struct {
		s       noise.Schedule
		t, want float64
	}{
		{noise.Fixed{Value: 2}, 7, 2},
		{steps, 0, 4}, {steps, 0.999, 4}, {steps, 1, 2}, {steps, 2.9, 2}, {steps, 3, 1}, {steps, 1e9, 1},
		{noise.Stepwise{Values: []float64{5}}, 3, 5},
		{warm, 0, 1}, {warm, 1, 1.5}, {warm, 2, 2}, {warm, 3, 1 + (1 + math.Cos(0.75*math.Pi))}, {warm, 4, 1}, {warm, 9, 1},
		{noise.InverseTime{Initial: 3, Rate: 0.5}, 4, 1},
		{cycle, 0, 1}, {cycle, 1, 2}, {cycle, 2, 3}, {cycle, 3, 2}, {cycle, 4, 1}, {cycle, 4001, 2},
		{noise.Ratio{Of: noise.Fixed{Value: 3}, By: steps}, 2, 1.5},
		{batch, 0, 10}, {batch, 2, 20}, {batch, 5, 40},
	} {
		if got := c.s.At(c.t); math.Abs(got-c.want) > 4e-16*c.want {
			t.Errorf("%+v at %v is %v, want %v", c.s, c.t, got, c.want)
		}
	}
	if got := (noise.BatchFor{Decay: steps, LearningRate: 1, BatchSize: 1}).Size(0); got != 1 {
		t.Errorf("a batch of %d", got)
	}
	if got := (noise.BatchFor{Decay: steps, LearningRate: 5, BatchSize: 1}).Size(2); got != 3 {
		t.Errorf("a batch of %d for 2.5, want 3", got)
	}
}

// equalD are a learning rate that decays and a batch size that grows, of the same ratio.
func equalD() (decay, grow noise.ScheduledMinibatch) {
	eta := noise.Stepwise{Times: []float64{0.5, 1}, Values: []float64{0.1, 0.05, 0.01}}
	decay = noise.ScheduledMinibatch{LearningRate: eta, BatchSize: noise.Fixed{Value: 4}, Variance: 30}
	grow = noise.ScheduledMinibatch{LearningRate: noise.Fixed{Value: 0.1}, BatchSize: noise.BatchFor{Decay: eta, LearningRate: 0.1, BatchSize: 4}, Variance: 30}
	return decay, grow
}

// exactVariance solves V̇ = −2kV + 2T(t) on [0, 1.5] from 0, T being constant between the times of
// equalD.
func exactVariance(k float64, temperature func(float64) float64) (v float64) {
	for piece := range 3 {
		s := temperature(float64(piece)/2) / k
		v = s + (v-s)*math.Exp(-2*k*0.5)
	}
	return v
}

// extrapolate returns the limit of f for h → 0 by f at h, h/2, h/4 …, for an f that has a series in
// whole powers of h (Richardson's and Romberg's), and the last correction, which bounds how far
// off it is.
func extrapolate(f func(h float64) float64, h float64) (limit, off float64) {
	const levels = 6
	var row [levels]float64
	for k := range levels {
		last := row
		row[0] = f(math.Ldexp(h, -k))
		for j := 1; j <= k; j++ {
			row[j] = row[j-1] + (row[j-1]-last[j-1])/(math.Ldexp(1, j)-1)
		}
	}
	return row[levels-1], math.Abs(row[levels-1] - row[levels-2])
}

// TestEqualDSchedules: the two have the same temperature at all times, so the same law of the flow;
// Euler's recursion goes to the exact variance, and a run of each agrees with the recursion. SGD
// itself, whose steps take η(t) of the flow's time, goes to the same variance as η does to 0,
// whichever of the two is scheduled, in whole powers of η. A temperature that is off by 10⁻³ is the
// planted fault of the limits, and what is not extrapolated.
func TestEqualDSchedules(t *testing.T) {
	t.Parallel()
	decay, grow := equalD()
	const k = 1.3
	for i := range 150 {
		s := float64(i) / 100
		if a, b := decay.Temperature(s), grow.Temperature(s); math.Abs(a-b) > 4e-16*a {
			t.Fatalf("T(%v) is %v if η decays and %v if B grows", s, a, b)
		}
	}
	exact := exactVariance(k, decay.Temperature)
	recursion := func(h float64, temperature func(float64) float64) (v float64) {
		for i := range int(math.Round(1.5 / h)) {
			v = (1-h*k)*(1-h*k)*v + 2*h*temperature((float64(i)+1e-9)*h)
		}
		return v
	}
	off := exactVariance(k, func(t float64) float64 { return 1.001 * decay.Temperature(t) })
	limits := func(name string, f func(h float64) float64, h float64) {
		switch limit, bound := extrapolate(f, h); {
		case !(math.Abs(limit-exact) <= bound):
			t.Errorf("%s goes to %v ± %.1g, the exact variance is %v", name, limit, bound, exact)
		case math.Abs(limit-off) <= bound || math.Abs(f(h)-exact) <= bound:
			t.Errorf("%s: other temperatures or steps that are not small pass, to ± %.1g", name, bound)
		}
	}
	limits("Euler's recursion", func(h float64) float64 { return recursion(h, grow.Temperature) }, 0.0625)
	sgd := func(s noise.ScheduledMinibatch, scale float64) (v float64) {
		s.Variance /= scale // so that D stays the same
		for time := 0.0; time < 1.5-1e-9; {
			eta := scale * s.LearningRate.At(time+1e-9)
			v = (1-eta*k)*(1-eta*k)*v + eta*eta*s.Variance/s.BatchSize.At(time+1e-9)
			time += eta
		}
		return v
	}
	for name, s := range map[string]noise.ScheduledMinibatch{"η decays": decay, "B grows": grow} {
		limits("SGD, "+name, func(scale float64) float64 { return sgd(s, scale) }, 1)
	}
	fixed := noise.ScheduledMinibatch{LearningRate: noise.Fixed{Value: 0.1}, BatchSize: noise.Fixed{Value: 4}, Variance: 30}
	const h = 0.0625
	for name, n := range map[string]noise.ScheduledMinibatch{"η decays": decay, "B grows": grow, "neither": fixed} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: bowl{[]float64{k}, []float64{0}}, Diffusion: n}, Step: h, Particles: 1 << 15, Seed: 4 + *seedShift}
		var m integrate.Moments
		if _, err := e.Run(t.Context(), integrate.Schedule{Time: 1.5}, &m); err != nil {
			t.Fatal(err)
		}
		got, want := m.SecondMoment(0, 0), recursion(h, decay.Temperature)
		if name == "neither" {
			refuse(t, "no schedule", got, want)
		} else {
			accept(t, name, got, want)
		}
	}
}
