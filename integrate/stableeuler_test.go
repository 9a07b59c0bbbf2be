// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// stableStep returns one step of StableEuler, from x with the uniform numbers u and v.
func stableStep(t *testing.T, scheme integrate.StableEuler, l sde.Loss, alpha, sigma, h float64) func(x, u, v float64) float64 {
	t.Helper()
	k, err := scheme.Bind(integrate.NewSystem(sde.Flow{Loss: l, Diffusion: noise.Stable{Alpha: alpha, Scale: sigma}}, sde.Ito, h, 1))
	if err != nil {
		t.Fatal(err)
	}
	var uniform [2]float64
	s := sde.NewScriptedStream(sde.Script{Uniforms: func(dst []float64) { copy(dst, uniform[:]) }})
	batch := sde.NewBatch(1, 1)
	return func(x, u, v float64) float64 {
		uniform = [2]float64{u, v}
		batch.Data[0] = x
		s.At(sde.Steps, 0, 0)
		k.Step(batch, 0, s)
		return batch.Data[0]
	}
}

// TestStableVariate holds the variates to the formula with the functions of package math.
func TestStableVariate(t *testing.T) {
	for _, alpha := range []float64{0.2, 0.5, 0.9, 1, 1.1, 1.5, 1.99} {
		step := stableStep(t, integrate.StableEuler{}, flat{1}, alpha, 1, 1)
		for _, u := range []float64{0x1p-53, 1e-9, 0.1, 0.3, 0.5, 0.7, 0.999, 1 - 0x1p-53} {
			for _, v := range []float64{0x1p-53, 1e-5, 0.2, 0.5, 0.9, 1 - 0x1p-53} {
				angle, w := math.Pi*(u-0.5), -math.Log(v)
				cos := math.Sin(math.Pi * math.Min(u, 1-u))
				want := math.Sin(alpha*angle) / math.Pow(cos, 1/alpha) * math.Pow(math.Cos((1-alpha)*angle)/w, (1-alpha)/alpha)
				if alpha == 1 {
					want = math.Sin(angle) / cos
				}
				if got := step(0, u, v); !(math.Abs(got-want) <= 1e-12*math.Abs(want)+1e-16) {
					t.Errorf("α = %g, u = %g, v = %g: %v, want %v", alpha, u, v, got, want)
				}
			}
		}
	}
}

// stableSample returns variates: one step without drift.
func stableSample(t *testing.T, n noise.Stable, d, particles int, seed uint64) sde.Batch {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{d}, Diffusion: n}, Scheme: integrate.StableEuler{}, Step: 1, Particles: particles, Seed: seed}
	return finals(t, e, integrate.Schedule{Time: 1})
}

// kolmogorovP is the p-value of Kolmogorov's test.
func kolmogorovP(x []float64, cdf func(x float64) float64) (statistic, p float64) {
	x = append([]float64(nil), x...)
	sort.Float64s(x)
	n := float64(len(x))
	for i, v := range x {
		f := cdf(v)
		statistic = math.Max(statistic, math.Max(f-float64(i)/n, float64(i+1)/n-f))
	}
	statistic *= math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n)
	if statistic < 0.3 {
		return statistic, 1 // where the series is slow
	}
	for k := 1.0; k < 100; k++ {
		p += 2 * math.Pow(-1, k-1) * math.Exp(-2*k*k*statistic*statistic)
	}
	return statistic, math.Min(1, math.Max(0, p))
}

// halfStable is the distribution function of index ½: of the difference of two
// independent numbers of Lévy's law of scale ¼, each 1/(4z²) with z normal.
func halfStable(x float64) float64 {
	if x < 0 {
		return 1 - halfStable(-x)
	}
	levy := func(y float64) float64 { return math.Erfc(math.Sqrt(1 / (8 * y))) }
	// In the normal of the second number.
	return 2 * quad.Fixed(func(z float64) float64 {
		return levy(x+1/(4*z*z)) * math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	}, 0, 9, 200, nil, 0)
}

func TestStableLaw(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const n = 1 << 13
	for i, test := range []struct {
		alpha float64
		cdf   func(x float64) float64
	}{
		{1, func(x float64) float64 { return 0.5 + math.Atan(x)/math.Pi }},
		{2, distuv.Normal{Sigma: math.Sqrt2}.CDF},
		{0.5, halfStable},
	} {
		seed := 340 + uint64(i)
		s, p := kolmogorovP(stableSample(t, noise.Stable{Alpha: test.alpha, Scale: 1}, 1, n, seed+*seedShift).Data, test.cdf)
		accept(t, fmt.Sprintf("law of index %g", test.alpha), seed, s, p)
		s, p = kolmogorovP(stableSample(t, noise.Stable{Alpha: test.alpha, Scale: 0.5}, 1, n, seed+*seedShift).Data, test.cdf)
		reject(t, fmt.Sprintf("law of index %g by variates of half the scale", test.alpha), seed, s, p)
	}
}

// characteristicP is the p-value of samples of the mean cos(k·x) against a
// characteristic function f of a symmetric law, of which k and 2k are given.
func characteristicP(x sde.Batch, k []float64, f, f2 float64) (statistic, p float64) {
	var sum float64
	for i := range x.Rows {
		var dot float64
		for j, v := range x.Row(i) {
			dot += k[j] * v
		}
		sum += math.Cos(dot)
	}
	n := float64(x.Rows)
	statistic = (sum/n - f) / math.Sqrt(((1+f2)/2-f*f)/n)
	return statistic, normalP(statistic)
}

// TestStableCharacteristic tests the characteristic function of variates in the
// plane, with independent components and without, and that of one for the other.
func TestStableCharacteristic(t *testing.T) {
	const particles = 1 << 16
	for i, alpha := range []float64{0.3, 0.8, 1, 1.3, 1.7, 1.95} {
		for _, rotational := range []bool{false, true} {
			seed := 350 + uint64(i)
			x := stableSample(t, noise.Stable{Alpha: alpha, Scale: 1, Rotational: rotational}, 2, particles, seed+*seedShift)
			law := func(rotational bool, a, b float64) float64 {
				if rotational {
					return math.Exp(-math.Pow(math.Hypot(a, b), alpha))
				}
				return math.Exp(-math.Pow(math.Abs(a), alpha) - math.Pow(math.Abs(b), alpha))
			}
			a, b := 0.6, -0.5
			s, p := characteristicP(x, []float64{a, b}, law(rotational, a, b), law(rotational, 2*a, 2*b))
			accept(t, fmt.Sprintf("α = %g, rotational %v", alpha, rotational), seed, s, p)
			if alpha < 1.5 {
				s, p = characteristicP(x, []float64{a, b}, law(!rotational, a, b), law(!rotational, 2*a, 2*b))
				reject(t, fmt.Sprintf("α = %g, rotational %v, taken for the other", alpha, rotational), seed, s, p)
			}
		}
	}
}

// TestStableOrnsteinUhlenbeck: the step is affine in the state and the variate, so that the
// stationary law is stable with a scale that is a geometric sum; a run has that law.
func TestStableOrnsteinUhlenbeck(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const k, sigma, h = 1.5, 0.7, 0.2
	for i, alpha := range []float64{0.7, 1, 1.5} {
		step, unit := stableStep(t, integrate.StableEuler{}, quadratic{k}, alpha, sigma, h), stableStep(t, integrate.StableEuler{}, flat{1}, alpha, 1, 1)
		for _, u := range []float64{0.1, 0.45, 0.8} {
			for _, x := range []float64{-2, 0, 3} {
				want := (1-h*k)*x + math.Pow(h, 1/alpha)*sigma*unit(0, u, 0.3)
				if got := step(x, u, 0.3); math.Abs(got-want) > 1e-13*(1+math.Abs(want)) {
					t.Errorf("α = %g: a step from %g is to %v, want %v", alpha, x, got, want)
				}
			}
		}
		scale := func(h float64) float64 {
			return sigma * math.Pow(h/(1-math.Pow(math.Abs(1-h*k), alpha)), 1/alpha)
		}
		limit := sigma / math.Pow(alpha*k, 1/alpha)
		// The first-order term that the documentation states, and what is left of second order.
		for _, h := range []float64{1e-3, 1e-4} {
			if e := scale(h)/limit - 1 - (alpha-1)*h*k/(2*alpha); math.Abs(e) > 2*h*h*k*k {
				t.Errorf("α = %g: the scale at h = %g is off what is documented by %g", alpha, h, e)
			}
		}
		seed := 360 + uint64(i)
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{k}, Diffusion: noise.Stable{Alpha: alpha, Scale: sigma}}, Scheme: integrate.StableEuler{}, Step: h,
			Particles: 1 << 15, Seed: seed + *seedShift}
		x := finals(t, e, integrate.Schedule{Time: 24})
		law := func(scale, k float64) float64 { return math.Exp(-math.Pow(scale*k, alpha)) }
		s := scale(h)
		q := 1 / s
		z, p := characteristicP(x, []float64{q}, law(s, q), law(s, 2*q))
		accept(t, fmt.Sprintf("α = %g: stationary scale", alpha), seed, z, p)
		wrong := s * math.Pow(h, 0.5-1/alpha)
		z, p = characteristicP(x, []float64{q}, law(wrong, q), law(wrong, 2*q))
		reject(t, fmt.Sprintf("α = %g: √h for h^(1/α)", alpha), seed, z, p)
	}
}

// TestStableGaussian: of index 2 the scheme is Euler–Maruyama at the temperature σ².
func TestStableGaussian(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.49}}, Step: 0.1, Particles: 2000, Seed: 1, Pieces: 2}
	want := finals(t, e, integrate.Schedule{Time: 3})
	for _, rotational := range []bool{false, true} {
		e.Equation, e.Scheme = sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Stable{Alpha: 2, Scale: 0.7, Rotational: rotational}}, integrate.StableEuler{}
		for i, v := range finals(t, e, integrate.Schedule{Time: 3}).Data {
			if math.Abs(v-want.Data[i]) > 1e-12 {
				t.Fatalf("particle %d is at %v, of Euler–Maruyama at %v", i, v, want.Data[i])
			}
		}
	}
}

// TestStableCoupled: a coarse step's variate is the sum of those of the fine ones.
func TestStableCoupled(t *testing.T) {
	for _, n := range []noise.Stable{{Alpha: 1, Scale: 1}, {Alpha: 1.6, Scale: 1}, {Alpha: 0.8, Scale: 1, Rotational: true}, {Alpha: 2, Scale: 1}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{2}, Diffusion: n}, Scheme: integrate.StableEuler{}, Step: 0.25, Particles: 500, Seed: 1}
		fine := finals(t, e, integrate.Schedule{Time: 2})
		e.Step, e.Pieces = 1, 4
		for i, v := range finals(t, e, integrate.Schedule{Time: 2}).Data {
			if w := fine.Data[i]; math.Abs(v-w) > 1e-12*(1+math.Abs(w)) {
				t.Fatalf("%+v: coordinate %d is %v, in finer steps %v", n, i, v, w)
			}
		}
	}
}

// cauchyChain returns the stationary E cos(kX) of X′ = m(X) + hS, S of Cauchy's law and
// m odd. With x = tan(φ/2) the kernel is Poisson's, smooth and periodic in φ, for which a
// sum over even points converges exponentially. By symmetry n points on one side do.
func cauchyChain(m func(x float64) float64, h float64, n int, ks ...float64) (values []float64) {
	x, kernel := make([]float64, n), make([][]float64, n)
	for i := range x {
		x[i] = math.Tan(math.Pi / 2 * (float64(i) + 0.5) / float64(n))
	}
	for i := range kernel {
		kernel[i] = make([]float64, n)
		at := m(x[i])
		for j, y := range x {
			kernel[i][j] = h * (1 + y*y) / float64(2*n) * (1/((y-at)*(y-at)+h*h) + 1/((y+at)*(y+at)+h*h))
		}
	}
	p, q := make([]float64, n), make([]float64, n)
	for i, y := range x {
		p[i] = (1 + y*y) / (1 - y*y + y*y*y*y) / float64(2*n) // near enough to begin with
	}
	for range int(6/h) + 1 {
		clear(q)
		for i, w := range p {
			floats.AddScaled(q, w, kernel[i])
		}
		p, q = q, p
	}
	for _, k := range ks {
		var s, total float64
		for i, w := range p {
			s += w * math.Cos(k*x[i])
			total += w
		}
		values = append(values, s/total)
	}
	return values
}

// TestStableQuartic: L = x⁴/4 with unit Cauchy noise has the density 1/(π(1−x²+x⁴)), from
// which the tamed scheme's law differs by a term of first order; a run has the law of the scheme.
func TestStableQuartic(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	exact := func(k float64) float64 {
		return 2 / math.Sqrt(3) * math.Exp(-k/2) * math.Cos(math.Sqrt(3)*k/2-math.Pi/6)
	}
	ks := []float64{0.7, 1.3}
	chain := func(h float64) []float64 {
		step := stableStep(t, integrate.StableEuler{Tamed: true}, loss.Quartic{}, 1, 1, h)
		return cauchyChain(func(x float64) float64 { return step(x, 0.5, 0.5) }, h, int(16/h), ks...)
	}
	const seed, h = 370, 0.1
	law := chain(h)
	var values [][]float64
	for _, h := range []float64{0.05, 0.025, 0.0125} {
		values = append(values, chain(h))
	}
	for i, k := range ks {
		a, b, c := values[0], values[1], values[2]
		e := exact(k)
		t.Logf("E cos(%gX): errors %.5f, %.5f, %.5f", k, a[i]-e, b[i]-e, c[i]-e)
		if order := math.Log2((b[i] - e) / (c[i] - e)); !(math.Abs(order-1) < 0.2) {
			t.Errorf("E cos(%gX): the error is of order %.3f, want 1", k, order)
		}
		if limit := (a[i] - 6*b[i] + 8*c[i]) / 3; math.Abs(limit-e) > 0.1*math.Abs(c[i]-e) {
			t.Errorf("E cos(%gX) tends to %v, want %v", k, limit, e)
		}
	}
	run := func(alpha float64) (sde.Estimate, sde.Estimate) {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Stable{Alpha: alpha, Scale: 1}}, Scheme: integrate.StableEuler{Tamed: true}, Step: h,
			Particles: 1 << 15, Seed: seed + *seedShift}
		m := integrate.NewMean(2, func(dst, theta []float64) { dst[0], dst[1] = math.Cos(ks[0]*theta[0]), math.Cos(ks[1]*theta[0]) })
		mustRun(t, e, integrate.Schedule{BurnIn: 4, Time: 2, Every: 1}, m)
		return m.Estimate(0), m.Estimate(1)
	}
	p, q := run(1)
	for i, e := range []sde.Estimate{p, q} {
		s, p := estimateP(e, law[i])
		accept(t, fmt.Sprintf("E cos(%gX) of a run", ks[i]), seed, s, p)
	}
	_, q = run(1.4)
	s, v := estimateP(q, law[1])
	reject(t, "E cos(1.3X) with α = 1.4 for 1", seed, s, v)
}

// TestStableExplodes: without taming a large jump on a quartic is the end.
func TestStableExplodes(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.Quartic{D: 2}, Diffusion: noise.Stable{Alpha: 1, Scale: 1}}, Scheme: integrate.StableEuler{}, Step: 0.1, Particles: 1000, Seed: 1}
	_, err := e.Run(context.Background(), integrate.Schedule{Time: 10})
	if d := new(integrate.DivergenceError); !errors.As(err, &d) {
		t.Errorf("plain Euler: error %v", err)
	}
	e.Scheme = integrate.StableEuler{Tamed: true}
	mustRun(t, e, integrate.Schedule{Time: 10})
}

// TestStableRefusals: stable noise is refused to every scheme for Brownian noise, and the reverse.
func TestStableRefusals(t *testing.T) {
	run := func(eq sde.Equation, s integrate.Scheme) error {
		_, err := integrate.Ensemble{Equation: eq, Scheme: s, Step: 0.1, Particles: 1}.Run(context.Background(), integrate.Schedule{Time: 1})
		return err
	}
	flow := sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Stable{Alpha: 1.5, Scale: 1}}
	for _, s := range []integrate.Scheme{nil, integrate.EulerMaruyama{}, integrate.Milstein{}, integrate.SRA1{}, integrate.SRA3{}, integrate.ShARK{}, integrate.SRIW1{}, integrate.SRIW2{},
		integrate.Platen{}, integrate.RI6{}, integrate.DRI1{}, integrate.StochasticHeun{}, integrate.StratonovichMidpoint{}, integrate.LeimkuhlerMatthews{}, integrate.ExactOU{},
		integrate.Tamed{}, integrate.ProjectedEuler{}, integrate.BAOAB{Friction: 1}, integrate.MALA{}, integrate.RandomWalkMetropolis{}, integrate.Adaptive{Tolerance: 1}, integrate.AdaptiveEuler{}} {
		if err := run(flow, s); !isInvalid(err) || !errors.Is(err, sde.ErrUnsupported) || !strings.Contains(err.Error(), "take StableEuler") {
			t.Errorf("%T: error %v", s, err)
		}
	}
	for _, test := range []struct {
		flow   sde.Flow
		scheme integrate.StableEuler
		want   string
	}{
		{sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Temperature{T: 1}}, integrate.StableEuler{}, "take EulerMaruyama"},
		{sde.Flow{Loss: loss.Quartic{}}, integrate.StableEuler{}, "take EulerMaruyama"},
		{sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Stable{Alpha: 0, Scale: 1}}, integrate.StableEuler{}, "at most 2"},
		{sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Stable{Alpha: 2.1, Scale: 1}}, integrate.StableEuler{}, "at most 2"},
		{sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Stable{Alpha: math.NaN(), Scale: 1}}, integrate.StableEuler{}, "at most 2"},
		{sde.Flow{Loss: loss.Quartic{}, Diffusion: noise.Stable{Alpha: 1, Scale: -1}}, integrate.StableEuler{}, "Scale"},
		{sde.Flow{Loss: loss.Quartic{}, Diffusion: unchecked{noise.Stable{Alpha: 3}}}, integrate.StableEuler{}, "at most 2"},
		{flow, integrate.StableEuler{Radius: -1}, "Radius"},
		{sde.Flow{Loss: doubleWell{}, Diffusion: growingStable{}, Calculus: sde.Stratonovich}, integrate.StableEuler{}, "take sde.Ito"},
	} {
		if err := run(test.flow, test.scheme); !isInvalid(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v, want one with %q", test.flow.Diffusion, err, test.want)
		}
	}
	if err := run(sde.Flow{Loss: doubleWell{}, Diffusion: growingStable{}}, integrate.StableEuler{}); err != nil {
		t.Errorf("noise that depends on θ: error %v", err)
	}
}

// unchecked is a person's stable noise, without Validate.
type unchecked struct{ of noise.Stable }

func (n unchecked) Dims() (state, noise int)             { return 0, 0 }
func (n unchecked) StableLaw() (float64, bool)           { return n.of.StableLaw() }
func (n unchecked) Class() sde.NoiseClass                { return sde.Constant }
func (n unchecked) Root(dst, theta []float64, t float64) { n.of.Root(dst, theta, t) }

// growingStable is stable noise whose scale depends on θ.
type growingStable struct{}

func (growingStable) Dims() (state, noise int)   { return 1, 1 }
func (growingStable) StableLaw() (float64, bool) { return 1.5, false }
func (growingStable) Root(dst, theta []float64, t float64) {
	dst[0] = 0.1 + 0.1*math.Abs(math.Sin(theta[0]))
}

func TestStableBattery(t *testing.T) {
	integratetest.Test(t, integrate.StableEuler{}, integratetest.Options{})
	integratetest.Test(t, integrate.StableEuler{Tamed: true}, integratetest.Options{})
}
