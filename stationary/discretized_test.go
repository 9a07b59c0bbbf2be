// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// chain returns the stationary density of Euler–Maruyama on (x²−1)²/4 at
// Gauss–Legendre nodes on [−3, 3], and their weights: the eigenvector of the
// transition kernel
//
//	p(y) = ∫ N(y; x − h L′(x), 2hT) p(x) dx
//
// discretised by Nyström's method, by inverse iteration.
func chain(t *testing.T, temperature, h float64) (x, w, p []float64) {
	t.Helper()
	const panels, order = 48, 12
	n := panels * order
	x, w, p = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range panels {
		quad.Legendre{}.FixedLocations(x[i*order:(i+1)*order], w[i*order:(i+1)*order], -3+6*float64(i)/panels, -3+6*float64(i+1)/panels)
	}
	k := mat.NewDense(n, n, nil)
	v := 2 * h * temperature
	for j := range n {
		m := x[j] - h*x[j]*(x[j]*x[j]-1)
		for i := range n {
			k.Set(i, j, w[j]*math.Exp(-(x[i]-m)*(x[i]-m)/(2*v))/math.Sqrt(2*math.Pi*v))
		}
	}
	for i := range n {
		k.Set(i, i, k.At(i, i)-1-1e-9)
	}
	var lu mat.LU
	lu.Factorize(k)
	b := mat.NewVecDense(n, nil)
	for i := range n {
		b.SetVec(i, 1)
	}
	for range 4 {
		var next mat.VecDense
		if err := lu.SolveVecTo(&next, false, b); err != nil && next.IsEmpty() {
			t.Fatal(err)
		}
		s := 0.0
		for i := range n {
			s += w[i] * next.AtVec(i)
		}
		for i := range n {
			b.SetVec(i, next.AtVec(i)/s)
		}
	}
	copy(p, b.RawVector().Data)
	return x, w, p
}

// The law at step h against the chain's own, with no Monte Carlo: its error in
// total variation falls as h².
func TestDiscretizedAgainstChain(t *testing.T) {
	t.Parallel()
	const T = 0.2
	var lastTV, lastH float64
	for _, c := range []struct{ h, tv, x2 float64 }{
		{0.1, 0.00393, 0.8136716681}, {0.05, 0.000843, 0.8227579962}, {0.01, 0.0000307, math.NaN()},
	} {
		x, w, p := chain(t, T, c.h)
		d := must(stationary.Discretized(well, T, c.h, interval(-3, 3)))
		tv, x2 := 0.0, 0.0
		for i, v := range x {
			tv += w[i] * math.Abs(p[i]-d.Density(v)) / 2
			x2 += w[i] * p[i] * v * v
		}
		within(t, "total variation", tv, c.tv, 0.005*c.tv)
		if !math.IsNaN(c.x2) {
			within(t, "chain ⟨x²⟩", x2, c.x2, 2e-10)
		}
		if lastTV != 0 {
			within(t, "slope", math.Log(lastTV/tv)/math.Log(lastH/c.h), 2, 0.25)
		}
		lastTV, lastH = tv, c.h
		within(t, "mass in the domain", d.CDF(3), 1, 1e-15)
		for _, other := range []sde.Loss{bare{well}, withHessian{well}} {
			o := must(stationary.Discretized(other, T, c.h, interval(-3, 3)))
			within(t, "ΔL otherwise", o.LogDensity(0.7), d.LogDensity(0.7), 1e-8)
		}
	}
}

// The shift of ⟨x²⟩ by the step, −0.155·h.
func TestDiscretizedSlope(t *testing.T) {
	t.Parallel()
	const T = 0.2
	exact, _ := must(stationary.Boltzmann(well, T)).Mean(square)
	shift := func(h float64) float64 {
		m, _ := must(stationary.Discretized(well, T, h, interval(-3, 3))).Mean(square)
		return (m - exact) / h
	}
	a, b, c := shift(4e-4), shift(2e-4), shift(1e-4)
	within(t, "slope", (a-6*b+8*c)/3, -0.15538119918842702, 2e-9)
}

// On a quadratic L_h is k(1−hk/2)x²/2 up to a constant: Euler–Maruyama's variance
// T/(k(1−hk/2)) exactly.
func TestDiscretizedQuadratic(t *testing.T) {
	t.Parallel()
	l := function{func(x float64) float64 { return 2 * (x - 3) * (x - 3) / 2 }, func(x float64) float64 { return 2 * (x - 3) }}
	d := must(stationary.Discretized(l, 0.5, 0.3))
	v, err := d.Mean(func(x []float64) float64 { return (x[0] - 3) * (x[0] - 3) })
	honest(t, "variance", v, 0.5/(2*(1-0.3)), err, 2e-8) // the domain, and ΔL by differences
	q := quadratic{2, 0.5, 1, 1, 0}
	p := must(stationary.Discretized(q, 0.5, 0.2))
	// H(1 − hH/2) inverted.
	a := mat.NewDense(2, 2, []float64{2, 0.5, 0.5, 1})
	var a2, m, inv mat.Dense
	a2.Mul(a, a)
	a2.Scale(-0.1, &a2)
	m.Add(a, &a2)
	if err := inv.Inverse(&m); err != nil {
		t.Fatal(err)
	}
	cov, err := p.Mean(func(x []float64) float64 { return (x[0] - 1) * x[1] })
	honest(t, "covariance", cov, 0.5*inv.At(0, 1), err, 1e-9)
}

// The largest domain that the refusal names is accepted, and not much more.
func TestDiscretizedRefuses(t *testing.T) {
	t.Parallel()
	_, err := stationary.Discretized(well, 0.2, 0.1, interval(-4, 4))
	if !errors.Is(err, sde.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	var a, b float64
	_, rest, _ := strings.Cut(err.Error(), "would do is ")
	if _, err := fmt.Sscanf(rest, "[%g, %g]", &a, &b); err != nil {
		t.Fatalf("%q: %v", rest, err)
	}
	if _, err := stationary.Discretized(well, 0.2, 0.1, interval(a, b)); err != nil || !(a < -3) || !(3 < b) {
		t.Errorf("[%g, %g]: %v", a, b, err)
	}
	if _, err := stationary.Discretized(well, 0.2, 0.1, interval(1.05*a, 1.05*b)); err == nil {
		t.Errorf("[%g, %g] is not the largest", a, b)
	}
	// Steps so small that the condition itself, |x| < √(1+1/h), is what counts.
	if _, err := stationary.Discretized(well, 1e-3, 0.1, interval(-3.4, 3)); err == nil || !strings.Contains(err.Error(), "h‖∇L‖") {
		t.Errorf("got %v", err)
	}
	if _, err := stationary.Discretized(well, 0.2, 0.1); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("unbounded: %v", err)
	}
	if _, err := stationary.Discretized(well, 0.2, 0.01); err != nil {
		t.Errorf("unbounded, small step: %v", err)
	}
	if _, err := stationary.Discretized(well, 1, 0.1, interval(-3.3, 3.3)); err == nil || !strings.Contains(err.Error(), "turned over") {
		t.Errorf("mass beyond the turn: %v", err)
	}
}
