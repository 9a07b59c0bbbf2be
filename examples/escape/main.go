// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Escape asks how long stochastic gradient flow takes to leave a minimum: simulation,
// with crossings between steps and with what had not left when it ended, the exact
// mean by quadrature, Kramers' formula, and splitting where no one can wait; and the way out of
// the deepest minimum of Müller–Brown's landscape.
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
	lawAt := 0.1
	return example.Program{
		Name:     "escape",
		About:    "Measures how long gradient flow takes to leave a minimum, and holds it against quadrature and Kramers' law.",
		Defaults: example.Settings{Seed: 1, Particles: 8192, Time: 400, Step: 0.01},
		Quick:    example.Settings{Particles: 2048, Time: 100, Step: 0.02},
		Flags: func(f *flag.FlagSet) {
			f.Float64Var(&lawAt, "temperature", lawAt, "temperature `T` of the histogram of exit times")
		},
		Run: func(ctx context.Context, s *example.Session) error { return run(ctx, s, lawAt) },
	}
}

// escape is what is known of one temperature.
type escape struct {
	temperature    float64
	exact, kramers stationary.Prediction
	watched        *integrate.FirstPassage // nil where it was split
	passages       integrate.Passages
	rare           *integrate.RareResult
}

type measured struct {
	escapes []*escape
	law     *escape
	path    *stationary.TransitionPath
}

func run(ctx context.Context, s *example.Session, lawAt float64) (err error) {
	m := &measured{}
	law, err := predict(lawAt)
	if err != nil {
		return err
	}
	for _, b := range []float64{5, 8, 10, 12.5, 16} {
		e, err := simulate(ctx, s, 1/b, nil)
		if err != nil {
			return err
		}
		m.escapes = append(m.escapes, e)
	}
	for _, b := range []float64{25, 40, 60, 83} {
		e, err := split(ctx, s, 1/b)
		if err != nil {
			return err
		}
		m.escapes = append(m.escapes, e)
	}
	var edges []float64
	for i := range 31 {
		edges = append(edges, float64(i)/30*min(s.Time, 4*law.exact.Time))
	}
	if m.law, err = simulate(ctx, s, lawAt, edges); err != nil {
		return err
	}
	if m.path, err = (stationary.StringMethod{Images: 129}).Path(loss.MullerBrown{}, []float64{-0.5, 1.5}, []float64{0.6, 0}); err != nil {
		return err
	}
	if err := m.table(s); err != nil {
		return err
	}
	return m.picture(s)
}

func flow(temperature float64) sde.Flow {
	return sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: temperature}}
}

// predict is theory: from the minimum at −1 to that at 1.
func predict(temperature float64) (e *escape, err error) {
	e = &escape{temperature: temperature}
	if e.exact, err = stationary.MeanFirstPassageTime(flow(temperature), -1, 1); err != nil {
		return nil, err
	}
	e.kramers, err = stationary.Kramers(flow(temperature), -1, 0)
	return e, err
}

// simulate waits for the particles to arrive, as long as the flag -time says.
func simulate(ctx context.Context, s *example.Session, temperature float64, edges []float64) (*escape, error) {
	e, err := predict(temperature)
	if err != nil {
		return nil, err
	}
	e.watched = &integrate.FirstPassage{Target: sde.HalfSpace{Normal: []float64{1}, Offset: 1}, Bridge: true, Edges: edges}
	ensemble := s.Ensemble(flow(temperature))
	ensemble.Start = integrate.Points{{-1}}
	if _, err := s.Simulate(ctx, "waiting", ensemble, integrate.Schedule{Time: s.Time, Every: s.Every(s.Time / 20)}, e.watched); err != nil {
		return nil, err
	}
	e.passages = e.watched.Passages(0)
	return e, nil
}

// split does not wait.
func split(ctx context.Context, s *example.Session, temperature float64) (*escape, error) {
	e, err := predict(temperature)
	if err != nil {
		return nil, err
	}
	// A gate that the well's fluctuations reach now and then, from a core that they are often in.
	width := sqrt(temperature / 2)
	clones := 128
	if s.Quick {
		clones = 48
	}
	e.rare, err = integrate.Splitting{Clones: clones, RareEvent: integrate.RareEvent{
		Equation: flow(temperature), Step: s.Step, Start: integrate.Points{{-1}}, Seed: s.Seed + uint64(1/temperature), Workers: s.Workers,
		Coordinate: func(theta []float64) float64 { return theta[0] }, Gate: -1 + 2*width, FluxTime: 40,
		From: sde.HalfSpace{Normal: []float64{-1}, Offset: 1 - width/2}, To: sde.HalfSpace{Normal: []float64{1}, Offset: 0.8},
	}}.Estimate(ctx)
	return e, err
}
