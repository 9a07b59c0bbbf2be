// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// Gaussian is the normal law N(μ, S) in any dimension, the stationary law of linear
// flows and of linear updates:
//
//	p(θ) = exp(−½ (θ−μ)ᵀ S⁻¹ (θ−μ)) / √((2π)ᵈ det S)
//
// It is safe for concurrent use.
type Gaussian struct {
	mean []float64
	cov  *mat.SymDense
	chol mat.Cholesky
	root *mat.TriDense // lower
}

var (
	_ Law    = (*Gaussian)(nil)
	_ Scorer = (*Gaussian)(nil)
	_ edged  = (*Gaussian)(nil)
)

// NewGaussian returns N(mean, covariance); a nil mean is 0. It returns an error
// unless all elements are finite and the covariance is positive definite.
func NewGaussian(mean []float64, covariance mat.Symmetric) (*Gaussian, error) {
	const field = "stationary: Gaussian covariance"
	if err := checkSymmetric(field, covariance); err != nil {
		return nil, err
	}
	d := covariance.SymmetricDim()
	g := &Gaussian{mean: slices.Clone(mean), cov: mat.NewSymDense(d, nil)}
	if mean == nil {
		g.mean = make([]float64, d)
	}
	if err := checkVector("stationary: Gaussian mean", g.mean, d); err != nil {
		return nil, err
	}
	g.cov.CopySym(covariance)
	if !g.chol.Factorize(g.cov) {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("a matrix of order %d that is not positive definite", d),
			Want: "one that is: where there is no noise in some direction the law has no density; project it on those that have"}
	}
	g.root = mat.NewTriDense(d, mat.Lower, nil)
	g.chol.LTo(g.root)
	return g, nil
}

func checkVector(field string, v []float64, d int) error {
	if len(v) != d {
		return &sde.SettingError{Field: field, Value: fmt.Sprintf("%d coordinates", len(v)), Want: fmt.Sprint(d), Err: sde.ErrDimension}
	}
	for i, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return &sde.SettingError{Field: fmt.Sprintf("%s[%d]", field, i), Value: x, Want: "a finite number"}
		}
	}
	return nil
}

// checkMatrix refuses a matrix that is nil, not square or not finite.
func checkMatrix(field string, m mat.Matrix) error {
	if m == nil {
		return &sde.SettingError{Field: field, Value: nil, Want: "a matrix"}
	}
	r, c := m.Dims()
	if r != c || r == 0 {
		return &sde.SettingError{Field: field, Value: fmt.Sprintf("a %d×%d matrix", r, c), Want: "a square one", Err: sde.ErrDimension}
	}
	for i := range r {
		for j := range c {
			if v := m.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return &sde.SettingError{Field: fmt.Sprintf("%s[%d,%d]", field, i, j), Value: v, Want: "a finite number"}
			}
		}
	}
	return nil
}

func checkSymmetric(field string, m mat.Symmetric) error {
	if m == nil {
		return &sde.SettingError{Field: field, Value: nil, Want: "a symmetric matrix"}
	}
	return checkMatrix(field, m)
}

// Dim returns d.
func (g *Gaussian) Dim() int { return len(g.mean) }

// Mean returns a copy of μ.
func (g *Gaussian) Mean() []float64 { return slices.Clone(g.mean) }

// Covariance returns a copy of S.
func (g *Gaussian) Covariance() *mat.SymDense {
	s := mat.NewSymDense(g.Dim(), nil)
	s.CopySym(g.cov)
	return s
}

// LogDensity returns log p(θ). It panics unless it is given d coordinates.
func (g *Gaussian) LogDensity(theta ...float64) float64 {
	z := g.whiten(theta)
	s := 0.0
	for _, v := range z {
		s += v * v
	}
	return -s/2 - float64(g.Dim())/2*math.Log(2*math.Pi) - g.chol.LogDet()/2
}

// whiten returns R⁻¹(θ−μ), S = RRᵀ.
func (g *Gaussian) whiten(theta []float64) []float64 {
	d := g.Dim()
	if len(theta) != d {
		panic(badDim)
	}
	z := make([]float64, d)
	for i := range d {
		z[i] = theta[i] - g.mean[i]
		for j := range i {
			z[i] -= g.root.At(i, j) * z[j]
		}
		z[i] /= g.root.At(i, i)
	}
	return z
}

// Score stores −S⁻¹(θ−μ) into dst. It panics if dst or theta is not of length d.
func (g *Gaussian) Score(dst, theta []float64) {
	d := g.Dim()
	if len(dst) != d {
		panic(badDim)
	}
	z := g.whiten(theta)
	for i := d - 1; i >= 0; i-- {
		for j := i + 1; j < d; j++ {
			z[i] -= g.root.At(j, i) * z[j]
		}
		z[i] /= g.root.At(i, i)
		dst[i] = -z[i]
	}
}

// Marginal returns the law of some coordinates, in the order given. It panics if
// there is no such coordinate, or none is named, or one twice.
func (g *Gaussian) Marginal(coordinates ...int) *Gaussian {
	rows := mat.NewDense(max(len(coordinates), 1), g.Dim(), nil)
	for k, i := range coordinates {
		if i < 0 || g.Dim() <= i || slices.Contains(coordinates[:k], i) {
			panic("stationary: no such coordinate")
		}
		rows.Set(k, i, 1)
	}
	if len(coordinates) == 0 {
		panic("stationary: no such coordinate")
	}
	return g.image(rows)
}

// Project returns the law of the number uᵀθ. It panics if u is not of length d or 0.
func (g *Gaussian) Project(u []float64) *Gaussian {
	if len(u) != g.Dim() {
		panic(badDim)
	}
	return g.image(mat.NewDense(1, len(u), slices.Clone(u)))
}

// image returns the law of Aθ.
func (g *Gaussian) image(a *mat.Dense) *Gaussian {
	n, _ := a.Dims()
	var mean mat.VecDense
	mean.MulVec(a, mat.NewVecDense(g.Dim(), slices.Clone(g.mean)))
	var t, s mat.Dense
	t.Mul(a, g.cov)
	s.Mul(&t, a.T())
	cov := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			cov.SetSym(i, j, s.At(i, j))
		}
	}
	p, err := NewGaussian(mean.RawVector().Data, cov)
	if err != nil {
		panic("stationary: projection on nothing")
	}
	return p
}

// KullbackLeibler returns KL(g‖p) = ∫ g log(g/p), 0 if the laws are the same. It
// panics if their dimensions differ.
func (g *Gaussian) KullbackLeibler(p *Gaussian) float64 {
	z := p.whiten(g.mean)
	s := 0.0
	for _, v := range z {
		s += v * v
	}
	var x mat.Dense
	if err := p.chol.SolveTo(&x, g.cov); err != nil && x.IsEmpty() {
		return math.Inf(1)
	}
	return (mat.Trace(&x) + s - float64(g.Dim()) + p.chol.LogDet() - g.chol.LogDet()) / 2
}

// Probability returns the probability of the box lo_i ≤ θ_i < hi_i. Coordinates
// whose sides are both infinite cost nothing. With up to three others it is
// integrated to about 1e-13, with more it is the mean over a lattice of 2¹⁵ points
// (Genz, 1992, Numerical computation of multivariate normal probabilities, J. Comp.
// Graph. Stat. 1, 141–149), good to about 1e-4 in ten dimensions; independent
// coordinates are multiplied. It panics if lo or hi is not of length d.
func (g *Gaussian) Probability(lo, hi []float64) float64 {
	d := g.Dim()
	if len(lo) != d || len(hi) != d {
		panic(badDim)
	}
	var bounded []int
	for i := range d {
		if !(lo[i] < hi[i]) {
			return 0
		}
		if !math.IsInf(lo[i], -1) || !math.IsInf(hi[i], 1) {
			bounded = append(bounded, i)
		}
	}
	if len(bounded) == 0 {
		return 1
	}
	m := g
	if len(bounded) < d {
		m = g.Marginal(bounded...)
	}
	n := len(bounded)
	a, b := make([]float64, n), make([]float64, n)
	independent := true
	for k, i := range bounded {
		a[k], b[k] = lo[i]-g.mean[i], hi[i]-g.mean[i]
		for j := range k {
			independent = independent && m.cov.At(k, j) == 0
		}
	}
	z := make([]float64, n)
	switch {
	case independent:
		p := 1.0
		for k := range n {
			s := m.root.At(k, k)
			p *= normalBetween(a[k]/s, b[k]/s)
		}
		return p
	case n <= 3:
		return m.nested(a, b, z, 0)
	}
	return m.lattice(a, b, z)
}

// limits returns the ends of z_k in the box, given those before it.
func (g *Gaussian) limits(a, b, z []float64, k int) (lo, hi float64) {
	m := 0.0
	for j := range k {
		m += g.root.At(k, j) * z[j]
	}
	s := g.root.At(k, k)
	return (a[k] - m) / s, (b[k] - m) / s
}

// nested integrates over z_k and those after it.
func (g *Gaussian) nested(a, b, z []float64, k int) float64 {
	lo, hi := g.limits(a, b, z, k)
	if k == len(z)-1 {
		return normalBetween(lo, hi)
	}
	const far = 9 // P(|z| > 9) = 2e-19
	lo, hi = math.Max(lo, -far), math.Min(hi, far)
	if !(lo < hi) {
		return 0
	}
	f := func(u float64) float64 {
		z[k] = u
		return math.Exp(-u*u/2) / math.Sqrt(2*math.Pi) * g.nested(a, b, z, k+1)
	}
	n := int(math.Ceil(hi - lo))
	sum := 0.0
	for i := range n {
		w := (hi - lo) / float64(n)
		sum += integral(f, lo+float64(i)*w, lo+float64(i+1)*w, 1e-14, 40)
	}
	return sum
}

// lattice averages Genz's integrand over Richtmyer's lattice, folded.
func (g *Gaussian) lattice(a, b, z []float64) float64 {
	const points = 1 << 15
	n := len(z)
	step := make([]float64, n)
	prime := 1
	for k := range step {
		for prime++; !isPrime(prime); prime++ {
		}
		step[k] = math.Mod(math.Sqrt(float64(prime)), 1)
	}
	sum := 0.0
	for i := range points {
		p := 1.0
		for k := range n {
			lo, hi := g.limits(a, b, z, k)
			mass := normalBetween(lo, hi)
			p *= mass
			if p == 0 {
				break
			}
			u := math.Abs(2*math.Mod((float64(i)+0.5)*step[k], 1) - 1)
			z[k] = normalWithin(lo, hi, mass, u)
		}
		sum += p
	}
	return sum / points
}

func isPrime(n int) bool {
	for k := 2; k*k <= n; k++ {
		if n%k == 0 {
			return false
		}
	}
	return true
}

// normalBetween returns P(a < z < b) of a standard normal.
func normalBetween(a, b float64) float64 {
	if a > 0 { // the tail that is small
		a, b = -b, -a
	}
	return (math.Erfc(-b/math.Sqrt2) - math.Erfc(-a/math.Sqrt2)) / 2
}

// normalWithin returns the place below which a share u of the mass of (a, b) lies.
func normalWithin(a, b, mass, u float64) float64 {
	if a > 0 {
		return -normalWithin(-b, -a, mass, 1-u)
	}
	p := math.Erfc(-a/math.Sqrt2)/2 + u*mass
	z := -math.Sqrt2 * math.Erfcinv(2*p)
	return math.Min(math.Max(z, a), b)
}

// edgeProbabilities implements edged.
func (g *Gaussian) edgeProbabilities(dst, edges []float64, coordinate int) {
	m, s := g.mean[coordinate], math.Sqrt(g.cov.At(coordinate, coordinate))
	for i := range dst {
		dst[i] = normalBetween((edges[i]-m)/s, (edges[i+1]-m)/s)
	}
}
