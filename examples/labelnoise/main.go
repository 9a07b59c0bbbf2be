// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Labelnoise shows what noise of the labels does where the loss is zero: SGD on ½(ab−1)² slides
// along the minima ab = 1 to the flattest, a = b = 1. What it slides in, u = a²−b², is known exactly
// at every step, u′ = u(1−η²r²) with the step's residual r, and close to exp(−ησ²t/B).
package main

import (
	"context"
	"flag"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func main() { example.Main(program()) }

// setting is what the program's own flags set.
type setting struct {
	sigma float64 // of the labels
	batch int
	start float64 // a, and b is 1/a
}

func program() example.Program {
	p := setting{sigma: 0.5, batch: 1, start: 3}
	return example.Program{
		Name:     "labelnoise",
		About:    "Runs SGD with noisy labels along the minima ab = 1 of ½(ab−1)² to the flattest of them.",
		Defaults: example.Settings{Seed: 1, Particles: 4096, Time: 400, Step: 0.05},
		Quick:    example.Settings{Particles: 1024, Time: 400, Step: 0.05},
		Flags: func(f *flag.FlagSet) {
			f.Float64Var(&p.sigma, "sigma", p.sigma, "standard deviation `σ` of the labels' noise; the learning rate is -step")
			f.IntVar(&p.batch, "batch", p.batch, "batch size `B`")
			f.Float64Var(&p.start, "start", p.start, "where the slide starts: `a`, with b = 1/a")
		},
		Run: func(ctx context.Context, s *example.Session) error { return run(ctx, s, p) },
	}
}

// scalarNet is ½(ab−1)² as a finite sum of one sample: a loss of one's own, with one method
// more for data and one for labels.
type scalarNet struct{}

func (scalarNet) Dim() int { return 2 }
func (scalarNet) Value(theta []float64) float64 {
	r := theta[0]*theta[1] - 1
	return r * r / 2
}
func (l scalarNet) Gradient(dst, theta []float64) { l.SampleGradient(dst, theta, 0) }
func (scalarNet) Samples() int                    { return 1 }
func (scalarNet) SampleGradient(dst, theta []float64, _ int) {
	r := theta[0]*theta[1] - 1
	dst[0], dst[1] = float64(r*theta[1]), float64(r*theta[0])
}
func (scalarNet) OutputGradient(dst, theta []float64, _ int) { dst[0], dst[1] = theta[1], theta[0] }

type series = *integrate.Series[*integrate.Mean]

// measured is what the picture and the table are made of.
type measured struct {
	setting
	sgd, flow, silent series // u and a²+b² with time: of SGD, of its SDE, and without noise
	path              *integrate.Trajectories
	worst             float64 // of u′/u − (1−η²r²) along the path
	law               *law
	result            *integrate.Result
}

func run(ctx context.Context, s *example.Session, p setting) (err error) {
	if !(p.start > 0) || math.IsInf(p.start, 1) {
		return &sde.SettingError{Field: "-start", Value: p.start, Want: "a positive, finite number"}
	}
	if sharp := p.start*p.start + 1/(p.start*p.start); !(s.Step*sharp < 2) {
		return &sde.SettingError{Field: "-step", Value: s.Step, Want: fmt.Sprintf("a learning rate below 2/(a²+b²) = %.3g, where the start is stable", 2/sharp)}
	}
	m := measured{setting: p}
	batches := noise.WithReplacement{Loss: scalarNet{}, BatchSize: p.batch}
	labels := noise.LabelNoise{Gradient: batches, StdDev: p.sigma}
	ensemble := s.Ensemble(sde.Flow{Loss: scalarNet{}})
	ensemble.Start = integrate.Points{{p.start, 1 / p.start}}
	schedule := integrate.Schedule{Time: s.Time, Every: s.Every(s.Time / 100)}
	observer := func() series {
		return integrate.NewSeries(func() *integrate.Mean {
			return integrate.NewMean(2, func(dst, theta []float64) {
				a, b := theta[0]*theta[0], theta[1]*theta[1]
				dst[0], dst[1] = a-b, a+b
			})
		})
	}

	ensemble.Scheme = integrate.SGD{Gradient: labels}
	m.sgd = observer()
	if m.result, err = s.Simulate(ctx, "SGD with noisy labels", ensemble, schedule, m.sgd); err != nil {
		return err
	}
	ensemble.Scheme, ensemble.Particles = integrate.SGD{Gradient: batches}, 1
	m.silent = observer()
	if _, err = s.Simulate(ctx, "SGD without", ensemble, schedule, m.silent); err != nil {
		return err
	}
	m.path = &integrate.Trajectories{Particles: []int{0}, BurnIn: true}
	ensemble.Scheme = integrate.SGD{Gradient: labels}
	if _, err = s.Simulate(ctx, "one particle", ensemble, integrate.Schedule{Time: s.Time, Every: s.Step}, m.path); err != nil {
		return err
	}
	m.follow(s.Step)

	// The stochastic differential equation of the same noise, with a finer step.
	diffusion := noise.SGDNoise{Gradient: labels, LearningRate: s.Step}
	fine := s.Ensemble(sde.Flow{Loss: scalarNet{}, Diffusion: diffusion})
	fine.Start, fine.Step, fine.Particles = ensemble.Start, s.Step/4, max(1, s.Particles/64)
	m.flow = observer()
	if _, err = s.Simulate(ctx, "its SDE", fine, schedule, m.flow); err != nil {
		return err
	}
	m.law = newLaw(s.Step, p, s.Time)
	m.table(s)
	return m.picture(s)
}

// follow holds each step of the path to u′ = u(1−η²r²), with the residual r from what the
// step has moved.
func (m *measured) follow(eta float64) {
	_, x := m.path.Path(0)
	for k := range x.Rows - 1 {
		a, b, na, nb := x.Row(k)[0], x.Row(k)[1], x.Row(k + 1)[0], x.Row(k + 1)[1]
		r := (a - na) / (eta * b)
		u := (a - b) * (a + b)
		m.worst = math.Max(m.worst, math.Abs((na-nb)*(na+nb)-u*(1-eta*eta*r*r))/(a*a+b*b))
	}
}
