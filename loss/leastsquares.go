// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// LeastSquares is the mean loss of linear regression on N samples (x_i, y_i), with weight
// decay λ:
//
//	L(θ) = (1/N) Σ_i ½ (x_i·θ − y_i)² + ½ λ|θ|²
//	∇ℓ_i = (x_i·θ − y_i) x_i + λθ,   H = XᵀX/N + λI
//
// It is a quadratic, so that everything that is exact for one holds (Harmonic), and its
// gradient noise is not constant. There is no intercept unless one is asked for, by
// WithIntercept. Use NewLeastSquares.
//
// C. M. Bishop, 2006, Pattern Recognition and Machine Learning, Springer, eqs. 3.12 and 3.27.
type LeastSquares struct {
	linear
	once   sync.Once
	h      []float64
	center []float64
	rank   int
	top    float64
}

var (
	_ sde.FiniteSum       = (*LeastSquares)(nil)
	_ sde.Minibatches     = (*LeastSquares)(nil)
	_ sde.SampleGradients = (*LeastSquares)(nil)
	_ sde.BatchGradient   = (*LeastSquares)(nil)
	_ sde.OutputGradient  = (*LeastSquares)(nil)
	_ sde.Hessian         = (*LeastSquares)(nil)
	_ sde.Laplacian       = (*LeastSquares)(nil)
	_ sde.Curvature       = (*LeastSquares)(nil)
	_ sde.Harmonic        = (*LeastSquares)(nil)
	_ sde.Charted         = (*LeastSquares)(nil)
	_ sde.Normalizable    = (*LeastSquares)(nil)
)

// NewLeastSquares returns the loss of the rows of x and their targets y, which it copies. It
// returns an error if there are no samples, numbers differ, an x is not finite (naming row
// and column), or a y, or ridge is negative or not finite.
func NewLeastSquares(x *mat.Dense, y []float64, ridge float64) (*LeastSquares, error) {
	if err := checkData("NewLeastSquares", x, y); err != nil {
		return nil, err
	}
	if err := checkFrom0("NewLeastSquares ridge", ridge); err != nil {
		return nil, err
	}
	return &LeastSquares{linear: newLinear(squareLink, x, slices.Clone(y), nil, ridge)}, nil
}

// WithIntercept returns the loss of the same data with one more coordinate of θ, the last:
// an intercept, which has no weight decay. It panics if there is one already.
func (l *LeastSquares) WithIntercept() *LeastSquares {
	return &LeastSquares{linear: l.withIntercept()}
}

// solve finds the Hessian, its largest eigenvalue, and the minimum nearest to the origin,
// by the singular values of X with √(Nλ) I below it.
func (l *LeastSquares) solve() {
	l.h = make([]float64, l.d*l.d)
	l.Hessian(l.h, make([]float64, l.d))
	a := l.design()
	m, _ := a.Dims()
	b := mat.NewVecDense(m, nil)
	copy(b.RawVector().Data, l.y)
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		panic("loss: the singular values of the data cannot be computed")
	}
	values := svd.Values(nil)
	l.top = values[0] * values[0] / float64(l.n)
	l.rank = svd.Rank(rounding * float64(max(m, l.d)))
	l.center = make([]float64, l.d)
	if l.rank > 0 {
		svd.SolveVecTo(mat.NewVecDense(l.d, l.center), b, l.rank)
	}
}

// Harmonic returns H and the minimum, the one nearest to the origin if there are many. Their
// computation, at the first call, takes of the order of N d² operations.
func (l *LeastSquares) Harmonic() (h, center []float64) {
	l.once.Do(l.solve)
	return l.h, l.center
}

// Laplacian returns (1/N) Σ_i |x_i|² and the weight decay of all coordinates that have it.
// It panics if theta is not of the dimension.
func (l *LeastSquares) Laplacian(theta []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	h, _ := l.Harmonic()
	var s float64
	for j := range l.d {
		s += h[j*l.d+j]
	}
	return s
}

// Curvature returns the largest eigenvalue of H.
func (l *LeastSquares) Curvature() float64 {
	l.once.Do(l.solve)
	return l.top
}

// CriticalPoints returns the minimum, or nil if to rounding it is not the only one.
func (l *LeastSquares) CriticalPoints() []sde.CriticalPoint {
	_, c := l.Harmonic()
	if l.rank < l.d {
		return nil
	}
	return []sde.CriticalPoint{{Theta: c, Value: l.Value(c)}}
}

// Normalizable reports whether temperature is above 0 and H is not singular, to rounding.
func (l *LeastSquares) Normalizable(temperature float64) bool {
	l.once.Do(l.solve)
	return temperature > 0 && l.rank == l.d
}

// OutputGradient implements sde.OutputGradient: it stores x_i into dst. It panics as
// SampleGradient does.
func (l *LeastSquares) OutputGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.d)
	copy(dst, l.rows.Row(i))
}
