// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SGDNoise is the diffusion of the flow that models SGD with a sampler of gradients, from the
// covariance that the sampler declares:
//
//	D(θ) = (η/2) C(θ),   C = Cov g
//
// for mini-batches with replacement (η/2B) Σ(θ), without (η/2B) (N−B)/(N−1) Σ(θ), for noisy labels
// (ησ²/2B) H where they are interpolated, and so on. The root is B = √η K with C = K Kᵀ by
// Cholesky's method, lower triangular. A column is 0 where the pivot is less than d·2⁻⁵² of C's
// entry, as for a C of lower rank; where a pivot is small but not 0, that leaves an error in D of
// at most √(d·2⁻⁵²) of it.
//
// A root takes the gradients of all samples, and d²N + d³/3 operations. SGDColumns takes fewer
// samples, SGDDiagonal fewer operations, SGDTop fewer components of noise. GradientNoise adds any of
// them to a gradient. The bits are those of the loss's gradients.
//
// The drift of the flow is the caller's: where the sampler's mean is not ∇L, that of a flow of L is
// not its own. It refuses a sampler that declares no covariance, an infinite one, or noise that is
// correlated between steps; for that it takes the covariance of one that is not Batched at θ = 0.
type SGDNoise struct {
	Gradient     sde.GradientSampler // with the upgrade sde.GradientCovariance
	LearningRate float64             // η, finite and above 0
}

var _ sde.Diffusion = SGDNoise{}

// Validate returns an error if there is no sampler, it refuses itself, it has no covariance or
// correlated noise, or LearningRate is not positive and finite.
func (n SGDNoise) Validate() error { return checkSGD("SGDNoise", n.Gradient, n.LearningRate) }

// checkSGD returns an error unless a sampler has a finite covariance and white noise.
func checkSGD(name string, s sde.GradientSampler, rate float64) error {
	field := "noise: " + name + ".Gradient"
	if err := checkSampler(field, s); err != nil {
		return err
	}
	if err := checkWhite(field, s); err != nil {
		return err
	}
	if !is[sde.Batched](s) { // of mini-batches it is known, and can be large
		d := s.Objective().Dim()
		c := make([]float64, d*d)
		if !sde.GradientCovarianceOf(s, c, make([]float64, d)) {
			return &sde.SettingError{Field: field, Value: fmt.Sprintf("a %T without a covariance", s),
				Want: "a sampler that declares it, such as mini-batches of a finite sum", Err: sde.ErrUnsupported}
		}
		for i := range d {
			if math.IsInf(c[i*d+i], 1) {
				return &sde.SettingError{Field: field, Value: fmt.Sprintf("a %T of infinite variance", s),
					Want: "a sampler of finite variance", Err: sde.ErrUnsupported}
			}
		}
	}
	return positive("noise: "+name+".LearningRate", rate)
}

// Dims returns d, d with d the dimension of the loss, and −1, −1 without a sampler.
func (n SGDNoise) Dims() (state, noise int) {
	if n.Gradient == nil {
		return -1, -1
	}
	d := n.Gradient.Objective().Dim()
	return d, d
}

// Root stores √η K into dst. It panics if dst is not of length d².
func (n SGDNoise) Root(dst, theta []float64, _ float64) {
	d := len(theta)
	if len(dst) != d*d {
		panic(badRoot)
	}
	storeC(n.Gradient, dst, theta)
	cholesky(dst, d)
	kernel.Scale(dst, math.Sqrt(n.LearningRate), dst)
}

// storeC stores Cov g(θ) into dst, d×d.
func storeC(s sde.GradientSampler, dst, theta []float64) {
	if b, ok := s.(sde.Batched); ok {
		l, _ := b.Batches()
		terms{FiniteSum: l}.covariance(dst, theta, b.CovarianceFactor())
	} else if !sde.GradientCovarianceOf(s, dst, theta) {
		panic("noise: the covariance of a sampler is not known everywhere")
	}
}

// cholesky overwrites a positive semi-definite d×d matrix by its lower triangular root.
func cholesky(a []float64, d int) {
	tiny := float64(d) * 0x1p-52
	for j := range d {
		row := a[j*d : (j+1)*d]
		pivot := row[j] - kernel.Dot(row[:j], row[:j])
		if pivot <= float64(tiny*row[j]) {
			pivot = 0
		}
		root := math.Sqrt(pivot)
		for i := j + 1; i < d; i++ {
			other := a[i*d : (i+1)*d]
			if v := other[j] - kernel.Dot(row[:j], other[:j]); pivot > 0 {
				other[j] = v / root
			} else {
				other[j] = 0
			}
		}
		row[j] = root
		clear(row[j+1:])
	}
}
