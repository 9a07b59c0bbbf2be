// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/integrate/integratetest"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

var curvatures = [2]float64{1, 100}

// stiffness has the curvatures along directions that are not those of the axes.
var stiffness = func() *mat.SymDense {
	const c, s = 0.8, 0.6
	a, b := curvatures[0], curvatures[1]
	return mat.NewSymDense(2, []float64{a*c*c + b*s*s, (a - b) * c * s, (a - b) * c * s, a*s*s + b*c*c})
}()

// A reference path has steps of a sixteenth of the smallest, by SRA3.
const finer = 16

// groups of particles give paths' errors their errors.
const groups = 16

// diagram is what was found on a landscape.
type diagram struct {
	landscape
	methods []method
	steps   []float64
	curves  []curve // by method
}

// curve is one scheme's errors by step; NaN where there is none.
type curve struct {
	gradients   float64 // a step, with a Hessian as so many as it has rows
	average     []sde.Estimate
	path        []sde.Estimate
	averageRate sde.Estimate // fitted orders
	pathRate    sde.Estimate
	exact       bool // the average is exact at every step
}

// check refuses settings before any work.
func check(s *example.Session, all []landscape, levels int) error {
	if levels < 3 || levels > 12 {
		return &sde.SettingError{Field: "-levels", Value: levels, Want: "3 to 12"}
	}
	if s.Particles < 16*groups {
		return &sde.SettingError{Field: "-particles", Value: s.Particles, Want: fmt.Sprintf("at least %d: Particles make %d groups", 16*groups, groups)}
	}
	for _, l := range all {
		e := s.Ensemble(l.flow)
		e.Step *= l.unit
		if err := e.Validate(integrate.Schedule{Time: s.Time * l.unit * l.times}); err != nil {
			return err
		}
	}
	return nil
}

// measure makes both diagrams of a landscape.
func measure(ctx context.Context, s *example.Session, l landscape, levels int) (*diagram, error) {
	d := &diagram{landscape: l, methods: methods()}
	for i := range levels {
		d.steps = append(d.steps, math.Ldexp(s.Step*l.unit, -i))
	}
	start, err := starts(l)
	if err != nil {
		return nil, err
	}
	schedule := integrate.Schedule{Time: s.Time * l.unit * l.times}
	last := d.steps[levels-1] / finer
	states := func(m method, h float64) (sde.Batch, error) {
		e := s.Ensemble(l.flow)
		e.Scheme, e.Step, e.Start = m.scheme, h, start
		e.Pieces = int(math.Round(h / last))
		final := new(integrate.Final)
		if _, err := s.Simulate(ctx, fmt.Sprintf("%s, %s, h = %.3g", l.name, m.name, h), e, schedule, final); err != nil {
			return sde.Batch{}, err
		}
		return final.States(), nil
	}
	reference, err := states(method{name: "reference", scheme: integrate.SRA3{}}, last)
	if err != nil {
		return nil, err
	}
	for _, m := range d.methods {
		c := curve{gradients: l.cost(m, d.steps[levels/2])}
		var pairs []*pair
		for _, h := range d.steps {
			x, err := states(m, h)
			var diverged *integrate.DivergenceError
			if err != nil && !errors.As(err, &diverged) {
				return nil, err
			}
			p := newPair(l.flow.Loss, x, reference)
			pairs = append(pairs, p)
			c.path = append(c.path, estimate(p.path))
			average, exact := l.average(m, h)
			if !exact {
				average = estimate(p.mean)
			}
			c.average = append(c.average, average)
		}
		c.pathRate = rate(d.steps, pairs, (*pair).path)
		c.averageRate = rate(d.steps, pairs, (*pair).mean)
		if l.key != "muller_brown" {
			c.averageRate = lastRate(d.steps, c.average)
			c.exact = c.average[0].Value < 1e-12
		}
		d.curves = append(d.curves, c)
	}
	return d, nil
}

// average returns the error of a scheme's stationary average without Monte Carlo, by the
// transition kernel in one dimension and in closed form on the quadratic, and false
// where there is no such way.
func (l landscape) average(m method, h float64) (sde.Estimate, bool) {
	switch f := l.flow.Loss.(type) {
	case loss.DoubleWell:
		law, err := stationary.Boltzmann(f, 0.2)
		if err != nil {
			return sde.Estimate{Value: math.NaN()}, true
		}
		square := func(x float64) float64 { return x * x }
		exact, _ := law.Mean(func(theta []float64) float64 { return square(theta[0]) })
		v, ok := integratetest.StationaryMoment(m.scheme, l.flow, h, square)
		if !ok {
			v = math.NaN()
		}
		return sde.Estimate{Value: math.Abs(v - exact)}, true
	case *loss.Quadratic:
		// ⟨L⟩ = Σ k⟨x²⟩/2 over the directions, T/2 each.
		var e float64
		for _, k := range curvatures {
			v, err := integratetest.StationaryVariance(m.scheme, k, 1, h)
			if err != nil {
				v = math.NaN()
			}
			e += (k*v - 1) / 2
		}
		return sde.Estimate{Value: math.Abs(e)}, true
	}
	return sde.Estimate{}, false
}

// counted counts the evaluations of a loss: a Hessian counts as so many gradients as
// it has rows.
type counted struct {
	sde.Loss
	calls *atomic.Int64
}

func (c counted) Gradient(dst, theta []float64) { c.calls.Add(1); c.Loss.Gradient(dst, theta) }
func (c counted) Hessian(dst, theta []float64) {
	c.calls.Add(int64(c.Dim()))
	c.Loss.(sde.Hessian).Hessian(dst, theta)
}

// cost returns the gradients of a step: what the scheme states, or what it takes on
// average if that depends on the state.
func (l landscape) cost(m method, h float64) float64 {
	p, err := m.scheme.Properties(sde.Constant)
	if err != nil {
		return math.NaN()
	}
	if _, quadratic := l.flow.Loss.(*loss.Quadratic); quadratic {
		return math.Max(p.Gradients, 1) // an implicit step is a product with a matrix
	}
	var calls atomic.Int64
	e := integrate.Ensemble{Equation: sde.Flow{Loss: counted{l.flow.Loss, &calls}, Diffusion: l.flow.Diffusion}, Scheme: m.scheme, Step: h, Particles: 64}
	if start, err := starts(l); err == nil {
		e.Start = start
	}
	const steps = 50
	if _, err := e.Run(context.Background(), integrate.Schedule{Time: steps * h}); err != nil {
		return p.Gradients
	}
	return float64(calls.Load()) / (64 * steps)
}

// starts returns where paths start: in the stationary law, so that averages have
// only the scheme's error, or near it.
func starts(l landscape) (integrate.Start, error) {
	switch f := l.flow.Loss.(type) {
	case loss.DoubleWell:
		return integrate.Points{{-1}, {1}}, nil
	case loss.MullerBrown:
		return newCells(f, 15, [2]float64{-1.6, -0.5}, [2]float64{1.3, 2.2}, 400), nil
	}
	return integrate.StartFunc(func(theta []float64, _ int, s *sde.Stream) {
		s.Normals(theta)
		a, b := theta[0]/math.Sqrt(curvatures[0]), theta[1]/math.Sqrt(curvatures[1])
		theta[0], theta[1] = 0.8*a-0.6*b, 0.6*a+0.8*b
	}), nil
}

// newCells draws from exp(−L/T) over a rectangle: a cell of a grid by its weight, and a
// place within it.
func newCells(l sde.Loss, temperature float64, lo, hi [2]float64, n int) integrate.Start {
	sums := make([]float64, n*n)
	var total float64
	width := [2]float64{(hi[0] - lo[0]) / float64(n), (hi[1] - lo[1]) / float64(n)}
	for i := range sums {
		x := []float64{lo[0] + (float64(i%n)+0.5)*width[0], lo[1] + (float64(i/n)+0.5)*width[1]}
		total += math.Exp(-l.Value(x)/temperature - 10)
		sums[i] = total
	}
	return integrate.StartFunc(func(theta []float64, _ int, s *sde.Stream) {
		var u [3]float64
		s.Uniforms(u[:])
		i := sort.SearchFloat64s(sums, u[2]*total)
		theta[0], theta[1] = lo[0]+(float64(i%n)+u[0])*width[0], lo[1]+(float64(i/n)+u[1])*width[1]
	})
}

// pair compares paths of a scheme with the reference's, by group of particles:
// their distances, and the mean difference of the loss.
type pair struct {
	distances [groups][]float64
	losses    [groups]float64
}

func newPair(l sde.Loss, x, y sde.Batch) *pair {
	p := new(pair)
	for i := range x.Rows {
		g := i * groups / x.Rows
		p.losses[g] += l.Value(x.Row(i)) - l.Value(y.Row(i))
		p.distances[g] = append(p.distances[g], floats.Distance(x.Row(i), y.Row(i), 2))
	}
	for g := range p.losses {
		p.losses[g] /= float64(len(p.distances[g]))
		slices.Sort(p.distances[g])
	}
	return p
}

// path returns the median distance of a group, or that of all groups if g < 0. (The
// root mean square is that of the few paths that end up in another well.)
func (p *pair) path(g int) float64 {
	if g >= 0 {
		return stat.Quantile(0.5, stat.LinInterp, p.distances[g], nil)
	}
	var all []float64
	for _, d := range p.distances {
		all = append(all, d...)
	}
	slices.Sort(all)
	return stat.Quantile(0.5, stat.LinInterp, all, nil)
}

// mean returns the error of the mean loss, by sign, of a group or of all.
func (p *pair) mean(g int) float64 {
	if g >= 0 {
		return p.losses[g]
	}
	return stat.Mean(p.losses[:], nil)
}

// estimate returns the size of a quantity of all groups, with its standard error from
// the scatter between them.
func estimate(of func(g int) float64) sde.Estimate {
	return sde.Estimate{Value: math.Abs(of(-1)), StdErr: scatter(of), Groups: groups}
}

func scatter(of func(g int) float64) float64 {
	v := make([]float64, groups)
	for g := range v {
		v[g] = of(g)
	}
	return stat.StdDev(v, nil) / math.Sqrt(groups)
}

// rate fits an order to the errors, with its standard error by jackknife over groups.
func rate(steps []float64, pairs []*pair, of func(p *pair, g int) float64) sde.Estimate {
	errs := make([]sde.Estimate, len(pairs))
	for i, p := range pairs {
		errs[i] = estimate(func(g int) float64 { return of(p, g) })
	}
	all := slope(steps, errs, errs)
	var q float64
	for g := range groups {
		drop := make([]sde.Estimate, len(pairs))
		for i, p := range pairs {
			// What leaving out the group changes, to first order.
			whole := of(p, -1)
			drop[i].Value = math.Abs(whole - (of(p, g)-whole)/(groups-1))
		}
		e := slope(steps, drop, errs) - all
		q += e * e
	}
	return sde.Estimate{Value: all, StdErr: math.Sqrt(q * (groups - 1) / groups), Groups: groups}
}

// slope fits log e = c + p log h with the weights of the estimates w, over the steps but
// the longest, where the error is at least three times its own.
func slope(steps []float64, e, w []sde.Estimate) float64 {
	var s, sx, sy, sxx, sxy float64
	n := 0
	for i, h := range steps {
		if i == 0 || !(e[i].Value > 0) || !(w[i].Value > 3*w[i].StdErr) {
			continue
		}
		x, y, q := math.Log(h), math.Log(e[i].Value), (w[i].Value/w[i].StdErr)*(w[i].Value/w[i].StdErr)
		s, sx, sy, sxx, sxy = s+q, sx+q*x, sy+q*y, sxx+q*x*x, sxy+q*x*y
		n++
	}
	if n < 2 {
		return math.NaN()
	}
	return (s*sxy - sx*sy) / (s*sxx - sx*sx)
}

// lastRate is the order between the two shortest steps, of errors that are exact.
func lastRate(steps []float64, e []sde.Estimate) sde.Estimate {
	n := len(e) - 1
	return sde.Estimate{Value: math.Log(e[n-1].Value/e[n].Value) / math.Log(steps[n-1]/steps[n])}
}
