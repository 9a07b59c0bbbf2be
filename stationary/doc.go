// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package stationary holds the laws that stochastic gradient flow settles in, and
// compares samples with them.
//
// A law is made from a loss:
//
//	Boltzmann     p ∝ exp(−L/T), of the flow dθ = −∇L dt + √(2T) dW
//	Unnormalized  the same in any dimension, by its score
//	Discretized   p ∝ exp(−L_h/T), what Euler–Maruyama at step h samples of it
//	ZeroFlux      p ∝ D^(α−1) exp(−∫L′/D), any D(x) under any calculus, in one dimension
//	Gaussian      N(μ, S) in any dimension, of a Linear flow and of the Chain that a
//	              scheme or an optimizer (HeavyBall) makes of it
//	ConstantSGD   SGD at a minimum of a finite sum as a sampler of the posterior
//	FokkerPlanck  any equation in one or two dimensions, solved on a grid: its law,
//	              evolution, spectrum, committors and passage times
//	StudentT      D that grows as the loss; PowerLaw makes it of SGD's settings
//	Stable        symmetric α-stable, of a quadratic minimum under Lévy noise
//	QuarticCauchy of a quartic minimum under Cauchy noise
//	CDF           any distribution function in one dimension
//	Weights       of basins, or whatever else a Histogram numbers
//
// How long it takes to leave a minimum is predicted by
//
//	MeanFirstPassageTime   quadrature in one dimension, for any D(x) and calculus
//	Kramers                one dimension, weak noise, with the next term
//	EyringKramers          any dimension, one gate or several
//	CurvatureEscape        D ∝ |H|: Xie, Sato & Sugiyama
//	PowerLawEscape         D ∝ L: Mori, Ziyin, Liu & Ueda
//	LevyExit               heavy-tailed noise: Imkeller & Pavlyukevich
//
// each of which says when it does not hold. DetailedBalance says whether exp(−L/T) is an
// equation's law in any dimension, and what current flows in it.
// StringMethod finds the path and the saddles between two minima, FindMinimum and
// FindSaddle one of either, and MinimumAction the likeliest way against a drift that
// is no gradient.
//
// A run is observed by a Histogram (or Histogram2D) and a Thermometer, and Compare
// holds what they saw against a law:
//
//	law, err := stationary.Boltzmann(loss, 0.2)
//	…
//	hist, therm := stationary.NewHistogram(-2.5, 2.5, 200), &stationary.Thermometer{}
//	result, err := run.Run(ctx, schedule, hist, therm)
//	…
//	report, err := stationary.Compare(law, hist, therm)
//	fmt.Println(report)
//
// The report has distances with their standard errors and sampling floors, a
// p-value that holds although samples are correlated in time, the effective
// sample size, temperatures, and what explains the difference. Samples of another
// program are given to Histogram.Add.
//
// Samples that are held in memory, of any dimension, are compared by
//
//	Stein               with a law of which only the score is known
//	EnergyDistance      two samples, with a p-value by permutation
//	SlicedWasserstein   two samples, over random directions
//	CompareCoordinates  each coordinate with its law, and p-values for all of them (Holm)
//
// and chains of numbers are looked at by Diagnose: effective sample sizes, R̂, autocorrelation
// and settling times. Thermometers reads the temperature in three ways that tell noise of
// the wrong size from the bias of a step. Package stationary/stationarytest puts all this
// into the tests of somebody's own optimizer.
package stationary
