// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// growing is D = T(1+x²), with all that a diffusion can know of itself. With
// L = x²/2 the stationary density is proportional to (1+x²)^(α−1−1/(2T)).
type growing struct{ t float64 }

var (
	_ sde.DiagonalDerivative = growing{}
	_ sde.Divergence         = growing{}
)

func (growing) Dims() (state, noise int) { return 1, 1 }
func (growing) Class() sde.NoiseClass    { return sde.Diagonal }
func (g growing) Root(dst, theta []float64, _ float64) {
	dst[0] = math.Sqrt(2 * g.t * (1 + float64(theta[0]*theta[0])))
}
func (g growing) DiagonalRoot(dst, theta []float64, t float64) { g.Root(dst, theta, t) }
func (g growing) DiagonalDerivative(dst, theta []float64, _ float64) {
	dst[0] = 2 * g.t * theta[0] / math.Sqrt(2*g.t*(1+float64(theta[0]*theta[0])))
}
func (g growing) Divergence(dst, theta []float64, _ float64) { dst[0] = 2 * g.t * theta[0] }

// bounded is the functional whose expectation is compared.
func bounded(x float64) float64 { return x * x / (0.1 + x*x) }

// zeroFlux returns the expectation of bounded under the stationary density of the
// flow in the given calculus, by quadrature.
func zeroFlux(temperature float64, c sde.Calculus) float64 {
	power := c.Alpha() - 1 - 1/(2*temperature)
	// x = tan u
	moment := func(f func(float64) float64) float64 {
		return quad.Fixed(func(u float64) float64 {
			x := math.Tan(u)
			return f(x) * math.Pow(1+x*x, power+1)
		}, -math.Pi/2, math.Pi/2, 200, nil, 0)
	}
	return moment(bounded) / moment(func(float64) float64 { return 1 })
}

// chain returns the expectation of bounded under the stationary law of
// x′ = x − h x + √h b(x) z with the Itô drift of the given calculus, as the fixed
// point of the transition density on a grid.
func chain(temperature, h float64, c sde.Calculus) float64 {
	const width = 7
	sigma := math.Sqrt(2 * h * temperature) // the narrowest kernel
	n := int(2 * width / (sigma / 2))
	dx := 2 * float64(width) / float64(n-1)
	x, p, q := make([]float64, n), make([]float64, n), make([]float64, n)
	kernel := make([][]float64, n)
	for i := range x {
		x[i] = -width + float64(i)*dx
		p[i] = math.Exp(-x[i] * x[i] / (2 * temperature))
	}
	for i, v := range x {
		mean := v + h*(-v+c.Alpha()*2*temperature*v)
		s := math.Sqrt(2 * h * temperature * (1 + v*v))
		kernel[i] = make([]float64, n)
		for j, y := range x {
			u := (y - mean) / s
			kernel[i][j] = dx * math.Exp(-u*u/2) / (s * math.Sqrt(2*math.Pi))
		}
	}
	for range int(15 / h) {
		clear(q)
		for i, w := range p {
			for j, k := range kernel[i] {
				q[j] += w * k
			}
		}
		var sum float64
		for _, v := range q {
			sum += v
		}
		for j := range q {
			p[j] = q[j] / sum
		}
	}
	var f float64
	for i, w := range p {
		f += w * bounded(x[i])
	}
	return f
}

var calculi = []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich}

// TestCalculusChain holds the oracle of the next test to the density
// D^(α−1) exp(−∫L′/D): the chain's law goes there as the step does to 0.
func TestCalculusChain(t *testing.T) {
	for _, c := range calculi {
		want := zeroFlux(0.1, c)
		a, b := chain(0.1, 0.2, c), chain(0.1, 0.1, c)
		// Richardson's extrapolation leaves an error of the order of h².
		if got := 2*b - a; math.Abs(got-want) > 0.2*math.Abs(b-want) || math.Abs(b-want) > 0.6*math.Abs(a-want) {
			t.Errorf("%v: at steps 0.2, 0.1, extrapolated: %.6f, %.6f, %.6f, want %.6f", c, a, b, got, want)
		}
	}
}

func TestCalculusFlow(t *testing.T) {
	const temperature, h = 0.1, 0.1
	laws := make([]float64, len(calculi))
	for i, c := range calculi {
		laws[i] = chain(temperature, h, c)
	}
	seed := 600 + *seedShift
	for i, c := range calculi {
		for j, d := range []sde.Diffusion{
			growing{temperature},
			noise.DiagonalFunc{State: 1, B: growing{temperature}.Root}, // derivatives by differences
			noise.Func{State: 1, Noise: 1, B: growing{temperature}.Root},
		} {
			particles := 1 << 17
			if j > 0 {
				particles = 1 << 15
			}
			if testing.Short() {
				if j > 0 {
					continue
				}
				particles = 1 << 13
			}
			seed++
			m := integrate.NewMean(1, func(dst, theta []float64) { dst[0] = bounded(theta[0]) })
			e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}, Diffusion: d, Calculus: c},
				Step: h, Particles: particles, Seed: seed, Groups: min(64, particles/1024)}
			mustRun(t, e, integrate.Schedule{BurnIn: 10, Time: 2, Every: 1}, m)
			s, p := estimateP(m.Estimate(0), laws[i])
			accept(t, fmt.Sprintf("%v, %T", c, d), seed, s, p)
			if testing.Short() {
				continue
			}
			for k, other := range calculi {
				if k != i {
					s, p := estimateP(m.Estimate(0), laws[k])
					reject(t, fmt.Sprintf("%v for %v", other, c), seed, s, p)
				}
			}
		}
	}
}

// TestCalculusMilstein holds Milstein, which needs the conversion and the
// derivative at once, to the strong solution of a Stratonovich equation:
// dX = bX ∘ dW has the solution exp(bW).
func TestCalculusMilstein(t *testing.T) {
	g := gbm{[]float64{0}, []float64{0.5}}
	for i, c := range calculi {
		seed := uint64(650+i) + *seedShift
		p := g.problem(c.String(), interpreted{exactGBM{g}, c})
		p.solution = func(dst, w []float64) { dst[0] = math.Exp(0.5*w[0] + 0.5*0.5*(c.Alpha()-0.5)) }
		_, errs := pathErrors(t, p, integrate.Milstein{}, 5, 7, 1<<12, seed)
		s, q := limitP(errs, 1, identity)
		accept(t, c.String()+" GBM: limit", seed, s, q)
		p.equation = exactGBM{g}
		_, errs = pathErrors(t, p, integrate.Milstein{}, 5, 7, 1<<12, seed)
		if s, q = limitP(errs, 1, identity); c != sde.Ito {
			reject(t, "Itô for "+c.String(), seed, s, q)
		}
	}
}

type interpreted struct {
	exactGBM
	calculus sde.Calculus
}

func (i interpreted) Interpretation() sde.Calculus { return i.calculus }
