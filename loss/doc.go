// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package loss holds landscapes L(θ) for stochastic gradient flow, each with its
// analytic gradient and Hessian and what is known of its minima and saddles.
//
//	one dimension
//	  DoubleWell         ΔL·(x²−1)²
//	  TiltedDoubleWell   (x²−1)²/4 + a x
//	  FlatSharp          two minima, equally deep, one sharp and one flat
//	  Prinz              four wells
//	the plane
//	  MullerBrown        three minima in a bent valley
//	  ThreeHole          two deep minima, one shallow, two ways between
//	  Himmelblau         four minima of value 0
//	  QuadrupleWell      four minima of different depth
//	  EntropicBarrier    two basins and a narrow channel, no height between
//	  Banana             a bent Gaussian
//	  ABFactorisation    ½(ab−1)², a valley of minima
//	any dimension
//	  Quadratic          ½(θ−c)ᵀH(θ−c), dense or diagonal
//	  DoubleWells        a double well in each coordinate
//	  Channel            a double well across a stiff valley
//	  StyblinskiTang     wells of two depths in each coordinate
//	  Rosenbrock         a bent, narrow valley
//	  Rastrigin, Ackley  a paraboloid and a cone with waves
//	  Funnel             Neal's
//	  Quartic, LogCosh   a gradient that grows fast, and one that does not grow
//	  Chain              a ring of coupled double wells
//	  PhaseRetrieval     from squares of projections, the population's loss
//	of one's own
//	  Func               functions; a missing gradient by finite differences
//	  FromProblem        a gonum optimize.Problem
//
// Any type with the three methods of sde.Loss will do in their place; package
// loss/losstest checks one. The losses here are safe for concurrent use as long
// as nobody changes their fields.
//
// Gradient, BatchGradient and Value of the named landscapes give the same bits on
// every machine, and the batch form of a gradient gives the bits of the plain one.
package loss
