// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// chainLaw returns E f of the stationary law of x′ = mean(x) + s z, z ~ N(0, 1), in
// one dimension, from its transition matrix on a grid: no Monte Carlo.
func chainLaw(mean func(x float64) float64, s, lo, hi float64, n int, f func(x float64) float64) float64 {
	dx := (hi - lo) / float64(n)
	at := func(i int) float64 { return lo + (float64(i)+0.5)*dx }
	first := make([]int, n)
	rows := make([][]float64, n)
	for i := range n {
		m := mean(at(i))
		a := max(0, int((m-9*s-lo)/dx))
		b := min(n, int((m+9*s-lo)/dx)+1)
		first[i] = a
		var sum float64
		for j := a; j < b; j++ {
			z := (at(j) - m) / s
			w := math.Exp(-z * z / 2)
			rows[i] = append(rows[i], w)
			sum += w
		}
		for j := range rows[i] {
			rows[i][j] /= sum
		}
	}
	p, next := make([]float64, n), make([]float64, n)
	for i := range p {
		p[i] = math.Exp(-at(i) * at(i))
	}
	last := math.Inf(1)
	for {
		for range 50 {
			clear(next)
			for i, w := range p {
				for j, k := range rows[i] {
					next[first[i]+j] += w * k
				}
			}
			p, next = next, p
		}
		var all, sum float64
		for i, w := range p {
			all += w
			sum += w * f(at(i))
		}
		if e := sum / all; math.Abs(e-last) < 1e-9 {
			return e
		} else {
			last = e
		}
	}
}

// density returns E f under exp(−u(x)) by the midpoint rule.
func density(u, f func(x float64) float64, lo, hi float64) float64 {
	const n = 4000
	var all, sum float64
	for i := range n {
		x := lo + (float64(i)+0.5)*(hi-lo)/n
		w := math.Exp(-u(x))
		all += w
		sum += w * f(x)
	}
	return sum / all
}

// TestTamedLaw holds the law of Tamed on the double well to its modified loss, by
// quadrature, and the scheme to that law.
func TestTamedLaw(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const temperature = 0.2
	g := func(x float64) float64 { return x * (x*x - 1) }
	tamed := func(h float64) float64 {
		return chainLaw(func(x float64) float64 { return x - h*g(x)/(1+h*math.Abs(g(x))) }, math.Sqrt(2*temperature*h), -3, 3, 400, square)
	}
	euler := func(h float64) float64 {
		return chainLaw(func(x float64) float64 { return x - h*g(x) }, math.Sqrt(2*temperature*h), -2.4, 2.4, 400, square)
	}
	l := func(x float64) float64 { return (x*x - 1) * (x*x - 1) / 4 / temperature }
	// ∫|L′|L′: L′² has the antiderivative below, and L′ changes sign at −1, 0 and 1.
	cube := func(x float64) float64 { return math.Pow(x, 7)/7 - 2*math.Pow(x, 5)/5 + x*x*x/3 }
	taming := func(x float64) float64 {
		x = math.Abs(x)
		if x < 1 {
			return -cube(x)
		}
		return -2*cube(1) + cube(x)
	}
	exact := density(l, square, -3, 3)
	// d⟨x²⟩/dh at 0, of the change of L_h that the comment of Tamed states.
	rate := func(tame float64) float64 {
		d := func(x float64) float64 {
			return (-g(x)*g(x)/4 + temperature/2*(3*x*x-1) - tame*taming(x)) / temperature
		}
		mean := density(l, d, -3, 3)
		return -density(l, func(x float64) float64 { return (d(x) - mean) * x * x }, -3, 3)
	}
	for _, test := range []struct {
		name string
		law  func(h float64) float64
		rate float64
	}{{"tamed", tamed, rate(1)}, {"Euler–Maruyama", euler, rate(0)}} {
		a, b := (test.law(0.02)-exact)/0.02, (test.law(0.01)-exact)/0.01
		limit := 2*b - a
		t.Logf("%s: (E x² − exact)/h = %.5f, %.5f → %.5f, predicted %.5f", test.name, a, b, limit, test.rate)
		if math.Abs(limit-test.rate) > 0.01*math.Abs(test.rate) {
			t.Errorf("%s: bias of E x² is %.5f h, predicted %.5f h", test.name, limit, test.rate)
		}
	}
	particles := 1 << 16
	const h = 0.1
	for i, test := range []struct {
		scheme       integrate.Scheme
		right, other func(float64) float64
	}{
		{integrate.Tamed{}, tamed, euler},
		{integrate.ProjectedEuler{Radius: 1.7}, euler, tamed},
	} {
		seed := uint64(2100+i) + *seedShift
		e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: temperature}}, Scheme: test.scheme,
			Step: h, Particles: particles, Seed: seed, Start: integrate.Points{{-1}, {1}}, Groups: min(64, particles/1024)}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{BurnIn: 20, Time: 100, Every: 1}, &m)
		v := m.SecondMoment(0, 0)
		s, p := estimateP(v, test.right(h))
		accept(t, fmt.Sprintf("%T: E x² %v, by quadrature %.6f", test.scheme, v, test.right(h)), seed, s, p)
		s, p = estimateP(v, test.other(h))
		reject(t, fmt.Sprintf("%T: the other's law", test.scheme), seed, s, p)
	}
}

// TestSuperlinear starts far out on losses on which Euler–Maruyama diverges.
func TestSuperlinear(t *testing.T) {
	bowl := loss.Func{N: 3, F: func(x []float64) float64 {
		r := x[0]*x[0] + x[1]*x[1] + x[2]*x[2]
		return r * r / 4
	}, Grad: func(dst, x []float64) {
		r := x[0]*x[0] + x[1]*x[1] + x[2]*x[2]
		for i, v := range x {
			dst[i] = r * v
		}
	}}
	for _, test := range []struct {
		loss  sde.Loss
		start []float64
	}{{quartic{}, []float64{100}}, {quartic{}, []float64{1e120}}, {bowl, []float64{50, -60, 70}}, {bowl, []float64{1e90, -1e120, 3}}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: test.loss, Diffusion: noise.Temperature{T: 1}}, Step: 0.01, Particles: 100, Start: integrate.Points{test.start}}
		var diverged *integrate.DivergenceError
		if _, err := e.Run(context.Background(), integrate.Schedule{Time: 1}); !errors.As(err, &diverged) {
			t.Errorf("Euler–Maruyama from %v: error %v, want a divergence", test.start, err)
		}
		for _, scheme := range []integrate.Scheme{integrate.Tamed{}, integrate.ProjectedEuler{}} {
			e.Scheme = scheme
			x := finals(t, e, integrate.Schedule{Time: 20})
			for i := range x.Rows {
				var n float64
				for _, v := range x.Row(i) {
					n = math.Max(n, math.Abs(v))
				}
				if near := math.Abs(test.start[0]) <= 100; near && n > 20 || n > 1e120 {
					t.Fatalf("%T from %v: at %v", scheme, test.start, x.Row(i))
				}
			}
		}
	}
}

// TestTamedStrongOrder is ½ on multiplicative noise and 1 on additive.
func TestTamedStrongOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	g := gbm{[]float64{0.3}, []float64{0.7}}
	for i, test := range []struct {
		problem    orderProblem
		scheme     integrate.Scheme
		order      float64
		neighbours []float64
	}{
		{g.problem("GBM", exactGBM{g}), integrate.Tamed{}, 0.5, []float64{1}},
		{cubicProblem(), integrate.Tamed{}, 0.5, []float64{1}},
		{additive{1, 1}.problem(), integrate.Tamed{}, 1, []float64{0.5, 1.5}},
		{atan{0.8}.problem(), integrate.ProjectedEuler{}, 0.5, []float64{1}},
		{additive{1, 1}.problem(), integrate.ProjectedEuler{Radius: 4}, 1, []float64{0.5, 1.5}},
	} {
		seed := uint64(2110+i) + *seedShift
		steps, errs := pathErrors(t, test.problem, test.scheme, 3, 9, 1<<13, seed)
		p, stderr := strongSlope(steps, errs)
		checkOrder(t, fmt.Sprintf("%T on %s", test.scheme, test.problem.name), seed, p, stderr, test.order, test.neighbours...)
		claimed, err := test.scheme.Properties(sde.ClassOf(test.problem.equation))
		if err != nil || claimed.Strong != test.order {
			t.Errorf("%T: states strong order %g, error %v", test.scheme, claimed.Strong, err)
		}
	}
}

// hyperbolic is dX = −b²X(1−X²) dt + b(1−X²) dW, of a cubic drift and multiplicative
// noise, with the solution tanh(bW + artanh X_0).
type hyperbolic struct{ b float64 }

func (hyperbolic) Dims() (state, noise int) { return 1, 1 }
func (p hyperbolic) Drift(dst, x []float64, _ float64) {
	dst[0] = -p.b * p.b * x[0] * (1 - x[0]*x[0])
}
func (p hyperbolic) Root(dst, x []float64, _ float64) { dst[0] = p.b * (1 - x[0]*x[0]) }

func cubicProblem() orderProblem {
	p := hyperbolic{0.8}
	return orderProblem{"cubic drift", p, []float64{0.3}, func(dst, w []float64) { dst[0] = math.Tanh(p.b*w[0] + math.Atanh(0.3)) }}
}

// TestProjectedEulerInside is Euler–Maruyama to the bit where no particle leaves the ball.
func TestProjectedEulerInside(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}, Step: 0.01, Particles: 3000, Seed: 1}
	want := finals(t, e, integrate.Schedule{Time: 5})
	e.Scheme = integrate.ProjectedEuler{}
	if have := finals(t, e, integrate.Schedule{Time: 5}); digest(have.Data...) != digest(want.Data...) {
		t.Error("inside the ball ProjectedEuler is not EulerMaruyama to the bit")
	}
	for _, bad := range []integrate.ProjectedEuler{{Growth: 1}, {Growth: -1}, {Growth: math.NaN()}, {Radius: -1}, {Radius: math.Inf(1)}} {
		e.Scheme = bad
		if _, err := e.Run(context.Background(), integrate.Schedule{Time: 5}); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: error %v", bad, err)
		}
	}
}
