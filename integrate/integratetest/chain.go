// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"math"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// chain is the transition kernel of a scheme for a scalar equation on functions
// over [−chainRange, chainRange], given by their values at Chebyshev points. For a
// scheme that shares its noise with the next step the state is (x, R), and a
// function has values for each node of R.
type chain struct {
	h       float64
	memory  bool
	nodes   []float64
	weights []float64 // barycentric
	noise   rule      // of R
	// rows[(i·Q + q)·Q + r] holds what takes values to that after a step from node
	// i with R = q and R' = r; without memory, one row for each node.
	rows [][]float64
}

// Functions of states further out than this are taken there: on the wells it does
// not happen, at any temperature used here, to 1 particle in 10¹⁰.
const chainRange = 2.6

// chain returns the transition kernel of the scheme, false if the equation is not served.
func (c *checker) chain(eq sde.Equation, h float64) (*chain, integrate.Properties, bool) {
	kernel, p, ok := c.bind(eq, h, 1)
	if !ok {
		return nil, p, false
	}
	_, m := eq.Dims()
	s := newStepper(kernel, 1, h)
	dep := s.dependence([]float64{0.3}, m)
	k, points := 64, 20
	if dep.next || m > 1 {
		k, points = 48, 14
	}
	if m > 1 && (dep.next || dep.u) {
		return nil, p, false // too many nodes
	}
	ch := &chain{h: h, memory: dep.next, nodes: make([]float64, k), weights: make([]float64, k)}
	for i := range k {
		a := math.Pi * (float64(i) + 0.5) / float64(k)
		ch.nodes[i] = chainRange * math.Cos(a)
		ch.weights[i] = math.Sin(a)
		if i%2 == 1 {
			ch.weights[i] = -ch.weights[i]
		}
	}
	z, next, u := dep.rules(points)
	ch.noise = z
	row, y := make([]float64, k), make([]float64, 1)
	for _, x := range ch.nodes {
		total := make([]float64, k)
		if m > 1 {
			dep.each(m, points, func(w float64, n noise) {
				s.step(y, []float64{x}, 0, n)
				ch.interpolate(row, y[0])
				for j, b := range row {
					total[j] += w * b
				}
			})
			ch.rows = append(ch.rows, total)
			continue
		}
		for q := range z.x {
			for r := range next.x {
				sum := total
				if ch.memory {
					sum = make([]float64, k)
				}
				for v := range u.x {
					w := u.w[v]
					if !ch.memory {
						w *= z.w[q]
					}
					s.step(y, []float64{x}, 0, noise{z: z.x[q : q+1], next: next.x[r : r+1], u: u.x[v : v+1]})
					ch.interpolate(row, y[0])
					for j, b := range row {
						sum[j] += w * b
					}
				}
				if ch.memory {
					ch.rows = append(ch.rows, sum)
				}
			}
		}
		if !ch.memory {
			ch.rows = append(ch.rows, total)
		}
	}
	return ch, p, true
}

// interpolate stores what takes values at the nodes to that at x.
func (c *chain) interpolate(row []float64, x float64) {
	if !(math.Abs(x) <= chainRange) {
		x = math.Copysign(chainRange, x)
	}
	var total float64
	for j, v := range c.nodes {
		if x == v {
			clear(row)
			row[j] = 1
			return
		}
		row[j] = c.weights[j] / (x - v)
		total += row[j]
	}
	for j := range row {
		row[j] /= total
	}
}

// function returns the values of f, which does not depend on R.
func (c *chain) function(f func(x float64) float64) []float64 {
	q := 1
	if c.memory {
		q = len(c.noise.x)
	}
	var v []float64
	for range q {
		for _, x := range c.nodes {
			v = append(v, f(x))
		}
	}
	return v
}

// apply returns the function x → E f(x'), with values for each R one after the other.
func (c *chain) apply(f []float64) []float64 {
	k := len(c.nodes)
	g := make([]float64, len(f))
	if !c.memory {
		for i, row := range c.rows {
			g[i] = dot(row, f)
		}
		return g
	}
	n := len(c.noise.x)
	for i := range k {
		for q := range n {
			for r, w := range c.noise.w {
				g[q*k+i] += w * dot(c.rows[(i*n+q)*n+r], f[r*k:(r+1)*k])
			}
		}
	}
	return g
}

func dot(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// at returns f(x); of R it takes the first node.
func (c *chain) at(f []float64, x float64) float64 {
	row := make([]float64, len(c.nodes))
	c.interpolate(row, x)
	return dot(row, f[:len(row)])
}

// stationary returns the mean of f under the stationary law: what f becomes, a
// constant, after many steps. What is slowest to vanish, the difference between the
// wells, falls by the same factor at each step and is taken away by Aitken's
// extrapolation.
func (c *chain) stationary(f func(x float64) float64) (float64, bool) {
	v := c.function(f)
	w := c.apply(v)
	limit := int(400 / c.h)
	for n := range limit {
		u := v
		v, w = w, c.apply(w)
		if n%8 != 0 {
			continue
		}
		var ratio, norm float64
		for i := range v {
			d := v[i] - u[i]
			ratio += d * (w[i] - v[i])
			norm += d * d
		}
		if norm > 0 {
			ratio /= norm
		}
		if !(math.Abs(ratio) < 1) {
			continue
		}
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range v {
			x := v[i] + (w[i]-v[i])/(1-ratio)
			lo, hi = math.Min(lo, x), math.Max(hi, x)
		}
		if hi-lo < 1e-10 {
			return (lo + hi) / 2, true
		}
	}
	return math.NaN(), false
}
