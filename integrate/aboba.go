// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// ABOBA is the symmetric splitting of underdamped Langevin dynamics into half a
// drift, half a kick, an exact Ornstein–Uhlenbeck step of the momentum, half a kick
// and half a drift (see BAOAB for the equation and the parts):
//
//	A(h/2) B(h/2) O(h) B(h/2) A(h/2)
//
// Its stationary density of q = θ is exp(−L/T) to second order in h, without the
// superconvergence of BAOAB. On a quadratic of curvature k, with any friction,
//
//	⟨q²⟩ = T/k exactly,   ⟨p²⟩ = T/(1 − h²k/4),   ⟨qp⟩ = 0
//
// and it is stable for h²k < 4.
//
// One gradient and one normal for each coordinate a step, about 1.2 of
// EulerMaruyama's time. Source: Leimkuhler & Matthews, 2013, Rational construction of
// stochastic numerical methods for molecular sampling, Appl. Math. Res. eXpress
// 2013, eq. 9.
type ABOBA struct {
	// Friction is γ, in units of the inverse of the dynamics' time; it must be positive.
	Friction float64
}

var (
	_ Scheme    = ABOBA{}
	_ Augmented = ABOBA{}
	_ Resident  = (*aboba)(nil)
	_ Starter   = (*aboba)(nil)
)

// Properties returns what the scheme is; it refuses noise that depends on θ.
func (ABOBA) Properties(class sde.NoiseClass) (Properties, error) {
	return underdampedProperties("ABOBA", class)
}

// Width returns 2d: position and momentum.
func (ABOBA) Width(d int) int { return 2 * d }

// Bind returns the scheme's kernel for a system. It refuses a friction that is not
// positive, noise that is no temperature, and a domain that turns particles back.
func (u ABOBA) Bind(s *System) (Kernel, error) {
	k, err := bindUnderdamped("ABOBA", s, u.Friction, 0)
	if err != nil {
		return nil, err
	}
	return &aboba{k}, nil
}

type aboba struct{ underdamped }

func (k *aboba) Step(x sde.Batch, t float64, stream *sde.Stream) {
	k.Load(x)
	k.StepLoaded(t, stream)
	k.Store(x)
}

// StepLoaded implements Resident.
func (k *aboba) StepLoaded(t float64, stream *sde.Stream) {
	k.a(k.h / 2)
	c := k.slope(t + float64(k.h/2))
	k.bob(k.h*c, t, stream)
	k.a(k.h / 2)
}
