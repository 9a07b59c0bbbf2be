// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
)

// dualAveraging tunes each chain's step ε so that its mean acceptance probability
// becomes δ. After step m = 1, 2, … of acceptance α_m, with all logarithms those of ε/h,
//
//	H_m = (1 − 1/(m+t₀)) H_m−1 + (δ − α_m)/(m+t₀)
//	log ε_m+1 = log 10 − (√m/γ) H_m,   log ε̄_m+1 = m^−κ log ε_m+1 + (1 − m^−κ) log ε̄_m
//
// and γ = 0.05, t₀ = 10, κ = 0.75. Afterwards the step is ε̄. All of it is in the
// particle's row, so that it depends on that particle alone.
//
// Source: Hoffman & Gelman, 2014, The No-U-Turn sampler, J. Mach. Learn. Res. 15,
// § 3.2 and algorithm 5.
type dualAveraging struct {
	time, target float64
}

// newDualAveraging checks a scheme's settings.
func newDualAveraging(name string, time, target, standard float64) (dualAveraging, error) {
	if target == 0 {
		target = standard
	}
	if !(time >= 0) || math.IsInf(time, 1) {
		return dualAveraging{}, invalid(name+".Tuning", time, "a time that is not negative, 0 for no tuning", nil)
	}
	if !(target > 0 && target < 1) {
		return dualAveraging{}, invalid(name+".Target", target, "an acceptance rate between 0 and 1, or 0 for the default", nil)
	}
	return dualAveraging{time, target}, nil
}

// width returns how many columns the history of a chain has.
func (t dualAveraging) width() int {
	if t.time > 0 {
		return deficitColumn + 1
	}
	return acceptanceColumn + 1
}

// step returns the chain's step where the ensemble's is h.
func (t dualAveraging) step(h float64, history []float64, tuning bool) float64 {
	switch {
	case t.time == 0:
		return h
	case tuning:
		return h * kernel.Exp1(history[stepColumn])
	}
	return h * kernel.Exp1(history[averageColumn])
}

// update tunes the chain after the ensemble's step n, from 0, of acceptance a.
func (t dualAveraging) update(history []float64, a float64, n int) {
	const (
		gamma, t0, kappa = 0.05, 10, 0.75
		log10            = 2.302585092994045684
		// A chain that no step would make move does not run off to 0.
		limit = 100
	)
	m := float64(n + 1)
	deficit := history[deficitColumn]
	deficit += (t.target - a - deficit) / (m + t0)
	e := log10 - float64(math.Sqrt(m)/gamma*deficit)
	e = max(-limit, min(limit, e))
	weight := kernel.Exp1(-kappa * kernel.Log1(m))
	history[deficitColumn], history[stepColumn] = deficit, e
	history[averageColumn] += float64(weight * (e - history[averageColumn]))
}
