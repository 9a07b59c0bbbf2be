// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package jump

import "slices"

// Order is the order in which the states of a grid are eliminated.
type Order struct {
	nodes    []node
	position []int32 // of each state in the order
	numbers  int64   // that the factors keep
	front    int64   // of the largest front and of those that wait for it
	widest   int     // states of the largest front
}

// node is a front: states that are eliminated together, and those they then leave
// joined, all eliminated later.
type node struct {
	pivots, boundary []int32
	children         []int
}

// leaf is how many states a region has that is not divided further.
const leaf = 16

// GridOrder returns an order for nx×ny states, number i·ny+j at (i, j), that jump to
// their eight neighbours at most; across the ends of the axes that wrap round.
func GridOrder(nx, ny int, wrapX, wrapY bool) *Order {
	o := &Order{position: make([]int32, nx*ny)}
	x, y := span{0, nx}, span{0, ny}
	// Lines that cut an axis open are eliminated last.
	var last []int32
	if wrapX && nx > 2 {
		for j := range ny {
			last = append(last, int32(j))
		}
		x.from = 1
	}
	if wrapY && ny > 2 {
		for i := x.from; i < nx; i++ {
			last = append(last, int32(i*ny))
		}
		y.from = 1
	}
	var children []int
	if k := o.dissect(x, y, ny); k >= 0 {
		children = []int{k}
	}
	if last != nil {
		o.nodes = append(o.nodes, node{pivots: last, children: children})
	}
	n := int32(0)
	for _, f := range o.nodes {
		for _, s := range f.pivots {
			o.position[s] = n
			n++
		}
	}
	o.join(nx, ny, wrapX, wrapY)
	return o
}

type span struct{ from, to int }

func (s span) size() int { return s.to - s.from }

// dissect appends the nodes of a rectangle and returns the number of the last, −1 if
// it is empty.
func (o *Order) dissect(x, y span, ny int) int {
	if x.size() <= 0 || y.size() <= 0 {
		return -1
	}
	var f node
	if x.size()*y.size() <= leaf {
		for i := x.from; i < x.to; i++ {
			for j := y.from; j < y.to; j++ {
				f.pivots = append(f.pivots, int32(i*ny+j))
			}
		}
	} else if x.size() >= y.size() {
		m := x.from + x.size()/2
		f.children = []int{o.dissect(span{x.from, m}, y, ny), o.dissect(span{m + 1, x.to}, y, ny)}
		for j := y.from; j < y.to; j++ {
			f.pivots = append(f.pivots, int32(m*ny+j))
		}
	} else {
		m := y.from + y.size()/2
		f.children = []int{o.dissect(x, span{y.from, m}, ny), o.dissect(x, span{m + 1, y.to}, ny)}
		for i := x.from; i < x.to; i++ {
			f.pivots = append(f.pivots, int32(i*ny+m))
		}
	}
	f.children = slices.DeleteFunc(f.children, func(k int) bool { return k < 0 })
	o.nodes = append(o.nodes, f)
	return len(o.nodes) - 1
}

// join finds the boundary of each node, and what the factors take.
func (o *Order) join(nx, ny int, wrapX, wrapY bool) {
	seen := make([]int32, nx*ny)
	waiting := int64(0)
	for k := range o.nodes {
		f := &o.nodes[k]
		stamp := int32(k + 1)
		end := o.position[f.pivots[len(f.pivots)-1]]
		add := func(s int32) {
			if o.position[s] > end && seen[s] != stamp {
				seen[s] = stamp
				f.boundary = append(f.boundary, s)
			}
		}
		for _, c := range f.children {
			for _, s := range o.nodes[c].boundary {
				add(s)
			}
		}
		for _, s := range f.pivots {
			i, j := int(s)/ny, int(s)%ny
			for di := -1; di <= 1; di++ {
				for dj := -1; dj <= 1; dj++ {
					a, b := i+di, j+dj
					if wrapX {
						a = (a + nx) % nx
					}
					if wrapY {
						b = (b + ny) % ny
					}
					if 0 <= a && a < nx && 0 <= b && b < ny {
						add(int32(a*ny + b))
					}
				}
			}
		}
		slices.SortFunc(f.boundary, func(a, b int32) int { return int(o.position[a] - o.position[b]) })
		np, nb := int64(len(f.pivots)), int64(len(f.boundary))
		o.widest = max(o.widest, int(np+nb))
		o.numbers += np*np + 2*np*nb + np
		o.front = max(o.front, waiting+(np+nb)*(np+nb))
		for _, c := range f.children {
			b := int64(len(o.nodes[c].boundary))
			waiting -= b * b
		}
		waiting += nb * nb
	}
}

// Bytes returns about how much memory the factors and their making take.
func (o *Order) Bytes() int64 { return 8 * (o.numbers + o.front) }
