// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// Problem is an equation that comes with answers. Its fields are what is known: nil
// where nothing is. Problems returns them all.
type Problem struct {
	Name     string
	Equation sde.Equation
	Start    []float64
	// Solution stores the state at time t on the path of increment w and
	// space-time Lévy area H (sde.Stream.SpaceTime) over the time from 0 to t.
	Solution func(dst []float64, t float64, w, area []float64)
	// Linear is what the equation is linear in: dX = A X dt + Σ_k B_k X dW_k.
	Linear *Linear
	// Mean and Second are E X and E XXᵀ (row-major) at time 1.
	Mean, Second []float64
	// Stationary is E XXᵀ under the stationary law.
	Stationary []float64
	// Density is that of the stationary law of a scalar equation.
	Density func(x float64) float64
}

// Problems returns the zoo: each problem of this package once, with parameters that
// are neither easy nor extreme.
func Problems() []Problem {
	all := []Problem{Decay(1, 1), Ramp(), Wave(0.8), Cubic(), Tocino(), OrnsteinUhlenbeck(1.5, 0.3), Current(), Area(), Rotation(), DoubleWell(0.2), UnevenWell(0.2), GeneralWell(0.2),
		StudentT(0.5, sde.Ito), StudentT(0.4, sde.Stratonovich), StudentT(0.3, sde.Klimontovich)}
	return append(all, linearProblems()...)
}

// Linear holds the matrices of dX = A X dt + Σ_k B_k X dW_k.
type Linear struct {
	A *mat.Dense
	B []*mat.Dense
}

// equation is an equation from functions.
type equation struct {
	d, m     int
	class    sde.NoiseClass
	calculus sde.Calculus
	drift    func(dst, x []float64, t float64)
	root     func(dst, x []float64, t float64)
}

func (e *equation) Dims() (state, noise int)              { return e.d, e.m }
func (e *equation) Class() sde.NoiseClass                 { return e.class }
func (e *equation) Interpretation() sde.Calculus          { return e.calculus }
func (e *equation) Drift(dst, theta []float64, t float64) { e.drift(dst, theta, t) }
func (e *equation) Root(dst, theta []float64, t float64)  { e.root(dst, theta, t) }

// scalar is a scalar equation.
func scalar(class sde.NoiseClass, a, b func(x, t float64) float64) *equation {
	return &equation{d: 1, m: 1, class: class,
		drift: func(dst, x []float64, t float64) { dst[0] = a(x[0], t) },
		root:  func(dst, x []float64, t float64) { dst[0] = b(x[0], t) }}
}

// Geometric is geometric Brownian motion dX = aX dt + bX dW from ½, with the
// solution ½ exp((a − b²/2)t + bW). A hard one is a = 1.01, b = 0.87.
func Geometric(a, b float64) Problem {
	p := LinearProblem("geometric Brownian motion", sde.Diagonal, []float64{0.5}, []float64{a}, []float64{b})
	p.Solution = func(dst []float64, t float64, w, _ []float64) { dst[0] = 0.5 * math.Exp((a-b*b/2)*t+b*w[0]) }
	return p
}

// Decay is dX = (β/√(1+t) − X/(2(1+t))) dt + αβ/√(1+t) dW from 1, with the solution
// (1 + β(t + αW))/√(1+t) (Kloeden & Platen, 1992, eq. 4.4.5).
func Decay(alpha, beta float64) Problem {
	m := (1 + beta) / math.Sqrt2
	return Problem{Name: "additive noise that decays", Start: []float64{1},
		Equation: scalar(sde.Additive, func(x, t float64) float64 { return beta/math.Sqrt(1+t) - x/(2*(1+t)) },
			func(_, t float64) float64 { return alpha * beta / math.Sqrt(1+t) }),
		Solution: func(dst []float64, t float64, w, _ []float64) {
			dst[0] = (1 + beta*(t+alpha*w[0])) / math.Sqrt(1+t)
		},
		Mean: []float64{m}, Second: []float64{m*m + alpha*alpha*beta*beta/2}}
}

// Ramp is dX = t dW from 0, with the solution ∫ t dW = t(W/2 − H).
func Ramp() Problem {
	return Problem{Name: "dX = t dW", Start: []float64{0},
		Equation: scalar(sde.Additive, func(_, _ float64) float64 { return 0 }, func(_, t float64) float64 { return t }),
		Solution: func(dst []float64, t float64, w, area []float64) { dst[0] = t * (w[0]/2 - area[0]) },
		Mean:     []float64{0}, Second: []float64{1. / 3}}
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
		Solution: func(dst []float64, _ float64, w, _ []float64) { dst[0] = math.Atan(b*w[0] + math.Tan(0.5)) }}
}

// Cubic is dX = −¼X(1−X²) dt + ½(1−X²) dW from ½, with the solution
// ((1+X_0)e^W + X_0 − 1)/((1+X_0)e^W + 1 − X_0). Its drift is sometimes printed with the
// other sign, with which that is no solution.
func Cubic() Problem {
	return Problem{Name: "cubic", Start: []float64{0.5},
		Equation: scalar(sde.Diagonal, func(x, _ float64) float64 { return -0.25 * x * (1 - x*x) },
			func(x, _ float64) float64 { return 0.5 * (1 - x*x) }),
		Solution: func(dst []float64, _ float64, w, _ []float64) {
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
		Solution: func(dst []float64, t float64, w, _ []float64) { dst[0] = math.Pow(1+2*t+w[0]/3, 3) },
		// (3+W/3)³ with E W² = 1, E W⁴ = 3, E W⁶ = 15.
		Mean: []float64{28}, Second: []float64{869 + 15./729}}
}

// OrnsteinUhlenbeck is dX = −kX dt + √(2T) dW from ½, as a flow: its stationary law is
// normal, of variance T/k.
func OrnsteinUhlenbeck(k, temperature float64) Problem {
	v := temperature / k
	m := 0.5 * math.Exp(-k)
	return Problem{Name: "the Ornstein–Uhlenbeck process", Start: []float64{0.5}, Equation: ornsteinUhlenbeck(k, temperature),
		Mean: []float64{m}, Second: []float64{m*m - v*math.Expm1(-2*k)}, Stationary: []float64{v},
		Density: func(x float64) float64 { return math.Exp(-x*x/(2*v)) / math.Sqrt(2*math.Pi*v) }}
}

// Current is dX = −FX dt + B dW from 0 with F = diag(1, 2) and BBᵀ/2 = D = (1, ½; ½, 1). It
// does not keep detailed balance: the stationary covariance is S = (1, ⅓; ⅓, ½), and a
// current flows round, with an entropy production of 1/9.
func Current() Problem {
	s := []float64{1, 1. / 3, 1. / 3, 1. / 2}
	second := make([]float64, 4)
	for i := range 2 {
		for j := range 2 {
			second[2*i+j] = -s[2*i+j] * math.Expm1(-float64(2+i+j))
		}
	}
	return Problem{Name: "a linear flow with a current", Start: []float64{0, 0},
		Equation: &equation{d: 2, m: 2, class: sde.Constant,
			drift: func(dst, x []float64, _ float64) { dst[0], dst[1] = -x[0], -2*x[1] },
			root: func(dst, _ []float64, _ float64) {
				dst[0], dst[1], dst[2], dst[3] = math.Sqrt2, 0, 1/math.Sqrt2, math.Sqrt(1.5)
			}},
		Mean: []float64{0, 0}, Second: second, Stationary: s}
}

// StudentT is dX = −X dt + √(2T(1+X²)) dW from 0 under a calculus α. The stationary
// density tells which: it is Student's,
//
//	∝ (1+x²)^(α−1−1/(2T)),   √ν X of ν = 1/T + 1 − 2α degrees of freedom
//
// with E X² = 1/(ν−2) if ν > 2: for T = ½ and Itô 1, for Klimontovich Cauchy's law.
func StudentT(temperature float64, calculus sde.Calculus) Problem {
	e := scalar(sde.Diagonal, func(x, _ float64) float64 { return -x }, func(x, _ float64) float64 { return math.Sqrt(2 * temperature * (1 + x*x)) })
	e.calculus = calculus
	nu := 1/temperature + 1 - 2*calculus.Alpha()
	over, _ := math.Lgamma((nu + 1) / 2)
	under, _ := math.Lgamma(nu / 2)
	p := Problem{Name: "Student's law, " + calculus.String(), Start: []float64{0}, Equation: e,
		Density: func(x float64) float64 { return math.Exp(over-under-(nu+1)/2*math.Log1p(x*x)) / math.Sqrt(math.Pi) }}
	if nu > 2 {
		p.Stationary = []float64{1 / (nu - 2)}
	}
	return p
}

// Area is dX_1 = dW_1, dX_2 = X_1 dW_2 from 0: X_2 is an iterated integral, with
// a Lévy area in it, of variance ½. It tells right areas from wrong ones as
// equations with commuting matrices cannot.
func Area() Problem {
	return Problem{Name: "dX₁ = dW₁, dX₂ = X₁ dW₂", Start: []float64{0, 0}, Mean: []float64{0, 0}, Second: []float64{1, 0, 0, 0.5},
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
	mean, second := l.moments(start)
	return Problem{Name: name, Start: start, Linear: l, Mean: mean, Second: second, Equation: &equation{d: d, m: m, class: class,
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
	return []Problem{Decay(1, 1), Ramp(), DoubleWell(wellTemperature), Geometric(0.3, 0.7), Wave(0.8), Cubic(), lin[1], lin[2], lin[3], Area(), Rotation(),
		OrnsteinUhlenbeck(1.5, 0.3)}
}

// wellTemperature is that of the double well that is used for stationary laws.
const wellTemperature = 0.2

// DoubleWell is the flow on L = (x²−1)²/4 at a temperature, from 0.7.
func DoubleWell(temperature float64) Problem {
	return well("double well", scalar(sde.Constant, func(x, _ float64) float64 { return x - x*x*x }, func(_, _ float64) float64 { return math.Sqrt(2 * temperature) }),
		func(float64) float64 { return temperature })
}

// UnevenWell is dX = (X − X³) dt + √(2D) dW, the double well with D = T(1 + ½ sin X), in
// Itô's calculus. Its stationary density is ∝ (1/D) exp(−∫ (x³−x)/D dx).
func UnevenWell(temperature float64) Problem {
	d := func(x float64) float64 { return temperature * (1 + 0.5*math.Sin(x)) }
	return well("double well, uneven noise", scalar(sde.Diagonal, func(x, _ float64) float64 { return x - x*x*x }, func(x, _ float64) float64 { return math.Sqrt(2 * d(x)) }), d)
}

// GeneralWell is the double well with two components of noise that do not commute,
//
//	dX = (X − X³) dt + √T (1 + ½ sin X) dW₁ + √T (1 + ½ cos 2X) dW₂
//
// in Itô's calculus. Its law is that of one component with 2D the sum of the squares.
func GeneralWell(temperature float64) Problem {
	r := math.Sqrt(temperature)
	one, two := func(x float64) float64 { return r * (1 + 0.5*math.Sin(x)) }, func(x float64) float64 { return r * (1 + 0.5*math.Cos(2*x)) }
	return well("double well, general noise", &equation{d: 1, m: 2, class: sde.General,
		drift: func(dst, x []float64, _ float64) { dst[0] = x[0] - x[0]*x[0]*x[0] },
		root:  func(dst, x []float64, _ float64) { dst[0], dst[1] = one(x[0]), two(x[0]) },
	}, func(x float64) float64 { return (one(x)*one(x) + two(x)*two(x)) / 2 })
}

// well completes a problem of the drift x − x³ by its stationary law.
func well(name string, e sde.Equation, d func(x float64) float64) Problem {
	slope := func(x float64) float64 { return (x*x*x - x) / d(x) }
	// The trapezoidal rule, with the potential by Simpson's, from the middle outwards.
	const r, n = 4.0, 1 << 11
	const step = 2 * r / n
	var z, s float64
	for _, sign := range []float64{1, -1} {
		var phi float64
		for i := range n / 2 {
			x := sign * float64(i) * step
			if i > 0 || sign > 0 {
				p := math.Exp(-phi) / d(x)
				z += p * step
				s += p * step * x * x
			}
			y := x + sign*step
			phi += sign * step / 6 * (slope(x) + 4*slope((x+y)/2) + slope(y))
		}
	}
	return Problem{Name: name, Equation: e, Start: []float64{0.7}, Stationary: []float64{s / z}, Density: func(x float64) float64 {
		phi := quad.Fixed(slope, math.Min(x, 0), math.Max(x, 0), 40, nil, 0)
		if x < 0 {
			phi = -phi
		}
		return math.Exp(-phi) / d(x) / z
	}}
}
