// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// OBABO is the splitting of underdamped Langevin dynamics into half an
// Ornstein–Uhlenbeck step of the momentum, a step of velocity Verlet, and the
// other half (see BAOAB for the equation and the parts):
//
//	O(h/2) B(h/2) A(h) B(h/2) O(h/2)
//
// the scheme of Bussi & Parrinello. Its stationary density of q = θ is exp(−L/T) to
// second order in h. On a quadratic of curvature k, with any friction,
//
//	⟨q²⟩ = T/(k(1 − h²k/4)),   ⟨p²⟩ = T exactly,   ⟨qp⟩ = 0
//
// and it is stable for h²k < 4; BAOAB is the better one for averages over θ.
// Neighbouring halves of O are taken together, which changes no law of q: the
// momentum in a row is that between A and the B after it.
//
// One gradient and one normal for each coordinate a step, about 1.2 of
// EulerMaruyama's time. Source: Bussi & Parrinello, 2007, Accurate sampling using Langevin
// dynamics, Phys. Rev. E 75, eq. 23; the name: Leimkuhler & Matthews, 2013.
type OBABO struct {
	// Friction is γ, in units of the inverse of the dynamics' time; it must be positive.
	Friction float64
}

var (
	_ Scheme    = OBABO{}
	_ Augmented = OBABO{}
	_ Resident  = (*obabo)(nil)
	_ Starter   = (*obabo)(nil)
)

// Properties returns what the scheme is; it refuses noise that depends on θ.
func (OBABO) Properties(class sde.NoiseClass) (Properties, error) {
	return underdampedProperties("OBABO", class)
}

// Width returns 2d: position and momentum.
func (OBABO) Width(d int) int { return 2 * d }

// Bind returns the scheme's kernel for a system. It refuses a friction that is not
// positive, noise that is no temperature, and a domain that turns particles back.
func (u OBABO) Bind(s *System) (Kernel, error) {
	k, err := bindUnderdamped("OBABO", s, u.Friction, s.Step/2)
	if err != nil {
		return nil, err
	}
	return &obabo{k}, nil
}

type obabo struct{ underdamped }

func (k *obabo) Step(x sde.Batch, t float64, stream *sde.Stream) {
	k.Load(x)
	k.StepLoaded(t, stream)
	k.Store(x)
}

// StepLoaded implements Resident.
func (k *obabo) StepLoaded(t float64, stream *sde.Stream) {
	c := k.slope(t)
	k.bob(k.h*c, t, stream)
	k.a(k.h)
}
