// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest

import (
	"fmt"
	"math"

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
	// PValue is the probability of so large a departure, or a larger one, of what is off by
	// the margin exactly: uniform then, and mostly larger for what is off by less.
	PValue float64
	// Power is the probability that what is off by twice the margin fails, with this many samples.
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
// independent groups: by Student's t for the departure less the margin, on one side. The
// hypothesis that is held on to is that the departure is within the margin.
func equivalence(what string, values []float64, margin, falseAlarms float64) Check {
	mean, se := meanOf(values)
	c := judge(what, math.Abs(mean), se, len(values), margin, falseAlarms/2) // of two signs
	c.PValue = math.Min(1, 2*c.PValue)
	return c
}

// judge makes the check of a departure that has only one sign to look at.
func judge(what string, departure, se float64, groups int, margin, falseAlarms float64) Check {
	c := Check{What: what, Departure: departure, StdErr: se, Margin: margin, Groups: groups, Verdict: Pass}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(groups - 1)}
	critical := t.Quantile(1 - falseAlarms)
	if se > 0 {
		c.PValue = t.Survival((departure - margin) / se)
		// At twice the margin the statistic is centred at margin/se.
		c.Power = 1 - distuv.UnitNormal.CDF(critical-margin/se)
		need := (critical + distuv.UnitNormal.Quantile(power)) * se / margin
		c.More = need * need
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

// settled tests the second half of the observations against the first, with groups of
// chains, by Student's t of the differences.
func settled(what string, differences []float64, falseAlarms float64) (p float64, ok bool) {
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
	r := a / b
	return r, r > 3.5/math.Sqrt(float64(len(v)))
}
