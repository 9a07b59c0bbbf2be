// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// GaussianMixture is the negative log density of a mixture of normal laws,
//
//	L(θ) = −log Σ_k w_k N(θ; μ_k, Σ_k)
//
// whose flow at T = 1 settles in the mixture itself, with the probability w_k for each
// part. NewGaussianMixture makes it; the zero value is not valid.
//
// Its critical points are known in one dimension, and of two parts in any: there they
// lie on the curve of points (αP₂ + (1−α)P₁)⁻¹(αP₂μ₂ + (1−α)P₁μ₁), P = Σ⁻¹, 0 < α < 1
// (S. Ray & B. Lindsay, 2005, The topography of multivariate normal mixtures, Annals of
// Statistics 33, 2042–2065, theorem 1).
type GaussianMixture struct {
	d         int
	weights   []float64 // of sum 1
	means     [][]float64
	precision [][]float64 // Σ_k⁻¹, row-major
	height    []float64   // log(w_k / √det(2πΣ_k))
	points    []sde.CriticalPoint
}

var (
	_ sde.Loss          = (*GaussianMixture)(nil)
	_ sde.BatchGradient = (*GaussianMixture)(nil)
	_ sde.Hessian       = (*GaussianMixture)(nil)
	_ sde.Laplacian     = (*GaussianMixture)(nil)
	_ sde.Normalizable  = (*GaussianMixture)(nil)
	_ sde.Curvature     = (*GaussianMixture)(nil)
	_ sde.Charted       = (*GaussianMixture)(nil)
)

// NewGaussianMixture returns a mixture of as many parts as there are means, all of one
// dimension. Weights are scaled to the sum 1; nil means equal ones. Covariances nil, or
// one of them, means the identity. All is copied. It returns an *sde.SettingError if lengths do
// not match, a weight is not positive, a mean not finite or a covariance not positive
// definite.
func NewGaussianMixture(weights []float64, means [][]float64, covariances []mat.Symmetric) (*GaussianMixture, error) {
	bad := func(field string, value any, want string, err error) (*GaussianMixture, error) {
		return nil, &sde.SettingError{Field: "loss: GaussianMixture " + field, Value: value, Want: want, Err: err}
	}
	n := len(means)
	if n == 0 || len(means[0]) == 0 {
		return bad("means", means, "at least one, of at least one coordinate", sde.ErrDimension)
	}
	if weights != nil && len(weights) != n {
		return bad("weights", fmt.Sprintf("%d of them", len(weights)), fmt.Sprintf("%d, one a mean, or nil for equal ones", n), sde.ErrDimension)
	}
	if covariances != nil && len(covariances) != n {
		return bad("covariances", fmt.Sprintf("%d of them", len(covariances)), fmt.Sprintf("%d, one a mean, or nil for the identity", n), sde.ErrDimension)
	}
	d := len(means[0])
	l := &GaussianMixture{d: d}
	var sum float64
	for k := range n {
		w := 1.0
		if weights != nil {
			w = weights[k]
		}
		if !(w > 0) || math.IsInf(w, 1) {
			return bad(fmt.Sprintf("weights[%d]", k), w, "a finite number above 0", nil)
		}
		sum += w
		l.weights = append(l.weights, w)
	}
	for k, m := range means {
		l.weights[k] /= sum
		if err := checkVector(fmt.Sprintf("GaussianMixture means[%d]", k), m, d); err != nil {
			return nil, err
		}
		l.means = append(l.means, append([]float64(nil), m...))
		p := make([]float64, d*d)
		logDet := 0.0
		if covariances == nil || covariances[k] == nil {
			for i := range d {
				p[i*d+i] = 1
			}
		} else {
			if c := covariances[k].SymmetricDim(); c != d {
				return bad(fmt.Sprintf("covariances[%d]", k), fmt.Sprintf("a matrix of size %d", c), fmt.Sprintf("%d, the dimension of the means", d), sde.ErrDimension)
			}
			var ok bool
			if logDet, ok = invert(p, covariances[k]); !ok {
				return bad(fmt.Sprintf("covariances[%d]", k), mat.Formatted(covariances[k], mat.Squeeze()), "a positive definite matrix", nil)
			}
		}
		l.precision = append(l.precision, p)
		l.height = append(l.height, kernel.Log1(l.weights[k])-float64((logDet+float64(float64(d)*kernel.Log1(2*math.Pi)))/2))
	}
	l.points = l.chart()
	return l, nil
}

// invert stores the inverse of a symmetric matrix into dst and returns the logarithm of its
// determinant, or false if it is not positive definite. It is Cholesky's, and not gonum's
// since those bits differ between machines: a mixture's decide a run's.
func invert(dst []float64, c mat.Symmetric) (logDet float64, ok bool) {
	d := c.SymmetricDim()
	w := make([]float64, d*d) // the lower factor, then its inverse
	for i := range d {
		for j := range i + 1 {
			s := c.At(i, j)
			for k := range j {
				s = math.FMA(-w[i*d+k], w[j*d+k], s)
			}
			if i != j {
				w[i*d+j] = s / w[j*d+j]
				continue
			}
			if !(s > 0) || math.IsInf(s, 1) {
				return 0, false
			}
			w[i*d+i] = math.Sqrt(s)
			logDet += kernel.Log1(s)
		}
	}
	for j := range d {
		w[j*d+j] = 1 / w[j*d+j]
		for i := j + 1; i < d; i++ {
			var s float64
			for k := j; k < i; k++ {
				s = math.FMA(-w[i*d+k], w[k*d+j], s)
			}
			w[i*d+j] = s / w[i*d+i]
		}
	}
	for i := range d {
		for j := range i + 1 {
			var s float64
			for k := i; k < d; k++ {
				s = math.FMA(w[k*d+i], w[k*d+j], s)
			}
			dst[i*d+j], dst[j*d+i] = s, s
		}
	}
	return logDet, true
}

// Validate returns an error for a mixture that NewGaussianMixture did not make.
func (l *GaussianMixture) Validate() error {
	if l == nil || l.d == 0 {
		return &sde.SettingError{Field: "loss: GaussianMixture", Value: "no parts", Want: "one made by NewGaussianMixture"}
	}
	return nil
}

// Dim returns d.
func (l *GaussianMixture) Dim() int { return l.d }

// Weights returns a copy of the weights, of sum 1.
func (l *GaussianMixture) Weights() []float64 { return append([]float64(nil), l.weights...) }

// push returns element i of P_k(θ − μ_k).
func (l *GaussianMixture) push(k, i int, theta []float64) float64 {
	var s float64
	mu := l.means[k]
	for j, p := range l.precision[k][i*l.d : (i+1)*l.d] {
		s = math.FMA(p, theta[j]-mu[j], s)
	}
	return s
}

// exponent returns log w_k N(θ; μ_k, Σ_k).
func (l *GaussianMixture) exponent(k int, theta []float64) float64 {
	var q float64
	for i, x := range theta {
		q = math.FMA(x-l.means[k][i], l.push(k, i, theta), q)
	}
	return math.FMA(-0.5, q, l.height[k])
}

// highest returns the largest exponent.
func (l *GaussianMixture) highest(theta []float64) float64 {
	top := math.Inf(-1)
	for k := range l.means {
		top = max(top, l.exponent(k, theta))
	}
	return top
}

// Value returns L. It panics if theta is not of length d.
func (l *GaussianMixture) Value(theta []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	top := l.highest(theta)
	var s float64
	for k := range l.means {
		s += kernel.Exp1(l.exponent(k, theta) - top)
	}
	return -top - kernel.Log1(s)
}

// Gradient stores ∇L into dst, the mean of P_k(θ − μ_k) over the parts, each by its share
// of the density at θ. It panics if dst or theta is not of length d.
func (l *GaussianMixture) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.d)
	top := l.highest(theta)
	var s float64
	clear(dst)
	for k := range l.means {
		e := kernel.Exp1(l.exponent(k, theta) - top)
		s += e
		for i := range dst {
			dst[i] = math.FMA(e, l.push(k, i, theta), dst[i])
		}
	}
	for i := range dst {
		dst[i] /= s
	}
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l *GaussianMixture) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.d)
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the d×d matrix of second derivatives into dst, with r_k the shares and
// g_k = P_k(θ − μ_k),
//
//	∂²L = Σ_k r_k (P_k − g_k g_kᵀ) + ∇L ∇Lᵀ
//
// It panics if dst is not of length d² or theta not of length d.
func (l *GaussianMixture) Hessian(dst, theta []float64) {
	d := l.d
	checkHessian(dst, theta, d)
	data := borrow(2 * d)
	defer scratch.Put(data)
	mean, g := (*data)[:d], (*data)[d:]
	clear(mean)
	clear(dst)
	top := l.highest(theta)
	var s float64
	for k := range l.means {
		e := kernel.Exp1(l.exponent(k, theta) - top)
		s += e
		for i := range g {
			g[i] = l.push(k, i, theta)
			mean[i] = math.FMA(e, g[i], mean[i])
		}
		for i := range g {
			for j := range g {
				dst[i*d+j] = math.FMA(e, l.precision[k][i*d+j]-float64(g[i]*g[j]), dst[i*d+j])
			}
		}
	}
	for i := range mean {
		mean[i] /= s
	}
	for i := range mean {
		for j := range i + 1 {
			h := math.FMA(mean[i], mean[j], (dst[i*d+j]/2+dst[j*d+i]/2)/s)
			dst[i*d+j], dst[j*d+i] = h, h
		}
	}
}

// Laplacian returns the trace of the Hessian. It panics if theta is not of length d.
func (l *GaussianMixture) Laplacian(theta []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	h := borrow(l.d * l.d)
	defer scratch.Put(h)
	l.Hessian(*h, theta)
	var s float64
	for i := range l.d {
		s += (*h)[i*l.d+i]
	}
	return s
}

// Curvature returns the largest eigenvalue of the Hessian at the minima, 0 where these
// are not known.
func (l *GaussianMixture) Curvature() float64 { return sharpest(l) }

// Normalizable reports whether temperature is above 0.
func (*GaussianMixture) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns all in one dimension, or of up to two parts; otherwise nil.
func (l *GaussianMixture) CriticalPoints() []sde.CriticalPoint { return l.points }

// chart finds the critical points on a curve that holds them all: the line between the
// outermost means in one dimension, Ray and Lindsay's otherwise.
func (l *GaussianMixture) chart() []sde.CriticalPoint {
	d, n := l.d, len(l.means)
	switch {
	case n == 1:
		return l.describe([][]float64{l.means[0]})
	case d == 1:
		lo, hi, width := l.means[0][0], l.means[0][0], math.Inf(1)
		for k, m := range l.means {
			lo, hi = min(lo, m[0]), max(hi, m[0])
			width = min(width, 1/math.Sqrt(l.precision[k][0]))
		}
		// The gradient is negative at lo and positive at hi, or the means are one.
		cells := int(min(max(64*(hi-lo)/width, 1), 1e6))
		var g [1]float64
		at := func(x float64) float64 {
			l.Gradient(g[:], []float64{x})
			return g[0]
		}
		if hi == lo {
			return l.describe([][]float64{{lo}})
		}
		var points [][]float64
		for _, x := range zeros(at, lo, hi, cells) {
			points = append(points, []float64{x})
		}
		return l.describe(points)
	case n == 2:
		// A point of the curve is critical if α is the second part's share of the
		// density: log α/(1−α) is the difference of the exponents, in which α is taken.
		x, err := make([]float64, d), error(nil)
		place := func(logit float64) []float64 {
			alpha := 1 / (1 + math.Exp(-logit))
			rest := 1 / (1 + math.Exp(logit))
			a, b := mat.NewDense(d, d, nil), mat.NewVecDense(d, nil)
			for i := range d {
				var s float64
				for j := range d {
					p, q := float64(rest*l.precision[0][i*d+j]), float64(alpha*l.precision[1][i*d+j])
					a.Set(i, j, p+q)
					s += float64(p*l.means[0][j]) + float64(q*l.means[1][j])
				}
				b.SetVec(i, s)
			}
			var v mat.VecDense
			if e := v.SolveVec(a, b); e != nil {
				err = e
			}
			copy(x, v.RawVector().Data)
			return x
		}
		gap := func(logit float64) float64 {
			p := place(logit)
			return logit - (l.exponent(1, p) - l.exponent(0, p))
		}
		far := 10.0 + max(math.Abs(l.exponent(1, l.means[0])-l.exponent(0, l.means[0])), math.Abs(l.exponent(1, l.means[1])-l.exponent(0, l.means[1])))
		var points [][]float64
		// What changes does so within some units of 0, or of an end that is far off.
		for _, s := range zeros(func(u float64) float64 { return gap(math.Sinh(u)) }, -math.Asinh(far), math.Asinh(far), 20_000) {
			points = append(points, append([]float64(nil), place(math.Sinh(s))...))
		}
		if err != nil {
			return nil
		}
		return l.describe(points)
	}
	return nil
}

// zeros returns where f changes its sign between lo and hi, to the last place, looked for
// in so many cells of equal size.
func zeros(f func(float64) float64, lo, hi float64, cells int) []float64 {
	var all []float64
	x, y := lo, f(lo)
	for i := 1; i <= cells; i++ {
		next := lo + float64((hi-lo)*float64(i)/float64(cells))
		value := f(next)
		if y == 0 {
			all = append(all, x)
		} else if y < 0 != (value < 0) && value != 0 {
			a, b := x, next
			for {
				m := a + float64((b-a)/2)
				if m <= a || m >= b {
					break
				}
				if f(m) < 0 == (y < 0) {
					a = m
				} else {
					b = m
				}
			}
			all = append(all, b)
		}
		x, y = next, value
	}
	if y == 0 {
		all = append(all, x)
	}
	return all
}

// describe polishes places by Newton's method and adds values and indices, the minima first.
func (l *GaussianMixture) describe(places [][]float64) []sde.CriticalPoint {
	d := l.d
	var all []sde.CriticalPoint
	h, g := make([]float64, d*d), make([]float64, d)
	for _, x := range places {
		x = append([]float64(nil), x...)
		for range 3 {
			l.Gradient(g, x)
			l.Hessian(h, x)
			var step mat.VecDense
			if step.SolveVec(mat.NewDense(d, d, h), mat.NewVecDense(d, g)) != nil {
				break
			}
			for i := range x {
				x[i] -= step.AtVec(i)
			}
		}
		l.Hessian(h, x)
		var e mat.EigenSym
		if !e.Factorize(mat.NewSymDense(d, h), false) {
			return nil
		}
		p := sde.CriticalPoint{Theta: x, Value: l.Value(x)}
		for _, v := range e.Values(nil) {
			if v < 0 {
				p.Index++
			}
		}
		all = append(all, p)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Index < all[j].Index })
	return all
}
