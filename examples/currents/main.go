// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Currents shows stochastic gradient flows that do not settle in equilibrium: where D is not
// T·I the stationary state is no exp(−L/T), probability goes round in it, and it produces entropy.
package main

import (
	"context"
	"flag"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

func main() { example.Main(program()) }

func program() example.Program {
	correlation, growth := 0.5, 3.0
	return example.Program{
		Name:     "currents",
		About:    "Shows flows whose noise is not D = T·I: their stationary law, the current in it, and the entropy that it produces.",
		Defaults: example.Settings{Seed: 1, Particles: 100_000, Time: 20, Step: 0.005},
		Quick:    example.Settings{Particles: 10_000, Time: 5, Step: 0.01},
		Flags: func(f *flag.FlagSet) {
			f.Float64Var(&correlation, "correlation", correlation, "`correlation` of the linear flow's noises")
			f.Float64Var(&growth, "growth", growth, "how fast the noise along x grows with y, `a` in D = T diag(1+ay², 1)")
		},
		Run: func(ctx context.Context, s *example.Session) error { return run(ctx, s, correlation, growth) },
	}
}

// measured is what the picture and the table are made of.
type measured struct {
	correlation float64
	linear      *stationary.Linear
	entropy     float64 // of the linear flow, exact
	sampled     sde.Estimate
	rotation    *rotation
	moments     *integrate.Moments
	gaussian    *stationary.Gaussian

	growth     float64
	flow       sde.Flow
	grid       *stationary.Generator
	law        *stationary.GridLaw
	produced   float64 // entropy of the double wells, on the grid
	settled    *stationary.Report
	boltzmann  *stationary.Report
	plain      float64      // E x² under exp(−L/T)
	curve      [3][]float64 // correlations, exact entropy production, and that on a grid
	wellsAside float64      // extreme of the box
}

// drift is the matrix A of the linear flow, H of L = x²/2 + y².
var drift = mat.NewDiagDense(2, []float64{1, 2})

// correlated returns noise of D = (1 ρ; ρ 1).
func correlated(rho float64) *mat.SymDense { return mat.NewSymDense(2, []float64{1, rho, rho, 1}) }

func run(ctx context.Context, s *example.Session, rho, growth float64) (err error) {
	if !(math.Abs(rho) < 1) {
		return &sde.SettingError{Field: "-correlation", Value: rho, Want: "a number between −1 and 1"}
	}
	if !(growth >= 0) || growth > 20 {
		return &sde.SettingError{Field: "-growth", Value: growth, Want: "a number from 0 to 20"}
	}
	m := &measured{correlation: rho, growth: growth, wellsAside: 2.4}
	if err := m.rotate(ctx, s); err != nil {
		return err
	}
	if err := m.wells(ctx, s); err != nil {
		return err
	}
	for k := -4; k <= 4; k++ {
		exact, onGrid, err := entropies(0.2 * float64(k))
		if err != nil {
			return err
		}
		m.curve[0], m.curve[1], m.curve[2] = append(m.curve[0], 0.2*float64(k)), append(m.curve[1], exact), append(m.curve[2], onGrid)
	}
	m.table(s)
	return m.picture(s)
}

// rotate follows the linear flow and measures its circulation.
func (m *measured) rotate(ctx context.Context, s *example.Session) (err error) {
	d := correlated(m.correlation)
	if m.linear, err = stationary.NewLinear(drift, d, nil); err != nil {
		return err
	}
	if m.entropy, err = m.linear.EntropyProduction(); err != nil {
		return err
	}
	if m.gaussian, err = m.linear.Law(); err != nil {
		return err
	}
	quadratic, err := loss.NewDiagonalQuadratic([]float64{1, 2}, nil)
	if err != nil {
		return err
	}
	noise, err := noise.NewConstant(d)
	if err != nil {
		return err
	}
	e := s.Ensemble(sde.Flow{Loss: quadratic, Diffusion: noise})
	// From the law itself, so that nothing has to settle.
	var chol mat.Cholesky
	chol.Factorize(m.linear.Covariance())
	var root mat.TriDense
	chol.LTo(&root)
	e.Start = integrate.StartFunc(func(theta []float64, _ int, stream *sde.Stream) {
		var z [2]float64
		stream.Normals(z[:])
		theta[0] = root.At(0, 0) * z[0]
		theta[1] = root.At(1, 0)*z[0] + root.At(1, 1)*z[1]
	})
	m.rotation, m.moments = new(rotation), new(integrate.Moments)
	inverse := mat.NewDense(2, 2, nil)
	if err := inverse.Inverse(d); err != nil {
		return err
	}
	produced := integrate.NewMean(1, func(dst, theta []float64) {
		var v [2]float64
		_ = m.linear.Velocity(v[:], theta) // S is regular: LinearOf said so
		dst[0] = mat.Inner(mat.NewVecDense(2, v[:]), inverse, mat.NewVecDense(2, v[:]))
	})
	every := s.Multiple(0.1)
	if _, err := s.Simulate(ctx, "linear flow", e, integrate.Schedule{BurnIn: every, Time: 40 * every, Every: every}, m.rotation, m.moments, produced); err != nil {
		return err
	}
	m.sampled = produced.Estimate(0)
	return nil
}

// temperature is T of the double wells.
const temperature = 0.25

// wells solves the flow in double wells with noise that grows along y, and follows it.
func (m *measured) wells(ctx context.Context, s *example.Session) error {
	l, a := loss.DoubleWells{}, m.growth
	m.flow = sde.Flow{Loss: l, Diffusion: noise.DiagonalFunc{State: 2, B: func(dst, x []float64, _ float64) {
		dst[0], dst[1] = math.Sqrt(2*temperature*(1+a*x[1]*x[1])), math.Sqrt(2*temperature)
	}}}
	w := m.wellsAside
	box := sde.Box{Lo: []float64{-w, -w}, Hi: []float64{w, w}}
	var err error
	cells := 240
	if s.Quick {
		cells = 80
	}
	if m.grid, err = (stationary.FokkerPlanck{Equation: m.flow, Box: box, Cells: []int{cells, cells}}).Generator(); err != nil {
		return err
	}
	if m.law, err = m.grid.Stationary(); err != nil {
		return err
	}
	m.produced = m.grid.EntropyProduction(m.law)
	e := s.Ensemble(m.flow)
	e.Start = integrate.Points{{-1, -1}, {1, 1}, {-1, 1}, {1, -1}}
	e.Seed++
	hist := stationary.NewHistogram2D([2]float64{-2, -2}, [2]float64{2, 2}, [2]int{16, 16})
	schedule := integrate.Schedule{BurnIn: s.Multiple(10), Time: s.Time, Every: s.Every(0.5)}
	if _, err := s.Simulate(ctx, "double wells", e, schedule, hist); err != nil {
		return err
	}
	if m.settled, err = stationary.Compare(m.law, hist); err != nil {
		return err
	}
	boltzmann, err := stationary.Boltzmann(l, temperature)
	if err != nil {
		return err
	}
	m.plain, _ = boltzmann.Mean(square)
	m.boltzmann, err = stationary.Compare(boltzmann, hist)
	return err
}

// entropies returns the entropy production of the linear flow with noises of a correlation,
// exactly and on a grid.
func entropies(rho float64) (exact, onGrid float64, err error) {
	if exact, err = exactEntropy(rho); err != nil {
		return 0, 0, err
	}
	quadratic, err := loss.NewDiagonalQuadratic([]float64{1, 2}, nil)
	if err != nil {
		return 0, 0, err
	}
	noise, err := noise.NewConstant(correlated(rho))
	if err != nil {
		return 0, 0, err
	}
	box := sde.Box{Lo: []float64{-5.5, -5.5}, Hi: []float64{5.5, 5.5}}
	grid, err := stationary.FokkerPlanck{Equation: sde.Flow{Loss: quadratic, Diffusion: noise}, Box: box, Cells: []int{88, 88}}.Generator()
	if err != nil {
		return 0, 0, err
	}
	law, err := grid.Stationary()
	if err != nil {
		return 0, 0, err
	}
	return exact, grid.EntropyProduction(law), nil
}

// exactEntropy returns the entropy production of the linear flow.
func exactEntropy(rho float64) (float64, error) {
	linear, err := stationary.NewLinear(drift, correlated(rho), nil)
	if err != nil {
		return 0, err
	}
	return linear.EntropyProduction()
}

func square(theta []float64) float64 { return theta[0] * theta[0] }
