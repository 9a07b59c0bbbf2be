// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// MatrixFactorisation is the loss of writing a symmetric matrix as a product,
//
//	L(U) = ¼ ‖UUᵀ − M‖²,   ∇L = (UUᵀ − M)U
//
// with U n×r, a row after the other in θ, and ‖·‖ Frobenius's norm. Where UUᵀ takes
// in r eigenvectors of M of the largest positive eigenvalues, L has its least value, a quarter
// of the sum of the squares of those that are left; where it takes in others, a saddle;
// there are no other minima. For r > 1 they are not isolated: UR is as good as U for
// every rotation R.
//
// R. Ge, J. Lee & T. Ma, 2016, Matrix completion has no spurious local minimum, NIPS, §2;
// I. Safran & O. Shamir, 2016, On the quality of the initial basin in overspecified neural
// networks, ICML.
type MatrixFactorisation struct {
	M    *mat.SymDense // nil means diag(2, 1)
	Rank int           // r, 0 means 1
}

var (
	_ sde.Loss          = MatrixFactorisation{}
	_ sde.BatchGradient = MatrixFactorisation{}
	_ sde.Hessian       = MatrixFactorisation{}
	_ sde.Laplacian     = MatrixFactorisation{}
	_ sde.Normalizable  = MatrixFactorisation{}
	_ sde.Charted       = MatrixFactorisation{}
)

var diag21 = mat.NewSymDense(2, []float64{2, 0, 0, 1})

func (l MatrixFactorisation) matrix() *mat.SymDense {
	if l.M == nil {
		return diag21
	}
	return l.M
}

func (l MatrixFactorisation) dims() (n, r int) { return l.matrix().SymmetricDim(), dimOr(l.Rank, 1) }

// Validate returns an error if M is empty or not finite, or Rank not from 1 to its size.
func (l MatrixFactorisation) Validate() error {
	n, r := l.dims()
	if n == 0 {
		return &sde.SettingError{Field: "loss: MatrixFactorisation.M", Value: "an empty matrix", Want: "a symmetric matrix, or nil for diag(2, 1)", Err: sde.ErrDimension}
	}
	for i := range n {
		for j := range i + 1 {
			if v := l.matrix().At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return &sde.SettingError{Field: "loss: MatrixFactorisation.M", Value: v, Want: "finite elements"}
			}
		}
	}
	if r < 1 || r > n {
		return &sde.SettingError{Field: "loss: MatrixFactorisation.Rank", Value: l.Rank, Want: "from 1 to the size of M, or 0 for 1"}
	}
	return nil
}

// Dim returns n·r.
func (l MatrixFactorisation) Dim() int {
	n, r := l.dims()
	return n * r
}

// residual returns element (i, j) of UUᵀ − M.
func (l MatrixFactorisation) residual(m *mat.SymDense, u []float64, r, i, j int) float64 {
	s := -m.At(i, j)
	for a := range r {
		s = math.FMA(u[i*r+a], u[j*r+a], s)
	}
	return s
}

// Value returns L. It panics if theta is not of length n·r.
func (l MatrixFactorisation) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	n, r := l.dims()
	m := l.matrix()
	var s float64
	for i := range n {
		for j := range n {
			e := l.residual(m, theta, r, i, j)
			s = math.FMA(e, e, s)
		}
	}
	return s / 4
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length n·r.
func (l MatrixFactorisation) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	n, r := l.dims()
	m := l.matrix()
	clear(dst)
	for i := range n {
		for j := range n {
			e := l.residual(m, theta, r, i, j)
			for a := range r {
				dst[i*r+a] = math.FMA(e, theta[j*r+a], dst[i*r+a])
			}
		}
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l MatrixFactorisation) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the matrix of second derivatives into dst,
//
//	∂²L/∂U_ia∂U_jb = δ_ij (UᵀU)_ab + U_ja U_ib + δ_ab (UUᵀ − M)_ij
//
// It panics if dst is not of length (n·r)² or theta not of length n·r.
func (l MatrixFactorisation) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	n, r := l.dims()
	m := l.matrix()
	for i := range n {
		for j := range n {
			e := l.residual(m, theta, r, i, j)
			for a := range r {
				for b := range r {
					h := float64(theta[j*r+a] * theta[i*r+b])
					if a == b {
						h += e
					}
					if i == j {
						for k := range n {
							h = math.FMA(theta[k*r+a], theta[k*r+b], h)
						}
					}
					dst[(i*r+a)*d+j*r+b] = h
				}
			}
		}
	}
}

// Laplacian returns the trace of the Hessian, (n + r + 1)|U|² − r tr M: of δ_ij δ_ab the
// first term leaves n|U|², the second |U|² and the third r(|U|² − tr M). It panics if theta is
// not of length n·r.
func (l MatrixFactorisation) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	n, r := l.dims()
	var q float64
	for _, u := range theta {
		q = math.FMA(u, u, q)
	}
	return math.FMA(float64(n+r+1), q, -float64(float64(r)*mat.Trace(l.matrix())))
}

// Normalizable reports whether temperature is above 0.
func (MatrixFactorisation) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns, for r = 1 and eigenvalues λ_k of M that differ, all critical points:
// the origin and ±√λ_k v_k for each positive one, of an index that is the number of
// larger ones. For r > 1, where the minima are not isolated, it returns one of them. The
// origin is given the index of its negative curvatures, and is left out where λ_k = 0.
func (l MatrixFactorisation) CriticalPoints() []sde.CriticalPoint {
	n, r := l.dims()
	var e mat.EigenSym
	if !e.Factorize(l.matrix(), true) {
		return nil
	}
	values := e.Values(nil) // ascending
	var v mat.Dense
	e.VectorsTo(&v)
	if r > 1 {
		u := make([]float64, n*r)
		for a := range r {
			if k := n - 1 - a; values[k] > 0 {
				for i := range n {
					u[i*r+a] = math.Sqrt(values[k]) * v.At(i, k)
				}
			}
		}
		return []sde.CriticalPoint{{Theta: u, Value: l.Value(u)}}
	}
	var all []sde.CriticalPoint
	positive := 0
	flat := false
	for k := n - 1; k >= 0; k-- {
		tiny := 1e-9 * math.Max(math.Abs(values[0]), math.Abs(values[n-1]))
		if k > 0 && values[k]-values[k-1] <= tiny && values[k] > 0 {
			return nil // a circle of them
		}
		if math.Abs(values[k]) <= tiny {
			flat = true
		}
		if values[k] <= tiny {
			continue
		}
		for _, sign := range []float64{-1, 1} {
			u := make([]float64, n)
			for i := range u {
				u[i] = sign * math.Sqrt(values[k]) * v.At(i, k)
			}
			all = append(all, sde.CriticalPoint{Theta: u, Value: l.Value(u), Index: positive})
		}
		positive++
	}
	if zero := make([]float64, n); !flat {
		all = append(all, sde.CriticalPoint{Theta: zero, Value: l.Value(zero), Index: positive})
	}
	return all
}
