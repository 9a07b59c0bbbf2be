// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// RandomRotation returns an orthogonal matrix drawn uniformly (by Haar's measure), a
// function of d and the seed with the same bits everywhere: a product of reflections
// along normal vectors of dimensions d, d−1, …, 2 (G. W. Stewart, 1980, The efficient
// generation of random orthogonal matrices with an application to condition estimators,
// SIAM Journal on Numerical Analysis 17, 403–409). Its determinant is of either sign. It
// panics if d is below 1.
func RandomRotation(d int, seed uint64) *mat.Dense {
	if d < 1 {
		panic("loss: a rotation in no dimension")
	}
	q := make([]float64, d*d)
	s := sde.NewStream(seed, nil)
	v, c := make([]float64, d), make([]float64, d)
	for i := range d {
		q[i*d+i] = 1
	}
	for n := d; n >= 1; n-- {
		// A reflection of the last n coordinates that takes the normal vector x to a
		// multiple of the first of them, and a sign so that the result is uniform.
		s.At(sde.Starts, 0, n)
		x := v[:n]
		s.Normals(x)
		norm := math.Sqrt(kernel.Dot(x, x))
		sign := math.Copysign(1, x[0])
		k := d - n
		if n > 1 {
			x[0] += float64(sign * norm)
			beta := 2 / kernel.Dot(x, x)
			// Rows k … of Q, from the left: Q ← (I − β x xᵀ) Q
			clear(c)
			for i, xi := range x {
				kernel.Axpy(c, xi, q[(k+i)*d:(k+i+1)*d])
			}
			for i, xi := range x {
				kernel.Axpy(q[(k+i)*d:(k+i+1)*d], -float64(beta*xi), c)
			}
		}
		row := q[k*d : (k+1)*d]
		kernel.Scale(row, -sign, row)
	}
	return mat.NewDense(d, d, q)
}

// Rotated is a loss in turned coordinates,
//
//	L(θ) = L₀(Qθ),   QᵀQ = I
//
// NewRotated makes it; the zero value is not valid.
type Rotated struct {
	loss sde.Loss
	d    int
	// To coordinates of the loss and back, as products of rows with a matrix.
	forth, back *kernel.Matrix
	q           []float64 // row-major
}

var (
	_ sde.Loss          = (*Rotated)(nil)
	_ sde.BatchGradient = (*Rotated)(nil)
	_ sde.Hessian       = (*Rotated)(nil)
	_ sde.Laplacian     = (*Rotated)(nil)
	_ sde.Curvature     = (*Rotated)(nil)
	_ sde.Normalizable  = (*Rotated)(nil)
	_ sde.Charted       = (*Rotated)(nil)
)

// NewRotated returns the loss in coordinates turned by Q, which is copied, as by
// RandomRotation. It returns an *sde.SettingError if the loss is nil or not valid, or Q
// is not orthogonal to 1e-12 or not of its dimension.
func NewRotated(l sde.Loss, q mat.Matrix) (*Rotated, error) {
	if err := checkPart("Rotated loss", l); err != nil {
		return nil, err
	}
	d := l.Dim()
	if q == nil {
		return nil, &sde.SettingError{Field: "loss: Rotated Q", Value: nil, Want: "an orthogonal matrix"}
	}
	if r, c := q.Dims(); r != d || c != d {
		return nil, &sde.SettingError{Field: "loss: Rotated Q", Value: [2]int{r, c}, Want: "a square matrix of the loss's dimension", Err: sde.ErrDimension}
	}
	rot := &Rotated{loss: l, d: d, q: make([]float64, d*d)}
	transposed := make([]float64, d*d)
	for i := range d {
		for j := range d {
			rot.q[i*d+j], transposed[j*d+i] = q.At(i, j), q.At(i, j)
		}
	}
	for i := range d {
		for j := range i + 1 {
			want := 0.0
			if i == j {
				want = 1
			}
			if p := kernel.Dot(rot.q[i*d:(i+1)*d], rot.q[j*d:(j+1)*d]); !(math.Abs(p-want) <= 1e-12) {
				return nil, &sde.SettingError{Field: "loss: Rotated Q", Value: p, Want: "orthonormal rows; this is the product of two"}
			}
		}
	}
	rot.forth, rot.back = kernel.NewMatrix(d, d, transposed), kernel.NewMatrix(d, d, rot.q)
	return rot, nil
}

// Validate returns an error for a Rotated that NewRotated did not make.
func (l *Rotated) Validate() error {
	if l == nil || l.loss == nil {
		return &sde.SettingError{Field: "loss: Rotated", Value: "no loss", Want: "one made by NewRotated"}
	}
	return nil
}

// Dim returns the dimension of the loss.
func (l *Rotated) Dim() int { return l.d }

// turned returns Qθ for each row of x, to be given back by scratch.Put.
func (l *Rotated) turned(x sde.Batch) (*[]float64, sde.Batch) {
	data := borrow(x.Rows * l.d)
	l.forth.Mul(*data, l.d, x.Data, x.Stride, x.Rows, false)
	return data, batchOf(*data, x.Rows, l.d)
}

// one returns theta as a batch of one row. It panics if theta is not of length d.
func (l *Rotated) one(theta []float64) sde.Batch {
	if len(theta) != l.d {
		panic(badTheta)
	}
	return batchOf(theta, 1, l.d)
}

// Value returns L. It panics if theta is not of the dimension.
func (l *Rotated) Value(theta []float64) float64 {
	data, y := l.turned(l.one(theta))
	defer scratch.Put(data)
	return l.loss.Value(y.Data)
}

// Gradient stores ∇L = Qᵀ∇L₀(Qθ) into dst. It panics if dst or theta is not of the
// dimension.
func (l *Rotated) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.d)
	data, y := l.turned(l.one(theta))
	defer scratch.Put(data)
	g := borrow(l.d)
	defer scratch.Put(g)
	l.loss.Gradient(*g, y.Data)
	l.back.Mul(dst, l.d, *g, l.d, 1, false)
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l *Rotated) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.d)
	if x.Rows == 0 {
		return
	}
	data, y := l.turned(x)
	defer scratch.Put(data)
	g := borrow(x.Rows * l.d)
	defer scratch.Put(g)
	batchGradient(l.loss, batchOf(*g, x.Rows, l.d), y)
	l.back.Mul(dst.Data, dst.Stride, *g, l.d, x.Rows, false)
}

// Hessian stores QᵀH₀Q into dst. It panics if dst is not of length d² or theta not of
// length d.
func (l *Rotated) Hessian(dst, theta []float64) {
	d := l.d
	checkHessian(dst, theta, d)
	data, y := l.turned(l.one(theta))
	defer scratch.Put(data)
	h, half := borrow(d*d), borrow(d*d)
	defer scratch.Put(h)
	defer scratch.Put(half)
	hessian(l.loss, *h, y.Data)
	l.back.Mul(*half, d, *h, d, d, false) // H₀Q
	for i := range d {
		for j := range i + 1 {
			var s float64
			for k := range d {
				s += float64(l.q[k*d+i] * (*half)[k*d+j])
			}
			dst[i*d+j], dst[j*d+i] = s, s
		}
	}
}

// Laplacian returns ΔL₀ at Qθ. It panics if theta is not of the dimension.
func (l *Rotated) Laplacian(theta []float64) float64 {
	data, y := l.turned(l.one(theta))
	defer scratch.Put(data)
	return laplacian(l.loss, y.Data)
}

// Curvature returns that of the loss, 0 if it is not known.
func (l *Rotated) Curvature() float64 { return curvature(l.loss) }

// Normalizable returns what the loss says, true if it says nothing.
func (l *Rotated) Normalizable(temperature float64) bool { return normalizable(l.loss, temperature) }

// CriticalPoints returns those of the loss, turned back, nil if they are not known.
func (l *Rotated) CriticalPoints() []sde.CriticalPoint {
	return mapped(l.loss, func(dst, x []float64) { l.back.Mul(dst, l.d, x, l.d, 1, false) }, func(v float64) float64 { return v })
}
