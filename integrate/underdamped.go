// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// The splittings of underdamped Langevin dynamics of unit mass,
//
//	dq = p dt,   dp = −∇L(q) dt − γp dt + √(2γT) dW
//
// are compositions of the exact flows of three parts: A, q′ = q + hp; B,
// p′ = p − h∇L(q); O, p′ = e^(−γh) p + √(T(1−e^(−2γh))) z. T is the temperature of
// the flow's noise, and the stationary density of q is exp(−L/T) as it is for the
// flow, while paths and times are others: momentum carries q.
//
// A particle's row is (q, p). Each scheme is cut where one gradient a step is
// enough without keeping it: the p of BAOAB and OBABO is that before a half B.

// underdampedProperties is what the splittings state of themselves.
func underdampedProperties(name string, class sde.NoiseClass) (Properties, error) {
	if class < sde.Additive {
		return Properties{}, fmt.Errorf("integrate: %s needs a temperature, D = T I, and does not serve %v noise: "+
			"take HeavyBall for momentum with any noise, or EulerMaruyama without (%w)", name, class, sde.ErrUnsupported)
	}
	return Properties{Name: name, Calculus: sde.Ito, Invariant: 2, Gradients: 1, Normals: 1}, nil
}

// bindUnderdamped checks the system and returns the part that the kernels share.
func bindUnderdamped(name string, s *System, friction, span float64) (underdamped, error) {
	if !(friction > 0) || math.IsInf(friction, 1) {
		return underdamped{}, invalid(name+".Friction", friction, "a positive, finite friction; without noise and friction there is no stationary law", nil)
	}
	if _, ok := s.Isotropic(0); !ok {
		return underdamped{}, invalid("Ensemble.Equation", "noise that is no temperature", fmt.Sprintf("a temperature (sde.Thermal, D = T I) for %s: "+
			"take HeavyBall for momentum with any noise, or EulerMaruyama without", name), sde.ErrUnsupported)
	}
	return newUnderdamped(name, s, friction, span)
}

// newUnderdamped returns the part that kernels with momenta share, and an error if
// there is a domain that would have to turn them.
func newUnderdamped(name string, s *System, friction, span float64) (underdamped, error) {
	if c, ok := s.Equation.(sde.Confined); ok {
		if b, box := c.Confinement().(sde.Box); c.Confinement() != nil && (!box || b.Boundary == sde.Reflecting) {
			return underdamped{}, invalid("Ensemble.Equation", fmt.Sprintf("a domain %T that turns particles back", c.Confinement()), fmt.Sprintf("none, or a periodic or absorbing sde.Box, for %s, "+
				"whose momenta it would have to turn as well: take EulerMaruyama", name), sde.ErrUnsupported)
		}
	}
	n := s.Rows * s.State
	c := kernel.Exp1(-friction * s.Step)
	return underdamped{
		s: s, h: s.Step, loss: c - 1, spread: math.Sqrt((1 - c) * (1 + c) / 2), lead: span,
		q: make([]float64, n), p: make([]float64, n), g: make([]float64, n),
	}, nil
}

// underdamped holds a block as columns of positions and momenta.
type underdamped struct {
	s      *System
	h      float64
	loss   float64 // e^(−γh) − 1
	spread float64 // times √(2T), the scale of the noise in O
	lead   float64 // the row's p is the scheme's plus lead·∇L(q)

	rows int
	q, p []float64
	g    []float64 // gradients, then normals: what fits the first level of cache is faster
}

// Load takes in the rows of x.
func (k *underdamped) Load(x sde.Batch) {
	d := k.s.State
	k.rows = x.Rows
	unzip(k.q, k.p, x, d)
}

// Store puts the rows back.
func (k *underdamped) Store(x sde.Batch) { zip(x, k.q, k.p, k.s.State) }

// Start draws momenta from N(0, T), those of the stationary law.
func (k *underdamped) Start(x sde.Batch, stream *sde.Stream) {
	n := x.Rows * k.s.State
	k.Load(x)
	if k.s.Noise > 0 {
		scale, _ := k.s.Isotropic(0)
		stream.Normals(k.p[:n])
		kernel.Scale(k.p[:n], scale*math.Sqrt(0.5), k.p[:n])
	} else {
		clear(k.p[:n])
	}
	k.advance()
	k.Store(x)
}

// advance takes the scheme's momenta at the start to those of the row.
func (k *underdamped) advance() {
	if k.lead != 0 {
		n := k.rows * k.s.State
		c := k.slope(0)
		kernel.Axpy(k.p[:n], -c*k.lead, k.g[:n])
	}
}

// slope stores a multiple of the drift at q into g and returns its factor.
func (k *underdamped) slope(t float64) float64 { return k.s.Slope(k.batch(k.g), k.batch(k.q), t) }

// batch returns one of the kernel's columns as a batch.
func (k *underdamped) batch(v []float64) sde.Batch {
	d := k.s.State
	return sde.Batch{Data: v[:k.rows*d], Rows: k.rows, Cols: d, Stride: d}
}

// a takes the part A for the given time.
func (k *underdamped) a(h float64) {
	n := k.rows * k.s.State
	kernel.Axpy(k.q[:n], h, k.p[:n])
}

// bob takes B for half of the given time, O and B again, with the gradient at hand:
//
//	p′ = c p + (b/2)(1 + c) g + s z
func (k *underdamped) bob(b, t float64, stream *sde.Stream) {
	n := k.rows * k.s.State
	p, g := k.p[:n], k.g[:n]
	kernel.Euler(p, p, g, k.loss, b/2*(2+k.loss))
	if k.s.Noise > 0 {
		scale, _ := k.s.Isotropic(t)
		stream.Increments(g)
		kernel.Axpy(p, k.spread*scale, g)
	}
}

// aoa takes half of A, O and half of A, with q in one go:
//
//	q′ = q + (h/2)(1 + c) p + (h/2) s z,   p′ = c p + s z
func (k *underdamped) aoa(t float64, stream *sde.Stream) {
	n := k.rows * k.s.State
	q, p, z := k.q[:n], k.p[:n], k.g[:n]
	if k.s.Noise == 0 {
		kernel.Axpy(q, k.h/2*(2+k.loss), p)
		kernel.Axpy(p, k.loss, p)
		return
	}
	scale, _ := k.s.Isotropic(t)
	stream.Increments(z)
	kernel.Euler(q, p, z, k.h/2*(2+k.loss), k.h/2*k.spread*scale)
	kernel.Euler(p, p, z, k.loss, k.spread*scale)
}

// b takes the part B for the given time with the gradient at hand.
func (k *underdamped) b(h float64) {
	n := k.rows * k.s.State
	kernel.Axpy(k.p[:n], h, k.g[:n])
}

// unzip copies the first and the second d columns of x.
func unzip(first, second []float64, x sde.Batch, d int) {
	if d == 1 && x.Stride == 2 {
		data := x.Data[:2*x.Rows]
		first, second = first[:x.Rows], second[:x.Rows]
		for i := range first {
			first[i], second[i] = data[2*i], data[2*i+1]
		}
		return
	}
	for i := 0; i < x.Rows; i++ {
		row := x.Row(i)
		copy(first[i*d:(i+1)*d], row)
		copy(second[i*d:(i+1)*d], row[d:])
	}
}

// zip is the inverse of unzip.
func zip(x sde.Batch, first, second []float64, d int) {
	if d == 1 && x.Stride == 2 {
		data := x.Data[:2*x.Rows]
		first, second = first[:x.Rows], second[:x.Rows]
		for i := range first {
			data[2*i], data[2*i+1] = first[i], second[i]
		}
		return
	}
	for i := 0; i < x.Rows; i++ {
		row := x.Row(i)
		copy(row, first[i*d:(i+1)*d])
		copy(row[d:2*d], second[i*d:(i+1)*d])
	}
}
