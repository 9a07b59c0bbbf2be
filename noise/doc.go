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
//	SGDNoise      D = (η/2) Cov g(θ) of a sampler of gradients, exactly; SGDColumns, SGDTop
//	              and SGDDiagonal by few samples, few directions, and its diagonal
//	Modulated     another's D times a Schedule; ScheduledMinibatch with η(t) and B(t)
//	Stable        α-stable instead of Brownian motion
//	Func          a person's root B(θ, t), dense
//	DiagonalFunc  a person's root b_i(θ, t), diagonal
//
// and samplers of noisy gradients g(θ), what discrete SGD steps along:
//
//	WithReplacement     independent mini-batches of a finite sum
//	WithoutReplacement  mini-batches of different samples, independent between steps
//	ScheduledBatches    mini-batches whose size follows a Schedule
//	Reshuffling         epochs in random order: its noise is not white
//	LabelNoise          Gaussian noise of a regression's labels
//	LabelFlips          labels of classes that flip
//	Clients             workers with data of their own, some of them, with local steps
//	FullGradient        ∇L without noise, for those below to start from
//	GradientNoise       adds the Gaussian noise of a Diffusion
//	StableNoise         adds α-stable noise
//	StudentNoise        adds noise with Student's law
//	Scaled, Dropout     multiply by noise
//	Clipped             clips to a norm; ClippedSamples each sample
//	DPSGD               clips samples and adds Gaussian noise
//	Quantised           rounds at random to a grid
//	Averaged, SVAG      add several gradients
//
// Each says what its mean, its covariance and its memory are by upgrades of
// sde.GradientSampler. What measures the noise of gradients is
//
//	Draws               gradients of a sampler at one θ, to feed the estimators with
//	SampleCovariance    Σ(θ) of a finite sum; TopSpectrum its largest eigenvalues
//	GradientMoments     mean, covariance and its trace, from gradients
//	NoiseScale          B_simple and B_noise from pairs of batches; NoiseScales from all samples,
//	                    NoiseScaleObserver along a run
//	NoiseCorrelation    autocorrelation
//	Kurtosis, Hill      tails; StableIndex the index of α-stable noise
//	Alignment           of Σ with H
//	FitPowerLaw         an exponent with its interval
//
// Any type with the methods of sde.Diffusion or sde.GradientSampler will do in their place;
// package noise/noisetest checks one. Diffusions, samplers and schedules are safe for
// concurrent use as long as nobody changes their fields; estimators serve one goroutine
// at a time. All that have settings have a Validate method, which sde.Flow.Validate and
// integrate's updates call: a setting that is wrong is refused by an *sde.SettingError before
// a run starts.
package noise
