// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// TestHeavyBallExact holds the law of θ and p on a quadratic to that of the equation,
// Var θ = T_eff/k exactly and Var p = T_eff (1 − h²k/4), and has the flow's own T
// rejected.
func TestHeavyBallExact(t *testing.T) {
	for _, test := range []struct{ k, temperature, h, rate, momentum float64 }{
		{1, 0.3, 0.1, 0.1, 0.9}, {2, 1, 0.5, 0.01, 0.5}, {0.5, 0.2, 1.7, 0.3, 0}, {4, 0.7, 0.9, 1e-4, 0.999},
	} {
		scheme := integrate.HeavyBall{LearningRate: test.rate, Momentum: test.momentum}
		a, v := affine(t, scheme, test.k, test.temperature, test.h, 2)
		s := stationaryCovariance(a, v)
		effective := test.temperature / (1 - test.momentum)
		// The row's p is the scheme's before half a kick.
		lead := test.h / 2 * test.k
		q2, qp := s.At(0, 0), s.At(0, 1)-lead*s.At(0, 0)
		p2 := s.At(1, 1) - 2*lead*s.At(0, 1) + lead*lead*s.At(0, 0)
		for _, e := range []struct {
			what      string
			have, exp float64
		}{{"Var θ", q2, effective / test.k}, {"Var p", p2, effective * (1 - test.h*test.h*test.k/4)}, {"Cov", qp, 0}} {
			if math.Abs(e.have-e.exp) > 2e-12*effective*(1+1/test.k) {
				t.Errorf("%+v: %s = %.15g, exact %.15g", test, e.what, e.have, e.exp)
			}
		}
		if test.momentum > 0 && math.Abs(q2-test.temperature/test.k) < 0.3*q2 {
			t.Errorf("%+v: the variance is that of the flow's T", test)
		}
	}
}

// optimizer returns the one-step matrix of (x, v) and the vector of ξ of v′ = μv − η(k(x
// + aμv) + ξ), x′ = x + v′, with a = 1 for Nesterov's.
func optimizer(rate, momentum, k, ahead float64) (m *mat.Dense, noise []float64) {
	c := momentum * (1 - ahead*rate*k)
	return mat.NewDense(2, 2, []float64{1 - rate*k, c, -rate * k, c}), []float64{-rate, -rate}
}

// momentumSDE returns drift and noise of the equation of (θ, p) on a quadratic of
// curvature k for gradient noise of unit covariance.
func momentumSDE(rate, momentum, k, ahead float64) (a *mat.Dense, noise []float64) {
	friction := (1 - momentum) / math.Sqrt(rate)
	return mat.NewDense(2, 2, []float64{0, 1, -k, -friction - ahead*momentum*math.Sqrt(rate)*k}), []float64{0, math.Pow(rate, 0.25)}
}

// ouMoments returns e^(At) and the covariance at time t from a point, by Van Loan's
// block exponential.
func ouMoments(a *mat.Dense, noise []float64, t float64) (propagator, covariance *mat.Dense) {
	n := len(noise)
	block := mat.NewDense(2*n, 2*n, nil)
	for i := range n {
		for j := range n {
			block.Set(i, j, -t*a.At(i, j))
			block.Set(i, n+j, t*noise[i]*noise[j])
			block.Set(n+i, n+j, t*a.At(j, i))
		}
	}
	var e mat.Dense
	e.Exp(block)
	propagator, covariance = mat.DenseCopyOf(e.Slice(n, 2*n, n, 2*n).T()), new(mat.Dense)
	covariance.Mul(propagator, e.Slice(0, n, n, 2*n))
	return propagator, covariance
}

// slopeOf returns the order of the last two errors at steps h.
func slopeOf(h, e []float64) float64 {
	n := len(h) - 1
	return math.Log(e[n]/e[n-1]) / math.Log(h[n]/h[n-1])
}

// TestMomentumOptimizer holds the optimizers' exact stationary law to its closed form
// (b.3 of the theory) and to that of the equations as η → 0 at constant friction, and
// their means and covariances at a finite time: with the orders in √η that HeavyBall and
// Nesterov state.
func TestMomentumOptimizer(t *testing.T) {
	const k, friction = 1.3, 0.8
	for _, test := range []struct {
		name  string
		ahead float64
	}{{"heavy ball", 0}, {"Nesterov", 1}} {
		var steps, varX, varP, cov, finite []float64
		for root := 0.2; root > 0.01; root /= 2 { // √η
			rate, momentum := root*root, 1-friction*root
			m, v := optimizer(rate, momentum, k, test.ahead)
			s := stationaryCovariance(m, v)
			mu := momentum * (1 - test.ahead*rate*k)
			den := (1 - mu) * (2*(1+mu) - rate*k)
			for _, e := range []struct{ have, want float64 }{
				{s.At(0, 0), rate * (1 + mu) / (k * den)}, {s.At(0, 1), rate * rate / den}, {s.At(1, 1), 2 * rate * rate / den},
				// As the documentation writes it.
				{s.At(0, 0), rate / (2 * (1 - mu)) / k / (1 - rate*k/(2*(1+mu)))},
				{s.At(0, 1), rate * k / (1 + mu) * s.At(0, 0)}, {s.At(1, 1), 2 * rate * k / (1 + mu) * s.At(0, 0)},
			} {
				if math.Abs(e.have-e.want) > 1e-11*s.At(0, 0) {
					t.Errorf("%s, √η = %g: covariance %.15g, closed form %.15g", test.name, root, e.have, e.want)
				}
			}
			// The equation's own: T_eff = η/(2(1−μ̃)).
			effective := rate / (2 * (1 - mu))
			a, b := momentumSDE(rate, momentum, k, test.ahead)
			residual := []float64{2 * a.At(1, 0) * 0, a.At(1, 0)*effective/k + effective, 2*a.At(1, 1)*effective + b[1]*b[1]}
			for _, r := range residual {
				if math.Abs(r) > 1e-13 {
					t.Errorf("%s: Lyapunov's equation is missed by %.3g", test.name, r)
				}
			}
			steps = append(steps, root)
			varX = append(varX, math.Abs(s.At(0, 0)/(effective/k)-1))
			varP = append(varP, math.Abs(s.At(1, 1)/rate/effective-1))
			cov = append(cov, math.Abs(s.At(0, 1)/root/effective))
			// From (1, 0) over a time of 1.
			n := int(math.Round(1 / root))
			propagator, covariance := ouMoments(a, b, float64(n)*root)
			mean, second := mat.NewVecDense(2, []float64{1, 0}), mat.NewDense(2, 2, nil)
			for range n {
				var next mat.VecDense
				next.MulVec(m, mean)
				mean.CopyVec(&next)
				var c mat.Dense
				c.Product(m, second, m.T())
				for i := range 2 {
					for j := range 2 {
						second.Set(i, j, c.At(i, j)+v[i]*v[j])
					}
				}
			}
			e := math.Hypot(mean.AtVec(0)-propagator.At(0, 0), mean.AtVec(1)/root-propagator.At(1, 0))
			e = math.Hypot(e, (second.At(0, 0)-covariance.At(0, 0))/effective)
			finite = append(finite, math.Hypot(e, (second.At(1, 1)/rate-covariance.At(1, 1))/effective))
		}
		for _, o := range []struct {
			what  string
			e     []float64
			order float64
		}{{"Var x", varX, 2}, {"Var p", varP, 1}, {"Cov", cov, 1}, {"moments at time 1", finite, 1}} {
			have := slopeOf(steps, o.e)
			t.Logf("%s: %s: error %.3g at √η = %g, order %.3f", test.name, o.what, o.e[len(o.e)-1], steps[len(steps)-1], have)
			if math.Abs(have-o.order) > 0.1 {
				t.Errorf("%s: error of %s %.3g is of order %.3f in √η, want %g", test.name, o.what, o.e, have, o.order)
			}
		}
	}
}

// linearNoise is noise bθ dW in one dimension.
type linearNoise struct{ b float64 }

func (linearNoise) Dims() (state, noise int)               { return 1, 1 }
func (n linearNoise) Root(dst, theta []float64, _ float64) { dst[0] = n.b * theta[0] }

// momentumLinear returns the matrices of a step r′ = (M + zN) r of (θ, p) on a quadratic
// of curvature k with linear noise, and the matrix that takes θ to the row at the start.
func momentumLinear(t *testing.T, scheme integrate.Scheme, k, b, h float64) (m, n *mat.Dense) {
	t.Helper()
	kernel, err := scheme.Bind(integrate.NewSystem(sde.Flow{Loss: quadratic{k}, Diffusion: linearNoise{b}}, sde.Ito, h, 2))
	if err != nil {
		t.Fatal(err)
	}
	step := func(z float64) *mat.Dense {
		stream := sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) {
			for i := range dst {
				dst[i] = z
			}
		}})
		x := sde.NewBatch(2, 2)
		x.Data[0], x.Data[3] = 1, 1
		stream.At(sde.Steps, 0, 0)
		kernel.Step(x, 0, stream)
		m := mat.NewDense(2, 2, nil)
		for i := range 2 {
			for j := range 2 {
				m.Set(i, j, x.Row(j)[i])
			}
		}
		return m
	}
	m, n = step(0), step(1)
	n.Sub(n, m)
	check, far := step(3), new(mat.Dense)
	far.Scale(3, n)
	far.Add(far, m)
	if !mat.EqualApprox(check, far, 1e-12) {
		t.Fatal("the step is not linear in the noise")
	}
	return m, n
}

// momentumStart returns the row that θ = 1 starts with, and the scale of the noise of
// its p.
func momentumStart(t *testing.T, scheme integrate.Scheme, k, b, h float64) (row *mat.VecDense, spread float64) {
	t.Helper()
	kernel, err := scheme.Bind(integrate.NewSystem(sde.Flow{Loss: quadratic{k}, Diffusion: linearNoise{b}}, sde.Ito, h, 1))
	if err != nil {
		t.Fatal(err)
	}
	start := func(z float64) []float64 {
		x := sde.NewBatch(1, 2)
		x.Data[0] = 1
		kernel.(integrate.Starter).Start(x, sde.NewScriptedStream(sde.Script{Normals: func(dst []float64) { dst[0] = z }}))
		return x.Data
	}
	from := start(0)
	return mat.NewVecDense(2, from), start(1)[1] - from[1]
}

// TestMomentumWeakOrder: with noise that depends on θ, E θ and E θ² at time 1 are of
// order 2 in h. Both are found by algebra. The planted faults: noise taken before the
// half drift, and a kick of Euler's rule for the midpoint rule, are of order 1; a gradient
// that is not taken ahead solves another equation.
func TestMomentumWeakOrder(t *testing.T) {
	const k, b, rate, momentum = 1.3, 0.7, 0.25, 0.4
	friction, ahead := (1-momentum)/math.Sqrt(rate), momentum*math.Sqrt(rate)
	for _, test := range []struct {
		name     string
		scheme   integrate.Scheme
		friction float64
		fault    string
		order    float64
	}{
		{"heavy ball", integrate.HeavyBall{LearningRate: rate, Momentum: momentum}, friction, "", 2},
		{"Nesterov", integrate.Nesterov{LearningRate: rate, Momentum: momentum}, friction + ahead*k, "", 2},
		{"heavy ball, noise before the drift", integrate.HeavyBall{LearningRate: rate, Momentum: momentum}, friction, "early", 1},
		{"Nesterov, noise before the drift", integrate.Nesterov{LearningRate: rate, Momentum: momentum}, friction + ahead*k, "early", 1},
		{"Nesterov, Euler's kick", integrate.Nesterov{LearningRate: rate, Momentum: momentum}, friction + ahead*k, "kick", 1},
		{"Nesterov, its gradient not ahead", integrate.HeavyBall{LearningRate: rate, Momentum: momentum}, friction + ahead*k, "", 0},
	} {
		// d/dt of (E θ², E θp, E p²).
		g := mat.NewDense(3, 3, []float64{0, 2, 0, -k, -test.friction, 1, b * b / math.Sqrt(rate), -2 * k, -2 * test.friction})
		a := mat.NewDense(2, 2, []float64{0, 1, -k, -test.friction})
		var eg, ea mat.Dense
		eg.Exp(g)
		ea.Exp(a)
		var steps, errs []float64
		for n := 8; n <= 128; n *= 2 {
			h := 1 / float64(n)
			m, noise := momentumLinear(t, test.scheme, k, b, h)
			// The start from θ = 1, without and with its noise.
			lead, spread := momentumStart(t, test.scheme, k, b, h)
			second := mat.NewDense(2, 2, nil)
			second.Outer(1, lead, lead)
			second.Set(1, 1, second.At(1, 1)+spread*spread)
			switch test.fault {
			case "kick":
				// What the midpoint adds to p, and half a drift and the friction make of it.
				for j, v := range []float64{1, h/2 + ahead} {
					v *= ahead * k * k * h * h / 2
					m.Set(0, j, m.At(0, j)-h/2*v)
					m.Set(1, j, m.At(1, j)-math.Exp(-friction*h)*v)
				}
			case "early":
				// B at the start of the step, where the row (1, 0) has it.
				var planted mat.Dense
				planted.CloneFrom(noise)
				planted.SetCol(1, []float64{0, 0})
				noise = &planted
			}
			for range n {
				var next mat.VecDense
				next.MulVec(m, lead)
				lead.CopyVec(&next)
				var p, q mat.Dense
				p.Product(m, second, m.T())
				q.Product(noise, second, noise.T())
				second.Add(&p, &q)
			}
			steps = append(steps, h)
			errs = append(errs, math.Hypot(lead.AtVec(0)-ea.At(0, 0), second.At(0, 0)-eg.At(0, 0)))
		}
		have := slopeOf(steps, errs)
		t.Logf("%s: error %.3g at h = %.3g, order %.3f", test.name, errs[len(errs)-1], steps[len(steps)-1], have)
		if math.Abs(have-test.order) > 0.1 {
			t.Errorf("%s: errors %.3g, order %.3f, want %g", test.name, errs, have, test.order)
		}
	}
}

// TestMomentumLyapunov: in two dimensions, with constant noise that does not commute
// with the Hessian, the scheme's covariance tends to that of the equation at order 2 in
// h.
func TestMomentumLyapunov(t *testing.T) {
	const rate, momentum = 0.25, 0.4
	friction, ahead := (1-momentum)/math.Sqrt(rate), momentum*math.Sqrt(rate)
	hessian := mat.NewSymDense(2, []float64{2, 0.7, 0.7, 1})
	root := mat.NewDense(2, 2, []float64{0.9, 0, 0.4, 0.2})
	diffusion, err := noise.NewRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		scheme integrate.Scheme
		ahead  float64
	}{
		{"heavy ball", integrate.HeavyBall{LearningRate: rate, Momentum: momentum}, 0},
		{"Nesterov", integrate.Nesterov{LearningRate: rate, Momentum: momentum}, ahead},
		{"planted fault: Nesterov, its gradient not ahead", integrate.HeavyBall{LearningRate: rate, Momentum: momentum}, ahead},
	} {
		// A S + S Aᵀ + GGᵀ = 0 as a linear system.
		a, gg := mat.NewDense(4, 4, nil), mat.NewDense(4, 4, nil)
		for i := range 2 {
			a.Set(i, 2+i, 1)
			for j := range 2 {
				a.Set(2+i, j, -hessian.At(i, j))
				a.Set(2+i, 2+j, -test.ahead*hessian.At(i, j))
				for l := range 2 {
					gg.Set(2+i, 2+j, gg.At(2+i, 2+j)+root.At(i, l)*root.At(j, l)/math.Sqrt(rate))
				}
			}
			a.Set(2+i, 2+i, a.At(2+i, 2+i)-friction)
		}
		id := mat.NewDense(4, 4, nil)
		for i := range 4 {
			id.Set(i, i, 1)
		}
		var left, right mat.Dense
		left.Kronecker(a, id)
		right.Kronecker(id, a)
		left.Add(&left, &right)
		rhs := mat.NewVecDense(16, nil)
		for i := range 16 {
			rhs.SetVec(i, -gg.At(i/4, i%4))
		}
		var exact mat.VecDense
		if err := exact.SolveVec(&left, rhs); err != nil {
			t.Fatal(err)
		}
		var steps, errs []float64
		for h := 0.2; h > 0.02; h /= 2 {
			k, err := test.scheme.Bind(integrate.NewSystem(sde.Flow{Loss: denseQuadratic{hessian}, Diffusion: diffusion}, sde.Ito, h, 4))
			if err != nil {
				t.Fatal(err)
			}
			step := func(x sde.Batch, z ...float64) {
				stream := sde.NewScriptedStream(sde.Script{Increments: func(dst []float64) { copy(dst, z) }})
				stream.At(sde.Steps, 0, 0)
				k.Step(x, 0, stream)
			}
			x := sde.NewBatch(4, 4)
			for i := range 4 {
				x.Row(i)[i] = 1
			}
			step(x)
			m := mat.DenseCopyOf(mat.NewDense(4, 4, x.Data).T())
			y := sde.NewBatch(2, 4)
			step(y, 1, 0, 0, 1)
			n := mat.DenseCopyOf(mat.NewDense(2, 4, y.Data).T())
			var s, next mat.Dense
			s.Mul(n, n.T())
			power := mat.DenseCopyOf(m)
			for range 40 {
				var p mat.Dense
				next.Product(power, &s, power.T())
				s.Add(&s, &next)
				p.Mul(power, power)
				power.Copy(&p)
			}
			var e float64
			for i := range 2 {
				for j := range 2 {
					e = math.Hypot(e, s.At(i, j)-exact.AtVec(4*i+j))
				}
			}
			steps, errs = append(steps, h), append(errs, e)
		}
		have := slopeOf(steps, errs)
		t.Logf("%s: error %.3g at h = %.3g, order %.3f", test.name, errs[len(errs)-1], steps[len(steps)-1], have)
		want := 2.0
		if strings.HasPrefix(test.name, "planted fault") {
			want = 0
		}
		if math.Abs(have-want) > 0.1 {
			t.Errorf("%s: errors %.3g, order %.3f, want %g", test.name, errs, have, want)
		}
	}
}

// TestHeavyBallTemperature runs mini-batch noise with momentum on the double well and
// holds E θ² to the quadrature of the scheme's law at T_eff = T/(1−μ); that of T is
// rejected.
func TestHeavyBallTemperature(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const rate, momentum, h = 0.16, 0.5, 0.4
	batches := noise.Minibatch{LearningRate: rate, BatchSize: 8, Variance: 10}
	temperature := batches.Temperature(0) // 0.1
	particles := 1 << 15
	seed := 5210 + *seedShift
	var ball integrate.Scheme = integrate.HeavyBall{LearningRate: rate, Momentum: momentum}
	for _, diffusion := range []sde.Diffusion{batches, noise.Func{State: 1, Noise: 1, B: func(dst, _ []float64, _ float64) { dst[0] = math.Sqrt(2 * temperature) }}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: loss.DoubleWell{}, Diffusion: diffusion}, Scheme: ball,
			Step: h, Particles: particles, Seed: seed, Start: integrate.Points{{-1}, {1}}, Groups: min(64, particles/1024)}
		var m integrate.Moments
		mustRun(t, e, integrate.Schedule{BurnIn: 40 * h, Time: 200 * h, Every: 8 * h}, &m)
		v := m.SecondMoment(0, 0)
		friction := (1 - momentum) / math.Sqrt(rate)
		want := splittingLaw("BAOAB", h, temperature/(1-momentum), friction)
		s, p := estimateP(v, want)
		accept(t, fmt.Sprintf("heavy ball: E θ² %v against its quadrature %.6f", v, want), seed, s, p)
		want = splittingLaw("BAOAB", h, temperature, friction)
		s, p = estimateP(v, want)
		reject(t, "heavy ball: T for T/(1−μ)", seed, s, p)
	}
}

// cold is a heavy ball of the flow's own temperature.
type cold struct{ integrate.HeavyBall }

func (c cold) Bind(s *integrate.System) (integrate.Kernel, error) {
	f := s.Equation.(sde.Flow)
	t := f.Diffusion.(sde.Thermal).Temperature(0)
	f.Diffusion = noise.Temperature{T: t * (1 - c.Momentum)}
	return c.HeavyBall.Bind(integrate.NewSystem(f, sde.Ito, s.Step, s.Rows))
}

// TestHeavyBallFault: the battery finds a temperature that is off by 1/(1−μ).
func TestHeavyBallFault(t *testing.T) {
	o := integratetest.Options{Skip: []string{"invariance", "gradients"}}
	ball := integrate.HeavyBall{LearningRate: 0.1, Momentum: 0.9}
	if err := integratetest.Check(ball, o); err != nil {
		t.Error(err)
	}
	if err := integratetest.Check(cold{ball}, o); err == nil || !strings.Contains(err.Error(), "quadratic: the relative error of the variance 10 T/k") {
		t.Errorf("planted fault not found: T for T/(1−μ): %v", err)
	}
}

// TestMomentumSettings tables what is refused, and that any noise is not.
func TestMomentumSettings(t *testing.T) {
	flow := sde.Flow{Loss: quadratic{1}, Diffusion: noise.Temperature{T: 1}}
	run := func(f sde.Flow, scheme integrate.Scheme) error {
		_, err := integrate.Ensemble{Equation: f, Scheme: scheme, Step: 0.1, Particles: 3}.Run(context.Background(), integrate.Schedule{Time: 1})
		return err
	}
	of := map[string]func(rate, momentum float64) integrate.Scheme{
		"HeavyBall": func(r, m float64) integrate.Scheme { return integrate.HeavyBall{LearningRate: r, Momentum: m} },
		"Nesterov":  func(r, m float64) integrate.Scheme { return integrate.Nesterov{LearningRate: r, Momentum: m} },
	}
	for name, of := range of {
		for _, test := range []struct {
			rate, momentum float64
			field          string
		}{
			{0, 0.9, "LearningRate"}, {-1, 0.9, "LearningRate"}, {nan, 0.9, "LearningRate"}, {inf, 0.9, "LearningRate"},
			{0.1, 1, "Momentum"}, {0.1, -0.1, "Momentum"}, {0.1, nan, "Momentum"}, {0.1, 1.5, "Momentum"},
		} {
			err := run(flow, of(test.rate, test.momentum))
			if !isInvalid(err) || !strings.Contains(err.Error(), name+"."+test.field) {
				t.Errorf("%s: η = %g, μ = %g: error %v", name, test.rate, test.momentum, err)
			}
			if _, err := of(test.rate, test.momentum).Bind(integrate.NewSystem(flow, sde.Ito, 0.1, 1)); !isInvalid(err) {
				t.Errorf("%s: η = %g, μ = %g: Bind: error %v", name, test.rate, test.momentum, err)
			}
		}
		reflecting := flow
		reflecting.Domain = sde.Box{Lo: []float64{-1}, Hi: []float64{1}}
		if err := run(reflecting, of(0.1, 0.9)); !isInvalid(err) || !strings.Contains(err.Error(), "EulerMaruyama") {
			t.Errorf("%s: reflecting box: error %v", name, err)
		}
		for _, d := range []sde.Diffusion{nil, linearNoise{1}, noise.Diagonal{D: []float64{2}}, growing{1}} {
			for _, c := range []sde.Calculus{sde.Ito, sde.Stratonovich} {
				if err := run(sde.Flow{Loss: quadratic{1}, Diffusion: d, Calculus: c}, of(0.1, 0)); err != nil {
					t.Errorf("%s: %T noise, %v: error %v", name, d, c, err)
				}
			}
		}
	}
}

// ExampleHeavyBall shows that momentum heats: with μ = 0.9 the variance is that of ten
// times the temperature.
func ExampleHeavyBall() {
	batches := noise.Minibatch{LearningRate: 0.01, BatchSize: 8, Variance: 16} // T = 0.01
	ball := integrate.HeavyBall{LearningRate: 0.01, Momentum: 0.9}
	v, err := integrate.QuadraticVariance(ball, 1, batches.Temperature(0), 0.1)
	fmt.Printf("variance %.3f at curvature 1, error %v\n", v, err)
	// Output: variance 0.100 at curvature 1, error <nil>
}
