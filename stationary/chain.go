// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/lyapunov"
	"github.com/sgflow/sgflow/sde"
)

// Chain is a linear update with Gaussian noise, what a scheme or an optimizer makes
// of a linear flow:
//
//	x′ = c + M (x−c) + ξ,   Cov ξ = V
//
// with a spectral radius of M below 1. It settles in N(c, S), S being the solution of
//
//	S = M S Mᵀ + V
//
// The noise need not be Gaussian for S to be its covariance. Of an update with memory,
// x is θ followed by the rest of the state (momenta, noise used again): the law of θ
// is the Marginal of its coordinates.
type Chain struct {
	m      *mat.Dense
	s      *mat.SymDense
	center []float64
	radius float64
}

// NewChain returns the chain of M, V and the centre; a nil centre is 0. It returns an
// error unless V is positive semi-definite and the chain is stable.
func NewChain(m mat.Matrix, v mat.Symmetric, center []float64) (*Chain, error) {
	if err := checkMatrix("stationary: Chain matrix", m); err != nil {
		return nil, err
	}
	if err := checkSymmetric("stationary: Chain noise", v); err != nil {
		return nil, err
	}
	n, _ := m.Dims()
	if k := v.SymmetricDim(); k != n {
		return nil, &sde.SettingError{Field: "stationary: Chain noise", Value: fmt.Sprintf("a matrix of order %d", k), Want: fmt.Sprintf("%d, that of the matrix", n), Err: sde.ErrDimension}
	}
	if err := checkSemidefinite("stationary: Chain noise", v); err != nil {
		return nil, err
	}
	c := &Chain{m: mat.DenseCopyOf(m), center: make([]float64, n)}
	if center != nil {
		if err := checkVector("stationary: Chain center", center, n); err != nil {
			return nil, err
		}
		copy(c.center, center)
	}
	s, radius, ok := lyapunov.Discrete(m, v)
	if !ok {
		return nil, &sde.SettingError{Field: "stationary: Chain matrix", Value: fmt.Sprintf("a matrix of spectral radius %.6g", radius),
			Want: "below 1: otherwise the chain diverges or never forgets; take a smaller step", Err: sde.ErrNotNormalizable}
	}
	c.s, c.radius = s, radius
	return c, nil
}

// AffineChain returns the chain of any update that is affine in the state and in
// standard normals, found by applying it to unit vectors: step is given a state of d
// numbers and m independent standard normals and stores the next state into dst. So
// the exact law of any scheme or optimizer without feedback on a linear problem is
// had from the code that runs it. It returns an error if step is not affine, or the
// chain not stable.
func AffineChain(step func(dst, x, xi []float64), d, m int) (*Chain, error) {
	if step == nil {
		return nil, &sde.SettingError{Field: "stationary: AffineChain step", Value: nil, Want: "a function"}
	}
	if d < 1 || m < 1 {
		return nil, &sde.SettingError{Field: "stationary: AffineChain dimensions", Value: fmt.Sprintf("%d, %d", d, m), Want: "at least one coordinate and one normal", Err: sde.ErrDimension}
	}
	x, xi := make([]float64, d), make([]float64, m)
	apply := func() []float64 {
		dst := make([]float64, d)
		step(dst, append([]float64(nil), x...), append([]float64(nil), xi...))
		return dst
	}
	zero := apply()
	a, n := mat.NewDense(d, d, nil), mat.NewDense(d, m, nil)
	for j := range d {
		x[j] = 1
		for i, v := range apply() {
			a.Set(i, j, v-zero[i])
		}
		x[j] = 0
	}
	for k := range m {
		xi[k] = 1
		for i, v := range apply() {
			n.Set(i, k, v-zero[i])
		}
		xi[k] = 0
	}
	// A third place, where an affine step is known.
	for j := range x {
		x[j] = 1.5 - float64(j%5)*0.75
	}
	for k := range xi {
		xi[k] = -0.75 + float64(k%3)
	}
	for i, v := range apply() {
		want, size := zero[i], math.Abs(zero[i])
		for j := range x {
			want += a.At(i, j) * x[j]
			size += math.Abs(a.At(i, j) * x[j])
		}
		for k := range xi {
			want += n.At(i, k) * xi[k]
			size += math.Abs(n.At(i, k) * xi[k])
		}
		if !(math.Abs(v-want) <= 1e-10*size) {
			return nil, &sde.SettingError{Field: "stationary: AffineChain step", Value: fmt.Sprintf("%.6g at coordinate %d where an affine step gives %.6g", v, i, want),
				Want: "a step that is affine in the state and in the normals", Err: sde.ErrUnsupported}
		}
	}
	v := mat.NewSymDense(d, nil)
	v.SymOuterK(1, n)
	c, err := NewChain(a, v, nil)
	if err != nil {
		return nil, err
	}
	// The centre solves (I − M) c = step(0, 0).
	im := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			im.Set(i, j, -a.At(i, j))
		}
		im.Set(i, i, im.At(i, i)+1)
	}
	if err := mat.NewVecDense(d, c.center).SolveVec(im, mat.NewVecDense(d, zero)); err != nil {
		if _, ill := err.(mat.Condition); !ill {
			return nil, err
		}
	}
	return c, nil
}

// Dim returns the number of coordinates of the state.
func (c *Chain) Dim() int { return len(c.center) }

// Covariance returns a copy of S.
func (c *Chain) Covariance() *mat.SymDense {
	s := mat.NewSymDense(c.Dim(), nil)
	s.CopySym(c.s)
	return s
}

// SpectralRadius returns that of M: correlations fall by it a step.
func (c *Chain) SpectralRadius() float64 { return c.radius }

// Law returns N(c, S), or an error if S is singular.
func (c *Chain) Law() (*Gaussian, error) { return NewGaussian(c.center, c.s) }

// Autocovariance returns E (x_n−c)(x_0−c)ᵀ = Mⁿ S in the stationary state. It panics if
// n is negative.
func (c *Chain) Autocovariance(n int) *mat.Dense {
	if n < 0 {
		panic("stationary: negative lag")
	}
	var p, s mat.Dense
	p.Pow(c.m, n)
	s.Mul(&p, c.s)
	return &s
}

// AverageCovariance returns the covariance of the mean of n successive states in the
// stationary state,
//
//	Cov((1/n) Σ_k x_k) = (1/n²) Σ_jk C(j−k)
//
// which for large n is (1/n)((I−M)⁻¹ V (I−M)⁻ᵀ). It panics unless n is at least 1.
func (c *Chain) AverageCovariance(n int) *mat.SymDense {
	if n < 1 {
		panic("stationary: mean of no states")
	}
	d := c.Dim()
	// Σ_{k<n} (n−k) Mᵏ by recurrence: T_n = Σ_{m≤n} G_m with G_m = Σ_{k<m} Mᵏ.
	geometric, sum := mat.NewDense(d, d, nil), mat.NewDense(d, d, nil)
	for range n {
		var next mat.Dense
		next.Mul(c.m, geometric)
		for i := range d {
			next.Set(i, i, next.At(i, i)+1)
		}
		geometric.Copy(&next)
		sum.Add(sum, geometric)
	}
	var t mat.Dense
	t.Mul(sum, c.s)
	s := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			s.SetSym(i, j, (t.At(i, j)+t.At(j, i)-float64(n)*c.s.At(i, j))/float64(n)/float64(n))
		}
	}
	return s
}

// EulerMaruyama returns the chain of that scheme at step h,
//
//	M = I − hA,   V = 2hD
//
// It returns an error unless h is a positive number at which the scheme is stable.
func (l *Linear) EulerMaruyama(h float64) (*Chain, error) {
	m, err := l.polynomial("EulerMaruyama", h, 1, -1)
	if err != nil {
		return nil, err
	}
	return NewChain(m, l.noise(h, nil), l.center)
}

// StochasticHeun returns the chain of that scheme, which averages the drift at the
// start and at the end of a step of Euler–Maruyama with the same noise:
//
//	M = I − hA + h²A²/2,   V = 2h (I − hA/2) D (I − hA/2)ᵀ
func (l *Linear) StochasticHeun(h float64) (*Chain, error) {
	m, err := l.polynomial("StochasticHeun", h, 1, -1, 0.5)
	if err != nil {
		return nil, err
	}
	n, err := l.polynomial("StochasticHeun", h, 1, -0.5)
	if err != nil {
		return nil, err
	}
	return NewChain(m, l.noise(h, n), l.center)
}

// LeimkuhlerMatthews returns the chain of that scheme,
//
//	θ′ = θ − hA(θ−c) + √h B (R + R′)/2
//
// whose state is θ and, as it uses the noise again, √h B R: its first d coordinates
// are θ.
func (l *Linear) LeimkuhlerMatthews(h float64) (*Chain, error) {
	p, err := l.polynomial("LeimkuhlerMatthews", h, 1, -1)
	if err != nil {
		return nil, err
	}
	n := l.Dim()
	m, v, center := mat.NewDense(2*n, 2*n, nil), mat.NewSymDense(2*n, nil), make([]float64, 2*n)
	copy(center, l.center)
	for i := range n {
		m.Set(i, n+i, 0.5)
		for j := range n {
			m.Set(i, j, p.At(i, j))
			noise := 2 * h * l.d.At(i, j)
			v.SetSym(i, n+j, noise/2)
			if i <= j {
				v.SetSym(i, j, noise/4)
				v.SetSym(n+i, n+j, noise)
			}
		}
	}
	return NewChain(m, v, center)
}

// Sampled returns the chain of the flow itself seen at times h apart,
//
//	M = e^(−hA),   V = S − M S Mᵀ
func (l *Linear) Sampled(h float64) (*Chain, error) {
	if _, err := l.polynomial("Sampled", h); err != nil {
		return nil, err
	}
	c := &Chain{m: l.propagator(h), s: l.Covariance(), center: append([]float64(nil), l.center...)}
	var e mat.Eigen
	if e.Factorize(l.a, mat.EigenNone) {
		slowest := math.Inf(1)
		for _, v := range e.Values(nil) {
			slowest = math.Min(slowest, real(v))
		}
		c.radius = math.Exp(-h * slowest)
	}
	return c, nil
}

// polynomial returns Σ_k c_k (hA)^k.
func (l *Linear) polynomial(scheme string, h float64, c ...float64) (*mat.Dense, error) {
	if !(h > 0) || math.IsInf(h, 0) {
		return nil, &sde.SettingError{Field: "stationary: Linear." + scheme + " step", Value: h, Want: "a finite number above 0"}
	}
	n := l.Dim()
	m := mat.NewDense(n, n, nil)
	for k := len(c) - 1; k >= 0; k-- {
		var next mat.Dense
		next.Mul(l.a, m)
		next.Scale(h, &next)
		for i := range n {
			next.Set(i, i, next.At(i, i)+c[k])
		}
		m.Copy(&next)
	}
	return m, nil
}

// noise returns 2h N D Nᵀ; a nil N is I.
func (l *Linear) noise(h float64, n *mat.Dense) *mat.SymDense {
	v := mat.NewSymDense(l.Dim(), nil)
	if n == nil {
		v.ScaleSym(2*h, l.d)
		return v
	}
	var t, s mat.Dense
	t.Mul(n, l.d)
	s.Mul(&t, n.T())
	for i := range l.Dim() {
		for j := i; j < l.Dim(); j++ {
			v.SetSym(i, j, 2*h*(s.At(i, j)+s.At(j, i))/2)
		}
	}
	return v
}
