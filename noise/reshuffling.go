// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import "github.com/sgflow/sgflow/sde"

// Reshuffling samples the gradient of a finite sum of N samples by going through them in
// epochs of m = ⌊N/B⌋ steps, each in a new order, uniformly random, of its own for each
// particle:
//
//	g = (1/B) Σ_k ∇ℓ_{π(jB+k)},   k < B,   at step j of an epoch with the order π
//
// Within an epoch no sample is met twice; N mod B of them, others each time, are left out.
// A single g has the mean ∇L and the covariance of batches without replacement,
// (N−B)/(B(N−1)) Σ, but the noise of an epoch's steps is anticorrelated: for fixed θ
//
//	Cov(g_j, g_k) = −Σ/(N−1),   j ≠ k in one epoch, 0 otherwise
//
// so that the noise of an epoch sums to 0 if B divides N. It is not white (CorrelationSteps is m),
// and the flow with D = (η/2) Cov g is no model of it: for gradients a x − b_i with mean b_i² = s²,
// Σ b_i = 0, B = 1 and A = 1 − ηa, the variance at the end of epochs is
//
//	η² s² m/(m−1) [Σ_{j<m} A^{2j} − (Σ_{j<m} A^j)²/m] / (1 − A^{2m}) ≈ η³ a s² m(m+1)/24
//
// against ηs²/(a(2−ηa)) of independent batches. See S. L. Smith, B. Dherin, D. Barrett & S. De,
// 2021, On the origin of implicit regularization in stochastic gradient descent.
//
// The order is a function of seed, particle and epoch. It is drawn by Fisher and Yates's method
// and kept for the block that was served last, in 4N bytes for each row; when another block or
// epoch comes, it is drawn again. So a run is fastest if a block is carried through an
// epoch or more between two observations.
type Reshuffling struct {
	Loss      sde.FiniteSum
	BatchSize int // B ≤ N
}

var (
	_ sde.Batched            = Reshuffling{}
	_ sde.GradientCovariance = Reshuffling{}
	_ sde.Correlated         = Reshuffling{}
)

// Validate returns an error if there is no loss, it has no samples, or BatchSize is not
// from 1 to the number of samples.
func (s Reshuffling) Validate() error {
	most := 1
	if s.Loss != nil {
		most = s.Loss.Samples()
	}
	return checkBatches("Reshuffling", s.Loss, s.BatchSize, most)
}

// Objective returns Loss.
func (s Reshuffling) Objective() sde.Loss { return s.Loss }

// EpochSteps returns m, the number of steps of an epoch.
func (s Reshuffling) EpochSteps() int { return s.Loss.Samples() / s.BatchSize }

// CorrelationSteps returns m, or 0 if an epoch is one step.
func (s Reshuffling) CorrelationSteps() int {
	if m := s.EpochSteps(); m > 1 {
		return m
	}
	return 0
}

// CovarianceFactor returns (N−B)/(B(N−1)), by which Σ is multiplied to give that of one g.
func (s Reshuffling) CovarianceFactor() float64 {
	return finitePopulation(s.Loss.Samples(), s.BatchSize)
}

// GradientCovariance stores (N−B)/(B(N−1)) Σ(θ) into dst.
func (s Reshuffling) GradientCovariance(dst, theta []float64) bool {
	terms{FiniteSum: s.Loss}.covariance(dst, theta, s.CovarianceFactor())
	return true
}

// Batches returns Loss and BatchSize.
func (s Reshuffling) Batches() (sde.FiniteSum, int) { return s.Loss, s.BatchSize }

// BindGradients implements sde.GradientSampler. Scratch memory is 4(N+B) bytes for each row.
func (s Reshuffling) BindGradients(rows int) sde.GradientFunc { return bindBatches(s, s.Loss, rows) }

// BindBatches implements sde.Batched.
func (s Reshuffling) BindBatches(rows int) func(dst []uint32, stream *sde.Stream) {
	n, b, m := s.Loss.Samples(), s.BatchSize, s.EpochSteps()
	order, drawn := make([]uint32, rows*n), make([]uint32, rows)
	var held, word [1]uint64 // the first word of a place stands for it
	kept := 0                // rows whose order is held
	return func(dst []uint32, stream *sde.Stream) {
		all := drawn[:len(dst)/b]
		_, step := stream.Place()
		epoch := stream.Beside(sde.Epochs, step/m)
		epoch.Words(word[:])
		if word != held || kept != len(all) {
			held, kept = word, len(all)
			for i := range order {
				order[i] = uint32(i % n)
			}
			for i := range n - 1 {
				epoch.Indices(all, n-i)
				for r, k := range all {
					o := order[r*n+i : (r+1)*n]
					o[0], o[k] = o[k], o[0]
				}
			}
		}
		first := step % m * b
		for r := range all {
			copy(dst[r*b:(r+1)*b], order[r*n+first:])
		}
	}
}
