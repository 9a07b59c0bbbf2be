// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// pieces integrates f over [a, b] in so many panels of 20 nodes.
func pieces(f func(float64) float64, a, b float64, n int) float64 {
	s := 0.0
	for i := range n {
		s += quad.Fixed(f, a+(b-a)*float64(i)/float64(n), a+(b-a)*float64(i+1)/float64(n), 20, nil, 0)
	}
	return s
}

func box(lo, hi float64) ([]float64, []float64) { return []float64{lo}, []float64{hi} }

// The law of SGD whose noise follows the loss: φ = 11, ν = 21, Var = 0.0105263158.
func TestStudentT(t *testing.T) {
	t.Parallel()
	law := must(stationary.PowerLaw(0.1, 1, 0.1, 1))
	within(t, "ν", law.Nu, 21, 1e-14)
	within(t, "variance", law.Variance(), 0.0105263158, 5e-11)
	l := function{func(x float64) float64 { return 0.1 + x*x/2 }, func(x float64) float64 { return x }}
	zero := must(stationary.ZeroFlux(sde.Flow{Loss: l, Diffusion: multiplicative(func(x float64) float64 { return 0.1 * l.value(x) })}))
	score, want := make([]float64, 1), make([]float64, 1)
	for _, x := range []float64{-0.4, -0.1, 0, 0.05, 0.3, 2} {
		honest(t, "CDF", law.CDF(x), zero.CDF(x), zero.ErrorEstimate(), 1e-14)
		within(t, "density", law.Density(x), zero.Density(x), 1e-12)
		law.Score(score, []float64{x})
		zero.Score(want, []float64{x})
		within(t, "score", score[0], want[0], 1e-7)
	}
	far := law.Probability(box(0.8, math.Inf(1)))
	within(t, "tail", zero.Probability(box(0.8, math.Inf(1)))/far, 1, 1e-9)
	within(t, "quantile", law.CDF(law.Quantile(0.037)), 0.037, 1e-12)
	cauchy := stationary.StudentT{Mu: 1, Scale: 2, Nu: 1}
	within(t, "Cauchy", cauchy.CDF(7), 0.5+math.Atan(3)/math.Pi, 1e-15)
	if !math.IsInf(cauchy.Variance(), 1) {
		t.Error("a finite variance of Cauchy's law")
	}
}

// Stable laws against the inversion of their characteristic function, closed forms at
// α = 1 and 2, their tails and one another.
func TestStable(t *testing.T) {
	t.Parallel()
	for _, a := range []float64{0.7, 0.95, 1.05, 1.5, 1.9, 1.9999} {
		l := stationary.Stable{Alpha: a, Scale: 1}
		top := math.Pow(38, 1/a)
		for _, x := range []float64{0, 1e-4, 0.3, 1, 6} {
			panels := 40 + int(top*x/3)
			p := pieces(func(u float64) float64 { // k = u², smooth at 0
				k := u * u
				return 2 * u * math.Cos(k*x) * math.Exp(-math.Pow(k, a)) / math.Pi
			}, 0, math.Sqrt(top), panels)
			name := fmt.Sprintf("α = %g, x = %g, ", a, x)
			within(t, name+"density", l.Density(x), p, 3e-12)
			if x > 0 {
				f := pieces(func(u float64) float64 {
					k := u * u
					return 2 * u * x * sinc(k*x) * math.Exp(-math.Pow(k, a)) / math.Pi
				}, 0, math.Sqrt(top), panels)
				within(t, name+"CDF", l.CDF(x), 0.5+f, 3e-12)
				within(t, name+"CDF(−x)", l.CDF(-x), 0.5-f, 3e-12)
			}
		}
		within(t, "quantile", l.CDF(l.Quantile(0.9)), 0.9, 1e-12)
	}
	// C_1.5 = 0.299206710301, C_1 = 1/π.
	for _, c := range []struct{ a, c float64 }{{1.5, 0.299206710301}, {1, 1 / math.Pi}} {
		l := stationary.Stable{Alpha: c.a, Scale: 2}
		x := 1e6
		within(t, "tail", l.Probability(box(x, math.Inf(1)))*math.Pow(x/2, c.a)*c.a/c.c, 1, 1e-8)
		within(t, "density in the tail", l.Density(x)*math.Pow(x/2, c.a+1)*2/c.c, 1, 1e-8)
	}
	normal := stationary.Stable{Alpha: 2, Scale: 0.5, Mu: 1}
	within(t, "α = 2", normal.CDF(1.7), distuv.Normal{Mu: 1, Sigma: math.Sqrt(0.5)}.CDF(1.7), 1e-15)
	within(t, "α near 2", stationary.Stable{Alpha: 2 - 1e-7, Scale: 0.5, Mu: 1}.CDF(1.7), normal.CDF(1.7), 1e-7)
	for _, x := range []float64{0.2, 1, 30} {
		within(t, "α near 1", stationary.Stable{Alpha: 1 + 1e-7, Scale: 1}.CDF(x), 0.5+math.Atan(x)/math.Pi, 1e-6)
		within(t, "α = 1, density", stationary.Stable{Alpha: 1, Scale: 1}.Density(x), 1/(math.Pi*(1+x*x)), 1e-16)
	}
	// α = ½ is a scale mixture known by Fresnel integrals; here P(X > 1) by the same inversion.
	half := stationary.Stable{Alpha: 0.5, Scale: 1}
	within(t, "α = ½, all", half.Probability(box(-1, 1))+2*half.Probability(box(1, math.Inf(1))), 1, 1e-13)
	// Under a linear drift the scale is s/(αk)^(1/α): with α = 2, T = s², s²/k is the variance.
	ou := must(stationary.StableOU(2, 0.6, 2))
	within(t, "Gaussian noise", 2*ou.Scale*ou.Scale, 0.36/2, 1e-15)
	within(t, "Cauchy noise", must(stationary.StableOU(2, 0.6, 1)).Scale, 0.3, 1e-16)
}

func sinc(x float64) float64 {
	if math.Abs(x) < 1e-4 {
		return 1 - x*x/6
	}
	return math.Sin(x) / x
}

// 1/(π(1−x²+x⁴)): two modes at ±1/√2, the characteristic function at 1.3.
func TestQuarticCauchy(t *testing.T) {
	t.Parallel()
	q := stationary.QuarticCauchy{}
	sum := 0.0
	for _, e := range [][2]float64{{-40, -5}, {-5, -1}, {-1, 0.3}, {0.3, 3}, {3, 4}, {4, 60}} {
		p := pieces(q.Density, e[0], e[1], 40)
		sum += p
		within(t, "probability", q.Probability(box(e[0], e[1])), p, 1e-14)
	}
	within(t, "all", sum+q.CDF(-40)+q.Probability(box(60, math.Inf(1))), 1, 1e-14)
	within(t, "CDF", q.CDF(3.00001)-q.CDF(2.99999), 2e-5*q.Density(3), 1e-13)
	// (2/√3) e^(−k/2) cos(√3k/2 − π/6)
	const k = 1.3
	phi := 2 * pieces(func(x float64) float64 { return math.Cos(k*x) * q.Density(x) }, 0, 400, 2000)
	within(t, "characteristic function", phi, 0.4967559929650, 1e-7) // what lies beyond 400
	within(t, "characteristic function", 2/math.Sqrt(3)*math.Exp(-k/2)*math.Cos(math.Sqrt(3)*k/2-math.Pi/6), 0.4967559929650, 1e-13)
	score := make([]float64, 1)
	q.Score(score, []float64{1 / math.Sqrt2})
	within(t, "score at the mode", score[0], 0, 1e-15)
	q.Score(score, []float64{1.7})
	within(t, "score", score[0], (math.Log(q.Density(1.7+1e-5))-math.Log(q.Density(1.7-1e-5)))/2e-5, 1e-8)
	within(t, "quantile", q.CDF(q.Quantile(0.8)), 0.8, 1e-14)
	// With noise σ everything is σ^(1/3) as wide.
	wide := stationary.QuarticCauchy{Noise: 8}
	within(t, "scale", wide.CDF(2.4), q.CDF(1.2), 1e-15)
	within(t, "scaled density", wide.Density(2.4), q.Density(1.2)/2, 1e-15)
}

// TestHeavyTailsReplicas holds runs with stable noise to the laws by Compare: on a parabola to
// the law of the chain, which is stable of the scale
//
//	s = σ (h/(1 − |1−hk|^α))^(1/α)
//
// and not to that of the flow; on x⁴/4 at a small step to QuarticCauchy.
func TestHeavyTailsReplicas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("replicas are run in long tests")
	}
	fit := func(l sde.Loss, n noise.Stable, tamed bool, particles int, h, every float64, laws ...stationary.Law) (p []float64) {
		hist := stationary.NewHistogram(-8, 8, 160)
		run := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: n}, Scheme: integrate.StableEuler{Tamed: tamed}, Step: h, Particles: particles, Seed: 7}
		if _, err := run.Run(context.Background(), integrate.Schedule{BurnIn: 5 * every, Time: 8 * every, Every: every}, hist); err != nil {
			t.Fatal(err)
		}
		for _, law := range laws {
			p = append(p, must(stationary.Compare(law, hist)).PValue())
		}
		return p
	}
	const k, sigma, h = 1.5, 0.7, 0.4
	parabola := function{func(x float64) float64 { return k * x * x / 2 }, func(x float64) float64 { return k * x }}
	for _, a := range []float64{0.8, 1.5} {
		chain := stationary.Stable{Alpha: a, Scale: sigma * math.Pow(h/(1-math.Pow(1-h*k, a)), 1/a)}
		p := fit(parabola, noise.Stable{Alpha: a, Scale: sigma}, false, 1<<14, h, 4, chain, must(stationary.StableOU(k, sigma, a)))
		name := fmt.Sprintf("α = %g, ", a)
		accept(t, name+"the chain's", p[0])
		reject(t, name+"the flow's", p[1])
	}
	p := fit(loss.Quartic{}, noise.Stable{Alpha: 1, Scale: 1}, true, 1<<13, 0.004, 0.4, stationary.QuarticCauchy{}, stationary.QuarticCauchy{Noise: 1.3})
	accept(t, "quartic", p[0])
	reject(t, "quartic, 30 % more noise", p[1])
}

func TestHeavyTailsRefuse(t *testing.T) {
	t.Parallel()
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"ν":          stationary.StudentT{Scale: 1}.Validate(),
		"scale":      stationary.StudentT{Nu: 1}.Validate(),
		"μ":          stationary.StudentT{Mu: math.NaN(), Nu: 1, Scale: 1}.Validate(),
		"α = 0":      stationary.Stable{Scale: 1}.Validate(),
		"α > 2":      stationary.Stable{Alpha: 2.1, Scale: 1}.Validate(),
		"σ":          stationary.Stable{Alpha: 1}.Validate(),
		"noise":      stationary.QuarticCauchy{Noise: -1}.Validate(),
		"batch":      second(stationary.PowerLaw(1, 1, 1, 0)),
		"drift":      second(stationary.StableOU(0, 1, 1)),
		"OU's noise": second(stationary.StableOU(1, -1, 1)),
		"OU's α":     second(stationary.StableOU(1, 1, 3)),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
