// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// brownian is dX = b dW.
func brownian(b float64) Problem {
	return Problem{Name: "Brownian motion", Start: []float64{0.3},
		Equation: scalar(sde.Constant, func(_, _ float64) float64 { return 0 }, func(_, _ float64) float64 { return b })}
}

// increments holds the moments of a step of Brownian motion to those of a normal, as
// many as the weak order asks for, and what is drawn in a run to being independent.
func (c *checker) increments() {
	if c.augmented {
		return
	}
	const b, h = 1.3, 1. / 64
	p := brownian(b)
	kernel, properties, ok := c.bind(p.Equation, h, 1)
	if !ok || properties.Weak == 0 && properties.Strong == 0 {
		return
	}
	s := newStepper(kernel, 1, h)
	dep := s.dependence(p.Start, 1)
	if dep.next {
		return
	}
	// A weak order of p needs the moments up to 2p+1 (Kloeden & Platen, 1992, § 5.12).
	highest := 3
	if properties.Weak >= 2 {
		highest = 5
	}
	moments, y := make([]float64, highest+1), make([]float64, 1)
	visit := func(w float64, n noise) {
		s.step(y, p.Start, 0, n)
		v := 1.0
		for k := range moments {
			moments[k] += w * v
			v *= (y[0] - p.Start[0]) / (b * math.Sqrt(h))
		}
	}
	tolerance := 1e-9
	if !dep.steps {
		dep.each(1, 24, visit)
	} else {
		// Where the thresholds are is for the scheme to say: many points of the same weight.
		const points = 1 << 13
		tolerance = 4 * 9 * math.Sqrt(3) / points // a few thresholds, each off by a point
		words := 1
		if dep.word {
			words = 2
		}
		for i := range points {
			z := distuv.UnitNormal.Quantile((float64(i) + 0.5) / points)
			for word := range words {
				visit(1/float64(points*words), noise{z: []float64{z}, word: uint64(word)})
			}
		}
	}
	for k, want := range []float64{1, 0, 1, 0, 3, 0}[:highest+1] {
		if !(math.Abs(moments[k]-want) < tolerance) {
			c.fault("increments", "moment %d of a step of Brownian motion, over its standard deviation, is %.6g; it must be %g for weak order %g",
				k, moments[k], want, properties.Weak)
			return
		}
	}
	c.drawn(p, b)
}

// drawn looks at the increments of steps of Brownian motion as they are drawn: their
// variance, and the correlations between steps, particles and blocks.
func (c *checker) drawn(p Problem, b float64) {
	const h, rows, blocks, steps = 1. / 64, 256, 64, 4
	kernel, _, _ := c.bind(p.Equation, h, rows)
	stream, x := sde.NewStream(c.o.Seed, nil), sde.NewBatch(rows, 1)
	z := make([]float64, 0, rows*blocks*steps) // by block, step and row
	for block := range blocks {
		for i := range x.Data {
			x.Data[i] = p.Start[0]
		}
		last := append([]float64(nil), x.Data...)
		for n := range steps {
			stream.At(sde.Steps, block, n)
			kernel.Step(x, float64(n)*h, stream)
			for i, v := range x.Data {
				z = append(z, (v-last[i])/(b*math.Sqrt(h)))
			}
			copy(last, x.Data)
		}
	}
	product := func(lag int) (v []float64) {
		for i := lag; i < len(z); i++ {
			v = append(v, z[i]*z[i-lag])
		}
		return v
	}
	for _, test := range []struct {
		what string
		v    []float64
		want float64
	}{
		{"mean", z, 0},
		{"variance", product(0), 1},
		{"correlation between neighbouring particles", product(1), 0},
		{"correlation between a step and the next", product(rows), 0},
		{"correlation between blocks", product(rows * steps), 0},
	} {
		mean, dev := stat.MeanStdDev(test.v, nil)
		stderr := dev / math.Sqrt(float64(len(test.v)))
		if !(math.Abs(mean-test.want) < stderr*-distuv.UnitNormal.Quantile(strongAlpha/2)) {
			c.fault("increments", "the %s of the increments that a run draws, over h, is %s; it must be %g", test.what, fmt.Sprintf("%.4f ± %.4f", mean, stderr), test.want)
		}
	}
}
