// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SGDDiagonal is the diagonal of SGDNoise, without what correlates coordinates:
//
//	D(θ) = (η/2) diag C(θ),   b_j(θ) = √(η C_jj(θ))
//
// For mini-batches a root takes the gradients of all samples and dN operations.
type SGDDiagonal struct {
	Gradient     sde.GradientSampler // with the upgrade sde.GradientCovariance
	LearningRate float64             // η, finite and above 0
}

var (
	_ sde.Diffusion    = SGDDiagonal{}
	_ sde.DiagonalRoot = SGDDiagonal{}
)

// Validate returns an error as SGDNoise does.
func (n SGDDiagonal) Validate() error { return checkSGD("SGDDiagonal", n.Gradient, n.LearningRate) }

// Dims returns d, d with d the dimension of the loss, and −1, −1 without a sampler.
func (n SGDDiagonal) Dims() (state, noise int) { return SGDNoise(n).Dims() }

// Root stores the diagonal matrix of b_j into dst. It panics if dst is not of length d².
func (n SGDDiagonal) Root(dst, theta []float64, t float64) {
	d := len(theta)
	if len(dst) != d*d {
		panic(badRoot)
	}
	clear(dst[d:])
	n.DiagonalRoot(dst[:d], theta, t)
	for i := d - 1; i > 0; i-- {
		dst[i*d+i], dst[i] = dst[i], 0
	}
}

// DiagonalRoot stores b_j into dst. It panics if dst is not of length d.
func (n SGDDiagonal) DiagonalRoot(dst, theta []float64, _ float64) {
	d := len(theta)
	if len(dst) != d {
		panic(badDiagonal)
	}
	if b, ok := n.Gradient.(sde.Batched); ok {
		l, _ := b.Batches()
		terms{FiniteSum: l}.variances(dst, theta, b.CovarianceFactor())
	} else {
		buf := scratch(d * d)
		defer pool.Put(buf)
		storeC(n.Gradient, *buf, theta)
		for i := range dst {
			dst[i] = (*buf)[i*d+i]
		}
	}
	for i, v := range dst {
		dst[i] = math.Sqrt(v)
	}
	kernel.Scale(dst, math.Sqrt(n.LearningRate), dst)
}
