// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// uniformP returns the p-value of Kolmogorov's test that p is uniform on [0, 1].
func uniformP(p []float64) float64 {
	s := slices.Clone(p)
	slices.Sort(s)
	n := float64(len(s))
	d := 0.0
	for i, v := range s {
		d = math.Max(d, math.Max(v-float64(i)/n, float64(i+1)/n-v))
	}
	x := (math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n)) * d
	q := 0.0
	for k := 1; k <= 100; k++ {
		q += math.Pow(-1, float64(k-1)) * 2 * math.Exp(-2*float64(k*k)*x*x)
	}
	return min(1, max(0, q))
}

// calibrated checks that the p-values of many runs under the null are uniform, and
// that they would not be with standard errors wrong by 10 %.
func calibrated(t *testing.T, name string, tests []*stationary.Test) {
	t.Helper()
	p := make([]float64, len(tests))
	small, large := slices.Clone(p), slices.Clone(p)
	below := 0
	for i, r := range tests {
		p[i] = r.PValue
		small[i] = stationary.FSurvival(r.F*1.21, r.DF1, r.DF2) // deviations, in standard errors, 1.1 times as large
		large[i] = stationary.FSurvival(r.F/1.21, r.DF1, r.DF2)
		if r.PValue < 0.01 {
			below++
		}
	}
	t.Logf("%s: %d runs, %.2f %% below 0.01, %d cells", name, len(tests), 100*float64(below)/float64(len(p)), tests[0].DF1+1)
	accept(t, name, uniformP(p))
	reject(t, name+", errors 10 % too small", uniformP(small))
	reject(t, name+", errors 10 % too large", uniformP(large))
	// The tail, where p-values are used: P(p < 0.01) is binomial.
	accept(t, name+", tail", binomialP(below, len(p), 0.01))
}

// binomialP returns the two-sided p-value of k successes in n trials.
func binomialP(k, n int, prob float64) float64 {
	z := (float64(k) - float64(n)*prob) / math.Sqrt(float64(n)*prob*(1-prob))
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

const groups = 64

func runs(n int) int {
	if testing.Short() {
		return 2000
	}
	return n
}

// ensemble runs simulate for n seeds, or fewer if tests are to be short. It fills a histogram that was started
// for two observations: x holds a group's samples of one half.
func ensemble(n int, law stationary.Law, hist func() *stationary.Histogram, simulate func(s *sde.Stream, group, half int, x []float64) []float64) (fits, drifts []*stationary.Test) {
	s := sde.NewStream(20261124, nil)
	h := hist()
	x := make([]float64, 4096)
	for i := range runs(n) {
		if err := h.Start(sde.Run{Dim: 1, Groups: groups, Observations: 2}); err != nil {
			panic(err)
		}
		for g := range groups {
			s.At(sde.Steps, i, g)
			for half := range 2 {
				v := simulate(s, g, half, x)
				if err := h.Observe(sde.Sample{Group: g, Index: half, X: sde.Batch{Data: v, Rows: len(v), Cols: 1, Stride: 1}}); err != nil {
					panic(err)
				}
			}
		}
		fit, drift := stationary.Tests(law, h)
		fits, drifts = append(fits, fit), append(drifts, drift)
	}
	return fits, drifts
}

var normal = stationary.CDF(distuv.Normal{Mu: 0, Sigma: 1}.CDF)

func wide() *stationary.Histogram { return stationary.NewHistogram(-4, 4, 80) }

// autoregressive returns a simulator of x′ = ρx + √(1−ρ²) z, started in its law
// N(0, 1): samples of correlation time (1+ρ)/(1−ρ).
func autoregressive(rho float64, samples func(group int) int) func(*sde.Stream, int, int, []float64) []float64 {
	var last float64
	c := math.Sqrt(1 - rho*rho)
	return func(s *sde.Stream, group, half int, x []float64) []float64 {
		x = x[:samples(group)]
		s.Normals(x)
		for i, z := range x {
			if i == 0 && half == 0 {
				last = z
			} else {
				last = rho*last + c*z
			}
			x[i] = last
		}
		return x
	}
}

func TestPValueAutoregressive(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	fits, drifts := ensemble(10_000, normal, wide, autoregressive(0.8, func(int) int { return 128 }))
	calibrated(t, "AR(1)", fits)
	calibrated(t, "AR(1), halves", drifts)
}

// Groups of different size: some hold twice as many independent particles.
func TestPValueUnequalGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	fits, _ := ensemble(4000, normal, wide, func(s *sde.Stream, group, half int, x []float64) []float64 {
		n := 96 * (1 + group%3)
		x = x[:n]
		s.Normals(x)
		for i := range x { // chains of 8, each on its own
			if i%8 != 0 {
				x[i] = 0.8*x[i-1] + 0.6*x[i]
			}
		}
		return x
	})
	calibrated(t, "unequal groups", fits)
}

// metropolis returns a simulator of the double well's Boltzmann law, exact
// whatever its step is.
func metropolis(temperature float64, samples int) func(*sde.Stream, int, int, []float64) []float64 {
	var at float64
	f := func(x float64) float64 { q := x*x - 1; return math.Exp(-q * q / (4 * temperature)) }
	u := make([]float64, 2*4096)
	return func(s *sde.Stream, group, half int, x []float64) []float64 {
		x = x[:samples]
		if half == 0 { // a start in the law, by rejection
			for {
				s.Uniforms(u[:2])
				if at = 5*u[0] - 2.5; u[1] < f(at) {
					break
				}
			}
		}
		s.Uniforms(u[:2*samples])
		now := f(at)
		for i := range x {
			if y := at + 3*(u[2*i]-0.5); true {
				if v := f(y); u[2*i+1]*now < v {
					at, now = y, v
				}
			}
			x[i] = at
		}
		return x
	}
}

func TestPValueDoubleWell(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	law := must(stationary.Boltzmann(well, 0.2))
	// Probabilities of the bins are always the same: compute them once.
	fits, drifts := ensemble(10_000, cached(law, -2.2, 2.2, 88), func() *stationary.Histogram { return stationary.NewHistogram(-2.2, 2.2, 88) }, metropolis(0.2, 128))
	calibrated(t, "double well", fits)
	calibrated(t, "double well, halves", drifts)
}

// cached is a law that remembers probabilities.
func cached(l stationary.Law, lo, hi float64, bins int) stationary.Law {
	return remembered{l, map[[2]float64]float64{}}
}

type remembered struct {
	stationary.Law
	p map[[2]float64]float64
}

func (r remembered) Probability(lo, hi []float64) float64 {
	k := [2]float64{lo[0], hi[0]}
	v, ok := r.p[k]
	if !ok {
		v = r.Law.Probability(lo, hi)
		r.p[k] = v
	}
	return v
}

// Faults that a run can have are seen, and the run without them is accepted.
func TestPower(t *testing.T) {
	t.Parallel()
	const T = 0.2
	boltzmann := must(stationary.Boltzmann(well, T))
	fill := func(samples int, simulate func(*sde.Stream, int, int, []float64) []float64) *stationary.Histogram {
		h := stationary.NewHistogram(-2.5, 2.5, 200)
		s := sde.NewStream(5, nil)
		x := make([]float64, 4096)
		for g := range groups {
			s.At(sde.Steps, 0, g)
			for k := 0; k < samples; k += 1024 {
				if err := h.Add(g, simulate(s, g, min(k, 1), x)); err != nil {
					t.Fatal(err)
				}
			}
		}
		return h
	}
	p := func(law stationary.Law, h *stationary.Histogram) float64 {
		f, _ := stationary.Tests(law, h)
		return f.PValue
	}
	accept(t, "T", p(boltzmann, fill(1<<14, metropolis(T, 1024))))
	reject(t, "T off by 5 %", p(boltzmann, fill(1<<14, metropolis(1.05*T, 1024))))

	// Euler–Maruyama with a noise of √h·amplitude, against its own law at h.
	const h = 0.02
	own := must(stationary.Discretized(well, T, h, interval(-3, 3)))
	em := func(amplitude float64) func(*sde.Stream, int, int, []float64) []float64 {
		a := amplitude * math.Sqrt(h)
		z := make([]float64, 16)
		var x [16]float64
		return func(s *sde.Stream, group, half int, out []float64) []float64 {
			burn := 0
			if half == 0 {
				for i := range x {
					x[i] = float64(2*(i%2) - 1)
				}
				burn = 2000
			}
			out = out[:0]
			for k := range burn + 640 {
				s.Normals(z)
				for i, v := range x {
					x[i] = v - h*v*(v*v-1) + a*z[i]
				}
				if k >= burn && k%10 == 9 {
					out = append(out, x[:]...)
				}
			}
			return out
		}
	}
	sigma := math.Sqrt(2 * T)
	accept(t, "Euler–Maruyama", p(own, fill(4096, em(sigma))))
	reject(t, "σ² for σ", p(own, fill(2048, em(sigma*sigma))))
	reject(t, "a missing ½", p(own, fill(2048, em(math.Sqrt(4*T)))))
	reject(t, "a missing 2", p(own, fill(2048, em(math.Sqrt(T)))))

	// L = x²/2, D = T(1+x²), T = ½: p ∝ (1+x²)^(α−2), Student's t with 3 degrees
	// of freedom for Itô and 2 for Stratonovich.
	student := func(nu float64) stationary.CDF {
		d := distuv.StudentsT{Mu: 0, Sigma: 1 / math.Sqrt(nu), Nu: nu}
		return d.CDF
	}
	calculus := func(alpha float64) func(*sde.Stream, int, int, []float64) []float64 {
		const h = 0.01
		z := make([]float64, 16)
		var x [16]float64
		return func(s *sde.Stream, group, half int, out []float64) []float64 {
			burn := 0
			if half == 0 {
				s.Uniforms(x[:]) // in the law already
				d := distuv.StudentsT{Mu: 0, Sigma: 1 / math.Sqrt(3-2*alpha), Nu: 3 - 2*alpha}
				for i, u := range x {
					x[i] = d.Quantile(u)
				}
			}
			out = out[:0]
			for k := range burn + 640 {
				s.Normals(z)
				for i, v := range x { // Itô's drift is −x + αD′
					x[i] = v + h*(alpha-1)*v + math.Sqrt(h*(1+v*v))*z[i]
				}
				if k%10 == 9 {
					out = append(out, x[:]...)
				}
			}
			return out
		}
	}
	ito := fill(4096, calculus(0))
	accept(t, "Itô", p(student(3), ito))
	reject(t, "Itô for Stratonovich", p(student(2), ito))
	accept(t, "Stratonovich", p(student(2), fill(4096, calculus(0.5))))
}

// Hotelling's test by hand: four groups, two cells, so Student's t squared.
func TestHotellingByHand(t *testing.T) {
	t.Parallel()
	y := [][]float64{{0.5}, {0.7}, {0.6}, {0.6}}
	w := []float64{10, 10, 10, 10}
	r := stationary.Hotelling(y, w, []float64{0.5}, []float64{0})
	// mean 0.6, variance 0.02/3, t² = 4·0.01·3/0.02 = 6
	within(t, "F", r.F, 6, 1e-9)
	if r.DF1 != 1 || r.DF2 != 3 {
		t.Errorf("F(%d, %d)", r.DF1, r.DF2)
	}
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: 3}
	within(t, "p", r.PValue, 2*(1-student.CDF(math.Sqrt(6))), 1e-9)
	within(t, "F(5, 7) survival", stationary.FSurvival(2.3, 5, 7), 1-distuv.F{D1: 5, D2: 7}.CDF(2.3), 1e-13)
	// Weights: two groups of 10 are worth one of 20 at their mean, but for a degree of freedom.
	if stationary.Hotelling(y[:1], w[:1], []float64{0.5}, []float64{0.5}) != nil {
		t.Error("a test of one group")
	}
	// Cells that all groups met alike: no scatter at all.
	same := stationary.Hotelling([][]float64{{1}, {1}, {1}}, w[:3], []float64{0.5}, []float64{0.5})
	if same == nil || !(same.PValue < 1e-5) {
		t.Errorf("no scatter: %+v", same)
	}
}

// With bins so wide that in some of them next to nothing is expected, p-values are small as
// seldom as they should be, or there is none.
func TestPValueCoarse(t *testing.T) {
	t.Parallel()
	s := sde.NewStream(9, nil)
	x := make([]float64, 256)
	const n = 400
	for _, c := range []struct {
		lo, hi float64
		bins   int
		none   bool
	}{{-12, 12, 7, false}, {-4, 4, 3, false}, {-3.5, 0.5, 1, false}, {-12, 12, 3, true}, {-6, -5, 1, true}} {
		small, seen := 0, 0
		for i := range n {
			h := stationary.NewHistogram(c.lo, c.hi, c.bins)
			for g := range groups {
				s.At(sde.Steps, i, g)
				s.Normals(x)
				if err := h.Add(g, x); err != nil {
					t.Fatal(err)
				}
			}
			fit := must(stationary.Compare(normal, h)).Fit
			if (fit == nil) != c.none {
				t.Fatalf("%v: a test %v", c, fit)
			}
			if fit != nil && fit.PValue < 0.01 {
				small++
			}
			wrong := stationary.CDF(distuv.Normal{Mu: 0.05, Sigma: 1}.CDF)
			if !c.none && must(stationary.Compare(wrong, h)).PValue() < 0.01 {
				seen++
			}
		}
		if c.none {
			continue
		}
		name := fmt.Sprintf("%d bins from %g to %g", c.bins, c.lo, c.hi)
		accept(t, name, binomialP(small, n, 0.01))
		reject(t, name+", the mean off by 0.05", binomialP(seen, n, 0.01))
	}
}
