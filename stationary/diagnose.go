// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// Diagnostics say how far the numbers of Draws can be trusted.
type Diagnostics struct {
	// Mean is that of all numbers, with the standard error that its effective sample size
	// gives; Groups is the number of chains.
	Mean sde.Estimate
	// EffectiveSamples, Bulk and Tail are those of the functions …EffectiveSampleSize.
	EffectiveSamples, Bulk, Tail float64
	// AutocorrelationTime is τ, in numbers.
	AutocorrelationTime float64
	// RHat is R̂, NaN for fewer than four chains.
	RHat float64
	// Settled is the first number of the chains from which on they are as in their second
	// half, as far as chains can tell (SettlingTime); −1 if they never are or there are too few.
	Settled int
	// Warnings say why the numbers should not be trusted; none is a good sign.
	Warnings []string
}

// Diagnose looks at chains in all ways that this package has. It returns an
// *sde.SettingError for chains of different lengths, of fewer than 8 numbers, or with
// numbers that are not finite.
func Diagnose(c Draws) (*Diagnostics, error) {
	if err := c.check("Diagnose", 1); err != nil {
		return nil, err
	}
	d := &Diagnostics{RHat: math.NaN(), Settled: -1}
	d.EffectiveSamples, _ = EffectiveSampleSize(c)
	d.Bulk, _ = BulkEffectiveSampleSize(c)
	d.Tail, _ = TailEffectiveSampleSize(c)
	d.AutocorrelationTime, _ = AutocorrelationTime(c)
	all := c.sorted()
	mean, squares := meanOf(all)
	d.Mean = sde.Estimate{Value: mean, StdErr: math.Sqrt(squares / float64(len(all)-1) / d.EffectiveSamples), Groups: len(c)}
	warn := func(format string, args ...any) { d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...)) }
	if len(c) >= leastChains {
		d.RHat, _ = RHat(c)
		if !(d.RHat <= 1.01) {
			warn("R̂ = %.3f is above 1.01: the chains have not come to the same law", d.RHat)
		}
	} else {
		warn("R̂ needs at least %d chains", leastChains)
	}
	if math.IsNaN(d.EffectiveSamples) {
		warn("the chains never move: nothing is known of them")
	} else if least := 100 * float64(len(c)); !(d.Bulk >= least && d.Tail >= least) {
		warn("%.0f effective samples in the bulk and %.0f in the tails: fewer than 100 a chain, so that the effective sample size itself is uncertain", d.Bulk, d.Tail)
	}
	if n, err := SettlingTime(c); err == nil {
		d.Settled = n
		if n < 0 || n > len(c[0])/10 {
			warn("the chains settle at number %d of %d: leave out what comes before", n, len(c[0]))
		}
	}
	return d, nil
}

// String returns the diagnostics in a few lines.
func (d *Diagnostics) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mean %v\n", d.Mean)
	fmt.Fprintf(&b, "effective samples %.0f, bulk %.0f, tails %.0f; autocorrelation time %.3g\n", d.EffectiveSamples, d.Bulk, d.Tail, d.AutocorrelationTime)
	if !math.IsNaN(d.RHat) {
		fmt.Fprintf(&b, "R̂ = %.4f\n", d.RHat)
	}
	for _, w := range d.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// SettlingTime returns the first place in the chains' first halves from which on they are as
// in their second halves: where the mean over the chains, in stretches of a hundredth of the
// length, is for the first time not significantly different from that of the second half,
// by Student's t of the differences of each chain at a level of 1 % over all stretches. It returns −1 if
// the last stretch of the first half still differs.
//
// It sees a drift of the mean as soon as independent chains resolve it, and what does not
// move the mean not at all: give it chains of |θ| or L(θ) too. It returns an *sde.SettingError
// for fewer than four chains, fewer than 100 numbers in each, or numbers that are not finite.
func SettlingTime(c Draws) (int, error) {
	if err := c.check("SettlingTime", leastChains); err != nil {
		return 0, err
	}
	n := len(c[0])
	const stretches = 100
	if n < stretches {
		return 0, &sde.SettingError{Field: "stationary: SettlingTime chains", Value: fmt.Sprintf("%d numbers each", n), Want: fmt.Sprintf("at least %d", stretches)}
	}
	const level = 0.01 / (stretches / 2)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(c) - 1)}
	settled := -1
	for k := stretches/2 - 1; k >= 0; k-- {
		from, to := k*n/stretches, (k+1)*n/stretches
		differences := make([]float64, len(c))
		for i, x := range c {
			early, _ := meanOf(x[from:to])
			late, _ := meanOf(x[n/2:])
			differences[i] = early - late
		}
		mean, squares := meanOf(differences)
		se := math.Sqrt(squares / float64(len(c)*(len(c)-1)))
		if mean != 0 && !(2*t.Survival(math.Abs(mean)/se) >= level) {
			break
		}
		settled = from
	}
	return settled, nil
}
