// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// uniformP is the p-value of a χ² test of x against the uniform law on [lo, hi].
func uniformP(x []float64, lo, hi float64) (statistic, p float64) {
	const cells = 40
	var counts [cells]float64
	for _, v := range x {
		if v < lo || v > hi {
			return math.Inf(1), 0
		}
		counts[min(cells-1, int(cells*(v-lo)/(hi-lo)))]++
	}
	want := float64(len(x)) / cells
	for _, c := range counts {
		statistic += (c - want) * (c - want) / want
	}
	return statistic, distuv.ChiSquared{K: cells - 1}.Survival(statistic)
}

// TestBoxUniform: on a flat loss the law in a reflecting or periodic box is
// uniform at any step, as neither map changes a uniform density.
func TestBoxUniform(t *testing.T) {
	const d = 2
	particles := 1 << 16
	if testing.Short() {
		particles = 1 << 12
	}
	box := sde.Box{Lo: []float64{-1, 2}, Hi: []float64{0.5, 2.75}}
	for i, boundary := range []sde.Boundary{sde.Reflecting, sde.Periodic} {
		box.Boundary = boundary
		for j, step := range []float64{0.01, 1} {
			seed := uint64(800+10*i+j) + *seedShift
			e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{d}, Diffusion: noise.Temperature{T: 0.5}, Domain: box},
				Step: step, Particles: particles, Seed: seed, Start: integrate.Points{{-0.9, 2.5}}}
			steps := 400.0
			if step == 1 {
				steps = 20 // each is as long as the box
			}
			x := finals(t, e, integrate.Schedule{Time: steps * step})
			for k := range d {
				column := make([]float64, particles)
				for i := range column {
					column[i] = x.Row(i)[k]
				}
				s, p := uniformP(column, box.Lo[k], box.Hi[k])
				accept(t, fmt.Sprintf("%v box, step %g, coordinate %d", boundary, step, k), seed, s, p)
			}
			// Before it has mixed it is not.
			if step < 0.1 {
				x := finals(t, e, integrate.Schedule{Time: 5 * step})
				s, p := uniformP(x.Data, -1, 2.75)
				reject(t, fmt.Sprintf("%v box before mixing", boundary), seed, s, p)
			}
		}
	}
}

// TestBoxPeriodicWraps holds a periodic path to the free one.
func TestBoxPeriodicWraps(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 0.5}}, Step: 0.1, Particles: 3000, Seed: 1}
	s := integrate.Schedule{Time: 10}
	free := finals(t, e, s)
	e.Equation = sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 0.5}, Domain: sde.Box{Lo: []float64{-1}, Hi: []float64{1}, Boundary: sde.Periodic}}
	wrapped := finals(t, e, s)
	for i, v := range free.Data {
		turns := (v - wrapped.Data[i]) / 2
		if math.Abs(turns-math.Round(turns)) > 1e-12 || math.Abs(wrapped.Data[i]) > 1 {
			t.Fatalf("free %v, wrapped %v", v, wrapped.Data[i])
		}
	}
}

// TestBoxAbsorbing: a particle that is outside stays there, and inside it is that
// of the free flow.
func TestBoxAbsorbing(t *testing.T) {
	box := sde.Box{Lo: []float64{-1}, Hi: []float64{math.Inf(1)}, Boundary: sde.Absorbing}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 0.5}}, Step: 0.1, Particles: 3000, Seed: 1}
	s := integrate.Schedule{Time: 5, Every: 0.1}
	series := func() *integrate.Series[*integrate.Final] {
		return integrate.NewSeries(func() *integrate.Final { return new(integrate.Final) })
	}
	free, absorbed := series(), series()
	mustRun(t, e, s, free)
	e.Equation = sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 0.5}, Domain: box}
	mustRun(t, e, s, absorbed)
	exits := 0
	for p := range e.Particles {
		out := math.NaN()
		for i := range absorbed.Len() {
			_, a := absorbed.At(i)
			_, f := free.At(i)
			x, y := a.States().Row(p)[0], f.States().Row(p)[0]
			switch {
			case !math.IsNaN(out):
				if x != out {
					t.Fatalf("particle %d moves from %v to %v after its exit", p, out, x)
				}
			case x != y:
				t.Fatalf("particle %d is at %v, free at %v", p, x, y)
			case x < -1:
				out = x
				exits++
			}
		}
	}
	// P(min over [0, 5] < −1) = 2Φ(−1/√5) = 0.65; less is seen at discrete times.
	if exits < 1000 || exits > 2000 {
		t.Errorf("%d of %d left", exits, e.Particles)
	}
}

// hole is a domain of one's own: particles within 1 of the origin go back.
type hole struct{}

func (hole) Contains(theta []float64) bool { return math.Abs(theta[0]) >= 1 }
func (h hole) Constrain(before, after sde.Batch) {
	for i := range after.Rows {
		if !h.Contains(after.Row(i)) {
			copy(after.Row(i), before.Row(i))
		}
	}
}

func TestOwnDomain(t *testing.T) {
	e := integrate.Ensemble{Equation: sde.Flow{Loss: flat{1}, Diffusion: noise.Temperature{T: 0.5}, Domain: hole{}},
		Step: 0.05, Particles: 2000, Start: integrate.Points{{1.5}, {-1.5}}}
	inside := 0
	x := finals(t, e, integrate.Schedule{Time: 2})
	for i := range x.Rows {
		if math.Abs(x.Row(i)[0]) < 1 {
			inside++
		}
	}
	if inside > 0 {
		t.Errorf("%d particles in the hole", inside)
	}
}
