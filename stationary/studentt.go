// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/sgflow/sgflow/sde"
)

// StudentT is Student's law in one dimension, what noise that grows as the loss does
// settles in:
//
//	p(x) ∝ (1 + z²/ν)^(−(ν+1)/2),   z = (x−μ)/s
//
// Its moments exist below ν only: the variance is s²ν/(ν−2) for ν > 2.
type StudentT struct {
	// Mu is the centre, Scale is s and Nu is ν, both above 0.
	Mu, Scale, Nu float64
}

var (
	_ Law    = StudentT{}
	_ Scorer = StudentT{}
)

// PowerLaw returns the stationary law, under Itô's calculus, of SGD in a minimum whose
// noise follows the loss,
//
//	L = L₀ + hx²/2,   D = (ηh/B) L   ⇒   ν = 1 + 2B/(ηh),   s² = 2L₀/(hν)
//
// so that p ∝ L^(−1−B/(ηh)) (Mori, Ziyin, Liu & Ueda, 2022, Power-law escape rate of
// SGD, ICML). It returns an error unless all four are finite and above 0.
func PowerLaw(floor, curvature, learningRate, batch float64) (StudentT, error) {
	for name, v := range map[string]float64{"floor": floor, "curvature": curvature, "learningRate": learningRate, "batch": batch} {
		if !(v > 0) || math.IsInf(v, 1) {
			return StudentT{}, &sde.SettingError{Field: "stationary: PowerLaw " + name, Value: v, Want: "a finite number above 0"}
		}
	}
	nu := 1 + 2*batch/(learningRate*curvature)
	return StudentT{Scale: math.Sqrt(2 * floor / (curvature * nu)), Nu: nu}, nil
}

// Validate returns an error if a field is wrong.
func (t StudentT) Validate() error {
	switch {
	case math.IsNaN(t.Mu) || math.IsInf(t.Mu, 0):
		return &sde.SettingError{Field: "stationary: StudentT.Mu", Value: t.Mu, Want: "a finite number"}
	case !(t.Scale > 0) || math.IsInf(t.Scale, 1):
		return &sde.SettingError{Field: "stationary: StudentT.Scale", Value: t.Scale, Want: "a finite number above 0"}
	case !(t.Nu > 0) || math.IsInf(t.Nu, 1):
		return &sde.SettingError{Field: "stationary: StudentT.Nu", Value: t.Nu, Want: "a finite number above 0"}
	}
	return nil
}

// String returns the law's name.
func (t StudentT) String() string {
	return fmt.Sprintf("Student t, ν = %g, centre %g, scale %g", t.Nu, t.Mu, t.Scale)
}

// Dim returns 1.
func (StudentT) Dim() int { return 1 }

// Variance returns s²ν/(ν−2), +Inf if ν ≤ 2.
func (t StudentT) Variance() float64 {
	if t.Nu <= 2 {
		return math.Inf(1)
	}
	return t.Scale * t.Scale * t.Nu / (t.Nu - 2)
}

// Density returns p(x).
func (t StudentT) Density(x float64) float64 {
	z := (x - t.Mu) / t.Scale
	a, _ := math.Lgamma((t.Nu + 1) / 2)
	b, _ := math.Lgamma(t.Nu / 2)
	return math.Exp(a-b-(t.Nu+1)/2*math.Log1p(z*z/t.Nu)) / (t.Scale * math.Sqrt(t.Nu*math.Pi))
}

// tail returns P(X > μ + sz) of a z that is not negative.
func (t StudentT) tail(z float64) float64 {
	if math.IsInf(z, 1) {
		return 0
	}
	return mathext.RegIncBeta(t.Nu/2, 0.5, t.Nu/(t.Nu+z*z)) / 2
}

// CDF returns P(X < x).
func (t StudentT) CDF(x float64) float64 { return symmetricCDF((x-t.Mu)/t.Scale, t.tail) }

// Quantile returns the x with CDF(x) = q. It panics if q is not in [0, 1].
func (t StudentT) Quantile(q float64) float64 {
	return t.Mu + t.Scale*symmetricQuantile(q, func(p float64) float64 {
		x := mathext.InvRegIncBeta(t.Nu/2, 0.5, 2*p)
		return math.Sqrt(t.Nu * (1 - x) / x)
	})
}

// Probability returns P(lo < X < hi), to relative precision in either tail.
func (t StudentT) Probability(lo, hi []float64) float64 {
	return symmetricBetween((lo[0]-t.Mu)/t.Scale, (hi[0]-t.Mu)/t.Scale, t.tail)
}

// Score stores −(ν+1)z/(s(ν+z²)) into dst.
func (t StudentT) Score(dst, theta []float64) {
	z := (theta[0] - t.Mu) / t.Scale
	dst[0] = -(t.Nu + 1) * z / (t.Scale * (t.Nu + z*z))
}

// symmetricCDF returns P(Z < z) of a symmetric law with the tail P(Z > z), z ≥ 0.
func symmetricCDF(z float64, tail func(z float64) float64) float64 {
	switch {
	case math.IsNaN(z):
		return math.NaN()
	case z < 0:
		return tail(-z)
	}
	return 1 - tail(z)
}

// symmetricBetween returns P(a < Z < b).
func symmetricBetween(a, b float64, tail func(z float64) float64) float64 {
	switch {
	case !(a < b):
		return 0
	case a >= 0:
		return tail(a) - tail(b)
	case b <= 0:
		return tail(-b) - tail(-a)
	}
	return 1 - tail(-a) - tail(b)
}

// symmetricQuantile returns the z with P(Z < z) = q, given the z of a tail p < ½.
func symmetricQuantile(q float64, ofTail func(p float64) float64) float64 {
	switch {
	case !(0 <= q && q <= 1):
		panic("stationary: quantile of a number outside [0, 1]")
	case q == 0:
		return math.Inf(-1)
	case q == 1:
		return math.Inf(1)
	case q == 0.5:
		return 0
	case q < 0.5:
		return -ofTail(q)
	}
	return ofTail(1 - q)
}

// tailQuantile returns the z ≥ 0 of a tail that falls from ½ to 0, by bisection of log z.
func tailQuantile(p float64, tail func(z float64) float64) float64 {
	lo, hi := -700.0, 700.0
	for range 80 {
		mid := (lo + hi) / 2
		if tail(math.Exp(mid)) > p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp((lo + hi) / 2)
}
