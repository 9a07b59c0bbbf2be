// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Field is a function on a grid: a committor, a mean passage time, an eigenfunction.
type Field struct {
	// Values are those at the cells' centres, in their order.
	Values []float64

	g *Generator
}

func (g *Generator) newField() *Field {
	return &Field{Values: make([]float64, g.n[0]*g.n[1]), g: g}
}

// Grid returns the generator whose cells the values belong to.
func (f *Field) Grid() *Generator { return f.g }

// At returns the value at θ, linear along each axis between centres, and NaN outside
// the box. It panics unless it is given d coordinates.
func (f *Field) At(theta ...float64) float64 {
	g := f.g
	if len(theta) != g.dim {
		panic(badDim)
	}
	if g.cell(theta) < 0 {
		return math.NaN()
	}
	var at [2][2]int
	var weight [2][2]float64
	weight[1] = [2]float64{1, 0}
	for a := range g.dim {
		u := (theta[a]-g.lo[a])/g.h[a] - 0.5
		i := int(math.Floor(u))
		if g.boundary != sde.Periodic { // the line is drawn on to the sides
			i = min(max(i, 0), g.n[a]-2)
		}
		s := u - float64(i)
		at[a] = [2]int{(i + g.n[a]) % g.n[a], (i + 1 + g.n[a]) % g.n[a]}
		weight[a] = [2]float64{1 - s, s}
	}
	v := 0.0
	for p := range 2 {
		for q := range 2 {
			if w := weight[0][p] * weight[1][q]; w != 0 {
				v += w * f.Values[at[0][p]*g.n[1]+at[1][q]]
			}
		}
	}
	return v
}

// GridLaw is a law on the cells of a grid, even within each: what FokkerPlanck gives.
// Its probabilities and means are of order 2 in the cells' size.
type GridLaw struct {
	mass []float64
	g    *Generator
}

var _ Law = (*GridLaw)(nil)

func (g *Generator) newLaw() *GridLaw {
	return &GridLaw{mass: make([]float64, g.n[0]*g.n[1]), g: g}
}

// At returns the law of all mass in the cell that holds θ. It panics if θ is not in
// the box.
func (g *Generator) At(theta ...float64) *GridLaw {
	if len(theta) != g.dim {
		panic(badDim)
	}
	k := g.cell(theta)
	if k < 0 {
		panic("stationary: start outside the box")
	}
	law := g.newLaw()
	law.mass[k] = 1
	return law
}

// Project returns the law with a density proportional to f at the cells' centres,
// and an error if that is negative, not finite or 0 everywhere.
func (g *Generator) Project(f func(theta []float64) float64) (*GridLaw, error) {
	law, sum := g.newLaw(), 0.0
	for k := range law.mass {
		v := f(g.Center(k))
		if !(v >= 0) || math.IsInf(v, 1) {
			return nil, &sde.SettingError{Field: "stationary: Generator.Project f", Value: v, Want: "finite numbers that are not negative"}
		}
		law.mass[k] = v
		sum += v
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return nil, &sde.SettingError{Field: "stationary: Generator.Project f", Value: sum, Want: "a sum above 0 and finite"}
	}
	for k := range law.mass {
		law.mass[k] /= sum
	}
	return law, nil
}

// Dim returns 1 or 2.
func (l *GridLaw) Dim() int { return l.g.dim }

// Grid returns the generator whose cells the law lives on.
func (l *GridLaw) Grid() *Generator { return l.g }

// Mass returns the probability that is left: 1, less what an absorbing box took.
func (l *GridLaw) Mass() float64 {
	s := 0.0
	for _, m := range l.mass {
		s += m
	}
	return s
}

// CellProbability returns the probability of cell k.
func (l *GridLaw) CellProbability(k int) float64 { return l.mass[k] }

// Density returns p(θ), linear between the centres of cells, and 0 outside the box.
// It panics unless it is given d coordinates.
func (l *GridLaw) Density(theta ...float64) float64 {
	f := Field{Values: l.mass, g: l.g}
	v := f.At(theta...) / l.g.volume()
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// Mean returns Σ_k f(centre of cell k) times the probability of cell k.
func (l *GridLaw) Mean(f func(theta []float64) float64) float64 {
	s := 0.0
	for k, m := range l.mass {
		if m != 0 {
			s += m * f(l.g.Center(k))
		}
	}
	return s
}

// Probability returns the probability of the box lo_i ≤ θ_i < hi_i. It panics if lo or
// hi is not of length d.
func (l *GridLaw) Probability(lo, hi []float64) float64 {
	g := l.g
	if len(lo) != g.dim || len(hi) != g.dim {
		panic(badDim)
	}
	// The share of each row and column that lies in the box.
	share := [2][]float64{nil, {1}}
	for a := range g.dim {
		share[a] = make([]float64, g.n[a])
		for i := range share[a] {
			left := g.lo[a] + float64(i)*g.h[a]
			share[a][i] = math.Max(0, math.Min(1, (hi[a]-left)/g.h[a])-math.Max(0, (lo[a]-left)/g.h[a]))
		}
	}
	s := 0.0
	for i, u := range share[0] {
		if u == 0 {
			continue
		}
		for j, v := range share[1] {
			s += u * v * l.mass[i*g.n[1]+j]
		}
	}
	return s
}

// Marginal returns the probabilities of the rows of cells along an axis. It panics if
// there is no such axis.
func (l *GridLaw) Marginal(axis int) []float64 {
	g := l.g
	if axis < 0 || g.dim <= axis {
		panic("stationary: no such coordinate")
	}
	m := make([]float64, g.n[axis])
	for k, v := range l.mass {
		if axis == 0 {
			m[k/g.n[1]] += v
		} else {
			m[k%g.n[1]] += v
		}
	}
	return m
}

// Current returns the components of the probability current J = bp − D∇p of a law, one
// field a coordinate, averaged over each cell. In the cells along a side it holds
// that half of the cell's flow that does not go through the side.
func (g *Generator) Current(law *GridLaw) []*Field {
	if law.g != g {
		panic("stationary: law of another grid")
	}
	j := make([]*Field, g.dim)
	for a := range j {
		j[a] = g.newField()
	}
	for _, l := range g.links {
		if l.j < 0 {
			continue
		}
		flow := l.r*bernoulli(-l.w)*law.mass[l.i] - l.r*bernoulli(l.w)*law.mass[l.j]
		for a, f := range j {
			v := flow * g.h[a] * float64([2]int8{l.di, l.dj}[a]) / (2 * g.volume())
			f.Values[l.i] += v
			f.Values[l.j] += v
		}
	}
	return j
}

// EntropyProduction returns the rate at which a law of the flow produces entropy, in
// nats a unit of time, that of the jumps between cells,
//
//	σ = Σ (p_i k_ij − p_j k_ji) log(p_i k_ij / p_j k_ji) ≥ 0
//
// which for small cells is ∫ Jᵀ(Dp)⁻¹J, and 0 in equilibrium (Schnakenberg, 1976, Rev.
// Mod. Phys. 48, eq. 7.6).
func (g *Generator) EntropyProduction(law *GridLaw) float64 {
	if law.g != g {
		panic("stationary: law of another grid")
	}
	s := 0.0
	for _, l := range g.links {
		if l.j < 0 {
			continue
		}
		out, back := l.r*bernoulli(-l.w)*law.mass[l.i], l.r*bernoulli(l.w)*law.mass[l.j]
		if out > 0 && back > 0 {
			s += (out - back) * math.Log(out/back)
		}
	}
	return s
}
