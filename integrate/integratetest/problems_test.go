// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/sde"
)

// residual is how far a solution is from the equation along a fine path: what is left,
// summed over [0, 1], of the increments after Milstein's step, which is of order h.
func residual(p integratetest.Problem, n int) float64 {
	h := 1 / float64(n)
	d, m := p.Equation.Dims()
	stream := sde.NewStream(11, nil)
	x, next, a, root, rate := make([]float64, d), make([]float64, d), make([]float64, d), make([]float64, d*m), make([]float64, d*m*d)
	z, u, w, moment, area := make([]float64, m), make([]float64, m), make([]float64, m), make([]float64, m), make([]float64, m)
	jacobian := sde.JacobianOf(sde.DiffusionOf(p.Equation), d, m)
	copy(x, p.Start)
	sum := make([]float64, d)
	for i := range n {
		t := float64(i) * h
		stream.At(sde.Steps, 0, i)
		stream.SpaceTime(z, u)
		for k := range m {
			// ∫W over the step is h(w + ½Δ + H); of the path so far, t(½W + H).
			moment[k] += h * (w[k] + math.Sqrt(h)*(z[k]/2+u[k]/math.Sqrt(12)))
			w[k] += math.Sqrt(h) * z[k]
			area[k] = moment[k]/(t+h) - w[k]/2
		}
		p.Solution(next, t+h, w, area)
		p.Equation.Drift(a, x, t)
		p.Equation.Root(root, x, t)
		jacobian(rate, x, t)
		for j := range d {
			r := next[j] - x[j] - h*a[j]
			for k := range m {
				r -= root[j*m+k] * math.Sqrt(h) * z[k]
				for l := range d {
					r -= root[l*m+k] * rate[(j*m+k)*d+l] * h * (z[k]*z[k] - 1) / 2
				}
			}
			sum[j] += r
		}
		copy(x, next)
	}
	var s float64
	for _, v := range sum {
		s += v * v
	}
	return math.Sqrt(s)
}

// changed is a problem with another drift.
type changed struct {
	sde.Equation
	drift func(dst, x []float64)
}

func (c changed) Class() sde.NoiseClass                 { return sde.ClassOf(c.Equation) }
func (c changed) Drift(dst, theta []float64, _ float64) { c.drift(dst, theta) }

// TestSolutions: the residual along a path vanishes with the step, and does not if
// the drift has the sign that is sometimes printed.
func TestSolutions(t *testing.T) {
	const n = 1 << 12
	found := 0
	for _, p := range integratetest.Problems() {
		if p.Solution == nil {
			continue
		}
		found++
		scale := 1 + math.Abs(p.Start[0])
		if p.Name == "Tocino" {
			scale = 30 // where its path goes
		}
		if r := residual(p, n); !(r < 0.02*scale) {
			t.Errorf("%s: the solution is off its equation by %g along a path of %d steps", p.Name, r, n)
		}
		start := make([]float64, len(p.Start))
		_, m := p.Equation.Dims()
		p.Solution(start, 0, make([]float64, m), make([]float64, m))
		for i, v := range start {
			if math.Abs(v-p.Start[i]) > 1e-15 {
				t.Errorf("%s: the solution starts at %v, the problem at %v", p.Name, start, p.Start)
			}
		}
	}
	if found != 6 {
		t.Errorf("%d solutions, want 6", found)
	}
	p := integratetest.Cubic()
	p.Equation = changed{p.Equation, func(dst, x []float64) { dst[0] = 0.25 * x[0] * (1 - x[0]*x[0]) }}
	if r := residual(p, n); r < 0.02 {
		t.Errorf("planted fault not found: the cubic problem's drift with the other sign leaves %g", r)
	}
}

// TestMoments holds stated moments to quadrature over the solution, and to the
// equations of moments, dm/dt = E a and dM/dt = E(aXᵀ + Xaᵀ + BBᵀ), where drift and BBᵀ
// are polynomials of degree 1 and 2.
func TestMoments(t *testing.T) {
	const points = 40
	x, w := make([]float64, points), make([]float64, points)
	quad.Hermite{}.FixedLocations(x, w, math.Inf(-1), math.Inf(1))
	for _, p := range integratetest.Problems() {
		if p.Mean == nil {
			continue
		}
		var mean, second float64
		d := len(p.Start)
		switch {
		case p.Solution != nil:
			dst := make([]float64, 1)
			for i := range x {
				for j := range x {
					p.Solution(dst, 1, []float64{math.Sqrt2 * x[i]}, []float64{math.Sqrt2 * x[j] / math.Sqrt(12)})
					q := w[i] * w[j] / math.Pi
					mean += q * dst[0]
					second += q * dst[0] * dst[0]
				}
			}
			if math.Abs(mean-p.Mean[0]) > 1e-11*(1+math.Abs(mean)) || math.Abs(second-p.Second[0]) > 1e-11*(1+second) {
				t.Errorf("%s: moments %v and %v stated, %g and %g by quadrature", p.Name, p.Mean, p.Second, mean, second)
			}
		default:
			m, s := momentFlow(p, 2000)
			for i := range m {
				if math.Abs(m[i]-p.Mean[i]) > 1e-9 {
					t.Errorf("%s: mean %v stated, %v by its equation", p.Name, p.Mean, m)
				}
			}
			for i := range d * d {
				if math.Abs(s[i]-p.Second[i]) > 1e-9 {
					t.Errorf("%s: second moments %v stated, %v by their equation", p.Name, p.Second, s)
				}
			}
		}
	}
}

// momentFlow integrates the moments of a problem whose drift is linear and whose BBᵀ
// is quadratic, both read off at a few points, by the classical Runge–Kutta method.
func momentFlow(p integratetest.Problem, n int) (mean, second []float64) {
	d, m := p.Equation.Dims()
	at := func(f func(x []float64) []float64, mean, second []float64) []float64 {
		// E f for a quadratic f: from f at 0, and its differences along coordinates.
		x := make([]float64, d)
		f0 := f(x)
		out := append([]float64(nil), f0...)
		add := func(c float64, v []float64) {
			for i, u := range v {
				out[i] += c * u
			}
		}
		for j := range d {
			x[j] = 1
			up := f(x)
			x[j] = -1
			down := f(x)
			x[j] = 0
			add(mean[j]/2, up)
			add(-mean[j]/2, down)
			add(second[j*d+j]/2, up)
			add(second[j*d+j]/2, down)
			add(-second[j*d+j], f0)
			for l := range j {
				for _, s := range [4][2]float64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
					x[j], x[l] = s[0], s[1]
					add(s[0]*s[1]*second[j*d+l]/4, f(x))
				}
				x[j], x[l] = 0, 0
			}
		}
		return out
	}
	drift := func(x []float64) []float64 {
		a := make([]float64, d)
		p.Equation.Drift(a, x, 0)
		return a
	}
	rate := func(x []float64) []float64 {
		a, b := drift(x), make([]float64, d*m)
		p.Equation.Root(b, x, 0)
		r := make([]float64, d*d)
		for i := range d {
			for j := range d {
				r[i*d+j] = a[i]*x[j] + x[i]*a[j]
				for k := range m {
					r[i*d+j] += b[i*m+k] * b[j*m+k]
				}
			}
		}
		return r
	}
	y := append([]float64(nil), p.Start...)
	for _, v := range p.Start {
		for _, u := range p.Start {
			y = append(y, v*u)
		}
	}
	slope := func(y []float64) []float64 {
		return append(at(drift, y[:d], y[d:]), at(rate, y[:d], y[d:])...)
	}
	h := 1 / float64(n)
	step := func(y []float64, c float64, k []float64) []float64 {
		v := append([]float64(nil), y...)
		for i := range v {
			v[i] += c * k[i]
		}
		return v
	}
	for range n {
		a := slope(y)
		b := slope(step(y, h/2, a))
		c := slope(step(y, h/2, b))
		e := slope(step(y, h, c))
		for i := range y {
			y[i] += h / 6 * (a[i] + 2*b[i] + 2*c[i] + e[i])
		}
	}
	return y[:d], y[d:]
}

// TestStationary: densities have mass 1 and no flux, (Dp)′ = ap with the Itô drift a,
// and the moments that are stated; of linear problems the covariance solves Lyapunov's
// equation.
func TestStationary(t *testing.T) {
	densities := 0
	for _, p := range integratetest.Problems() {
		if p.Density == nil {
			if p.Stationary != nil {
				lyapunov(t, p)
			}
			continue
		}
		densities++
		// x = sinh s reaches the tails of Student's law.
		var mass, second float64
		const n, r = 6000, 60.0
		for i := range n {
			s := -r + 2*r*(float64(i)+0.5)/n
			q := p.Density(math.Sinh(s)) * math.Cosh(s) * 2 * r / n
			mass += q
			second += q * math.Sinh(s) * math.Sinh(s)
		}
		if math.Abs(mass-1) > 1e-9 {
			t.Errorf("%s: the density has mass %.9g", p.Name, mass)
		}
		if p.Stationary != nil && math.Abs(second-p.Stationary[0]) > 1e-8*p.Stationary[0] {
			t.Errorf("%s: E X² = %v stated, %.9g by the density", p.Name, p.Stationary, second)
		}
		_, components := p.Equation.Dims()
		a, b := make([]float64, 1), make([]float64, components)
		diffusion := sde.DiffusionOf(p.Equation)
		conversion := sde.NewConversion(diffusion, 1, components, sde.InterpretationOf(p.Equation), sde.Ito)
		weighted := func(x float64) float64 {
			p.Equation.Root(b, []float64{x}, 0)
			var d float64
			for _, v := range b {
				d += v * v / 2
			}
			return d * p.Density(x)
		}
		for _, x := range []float64{-1.7, -0.6, 0, 0.2, 0.9, 1.4} {
			p.Equation.Drift(a, []float64{x}, 0)
			if conversion != nil {
				conversion.Add(a, []float64{x}, 0)
			}
			const e = 1e-4
			slope := (weighted(x+e) - weighted(x-e)) / (2 * e)
			if math.Abs(slope-a[0]*p.Density(x)) > 1e-6 {
				t.Errorf("%s: flux %g at x = %g", p.Name, a[0]*p.Density(x)-slope, x)
			}
		}
	}
	if densities != 7 {
		t.Errorf("%d densities, want 7", densities)
	}
	// The planted fault: Student's law of another calculus.
	if integratetest.StudentT(0.5, sde.Ito).Density(1) == integratetest.StudentT(0.5, sde.Stratonovich).Density(1) {
		t.Error("the calculus changes nothing")
	}
}

// lyapunov checks FS + SFᵀ = BBᵀ.
func lyapunov(t *testing.T, p integratetest.Problem) {
	d, m := p.Equation.Dims()
	f, x, a, root := mat.NewDense(d, d, nil), make([]float64, d), make([]float64, d), make([]float64, d*m)
	for j := range d {
		x[j] = 1
		p.Equation.Drift(a, x, 0)
		x[j] = 0
		f.SetCol(j, a)
	}
	p.Equation.Root(root, x, 0)
	b, s := mat.NewDense(d, m, root), mat.NewDense(d, d, p.Stationary)
	var left, right, sum mat.Dense
	left.Mul(f, s)
	right.Mul(b, b.T())
	sum.Add(&left, left.T())
	sum.Add(&sum, &right)
	if r := mat.Norm(&sum, 2); !(r < 1e-14) {
		t.Errorf("%s: Lyapunov's equation is off by %g", p.Name, r)
	}
}
