// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Verify tests optimizers as their authors would in their own test suites: one that samples
// exp(−L/T) as it should, and others with what people get wrong.
package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
	"github.com/sgflow/sgflow/stationary/stationarytest"
)

func main() { example.Main(program()) }

func program() example.Program {
	return example.Program{
		Name: "verify",
		About: "Tests somebody's optimizers, one right and six wrong, against the Boltzmann law of (x²−1)²/4 at T = 0.2. " +
			"The particles are chains of the optimizer, a step is its learning rate.",
		Defaults: example.Settings{Seed: 1, Particles: 2000, Time: 600, Step: 0.01},
		Quick:    example.Settings{Particles: 400, Time: 300},
		Run:      run,
	}
}

const temperature = 0.2

// verified is an optimizer and what the test says of it.
type verified struct {
	optimizer
	report *stationarytest.Report
	hist   *stationary.Histogram
}

func run(ctx context.Context, s *example.Session) error {
	law, err := stationary.Boltzmann(loss.DoubleWell{}, temperature)
	if err != nil {
		return err
	}
	const steps = 50 // of the optimizer between observations
	n := int(math.Round(s.Time / (steps * s.Step)))
	switch {
	case !(s.Step > 0 && s.Step <= 0.5):
		return &sde.SettingError{Field: "-step", Value: s.Step, Want: "a learning rate above 0 and at most 0.5"}
	case s.Particles < 16 || s.Particles > 1e6:
		return &sde.SettingError{Field: "-particles", Value: s.Particles, Want: "16 to 1,000,000 chains"}
	case !(n >= 64 && n <= 1e7):
		return &sde.SettingError{Field: "-time", Value: s.Time, Want: fmt.Sprintf("at least %g, 64 observations of %d steps", 64*steps*s.Step, steps)}
	}
	// What this many chains can tell.
	options := stationarytest.Options{BurnIn: 40, Observations: n, Temperature: 0.05, TotalVariation: 0.03, Step: s.Step}
	if s.Quick {
		options.Temperature, options.TotalVariation, options.FalseAlarms = 0.12, 0.06, 1e-4
	}
	var all []verified
	for i, o := range optimizers(s.Step, s.Particles) {
		random := rand.New(rand.NewPCG(s.Seed, uint64(i)))
		v := verified{optimizer: o, hist: stationary.NewHistogram(-2.2, 2.2, 88)}
		calls, observed := 0, make([]float64, s.Particles)
		set, finish := s.Progress(o.name)
		replicas := stationarytest.Replicas{Dim: 1, Chains: s.Particles,
			Start: func(theta sde.Batch) {
				for i := range theta.Rows {
					theta.Row(i)[0] = float64(1 - 2*(i%2)) // half of them in each well
				}
			},
			Advance: func(theta sde.Batch) {
				for i := range theta.Rows {
					x := theta.Row(i)[0]
					for range steps {
						x = o.step(i, x, random)
					}
					theta.Row(i)[0], observed[i] = x, x
				}
				if calls++; calls > options.BurnIn {
					for g := range 32 { // chains are independent: groups of them
						v.hist.Add(g, observed[g*len(observed)/32:(g+1)*len(observed)/32])
					}
				}
				if set != nil {
					set(int64(calls), int64(options.BurnIn+n))
				}
			}}
		v.report, err = check(ctx, replicas, law, options)
		finish()
		if err != nil {
			return err
		}
		all = append(all, v)
	}
	table(s, options, all)
	return draw(s, law, options, all)
}

// check is stationarytest.CheckBoltzmann, given up when ctx is done.
func check(ctx context.Context, r stationarytest.Replicas, law stationary.Law, o stationarytest.Options) (report *stationarytest.Report, err error) {
	advance := r.Advance
	r.Advance = func(theta sde.Batch) {
		if ctx.Err() != nil {
			panic(ctx)
		}
		advance(theta)
	}
	defer func() {
		if v := recover(); v == any(ctx) {
			err = context.Cause(ctx)
		} else if v != nil {
			panic(v)
		}
	}()
	return stationarytest.CheckBoltzmann(r, law, o)
}
