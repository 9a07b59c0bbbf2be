// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package jump

import (
	"errors"

	"gonum.org/v1/gonum/floats"
)

// Factors is an eliminated process. It is safe for concurrent use.
type Factors struct {
	order  *Order
	blocks []block
	ends   bool // the process ends from somewhere, so that Q can be inverted
}

// block holds, of the pivots of a node, in the order of elimination, what went out
// and what came in, divided by the rate of leaving d_k.
type block struct {
	inner []float64 // np×np: out above the diagonal, in below it
	out   []float64 // np×nb: q_kj/d_k of the boundary
	in    []float64 // np×nb: q_ik/d_k of the boundary
	wait  []float64 // 1/d_k, and 0 for the last state of a process that does not end
}

// smallest is the least rate of leaving a state that is told from none: below it, its
// reciprocal overflows and its digits go.
const smallest = 1e-300

// ErrTrapped says that some states can neither be left nor end.
var ErrTrapped = errors.New("jump: some states cannot be left")

// Factor eliminates a process. It returns ErrTrapped if there is a set of states,
// other than all of them, that the process leaves at less than 1e-300 and in which it
// does not end.
func (o *Order) Factor(p *Process) (*Factors, error) {
	f := &Factors{order: o, blocks: make([]block, len(o.nodes))}
	start, from, rate := p.transposed()
	type waiting struct {
		rates, kill []float64
	}
	updates := make([]waiting, len(o.nodes))
	local := make([]int32, p.States())
	for n := range o.nodes {
		node := &o.nodes[n]
		np, nb := len(node.pivots), len(node.boundary)
		m := np + nb
		q, kill := make([]float64, m*m), make([]float64, m)
		for i, s := range node.pivots {
			local[s] = int32(i)
			kill[i] = p.Kill[s]
		}
		for i, s := range node.boundary {
			local[s] = int32(np + i)
		}
		begin, end := o.position[node.pivots[0]], o.position[node.pivots[np-1]]
		for i, s := range node.pivots {
			for k := p.Start[s]; k < p.Start[s+1]; k++ {
				if t := p.To[k]; o.position[t] >= begin {
					q[i*m+int(local[t])] += p.Rate[k]
				}
			}
			for k := start[s]; k < start[s+1]; k++ {
				if t := from[k]; o.position[t] > end {
					q[int(local[t])*m+i] += rate[k]
				}
			}
		}
		for _, c := range node.children {
			u, cells := &updates[c], o.nodes[c].boundary
			for a, s := range cells {
				i := int(local[s])
				kill[i] += u.kill[a]
				row, from := q[i*m:(i+1)*m], u.rates[a*len(cells):]
				for b, t := range cells {
					if a != b {
						row[local[t]] += from[b]
					}
				}
			}
			*u = waiting{}
		}
		last := n == len(o.nodes)-1
		b := block{wait: make([]float64, np)}
		for k := range np {
			row := q[k*m : (k+1)*m]
			d := kill[k]
			for _, v := range row[k+1:] {
				d += v
			}
			if d < smallest {
				if d > 0 || !last || k != np-1 {
					return nil, ErrTrapped
				}
				continue // of a process that does not end, nothing is left to go to
			}
			if kill[k] > 0 && last && k == np-1 {
				f.ends = true
			}
			b.wait[k] = 1 / d
			for i := k + 1; i < m; i++ {
				v := q[i*m+k]
				if v == 0 {
					continue
				}
				v /= d
				q[i*m+k] = v
				floats.AddScaled(q[i*m+k+1:(i+1)*m], v, row[k+1:])
				kill[i] += float64(v * kill[k])
			}
			for j := k + 1; j < m; j++ {
				row[j] /= d
			}
		}
		b.inner, b.out, b.in = make([]float64, np*np), make([]float64, np*nb), make([]float64, np*nb)
		for k := range np {
			copy(b.inner[k*np:(k+1)*np], q[k*m:])
			copy(b.out[k*nb:(k+1)*nb], q[k*m+np:])
			for i := range nb {
				b.in[k*nb+i] = q[(np+i)*m+k]
			}
		}
		f.blocks[n] = b
		rest := make([]float64, nb*nb)
		for i := range nb {
			copy(rest[i*nb:(i+1)*nb], q[(np+i)*m+np:])
		}
		updates[n] = waiting{rest, kill[np:]}
	}
	return f, nil
}

// Ends reports whether the process ends, so that −Q has an inverse. Of one that does
// not, Backward and Forward solve the equations of the process that ends in one state,
// the last, and give 0 there.
func (f *Factors) Ends() bool { return f.ends }

// gather copies the numbers of a node's states into v, pivots first, and returns both.
func (f *Factors) gather(n int, v, b []float64) (pivots, boundary []float64) {
	node := &f.order.nodes[n]
	np := len(node.pivots)
	for i, s := range node.pivots {
		v[i] = b[s]
	}
	for i, s := range node.boundary {
		v[np+i] = b[s]
	}
	return v[:np], v[np : np+len(node.boundary)]
}

// scatter copies numbers back to the states.
func scatter(b []float64, states []int32, v []float64) {
	for i, s := range states {
		b[s] = v[i]
	}
}

// Backward solves −Q u = b in place, as mean passage times do: b becomes u.
func (f *Factors) Backward(b []float64) {
	scratch := make([]float64, f.order.widest)
	for n := range f.blocks {
		c := &f.blocks[n]
		v, w := f.gather(n, scratch, b)
		np, nb := len(v), len(w)
		for k := range v {
			v[k] += floats.Dot(c.inner[k*np:k*np+k], v[:k])
			if v[k] != 0 {
				floats.AddScaled(w, v[k], c.in[k*nb:(k+1)*nb])
			}
		}
		scatter(b, f.order.nodes[n].pivots, v)
		scatter(b, f.order.nodes[n].boundary, w)
	}
	for n := len(f.blocks) - 1; n >= 0; n-- {
		c := &f.blocks[n]
		v, w := f.gather(n, scratch, b)
		np, nb := len(v), len(w)
		for k := np - 1; k >= 0; k-- {
			v[k] = float64(v[k]*c.wait[k]) + floats.Dot(c.inner[k*np+k+1:(k+1)*np], v[k+1:]) + floats.Dot(c.out[k*nb:(k+1)*nb], w)
		}
		scatter(b, f.order.nodes[n].pivots, v)
	}
}

// Forward solves −x Q = b in place, as mean residence times and implicit steps of a
// law do: b becomes x.
func (f *Factors) Forward(b []float64) {
	scratch := make([]float64, f.order.widest)
	for n := range f.blocks {
		c := &f.blocks[n]
		v, w := f.gather(n, scratch, b)
		np, nb := len(v), len(w)
		for k := range v {
			if v[k] != 0 {
				floats.AddScaled(v[k+1:], v[k], c.inner[k*np+k+1:(k+1)*np])
				floats.AddScaled(w, v[k], c.out[k*nb:(k+1)*nb])
			}
		}
		scatter(b, f.order.nodes[n].pivots, v)
		scatter(b, f.order.nodes[n].boundary, w)
	}
	for n := len(f.blocks) - 1; n >= 0; n-- {
		c := &f.blocks[n]
		v, w := f.gather(n, scratch, b)
		for k := range v {
			v[k] *= c.wait[k]
		}
		f.incoming(c, v, w)
		scatter(b, f.order.nodes[n].pivots, v)
	}
}

// incoming adds to the pivots' numbers what comes in from states eliminated later.
func (f *Factors) incoming(c *block, v, w []float64) {
	np, nb := len(v), len(w)
	for k := np - 1; k >= 0; k-- {
		v[k] += floats.Dot(c.in[k*nb:(k+1)*nb], w)
		floats.AddScaled(v[:k], v[k], c.inner[k*np:k*np+k])
	}
}

// Stationary stores the stationary law of a process that does not end into dst, with
// the sum 1.
func (f *Factors) Stationary(dst []float64) {
	clear(dst)
	scratch := make([]float64, f.order.widest)
	last := f.order.nodes[len(f.blocks)-1].pivots
	dst[last[len(last)-1]] = 1
	for n := len(f.blocks) - 1; n >= 0; n-- {
		v, w := f.gather(n, scratch, dst)
		f.incoming(&f.blocks[n], v, w)
		scatter(dst, f.order.nodes[n].pivots, v)
		// The scale is free until the end, and must not overflow.
		if top := floats.Max(v); top > 1e200 {
			floats.Scale(1/top, dst)
		}
	}
	floats.Scale(1/floats.Sum(dst), dst)
}
