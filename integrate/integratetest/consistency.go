// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// consistency holds the first two moments of a single step to the equation,
//
//	E Δ/h → a,   E ΔΔᵀ/h → BBᵀ
//
// with a the Itô drift, whatever calculus the equation and the scheme have.
func (c *checker) consistency() {
	if c.augmented {
		return
	}
	for _, p := range Problems() {
		var steps, errs []float64
		for h := 1. / 256; h > 9e-4; h /= 2 {
			kernel, properties, ok := c.bind(p.Equation, h, 1)
			if !ok || properties.Weak == 0 && properties.Strong == 0 {
				break
			}
			d, m := p.Equation.Dims()
			s := newStepper(kernel, d, h)
			dep := s.dependence(p.Start, m)
			if dep.next {
				break
			}
			steps, errs = append(steps, h), append(errs, s.inconsistency(p, m, dep))
		}
		if len(errs) > 0 {
			c.order("consistency", "the difference of a step's mean and covariance, over h, from the drift and BBᵀ of "+p.Name, steps, errs, 0.5, 1e-7)
		}
	}
}

// inconsistency returns |E Δ/h − a| + |E ΔΔᵀ/h − BBᵀ| at a problem's start.
func (s *stepper) inconsistency(p Problem, m int, dep dependence) float64 {
	const t = 0.25
	d := len(p.Start)
	drift, root := make([]float64, d), make([]float64, d*m)
	p.Equation.Drift(drift, p.Start, t)
	p.Equation.Root(root, p.Start, t)
	diffusion := sde.DiffusionOf(p.Equation)
	if c := sde.NewConversion(diffusion, d, m, sde.InterpretationOf(p.Equation), sde.Ito); c != nil {
		c.Add(drift, p.Start, t)
	}
	mean, second, y := make([]float64, d), make([]float64, d*d), make([]float64, d)
	dep.each(m, 9, func(w float64, n noise) {
		s.step(y, p.Start, t, n)
		for i := range y {
			y[i] -= p.Start[i]
		}
		for i, v := range y {
			mean[i] += w * v / s.h
			for j, u := range y {
				second[i*d+j] += w * v * u / s.h
			}
		}
	})
	var first, all float64
	for i, v := range mean {
		first += (v - drift[i]) * (v - drift[i])
		for j := range d {
			e := second[i*d+j]
			for k := range m {
				e -= root[i*m+k] * root[j*m+k]
			}
			all += e * e
		}
	}
	return math.Sqrt(first) + math.Sqrt(all)
}
