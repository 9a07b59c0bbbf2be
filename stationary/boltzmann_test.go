// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"math"
	"testing"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// besselI is I_ν by its power series.
func besselI(nu, x float64) float64 {
	term := math.Pow(x/2, nu) / math.Gamma(nu+1)
	s := 0.0
	for k := 1; k < 500; k++ {
		s += term
		term *= x * x / 4 / (float64(k) * (float64(k) + nu))
	}
	return s
}

// The normalisation and ⟨x²⟩ of (x²−1)²/4 to the digits they are known to,
// against closed forms and 25-digit quadrature.
func TestBoltzmannDoubleWell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ scale, temperature, z, x2 float64 }{
		{1, 0.05, 0.83405880410691, 0.93683394041183},
		{1, 0.1, 1.2452455320426, 0.87136290804205},
		{1, 0.2, 1.7894594923549, 0.83089535266521},
		{1, 1, 3.0413238858861, 1.0417972964872},
		{4, 0.2, 0.83405880410691, 0.93683394041183},
		{4, 0.25, 0.94783783298135, 0.91767086074523},
		{4, 1, 1.9737321500898, 0.83274548712838},
	} {
		p := must(stationary.Boltzmann(doubleWell{c.scale}, c.temperature))
		z := math.Exp(p.LogZ())
		honest(t, "Z", z, c.z, z*p.ErrorEstimate(), 6e-14*math.Max(1, c.z))
		if p.ErrorEstimate() > 1e-13 {
			t.Errorf("error estimate %g", p.ErrorEstimate())
		}
		x2, err := p.Mean(square)
		honest(t, "⟨x²⟩", x2, c.x2, err, 6e-14)
		x4, err4 := p.Mean(func(theta []float64) float64 { return math.Pow(theta[0], 4) })
		honest(t, "⟨x⁴⟩−⟨x²⟩", x4-x2, c.temperature/c.scale, err+err4, 1e-16)
		u := c.scale / (8 * c.temperature)
		closed := math.Pi / 2 * math.Exp(-u) * (besselI(-0.25, u) + besselI(0.25, u))
		honest(t, "closed Z", z, closed, z*p.ErrorEstimate(), 2e-13*closed)
	}
}

// Gaussians anywhere, of any width: closed forms of everything.
func TestBoltzmannGaussian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ k, centre, temperature float64 }{
		{1, 0, 1}, {2, 3, 1e-3}, {1e4, -7.3, 0.5}, {1e-6, 0, 2}, {1, 12345.678, 1}, {1, -1e6, 1e-3}, {50, 1e-5, 1e-8},
	} {
		l := function{func(x float64) float64 { return c.k / 2 * (x - c.centre) * (x - c.centre) }, func(x float64) float64 { return c.k * (x - c.centre) }}
		p, err := stationary.Boltzmann(l, c.temperature)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		s := math.Sqrt(c.temperature / c.k)
		e := p.ErrorEstimate()
		honest(t, "log Z", p.LogZ(), math.Log(s*math.Sqrt(2*math.Pi)), e, 1e-14)
		v, ev := p.Mean(func(theta []float64) float64 { return (theta[0] - c.centre) * (theta[0] - c.centre) })
		honest(t, "variance", v, s*s, ev, 1e-14*s*s)
		for _, z := range []float64{-6, -3, -0.5, 0, 1, 4} {
			want := math.Erfc(-z/math.Sqrt2) / 2
			x := c.centre + z*s
			rounding := math.Abs(x) * 0x1p-52 * p.Density(x)
			honest(t, "CDF", p.CDF(x), want, e*want+rounding, 4e-16)
			if q := p.Quantile(want); math.Abs(q-x) > 1e-9*s+1e-15*(1+math.Abs(x))+4e-16/p.Density(x) {
				t.Errorf("%+v: quantile of %g is %g, want %g", c, want, q, x)
			}
			honest(t, "tail", p.Probability([]float64{math.Inf(-1)}, []float64{x}), want, e*want+rounding, 2e-15*want)
			within(t, "density", p.Density(x), math.Exp(-z*z/2)/(s*math.Sqrt(2*math.Pi)), (1e-12+rounding)/s)
		}
		var score [1]float64
		p.Score(score[:], []float64{c.centre + s})
		within(t, "score·s", score[0]*s, -1, 1e-9+1e-15*math.Abs(c.centre)/s)
	}
}

// Several wells, off centre, of different width, declared or not.
func TestBoltzmannFindsWells(t *testing.T) {
	t.Parallel()
	// exp(−L/T) is a mixture of Gaussians by construction, so Z is known.
	mix := func(c ...[3]float64) (sde.Loss, float64) { // centre, width, weight
		z := 0.0
		for _, m := range c {
			z += m[1] * m[2] * math.Sqrt(2*math.Pi)
		}
		l := func(x float64) float64 {
			top := math.Inf(-1)
			for _, m := range c {
				u := (x - m[0]) / m[1]
				top = math.Max(top, math.Log(m[2])-u*u/2)
			}
			s := 0.0
			for _, m := range c {
				u := (x - m[0]) / m[1]
				s += math.Exp(math.Log(m[2]) - u*u/2 - top)
			}
			return -top - math.Log(s)
		}
		return function{l, nil}, z
	}
	for i, c := range [][][3]float64{
		{{0, 1, 1}, {200, 1, 1}},
		{{-3000, 0.1, 1}, {5000, 20, 0.3}},
		{{1, 0.01, 1}, {1.2, 0.01, 1}, {-4, 1e-3, 1}},
		{{0, 1e-4, 1}, {0.003, 1e-4, 1}, {1, 0.5, 1e-3}},
		{{40, 0.01, 1}, {41, 0.01, 2}, {42, 0.01, 1}, {43, 0.01, 1}},
	} {
		l, z := mix(c...)
		p, err := stationary.Boltzmann(l, 1)
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		honest(t, "Z", math.Exp(p.LogZ())/z, 1, p.ErrorEstimate(), 1e-13)
		for _, m := range c { // the weight of each well
			want := 0.0
			for _, n := range c {
				u, v := (m[0]+3*m[1]-n[0])/n[1], (m[0]-3*m[1]-n[0])/n[1]
				want += n[1] * n[2] * math.Sqrt(2*math.Pi) * (math.Erfc(-u/math.Sqrt2) - math.Erfc(-v/math.Sqrt2)) / 2
			}
			honest(t, "well", p.Probability([]float64{m[0] - 3*m[1]}, []float64{m[0] + 3*m[1]}), want/z, p.ErrorEstimate(), 1e-13)
		}
	}
	// A well that the scan cannot see, since it is narrow and far away, is found once declared.
	l, z := mix([3]float64{0, 1, 1}, [3]float64{7777.777, 1e-6, 1e6})
	p := must(stationary.Boltzmann(declared{l, [][]float64{{0}, {7777.777}}}, 1))
	honest(t, "declared Z", math.Exp(p.LogZ())/z, 1, p.ErrorEstimate(), 1e-13)
}

type declared struct {
	sde.Loss
	at [][]float64
}

func (d declared) CriticalPoints() []sde.CriticalPoint {
	var c []sde.CriticalPoint
	for _, a := range d.at {
		c = append(c, sde.CriticalPoint{Theta: a})
	}
	return c
}

// A reflecting box cuts the law; a box on one side only, too.
func TestBoltzmannBox(t *testing.T) {
	t.Parallel()
	l := function{func(x float64) float64 { return x * x / 2 }, nil}
	p := must(stationary.Boltzmann(l, 1, interval(1, math.Inf(1))))
	honest(t, "Z", math.Exp(p.LogZ()), math.Sqrt(math.Pi/2)*math.Erfc(1/math.Sqrt2), p.ErrorEstimate(), 1e-15)
	if p.Density(0.5) != 0 || p.CDF(0.9) != 0 {
		t.Error("density outside the box")
	}
	flat := function{func(x float64) float64 { return 5 }, nil}
	u := must(stationary.Boltzmann(flat, 1e-3, sde.Box{Lo: []float64{-2}, Hi: []float64{3}, Boundary: sde.Periodic}))
	within(t, "uniform density", u.Density(1), 0.2, 1e-11)
	within(t, "uniform CDF", u.CDF(0), 0.4, 1e-14)
	within(t, "uniform quantile", u.Quantile(0.9), 2.5, 1e-13)
	kink := function{func(x float64) float64 { return math.Abs(x - 0.123) }, nil}
	k := must(stationary.Boltzmann(kink, 0.5))
	honest(t, "Laplace Z", math.Exp(k.LogZ()), 1, k.ErrorEstimate(), 1e-15)
}

func TestBoltzmannPlane(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	t.Run("correlated Gaussian", func(t *testing.T) {
		for _, q := range []quadratic{{1, 0, 2, 0, 0}, {2, 1.2, 1, 3, -40}, {100, 99, 100, 0.5, 0.5}} {
			for _, T := range []float64{1, 1e-3} {
				p := must(stationary.Boltzmann(q, T))
				det := q.k11*q.k22 - q.k12*q.k12
				honest(t, "log Z", p.LogZ(), math.Log(2*math.Pi*T/math.Sqrt(det)), p.ErrorEstimate(), 1e-13)
				cov, err := p.Mean(func(x []float64) float64 { return (x[0] - q.c1) * (x[1] - q.c2) })
				honest(t, "covariance/T", cov/T, -q.k12/det, err/T, 1e-13)
				m := p.Marginal(1)
				s := math.Sqrt(T * q.k11 / det)
				honest(t, "marginal CDF", m.CDF(q.c2+s), math.Erfc(-1/math.Sqrt2)/2, p.ErrorEstimate(), 1e-14)
				within(t, "marginal quantile", (m.Quantile(0.9)-q.c2)/s, 1.2815515655446004, 1e-10)
				if q.k12 == 0 {
					box := p.Probability([]float64{-math.Sqrt(T), 0}, []float64{math.Sqrt(T), math.Inf(1)})
					honest(t, "box", box, math.Erf(1/math.Sqrt2)/2, p.ErrorEstimate(), 1e-12)
				}
			}
		}
	})
	t.Run("separable double well", func(t *testing.T) {
		p := must(stationary.Boltzmann(plane(func(x, y float64) float64 { return (x*x-1)*(x*x-1) + y*y }), 0.25))
		honest(t, "Z", math.Exp(p.LogZ()), 0.94783783298135*math.Sqrt(math.Pi*0.25), p.ErrorEstimate(), 1e-13)
		x2, err := p.Mean(square)
		honest(t, "⟨x²⟩", x2, 0.91767086074523, err, 1e-13)
		quad := must(stationary.Boltzmann(plane(func(x, y float64) float64 {
			return (x*x-1)*(x*x-1)/4 + (y*y-1)*(y*y-1)/4
		}), 0.1))
		honest(t, "quadruple Z", math.Exp(quad.LogZ()), 1.2452455320426*1.2452455320426, 2*quad.ErrorEstimate(), 2e-13)
	})
	t.Run("Rosenbrock", func(t *testing.T) {
		// The conditional is Gaussian: Z = πT/√b.
		for _, T := range []float64{1e-3, 0.5} {
			p := must(stationary.Boltzmann(plane(func(x, y float64) float64 {
				return (1-x)*(1-x) + 100*(y-x*x)*(y-x*x)
			}), T))
			honest(t, "Z/T", math.Exp(p.LogZ())/T, math.Pi/10, p.ErrorEstimate(), 1e-13)
			y, err := p.Mean(func(theta []float64) float64 { return theta[1] })
			honest(t, "E y", y, 1+T/2, err, 1e-13)
		}
	})
	t.Run("box", func(t *testing.T) {
		box := sde.Box{Lo: []float64{0, -1}, Hi: []float64{math.Inf(1), 2}}
		p := must(stationary.Boltzmann(plane(func(x, y float64) float64 { return x + y }), 0.5, box))
		honest(t, "Z", math.Exp(p.LogZ()), 0.25*(math.Exp(2)-math.Exp(-4)), 10*p.ErrorEstimate(), 1e-13)
	})
}

// Müller–Brown at T = 15 against a brute-force sum: the trapezoidal rule
// converges exponentially for an analytic density that dies off.
func TestBoltzmannMullerBrown(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	const T, n = 15.0, 1400
	lo, hi := [2]float64{-4, -2}, [2]float64{2, 4}
	z, x1 := 0.0, 0.0
	w := (hi[0] - lo[0]) / n * (hi[1] - lo[1]) / n
	for i := range n {
		for j := range n {
			x, y := lo[0]+(hi[0]-lo[0])*float64(i)/n, lo[1]+(hi[1]-lo[1])*float64(j)/n
			f := math.Exp(-mullerBrown(x, y)/T) * w
			z += f
			x1 += f * x
		}
	}
	p := must(stationary.Boltzmann(plane(mullerBrown), T))
	honest(t, "log Z", p.LogZ(), math.Log(z), p.ErrorEstimate(), 1e-11)
	m, err := p.Mean(func(theta []float64) float64 { return theta[0] })
	honest(t, "E x", m, x1/z, err, 1e-11)
}
