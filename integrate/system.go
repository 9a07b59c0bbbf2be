// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// System is an equation made ready for a scheme: its upgrades looked up, the
// drift converted to the scheme's calculus, and everything in the form of
// operations on batches of at most Rows particles, in batches without gaps. It
// holds scratch memory and serves one goroutine at a time.
type System struct {
	Equation sde.Equation
	Class    sde.NoiseClass
	State    int     // d, coordinates of a particle
	Noise    int     // m, components of the noise; 0 if there is none
	Step     float64 // h
	Rows     int     // the most particles in a batch

	diffusion   sde.Diffusion
	slope       func(dst, x sde.Batch, t float64) float64
	conversion  *sde.Conversion
	temperature func(t float64) float64
	diagonal    func(dst, theta []float64, t float64)
	constant    *kernel.Matrix // Bᵀ
	root        []float64      // B at one particle
	row         int            // row that a person's code is being asked about, −1 if none
	members     []int          // the particles in the rows of a batch of some, nil if it is of all
}

// NewSystem returns the system of an equation for a scheme that takes its drift
// under the given calculus, with steps of h and batches of up to rows particles.
// The equation must be valid.
func NewSystem(eq sde.Equation, calculus sde.Calculus, h float64, rows int) *System {
	d, m := eq.Dims()
	s := &System{Equation: eq, State: d, Noise: m, Step: h, Rows: rows, diffusion: sde.DiffusionOf(eq), row: -1}
	s.Class = classOf(eq)
	s.bindDrift(calculus)
	if m > 0 {
		s.bindRoot()
	}
	return s
}

// classOf is sde.ClassOf for an equation: noise of one component is commutative
// even where the diffusion leaves its dimensions open.
func classOf(eq sde.Equation) sde.NoiseClass {
	c := sde.ClassOf(sde.DiffusionOf(eq))
	if d, m := eq.Dims(); c == sde.General && m == 1 {
		if d == 1 {
			return sde.Diagonal
		}
		return sde.Commutative
	}
	return c
}

func (s *System) bindDrift(calculus sde.Calculus) {
	if s.Noise > 0 {
		s.conversion = sde.NewConversion(s.diffusion, s.State, s.Noise, sde.InterpretationOf(s.Equation), calculus)
	}
	if loss := sde.LossOf(s.Equation); loss != nil {
		if b, ok := loss.(sde.BatchGradient); ok {
			s.slope = func(dst, x sde.Batch, _ float64) float64 {
				b.BatchGradient(dst, x)
				return -1
			}
			return
		}
		s.slope = func(dst, x sde.Batch, _ float64) float64 {
			for i := 0; i < x.Rows; i++ {
				s.row = i
				loss.Gradient(dst.Row(i), x.Row(i))
			}
			s.row = -1
			return -1
		}
		return
	}
	if b, ok := s.Equation.(sde.BatchDrift); ok {
		s.slope = func(dst, x sde.Batch, t float64) float64 {
			b.BatchDrift(dst, x, t)
			return 1
		}
		return
	}
	s.slope = func(dst, x sde.Batch, t float64) float64 {
		for i := 0; i < x.Rows; i++ {
			s.row = i
			s.Equation.Drift(dst.Row(i), x.Row(i), t)
		}
		s.row = -1
		return 1
	}
}

func (s *System) bindRoot() {
	d, m := s.State, s.Noise
	if th, ok := s.diffusion.(sde.Thermal); ok {
		s.temperature = th.Temperature
		return
	}
	s.root = make([]float64, d*m)
	if dr, ok := s.diffusion.(sde.DiagonalRoot); ok {
		s.diagonal = dr.DiagonalRoot
	} else if s.Class == sde.Diagonal {
		s.diagonal = func(dst, theta []float64, t float64) {
			s.diffusion.Root(s.root, theta, t)
			for i := range dst {
				dst[i] = s.root[i*d+i]
			}
		}
	} else if s.Class == sde.Constant {
		s.diffusion.Root(s.root, make([]float64, d), 0)
		transposed := make([]float64, m*d)
		for i := range d {
			for k := range m {
				transposed[k*d+i] = s.root[i*m+k]
			}
		}
		s.constant = kernel.NewMatrix(m, d, transposed)
	}
}

// Slope stores a multiple of the drift a of each particle at time t, under the
// calculus that the system was made for, and returns the factor c that takes it
// there:
//
//	a = c dst
//
// The factor saves a pass over the batch: it is −1 where dst holds gradients.
func (s *System) Slope(dst, x sde.Batch, t float64) (c float64) {
	c = s.slope(dst, x, t)
	if s.conversion == nil {
		return c
	}
	for i := 0; i < x.Rows; i++ {
		s.row = i
		a := dst.Row(i)
		if c < 0 {
			for j, v := range a {
				a[j] = -v
			}
		}
		s.conversion.Add(a, x.Row(i), t)
	}
	s.row = -1
	return 1
}

// asked returns the particle that a person's code was being asked about when it
// panicked, −1 if that is not known, and forgets it.
func (s *System) asked() int {
	i := s.row
	if i >= 0 && s.members != nil {
		i = s.members[i]
	}
	s.row, s.members = -1, nil
	return i
}

// Isotropic returns the s of a root B = s I that is the same for all particles,
// and whether the root is of that form.
func (s *System) Isotropic(t float64) (scale float64, ok bool) {
	if s.temperature == nil {
		return 0, s.Noise == 0
	}
	return math.Sqrt(2 * s.temperature(t)), true
}

// Spread stores B(θ, t) z for each particle θ of x into dst. z holds m numbers
// for each particle, next to one another.
func (s *System) Spread(dst, x sde.Batch, t float64, z []float64) {
	d, m := s.State, s.Noise
	switch {
	case s.constant != nil:
		s.constant.Mul(dst.Data, dst.Stride, z, m, x.Rows, false)
	case s.diagonal != nil:
		for i := 0; i < x.Rows; i++ {
			s.row = i
			y := dst.Row(i)
			s.diagonal(y, x.Row(i), t)
			for j, v := range z[i*d : i*d+d] {
				y[j] *= v
			}
		}
	case s.temperature != nil:
		scale, _ := s.Isotropic(t)
		for i := 0; i < x.Rows; i++ {
			for j, v := range z[i*d : i*d+d] {
				dst.Data[i*dst.Stride+j] = scale * v
			}
		}
	default:
		for i := 0; i < x.Rows; i++ {
			s.row = i
			// Additive noise that changes with time has one root for all.
			if i == 0 || s.Class < sde.Additive {
				s.diffusion.Root(s.root, x.Row(i), t)
			}
			multiply(dst.Row(i), s.root, z[i*m:i*m+m])
		}
	}
	s.row = -1
}

// multiply stores the product of a row-major matrix with z into dst.
func multiply(dst, root, z []float64) {
	m := len(z)
	for i := range dst {
		var sum float64
		for k, b := range root[i*m : i*m+m] {
			sum += float64(b * z[k])
		}
		dst[i] = sum
	}
}
