// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"strings"
)

// Distance is a distance between samples and a law.
type Distance struct {
	Value float64 `json:"value"`
	// StdErr is its standard error, by the jackknife over groups; 0 if not known.
	// It describes a distance that is well above its floor.
	StdErr float64 `json:"stdErr"`
	// Floor is what the distance would be on average if the law were right, with
	// this many effective samples: a value about as large says nothing against it.
	// Those of KullbackLeibler and Hellinger are to second order in the deviations,
	// and some 10 % low where many bins are all but empty.
	Floor float64 `json:"floor"`
}

// Number is a value with its standard error, 0 if that is not known.
type Number struct {
	Value  float64 `json:"value"`
	StdErr float64 `json:"stdErr"`
}

// Temperatures are what a Thermometer shows.
type Temperatures struct {
	// Law is the law's temperature, 0 if it has none.
	Law float64 `json:"law,omitempty"`
	// Virial is E[θ·∇L]/d and Configurational E|∇L|²/E[ΔL], nil if not known:
	// temperatures of the samples.
	Virial          *Number `json:"virial,omitempty"`
	Configurational *Number `json:"configurational,omitempty"`
	// StepCorrected is (E[θ·∇L] − (h/2)E|∇L|²)/d, the temperature of the noise of
	// Euler–Maruyama, exact at any step; nil for other schemes. StepShift is what
	// was taken off, (h/2)E|∇L|²/d.
	StepCorrected *Number `json:"stepCorrected,omitempty"`
	StepShift     float64 `json:"stepShift,omitempty"`
	// PValue is that of the step-corrected temperature (of the virial, for other
	// schemes) under the law's, by Student's t over groups; nil if there is no test.
	PValue *float64 `json:"pValue,omitempty"`
}

// Report is what Compare found. Its numbers are finite, so that it can be
// written as JSON; what could not be computed is nil.
type Report struct {
	// Law is the law's name.
	Law string `json:"law"`
	// Samples is how many samples were counted; of them Below and Above lay
	// outside the range (all of those in Above, in two dimensions), and NaN had no value.
	Samples uint64 `json:"samples"`
	Below   uint64 `json:"below"`
	Above   uint64 `json:"above"`
	NaN     uint64 `json:"nan"`
	// Groups is how many groups hold samples: the error bars rest on them.
	Groups int `json:"groups"`
	// EffectiveSamples is how many independent samples would scatter as much in
	// the cells of Fit, at most Samples; 0 if there are fewer than two groups.
	EffectiveSamples float64 `json:"effectiveSamples"`

	// KolmogorovSmirnov is max |F̂ − F|, a lower bound as it is taken at the edges
	// of bins. TotalVariation is ½∫|p̂ − p|, KullbackLeibler ∫ p̂ log(p̂/p) less
	// its Floor, which is its bias, so that its mean is 0 if the law is right;
	// Hellinger √(½∫(√p̂ − √p)²); all from bins. Wasserstein is ∫|F̂ − F| dx over
	// the range, in units of θ. KolmogorovSmirnov and Wasserstein are nil in two
	// dimensions, KullbackLeibler where the law has no mass but there are samples.
	KolmogorovSmirnov *Distance `json:"kolmogorovSmirnov,omitempty"`
	TotalVariation    *Distance `json:"totalVariation,omitempty"`
	KullbackLeibler   *Distance `json:"kullbackLeibler,omitempty"`
	Hellinger         *Distance `json:"hellinger,omitempty"`
	Wasserstein       *Distance `json:"wasserstein,omitempty"`

	// Fit tests the samples against the law, by the frequencies of Cells ≤ Groups/4
	// cells of about equal probability in each group and Hotelling's T² of the
	// groups: its p-value is uniform if the law is right although samples are
	// correlated in time. The formula is at Compare. It is nil if there are fewer
	// than 8 groups.
	Fit   *Test `json:"fit,omitempty"`
	Cells int   `json:"cells"`
	// Stationarity tests the second half of the observations against the first,
	// in the same way; nil if the halves are not known.
	Stationarity *Test `json:"stationarity,omitempty"`
	// StepSize tests the samples against the law that Euler–Maruyama samples at
	// the run's step (Discretized), if that was the scheme and the law is Boltzmann's.
	StepSize *Test `json:"stepSize,omitempty"`
	// Temperatures are nil without a thermometer.
	Temperatures *Temperatures `json:"temperatures,omitempty"`

	// Cause is what explains the difference from the law, and Explanation says why.
	Cause       Cause    `json:"cause"`
	Explanation []string `json:"explanation,omitempty"`
	// Warnings say what makes the numbers less than they seem, and NotGiven what
	// could not be told for want of something.
	Warnings []string `json:"warnings,omitempty"`
	NotGiven []string `json:"notGiven,omitempty"`
}

// PValue returns the p-value of Fit, NaN if there is none.
func (r *Report) PValue() float64 {
	if r.Fit == nil {
		return math.NaN()
	}
	return r.Fit.PValue
}

// String returns the report as a table.
func (r *Report) String() string {
	var b strings.Builder
	row := func(name, format string, a ...any) {
		fmt.Fprintf(&b, "  %-20s %s\n", name, fmt.Sprintf(format, a...))
	}
	fmt.Fprintf(&b, "samples against %s\n", r.Law)
	row("samples", "%d in %d groups, worth %.3g independent ones", r.Samples, r.Groups, r.EffectiveSamples)
	for _, d := range []struct {
		name string
		*Distance
	}{{"Kolmogorov–Smirnov ≥", r.KolmogorovSmirnov}, {"total variation", r.TotalVariation}, {"Kullback–Leibler", r.KullbackLeibler},
		{"Hellinger", r.Hellinger}, {"Wasserstein-1", r.Wasserstein}} {
		if d.Distance != nil {
			row(d.name, "%-9.3g ± %-8.2g floor %.2g", d.Value, d.StdErr, d.Floor)
		}
	}
	test := func(name string, t *Test) {
		if t != nil {
			row(name, "p = %-8.3g F(%d, %d) = %.3g", t.PValue, t.DF1, t.DF2, t.F)
		}
	}
	test("fit to the law", r.Fit)
	test("fit to it at step h", r.StepSize)
	test("first half = second", r.Stationarity)
	if t := r.Temperatures; t != nil {
		law := ""
		if t.Law != 0 {
			law = fmt.Sprintf("   law %.6g", t.Law)
		}
		number := func(name string, n *Number, extra string) {
			if n != nil {
				row(name, "%.6g ± %.2g%s", n.Value, n.StdErr, extra)
			}
		}
		p := ""
		if t.PValue != nil {
			p = fmt.Sprintf("   p = %.3g", *t.PValue)
		}
		if t.StepCorrected != nil {
			number("T of the noise", t.StepCorrected, law+p)
			number("T of the samples", t.Virial, "   virial")
		} else {
			number("T of the samples", t.Virial, "   virial"+law+p)
		}
		number("", t.Configurational, "   configurational")
	}
	row("cause", "%s", r.Cause)
	for _, list := range []struct {
		name  string
		lines []string
	}{{"", r.Explanation}, {"warning", r.Warnings}, {"not given", r.NotGiven}} {
		for _, s := range list.lines {
			row(list.name, "%s", s)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
