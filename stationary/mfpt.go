// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"

	"github.com/sgflow/sgflow/sde"
)

// MeanFirstPassageTime returns the mean time that an equation in one dimension
// takes from a place to one target, or to the nearer of two, one on either side.
// With the scale density s and the speed density m, for any D(x) and any calculus α,
//
//	s = D^(−α) exp(Φ),   m = D^(α−1) exp(−Φ),   Φ(x) = −∫ a/D = ∫ L′/D
//	τ(x → c) = ∫_x^c s(y) ∫_{−∞}^y m(z) dz dy
//
// if c > x is the only target: the process is then reflected at the end of its domain
// on the other side, or turns round by itself. With two targets b < x < c it is Green's
// function integrated against m. This is exact, at any height of the barrier, by Gauss–Legendre quadrature in
// logarithms: nothing overflows as T → 0. Source: Gardiner, 2009, Stochastic
// Methods, § 5.5; Kloeden & Platen, 1992, for the calculi.
//
// Refused are what ZeroFlux refuses of an equation, a domain that absorbs (give its ends as targets), targets that are
// not finite, are where the process starts, are outside the domain or on the same side, and a process whose mean time is
// infinite because it does not come back from the side without a target.
func MeanFirstPassageTime(eq sde.Equation, from float64, targets ...float64) (Prediction, error) {
	const name = "MeanFirstPassageTime"
	const field = "stationary: " + name + " equation"
	s, err := newScalar(field, eq)
	if err != nil {
		return Prediction{}, err
	}
	if (!math.IsInf(s.lo, -1) || !math.IsInf(s.hi, 1)) && s.boundary != sde.Reflecting {
		return Prediction{}, &sde.SettingError{Field: field + " domain.Boundary", Value: s.boundary, Want: "reflecting; ends that absorb are targets"}
	}
	if !isNumber(from) || from < s.lo || s.hi < from {
		return Prediction{}, wrong(name+" from", from, "a finite place inside the domain")
	}
	left, right := math.NaN(), math.NaN()
	for _, c := range targets {
		side := &right
		if c < from {
			side = &left
		}
		if !isNumber(c) || c == from || c < s.lo || s.hi < c || !math.IsNaN(*side) {
			return Prediction{}, wrong(name+" targets", targets, fmt.Sprintf("one finite place of the domain other than %g, or two on either side of it", from))
		}
		*side = c
	}
	if len(targets) == 0 {
		return Prediction{}, wrong(name+" targets", targets, "one or two")
	}
	phi, _, err := s.potential(field)
	if err != nil {
		return Prediction{}, err
	}
	logD := func(x float64) float64 { return math.Log(s.diffusion(x)) }
	if s.constant {
		d := logD(from)
		logD = func(float64) float64 { return d }
	}
	logs := func(x float64) (scale, speed float64) {
		p, d := phi(x), logD(x)
		return p - s.alpha*d, -p + (s.alpha-1)*d
	}
	if math.IsNaN(right) { // mirrored
		f := logs
		logs = func(x float64) (float64, float64) { return f(-x) }
		left, right, from, s.lo, s.hi = math.NaN(), -left, -from, -s.hi, -s.lo
		for i := range s.centres {
			s.centres[i] = -s.centres[i]
		}
	}
	g := greens{logs: logs, from: from, right: right, left: left, absorbing: !math.IsNaN(left), centres: s.centres}
	if !g.absorbing {
		g.left = s.lo
	}
	log, relative, err := g.passage()
	if err != nil {
		return Prediction{}, err
	}
	return predict("quadrature", log, relative), nil
}

// greens is a mean passage time as a double integral.
type greens struct {
	logs              func(x float64) (scale, speed float64)
	left, from, right float64
	absorbing         bool // at left; otherwise reflecting, or natural if that is −∞
	centres           []float64

	slabs  []slab
	weight []float64 // of each slab
	best   float64   // the largest sum of a scale and a speed that goes into the time
}

// slab is an interval with the logarithms of both densities at the nodes of a rule.
type slab struct {
	a, b         float64
	scale, speed [highOrder]float64
	top          [2]float64 // the largest of each
	diff         float64    // relative difference from the slab's halves
}

func (g *greens) slab(a, b float64) slab {
	q := slab{a: a, b: b, top: [2]float64{math.Inf(-1), math.Inf(-1)}}
	for i, t := range high.x {
		q.scale[i], q.speed[i] = g.logs(a + (b-a)/2 + (b-a)/2*t)
		q.top[0], q.top[1] = math.Max(q.top[0], q.scale[i]), math.Max(q.top[1], q.speed[i])
	}
	return q
}

// mass returns the logarithm of the integral of one of the densities over the slab.
func (q *slab) mass(log *[highOrder]float64, top float64) float64 {
	if math.IsInf(top, -1) {
		return top
	}
	sum := 0.0
	for i, w := range high.w {
		sum += w * math.Exp(log[i]-top)
	}
	return top + math.Log(sum*(q.b-q.a)/2)
}

// cumulative is the matrix that takes values at the nodes to the integrals from −1 to each node.
var cumulative = func() (m [highOrder][highOrder]float64) {
	var x, w [highOrder]float64
	for i, end := range high.x {
		quad.Legendre{}.FixedLocations(x[:], w[:], -1, end)
		for k, t := range x {
			for j, xj := range high.x { // Lagrange's polynomial of node j at t
				p := 1.0
				for l, xl := range high.x {
					if l != j {
						p *= (t - xl) / (xj - xl)
					}
				}
				m[i][j] += w[k] * p
			}
		}
	}
	return m
}()

// passage returns the logarithm of the mean passage time, and its relative error.
func (g *greens) passage() (log, relative float64, err error) {
	if err := g.lay(); err != nil {
		return 0, 0, err
	}
	n := len(g.slabs)
	inf := math.Inf(-1)
	// The logarithm of the integral of the scale density to the right of each slab, and
	// to its left if the process is absorbed there.
	beyond, before := make([]float64, n+1), make([]float64, n+1)
	beyond[n], before[0] = inf, inf
	for i := n - 1; i >= 0; i-- {
		q := &g.slabs[i]
		beyond[i] = logSumExp(beyond[i+1], q.mass(&q.scale, q.top[0]))
	}
	for i := range g.slabs {
		q := &g.slabs[i]
		before[i+1] = logSumExp(before[i], q.mass(&q.scale, q.top[0]))
	}
	at := slices.IndexFunc(g.slabs, func(q slab) bool { return q.a >= g.from })
	sumLeft, sumRight := inf, inf // ∫ m on the left, ∫ m S(z, c) on the right
	errors := 0.0
	for i := range g.slabs {
		q := &g.slabs[i]
		m := q.mass(&q.speed, q.top[1])
		switch {
		case i < at && !g.absorbing:
			sumLeft = logSumExp(sumLeft, m)
		case i < at:
			sumLeft = logSumExp(sumLeft, q.against(before[i], false))
		default:
			sumRight = logSumExp(sumRight, q.against(beyond[i+1], true))
		}
	}
	log = logSumExp(beyond[at]+sumLeft, sumRight)
	if g.absorbing {
		log = logSumExp(beyond[at]+sumLeft, before[at]+sumRight) - beyond[0]
	}
	for i := range g.slabs {
		q := &g.slabs[i]
		if g.weight[i] > g.best-negligible {
			errors += q.diff * math.Exp(math.Min(0, g.weight[i]-g.best))
		}
	}
	return log, errors + 64*epsilon*(1+math.Abs(log)), nil
}

// against returns the logarithm of ∫ m(z) S dz over the slab, S the integral of the
// scale density from z to the right or left end of the slab, plus exp(rest).
func (q *slab) against(rest float64, right bool) float64 {
	top := math.Max(q.top[0]+math.Log(q.b-q.a), rest)
	if math.IsInf(top, -1) || math.IsInf(q.top[1], -1) {
		return math.Inf(-1)
	}
	var s [highOrder]float64
	total := 0.0
	for j := range s {
		s[j] = math.Exp(q.scale[j]-top) * (q.b - q.a) / 2
		total += high.w[j] * s[j]
	}
	sum := 0.0
	for i := range high.x {
		c := 0.0
		for j, v := range s {
			c += cumulative[i][j] * v
		}
		if right {
			c = total - c
		}
		sum += high.w[i] * math.Exp(q.speed[i]-q.top[1]) * (math.Max(c, 0) + math.Exp(rest-top))
	}
	return top + q.top[1] + math.Log(sum*(q.b-q.a)/2)
}

// negligible is the logarithm of what part of the time need not be resolved.
const negligible = 45

// mostSlabs bounds the work.
const mostSlabs = 1 << 16

// lay divides the interval into slabs on which both densities are resolved wherever
// they matter.
func (g *greens) lay() error {
	var edges []float64
	w := (g.right - g.from) / 128
	near := func(lo, hi float64) {
		edges = evenly(edges, lo, hi, 129)
		for _, c := range append(slices.Clone(g.centres), lo, hi) {
			for d := (hi - lo) / 128; d > 1e-9*(hi-lo); d /= 4 {
				for _, x := range []float64{c - d, c + d} {
					if lo < x && x < hi {
						edges = append(edges, x)
					}
				}
			}
		}
	}
	near(g.from, g.right)
	if !math.IsInf(g.left, -1) {
		near(g.left, g.from)
	} else {
		for d := w; d < farthest; d *= 1.25 {
			edges = append(edges, g.from-d)
		}
		for _, c := range g.centres {
			if c < g.from {
				near(c-(g.from-c), g.from)
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	// From the right, so that an infinite tail ends where it no longer matters.
	var slabs []slab
	open := math.IsInf(g.left, -1)
	closed := !open
	sum, last := math.Inf(-1), math.Inf(1) // of the speed density's mass on the open side
	for i := len(edges) - 1; i > 0; i-- {
		q := g.slab(edges[i-1], edges[i])
		for k := range q.scale {
			if math.IsNaN(q.scale[k]) || math.IsInf(q.scale[k], 1) || math.IsInf(q.speed[k], 1) {
				if open && q.b <= g.from && math.Abs(q.a) > 1e6*(1+math.Abs(g.from)+g.right-g.from) {
					closed = false
					break
				}
				return wrong("MeanFirstPassageTime equation", fmt.Sprintf("Φ or D is not a number near %.4g", q.a), "a drift and a D above 0 between the start and the targets")
			}
		}
		slabs = append(slabs, q)
		if open && q.b <= g.from {
			m := q.mass(&q.speed, q.top[1])
			sum = logSumExp(sum, m)
			past := true
			for _, c := range g.centres {
				past = past && q.b <= c
			}
			if past && m < sum-40 && m <= last {
				closed = true
				break
			}
			last = m
		}
	}
	if !closed {
		return wrong("MeanFirstPassageTime equation", "a process that does not return from −∞ or +∞ in a finite mean time",
			"one whose density can be normalised on the side without a target, a reflecting box, or two targets")
	}
	slices.Reverse(slabs)
	g.slabs = slabs
	// Potentials are differences of numbers of this size, and rounded like them.
	noise := 1.0
	for _, q := range slabs {
		if q.b > g.from-(g.right-g.from) {
			noise = math.Max(noise, math.Abs(q.top[0]))
		}
	}
	for pass := 0; ; pass++ {
		g.weigh()
		var next []slab
		changed := false
		for i, q := range g.slabs {
			mid := q.a + (q.b-q.a)/2
			if q.diff == 0 && g.weight[i] > g.best-negligible && q.a < mid && mid < q.b && len(next) < mostSlabs {
				l, r := g.slab(q.a, mid), g.slab(mid, q.b)
				q.diff = 4 * epsilon
				for k := range 2 {
					of := func(q *slab) float64 { return q.mass(&q.scale, q.top[0]) }
					if k == 1 {
						of = func(q *slab) float64 { return q.mass(&q.speed, q.top[1]) }
					}
					whole := of(&q)
					halves := logSumExp(of(&l), of(&r))
					if !math.IsInf(whole, -1) || !math.IsInf(halves, -1) {
						q.diff = math.Max(q.diff, math.Abs(math.Expm1(whole-halves)))
					}
				}
				steep := q.top[0]-slices.Min(q.scale[:]) > 8 || q.top[1]-slices.Min(q.speed[:]) > 8
				if !(q.diff <= 64*epsilon*noise) || steep {
					next = append(next, l, r)
					changed = true
					continue
				}
			}
			next = append(next, q)
		}
		g.slabs = next
		if !changed || pass == 60 {
			g.weigh()
			return nil
		}
	}
}

// weigh finds, for each slab, the largest sum of the logarithms of a scale and a speed
// in which it takes part: the scale density at y counts with the speed density at
// z ≤ y, y ≥ x. All are equal if the left end absorbs.
func (g *greens) weigh() {
	n := len(g.slabs)
	g.weight = make([]float64, n)
	g.best = math.Inf(-1)
	speedLeft, scaleRight := make([]float64, n), make([]float64, n)
	top := math.Inf(-1)
	for i, q := range g.slabs {
		top = math.Max(top, q.top[1])
		speedLeft[i] = top
	}
	top = math.Inf(-1)
	for i := n - 1; i >= 0; i-- {
		if q := g.slabs[i]; q.b > g.from || g.absorbing {
			top = math.Max(top, q.top[0])
		}
		scaleRight[i] = top
	}
	for i, q := range g.slabs {
		w := q.top[1] + scaleRight[i]
		if q.b > g.from {
			w = math.Max(w, q.top[0]+speedLeft[i])
		}
		if g.absorbing {
			w = 0 // everything is resolved
		}
		g.weight[i] = w
		g.best = math.Max(g.best, w)
	}
}
