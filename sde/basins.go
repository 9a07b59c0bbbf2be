// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/sgflow/sgflow/internal/kernel"
)

// Basins splits space by the minimum to which gradient flow leads,
//
//	dθ/ds = −∇L(θ)
//
// followed by an explicit Runge–Kutta pair of orders 3 and 2 (Bogacki & Shampine,
// 1989, A 3(2) pair of Runge–Kutta formulas) with a relative error of 10⁻⁶ a step.
// A point takes some tens of gradients; Grid answers most from memory. The methods are safe for
// concurrent use and their answers depend on their arguments alone.
type Basins struct {
	loss   Loss
	minima [][]float64
	radius float64 // within which a minimum has been reached

	lo, width []float64 // of the grid and of its cells
	cells     int
	nodes     []atomic.Int32 // minimum + 2, 0 where not yet known

	scratch sync.Pool
}

// NewBasins returns the basins of the given minima, or, if there are none, of
// those that the loss declares (Charted). It returns an error for a nil loss, without
// minima, and for one that occurs twice or that the flow beside it does not lead to.
func NewBasins(loss Loss, minima ...[]float64) (*Basins, error) {
	if loss == nil {
		return nil, &SettingError{"sde: NewBasins loss", nil, "a loss", nil}
	}
	d := loss.Dim()
	if len(minima) == 0 {
		for _, m := range Minima(loss) {
			minima = append(minima, m.Theta)
		}
	}
	if len(minima) == 0 {
		return nil, &SettingError{"sde: NewBasins minima", minima, "at least one, as the loss declares none", nil}
	}
	b := &Basins{loss: loss, minima: minima, radius: math.Inf(1)}
	b.scratch.New = func() any { return newDescent(d) }
	g := make([]float64, d)
	for i, m := range minima {
		if len(m) != d || !kernel.AllFinite(m) {
			return nil, &SettingError{fmt.Sprintf("sde: NewBasins minimum %d", i), m, fmt.Sprintf("%d finite coordinates", d), ErrDimension}
		}
		for j, other := range minima[:i] {
			if r := math.Sqrt(distance2(m, other)); r > 0 {
				b.radius = min(b.radius, r/50)
			} else {
				return nil, &SettingError{fmt.Sprintf("sde: NewBasins minimum %d", i), m, fmt.Sprintf("other than minimum %d", j), nil}
			}
		}
	}
	if len(minima) == 1 {
		b.radius = 1e-3 * math.Sqrt(1+kernel.SumSquares(minima[0], 0))
	}
	for i, m := range minima {
		// From a place nearby it must lead back, or it is no minimum.
		at := append([]float64(nil), m...)
		loss.Gradient(g, m)
		for k := range at {
			at[k] += b.radius / math.Sqrt(float64(4*d))
			if g[k] > 0 {
				at[k] -= b.radius / math.Sqrt(float64(d))
			}
		}
		if s := b.scratch.Get().(*descent); s.follow(b, at, b.radius/8) != i {
			return nil, &SettingError{fmt.Sprintf("sde: NewBasins minimum %d", i), m, "a minimum of the loss", nil}
		}
	}
	return b, nil
}

// Grid makes b answer from memory wherever the 2ᵈ corners of a cell of a grid,
// of so many cells a side from lo to hi, lie in the same basin; elsewhere it goes
// on following the flow. Corners are looked at when they are first needed. What is finer than
// a cell is not seen in the cells whose corners agree. It is an error if the grid
// has more than 2²⁶ corners.
func (b *Basins) Grid(lo, hi []float64, cells int) error {
	d := b.loss.Dim()
	if err := (Box{Lo: lo, Hi: hi}).Validate(d); err != nil {
		return err
	}
	if n := math.Pow(float64(cells)+1, float64(d)); cells < 1 || n > 1<<26 {
		return &SettingError{"sde: Basins.Grid cells", cells, fmt.Sprintf("at least 1, and at most 2²⁶ corners in %d dimensions", d), nil}
	}
	n := 1
	width := make([]float64, d)
	for i := range width {
		n *= cells + 1
		if width[i] = (hi[i] - lo[i]) / float64(cells); math.IsInf(width[i], 0) {
			return &SettingError{"sde: Basins.Grid", []float64{lo[i], hi[i]}, "finite sides", nil}
		}
	}
	b.lo, b.width, b.cells, b.nodes = append([]float64(nil), lo...), width, cells, make([]atomic.Int32, n)
	return nil
}

// Len returns how many minima there are.
func (b *Basins) Len() int { return len(b.minima) }

// Minimum returns the i-th minimum. It must not be changed.
func (b *Basins) Minimum(i int) []float64 { return b.minima[i] }

// Index returns the number of the minimum that the flow leads to from theta, −1 if
// none was reached in 10⁴ steps or it stopped elsewhere.
func (b *Basins) Index(theta []float64) int {
	s := b.scratch.Get().(*descent)
	defer b.scratch.Put(s)
	if b.nodes != nil {
		if i, ok := b.fromGrid(theta, s); ok {
			return i
		}
	}
	return s.follow(b, theta, b.radius)
}

// Indices stores Index of each row of x into dst. It panics if dst is shorter.
func (b *Basins) Indices(dst []int, x Batch) {
	if len(dst) < x.Rows {
		panic("sde: too few indices for the rows of a batch")
	}
	for i := range x.Rows {
		dst[i] = b.Index(x.Row(i))
	}
}

// Basin returns the basin of the i-th minimum as a set. It panics if there is none.
func (b *Basins) Basin(i int) Set {
	if i < 0 || len(b.minima) <= i {
		panic("sde: no such minimum")
	}
	return basin{b, i}
}

type basin struct {
	of *Basins
	i  int
}

func (s basin) Contains(theta []float64) bool { return s.of.Index(theta) == s.i }
func (s basin) Identity() string              { return fmt.Sprintf("basin %d of %v", s.i, s.of.minima) }

// Identity stands for the basins in a run's fingerprint: what is remembered of them
// does not count.
func (b *Basins) Identity() string {
	return fmt.Sprintf("basins of %T %v on %d cells from %v by %v", b.loss, b.minima, b.cells, b.lo, b.width)
}

// fromGrid returns the basin of the cell that holds theta, if its corners agree.
func (b *Basins) fromGrid(theta []float64, s *descent) (index int, ok bool) {
	d := len(theta)
	for i, x := range theta {
		c := math.Floor((x - b.lo[i]) / b.width[i])
		if !(c >= 0 && c < float64(b.cells)) {
			return 0, false
		}
		s.cell[i] = int(c)
	}
	for corner := range 1 << d {
		node := 0
		for i, c := range s.cell {
			c += corner >> i & 1
			node = node*(b.cells+1) + c
			s.corner[i] = b.lo[i] + float64(float64(c)*b.width[i])
		}
		v := b.nodes[node].Load()
		if v == 0 {
			v = int32(s.follow(b, s.corner, b.radius)) + 2
			b.nodes[node].Store(v)
		}
		if corner == 0 {
			index = int(v) - 2
		} else if index != int(v)-2 {
			return 0, false
		}
	}
	return index, true
}

// descent is the scratch memory of one descent.
type descent struct {
	x, y, k1, k2, k3, k4 []float64
	corner               []float64
	cell                 []int
}

func newDescent(d int) *descent {
	m := make([]float64, 7*d)
	return &descent{m[:d], m[d : 2*d], m[2*d : 3*d], m[3*d : 4*d], m[4*d : 5*d], m[5*d : 6*d], m[6*d:], make([]int, d)}
}

// follow returns the minimum that is reached from theta to within a radius.
func (s *descent) follow(b *Basins, theta []float64, radius float64) int {
	const tolerance = 1e-6
	x, y := s.x, s.y
	copy(x, theta)
	b.loss.Gradient(s.k1, x)
	h := 0.0
	for range 10000 {
		for i, m := range b.minima {
			if distance2(x, m) <= radius*radius {
				return i
			}
		}
		slope := math.Sqrt(kernel.SumSquares(s.k1, 0))
		if !(slope > 0) || math.IsInf(slope, 0) {
			return -1
		}
		scale := 1 + math.Sqrt(kernel.SumSquares(x, 0))
		if h == 0 {
			h = 1e-3 * scale / slope
		}
		for i, v := range x {
			y[i] = v - float64(h/2*s.k1[i])
		}
		b.loss.Gradient(s.k2, y)
		for i, v := range x {
			y[i] = v - float64(0.75*h*s.k2[i])
		}
		b.loss.Gradient(s.k3, y)
		for i, v := range x {
			y[i] = v - float64(h/9*(float64(2*s.k1[i])+float64(3*s.k2[i])+float64(4*s.k3[i])))
		}
		b.loss.Gradient(s.k4, y)
		var e float64
		for i := range x {
			v := float64(h / 72 * (float64(-5*s.k1[i]) + float64(6*s.k2[i]) + float64(8*s.k3[i]) - float64(9*s.k4[i])))
			e += float64(v * v)
		}
		e = math.Sqrt(e) / (tolerance * scale)
		if e <= 1 {
			copy(x, y)
			s.k1, s.k4 = s.k4, s.k1
		}
		// A step that failed to give numbers is halved until it does.
		switch {
		case !(e <= 1e3):
			h /= 10
		case e > 1:
			h /= 2
		case e < 0.1:
			h *= 1.5
		}
		if h*slope < 1e-14*scale && h < 1e-300 {
			return -1
		}
	}
	return -1
}

func distance2(x, y []float64) (sum float64) {
	for i, v := range x {
		d := v - y[i]
		sum += float64(d * d)
	}
	return sum
}
