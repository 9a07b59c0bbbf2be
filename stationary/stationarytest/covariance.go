// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// Covariance tests an optimizer as CheckCovariance does, and fails t, in words, unless it
// passes.
func Covariance(t testing.TB, r Replicas, mean []float64, covariance mat.Symmetric, o Options) {
	t.Helper()
	rep, err := CheckCovariance(r, mean, covariance, o)
	report(t, rep, err)
}

// CheckCovariance holds the replicas of an optimizer to a mean and a covariance S that are
// known, as those of SGD on a quadratic of Hessian H and noise C are,
//
//	S = (I−ηH) S (I−ηH) + η²C
//
// (package stationary has this one and others as Linear…). A nil mean is the origin. Looked
// at, in coordinates in which S is the identity, are the trace, the variance in the direction
// where it is most off, and the mean in the direction where that is: half of the groups say
// which direction, the other half by how much, and the other way round. Departures are
// relative to S, those of the mean in standard deviations, and Options.Temperature is their
// margin.
//
// It returns an *sde.SettingError for settings that are wrong, a covariance that is not
// positive definite among them, and an error if a chain diverges.
func CheckCovariance(r Replicas, mean []float64, covariance mat.Symmetric, o Options) (*Report, error) {
	o, r, err := o.withDefaults(r)
	if err != nil {
		return nil, err
	}
	d := r.Dim
	if mean == nil {
		mean = make([]float64, d)
	}
	if len(mean) != d {
		return nil, &sde.SettingError{Field: "stationarytest: mean", Value: fmt.Sprintf("%d coordinates", len(mean)), Want: fmt.Sprintf("%d, those of the chains, or nil for the origin", d), Err: sde.ErrDimension}
	}
	if covariance == nil || covariance.SymmetricDim() != d {
		return nil, &sde.SettingError{Field: "stationarytest: covariance", Value: covariance, Want: fmt.Sprintf("a matrix of size %d, the number of parameters", d), Err: sde.ErrDimension}
	}
	var chol mat.Cholesky
	if !chol.Factorize(covariance) {
		return nil, &sde.SettingError{Field: "stationarytest: covariance", Value: "a matrix", Want: "a positive definite one"}
	}
	var lower mat.TriDense
	chol.LTo(&lower)
	groups := r.groups(o.Observations)
	var second [2][]*mat.SymDense
	var first, count [2][][]float64
	for h := range 2 {
		second[h] = make([]*mat.SymDense, groups)
		first[h], count[h] = make([][]float64, groups), make([][]float64, groups)
		for g := range groups {
			second[h][g], first[h][g], count[h][g] = mat.NewSymDense(d, nil), make([]float64, d), make([]float64, 1)
		}
	}
	y := mat.NewVecDense(d, nil)
	err = r.watch(o, func(sde.Batch) error { return nil }, func(g, half int, theta []float64) {
		for j, v := range theta {
			y.SetVec(j, v-mean[j])
		}
		// y = L⁻¹ (θ − mean), in place.
		for i := range d {
			s := y.AtVec(i)
			for j := range i {
				s -= lower.At(i, j) * y.AtVec(j)
			}
			y.SetVec(i, s/lower.At(i, i))
		}
		second[half][g].SymRankOne(second[half][g], 1, y)
		for j := range d {
			first[half][g][j] += y.AtVec(j)
		}
		count[half][g][0]++
	})
	if err != nil {
		return nil, err
	}
	// Group g's second moments and mean, over both halves.
	moments, means := make([]*mat.SymDense, groups), make([][]float64, groups)
	trace := make([]float64, groups)
	differences := make([]float64, groups)
	for g := range groups {
		n := count[0][g][0] + count[1][g][0]
		m := mat.NewSymDense(d, nil)
		m.AddSym(second[0][g], second[1][g])
		m.ScaleSym(1/n, m)
		moments[g] = m
		trace[g] = mat.Trace(m)/float64(d) - 1
		means[g] = make([]float64, d)
		for j := range d {
			means[g][j] = (first[0][g][j] + first[1][g][j]) / n
		}
		differences[g] = (mat.Trace(second[1][g])/count[1][g][0] - mat.Trace(second[0][g])/count[0][g][0]) / float64(d)
	}
	rep := &Report{}
	stretches := r.Chains < leastIn
	alpha := o.FalseAlarms / 4 // of three checks and that of having settled
	c := equivalence("trace of the covariance, relative,", trace, stretches, o.Temperature, alpha)
	rep.Checks = append(rep.Checks, c)
	tm, se := errorOf(trace, stretches)
	rep.Ratio, rep.RatioStdErr = 1+tm, se
	if c.Verdict == Fail {
		rep.explain("the variances are %.4g ± %.2g times what they should be", rep.Ratio, se)
	}
	worst := crossed("variance where it is most off, relative,", groups, stretches, o.Temperature, alpha, func(train []int) []float64 {
		s := mat.NewSymDense(d, nil)
		for _, g := range train {
			s.AddSym(s, moments[g])
		}
		s.ScaleSym(1/float64(len(train)), s)
		var e mat.EigenSym
		if !e.Factorize(s, true) {
			return nil
		}
		values := e.Values(nil)
		k := 0
		for i, v := range values {
			if math.Abs(v-1) > math.Abs(values[k]-1) {
				k = i
			}
		}
		var q mat.Dense
		e.VectorsTo(&q)
		return mat.Col(nil, k, &q)
	}, func(g int, u []float64) float64 {
		v := mat.NewVecDense(d, u)
		return mat.Inner(v, moments[g], v) - 1
	})
	rep.Checks = append(rep.Checks, worst)
	if worst.Verdict == Fail && c.Verdict != Fail {
		rep.explain("in one direction the variance is off by %.3g ± %.2g of what it should be, though the trace is not: is the noise of another shape?", worst.Departure, worst.StdErr)
	}
	off := crossed("mean, in standard deviations,", groups, stretches, o.Temperature, alpha, func(train []int) []float64 {
		u := make([]float64, d)
		var q float64
		for j := range u {
			for _, g := range train {
				u[j] += means[g][j]
			}
			q += u[j] * u[j]
		}
		if q == 0 {
			u[0], q = 1, 1
		}
		for j := range u {
			u[j] /= math.Sqrt(q)
		}
		return u
	}, func(g int, u []float64) float64 {
		var s float64
		for j, v := range u {
			s += v * means[g][j]
		}
		return s
	})
	rep.Checks = append(rep.Checks, off)
	if off.Verdict == Fail {
		rep.explain("the mean is %.3g ± %.2g standard deviations from where it should be: is the gradient biased?", off.Departure, off.StdErr)
	}
	if stretches {
		rep.remember(trace, o.Observations)
	} else {
		if p, ok := settled(differences, alpha); !ok {
			rep.Checks = append(rep.Checks, Check{What: "second half of the run against the first,", PValue: p, Power: 1, Groups: groups, Departure: math.NaN(), StdErr: math.NaN(), Verdict: Fail})
			rep.Explanations = append([]string{fmt.Sprintf("the chains had not settled: the second half of the observations differs from the first (p = %.2g); take a longer BurnIn than %d", p, o.BurnIn)}, rep.Explanations...)
		}
	}
	return rep.conclude(), nil
}

// crossed tests a departure in a direction that half of the groups choose by the values in it
// of the others, and the other way round.
func crossed(what string, groups int, stretches bool, margin, falseAlarms float64, choose func(train []int) []float64, value func(g int, u []float64) float64) Check {
	var best Check
	for side := range 2 {
		var train, held []int
		for g := range groups {
			if trains(g, groups, side, stretches) {
				train = append(train, g)
			} else {
				held = append(held, g)
			}
		}
		u := choose(train)
		values := make([]float64, len(held))
		for i, g := range held {
			values[i] = math.NaN() // which fails
			if u != nil {
				values[i] = value(g, u)
			}
		}
		c := equivalence(what, values, stretches, margin, falseAlarms/2)
		c.PValue = math.Min(1, 2*c.PValue)
		if side == 0 || c.PValue < best.PValue {
			best = c
		}
	}
	return best
}
