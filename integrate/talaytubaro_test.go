// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func secondMoment(dst, theta []float64) { dst[0] = theta[0] * theta[0] }

// TestTalayTubaro holds extrapolations to those of the exact discrete expectations,
// at a fixed time and of the stationary law, with momenta and without.
func TestTalayTubaro(t *testing.T) {
	const a, b, h, n = -0.5, 0.4, 0.25, 8
	const k, temperature = 1.5, 0.3
	g := exactGBM{gbm{[]float64{a}, []float64{b}}}
	flow := sde.Flow{Loss: quadratic{k}, Diffusion: noise.Temperature{T: temperature}}
	second := func(h float64) float64 { return math.Pow((1+a*h)*(1+a*h)+b*b*h, n*0.25/h) }
	ratio := map[string]float64{}
	for i, test := range []struct {
		name  string
		x     integrate.TalayTubaro
		s     integrate.Schedule
		order float64
		exact func(h float64) float64 // of the scheme
	}{
		{"GBM", integrate.TalayTubaro{Ensemble: integrate.Ensemble{Equation: g, Step: h, Start: integrate.Points{{1}}}},
			integrate.Schedule{Time: n * h}, 1, second},
		{"GBM, independent", integrate.TalayTubaro{Ensemble: integrate.Ensemble{Equation: g, Step: h, Start: integrate.Points{{1}}}, Independent: true},
			integrate.Schedule{Time: n * h}, 1, second},
		{"OU", integrate.TalayTubaro{Ensemble: integrate.Ensemble{Equation: flow, Step: h}, Stationary: true},
			integrate.Schedule{BurnIn: 8, Time: 4, Every: 1}, 1, func(h float64) float64 { return temperature / k / (1 - h*k/2) }},
		{"OU, OBABO", integrate.TalayTubaro{Ensemble: integrate.Ensemble{Equation: flow, Scheme: integrate.OBABO{Friction: 1}, Step: 0.5}, Stationary: true},
			integrate.Schedule{BurnIn: 20, Time: 4, Every: 1}, 2, func(h float64) float64 { return temperature / k / (1 - h*h*k/4) }},
	} {
		seed := uint64(60+i) + *seedShift
		test.x.Ensemble.Seed, test.x.Ensemble.Particles, test.x.Functions, test.x.F = seed, 1<<15, 1, secondMoment
		r, err := test.x.Run(t.Context(), test.s)
		if err != nil {
			t.Fatal(err)
		}
		h := test.x.Ensemble.Step
		c, f := test.exact(h), test.exact(h/2)
		q := math.Exp2(test.order)
		extrapolated := (q*f - c) / (q - 1)
		if r.Order != test.order || r.Partial || len(r.Warnings) > 0 {
			t.Errorf("%s: %+v", test.name, r)
		}
		if got := (q*r.Fine[0].Value - r.Coarse[0].Value) / (q - 1); math.Abs(got-r.Extrapolated[0].Value) > 1e-12 {
			t.Errorf("%s: %v is not the combination %v", test.name, r.Extrapolated[0], got)
		}
		s, p := estimateP(r.Coarse[0], c)
		accept(t, test.name+": coarse", seed, s, p)
		s, p = estimateP(r.Fine[0], f)
		accept(t, test.name+": fine", seed, s, p)
		s, p = estimateP(r.Extrapolated[0], extrapolated)
		accept(t, test.name+": extrapolated", seed, s, p)
		if !test.x.Independent { // whose errors are too large to tell
			// The planted fault: coarse and fine exchanged.
			s, p = estimateP(r.Extrapolated[0], (q*c-f)/(q-1))
			reject(t, test.name+": coarse for fine", seed, s, p)
		}
		ratio[test.name] = r.Extrapolated[0].StdErr / r.Fine[0].StdErr
		if !strings.Contains(r.String(), fmt.Sprintf("order %g from steps of %g and %g", test.order, h, h/2)) {
			t.Error(r)
		}
	}
	// √5 for runs that are independent, about 1 for those that are not: by F-tests
	// of 63 groups these are far apart.
	if !(ratio["GBM"] < 1.5) || !(ratio["GBM, independent"] > 1.5) || !(ratio["OU"] < 1.5) {
		t.Errorf("standard errors over those of the fine run: %v", ratio)
	}
}

// TestTalayTubaroAllocates: what a run of coupled paths allocates does not grow
// with its steps.
func TestTalayTubaroAllocates(t *testing.T) {
	allocs := func(time float64) float64 {
		x := integrate.TalayTubaro{Ensemble: integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 1}}, Scheme: integrate.BAOAB{Friction: 1},
			Step: 0.25, Particles: 1000, Workers: 1}, Functions: 1, F: secondMoment, Stationary: true}
		return testing.AllocsPerRun(3, func() {
			if _, err := x.Run(t.Context(), integrate.Schedule{Time: time}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if one, two := allocs(10), allocs(20); one != two {
		t.Errorf("a run of 40 steps makes %g allocations, one of 80 %g", one, two)
	}
}

func TestTalayTubaroEnds(t *testing.T) {
	x := integrate.TalayTubaro{Ensemble: integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 1}}, Step: 0.25, Particles: 1000},
		Functions: 1, F: secondMoment, Stationary: true}
	good := x
	for _, test := range []struct {
		name  string
		spoil func()
		texts []string
	}{
		{"no function", func() { x.F = nil }, []string{"Mean.F"}},
		{"no functions", func() { x.Functions = 0 }, []string{"Mean.Functions"}},
		{"step", func() { x.Ensemble.Step = -1 }, []string{"Ensemble.Step"}},
		{"shard", func() { x.Ensemble.Shard = integrate.Shard{Index: 0, Count: 1} }, []string{"TalayTubaro.Ensemble.Shard"}},
		{"checkpoint", func() { x.Ensemble.Checkpoint.Path = "x" }, []string{"TalayTubaro.Ensemble.Checkpoint"}},
		{"nothing to extrapolate", func() { x.Ensemble.Scheme = integrate.ExactOU{} }, []string{"TalayTubaro.Ensemble.Scheme", "+Inf"}},
		{"no order claimed", func() { x.Ensemble.Scheme, x.Stationary = integrate.BAOAB{Friction: 1}, false }, []string{"TalayTubaro.Ensemble.Scheme", "weak order"}},
	} {
		x = good
		test.spoil()
		r, err := x.Run(t.Context(), integrate.Schedule{Time: 1})
		if r != nil || !isInvalid(err) || x.Validate(integrate.Schedule{Time: 1}) == nil {
			t.Errorf("%s: %v, %v", test.name, r, err)
			continue
		}
		for _, text := range test.texts {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: no %q in %v", test.name, text, err)
			}
		}
	}

	for _, independent := range []bool{false, true} {
		x = good
		x.Independent = independent
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int64
		const particles, times = 4000, 100
		after := int64(10 * particles)
		if independent {
			after += particles * times // the first run's
		}
		x.F = func(dst, theta []float64) {
			secondMoment(dst, theta)
			if calls.Add(1) == after {
				cancel()
			}
		}
		x.Ensemble.Particles = particles
		r, err := x.Run(ctx, integrate.Schedule{Time: times, Every: 1})
		cancel()
		var interrupted *integrate.InterruptedError
		if r == nil || !r.Partial || !errors.As(err, &interrupted) || !strings.Contains(r.String(), "PARTIAL") || !(r.Extrapolated[0].StdErr > 0) {
			t.Errorf("independent %v: %v, %v", independent, r, err)
		}
	}
}
