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

// ErrTrapped says that some states can neither be left nor end.
var ErrTrapped = errors.New("jump: some states cannot be left")

// Factor eliminates a process. It returns ErrTrapped if there is a set of states,
// other than all of them, that the process cannot leave and in which it does not end.
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
			if d == 0 {
				if !last || k != np-1 {
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

// Backward solves −Q u = b in place, as mean passage times do: b becomes u.
func (f *Factors) Backward(b []float64) {
	for n := range f.blocks {
		node, c := &f.order.nodes[n], &f.blocks[n]
		np, nb := len(node.pivots), len(node.boundary)
		for k, s := range node.pivots {
			v := b[s]
			if v == 0 {
				continue
			}
			for i := k + 1; i < np; i++ {
				b[node.pivots[i]] += float64(c.inner[i*np+k] * v)
			}
			for i, w := range c.in[k*nb : (k+1)*nb] {
				b[node.boundary[i]] += float64(w * v)
			}
		}
	}
	for n := len(f.blocks) - 1; n >= 0; n-- {
		node, c := &f.order.nodes[n], &f.blocks[n]
		np, nb := len(node.pivots), len(node.boundary)
		for k := np - 1; k >= 0; k-- {
			s := node.pivots[k]
			v := b[s] * c.wait[k]
			for j := k + 1; j < np; j++ {
				v += float64(c.inner[k*np+j] * b[node.pivots[j]])
			}
			for j, w := range c.out[k*nb : (k+1)*nb] {
				v += float64(w * b[node.boundary[j]])
			}
			b[s] = v
		}
	}
}

// Forward solves −x Q = b in place, as mean residence times and implicit steps of a
// law do: b becomes x.
func (f *Factors) Forward(b []float64) {
	for n := range f.blocks {
		node, c := &f.order.nodes[n], &f.blocks[n]
		np, nb := len(node.pivots), len(node.boundary)
		for k, s := range node.pivots {
			v := b[s]
			if v == 0 {
				continue
			}
			for j := k + 1; j < np; j++ {
				b[node.pivots[j]] += float64(c.inner[k*np+j] * v)
			}
			for j, w := range c.out[k*nb : (k+1)*nb] {
				b[node.boundary[j]] += float64(w * v)
			}
		}
	}
	for n := len(f.blocks) - 1; n >= 0; n-- {
		node, c := &f.order.nodes[n], &f.blocks[n]
		np := len(node.pivots)
		for k := np - 1; k >= 0; k-- {
			s := node.pivots[k]
			b[s] = f.incoming(node, c, k, b) + float64(b[s]*c.wait[k])
		}
	}
}

// incoming returns what comes into pivot k of a node from states eliminated later.
func (f *Factors) incoming(node *node, c *block, k int, x []float64) float64 {
	np, nb := len(node.pivots), len(node.boundary)
	v := 0.0
	for i := k + 1; i < np; i++ {
		v += float64(c.inner[i*np+k] * x[node.pivots[i]])
	}
	for i, w := range c.in[k*nb : (k+1)*nb] {
		v += float64(w * x[node.boundary[i]])
	}
	return v
}

// Stationary stores the stationary law of a process that does not end into dst, with
// the sum 1.
func (f *Factors) Stationary(dst []float64) {
	clear(dst)
	for n := len(f.blocks) - 1; n >= 0; n-- {
		node, c := &f.order.nodes[n], &f.blocks[n]
		for k := len(node.pivots) - 1; k >= 0; k-- {
			if n == len(f.blocks)-1 && k == len(node.pivots)-1 {
				dst[node.pivots[k]] = 1
				continue
			}
			dst[node.pivots[k]] = f.incoming(node, c, k, dst)
		}
		// The scale is free until the end, and must not overflow.
		if top := floats.Max(dst); top > 1e200 {
			floats.Scale(1/top, dst)
		}
	}
	floats.Scale(1/floats.Sum(dst), dst)
}
