// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// ProjectedEuler is EulerMaruyama from the nearest point of a ball that grows as
// the step shrinks,
//
//	θ′ = θ° + h a(θ°, t) + √h B(θ°, t) z,   θ° = θ min(1, R/|θ|),   R = ρ h^(−1/(2(q−1)))
//
// for gradients that grow as |θ|^q. It serves every class of noise. It is safe on
// losses that grow faster than quadratically from any start: a step from the sphere
// is of length O(√h) R. Inside the ball it is EulerMaruyama to the bit, with its
// orders (strong ½, and 1 for additive noise; weak 1) and its stationary law: where
// exp(−L/T) has no mass outside the ball, projecting adds no bias of its own,
// unlike Tamed. The ball is about the origin, which should be near the minima.
//
// Linearly stable for hk < 2. One gradient and one normal for each component of
// noise a step. Source: Beyn, Isaak & Kruse, 2016, Stochastic C-stability and
// B-consistency of explicit and implicit Euler-type schemes, J. Sci. Comput. 67,
// § 4; of the same family as the truncated scheme of Mao, 2015.
type ProjectedEuler struct {
	// Growth is q, the power of |θ| with which the gradient grows, above 1; 0 means
	// 3, that of a quartic loss.
	Growth float64
	// Radius is ρ, in units of θ, positive; 0 means 1. The minima should be well within R.
	Radius float64
}

var _ Scheme = ProjectedEuler{}

// Properties returns what the scheme is; it serves every class.
func (ProjectedEuler) Properties(class sde.NoiseClass) (Properties, error) {
	p, err := EulerMaruyama{}.Properties(class)
	p.Name = "projected Euler"
	return p, err
}

// Bind returns the scheme's kernel for a system. It refuses a growth of 1 or less
// and a radius that is not positive.
func (p ProjectedEuler) Bind(s *System) (Kernel, error) {
	if p.Growth == 0 {
		p.Growth = 3
	}
	if p.Radius == 0 {
		p.Radius = 1
	}
	if !(p.Growth > 1) || math.IsInf(p.Growth, 1) {
		return nil, invalid("ProjectedEuler.Growth", p.Growth, "a number above 1, or 0 for 3; for gradients that grow linearly take EulerMaruyama", nil)
	}
	if !(p.Radius > 0) || math.IsInf(p.Radius, 1) {
		return nil, invalid("ProjectedEuler.Radius", p.Radius, "a positive, finite radius, or 0 for 1", nil)
	}
	k, err := EulerMaruyama{}.Bind(s)
	if err != nil {
		return nil, err
	}
	return &projectedEuler{k, p.Radius * kernel.Exp1(-kernel.Log1(s.Step)/(2*(p.Growth-1)))}, nil
}

type projectedEuler struct {
	Kernel
	radius float64
}

func (k *projectedEuler) Step(x sde.Batch, t float64, stream *sde.Stream) {
	if x.Cols == 1 {
		for i, v := range x.Data[:x.Rows] {
			if math.Abs(v) > k.radius {
				x.Data[i] = math.Copysign(k.radius, v)
			}
		}
	} else {
		for i := 0; i < x.Rows; i++ {
			row := x.Row(i)
			if n := norm(row); n > k.radius {
				kernel.Scale(row, k.radius/n, row)
			}
		}
	}
	k.Kernel.Step(x, t, stream)
}
