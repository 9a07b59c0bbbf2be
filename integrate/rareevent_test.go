// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// chainEscape returns the mean time in which Euler–Maruyama's chain on the double
// well (x²−1)²/4 gets from −1 to x ≥ 0.8, from its transition kernel:
// m(x) = h + ∫ K(x, y) m(y) dy.
func chainEscape(temperature, h float64) float64 {
	const lo, hi, panels, order = -1.9, 0.8, 45, 16
	var x, w []float64
	px, pw := make([]float64, order), make([]float64, order)
	for i := range panels {
		a, b := lo+(hi-lo)*float64(i)/panels, lo+(hi-lo)*float64(i+1)/panels
		quad.Legendre{}.FixedLocations(px, pw, a, b)
		x, w = append(x, px...), append(w, pw...)
	}
	n := len(x)
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	v := 2 * temperature * h
	row := func(dst []float64, from float64) {
		mean := from - h*(from*from*from-from)
		for j, y := range x {
			dst[j] = w[j] * math.Exp(-(y-mean)*(y-mean)/(2*v)) / math.Sqrt(2*math.Pi*v)
		}
	}
	for i := range n {
		r := a.RawRowView(i)
		row(r, x[i])
		for j := range r {
			r[j] = -r[j]
		}
		r[i]++
		b.SetVec(i, h)
	}
	var m mat.VecDense
	if err := m.SolveVec(a, b); err != nil && !errors.As(err, new(mat.Condition)) {
		panic(err)
	}
	last := make([]float64, n)
	row(last, -1)
	return h + mat.Dot(mat.NewVecDense(n, last), &m)
}

func rareDoubleWell(temperature, h float64) integrate.RareEvent {
	return integrate.RareEvent{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: temperature}}, Step: h, Seed: 21,
		Start: integrate.Points{{-1}}, Coordinate: func(theta []float64) float64 { return theta[0] },
		From: sde.HalfSpace{Normal: []float64{-1}, Offset: 0.9}, To: sde.HalfSpace{Normal: []float64{1}, Offset: 0.8}, Gate: -0.8, FluxTime: 50}
}

// TestRareEvent: splitting and forward flux find the chain's own mean time, which is
// e²⁰ relaxation times; another temperature's is refused.
func TestRareEvent(t *testing.T) {
	const h = 0.04
	logOdds := math.Log(1e9)
	if testing.Short() {
		logOdds = math.Log(1e4)
	}
	e := rareDoubleWell(0.25/logOdds, h)
	e.Runs = 24
	exact, wrong := chainEscape(0.25/logOdds, h), chainEscape(1.06*0.25/logOdds, h)
	levels := []float64{-0.72, -0.65, -0.6, -0.54, -0.48, -0.42, -0.36, -0.3, -0.24, -0.16, -0.05, 0.1}
	for name, estimate := range map[string]func(context.Context) (*integrate.RareResult, error){
		"splitting":    integrate.Splitting{RareEvent: e, Clones: 64}.Estimate,
		"forward flux": integrate.ForwardFlux{RareEvent: e, Levels: levels, Trials: 100}.Estimate,
	} {
		r, err := estimate(context.Background())
		if err != nil {
			t.Fatal(name, err)
		}
		t.Logf("%s: %v; chain %.4g, duration %.3g, bias %.2g, %d steps, %d branches, %v", name, r, exact, r.Duration, r.Bias, r.Steps, r.Branches, r.Warnings)
		z := (r.MeanTime.Value*(1-r.Bias) - exact) / r.MeanTime.StdErr
		accept(t, name, e.Seed, z, studentP(z, float64(e.Runs-1)))
		if !testing.Short() {
			z = (r.MeanTime.Value*(1-r.Bias) - wrong) / (wrong * r.MeanTime.StdErr / r.MeanTime.Value)
			reject(t, name+" at 6 % more temperature", e.Seed, z, studentP(z, float64(e.Runs-1)))
		}
		if math.Abs(math.Exp(r.Log)/r.MeanTime.Value-1) > 1e-12 {
			t.Error(name, r.Log)
		}
	}
	exactFlow, err := stationary.MeanFirstPassageTime(e.Equation, -1, 0.8)
	if err != nil {
		t.Fatal(err)
	}
	// What the step does: order h.
	t.Logf("the equation's: %.5g, the chain's at h = %g: %.5g", exactFlow.Time, h, exact)
}

// TestSplittingIsUnbiased: with few clones and many runs the probability has the mean it has
// with many clones, whatever the coordinate and the number killed.
func TestSplittingIsUnbiased(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	e := rareDoubleWell(0.06, 0.04)
	e.FluxTime, e.Runs = 30, 40
	many, err := integrate.ForwardFlux{RareEvent: e, Trials: 8000}.Estimate(context.Background()) // direct
	if err != nil {
		t.Fatal(err)
	}
	e.Runs = 400
	folded := func(theta []float64) float64 { return math.Floor(4*theta[0]) / 4 } // ties
	for _, c := range []struct {
		clones, kill int
		xi           func([]float64) float64
	}{{3, 1, e.Coordinate}, {8, 5, e.Coordinate}, {8, 1, folded}} {
		f := e
		f.Coordinate = c.xi
		if c.kill == 1 && c.clones == 8 {
			f.Gate = -0.75
		}
		r, err := integrate.Splitting{RareEvent: f, Clones: c.clones, Kill: c.kill}.Estimate(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		// Flux times probability is the rate whatever the gate.
		a, b := r.Flux.Value*r.Probability.Value, many.Flux.Value*many.Probability.Value
		z := (a/b - 1) / math.Sqrt(r.Bias+many.Bias)
		t.Logf("%d clones, %d killed: rate %.4g, direct %.4g, z = %.2f", c.clones, c.kill, a, b, z)
		accept(t, fmt.Sprintf("%d clones", c.clones), e.Seed, z, normalP(z))
	}
}

func TestRareEventBits(t *testing.T) {
	e := rareDoubleWell(0.05, 0.05)
	e.Runs, e.FluxTime = 6, 20
	var first *integrate.RareResult
	for workers := range 4 {
		e.Workers = workers
		r, err := integrate.Splitting{RareEvent: e, Clones: 16, Kill: 2}.Estimate(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		if fmt.Sprint(r.Probabilities) != fmt.Sprint(first.Probabilities) || r.Flux != first.Flux || r.Steps != first.Steps {
			t.Errorf("%d workers: %v, want %v", workers, r, first)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (integrate.Splitting{RareEvent: e}).Estimate(ctx); !errors.Is(err, context.Canceled) {
		t.Error("cancelled:", err)
	}
}

func TestRareEventRefuses(t *testing.T) {
	base := rareDoubleWell(0.05, 0.05)
	base.Runs, base.FluxTime = 2, 5
	for name, change := range map[string]func(*integrate.RareEvent){
		"no coordinate": func(e *integrate.RareEvent) { e.Coordinate = nil }, "no set": func(e *integrate.RareEvent) { e.To = nil },
		"a NaN gate": func(e *integrate.RareEvent) { e.Gate = math.NaN() }, "a gate out of reach": func(e *integrate.RareEvent) { e.Gate = 0.7 },
		"one run": func(e *integrate.RareEvent) { e.Runs = 1 }, "no time": func(e *integrate.RareEvent) { e.FluxTime = 0 },
		"a dimension": func(e *integrate.RareEvent) { e.From = sde.HalfSpace{Normal: []float64{1, 0}} },
		"no equation": func(e *integrate.RareEvent) { e.Equation = nil }, "momentum": func(e *integrate.RareEvent) { e.Scheme = integrate.BAOAB{Friction: 1} },
		"a start in To": func(e *integrate.RareEvent) { e.Start = integrate.Points{{1}} },
	} {
		e := base
		change(&e)
		if _, err := (integrate.Splitting{RareEvent: e}).Estimate(context.Background()); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, s := range []integrate.Splitting{{RareEvent: base, Clones: 1}, {RareEvent: base, Clones: 4, Kill: 4}, {RareEvent: base, Kill: -1}} {
		if _, err := s.Estimate(context.Background()); !errors.Is(err, sde.ErrInvalid) {
			t.Error(err)
		}
	}
	for _, f := range []integrate.ForwardFlux{{RareEvent: base, Trials: -1}, {RareEvent: base, Levels: []float64{-0.9}}, {RareEvent: base, Levels: []float64{0, 0}}} {
		if _, err := f.Estimate(context.Background()); !errors.Is(err, sde.ErrInvalid) {
			t.Error(err)
		}
	}
	// Two clones die out: a result that says so.
	cold := base
	cold.Equation = sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.01}}
	cold.FluxTime, cold.Gate = 40, -0.82
	r, err := integrate.ForwardFlux{RareEvent: cold, Trials: 2}.Estimate(context.Background())
	if err != nil || !math.IsInf(r.MeanTime.Value, 1) || len(r.Warnings) == 0 {
		t.Errorf("%v, %v", r, err)
	}
}
