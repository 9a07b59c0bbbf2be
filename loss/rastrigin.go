// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Rastrigin is a paraboloid with a wave in each of D coordinates:
//
//	L(θ) = Σ_i (θ_i² + A (1 − cos 2πθ_i))
//
// The global minimum is the origin, of value 0; there is another close to each point of
// whole numbers below about πA. L. A. Rastrigin, 1974, Systems of Extremal Control,
// Nauka (with D = 2 and A = 10).
type Rastrigin struct {
	D         int     // dimension; 0 means 2
	Amplitude float64 // A; 0 means 10
}

var (
	_ sde.Loss          = Rastrigin{}
	_ sde.BatchGradient = Rastrigin{}
	_ sde.Hessian       = Rastrigin{}
	_ sde.Laplacian     = Rastrigin{}
	_ sde.Curvature     = Rastrigin{}
	_ sde.Normalizable  = Rastrigin{}
	_ sde.Charted       = Rastrigin{}
)

func (l Rastrigin) a() float64 {
	if l.Amplitude == 0 {
		return 10
	}
	return l.Amplitude
}

// Validate returns an error if D or Amplitude is negative, or Amplitude above 1000.
func (l Rastrigin) Validate() error {
	if a := l.a(); !(a > 0 && a <= 1000) {
		return &sde.SettingError{Field: "loss: Rastrigin.Amplitude", Value: l.Amplitude, Want: "above 0 and at most 1000, or 0 for 10"}
	}
	return checkD("Rastrigin", l.D, 1, 2)
}

// Dim returns D.
func (l Rastrigin) Dim() int { return dimOr(l.D, 2) }

// Value returns L. It panics if theta is not of length D.
func (l Rastrigin) Value(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	a := l.a()
	var s float64
	for _, x := range theta {
		sin, _ := kernel.SinCos1(math.Pi * x) // 1 − cos 2u = 2 sin² u
		s = math.FMA(2*a*sin, sin, math.FMA(x, x, s))
	}
	return s
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of length D.
func (l Rastrigin) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.Dim())
	for i, x := range theta {
		dst[i] = l.slope(x)
	}
}

// slope returns the derivative in one coordinate.
func (l Rastrigin) slope(x float64) float64 {
	sin, _ := kernel.SinCos1(2 * math.Pi * x)
	return math.FMA(2*math.Pi*l.a(), sin, 2*x)
}

// bend returns the second derivative in one coordinate.
func (l Rastrigin) bend(x float64) float64 {
	_, cos := kernel.SinCos1(2 * math.Pi * x)
	return math.FMA(4*math.Pi*math.Pi*l.a(), cos, 2)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l Rastrigin) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}

// Hessian stores the D×D matrix of second derivatives into dst. It panics if dst is
// not of length D² or theta not of length D.
func (l Rastrigin) Hessian(dst, theta []float64) {
	d := l.Dim()
	checkHessian(dst, theta, d)
	clear(dst)
	for i, x := range theta {
		dst[i*d+i] = l.bend(x)
	}
}

// Laplacian returns Σ (2 + 4π²A cos 2πθ_i). It panics if theta is not of length D.
func (l Rastrigin) Laplacian(theta []float64) float64 {
	if len(theta) != l.Dim() {
		panic(badTheta)
	}
	var s float64
	for _, x := range theta {
		s += l.bend(x)
	}
	return s
}

// Curvature returns 2 + 4π²A, that at the origin.
func (l Rastrigin) Curvature() float64 { return l.bend(0) }

// Normalizable reports whether temperature is above 0.
func (Rastrigin) Normalizable(temperature float64) bool { return temperature > 0 }

// CriticalPoints returns all critical points if they are at most 20,000, as for
// A = 10 in two dimensions, otherwise nil.
func (l Rastrigin) CriticalPoints() []sde.CriticalPoint {
	roots := []root{{0, 0}}
	// Between the places where the curvature vanishes, a quarter and three quarters
	// beyond whole numbers but for the shift, the slope changes its sign at most once.
	c := 1 / (2 * math.Pi * math.Pi * l.a())
	if c >= 1 {
		return product(l, roots)
	}
	shift := math.Asin(c) / (2 * math.Pi)
	for k := 0; float64(k)/2 < float64(math.Pi*l.a())+1 && len(roots) <= mostPoints; k++ {
		n := float64(k / 2)
		lo, hi := n+0.25+shift, n+0.75-shift
		if k%2 == 1 {
			lo, hi = hi, n+1.25+shift
		}
		if up := l.slope(hi) > 0; (l.slope(lo) > 0) != up {
			for {
				m := (lo + hi) / 2
				if m <= lo || m >= hi {
					break
				}
				if (l.slope(m) > 0) == up {
					hi = m
				} else {
					lo = m
				}
			}
			index := 0
			if !up {
				index = 1
			}
			roots = append(roots, root{lo, index}, root{-lo, index})
		}
	}
	return product(l, roots)
}
