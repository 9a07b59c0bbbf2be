// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationarytest_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
	"github.com/sgflow/sgflow/stationary/stationarytest"
)

// independent are chains whose states are independent draws of a normal law.
func independent(chains int, variance float64, seed uint64) stationarytest.Replicas {
	r := rand.New(rand.NewPCG(seed, 1))
	s := math.Sqrt(variance)
	return stationarytest.Replicas{Dim: 1, Chains: chains, Advance: func(x sde.Batch) {
		for i := range x.Data {
			x.Data[i] = s * r.NormFloat64()
		}
	}}
}

func normal(t *testing.T, temperature float64) stationary.Law {
	t.Helper()
	q, err := loss.NewDiagonalQuadratic([]float64{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	law, err := stationary.Boltzmann(q, temperature)
	if err != nil {
		t.Fatal(err)
	}
	return law
}

func check(t *testing.T, r stationarytest.Replicas, law stationary.Law, o stationarytest.Options) *stationarytest.Report {
	t.Helper()
	rep, err := stationarytest.CheckBoltzmann(r, law, o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// uniform returns the p-value of Kolmogorov and Smirnov's test of numbers against the
// uniform law, or, from above only, against being at least as large.
func uniform(p []float64, above bool) float64 {
	slices.Sort(p)
	n := float64(len(p))
	var d float64
	for i, v := range p {
		d = math.Max(d, float64(i+1)/n-v)
		if !above {
			d = math.Max(d, v-float64(i)/n)
		}
	}
	// Smirnov's bound for one side; twice that for two.
	q := math.Exp(-2 * n * d * d)
	if !above {
		q *= 2
	}
	return math.Min(1, q)
}

// TestFalseAlarms: of an optimizer that is off by the margin exactly, p-values are at least
// uniform, and of the one-sided test of a temperature too low or too high uniform but for the factor 2
// that the other side costs.
func TestFalseAlarms(t *testing.T) {
	t.Parallel()
	law := normal(t, 1)
	const runs = 400
	var halved []float64
	for _, c := range []struct{ variance, variation float64 }{{0.9, 0.0255}, {1.1, 0.0231}} {
		var temperature, shape []float64
		halved = nil
		for seed := range uint64(runs) {
			rep := check(t, independent(64, c.variance, seed), law, stationarytest.Options{BurnIn: 1, Observations: 64, Temperature: 0.1, TotalVariation: c.variation})
			p := rep.Checks[0].PValue
			temperature = append(temperature, p)
			if p < 1 {
				halved = append(halved, p/2)
			} else {
				halved = append(halved, 0.5+0.5*rand.New(rand.NewPCG(seed, 9)).Float64())
			}
			shape = append(shape, rep.Checks[1].PValue)
		}
		if p := uniform(temperature, true); p < 1e-6 {
			t.Errorf("variance %g: too many small p-values of the temperature at the margin: p = %g", c.variance, p)
		}
		if p := uniform(slices.Clone(halved), false); p < 1e-6 {
			t.Errorf("variance %g: p-values of the temperature at the margin are not uniform: p = %g", c.variance, p)
		}
		// The total variation, of which cells see less.
		if p := uniform(shape, true); p < 1e-6 {
			t.Errorf("variance %g: too many small p-values of the shape at the margin: p = %g", c.variance, p)
		}
	}
	// Standard errors of half the size would show.
	for i, p := range halved {
		z := distuv.UnitNormal.Quantile(min(max(p, 1e-12), 1-1e-12))
		halved[i] = distuv.UnitNormal.CDF(2 * z)
	}
	if p := uniform(halved, false); p > 1e-6 {
		t.Errorf("a standard error of half the size is not noticed: p = %g", p)
	}
}

// TestPower: off by twice the margin, at the least number of samples that is said to do, each
// check fails as often as its Power says, of 64 chains and of 16.
func TestPower(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	law := normal(t, 1)
	const runs = 200
	for _, chains := range []int{16, 64} {
		for name, c := range map[string]struct {
			check    int
			replicas func(seed uint64) stationarytest.Replicas
			options  stationarytest.Options
		}{
			"temperature": {0, func(seed uint64) stationarytest.Replicas { return independent(chains, 1.2, seed) },
				stationarytest.Options{Temperature: 0.1, TotalVariation: 0.4}},
			"shape": {1, func(seed uint64) stationarytest.Replicas { return folded(chains, 0.4, seed) },
				stationarytest.Options{Temperature: 0.4, TotalVariation: 0.1}},
		} {
			o := c.options
			o.BurnIn, o.Observations, o.FalseAlarms = 1+2000/chains, 2560/chains, 1e-4
			// Enough that More is about 1.
			more := 0.0
			for seed := range uint64(32) {
				more += check(t, c.replicas(seed), law, o).Checks[c.check].More / 32
			}
			o.Observations = max(32, int(math.Ceil(float64(o.Observations)*more)))
			failed, promised := 0.0, 0.0
			for seed := range uint64(runs) {
				got := check(t, c.replicas(seed+1000), law, o).Checks[c.check]
				promised += got.Power / runs
				if got.Verdict == stationarytest.Fail {
					failed++
				}
			}
			t.Logf("%s, %d chains, %d observations: %.1f %% fail, %.1f %% promised", name, chains, o.Observations, 100*failed/runs, 100*promised)
			if p := (distuv.Binomial{N: runs, P: promised}).CDF(failed); p < 1e-6 || promised < 0.85 {
				t.Errorf("%s, %d chains: %v of %d fail, want %.1f %% (p = %.2g)", name, chains, failed, runs, 100*promised, p)
			}
		}
	}
}

// folded are independent draws of a normal law, of which a share is turned to the right: half of it is
// the total variation from the law.
func folded(chains int, share float64, seed uint64) stationarytest.Replicas {
	r := rand.New(rand.NewPCG(seed, 4))
	return stationarytest.Replicas{Dim: 1, Chains: chains, Advance: func(x sde.Batch) {
		for i := range x.Data {
			x.Data[i] = r.NormFloat64()
			if r.Float64() < share {
				x.Data[i] = math.Abs(x.Data[i])
			}
		}
	}}
}

// langevin is a person's optimizer: Euler–Maruyama in L = (x²−1)²/4 of step h, with the
// noise's standard deviation given.
func langevin(chains int, h, sigma float64, steps int, seed uint64) stationarytest.Replicas {
	r := rand.New(rand.NewPCG(seed, 2))
	return stationarytest.Replicas{Dim: 1, Chains: chains,
		Start: func(x sde.Batch) {
			for i := range x.Data {
				x.Data[i] = float64(1 - 2*(i%2))
			}
		},
		Advance: func(x sde.Batch) {
			for i, v := range x.Data {
				for range steps {
					v += -h*(v*v*v-v) + sigma*r.NormFloat64()
				}
				x.Data[i] = v
			}
		}}
}

func TestDoubleWell(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long")
	}
	const h, T = 0.02, 0.2
	law, err := stationary.Boltzmann(loss.DoubleWell{}, T)
	if err != nil {
		t.Fatal(err)
	}
	o := stationarytest.Options{BurnIn: 100, Observations: 700, Step: h, Temperature: 0.05, TotalVariation: 0.03}
	right := math.Sqrt(2 * T * h)
	for name, c := range map[string]struct {
		sigma   float64
		verdict stationarytest.Verdict
		says    string
	}{
		"right":          {right, stationarytest.Pass, "pass"},
		"T for 2T":       {math.Sqrt(T * h), stationarytest.Fail, "factor ½ in D"},
		"h for √h":       {math.Sqrt(2*T) * h, stationarytest.Fail, "h for √h"},
		"σ² for σ":       {2 * T * math.Sqrt(h), stationarytest.Fail, "2T for √(2T)"},
		"15 % more in T": {right * math.Sqrt(1.15), stationarytest.Fail, "times that of the law"},
		"1 % more in T":  {right * math.Sqrt(1.01), stationarytest.Pass, "pass"},
	} {
		t.Run(name, func(t *testing.T) {
			rep := check(t, langevin(1000, h, c.sigma, 20, 3), law, o)
			if rep.Verdict != c.verdict || !strings.Contains(rep.String(), c.says) {
				t.Errorf("want %s and %q:\n%v", c.verdict, c.says, rep)
			}
		})
	}
	t.Run("not settled", func(t *testing.T) {
		r := langevin(1000, h, right, 2, 3)
		r.Start = func(x sde.Batch) {
			for i := range x.Data {
				x.Data[i] = 1
			}
		}
		if rep := check(t, r, law, stationarytest.Options{BurnIn: 10, Observations: 100}); rep.Verdict != stationarytest.Fail || !strings.Contains(rep.String(), "had not settled") {
			t.Errorf("%v", rep)
		}
	})
	t.Run("too few", func(t *testing.T) {
		if rep := check(t, langevin(20, h, right, 20, 3), law, stationarytest.Options{BurnIn: 100, Observations: 100}); rep.Verdict != stationarytest.Inconclusive || !strings.Contains(rep.String(), "times as many samples") {
			t.Errorf("%v", rep)
		}
	})
	t.Run("exact law of the step", func(t *testing.T) {
		// At h = 0.1 the temperature is off by 7 %, which the law of the step knows.
		const h = 0.1
		exact, err := stationary.Discretized(loss.DoubleWell{}, T, h, sde.Box{Lo: []float64{-2}, Hi: []float64{2}})
		if err != nil {
			t.Fatal(err)
		}
		r := langevin(1000, h, math.Sqrt(2*T*h), 10, 3)
		if rep := check(t, r, exact, o); rep.Verdict != stationarytest.Pass {
			t.Errorf("%v", rep)
		}
		if rep := check(t, r, law, stationarytest.Options{BurnIn: 100, Observations: 1000, Temperature: 0.03, TotalVariation: 0.03, Step: h}); rep.Verdict != stationarytest.Fail ||
			!strings.Contains(rep.String(), "of the law: the step? One of h = 0.1 does as much where the curvature is 1.") {
			t.Errorf("%v", rep)
		}
	})
}

// TestOneChain: an autoregression of the exact law N(0, 1), watched alone.
func TestOneChain(t *testing.T) {
	t.Parallel()
	law := normal(t, 1)
	autoregression := func(rho, variance float64) stationarytest.Replicas {
		r := rand.New(rand.NewPCG(1, 5))
		return stationarytest.Replicas{Dim: 1, Advance: func(x sde.Batch) {
			x.Data[0] = rho*x.Data[0] + math.Sqrt((1-rho*rho)*variance)*r.NormFloat64()
		}}
	}
	o := stationarytest.Options{BurnIn: 1000, Observations: 200_000, Temperature: 0.05, TotalVariation: 0.05}
	if rep := check(t, autoregression(0.5, 1), law, o); rep.Verdict != stationarytest.Pass {
		t.Errorf("%v", rep)
	}
	if rep := check(t, autoregression(0.5, 1.2), law, o); rep.Verdict != stationarytest.Fail {
		t.Errorf("%v", rep)
	}
	if rep := check(t, autoregression(0.99999, 1), law, o); rep.Verdict == stationarytest.Pass {
		t.Errorf("a chain that hardly moves passes: %v", rep)
	}
	// SGD of one chain on a quadratic; at the small rate 4000 steps are few.
	l, err := loss.NewDiagonalQuadratic([]float64{1, 0.3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		eta, factor float64
		n           int
		want        stationarytest.Verdict
	}{{0.5, 1, 200_000, stationarytest.Pass}, {0.5, 1.2, 200_000, stationarytest.Fail}, {1e-4, 1, 400, stationarytest.Inconclusive}} {
		s := mat.NewSymDense(2, []float64{c.eta / (2 - c.eta) / c.factor, 0, 0, c.eta / (0.3 * (2 - 0.3*c.eta)) / c.factor})
		o := stationarytest.Options{BurnIn: 1000, Observations: c.n, Temperature: 0.06}
		rep, err := stationarytest.CheckCovariance(linear([]float64{1, 0.3}, c.eta, 1, 1, 4), nil, s, o)
		if err != nil || rep.Verdict != c.want {
			t.Errorf("covariance of one chain, %+v: %v, %v", c, rep, err)
		}
		sgd := stationarytest.SGD{Loss: l, LearningRate: c.eta, NoiseTrace: func([]float64) float64 { return 2 / c.factor }}
		rep, err = stationarytest.CheckFluctuationDissipation(linear([]float64{1, 0.3}, c.eta, 1, 1, 5), sgd, o)
		if err != nil || rep.Verdict != c.want {
			t.Errorf("fluctuation and dissipation of one chain, %+v: %v, %v", c, rep, err)
		}
	}
}

// TestStretches: of one chain of which neighbouring stretches of time have a correlation of 0.2,
// there are no more false alarms than of independent groups; with errors that take them for
// independent there are.
func TestStretches(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	law := normal(t, 1)
	const runs, memory = 1000, 8
	var temperature, shape, plain []float64
	rho := math.Exp(-1. / memory)
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 6))
		replicas := stationarytest.Replicas{Dim: 1, Advance: func(x sde.Batch) {
			x.Data[0] = rho*x.Data[0] + math.Sqrt(1-rho*rho)*r.NormFloat64()
		}}
		// The square's memory is half as long.
		rep := check(t, replicas, law, stationarytest.Options{BurnIn: 400, Observations: 64 * 3 * memory / 2, Temperature: 1e-6, TotalVariation: 1e-6})
		temperature, shape = append(temperature, rep.Checks[0].PValue), append(shape, rep.Checks[1].PValue)
		z := distuv.UnitNormal.Quantile(max(rep.Checks[0].PValue/2, 1e-12))
		plain = append(plain, 2*distuv.UnitNormal.CDF(1.18*z))
	}
	if p := uniform(temperature, true); p < 1e-6 {
		t.Errorf("too many small p-values of the temperature: p = %g", p)
	}
	if p := uniform(shape, true); p < 1e-6 {
		t.Errorf("too many small p-values of the shape: p = %g", p)
	}
	if p := uniform(plain, true); p > 1e-6 {
		t.Errorf("errors that take stretches for independent are not noticed: p = %g", p)
	}
	t.Logf("temperature %.2g, shape %.2g, taken for independent %.2g", uniform(temperature, true), uniform(shape, true), uniform(plain, true))
}

// TestWalls: in a box that cuts the law off its virial is not the temperature, so only the
// shape is looked at.
func TestWalls(t *testing.T) {
	t.Parallel()
	q, err := loss.NewDiagonalQuadratic([]float64{1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, box := range []sde.Box{{Lo: []float64{-1}, Hi: []float64{2}}, {Lo: []float64{0}, Hi: []float64{9}}} {
		law, err := stationary.Boltzmann(q, 1, box)
		if err != nil {
			t.Fatal(err)
		}
		within := func(sd float64) stationarytest.Replicas {
			r := rand.New(rand.NewPCG(1, 8))
			return stationarytest.Replicas{Dim: 1, Chains: 64, Advance: func(x sde.Batch) {
				for i := range x.Data {
					for x.Data[i] = sd * r.NormFloat64(); x.Data[i] < box.Lo[0] || x.Data[i] > box.Hi[0]; {
						x.Data[i] = sd * r.NormFloat64()
					}
				}
			}}
		}
		o := stationarytest.Options{BurnIn: 50, Observations: 1600}
		if rep := check(t, within(1), law, o); rep.Verdict != stationarytest.Pass || !math.IsNaN(rep.Ratio) {
			t.Errorf("%v: %v", box, rep)
		}
		if rep := check(t, within(1.5), law, o); rep.Verdict != stationarytest.Fail {
			t.Errorf("%v, 1.5 times as wide: %v", box, rep)
		}
	}
}

// TestPlane: a law in two dimensions, by the library's own engine.
func TestPlane(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	l := loss.DoubleWells{}
	law, err := stationary.Boltzmann(l, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	const n, h = 1000, 0.02
	sample := func(temperature float64) stationarytest.Replicas {
		s, err := sampler(sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}, h, n)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	o := stationarytest.Options{BurnIn: 300, Observations: 300, Temperature: 0.06, TotalVariation: 0.05}
	if rep := check(t, sample(0.5), law, o); rep.Verdict != stationarytest.Pass {
		t.Errorf("%v", rep)
	}
	if rep := check(t, sample(0.6), law, o); rep.Verdict != stationarytest.Fail || !(math.Abs(rep.Ratio-1.2) < 0.05) {
		t.Errorf("%v", rep)
	}
}

// sampler steps a scheme's kernel by hand, as an optimizer of somebody else's.
func sampler(flow sde.Flow, h float64, n int) (stationarytest.Replicas, error) {
	d := flow.Loss.Dim()
	k, err := integrate.EulerMaruyama{}.Bind(integrate.NewSystem(flow, sde.Ito, h, n))
	if err != nil {
		return stationarytest.Replicas{}, err
	}
	stream, step := sde.NewStream(1, nil), 0
	return stationarytest.Replicas{Dim: d, Chains: n, Advance: func(x sde.Batch) {
		for range 5 {
			stream.At(sde.Steps, 0, step)
			k.Step(x, float64(step)*h, stream)
			step++
		}
	}}, nil
}

// linear is SGD on ½θᵀHθ with gradient noise of the covariance C = c I.
func linear(h []float64, eta, c float64, chains int, seed uint64) stationarytest.Replicas {
	r := rand.New(rand.NewPCG(seed, 3))
	s := math.Sqrt(c)
	return stationarytest.Replicas{Dim: len(h), Chains: chains, Advance: func(x sde.Batch) {
		for range 10 {
			for i := range x.Rows {
				for j, v := range x.Row(i) {
					x.Row(i)[j] = v - eta*(h[j]*v+s*r.NormFloat64())
				}
			}
		}
	}}
}

func TestCovariance(t *testing.T) {
	t.Parallel()
	h := []float64{1, 0.3}
	const eta, c = 0.5, 1.0
	want := mat.NewSymDense(2, nil)
	for j, k := range h {
		want.SetSym(j, j, eta*c/(k*(2-eta*k)))
	}
	o := stationarytest.Options{BurnIn: 20, Observations: 400, Temperature: 0.03}
	rep, err := stationarytest.CheckCovariance(linear(h, eta, c, 1000, 1), nil, want, o)
	if err != nil || rep.Verdict != stationarytest.Pass {
		t.Errorf("%v, %v", rep, err)
	}
	// The continuous law's covariance, ηC/2H, is off by ηH/2 of it.
	sde2 := mat.NewSymDense(2, []float64{eta * c / (2 * h[0]), 0, 0, eta * c / (2 * h[1])})
	rep, err = stationarytest.CheckCovariance(linear(h, eta, c, 1000, 1), nil, sde2, o)
	if err != nil || rep.Verdict != stationarytest.Fail || !strings.Contains(rep.String(), "times what they should be") {
		t.Errorf("%v, %v", rep, err)
	}
	// One direction too large and the other too small, with the right trace.
	turned := mat.NewSymDense(2, []float64{want.At(0, 0), 0.1 * math.Sqrt(want.At(0, 0)*want.At(1, 1)), 0, want.At(1, 1)})
	rep, err = stationarytest.CheckCovariance(linear(h, eta, c, 1000, 1), nil, turned, o)
	if err != nil || rep.Verdict != stationarytest.Fail {
		t.Errorf("%v, %v", rep, err)
	}
	rep, err = stationarytest.CheckCovariance(linear(h, eta, c, 1000, 1), []float64{0.1, 0}, want, o)
	if err != nil || rep.Verdict != stationarytest.Fail || !strings.Contains(rep.String(), "biased") {
		t.Errorf("%v, %v", rep, err)
	}
}

func TestFluctuationDissipation(t *testing.T) {
	t.Parallel()
	l, err := loss.NewDiagonalQuadratic([]float64{1, 0.3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const eta, c = 0.5, 1.0
	o := stationarytest.Options{BurnIn: 20, Observations: 200}
	s := stationarytest.SGD{Loss: l, LearningRate: eta, NoiseTrace: func([]float64) float64 { return 2 * c }}
	rep, err := stationarytest.CheckFluctuationDissipation(linear([]float64{1, 0.3}, eta, c, 1000, 1), s, o)
	if err != nil || rep.Verdict != stationarytest.Pass {
		t.Errorf("%v, %v", rep, err)
	}
	s.NoiseTrace = func([]float64) float64 { return c }
	rep, err = stationarytest.CheckFluctuationDissipation(linear([]float64{1, 0.3}, eta, c, 1000, 1), s, o)
	if err != nil || rep.Verdict != stationarytest.Fail || !strings.Contains(rep.String(), "another size") {
		t.Errorf("%v, %v", rep, err)
	}
}

func TestRefused(t *testing.T) {
	law := normal(t, 1)
	good := independent(20, 1, 1)
	second := func(_ any, err error) error { return err }
	with := func(change func(r *stationarytest.Replicas, o *stationarytest.Options)) error {
		r, o := good, stationarytest.Options{Observations: 64}
		change(&r, &o)
		return second(stationarytest.CheckBoltzmann(r, law, o))
	}
	type R = stationarytest.Replicas
	type O = stationarytest.Options
	one := mat.NewSymDense(1, []float64{1})
	for k, err := range []error{
		with(func(r *R, o *O) { r.Dim = 0 }), with(func(r *R, o *O) { r.Chains = -1 }), with(func(r *R, o *O) { r.Advance = nil }),
		with(func(r *R, o *O) { o.BurnIn = -1 }), with(func(r *R, o *O) { o.Observations = 10 }), with(func(r *R, o *O) { o.Temperature = -1 }),
		with(func(r *R, o *O) { o.TotalVariation = 2 }), with(func(r *R, o *O) { o.FalseAlarms = 1 }), with(func(r *R, o *O) { o.Step = math.NaN() }),
		second(stationarytest.CheckBoltzmann(good, nil, O{})),
		second(stationarytest.CheckCovariance(good, nil, nil, O{})), second(stationarytest.CheckCovariance(good, []float64{1, 2}, one, O{})),
		second(stationarytest.CheckCovariance(good, nil, mat.NewSymDense(1, []float64{-1}), O{})), second(stationarytest.CheckCovariance(good, nil, mat.NewSymDense(2, nil), O{})),
		second(stationarytest.CheckFluctuationDissipation(good, stationarytest.SGD{}, O{})),
		second(stationarytest.CheckFluctuationDissipation(good, stationarytest.SGD{Loss: loss.Himmelblau{}}, O{})),
		second(stationarytest.CheckFluctuationDissipation(good, stationarytest.SGD{Loss: loss.DoubleWell{}}, O{})),
		second(stationarytest.CheckFluctuationDissipation(good, stationarytest.SGD{Loss: loss.DoubleWell{}, LearningRate: 1}, O{})),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("case %d: error %v, want one that wraps sde.ErrInvalid", k, err)
		}
	}
	diverges := R{Dim: 1, Chains: 3, Advance: func(x sde.Batch) { x.Data[2] = math.NaN() }}
	if _, err := stationarytest.CheckBoltzmann(diverges, law, O{}); err == nil || !strings.Contains(err.Error(), "chain 2") {
		t.Errorf("an optimizer that diverges: %v", err)
	}
}
