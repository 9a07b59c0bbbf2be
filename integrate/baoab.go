// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// BAOAB is the symmetric splitting of underdamped Langevin dynamics of unit mass,
//
//	dq = p dt,   dp = −∇L(q) dt − γp dt + √(2γT) dW
//
// into half a kick (B), half a drift (A), an exact Ornstein–Uhlenbeck step of the
// momentum (O), half a drift and half a kick:
//
//	p₁ = p − (h/2)∇L(q),   q₁ = q + (h/2)p₁,   p₂ = c p₁ + √(T(1−c²)) z,   c = e^(−γh)
//	q′ = q₁ + (h/2)p₂,   p′ = p₂ − (h/2)∇L(q′)
//
// Observers see q = θ, whose stationary density is that of the flow, exp(−L/T), to
// second order in h; as γ grows the error of second order goes to 0 and BAOAB is
// of fourth order in h, LeimkuhlerMatthews with the step h²/2. On a quadratic of
// curvature k, with any friction,
//
//	⟨q²⟩ = T/k exactly,   ⟨p²⟩ = T(1 − h²k/4),   ⟨qp⟩ = 0
//
// and it is stable for h²k < 4. Its paths are those of particles with momentum, not
// of the flow: h is a step of their time, and of order √(step of the flow).
// T comes from the flow (sde.Thermal) and may change with time; other noise is
// refused. Momenta start from N(0, T).
//
// One gradient and one normal for each coordinate a step, about 1.2 of
// EulerMaruyama's time. Source: Leimkuhler & Matthews, 2013, Rational construction of
// stochastic numerical methods for molecular sampling, Appl. Math. Res. eXpress
// 2013, eqs. 8 and 31.
type BAOAB struct {
	// Friction is γ, in units of the inverse of the dynamics' time; it must be positive.
	Friction float64
}

var (
	_ Scheme    = BAOAB{}
	_ Augmented = BAOAB{}
	_ Resident  = (*baoab)(nil)
	_ Starter   = (*baoab)(nil)
)

// Properties returns what the scheme is; it refuses noise that depends on θ.
func (BAOAB) Properties(class sde.NoiseClass) (Properties, error) {
	return underdampedProperties("BAOAB", class)
}

// Width returns 2d: position and momentum.
func (BAOAB) Width(d int) int { return 2 * d }

// Bind returns the scheme's kernel for a system. It refuses a friction that is not
// positive, noise that is no temperature, and a domain that turns particles back.
func (u BAOAB) Bind(s *System) (Kernel, error) {
	k, err := bindUnderdamped("BAOAB", s, u.Friction, s.Step/2)
	if err != nil {
		return nil, err
	}
	return &baoab{k}, nil
}

type baoab struct{ underdamped }

func (k *baoab) Step(x sde.Batch, t float64, stream *sde.Stream) {
	k.Load(x)
	k.StepLoaded(t, stream)
	k.Store(x)
}

// StepLoaded implements Resident.
func (k *baoab) StepLoaded(t float64, stream *sde.Stream) {
	c := k.slope(t)
	k.b(k.h * c)
	k.aoa(t, stream)
}
