// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// terms are a finite sum whose samples' gradients are changed; the loss and its gradient are not.
// It is passed by value, so that nothing is allocated.
type terms struct {
	sde.FiniteSum
	norm    float64 // clip to it, if it is above 0
	outputs bool    // ∇f_i in the place of ∇ℓ_i

	// plain ∇ℓ_i + other times the mean of those of the other labels + one times that of the
	// label flip places on, unless all are 0.
	plain, other, one float64
	flip              int
}

func (t terms) SampleGradient(dst, theta []float64, i int) {
	t.SampleGradients(sde.Batch{Data: dst, Rows: 1, Cols: len(dst), Stride: len(dst)}, theta, i)
}

func (t terms) SampleGradients(dst sde.Batch, theta []float64, from int) {
	switch {
	case t.outputs:
		o := t.FiniteSum.(sde.OutputGradient)
		for r := range dst.Rows {
			o.OutputGradient(dst.Row(r), theta, from+r)
		}
	case t.plain != 0 || t.other != 0 || t.one != 0:
		f := t.FiniteSum.(sde.FlippedGradient)
		buf, others := scratch(dst.Cols), f.Classes()-1
		defer pool.Put(buf)
		for r := range dst.Rows {
			g := dst.Row(r)
			t.FiniteSum.SampleGradient(g, theta, from+r)
			kernel.Scale(g, t.plain, g)
			for k := 1; k <= others; k++ {
				a := t.other / float64(others)
				if k == t.flip {
					a += t.one
				}
				if a != 0 {
					f.FlippedGradient(*buf, theta, from+r, k)
					kernel.Axpy(g, a, *buf)
				}
			}
		}
	default:
		sde.StoreSampleGradients(dst, t.FiniteSum, theta, from)
	}
	if t.norm > 0 {
		for r := range dst.Rows {
			clip(dst.Row(r), t.norm)
		}
	}
}

// clip shortens g to the norm c if it is longer.
func clip(g []float64, c float64) {
	var q float64
	for _, v := range g {
		q += float64(v * v)
	}
	if n := math.Sqrt(q); n > c {
		for i := range g {
			g[i] *= c / n
		}
	}
}

// together is how many samples' gradients are taken at a time.
const together = 32

// each calls f for each sample with its gradient at θ, which f may change. buf holds
// together·d numbers.
func (t terms) each(theta, buf []float64, f func(i int, g []float64)) {
	d, n := len(theta), t.Samples()
	for from := 0; from < n; from += together {
		rows := min(together, n-from)
		g := sde.Batch{Data: buf[:rows*d], Rows: rows, Cols: d, Stride: d}
		t.SampleGradients(g, theta, from)
		for r := range rows {
			f(from+r, g.Row(r))
		}
	}
}

// mean stores the mean gradient into dst.
func (t terms) mean(dst, theta []float64) {
	if len(dst) != len(theta) {
		panic(badTheta)
	}
	buf := scratch(together * len(theta))
	defer pool.Put(buf)
	clear(dst)
	t.each(theta, *buf, func(_ int, g []float64) { kernel.Axpy(dst, 1, g) })
	kernel.Scale(dst, 1/float64(t.Samples()), dst)
}

// covariance stores factor times the covariance of the gradients over the samples into dst, d×d.
func (t terms) covariance(dst, theta []float64, factor float64) {
	d := len(theta)
	if len(dst) != d*d {
		panic(badCovariance)
	}
	buf := scratch((together + 1) * d)
	defer pool.Put(buf)
	mean := (*buf)[:d]
	t.mean(mean, theta)
	clear(dst)
	t.each(theta, (*buf)[d:], func(_ int, g []float64) {
		kernel.Axpy(g, -1, mean)
		rankOne(dst, factor/float64(t.Samples()), g)
	})
	symmetrise(dst, d)
}

// variances stores factor times the diagonal of the covariance into dst.
func (t terms) variances(dst, theta []float64, factor float64) {
	d := len(theta)
	buf := scratch((together + 1) * d)
	defer pool.Put(buf)
	mean := (*buf)[:d]
	t.mean(mean, theta)
	clear(dst)
	t.each(theta, (*buf)[d:], func(_ int, g []float64) {
		kernel.Axpy(g, -1, mean)
		kernel.Mul(g, g, g)
		kernel.Axpy(dst, factor/float64(t.Samples()), g)
	})
}

// addSecondMoment adds a times the mean of gᵢgᵢᵀ to dst.
func (t terms) addSecondMoment(dst, theta []float64, a float64) {
	buf := scratch(together * len(theta))
	defer pool.Put(buf)
	t.each(theta, *buf, func(_ int, g []float64) { rankOne(dst, a/float64(t.Samples()), g) })
	symmetrise(dst, len(theta))
}

// rankOne adds a g gᵀ to the upper triangle of dst.
func rankOne(dst []float64, a float64, g []float64) {
	d := len(g)
	for i, v := range g {
		kernel.Axpy(dst[i*d+i:(i+1)*d], a*v, g[i:])
	}
}

// symmetrise copies the upper triangle of a d×d matrix to the lower.
func symmetrise(dst []float64, d int) {
	for i := range d {
		for j := range i {
			dst[i*d+j] = dst[j*d+i]
		}
	}
}
