// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func first(theta []float64) float64 { return theta[0] }

func mustEstimate(t *testing.T, m integrate.Multilevel) *integrate.MultilevelResult {
	t.Helper()
	r, err := m.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustLevel(t *testing.T, m integrate.Multilevel, level, n int) integrate.MultilevelLevel {
	t.Helper()
	l, err := m.Level(t.Context(), level, n)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// uncoupled is Euler–Maruyama with noise that is not that of the Brownian path: a
// coarse step's is not the sum of two fine ones.
type uncoupled struct{ integrate.EulerMaruyama }

func (s uncoupled) Bind(sys *integrate.System) (integrate.Kernel, error) {
	return &uncoupledKernel{sys, sde.NewBatch(sys.Rows, sys.State), sde.NewBatch(sys.Rows, sys.State), make([]float64, sys.Rows*sys.Noise)}, nil
}

type uncoupledKernel struct {
	s    *integrate.System
	a, b sde.Batch
	z    []float64
}

func (k *uncoupledKernel) Step(x sde.Batch, t float64, stream *sde.Stream) {
	a, b, z := k.a.Slice(0, x.Rows), k.b.Slice(0, x.Rows), k.z[:x.Rows*k.s.Noise]
	c := k.s.Step * k.s.Slope(a, x, t)
	stream.Normals(z)
	k.s.Spread(b, x, t, z)
	for i := range x.Rows {
		for j := range x.Cols {
			x.Row(i)[j] += c*a.Row(i)[j] + math.Sqrt(k.s.Step)*b.Row(i)[j]
		}
	}
}

// TestMultilevelCouples: what a level is a difference of is exact where schemes are,
// and for the Ornstein–Uhlenbeck process and Euler–Maruyama its variance is known.
func TestMultilevelCouples(t *testing.T) {
	free := integrate.Multilevel{Equation: sde.Flow{Loss: flat{2}, Diffusion: noise.Temperature{T: 0.5}}, Time: 2, Step: 0.5, Tolerance: 1, Seed: 1, F: first}
	for l := 1; l < 4; l++ {
		if v := mustLevel(t, free, l, 3000); !(v.Variance.Value < 1e-28) || v.Samples != 3000 {
			t.Errorf("level %d of Brownian motion: variance of the difference %v of %d samples, want 0 of 3000", l, v.Variance, v.Samples)
		}
	}
	const k, temperature, n = 1.5, 0.3, 1 << 13
	m := integrate.Multilevel{Equation: sde.Flow{Loss: quadratic{k}, Diffusion: noise.Temperature{T: temperature}}, Time: 1, Step: 0.25, Tolerance: 1, Seed: 2 + *seedShift,
		Start: integrate.Points{{0.7}}, F: first}
	for l := 1; l <= 3; l++ {
		// x_f takes α² and the noise α w₀ + w₁, x_c takes β and w₀ + w₁.
		h := math.Ldexp(0.25, -l)
		a, b, s := 1-h*k, 1-2*h*k, 2*temperature*h
		var ff, fc, cc float64
		mf, mc := 0.7, 0.7
		for range int(math.Round(0.5 / h)) {
			ff, fc, cc = a*a*a*a*ff+s*(1+a*a), a*a*b*fc+s*(1+a), b*b*cc+2*s
			mf, mc = mf*a*a, mc*b
		}
		v := mustLevel(t, m, l, n)
		what := fmt.Sprintf("level %d", l)
		z := (v.Mean.Value - (mf - mc)) / v.Mean.StdErr
		accept(t, what+": mean", m.Seed, z, normalP(z))
		q := (n - 1) * v.Variance.Value / (ff - 2*fc + cc)
		accept(t, what+": variance", m.Seed, q, chiSquaredP(q, n-1))
		z = (v.Fine.Value - mf) / v.Fine.StdErr
		accept(t, what+": mean of the fine path", m.Seed, z, normalP(z))
		if l == 2 {
			m := m
			m.Scheme = uncoupled{}
			v := mustLevel(t, m, l, n)
			q := (n - 1) * v.Variance.Value / (ff - 2*fc + cc)
			reject(t, what+": variance of levels that are not coupled", m.Seed, q, chiSquaredP(q, n-1))
		}
	}
}

// call is a European call on geometric Brownian motion, which Black and Scholes value
// at 10.450583572185567.
func call(tolerance float64, seed uint64) integrate.Multilevel {
	g := exactGBM{gbm{[]float64{0.05}, []float64{0.2}}}
	return integrate.Multilevel{Equation: g, Scheme: integrate.Milstein{}, Start: integrate.Points{{100}}, Time: 1, Step: 1, Tolerance: tolerance, Seed: seed,
		F: func(x []float64) float64 { return math.Exp(-0.05) * math.Max(x[0]-100, 0) }}
}

// boundedP is the p-value of an estimate whose bias is up to that of the result.
func boundedP(value float64, r *integrate.MultilevelResult, exact float64) (statistic, p float64) {
	statistic = math.Max(0, math.Abs(value-exact)-r.Bias) / r.StdErr
	return statistic, normalP(statistic)
}

func TestMultilevelCall(t *testing.T) {
	const exact = 10.450583572185567
	for i, tolerance := range []float64{0.3, 0.02} {
		seed := uint64(20+i) + *seedShift
		r := mustEstimate(t, call(tolerance, seed))
		t.Log(r)
		z, p := boundedP(r.Value, r, exact)
		accept(t, fmt.Sprintf("call to %g", tolerance), seed, z, p)
		if !(math.Hypot(r.StdErr, r.Bias) <= 1.02*tolerance) || r.Partial || len(r.Warnings) > 0 {
			t.Errorf("tolerance %g: standard error %g, bias %g, partial %v, warnings %v", tolerance, r.StdErr, r.Bias, r.Partial, r.Warnings)
		}
		if i == 0 {
			continue
		}
		z = (r.VarianceRate.Value - 1) / r.VarianceRate.StdErr
		reject(t, "call: variance rate 1", seed, z, normalP(z))
		// The planted fault: coarse minus fine.
		swapped := 2*r.Levels[0].Mean.Value - r.Value
		z, p = boundedP(swapped, r, exact)
		reject(t, "call with fine and coarse swapped", seed, z, p)
		// The planted fault: a drift of 4 % for 5 %.
		m := call(tolerance, seed)
		m.Equation = exactGBM{gbm{[]float64{0.04}, []float64{0.2}}}
		r = mustEstimate(t, m)
		z, p = boundedP(r.Value, r, exact)
		reject(t, "call of another drift", seed, z, p)
	}
	// Levels that are not coupled: the answer is right, the cost is not, and it says so.
	m := call(0.3, 23+*seedShift)
	m.Scheme = uncoupled{}
	r := mustEstimate(t, m)
	z, p := boundedP(r.Value, r, exact)
	accept(t, "call, not coupled", m.Seed, z, p)
	if len(r.Warnings) != 1 || !strings.Contains(r.String(), "Warning: the variance of the differences") {
		t.Errorf("levels that are not coupled bring no warning: %v", r)
	}
	m.Scheme = integrate.EulerMaruyama{}
	if c := mustEstimate(t, m); !(c.Gradients < r.Gradients/5) {
		t.Errorf("coupled levels take %g gradients, others %g", c.Gradients, r.Gradients)
	}
}

// logSlope fits log y = c + p log x by least squares and returns p and its standard error.
func logSlope(x, y []float64) (p, stderr float64) {
	lx, ly := make([]float64, len(x)), make([]float64, len(x))
	for i := range x {
		lx[i], ly[i] = math.Log(x[i]), math.Log(y[i])
	}
	c, p := stat.LinearRegression(lx, ly, nil, false)
	var q, sx float64
	mean := stat.Mean(lx, nil)
	for i := range lx {
		q += square(ly[i] - c - p*lx[i])
		sx += square(lx[i] - mean)
	}
	return p, math.Sqrt(q / float64(len(x)-2) / sx)
}

// TestMultilevelCost: with additive noise the cost is of order ε⁻² over three decades,
// counted in gradients.
func TestMultilevelCost(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	var calls atomic.Int64
	l := countingBatch{loss.DoubleWell{}, &calls}
	m := integrate.Multilevel{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 0.2}}, Time: 0.5, Step: 0.5, Pilot: 16, Seed: 30 + *seedShift,
		Start: integrate.Points{{0.9}}, F: first}
	slope := func(decades ...float64) (what string, z, p float64) {
		var eps, cost []float64
		for _, d := range decades {
			m.Tolerance = 0.15 * math.Pow(10, -d)
			m.Seed++
			calls.Store(0)
			r := mustEstimate(t, m)
			if got := float64(calls.Load()); got != r.Gradients {
				t.Fatalf("ε = %g: %g gradients were evaluated, %g reported", m.Tolerance, got, r.Gradients)
			}
			eps, cost = append(eps, m.Tolerance), append(cost, r.Gradients)
		}
		b, stderr := logSlope(eps, cost)
		n := len(eps) - 1
		what = fmt.Sprintf("cost %.4g at ε = %.4g, %.4g at ε = %.4g, of order ε^(%.3f ± %.3f), want −2", cost[0], eps[0], cost[n], eps[n], b, stderr)
		t.Log(what)
		z = (b + 2) / stderr
		return what, z, studentP(z, float64(len(eps)-2))
	}
	what, z, p := slope(0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3)
	accept(t, what, m.Seed, z, p)
	// Without coupling it is of order ε⁻³: not so far down, and more often.
	m.Scheme = uncoupled{}
	var short []float64
	for i := range 128 {
		short = append(short, 0.3+0.8*float64(i%2))
	}
	what, z, p = slope(short...)
	reject(t, "not coupled: "+what, m.Seed, z, p)
}

// countingBatch counts gradients in batches.
type countingBatch struct {
	loss.DoubleWell
	calls *atomic.Int64
}

func (l countingBatch) BatchGradient(dst, x sde.Batch) {
	l.calls.Add(int64(x.Rows))
	l.DoubleWell.BatchGradient(dst, x)
}
func (l countingBatch) Gradient(dst, theta []float64) {
	l.calls.Add(1)
	l.DoubleWell.Gradient(dst, theta)
}

// varianceSlope measures β on some levels, with a term linear in the step.
func varianceSlope(t *testing.T, m integrate.Multilevel, from, to, n int) (beta, stderr float64) {
	design, y := mat.NewDense(to-from+1, 3, nil), mat.NewVecDense(to-from+1, nil)
	for l := from; l <= to; l++ {
		v := mustLevel(t, m, l, n)
		w := v.Variance.Value / v.Variance.StdErr
		design.SetRow(l-from, []float64{w, w * math.Log(v.Step), w * v.Step})
		y.SetVec(l-from, w*math.Log(v.Variance.Value))
	}
	var normal, covariance mat.Dense
	var x mat.VecDense
	normal.Mul(design.T(), design)
	if err := covariance.Inverse(&normal); err != nil {
		t.Fatal(err)
	}
	x.MulVec(design.T(), y)
	x.MulVec(&covariance, &x)
	return x.AtVec(1), math.Sqrt(covariance.At(1, 1))
}

// TestMultilevelAntithetic: without Lévy areas the variance of a smooth function falls
// as h² if the paths are antithetic, and as h if not.
func TestMultilevelAntithetic(t *testing.T) {
	n := 1 << 13
	if testing.Short() {
		n = 1 << 11
	}
	area := integratetest.Area()
	truncated := integrate.Milstein{Area: integrate.ZeroArea{}}
	m := integrate.Multilevel{Equation: area.Equation, Scheme: truncated, Time: 1, Step: 1, Tolerance: 1, Antithetic: true, Seed: 40 + *seedShift,
		F: func(x []float64) float64 { return math.Cos(x[0] + x[1]) }}
	check := func(what string, claimed, other float64) {
		t.Helper()
		b, se := varianceSlope(t, m, 2, 6, n)
		t.Logf("%s: β = %.3f ± %.3f", what, b, se)
		z := (b - claimed) / se
		accept(t, fmt.Sprintf("%s: variance rate %.3f ± %.3f, want %g", what, b, se, claimed), m.Seed, z, normalP(z))
		z = (b - other) / se
		reject(t, fmt.Sprintf("%s: variance rate %g", what, other), m.Seed, z, normalP(z))
	}
	check("antithetic", 2, 1)
	// Linear functions lose the areas altogether.
	linear := m
	linear.F = func(x []float64) float64 { return x[1] - 2*x[0] }
	if v := mustLevel(t, linear, 3, 2000); !(v.Variance.Value < 1e-28) {
		t.Errorf("the antithetic difference of a linear function has the variance %v, want 0", v.Variance)
	}
	m.Antithetic = false
	check("truncated Milstein", 1, 2)
	m.Scheme = integrate.EulerMaruyama{}
	check("Euler–Maruyama", 1, 2)

	// E cos(X₁+X₂) by quadrature: given W₁, X₂ is normal of variance ∫W₁²; with
	// c = 1, E exp(iX₁ − ½∫W₁²) = exp(−½ tanh 1)/√(cosh 1).
	exact := math.Exp(-math.Tanh(1)/2) / math.Sqrt(math.Cosh(1))
	m.Antithetic, m.Scheme, m.Tolerance = true, truncated, 0.01
	r := mustEstimate(t, m)
	z, p := boundedP(r.Value, r, exact)
	accept(t, "antithetic estimate", m.Seed, z, p)
}

func TestMultilevelBits(t *testing.T) {
	m := call(0.3, 7)
	var progress []integrate.Progress
	m.Workers = 1
	a := mustEstimate(t, m)
	m.Workers = 3
	m.Progress = func(p integrate.Progress) { progress = append(progress, p) }
	b := mustEstimate(t, m)
	if a.Value != b.Value || a.StdErr != b.StdErr || a.Gradients != b.Gradients {
		t.Errorf("one worker: %v, three: %v", a, b)
	}
	for i, p := range progress {
		if p.Done > p.Total || i > 0 && p.Done < progress[i-1].Done {
			t.Errorf("progress %d: %+v", i, p)
		}
	}
	if len(progress) == 0 {
		t.Error("no progress")
	}
	m.Seed++
	if c := mustEstimate(t, m); c.Value == a.Value {
		t.Error("the seed changes nothing")
	}
}

func TestMultilevelEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := call(0.3, 1)
	r, err := m.Run(ctx)
	var interrupted *integrate.InterruptedError
	if r == nil || !r.Partial || !math.IsNaN(r.Value) || len(r.Levels) != 0 || !errors.As(err, &interrupted) {
		t.Errorf("cancelled before: %v, %v", r, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	m.Tolerance = 0.001
	m.Progress = func(p integrate.Progress) {
		if p.Done > 1_000_000 {
			cancel()
		}
	}
	r, err = m.Run(ctx)
	cancel()
	if r == nil || !r.Partial || len(r.Levels) < 3 || !(r.StdErr > 0) || !errors.As(err, &interrupted) || !strings.Contains(r.String(), "PARTIAL") {
		t.Errorf("cancelled on the way: %v, %v", r, err)
	}

	m = call(0.04, 1)
	m.MaxLevels = 3
	r, err = m.Run(t.Context())
	var bias *integrate.ToleranceError
	if !errors.As(err, &bias) || bias.Levels != 3 || bias.Bias != r.Bias || !r.Partial {
		t.Errorf("three levels: %v, %v", r, err)
	}

	m = call(0.1, 1)
	m.Equation, m.Scheme = sde.Flow{Loss: quartic{}, Diffusion: noise.Temperature{T: 1}}, nil
	m.Time = 8
	r, err = m.Run(t.Context())
	var diverged *integrate.DivergenceError
	if !errors.As(err, &diverged) || !strings.Contains(err.Error(), "level 0") || !r.Partial {
		t.Errorf("divergence: %v, %v", r, err)
	}

	m = call(0.1, 1)
	m.F = func([]float64) float64 { return math.NaN() }
	if _, err = m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "function F of particle 0 is NaN") {
		t.Errorf("NaN: %v", err)
	}
}

// TestMultilevelDomain: both paths keep to the domain.
func TestMultilevelDomain(t *testing.T) {
	m := integrate.Multilevel{Equation: sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 1}, Domain: sde.Box{Lo: []float64{0}, Hi: []float64{1}}},
		Start: integrate.Points{{0.5}}, Time: 1, Step: 0.25, Tolerance: 1, F: func(x []float64) float64 {
			if x[0] < 0 || x[0] > 1 {
				return math.Inf(1)
			}
			return x[0]
		}}
	for l := range 3 {
		mustLevel(t, m, l, 5000)
	}
}

func TestMultilevelRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(m *integrate.Multilevel)
		texts []string
	}{
		{"no function", func(m *integrate.Multilevel) { m.F = nil }, []string{"Multilevel.F", "a function"}},
		{"ε zero", func(m *integrate.Multilevel) { m.Tolerance = 0 }, []string{"Multilevel.Tolerance", "0", "positive"}},
		{"ε negative", func(m *integrate.Multilevel) { m.Tolerance = -1 }, []string{"Multilevel.Tolerance", "-1", "positive"}},
		{"ε NaN", func(m *integrate.Multilevel) { m.Tolerance = nan }, []string{"Multilevel.Tolerance", "NaN"}},
		{"ε infinite", func(m *integrate.Multilevel) { m.Tolerance = inf }, []string{"Multilevel.Tolerance", "+Inf", "finite"}},
		{"one level", func(m *integrate.Multilevel) { m.MaxLevels = 1 }, []string{"Multilevel.MaxLevels", "1", "3 to 32"}},
		{"levels negative", func(m *integrate.Multilevel) { m.MaxLevels = -3 }, []string{"Multilevel.MaxLevels", "-3"}},
		{"too many levels", func(m *integrate.Multilevel) { m.MaxLevels = 33 }, []string{"Multilevel.MaxLevels", "33"}},
		{"pilot", func(m *integrate.Multilevel) { m.Pilot = 1 }, []string{"Multilevel.Pilot", "1", "at least 16"}},
		{"no equation", func(m *integrate.Multilevel) { m.Equation = nil }, []string{"Ensemble.Equation"}},
		{"step", func(m *integrate.Multilevel) { m.Step = 0 }, []string{"Ensemble.Step", "positive"}},
		{"time", func(m *integrate.Multilevel) { m.Time = nan }, []string{"Schedule.Time", "NaN"}},
		{"time no multiple", func(m *integrate.Multilevel) { m.Step = 0.3 }, []string{"Schedule.Time", "multiple of the step"}},
		{"start", func(m *integrate.Multilevel) { m.Start = integrate.Points{{1, 2}} }, []string{"Points[0]"}},
		{"workers", func(m *integrate.Multilevel) { m.Workers = -1 }, []string{"Ensemble.Workers"}},
		{"a weak scheme", func(m *integrate.Multilevel) { m.Scheme = integrate.RI6{} }, []string{"Multilevel.Scheme", "RI6", "take EulerMaruyama"}},
		{"antithetic for diagonal noise", func(m *integrate.Multilevel) { m.Antithetic = true }, []string{"Multilevel.Antithetic", "diagonal", "Milstein"}},
	} {
		m := call(0.1, 1)
		test.spoil(&m)
		r, err := m.Run(t.Context())
		if r != nil || !isInvalid(err) || m.Validate() == nil {
			t.Errorf("%s: %v, %v", test.name, r, err)
			continue
		}
		for _, text := range test.texts {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: no %q in %v", test.name, text, err)
			}
		}
	}
	m := call(0.1, 1)
	for _, v := range [][2]int{{-1, 100}, {33, 100}, {1, 1}} {
		if _, err := m.Level(t.Context(), v[0], v[1]); !isInvalid(err) {
			t.Errorf("Level(%d, %d): %v", v[0], v[1], err)
		}
	}
}
