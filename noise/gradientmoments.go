// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// GradientMoments estimates the mean and the covariance of gradients, one after the other, in
// (d+1)(d+2) numbers. The zero value is ready; the first gradient sets the dimension. Sums are
// taken about the first gradient, so that little cancels.
//
// Standard errors are those of independent gradients of one law.
type GradientMoments struct {
	n      float64
	center []float64
	first  []float64 // Σ δ,  δ = g − center
	second []float64 // Σ δδᵀ, upper triangle
	third  []float64 // Σ |δ|² δ
	fourth float64   // Σ |δ|⁴
	delta  []float64
}

const badGradient = "noise: gradient of another dimension"

// Add takes a gradient in. It panics if it is of another dimension than the first.
func (m *GradientMoments) Add(g []float64) {
	if m.center == nil {
		m.start(g)
	}
	if len(g) != len(m.center) {
		panic(badGradient)
	}
	m.n++
	var q float64
	for j, v := range g {
		m.delta[j] = v - m.center[j]
		q += float64(m.delta[j] * m.delta[j])
	}
	kernel.Axpy(m.first, 1, m.delta)
	rankOne(m.second, 1, m.delta)
	kernel.Axpy(m.third, q, m.delta)
	m.fourth += float64(q * q)
}

func (m *GradientMoments) start(center []float64) {
	d := len(center)
	m.center = append([]float64(nil), center...)
	m.first, m.third, m.delta = make([]float64, d), make([]float64, d), make([]float64, d)
	m.second = make([]float64, d*d)
}

// Merge takes in all that o has. It panics if that is of another dimension.
func (m *GradientMoments) Merge(o *GradientMoments) {
	if o.n == 0 {
		return
	}
	if m.center == nil {
		m.start(o.center)
	}
	d := len(m.center)
	if len(o.center) != d {
		panic(badGradient)
	}
	// δ about the other's center is δ + a about this one's.
	a := make([]float64, d)
	var p, s, q float64 // |a|², a·Σδ, Σ|δ|²
	for j := range a {
		a[j] = o.center[j] - m.center[j]
		p += float64(a[j] * a[j])
		s += float64(a[j] * o.first[j])
		q += o.second[j*d+j]
	}
	sa := make([]float64, d) // Σδδᵀ a
	var asa float64
	for i := range a {
		for j := range a {
			sa[i] += float64(o.second[min(i, j)*d+max(i, j)] * a[j])
		}
		asa += float64(a[i] * sa[i])
	}
	m.fourth += o.fourth + float64(4*asa) + float64(o.n*p*p) + float64(4*kernel.Dot(a, o.third)) + float64(2*p*q) + float64(4*p*s)
	for i := range a {
		m.third[i] += o.third[i] + float64(2*sa[i]) + float64(p*o.first[i]) + float64(a[i]*(q+float64(2*s)+float64(o.n*p)))
		m.first[i] += o.first[i] + float64(o.n*a[i])
		for j := i; j < d; j++ {
			m.second[i*d+j] += o.second[i*d+j] + float64(o.first[i]*a[j]) + float64(a[i]*o.first[j]) + float64(o.n*a[i]*a[j])
		}
	}
	m.n += o.n
}

// Count returns how many gradients there were.
func (m *GradientMoments) Count() int { return int(m.n) }

// Mean returns component j of the mean, with its standard error, NaN for one gradient. It panics if
// there is none, or no such component.
func (m *GradientMoments) Mean(j int) sde.Estimate {
	d := len(m.center)
	mean := m.first[j] / m.n
	v := (m.second[j*d+j] - float64(m.n*mean*mean)) / (m.n - 1)
	return sde.Estimate{Value: m.center[j] + mean, StdErr: math.Sqrt(v / m.n), Groups: int(m.n)}
}

// Covariance stores the covariance, with the divisor n − 1, into dst, d×d or empty. It is NaN for
// fewer than two gradients.
func (m *GradientMoments) Covariance(dst *mat.SymDense) {
	d := len(m.center)
	if dst.IsEmpty() && d > 0 {
		dst.ReuseAsSym(d)
	}
	if dst.SymmetricDim() != d {
		panic("noise: covariance of another dimension")
	}
	for i := range d {
		for j := i; j < d; j++ {
			dst.SetSym(i, j, (m.second[i*d+j]-float64(m.first[i]*m.first[j]/m.n))/(m.n-1))
		}
	}
}

// Spectrum returns the k largest eigenvalues of the covariance, in descending order, and
// their eigenvectors as the columns of a d×k matrix, from what was added and merged: TopSpectrum
// has those of a finite sum without forming Σ. Values are NaN for fewer than two
// gradients. It panics unless k is in 1 … d.
func (m *GradientMoments) Spectrum(k int) (values []float64, vectors *mat.Dense) {
	d := len(m.center)
	if k < 1 || d < k {
		panic("noise: number of eigenvalues out of range")
	}
	values, vectors = make([]float64, k), mat.NewDense(d, k, nil)
	var c mat.SymDense
	var e mat.EigenSym
	if m.n >= 2 {
		m.Covariance(&c)
	}
	if m.n < 2 || !e.Factorize(&c, true) {
		for i := range values {
			values[i] = math.NaN()
		}
		return values, vectors
	}
	all := e.Values(nil)
	var v mat.Dense
	e.VectorsTo(&v)
	for i := range values {
		values[i] = all[d-1-i]
		for j := range d {
			vectors.Set(j, i, v.At(j, d-1-i))
		}
	}
	return values, vectors
}

// Trace returns the trace of the covariance, and its standard error √(Var|g − E g|²/n); both are NaN
// for fewer than two gradients.
func (m *GradientMoments) Trace() sde.Estimate {
	if m.n < 2 {
		return sde.Estimate{Value: math.NaN(), StdErr: math.NaN(), Groups: int(m.n)}
	}
	d := len(m.center)
	var q, p, t, msm float64 // Σ|δ|², |m|², m·Σ|δ|²δ, mᵀ Σδδᵀ m with m the mean of δ
	for i := range d {
		mi := m.first[i] / m.n
		q += m.second[i*d+i]
		p += float64(mi * mi)
		t += float64(mi * m.third[i])
		for j := range d {
			msm += float64(mi * m.second[min(i, j)*d+max(i, j)] * m.first[j] / m.n)
		}
	}
	about := q - float64(m.n*p)                                                              // Σ|δ−m|²
	fourth := m.fourth + float64(4*msm) - float64(4*t) + float64(2*p*q) - float64(3*m.n*p*p) // Σ|δ−m|⁴
	v := math.Max(fourth/m.n-float64((about/m.n)*(about/m.n)), 0) / m.n                      // of the mean of |δ−m|²
	return sde.Estimate{Value: about / (m.n - 1), StdErr: math.Sqrt(v), Groups: int(m.n)}
}
