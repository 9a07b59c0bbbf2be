// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"
	"slices"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
	"gonum.org/v1/gonum/mat"
)

// Quadratic is a quadratic form in any dimension d:
//
//	L(θ) = ½(θ−c)ᵀH(θ−c) + L₀,   ∇L = H(θ−c)
//
// NewQuadratic makes it from a dense H, NewDiagonalQuadratic from the diagonal
// of a diagonal one, at a cost of d instead of d² a gradient. H may have
// eigenvalues of any sign, as in the neighbourhood of a saddle; exp(−L/T) can be
// normalised only if all are above 0. The zero value is not valid.
//
// With noise of constant D the flow is an Ornstein–Uhlenbeck process, whose
// stationary covariance S solves HS + SH = 2D, so S = T H⁻¹ if D = T I.
//
// The dense gradient is computed as Hθ − Hc: at c it is exactly 0.
type Quadratic struct {
	// Offset is L₀, the value at c. It must be finite.
	Offset float64

	diagonal []float64 // H if it is diagonal
	dense    []float64 // H otherwise, row-major
	packed   *kernel.Matrix
	center   []float64
	atOrigin bool      // whether c = 0
	shift    []float64 // Hc, of a dense H; nil if c = 0
	values   []float64 // the eigenvalues of H, ascending
}

var (
	_ sde.Loss          = (*Quadratic)(nil)
	_ sde.BatchGradient = (*Quadratic)(nil)
	_ sde.Hessian       = (*Quadratic)(nil)
	_ sde.Laplacian     = (*Quadratic)(nil)
	_ sde.Curvature     = (*Quadratic)(nil)
	_ sde.Normalizable  = (*Quadratic)(nil)
	_ sde.Charted       = (*Quadratic)(nil)
	_ sde.Harmonic      = (*Quadratic)(nil)
)

// NewQuadratic returns the quadratic of a dense H, d×d, and centre c; nil is the
// origin. Both are copied. It returns an *sde.SettingError if H is empty, c is
// not of length d, or an element is not finite.
func NewQuadratic(h mat.Symmetric, center []float64) (*Quadratic, error) {
	if h == nil || h.SymmetricDim() == 0 {
		return nil, &sde.SettingError{Field: "loss: Quadratic.H", Want: "a symmetric matrix with a row for each coordinate", Err: sde.ErrDimension}
	}
	d := h.SymmetricDim()
	q := &Quadratic{dense: make([]float64, d*d)}
	for i := 0; i < d; i++ {
		for j := 0; j < d; j++ {
			v := h.At(i, j)
			if err := finite(v, "H[%d,%d]", i, j); err != nil {
				return nil, err
			}
			q.dense[i*d+j] = v
		}
	}
	if err := q.setCenter(center, d); err != nil {
		return nil, err
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(h, false) {
		return nil, &sde.SettingError{Field: "loss: Quadratic.H", Value: "a matrix", Want: "one whose eigenvalues can be computed"}
	}
	q.values = eigen.Values(nil)
	q.packed = kernel.NewMatrix(d, d, q.dense)
	if !q.atOrigin {
		q.shift = make([]float64, d)
		q.packed.Mul(q.shift, d, q.center, d, 1, false)
	}
	return q, nil
}

// NewDiagonalQuadratic returns the quadratic of H = diag(h_1 … h_d) and centre c;
// nil is the origin. Both are copied. It returns an *sde.SettingError if h is
// empty, c is not of length d, or an element is not finite.
func NewDiagonalQuadratic(h, center []float64) (*Quadratic, error) {
	if len(h) == 0 {
		return nil, &sde.SettingError{Field: "loss: Quadratic.H", Value: h, Want: "one element for each coordinate", Err: sde.ErrDimension}
	}
	for i, v := range h {
		if err := finite(v, "H[%d]", i); err != nil {
			return nil, err
		}
	}
	q := &Quadratic{diagonal: slices.Clone(h), values: slices.Clone(h)}
	slices.Sort(q.values)
	if err := q.setCenter(center, len(h)); err != nil {
		return nil, err
	}
	return q, nil
}

// NewRandomQuadratic returns the quadratic of a dense H of the given eigenvalues and of
// eigenvectors drawn uniformly (RandomRotation), H = QᵀΛQ, centred at the origin. The
// same seed gives the same bits on every machine. It returns an *sde.SettingError if there are no
// eigenvalues or one is not finite.
func NewRandomQuadratic(eigenvalues []float64, seed uint64) (*Quadratic, error) {
	d := len(eigenvalues)
	if d == 0 {
		return nil, &sde.SettingError{Field: "loss: Quadratic eigenvalues", Value: eigenvalues, Want: "at least one", Err: sde.ErrDimension}
	}
	for i, v := range eigenvalues {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &sde.SettingError{Field: fmt.Sprintf("loss: Quadratic eigenvalues[%d]", i), Value: v, Want: "a finite number"}
		}
	}
	r := RandomRotation(d, seed)
	h := mat.NewSymDense(d, nil)
	for i := range d {
		for j := range i + 1 {
			var s float64
			for k, v := range eigenvalues {
				s = math.FMA(float64(r.At(k, i)*v), r.At(k, j), s)
			}
			h.SetSym(i, j, s)
		}
	}
	q, err := NewQuadratic(h, nil)
	if err != nil {
		return nil, err
	}
	q.values = slices.Clone(eigenvalues)
	slices.Sort(q.values)
	return q, nil
}

func (q *Quadratic) setCenter(center []float64, d int) error {
	if center != nil && len(center) != d {
		return &sde.SettingError{Field: "loss: Quadratic.Center", Value: fmt.Sprintf("%d coordinates", len(center)),
			Want: fmt.Sprintf("%d, the dimension of H", d), Err: sde.ErrDimension}
	}
	for i, v := range center {
		if err := finite(v, "Center[%d]", i); err != nil {
			return err
		}
	}
	q.center = make([]float64, d)
	copy(q.center, center)
	q.atOrigin = !slices.ContainsFunc(q.center, func(c float64) bool { return c != 0 })
	return nil
}

// finite returns an error that names a field of Quadratic unless v is finite.
func finite(v float64, field string, at ...any) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return &sde.SettingError{Field: "loss: Quadratic." + fmt.Sprintf(field, at...), Value: v, Want: "a finite number"}
	}
	return nil
}

// Validate returns an error for a Quadratic that no constructor made, or whose
// Offset is not finite.
func (q *Quadratic) Validate() error {
	if q.Dim() == 0 {
		return &sde.SettingError{Field: "loss: Quadratic", Value: "no matrix", Want: "one made by NewQuadratic or NewDiagonalQuadratic", Err: sde.ErrDimension}
	}
	return finite(q.Offset, "Offset")
}

// Dim returns d, 0 for a Quadratic that no constructor made.
func (q *Quadratic) Dim() int {
	if q == nil {
		return 0
	}
	return len(q.center)
}

// Matrix returns a copy of H.
func (q *Quadratic) Matrix() *mat.SymDense {
	d := q.Dim()
	h := make([]float64, d*d)
	q.Hessian(h, q.center)
	return mat.NewSymDense(d, h)
}

// Center returns a copy of c.
func (q *Quadratic) Center() []float64 { return slices.Clone(q.center) }

// Eigenvalues returns a copy of the eigenvalues of H in ascending order.
func (q *Quadratic) Eigenvalues() []float64 { return slices.Clone(q.values) }

// Value returns L(θ). It panics if theta is not of length d.
func (q *Quadratic) Value(theta []float64) float64 {
	c := q.center
	if len(theta) != len(c) {
		panic(badTheta)
	}
	var sum float64
	for i, h := range q.diagonal {
		x := theta[i] - c[i]
		sum = math.FMA(float64(h*x), x, sum)
	}
	if q.diagonal == nil {
		d := len(c)
		for i, x := range theta {
			var s float64
			row := q.dense[i*d:][:d]
			for j, h := range row {
				s = math.FMA(h, theta[j]-c[j], s)
			}
			sum = math.FMA(s, x-c[i], sum)
		}
	}
	return math.FMA(0.5, sum, q.Offset)
}

// Gradient stores H(θ−c) into dst. It panics if dst or theta is not of length d.
func (q *Quadratic) Gradient(dst, theta []float64) {
	d := len(q.center)
	checkGradient(dst, theta, d)
	if q.diagonal != nil {
		for i, h := range q.diagonal {
			dst[i] = float64(h * (theta[i] - q.center[i]))
		}
		return
	}
	q.packed.Mul(dst, d, theta, d, 1, false)
	for j, s := range q.shift {
		dst[j] -= s
	}
}

// BatchGradient stores H(θ−c) at each row of x into dst, with the bits of
// Gradient. It panics if the batches are not both of d columns and of as many rows.
func (q *Quadratic) BatchGradient(dst, x sde.Batch) {
	d := len(q.center)
	checkBatch(dst, x, d)
	if x.Rows == 0 {
		return
	}
	if q.diagonal != nil {
		q.diagonalBatch(dst, x)
		return
	}
	q.packed.Mul(dst.Data, dst.Stride, x.Data, x.Stride, x.Rows, false)
	if q.shift == nil {
		return
	}
	for i := 0; i < x.Rows; i++ {
		kernel.Axpy(dst.Row(i), -1, q.shift)
	}
}

func (q *Quadratic) diagonalBatch(dst, x sde.Batch) {
	h, c := q.diagonal, q.center
	c = c[:len(h)]
	if len(h) == 1 {
		to, ok1 := dst.Flat()
		from, ok2 := x.Flat()
		if ok1 && ok2 {
			h, c := h[0], c[0]
			to = to[:len(from)]
			for i, v := range from {
				to[i] = float64(h * (v - c))
			}
			return
		}
	}
	for i := 0; i < x.Rows; i++ {
		from, to := x.Row(i)[:len(h)], dst.Row(i)[:len(h)]
		if q.atOrigin && len(h) >= 8 {
			kernel.Mul(to, h, from)
			continue
		}
		for j, hj := range h {
			to[j] = float64(hj * (from[j] - c[j]))
		}
	}
}

// Hessian stores H into dst. It panics if dst is not of length d² or theta not of length d.
func (q *Quadratic) Hessian(dst, theta []float64) {
	d := len(q.center)
	checkHessian(dst, theta, d)
	if q.diagonal == nil {
		copy(dst, q.dense)
		return
	}
	clear(dst)
	for i, h := range q.diagonal {
		dst[i*d+i] = h
	}
}

// Harmonic returns copies of H, row-major, and c.
func (q *Quadratic) Harmonic() (h, center []float64) {
	d := q.Dim()
	h = make([]float64, d*d)
	q.Hessian(h, q.center)
	return h, slices.Clone(q.center)
}

// Laplacian returns the trace of H.
func (q *Quadratic) Laplacian(theta []float64) float64 {
	var s float64
	if q.diagonal != nil {
		for _, h := range q.diagonal {
			s += h
		}
		return s
	}
	for i := 0; i < len(q.dense); i += len(q.center) + 1 {
		s += q.dense[i]
	}
	return s
}

// Curvature returns the largest eigenvalue of H.
func (q *Quadratic) Curvature() float64 { return q.values[len(q.values)-1] }

// Normalizable reports whether H is positive definite and temperature above 0.
func (q *Quadratic) Normalizable(temperature float64) bool {
	return temperature > 0 && q.values[0] > 0
}

// CriticalPoints returns c, the only critical point unless H is singular, with
// the number of negative eigenvalues of H as its index.
func (q *Quadratic) CriticalPoints() []sde.CriticalPoint {
	index := 0
	for _, v := range q.values {
		if v < 0 {
			index++
		}
	}
	return []sde.CriticalPoint{{Theta: slices.Clone(q.center), Value: q.Offset, Index: index}}
}
