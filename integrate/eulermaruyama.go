// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// EulerMaruyama is the scheme
//
//	θ′ = θ + h a(θ, t) + √h B(θ, t) z,   z ~ N(0, I)
//
// with a the Itô drift; for a flow a = −∇L. It serves every class of noise. Its
// strong order is ½, and 1 for additive noise; its weak order is 1, and so is
// that of its stationary law, which for D = T I is
//
//	∝ exp(−L_h/T) (1 + O(h²)),   L_h = L − (h/4)|∇L|² + (hT/2)ΔL
//
// On a quadratic of curvature k it has the variance T/(k(1−hk/2)) exactly, and is
// stable for hk < 2. On losses that grow faster than quadratically it has no
// stationary law: a particle far enough out diverges.
//
// One gradient and one normal for each component of noise a step. Source:
// Maruyama, 1955, Continuous Markov processes and stochastic equations; Kloeden &
// Platen, 1992, Numerical Solution of Stochastic Differential Equations, § 10.2.
type EulerMaruyama struct{}

var _ Scheme = EulerMaruyama{}

// Properties returns what the scheme is; it serves every class.
func (EulerMaruyama) Properties(class sde.NoiseClass) (Properties, error) {
	p := Properties{Name: "Euler–Maruyama", Calculus: sde.Ito, Strong: 0.5, Weak: 1, Invariant: 1,
		Stability: 2, Gradients: 1, Normals: 1}
	if class >= sde.Additive {
		p.Strong = 1
	}
	return p, nil
}

// Bind returns the scheme's kernel for a system.
func (EulerMaruyama) Bind(s *System) (Kernel, error) {
	return &eulerMaruyama{
		s:     s,
		drift: sde.NewBatch(s.Rows, s.State),
		noise: sde.NewBatch(s.Rows, s.State),
		z:     make([]float64, s.Rows*s.Noise),
		sqrtH: math.Sqrt(s.Step),
	}, nil
}

type eulerMaruyama struct {
	s            *System
	drift, noise sde.Batch
	z            []float64
	sqrtH        float64
	// change, if it is not nil, is what a scheme built on this one does to the drift,
	// of which a batch holds the multiple 1/c.
	change func(a sde.Batch, c float64)
}

func (k *eulerMaruyama) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n := k.s, x.Rows*x.Cols
	theta, a := x.Data[:n], k.drift.Data[:n]
	c := s.Slope(k.drift.Slice(0, x.Rows), x, t)
	if k.change != nil {
		k.change(k.drift.Slice(0, x.Rows), c)
	}
	h := s.Step * c
	if s.Noise == 0 {
		kernel.Axpy(theta, h, a)
		return
	}
	z := k.z[:x.Rows*s.Noise]
	stream.Increments(z)
	if scale, ok := s.Isotropic(t); ok {
		kernel.Euler(theta, a, z, h, k.sqrtH*scale)
		return
	}
	s.Spread(k.noise.Slice(0, x.Rows), x, t, z)
	kernel.Euler(theta, a, k.noise.Data[:n], h, k.sqrtH)
}
