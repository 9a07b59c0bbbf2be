// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// GradientSampler is a source of noisy gradients g(θ) of a loss, with the mean
// E g = ∇L: what discrete SGD steps along.
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
