// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

// Law is a probability distribution on ℝᵈ that samples can be compared with. A
// law of one's own is two methods; in one dimension, a CDF alone serves.
type Law interface {
	// Dim returns d.
	Dim() int
	// Probability returns the probability of the box lo_i ≤ θ_i < hi_i, whose
	// sides can be infinite.
	Probability(lo, hi []float64) float64
}

// Scorer is an upgrade of a Law that knows the gradient of its log density,
// which needs no normalisation:
//
//	s(θ) = ∇log p(θ), −∇L(θ)/T for Boltzmann's law
type Scorer interface {
	// Score stores s(θ) into dst, of length d like theta.
	Score(dst, theta []float64)
}

// Thermal is an upgrade of a Law that has a temperature.
type Thermal interface {
	Temperature() float64
}

// CDF is the Law in one dimension of a distribution function P(X < x), as in
//
//	stationary.CDF(distuv.Normal{Mu: 0, Sigma: 1}.CDF)
//
// Probabilities are its differences, so those in the upper tail are no better
// than 1e-16 absolute.
type CDF func(x float64) float64

var _ Law = CDF(nil)

// Dim returns 1.
func (CDF) Dim() int { return 1 }

// Probability returns F(hi) − F(lo).
func (f CDF) Probability(lo, hi []float64) float64 { return f(hi[0]) - f(lo[0]) }

// grid is an upgrade of a two-dimensional Law that computes the probabilities of
// all cells of a grid together, cell (i, j) at dst[i·(len(y)−1)+j].
type grid interface {
	gridProbabilities(dst, x, y []float64)
}

// edged is an upgrade of a Law that computes the probabilities of the cells
// between neighbouring edges of one coordinate together.
type edged interface {
	edgeProbabilities(dst, edges []float64, coordinate int)
}
