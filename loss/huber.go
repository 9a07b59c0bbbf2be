// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// Huber is the mean loss of robust linear regression on N samples (x_i, y_i), with weight
// decay λ:
//
//	L(θ) = (1/N) Σ_i ρ(x_i·θ − y_i) + ½ λ|θ|²
//	ρ(r) = r²/2 for |r| ≤ δ, otherwise δ(|r| − δ/2)
//	∇ℓ_i = ρ′(r_i) x_i + λθ,   |ρ′| ≤ δ
//
// It is convex, and no outlier of y pulls with more than δ|x_i|. The gradient is continuous;
// the Hessian, (1/N) Σ_{|r_i| ≤ δ} x_i x_iᵀ + λI, jumps where a residual is ±δ. There is no
// intercept unless one is asked for, by WithIntercept. Use NewHuber.
//
// P. J. Huber, 1964, Robust estimation of a location parameter, Annals of Mathematical
// Statistics 35, 73–101.
type Huber struct {
	linear
}

var (
	_ sde.FiniteSum       = (*Huber)(nil)
	_ sde.Minibatches     = (*Huber)(nil)
	_ sde.SampleGradients = (*Huber)(nil)
	_ sde.BatchGradient   = (*Huber)(nil)
	_ sde.Hessian         = (*Huber)(nil)
	_ sde.Normalizable    = (*Huber)(nil)
)

// NewHuber returns the loss of the rows of x and their targets y, which it copies, with
// residuals up to delta squared. It returns an error if there are no samples, numbers
// differ, an x is not finite (naming row and column), or a y, delta is not positive and
// finite, or ridge is negative or not finite.
func NewHuber(x *mat.Dense, y []float64, delta, ridge float64) (*Huber, error) {
	if err := checkData("NewHuber", x, y); err != nil {
		return nil, err
	}
	if err := checkAbove0("NewHuber delta", delta); err != nil {
		return nil, err
	}
	if err := checkFrom0("NewHuber ridge", ridge); err != nil {
		return nil, err
	}
	l := &Huber{newLinear(huberLink, x, slices.Clone(y), nil, ridge)}
	l.delta = delta
	return l, nil
}

// WithIntercept returns the loss of the same data with one more coordinate of θ, the last:
// an intercept, which has no weight decay. It panics if there is one already.
func (l *Huber) WithIntercept() *Huber { return &Huber{l.withIntercept()} }

// Normalizable reports whether temperature is above 0 and each direction of θ is seen by
// the data or the weight decay, to rounding: the loss then grows at least linearly.
func (l *Huber) Normalizable(temperature float64) bool { return temperature > 0 && l.spans() }
