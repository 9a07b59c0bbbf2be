// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SpinGlass is the soft-spin glass of Sherrington and Kirkpatrick, a random polynomial
// with a number of minima that grows exponentially with D,
//
//	L(θ) = Σ_i (θ_i² − 1)²/4 − ½ Σ_ij J_ij θ_i θ_j,   J_ij = J_ji ~ N(0, g²/D), J_ii = 0
//
// NewSpinGlass makes it; the zero value is not valid. Its minima are not known.
//
// H. Sompolinsky & A. Zippelius, 1982, Relaxational dynamics of the Edwards–Anderson model
// and the mean-field theory of spin-glasses, Physical Review B 25, 6860–6875, eq. 2.1.
type SpinGlass struct {
	couplings *kernel.Matrix // −J
	j         []float64      // −J, row-major
	d         int
}

var (
	_ sde.Loss          = (*SpinGlass)(nil)
	_ sde.BatchGradient = (*SpinGlass)(nil)
	_ sde.Hessian       = (*SpinGlass)(nil)
	_ sde.Laplacian     = (*SpinGlass)(nil)
	_ sde.Normalizable  = (*SpinGlass)(nil)
)

// NewSpinGlass returns a glass of d spins, at least 2, of coupling g ≥ 0, with the same bits
// for a seed on every machine. It returns an *sde.SettingError if d or the coupling is
// out of range.
func NewSpinGlass(d int, coupling float64, seed uint64) (*SpinGlass, error) {
	if d < 2 {
		return nil, &sde.SettingError{Field: "loss: SpinGlass dimension", Value: d, Want: "at least 2", Err: sde.ErrDimension}
	}
	if !(coupling >= 0) || math.IsInf(coupling, 1) {
		return nil, &sde.SettingError{Field: "loss: SpinGlass coupling", Value: coupling, Want: "a finite number from 0"}
	}
	l := &SpinGlass{j: make([]float64, d*d), d: d}
	s := sde.NewStream(seed, nil)
	row := make([]float64, d)
	scale := -coupling / math.Sqrt(float64(d))
	for i := range d {
		s.At(sde.Starts, 0, i)
		s.Normals(row[:i])
		for k, z := range row[:i] {
			l.j[i*d+k], l.j[k*d+i] = scale*z, scale*z
		}
	}
	l.couplings = kernel.NewMatrix(d, d, l.j)
	return l, nil
}

// Validate returns an error for a SpinGlass that NewSpinGlass did not make.
func (l *SpinGlass) Validate() error {
	if l == nil || l.d == 0 {
		return &sde.SettingError{Field: "loss: SpinGlass", Value: "no couplings", Want: "one made by NewSpinGlass"}
	}
	return nil
}

// Couplings returns a copy of J.
func (l *SpinGlass) Couplings() *mat.SymDense {
	m := mat.NewSymDense(l.d, nil)
	for i := range l.d {
		for k := range i {
			m.SetSym(i, k, -l.j[i*l.d+k])
		}
	}
	return m
}

// Dim returns d.
func (l *SpinGlass) Dim() int { return l.d }

// Value returns L. It panics if theta is not of length d.
func (l *SpinGlass) Value(theta []float64) float64 {
	d := l.d
	if len(theta) != d {
		panic(badTheta)
	}
	var wells, pairs float64
	for i, x := range theta {
		q := math.FMA(x, x, -1)
		wells = math.FMA(q, q, wells)
		pairs = math.FMA(x, kernel.Dot(l.j[i*d:(i+1)*d], theta), pairs)
	}
	return float64(wells/4) + float64(pairs/2)
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length d.
func (l *SpinGlass) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.d)
	l.couplings.Mul(dst, l.d, theta, l.d, 1, false)
	addWells(dst, theta)
}

// addWells adds θ³ − θ to g.
func addWells(g, theta []float64) {
	for i, x := range theta {
		g[i] += kernel.Cubic1(x, -1, 1)
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l *SpinGlass) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.d)
	if x.Rows == 0 {
		return
	}
	l.couplings.Mul(dst.Data, dst.Stride, x.Data, x.Stride, x.Rows, false)
	for i := range x.Rows {
		addWells(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the d×d matrix of second derivatives into dst. It panics if dst is
// not of length d² or theta not of length d.
func (l *SpinGlass) Hessian(dst, theta []float64) {
	checkHessian(dst, theta, l.d)
	copy(dst, l.j)
	for i, x := range theta {
		dst[i*l.d+i] = math.FMA(3*x, x, -1)
	}
}

// Laplacian returns Σ (3θ_i² − 1). It panics if theta is not of length d.
func (l *SpinGlass) Laplacian(theta []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		s += math.FMA(3*x, x, -1)
	}
	return s
}

// Normalizable reports whether temperature is above 0.
func (*SpinGlass) Normalizable(temperature float64) bool { return temperature > 0 }

// String returns what is to be known of the glass.
func (l *SpinGlass) String() string { return fmt.Sprintf("spin glass of %d", l.d) }
