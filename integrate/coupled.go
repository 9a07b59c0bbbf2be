// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// coupled is the equation and the scheme of particles that are several paths each:
// two fine steps of h and one coarse step of 2h, on the same Brownian path, and, if
// it is antithetic, the two fine steps with their noise exchanged as well. Observers
// see (fine, coarse) or (fine, coarse, antithetic), d coordinates each; what a
// scheme keeps behind its coordinates follows in the same order.
type coupled struct {
	of         sde.Equation
	scheme     Scheme
	properties Properties
	h          float64 // of the fine steps
	pieces     int     // of a fine step
	d, width   int     // of one path
	paths      int
}

// couple returns the ensemble with paths of half its step beside its own.
func (p *plan) couple(antithetic bool) Ensemble {
	c := &coupled{of: p.Equation, scheme: p.Scheme, properties: p.properties, h: p.Step / 2, pieces: p.Pieces, d: p.d, width: p.width, paths: 2}
	if antithetic {
		c.paths = 3
	}
	e := p.Ensemble
	e.Equation, e.Scheme, e.Start, e.Pieces = c, c, coupledStart{p.Start, p.d}, 2*p.Pieces
	return e
}

var (
	_ sde.Equation = (*coupled)(nil)
	_ Scheme       = (*coupled)(nil)
	_ Augmented    = (*coupled)(nil)
	_ Starter      = (*coupledKernel)(nil)
	_ Resident     = (*coupledKernel)(nil)
	_ Explainer    = (*coupledKernel)(nil)
)

// Dims are those of all paths; their noise is no business of the engine's.
func (c *coupled) Dims() (state, noise int)              { return c.paths * c.d, 0 }
func (c *coupled) Root(dst, theta []float64, t float64)  {}
func (c *coupled) Drift(dst, theta []float64, t float64) { panic("integrate: drift of coupled paths") }

func (c *coupled) Properties(sde.NoiseClass) (Properties, error) { return c.properties, nil }
func (c *coupled) Width(int) int                                 { return c.paths * c.width }

func (c *coupled) Bind(s *System) (Kernel, error) {
	k := &coupledKernel{coupled: c}
	for i := range c.paths {
		h := c.h
		if i == coarsePath {
			h *= 2
		}
		kernel, err := c.scheme.Bind(NewSystem(c.of, c.properties.Calculus, h, s.Rows))
		if err != nil {
			return nil, err
		}
		k.kernels = append(k.kernels, kernel)
		k.x = append(k.x, sde.NewBatch(s.Rows, c.width))
	}
	if d, ok := c.of.(sde.Confined); ok && d.Confinement() != nil {
		k.domain, k.before = d.Confinement(), sde.NewBatch(s.Rows, c.d)
	}
	return k, nil
}

const coarsePath = 1 // fine, coarse, antithetic

// coupledStart is the ensemble's start, the same for each of a particle's paths.
type coupledStart struct {
	Start
	d int
}

func (s coupledStart) Check(_, particles int) error { return s.Start.Check(s.d, particles) }
func (s coupledStart) Fill(x sde.Batch, first int, stream *sde.Stream) {
	s.Start.Fill(leading(x, s.d), first, stream)
	for i := range x.Rows {
		row := x.Row(i)
		for j := s.d; j < len(row); j += s.d {
			copy(row[j:j+s.d], row[:s.d])
		}
	}
}

type coupledKernel struct {
	*coupled
	kernels []Kernel
	x       []sde.Batch // by path, without gaps
	rows    int
	domain  sde.Domain
	before  sde.Batch
}

// Start sets the history of each path, from the same numbers.
func (k *coupledKernel) Start(x sde.Batch, stream *sde.Stream) {
	block, _ := stream.Place()
	k.Load(x)
	for i, kernel := range k.kernels {
		if s, ok := kernel.(Starter); ok {
			stream.At(sde.Starts, block, 1) // step 0 is the coordinates'
			s.Start(k.x[i].Slice(0, k.rows), stream)
		}
	}
	k.Store(x)
}

func (k *coupledKernel) Load(x sde.Batch) {
	k.rows = x.Rows
	k.move(x, func(path, row []float64) { copy(path, row) })
}

func (k *coupledKernel) Store(x sde.Batch) {
	k.move(x, func(path, row []float64) { copy(row, path) })
}

// move shows the parts of a path and of a row that belong together.
func (k *coupledKernel) move(x sde.Batch, do func(path, row []float64)) {
	d, history := k.d, k.width-k.d
	for i := range x.Rows {
		row := x.Row(i)
		for p := range k.x {
			path, behind := k.x[p].Row(i), k.paths*d+p*history
			do(path[:d], row[p*d:(p+1)*d])
			do(path[d:], row[behind:behind+history])
		}
	}
}

func (k *coupledKernel) Step(x sde.Batch, t float64, stream *sde.Stream) {
	k.Load(x)
	k.StepLoaded(t, stream)
	k.Store(x)
}

func (k *coupledKernel) StepLoaded(_ float64, stream *sde.Stream) {
	block, step := stream.Place()
	stream.Couple(k.pieces)
	for i := range k.kernels {
		if i == coarsePath {
			continue
		}
		for j := range 2 {
			noise := 2*step + j
			if i > coarsePath {
				noise = 2*step + 1 - j
			}
			stream.At(sde.Steps, block, noise)
			k.advance(i, float64(2*step+j)*k.h, stream)
		}
	}
	stream.Couple(2 * k.pieces)
	stream.At(sde.Steps, block, step)
	k.advance(coarsePath, float64(step)*(2*k.h), stream)
}

// advance takes a path one step of its own further, and holds it to the domain.
func (k *coupledKernel) advance(path int, t float64, stream *sde.Stream) {
	x := k.x[path].Slice(0, k.rows)
	if k.domain == nil {
		k.kernels[path].Step(x, t, stream)
		return
	}
	theta := leading(x, k.d)
	before := k.before.Slice(0, k.rows)
	before.CopyFrom(theta)
	k.kernels[path].Step(x, t, stream)
	k.domain.Constrain(before, theta)
}

// Explain asks the schemes of the paths, the fine one first.
func (k *coupledKernel) Explain(i int) error {
	for _, kernel := range k.kernels {
		if e, ok := kernel.(Explainer); ok {
			if err := e.Explain(i); err != nil {
				return err
			}
		}
	}
	return nil
}
