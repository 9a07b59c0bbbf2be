// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Batchsize measures what the batch size does to SGD, on logistic regression of the Wisconsin
// breast-cancer data: the variance of a gradient goes as 1/B, the diffusion as η/B, the
// stationary covariance follows, and SGD's cloud about the optimum is that of its stochastic
// differential equation with D(θ) = (η/2B) Σ(θ).
package main

import (
	"context"
	"flag"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/internal/lyapunov"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func main() { example.Main(program()) }

func program() example.Program {
	batch, decay := 8, 0.01
	return example.Program{
		Name:     "batchsize",
		About:    "Measures what the batch size does to SGD, on logistic regression of the breast-cancer data.",
		Defaults: example.Settings{Seed: 1, Particles: 8192, Time: 200, Step: 0.5},
		Quick:    example.Settings{Particles: 4096, Time: 40, Step: 0.5},
		Flags: func(f *flag.FlagSet) {
			f.IntVar(&batch, "batch", batch, "batch size `B` of the clouds; the learning rate is -step")
			f.Float64Var(&decay, "decay", decay, "weight decay `λ`")
		},
		Run: func(ctx context.Context, s *example.Session) error { return run(ctx, s, batch, decay) },
	}
}

// measured is what the picture and the table are made of.
type measured struct {
	loss       *loss.Logistic
	features   []string
	best       []float64
	hessian    *mat.SymDense
	sigma      mat.SymDense // covariance of the samples' gradients at the optimum
	batch      int
	gradients  []gradientNoise
	diffusions []diffusion
	variances  *integrate.Swept
	scales     []scale
	sgd, flow  *integrate.Final
	cloud      *integrate.Moments
	result     *integrate.Result
}

func run(ctx context.Context, s *example.Session, batch int, decay float64) (err error) {
	m := measured{batch: batch}
	if err = m.data(decay); err != nil {
		return err
	}
	sampler := noise.WithReplacement{Loss: m.loss, BatchSize: batch}
	if err = sampler.Validate(); err != nil {
		return err
	}
	if h := mat.Norm(m.hessian, 2); !(s.Step*h < 2) {
		return &sde.SettingError{Field: "-step", Value: s.Step, Want: fmt.Sprintf("a learning rate below 2/λ_max = %.3g", 2/h)}
	}
	ensemble := s.Ensemble(sde.Flow{Loss: m.loss})
	ensemble.Start = integrate.Points{m.best}
	schedule := integrate.Schedule{BurnIn: s.Multiple(60), Time: s.Time, Every: s.Every(20)}
	if err = ensemble.Validate(schedule); err != nil {
		return err
	}
	m.measureGradients(s)
	m.measureScales(s)
	if err = m.measureDiffusion(ctx, s, ensemble); err != nil {
		return err
	}
	if m.variances, err = s.Sweep(ctx, "stationary variance", m.sweep(s.Step, ensemble, schedule)); err != nil {
		return err
	}

	// The clouds of SGD and of its equation.
	m.sgd, m.cloud = new(integrate.Final), new(integrate.Moments)
	ensemble.Scheme = integrate.SGD{Gradient: sampler}
	law, flow := m.stationary(s.Step, batch)
	ensemble.Start = m.around(law)
	if m.result, err = s.Simulate(ctx, "SGD", ensemble, schedule, m.sgd, m.cloud); err != nil {
		return err
	}
	ensemble.Equation, ensemble.Scheme = sde.Flow{Loss: m.loss, Diffusion: noise.SGDNoise{Gradient: sampler, LearningRate: s.Step}}, nil
	ensemble.Step, ensemble.Particles, ensemble.Start = s.Step/2, max(2, s.Particles/16), m.around(flow)
	m.flow = new(integrate.Final)
	if _, err = s.Simulate(ctx, "its SDE", ensemble, integrate.Schedule{Time: s.Multiple(math.Min(60, s.Time))}, m.flow); err != nil {
		return err
	}
	if err = m.table(s); err != nil {
		return err
	}
	return m.picture(s)
}

// data makes the loss of two features and an intercept, and finds its optimum.
func (m *measured) data(decay float64) (err error) {
	all := loss.BreastCancer().Standardized()
	n, _ := all.X.Dims()
	m.features = all.Columns[:2]
	if m.loss, err = loss.NewLogistic(mat.DenseCopyOf(all.X.Slice(0, n, 0, 2)), all.Y, decay); err != nil {
		return err
	}
	m.loss = m.loss.WithIntercept()
	d := m.loss.Dim()
	m.best, m.hessian = make([]float64, d), mat.NewSymDense(d, nil)
	g, h := mat.NewVecDense(d, nil), make([]float64, d*d)
	for range 50 { // Newton's method
		m.loss.Gradient(g.RawVector().Data, m.best)
		m.loss.Hessian(h, m.best)
		for i := range d {
			for j := i; j < d; j++ {
				m.hessian.SetSym(i, j, h[i*d+j])
			}
		}
		var step mat.VecDense
		if err := step.SolveVec(m.hessian, g); err != nil {
			return err
		}
		for j := range m.best {
			m.best[j] -= step.AtVec(j)
		}
	}
	noise.SampleCovariance(&m.sigma, m.loss, m.best)
	return nil
}

// stationary returns SGD's covariance about the optimum for small noise,
//
//	S = (I−ηH) S (I−ηH) + η² Σ/B
//
// and that of its stochastic differential equation, HS + SH = ηΣ/B.
func (m *measured) stationary(eta float64, batch int) (sgd, flow *mat.SymDense) {
	d := m.loss.Dim()
	var c, q mat.SymDense
	c.ScaleSym(eta*eta/float64(batch), &m.sigma)
	q.ScaleSym(eta/float64(batch), &m.sigma)
	a := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			a.Set(i, j, -eta*m.hessian.At(i, j))
		}
		a.Set(i, i, 1+a.At(i, i))
	}
	sgd, _, _ = lyapunov.Discrete(a, &c)
	flow, _, _ = lyapunov.Continuous(m.hessian, &q)
	return sgd, flow
}

// around starts particles with the law N(θ*, S), so that they have little left to settle.
func (m *measured) around(s *mat.SymDense) integrate.Start {
	var c mat.Cholesky
	if !c.Factorize(s) {
		return integrate.Points{m.best}
	}
	var l mat.TriDense
	c.LTo(&l)
	return integrate.StartFunc(func(theta []float64, _ int, stream *sde.Stream) {
		z := make([]float64, len(theta))
		stream.Normals(z)
		for i := range theta {
			theta[i] = m.best[i]
			for j := range i + 1 {
				theta[i] += l.At(i, j) * z[j]
			}
		}
	})
}

// sweep is the study of the stationary variance against the batch size.
func (m *measured) sweep(eta float64, ensemble integrate.Ensemble, schedule integrate.Schedule) integrate.Sweep {
	return integrate.Sweep{
		Setting: "B", Values: []float64{1, 2, 4, 8, 16, 32, 64, 128},
		Study: func(b float64) (integrate.Ensemble, integrate.Schedule, error) {
			ensemble.Scheme = integrate.SGD{Gradient: noise.WithReplacement{Loss: m.loss, BatchSize: int(b)}}
			law, _ := m.stationary(eta, int(b))
			ensemble.Start = m.around(law)
			return ensemble, schedule, nil
		},
		Functions: 1,
		F: func(dst, theta []float64) {
			dst[0] = 0
			for j, v := range theta {
				dst[0] += (v - m.best[j]) * (v - m.best[j])
			}
		},
		Quantities: []integrate.Quantity{{
			Name:  "E|θ−θ*|²",
			Of:    func(_ float64, mean []float64) float64 { return mean[0] },
			Exact: func(b float64) float64 { s, _ := m.stationary(eta, int(math.Round(b))); return mat.Trace(s) },
		}},
	}
}
