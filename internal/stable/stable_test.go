// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stable_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/internal/stable"
	"github.com/sgflow/sgflow/sde"
)

// expectation integrates f(u, v) over the unit square, for f the same at 1 − u, after the
// substitution x = 3t² − 2t³, which flattens what is singular at the edges.
func expectation(f func(u, v float64) float64) float64 {
	const n = 200
	x, w := make([]float64, n), make([]float64, n)
	quad.Legendre{}.FixedLocations(x, w, 0, 1)
	var s float64
	for i, t := range x {
		for j, r := range x {
			u, v := t*t*(3-2*t), r*r*(3-2*r)
			s += w[i] * w[j] * 36 * t * (1 - t) * r * (1 - r) * f(u/2, v)
		}
	}
	return s
}

// TestMoments holds E|X|^p and the mean and variance of log|X| to their closed forms by
// quadrature over the uniforms:
//
//	E|X|^p = 2^p Γ((1+p)/2) Γ(1−p/α) / (√π Γ(1−p/2)),   E log|X| = γ(1/α − 1),
//	Var log|X| = (π²/6)(1/α² + ½)
func TestMoments(t *testing.T) {
	const euler = 0.57721566490153286
	for _, alpha := range []float64{0.7, 1, 1.3, 1.5, 1.9, 2} {
		p := alpha / 8
		want := math.Pow(2, p) * math.Gamma((1+p)/2) * math.Gamma(1-p/alpha) / (math.Sqrt(math.Pi) * math.Gamma(1-p/2))
		if got := expectation(func(u, v float64) float64 { return math.Pow(math.Abs(stable.Symmetric(alpha, u, v)), p) }); math.Abs(got-want) > 1e-4*want {
			t.Errorf("α = %v: E|X|^%v = %v, want %v", alpha, p, got, want)
		}
		mean := expectation(func(u, v float64) float64 { return math.Log(math.Abs(stable.Symmetric(alpha, u, v))) })
		if want := euler * (1/alpha - 1); math.Abs(mean-want) > 1e-4 {
			t.Errorf("α = %v: E log|X| = %v, want %v", alpha, mean, want)
		}
		variance := expectation(func(u, v float64) float64 {
			l := math.Log(math.Abs(stable.Symmetric(alpha, u, v))) - mean
			return l * l
		})
		if want := math.Pi * math.Pi / 6 * (1/(alpha*alpha) + 0.5); math.Abs(variance-want) > 1e-3*want {
			t.Errorf("α = %v: Var log|X| = %v, want %v", alpha, variance, want)
		}
	}
}

// TestEdges holds the formula to be continuous in α at 1 and 2, odd, and finite in the corners.
func TestEdges(t *testing.T) {
	for _, u := range []float64{0x1p-53, 0.1, 0.4, 0.75, 1 - 0x1p-53} {
		for _, v := range []float64{0x1p-53, 0.3, 0.9, 1 - 0x1p-53} {
			for _, alpha := range []float64{1, 2} {
				a, b := stable.Symmetric(alpha, u, v), stable.Symmetric(alpha-1e-9, u, v)
				if math.Abs(a-b) > 1e-6*math.Abs(a) && 0x1p-50 < u && u < 1-0x1p-50 {
					t.Errorf("u, v = %v, %v: %v at α = %v, %v right below", u, v, a, alpha, b)
				}
			}
			for _, alpha := range []float64{0.11, 0.5, 1, 1.5, 2} {
				x, y := stable.Symmetric(alpha, u, v), stable.Symmetric(alpha, 1-u, v)
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Errorf("α = %v, u, v = %v, %v: %v", alpha, u, v, x)
				}
				if math.Abs(x+y) > 1e-12*math.Abs(x) {
					t.Errorf("α = %v: %v at u = %v and %v at 1 − u", alpha, x, u, y)
				}
			}
		}
	}
}

// TestCharacteristicFunction holds the mean of cos kX over draws to exp(−k^α), and finds an α that
// is off by 0.2.
func TestCharacteristicFunction(t *testing.T) {
	const n, level = 1 << 17, 1e-6 / 9
	s := sde.NewStream(11, nil)
	u := make([]float64, 2*n)
	s.At(sde.Steps, 0, 0)
	s.Uniforms(u)
	for _, alpha := range []float64{0.8, 1.2, 1.7} {
		z := func(k, alpha, drawn float64) float64 {
			var sum float64
			for i := range n {
				sum += math.Cos(k * stable.Symmetric(drawn, u[2*i], u[2*i+1]))
			}
			phi := math.Exp(-math.Pow(k, alpha))
			return (sum/n - phi) / math.Sqrt(((1+math.Exp(-math.Pow(2*k, alpha)))/2-phi*phi)/n)
		}
		for _, k := range []float64{0.5, 1.3, 2.5} {
			if p := 2 * distuv.UnitNormal.CDF(-math.Abs(z(k, alpha, alpha))); p < level {
				t.Errorf("α = %v, k = %v: p = %g", alpha, k, p)
			}
		}
		if p := 2 * distuv.UnitNormal.CDF(-math.Abs(z(1.3, alpha, alpha+0.2))); p > level {
			t.Errorf("α + 0.2 passes for %v: p = %g", alpha, p)
		}
	}
}
