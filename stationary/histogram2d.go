// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Histogram2D is an observer that counts two coordinates of the particles, or a
// projection of them to the plane, in a grid of rectangles. It is to two
// dimensions what Histogram is to one. Memory is 16·groups·(bins+2) bytes.
type Histogram2D struct {
	// Lo and Hi are the ends of the range in each coordinate, and Bins the number
	// of bins.
	Lo, Hi [2]float64
	Bins   [2]int
	// Coordinates are the two that are counted; NewHistogram2D sets 0 and 1.
	Coordinates [2]int
	// Project, if not nil, maps a particle to the point that is counted instead.
	Project func(theta []float64) (x, y float64)

	run    sde.Run
	scale  [2]float64
	groups []tally // cell i·Bins[1]+j; the last is outside
}

var (
	_ sde.Observer   = (*Histogram2D)(nil)
	_ sde.GroupSaver = (*Histogram2D)(nil)
)

// NewHistogram2D returns a histogram of coordinates 0 and 1.
func NewHistogram2D(lo, hi [2]float64, bins [2]int) *Histogram2D {
	return &Histogram2D{Lo: lo, Hi: hi, Bins: bins, Coordinates: [2]int{0, 1}}
}

// Start forgets all counts. It returns an error if a range is empty or not
// finite, there are no bins, or no such coordinates.
func (h *Histogram2D) Start(r sde.Run) error {
	for a := range 2 {
		if err := checkRange(fmt.Sprintf("stationary: Histogram2D, axis %d", a), h.Lo[a], h.Hi[a], h.Bins[a], 1<<14); err != nil {
			return err
		}
		if c := h.Coordinates[a]; h.Project == nil && (c < 0 || r.Dim <= c) {
			return &sde.SettingError{Field: "stationary: Histogram2D.Coordinates", Value: h.Coordinates,
				Want: fmt.Sprintf("two of 0 to %d, as particles have %d coordinates", r.Dim-1, r.Dim), Err: sde.ErrDimension}
		}
		h.scale[a] = float64(h.Bins[a]) / (h.Hi[a] - h.Lo[a])
	}
	if h.Project == nil && h.Coordinates[0] == h.Coordinates[1] {
		return &sde.SettingError{Field: "stationary: Histogram2D.Coordinates", Value: h.Coordinates, Want: "two different coordinates"}
	}
	if err := checkRun("stationary: Histogram2D", r); err != nil {
		return err
	}
	h.run = r
	h.groups = newTallies(r.Groups, h.cells()+1)
	return nil
}

func (h *Histogram2D) cells() int { return h.Bins[0] * h.Bins[1] }

// Observe counts the particles of a block.
func (h *Histogram2D) Observe(s sde.Sample) error {
	half := lateHalf(s.Index, h.run.Observations)
	t := &h.groups[s.Group]
	var x, y [chunk]float64
	for i := 0; i < s.X.Rows; i += chunk {
		n := min(chunk, s.X.Rows-i)
		for j := range n {
			if h.Project != nil {
				x[j], y[j] = h.Project(s.X.Row(i + j))
			} else {
				row := s.X.Data[(i+j)*s.X.Stride:]
				x[j], y[j] = row[h.Coordinates[0]], row[h.Coordinates[1]]
			}
		}
		h.count(t, half, x[:n], y[:n])
	}
	return nil
}

// count adds at most chunk points.
func (h *Histogram2D) count(t *tally, half int, x, y []float64) {
	var ix, iy [chunk]uint32
	kernel.Bins(ix[:len(x)], x, h.Lo[0], h.scale[0], h.Bins[0])
	kernel.Bins(iy[:len(x)], y, h.Lo[1], h.scale[1], h.Bins[1])
	counts, outside := t.half[half], h.cells()
	nx, ny := uint32(h.Bins[0]), uint32(h.Bins[1])
	for k := range x {
		// Bins are numbered from 1: what is outside is at least nx after this.
		i, j := ix[k]-1, iy[k]-1
		switch {
		case i < nx && j < ny:
			counts[int(i)*int(ny)+int(j)]++
		case math.IsNaN(x[k]) || math.IsNaN(y[k]):
			t.nan[half]++
		default:
			counts[outside]++
		}
	}
}

// Add counts the points (x_i, y_i) that were made elsewhere, as samples of a
// group, under the conditions of Histogram.Add. It panics if x and y differ in
// length.
func (h *Histogram2D) Add(group int, x, y []float64) error {
	if len(x) != len(y) {
		panic("stationary: coordinates of different length")
	}
	if group < 0 || group >= 1<<20 {
		return &sde.SettingError{Field: "stationary: Histogram2D.Add group", Value: group, Want: "0 to 2²⁰ − 1"}
	}
	if h.groups == nil {
		if err := h.Start(sde.Run{Dim: max(h.Coordinates[0], h.Coordinates[1]) + 1, Groups: group + 1}); err != nil {
			return err
		}
	}
	if n := group + 1 - len(h.groups); n > 0 {
		h.groups = append(h.groups, newTallies(n, h.cells()+1)...)
		h.run.Groups = len(h.groups)
	}
	for len(x) > 0 {
		n := min(len(x), chunk)
		h.count(&h.groups[group], 0, x[:n], y[:n])
		x, y = x[n:], y[n:]
	}
	return nil
}

// Edges returns the ends of the bins of axis 0 or 1.
func (h *Histogram2D) Edges(axis int) []float64 {
	return evenly(nil, h.Lo[axis], h.Hi[axis], h.Bins[axis]+1)
}

// Counts returns the counts of the cells, cell (i, j) at i·Bins[1]+j.
func (h *Histogram2D) Counts() []uint64 {
	counts, _, _ := totals(h.groups)
	if counts == nil {
		return make([]uint64, h.cells())
	}
	return counts[:h.cells()]
}

// Outside returns how many samples lay outside the range, and had a NaN.
func (h *Histogram2D) Outside() (outside, nan uint64) {
	counts, nan, _ := totals(h.groups)
	if counts == nil {
		return 0, 0
	}
	return counts[h.cells()], nan
}

// Samples returns how many samples were counted, those outside the range included.
func (h *Histogram2D) Samples() uint64 {
	_, _, n := totals(h.groups)
	return n
}

// Density returns the density in each cell, cell (i, j) at i·Bins[1]+j, and its
// standard error from the scatter between groups (NaN with fewer than two).
func (h *Histogram2D) Density() (density, stderr []float64) {
	return bands(h.groups, 0, h.cells(), 1/(h.scale[0]*h.scale[1]))
}

func (h *Histogram2D) shape() []float64 {
	return []float64{h.Lo[0], h.Hi[0], float64(h.Bins[0]), h.Lo[1], h.Hi[1], float64(h.Bins[1])}
}

// AppendGroup appends group g's counts to dst.
func (h *Histogram2D) AppendGroup(dst []byte, g int) []byte {
	return appendTally(dst, h.shape(), &h.groups[g])
}

// LoadGroup sets group g's counts to what AppendGroup wrote of a histogram of
// the same ranges and bins.
func (h *Histogram2D) LoadGroup(g int, data []byte) error {
	if g < 0 || len(h.groups) <= g {
		return fmt.Errorf("stationary: no group %d in a histogram of %d groups", g, len(h.groups))
	}
	return loadTally(data, h.shape(), &h.groups[g])
}
