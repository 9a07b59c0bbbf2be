// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// SGDTop is the diffusion of SGDNoise restricted to the k directions in which it is largest:
//
//	B_j(θ) = √(ηλ_j) v_j,   D̂ = (η/2) Σ_{j≤k} λ_j v_j v_jᵀ
//
// with λ_1 ≥ λ_2 ≥ … the eigenvalues of C(θ) and v_j its eigenvectors, the best approximation of D
// by one of rank k; what is left out is Share. The sign of a column is such that its largest
// component is positive. Where eigenvalues cross, columns change places: that does not change the
// law of an equation in Itô's sense, but in another the drift is not defined there.
//
// A root takes the gradients of all samples, d²N and about 9d³ operations, by gonum's
// eigen-decomposition, whose last bits are the same per architecture only.
type SGDTop struct {
	Gradient     sde.GradientSampler // with the upgrade sde.GradientCovariance
	LearningRate float64             // η, finite and above 0
	Directions   int                 // k, 1 to d
}

var _ sde.Diffusion = SGDTop{}

// Validate returns an error as SGDNoise does, or if Directions is not in 1 … d.
func (n SGDTop) Validate() error {
	if err := checkSGD("SGDTop", n.Gradient, n.LearningRate); err != nil {
		return err
	}
	if d := n.Gradient.Objective().Dim(); n.Directions < 1 || d < n.Directions {
		return &sde.SettingError{Field: "noise: SGDTop.Directions", Value: n.Directions, Want: fmt.Sprintf("1 to %d, the dimension", d)}
	}
	return nil
}

// Dims returns d, k, and −1, −1 without a sampler.
func (n SGDTop) Dims() (state, noise int) {
	if n.Gradient == nil {
		return -1, -1
	}
	return n.Gradient.Objective().Dim(), atLeastOne(n.Directions)
}

// Root stores B into dst. It panics if dst is not of length d·k.
func (n SGDTop) Root(dst, theta []float64, _ float64) {
	d, k := len(theta), n.Directions
	if len(dst) != d*k {
		panic(badRoot)
	}
	e := n.eigen(theta)
	defer eigenPool.Put(e)
	for j := range k {
		column := d - 1 - j // eigenvalues ascend
		scale := math.Sqrt(n.LearningRate * math.Max(e.values[column], 0))
		var largest float64
		for i := range d {
			if v := e.matrix[i*d+column]; math.Abs(v) > math.Abs(largest) {
				largest = v
			}
		}
		scale = math.Copysign(scale, largest)
		for i := range d {
			dst[i*k+j] = scale * e.matrix[i*d+column]
		}
	}
}

// Share returns the part of tr D(θ) that the k directions have, in [0, 1]; 1 where D is 0.
func (n SGDTop) Share(theta []float64) float64 {
	e := n.eigen(theta)
	defer eigenPool.Put(e)
	all := kernel.Sum(e.values)
	if all <= 0 {
		return 1
	}
	return kernel.Sum(e.values[len(theta)-n.Directions:]) / all
}

// eigenScratch is the memory of an eigen-decomposition.
type eigenScratch struct{ matrix, values, work []float64 }

var eigenPool = sync.Pool{New: func() any { return new(eigenScratch) }}

// eigen returns the eigenvalues of C(θ), ascending, and its eigenvectors in columns.
func (n SGDTop) eigen(theta []float64) *eigenScratch {
	d := len(theta)
	e := eigenPool.Get().(*eigenScratch)
	if len(e.values) != d {
		*e = eigenScratch{make([]float64, d*d), make([]float64, d), make([]float64, 64*d+64)}
	}
	storeC(n.Gradient, e.matrix, theta)
	s := blas64.Symmetric{Uplo: blas.Upper, N: d, Data: e.matrix, Stride: d}
	if !lapack64.Syev(lapack.EVCompute, s, e.values, e.work, len(e.work)) {
		for i := range e.values {
			e.values[i] = math.NaN() // as for a covariance that is not finite; the run reports it as divergence
		}
	}
	return e
}
