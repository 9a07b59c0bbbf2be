// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"context"
	"math"
	"sync/atomic"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

func (c *checker) invariance() {
	problems := []Problem{DoubleWell(wellTemperature), Decay(1, 1), OrnsteinUhlenbeck(1.5, 0.3)}
	problems = append(problems, linearProblems()...)
	for _, law := range []stable{{alpha: 2}, {alpha: 1}, {alpha: 1.5, rotational: true}} {
		problems = append(problems, Problem{Name: "a quadratic with stable noise", Start: []float64{0.5}, Equation: sde.Flow{Loss: harmonic{1.5}, Diffusion: law}})
	}
	for _, p := range problems {
		if _, _, ok := c.bind(p.Equation, 0.1, 1); !ok {
			continue
		}
		c.blocks(p)
		c.workers(p)
		c.allocations(p)
	}
}

// blocks steps particles in one batch and in parts, with the same noise for each.
func (c *checker) blocks(p Problem) {
	const rows, part = 24, 7
	d, m := p.Equation.Dims()
	width := d
	if a, ok := c.scheme.(integrate.Augmented); ok {
		width = a.Width(d)
	}
	run := func(size int) []float64 {
		k, _, _ := c.bind(p.Equation, 0.1, rows)
		x := sde.NewBatch(rows, width)
		for i := range rows {
			for j := range d {
				x.Row(i)[j] = p.Start[j] + 0.01*float64(i)
			}
		}
		cycle := func(shift float64) func(dst []float64) {
			return func(dst []float64) {
				for i := range dst {
					dst[i] = shift + 0.4*float64(i%m)
				}
			}
		}
		s := sde.NewScriptedStream(sde.Script{Increments: cycle(0.3), Next: cycle(-0.2), Areas: cycle(-0.5),
			Normals: func(dst []float64) {
				for i := range dst {
					dst[i] = 0.25
				}
			},
			Uniforms: func(dst []float64) {
				for i := range dst {
					dst[i] = 0.4
				}
			}})
		for from := 0; from < rows; from += size {
			s.At(sde.Steps, from, 0)
			k.Step(x.Slice(from, min(from+size, rows)), 0.2, s)
		}
		return x.Data
	}
	whole, parts := run(rows), run(part)
	for i := range whole {
		if whole[i] != parts[i] {
			c.fault("invariance", "%s: a step of %d particles at once and in parts of %d differ, in particle %d by %g; "+
				"a particle must not depend on its neighbours", p.Name, rows, part, i/width, whole[i]-parts[i])
			return
		}
	}
}

// workers runs an ensemble with one worker and with three.
func (c *checker) workers(p Problem) {
	run := func(workers int) []float64 {
		var f integrate.Final
		d, _ := p.Equation.Dims()
		e := integrate.Ensemble{Equation: p.Equation, Scheme: c.scheme, Step: 1. / 16, Particles: 3*integrate.BlockRows(d) - 5, Seed: c.o.Seed,
			Start: integrate.Points{p.Start}, Workers: workers}
		s := integrate.Schedule{Time: 0.5, Every: 0.25}
		if tuned, ok := c.scheme.(integrate.Tuned); ok {
			s.BurnIn = math.Ceil(tuned.TuningTime()/e.Step) * e.Step
		}
		if _, err := e.Run(context.Background(), s, &f); err != nil {
			c.fault("invariance", "%s: a run failed: %v", p.Name, err)
			return nil
		}
		return f.States().Data
	}
	one := run(1)
	if one == nil {
		return
	}
	three := run(3)
	for i := range three {
		if one[i] != three[i] {
			c.fault("invariance", "%s: runs with one worker and with three differ", p.Name)
			return
		}
	}
}

// allocations counts what a step allocates.
func (c *checker) allocations(p Problem) {
	const rows = 32
	d, _ := p.Equation.Dims()
	width := d
	if a, ok := c.scheme.(integrate.Augmented); ok {
		width = a.Width(d)
	}
	k, _, _ := c.bind(p.Equation, 0.01, rows)
	x := sde.NewBatch(rows, width)
	for i := range rows {
		copy(x.Row(i), p.Start)
	}
	stream, n := sde.NewStream(1, nil), 0
	if a := testing.AllocsPerRun(10, func() {
		stream.At(sde.Steps, 0, n)
		k.Step(x, 0, stream)
		n++
	}); a > 0 {
		c.fault("invariance", "%s: a step makes %g allocations; it must make none", p.Name, a)
	}
}

// counted counts the evaluations of an equation's drift.
type counted struct {
	sde.Equation
	calls *atomic.Int64
}

func (e counted) Class() sde.NoiseClass { return sde.ClassOf(sde.DiffusionOf(e.Equation)) }
func (e counted) Drift(dst, theta []float64, t float64) {
	e.calls.Add(1)
	e.Equation.Drift(dst, theta, t)
}

func (c *checker) gradients() {
	for _, p := range append(linearProblems(), DoubleWell(wellTemperature), Decay(1, 1)) {
		var calls atomic.Int64
		k, properties, ok := c.bind(counted{p.Equation, &calls}, 0.01, 1)
		if !ok {
			continue
		}
		d, _ := p.Equation.Dims()
		width := d
		if a, ok := c.scheme.(integrate.Augmented); ok {
			width = a.Width(d)
		}
		x := sde.NewBatch(1, width)
		copy(x.Data, p.Start)
		stream := sde.NewStream(1, nil)
		const steps = 8
		for n := range steps {
			if n == 1 {
				calls.Store(0) // what the first step looks up is not counted
			}
			stream.At(sde.Steps, 0, n)
			k.Step(x, 0, stream)
		}
		if got := float64(calls.Load()) / (steps - 1); got != properties.Gradients {
			if _, varies := k.(integrate.Explainer); varies && got > properties.Gradients {
				continue
			}
			c.fault("gradients", "%s: a step evaluates the drift %g times, the scheme states %g", p.Name, got, properties.Gradients)
		}
	}
}
