// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Doublewell simulates stochastic gradient flow with the noise of mini-batches in
// L(x) = (x²−1)²/4 and holds it against Boltzmann's exp(−L/T), T = ηs²/(2B), and
// against the law that Euler–Maruyama at its step really samples.
package main

import (
	"context"
	"flag"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

func main() { example.Main(program()) }

func program() example.Program {
	batches := noise.Minibatch{LearningRate: 0.1, BatchSize: 8, Variance: 32}
	return example.Program{
		Name:     "doublewell",
		About:    "Simulates stochastic gradient flow in the double well (x²−1)²/4 and compares it with exp(−L/T).",
		Defaults: example.Settings{Seed: 1, Particles: 100_000, Time: 200, Step: 0.01},
		Quick:    example.Settings{Particles: 65_536, Time: 40, Step: 0.02},
		Flags: func(f *flag.FlagSet) {
			f.Float64Var(&batches.LearningRate, "learning-rate", batches.LearningRate, "learning rate `η`")
			f.IntVar(&batches.BatchSize, "batch", batches.BatchSize, "batch size `B`")
			f.Float64Var(&batches.Variance, "variance", batches.Variance, "variance `s²` of one sample's gradient")
		},
		Run: func(ctx context.Context, s *example.Session) error { return run(ctx, s, batches) },
	}
}

type series = integrate.Series[*stationary.Histogram]

// measured is what the picture and the table are made of.
type measured struct {
	loss           loss.DoubleWell
	batches        noise.Minibatch
	temperature    float64
	exact, scheme  *stationary.Density // Boltzmann's law, and that of the scheme at its step
	oneWell, both  *series             // the histogram against time, by where the particles start
	paths          *integrate.Trajectories
	moments        *integrate.Mean // of x, x², x⁴
	hist           *stationary.Histogram
	settled        float64 // time before hist
	result         *integrate.Result
	boltzmann, law *stationary.Report // of hist against exact and scheme
}

func run(ctx context.Context, s *example.Session, batches noise.Minibatch) (err error) {
	m := measured{batches: batches, temperature: batches.Temperature(0)}
	flow := sde.Flow{Loss: m.loss, Diffusion: batches}
	if err := flow.Validate(); err != nil {
		return err
	}
	if m.exact, err = stationary.Boltzmann(m.loss, m.temperature); err != nil {
		return err
	}
	// All but 2 in 10⁹ of the law, in 100 bins.
	edge := m.exact.Quantile(1 - 1e-9)
	if m.scheme, err = stationary.Discretized(m.loss, m.temperature, s.Step, sde.Box{Lo: []float64{-edge}, Hi: []float64{edge}}); err != nil {
		return err
	}
	ensemble := s.Ensemble(flow)
	sampling := integrate.Schedule{Time: s.Time, Every: s.Every(1)}
	if err := ensemble.Validate(sampling); err != nil {
		return err // before the settling, not after it
	}
	histogram := func() *stationary.Histogram { return stationary.NewHistogram(-edge, edge, 100) }

	// From one well the law settles only as fast as particles cross the barrier.
	// If half of them start in each well, only what is within the wells must settle.
	m.oneWell, m.both = integrate.NewSeries(histogram), integrate.NewSeries(histogram)
	every := s.Multiple(0.5)
	settling := integrate.Schedule{Time: 80 * every, Every: every}
	ensemble.Start = integrate.Points{{-1}}
	if _, err = s.Simulate(ctx, "settling from one well", ensemble, settling, m.oneWell); err != nil {
		return err
	}
	ensemble.Start = integrate.Points{{-1}, {1}}
	settled := new(integrate.Final)
	if _, err = s.Simulate(ctx, "settling from both wells", ensemble, settling, m.both, settled); err != nil {
		return err
	}

	// On from there, with other noise than that which brought the particles there.
	ensemble.Start = settled
	ensemble.Seed++
	m.hist = histogram()
	m.paths = &integrate.Trajectories{Particles: []int{0, 1, 2}}
	m.moments = integrate.NewMean(3, func(dst, theta []float64) {
		x2 := theta[0] * theta[0]
		dst[0], dst[1], dst[2] = theta[0], x2, x2*x2
	})
	thermometer := new(stationary.Thermometer)
	m.result, err = s.Simulate(ctx, "sampling", ensemble, sampling, m.hist, m.moments, m.paths, thermometer)
	if err != nil {
		return err
	}
	if m.boltzmann, err = stationary.Compare(m.exact, m.hist, thermometer); err != nil {
		return err
	}
	if m.law, err = stationary.Compare(m.scheme, m.hist, thermometer); err != nil {
		return err
	}
	m.settled = settling.Time
	m.table(s)
	return m.picture(s)
}
