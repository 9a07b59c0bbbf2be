// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
	"gonum.org/v1/gonum/mat"
)

// Distances of frequencies (below, three bins, above, NaN) by hand.
func TestDistancesByHand(t *testing.T) {
	t.Parallel()
	f := []float64{0.1, 0.4, 0.2, 0.3, 0, 0}
	p := []float64{0.2, 0.2, 0.2, 0.3, 0.1, 0}
	d := stationary.Measure(f, p, []float64{1, 2, 1})
	// F̂−F at the edges: −0.1, 0.1, 0.1, 0.1.
	for i, want := range []float64{
		0.1,
		(0.1 + 0.2 + 0.1) / 2,
		0.1*math.Log(0.5) + 0.4*math.Log(2),
		math.Sqrt((math.Pow(math.Sqrt(0.1)-math.Sqrt(0.2), 2) + math.Pow(math.Sqrt(0.4)-math.Sqrt(0.2), 2) + 0.1) / 2),
		0.05 + 0.2 + 0.1, // the first crosses 0: two triangles
	} {
		within(t, []string{"KS", "TV", "KL", "Hellinger", "W1"}[i], d[i], want, 1e-15)
	}
	if d := stationary.Measure([]float64{0, 1, 0, 0}, []float64{1, 0, 0, 0}, []float64{1}); !math.IsInf(d[2], 1) || d[1] != 1 || d[3] != 1 {
		t.Errorf("disjoint laws: %v", d)
	}
}

// Two Gaussians that differ by a shift: Wasserstein's distance is the shift, and
// the others have closed forms. The samples are quantiles, so there is no noise.
func TestDistancesOfGaussians(t *testing.T) {
	t.Parallel()
	const shift = 0.3
	law := must(stationary.Boltzmann(function{func(x float64) float64 { return x * x / 2 }, nil}, 1))
	h := stationary.NewHistogram(-6, 6, 1200)
	const n = 1 << 16
	for g := range 64 { // interleaved
		var x []float64
		for k := g; k < n; k += 64 {
			x = append(x, law.Quantile((float64(k)+0.5)/n)+shift)
		}
		if err := h.Add(g, x); err != nil {
			t.Fatal(err)
		}
	}
	r := must(stationary.Compare(law, h))
	within(t, "W1", r.Wasserstein.Value, shift, 1e-4)
	tv := 2*must(stationary.Boltzmann(function{func(x float64) float64 { return x * x / 2 }, nil}, 1)).CDF(shift/2) - 1
	within(t, "KS", r.KolmogorovSmirnov.Value, tv, 1e-4)
	within(t, "TV", r.TotalVariation.Value, tv, 3e-3)
	within(t, "Hellinger", r.Hellinger.Value, math.Sqrt(1-math.Exp(-shift*shift/8)), 3e-3)
	within(t, "KL", r.KullbackLeibler.Value, shift*shift/2, 6e-3)
	if r.EffectiveSamples != n { // they scatter less than independent samples
		t.Errorf("%g effective samples", r.EffectiveSamples)
	}
}

// Floors and standard errors of distances are what many runs show.
func TestFloors(t *testing.T) {
	t.Parallel()
	const n, rho = 200, 0.8
	simulate := autoregressive(rho, func(int) int { return 256 })
	s := sde.NewStream(99, nil)
	x := make([]float64, 4096)
	var value, floor [4]float64
	for i := range n {
		h := wide()
		for g := range groups {
			s.At(sde.Steps, i, g)
			if err := h.Add(g, simulate(s, g, 0, x)); err != nil {
				t.Fatal(err)
			}
		}
		r := must(stationary.Compare(normal, h))
		for k, d := range []*stationary.Distance{r.KolmogorovSmirnov, r.TotalVariation, r.Hellinger, r.Wasserstein} {
			value[k] += d.Value / n
			floor[k] += d.Floor / n
		}
	}
	for k := range value {
		// 200 runs and 100 draws each: a few percent. Hellinger's floor is to second
		// order, and low where bins are all but empty.
		least := 0.92
		if k == 2 {
			least = 0.8
		}
		if q := floor[k] / value[k]; !(least < q && q < 1.08) {
			t.Errorf("distance %d: mean %g, mean floor %g", k, value[k], floor[k])
		}
	}
}

// Samples that each occur four times are worth a quarter of their number.
func TestEffectiveSamples(t *testing.T) {
	t.Parallel()
	s := sde.NewStream(98, nil)
	x := make([]float64, 1024)
	share := 0.0
	const n = 100
	for i := range n {
		h := wide()
		for g := range groups {
			s.At(sde.Steps, i, g)
			s.Normals(x[:256])
			for j := range x {
				x[len(x)-1-j] = x[(len(x)-1-j)/4]
			}
			if err := h.Add(g, x); err != nil {
				t.Fatal(err)
			}
		}
		share += must(stationary.Compare(normal, h)).EffectiveSamples / (groups * 1024) / n
	}
	within(t, "effective share", share, 0.25, 0.01)
}

// run observes Euler–Maruyama on a loss, from its two wells, as an ensemble would.
func run(t *testing.T, scheme string, temperature, h float64, particles, burn, observations, every int, o ...sde.Observer) {
	t.Helper()
	for _, ob := range o {
		if err := ob.Start(sde.Run{Equation: sde.Flow{Loss: well}, Dim: 1, Groups: groups, Scheme: scheme, Step: h, Observations: observations, Particles: particles}); err != nil {
			t.Fatal(err)
		}
	}
	s := sde.NewStream(3, nil)
	x, z := make([]float64, particles), make([]float64, particles)
	for i := range x {
		x[i] = float64(2*(i%2) - 1)
	}
	a := math.Sqrt(2 * temperature * h)
	for k := range burn + observations*every {
		s.At(sde.Starts, 1, k)
		s.Normals(z)
		for i, v := range x {
			x[i] = v - h*v*(v*v-1) + a*z[i]
		}
		if n := k - burn; n >= 0 && n%every == 0 {
			for g := range groups {
				for _, ob := range o {
					if err := ob.Observe(sample(g, n/every, 1, x[g*particles/groups:(g+1)*particles/groups]...)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// Each cause is named where it is the cause.
func TestCompareAttributes(t *testing.T) {
	t.Parallel()
	boltzmann := must(stationary.Boltzmann(well, 0.2))
	other := must(stationary.Boltzmann(doubleWell{1.3}, 0.26)) // another T, the same density
	shifted := must(stationary.Boltzmann(function{func(x float64) float64 { q := x*x - 1; return q*q/4 + 0.03*x }, func(x float64) float64 { return x*(x*x-1) + 0.03 }}, 0.2))
	for _, c := range []struct {
		name                      string
		law                       stationary.Law
		temperature, h            float64
		particles, burn, n, every int
		cause                     stationary.Cause
	}{
		{"right", must(stationary.Discretized(well, 0.2, 0.02, interval(-3, 3))), 0.2, 0.02, 1280, 1000, 40, 50, stationary.SamplingError},
		{"step", boltzmann, 0.2, 0.05, 6400, 400, 100, 20, stationary.StepSize},
		{"temperature", boltzmann, 0.21, 0.02, 12800, 1000, 40, 50, stationary.WrongTemperature},
		{"half", boltzmann, 0.1, 0.02, 1280, 2000, 40, 50, stationary.WrongTemperature},
		{"burn-in", boltzmann, 0.2, 0.02, 6400, 0, 20, 5, stationary.NotConverged},
		{"loss", shifted, 0.2, 0.01, 6400, 1000, 40, 50, stationary.Unexplained},
		{"same density", other, 0.2, 0.001, 640, 4000, 10, 400, stationary.WrongTemperature},
	} {
		h, th := stationary.NewHistogram(-2.6, 2.6, 130), &stationary.Thermometer{}
		run(t, "Euler–Maruyama", c.temperature, c.h, c.particles, c.burn, c.n, c.every, h, th)
		r := must(stationary.Compare(c.law, h, th))
		if r.Cause != c.cause {
			t.Errorf("%s: named %q, want %q\n%v", c.name, r.Cause, c.cause, r)
		}
		if c.cause == stationary.SamplingError {
			accept(t, "temperature", *r.Temperatures.PValue)
			accept(t, "stationarity", r.Stationarity.PValue)
			accept(t, "fit", r.PValue())
			if want := "not rejected at the level 0.001 (p = "; !strings.Contains(r.String(), want) {
				t.Errorf("%q is not in\n%v", want, r)
			}
		}
		if text := r.String(); !strings.Contains(text, string(c.cause)) || strings.Contains(text, "NaN") {
			t.Errorf("%s:\n%s", c.name, text)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A law without a name of its own has that of its type.
	h := stationary.NewHistogram(-2, 2, 10)
	if err := h.Add(0, []float64{0.5}); err != nil {
		t.Fatal(err)
	}
	if r := must(stationary.Compare(must(stationary.NewGaussian([]float64{0}, mat.NewSymDense(1, []float64{1}))), h)); r.Law != "Gaussian" {
		t.Errorf("a Gaussian is called %q", r.Law)
	}
}

// What cannot be told is said, and nothing is NaN.
func TestCompareWarns(t *testing.T) {
	t.Parallel()
	law := must(stationary.Boltzmann(well, 0.2))
	words := func(r *stationary.Report) string {
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		return r.String()
	}
	for _, c := range []struct {
		name   string
		groups int
		lo, hi float64
		x      func(g int) []float64
		want   []string
	}{
		{"one group", 1, -3, 3, func(int) []float64 { return []float64{1, -1, 0.3} }, []string{"too few for a p-value", "unknown", "Thermometer"}},
		{"ten groups", 10, -3, 3, func(g int) []float64 { return []float64{1, -1, float64(g) / 10} }, []string{"coarse error bars", "effective samples"}},
		{"outside", 64, 0, 3, func(g int) []float64 { return []float64{1, -1, float64(g) / 64} }, []string{"outside the histogram's range"}},
		{"range", 64, -0.5, 3, func(g int) []float64 { return []float64{1, 0.9} }, []string{"of its mass outside"}},
		{"NaN", 64, -3, 3, func(g int) []float64 { return []float64{1, math.NaN(), float64(g) / 64} }, []string{"64 samples are NaN"}},
		{"alike", 64, -3, 3, func(g int) []float64 { return []float64{1} }, []string{"cause"}},
		{"far away", 64, 1e6, 1e7, func(g int) []float64 { return []float64{5e6} }, []string{"outside the histogram's range"}},
	} {
		h := stationary.NewHistogram(c.lo, c.hi, 30)
		for g := range c.groups {
			if err := h.Add(g, c.x(g)); err != nil {
				t.Fatal(err)
			}
		}
		text := words(must(stationary.Compare(law, h)))
		for _, w := range c.want {
			if !strings.Contains(text, w) && c.name != "far away" {
				t.Errorf("%s: nothing about %q in\n%s", c.name, w, text)
			}
		}
	}
	// Groups that are stretches of time, as an ensemble of few particles has.
	for _, stretches := range []bool{true, false} {
		h := stationary.NewHistogram(-3, 3, 30)
		if err := h.Start(sde.Run{Dim: 1, Groups: 16, Observations: 32}); err != nil {
			t.Fatal(err)
		}
		for i := range 32 {
			for g := range 16 {
				if !stretches || g == i/2 {
					if err := h.Observe(sample(g, i, 1, 1, -1, float64(i%7)/7)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if text := words(must(stationary.Compare(law, h))); strings.Contains(text, "stretches of time") != stretches {
			t.Errorf("stretches of time %v:\n%s", stretches, text)
		}
	}
	// A scheme whose law is not known, and a domain.
	h, th := stationary.NewHistogram(-2.6, 2.6, 130), &stationary.Thermometer{}
	run(t, "Heun", 0.2, 0.02, 640, 100, 4, 50, h, th)
	if text := words(must(stationary.Compare(law, h, th))); !strings.Contains(text, "step of Heun") {
		t.Error(text)
	}
	// The temperature of SGD's samples is not that of its noise.
	run(t, "SGD", 0.2, 0.1, 6400, 100, 20, 20, h, th)
	if r := must(stationary.Compare(law, h, th)); r.Cause != stationary.WrongTemperature || !strings.Contains(r.String(), "SGD at a constant rate Thermometer.Temperature(0.1) = ") {
		t.Error(r)
	} else if e := th.Temperature(0.1); math.Abs(e.Value-0.2) > 6*e.StdErr {
		t.Errorf("the temperature of SGD's noise: %v", e)
	}
}

// In two dimensions, against the law and, for one coordinate, its marginal.
func TestCompare2D(t *testing.T) {
	t.Parallel()
	q := quadratic{2, 0.5, 1, 0.3, 0}
	det := q.k11*q.k22 - q.k12*q.k12
	law := must(stationary.Boltzmann(q, 0.5))
	draw := func(variance float64) (*stationary.Histogram2D, *stationary.Histogram, *stationary.Thermometer) {
		two := stationary.NewHistogram2D([2]float64{-2.5, -3}, [2]float64{3, 3}, [2]int{22, 24})
		second := stationary.NewHistogram(-3, 3, 60)
		second.Coordinate = 1
		th := &stationary.Thermometer{Loss: q}
		s := sde.NewStream(12, nil)
		x := make([]float64, 2*4096)
		a, b := math.Sqrt(variance*q.k22/det), -q.k12/q.k22
		for _, o := range []sde.Observer{two, second, th} {
			if err := o.Start(sde.Run{Dim: 2, Groups: groups, Observations: 2}); err != nil {
				t.Fatal(err)
			}
		}
		for g := range groups {
			for half := range 2 {
				s.At(sde.Steps, half, g)
				s.Normals(x)
				for i := 0; i < len(x); i += 2 { // x, then y given x
					u := a * x[i]
					x[i], x[i+1] = q.c1+u, b*u+math.Sqrt(variance/q.k22)*x[i+1]
				}
				for _, o := range []sde.Observer{two, second, th} {
					if err := o.Observe(sample(g, half, 2, x...)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		return two, second, th
	}
	two, second, th := draw(0.5)
	r := must(stationary.Compare(law, two, th))
	accept(t, "grid", r.PValue())
	accept(t, "thermometer", *r.Temperatures.PValue)
	accept(t, "marginal of the law", must(stationary.Compare(law, second)).PValue())
	accept(t, "marginal", must(stationary.Compare(law.Marginal(1), second)).PValue())
	if r.KolmogorovSmirnov != nil || r.TotalVariation == nil || r.EffectiveSamples < 0.5*float64(r.Samples) {
		t.Errorf("report %+v", r)
	}
	if v := th.ConfigurationalTemperature(); math.Abs(v.Value-0.5) > 6*v.StdErr || v.StdErr > 0.01 {
		t.Errorf("configurational temperature %v", v)
	}
	two, second, _ = draw(0.5 * 1.05)
	reject(t, "grid at 1.05 T", must(stationary.Compare(law, two)).PValue())
	reject(t, "marginal at 1.05 T", must(stationary.Compare(law, second)).PValue())
}

// E[θ·∇L] = T + (h/2)E|∇L|² for the chain, at a large step: the thermometer that
// is freed of the step's bias shows T, the others do not.
func TestThermometer(t *testing.T) {
	t.Parallel()
	th, plain := &stationary.Thermometer{}, &stationary.Thermometer{Loss: bare{well}}
	run(t, "Euler–Maruyama", 0.2, 0.1, 6400, 500, 100, 20, th, plain)
	p := func(e sde.Estimate, want float64) float64 {
		z := (e.Value - want) / e.StdErr
		return stationary.FSurvival(z*z, 1, e.Groups-1)
	}
	accept(t, "T", p(th.Temperature(0.1), 0.2))
	reject(t, "virial", p(th.VirialTemperature(), 0.2))
	reject(t, "configurational", p(th.ConfigurationalTemperature(), 0.2))
	if th.Virial() != plain.Virial() || !math.IsNaN(plain.Laplacian().Value) || !math.IsNaN(plain.ConfigurationalTemperature().Value) || th.Samples() != 640000 {
		t.Error("a loss without a Laplacian")
	}
	s, l := th.SquaredGradient(), th.Laplacian()
	within(t, "configurational", th.ConfigurationalTemperature().Value, s.Value/l.Value, 1e-15)
}

// A general density in one dimension, with heavy tails: Student's.
func TestLineHeavyTail(t *testing.T) {
	t.Parallel()
	p := must(stationary.NewLine("Student", func(x float64) float64 { return -2 * math.Log1p(x*x) }, math.Inf(-1), math.Inf(1), nil))
	honest(t, "Z", math.Exp(p.LogZ()), math.Pi/2, p.ErrorEstimate()*2, 1e-14)
	m, err := p.Mean(func(x []float64) float64 { return math.Abs(x[0]) })
	honest(t, "E|x|", m, 2/math.Pi, err, 1e-11)
	cauchy := must(stationary.NewLine("Cauchy", func(x float64) float64 { return -math.Log1p(x * x) }, math.Inf(-1), math.Inf(1), nil))
	honest(t, "Cauchy Z", math.Exp(cauchy.LogZ()), math.Pi, 4*cauchy.ErrorEstimate(), 0)
	within(t, "quantile", cauchy.Quantile(0.75), 1, 1e-13)
	var s [1]float64
	cauchy.Score(s[:], []float64{1})
	within(t, "score", s[0], -1, 1e-9)
}
