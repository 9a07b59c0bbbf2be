// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/cmplx"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// shifted is the sampler g = ∇L + c, so that an update of it is affine in (row, c) where
// ∇L is linear in θ.
type shifted struct {
	loss sde.Loss
	c    []float64
}

func (s shifted) Objective() sde.Loss { return s.loss }
func (s shifted) BindGradients(int) sde.GradientFunc {
	return func(dst, x sde.Batch, _ *sde.Stream) {
		for i := range x.Rows {
			s.loss.Gradient(dst.Row(i), x.Row(i))
			for j, c := range s.c {
				dst.Row(i)[j] += c
			}
		}
	}
}

// white is the sampler g = ∇L + R z, z standard normals.
type white struct {
	loss sde.Loss
	root float64
}

func (s white) Objective() sde.Loss { return s.loss }
func (s white) BindGradients(rows int) sde.GradientFunc {
	z := make([]float64, rows*s.loss.Dim())
	return func(dst, x sde.Batch, stream *sde.Stream) {
		n := x.Rows * x.Cols
		stream.Normals(z[:n])
		for i := range x.Rows {
			s.loss.Gradient(dst.Row(i), x.Row(i))
			for j := range x.Cols {
				dst.Row(i)[j] += s.root * z[i*x.Cols+j]
			}
		}
	}
}

// kernelOf returns the kernel of an update on the gradient flow of a loss.
func kernelOf(t testing.TB, l sde.Loss, u integrate.Scheme, eta float64, rows int) (integrate.Kernel, int) {
	t.Helper()
	d := l.Dim()
	if _, err := u.Properties(sde.Constant); err != nil {
		t.Fatal(err)
	}
	k, err := u.Bind(integrate.NewSystem(sde.Flow{Loss: l}, sde.Ito, eta, rows))
	if err != nil {
		t.Fatal(err)
	}
	width := d
	if a, ok := u.(integrate.Augmented); ok {
		width = a.Width(d)
	}
	return k, width
}

// affineUpdate returns M and V of row′ = M row + V c at a step, for an update of shifted.
func affineUpdate(t *testing.T, l sde.Loss, of func(g sde.GradientSampler) integrate.Scheme, eta float64, step int) (m, v *mat.Dense) {
	t.Helper()
	d := l.Dim()
	_, width := kernelOf(t, l, of(shifted{loss: l}), eta, 1)
	stream := sde.NewStream(1, nil)
	column := func(j int, c []float64) []float64 {
		k, _ := kernelOf(t, l, of(shifted{l, c}), eta, 1)
		x := sde.NewBatch(1, width)
		if j >= 0 {
			x.Data[j] = 1
		}
		stream.At(sde.Steps, 0, step)
		k.Step(x, float64(step)*eta, stream)
		return x.Data
	}
	m, v = mat.NewDense(width, width, nil), mat.NewDense(width, d, nil)
	for j := range width {
		m.SetCol(j, column(j, nil))
	}
	for j := range d {
		c := make([]float64, d)
		c[j] = 1
		v.SetCol(j, column(-1, c))
	}
	return m, v
}

// stationary solves S = M S Mᵀ + V C Vᵀ by doubling.
func stationaryOf(m, v *mat.Dense, c mat.Matrix) *mat.Dense {
	var s, a mat.Dense
	s.Product(v, c, v.T())
	a.CloneFrom(m)
	for range 60 {
		var next, power mat.Dense
		next.Product(&a, &s, a.T())
		s.Add(&s, &next)
		power.Mul(&a, &a)
		a.Copy(&power)
	}
	return &s
}

func radius(m *mat.Dense) float64 {
	var e mat.Eigen
	e.Factorize(m, mat.EigenNone)
	r := 0.0
	for _, v := range e.Values(nil) {
		r = max(r, cmplx.Abs(v))
	}
	return r
}

func agree(t *testing.T, what string, have, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(have-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: %.15g, want %.15g", what, have, want)
	}
}

func heavyBall(mu float64) func(g sde.GradientSampler) integrate.Scheme {
	return func(g sde.GradientSampler) integrate.Scheme {
		return integrate.SGDMomentum{Gradient: g, Momentum: mu}
	}
}

// TestMomentumExact holds the stationary covariance of the kernel on a quadratic to the
// closed forms, and where it becomes unstable to what it states.
func TestMomentumExact(t *testing.T) {
	for _, c := range []struct{ eta, h, mu, noise float64 }{
		{0.1, 1, 0.9, 2}, {0.5, 2, 0.5, 0.1}, {1, 3.5, 0.8, 1}, {0.3, 0.7, 0, 3}, {0.01, 1, 0.99, 1},
	} {
		m, v := affineUpdate(t, quadratic{c.h}, heavyBall(c.mu), c.eta, 0)
		s := stationaryOf(m, v, mat.NewDense(1, 1, []float64{c.noise}))
		below := (1 - c.mu) * (2*(1+c.mu) - c.eta*c.h)
		agree(t, fmt.Sprintf("%+v: Var x", c), s.At(0, 0), c.eta*c.noise*(1+c.mu)/(c.h*below), 1e-10)
		agree(t, fmt.Sprintf("%+v: Cov(x, v)", c), s.At(0, 1), c.eta*c.eta*c.noise/below, 1e-10)
		agree(t, fmt.Sprintf("%+v: Var v", c), s.At(1, 1), 2*c.eta*c.eta*c.noise/below, 1e-10)
		// The planted fault, Nesterov's form, is another update.
		m, v = affineUpdate(t, quadratic{c.h}, func(g sde.GradientSampler) integrate.Scheme {
			return integrate.SGDMomentum{Gradient: g, Momentum: c.mu, Nesterov: true}
		}, c.eta, 0)
		if c.mu > 0 && radius(m) < 1 && math.Abs(stationaryOf(m, v, mat.NewDense(1, 1, []float64{c.noise})).At(0, 0)/s.At(0, 0)-1) < 1e-3 {
			t.Errorf("%+v: Nesterov's form has the variance of the heavy ball", c)
		}
	}
	for _, mu := range []float64{0, 0.3, 0.9} {
		for _, nesterov := range []bool{false, true} {
			of := func(g sde.GradientSampler) integrate.Scheme {
				return integrate.SGDMomentum{Gradient: g, Momentum: mu, Nesterov: nesterov}
			}
			p, err := of(shifted{loss: quadratic{1}}).Properties(sde.Constant)
			if err != nil {
				t.Fatal(err)
			}
			inside, _ := affineUpdate(t, quadratic{1}, of, p.Stability*0.999, 0)
			outside, _ := affineUpdate(t, quadratic{1}, of, p.Stability*1.001, 0)
			if a, b := radius(inside), radius(outside); !(a < 1 && b > 1) {
				t.Errorf("μ = %g, Nesterov %v: spectral radius %g below the limit %g and %g above", mu, nesterov, a, p.Stability, b)
			}
		}
	}
}

// TestMomentumMatrix holds the covariance on a quadratic in three dimensions, with noise
// that does not commute with its Hessian, to the matrix equation of Liu, Ziyin & Ueda
// (2021), Λ = η I:
//
//	(1−μ)(ΛHS+SHΛ) − (1+μ²)/(1−μ²) ΛHSHΛ + μ/(1−μ²)(ΛHΛHS+SHΛHΛ) = ΛCΛ
//
// and, for μ = 0, to HS + SH − ηHSH = ηC.
func TestMomentumMatrix(t *testing.T) {
	h := mat.NewSymDense(3, []float64{2, 0.3, -0.2, 0.3, 1, 0.1, -0.2, 0.1, 0.5})
	c := mat.NewDense(3, 3, []float64{1, 0.5, 0.2, 0.5, 2, -0.4, 0.2, -0.4, 0.7})
	const eta = 0.2
	for _, mu := range []float64{0, 0.5, 0.9} {
		m, v := affineUpdate(t, denseQuadratic{h}, heavyBall(mu), eta, 0)
		s := stationaryOf(m, v, c).Slice(0, 3, 0, 3)
		lhs := mat.NewDense(3, 3, nil)
		add := func(f float64, factors ...mat.Matrix) {
			var p mat.Dense
			p.Product(factors...)
			p.Scale(f, &p)
			lhs.Add(lhs, &p)
		}
		add(eta*(1-mu), h, s)
		add(eta*(1-mu), s, h)
		add(-eta*eta*(1+mu*mu)/(1-mu*mu), h, s, h)
		add(eta*eta*mu/(1-mu*mu), h, h, s)
		add(eta*eta*mu/(1-mu*mu), s, h, h)
		add(-eta*eta, c)
		if worst := mat.Norm(lhs, 1); worst > 1e-12 {
			t.Errorf("μ = %g: residual %g", mu, worst)
		}
		add(0.01, s)
		if worst := mat.Norm(lhs, 1); worst < 1e-4 {
			t.Errorf("planted fault not found: residual %g", worst)
		}
	}
}

// long leaves a Monte Carlo test out with -short.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a second of Monte Carlo")
	}
}

// TestMomentumRuns is b.3 by Monte Carlo through the engine, on a finite sum.
func TestMomentumRuns(t *testing.T) {
	long(t)
	l := means{k: 1.5, x: []float64{-2, -1, 0, 0.5, 2.5}}
	const noiseVar, eta, mu = 1.5 * 1.5 * (4 + 1 + 0.25 + 6.25) / 5 / 2, 0.1, 0.8
	seed := 31 + *seedShift
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGDMomentum{Gradient: noise.WithReplacement{Loss: l, BatchSize: 2}, Momentum: mu},
		Step: eta, Particles: 32 * 1024, Seed: seed}
	var m integrate.Moments
	mustRun(t, e, integrate.Schedule{BurnIn: 20, Time: 10, Every: 2}, &m)
	exact := func(mu float64) float64 {
		return eta * noiseVar * (1 + mu) / (l.k * (1 - mu) * (2*(1+mu) - eta*l.k))
	}
	s, p := estimateP(m.SecondMoment(0, 0), exact(mu))
	accept(t, "momentum: variance", seed, s, p)
	s, p = estimateP(m.SecondMoment(0, 0), eta*noiseVar/(2*l.k*(1-mu))) // small steps
	reject(t, "momentum: variance for small η", seed, s, p)
}

// delays are the updates with a delay that are tested, with the staleness of each step.
var delays = []struct {
	update integrate.DelayedSGD
	at     func(k int) int
}{
	{integrate.DelayedSGD{}, func(int) int { return 0 }},
	{integrate.DelayedSGD{Delay: 1}, func(int) int { return 1 }},
	{integrate.DelayedSGD{Delay: 5}, func(int) int { return 5 }},
	{integrate.DelayedSGD{Trace: []int{0, 3, 1, 2, 7}}, func(k int) int { return []int{0, 3, 1, 2, 7}[k%5] }},
	{integrate.DelayedSGD{Delays: []float64{0, 0, 0, 2}}, func(int) int { return 3 }},
}

// TestDelayRecursion holds each step to θ_{k+1} = θ_k − η g(θ_{k−τ}).
func TestDelayRecursion(t *testing.T) {
	l := loss.Himmelblau{}
	const eta, steps = 1e-3, 40
	for _, c := range delays {
		u := c.update
		u.Gradient = shifted{loss: l}
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: u, Step: eta, Particles: 3, Start: integrate.Points{{0, 1}, {-1, 2}, {3, -1}}}
		got := finals(t, e, integrate.Schedule{Time: steps * eta})
		for i, start := range [][]float64{{0, 1}, {-1, 2}, {3, -1}} {
			past := [][]float64{start}
			g := make([]float64, 2)
			for k := range steps {
				l.Gradient(g, past[max(0, k-c.at(k))])
				past = append(past, []float64{past[k][0] - eta*g[0], past[k][1] - eta*g[1]})
			}
			for j, v := range got.Row(i) {
				agree(t, fmt.Sprintf("%+v: particle %d", c.update, i), v, past[steps][j], 1e-13)
			}
		}
	}
}

// delayed returns the companion matrix of x_{k+1} = x_k − a x_{k−τ}.
func delayed(a float64, tau int) *mat.Dense {
	m := mat.NewDense(tau+1, tau+1, nil)
	m.Set(0, 0, 1)
	m.Set(0, tau, m.At(0, tau)-a)
	for j := range tau {
		m.Set(j+1, j, 1)
	}
	return m
}

// TestDelayStability holds the bound that the update states to the delay recursion, and the
// growth of its kernel over a turn of its buffer to the same.
func TestDelayStability(t *testing.T) {
	for tau := range 9 {
		u := integrate.DelayedSGD{Gradient: shifted{loss: quadratic{1}}, Delay: tau}
		p, err := u.Properties(sde.Constant)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := radius(delayed(p.Stability*0.999, tau)), radius(delayed(p.Stability*1.001, tau)); !(a < 1 && b > 1) {
			t.Errorf("τ = %d: spectral radius %g below the limit %g and %g above", tau, a, p.Stability, b)
		}
		turn := max(tau, 1)
		whole := mat.NewDense(tau+1, tau+1, nil)
		for i := range tau + 1 {
			whole.Set(i, i, 1)
		}
		a := 0.9 * p.Stability
		for step := range turn {
			m, _ := affineUpdate(t, quadratic{1}, func(g sde.GradientSampler) integrate.Scheme { return integrate.DelayedSGD{Gradient: g, Delay: tau} }, a, step)
			whole.Mul(m, whole)
		}
		agree(t, fmt.Sprintf("τ = %d: growth over a turn", tau), radius(whole), math.Pow(radius(delayed(a, tau)), float64(turn)), 1e-9)
	}
}

// TestDelayVariance holds the stationary variance to that of the delay recursion, with the
// planted fault of one more step of delay.
func TestDelayVariance(t *testing.T) {
	long(t)
	l := means{k: 1.5, x: []float64{-2, -1, 0, 0.5, 2.5}}
	const noiseVar, eta = 1.5 * 1.5 * (4 + 1 + 0.25 + 6.25) / 5 / 2, 0.15
	exact := func(weights map[int]float64) float64 {
		// Random delays: second moments of the lifted state, E[M ⊗ M].
		longest := 0
		for tau := range weights {
			longest = max(longest, tau)
		}
		n := longest + 1
		v := mat.NewDense(n, n, nil)
		v.Set(0, 0, eta*eta*noiseVar)
		s := mat.DenseCopyOf(v)
		for range 4000 {
			next := mat.DenseCopyOf(v)
			for tau, w := range weights {
				m := mat.NewDense(n, n, nil)
				m.Set(0, 0, 1)
				m.Set(0, tau, m.At(0, tau)-eta*l.k)
				for j := range longest {
					m.Set(j+1, j, 1)
				}
				var p mat.Dense
				p.Product(m, s, m.T())
				p.Scale(w, &p)
				next.Add(next, &p)
			}
			s = next
		}
		return s.At(0, 0)
	}
	for i, c := range []struct {
		name         string
		update       integrate.DelayedSGD
		right, wrong map[int]float64
	}{
		{"no delay", integrate.DelayedSGD{}, map[int]float64{0: 1}, map[int]float64{1: 1}},
		{"fixed", integrate.DelayedSGD{Delay: 3}, map[int]float64{3: 1}, map[int]float64{4: 1}},
		{"random", integrate.DelayedSGD{Delays: integrate.GeometricDelays(1, 2)}, map[int]float64{0: 4. / 7, 1: 2. / 7, 2: 1. / 7}, map[int]float64{1: 1}},
	} {
		seed := uint64(41+i) + *seedShift
		c.update.Gradient = noise.WithReplacement{Loss: l, BatchSize: 2}
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: c.update, Step: eta, Particles: 32 * 1024, Seed: seed}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{BurnIn: 15, Time: 9, Every: 3}, &m)
		s, p := estimateP(m.SecondMoment(0, 0), exact(c.right))
		accept(t, c.name+": variance", seed, s, p)
		s, p = estimateP(m.SecondMoment(0, 0), exact(c.wrong))
		reject(t, c.name+": variance of another delay", seed, s, p)
	}
	agree(t, "no delay, closed form", exact(map[int]float64{0: 1}), eta*noiseVar/(l.k*(2-eta*l.k)), 1e-12)
}

// TestAdaptive holds Adam, RMSprop and Adagrad on full batches to their formulas, written
// down once more by coordinate.
func TestAdaptive(t *testing.T) {
	l := loss.Himmelblau{}
	const eta, steps = 0.05, 60
	start := []float64{1, -2}
	halved := func(t float64) float64 { return 1 / (1 + t) }
	type state struct{ m, v float64 }
	for _, c := range []struct {
		name   string
		update integrate.Scheme
		step   func(theta, g float64, n int, s *state) float64
	}{
		{"Adam", integrate.Adam{Gradient: shifted{loss: l}}, func(theta, g float64, n int, s *state) float64 {
			s.m, s.v = 0.9*s.m+0.1*g, 0.999*s.v+0.001*g*g
			return theta - eta*s.m/(1-math.Pow(0.9, float64(n)))/(math.Sqrt(s.v/(1-math.Pow(0.999, float64(n))))+1e-8)
		}},
		{"AdamW", integrate.Adam{Gradient: shifted{loss: l}, Beta1: 0.5, Beta2: 0.9, Epsilon: 1e-3, Decay: 0.3, Rate: halved}, func(theta, g float64, n int, s *state) float64 {
			s.m, s.v = 0.5*s.m+0.5*g, 0.9*s.v+0.1*g*g
			eta := eta / (1 + eta*float64(n-1))
			return theta - eta*(s.m/(1-math.Pow(0.5, float64(n)))/(math.Sqrt(s.v/(1-math.Pow(0.9, float64(n))))+1e-3)+0.3*theta)
		}},
		{"RMSprop", integrate.RMSprop{Gradient: shifted{loss: l}}, func(theta, g float64, n int, s *state) float64 {
			s.v = 0.99*s.v + 0.01*g*g
			return theta - eta*g/(math.Sqrt(s.v)+1e-8)
		}},
		{"Adagrad", integrate.Adagrad{Gradient: shifted{loss: l}, Epsilon: 1e-4}, func(theta, g float64, n int, s *state) float64 {
			s.v += g * g
			return theta - eta*g/(math.Sqrt(s.v)+1e-4)
		}},
		{"SGD with a schedule", integrate.SGD{Gradient: shifted{loss: l}, Rate: func(t float64) float64 { return 0.1 * halved(t) }}, func(theta, g float64, n int, s *state) float64 {
			return theta - 0.1*eta/(1+eta*float64(n-1))*g
		}},
	} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: c.update, Step: eta, Particles: 2, Start: integrate.Points{start}}
		got := finals(t, e, integrate.Schedule{Time: steps * eta})
		want, g, s := []float64{start[0], start[1]}, make([]float64, 2), make([]state, 2)
		for n := 1; n <= steps; n++ {
			l.Gradient(g, want)
			for j := range want {
				want[j] = c.step(want[j], g[j], n, &s[j])
			}
		}
		for i := range got.Rows {
			for j, v := range got.Row(i) {
				agree(t, c.name, v, want[j], 1e-12)
			}
		}
	}
}

// TestScalingRules holds the rules for κ times the batch to what they keep: D ∝ η/B for SGD,
// whose stationary variance differs by the second order alone, and the constants of Adam's
// equations with σ ∝ 1/√B, ση, εη and (1−β)/η². SGD's rule for Adam is the planted fault.
func TestScalingRules(t *testing.T) {
	const kappa, eta, h, c = 4.0, 0.01, 1.5, 2.0
	variance := func(eta, c float64) float64 {
		m, v := affineUpdate(t, quadratic{h}, heavyBall(0), eta, 0)
		return stationaryOf(m, v, mat.NewDense(1, 1, []float64{c})).At(0, 0)
	}
	// ηC/(h(2−ηh)), C = c/B.
	agree(t, "SGD, ratio of variances", variance(kappa*eta, c/kappa)/variance(eta, c), (2-eta*h)/(2-kappa*eta*h), 1e-10)
	u := integrate.Adam{Gradient: shifted{loss: quadratic{1}}, Beta1: 0.95, Beta2: 0.99, Epsilon: 1e-6}
	v, err := u.Scaled(kappa)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []struct {
		factor float64 // of η
		keeps  bool
	}{{math.Sqrt(kappa), true}, {kappa, false}} {
		next := rule.factor * eta
		sigma := 1 / math.Sqrt(kappa)
		worst := 0.0
		for _, pair := range [][2]float64{
			{sigma * next, eta}, {v.Epsilon * next, u.Epsilon * eta}, {(1 - v.Beta1) / (next * next), (1 - u.Beta1) / (eta * eta)}, {(1 - v.Beta2) / (next * next), (1 - u.Beta2) / (eta * eta)},
		} {
			worst = max(worst, math.Abs(pair[0]/pair[1]-1))
		}
		if rule.keeps != (worst < 1e-12) {
			t.Errorf("with %g times the learning rate the constants change by %g", rule.factor, worst)
		}
	}
}

// TestWeakSGD holds SGD on ℓ = ½(x−γ)², γ = ±1, five steps of 0.2 from 1, to its exact moments;
// the mean of its modified equation of order 1, e⁻¹, is the planted fault.
func TestWeakSGD(t *testing.T) {
	long(t)
	l := means{k: 1, x: []float64{-1, 1}}
	seed := 111 + *seedShift
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 1}}, Step: 0.2,
		Particles: 64 * 1024, Seed: seed, Start: integrate.Points{{1}}}
	var m integrate.Moments
	mustRun(t, e, integrate.Schedule{Time: 1}, &m)
	s, p := estimateP(m.Mean(0), 0.32768)
	accept(t, "SGD: mean at time 1", seed, s, p)
	s, p = estimateP(m.Mean(0), math.Exp(-1))
	reject(t, "SGD: mean of the modified equation", seed, s, p)
	s, p = estimateP(m.Variance(0), 0.2*0.2*(1-math.Pow(0.8, 10))/(1-0.64))
	accept(t, "SGD: variance at time 1", seed, s, p)
}

// TestRateTurnsNegative: a schedule that leaves what a learning rate can be ends a run where it
// does.
func TestRateTurnsNegative(t *testing.T) {
	l := reducedLoss(t)
	g := noise.WithReplacement{Loss: l, BatchSize: 2}
	falls := func(t float64) float64 { return 1.05 - t }
	for _, u := range []integrate.Scheme{
		integrate.SGD{Gradient: g, Rate: falls}, integrate.SGDMomentum{Gradient: g, Rate: falls}, integrate.Adam{Gradient: g, Rate: falls}, integrate.RMSprop{Gradient: g, Rate: falls},
		integrate.DelayedSGD{Gradient: g, Rate: falls}, integrate.SVRG{Gradient: g, Rate: falls}, integrate.SAGA{Gradient: g, Rate: falls},
		integrate.LocalSGD{Workers: []sde.GradientSampler{g}, Rate: falls},
	} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: u, Step: 0.1, Particles: 4}
		_, err := e.Run(t.Context(), integrate.Schedule{Time: 3, Every: 0.1})
		var d *integrate.DivergenceError
		if !errors.As(err, &d) || d.Step != 11 {
			t.Errorf("%T: error %v, want a divergence in step 11", u, err)
		}
	}
}

// drawn is a sampler of batches that are always the same.
type drawn struct {
	loss sde.FiniteSum
	idx  []uint32
}

func (s drawn) Objective() sde.Loss              { return s.loss }
func (s drawn) Batches() (sde.FiniteSum, int)    { return s.loss, len(s.idx) }
func (s drawn) CovarianceFactor() float64        { return 0 }
func (drawn) BindGradients(int) sde.GradientFunc { return nil }
func (s drawn) BindBatches(int) func([]uint32, *sde.Stream) {
	return func(dst []uint32, _ *sde.Stream) {
		for i := range dst {
			dst[i] = s.idx[i%len(s.idx)]
		}
	}
}

func reducedLoss(t *testing.T) *loss.Logistic {
	t.Helper()
	x, y := loss.LogisticTeacher(12, []float64{1, -0.5, 0.25}, 4)
	l, err := loss.NewLogistic(x, y, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestVarianceReducedMean holds the mean of a step over all batches to that of gradient
// descent, from a state whose snapshot and table are of other states. SAG, which is biased, is
// the planted fault.
func TestVarianceReducedMean(t *testing.T) {
	l := reducedLoss(t)
	const eta = 0.3
	for _, c := range []struct {
		name     string
		of       func(g sde.Batched) integrate.Scheme
		unbiased bool
	}{
		{"SVRG", func(g sde.Batched) integrate.Scheme { return integrate.SVRG{Gradient: g, Every: 100} }, true},
		{"SAGA", func(g sde.Batched) integrate.Scheme { return integrate.SAGA{Gradient: g} }, true},
		{"SAG", func(g sde.Batched) integrate.Scheme { return integrate.SAGA{Gradient: g, Averaged: true} }, false},
	} {
		mean, theta := make([]float64, 3), make([]float64, 3)
		stream := sde.NewStream(1, nil)
		for i := range l.Samples() {
			// Two steps along samples 3 and 5, both drawn twice, then one along sample i.
			row := []float64{}
			for step, idx := range [][]uint32{{3, 3}, {5, 3}, {uint32(i)}} {
				k, width := kernelOf(t, l, c.of(drawn{l, idx}), eta, 1)
				x := sde.NewBatch(1, width)
				if step == 0 {
					copy(x.Data, []float64{1, 2, -1})
					k.(integrate.Starter).Start(x, stream)
				} else {
					copy(x.Data, row)
				}
				if step == 2 {
					copy(theta, x.Data)
				}
				stream.At(sde.Steps, 0, step+1)
				k.Step(x, 0, stream)
				row = x.Data
			}
			for j := range mean {
				mean[j] += row[j] / float64(l.Samples())
			}
		}
		g := make([]float64, 3)
		l.Gradient(g, theta)
		worst := 0.0
		for j := range g {
			worst = max(worst, math.Abs(mean[j]-(theta[j]-eta*g[j])))
		}
		if c.unbiased != (worst < 1e-14) {
			t.Errorf("%s: the mean step is off gradient descent's by %g", c.name, worst)
		}
	}
}

// TestVarianceReducedConverges: the noise vanishes at the optimum, where SGD's does not.
func TestVarianceReducedConverges(t *testing.T) {
	l := reducedLoss(t)
	descend := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Step: 1, Particles: 1}
	best := finals(t, descend, integrate.Schedule{Time: 2000}).Row(0)
	batches := noise.WithReplacement{Loss: l, BatchSize: 2}
	for _, c := range []struct {
		name   string
		update integrate.Scheme
		less   bool
	}{
		{"SVRG", integrate.SVRG{Gradient: batches}, true},
		{"SAGA", integrate.SAGA{Gradient: batches}, true},
		{"SAG", integrate.SAGA{Gradient: batches, Averaged: true}, true},
		{"SGD", integrate.SGD{Gradient: batches}, false}, // the planted fault
	} {
		distance := func(time float64) float64 {
			e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: c.update, Step: 0.25, Particles: 40, Seed: 3}
			x := finals(t, e, integrate.Schedule{Time: time})
			var s float64
			for i := range x.Rows {
				for j, v := range x.Row(i) {
					s += (v - best[j]) * (v - best[j])
				}
			}
			return math.Sqrt(s / float64(x.Rows))
		}
		early, later, late := distance(50), distance(100), distance(600)
		// A constant rate: half way in logarithms, and the end to rounding.
		if c.less && !(late < 1e-13 && later < 0.03*early) || !c.less && !(late > 1e-2) {
			t.Errorf("%s: distance from the optimum %g, %g, %g", c.name, early, later, late)
		}
	}
}

// TestAveraged holds averages to the iterates of a run of the update alone, and that to the
// bits of the iterates behind an average.
func TestAveraged(t *testing.T) {
	l := reducedLoss(t)
	for _, of := range []integrate.Scheme{
		integrate.SGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 2}},
		integrate.Adam{Gradient: noise.WithReplacement{Loss: l, BatchSize: 2}},
		integrate.DelayedSGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 2}, Delay: 2},
	} {
		const eta, steps = 0.1, 50
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: of, Step: eta, Particles: 3, Seed: 5, Start: integrate.Points{{1, 2, 3}}}
		path := &integrate.Trajectories{Particles: []int{2}}
		schedule := integrate.Schedule{Time: steps * eta, Every: eta}
		mustRun(t, e, schedule, path)
		_, iterates := path.Path(0)
		for _, c := range []struct {
			name  string
			u     integrate.Averaged
			first int // iterate that is averaged
		}{
			{"all", integrate.Averaged{}, 1}, {"tail", integrate.Averaged{From: 30 * eta}, 31}, {"moving", integrate.Averaged{Decay: 0.8, From: 2 * eta}, 3},
			{"not yet", integrate.Averaged{From: 1000}, 1001},
		} {
			c.u.Of = of
			e.Scheme = c.u
			shown := &integrate.Trajectories{Particles: []int{2}}
			mustRun(t, e, schedule, shown)
			_, averages := shown.Path(0)
			start := iterates.Rows - steps // whether the start is in the path
			want := make([]float64, 3)
			for k := 1; k <= steps; k++ {
				n := float64(k - c.first + 1)
				for j, v := range iterates.Row(start + k - 1) {
					switch {
					case n <= 1:
						want[j] = v
					case c.u.Decay > 0:
						want[j] = c.u.Decay*want[j] + (1-c.u.Decay)*v
					default:
						want[j] = want[j]*(n-1)/n + v/n
					}
					agree(t, fmt.Sprintf("%T, %s, step %d", of, c.name, k), averages.Row(start + k - 1)[j], want[j], 1e-12)
				}
			}
		}
	}
}

// TestPolyakRuppert holds the variance of the average of n iterates on a quadratic to that
// of an AR(1) process from 0, and the limit to C/(h² n) for two learning rates; that of the last
// iterate is the planted fault.
func TestPolyakRuppert(t *testing.T) {
	long(t)
	const h, c, n = 1.5, 2.0, 400
	for i, eta := range []float64{0.2, 0.8} {
		a := 1 - eta*h
		// θ̄ = (1/n) Σ_k Σ_{j<k} a^{k−1−j} η ξ_j: the weight of ξ_j is η(1−a^{n−j})/((1−a)n).
		var exact float64
		for j := range n {
			w := eta * (1 - math.Pow(a, float64(n-j))) / ((1 - a) * n)
			exact += c * w * w
		}
		if limit := c / (h * h * n); math.Abs(exact/limit-1) > 0.02 {
			t.Errorf("η = %g: %g, limit %g", eta, exact, limit)
		}
		seed := uint64(61+i) + *seedShift
		g := white{quadratic{h}, math.Sqrt(c)}
		e := integrate.Ensemble{Equation: sde.Flow{Loss: g.loss}, Scheme: integrate.Averaged{Of: integrate.SGD{Gradient: g}}, Step: eta, Particles: 32 * 1024, Seed: seed}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{Time: n * eta}, &m)
		s, p := estimateP(m.SecondMoment(0, 0), exact)
		accept(t, "variance of the average", seed, s, p)
		s, p = estimateP(m.SecondMoment(0, 0), eta*c/(h*(2-eta*h)))
		reject(t, "variance of the last iterate", seed, s, p)
	}
}

// TestMovingAverage holds the variance of a moving average of SGD's iterates on a quadratic, those of
// an AR(1) process, to S (1−β)/(1+β) (1+aβ)/(1−aβ); that of independent iterates is the planted
// fault.
func TestMovingAverage(t *testing.T) {
	long(t)
	const h, c, eta, beta = 1.5, 2.0, 0.2, 0.9
	const a = 1 - eta*h
	const variance = eta * c / (h * (2 - eta*h)) * (1 - beta) / (1 + beta)
	seed := 67 + *seedShift
	g := white{quadratic{h}, math.Sqrt(c)}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: g.loss}, Scheme: integrate.Averaged{Of: integrate.SGD{Gradient: g}, Decay: beta}, Step: eta, Particles: 32 * 1024, Seed: seed}
	var m integrate.Moments
	mustRun(t, e, integrate.Schedule{BurnIn: 150 * eta, Time: 90 * eta, Every: 30 * eta}, &m)
	s, p := estimateP(m.SecondMoment(0, 0), variance*(1+a*beta)/(1-a*beta))
	accept(t, "variance of a moving average", seed, s, p)
	s, p = estimateP(m.SecondMoment(0, 0), variance)
	reject(t, "variance of a moving average of independent iterates", seed, s, p)
}

// TestLocalFixedPoint holds the fixed point of workers of different curvatures to its closed
// form, (Σ (1−q_m) c_m)/Σ (1−q_m) with q_m = (1−ηh_m)^H.
func TestLocalFixedPoint(t *testing.T) {
	workers := []quadraticAt{{1, 2}, {3, -1}, {0.5, 5}}
	const eta = 0.2
	for _, steps := range []int{1, 2, 10} {
		var u integrate.LocalSGD
		var top, bottom float64
		for _, w := range workers {
			u.Workers = append(u.Workers, shifted{loss: w})
			q := math.Pow(1-eta*w.h, float64(steps))
			top, bottom = top+(1-q)*w.c, bottom+1-q
		}
		u.LocalSteps = steps
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1.5}}, Scheme: u, Step: eta, Particles: 2}
		got := finals(t, e, integrate.Schedule{Time: float64(100*steps) * eta})
		agree(t, fmt.Sprintf("H = %d", steps), got.Data[1], top/bottom, 1e-12)
		if optimum := (1*2 - 3*1 + 0.5*5) / 4.5; steps > 1 && math.Abs(top/bottom-optimum) < 0.05 {
			t.Error("workers do not drift")
		}
	}
}

// quadraticAt is ½h(θ−c)².
type quadraticAt struct{ h, c float64 }

func (quadraticAt) Dim() int { return 1 }
func (l quadraticAt) Value(theta []float64) float64 {
	return l.h * (theta[0] - l.c) * (theta[0] - l.c) / 2
}
func (l quadraticAt) Gradient(dst, theta []float64) { dst[0] = l.h * (theta[0] - l.c) }

// TestLocalParticipation holds the variance that comes of who takes part, K of M without
// replacement, to (1−q)²/(1−q²) · (M−K)/(K(M−1)) s², with s² the variance of the minima.
func TestLocalParticipation(t *testing.T) {
	long(t)
	const eta, steps, k = 0.2, 3, 2
	minima := []float64{-2, -1, 0, 0.5, 2.5} // of mean 0
	const s2 = (4 + 1 + 0.25 + 6.25) / 5
	u := integrate.LocalSGD{LocalSteps: steps, Participants: k}
	for _, c := range minima {
		u.Workers = append(u.Workers, shifted{loss: quadraticAt{1.5, c}})
	}
	seed := 71 + *seedShift
	e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1.5}}, Scheme: u, Step: eta, Particles: 32 * 1024, Seed: seed}
	var m integrate.Moments
	mustRun(t, e, integrate.Schedule{BurnIn: 24, Time: 12, Every: 3}, &m)
	q := math.Pow(1-eta*1.5, steps)
	s, p := estimateP(m.SecondMoment(0, 0), (1-q)*(1-q)/(1-q*q)*3.0/(k*4)*s2)
	accept(t, "local SGD: variance", seed, s, p)
	s, p = estimateP(m.SecondMoment(0, 0), (1-q)*(1-q)/(1-q*q)/k*s2)
	reject(t, "local SGD: variance with replacement", seed, s, p)
}

// regression is the sampler of linear regression on fresh data in one dimension, x ~ N(0, a)
// and y = ε ~ N(0, σ²): g = (1/S) Σ x(xθ − ε).
type regression struct {
	a, sigma float64
	size     int
}

func (s regression) Objective() sde.Loss { return quadratic{s.a} }
func (s regression) BindGradients(rows int) sde.GradientFunc {
	z := make([]float64, 2*rows*s.size)
	return func(dst, x sde.Batch, stream *sde.Stream) {
		stream.Normals(z[:2*x.Rows*s.size])
		for i := range x.Rows {
			var g float64
			for k := range s.size {
				u, e := math.Sqrt(s.a)*z[2*(i*s.size+k)], s.sigma*z[2*(i*s.size+k)+1]
				g += u * (u*x.Row(i)[0] - e)
			}
			dst.Row(i)[0] = g / float64(s.size)
		}
	}
}

// TestRegression holds the stationary variance of SGD with the multiplicative noise of fresh
// data to b.4,
//
//	Var = (ησ²/S)(1+κ/S)/G,   κ = ηa/G / (1 − ηa/(GS)),   G = 2(1−μ) − ((1−μ)/(1+μ) + 1/S)ηa
//
// for which additive noise is the planted fault, and the point ηa = 2S/(S+2) beyond which
// there is none: there a step keeps E θ² without label noise.
func TestRegression(t *testing.T) {
	long(t)
	for i, c := range []struct {
		eta, mu float64
		size    int
	}{{0.5, 0, 4}, {0.05, 0.9, 4}, {0.1, 0, 1}} {
		seed := uint64(81+i) + *seedShift
		g := regression{1, 1, c.size}
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}}, Scheme: integrate.SGDMomentum{Gradient: g, Momentum: c.mu}, Step: c.eta, Particles: 32 * 1024, Seed: seed}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{BurnIn: 120 * c.eta, Time: 40 * c.eta, Every: 10 * c.eta}, &m)
		size := float64(c.size)
		big := 2*(1-c.mu) - ((1-c.mu)/(1+c.mu)+1/size)*c.eta
		kappa := c.eta / big / (1 - c.eta/(big*size))
		s, p := estimateP(m.SecondMoment(0, 0), c.eta/size*(1+kappa/size)/big)
		accept(t, fmt.Sprintf("%+v: variance", c), seed, s, p)
		s, p = estimateP(m.SecondMoment(0, 0), c.eta/size*(1+c.mu)/((1-c.mu)*(2*(1+c.mu)-c.eta)))
		reject(t, fmt.Sprintf("%+v: variance with additive noise", c), seed, s, p)
	}
	const size = 3
	for i, eta := range []float64{2.0 * size / (size + 2), 2.0 * size / (size + 1)} {
		seed := uint64(91+i) + *seedShift
		e := integrate.Ensemble{Equation: sde.Flow{Loss: quadratic{1}}, Scheme: integrate.SGD{Gradient: regression{1, 0, size}}, Step: eta,
			Particles: 128 * 1024, Seed: seed, Start: integrate.Points{{1}}}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{Time: eta}, &m)
		s, p := estimateP(m.SecondMoment(0, 0), 1)
		if i == 0 {
			accept(t, "E θ² at the point of instability", seed, s, p)
		} else {
			reject(t, "E θ² beyond it", seed, s, p)
		}
	}
}

// TestFluctuationDissipation holds SGD on a loss that is not quadratic to Yaida's identity,
// exact at every learning rate,
//
//	E[θ·∇L] = (η/2) E[|∇L|² + tr C(θ)]
//
// and SGD with momentum to E[θ·∇L] = (1+μ)/(2η) E|v|², v being what a step has moved. Without
// the |∇L|² of a finite step, and without μ, they are the planted faults.
func TestFluctuationDissipation(t *testing.T) {
	long(t)
	l := reducedLoss(t)
	const eta, size, mu = 0.8, 2, 0.6
	batches := noise.WithReplacement{Loss: l, BatchSize: size}
	n := l.Samples()
	g := make([]float64, 3)
	moments := func(theta []float64) (work, square, trace float64) {
		l.Gradient(g, theta)
		var mean [3]float64
		copy(mean[:], g)
		for j, v := range mean {
			work += theta[j] * v
			square += v * v
		}
		for i := range n {
			l.SampleGradient(g, theta, i)
			for j, v := range g {
				trace += (v - mean[j]) * (v - mean[j]) / float64(n*size)
			}
		}
		return work, square, trace
	}
	seed := 101 + *seedShift
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: batches}, Step: eta, Particles: 8192, Seed: seed, Workers: 1}
	identity := integrate.NewMean(2, func(dst, theta []float64) {
		work, square, trace := moments(theta)
		dst[0] = work - eta/2*(square+trace)
		dst[1] = work - eta/2*trace
	})
	mustRun(t, e, integrate.Schedule{BurnIn: 100 * eta, Time: 40 * eta, Every: 10 * eta}, identity)
	s, p := estimateP(identity.Estimate(0), 0)
	accept(t, "SGD: fluctuation–dissipation", seed, s, p)
	s, p = estimateP(identity.Estimate(1), 0)
	reject(t, "SGD: without |∇L|²", seed, s, p)

	e.Scheme = integrate.SGDMomentum{Gradient: batches, Momentum: mu}
	e.Step = 0.2
	moved := &moving{work: func(theta []float64) float64 { work, _, _ := moments(theta); return work }}
	mustRun(t, e, integrate.Schedule{BurnIn: 40, Time: 8 * e.Step, Every: e.Step}, moved)
	s, p = moved.test((1 + mu) / (2 * e.Step))
	accept(t, "momentum: fluctuation–dissipation", seed, s, p)
	s, p = moved.test(1 / (2 * e.Step))
	reject(t, "momentum: without μ", seed, s, p)
}

// moving averages θ·∇L and the squares of what each step has moved, by group; it looks at
// every step.
type moving struct {
	work                  func(theta []float64) float64
	last                  sde.Batch
	works, squares, count []float64
}

func (m *moving) Start(r sde.Run) error {
	m.last = sde.NewBatch(r.Particles, r.Dim)
	m.works, m.squares, m.count = make([]float64, r.Groups), make([]float64, r.Groups), make([]float64, r.Groups)
	return nil
}

func (m *moving) Observe(s sde.Sample) error {
	for i := range s.X.Rows {
		last, x := m.last.Row(s.First+i), s.X.Row(i)
		if s.Index > 0 {
			m.works[s.Group] += m.work(x)
			for j, v := range x {
				m.squares[s.Group] += (v - last[j]) * (v - last[j])
			}
			m.count[s.Group]++
		}
		copy(last, x)
	}
	return nil
}

// test returns Student's t and p of E[θ·∇L] = f E|v|².
func (m *moving) test(f float64) (statistic, p float64) {
	var sum, sum2 float64
	n := float64(len(m.count))
	for g, c := range m.count {
		d := (m.works[g] - f*m.squares[g]) / c
		sum += d
		sum2 += d * d
	}
	statistic = sum / n / math.Sqrt((sum2/n-sum*sum/n/n)/(n-1))
	return statistic, studentP(statistic, n-1)
}

// TestUpdatesAllocate: a step of an update allocates nothing.
func TestUpdatesAllocate(t *testing.T) {
	l := reducedLoss(t)
	batches := noise.WithReplacement{Loss: l, BatchSize: 2}
	for _, u := range updates(batches) {
		k, width := kernelOf(t, l, u, 0.1, 32)
		x := sde.NewBatch(32, width)
		stream := sde.NewStream(1, nil)
		stream.At(sde.Starts, 0, 0)
		if s, ok := k.(integrate.Starter); ok {
			s.Start(x, stream)
		}
		step := 0
		if n := testing.AllocsPerRun(20, func() {
			stream.At(sde.Steps, 0, step)
			k.Step(x, float64(step)*0.1, stream)
			step++
		}); n > 0 {
			t.Errorf("%T: %v allocations a step", u, n)
		}
	}
}

// TestUpdatesInTheEngine: with any number of workers, in shards, and after an interruption
// and a checkpoint, each update has the bits of a run in one go.
func TestUpdatesInTheEngine(t *testing.T) {
	l := reducedLoss(t)
	for _, u := range updates(noise.WithoutReplacement{Loss: l, BatchSize: 3}) {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: u, Step: 0.1, Particles: 600, Seed: 9, Start: integrate.Points{{1, -1, 2}}, Workers: 1}
		s := integrate.Schedule{Time: 2, Every: 0.5}
		want := digest(finals(t, e, s).Data...)
		e.Workers = 3
		if have := digest(finals(t, e, s).Data...); have != want {
			t.Errorf("%T: three workers %s, one %s", u, have, want)
		}
		final := new(integrate.Final)
		if _, err := e.Merge(s, saveShards(t, e, s, t.TempDir(), 2), new(integrate.Moments), final); err != nil {
			t.Errorf("%T: %v", u, err)
		} else if have := digest(final.States().Data...); have != want {
			t.Errorf("%T: shards %s, in one go %s", u, have, want)
		}
		e.Checkpoint = integrate.Checkpoint{Path: filepath.Join(t.TempDir(), "checkpoint"), Every: 0.7}
		ctx, cancel := context.WithCancel(t.Context())
		stop := &trip{at: 7, do: func() error { cancel(); return nil }} // of 3 blocks, the third time
		_, err := e.Run(ctx, s, new(integrate.Final), stop)
		cancel()
		var interrupted *integrate.InterruptedError
		if !errors.As(err, &interrupted) {
			t.Fatalf("%T: %v", u, err)
		}
		final = new(integrate.Final)
		if _, err := e.Resume(t.Context(), s, final, new(trip)); err != nil {
			t.Errorf("%T: %v", u, err)
		} else if have := digest(final.States().Data...); have != want {
			t.Errorf("%T: resumed %s, in one go %s", u, have, want)
		}
	}
}

// updates is one of each.
func updates(g sde.Batched) []integrate.Scheme {
	return []integrate.Scheme{
		integrate.SGD{Gradient: g}, integrate.SGDMomentum{Gradient: g, Momentum: 0.9}, integrate.SGDMomentum{Gradient: g, Momentum: 0.9, Nesterov: true},
		integrate.Adam{Gradient: g}, integrate.RMSprop{Gradient: g}, integrate.Adagrad{Gradient: g},
		integrate.DelayedSGD{Gradient: g, Delay: 2}, integrate.DelayedSGD{Gradient: g, Delays: []float64{1, 1}}, integrate.SVRG{Gradient: g}, integrate.SAGA{Gradient: g},
		integrate.Averaged{Of: integrate.Adam{Gradient: g}}, integrate.LocalSGD{Workers: []sde.GradientSampler{g, g, g}, Participants: 2, LocalSteps: 3},
	}
}

func TestUpdatesRefused(t *testing.T) {
	l := reducedLoss(t)
	g := noise.WithReplacement{Loss: l, BatchSize: 2}
	bad := noise.WithReplacement{Loss: l}
	big := means{k: 1, x: make([]float64, 1<<20)}
	negative := func(float64) float64 { return -1 }
	for _, kappa := range []float64{0, -1, math.NaN(), 11} {
		if _, err := (integrate.Adam{Gradient: g}).Scaled(kappa); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("scaled by %g: error %v", kappa, err)
		}
	}
	for name, u := range map[string]integrate.Scheme{
		"μ = 1":              integrate.SGDMomentum{Gradient: g, Momentum: 1},
		"μ < 0":              integrate.SGDMomentum{Gradient: g, Momentum: -0.1},
		"μ NaN":              integrate.SGDMomentum{Gradient: g, Momentum: math.NaN()},
		"no sampler":         integrate.SGDMomentum{},
		"bad sampler":        integrate.Adam{Gradient: bad},
		"β₁ = 1":             integrate.Adam{Gradient: g, Beta1: 1},
		"β₂ < 0":             integrate.Adam{Gradient: g, Beta2: -1},
		"ε < 0":              integrate.Adam{Gradient: g, Epsilon: -1},
		"λ infinite":         integrate.Adam{Gradient: g, Decay: math.Inf(1)},
		"negative rate":      integrate.Adam{Gradient: g, Rate: negative},
		"SGD, negative rate": integrate.SGD{Gradient: g, Rate: negative},
		"SVRG, rate":         integrate.SVRG{Gradient: g, Rate: negative},
		"SAGA, rate":         integrate.SAGA{Gradient: g, Rate: negative},
		"local SGD, rate":    integrate.LocalSGD{Workers: []sde.GradientSampler{g}, Rate: negative},
		"β = 2":              integrate.RMSprop{Gradient: g, Beta: 2},
		"RMSprop, ε NaN":     integrate.RMSprop{Gradient: g, Epsilon: math.NaN()},
		"Adagrad, ε < 0":     integrate.Adagrad{Gradient: g, Epsilon: -1},
		"τ < 0":              integrate.DelayedSGD{Gradient: g, Delay: -1},
		"two delays":         integrate.DelayedSGD{Gradient: g, Delay: 1, Trace: []int{1}},
		"trace < 0":          integrate.DelayedSGD{Gradient: g, Trace: []int{1, -1}},
		"no trace":           integrate.DelayedSGD{Gradient: g, Trace: []int{}},
		"no weights":         integrate.DelayedSGD{Gradient: g, Delays: []float64{0, 0}},
		"weight NaN":         integrate.DelayedSGD{Gradient: g, Delays: []float64{1, math.NaN()}},
		"long delay":         integrate.DelayedSGD{Gradient: g, Delay: 1 << 20},
		"SVRG, no sampler":   integrate.SVRG{},
		"SVRG, every < 0":    integrate.SVRG{Gradient: g, Every: -1},
		"SAGA, no sampler":   integrate.SAGA{},
		"SAGA, large table":  integrate.SAGA{Gradient: noise.WithReplacement{Loss: big, BatchSize: 1}},
		"average of none":    integrate.Averaged{},
		"average from < 0":   integrate.Averaged{Of: integrate.SGD{Gradient: g}, From: -1},
		"average, decay 1":   integrate.Averaged{Of: integrate.SGD{Gradient: g}, Decay: 1},
		"average of bad":     integrate.Averaged{Of: integrate.SGD{}},
		"no workers":         integrate.LocalSGD{},
		"worker nil":         integrate.LocalSGD{Workers: []sde.GradientSampler{g, nil}},
		"H < 0":              integrate.LocalSGD{Workers: []sde.GradientSampler{g}, LocalSteps: -1},
		"K > M":              integrate.LocalSGD{Workers: []sde.GradientSampler{g}, Participants: 2},
	} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: u, Step: 0.1, Particles: 10}
		var setting *sde.SettingError
		if r, err := e.Run(t.Context(), integrate.Schedule{Time: 1}); r != nil || !errors.Is(err, sde.ErrInvalid) || !errors.As(err, &setting) || setting.Want == "" {
			t.Errorf("%s: result %v, error %v, want none and a setting's", name, r, err)
		}
	}
	// With an equation that does not fit.
	for _, u := range updates(g) {
		for _, eq := range []sde.Equation{sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 1}}, sde.Flow{Loss: quadratic{1}}} {
			e := integrate.Ensemble{Equation: eq, Scheme: u, Step: 0.1, Particles: 10}
			if r, err := e.Run(t.Context(), integrate.Schedule{Time: 1}); r != nil || !errors.Is(err, sde.ErrInvalid) {
				t.Errorf("%T: result %v, error %v, want none and one that wraps sde.ErrInvalid", u, r, err)
			}
		}
	}
}
