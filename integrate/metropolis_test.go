// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// withoutRatio is MALA without q(θ|y)/q(y|θ), a planted fault.
type withoutRatio struct{}

func (withoutRatio) Properties(class sde.NoiseClass) (integrate.Properties, error) {
	return integrate.MALA{}.Properties(class)
}
func (withoutRatio) Width(d int) int { return d + 1 }
func (withoutRatio) Bind(s *integrate.System) (integrate.Kernel, error) {
	return &withoutRatioKernel{s}, nil
}

type withoutRatioKernel struct{ s *integrate.System }

func (k *withoutRatioKernel) Step(x sde.Batch, t float64, stream *sde.Stream) {
	d, l := k.s.State, sde.LossOf(k.s.Equation)
	z, u, g, y := make([]float64, x.Rows*d), make([]float64, x.Rows), make([]float64, d), make([]float64, d)
	stream.Increments(z)
	stream.Uniforms(u)
	scale, _ := k.s.Isotropic(t)
	for i := range x.Rows {
		row := x.Row(i)
		l.Gradient(g, row[:d])
		for j := range y {
			y[j] = row[j] - k.s.Step*g[j] + math.Sqrt(k.s.Step)*scale*z[i*d+j]
		}
		a := math.Min(1, math.Exp((l.Value(row[:d])-l.Value(y))/(scale*scale/2)))
		if u[i] < a {
			copy(row, y)
		}
		row[d] = a
	}
}

// chainStep is one step of a Metropolis chain as a function of its noise.
type chainStep struct {
	kernel integrate.Kernel
	stream *sde.Stream
	x      sde.Batch
	d      int
	z      []float64
	u      float64
}

func newChainStep(t testing.TB, scheme integrate.Scheme, flow sde.Flow, h float64) *chainStep {
	t.Helper()
	d := flow.Loss.Dim()
	k, err := scheme.Bind(integrate.NewSystem(flow, sde.Ito, h, 1))
	if err != nil {
		t.Fatal(err)
	}
	c := &chainStep{kernel: k, x: sde.NewBatch(1, scheme.(integrate.Augmented).Width(d)), d: d}
	c.stream = sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) { copy(dst, c.z) },
		Uniforms: func(dst []float64) { dst[0] = c.u }})
	return c
}

// step returns the state after a step from x and its acceptance probability.
func (c *chainStep) step(x, z []float64, u float64) (y []float64, a float64) {
	copy(c.x.Data, x)
	c.z, c.u = z, u
	c.stream.At(sde.Steps, 0, 0)
	c.kernel.Step(c.x, 0, c.stream)
	return c.x.Data[:c.d], c.x.Data[c.d]
}

// proposal returns the noise that takes x to y, and log q(y|x) without its constant.
func proposal(l sde.Loss, langevin bool, x, y []float64, temperature, h float64) (z []float64, logq float64) {
	g := make([]float64, len(x))
	if langevin {
		l.Gradient(g, x)
	}
	z = make([]float64, len(x))
	for j := range x {
		z[j] = (y[j] - x[j] + h*g[j]) / math.Sqrt(2*temperature*h)
		logq -= z[j] * z[j] / 2
	}
	return z, logq
}

// imbalance returns the largest violation of detailed balance between random pairs,
//
//	log[π(x) q(y|x) α(x,y)] − log[π(y) q(x|y) α(y,x)]
//
// over 1 + the sum of the terms' sizes.
func imbalance(t *testing.T, scheme integrate.Scheme, flow sde.Flow, temperature, h, spread float64) (worst float64) {
	_, walk := scheme.(integrate.RandomWalkMetropolis)
	c := newChainStep(t, scheme, flow, h)
	rnd := rand.New(rand.NewPCG(1, 2))
	x, y := make([]float64, c.d), make([]float64, c.d)
	for range 300 {
		for j := range x {
			x[j], y[j] = spread*rnd.NormFloat64(), spread*rnd.NormFloat64()
		}
		zx, qx := proposal(flow.Loss, !walk, x, y, temperature, h)
		zy, qy := proposal(flow.Loss, !walk, y, x, temperature, h)
		_, ax := c.step(x, zx, 0.5)
		_, ay := c.step(y, zy, 0.5)
		if ax < 1e-290 || ay < 1e-290 {
			continue // where numbers lose digits
		}
		// What is done must be what is stated.
		for _, u := range []float64{ax * (1 - 1e-9), ax * (1 + 1e-9)} {
			to, _ := c.step(x, zx, u)
			want := x
			if u < ax {
				want = y
			}
			for j := range want {
				if math.Abs(to[j]-want[j]) > 1e-12*(1+spread+h*norm(zx)) {
					t.Fatalf("%T: α = %v, u = %v: from %v to %v, want %v", scheme, ax, u, x, to, want)
				}
			}
		}
		lx, ly := flow.Loss.Value(x)/temperature, flow.Loss.Value(y)/temperature
		e := math.Abs(-lx + qx + math.Log(ax) + ly - qy - math.Log(ay))
		worst = math.Max(worst, e/(1+math.Abs(lx)+math.Abs(ly)+math.Abs(qx)+math.Abs(qy)))
	}
	return worst
}

func norm(v []float64) float64 { return mat.Norm(mat.NewVecDense(len(v), v), 2) }

func TestMetropolisDetailedBalance(t *testing.T) {
	for _, test := range []struct {
		loss                   sde.Loss
		temperature, h, spread float64
	}{
		{loss.DoubleWell{}, 0.2, 0.3, 1}, {loss.DoubleWell{}, 0.2, 0.01, 1}, {loss.MullerBrown{}, 15, 1e-3, 0.5},
		{loss.Rosenbrock{}, 1, 1e-3, 1}, {quartic{}, 1, 0.2, 2}, {loss.DoubleWells{D: 5}, 0.3, 0.1, 1},
	} {
		flow := sde.Flow{Loss: test.loss, Diffusion: noise.Temperature{T: test.temperature}}
		for _, scheme := range []integrate.Scheme{integrate.MALA{}, integrate.RandomWalkMetropolis{}} {
			if e := imbalance(t, scheme, flow, test.temperature, test.h, test.spread); !(e < 1e-13) {
				t.Errorf("%T on %T, h = %g: detailed balance is violated by %.3g", scheme, test.loss, test.h, e)
			}
		}
		if e := imbalance(t, withoutRatio{}, flow, test.temperature, test.h, test.spread); !(e > 1e-4) {
			t.Errorf("%T, h = %g: planted fault not found: without the proposals' ratio detailed balance is violated by %.3g only", test.loss, test.h, e)
		}
	}
}

// kernelEigenvector returns the largest difference, relative to the mode, between
// Boltzmann's density and the stationary one of a chain in one dimension, whose
// kernel is taken on an even grid.
func kernelEigenvector(t *testing.T, scheme integrate.Scheme, l sde.Loss, temperature, h float64) (difference float64) {
	const n, lo, hi = 160, -2.2, 2.2
	_, walk := scheme.(integrate.RandomWalkMetropolis)
	c := newChainStep(t, scheme, sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}, h)
	dx := (hi - lo) / n
	at := func(i int) float64 { return lo + (float64(i)+0.5)*dx }
	p := mat.NewDense(n, n, nil)
	x, y := make([]float64, 1), make([]float64, 1)
	for i := range n {
		stay := 1.0
		for j := range n {
			if i == j {
				continue
			}
			x[0], y[0] = at(i), at(j)
			z, q := proposal(l, !walk, x, y, temperature, h)
			_, a := c.step(x, z, 0.5)
			v := a * math.Exp(q) / math.Sqrt(4*math.Pi*temperature*h) * dx
			p.Set(i, j, v)
			stay -= v
		}
		p.Set(i, i, stay)
	}
	// The stationary law by repeated squaring: every row of P^(2^k) tends to it.
	for range 16 {
		var square mat.Dense
		square.Mul(p, p)
		p.Copy(&square)
	}
	law := p.RawRowView(0)
	var total, z, mode float64
	for i, v := range law {
		total += v
		z += math.Exp(-l.Value([]float64{at(i)}) / temperature)
		mode = math.Max(mode, math.Exp(-l.Value([]float64{at(i)})/temperature))
	}
	for i, v := range law {
		b := math.Exp(-l.Value([]float64{at(i)}) / temperature)
		difference = math.Max(difference, math.Abs(v/total*z-b)/mode)
	}
	return difference
}

// TestMetropolisExact holds the eigenvector of the transition kernel to Boltzmann's law.
func TestMetropolisExact(t *testing.T) {
	for _, h := range []float64{0.1, 0.5} {
		for _, scheme := range []integrate.Scheme{integrate.MALA{}, integrate.RandomWalkMetropolis{}} {
			if e := kernelEigenvector(t, scheme, loss.DoubleWell{}, 0.2, h); !(e < 1e-10) {
				t.Errorf("%T, h = %g: the kernel's eigenvector is off Boltzmann's law by %.3g", scheme, h, e)
			}
		}
		if e := kernelEigenvector(t, withoutRatio{}, loss.DoubleWell{}, 0.2, h); !(e > 1e-3) {
			t.Errorf("planted fault not found: without the proposals' ratio the eigenvector is off by %.3g only", e)
		}
	}
}

// TestMetropolisLaw is the same by Monte Carlo through a run, tuning included.
func TestMetropolisLaw(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const temperature, seed = 0.2, 301
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: temperature}},
		Step: 0.5, Particles: 1 << 15, Seed: seed + *seedShift}
	p := func(scheme integrate.Scheme) float64 {
		e.Scheme = scheme
		hist := stationary.NewHistogram(-2.5, 2.5, 100)
		mustRun(t, e, integrate.Schedule{BurnIn: 30, Time: 10, Every: 2.5}, hist)
		law, err := stationary.Boltzmann(loss.DoubleWell{}, temperature)
		if err != nil {
			t.Fatal(err)
		}
		report, err := stationary.Compare(law, hist)
		if err != nil {
			t.Fatal(err)
		}
		return report.PValue()
	}
	for _, scheme := range []integrate.Scheme{integrate.MALA{Tuning: 20}, integrate.RandomWalkMetropolis{}} {
		v := p(scheme)
		accept(t, fmt.Sprintf("%T against Boltzmann's law", scheme), seed, math.NaN(), v)
	}
	v := p(withoutRatio{})
	reject(t, "without the proposals' ratio", seed, math.NaN(), v)
}

// gammaLoss is L = x − 2 log x, whose density at T = 1 is that of Γ(3); not a number for x < 0.
type gammaLoss struct{}

func (gammaLoss) Dim() int                      { return 1 }
func (gammaLoss) Value(theta []float64) float64 { return theta[0] - 2*math.Log(theta[0]) }
func (gammaLoss) Gradient(dst, theta []float64) {
	dst[0] = math.NaN()
	if theta[0] > 0 {
		dst[0] = 1 - 2/theta[0]
	}
}

// TestMetropolisNotFinite: where the loss is no number nobody goes, and the law on the rest is exact.
func TestMetropolisNotFinite(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const seed = 302
	box := sde.Box{Lo: []float64{0}, Hi: []float64{math.Inf(1)}}
	for i, test := range []struct {
		scheme integrate.Scheme
		flow   sde.Flow
		mean   float64
	}{
		{integrate.MALA{}, sde.Flow{Loss: gammaLoss{}, Diffusion: noise.Temperature{T: 1}}, 3},
		{integrate.RandomWalkMetropolis{}, sde.Flow{Loss: gammaLoss{}, Diffusion: noise.Temperature{T: 1}}, 3},
		{integrate.MALA{}, sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 1}, Domain: box}, math.Sqrt(2 / math.Pi)},
	} {
		e := integrate.Ensemble{Equation: test.flow, Scheme: test.scheme, Step: 1, Particles: 1 << 14, Seed: seed + uint64(i) + *seedShift, Start: integrate.Points{{1}}}
		m := integrate.NewMean(1, func(dst, theta []float64) { dst[0] = theta[0] })
		mustRun(t, e, integrate.Schedule{BurnIn: 40, Time: 40, Every: 10}, m)
		s, p := estimateP(m.Estimate(0), test.mean)
		accept(t, fmt.Sprintf("mean of %T on %T", test.scheme, test.flow.Loss), e.Seed, s, p)
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: gammaLoss{}, Diffusion: noise.Temperature{T: 1}}, Scheme: integrate.MALA{}, Step: 0.1, Particles: 3, Start: integrate.Points{{1}, {-1}}}
	_, err := e.Run(context.Background(), integrate.Schedule{Time: 1})
	var d *integrate.DivergenceError
	if !errors.As(err, &d) || d.Particle != 1 || d.Before[0] != -1 || d.Err == nil || !strings.Contains(err.Error(), "start elsewhere") {
		t.Errorf("a start without density: error %v", err)
	}
	// Far out on a quartic every proposal of this step overflows: nobody moves, nothing diverges.
	e = integrate.Ensemble{Equation: sde.Flow{Loss: quartic{}, Diffusion: noise.Temperature{T: 1}}, Scheme: integrate.MALA{}, Step: 1, Particles: 3, Start: integrate.Points{{1e60}}}
	if x := finals(t, e, integrate.Schedule{Time: 3}); x.Data[0] != 1e60 {
		t.Errorf("a particle whose proposals all overflow went to %g", x.Data[0])
	}
}

// wellQuantile returns the inverse distribution function of a coordinate of loss.DoubleWells at T.
func wellQuantile(temperature float64) func(u float64) float64 {
	const n, r = 1 << 14, 3.0
	cdf := make([]float64, n+1)
	for i := range n {
		x := r * (2*(float64(i)+0.5)/n - 1)
		cdf[i+1] = cdf[i] + math.Exp(-(x*x-1)*(x*x-1)/4/temperature)
	}
	return func(u float64) float64 {
		u *= cdf[n]
		i := sort.SearchFloat64s(cdf, u) - 1
		i = max(i, 0)
		return r * (2*(float64(i)+(u-cdf[i])/(cdf[i+1]-cdf[i]))/n - 1)
	}
}

// optimum returns the acceptance probability where the mean squared jump of one step
// from equilibrium is largest, and its standard error.
func optimum(t *testing.T, scheme integrate.Scheme, d int, lo, hi float64, seed uint64) (rate, stderr float64) {
	const groups, rows, points, temperature = 32, 192, 7, 0.5
	quantile := wellQuantile(temperature)
	starts := make([]float64, groups*rows*d)
	stream := sde.NewStream(seed, nil)
	stream.Uniforms(starts)
	for i, u := range starts {
		starts[i] = quantile(u)
	}
	flow := sde.Flow{Loss: loss.DoubleWells{D: d}, Diffusion: noise.Temperature{T: temperature}}
	var logh [points]float64
	var jump, accepted [points][groups]float64
	x := sde.NewBatch(rows, d+1)
	for i := range points {
		logh[i] = math.Log(lo) + math.Log(hi/lo)*float64(i)/(points-1)
		h := math.Exp(logh[i])
		k, err := scheme.Bind(integrate.NewSystem(flow, sde.Ito, h, rows))
		if err != nil {
			t.Fatal(err)
		}
		for g := range groups {
			for r := range rows {
				copy(x.Row(r), starts[(g*rows+r)*d:][:d])
			}
			stream.At(sde.Steps, g, 0)
			// A step with the uniform number taken over: the jump's mean is its length times α.
			z := make([]float64, rows*d)
			stream.Increments(z)
			s := sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) { copy(dst, z) }, Uniforms: func(dst []float64) {
				for i := range dst {
					dst[i] = 1e-300
				}
			}})
			k.Step(x, 0, s)
			for r := range rows {
				var q float64
				for j, v := range x.Row(r)[:d] {
					w := v - starts[(g*rows+r)*d+j]
					q += w * w
				}
				jump[i][g] += q * x.Row(r)[d] / rows
				accepted[i][g] += x.Row(r)[d] / rows
			}
		}
	}
	// A cubic in log h through log jump, without one group each time.
	at := func(without int) float64 {
		mean := func(v [groups]float64) (m float64) {
			n := 0.0
			for g, w := range v {
				if g != without {
					m += w
					n++
				}
			}
			return m / n
		}
		design, a, b := mat.NewDense(points, 4, nil), mat.NewVecDense(points, nil), mat.NewVecDense(points, nil)
		for i := range points {
			s := logh[i] - logh[points/2]
			design.SetRow(i, []float64{1, s, s * s, s * s * s})
			a.SetVec(i, math.Log(mean(jump[i])))
			b.SetVec(i, mean(accepted[i]))
		}
		var ca, cb mat.VecDense
		if ca.SolveVec(design, a) != nil || cb.SolveVec(design, b) != nil {
			t.Fatal("no fit")
		}
		best, at := math.Inf(-1), 0.0
		for s := logh[0] - logh[points/2]; s < logh[points-1]-logh[points/2]; s += 1e-3 {
			if v := ca.AtVec(0) + s*(ca.AtVec(1)+s*(ca.AtVec(2)+s*ca.AtVec(3))); v > best {
				best, at = v, s
			}
		}
		return cb.AtVec(0) + at*(cb.AtVec(1)+at*(cb.AtVec(2)+at*cb.AtVec(3)))
	}
	rate = at(-1)
	for g := range groups {
		e := at(g) - rate
		stderr += e * e
	}
	return rate, math.Sqrt(stderr * (groups - 1) / groups)
}

// TestMetropolisOptimum: the acceptance rate of the step whose mean squared jump is
// largest, on a product target, is within 0.03 of what it is in infinitely many dimensions.
func TestMetropolisOptimum(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const seed = 303
	outside := func(rate, stderr, want float64) (z, p float64) {
		z = math.Max(0, math.Abs(rate-want)-0.03) / stderr
		return z, normalP(z)
	}
	c := math.Pow(4, -1./3)
	rate, stderr := optimum(t, integrate.MALA{}, 400, 0.045*c, 0.13*c, seed+*seedShift)
	z, p := outside(rate, stderr, 0.574)
	t.Logf("MALA, d = 400: best at %.4f ± %.4f", rate, stderr)
	accept(t, fmt.Sprintf("MALA: best acceptance %.4f ± %.4f", rate, stderr), seed, z, p)
	rate, stderr = optimum(t, integrate.RandomWalkMetropolis{}, 100, 0.009, 0.032, seed+1+*seedShift)
	z, p = outside(rate, stderr, 0.234)
	t.Logf("random walk, d = 100: best at %.4f ± %.4f", rate, stderr)
	accept(t, fmt.Sprintf("random walk: best acceptance %.4f ± %.4f", rate, stderr), seed+1, z, p)
	rate, stderr = optimum(t, withoutRatio{}, 100, 0.02, 0.13, seed+2+*seedShift)
	z, p = outside(rate, stderr, 0.574)
	t.Logf("without the ratio, d = 100: best at %.4f ± %.4f", rate, stderr)
	reject(t, fmt.Sprintf("without the proposals' ratio: best acceptance %.4f ± %.4f", rate, stderr), seed+2, z, p)
}

// TestMetropolisTuning: from steps far too long and too short the acceptance rate gets
// where it is to be, and stays as it is after the burn-in.
func TestMetropolisTuning(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const d = 100
	for _, test := range []struct {
		scheme integrate.Scheme
		h      float64
		want   float64
	}{
		{integrate.MALA{Tuning: 400}, 1, 0.574}, {integrate.MALA{Tuning: 0.4}, 0.001, 0.574}, {integrate.MALA{Tuning: 400, Target: 0.8}, 1, 0.8},
		{integrate.RandomWalkMetropolis{Tuning: 400}, 1, 0.234},
	} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWells{D: d}, Diffusion: noise.Temperature{T: 0.5}}, Scheme: test.scheme, Step: test.h, Particles: 256, Seed: 305}
		var early, late integrate.Acceptance
		s := integrate.Schedule{BurnIn: 400 * test.h, Time: 4 * test.h, Every: test.h}
		mustRun(t, e, s, &early)
		rate := early.Rate()
		t.Logf("%+v: %v, step %v", test.scheme, rate, early.Step())
		if !(math.Abs(rate.Value-test.want) < 0.03) {
			t.Errorf("%+v from h = %g: acceptance %v, want %g ± 0.03", test.scheme, test.h, rate, test.want)
		}
		s.BurnIn = 500 * test.h
		mustRun(t, e, s, &late)
		if early.Step() != late.Step() {
			t.Errorf("%+v: the step goes on changing after it was tuned, from %v to %v", test.scheme, early.Step(), late.Step())
		}
		s.BurnIn = 399 * test.h
		if _, err := e.Run(context.Background(), s); !isInvalid(err) || !strings.Contains(err.Error(), "tuned") {
			t.Errorf("%+v: a burn-in that is too short: error %v", test.scheme, err)
		}
	}
}

// TestAcceptanceBits: the same bits for any workers, shards and replays, tuned.
func TestAcceptanceBits(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWells{D: 16}, Diffusion: noise.Temperature{T: 0.5}}, Scheme: integrate.MALA{Tuning: 4}, Step: 0.1, Particles: 500, Seed: 1, Groups: 6, Workers: 1}
	s := integrate.Schedule{BurnIn: 4, Time: 2, Every: 1}
	a, m := new(integrate.Acceptance), new(integrate.Moments)
	mustRun(t, e, s, a, m)
	want := groupsOf(6, a, m)
	e.Workers = 3
	a, m = new(integrate.Acceptance), new(integrate.Moments)
	mustRun(t, e, s, a, m)
	if !bytes.Equal(groupsOf(6, a, m), want) {
		t.Error("bits depend on the workers")
	}
	var paths []string
	for i := range 3 {
		e.Shard = integrate.Shard{Index: i, Count: 3}
		paths = append(paths, filepath.Join(t.TempDir(), "shard"))
		if err := mustRun(t, e, s, new(integrate.Acceptance), new(integrate.Moments)).Save(paths[i]); err != nil {
			t.Fatal(err)
		}
	}
	e.Shard = integrate.Shard{}
	a, m = new(integrate.Acceptance), new(integrate.Moments)
	if _, err := e.Merge(s, paths, a, m); err != nil || !bytes.Equal(groupsOf(6, a, m), want) {
		t.Errorf("merged shards have other bits, error %v", err)
	}
	e.Scheme = nil
	if _, err := e.Run(context.Background(), s, a); !isInvalid(errors.Unwrap(err)) {
		t.Errorf("acceptance of Euler–Maruyama: error %v", err)
	}
	if err := a.LoadGroup(0, []byte{1}); err == nil {
		t.Error("a saved group of one byte was taken")
	}
}

// TestMetropolisMoved: where an observer puts a particle elsewhere, what is known of the
// place it was at is not used.
func TestMetropolisMoved(t *testing.T) {
	flow := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	x := sde.NewBatch(3, 2)
	step := func(k integrate.Kernel, n int) {
		s := sde.NewStream(9, nil)
		s.At(sde.Steps, 0, n)
		k.Step(x, 0, s)
	}
	k, _ := integrate.MALA{}.Bind(integrate.NewSystem(flow, sde.Ito, 0.1, 3))
	step(k, 0)
	x.Row(1)[0] = 0.7
	copied := append([]float64(nil), x.Data...)
	step(k, 1)
	have := append([]float64(nil), x.Data...)
	copy(x.Data, copied)
	k, _ = integrate.MALA{}.Bind(integrate.NewSystem(flow, sde.Ito, 0.1, 3))
	step(k, 1)
	if digest(have...) != digest(x.Data...) {
		t.Error("a step depends on what a kernel saw before")
	}
}

func TestMetropolisRefusals(t *testing.T) {
	flow := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.2}}
	for _, test := range []struct {
		name     string
		equation sde.Equation
		scheme   integrate.Scheme
		want     string
	}{
		{"general noise", sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Func{State: 2, Noise: 2, B: func(dst, theta []float64, t float64) {}}}, integrate.MALA{}, "take EulerMaruyama"},
		{"diagonal noise", sde.Flow{Loss: loss.MullerBrown{}, Diffusion: noise.Diagonal{D: []float64{1, 2}}}, integrate.MALA{}, "take EulerMaruyama"},
		{"no loss", gbm{[]float64{1}, []float64{1}}, integrate.RandomWalkMetropolis{}, "take EulerMaruyama"},
		{"no noise", sde.Flow{Loss: loss.DoubleWell{}}, integrate.MALA{}, "noise.Temperature"},
		{"stable noise", sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Stable{Alpha: 1.5, Scale: 1}}, integrate.MALA{}, "take StableEuler"},
		{"a periodic box", sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 1}, Domain: sde.Box{Lo: []float64{-2}, Hi: []float64{2}, Boundary: sde.Periodic}}, integrate.MALA{}, "take EulerMaruyama"},
		{"Tuning", flow, integrate.MALA{Tuning: -1}, "MALA.Tuning"},
		{"Tuning", flow, integrate.RandomWalkMetropolis{Tuning: math.NaN()}, "RandomWalkMetropolis.Tuning"},
		{"Target", flow, integrate.MALA{Target: 1}, "MALA.Target"},
		{"Target", flow, integrate.RandomWalkMetropolis{Target: -0.1}, "RandomWalkMetropolis.Target"},
	} {
		e := integrate.Ensemble{Equation: test.equation, Scheme: test.scheme, Step: 0.1, Particles: 1}
		if _, err := e.Run(context.Background(), integrate.Schedule{Time: 1}); !isInvalid(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
}

func TestMetropolisBattery(t *testing.T) {
	for _, scheme := range []integrate.Scheme{integrate.MALA{}, integrate.MALA{Tuning: 0.25}, integrate.RandomWalkMetropolis{}} {
		// A step is not linear in its noise where it may be refused.
		integratetest.Test(t, scheme, integratetest.Options{Skip: []string{"quadratic"}})
	}
}
