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

// SGLD is stochastic gradient Langevin dynamics with decreasing steps,
//
//	θ′ = θ − h_k g(θ) + √h_k B z,   h_k = h (1 + k/b)^(−γ) = a (b + k)^(−γ),   E g = ∇L,   z ~ N(0, I)
//
// with h = Ensemble.Step the first step, so that a = h b^γ. With noise D = T I it
// samples exp(−L/T): the bias of a step and the variance that noisy gradients add are of
// order h_k and go to 0, and the averages
//
//	Σ_k h_k f(θ_k) / Σ_k h_k
//
// of Weighted, with Steps set to the scheme, tend to the exact E f. With K steps their
// bias falls as K^(−γ) for γ < ½, their standard error as K^(−(1−γ)/2): γ = ⅓ balances
// the two. For the posterior of N samples, L is their mean loss, −log prior/N included,
// and T = 1/N.
//
// The clock of the run counts steps: the time t of a schedule is the step k = t/h, not
// the time Σ h_k of the flow. Noise must be constant; it may be nil, which leaves SGD
// with decreasing rates.
//
// Each step is one of EulerMaruyama, whose stationary law is of order 1 in h_k, linearly
// stable for h_k·λ < 2. Orders of paths and at a fixed time are not stated, as the steps
// of a run do not go to 0 together. One gradient, sampled if Gradient is set, and one
// normal for each component of noise a step. Source: Welling & Teh, 2011, Bayesian
// learning via stochastic gradient Langevin dynamics, ICML, eq. 4; the weights and the
// rates: Teh, Thiery & Vollmer, 2016, Consistency and fluctuations for stochastic
// gradient Langevin dynamics, J. Mach. Learn. Res. 17.
type SGLD struct {
	// Gradient samples g; nil means ∇L itself.
	Gradient sde.GradientSampler
	// Offset is b, the steps after which h_k has fallen by 2^γ; 0 means 1.
	Offset float64
	// Decay is γ, in (0, 1]; 0 means ⅓. For a constant step take EulerMaruyama.
	Decay float64
}

// StepSequence is what gives the steps h_k of a scheme whose first is h.
type StepSequence interface {
	StepAt(k int, h float64) float64
}

var (
	_ Scheme       = SGLD{}
	_ StepSequence = SGLD{}
)

// StepAt returns h_k for the first step h. It panics if k is negative.
func (u SGLD) StepAt(k int, h float64) float64 {
	if k < 0 {
		panic("integrate: step of negative number")
	}
	offset, decay := u.Offset, u.Decay
	if offset == 0 {
		offset = 1
	}
	if decay == 0 {
		decay = 1. / 3
	}
	return h * kernel.Exp1(-decay*kernel.Log1(1+float64(k)/offset))
}

// Properties returns what the scheme is. It refuses noise that is not constant, and an
// offset, a decay or a sampler that is wrong.
func (u SGLD) Properties(class sde.NoiseClass) (Properties, error) {
	if !(u.Offset >= 0) || math.IsInf(u.Offset, 1) {
		return Properties{}, invalid("SGLD.Offset", u.Offset, "a positive, finite number of steps, or 0 for 1", nil)
	}
	if !(0 <= u.Decay && u.Decay <= 1) {
		return Properties{}, invalid("SGLD.Decay", u.Decay, "above 0, so that the steps go to 0, and at most 1, so that their sum does not end; or 0 for ⅓", nil)
	}
	if err := validSampler(u.Gradient); err != nil {
		return Properties{}, err
	}
	if class != sde.Constant {
		return Properties{}, refusal("SGLD", fmt.Sprintf("%v noise, only constant", class), "EulerMaruyama")
	}
	return Properties{Name: "SGLD", Calculus: sde.Ito, Invariant: 1, Stability: 2, Gradients: 1, Normals: 1}, nil
}

// validSampler returns what is wrong with a sampler that knows, nil for none.
func validSampler(g sde.GradientSampler) error {
	if v, ok := g.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// Bind returns the scheme's kernel for a system.
func (u SGLD) Bind(s *System) (Kernel, error) {
	k := &sgld{steps: u, s: s, g: sde.NewBatch(s.Rows, s.State), noise: sde.NewBatch(s.Rows, s.State), z: make([]float64, s.Rows*s.Noise)}
	if u.Gradient != nil {
		if d := u.Gradient.Objective().Dim(); d != s.State {
			return nil, invalid("SGLD.Gradient", fmt.Sprintf("gradients of dimension %d", d), fmt.Sprintf("%d, that of the equation", s.State), sde.ErrDimension)
		}
		if err := checkObjective("SGLD.Gradient", s, u.Gradient.Objective()); err != nil {
			return nil, err
		}
		k.gradient = u.Gradient.BindGradients(s.Rows)
	}
	return k, nil
}

type sgld struct {
	steps    SGLD
	s        *System
	gradient sde.GradientFunc
	g, noise sde.Batch
	z        []float64
}

func (k *sgld) Step(x sde.Batch, t float64, stream *sde.Stream) {
	s, n := k.s, x.Rows*x.Cols
	h := k.steps.StepAt(int(math.Round(t/s.Step)), s.Step)
	g, c := k.g.Slice(0, x.Rows), -1.0
	if k.gradient != nil {
		k.gradient(g, x, stream)
	} else {
		c = s.Slope(g, x, t)
	}
	kernel.Axpy(x.Data[:n], h*c, g.Data[:n])
	s.diffuse(x, k.noise.Slice(0, x.Rows), x, t, h, k.z, stream)
}
