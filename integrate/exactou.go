// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// ExactOU samples the Ornstein–Uhlenbeck process of a quadratic loss with constant
// noise, exact in law at any step:
//
//	θ′ = c + e^(−hH)(θ−c) + R z,   RRᵀ = S = ∫₀ʰ e^(−sH) 2D e^(−sH) ds,   z ~ N(0, I)
//
// R is the root of S that is nearest to √h B. H may be singular or indefinite, D singular, and
// nothing is lost to rounding where hH is large or small: in the eigenvectors of H
// the integral is 2D_ij (1 − e^(−h(λ_i+λ_j)))/(λ_i+λ_j). It serves a sde.Flow whose loss
// declares itself a quadratic form (sde.Harmonic); others are refused.
//
// z are the step's increments (with as many normals more as there are coordinates
// more than components), so that paths of the same Brownian motion are followed
// with strong order 1. No gradient; one normal for each coordinate and two products
// with a d×d matrix a step (of diagonal ones if H and B are). In one dimension it
// costs what Euler–Maruyama does. Of H or B that are not diagonal e^(−hH) and R are
// computed by gonum, and may differ in their last bits between kinds of processors.
//
// Source: Gardiner, 2009, Stochastic Methods, § 4.5.6; Van Loan, 1978, Computing
// integrals involving the matrix exponential, whose block exponential overflows for
// large hH.
type ExactOU struct{}

var _ Scheme = ExactOU{}

// Properties returns what the scheme is, and an error unless the noise is
// constant. That the loss is quadratic is checked by Bind.
func (ExactOU) Properties(class sde.NoiseClass) (Properties, error) {
	if class != sde.Constant {
		instead := multiplicative(class, "SRIW1", "Milstein")
		if class == sde.Additive {
			instead = "SRA1"
		}
		return Properties{}, refusal("ExactOU", fmt.Sprintf("%v noise, only constant", class), instead)
	}
	inf := math.Inf(1)
	return Properties{Name: "exact Ornstein–Uhlenbeck", Calculus: sde.Ito, Strong: 1, Weak: inf, Invariant: inf, Stability: inf, Normals: 1}, nil
}

// Bind returns the scheme's kernel for a system, and an error unless the loss is
// sde.Harmonic.
func (ExactOU) Bind(s *System) (Kernel, error) {
	h, center, err := s.harmonic()
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, refuse("ExactOU", "a drift that does not declare itself that of a quadratic loss (sde.Harmonic)", "SRA1, or LeimkuhlerMatthews for the stationary law")
	}
	d := s.State
	decay, root, err := ouStep(h, s.padded(), s.Step)
	if err != nil {
		return nil, err
	}
	_, width := root.Dims()
	k := &exactOU{s: s, y: sde.NewBatch(s.Rows, d), width: width, z: make([]float64, s.Rows*width), center: center}
	if 0 < s.Noise && s.Noise < width {
		k.increments, k.more = make([]float64, s.Rows*s.Noise), make([]float64, s.Rows*(width-s.Noise))
	}
	if width == d && diagonal(decay) && diagonal(root) {
		k.decays, k.roots = make([]float64, d), make([]float64, d)
		for i := range d {
			k.decays[i], k.roots[i] = decay.At(i, i), root.At(i, i)
		}
		return k, nil
	}
	var transposed mat.Dense
	transposed.CloneFrom(root.T())
	k.decay, k.root = kernel.NewMatrix(d, d, decay.RawMatrix().Data), kernel.NewMatrix(width, d, transposed.RawMatrix().Data)
	return k, nil
}

// harmonic returns the Hessian and the centre of a loss that declares itself
// quadratic, nil of another.
func (s *System) harmonic() (*mat.SymDense, []float64, error) {
	harmonic, ok := sde.LossOf(s.Equation).(sde.Harmonic)
	if !ok {
		return nil, nil, nil
	}
	d := s.State
	hessian, center := harmonic.Harmonic()
	if len(hessian) != d*d || len(center) != d {
		return nil, nil, invalid("Ensemble.Equation", fmt.Sprintf("a loss with a Hessian of %d elements and a centre of %d", len(hessian), len(center)),
			fmt.Sprintf("%d and %d", d*d, d), sde.ErrDimension)
	}
	h := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			h.SetSym(i, j, (hessian[i*d+j]+hessian[j*d+i])/2)
		}
	}
	return h, center, nil
}

// padded returns the root of constant noise, with columns of zeros so that there
// are no fewer than rows.
func (s *System) padded() *mat.Dense {
	d, m := s.State, s.Noise
	b := mat.NewDense(d, max(d, m), nil)
	if m > 0 {
		root := make([]float64, d*m)
		s.diffusion.Root(root, make([]float64, d), 0)
		b.Slice(0, d, 0, m).(*mat.Dense).Copy(mat.NewDense(d, m, root))
	}
	return b
}

// ouStep returns e^(−hH) and the root of the covariance of a step that is nearest
// to √h b, for the process of Hessian H and noise b dW.
func ouStep(hessian *mat.SymDense, b *mat.Dense, h float64) (decay, root *mat.Dense, err error) {
	d, width := b.Dims()
	values, vectors, err := eigenSym(hessian, "the loss's Hessian")
	if err != nil {
		return nil, nil, err
	}
	scaled := mat.NewDense(d, d, nil)
	for j, v := range values {
		e := kernel.Exp1(-h * v)
		for i := range d {
			scaled.Set(i, j, vectors.At(i, j)*e)
		}
	}
	decay, root = mat.NewDense(d, d, nil), mat.NewDense(d, width, nil)
	decay.Mul(scaled, vectors.T())
	if mat.Norm(b, 1) == 0 {
		return decay, root, nil
	}
	var inner, covariance mat.Dense
	inner.Product(vectors.T(), b, b.T(), vectors)
	for i, v := range values {
		for j, w := range values {
			inner.Set(i, j, h*inner.At(i, j)*expRatio(-h*(v+w)))
		}
	}
	covariance.Product(vectors, &inner, vectors.T())
	sym := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			sym.SetSym(i, j, (covariance.At(i, j)+covariance.At(j, i))/2)
		}
	}
	values, vectors, err = eigenSym(sym, "the covariance of a step")
	if err != nil {
		return nil, nil, err
	}
	for j, v := range values {
		r := math.Sqrt(math.Max(v, 0)) // below 0 only by rounding
		for i := range d {
			scaled.Set(i, j, vectors.At(i, j)*r)
		}
	}
	var symmetric, product mat.Dense
	symmetric.Mul(scaled, vectors.T())
	if width == d && diagonal(&symmetric) && diagonal(b) {
		for i := range d {
			root.Set(i, i, math.Copysign(symmetric.At(i, i), b.At(i, i)))
		}
		return decay, root, nil
	}
	// Of all S^½U with orthonormal rows of U the nearest to b has the polar factor
	// of S^½b for U.
	product.Mul(&symmetric, b)
	var svd mat.SVD
	if !svd.Factorize(&product, mat.SVDThin) {
		return nil, nil, invalid("Ensemble.Scheme", "ExactOU", "singular values of the root that can be computed", nil)
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	root.Product(&symmetric, &u, v.T())
	return decay, root, nil
}

// eigenSym decomposes a symmetric matrix. Diagonal ones keep the unit vectors, so
// that what is diagonal stays so.
func eigenSym(a *mat.SymDense, what string) ([]float64, *mat.Dense, error) {
	d := a.SymmetricDim()
	vectors := mat.NewDense(d, d, nil)
	if diagonal(a) {
		values := make([]float64, d)
		for i := range d {
			values[i] = a.At(i, i)
			vectors.Set(i, i, 1)
		}
		return values, vectors, nil
	}
	var e mat.EigenSym
	if !e.Factorize(a, true) {
		return nil, nil, invalid("Ensemble.Scheme", "ExactOU", "eigenvalues of "+what+" that can be computed", nil)
	}
	e.VectorsTo(vectors)
	return e.Values(nil), vectors, nil
}

// diagonal reports whether all elements off the diagonal are 0.
func diagonal(a mat.Matrix) bool {
	n, _ := a.Dims()
	for i := range n {
		for j := range n {
			if i != j && a.At(i, j) != 0 {
				return false
			}
		}
	}
	return true
}

// expRatio returns (eˣ − 1)/x.
func expRatio(x float64) float64 {
	if math.Abs(x) > 0.5 {
		return (kernel.Exp1(x) - 1) / x
	}
	sum := 1.0
	for n := 16.0; n > 1; n-- {
		sum = math.FMA(x/n, sum, 1)
	}
	return sum
}

type exactOU struct {
	s                *System
	y                sde.Batch
	width            int // numbers a particle takes
	z                []float64
	increments, more []float64 // where z is of both
	center           []float64
	decay, root      *kernel.Matrix // the root transposed; unless both are diagonal
	decays, roots    []float64
}

// draw sets z to the step's increments and as many normals more as are needed.
func (k *exactOU) draw(rows int, stream *sde.Stream) []float64 {
	z, m := k.z[:rows*k.width], k.s.Noise
	switch {
	case m == 0:
	case k.more == nil:
		stream.Increments(z)
	default:
		stream.Increments(k.increments[:rows*m])
		stream.Normals(k.more[:rows*(k.width-m)])
		for i := range rows {
			copy(z[i*k.width:], k.increments[i*m:(i+1)*m])
			copy(z[i*k.width+m:(i+1)*k.width], k.more[i*(k.width-m):])
		}
	}
	return z
}

func (k *exactOU) Step(x sde.Batch, t float64, stream *sde.Stream) {
	d := x.Cols
	z := k.draw(x.Rows, stream)
	if k.decays != nil {
		k.diagonalStep(x, z)
		return
	}
	n := x.Rows * d
	y := k.y.Data[:n]
	for i := 0; i < n; i += d {
		for j, c := range k.center {
			y[i+j] = x.Data[i+j] - c
		}
	}
	k.decay.Mul(x.Data, x.Stride, y, d, x.Rows, false)
	k.root.Mul(x.Data, x.Stride, z, k.width, x.Rows, true)
	for i := 0; i < n; i += d {
		for j, c := range k.center {
			x.Data[i+j] += c
		}
	}
}

func (k *exactOU) diagonalStep(x sde.Batch, z []float64) {
	d := x.Cols
	if d == 1 {
		e, r, c := k.decays[0], k.roots[0], k.center[0]
		for i, v := range x.Data[:len(z)] {
			x.Data[i] = math.FMA(r, z[i], math.FMA(e, v-c, c))
		}
		return
	}
	for i := 0; i < len(z); i += d {
		row, w := x.Data[i:i+d], z[i:i+d]
		for j, e := range k.decays[:d] {
			c := k.center[j]
			row[j] = math.FMA(k.roots[j], w[j], math.FMA(e, row[j]-c, c))
		}
	}
}
