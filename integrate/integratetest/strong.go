// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// Order is a measured order of convergence.
type Order struct {
	Value, StdErr float64
	// Exact says that there was no error but rounding; Value is then +Inf.
	Exact bool
	// Steps and Errors are what the order was measured from.
	Steps, Errors []float64
}

const (
	strongGroups = 32
	firstLevel   = 3 // steps of 2⁻³ …
	lastLevel    = 8 // … to 2⁻⁸
	// strongAlpha bounds the false alarms of each comparison of an order.
	strongAlpha = 1e-9
	// missAlpha is how likely it may be that an order lower by ½ is not found. If it
	// could be likelier the check fails too, for want of paths.
	missAlpha = 1e-5
)

// Margin is how far an order may be from another for the difference to be chance.
func (o Order) Margin() float64 { return o.margin(strongAlpha) }

func (o Order) margin(alpha float64) float64 {
	return o.StdErr * -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: strongGroups - 1}.Quantile(alpha/2)
}

// StrongOrder measures the strong order of a scheme on a problem, by the root mean
// square of the error at time 1 with steps of 2⁻³ to 2⁻⁸ on common Brownian paths: against
// the problem's solution, or between steps of h and h/2 if it has none. The
// slope is fitted by least squares with the weights of the errors' scatter and a
// term linear in h, its standard error taken by jackknife over groups of paths. It
// returns an error if the scheme does not serve the equation.
func StrongOrder(scheme integrate.Scheme, p Problem, paths int, seed uint64) (Order, error) {
	d, m := p.Equation.Dims()
	rows := max(1, paths/strongGroups)
	var steps []float64
	var states [][]float64 // by level, all paths
	properties, err := scheme.Properties(sde.ClassOf(sde.DiffusionOf(p.Equation)))
	if err != nil {
		return Order{}, err
	}
	width := d
	if a, ok := scheme.(integrate.Augmented); ok {
		width = a.Width(d)
	}
	stream := sde.NewStream(seed, nil)
	for l := firstLevel; l <= lastLevel; l++ {
		h := math.Exp2(-float64(l))
		kernel, err := scheme.Bind(integrate.NewSystem(p.Equation, properties.Calculus, h, rows))
		if err != nil {
			return Order{}, err
		}
		stream.Couple(1 << (lastLevel - l))
		var all []float64
		for g := range strongGroups {
			x := sde.NewBatch(rows, width)
			for i := range rows {
				copy(x.Row(i), p.Start)
			}
			if s, ok := kernel.(integrate.Starter); ok {
				stream.At(sde.Starts, g, 0)
				s.Start(x, stream)
			}
			for n := range 1 << l {
				stream.At(sde.Steps, g, n)
				kernel.Step(x, float64(n)*h, stream)
			}
			for i := range rows {
				all = append(all, x.Row(i)[:d]...)
			}
		}
		steps, states = append(steps, h), append(states, all)
	}
	var reference []float64
	if p.Solution != nil {
		stream.Couple(1 << lastLevel)
		z, u := make([]float64, rows*m), make([]float64, rows*m)
		dst, area := make([]float64, d), make([]float64, m)
		for g := range strongGroups {
			stream.At(sde.Steps, g, 0)
			stream.SpaceTime(z, u)
			for i := range rows {
				for k := range area {
					area[k] = u[i*m+k] / math.Sqrt(12)
				}
				p.Solution(dst, 1, z[i*m:(i+1)*m], area)
				reference = append(reference, dst...)
			}
		}
	}
	var squares [][]float64 // by level and group
	for l := range states {
		other := reference
		if other == nil {
			if l+1 == len(states) {
				steps = steps[:l]
				break
			}
			other = states[l+1]
		}
		s := make([]float64, strongGroups)
		for i, x := range states[l] {
			e := x - other[i]
			s[i/(rows*d)] += e * e / float64(rows)
		}
		squares = append(squares, s)
	}
	return fit(steps, squares), nil
}

// fit returns the order of root mean squares, given by level and group.
func fit(steps []float64, squares [][]float64) Order {
	o := Order{Steps: steps}
	exact := true
	logs := func(without int) []float64 {
		y := make([]float64, len(steps))
		for l, s := range squares {
			var sum, n float64
			for g, v := range s {
				if g != without {
					sum += v
					n++
				}
			}
			y[l] = math.Log(sum/n) / 2
		}
		return y
	}
	all := logs(-1)
	for _, v := range all {
		o.Errors = append(o.Errors, math.Exp(v))
		exact = exact && v < math.Log(1e-12)
	}
	if exact {
		o.Exact, o.Value = true, math.Inf(1)
		return o
	}
	drop := make([][]float64, strongGroups)
	for g := range drop {
		drop[g] = logs(g)
	}
	design := mat.NewDense(len(steps), 3, nil)
	weights, column := make([]float64, len(steps)), make([]float64, strongGroups)
	for l, h := range steps {
		for g := range column {
			column[g] = drop[g][l]
		}
		w := 1 / math.Sqrt(stat.Variance(column, nil))
		weights[l] = w
		design.SetRow(l, []float64{w, w * math.Log(h), w * h})
	}
	slope := func(y []float64) float64 {
		b := mat.NewVecDense(len(y), nil)
		for l, v := range y {
			b.SetVec(l, weights[l]*v)
		}
		var x mat.VecDense
		if err := x.SolveVec(design, b); err != nil {
			return math.NaN()
		}
		return x.AtVec(1)
	}
	o.Value = slope(all)
	for _, y := range drop {
		e := slope(y) - o.Value
		o.StdErr += e * e
	}
	o.StdErr = math.Sqrt(o.StdErr * (strongGroups - 1) / strongGroups)
	return o
}

func (c *checker) strongOrder() {
	for i, p := range strongProblems() {
		_, properties, ok := c.bind(p.Equation, 0.125, 1)
		if !ok || properties.Strong == 0 {
			continue
		}
		o, err := StrongOrder(c.scheme, p, c.o.paths(), c.o.Seed+uint64(i))
		if err != nil {
			c.fault("strong order", "%s: %v", p.Name, err)
			continue
		}
		switch {
		case o.Exact:
		case !(o.Value+o.Margin() >= properties.Strong):
			c.fault("strong order", "%s: stated %g, measured %.3f ± %.3f: lower, beyond chance; the errors are %s",
				p.Name, properties.Strong, o.Value, o.StdErr, table(o.Steps, o.Errors))
		case !(o.Value-o.margin(missAlpha) > properties.Strong-0.5):
			c.fault("strong order", "%s: stated %g, measured %.3f ± %.3f: order %g cannot be excluded; the errors are %s",
				p.Name, properties.Strong, o.Value, o.StdErr, properties.Strong-0.5, table(o.Steps, o.Errors))
		}
	}
}

// areas holds the iterated integral of a single step to its variance ½h², from
// which strong order 1 allows what vanishes with h.
func (c *checker) areas() {
	p := Area()
	const h = 1. / 64
	rows := 1 << 9
	kernel, properties, ok := c.bind(p.Equation, h, rows)
	if !ok || properties.Strong < 1 || c.augmented {
		return
	}
	stream := sde.NewStream(c.o.Seed, nil)
	x := sde.NewBatch(rows, 2)
	var v []float64
	for b := range 64 {
		clear(x.Data)
		stream.At(sde.Steps, b, 0)
		kernel.Step(x, 0, stream)
		for i := range rows {
			y := x.Row(i)[1] / h
			v = append(v, y*y)
		}
	}
	mean, dev := stat.MeanStdDev(v, nil)
	margin := dev / math.Sqrt(float64(len(v))) * -distuv.UnitNormal.Quantile(strongAlpha/2)
	if !(math.Abs(mean-0.5) < h+margin) {
		c.fault("areas", "the variance of ∫ W₁ dW₂ over a step is %.4f ± %.4f h²; it must be ½ h² up to a fraction h for strong order 1",
			mean, dev/math.Sqrt(float64(len(v))))
	}
}
