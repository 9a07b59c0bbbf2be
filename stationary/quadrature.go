// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/integrate/quad"
)

// The two Gauss–Legendre rules of every panel: the difference between them is
// the panel's error estimate, the higher one its value.
const (
	lowOrder  = 12
	highOrder = 24
)

type rule struct{ x, w []float64 } // on [−1, 1]

func legendre(n int) rule {
	r := rule{make([]float64, n), make([]float64, n)}
	quad.Legendre{}.FixedLocations(r.x, r.w, -1, 1)
	return r
}

var low, high = legendre(lowOrder), legendre(highOrder)

const epsilon = 0x1p-52

// panel is an interval on which the integrand is resolved.
type panel struct {
	a, b float64
	mass float64 // ∫ exp(logf − shift)
}

// line is the resolved integral of exp(logf) over an interval: what a density in
// one dimension is made of. Masses are relative to exp(shift).
type line struct {
	logf   func(float64) float64
	lo, hi float64 // of the domain
	shift  float64 // about the largest logf
	panels []panel // from left to right, without gaps
	left   []float64
	right  []float64 // mass left and right of each panel's start; both have one more than panels
	mass   float64
	err    float64 // relative error estimate of mass
	nan    float64 // a place where logf is NaN, if failed
	failed lineFailure
}

type lineFailure int

const (
	fine     lineFailure = iota
	heavy                // the tails hold too much, or infinite, mass
	notFound             // logf is −∞ wherever it was looked at
	isNaN                // logf is NaN where there is mass
)

// search says where solve looks for modes and how far it refines.
type search struct {
	points    []float64 // where logf is scanned, in any order
	careful   bool      // scan around the modes found, on all scales, and check each panel by its halves
	tolerance float64   // of a panel, relative to the whole
}

// scanPoints returns where the modes of a density on [lo, hi] are looked for: on
// all scales around the centres, by factors of ratio apart, and evenly in a
// finite interval or in [−10, 10].
func scanPoints(lo, hi, ratio float64, centres []float64) []float64 {
	a, b := math.Max(lo, -10), math.Min(hi, 10)
	n := 401
	if !math.IsInf(lo, 0) && !math.IsInf(hi, 0) {
		a, b, n = lo, hi, 2001
	}
	var p []float64
	if a < b {
		p = evenly(p, a, b, n)
	}
	p = aroundOnAllScales(p, 0, ratio)
	for _, c := range centres {
		p = append(p, c)
		p = aroundOnAllScales(p, c, ratio)
	}
	for _, end := range []float64{lo, hi} {
		if !math.IsInf(end, 0) {
			p = append(p, end)
			p = aroundOnAllScales(p, end, ratio)
		}
	}
	return p
}

func evenly(p []float64, a, b float64, n int) []float64 {
	for i := range n {
		t := float64(i) / float64(n-1)
		p = append(p, a*(1-t)+b*t)
	}
	return p
}

// fineRatio and coarseRatio are for one dimension, and for lines in two.
const (
	fineRatio   = 1.02
	coarseRatio = 1.05
)

func aroundOnAllScales(p []float64, centre, ratio float64) []float64 {
	for d := 1e-8; d < 1e8; d *= ratio {
		p = append(p, centre-d, centre+d)
	}
	return p
}

// mode is a local maximum of logf.
type mode struct {
	x, logf     float64
	left, right float64 // how far it is, within a factor of 2, until logf has fallen by 1
}

// solve finds the modes of exp(logf) on [lo, hi], either of which can be
// infinite, lays panels around them that double in size outwards, until the
// tails are negligible, and halves each panel until the two rules agree.
func solve(logf func(float64) float64, lo, hi float64, s search) *line {
	l := &line{logf: logf, lo: lo, hi: hi}
	extra := []float64(nil)
	for attempt := 0; ; attempt++ {
		modes := findModes(logf, lo, hi, append(slices.Clone(s.points), extra...))
		if len(modes) == 0 {
			l.failed = notFound
			return l
		}
		if s.careful {
			modes = findAgain(logf, lo, hi, s.points, modes)
		}
		l.shift = math.Inf(-1)
		for _, m := range modes {
			l.shift = math.Max(l.shift, m.logf)
		}
		if math.IsInf(l.shift, 1) {
			l.failed = heavy
			return l
		}
		higher, ok := l.integrate(modes, lo, hi, s.tolerance, s.careful)
		if ok || l.failed != fine || attempt == 20 {
			return l
		}
		extra = append(extra, higher) // a mode that the scan had missed
	}
}

func findAgain(logf func(float64) float64, lo, hi float64, points []float64, modes []mode) []mode {
	best := slices.Clone(modes)
	slices.SortFunc(best, func(a, b mode) int { return -cmpFloat(a.logf, b.logf) })
	points = slices.Clone(points)
	for _, m := range best[:min(len(best), 6)] {
		points = append(points, m.x)
		points = aroundOnAllScales(points, m.x, fineRatio)
	}
	return findModes(logf, lo, hi, points)
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// modeDepth is how far below the highest mode another can be and still matter: it
// would have to be e^60 = 10²⁶ times as wide.
const modeDepth = 60

// findModes returns the local maxima that the scan brackets, from left to right.
func findModes(logf func(float64) float64, lo, hi float64, points []float64) []mode {
	var x []float64
	for _, p := range points {
		if lo <= p && p <= hi {
			x = append(x, p)
		}
	}
	sort.Float64s(x)
	x = slices.Compact(x)
	y := make([]float64, len(x))
	top := math.Inf(-1)
	for i, p := range x {
		y[i] = logf(p)
		if math.IsNaN(y[i]) {
			y[i] = math.Inf(-1)
		}
		top = math.Max(top, y[i])
	}
	if math.IsInf(top, -1) {
		return nil
	}
	var modes []mode
	for i := 0; i < len(x); {
		j := i // x[i..j] is a plateau
		for j+1 < len(x) && y[j+1] == y[i] {
			j++
		}
		if (i == 0 || y[i-1] < y[i]) && (j == len(x)-1 || y[j+1] < y[j]) && !math.IsInf(y[i], -1) {
			k := (i + j) / 2
			m := mode{x: x[k], logf: y[k]}
			if i == j {
				m = climb(logf, x[max(i-1, 0)], x[i], x[min(i+1, len(x)-1)], y[i])
			}
			modes = append(modes, m)
			top = math.Max(top, m.logf)
		}
		i = j + 1
	}
	modes = slices.DeleteFunc(modes, func(m mode) bool { return m.logf < top-modeDepth })
	for i := range modes {
		m := &modes[i]
		m.left = m.x - fall(logf, *m, lo, -1)
		m.right = fall(logf, *m, hi, 1) - m.x
	}
	return modes
}

// climb narrows a bracketed maximum by golden sections until logf differs by
// little across the bracket.
func climb(logf func(float64) float64, a, b, c, fb float64) mode {
	const golden = 0.3819660112501051
	for range 200 {
		var x float64
		if c-b > b-a {
			x = b + golden*(c-b)
		} else {
			x = b - golden*(b-a)
		}
		if x == b || x <= a || x >= c {
			break
		}
		fx := logf(x)
		near := math.Abs(fx-fb) < 0.01
		switch {
		case fx > fb && x > b:
			a, b, fb = b, x, fx
		case fx > fb:
			c, b, fb = b, x, fx
		case x > b:
			c = x
		default:
			a = x
		}
		if near && c-a < 4*math.Abs(x-b)+1e-300 {
			break
		}
	}
	return mode{x: b, logf: fb}
}

// fall returns the first of the places at doubling distances from the mode, no
// further than end, where logf is lower by 1.
func fall(logf func(float64) float64, m mode, end, sign float64) float64 {
	d := 1e-12 * (math.Abs(m.x) + 1e-3)
	for {
		x := m.x + sign*d
		if sign*(x-end) >= 0 {
			return end
		}
		if !(logf(x) > m.logf-1) || math.IsInf(x, 0) {
			return x
		}
		d *= 2
	}
}

// tailMass is the share of the whole below which a tail is left out, and
// farthest how far out it is looked for.
const (
	tailMass = 1e-18
	farthest = 1e150
)

// integrate lays the panels and refines them. It returns false, and where, if it
// comes upon a mode higher than those known, and sets l.failed if it cannot be done.
func (l *line) integrate(modes []mode, lo, hi, tolerance float64, careful bool) (float64, bool) {
	var edges []float64
	for i, m := range modes {
		edges = append(edges, m.x)
		if i > 0 { // panels double up to the middle between two modes
			mid := modes[i-1].x + (m.x-modes[i-1].x)/2
			edges = append(edges, mid)
			edges = doubling(edges, m.x, m.left, -1, mid)
			edges = doubling(edges, modes[i-1].x, modes[i-1].right, 1, mid)
		}
	}
	first, last := modes[0], modes[len(modes)-1]
	estimate := 0.0
	for _, m := range modes {
		estimate += math.Exp(m.logf-l.shift) * math.Min(m.left+m.right, 1e300)
	}
	if estimate == 0 {
		estimate = math.SmallestNonzeroFloat64
	}
	tail := 0.0
	for _, side := range []struct {
		m           mode
		reach, sign float64
		end         float64
	}{{first, first.left, -1, lo}, {last, last.right, 1, hi}} {
		if !math.IsInf(side.end, 0) {
			edges = doubling(edges, side.m.x, side.reach, side.sign, side.end)
			edges = append(edges, side.end)
			continue
		}
		far, rest, ok := l.tail(&edges, side.m.x, side.reach, side.sign, estimate)
		if !ok {
			if math.IsNaN(rest) {
				l.failed, l.nan = isNaN, far
			} else {
				l.failed = heavy
			}
			return 0, false
		}
		tail += rest
	}
	sort.Float64s(edges)
	edges = slices.Compact(edges)

	total := 0.0
	for i := 1; i < len(edges); i++ {
		_, m, _, _ := l.rules(edges[i-1], edges[i])
		if !math.IsNaN(m) {
			total += m
		}
	}
	total = math.Max(total, 1e-3*estimate)
	l.panels = l.panels[:0]
	sum, differences, rounding := 0.0, 0.0, 0.0
	type job struct {
		a, b  float64
		depth int
	}
	var stack []job
	for i := len(edges) - 1; i > 0; i-- {
		stack = append(stack, job{edges[i-1], edges[i], 0})
	}
	for len(stack) > 0 {
		j := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		rough, m, noise, peak := l.rules(j.a, j.b)
		if math.IsNaN(m) || math.IsInf(m, 0) {
			if peak == j.a || peak == j.b || !math.IsNaN(l.logf(peak)) {
				return peak, false
			}
			l.failed, l.nan = isNaN, peak
			return 0, false
		}
		if v := l.logf(peak); v > l.shift+1 {
			return peak, false
		}
		diff := math.Abs(m - rough)
		mid := j.a + (j.b-j.a)/2
		if careful && diff <= tolerance*total+noise {
			// At a kink the rules can agree by chance; then the halves differ.
			_, left, _, _ := l.rules(j.a, mid)
			_, right, _, _ := l.rules(mid, j.b)
			diff = math.Max(diff, math.Abs(m-(left+right)))
		}
		if diff > tolerance*total+noise && j.depth < 60 && j.a < mid && mid < j.b {
			stack = append(stack, job{mid, j.b, j.depth + 1}, job{j.a, mid, j.depth + 1})
			continue
		}
		l.panels = append(l.panels, panel{j.a, j.b, m})
		sum += m
		differences += diff
		rounding += noise
	}
	n := len(l.panels)
	l.left, l.right = make([]float64, n+1), make([]float64, n+1)
	for i, p := range l.panels {
		l.left[i+1] = l.left[i] + p.mass
	}
	for i := n - 1; i >= 0; i-- {
		l.right[i] = l.right[i+1] + l.panels[i].mass
	}
	l.mass = sum
	if !(sum > 0) {
		l.failed = notFound
		return 0, false
	}
	l.err = (differences+rounding+tail)/sum + 4*epsilon
	return 0, true
}

// doubling appends x + sign·reach·2^k, as far as end.
func doubling(edges []float64, x, reach, sign, end float64) []float64 {
	if !(reach > 0) {
		return edges
	}
	for d := reach; sign*(x+sign*d-end) < 0; d *= 2 {
		edges = append(edges, x+sign*d)
	}
	return edges
}

// tail appends edges at doubling distances from x until the mass between two of
// them is negligible, and returns the last and what lies beyond.
func (l *line) tail(edges *[]float64, x, reach, sign, estimate float64) (far, rest float64, ok bool) {
	if !(reach > 0) {
		reach = 1e-12 * (1 + math.Abs(x))
	}
	sum, before := estimate, math.Inf(1)
	a := x
	for d := reach; ; d *= 2 {
		b := x + sign*d
		if math.Abs(b) > farthest || math.IsInf(l.logf(b), 1) {
			return b, 0, false
		}
		_, m, _, peak := l.rules(math.Min(a, b), math.Max(a, b))
		if math.IsNaN(m) {
			return peak, math.NaN(), false
		}
		*edges = append(*edges, b)
		sum += m
		if m <= tailMass*sum && m <= before {
			return b, m, true
		}
		before, a = m, b
	}
}

// rules integrates exp(logf − shift) over [a, b] by both rules. noise estimates
// what rounding does to it: of logf, and of its argument, each to one part in
// 2⁵²; peak is the place of the largest logf, or of a NaN.
func (l *line) rules(a, b float64) (rough, value, noise, peak float64) {
	c, r := a+(b-a)/2, (b-a)/2
	for i, t := range low.x {
		rough += low.w[i] * math.Exp(l.logf(c+r*t)-l.shift)
	}
	top := math.Inf(-1)
	var lastX, lastY float64
	for i, t := range high.x {
		x := c + r*t
		y := l.logf(x)
		if math.IsNaN(y) {
			return math.NaN(), math.NaN(), 0, x
		}
		if y > top {
			top, peak = y, x
		}
		f := high.w[i] * math.Exp(y-l.shift)
		value += f
		if i > 0 && f > 0 {
			slope := math.Abs((y - lastY) / (x - lastX))
			if math.IsInf(slope, 0) || math.IsNaN(slope) {
				slope = 0
			}
			noise += f * (2 + math.Abs(y) + math.Abs(x)*slope)
		} else if f > 0 {
			noise += f * (2 + math.Abs(y))
		}
		lastX, lastY = x, y
	}
	return rough * r, value * r, noise * r * epsilon, peak
}

// partial returns the mass of [a, b], which lies in one panel.
func (l *line) partial(a, b float64) float64 {
	c, r := a+(b-a)/2, (b-a)/2
	s := 0.0
	for i, t := range high.x {
		s += high.w[i] * math.Exp(l.logf(c+r*t)-l.shift)
	}
	return s * r
}

// at returns the number of the panel that holds x, −1 below and len(panels)
// above all of them.
func (l *line) at(x float64) int {
	if x < l.panels[0].a {
		return -1
	}
	return sort.Search(len(l.panels), func(i int) bool { return x < l.panels[i].b })
}

// between returns the mass of [a, b].
func (l *line) between(a, b float64) float64 {
	n := len(l.panels)
	a, b = math.Max(a, l.panels[0].a), math.Min(b, l.panels[n-1].b)
	if !(a < b) {
		return 0
	}
	i, j := l.at(a), l.at(b)
	if j == n {
		j = n - 1
	}
	if i == j {
		if a == l.panels[i].a && b == l.panels[i].b {
			return l.panels[i].mass
		}
		return l.partial(a, b)
	}
	// A difference of cumulated masses from the nearer end loses the least.
	var m float64
	if l.left[j] <= l.right[i+1] {
		m = l.left[j] - l.left[i+1]
	} else {
		m = l.right[i+1] - l.right[j]
	}
	if p := l.panels[i]; a == p.a {
		m += p.mass
	} else {
		m += l.partial(a, p.b)
	}
	if p := l.panels[j]; b == p.b {
		m += p.mass
	} else if b > p.a {
		m += l.partial(p.a, b)
	}
	return m
}

// quantile returns where the mass on the left is p of the whole.
func (l *line) quantile(p float64) float64 {
	n := len(l.panels)
	fromLeft := p <= 0.5
	var i int
	var need float64 // of panel i, from its left end or from its right
	if fromLeft {
		want := p * l.mass
		i = min(sort.Search(n, func(i int) bool { return l.left[i+1] >= want }), n-1)
		need = want - l.left[i]
	} else {
		want := (1 - p) * l.mass
		i = max(sort.Search(n, func(i int) bool { return l.right[i] < want })-1, 0)
		need = want - l.right[i+1]
	}
	a, b := l.panels[i].a, l.panels[i].b
	lo, hi := a, b
	x := a + (b-a)/2
	for range 200 {
		var excess float64
		if fromLeft {
			excess = l.partial(a, x) - need
		} else {
			excess = need - l.partial(x, b)
		}
		if excess > 0 {
			hi = x
		} else {
			lo = x
		}
		next := x - excess/math.Exp(l.logf(x)-l.shift)
		if !(lo < next && next < hi) {
			next = lo + (hi-lo)/2
		}
		if math.Abs(next-x) <= 2*epsilon*math.Abs(x) || !(lo < next && next < hi) {
			return next
		}
		x = next
	}
	return x
}

// mean returns the mass-weighted mean of f and an error estimate: an infinity if
// the integral of |f| grows for ever.
func (l *line) mean(f func(float64) float64) (value, err float64) {
	type job struct {
		a, b  float64
		depth int
	}
	var stack []job
	for i := len(l.panels) - 1; i >= 0; i-- {
		stack = append(stack, job{l.panels[i].a, l.panels[i].b, 0})
	}
	both := func(a, b float64) (rough, fine, abs float64) {
		c, r := a+(b-a)/2, (b-a)/2
		for i, t := range low.x {
			x := c + r*t
			if w := math.Exp(l.logf(x) - l.shift); w > 0 {
				rough += low.w[i] * w * f(x)
			}
		}
		for i, t := range high.x {
			x := c + r*t
			if w := math.Exp(l.logf(x) - l.shift); w > 0 {
				v := high.w[i] * w * f(x)
				fine += v
				abs += math.Abs(v)
			}
		}
		return rough * r, fine * r, abs * r
	}
	whole := 0.0
	for _, p := range l.panels {
		_, _, abs := both(p.a, p.b)
		whole += abs
	}
	tolerance := math.Max(2*epsilon, l.err/16) * whole
	var sum, size, differences float64
	for len(stack) > 0 {
		j := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		rough, fine, abs := both(j.a, j.b)
		if diff := math.Abs(fine - rough); diff > tolerance && j.depth < 40 {
			mid := j.a + (j.b-j.a)/2
			stack = append(stack, job{mid, j.b, j.depth + 1}, job{j.a, mid, j.depth + 1})
		} else {
			sum += fine
			size += abs
			differences += diff
		}
	}
	// Beyond the support there is no mass to speak of, but with heavy tails f can
	// make much of it.
	for _, side := range []struct{ end, a, sign float64 }{{l.lo, l.panels[0].a, -1}, {l.hi, l.panels[len(l.panels)-1].b, 1}} {
		if !math.IsInf(side.end, 0) {
			continue
		}
		a, before, steady := side.a, math.Inf(1), 0
		for d := math.Max(l.panels[len(l.panels)-1].b-l.panels[0].a, math.SmallestNonzeroFloat64); ; d *= 2 {
			b := side.a + side.sign*d
			rough, fine, abs := both(math.Min(a, b), math.Max(a, b))
			sum += fine
			size += abs
			differences += math.Abs(fine - rough)
			if !(abs > epsilon*whole/16) && abs <= before {
				break
			}
			if steady++; abs < 0.999*before {
				steady = 0
			}
			if steady == 20 || math.Abs(b) > farthest || math.IsNaN(fine) || math.IsInf(abs, 0) {
				// Each doubling adds as much again.
				return math.Copysign(math.Inf(1), sum), math.Inf(1)
			}
			a, before = b, abs
		}
	}
	return sum / l.mass, (differences+size*(l.err+8*epsilon))/l.mass + math.Abs(sum/l.mass)*l.err
}

// integral returns ∫_a^b f, halving what is left until the two rules agree to tolerance.
func integral(f func(float64) float64, a, b, tolerance float64, depth int) float64 {
	c, r := a+(b-a)/2, (b-a)/2
	rough, fine := 0.0, 0.0
	for i, t := range low.x {
		rough += low.w[i] * f(c+r*t)
	}
	for i, t := range high.x {
		fine += high.w[i] * f(c+r*t)
	}
	if math.Abs(fine-rough)*r > tolerance && depth > 0 {
		return integral(f, a, c, tolerance, depth-1) + integral(f, c, b, tolerance, depth-1)
	}
	return fine * r
}
