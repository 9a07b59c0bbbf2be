// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// parabolic is x²/2.
var parabolic = function{func(x float64) float64 { return x * x / 2 }, func(x float64) float64 { return x }}

// flatSharp is x²(x−2)²(1+x²)/4, of two minima equally deep and of curvature 2 and 10.
var flatSharp = function{
	func(x float64) float64 { return x * x * (x - 2) * (x - 2) * (1 + x*x) / 4 },
	func(x float64) float64 { return x * (x - 2) * (3*x*x*x - 4*x*x + 2*x - 2) / 2 },
}

// studentCDF is F of Student's t of ν degrees of freedom, by the incomplete beta function.
func studentCDF(nu, t float64) float64 {
	half := mathext.RegIncBeta(nu/2, 0.5, nu/(nu+t*t)) / 2
	if t > 0 {
		return 1 - half
	}
	return half
}

// L = x²/2 with D = T(1+x²) has a Student law of ν = 1/T + 1 − 2α degrees.
func TestZeroFluxStudent(t *testing.T) {
	t.Parallel()
	const T = 0.5
	for _, c := range []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich} {
		nu := 1/T + 1 - 2*c.Alpha()
		flow := sde.Flow{Loss: parabolic, Diffusion: multiplicative(func(x float64) float64 { return T * (1 + x*x) }), Calculus: c}
		p := must(stationary.ZeroFlux(flow))
		if p.ErrorEstimate() > 1e-10 {
			t.Errorf("%v: error estimate %g", c, p.ErrorEstimate())
		}
		scale := 1 / math.Sqrt(nu)
		// p ∝ T^(α−1)(1+x²)^(−(ν+1)/2)
		z := math.Pow(T, c.Alpha()-1) * math.Sqrt(math.Pi) * math.Gamma(nu/2) / math.Gamma((nu+1)/2)
		honest(t, "log Z", p.LogZ(), math.Log(z), p.ErrorEstimate(), 1e-13)
		for _, x := range []float64{-100, -3, -0.2, 0, 1, 20} {
			honest(t, "CDF", p.CDF(x), studentCDF(nu, x/scale), p.ErrorEstimate(), 1e-13)
			within(t, "quantile", p.Quantile(p.CDF(x)), x, 1e-8*(1+math.Abs(x))) // of a number near 1, to 2⁻⁵³
		}
		variance, err := p.Mean(square)
		if nu > 2 {
			honest(t, "variance", variance, 1, err, 1e-15)
			if err > 1e-10 {
				t.Errorf("error of the variance is %g", err)
			}
		} else if !math.IsInf(variance, 1) || !math.IsInf(err, 1) {
			t.Errorf("%v: variance %g ± %g, want infinite", c, variance, err)
		}
		var score [1]float64
		p.Score(score[:], []float64{0.7})
		within(t, "score", score[0], -(nu+1)*0.7/(1+0.49), 1e-9)
	}
}

// The loss that the noise follows, D = ηhL/B: a Student law of ν = 1 + 2B/(ηh).
func TestZeroFluxPowerLaw(t *testing.T) {
	t.Parallel()
	const l0, h, eta, b = 0.1, 1.0, 0.1, 1.0
	l := function{func(x float64) float64 { return l0 + h*x*x/2 }, func(x float64) float64 { return h * x }}
	p := must(stationary.ZeroFlux(sde.Flow{Loss: l, Diffusion: multiplicative(func(x float64) float64 { return eta * h / b * l.value(x) })}))
	v, err := p.Mean(square)
	honest(t, "variance", v, 0.0105263158, err, 5e-11)
	scale := math.Sqrt(2 * l0 / (h * 21))
	honest(t, "CDF", p.CDF(0.2), studentCDF(21, 0.2/scale), p.ErrorEstimate(), 1e-14)
}

// The landscape on which noise that follows the curvature prefers the flat well
// exponentially, and constant noise only by √5: shares of the wells on either side of
// the barrier, by quadrature in 25 digits.
func TestZeroFluxFlatMinimum(t *testing.T) {
	t.Parallel()
	const barrier = 1.231555009965862674
	for _, c := range []struct {
		name              string
		noise             sde.Diffusion
		flat, ratio, mean float64
	}{
		{"0.05", thermal(0.05), 0.6860216429319194, 2.184932902184617, 0.02547372},
		{"0.1", thermal(0.1), 0.6800464429052004, 2.125453609830343, 0.05328285},
		{"0.02(1+x²)", multiplicative(func(x float64) float64 { return 0.02 * (1 + x*x) }), 0.9999990032932492, 1003303.130566979, 0.01010642},
		{"0.1(1+x²)", multiplicative(func(x float64) float64 { return 0.1 * (1 + x*x) }), 0.97820270491393, 44.87725201917693, 0.05815368},
	} {
		p := must(stationary.ZeroFlux(sde.Flow{Loss: flatSharp, Diffusion: c.noise}))
		left := p.CDF(barrier)
		right := p.Probability([]float64{barrier}, []float64{math.Inf(1)})
		honest(t, c.name+" flat", left, c.flat, p.ErrorEstimate(), 1e-14)
		within(t, c.name+" ratio", left/right/c.ratio, 1, 5e-11)
		mean, err := p.Mean(flatSharp.Value)
		honest(t, c.name+" ⟨L⟩", mean, c.mean, err, 5.1e-9)
		if p.ErrorEstimate() > 1e-10 {
			t.Errorf("%s: error estimate %g", c.name, p.ErrorEstimate())
		}
	}
}

// Where D is a constant it is Boltzmann's law, whatever the calculus; with a
// declared drift instead of a loss, too.
func TestZeroFluxConstant(t *testing.T) {
	t.Parallel()
	want := must(stationary.Boltzmann(well, 0.2))
	for _, eq := range []sde.Equation{
		sde.Flow{Loss: well, Diffusion: thermal(0.2), Calculus: sde.Klimontovich},
		sde.Flow{Loss: well, Diffusion: multiplicative(func(float64) float64 { return 0.2 })},
		drifting{multiplicative(func(float64) float64 { return 0.2 }), func(x float64) float64 { return x - x*x*x }},
	} {
		p := must(stationary.ZeroFlux(eq))
		for _, x := range []float64{-1.5, -0.3, 0.1, 1, 2} {
			honest(t, "CDF", p.CDF(x), want.CDF(x), p.ErrorEstimate()+want.ErrorEstimate(), 0)
			honest(t, "log density", p.LogDensity(x), want.LogDensity(x), p.ErrorEstimate()+want.ErrorEstimate(), 1e-14)
		}
	}
}

// drifting is an equation of a drift.
type drifting struct {
	multiplicative
	a func(x float64) float64
}

func (d drifting) Drift(dst, theta []float64, t float64) { dst[0] = d.a(theta[0]) }

// A half-line at whose end D vanishes: the gamma law of Feller's square-root process
// dx = (c−x) dt + √(2x) dW.
func TestZeroFluxHalfLine(t *testing.T) {
	t.Parallel()
	half := interval(0, math.Inf(1))
	root := multiplicative(func(x float64) float64 { return x })
	for _, shape := range []float64{1.5, 3, 12} {
		l := function{nil, func(x float64) float64 { return x - shape }}
		p := must(stationary.ZeroFlux(sde.Flow{Loss: l, Diffusion: root, Domain: half}))
		for _, x := range []float64{0.01, 1, 5, 20} {
			honest(t, "CDF", p.CDF(x), mathext.GammaIncReg(shape, x), p.ErrorEstimate(), 1e-13)
		}
		mean, err := p.Mean(func(x []float64) float64 { return x[0] })
		honest(t, "mean", mean, shape, err, 1e-13)
	}
}

func TestZeroFluxRefuses(t *testing.T) {
	t.Parallel()
	d := func(f func(x float64) float64) sde.Diffusion { return multiplicative(f) }
	for name, c := range map[string]struct {
		eq  sde.Equation
		err error
	}{
		"nil":         {nil, sde.ErrInvalid},
		"no loss":     {sde.Flow{}, sde.ErrInvalid},
		"no noise":    {sde.Flow{Loss: well}, sde.ErrInvalid},
		"2-D":         {sde.Flow{Loss: quadratic{1, 0, 1, 0, 0}, Diffusion: thermal(1)}, sde.ErrDimension},
		"in time":     {sde.Flow{Loss: well, Diffusion: cooling{}}, sde.ErrInvalid},
		"heavy":       {sde.Flow{Loss: parabolic, Diffusion: d(func(x float64) float64 { return 5 * (1 + x*x) }), Calculus: sde.Klimontovich}, sde.ErrNotNormalizable},
		"flat":        {sde.Flow{Loss: function{nil, func(x float64) float64 { return 0 }}, Diffusion: d(func(float64) float64 { return 1 })}, sde.ErrNotNormalizable},
		"uphill":      {sde.Flow{Loss: function{nil, func(x float64) float64 { return -x }}, Diffusion: d(func(float64) float64 { return 1 })}, sde.ErrNotNormalizable},
		"absorbing":   {sde.Flow{Loss: well, Diffusion: thermal(1), Domain: sde.Box{Lo: []float64{-1}, Hi: []float64{1}, Boundary: sde.Absorbing}}, sde.ErrInvalid},
		"round":       {sde.Flow{Loss: function{nil, func(x float64) float64 { return 1 }}, Diffusion: d(func(float64) float64 { return 1 }), Domain: sde.Box{Lo: []float64{-1}, Hi: []float64{1}, Boundary: sde.Periodic}}, sde.ErrInvalid},
		"degenerate":  {sde.Flow{Loss: well, Diffusion: d(func(x float64) float64 { return x * x })}, sde.ErrInvalid},
		"degenerate′": {sde.Flow{Loss: well, Diffusion: d(func(x float64) float64 { return (x - 0.3) * (x - 0.3) })}, sde.ErrInvalid},
	} {
		if p, err := stationary.ZeroFlux(c.eq); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

// cooling is noise that changes in time.
type cooling struct{ thermal }

func (cooling) Class() sde.NoiseClass         { return sde.Additive }
func (cooling) Temperature(t float64) float64 { return 1 / (1 + t) }
func (c cooling) Root(dst, theta []float64, t float64) {
	thermal(c.Temperature(t)).Root(dst, theta, t)
}

// Simulated: on L = x²/2 with D = (0.1 + x²/2)/10 the drift of each calculus is −kx as
// Itô reads it, k = 1 − α/10, and Euler–Maruyama at step h has the variance
//
//	E x² = 2h/100 / (1 − (1−hk)² − h/10) → 0.02/(2k − 0.1)
//
// exactly. The limit is ZeroFlux's; particles have that of their step, and no other
// calculus's.
func TestZeroFluxReplicas(t *testing.T) {
	t.Parallel()
	d := multiplicative(func(x float64) float64 { return (0.1 + x*x/2) / 10 })
	variance := func(c sde.Calculus, h float64) float64 {
		k := 1 - c.Alpha()/10
		return 2 * h / 100 / (1 - (1-h*k)*(1-h*k) - h/10)
	}
	for _, c := range []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich} {
		flow := sde.Flow{Loss: parabolic, Diffusion: d, Calculus: c}
		v, err := must(stationary.ZeroFlux(flow)).Mean(square)
		honest(t, c.String(), v, 0.02/(2*(1-c.Alpha()/10)-0.1), err, 1e-15)
		if testing.Short() {
			continue
		}
		const h = 0.1
		run := integrate.Ensemble{Equation: flow, Scheme: integrate.EulerMaruyama{}, Step: h, Particles: 64 * 128, Seed: 3}
		var m integrate.Moments
		if _, err := run.Run(context.Background(), integrate.Schedule{BurnIn: 100 * h, Time: 400 * h, Every: 20 * h}, &m); err != nil {
			t.Fatal(err)
		}
		e := m.SecondMoment(0, 0)
		p := func(want float64) float64 {
			return 2 * stationary.StudentT{Scale: 1, Nu: float64(e.Groups - 1)}.CDF(-math.Abs(e.Value-want)/e.StdErr)
		}
		accept(t, c.String(), p(variance(c, h)))
		reject(t, c.String()+", the flow's", p(v))
		for _, other := range []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich} {
			if other != c {
				reject(t, c.String()+", "+other.String()+"'s", p(variance(other, h)))
			}
		}
	}
}
