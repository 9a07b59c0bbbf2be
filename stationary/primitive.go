// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"math"
	"slices"
	"sort"
)

// primitive is F(x) = ∫ f from an origin to x, for any x of an interval, of a
// function f that is smooth but for a few places: a Chebyshev series on each of
// many panels, which are halved until the series have converged and double in size
// outwards, beyond 1e150 where the interval is infinite.
type primitive struct {
	pieces []piece    // from left to right, without gaps
	lo, hi float64    // of the interval
	far    [2]float64 // what F overflows to beyond the pieces, on the left and the right
}

type piece struct {
	a, b  float64
	start float64                // F(a)
	c     [chebyshev + 1]float64 // F(x) − F(a) as a Chebyshev series on [a, b]
	err   float64                // of F(b) − F(a)
	total float64                // error between the origin and the panel's far end
}

const (
	chebyshev = 20
	// mostPieces is how many panels are spent on either side, and deepest how often
	// one is halved.
	mostPieces = 20000
	deepest    = 45
)

// chebyshevRule holds the nodes on [−1, 1], and the matrix from values at them to
// coefficients.
var chebyshevRule = func() (r struct {
	x [chebyshev]float64
	m [chebyshev][chebyshev]float64
}) {
	for j := range chebyshev {
		angle := math.Pi * (float64(j) + 0.5) / chebyshev
		r.x[j] = math.Cos(angle)
		for k := range chebyshev {
			r.m[k][j] = 2.0 / chebyshev * math.Cos(float64(k)*angle)
			if k == 0 {
				r.m[k][j] /= 2
			}
		}
	}
	return r
}()

// newPrimitive integrates f outwards from x0; centres are places about which it may vary.
func newPrimitive(f func(float64) float64, x0, lo, hi float64, centres []float64) *primitive {
	p := &primitive{lo: lo, hi: hi}
	for k, sign := range []float64{-1, 1} {
		end := hi
		if sign < 0 {
			end = lo
		}
		edges := []float64{x0}
		add := func(x float64) {
			if sign*(x-x0) > 0 && sign*(end-x) > 0 {
				edges = append(edges, x)
			}
		}
		for x := -10.0; x <= 10; x += 0.25 {
			add(x)
		}
		for d := 0x1p-10; d < 4*farthest; d *= 2 {
			add(x0 + sign*d)
		}
		if !math.IsInf(end, 0) {
			for k := range 200 {
				add(x0 + (end-x0)*float64(k)/200)
			}
		}
		for _, c := range centres {
			add(c)
			for d := 0x1p-10; d < 100; d *= 2 {
				add(c - d)
				add(c + d)
			}
		}
		if !math.IsInf(end, 0) {
			edges = append(edges, end)
		}
		slices.SortFunc(edges, func(a, b float64) int { return cmpFloat(sign*a, sign*b) })
		edges = slices.Compact(edges)
		var side []piece
		side, p.far[k] = p.outwards(f, edges, end)
		if sign < 0 {
			slices.Reverse(side)
		}
		p.pieces = append(p.pieces, side...)
	}
	return p
}

// outwards integrates over the intervals between edges, each away from the first.
func (p *primitive) outwards(f func(float64) float64, edges []float64, end float64) (side []piece, far float64) {
	sum, total := 0.0, 0.0
	type job struct {
		from, to float64
		depth    int
	}
	var stack []job
	for i := 1; i < len(edges); i++ {
		stack = append(stack[:0], job{edges[i-1], edges[i], 0})
		for len(stack) > 0 {
			j := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			q := newPiece(f, math.Min(j.from, j.to), math.Max(j.from, j.to))
			whole := q.value(q.b) // with start 0
			limit := deepest
			if j.to == end {
				limit = 1000 // a singular end is approached by halves
			}
			if !(q.err < math.MaxFloat64) && math.Abs(j.from) > 1e15 {
				return side, math.Copysign(math.Inf(1), sum)
			}
			tolerance := 2 * epsilon * (1 + math.Abs(sum) + math.Abs(whole))
			mid := j.from + (j.to-j.from)/2
			if !(q.err <= tolerance) && j.depth < limit && len(side) < mostPieces && mid != j.from && mid != j.to {
				stack = append(stack, job{mid, j.to, j.depth + 1}, job{j.from, mid, j.depth + 1})
				continue
			}
			total += q.err + epsilon*math.Abs(whole)
			q.total = total
			if j.from < j.to {
				q.start = sum
				sum += whole
			} else {
				sum -= whole
				q.start = sum
			}
			side = append(side, q)
		}
	}
	return side, math.NaN()
}

// newPiece returns the series of ∫ f from a on [a, b].
func newPiece(f func(float64) float64, a, b float64) piece {
	q := piece{a: a, b: b}
	mid, r := a+(b-a)/2, (b-a)/2
	var y [chebyshev]float64
	for j, t := range chebyshevRule.x {
		y[j] = f(mid + r*t)
	}
	var c [chebyshev + 2]float64
	for k := range chebyshev {
		for j, v := range y {
			c[k] += chebyshevRule.m[k][j] * v
		}
	}
	at := 0.0 // the series at the left end
	for k := 1; k <= chebyshev; k++ {
		before := c[k-1]
		if k == 1 {
			before *= 2
		}
		q.c[k] = r * (before - c[k+1]) / float64(2*k)
		if k%2 == 0 {
			at += q.c[k]
		} else {
			at -= q.c[k]
		}
	}
	q.c[0] = -at
	q.err = r * (math.Abs(c[chebyshev-1]) + math.Abs(c[chebyshev-2]) + math.Abs(c[chebyshev-3])) / chebyshev
	return q
}

// value returns F(x) by Clenshaw's recurrence.
func (q *piece) value(x float64) float64 {
	t := (x - q.a - (q.b-q.a)/2) / ((q.b - q.a) / 2)
	var u, v float64
	for k := chebyshev; k >= 1; k-- {
		u, v = q.c[k]+2*t*u-v, u
	}
	return q.start + (q.c[0] + t*u - v)
}

// at returns F(x), an infinity where it overflows, and NaN outside the interval.
func (p *primitive) at(x float64) float64 {
	n := len(p.pieces)
	i := sort.Search(n, func(i int) bool { return x <= p.pieces[i].b })
	switch {
	case !(p.lo <= x && x <= p.hi):
		return math.NaN()
	case i == n:
		return p.far[1]
	case x < p.pieces[i].a:
		return p.far[0]
	}
	return p.pieces[i].value(x)
}

// error returns what the error of F does to an integral over a line of which exp(−F)
// is a factor: the mean of the error over the line's mass.
func (p *primitive) error(l *line) float64 {
	sum := 0.0
	for _, q := range p.pieces {
		if m := l.between(q.a, q.b); m > 0 {
			sum += m * q.total
		}
	}
	return sum / l.mass
}

// places returns the places where panels meet, the origin among them, but not the ends.
func (p *primitive) places() []float64 {
	var x []float64
	for _, q := range p.pieces[1:] {
		if math.Abs(q.a) < 1e6 {
			x = append(x, q.a)
		}
	}
	return x
}
