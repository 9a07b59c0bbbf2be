// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// Check is one thing that was looked at, and how far it is off.
type Check struct {
	// What is looked at, as in "temperature".
	What string
	// Departure is by how much it is off, StdErr its standard error, from Groups groups,
	// and Margin what is allowed.
	Departure, StdErr, Margin float64
	Groups                    int
	// PValue bounds the probability of so large a departure, or a larger one, of what is off by
	// at most the margin: both signs, or both halves, are paid for by a factor of 2.
	PValue float64
	// Power is the probability that what is off by twice the margin fails, with as large a
	// standard error: that of Student's t, not central.
	Power float64
	// More is how many times as many samples the promised power takes; at most 1 where it
	// is kept.
	More    float64
	Verdict Verdict
}

// String returns the check in a line.
func (c Check) String() string {
	s := fmt.Sprintf("%s off by %.4g ± %.2g, allowed %.3g: p = %.2g, %s", c.What, c.Departure, c.StdErr, c.Margin, c.PValue, c.Verdict)
	if c.Verdict == Inconclusive {
		s += fmt.Sprintf(" (twice the margin would be noticed in %.0f %% of cases only: take about %.2g times as many samples)", 100*c.Power, c.More)
	}
	return s
}

// equivalence tests whether |mean| is above a margin, with mean estimated from values of
// independent groups, or of stretches of time: by Student's t for the departure less the
// margin, on one side. The hypothesis that is held on to is that the departure is within the
// margin.
func equivalence(what string, values []float64, stretches bool, margin, falseAlarms float64) Check {
	mean, se := errorOf(values, stretches)
	c := judge(what, math.Abs(mean), se, len(values), margin, falseAlarms/2) // of two signs
	c.PValue = math.Min(1, 2*c.PValue)
	return c
}

// judge makes the check of a departure that has only one sign to look at.
func judge(what string, departure, se float64, groups int, margin, falseAlarms float64) Check {
	c := Check{What: what, Departure: departure, StdErr: se, Margin: margin, Groups: groups, Verdict: Pass}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(groups - 1)}
	if se > 0 {
		c.PValue = t.Survival((departure - margin) / se)
		// At twice the margin the statistic is Student's t of the noncentrality margin/se.
		beyond := noncentral(t.Quantile(1-falseAlarms), groups-1)
		c.Power = beyond(margin / se)
		need := sort.Search(1<<16, func(k int) bool { return beyond(float64(k)/256) >= power })
		c.More = math.Pow(float64(need)/256*se/margin, 2)
	} else if departure <= margin {
		c.PValue, c.Power = 1, 1
	} else {
		c.Power = 1
	}
	switch {
	case c.PValue < falseAlarms:
		c.Verdict = Fail
	case c.Power < power:
		c.Verdict = Inconclusive
	}
	return c
}

// noncentral returns the probability that (z + δ)/√(χ²/ν) is above a critical value, z normal
// and χ² of ν degrees of freedom, as a function of δ.
func noncentral(critical float64, nu int) func(delta float64) float64 {
	const points = 64
	u, w := make([]float64, points), make([]float64, points)
	quad.Legendre{}.FixedLocations(u, w, 0, 1)
	chi := distuv.ChiSquared{K: float64(nu)}
	for i, v := range u {
		u[i] = critical * math.Sqrt(chi.Quantile(v)/float64(nu))
	}
	return func(delta float64) (p float64) {
		for i, v := range u {
			p += w[i] * distuv.UnitNormal.Survival(v-delta)
		}
		return p
	}
}

// meanOf returns the mean and its standard error.
func meanOf(v []float64) (mean, se float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		se += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(se / (n * (n - 1)))
}

// errorOf is meanOf, but for stretches of time: neighbours that have a correlation r > 0 make
// the mean's variance 1 + 2r times as large.
func errorOf(v []float64, stretches bool) (mean, se float64) {
	mean, se = meanOf(v)
	if stretches {
		r, _ := memory(v)
		se *= math.Sqrt(1 + 2*math.Max(0, r))
	}
	return mean, se
}

// trains reports whether a group is of the half that chooses what the other half is held to:
// every other one, or of stretches of time, of which neighbours depend on one another a
// little, those of the first or the second half of the run.
func trains(g, groups, side int, stretches bool) bool {
	if stretches {
		return 2*g/groups == side
	}
	return g%2 == side
}

// settled tests the second half of the observations against the first, with groups of
// chains, by Student's t of the differences.
func settled(differences []float64, falseAlarms float64) (p float64, ok bool) {
	mean, se := meanOf(differences)
	if !(se > 0) {
		return 1, true
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(differences) - 1)}
	p = 2 * t.Survival(math.Abs(mean)/se)
	return p, p >= falseAlarms
}

// memory returns the correlation between neighbouring stretches of time, which should be
// about 0, and whether it is so large that they are no groups of their own.
func memory(v []float64) (correlation float64, long bool) {
	mean, _ := meanOf(v)
	var a, b float64
	for i, x := range v {
		b += (x - mean) * (x - mean)
		if i > 0 {
			a += (x - mean) * (v[i-1] - mean)
		}
	}
	if !(b > 0) {
		return 0, false
	}
	n := float64(len(v))
	r := a / b
	r += (1 + 4*r) / n // its bias (Kendall & Stuart)
	return r, r > 3.5/math.Sqrt(n)
}
