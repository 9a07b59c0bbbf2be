// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// cloud is the finite sum of ℓ_i = ½(θ−x_i)ᵀA(θ−x_i) in the plane, whose samples'
// gradients have the covariance Σ = A Cov(x) A everywhere.
type cloud struct {
	a [3]float64 // A₁₁, A₁₂, A₂₂
	x [][2]float64
}

// newCloud returns n points about 0.
func newCloud(n int) cloud {
	src := rand.New(rand.NewPCG(7, 11))
	c := cloud{a: [3]float64{2, 0.6, 1}, x: make([][2]float64, n)}
	var mean [2]float64
	for i := range c.x {
		u, v := src.NormFloat64(), src.NormFloat64()
		c.x[i] = [2]float64{u, 0.5*u + 0.3*v}
		mean[0] += c.x[i][0] / float64(n)
		mean[1] += c.x[i][1] / float64(n)
	}
	for i := range c.x {
		c.x[i][0] -= mean[0]
		c.x[i][1] -= mean[1]
	}
	return c
}

func (cloud) Dim() int       { return 2 }
func (c cloud) Samples() int { return len(c.x) }
func (c cloud) Value(theta []float64) (v float64) {
	g := make([]float64, 2)
	for i, x := range c.x {
		c.SampleGradient(g, theta, i)
		v += ((theta[0]-x[0])*g[0] + (theta[1]-x[1])*g[1]) / 2 / float64(len(c.x))
	}
	return v
}
func (c cloud) Gradient(dst, theta []float64) { // the mean of x is 0
	dst[0], dst[1] = c.a[0]*theta[0]+c.a[1]*theta[1], c.a[1]*theta[0]+c.a[2]*theta[1]
}
func (c cloud) SampleGradient(dst, theta []float64, i int) {
	u, v := theta[0]-c.x[i][0], theta[1]-c.x[i][1]
	dst[0], dst[1] = c.a[0]*u+c.a[1]*v, c.a[1]*u+c.a[2]*v
}

// What is known of constant SGD in closed form: the least KL, where it is, and the
// preconditioners that reach the posterior.
func TestConstantSGD(t *testing.T) {
	t.Parallel()
	c := newCloud(40)
	s := must(stationary.ConstantSGDAt(c, []float64{0, 0}, 4))
	var want mat.SymDense
	noise.SampleCovariance(&want, c, []float64{0, 0})
	for i := range 2 {
		for j := range 2 {
			within(t, "Σ", s.Noise.At(i, j), want.At(i, j), 1e-14)
			within(t, "A", s.Hessian.At(i, j), [][]float64{{2, 0.6}, {0.6, 1}}[i][j], 1e-9)
		}
	}
	s.Hessian = mat.NewSymDense(2, []float64{2, 0.6, 0.6, 1})
	best := must(s.OptimalRate())
	within(t, "ε*", best, 2*4*2/(40*mat.Trace(&want)), 1e-14)
	least := must(s.KullbackLeibler(best))
	// Flat at ε*, and curved as d/2 log² of the rate: ½[d ε/ε* − d − d log ε/ε*] + const.
	for _, r := range []float64{0.5, 0.9, 1.1, 3} {
		within(t, "KL", must(s.KullbackLeibler(r*best))-least, r-1-math.Log(r), 1e-12)
	}
	p := must(s.Posterior())
	full := must(s.Preconditioned(1, must(s.OptimalPreconditioner(false))))
	within(t, "KL with P*", full.KullbackLeibler(p), 0, 1e-12)
	// The diagonal one is better than none, and best where all is diagonal.
	at := must(s.Preconditioned(1, must(s.OptimalPreconditioner(true)))).KullbackLeibler(p)
	plain := s
	plain.Hessian, plain.Noise = mat.NewSymDense(2, []float64{2, 0, 0, 1}), mat.NewSymDense(2, []float64{0.3, 0, 0, 5})
	within(t, "KL, all diagonal", must(plain.Preconditioned(1, must(plain.OptimalPreconditioner(true)))).KullbackLeibler(must(plain.Posterior())), 0, 1e-12)
	if at > least {
		t.Errorf("a diagonal preconditioner makes KL %g, none %g", at, least)
	}
	// Small rates: the update's law is the flow's.
	small := must(s.Law(1e-5)).Covariance()
	chain := must(s.Update(1e-5, 0)).Covariance()
	within(t, "small rate", chain.At(0, 1)/small.At(0, 1), 1, 1e-4)
	// After an epoch the average of iterates has the width A⁻¹ΣA⁻¹/N, the points' own.
	n := 1000 * 10
	average := must(s.IterateAverage(0.1, n)).Covariance()
	v := 0.0
	for _, x := range c.x {
		v += x[0] * x[1] / 40
	}
	within(t, "iterate average", average.At(0, 1)*float64(n)*4/v, 1, 2e-3)
	// Without replacement C is (N−B)/(N−1) times as large.
	s.WithoutReplacement = true
	within(t, "without replacement", must(s.OptimalRate())*36/39, best, 1e-14)
}

// Replicas of SGD on the engine settle in the law of the update, at a learning rate at
// which the flow's law is off by a tenth; and not in that of the other way of drawing.
func TestConstantSGDReplicas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("replicas are run in long tests")
	}
	c := newCloud(12)
	s := must(stationary.ConstantSGDAt(c, []float64{0, 0}, 3))
	const rate = 0.15
	run := integrate.Ensemble{Equation: sde.Flow{Loss: c}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: c, BatchSize: 3}},
		Step: rate, Particles: 64 * 128, Seed: 5}
	var m integrate.Moments
	if _, err := run.Run(context.Background(), integrate.Schedule{BurnIn: 40 * rate * 10, Time: 60 * rate * 5, Every: 10 * rate}, &m); err != nil {
		t.Fatal(err)
	}
	accept(t, "update", covarianceP(&m, must(s.Update(rate, 0)).Covariance()))
	reject(t, "flow", covarianceP(&m, must(s.Law(rate)).Covariance()))
	s.WithoutReplacement = true
	reject(t, "without replacement", covarianceP(&m, must(s.Update(rate, 0)).Covariance()))
}

// At the minimum of logistic regression the law is that of the linear update up to a relative
// O(ε/B), as neither the gradient is linear nor Σ the same everywhere: extrapolated in ε,
// replicas have its covariance, and not that of the other way of drawing.
func TestConstantSGDLogistic(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("replicas are run in long tests")
	}
	const n, batch, rate = 40, 8, 0.4
	x, y := loss.LogisticTeacher(n, []float64{1, -0.5}, 3)
	l := must(loss.NewLogistic(x, y, 0.05))
	minimum := must(stationary.FindMinimum(l, []float64{0, 0})).Theta
	s := must(stationary.ConstantSGDAt(l, minimum, batch))
	ratio := func(rate float64) (v, stderr float64) {
		run := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: batch}},
			Step: rate, Particles: 64 * 128, Seed: 6, Start: integrate.Points{minimum}}
		want := must(s.Update(rate, 0)).Covariance()
		var inverse mat.SymDense
		var c mat.Cholesky
		c.Factorize(want)
		if err := c.InverseTo(&inverse); err != nil {
			t.Fatal(err)
		}
		m := integrate.NewMean(1, func(dst, theta []float64) { // |θ − c|² by the covariance, of mean 2
			a, b := theta[0]-minimum[0], theta[1]-minimum[1]
			dst[0] = (inverse.At(0, 0)*a*a + 2*inverse.At(0, 1)*a*b + inverse.At(1, 1)*b*b) / 2
		})
		if _, err := run.Run(context.Background(), integrate.Schedule{BurnIn: 40, Time: 120, Every: 8}, m); err != nil {
			t.Fatal(err)
		}
		e := m.Estimate(0)
		return e.Value, e.StdErr
	}
	a, sa := ratio(rate)
	b, sb := ratio(rate / 2)
	t.Logf("covariance over the linear update's: %.4f ± %.4f at ε = %g, %.4f ± %.4f at %g", a, sa, rate, b, sb, rate/2)
	p := func(want float64) float64 {
		return math.Erfc(math.Abs(2*b-a-want) / math.Hypot(2*sb, sa) / math.Sqrt2)
	}
	accept(t, "ε → 0", p(1))
	reject(t, "without replacement", p(float64(n-batch)/(n-1)))
}

// The mean of iterates of replicas, step by step.
func TestConstantSGDAverageReplicas(t *testing.T) {
	t.Parallel()
	c := newCloud(12)
	s := must(stationary.ConstantSGDAt(c, []float64{0, 0}, 1))
	const rate, n, replicas = 0.2, 15, 20000
	src := rand.New(rand.NewPCG(21, 22))
	g := make([]float64, 2)
	sum, sum2 := 0.0, 0.0
	for range replicas {
		theta, mean := []float64{0, 0}, 0.0
		for k := range 60 + n {
			c.SampleGradient(g, theta, src.IntN(12))
			theta[0] -= rate * g[0]
			theta[1] -= rate * g[1]
			if k >= 60 {
				mean += theta[0] / n
			}
		}
		sum += mean * mean
		sum2 += mean * mean * mean * mean
	}
	v := sum / replicas
	se := math.Sqrt((sum2/replicas - v*v) / replicas)
	p := func(want float64) float64 { return math.Erfc(math.Abs(v-want) / se / math.Sqrt2) }
	accept(t, "average", p(must(s.IterateAverage(rate, n)).Covariance().At(0, 0)))
	reject(t, "one fewer", p(must(s.IterateAverage(rate, n-1)).Covariance().At(0, 0)))
}

func TestConstantSGDRefuses(t *testing.T) {
	t.Parallel()
	c := newCloud(12)
	one, two := mat.NewSymDense(1, []float64{1}), mat.NewSymDense(2, []float64{1, 0, 0, 1})
	ok := stationary.ConstantSGD{Hessian: two, Noise: two, Samples: 10, BatchSize: 2}
	still := ok
	still.Noise = mat.NewSymDense(2, nil)
	second := func(_ any, err error) error { return err }
	for name, e := range map[string]struct{ got, want error }{
		"nothing":         {stationary.ConstantSGD{}.Validate(), sde.ErrInvalid},
		"dimensions":      {stationary.ConstantSGD{Hessian: two, Noise: one, Samples: 9, BatchSize: 1}.Validate(), sde.ErrDimension},
		"indefinite":      {stationary.ConstantSGD{Hessian: mat.NewSymDense(1, []float64{-1}), Noise: one, Samples: 9, BatchSize: 1}.Validate(), sde.ErrInvalid},
		"no samples":      {stationary.ConstantSGD{Hessian: one, Noise: one, BatchSize: 1}.Validate(), sde.ErrInvalid},
		"no batch":        {stationary.ConstantSGD{Hessian: one, Noise: one, Samples: 9}.Validate(), sde.ErrInvalid},
		"full batch":      {stationary.ConstantSGD{Hessian: one, Noise: one, Samples: 9, BatchSize: 9, WithoutReplacement: true}.Validate(), sde.ErrInvalid},
		"centre":          {stationary.ConstantSGD{Hessian: one, Noise: one, Samples: 9, BatchSize: 1, Center: []float64{1, 2}}.Validate(), sde.ErrDimension},
		"nil sum":         {second(stationary.ConstantSGDAt(nil, nil, 1)), sde.ErrInvalid},
		"not a minimum":   {second(stationary.ConstantSGDAt(c, []float64{0.1, 0}, 1)), sde.ErrInvalid},
		"place":           {second(stationary.ConstantSGDAt(c, []float64{0}, 1)), sde.ErrDimension},
		"rate":            {second(ok.Law(0)), sde.ErrInvalid},
		"unstable":        {second(ok.Update(2.1, 0)), sde.ErrNotNormalizable},
		"no noise":        {second(still.OptimalRate()), sde.ErrInvalid},
		"law of no noise": {second(still.Law(1)), sde.ErrInvalid},
		"nothing to turn": {second(still.OptimalPreconditioner(false)), sde.ErrInvalid},
		"nor stretch":     {second(still.OptimalPreconditioner(true)), sde.ErrInvalid},
		"preconditioner":  {second(ok.Preconditioned(1, one)), sde.ErrDimension},
		"no iterates":     {second(ok.IterateAverage(1, 0)), sde.ErrInvalid},
	} {
		if !errors.Is(e.got, e.want) {
			t.Errorf("%s: %v", name, e.got)
		}
	}
}
