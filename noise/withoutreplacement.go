// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"

	"github.com/sgflow/sgflow/sde"
)

// WithoutReplacement samples the gradient of a finite sum of N samples by mini-batches of
// B different ones, drawn anew at each step and for each particle:
//
//	g = (1/B) Σ_{i ∈ batch} ∇ℓ_i,   Cov g = (N−B)/(B(N−1)) Σ(θ)
//
// with Σ the covariance of ∇ℓ_i over the samples (SampleCovariance). A batch of all has no
// noise. The noise of different steps is independent, unlike that of epochs that go
// through a shuffled order.
//
// Batches are drawn by R. W. Floyd's algorithm (J. Bentley & B. Floyd, 1987, Programming
// pearls: a sample of brilliance, Communications of the ACM 30, 754–757).
type WithoutReplacement struct {
	Loss      sde.FiniteSum
	BatchSize int // B ≤ N
}

var (
	_ sde.Batched            = WithoutReplacement{}
	_ sde.GradientCovariance = WithoutReplacement{}
)

// Validate returns an error if there is no loss, it has no samples, or BatchSize is not
// from 1 to the number of samples.
func (s WithoutReplacement) Validate() error {
	most := 1
	if s.Loss != nil {
		most = s.Loss.Samples()
	}
	return checkBatches("WithoutReplacement", s.Loss, s.BatchSize, most)
}

// Objective returns Loss.
func (s WithoutReplacement) Objective() sde.Loss { return s.Loss }

// CovarianceFactor returns (N−B)/(B(N−1)), by which Σ is multiplied to give that of g.
func (s WithoutReplacement) CovarianceFactor() float64 {
	return finitePopulation(s.Loss.Samples(), s.BatchSize)
}

// finitePopulation returns (N−B)/(B(N−1)), and 0 for N = 1.
func finitePopulation(samples, size int) float64 {
	n, b := float64(samples), float64(size)
	if n == 1 {
		return 0
	}
	return (n - b) / (b * (n - 1))
}

// GradientCovariance stores (N−B)/(B(N−1)) Σ(θ) into dst.
func (s WithoutReplacement) GradientCovariance(dst, theta []float64) bool {
	terms{FiniteSum: s.Loss}.covariance(dst, theta, s.CovarianceFactor())
	return true
}

// Batches returns Loss and BatchSize.
func (s WithoutReplacement) Batches() (sde.FiniteSum, int) { return s.Loss, s.BatchSize }

// BindGradients implements sde.GradientSampler. Scratch memory is 4B bytes for each row and
// 4N bytes.
func (s WithoutReplacement) BindGradients(rows int) sde.GradientFunc {
	return bindBatches(s, s.Loss, rows)
}

// BindBatches implements sde.Batched.
func (s WithoutReplacement) BindBatches(rows int) func(dst []uint32, stream *sde.Stream) {
	return distinct(s.Loss.Samples(), s.BatchSize, rows)
}

// distinct returns a function that stores b different numbers below n for each of at most so many
// rows, each set as likely as any.
func distinct(n, b, rows int) func(dst []uint32, stream *sde.Stream) {
	drawn := make([]uint32, rows)
	taken, round := make([]uint32, n), uint32(0) // when a sample was last taken
	return func(dst []uint32, stream *sde.Stream) {
		// Draw k of all rows is uniform below n−b+k+1.
		all := drawn[:len(dst)/b]
		for k := range b {
			stream.Indices(all, n-b+k+1)
			for r, i := range all {
				dst[r*b+k] = i
			}
		}
		for ; len(dst) > 0; dst = dst[b:] {
			if round++; round == 0 {
				clear(taken)
				round = 1
			}
			batch := dst[:b]
			for k, i := range batch {
				if taken[i] == round {
					i = uint32(n - b + k)
					batch[k] = i
				}
				taken[i] = round
			}
		}
	}
}

// within says what range is right.
func within(lo, hi int) string { return fmt.Sprintf("%d to %d", lo, hi) }
