// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// Report is what a test found.
type Report struct {
	// Checks are the things that were looked at.
	Checks []Check
	// Ratio is the temperature over that of the law, with its standard error; NaN if it was
	// not looked at.
	Ratio, RatioStdErr float64
	// Explanations say in words what is wrong, worst first.
	Explanations []string
	// Verdict is the worst of the checks'.
	Verdict Verdict
}

// String returns the report in a few lines.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Verdict)
	for _, e := range r.Explanations {
		fmt.Fprintf(&b, "\n  %s", e)
	}
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "\n  %v", c)
	}
	return b.String()
}

// explain adds what is wrong.
func (r *Report) explain(format string, args ...any) {
	r.Explanations = append(r.Explanations, fmt.Sprintf(format, args...))
}

// remember says so if stretches of time depend on one another so much that nothing follows.
func (r *Report) remember(values []float64, observations int) {
	c, long := memory(values)
	if !long {
		return
	}
	for i := range r.Checks {
		r.Checks[i].Verdict, r.Checks[i].Power, r.Checks[i].More = Inconclusive, 0, math.Max(4, r.Checks[i].More)
	}
	r.explain("stretches of %d observations remember one another (correlation %.2f), so that errors are larger than they seem: take more steps to an Advance, or %d chains and more",
		observations/len(values), c, leastIn)
}

// conclude sets the verdict.
func (r *Report) conclude() *Report {
	r.Verdict = Pass
	for _, c := range r.Checks {
		if c.Verdict == Fail || c.Verdict == Inconclusive && r.Verdict == Pass {
			r.Verdict = c.Verdict
		}
	}
	return r
}

// report reports to a test.
func report(t testing.TB, r *Report, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	} else if r.Verdict != Pass {
		t.Error(r)
	} else {
		t.Log(r)
	}
}
