// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest

import (
	"math"
	"testing"

	"github.com/sgflow/sgflow/sde"
)

// SGD is what FluctuationDissipation has to know of a plain stochastic gradient descent
// θ′ = θ − ηĝ, E ĝ = ∇L.
type SGD struct {
	// Loss is L, of which the gradient is used.
	Loss sde.Loss
	// LearningRate is η.
	LearningRate float64
	// NoiseTrace returns tr C(θ), C the covariance of ĝ. Of mini-batches of B with replacement it is
	// tr Σ(θ)/B.
	NoiseTrace func(theta []float64) float64
}

// FluctuationDissipation tests an optimizer as CheckFluctuationDissipation does, and fails t,
// in words, unless it passes.
func FluctuationDissipation(t testing.TB, r Replicas, s SGD, o Options) {
	t.Helper()
	rep, err := CheckFluctuationDissipation(r, s, o)
	report(t, rep, err)
}

// CheckFluctuationDissipation holds the replicas of SGD to an identity that is exact for
// any loss, any noise and any learning rate, once it is stationary,
//
//	E (θ−c)·∇L = (η/2) E (|∇L|² + tr C)
//
// for every c, from E|θ′−c|² = E|θ−c|² (S. Yaida, 2019, Fluctuation–dissipation relations for
// stochastic gradient descent, ICLR, eq. FDR1). Euler–Maruyama at step h is SGD of
// η = h and C = 2D/h. Momentum, Adam and whatever else is not a step along ĝ do not satisfy it.
// Options.Temperature is the margin of the ratio of the two sides.
//
// It returns an *sde.SettingError for settings that are wrong, and an error if a chain
// diverges.
func CheckFluctuationDissipation(r Replicas, s SGD, o Options) (*Report, error) {
	o, r, err := o.withDefaults(r)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Loss == nil:
		return nil, &sde.SettingError{Field: "stationarytest: SGD.Loss", Value: nil, Want: "the loss that is descended"}
	case s.Loss.Dim() != r.Dim:
		return nil, &sde.SettingError{Field: "stationarytest: SGD.Loss.Dim()", Value: s.Loss.Dim(), Want: "the number of parameters of a chain", Err: sde.ErrDimension}
	case !(s.LearningRate > 0) || math.IsInf(s.LearningRate, 1):
		return nil, &sde.SettingError{Field: "stationarytest: SGD.LearningRate", Value: s.LearningRate, Want: "a finite number above 0"}
	case s.NoiseTrace == nil:
		return nil, &sde.SettingError{Field: "stationarytest: SGD.NoiseTrace", Value: nil, Want: "a function that returns the trace of the gradient noise's covariance"}
	}
	groups := r.groups(o.Observations)
	var out, in, count [2][]float64
	for h := range 2 {
		out[h], in[h], count[h] = make([]float64, groups), make([]float64, groups), make([]float64, groups)
	}
	var center []float64
	g := make([]float64, r.Dim)
	err = r.watch(o, func(early sde.Batch) error { center = middle(early); return nil }, func(group, half int, theta []float64) {
		s.Loss.Gradient(g, theta)
		var virial, square float64
		for j, v := range g {
			virial += (theta[j] - center[j]) * v
			square += v * v
		}
		out[half][group] += virial
		in[half][group] += s.LearningRate / 2 * (square + s.NoiseTrace(theta))
		count[half][group]++
	})
	if err != nil {
		return nil, err
	}
	var total, n float64
	for k := range groups {
		total += in[0][k] + in[1][k]
		n += count[0][k] + count[1][k]
	}
	values, drift := make([]float64, groups), make([]float64, groups)
	for k := range values {
		// The ratio of means, to first order in the groups' scatter.
		values[k] = (out[0][k] + out[1][k] - in[0][k] - in[1][k]) / (count[0][k] + count[1][k]) / (total / n)
		drift[k] = (out[1][k]/count[1][k] - out[0][k]/count[0][k]) / (total / n)
	}
	rep := &Report{}
	stretches, alpha := r.Chains < leastIn, o.FalseAlarms
	if !stretches {
		alpha /= 2 // with the check of having settled
	}
	c := equivalence("what is dissipated against what fluctuates, relative,", values, stretches, o.Temperature, alpha)
	rep.Checks = append(rep.Checks, c)
	mean, se := errorOf(values, stretches)
	rep.Ratio, rep.RatioStdErr = 1+mean, se
	if c.Verdict == Fail {
		rep.explain("E (θ−c)·∇L is %.4g ± %.2g times (η/2) E (|∇L|² + tr C): the noise is of another size than stated, the gradient biased, or this is not plain SGD of this learning rate", rep.Ratio, se)
	}
	if stretches {
		rep.remember(values, o.Observations)
	} else if p, ok := settled(drift, alpha); !ok {
		rep.Checks = append(rep.Checks, Check{What: "second half of the run against the first,", PValue: p, Power: 1, Groups: groups, Departure: math.NaN(), StdErr: math.NaN(), Verdict: Fail})
		rep.explain("the chains had not settled: E (θ−c)·∇L of the two halves differs (p = %.2g); take a longer BurnIn than %d", p, o.BurnIn)
	}
	return rep.conclude(), nil
}
