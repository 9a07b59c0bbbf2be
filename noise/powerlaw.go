// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// PowerLaw is a fit of y = a x^p to estimates with standard errors.
type PowerLaw struct {
	Exponent  sde.Estimate // p
	Amplitude float64      // a
	// ChiSquared is Σ ((log y − log a − p log x)/se)², of DegreesOfFreedom for a law that holds.
	ChiSquared       float64
	DegreesOfFreedom int
}

// FitPowerLaw fits y = a x^p by least squares in the logarithms, weighted by the standard errors of
// y, which must be small against y: the noise of a gradient against the batch size, with p = −1, or
// D against η, with p = 1. It returns an error unless there are at least three x, not all the same,
// and all numbers are finite and positive.
func FitPowerLaw(x []float64, y []sde.Estimate) (PowerLaw, error) {
	if len(x) != len(y) || len(x) < 3 {
		return PowerLaw{}, &sde.SettingError{Field: "noise: FitPowerLaw", Value: fmt.Sprintf("%d x and %d y", len(x), len(y)), Want: "as many of each, at least 3", Err: sde.ErrDimension}
	}
	var w, u, v, uu, uv float64 // weights, log x, log y
	for i, e := range y {
		for k, n := range []float64{x[i], e.Value, e.StdErr} {
			if err := positive(fmt.Sprintf("noise: FitPowerLaw %s[%d]", []string{"x", "y", "standard error of y"}[k], i), n); err != nil {
				return PowerLaw{}, err
			}
		}
		k := float64((e.Value / e.StdErr) * (e.Value / e.StdErr))
		w, u, v = w+k, u+float64(k*math.Log(x[i])), v+float64(k*math.Log(e.Value))
	}
	u, v = u/w, v/w
	for i, e := range y {
		k := float64((e.Value / e.StdErr) * (e.Value / e.StdErr))
		uu += float64(k * (math.Log(x[i]) - u) * (math.Log(x[i]) - u))
		uv += float64(k * (math.Log(x[i]) - u) * (math.Log(e.Value) - v))
	}
	if !(uu > 0) {
		return PowerLaw{}, &sde.SettingError{Field: "noise: FitPowerLaw x", Value: x, Want: "numbers that differ"}
	}
	p := uv / uu
	f := PowerLaw{Exponent: sde.Estimate{Value: p, StdErr: 1 / math.Sqrt(uu), Groups: len(x)}, Amplitude: math.Exp(v - float64(p*u)), DegreesOfFreedom: len(x) - 2}
	for i, e := range y {
		r := (math.Log(e.Value) - v - float64(p*(math.Log(x[i])-u))) * e.Value / e.StdErr
		f.ChiSquared += float64(r * r)
	}
	return f, nil
}

// Interval returns the interval of the exponent that has it with the given confidence, 0.95 say.
func (f PowerLaw) Interval(confidence float64) (low, high float64) {
	r := float64(-distuv.UnitNormal.Quantile((1-confidence)/2) * f.Exponent.StdErr)
	return f.Exponent.Value - r, f.Exponent.Value + r
}

// P returns the probability of a larger ChiSquared if the law holds.
func (f PowerLaw) P() float64 {
	return distuv.ChiSquared{K: float64(f.DegreesOfFreedom)}.Survival(f.ChiSquared)
}
