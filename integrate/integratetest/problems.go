// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// Problem is an equation of Itô's calculus that comes with answers. Its fields are
// what is known: nil where nothing is.
type Problem struct {
	Name     string
	Equation sde.Equation
	Start    []float64
	// Solution stores the state at time 1 on the path of increment w and
	// space-time Lévy area η (sde.Stream.SpaceTime) over the unit of time.
	Solution func(dst, w, area []float64)
	// Linear is what the equation is linear in: dX = A X dt + Σ_k B_k X dW_k.
	Linear *Linear
}

// Linear holds the matrices of dX = A X dt + Σ_k B_k X dW_k.
type Linear struct {
	A *mat.Dense
	B []*mat.Dense
}

// equation is an equation from functions.
type equation struct {
	d, m  int
	class sde.NoiseClass
	drift func(dst, x []float64, t float64)
	root  func(dst, x []float64, t float64)
}

func (e *equation) Dims() (state, noise int)              { return e.d, e.m }
func (e *equation) Class() sde.NoiseClass                 { return e.class }
func (e *equation) Drift(dst, theta []float64, t float64) { e.drift(dst, theta, t) }
func (e *equation) Root(dst, theta []float64, t float64)  { e.root(dst, theta, t) }

// scalar is a scalar equation.
func scalar(class sde.NoiseClass, a, b func(x, t float64) float64) *equation {
	return &equation{d: 1, m: 1, class: class,
		drift: func(dst, x []float64, t float64) { dst[0] = a(x[0], t) },
		root:  func(dst, x []float64, t float64) { dst[0] = b(x[0], t) }}
}

// Geometric is geometric Brownian motion dX = aX dt + bX dW from ½, with the
// solution ½ exp((a − b²/2)t + bW).
func Geometric(a, b float64) Problem {
	p := LinearProblem("geometric Brownian motion", sde.Diagonal, []float64{0.5}, []float64{a}, []float64{b})
	p.Solution = func(dst, w, _ []float64) { dst[0] = 0.5 * math.Exp(a-b*b/2+b*w[0]) }
	return p
}

// Decay is dX = (β/√(1+t) − X/(2(1+t))) dt + αβ/√(1+t) dW from 1, with the solution
// (1 + β(t + αW))/√(1+t) (Kloeden & Platen, 1992, eq. 4.4.5).
func Decay(alpha, beta float64) Problem {
	return Problem{Name: "additive noise that decays", Start: []float64{1},
		Equation: scalar(sde.Additive, func(x, t float64) float64 { return beta/math.Sqrt(1+t) - x/(2*(1+t)) },
			func(_, t float64) float64 { return alpha * beta / math.Sqrt(1+t) }),
		Solution: func(dst, w, _ []float64) { dst[0] = (1 + beta*(1+alpha*w[0])) / math.Sqrt2 }}
}

// Ramp is dX = t dW from 0, whose solution at 1 is ∫ t dW = ΔW/2 − H.
func Ramp() Problem {
	return Problem{Name: "dX = t dW", Start: []float64{0},
		Equation: scalar(sde.Additive, func(_, _ float64) float64 { return 0 }, func(_, t float64) float64 { return t }),
		Solution: func(dst, w, area []float64) { dst[0] = w[0]/2 - area[0] }}
}

// Wave is dX = −b² sin X cos³X dt + b cos²X dW from ½, with the solution
// arctan(bW + tan ½) (Kloeden & Platen, 1992, eq. 4.4.31).
func Wave(b float64) Problem {
	return Problem{Name: "arctan", Start: []float64{0.5},
		Equation: scalar(sde.Diagonal, func(x, _ float64) float64 {
			s, c := math.Sincos(x)
			return -b * b * s * c * c * c
		}, func(x, _ float64) float64 {
			c := math.Cos(x)
			return b * c * c
		}),
		Solution: func(dst, w, _ []float64) { dst[0] = math.Atan(b*w[0] + math.Tan(0.5)) }}
}

// Cubic is dX = −¼X(1−X²) dt + ½(1−X²) dW from ½, with the solution
// ((1+X_0)e^W + X_0 − 1)/((1+X_0)e^W + 1 − X_0).
func Cubic() Problem {
	return Problem{Name: "cubic", Start: []float64{0.5},
		Equation: scalar(sde.Diagonal, func(x, _ float64) float64 { return -0.25 * x * (1 - x*x) },
			func(x, _ float64) float64 { return 0.5 * (1 - x*x) }),
		Solution: func(dst, w, _ []float64) {
			e := 1.5 * math.Exp(w[0])
			dst[0] = (e - 0.5) / (e + 0.5)
		}}
}

// Tocino is dX = (X^⅓/3 + 6X^⅔) dt + X^⅔ dW from 1, with the solution (2t+1+W/3)³
// (Tocino & Ardanuy, 2002, Runge–Kutta methods for numerical solution of
// stochastic differential equations).
func Tocino() Problem {
	return Problem{Name: "Tocino", Start: []float64{1},
		Equation: scalar(sde.Diagonal, func(x, _ float64) float64 {
			c := math.Cbrt(x)
			return c/3 + 6*c*c
		}, func(x, _ float64) float64 {
			c := math.Cbrt(x)
			return c * c
		}),
		Solution: func(dst, w, _ []float64) { dst[0] = math.Pow(3+w[0]/3, 3) }}
}

// Area is dX_1 = dW_1, dX_2 = X_1 dW_2 from 0: X_2 is an iterated integral, with
// a Lévy area in it, of variance ½. It tells right areas from wrong ones as
// equations with commuting matrices cannot.
func Area() Problem {
	return Problem{Name: "dX₁ = dW₁, dX₂ = X₁ dW₂", Start: []float64{0, 0},
		Equation: &equation{d: 2, m: 2, class: sde.General,
			drift: func(dst, _ []float64, _ float64) { clear(dst) },
			root:  func(dst, x []float64, _ float64) { dst[0], dst[1], dst[2], dst[3] = 1, 0, 0, x[0] }}}
}

// Rotation is a general equation without a known solution whose noise does not commute:
// dX = −X dt + (cos X_2, sin X_1)/2 dW_1 + (X_2, −½X_1)/(1+|X|²) dW_2.
func Rotation() Problem {
	return Problem{Name: "noise that does not commute", Start: []float64{0.8, -0.3},
		Equation: &equation{d: 2, m: 2, class: sde.General,
			drift: func(dst, x []float64, _ float64) { dst[0], dst[1] = -x[0], -x[1] },
			root: func(dst, x []float64, _ float64) {
				q := 1 + x[0]*x[0] + x[1]*x[1]
				dst[0], dst[1] = 0.5*math.Cos(x[1]), x[1]/q
				dst[2], dst[3] = 0.5*math.Sin(x[0]), -0.5*x[0]/q
			}}}
}

// LinearProblem is dX = A X dt + Σ_k B_k X dW_k with matrices given row-major, in the
// dimension of start. The class must be right.
func LinearProblem(name string, class sde.NoiseClass, start, a []float64, b ...[]float64) Problem {
	d, m := len(start), len(b)
	l := &Linear{A: mat.NewDense(d, d, a)}
	for _, v := range b {
		l.B = append(l.B, mat.NewDense(d, d, v))
	}
	return Problem{Name: name, Start: start, Linear: l, Equation: &equation{d: d, m: m, class: class,
		drift: func(dst, x []float64, _ float64) { product(dst, 1, a, x) },
		root: func(dst, x []float64, _ float64) {
			for k := range b {
				product(dst[k:], m, b[k], x)
			}
		}}}
}

// product stores the product of a row-major matrix with x into every stride-th of dst.
func product(dst []float64, stride int, a, x []float64) {
	for i := range x {
		var s float64
		for j, v := range x {
			s += a[i*len(x)+j] * v
		}
		dst[i*stride] = s
	}
}

// linearProblems are linear equations with noise of each class.
func linearProblems() []Problem {
	return []Problem{
		Geometric(0.5, 0.6),
		LinearProblem("linear, scalar noise", sde.Commutative, []float64{1, 0.5}, []float64{-0.4, 1, -0.7, -0.2}, []float64{0.3, -0.5, 0.4, 0.2}),
		LinearProblem("linear, diagonal noise", sde.Diagonal, []float64{1, 0.5}, []float64{-0.4, 1, -0.7, -0.2}, []float64{0.5, 0, 0, 0}, []float64{0, 0, 0, -0.4}),
		LinearProblem("linear, commuting noise", sde.Commutative, []float64{1, 0.5}, []float64{-0.4, 1, -0.7, -0.2}, []float64{0.3, 0.4, 0.4, 0.3}, []float64{-0.2, 0.3, 0.3, -0.2}),
		LinearProblem("linear, general noise", sde.General, []float64{1, 0.5}, []float64{-0.4, 1, -0.7, -0.2}, []float64{0.3, -0.5, 0.4, 0.2}, []float64{0.1, 0.6, 0.5, -0.3}),
	}
}

// strongProblems have solutions, or paths to be compared between steps.
func strongProblems() []Problem {
	lin := linearProblems()
	return []Problem{Decay(1, 1), Ramp(), doubleWellProblem(), Geometric(0.3, 0.7), Wave(0.8), Cubic(), lin[1], lin[2], lin[3], Area(), Rotation()}
}

// wellTemperature is that of the double well that is used for stationary laws.
const wellTemperature = 0.2

// doubleWellProblem is the flow on L = (x²−1)²/4 with T = 0.2, from 0.7.
func doubleWellProblem() Problem {
	return Problem{Name: "double well", Start: []float64{0.7},
		Equation: scalar(sde.Constant, func(x, _ float64) float64 { return x - x*x*x }, func(_, _ float64) float64 { return math.Sqrt(2 * wellTemperature) })}
}

// unevenWell is the double well with D(x) = T(1 + ½ sin x), in Itô's calculus.
func unevenWell() Problem {
	return Problem{Name: "double well, uneven noise", Start: []float64{0.7},
		Equation: scalar(sde.Diagonal, func(x, _ float64) float64 { return x - x*x*x }, func(x, _ float64) float64 { return math.Sqrt(2 * unevenD(x)) })}
}

func unevenD(x float64) float64 { return wellTemperature * (1 + 0.5*math.Sin(x)) }

// wellSecondMoment is ∫ x² p of p ∝ (1/D) exp(−∫ (x³−x)/D), by the trapezoidal rule.
func wellSecondMoment(d func(x float64) float64) float64 {
	const r, n = 4.0, 1 << 14
	var phi, z, s float64
	slope := func(x float64) float64 { return (x*x*x - x) / d(x) }
	// Start the potential in the middle, so that nothing overflows.
	step := 2 * r / n
	add := func(x, phi float64) {
		p := math.Exp(-phi) / d(x)
		z += p
		s += p * x * x
	}
	for _, sign := range []float64{1, -1} {
		phi = 0
		for i := range n / 2 {
			x := sign * float64(i) * step
			if i > 0 || sign > 0 {
				add(x, phi)
			}
			// Simpson's rule from x to the next.
			y := x + sign*step
			phi += sign * step / 6 * (slope(x) + 4*slope((x+y)/2) + slope(y))
		}
	}
	return s / z
}
