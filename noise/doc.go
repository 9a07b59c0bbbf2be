// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package noise holds models of the diffusion D(θ, t) of a stochastic gradient
// flow,
//
//	dθ = −∇L(θ) dt + B(θ, t) dW,   B Bᵀ = 2 D(θ, t)
//
//	Temperature   D = T I
//	Annealing     D = T(t) I
//	Minibatch     D = ηs²/(2B) I, what mini-batches of B do to SGD
//	Diagonal      D = diag(D_1 … D_d)
//	Constant      a dense D, or a given root of it
//	Stable        α-stable instead of Brownian motion
//	Func          a person's root B(θ, t), dense
//	DiagonalFunc  a person's root b_i(θ, t), diagonal
//
// Any type with the methods of sde.Diffusion will do in their place; package
// noise/noisetest checks one. The types here are safe for concurrent use as long
// as nobody changes their fields, and have a Validate method, which
// sde.Flow.Validate calls: a setting that is wrong is refused by an
// *sde.SettingError before a run starts.
package noise
