// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Flatminima asks how strongly noise prefers a flat minimum to a sharp one that is as
// deep: by the square root of the ratio of curvatures if D is the same everywhere,
// exponentially if D is proportional to the curvature, as gradient noise tends to be.
package main

import (
	"context"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

func main() { example.Main(program()) }

func program() example.Program {
	return example.Program{
		Name:     "flatminima",
		About:    "Measures how noise prefers a flat minimum to a sharp one, for constant D and for D that follows the curvature.",
		Defaults: example.Settings{Seed: 1, Particles: 8192, Time: 100, Step: 0.005},
		Quick:    example.Settings{Particles: 2048, Time: 40, Step: 0.01},
		Run:      run,
	}
}

// model is a way in which D depends on the place.
type model struct {
	key, name string
	flow      func(d float64) sde.Flow
	simulated []float64 // 1/D where it is simulated
	runs      []measured
}

type measured struct {
	d     float64
	share sde.Estimate // of the flat well
	exact float64
}

// ratio returns how much more time is spent in the flat well than in the sharp one.
func (r measured) ratio() sde.Estimate {
	p, q := r.share.Value, 1-r.share.Value
	return sde.Estimate{Value: p / q, StdErr: r.share.StdErr / (q * q), Groups: r.share.Groups}
}

const barrier = 1.2315550099658604

func models() []*model {
	curved := func(d float64) sde.Diffusion {
		// D(2)/D(0) = 5 is the ratio of the curvatures of the minima.
		return noise.DiagonalFunc{State: 1, Of: sde.Diagonal, B: func(dst, theta []float64, _ float64) {
			dst[0] = math.Sqrt(2 * d * (1 + theta[0]*theta[0]))
		}}
	}
	return []*model{
		{key: "constant", name: "D constant", simulated: []float64{1.5, 2, 3, 4},
			flow: func(d float64) sde.Flow { return sde.Flow{Loss: loss.FlatSharp{}, Diffusion: noise.Temperature{T: d}} }},
		{key: "curvature", name: "D·(1 + x²)", simulated: []float64{5, 6.5, 8, 10},
			flow: func(d float64) sde.Flow { return sde.Flow{Loss: loss.FlatSharp{}, Diffusion: curved(d)} }},
	}
}

func run(ctx context.Context, s *example.Session) error {
	basins, err := sde.NewBasins(loss.FlatSharp{})
	if err != nil {
		return err
	}
	if err := basins.Grid([]float64{-3}, []float64{4}, 7000); err != nil {
		return err
	}
	flat := basins.Index([]float64{0})
	all := models()
	for _, m := range all {
		for _, b := range m.simulated {
			flow := m.flow(1 / b)
			law, err := stationary.ZeroFlux(flow)
			if err != nil {
				return err
			}
			o := &integrate.Occupation{Regions: basins}
			e := s.Ensemble(flow)
			e.Seed += uint64(10 * b)
			e.Start = integrate.Points{{0}, {2}}
			every := s.Every(0.5)
			schedule := integrate.Schedule{BurnIn: s.Time, Time: s.Time, Every: every}
			if _, err := s.Simulate(ctx, fmt.Sprintf("%s, 1/D = %g", m.name, b), e, schedule, o); err != nil {
				return err
			}
			m.runs = append(m.runs, measured{1 / b, o.Share(flat), law.Probability([]float64{math.Inf(-1)}, []float64{barrier})})
		}
	}
	table(s, all)
	return picture(s, all)
}

func table(s *example.Session, all []*model) {
	t := s.Report.Table("setting", "Two minima of equal depth, of curvature 2 (flat) and 10 (sharp)")
	t.Row("step", "step h", s.Step)
	t.Row("particles", "particles, half from each", s.Particles)
	t.Row("time", "time observed, after as much", s.Time)
	t.Row("seed", "seed", s.Seed)
	for _, m := range all {
		t := s.Report.Table(m.key, m.name+": time in the flat well over time in the sharp one",
			example.Column{Key: "simulated", Label: "simulated"}, example.Column{Key: "exact", Label: "zero-flux law"}, example.Column{Key: "sigma", Label: "off by"})
		for _, r := range m.runs {
			e, exact := r.ratio(), r.exact/(1-r.exact)
			t.Row(fmt.Sprintf("d%.4g", r.d), fmt.Sprintf("D = %.4g", r.d), e, exact, example.Number{Value: (e.Value - exact) / e.StdErr, Format: "%+.1f se"})
		}
	}
	s.Report.Note("A constant D prefers the flat well by √5 = 2.236 as D → 0; a D that follows the curvature prefers it exponentially.")
	s.Report.Note("What is simulated is the law of Euler–Maruyama at h = %g, off by order h.", s.Step)
}
