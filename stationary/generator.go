// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/sgflow/sgflow/internal/arnoldi"
	"github.com/sgflow/sgflow/internal/jump"
	"github.com/sgflow/sgflow/sde"
)

// Generator is the generator of an equation on a grid, made by FokkerPlanck: the
// rates at which probability jumps between neighbouring cells. Cell k is number
// (i, j) = (k / n₂, k mod n₂). It is safe for concurrent use if the sets it is given are.
type Generator struct {
	dim      int
	n        [2]int // 1 for an axis that is not there
	lo, h    [2]float64
	boundary sde.Boundary
	links    []link
	order    *jump.Order
}

// Dim returns 1 or 2.
func (g *Generator) Dim() int { return g.dim }

// Cells returns the number of cells along each axis.
func (g *Generator) Cells() []int { return append([]int(nil), g.n[:g.dim]...) }

// Center returns the centre of cell k.
func (g *Generator) Center(k int) []float64 {
	c := []float64{g.lo[0] + (float64(k/g.n[1])+0.5)*g.h[0], g.lo[1] + (float64(k%g.n[1])+0.5)*g.h[1]}
	return c[:g.dim]
}

// cell returns the number of the cell that holds θ, −1 outside the box.
func (g *Generator) cell(theta []float64) int {
	k := 0
	for a := range g.dim {
		i := int(math.Floor((theta[a] - g.lo[a]) / g.h[a]))
		if theta[a] == g.lo[a]+float64(g.n[a])*g.h[a] {
			i = g.n[a] - 1
		}
		if i < 0 || g.n[a] <= i || math.IsNaN(theta[a]) {
			return -1
		}
		k = k*g.n[a] + i
	}
	return k
}

func (g *Generator) volume() float64 { return g.h[0] * g.h[1] }

// process returns the generator as a jump process that ends in the cells marked, if
// any are, where a jump towards them crosses their set's boundary. ends is then how
// fast each cell jumps into marks 1, 2, ….
func (g *Generator) process(mark []uint8, sets []sde.Set) (p *jump.Process, ends [][]float64) {
	n := g.n[0] * g.n[1]
	p = &jump.Process{Start: make([]int, n+1), Kill: make([]float64, n)}
	ends = make([][]float64, len(sets)+1)
	for s := range sets {
		ends[s+1] = make([]float64, n)
	}
	marked := func(k int32) int {
		if mark == nil {
			return 0
		}
		return int(mark[k])
	}
	// one calls f for each jump, −1 being an absorbing side.
	one := func(f func(from, to int32, rate float64)) {
		for _, l := range g.links {
			mi, mj := marked(l.i), 0
			if l.j < 0 {
				if mi == 0 {
					f(l.i, -1, 2*l.r*bernoulli(-l.w/2))
				}
				continue
			}
			mj = marked(l.j)
			switch {
			case mi == 0 && mj == 0:
				f(l.i, l.j, l.r*bernoulli(-l.w))
				f(l.j, l.i, l.r*bernoulli(l.w))
			case mi == 0:
				s := g.crossing(l.i, l.di, l.dj, sets[mj-1])
				f(l.i, l.j, l.r/s*bernoulli(-l.w*s))
			case mj == 0:
				s := g.crossing(l.j, -l.di, -l.dj, sets[mi-1])
				f(l.j, l.i, l.r/s*bernoulli(l.w*s))
			}
		}
	}
	one(func(from, to int32, rate float64) {
		if to >= 0 && marked(to) == 0 && rate > 0 {
			p.Start[from+1]++
		}
	})
	for i := range n {
		p.Start[i+1] += p.Start[i]
	}
	next := append([]int(nil), p.Start...)
	p.To, p.Rate = make([]int32, p.Start[n]), make([]float64, p.Start[n])
	one(func(from, to int32, rate float64) {
		switch {
		case to < 0:
			p.Kill[from] += rate
		case marked(to) != 0:
			p.Kill[from] += rate
			ends[marked(to)][from] += rate
		case rate > 0:
			p.To[next[from]], p.Rate[next[from]] = to, rate
			next[from]++
		}
	})
	for k := range n {
		if m := marked(int32(k)); m != 0 { // there already
			p.Kill[k] = 1
			ends[m][k] = 1
		}
	}
	return p, ends
}

// crossing returns how far along a jump from a cell's centre a set begins, as a share
// of the jump.
func (g *Generator) crossing(k int32, di, dj int8, set sde.Set) float64 {
	from := g.Center(int(k))
	theta := make([]float64, g.dim)
	step := [2]float64{float64(di) * g.h[0], float64(dj) * g.h[1]}
	out, in := 0.0, 1.0
	for range 30 {
		s := (out + in) / 2
		for a := range theta {
			theta[a] = from[a] + s*step[a]
			if g.boundary == sde.Periodic {
				w := float64(g.n[a]) * g.h[a]
				theta[a] -= w * math.Floor((theta[a]-g.lo[a])/w)
			}
		}
		if set.Contains(theta) {
			in = s
		} else {
			out = s
		}
	}
	return math.Max(in, 1e-6)
}

// absorbing reports whether probability is lost at the sides.
func (g *Generator) absorbing() bool { return g.boundary == sde.Absorbing }

// factor eliminates a process.
func (g *Generator) factor(p *jump.Process) (*jump.Factors, error) {
	f, err := g.order.Factor(p)
	if err != nil {
		return nil, &sde.SettingError{Field: "stationary: Generator", Value: "rates that fall below 1e-300 between parts of the grid",
			Want: "a higher temperature, a smaller box, or finer cells: as it is, parts of the grid cannot be reached", Err: err}
	}
	return f, nil
}

// Stationary returns the law that the equation settles in. It returns an error if the
// box absorbs: what is absorbed leaves no stationary law.
func (g *Generator) Stationary() (*GridLaw, error) {
	if g.absorbing() {
		return nil, &sde.SettingError{Field: "stationary: Generator", Value: "an absorbing box", Want: "a reflecting or a periodic one for a stationary law (an absorbing one has passage times and a spectrum)"}
	}
	p, _ := g.process(nil, nil)
	f, err := g.factor(p)
	if err != nil {
		return nil, err
	}
	law := g.newLaw()
	f.Stationary(law.mass)
	return law, nil
}

// MeanFirstPassageTime returns the mean time τ(θ) until the flow, started at θ, is in
// the target or at a side of an absorbing box; the target can then be nil:
//
//	a·∇τ + D:∇∇τ = −1 (Itô),   τ = 0 there
//
// The target is taken where a line between two centres crosses its boundary, so that
// the order is 2 for smooth sets too. It must hold the centre of a cell but not of all.
func (g *Generator) MeanFirstPassageTime(target sde.Set) (*Field, error) {
	var mark []uint8
	var sets []sde.Set
	if target != nil {
		var err error
		if mark, err = g.mark("MeanFirstPassageTime target", target); err != nil {
			return nil, err
		}
		sets = []sde.Set{target}
	} else if !g.absorbing() {
		return nil, &sde.SettingError{Field: "stationary: Generator.MeanFirstPassageTime target", Value: nil, Want: "a set, or an absorbing box: nothing is ever reached"}
	}
	p, _ := g.process(mark, sets)
	f, err := g.factor(p)
	if err != nil {
		return nil, err
	}
	tau := g.newField()
	for k := range tau.Values {
		if mark == nil || mark[k] == 0 {
			tau.Values[k] = 1
		}
	}
	f.Backward(tau.Values)
	return tau, nil
}

// Committor returns the probability q(θ) that the flow, started at θ, is in b before
// it is in a (or at a side of an absorbing box):
//
//	a·∇q + D:∇∇q = 0 (Itô),   q = 0 in a, 1 in b
//
// Both sets must hold the centre of a cell, and none in common.
func (g *Generator) Committor(a, b sde.Set) (*Field, error) {
	if a == nil || b == nil {
		return nil, &sde.SettingError{Field: "stationary: Generator.Committor set", Value: nil, Want: "two sets"}
	}
	mark, err := g.mark("Committor a", a)
	if err != nil {
		return nil, err
	}
	other, err := g.mark("Committor b", b)
	if err != nil {
		return nil, err
	}
	for k, m := range other {
		if m != 0 {
			if mark[k] != 0 {
				return nil, &sde.SettingError{Field: "stationary: Generator.Committor b", Value: fmt.Sprintf("a set that holds %.6g, as a does", g.Center(k)), Want: "sets apart from each other"}
			}
			mark[k] = 2
		}
	}
	p, ends := g.process(mark, []sde.Set{a, b})
	f, err := g.factor(p)
	if err != nil {
		return nil, err
	}
	q := g.newField()
	copy(q.Values, ends[2])
	f.Backward(q.Values)
	return q, nil
}

// mark returns 1 for the cells whose centre a set holds.
func (g *Generator) mark(name string, set sde.Set) ([]uint8, error) {
	if v, ok := set.(interface{ Validate(dim int) error }); ok {
		if err := v.Validate(g.dim); err != nil {
			return nil, err
		}
	}
	mark, count := make([]uint8, g.n[0]*g.n[1]), 0
	for k := range mark {
		if set.Contains(g.Center(k)) {
			mark[k] = 1
			count++
		}
	}
	if count == 0 || count == len(mark) {
		return nil, &sde.SettingError{Field: "stationary: Generator." + name, Value: fmt.Sprintf("a set with %d of %d cells' centres", count, len(mark)), Want: "at least one and not all; take finer cells"}
	}
	return mark, nil
}

// Mode is an eigenfunction u of the generator,
//
//	a·∇u + D:∇∇u = −λ u (Itô)
//
// along which the flow relaxes as e^(−λt).
type Mode struct {
	// Rate is λ, with an imaginary part if the relaxation turns (one of a pair stands
	// for both).
	Rate complex128
	// Real and Imag are the parts of u; Imag is nil if the rate is real. The sign is
	// free; the mean of |u|² over the stationary law is 1 (over the box, if it absorbs).
	Real, Imag *Field
}

// Spectrum returns the k modes whose rates are smallest in modulus, in the order of
// their real parts: without the constant one, of rate 0, if the
// box keeps mass, so that the first rate is the spectral gap. Rates are right to about
// 1e-10 of the grid's own however small they are.
func (g *Generator) Spectrum(k int) ([]Mode, error) {
	n := g.n[0] * g.n[1]
	if k < 1 || k > 50 || 4*k > n {
		return nil, &sde.SettingError{Field: "stationary: Generator.Spectrum k", Value: k, Want: "from 1 to 50, and no more than a quarter of the cells"}
	}
	p, _ := g.process(nil, nil)
	f, err := g.factor(p)
	if err != nil {
		return nil, err
	}
	var weight, pi []float64
	if !g.absorbing() {
		pi = make([]float64, n)
		f.Stationary(pi)
		weight = pi
	}
	project := func(u []float64) {
		if pi == nil {
			return
		}
		mean := 0.0
		for i, w := range pi {
			mean += w * u[i]
		}
		for i := range u {
			u[i] -= mean
		}
	}
	relax := func(u []float64) {
		project(u)
		f.Backward(u)
		project(u)
	}
	// In units of the slowest time, whose square would overflow.
	unit := make([]float64, n)
	for i := range unit {
		unit[i] = math.Mod(float64(i)*0.6180339887498949, 1) - 0.5
	}
	relax(unit)
	time := floats.Norm(unit, math.Inf(1))
	if !(time > 0) || math.IsInf(time, 1) {
		return nil, &sde.SettingError{Field: "stationary: Generator", Value: "rates below 1e-308", Want: "a higher temperature"}
	}
	pairs, err := arnoldi.Largest(func(dst, src []float64) {
		copy(dst, src)
		relax(dst)
		floats.Scale(1/time, dst)
	}, n, k, weight, 1e-11)
	if err != nil {
		return nil, fmt.Errorf("stationary: spectrum of %d modes: %w", k, err)
	}
	modes := make([]Mode, k)
	for i, v := range pairs {
		m := &modes[i]
		m.Rate = 1 / v.Value / complex(time, 0)
		m.Real = &Field{Values: v.Real, g: g}
		if pi == nil { // from the sum over cells to the mean
			floats.Scale(math.Sqrt(float64(n)), v.Real)
			if v.Imag != nil {
				floats.Scale(math.Sqrt(float64(n)), v.Imag)
			}
		}
		if v.Imag != nil {
			m.Imag = &Field{Values: v.Imag, g: g}
		}
	}
	slices.SortStableFunc(modes, func(a, b Mode) int { return cmpFloat(real(a.Rate), real(b.Rate)) })
	return modes, nil
}

// Evolve returns the law at a time t from law, by steps steps in time of a method of
// order 2 that is L-stable, however long they are (Alexander, 1977, SIAM J. Numer. Anal.
// 14, 1006–1021, the method of two stages), after four steps of 0.29 of their length by
// the implicit Euler method, which smooth what a step or a point in the law stirs up.
//
// Mass is kept to rounding (in an absorbing box, what is left is GridLaw.Mass). Steps
// that are long compared with the time in which a cell is left can leave small negative
// masses near where the law is steep; as the implicit Euler method does not, taking no
// steps beyond the first four (steps = 0) never does, at order 1.
func (g *Generator) Evolve(law *GridLaw, t float64, steps int) (*GridLaw, error) {
	const field = "stationary: Generator.Evolve "
	switch {
	case law == nil || law.g != g:
		return nil, &sde.SettingError{Field: field + "law", Value: law, Want: "a law on this grid, such as Generator.At makes"}
	case !(t > 0) || math.IsInf(t, 0):
		return nil, &sde.SettingError{Field: field + "t", Value: t, Want: "a finite time above 0"}
	case steps < 0:
		return nil, &sde.SettingError{Field: field + "steps", Value: steps, Want: "0 or more"}
	}
	const gamma = 1 - 1/math.Sqrt2
	dt := t / (float64(steps) + 4*gamma)
	p, _ := g.process(nil, nil)
	rate := 1 / (gamma * dt)
	for k := range p.Kill {
		p.Kill[k] += rate
	}
	f, err := g.factor(p)
	if err != nil {
		return nil, err
	}
	next := g.newLaw()
	x, stage := next.mass, make([]float64, len(next.mass))
	copy(x, law.mass)
	implicit := func(dst, src []float64) {
		for i, v := range src {
			dst[i] = rate * v
		}
		f.Forward(dst)
	}
	for range 4 {
		implicit(x, x)
	}
	for range steps {
		implicit(stage, x)
		for i, v := range stage {
			stage[i] = x[i] + (1-gamma)/gamma*(v-x[i])
		}
		implicit(x, stage)
	}
	return next, nil
}
