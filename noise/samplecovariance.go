// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SampleCovariance stores the covariance of the gradients of a finite sum's samples,
//
//	Σ(θ) = (1/N) Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ
//
// into dst, d×d or empty. It takes two passes over the samples. It panics if dst or theta
// is of another dimension.
func SampleCovariance(dst *mat.SymDense, l sde.FiniteSum, theta []float64) {
	d := l.Dim()
	if len(theta) != d {
		panic(badTheta)
	}
	if dst.IsEmpty() {
		dst.ReuseAsSym(d)
	}
	if dst.SymmetricDim() != d {
		panic("noise: covariance of another dimension")
	}
	storeCovariance(dst.RawSymmetric().Data, l, theta, 1)
}

// storeCovariance stores factor·Σ(θ) into dst, d×d.
func storeCovariance(dst []float64, l sde.FiniteSum, theta []float64, factor float64) {
	d, n := len(theta), l.Samples()
	if len(dst) != d*d {
		panic(badCovariance)
	}
	buf := scratch((together + 1) * d)
	defer pool.Put(buf)
	mean := (*buf)[:d]
	clear(mean)
	clear(dst)
	eachSample(l, theta, (*buf)[d:], func(_ int, g []float64) { kernel.Axpy(mean, 1/float64(n), g) })
	eachSample(l, theta, (*buf)[d:], func(_ int, g []float64) {
		kernel.Axpy(g, -1, mean)
		rankOne(dst, factor/float64(n), g)
	})
	symmetrise(dst, d)
}

// together is how many samples' gradients are taken at a time.
const together = 32

// eachSample calls f for each sample with its gradient at θ, which f may change. buf holds
// together·d numbers.
func eachSample(l sde.FiniteSum, theta, buf []float64, f func(i int, g []float64)) {
	d, n := len(theta), l.Samples()
	for from := 0; from < n; from += together {
		rows := min(together, n-from)
		g := sde.Batch{Data: buf[:rows*d], Rows: rows, Cols: d, Stride: d}
		sde.StoreSampleGradients(g, l, theta, from)
		for r := range rows {
			f(from+r, g.Row(r))
		}
	}
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
