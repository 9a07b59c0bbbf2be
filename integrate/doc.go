// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package integrate simulates ensembles of stochastic gradient flows.
//
// An Ensemble is an equation (sde.Flow), a Scheme (EulerMaruyama unless
// another is named; each states its orders and the noise it serves), a
// step, a number of particles and a seed. Run takes it through a Schedule and
// shows the particles to observers:
//
//   - Mean: E f(θ) of functions of one's own, with standard errors;
//   - Weighted: Mean with the weights of decreasing steps (SGLD);
//   - Moments: mean and covariance of the state, or of features;
//   - Trajectories: chosen particles at all observation times;
//   - Final: the last state of all, which can start another run;
//   - Acceptance: how many proposals of a Metropolis chain are accepted;
//   - FirstPassage: how long until a set is reached, crossings within a step included;
//   - Occupation and Transitions: shares of time in regions, and the Markov chain between them;
//   - Series: any observer, kept for each time where others pool over time;
//   - those of package stationary, and one's own (sde.Observer).
//
// Two estimators run ensembles of their own: Multilevel, an expectation at a fixed
// time to a given error at the least cost, and TalayTubaro, expectations
// extrapolated in the step.
//
// SuggestStep says which step suits a scheme on a loss, EulerBias what one does to an
// average, QuadraticVariance what law a scheme has on a quadratic.
//
// Sweep runs one study at several values of a setting with common random numbers
// and makes a table of it.
//
// # Schemes
//
// Each scheme's comment has its formula, its orders, its cost and its source.
//
//   - EulerMaruyama: any noise, and what to start with;
//   - Milstein: strong order 1 for any noise, with Lévy areas where it is general;
//   - SRA1, SRA3, ShARK: strong order 1.5 for additive noise (AdditiveRungeKutta);
//     SRIW1, SRIW2: for diagonal noise and that of one component (DiagonalRungeKutta);
//   - Platen, RI6, DRI1: weak order 2 (WeakRungeKutta);
//   - StochasticHeun, StratonovichMidpoint: Stratonovich's calculus;
//   - LeimkuhlerMatthews: a stationary law of order 2 at one gradient, for constant noise;
//     ExactOU: no error at all on quadratics;
//   - DriftImplicit, SplitStepBackwardEuler: losses that are stiff;
//   - Tamed, ProjectedEuler: losses that grow faster than quadratically;
//   - Adaptive, AdaptiveEuler: steps of each particle's own;
//   - BAOAB, OBABO, ABOBA: underdamped Langevin dynamics; HeavyBall, Nesterov: SGD with
//     momentum in continuous time;
//   - MALA, RandomWalkMetropolis: exp(−L/T) exactly; SGLD: noisy gradients and decreasing
//     steps;
//   - StableEuler: α-stable noise.
//
// # Discrete updates
//
// Stochastic gradient descent and its relatives run as replicas in the place of a
// scheme, on any sde.GradientSampler, with the learning rate Ensemble.Step: SGD,
// SGDMomentum, Adam, RMSprop, Adagrad, the variance-reduced SVRG and SAGA, DelayedSGD
// with stale gradients, LocalSGD by several workers, and Averaged for the averages of
// any of them. Clock maps their time to steps, samples and epochs. Streams, observers,
// checkpoints and shards are those of schemes.
//
// Passages too rare to wait for are found by Splitting (adaptive multilevel) and
// ForwardFlux.
//
// # Reproducibility
//
// A run gives the same bits for any number of workers and with any other
// observers. Noise is a function of (seed, block, step), see sde.Stream; groups
// of blocks are folded in order, each into its own accumulator, and merged by
// index. The library's own losses and diffusions give the same bits on every
// machine; for a loss of one's own that holds as far as its own arithmetic does.
//
// # Standard errors
//
// Observers pool over particles and over time. Samples of one particle at
// different times are correlated, but groups of particles are independent, so
// the scatter between groups gives standard errors without a model of the
// correlation. Where there are too few particles for 16 groups, each group's
// stretches of time are taken as groups (batch means): the errors are then only
// as good as the stretches are long against the correlation time.
//
// # A scheme of one's own
//
// Implement Scheme: Properties says what it is, Bind returns a Kernel that
// advances a batch by a step. A System does the work common to all: it looks up
// the equation's upgrades, converts the drift to the scheme's calculus, and
// applies drift and root to a batch.
package integrate
