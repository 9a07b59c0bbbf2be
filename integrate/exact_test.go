// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// pairP returns the p-value of N pairs (x, y) against the bivariate normal law of
// variances v, w and covariance c: x and the rest of y after regression on x are
// independent, and their standardised sums of squares and products follow laws
// that are known exactly.
func pairP(x, y []float64, v, w, c float64) (statistic, p float64) {
	n := float64(len(x))
	slope := c / v
	rest := w - c*slope
	var xx, ee, xe float64
	for i := range x {
		e := y[i] - slope*x[i]
		xx += x[i] * x[i]
		ee += e * e
		xe += x[i] * e
	}
	// Given x, Σxe is normal of variance rest·Σx².
	ps := []float64{chiSquaredP(xx/v, n), chiSquaredP(ee/rest, n), normalP(xe / math.Sqrt(rest*xx))}
	for _, q := range ps {
		statistic -= 2 * math.Log(q)
	}
	return statistic, distuv.ChiSquared{K: 6}.Survival(statistic)
}

// stationaryPairs runs dX = −kX dt + √(2T) dW until it is stationary and returns
// the particles at two times a lag of steps apart.
func stationaryPairs(t *testing.T, l sde.Loss, scheme integrate.Scheme, temperature, k, h float64, lag, particles int, seed uint64) (x, y []float64) {
	t.Helper()
	// (1−hk)²ⁿ is below 1e-16.
	n := int(math.Ceil(-18.5/math.Log(math.Abs(1-h*k)))) + lag
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}, Scheme: scheme,
		Step: h, Particles: particles, Seed: seed}
	s := &integrate.Series[*integrate.Final]{New: func() *integrate.Final { return new(integrate.Final) }}
	every := float64(lag) * h
	mustRun(t, e, integrate.Schedule{BurnIn: float64(n-lag) * h, Time: 2 * every, Every: every}, s)
	_, a := s.At(0)
	_, b := s.At(1)
	return a.States().Data, b.States().Data
}

func TestEulerMaruyamaQuadratic(t *testing.T) {
	const temperature = 0.3
	particles := 1 << 18
	if testing.Short() {
		particles = 1 << 14
	}
	for i, test := range []struct {
		k, h float64
		lag  int
	}{
		{1, 0.1, 5},
		{2, 0.25, 1},
		{0.5, 1, 2},
		{1, 1.5, 3}, // ρ = −½
		{1, 1.9, 1}, // ρ = −0.9
		{4, 0.0125, 20},
	} {
		seed := uint64(100+i) + *seedShift
		v := temperature / (test.k * (1 - test.h*test.k/2))
		c := v * math.Pow(1-test.h*test.k, float64(test.lag))
		x, y := stationaryPairs(t, quadratic{test.k}, nil, temperature, test.k, test.h, test.lag, particles, seed)
		s, p := pairP(x, y, v, v, c)
		accept(t, fmt.Sprintf("k=%g h=%g lag %d", test.k, test.h, test.lag), seed, s, p)
		// A loss without a batch form: the same bits, and so the same law.
		const few = 1500
		px, py := stationaryPairs(t, plain{quadratic{test.k}}, nil, temperature, test.k, test.h, test.lag, few, seed)
		if digest(px...) != digest(x[:few]...) || digest(py...) != digest(y[:few]...) {
			t.Errorf("k=%g h=%g: a loss without a batch form has other bits", test.k, test.h)
		}
	}
}

// faulty is Euler–Maruyama with a wrong amplitude of the noise.
type faulty struct {
	amplitude func(h, temperature float64) float64
}

func (f faulty) Properties(sde.NoiseClass) (integrate.Properties, error) {
	return integrate.Properties{Name: "faulty"}, nil
}

func (f faulty) Bind(s *integrate.System) (integrate.Kernel, error) {
	scale, _ := s.Isotropic(0)
	return &faultyKernel{s, sde.NewBatch(s.Rows, s.State), make([]float64, s.Rows*s.Noise), f.amplitude(s.Step, scale*scale/2)}, nil
}

type faultyKernel struct {
	s         *integrate.System
	a         sde.Batch
	z         []float64
	amplitude float64
}

func (k *faultyKernel) Step(x sde.Batch, t float64, s *sde.Stream) {
	c := k.s.Slope(k.a.Slice(0, x.Rows), x, t)
	z := k.z[:len(x.Data)]
	s.Increments(z)
	for i := range x.Data {
		x.Data[i] += c*k.s.Step*k.a.Data[i] + k.amplitude*z[i]
	}
}

func TestEulerMaruyamaQuadraticFaults(t *testing.T) {
	const temperature, k, h, lag, particles = 0.3, 1, 0.1, 5, 1 << 14
	v := temperature / (k * (1 - h*k/2))
	c := v * math.Pow(1-h*k, lag)
	for i, test := range []struct {
		name      string
		amplitude func(h, t float64) float64
		right     bool
	}{
		{"none", func(h, t float64) float64 { return math.Sqrt(2 * t * h) }, true},
		{"T for 2T", func(h, t float64) float64 { return math.Sqrt(t * h) }, false},
		{"σ for σ²", func(h, t float64) float64 { return 2 * t * math.Sqrt(h) }, false},
		{"h for √h", func(h, t float64) float64 { return math.Sqrt(2*t) * h }, false},
	} {
		seed := uint64(200+i) + *seedShift
		x, y := stationaryPairs(t, quadratic{k}, faulty{test.amplitude}, temperature, k, h, lag, particles, seed)
		s, p := pairP(x, y, v, v, c)
		if test.right {
			accept(t, test.name, seed, s, p)
		} else {
			reject(t, test.name, seed, s, p)
		}
	}
	// The law of the flow, T/k, instead of the scheme's: enough particles tell.
	x, y := stationaryPairs(t, quadratic{k}, nil, temperature, k, h, lag, 1<<17, 210+*seedShift)
	flow := math.Exp(-k * h * lag)
	s, p := pairP(x, y, temperature/k, temperature/k, temperature/k*flow)
	reject(t, "the flow's law for the scheme's", 210+*seedShift, s, p)
}

// lyapunov5 is a correlated problem of five dimensions: H, D and the stationary
// covariance of Euler–Maruyama, which solves S = (I−hH) S (I−hH)ᵀ + 2hD.
func lyapunov5(h float64) (hessian, diffusion, s *mat.SymDense) {
	const d = 5
	hessian, diffusion = mat.NewSymDense(d, nil), mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			// Two full, positive definite matrices that do not commute.
			hessian.SetSym(i, j, 0.6*math.Exp(-0.5*float64(j-i))*math.Cos(float64(i+j)))
			diffusion.SetSym(i, j, 0.1*math.Sin(1.3*float64(i*j+1)))
		}
	}
	for i := range d {
		hessian.SetSym(i, i, 1.2+0.3*float64(i))
		diffusion.SetSym(i, i, 0.5+0.1*float64((3*i)%d))
	}
	a := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			a.Set(i, j, -h*hessian.At(i, j))
		}
		a.Set(i, i, 1+a.At(i, i))
	}
	var k mat.Dense
	k.Kronecker(a, a)
	k.Scale(-1, &k)
	q := mat.NewVecDense(d*d, nil)
	for i := range d {
		for j := range d {
			k.Set(i*d+j, i*d+j, 1+k.At(i*d+j, i*d+j))
			q.SetVec(i*d+j, 2*h*diffusion.At(i, j))
		}
	}
	var x mat.VecDense
	if err := x.SolveVec(&k, q); err != nil {
		panic(err)
	}
	s = mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			s.SetSym(i, j, (x.AtVec(i*d+j)+x.AtVec(j*d+i))/2)
		}
	}
	return hessian, diffusion, s
}

func TestEulerMaruyamaLyapunov(t *testing.T) {
	const d, h, steps = 5, 0.2, 250
	hessian, diffusion, s := lyapunov5(h)
	var eigen mat.EigenSym
	for _, m := range []*mat.SymDense{hessian, diffusion} {
		if !eigen.Factorize(m, false) || eigen.Values(nil)[0] < 0.2 {
			t.Fatal("test problem is not positive definite")
		}
	}
	constant, err := noise.NewConstant(diffusion)
	if err != nil {
		t.Fatal(err)
	}
	var chol mat.Cholesky
	chol.Factorize(diffusion)
	var lower mat.TriDense
	chol.LTo(&lower)
	lower.ScaleTri(math.Sqrt2, &lower)
	given, err := noise.NewRoot(&lower)
	if err != nil {
		t.Fatal(err)
	}
	general := noise.Func{State: d, Noise: d, B: func(dst, _ []float64, _ float64) { given.Root(dst, nil, 0) }}
	timed := general
	timed.Of = sde.Additive
	particles := 1 << 15
	if testing.Short() {
		particles = 1 << 11
	}
	for i, test := range []struct {
		name      string
		diffusion sde.Diffusion
	}{
		{"symmetric root", constant},
		{"lower triangular root", given},
		{"root as a function", general},
		{"additive root as a function", timed},
	} {
		seed := uint64(300+i) + *seedShift
		e := integrate.Ensemble{Equation: sde.Flow{Loss: denseQuadratic{hessian}, Diffusion: test.diffusion}, Step: h, Particles: particles, Seed: seed}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{Time: steps * h}, &m)
		w, mean := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
		for i := range d {
			mean.SetVec(i, m.Mean(i).Value)
			for j := i; j < d; j++ {
				w.SetSym(i, j, m.SecondMoment(i, j).Value)
			}
		}
		statistic, p := covarianceP(w, s, float64(particles))
		accept(t, test.name+": covariance", seed, statistic, p)

		var solved mat.VecDense
		var cs mat.Cholesky
		cs.Factorize(s)
		if err := cs.SolveVecTo(&solved, mean); err != nil {
			t.Fatal(err)
		}
		statistic = float64(particles) * mat.Dot(mean, &solved)
		accept(t, test.name+": mean", seed, statistic, distuv.ChiSquared{K: d}.Survival(statistic))

		if i == 0 {
			// The planted fault: the Lyapunov equation of the flow, h → 0.
			_, _, flow := lyapunov5(1e-6)
			statistic, p = covarianceP(w, flow, float64(particles))
			reject(t, "the flow's Lyapunov equation for the scheme's", seed, statistic, p)
		}
	}
}

// TestThermometer is the identity that Euler–Maruyama's stationary law satisfies
// at every step, E[θ·∇L] = dT + (h/2) E|∇L|².
func TestThermometer(t *testing.T) {
	const temperature, h = 0.2, 0.1
	particles := 1 << 16
	if testing.Short() {
		particles = 1 << 13
	}
	seed := 400 + *seedShift
	e := integrate.Ensemble{Equation: sde.Flow{Loss: doubleWell{}, Diffusion: noise.Temperature{T: temperature}},
		Step: h, Particles: particles, Seed: seed, Start: integrate.Points{{-1}, {1}}, Groups: min(64, particles/1024)}
	m := integrate.NewMean(3, func(dst, theta []float64) {
		x := theta[0]
		g := x*x*x - x
		dst[0] = x*g - temperature - h/2*g*g
		dst[1] = x*g - temperature
		dst[2] = x*g - temperature*1.05 - h/2*g*g
	})
	mustRun(t, e, integrate.Schedule{BurnIn: 20, Time: 10, Every: 0.5}, m)
	s, p := estimateP(m.Estimate(0), 0)
	accept(t, "E[θ·∇L] − T − (h/2)E|∇L|²", seed, s, p)
	if !testing.Short() {
		s, p = estimateP(m.Estimate(1), 0)
		reject(t, "without the scheme's term", seed, s, p)
		s, p = estimateP(m.Estimate(2), 0)
		reject(t, "T off by 5 %", seed, s, p)
	}
}
