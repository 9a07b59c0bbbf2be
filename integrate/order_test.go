// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// An orderProblem is an equation whose solution at time 1 is a function of the
// Brownian motion at that time.
type orderProblem struct {
	name     string
	equation sde.Equation
	start    []float64
	// solution stores the state at time 1 for the Brownian motion w.
	solution func(dst, w []float64)
}

// gbm is geometric Brownian motion, dX_i = a_i X_i dt + b_i X_i dW_i.
type gbm struct{ a, b []float64 }

func (g gbm) Dims() (state, noise int) { return len(g.a), len(g.a) }
func (g gbm) Drift(dst, theta []float64, _ float64) {
	for i, x := range theta {
		dst[i] = g.a[i] * x
	}
}
func (g gbm) Root(dst, theta []float64, _ float64) {
	clear(dst)
	for i, x := range theta {
		dst[i*len(theta)+i] = g.b[i] * x
	}
}
func (g gbm) Class() sde.NoiseClass { return sde.Diagonal }

// exactGBM is gbm with the upgrades that Milstein looks for.
type exactGBM struct{ gbm }

func (g exactGBM) DiagonalRoot(dst, theta []float64, _ float64) {
	for i, x := range theta {
		dst[i] = g.b[i] * x
	}
}
func (g exactGBM) DiagonalDerivative(dst, _ []float64, _ float64) { copy(dst, g.b) }

// undeclared hides everything but the two required methods of an Equation.
type undeclared struct{ sde.Equation }

func (g gbm) problem(name string, eq sde.Equation) orderProblem {
	start := make([]float64, len(g.a))
	for i := range start {
		start[i] = 1
	}
	return orderProblem{name, eq, start, func(dst, w []float64) {
		for i := range dst {
			dst[i] = math.Exp(g.a[i] - g.b[i]*g.b[i]/2 + g.b[i]*w[i])
		}
	}}
}

// commuting is dX = AX dt + Σ_j M_j X dW_j with matrices that are diagonal in one
// basis, which is not orthogonal: A = R diag(a) R⁻¹, M_j = R diag(b_j) R⁻¹. Its
// noise is commutative and its root full.
type commuting struct {
	r, inverse *mat.Dense
	a          []float64
	b          [][]float64 // b[j][i]
	drift      *mat.Dense
	m          []*mat.Dense
}

func newCommuting() *commuting {
	c := &commuting{r: mat.NewDense(2, 2, []float64{1, 0.5, -0.7, 1}), a: []float64{0.3, -0.4}, b: [][]float64{{0.6, -0.4}, {0.3, 0.7}}}
	c.inverse = new(mat.Dense)
	if err := c.inverse.Inverse(c.r); err != nil {
		panic(err)
	}
	in := func(v []float64) *mat.Dense {
		var m mat.Dense
		m.Product(c.r, mat.NewDiagDense(2, v), c.inverse)
		return &m
	}
	c.drift = in(c.a)
	for _, b := range c.b {
		c.m = append(c.m, in(b))
	}
	return c
}

func (c *commuting) Dims() (state, noise int) { return 2, 2 }
func (c *commuting) Class() sde.NoiseClass    { return sde.Commutative }
func (c *commuting) Drift(dst, theta []float64, _ float64) {
	for i := range dst {
		dst[i] = float64(c.drift.At(i, 0)*theta[0]) + float64(c.drift.At(i, 1)*theta[1])
	}
}
func (c *commuting) Root(dst, theta []float64, _ float64) {
	for i := range 2 {
		for j := range 2 {
			dst[i*2+j] = float64(c.m[j].At(i, 0)*theta[0]) + float64(c.m[j].At(i, 1)*theta[1])
		}
	}
}

// exactCommuting also knows the derivatives of its root.
type exactCommuting struct{ *commuting }

func (c exactCommuting) RootJacobian(dst, _ []float64, _ float64) {
	for i := range 2 {
		for j := range 2 {
			for l := range 2 {
				dst[(i*2+j)*2+l] = c.m[j].At(i, l)
			}
		}
	}
}

func (c *commuting) problem(name string, eq sde.Equation) orderProblem {
	return orderProblem{name, eq, []float64{1, 0.5}, func(dst, w []float64) {
		y := make([]float64, 2)
		for i := range y {
			y0 := c.inverse.At(i, 0)*1 + c.inverse.At(i, 1)*0.5
			e := c.a[i]
			for j := range 2 {
				e += c.b[j][i]*w[j] - c.b[j][i]*c.b[j][i]/2
			}
			y[i] = y0 * math.Exp(e)
		}
		for i := range dst {
			dst[i] = c.r.At(i, 0)*y[0] + c.r.At(i, 1)*y[1]
		}
	}}
}

// additive is dX = (β/√(1+t) − X/(2(1+t))) dt + αβ/√(1+t) dW with the solution
// (X_0 + β(t+αW))/√(1+t) (Kloeden & Platen, 1992, eq. 4.4.5).
type additive struct{ alpha, beta float64 }

func (additive) Dims() (state, noise int) { return 1, 1 }
func (additive) Class() sde.NoiseClass    { return sde.Additive }
func (a additive) Drift(dst, theta []float64, t float64) {
	dst[0] = a.beta/math.Sqrt(1+t) - theta[0]/(2*(1+t))
}
func (a additive) Root(dst, _ []float64, t float64) { dst[0] = a.alpha * a.beta / math.Sqrt(1+t) }

func (a additive) problem() orderProblem {
	return orderProblem{"additive noise", a, []float64{1}, func(dst, w []float64) {
		dst[0] = (1 + a.beta*(1+a.alpha*w[0])) / math.Sqrt2
	}}
}

// atan is dX = −b² sin X cos³X dt + b cos²X dW with the solution
// arctan(bW + tan X_0) (Kloeden & Platen, 1992, eq. 4.4.31, a = 0).
type atan struct{ b float64 }

func (atan) Dims() (state, noise int) { return 1, 1 }
func (a atan) Drift(dst, theta []float64, _ float64) {
	s, c := math.Sincos(theta[0])
	dst[0] = -a.b * a.b * s * c * c * c
}
func (a atan) Root(dst, theta []float64, _ float64) {
	c := math.Cos(theta[0])
	dst[0] = a.b * c * c
}
func (a atan) problem() orderProblem {
	return orderProblem{"arctan", a, []float64{0.5}, func(dst, w []float64) { dst[0] = math.Atan(a.b*w[0] + math.Tan(0.5)) }}
}

// pathErrors returns, for each step 2^−first … 2^−last, the error of each
// coordinate of each particle at time 1, all on the same Brownian paths.
func pathErrors(t *testing.T, p orderProblem, scheme integrate.Scheme, first, last, particles int, seed uint64) (steps []float64, errs [][]float64) {
	t.Helper()
	d, m := p.equation.Dims()
	if d != m {
		t.Fatal("a Brownian motion of other dimensions than the state has other blocks")
	}
	e := integrate.Ensemble{Step: math.Exp2(-float64(last)), Particles: particles, Seed: seed}
	e.Equation = sde.Flow{Loss: flat{d}, Diffusion: noise.Temperature{T: 0.5}}
	w := finals(t, e, integrate.Schedule{Time: 1})
	exact := sde.NewBatch(particles, d)
	for i := range particles {
		p.solution(exact.Row(i), w.Row(i))
	}
	e.Equation, e.Scheme, e.Start = p.equation, scheme, integrate.Points{p.start}
	for l := first; l <= last; l++ {
		e.Step, e.Pieces = math.Exp2(-float64(l)), 1<<(last-l)
		x := finals(t, e, integrate.Schedule{Time: 1})
		v := make([]float64, len(x.Data))
		for i := range v {
			v[i] = x.Data[i] - exact.Data[i]
		}
		steps, errs = append(steps, e.Step), append(errs, v)
	}
	return steps, errs
}

// jackknife is how many groups standard errors of slopes rest on.
const jackknife = 64

// slope fits log error = log C + p log h + c_1 h + … by weighted least squares,
// with as many powers of h as terms, where the error is f of the mean of the path
// errors' transform g, and returns p with its jackknife standard error.
func slope(steps []float64, errs [][]float64, terms int, g, f func(float64) float64) (p, stderr float64) {
	levels := len(steps)
	sums := make([][jackknife]float64, levels)
	all := make([]float64, levels)
	n := len(errs[0])
	for l, v := range errs {
		for i, e := range v {
			sums[l][i*jackknife/n] += g(e)
		}
		for _, s := range sums[l] {
			all[l] += s
		}
	}
	logs := func(without int) []float64 {
		y := make([]float64, levels)
		for l := range y {
			s, m := all[l], float64(n)
			if without >= 0 {
				s, m = s-sums[l][without], m*(jackknife-1)/jackknife
			}
			y[l] = math.Log(f(s / m))
		}
		return y
	}
	drop := make([][]float64, jackknife)
	for k := range drop {
		drop[k] = logs(k)
	}
	weights := make([]float64, levels)
	column := make([]float64, jackknife)
	for l := range weights {
		for k := range column {
			column[k] = drop[k][l]
		}
		weights[l] = 1 / math.Sqrt(stat.Variance(column, nil))
	}
	fit := func(y []float64) float64 {
		a, b := mat.NewDense(levels, 2+terms, nil), mat.NewVecDense(levels, nil)
		for l, h := range steps {
			a.Set(l, 0, weights[l])
			a.Set(l, 1, weights[l]*math.Log(h))
			for k := range terms {
				a.Set(l, 2+k, weights[l]*math.Pow(h, float64(k+1)))
			}
			b.SetVec(l, weights[l]*y[l])
		}
		var x mat.VecDense
		if err := x.SolveVec(a, b); err != nil {
			return math.NaN()
		}
		return x.AtVec(1)
	}
	p = fit(logs(-1))
	var q float64
	for k := range drop {
		d := fit(drop[k]) - p
		q += d * d
	}
	return p, math.Sqrt(q * (jackknife - 1) / jackknife)
}

func square(x float64) float64   { return x * x }
func identity(x float64) float64 { return x }

// strongSlope is the order of the root mean square error, weakSlope that of the
// error of the mean, which scatters less, so that more terms matter.
func strongSlope(steps []float64, errs [][]float64) (p, stderr float64) {
	return slope(steps, errs, 1, square, math.Sqrt)
}
func weakSlope(steps []float64, errs [][]float64) (p, stderr float64) {
	return slope(steps, errs, 2, identity, math.Abs)
}

// checkOrder accepts the claimed order and rejects its neighbours.
func checkOrder(t *testing.T, what string, seed uint64, p, stderr, claimed float64, neighbours ...float64) {
	t.Helper()
	t.Logf("%s: order %.3f ± %.3f", what, p, stderr)
	z := (p - claimed) / stderr
	accept(t, fmt.Sprintf("%s: order %g, measured %.4f ± %.4f", what, claimed, p, stderr), seed, z, studentP(z, jackknife-1))
	for _, o := range neighbours {
		z := (p - o) / stderr
		reject(t, fmt.Sprintf("%s: order %g, measured %.4f ± %.4f", what, o, p, stderr), seed, z, studentP(z, jackknife-1))
	}
}

// limitP is the p-value of the hypothesis that the mean of g of the path errors
// vanishes with the step, after Romberg's extrapolation of the three finest,
// which removes terms of the given power of h and of the next.
func limitP(errs [][]float64, power float64, g func(float64) float64) (statistic, p float64) {
	a, b, c := errs[len(errs)-3], errs[len(errs)-2], errs[len(errs)-1]
	u, v := math.Exp2(power), math.Exp2(power+1)
	groups := make([]float64, jackknife)
	for i := range a {
		groups[i*jackknife/len(a)] += (u*v*g(c[i]) - (u+v)*g(b[i]) + g(a[i])) / ((u - 1) * (v - 1))
	}
	mean, dev := stat.MeanStdDev(groups, nil)
	statistic = mean / dev * math.Sqrt(jackknife)
	return statistic, studentP(statistic, jackknife-1)
}

func TestStrongOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	g1 := gbm{[]float64{0.3}, []float64{0.7}}
	g3 := gbm{[]float64{0.3, -0.5, 0.1}, []float64{0.7, 0.4, 0.55}}
	c := newCommuting()
	em, milstein := integrate.EulerMaruyama{}, integrate.Milstein{}
	for i, test := range []struct {
		problem    orderProblem
		scheme     integrate.Scheme
		order      float64
		neighbours []float64
	}{
		{g1.problem("GBM", exactGBM{g1}), em, 0.5, []float64{1}},
		{g3.problem("GBM, d=3", exactGBM{g3}), em, 0.5, []float64{1}},
		{c.problem("commuting matrices", c), em, 0.5, []float64{1}},
		{additive{1, 1}.problem(), em, 1, []float64{0.5, 1.5}},
		{g1.problem("GBM", exactGBM{g1}), milstein, 1, []float64{0.5, 1.5}},
		{g1.problem("GBM, differences", undeclared{g1}), milstein, 1, []float64{0.5, 1.5}},
		{g3.problem("GBM, d=3", exactGBM{g3}), milstein, 1, []float64{0.5, 1.5}},
		{g3.problem("GBM, d=3, differences", g3), milstein, 1, []float64{0.5, 1.5}},
		{c.problem("commuting matrices", exactCommuting{c}), milstein, 1, []float64{0.5, 1.5}},
		{c.problem("commuting matrices, differences", c), milstein, 1, []float64{0.5, 1.5}},
		{atan{0.8}.problem(), milstein, 1, []float64{0.5, 1.5}},
		{additive{1, 1}.problem(), milstein, 1, []float64{0.5, 1.5}},
	} {
		seed := uint64(500+i) + *seedShift
		what := fmt.Sprintf("%T on %s", test.scheme, test.problem.name)
		d, _ := test.problem.equation.Dims()
		steps, errs := pathErrors(t, test.problem, test.scheme, 3, 9, 1<<13/d, seed)
		p, stderr := strongSlope(steps, errs)
		checkOrder(t, what, seed, p, stderr, test.order, test.neighbours...)
		s, q := limitP(errs, 1, identity)
		accept(t, what+": limit of the mean error", seed, s, q)
		s, q = limitP(errs, 2*test.order, square)
		accept(t, what+": limit of the mean square error", seed, s, q)
		claimed, err := test.scheme.Properties(sde.ClassOf(test.problem.equation))
		if err != nil || claimed.Strong != test.order {
			t.Errorf("%s: states strong order %g, error %v", what, claimed.Strong, err)
		}
	}
}

func TestWeakOrder(t *testing.T) {
	particles := 1 << 14
	if testing.Short() {
		particles = 1 << 12
	}
	g := gbm{[]float64{1.5}, []float64{0.3}}
	problem := g.problem("GBM", exactGBM{g})
	second := problem
	for i, scheme := range []integrate.Scheme{integrate.EulerMaruyama{}, integrate.Milstein{}} {
		seed := uint64(550+i) + *seedShift
		what := fmt.Sprintf("%T on GBM", scheme)
		steps, errs := pathErrors(t, problem, scheme, 3, 9, particles, seed)
		p, stderr := weakSlope(steps, errs)
		checkOrder(t, what+", E X", seed, p, stderr, 1, 0.5, 2)
		s, q := limitP(errs, 1, identity)
		accept(t, what+": limit of E X", seed, s, q)

		// The planted fault: Stratonovich's solution for Itô's.
		second.solution = func(dst, w []float64) { dst[0] = math.Exp(g.a[0] + g.b[0]*w[0]) }
		_, errs = pathErrors(t, second, scheme, 5, 7, particles, seed)
		s, q = limitP(errs, 1, identity)
		reject(t, what+": Stratonovich's solution for Itô's", seed, s, q)
	}
}

// TestEulerMaruyamaGBMMoments is exact at every step: E X_n = (1+ah)ⁿ and
// E X_n² = ((1+ah)² + b²h)ⁿ.
func TestEulerMaruyamaGBMMoments(t *testing.T) {
	const a, b, h, n = -0.5, 0.4, 0.25, 8
	g := gbm{[]float64{a}, []float64{b}}
	for i, eq := range []sde.Equation{g, exactGBM{g}, undeclared{g}} {
		seed := uint64(570+i) + *seedShift
		var m integrate.Moments
		mustRun(t, integrate.Ensemble{Equation: eq, Step: h, Particles: 1 << 16, Seed: seed, Start: integrate.Points{{1}}},
			integrate.Schedule{Time: n * h}, &m)
		s, p := estimateP(m.Mean(0), math.Pow(1+a*h, n))
		accept(t, fmt.Sprintf("%T: E X", eq), seed, s, p)
		s, p = estimateP(m.SecondMoment(0, 0), math.Pow((1+a*h)*(1+a*h)+b*b*h, n))
		accept(t, fmt.Sprintf("%T: E X²", eq), seed, s, p)
	}
}

// TestPieces holds coarse steps to the Brownian path of the fine ones.
func TestPieces(t *testing.T) {
	flow := sde.Flow{Loss: flat{2}, Diffusion: noise.Temperature{T: 0.5}}
	e := integrate.Ensemble{Equation: flow, Step: 1. / 64, Particles: 700, Seed: 1}
	fine := finals(t, e, integrate.Schedule{Time: 1})
	for _, pieces := range []int{1, 2, 4, 16, 64} {
		e.Step, e.Pieces = float64(pieces)/64, pieces
		coarse := finals(t, e, integrate.Schedule{Time: 1})
		for i, v := range coarse.Data {
			if math.Abs(v-fine.Data[i]) > 1e-13 {
				t.Fatalf("%d pieces: coordinate %d is %v, on the fine path %v", pieces, i, v, fine.Data[i])
			}
			if pieces == 1 && v != fine.Data[i] {
				t.Fatalf("Pieces = 1 is not Pieces = 0 to the bit")
			}
		}
	}
}
