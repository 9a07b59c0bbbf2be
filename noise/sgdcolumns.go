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

// SGDColumns is the diffusion of SGDNoise for mini-batches, with a root of m columns, the gradients
// of m of the N samples about their mean:
//
//	B_k(θ) = √(η f (N−1)/(N(m−1))) (∇ℓ_k − ḡ_m),   D̂ = ½BBᵀ = (η/2) f Σ̂_m(θ)
//
// with f the factor of the batches and Σ̂_m the estimate of Σ(θ) by these samples, unbiased over
// their choice. For m = N it is exact, for fewer off by some √(2/m) in each direction, the same way
// all the time. A root takes m gradients and has a rank of at most m − 1. It changes smoothly with
// θ, as gradients do. Use NewSGDColumns.
type SGDColumns struct {
	loss    sde.FiniteSum
	samples []int
	scale   float64
}

var _ sde.Diffusion = (*SGDColumns)(nil)

// NewSGDColumns returns the diffusion of a sampler and a learning rate η with m of its samples,
// chosen by the seed, each set as likely as any; 0 means all. It returns an error if the sampler
// refuses itself or its noise is correlated between steps, η is not positive and finite, or m is
// neither 0 nor in 2 … N.
func NewSGDColumns(gradient sde.Batched, learningRate float64, m int, seed uint64) (*SGDColumns, error) {
	if err := checkSGD("NewSGDColumns", gradient, learningRate); err != nil {
		return nil, err
	}
	l, _ := gradient.Batches()
	n := l.Samples()
	if m == 0 {
		m = n
	}
	if m < min(2, n) || n < m {
		return nil, &sde.SettingError{Field: "noise: NewSGDColumns m", Value: m, Want: fmt.Sprintf("2 to %d, the number of samples, or 0 for all", n)}
	}
	c := &SGDColumns{loss: l, samples: make([]int, n)}
	for i := range c.samples {
		c.samples[i] = i
	}
	stream := sde.NewStream(seed, nil)
	stream.At(sde.Starts, 0, 0)
	var k [1]uint32
	for i := range m {
		if m < n {
			stream.Indices(k[:], n-i)
			j := i + int(k[0])
			c.samples[i], c.samples[j] = c.samples[j], c.samples[i]
		}
	}
	c.samples = c.samples[:m]
	if n > 1 {
		c.scale = math.Sqrt(learningRate * gradient.CovarianceFactor() * float64(n-1) / float64(n) / float64(m-1))
	}
	return c, nil
}

// Validate returns an error for SGDColumns that NewSGDColumns did not make.
func (n *SGDColumns) Validate() error {
	if n == nil || n.loss == nil {
		return &sde.SettingError{Field: "noise: SGDColumns", Value: "no samples", Want: "what NewSGDColumns returns"}
	}
	return nil
}

// Dims returns d, m.
func (n *SGDColumns) Dims() (state, noise int) {
	if n == nil || n.loss == nil {
		return -1, -1
	}
	return n.loss.Dim(), len(n.samples)
}

// Root stores B into dst. It panics if dst is not of length d·m.
func (n *SGDColumns) Root(dst, theta []float64, _ float64) {
	d, m := len(theta), len(n.samples)
	if len(dst) != d*m {
		panic(badRoot)
	}
	buf := scratch(2 * d)
	defer pool.Put(buf)
	g, mean := (*buf)[:d], (*buf)[d:]
	clear(mean)
	for k, i := range n.samples {
		n.loss.SampleGradient(g, theta, i)
		kernel.Axpy(mean, 1/float64(m), g)
		for j, v := range g {
			dst[j*m+k] = v
		}
	}
	for j, v := range mean {
		row := dst[j*m : (j+1)*m]
		for k := range row {
			row[k] = n.scale * (row[k] - v)
		}
	}
}
