// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// GradientSampler is a source of noisy gradients g(θ) of a loss: what discrete SGD steps
// along. Unless it says otherwise by an upgrade, its mean is E g = ∇L, and the noise of
// different steps is independent given θ.
type GradientSampler interface {
	// Objective returns the loss L whose gradient is sampled.
	Objective() Loss
	// BindGradients returns a function for batches of at most so many rows. It may hold
	// scratch memory: it is called once for each worker and serves one goroutine
	// at a time.
	BindGradients(rows int) GradientFunc
}

// GradientFunc stores a gradient at each row of x into dst, of the same shape. It draws
// from the stream, which has been placed at the block and step, and is a function of that
// place alone: what it draws does not depend on x, so that runs of one seed share it.
type GradientFunc func(dst, x Batch, s *Stream)

// MeanGradient is an upgrade of a GradientSampler whose mean may not be ∇L. It stores
// E g(θ) into dst and returns true, or returns false where there is a mean it has no formula
// for, or none.
type MeanGradient interface {
	MeanGradient(dst, theta []float64) (known bool)
}

// GradientCovariance is an upgrade of a GradientSampler that knows C(θ) = Cov g. It stores
// the d×d matrix row-major into dst and returns true, or returns false where it has no
// formula. Where the variance is infinite, C is +Inf on the diagonal. It is safe for
// concurrent use.
type GradientCovariance interface {
	GradientCovariance(dst, theta []float64) (known bool)
}

// Correlated is an upgrade of a GradientSampler whose noise at steps fewer than n apart is
// correlated even for a fixed θ. For n > 0 it is not white, and the flow with D = (η/2) Cov g is
// not a model of it.
type Correlated interface {
	CorrelationSteps() (n int)
}

// Batched is an upgrade of a GradientSampler that averages a finite sum's gradients over
// mini-batches of B samples. It says which they are, so that what changes each sample's
// gradient (clipping, label noise) goes with any way to draw batches.
type Batched interface {
	GradientSampler
	// Batches returns the finite sum and B.
	Batches() (FiniteSum, int)
	// CovarianceFactor returns f in Cov g = f Σ(θ), with Σ the covariance of ∇ℓ_i over the
	// samples: 1/B for batches with replacement.
	CovarianceFactor() float64
	// BindBatches returns a function that stores the numbers of B samples for each of
	// len(dst)/B rows, at most so many, row by row. It may hold scratch memory like
	// BindGradients.
	BindBatches(rows int) func(dst []uint32, s *Stream)
}

// MeanGradientOf stores E g(θ) into dst: what the sampler knows of its mean, ∇L if it does
// not say anything. It returns false if the mean is not known.
func MeanGradientOf(g GradientSampler, dst, theta []float64) (known bool) {
	if m, ok := g.(MeanGradient); ok {
		return m.MeanGradient(dst, theta)
	}
	g.Objective().Gradient(dst, theta)
	return true
}

// GradientCovarianceOf stores Cov g(θ) into dst, d×d, and returns whether it is known.
func GradientCovarianceOf(g GradientSampler, dst, theta []float64) (known bool) {
	c, ok := g.(GradientCovariance)
	return ok && c.GradientCovariance(dst, theta)
}

// CorrelationStepsOf returns n of Correlated, 0 for a sampler that does not say.
func CorrelationStepsOf(g GradientSampler) int {
	if c, ok := g.(Correlated); ok {
		return c.CorrelationSteps()
	}
	return 0
}
