// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// The variance of SGD on a quadratic against the learning rate, held to the exact one; the
// changes are from the first line, with the errors of runs that share their noise.
func ExampleSweep() {
	l := means{k: 1, x: []float64{-1, 1}}
	sweep := integrate.Sweep{
		Setting: "η", Values: []float64{0.1, 0.2, 0.4},
		Study: func(eta float64) (integrate.Ensemble, integrate.Schedule, error) {
			e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 4}},
				Step: eta, Particles: 32_768}
			return e, integrate.Schedule{BurnIn: 100 * eta, Time: 20 * eta, Every: 10 * eta}, nil
		},
		Functions: 2, F: func(dst, x []float64) { dst[0], dst[1] = x[0], x[0]*x[0] },
		Quantities: []integrate.Quantity{{
			Name:  "Var θ",
			Of:    func(_ float64, mean []float64) float64 { return mean[1] - mean[0]*mean[0] },
			Exact: func(eta float64) float64 { return eta * 0.25 / (2 - eta) },
		}},
		Seed: 1,
	}
	table, err := sweep.Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(table)
	// Output:
	// η                Var θ      exact               change
	// 0.1  0.013149 ± 0.000068  0.0131579
	// 0.2    0.02784 ± 0.00012  0.0277778  0.014692 ± 0.000074
	// 0.4    0.06254 ± 0.00028     0.0625    0.04939 ± 0.00025
}

func sweepOf(values ...float64) integrate.Sweep {
	return integrate.Sweep{Setting: "T", Values: values, Functions: 1, F: func(dst, x []float64) { dst[0] = x[0] * x[0] }, Seed: 3 + *seedShift,
		Study: func(temperature float64) (integrate.Ensemble, integrate.Schedule, error) {
			e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: temperature}}, Step: 0.1, Particles: 64 * 1024, Seed: 99}
			return e, integrate.Schedule{BurnIn: 5, Time: 1}, e.Equation.(sde.Flow).Diffusion.(noise.Temperature).Validate()
		}}
}

// TestSweepPaired: on a quadratic with common noise the squares are proportional to T, so that
// relative changes have no error at all; with other noise in each they have.
func TestSweepPaired(t *testing.T) {
	s := sweepOf(1, 1.01, 4)
	s.Quantities = []integrate.Quantity{{Name: "ratio", Of: func(temperature float64, mean []float64) float64 { return mean[0] / temperature }}}
	table, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table.Rows {
		e, c := r.Estimates[0], r.Changes[0]
		if !(math.Abs(c.Value) < 1e-12 && c.StdErr < 1e-12) || !(e.StdErr > 1e-3) {
			t.Errorf("T = %g: %v, change %v, whose error should vanish", r.Value, e, c)
		}
		stat, p := estimateP(e, 1/(1-0.05))
		accept(t, "variance", s.Seed, stat, p)
	}
	// One without quantities gives the averages, of which the change has an error.
	s.Quantities = nil
	if table, err = s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := table.Rows[2]
	stat, p := estimateP(last.Changes[0], 3/(1-0.05))
	accept(t, "change of the variance", s.Seed, stat, p)
	stat, p = estimateP(last.Changes[0], 3)
	reject(t, "change of the variance without the step's", s.Seed, stat, p)
	if e := last.Estimates[0]; math.Abs(e.StdErr/(4*table.Rows[0].Estimates[0].StdErr)-1) > 1e-9 || !strings.Contains(table.String(), "E f0") {
		t.Errorf("estimates %v and %v\n%v", table.Rows[0].Estimates[0], e, table)
	}
	// The jackknife of an average is its standard error.
	e, schedule, _ := s.Study(4)
	e.Seed = s.Seed
	m := integrate.NewMean(1, s.F)
	mustRun(t, e, schedule, m)
	near(t, "standard error", last.Estimates[0].StdErr, m.Estimate(0).StdErr, 1e-9)
}

func TestSweepRefused(t *testing.T) {
	ok := sweepOf(1)
	for name, change := range map[string]func(s *integrate.Sweep){
		"no study":     func(s *integrate.Sweep) { s.Study = nil },
		"no values":    func(s *integrate.Sweep) { s.Values = nil },
		"NaN":          func(s *integrate.Sweep) { s.Values = []float64{1, math.NaN()} },
		"no functions": func(s *integrate.Sweep) { s.Functions = 0 },
		"no F":         func(s *integrate.Sweep) { s.F = nil },
		"no Of":        func(s *integrate.Sweep) { s.Quantities = []integrate.Quantity{{Name: "q"}} },
		"bad value":    func(s *integrate.Sweep) { s.Values = []float64{1, -1} },
		"other particles": func(s *integrate.Sweep) {
			study := s.Study
			s.Values = []float64{1, 2}
			s.Study = func(v float64) (integrate.Ensemble, integrate.Schedule, error) {
				e, schedule, err := study(v)
				e.Particles = int(1000 * v)
				return e, schedule, err
			}
		},
	} {
		s := ok
		change(&s)
		if table, err := s.Run(t.Context()); table != nil || !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v, error %v", name, table, err)
		}
	}
	// Cancelled in the second run: the first is complete.
	ctx, cancel := context.WithCancel(t.Context())
	s := sweepOf(1, 2, 3)
	var calls []int
	s.Progress = func(done, runs int) {
		calls = append(calls, done, runs)
		if done == 1 {
			cancel()
		}
	}
	table, err := s.Run(ctx)
	if !errors.Is(err, context.Canceled) || table == nil || len(table.Rows) != 1 || fmt.Sprint(calls) != "[0 3 1 3]" {
		t.Errorf("cancelled: %v, error %v, progress %v", table, err, calls)
	}
}
