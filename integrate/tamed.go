// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Tamed is the tamed Euler scheme
//
//	θ′ = θ + h a/(1 + h|a|) + √h B(θ, t) z,   a = a(θ, t),   z ~ N(0, I)
//
// whose drift never moves a particle further than 1 in a step, so that losses that
// grow faster than quadratically, on which EulerMaruyama leaves for infinity, are
// safe from any start. It serves every class of noise. Its strong order is ½ for a
// drift that is one-sided Lipschitz and of polynomial growth, and 1 for additive
// noise; its weak order and that of its stationary law are 1.
//
// Taming is paid for by a bias of its own: to first order in h it takes h|∇L|∇L off
// the drift. In one dimension, for D = T, the stationary law is
//
//	∝ exp(−L_h/T) (1 + O(h²)),   L_h = L − (h/4)L′² + (hT/2)L″ − h ∫ |L′|L′ dx
//
// wider than EulerMaruyama's. From far out it comes back at speed 1/h at most.
// Where that matters take DriftImplicit, or ProjectedEuler, which has EulerMaruyama's
// law wherever the particles are.
//
// Linearly stable for hk < 2. One gradient and one normal for each component of
// noise a step. Source: Hutzenthaler, Jentzen & Kloeden, 2012, Strong convergence of
// an explicit numerical method for SDEs with nonglobally Lipschitz continuous
// coefficients, Ann. Appl. Probab. 22, eq. 4.
type Tamed struct{}

var _ Scheme = Tamed{}

// Properties returns what the scheme is; it serves every class.
func (Tamed) Properties(class sde.NoiseClass) (Properties, error) {
	p, err := EulerMaruyama{}.Properties(class)
	p.Name = "tamed Euler"
	return p, err
}

// Bind returns the scheme's kernel for a system.
func (Tamed) Bind(s *System) (Kernel, error) {
	k, err := EulerMaruyama{}.Bind(s)
	if err != nil {
		return nil, err
	}
	e := k.(*eulerMaruyama)
	e.change = func(a sde.Batch, c float64) { tame(a, s.Step*math.Abs(c)) }
	return e, nil
}

// tame divides each row a by 1 + h|a|, of which what is infinite has the limit.
func tame(a sde.Batch, h float64) {
	if a.Cols == 1 {
		for i, v := range a.Data[:a.Rows] {
			a.Data[i] = math.Copysign(1/(1/math.Abs(v)+h), v)
		}
		return
	}
	for i := 0; i < a.Rows; i++ {
		row := a.Row(i)
		n := norm(row)
		if math.IsInf(n, 0) {
			for j, v := range row {
				if !math.IsInf(v, 0) {
					row[j] = 0
				} else {
					row[j] = math.Copysign(1/h, v)
				}
			}
			continue
		}
		kernel.Scale(row, 1/(1+float64(h*n)), row)
	}
}

// norm returns |v|, without overflow if v is within ±1e300.
func norm(v []float64) float64 {
	s := kernel.Dot(v, v)
	if s < math.MaxFloat64 && s > 1e-290 {
		return math.Sqrt(s)
	}
	var m float64
	for _, x := range v {
		m = math.Max(m, math.Abs(x))
	}
	if m == 0 || !(m <= math.MaxFloat64) {
		return m
	}
	s = 0
	for _, x := range v {
		s += float64((x / m) * (x / m))
	}
	return m * math.Sqrt(s)
}
