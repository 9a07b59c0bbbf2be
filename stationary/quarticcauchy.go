// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// QuarticCauchy is the stationary law of a quartic minimum under Cauchy noise,
//
//	dX = −X³ dt + σ dL,   E exp(ikL_t) = exp(−|k|t)
//	p(x) = 1 / (πs (1 − z² + z⁴)),   z = x/s,   s = σ^(1/3)
//
// It has two modes, at ±s/√2, where L has one minimum: no temperature explains that.
// Source: Chechkin, Klafter, Gonchar, Metzler & Tanatarov, 2003, Bifurcation, bimodality,
// and finite variance in confined Lévy flights, Phys. Rev. E 67, 010102.
type QuarticCauchy struct {
	// Noise is σ, above 0; 0 means 1.
	Noise float64
}

var (
	_ Law    = QuarticCauchy{}
	_ Scorer = QuarticCauchy{}
)

// Validate returns an error if the noise is wrong.
func (q QuarticCauchy) Validate() error {
	if !(q.Noise >= 0) || math.IsInf(q.Noise, 1) {
		return &sde.SettingError{Field: "stationary: QuarticCauchy.Noise", Value: q.Noise, Want: "a finite number above 0, or 0 for 1"}
	}
	return nil
}

// String returns the law's name.
func (QuarticCauchy) String() string { return "quartic minimum under Cauchy noise" }

// Dim returns 1.
func (QuarticCauchy) Dim() int { return 1 }

func (q QuarticCauchy) scale() float64 {
	if q.Noise == 0 {
		return 1
	}
	return math.Cbrt(q.Noise)
}

// Density returns p(x).
func (q QuarticCauchy) Density(x float64) float64 {
	s := q.scale()
	z2 := x / s * x / s
	return 1 / (math.Pi * s * (1 - z2 + z2*z2))
}

// quarticTail returns P(X > sz) of a z that is not negative:
//
//	½ − (1/π) [ log((z²+√3z+1)/(z²−√3z+1))/(4√3) + (atan(2z+√3) + atan(2z−√3))/2 ]
func quarticTail(z float64) float64 {
	if z > 3 { // the same as a series, without the cancellation
		s, sign := 0.0, 1.0
		for k := range 40 {
			n := float64(6*k + 3)
			term := math.Pow(z, -n)/n + math.Pow(z, -n-2)/(n+2)
			s += sign * term
			if term < 1e-18*s {
				break
			}
			sign = -sign
		}
		return s / math.Pi
	}
	r := math.Sqrt(3)
	return 0.5 - (math.Log((z*z+r*z+1)/(z*z-r*z+1))/(4*r)+(math.Atan(2*z+r)+math.Atan(2*z-r))/2)/math.Pi
}

// CDF returns P(X < x).
func (q QuarticCauchy) CDF(x float64) float64 { return symmetricCDF(x/q.scale(), quarticTail) }

// Quantile returns the x with CDF(x) = p. It panics if p is not in [0, 1].
func (q QuarticCauchy) Quantile(p float64) float64 {
	return q.scale() * symmetricQuantile(p, func(p float64) float64 { return tailQuantile(p, quarticTail) })
}

// Probability returns P(lo < X < hi), to relative precision in either tail.
func (q QuarticCauchy) Probability(lo, hi []float64) float64 {
	return symmetricBetween(lo[0]/q.scale(), hi[0]/q.scale(), quarticTail)
}

// Score stores (2z − 4z³)/(s(1 − z² + z⁴)) into dst.
func (q QuarticCauchy) Score(dst, theta []float64) {
	s := q.scale()
	z := theta[0] / s
	dst[0] = (2*z - 4*z*z*z) / (s * (1 - z*z + z*z*z*z))
}
