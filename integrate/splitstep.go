// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import "github.com/sgflow/sgflow/sde"

// SplitStepBackwardEuler is the split-step backward Euler scheme, for losses that are
// stiff or grow faster than quadratically, with any noise:
//
//	y = x + h a(y, t+h),   x′ = y + √h B(y, t) z,   z ~ N(0, I)
//
// with a the Itô drift: a step of Euler's implicit method, then the noise at where it
// came out. For drifts that are one-sided Lipschitz its moments stay bounded and it
// converges with strong order ½ whatever their growth, 1 for additive noise; its weak
// order and that of its stationary law are 1. It is linearly stable for any h.
//
// The noise of the last step is not damped yet. On a quadratic of curvature k with D = T
// I the variance is, with z = hk,
//
//	Var x = (T/k) (1 + z)²/(1 + z/2),   Var y = (T/k)/(1 + z/2)
//
// exactly: in a stiff direction, z ≫ 1, it is that of one step's noise, 2Th. Take
// DriftImplicit where the law of stiff directions matters, with Θ = 1 for y's.
//
// Newton's method, what a step costs and what happens if it is not solved are as in
// DriftImplicit. Source: Higham, Mao & Stuart, 2002, Strong convergence of Euler-type
// methods for nonlinear stochastic differential equations, SIAM J. Numer. Anal. 40.
type SplitStepBackwardEuler struct{}

var (
	_ Scheme    = SplitStepBackwardEuler{}
	_ Explainer = (*splitStep)(nil)
)

// Properties returns what the scheme is; it serves every class.
func (SplitStepBackwardEuler) Properties(class sde.NoiseClass) (Properties, error) {
	return implicitProperties("split-step backward Euler", class), nil
}

// Bind returns the scheme's kernel for a system. It refuses a quadratic loss with a
// curvature of −1/h or below.
func (SplitStepBackwardEuler) Bind(s *System) (Kernel, error) {
	if k, err := bindImplicitQuadratic(s, 1, true); k != nil || err != nil {
		return k, err
	}
	return &splitStep{newton: newNewton(s, s.Step), target: sde.NewBatch(s.Rows, s.State),
		noise: sde.NewBatch(s.Rows, s.State), z: make([]float64, s.Rows*s.Noise)}, nil
}

type splitStep struct {
	*newton
	target, noise sde.Batch
	z             []float64
}

func (k *splitStep) Step(x sde.Batch, t float64, stream *sde.Stream) {
	target := k.target.Slice(0, x.Rows)
	copy(target.Data, x.Data[:x.Rows*x.Cols])
	k.solve(x, target, sde.Batch{}, t+k.s.Step)
	k.s.diffuse(x, k.noise.Slice(0, x.Rows), x, t, k.s.Step, k.z, stream)
}
