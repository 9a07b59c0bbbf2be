// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Logistic is the mean loss of logistic regression on N samples (x_i, y_i), y_i 0 or 1,
// with weight decay λ:
//
//	L(θ) = (1/N) Σ_i log(1 + exp(−s_i x_i·θ)) + ½ λ|θ|²,   s_i = 2y_i − 1
//	∇ℓ_i = −s_i x_i / (1 + exp(s_i x_i·θ)) + λθ
//
// There is no intercept unless one is asked for, by WithIntercept. For λ > 0 it is strictly
// convex. Use NewLogistic.
//
// C. M. Bishop, 2006, Pattern Recognition and Machine Learning, Springer, eqs. 4.90–4.97.
type Logistic struct {
	linear
}

var (
	_ sde.FiniteSum       = (*Logistic)(nil)
	_ sde.Minibatches     = (*Logistic)(nil)
	_ sde.SampleGradients = (*Logistic)(nil)
	_ sde.BatchGradient   = (*Logistic)(nil)
	_ sde.FlippedGradient = (*Logistic)(nil)
	_ sde.Hessian         = (*Logistic)(nil)
	_ sde.Normalizable    = (*Logistic)(nil)
)

// NewLogistic returns the loss of the rows of x and their labels y, which it copies. It
// returns an error if there are no samples, numbers differ, an x is not finite (naming row
// and column), a label is not 0 or 1, or ridge is negative or not finite.
func NewLogistic(x *mat.Dense, y []float64, ridge float64) (*Logistic, error) {
	if err := checkData("NewLogistic", x, y); err != nil {
		return nil, err
	}
	if err := checkFrom0("NewLogistic ridge", ridge); err != nil {
		return nil, err
	}
	sign := make([]float64, len(y))
	for i, v := range y {
		if v != 0 && v != 1 {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: NewLogistic y[%d]", i), Value: v, Want: "0 or 1"}
		}
		sign[i] = 2*v - 1
	}
	return &Logistic{newLinear(logisticLink, x, nil, sign, ridge)}, nil
}

// WithIntercept returns the loss of the same data with one more coordinate of θ, the last:
// an intercept, which has no weight decay. It panics if there is one already.
func (l *Logistic) WithIntercept() *Logistic { return &Logistic{l.withIntercept()} }

// Classes returns 2.
func (l *Logistic) Classes() int { return 2 }

// FlippedGradient implements sde.FlippedGradient: it stores ∇ℓ_i for the label 1 − y_i into
// dst. It panics as SampleGradient does, and if k is not 1.
func (l *Logistic) FlippedGradient(dst, theta []float64, i, k int) {
	checkGradient(dst, theta, l.d)
	checkFlip(k, 2)
	var buf [onStack]float64
	var t [1]float64
	l.rows.Dots(t[:], l.places[i:i+1], padded(buf[:], theta, l.rows.Stride()))
	l.addDecay(dst, theta, 1/(1+kernel.Exp1(-t[0])), i)
}

// Normalizable reports whether temperature and weight decay are above 0 and, if there is an
// intercept, both labels occur. Without decay it is not known, and false.
func (l *Logistic) Normalizable(temperature float64) bool {
	if !(temperature > 0 && l.ridge > 0) {
		return false
	}
	for _, s := range l.sign {
		if l.free == 0 || s != l.sign[0] {
			return true
		}
	}
	return false
}
