// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Platen is Platen's explicit scheme of weak order 2 for noise of one component,
// in Itô's calculus and without derivatives,
//
//	Y  = θ + h a + b ΔŴ,   Y± = θ + h a ± √h b
//	θ′ = θ + (h/2)(a(Y) + a) + ¼(b(Y₊) + b(Y₋) + 2b) ΔŴ + ¼(b(Y₊) − b(Y₋))(ΔŴ² − h)/√h
//
// with b the column of the root, and everything but a and b themselves taken at
// time t+h. ΔŴ = √h ẑ has three points, ẑ = ±√3 with probability 1/6 each and
// otherwise 0, or is normal if Gaussian is set. For additive noise of any number
// of components it is Heun's scheme; diagonal noise of more than one coordinate
// and noise of more components are refused: take RI6.
//
// The order of the stationary law is 2. Three-point variables have no paths, hence
// no strong order; of the Gaussian variant it is 1. Stable on a
// quadratic of curvature k for hk < 2. Two gradients, three roots and one number
// for each component of noise a step. Source: Kloeden & Platen, 1992, § 15.1, eq. 1.1.
type Platen struct {
	// Gaussian takes normal increments instead of three-point ones.
	Gaussian bool
}

var _ Scheme = Platen{}

// weakProperties is what schemes of weak order 2 have in common.
func weakProperties(name string, class sde.NoiseClass, gaussian bool, strong float64) Properties {
	p := Properties{Name: name, Calculus: sde.Ito, Weak: 2, Invariant: 2, Stability: 2, Gradients: 2, Normals: 1}
	if gaussian {
		p.Strong = strong
		if class >= sde.Additive {
			p.Strong = 1
		}
	} else {
		p.Name += ", three-point"
	}
	return p
}

// Properties returns what the scheme is, and an error for general noise.
// Commutative and diagonal noise are served if they have one component, which
// Bind checks.
func (p Platen) Properties(class sde.NoiseClass) (Properties, error) {
	if class == sde.General {
		return Properties{}, refusal("Platen", "general noise, only scalar and additive", "RI6")
	}
	return weakProperties("Platen", class, p.Gaussian, 1), nil
}

// Bind returns the scheme's kernel for a system.
func (p Platen) Bind(s *System) (Kernel, error) {
	if s.Noise == 0 || s.Class >= sde.Additive {
		return heunTableau("Platen").bind(s, weakLaw(p.Gaussian))
	}
	if s.Noise != 1 {
		return nil, refuse("Platen", fmt.Sprintf("%v noise of %d components, only of one", s.Class, s.Noise), "RI6")
	}
	batch := func() sde.Batch { return sde.NewBatch(s.Rows, s.State) }
	return &platen{s: s, law: weakLaw(p.Gaussian), a: batch(), b: batch(), at: batch(), up: batch(), down: batch(), y: batch(), z: make([]float64, s.Rows)}, nil
}

type platen struct {
	s                     *System
	law                   func(z []float64)
	a, b, at, up, down, y sde.Batch
	z                     []float64
}

func (k *platen) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, rows, d := k.s, x.Rows, x.Cols
	z := k.z[:rows]
	stream.Increments(z)
	if k.law != nil {
		k.law(z)
	}
	h, sqrtH := s.Step, math.Sqrt(s.Step)
	a, b, y := k.a.Slice(0, rows), k.b.Slice(0, rows), k.y.Slice(0, rows)
	c := s.Slope(a, x, t) * h
	s.vector(b, x, t)
	// The stage at θ + ha + f √h b.
	stage := func(f float64) sde.Batch {
		for i := range y.Data {
			y.Data[i] = math.FMA(f*sqrtH, b.Data[i], math.FMA(c, a.Data[i], x.Data[i]))
		}
		return y
	}
	up, down := k.up.Slice(0, rows), k.down.Slice(0, rows)
	s.vector(up, stage(1), t+h)
	s.vector(down, stage(-1), t+h)
	for i := range y.Data {
		y.Data[i] = math.FMA(z[i/d]*sqrtH, b.Data[i], math.FMA(c, a.Data[i], x.Data[i]))
	}
	at := k.at.Slice(0, rows)
	e := s.Slope(at, y, t+h) * h
	for i := range x.Data[:rows*d] {
		w := z[i/d]
		u, v := up.Data[i], down.Data[i]
		v, u = u-v, u+v
		n := float64(0.25*w*(u+2*b.Data[i])) + float64(0.25*v*(float64(w*w)-1))
		x.Data[i] += float64(0.5*(float64(c*a.Data[i])+float64(e*at.Data[i]))) + float64(sqrtH*n)
	}
}
