// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Async shows how staleness eats stability: SGD on ½θ² whose gradients are τ steps old, as of
// workers that do not wait for one another, against the exact bound of its learning rate,
// 2 sin(π/(2(2τ+1))), and the exact variance of its delay recursion.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func main() { example.Main(program()) }

func program() example.Program {
	longest := 12
	return example.Program{
		Name:     "async",
		About:    "Runs SGD with stale gradients on ½θ²: where it is stable, and its variance against the staleness.",
		Defaults: example.Settings{Seed: 1, Particles: 16_384, Time: 60, Step: 0.1},
		Quick:    example.Settings{Particles: 4096, Time: 20, Step: 0.1},
		Flags: func(f *flag.FlagSet) {
			f.IntVar(&longest, "longest", longest, "longest `staleness` of the variances, in steps; the learning rate is -step")
		},
		Run: func(ctx context.Context, s *example.Session) error { return run(ctx, s, longest) },
	}
}

// curvature and variance are those of the loss and of the gradient's noise.
const curvature, variance = 1, 1

// measured is what the picture and the table are made of.
type measured struct {
	longest       int
	limits        []float64 // by staleness, found by bisection
	fixed, random *integrate.Swept
	paths         []*integrate.Trajectories
	delays        []int // of the paths
}

func run(ctx context.Context, s *example.Session, longest int) (err error) {
	if longest < 1 || !(s.Step*curvature < stable(longest)) {
		return &sde.SettingError{Field: "-longest", Value: longest, Want: fmt.Sprintf("at least 1, and short enough for the learning rate %g: 2 sin(π/(2(2τ+1))) has to be larger", s.Step)}
	}
	l, err := loss.NewDiagonalQuadratic([]float64{curvature}, nil)
	if err != nil {
		return err
	}
	gradient := noise.GradientNoise{Gradient: noise.FullGradient{Loss: l}, Diffusion: noise.Temperature{T: s.Step * variance / 2}, LearningRate: s.Step}
	ensemble := s.Ensemble(sde.Flow{Loss: l})
	schedule := integrate.Schedule{BurnIn: s.Multiple(40), Time: s.Time, Every: s.Every(10 * s.Step)}
	m := measured{longest: longest}

	// The variance, with one staleness for all steps and with one drawn at each.
	sweep := integrate.Sweep{Setting: "τ", Functions: 1, F: func(dst, theta []float64) { dst[0] = theta[0] * theta[0] }}
	for _, random := range []bool{false, true} {
		sweep.Values = nil
		first, step := 0, 1
		if random {
			first, step = 1, 2
		}
		for tau := first; tau <= longest; tau += step {
			sweep.Values = append(sweep.Values, float64(tau))
		}
		update := func(tau float64) integrate.DelayedSGD {
			if random {
				return integrate.DelayedSGD{Gradient: gradient, Delays: integrate.GeometricDelays(tau, cut(tau))}
			}
			return integrate.DelayedSGD{Gradient: gradient, Delay: int(tau)}
		}
		sweep.Study = func(tau float64) (integrate.Ensemble, integrate.Schedule, error) {
			ensemble.Scheme = update(tau)
			return ensemble, schedule, nil
		}
		sweep.Quantities = []integrate.Quantity{{Name: "⟨θ²⟩", Of: func(_ float64, mean []float64) float64 { return mean[0] },
			Exact: func(tau float64) float64 { return exact(s.Step, weights(update(tau))) }}}
		table, err := s.Sweep(ctx, "variance", sweep)
		if err != nil {
			return err
		}
		if random {
			m.random = table
		} else {
			m.fixed = table
		}
	}

	// Where the recursion without noise ceases to shrink.
	for tau := range longest + 1 {
		limit, err := m.bisect(ctx, l, tau)
		if err != nil {
			return err
		}
		m.limits = append(m.limits, limit)
	}

	// One particle, with the same noise at every staleness.
	m.delays = []int{0, longest / 2, longest}
	for _, tau := range m.delays {
		path := &integrate.Trajectories{Particles: []int{0}}
		ensemble.Scheme = integrate.DelayedSGD{Gradient: gradient, Delay: tau}
		ensemble.Particles = 1
		if _, err := s.Simulate(ctx, "paths", ensemble, integrate.Schedule{Time: s.Multiple(60), Every: s.Step}, path); err != nil {
			return err
		}
		m.paths = append(m.paths, path)
	}
	m.table(s)
	return m.picture(s)
}

// bisect returns the learning rate up to which the recursion with a staleness shrinks, from runs of
// a particle without noise.
func (m *measured) bisect(ctx context.Context, l sde.Loss, tau int) (float64, error) {
	low, high := 0.0, 2.5/curvature
	for high-low > 1e-4*high {
		eta := (low + high) / 2
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.DelayedSGD{Gradient: noise.FullGradient{Loss: l}, Delay: tau},
			Step: eta, Particles: 1, Start: integrate.Points{{1}}, OnDivergence: integrate.Drop, Workers: 1}
		// The largest distance in each half of the run.
		path := &integrate.Trajectories{Particles: []int{0}}
		const steps = 4000
		r, err := e.Run(ctx, integrate.Schedule{Time: steps * eta, Every: eta}, path)
		if err != nil {
			return 0, err
		}
		var half [2]float64
		if r.Dropped == 0 {
			_, x := path.Path(0)
			for k, v := range x.Data {
				half[min(2*k/steps, 1)] = max(half[min(2*k/steps, 1)], math.Abs(v))
			}
		}
		if r.Dropped == 0 && half[1] < half[0] {
			low = eta
		} else {
			high = eta
		}
	}
	return (low + high) / 2, nil
}
