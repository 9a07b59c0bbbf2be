// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package loss holds landscapes L(θ) for stochastic gradient flow, each with its
// analytic gradient and Hessian and what is known of its minima and saddles.
//
//	Quadratic    ½(θ−c)ᵀH(θ−c), dense or diagonal, any dimension
//	DoubleWell   ΔL·(x²−1)², one dimension
//	MullerBrown  the surface of Müller & Brown, two dimensions
//	Func         a person's functions; a missing gradient by finite differences
//	FromProblem  a gonum optimize.Problem
//
// Any type with the three methods of sde.Loss will do in their place; package
// loss/losstest checks one. The losses here are safe for concurrent use as long
// as nobody changes their fields.
//
// Gradient, BatchGradient and Value of the named landscapes give the same bits on
// every machine, and the batch form of a gradient gives the bits of the plain one.
package loss
