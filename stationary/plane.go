// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"
	"slices"

	"github.com/sgflow/sgflow/sde"
)

// plane is the resolved integral of exp(logf) over a rectangle, as two iterated
// integrals: the density of each marginal is a line integral, found and refined
// on its own for each value of the coordinate.
type plane struct {
	logf    func(x, y float64) float64
	lo, hi  [2]float64 // the domain, or where it is infinite the support
	modes   [][2]float64
	margins [2]*line
	err     float64
}

const (
	innerTolerance = 1e-15
	outerTolerance = 1e-12
	doublings      = 20 // how often the support is doubled before the law is given up
)

// newPlane returns the law with log density logf on a rectangle, up to a constant.
func newPlane(name string, logf func(x, y float64) float64, lo, hi [2]float64, centres [][2]float64) (*Density, error) {
	q := &plane{logf: logf, lo: lo, hi: hi}
	q.modes = q.findModes(centres)
	if len(q.modes) == 0 {
		return nil, (&line{failed: notFound}).failure(name)
	}
	rest, bad := q.bound()
	if bad.failed != fine {
		return nil, bad.failure(name)
	}
	worst := 0.0
	for a := range 2 {
		points := evenly(nil, q.lo[a], q.hi[a], 97)
		for _, m := range q.modes {
			points = append(points, m[a])
		}
		q.margins[a] = solve(func(u float64) float64 {
			in := q.inner(a, u)
			switch in.failed {
			case notFound:
				return math.Inf(-1)
			case heavy:
				return math.Inf(1)
			case isNaN:
				return math.NaN()
			}
			return in.shift + math.Log(in.mass)
		}, q.lo[a], q.hi[a], search{points: points, tolerance: outerTolerance})
		if err := q.margins[a].failure(name); err != nil {
			return nil, err
		}
		for _, p := range q.margins[a].panels {
			if p.mass > 1e-3*q.margins[a].mass {
				worst = math.Max(worst, q.inner(a, p.a+(p.b-p.a)/2).err)
			}
		}
	}
	// The two orders of integration share neither panels nor searches.
	x, y := q.margins[0], q.margins[1]
	q.err = x.err + y.err + 2*worst + rest + math.Abs(math.Expm1((x.shift-y.shift)+math.Log(x.mass/y.mass)))
	p := &Density{name: name, temperature: math.NaN(), plane: q}
	p.domain = sde.Box{Lo: lo[:], Hi: hi[:]}
	return p, nil
}

func (q *plane) logZ() float64 { return q.margins[0].shift + math.Log(q.margins[0].mass) }

// at evaluates logf with coordinate a = u and the other one v.
func (q *plane) at(a int, u, v float64) float64 {
	if a == 0 {
		return q.logf(u, v)
	}
	return q.logf(v, u)
}

// inner returns the integral over the other coordinate at coordinate a = u.
func (q *plane) inner(a int, u float64) *line {
	b := 1 - a
	points := evenly(make([]float64, 0, 97+len(q.modes)), q.lo[b], q.hi[b], 97)
	for _, m := range q.modes {
		points = append(points, m[b])
	}
	return solve(func(v float64) float64 { return q.at(a, u, v) }, q.lo[b], q.hi[b],
		search{points: points, tolerance: innerTolerance})
}

// marginal returns coordinate a's own integral.
func (q *plane) marginal(a int) *line { return q.margins[a] }

// findModes looks for local maxima at the centres and on two grids.
func (q *plane) findModes(centres [][2]float64) [][2]float64 {
	type found struct {
		at   [2]float64
		logf float64
	}
	var all []found
	value := func(p [2]float64) float64 {
		for a := range 2 {
			if !(q.lo[a] <= p[a] && p[a] <= q.hi[a]) {
				return math.Inf(-1)
			}
		}
		if v := q.logf(p[0], p[1]); !math.IsNaN(v) {
			return v
		}
		return math.Inf(-1)
	}
	for _, c := range centres {
		if v := value(c); !math.IsInf(v, -1) {
			all = append(all, found{c, v})
		}
	}
	var fineGrid, wide [2][]float64
	for a := range 2 {
		lo, hi := q.lo[a], q.hi[a]
		if !math.IsInf(lo, 0) && !math.IsInf(hi, 0) {
			fineGrid[a] = evenly(nil, lo, hi, 101)
		} else {
			fineGrid[a] = evenly(nil, math.Max(lo, math.Min(-5, hi-10)), math.Min(hi, math.Max(5, lo+10)), 41)
		}
		wide[a] = []float64{0}
		for d := 1e-3; d < 2e4; d *= 1.5 {
			wide[a] = append(wide[a], d, -d)
		}
		wide[a] = slices.DeleteFunc(wide[a], func(v float64) bool { return v < lo || v > hi })
		slices.Sort(wide[a])
	}
	for _, g := range [][2][]float64{fineGrid, wide} {
		x, y := g[0], g[1]
		if len(x) == 0 || len(y) == 0 {
			continue
		}
		v := make([]float64, len(x)*len(y))
		for i := range x {
			for j := range y {
				v[i*len(y)+j] = value([2]float64{x[i], y[j]})
			}
		}
		for i := range x {
		cells:
			for j := range y {
				here := v[i*len(y)+j]
				if math.IsInf(here, -1) {
					continue
				}
				for k := max(i-1, 0); k <= min(i+1, len(x)-1); k++ {
					for l := max(j-1, 0); l <= min(j+1, len(y)-1); l++ {
						if v[k*len(y)+l] > here {
							continue cells
						}
					}
				}
				all = append(all, found{[2]float64{x[i], y[j]}, here})
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int { return -cmpFloat(a.logf, b.logf) })
	all = all[:min(len(all), 64)]
	for i := range all {
		// A compass search: the steps grow where it climbs and halve where it does not.
		m := &all[i]
		step := 0.01 + 0.1*math.Max(math.Abs(m.at[0]), math.Abs(m.at[1]))
		for n := 0; n < 400 && step > 1e-9; n++ {
			moved := false
			for k := range 4 {
				p := m.at
				p[k/2] += step * float64(1-2*(k%2))
				if v := value(p); v > m.logf {
					m.at, m.logf, moved = p, v, true
				}
			}
			if moved {
				step *= 1.5
			} else {
				step /= 2
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int { return -cmpFloat(a.logf, b.logf) })
	var modes [][2]float64
	for _, m := range all {
		near := func(o [2]float64) bool {
			return math.Hypot(o[0]-m.at[0], o[1]-m.at[1]) < 1e-6*(1+math.Hypot(o[0], o[1]))
		}
		if m.logf >= all[0].logf-modeDepth && !slices.ContainsFunc(modes, near) && len(modes) < 16 {
			modes = append(modes, m.at)
		}
	}
	return modes
}

// bound replaces the infinite sides of the rectangle by the support: it doubles
// the distance of a side until the mass that lies about it,
//
//	distance × ∫ exp(logf) along the side
//
// is negligible. It returns an estimate of what lies beyond, relative to the whole.
func (q *plane) bound() (rest float64, bad *line) {
	free := [2][2]bool{}
	var centre, reach [2]float64
	logZ := math.Inf(-1)
	for a := range 2 {
		free[a] = [2]bool{math.IsInf(q.lo[a], -1), math.IsInf(q.hi[a], 1)}
	}
	for a := range 2 {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, m := range q.modes {
			f := func(u float64) float64 { return q.at(a, u, m[1-a]) }
			w := mode{x: m[a], logf: f(m[a])}
			left, right := fall(f, w, q.lo[a], -1), fall(f, w, q.hi[a], 1)
			lo, hi = math.Min(lo, left), math.Max(hi, right)
		}
		if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
			return 0, &line{failed: heavy}
		}
		centre[a], reach[a] = lo+(hi-lo)/2, math.Max((hi-lo)/2, math.SmallestNonzeroFloat64)
	}
	lo, hi := q.lo, q.hi
	set := func(a int, upper bool, d float64) {
		if upper {
			q.hi[a] = centre[a] + d
		} else {
			q.lo[a] = centre[a] - d
		}
	}
	var dist [2][2]float64
	for a := range 2 {
		for s := range 2 {
			if dist[a][s] = reach[a]; free[a][s] {
				set(a, s == 1, dist[a][s])
			}
		}
	}
	for _, m := range q.modes {
		f := func(u float64) float64 { return q.at(0, u, m[1]) }
		w := mode{x: m[0], logf: f(m[0])}
		width := fall(f, w, lo[0], -1)
		width = fall(f, w, hi[0], 1) - width
		if in := solve(func(v float64) float64 { return q.at(0, m[0], v) }, lo[1], hi[1],
			search{points: scanPoints(lo[1], hi[1], coarseRatio, []float64{m[1]}), tolerance: 1e-6}); in.failed == fine {
			logZ = math.Max(logZ, in.shift+math.Log(in.mass*width))
		} else if in.failed != notFound {
			return 0, in
		}
	}
	// side returns the log of the mass about a side.
	side := func(a int, upper bool) float64 {
		b := 1 - a
		u, s := q.lo[a], 0
		if upper {
			u, s = q.hi[a], 1
		}
		var centres []float64
		for _, m := range q.modes[:min(len(q.modes), 4)] {
			centres = append(centres, m[b])
		}
		in := solve(func(v float64) float64 { return q.at(a, u, v) }, q.lo[b], q.hi[b],
			search{points: scanPoints(q.lo[b], q.hi[b], coarseRatio, centres), tolerance: 1e-6})
		switch in.failed {
		case notFound:
			return math.Inf(-1)
		case fine:
			return in.shift + math.Log(in.mass) + math.Log(dist[a][s])
		}
		return math.Inf(1)
	}
	const negligible = -39 // log(1e-17)
	var last [2][2]float64
	for range doublings {
		changed := false
		for a := range 2 {
			for s := range 2 {
				if !free[a][s] {
					continue
				}
				last[a][s] = side(a, s == 1)
				if last[a][s] > logZ+negligible {
					dist[a][s] *= 2
					set(a, s == 1, dist[a][s])
					changed = true
				}
			}
		}
		if !changed {
			for a := range 2 {
				for s := range 2 {
					if free[a][s] {
						rest += math.Exp(last[a][s] - logZ)
					}
				}
			}
			return rest, &line{}
		}
	}
	return 0, &line{failed: heavy}
}

// integrate integrates g over [lo, hi] of coordinate 0, on the panels of its marginal.
func (q *plane) integrate(g func(u float64) float64, lo, hi, tolerance float64) (value, err float64) {
	type job struct {
		a, b  float64
		depth int
	}
	var stack []job
	for i := len(q.margins[0].panels) - 1; i >= 0; i-- {
		p := q.margins[0].panels[i]
		if p.mass < 1e-20*q.margins[0].mass {
			continue
		}
		if a, b := math.Max(p.a, lo), math.Min(p.b, hi); a < b {
			stack = append(stack, job{a, b, 0})
		}
	}
	var size float64
	for len(stack) > 0 {
		j := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		c, r := j.a+(j.b-j.a)/2, (j.b-j.a)/2
		var rough, fine, abs float64
		for i, t := range low.x {
			rough += low.w[i] * g(c+r*t)
		}
		for i, t := range high.x {
			v := high.w[i] * g(c+r*t)
			fine += v
			abs += math.Abs(v)
		}
		if diff := r * math.Abs(fine-rough); diff > tolerance*(q.margins[0].mass+size)+1e-14*r*abs && j.depth < 20 {
			stack = append(stack, job{c, j.b, j.depth + 1}, job{j.a, c, j.depth + 1})
		} else {
			value += r * fine
			err += diff
			size += r * abs
		}
	}
	return value, err + size*q.err
}

func (q *plane) mean(f func(theta []float64) float64) (value, err float64) {
	theta := make([]float64, 2)
	shift := q.margins[0].shift
	value, err = q.integrate(func(u float64) float64 {
		in := q.inner(0, u)
		if in.failed != fine {
			return 0
		}
		m, _ := in.mean(func(v float64) float64 {
			theta[0], theta[1] = u, v
			return f(theta)
		})
		return m * in.mass * math.Exp(in.shift-shift)
	}, q.lo[0], q.hi[0], outerTolerance)
	m := q.margins[0].mass
	return value / m, err/m + math.Abs(value/m)*q.err
}

func (q *plane) probability(lo, hi [2]float64) float64 {
	for a := range 2 {
		if b := 1 - a; lo[b] <= q.lo[b] && q.hi[b] <= hi[b] {
			return q.margins[a].between(lo[a], hi[a]) / q.margins[a].mass
		}
	}
	shift := q.margins[0].shift
	v, _ := q.integrate(func(u float64) float64 {
		in := q.inner(0, u)
		if in.failed != fine {
			return 0
		}
		return in.between(lo[1], hi[1]) * math.Exp(in.shift-shift)
	}, lo[0], hi[0], 1e-12)
	return v / q.margins[0].mass
}

var cellLow, cellHigh = legendre(5), legendre(9)

// cells stores the probabilities of a grid's cells: by product rules of 5² and
// 9² nodes, each cell divided until they agree, and if the sum is not that of
// the iterated integral, because something narrow was overlooked, by iterated integrals.
func (q *plane) cells(dst, x, y []float64) {
	n, sum := len(y)-1, 0.0
	for i := range len(x) - 1 {
		for j := range n {
			v := q.cell([2]float64{x[i], y[j]}, [2]float64{x[i+1], y[j+1]}, 0)
			dst[i*n+j] = v
			sum += v
		}
	}
	all := q.probability([2]float64{x[0], y[0]}, [2]float64{x[len(x)-1], y[n]})
	if math.Abs(sum-all) <= 1e-8 {
		return
	}
	for i := range len(x) - 1 {
		for j := range n {
			dst[i*n+j] = q.probability([2]float64{x[i], y[j]}, [2]float64{x[i+1], y[j+1]})
		}
	}
}

func (q *plane) cell(lo, hi [2]float64, depth int) float64 {
	var c, r [2]float64
	for a := range 2 {
		l, h := math.Max(lo[a], q.lo[a]), math.Min(hi[a], q.hi[a])
		if !(l < h) {
			return 0
		}
		c[a], r[a] = l+(h-l)/2, (h-l)/2
	}
	logZ := q.logZ()
	product := func(g rule) float64 {
		s := 0.0
		for i, u := range g.x {
			for j, v := range g.x {
				s += g.w[i] * g.w[j] * math.Exp(q.logf(c[0]+r[0]*u, c[1]+r[1]*v)-logZ)
			}
		}
		return s * r[0] * r[1]
	}
	fine := product(cellHigh)
	if math.Abs(fine-product(cellLow)) <= 1e-11 || depth == 12 {
		return fine
	}
	s := 0.0
	for k := range 4 {
		l, h := c, c
		for a := range 2 {
			if k>>a&1 == 0 {
				l[a] = c[a] - r[a]
			} else {
				h[a] = c[a] + r[a]
			}
		}
		s += q.cell(l, h, depth+1)
	}
	return s
}
