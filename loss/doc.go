// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package loss holds landscapes L(θ) for stochastic gradient flow, each with its
// analytic gradient and Hessian and what is known of its minima and saddles.
//
// # Landscapes
//
// Dimensions in brackets are those of the zero value, or of an example, of a landscape for
// any dimension; the critical points are those that are declared (sde.Charted), of which
// "–" are not known; sharpest is the largest curvature at a minimum (sde.Curvature).
//
//	landscape           d    minima  saddles  maxima  sharpest  exp(−L/T)  what it is
//	DoubleWell          1    2       0        1       2         yes        ΔL (x²−1)²
//	TiltedDoubleWell    1    2       0        1       2.287     yes        (x²−1)²/4 + a x, here a = 0.1
//	FlatSharp           1    2       0        1       10        yes        two minima, equally deep, one sharp, one flat
//	Prinz               1    4       0        3       104       yes        four wells
//	MullerBrown         2    3       2        0       4068      yes        three minima in a bent valley
//	ThreeHole           2    3       3        1       13.56     yes        two deep minima, one shallow, two ways between
//	Himmelblau          2    4       4        1       133.8     yes        four minima of value 0
//	QuadrupleWell       2    4       4        1       8.75      yes        four minima of different depth
//	EntropicBarrier     2    1       0        0       101       yes        two basins, a narrow channel, no height between
//	Banana              2    1       0        0       1         yes        a bent Gaussian
//	ABFactorisation     2    0       1        0       –         no         ½(ab−1)², a valley of minima that are not isolated
//	Quadratic           (2)  1       0        0       3         yes        ½(θ−c)ᵀH(θ−c); dense, diagonal or of a spectrum
//	DoubleWells         (2)  4       4        1       2         yes        a double well in each coordinate
//	Channel             (2)  2       1        0       100       yes        a double well across a stiff valley
//	SaddleChain         (3)  8       18       1       2         yes        plateaus: double wells, each softer than the last
//	StyblinskiTang      (2)  4       4        1       34.58     yes        wells of two depths in each coordinate
//	Rosenbrock          (2)  1       0        0       –         yes        a bent, narrow valley
//	Rastrigin           (2)  3969    7812     3844    396.8     yes        a paraboloid with waves
//	Ackley              (2)  –       –        –       –         no         a cone with waves
//	Funnel              (10) 1       0        0       –         yes        Neal's
//	Quartic             (1)  1       0        0       –         yes        Σ θ⁴/4, whose gradient grows fast
//	LogCosh             (1)  1       0        0       1         yes        whose gradient is bounded
//	Chain               (4)  2       1        0       –         yes        a ring of coupled double wells, here γ = 2
//	GaussianMixture     (2)  2       1        0       2.78      yes        −log of a mixture of normal laws, here of two
//	MatrixFactorisation (2)  2       2        1       –         yes        ¼‖UUᵀ − M‖²
//	LinearNet           (8)  –       –        –       –         no         ½‖W_K⋯W_1 − M‖², here of widths 2, 2, 2
//	PhaseRetrieval      (2)  2       2        1       6         yes        from squares of projections, the population's
//	SpinGlass           (12) –       –        –       –         yes        random couplings of soft spins, here of 12
//
// # Composites
//
//	Sum                Σ_k L_k
//	Scaled             c L₀
//	Shifted            L₀(θ − s)
//	Rotated            L₀(Qθ)
//	Tilted             L₀ + a·θ
//	Ridge              L₀ + ½λ|θ|²
//	Modified           L₀ + (η/4)|∇L₀|²: what descent with a finite step descends
//	Rippled            L₀ + ε Σ_i cos(2πθ_i/ℓ), a rough landscape
//
// # Finite sums on data
//
// Each has an L that is the mean over N samples of ℓ_i(θ), weight decay included, and gives the
// gradients of samples and of mini-batches: what the noise of SGD is made of.
//
//	LeastSquares       linear regression; its Hessian and optimum are exact
//	Huber              the same, robust against outliers
//	Logistic           classification, two classes
//	Softmax            classification, K classes
//	MatrixCompletion   factors of a matrix of which some entries are known
//	TwoLayer           one hidden layer, tanh or ReLU; mean-field scaling
//	MLP, ScalarMLP     any layers, by reverse mode; squared error or cross entropy
//	DeepLinear         an MLP that is linear in x, and its least value
//
// Their data are rows of a matrix and targets, a Dataset: BreastCancer, what ReadCSV reads, or
// generated from a seed by NormalFeatures, StudentFeatures (heavy tails), LinearTargets,
// LogisticTeacher, LogisticLabels, TwoLayerTargets, Clusters, FlipLabels (label noise) and
// Clients (heterogeneous).
//
// # Of one's own
//
//	Func               functions; a missing gradient by finite differences
//	FuncSum            a finite sum by functions of a sample
//	FromProblem        a gonum optimize.Problem
//
// Any type with the three methods of sde.Loss will do in their place; package
// loss/losstest checks one. The losses here are safe for concurrent use as long
// as nobody changes their fields.
//
// Gradient, BatchGradient and Value of the named landscapes and finite sums give the same
// bits on every machine, and the batch form of a gradient gives the bits of the plain one. So do
// SampleGradient and mini-batches, but the mean over a mini-batch is rounded otherwise
// than that of as many calls.
package loss
