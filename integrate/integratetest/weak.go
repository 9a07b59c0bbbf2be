// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

func (c *checker) weakOrder() {
	if c.augmented {
		return
	}
	for _, p := range linearProblems() {
		c.weakLinear(p)
	}
	c.weakAdditive(Decay(1, 1))
	c.weakAdditive(Ramp())
	for _, p := range wells() {
		c.weakWell(p)
	}
}

// wells are scalar equations whose stationary laws are known, with noise of each kind.
func wells() []Problem {
	return []Problem{DoubleWell(wellTemperature), UnevenWell(wellTemperature), GeneralWell(wellTemperature / 2)}
}

// weakLinear compares E X and E XXᵀ of a linear equation at time 1 with the exact
// ones: both of the scheme are powers of matrices that quadrature gives.
func (c *checker) weakLinear(p Problem) {
	var steps, errs []float64
	var stated float64
	d := len(p.Start)
	for n := 4; n <= 128; n *= 2 {
		h := 1 / float64(n)
		kernel, properties, ok := c.bind(p.Equation, h, 1)
		if !ok {
			return
		}
		stated = properties.Weak
		s := newStepper(kernel, d, h)
		dep := s.dependence(p.Start, len(p.Linear.B))
		if dep.next {
			return
		}
		one, two := s.linearMoments(d, len(p.Linear.B), dep)
		mean, second := powerApply(one, n, p.Start), powerApply(two, n, outer(p.Start))
		var e float64
		for i, v := range mean {
			e += (v - p.Mean[i]) * (v - p.Mean[i])
		}
		for i, v := range second {
			e += (v - p.Second[i]) * (v - p.Second[i])
		}
		steps, errs = append(steps, h), append(errs, math.Sqrt(e))
	}
	c.order("weak order", "the error of mean and second moments at time 1 of "+p.Name, steps, errs, stated, 1e-11)
}

// moments returns E X and E XXᵀ at time 1.
func (l *Linear) moments(start []float64) (mean, second []float64) {
	d := len(start)
	var e, generator, k mat.Dense
	e.Exp(l.A)
	mean = apply(&e, start)
	id := mat.NewDense(d, d, nil)
	for i := range d {
		id.Set(i, i, 1)
	}
	generator.Kronecker(l.A, id)
	k.Kronecker(id, l.A)
	generator.Add(&generator, &k)
	for _, b := range l.B {
		var k mat.Dense
		k.Kronecker(b, b)
		generator.Add(&generator, &k)
	}
	var g mat.Dense
	g.Exp(&generator)
	return mean, apply(&g, outer(start))
}

func apply(m *mat.Dense, x []float64) []float64 {
	var y mat.VecDense
	y.MulVec(m, mat.NewVecDense(len(x), x))
	return y.RawVector().Data
}

func powerApply(m *mat.Dense, n int, x []float64) []float64 {
	for range n {
		x = apply(m, x)
	}
	return x
}

func outer(x []float64) []float64 {
	var o []float64
	for _, v := range x {
		for _, w := range x {
			o = append(o, v*w)
		}
	}
	return o
}

// linearMoments returns E M and E M⊗M of a step x' = Mx of m components of noise.
func (s *stepper) linearMoments(d, m int, dep dependence) (one, two *mat.Dense) {
	one, two = mat.NewDense(d, d, nil), mat.NewDense(d*d, d*d, nil)
	step, unit, y := mat.NewDense(d, d, nil), make([]float64, d), make([]float64, d)
	var kron, scaled mat.Dense
	dep.each(m, 7, func(w float64, n noise) {
		for j := range d {
			clear(unit)
			unit[j] = 1
			s.step(y, unit, 0, n)
			step.SetCol(j, y)
		}
		scaled.Scale(w, step)
		one.Add(one, &scaled)
		kron.Reset()
		kron.Kronecker(&scaled, step)
		two.Add(two, &kron)
	})
	return one, two
}

// weakAdditive compares mean and variance at time 1 of a scalar equation with a linear
// drift and additive noise.
func (c *checker) weakAdditive(p Problem) {
	mean, variance := p.Mean[0], p.Second[0]-p.Mean[0]*p.Mean[0]
	var steps, errs []float64
	var stated float64
	for n := 4; n <= 128; n *= 2 {
		h := 1 / float64(n)
		kernel, properties, ok := c.bind(p.Equation, h, 1)
		if !ok {
			return
		}
		stated = properties.Weak
		s := newStepper(kernel, 1, h)
		m, v := p.Start[0], 0.0
		for i := range n {
			a, err := s.affineStep(float64(i) * h)
			if errors.Is(err, errNotAffine) {
				return // weakWell looks at such schemes
			}
			if err != nil {
				c.fault("weak order", "%s: %v", p.Name, err)
				return
			}
			if a.beta[1] != 0 {
				return
			}
			m = a.alpha*m + a.c
			v *= a.alpha * a.alpha
			for _, b := range a.beta {
				v += b * b
			}
		}
		steps, errs = append(steps, h), append(errs, math.Hypot(m-mean, v-variance))
	}
	c.order("weak order", "the error of mean and variance at time 1 of "+p.Name, steps, errs, stated, 1e-11)
}

// weakWell looks at the differences of expectations at time 1 between steps of h
// and h/2; there are several, so that none that changes its sign misleads.
func (c *checker) weakWell(p Problem) {
	functions := []func(x float64) float64{
		func(x float64) float64 { return x * x },
		func(x float64) float64 { return x },
		func(x float64) float64 { return math.Cos(3 * x) },
	}
	var steps []float64
	var values [][]float64
	var stated float64
	for n := 16; n <= 512; n *= 2 {
		h := 1 / float64(n)
		chain, properties, ok := c.chain(p.Equation, h)
		if !ok || chain.memory {
			return
		}
		stated = properties.Weak
		var v []float64
		for _, f := range functions {
			f := chain.function(f)
			for range n {
				f = chain.apply(f)
			}
			v = append(v, chain.at(f, p.Start[0]), chain.at(f, -p.Start[0]/3))
		}
		steps, values = append(steps, h), append(values, v)
	}
	var errs []float64
	for i := range steps[1:] {
		var e float64
		for j, v := range values[i] {
			e += (v - values[i+1][j]) * (v - values[i+1][j])
		}
		errs = append(errs, math.Sqrt(e))
	}
	c.order("weak order", "the difference of expectations at time 1, between steps of h and h/2, of "+p.Name, steps[:len(errs)], errs, stated, 1e-9)
}

func (c *checker) invariantMeasure() {
	if c.augmented {
		return
	}
	for _, p := range wells() {
		c.stationaryOrder("invariant measure", p)
	}
}

// stationaryOrder looks at the order of ⟨x²⟩ under the stationary law, by steps of 0.1 and
// less: shorter ones follow where the order is not seen yet, as when the error changes
// its sign on the way.
func (c *checker) stationaryOrder(check string, p Problem) {
	const floor = 2e-8
	var steps, errs []float64
	var stated float64
	for h := 0.1; h > 0.003; h /= 2 {
		chain, properties, ok := c.chain(p.Equation, h)
		if !ok {
			return
		}
		stated = properties.Invariant
		m, ok := chain.stationary(func(x float64) float64 { return x * x })
		if !ok {
			c.fault(check, "%s: the stationary law at h = %g was not found", p.Name, h)
			return
		}
		steps, errs = append(steps, h), append(errs, m-p.Stationary[0])
		if n := len(errs) - 1; n >= 2 && (math.Abs(errs[n]) < floor || lastOrder(errs) > stated-orderSlack) {
			break
		}
	}
	c.order(check, "the error of ⟨x²⟩ under the stationary law of "+p.Name, steps, errs, stated, floor)
}

// StationaryMoment returns ⟨f⟩ under the stationary law of a scheme for a scalar
// equation whose particles stay well within ±2.6, free of Monte Carlo error: the
// transition kernel acts on functions, interpolated between Chebyshev points, by
// quadrature over the step's normals, until they are constant. It reports false if the scheme does
// not serve the equation, has history, or the law is not found.
func StationaryMoment(scheme integrate.Scheme, eq sde.Equation, h float64, f func(x float64) float64) (float64, bool) {
	c := &checker{scheme: scheme}
	if _, ok := scheme.(integrate.Augmented); ok {
		return 0, false
	}
	chain, _, ok := c.chain(eq, h)
	if !ok {
		return 0, false
	}
	return chain.stationary(f)
}
