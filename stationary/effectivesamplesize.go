// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import "math"

// EffectiveSampleSize returns how many independent samples the chains' mean is worth, from
// one chain on. With ρ_t the autocorrelation of all chains at lag t, which counts differences
// between chains as correlation at every lag,
//
//	n_eff = N/τ,   τ = 1 + 2 Σ_t ρ_t,   ρ_t = 1 − (W − ⟨γ_t⟩ n/(n−1)) / V
//
// where W is the mean variance of a chain, ⟨γ_t⟩ the mean autocovariance and
// V = W (n−1)/n + B/n with B/n the variance of the chains' means. The sum goes on as long as
// pairs ρ_2k + ρ_2k+1 are positive, and pairs are made to fall (C. Geyer, 1992, Practical
// Markov chain Monte Carlo, Statistical Science 7, 473–483, § 3.3). Each chain is cut into
// halves first, so that drift counts as a difference between chains. It is at most
// N log₁₀ N, a bound for chains whose draws repel one another, and NaN for chains that never move.
//
// A. Vehtari, A. Gelman, D. Simpson, B. Carpenter & P.-C. Bürkner, 2021, Rank-normalization,
// folding, and localization: an improved R̂, Bayesian Analysis 16, 667–718, § 3.2.
//
// It returns an *sde.SettingError for chains of different lengths, of fewer than 8 numbers, or
// with numbers that are not finite.
func EffectiveSampleSize(c Draws) (float64, error) {
	if err := c.check("EffectiveSampleSize", 1); err != nil {
		return 0, err
	}
	return effective(c.split()), nil
}

// BulkEffectiveSampleSize returns the effective sample size of the numbers' normal scores,
// for how well the middle of the law is known, even if it has no variance. Errors are those of
// EffectiveSampleSize.
func BulkEffectiveSampleSize(c Draws) (float64, error) {
	if err := c.check("BulkEffectiveSampleSize", 1); err != nil {
		return 0, err
	}
	return effective(c.split().normalised()), nil
}

// TailEffectiveSampleSize returns the lesser of the effective sample sizes of the events
// that a number is below the quantiles of 5 % and 95 %. Errors are those of EffectiveSampleSize.
func TailEffectiveSampleSize(c Draws) (float64, error) {
	if err := c.check("TailEffectiveSampleSize", 1); err != nil {
		return 0, err
	}
	all := c.sorted()
	least := math.Inf(1)
	for _, q := range []float64{0.05, 0.95} {
		at := quantileOf(all, q)
		least = math.Min(least, effective(c.each(func(v float64) float64 {
			if v <= at {
				return 1
			}
			return 0
		}).split()))
	}
	return least, nil
}

// AutocorrelationTime returns τ = N/n_eff of the chains as they are, not cut into halves: how
// many numbers make an independent one. Of an autoregression of correlation ρ, or an
// Ornstein–Uhlenbeck process watched every Δ with ρ = exp(−kΔ), it is
// (1+ρ)/(1−ρ) = coth(kΔ/2). Errors are those of EffectiveSampleSize.
func AutocorrelationTime(c Draws) (float64, error) {
	if err := c.check("AutocorrelationTime", 1); err != nil {
		return 0, err
	}
	return float64(len(c)*len(c[0])) / effective(c), nil
}

// effective is the effective sample size of chains that have been cut.
func effective(c Draws) float64 {
	chains, n := len(c), len(c[0])
	total := float64(chains * n)
	gamma := make([]float64, n) // mean autocovariance
	for _, x := range c {
		for t, a := range autocovariance(x) {
			gamma[t] += a / float64(chains)
		}
	}
	means, _ := c.moments()
	within := gamma[0] * float64(n) / float64(n-1)
	pooled := gamma[0]
	if chains > 1 {
		_, squares := meanOf(means)
		pooled += squares / float64(chains-1)
	}
	if !(pooled > 0) {
		return math.NaN()
	}
	// γ_t is taken with its divisor n, which is what makes it small at large lags.
	rho := func(t int) float64 { return 1 - (within-gamma[t])/pooled }

	// Pairs of neighbours, from lags 0 and 1 on, are positive for a reversible chain. The
	// first that is not, or the last of all, ends the sum, with its even member counted
	// once if that is positive.
	tau, last := -1.0, math.Inf(1)
	for t := 0; ; t += 2 {
		even, odd := 1.0, rho(t+1)
		if t > 0 {
			even = rho(t)
		}
		if even+odd <= 0 || t+4 >= n {
			tau += math.Max(even, 0)
			break
		}
		last = math.Min(last, even+odd)
		tau += 2 * last
	}
	return total / math.Max(tau, 1/math.Log10(total))
}
