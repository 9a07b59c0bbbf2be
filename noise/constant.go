// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
	"gonum.org/v1/gonum/mat"
)

// Constant is noise with one dense matrix for all θ and t. NewConstant makes it
// from D, NewRoot from a root B of 2D, with as many components as B has columns.
// The zero value is not valid.
type Constant struct {
	d, m int
	root []float64 // row-major d×m
}

var (
	_ sde.Diffusion  = (*Constant)(nil)
	_ sde.Classified = (*Constant)(nil)
)

// NewConstant returns the noise of diffusion matrix D, d×d. Its root is the
// symmetric one,
//
//	B = Q diag(√(2λ_1) … √(2λ_d)) Qᵀ,   D = Q diag(λ) Qᵀ
//
// taken once by gonum's eigen-decomposition, and so defined also where D is only
// positive semi-definite. An eigenvalue between −16dελ_max, with ε = 2⁻⁵², and 0
// is rounding and taken as 0; one below is refused, as is an element that is not
// finite.
func NewConstant(d mat.Symmetric) (*Constant, error) {
	const field = "noise: Constant.D"
	if d == nil || d.SymmetricDim() == 0 {
		return nil, &sde.SettingError{Field: field, Want: "a symmetric matrix with a row for each coordinate", Err: sde.ErrDimension}
	}
	n := d.SymmetricDim()
	var largest float64
	for i := 0; i < n; i++ {
		for j := i; j < n; j++ {
			v := d.At(i, j)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &sde.SettingError{Field: fmt.Sprintf("%s[%d,%d]", field, i, j), Value: v, Want: "a finite number"}
			}
			largest = math.Max(largest, math.Abs(v))
		}
	}
	c := &Constant{d: n, m: n, root: make([]float64, n*n)}
	if largest == 0 {
		return c, nil
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(d, true) {
		return nil, &sde.SettingError{Field: field, Value: "a matrix", Want: "one whose eigenvalues can be computed"}
	}
	values := eigen.Values(nil) // ascending
	top := math.Max(math.Abs(values[0]), math.Abs(values[n-1]))
	if low := values[0]; low < -16*float64(n)*0x1p-52*top {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("a matrix with the eigenvalue %g", low),
			Want: "a positive semi-definite matrix, with no eigenvalue below 0"}
	}
	var q mat.Dense
	eigen.VectorsTo(&q)
	for k, v := range values {
		values[k] = math.Sqrt(2 * math.Max(v, 0))
	}
	for i := 0; i < n; i++ {
		for j := 0; j <= i; j++ {
			var s float64
			for k, b := range values {
				s += float64(float64(q.At(i, k)*b) * q.At(j, k))
			}
			c.root[i*n+j], c.root[j*n+i] = s, s
		}
	}
	return c, nil
}

// NewRoot returns the noise of root B, d×m, copied: D = ½BBᵀ. It refuses an
// element that is not finite.
func NewRoot(b mat.Matrix) (*Constant, error) {
	const field = "noise: Constant.B"
	if b == nil {
		return nil, &sde.SettingError{Field: field, Want: "a matrix with a row for each coordinate and a column for each component of the noise", Err: sde.ErrDimension}
	}
	d, m := b.Dims()
	if d == 0 || m == 0 {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("a matrix of %d×%d", d, m),
			Want: "a row for each coordinate and a column for each component of the noise", Err: sde.ErrDimension}
	}
	c := &Constant{d: d, m: m, root: make([]float64, d*m)}
	for i := 0; i < d; i++ {
		for k := 0; k < m; k++ {
			v := b.At(i, k)
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &sde.SettingError{Field: fmt.Sprintf("%s[%d,%d]", field, i, k), Value: v, Want: "a finite number"}
			}
			c.root[i*m+k] = v
		}
	}
	return c, nil
}

// Validate returns an error for a Constant that neither NewConstant nor NewRoot made.
func (n *Constant) Validate() error {
	if n == nil || n.d == 0 {
		return &sde.SettingError{Field: "noise: Constant", Value: "no matrix", Want: "one made by NewConstant or NewRoot", Err: sde.ErrDimension}
	}
	return nil
}

// Dims returns the size d×m of B. (A Constant without a matrix has the dimensions
// −1, −1, as 0, 0 would be noise for any dimension.)
func (n *Constant) Dims() (state, noise int) {
	if n == nil || n.d == 0 {
		return -1, -1
	}
	return n.d, n.m
}

// Class returns sde.Constant.
func (n *Constant) Class() sde.NoiseClass { return sde.Constant }

// Root stores B into dst. It panics if dst is not of length d·m.
func (n *Constant) Root(dst, theta []float64, t float64) {
	if len(dst) != len(n.root) {
		panic(badRoot)
	}
	copy(dst, n.root)
}

// D returns a new matrix of D = ½BBᵀ.
func (n *Constant) D() *mat.SymDense {
	s := mat.NewSymDense(n.d, nil)
	b := mat.NewDense(n.d, n.m, n.root)
	s.SymOuterK(0.5, b)
	return s
}
