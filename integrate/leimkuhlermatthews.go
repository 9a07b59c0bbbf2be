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

// LeimkuhlerMatthews is the scheme
//
//	θ′ = θ + h a(θ) + √h B (R_n + R_n+1)/2,   R_n ~ N(0, I)
//
// for constant noise. Each R serves two steps, so that the step's noise is half
// the last one's: at the price of Euler–Maruyama, one gradient a step, the
// stationary law is of order 2, and exact on every quadratic with D = T I. At a
// fixed time the weak order is 1, and of the path ½ only, since the noise is not
// that of the Brownian motion over the same step: take SRA1 where
// paths matter.
//
// Here R_n is the increment of step n and R_n+1 that of the step to come, which
// noise as a function of the step makes possible without a memory: the state is
// θ alone, any start will do, and what is saved, resumed or observed is θ. On a
// block's way through consecutive steps each R is drawn once.
//
// Stable on a quadratic of curvature k for hk < 2. One gradient and one normal
// for each component of noise a step; 1.1 times Euler–Maruyama's cost on a double
// well. Source: Leimkuhler & Matthews, 2013, Rational construction of stochastic
// numerical methods for molecular sampling, eq. 4; order 2 by Leimkuhler, Matthews
// & Tretyakov, 2014, On the long-time integration of stochastic gradient systems.
type LeimkuhlerMatthews struct{}

var _ Scheme = LeimkuhlerMatthews{}

// Properties returns what the scheme is, and an error unless the noise is constant.
func (LeimkuhlerMatthews) Properties(class sde.NoiseClass) (Properties, error) {
	if class != sde.Constant {
		instead := "EulerMaruyama"
		if class == sde.Additive {
			instead = "SRA1, or EulerMaruyama"
		}
		return Properties{}, refusal("LeimkuhlerMatthews", fmt.Sprintf("%v noise, only constant", class), instead)
	}
	return Properties{Name: "Leimkuhler–Matthews", Calculus: sde.Ito, Strong: 0.5, Weak: 1, Invariant: 2, Shared: true,
		Stability: 2, Gradients: 1, Normals: 1}, nil
}

// Bind returns the scheme's kernel for a system.
func (LeimkuhlerMatthews) Bind(s *System) (Kernel, error) {
	if s.Noise == 0 {
		return EulerMaruyama{}.Bind(s)
	}
	n := s.Rows * s.Noise
	return &leimkuhlerMatthews{s: s, drift: sde.NewBatch(s.Rows, s.State), noise: sde.NewBatch(s.Rows, s.State),
		z: make([]float64, n), next: make([]float64, n)}, nil
}

type leimkuhlerMatthews struct {
	s            *System
	drift, noise sde.Batch
	z, next      []float64

	// What z holds the increments of, unless stream is nil.
	stream              *sde.Stream
	block, step, pieces int
	drawn               int
}

func (k *leimkuhlerMatthews) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n := k.s, x.Rows*x.Cols
	theta, a := x.Data[:n], k.drift.Data[:n]
	h := s.Step * s.Slope(k.drift.Slice(0, x.Rows), x, t)
	z := k.z[:x.Rows*s.Noise]
	block, step := stream.Place()
	if k.stream != stream || k.block != block || k.step != step || k.pieces != stream.Pieces() || k.drawn != len(z) {
		stream.Increments(z)
	}
	half := math.Sqrt(s.Step) / 2
	if scale, ok := s.Isotropic(t); ok {
		kernel.Euler(theta, a, z, h, half*scale)
		stream.NextIncrements(z)
		kernel.Axpy(theta, half*scale, z)
	} else {
		next := k.next[:len(z)]
		stream.NextIncrements(next)
		kernel.Axpy(z, 1, next)
		s.Spread(k.noise.Slice(0, x.Rows), x, t, z)
		kernel.Euler(theta, a, k.noise.Data[:n], h, half)
		k.z, k.next = k.next, k.z
	}
	k.stream, k.block, k.step, k.pieces, k.drawn = stream, block, step+1, stream.Pieces(), len(z)
}
