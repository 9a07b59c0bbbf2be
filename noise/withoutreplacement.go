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

var _ sde.GradientSampler = WithoutReplacement{}

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
	n, b := float64(s.Loss.Samples()), float64(s.BatchSize)
	if n == 1 {
		return 0
	}
	return (n - b) / (b * (n - 1))
}

// BindGradients implements sde.GradientSampler. Scratch memory is 4B bytes for each row and
// 4N bytes.
func (s WithoutReplacement) BindGradients(rows int) sde.GradientFunc {
	mean, n, b := sde.BindMinibatches(s.Loss, rows), s.Loss.Samples(), s.BatchSize
	samples, drawn := make([]uint32, rows*b), make([]uint32, rows)
	taken, round := make([]uint32, n), uint32(0) // when a sample was last taken
	return func(dst, x sde.Batch, stream *sde.Stream) {
		// Draw k of all rows is uniform below n−b+k+1.
		for k := range b {
			stream.Indices(drawn[:x.Rows], n-b+k+1)
			for r, i := range drawn[:x.Rows] {
				samples[r*b+k] = i
			}
		}
		for r := range x.Rows {
			if round++; round == 0 {
				clear(taken)
				round = 1
			}
			batch := samples[r*b : (r+1)*b]
			for k, i := range batch {
				if taken[i] == round {
					i = uint32(n - b + k)
					batch[k] = i
				}
				taken[i] = round
			}
		}
		mean(dst, x, samples[:x.Rows*b])
	}
}

// within says what range is right.
func within(lo, hi int) string { return fmt.Sprintf("%d to %d", lo, hi) }
