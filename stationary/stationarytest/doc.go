// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package stationarytest holds anybody's optimizer, in its own test suite, to the law that
// it should settle in:
//
//	func TestSettles(t *testing.T) {
//		law, err := stationary.Boltzmann(loss.DoubleWell{}, 0.2)
//		…
//		replicas := stationarytest.Replicas{Dim: 1, Chains: 1000, Advance: func(theta sde.Batch) {
//			for i := range theta.Rows {
//				for range 20 { // at η = 0.01: the next observation is to tell something new
//					myOptimizer.Step(theta.Row(i))
//				}
//			}
//		}}
//		stationarytest.Boltzmann(t, replicas, law, stationarytest.Options{Temperature: 0.05, TotalVariation: 0.05})
//	}
//
// Boltzmann looks at the temperature and at the shape of the law, Covariance at the
// covariance of an optimizer on a quadratic, and FluctuationDissipation at an identity that
// holds of SGD on any loss. Any update rule and any generator of random numbers will do, with
// many chains or with one.
//
// # What is tested
//
// Every real optimizer is off exp(−L/T) by its step, by O(η). So what is tested is not that
// it samples the law, which with enough samples would always fail, but that it is no
// further off than a margin that is stated: 2 % in temperature and 0.02 in total variation,
// unless Options says otherwise. The exact law of the discrete update may be given instead
// of Boltzmann's, with a smaller margin.
//
//   - An optimizer within the margin fails with a probability of at most FalseAlarms (10⁻⁶),
//     over all checks and both signs. That rests on Student's t of up to 64 groups, so on
//     groups' means that are nearly normal: of a hundred independent observations and more.
//     With fewer the probability is larger where what is looked at is skew, as θ² is.
//   - One that is off by twice the margin fails with a probability of at least 90 %. In its
//     shape that is twice the margin as the cells see it, and in a covariance's worst
//     direction as the direction that half of the groups have chosen sees it.
//   - Where there are too few samples to promise that, the test is inconclusive, and says how
//     many times more would do. It fails then too: a test that cannot fail is none. More of
//     them come from more chains, more observations or, as long as successive ones are nearly
//     the same, more steps to an Advance; fewer are needed with wider margins.
//
// Measured, at the number of samples that is just enough: with 16 chains 92 % of optimizers
// 20 % too hot fail at a margin of 10 %, and 91 % of those off by 0.2 in shape at 0.1; with 64
// chains 93 % and 97 % (TestPower).
//
// Errors are taken from the scatter between chains, or between 64 stretches of time where there
// are fewer than 16 chains. Correlation in time then does no harm as long as a stretch is
// long against it: a correlation of neighbouring stretches widens the errors to first order,
// and where it is so large (0.4) that this will not do, the test is inconclusive.
//
// A failure says in words what is wrong: by how much, whether the run had settled, and which
// slip of the pen would explain it.
package stationarytest
