// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package sde holds the equation of stochastic gradient flow and the words that
// all packages of sgflow share.
//
//	dθ = −∇L(θ) dt + B(θ, t) dW,   B Bᵀ = 2 D(θ, t)
//
// A Flow is made of a Loss (three methods) and a Diffusion (two), a Calculus and
// a Domain. Schemes and the ensemble engine (package integrate) are written
// against Equation, which a Flow satisfies and an equation of one's own can.
//
// Restore makes the equation that has the law exp(−L/T) whatever its noise.
//
// Noise comes from a Stream, a pure function of (seed, purpose, block, step): how
// words become normals, and why a run has the same bits on any number of workers, stands
// there. What is simulated is seen by an Observer.
//
// # Sets
//
// Wells and targets are Sets: HalfSpace, Ball, Box, LevelSet, SetFunc, their Union and
// Complement, and the Basins of minima. One that is Smooth lets an observer tell whether
// a path crossed its boundary between two steps.
//
// # Upgrades
//
// The required interfaces are small. What makes a run faster or a result sharper
// is an interface of its own, looked for once when a run is set up: BatchGradient,
// Hessian, Laplacian, Curvature, Harmonic, Normalizable, Charted of a Loss; Minibatches,
// SampleGradients, OutputGradient, FlippedGradient of a FiniteSum; Classified,
// Thermal, DiagonalRoot, DiagonalDerivative, RootJacobian, Divergence, Stable of a
// Diffusion; GradientSystem, Interpreted, Confined, BatchDrift of an Equation;
// MeanGradient, GradientCovariance, Correlated, Batched of a GradientSampler;
// BurnInObserver, StepObserver, GroupSaver of an Observer; Smooth, Faced of a Set;
// Identified of anything that decides a run's bits.
// A type that wraps another should forward those it can; what is not forwarded is lost
// silently, so say what you implement with a line like
//
//	var _ sde.BatchGradient = MyLoss{}
//
// # Conventions
//
// One step of SGD of learning rate η takes the time η, and C is the covariance of
// its gradient noise: D = (η/2) C, and (η/2B) Σ for independent batches of B drawn
// with replacement from per-sample gradients of covariance Σ. If Σ = s²I then
// D = T I with T = ηs²/(2B), and the stationary density is exp(−L/T). The
// calculus is Itô's unless the flow says otherwise.
package sde
