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

// Histogram is an observer that counts one coordinate of the particles, or a
// projection of them, in bins of equal width: bin i holds
//
//	lo + i·w ≤ x < lo + (i+1)·w,   w = (hi − lo)/bins
//
// What lies below, above, or is NaN is counted too, and no sample is dropped. Each
// group of particles has counts of its own, from whose scatter come the standard
// errors, and of its own for the two halves of the observations, from which
// Compare tells whether the run was stationary. Memory is 16·groups·(bins+3) bytes.
//
// Samples of another program are given to Add, or, to have the two halves as well,
// to Start and Observe.
type Histogram struct {
	// Lo and Hi are the ends of the range and Bins the number of bins.
	Lo, Hi float64
	Bins   int
	// Coordinate is the coordinate that is counted.
	Coordinate int
	// Project, if not nil, maps a particle to the number that is counted instead.
	// It is called from many goroutines and must not write to theta or keep it.
	Project func(theta []float64) float64

	run    sde.Run
	scale  float64
	groups []tally
}

var (
	_ sde.Observer   = (*Histogram)(nil)
	_ sde.GroupSaver = (*Histogram)(nil)
)

// NewHistogram returns a histogram of coordinate 0.
func NewHistogram(lo, hi float64, bins int) *Histogram {
	return &Histogram{Lo: lo, Hi: hi, Bins: bins}
}

// Start forgets all counts. It returns an error if the range is empty or not
// finite, there are no bins, or no such coordinate.
func (h *Histogram) Start(r sde.Run) error {
	if err := checkRange("stationary: Histogram", h.Lo, h.Hi, h.Bins, 1<<28); err != nil {
		return err
	}
	if err := checkRun("stationary: Histogram", r); err != nil {
		return err
	}
	if h.Project == nil && (h.Coordinate < 0 || r.Dim <= h.Coordinate) {
		return &sde.SettingError{Field: "stationary: Histogram.Coordinate", Value: h.Coordinate,
			Want: fmt.Sprintf("0 to %d, as particles have %d coordinates", r.Dim-1, r.Dim), Err: sde.ErrDimension}
	}
	h.run = r
	h.scale = float64(h.Bins) / (h.Hi - h.Lo)
	h.groups = newTallies(r.Groups, h.Bins+2)
	return nil
}

// chunk is how many samples are counted at a time.
const chunk = 256

// Observe counts the particles of a block.
func (h *Histogram) Observe(s sde.Sample) error {
	half := lateHalf(s.Index, h.run.Observations)
	t := &h.groups[s.Group]
	if x, ok := s.X.Flat(); ok && s.X.Cols == 1 && h.Project == nil {
		h.count(t, half, x)
		return nil
	}
	var buf [chunk]float64
	for i := 0; i < s.X.Rows; i += chunk {
		n := min(chunk, s.X.Rows-i)
		if h.Project != nil {
			for j := range n {
				buf[j] = h.Project(s.X.Row(i + j))
			}
		} else {
			for j := range n {
				buf[j] = s.X.Data[(i+j)*s.X.Stride+h.Coordinate]
			}
		}
		h.count(t, half, buf[:n])
	}
	return nil
}

// count adds the numbers x.
func (h *Histogram) count(t *tally, half int, x []float64) {
	var idx [chunk]uint32
	counts := t.half[half][:h.Bins+2]
	above := uint32(h.Bins + 1)
	for len(x) > 0 {
		n := min(len(x), chunk)
		kernel.Bins(idx[:n], x[:n], h.Lo, h.scale, h.Bins)
		before := counts[above]
		for _, k := range idx[:n] {
			counts[k]++
		}
		if counts[above] != before {
			for _, v := range x[:n] {
				if math.IsNaN(v) {
					counts[above]--
					t.nan[half]++
				}
			}
		}
		x = x[n:]
	}
}

// Add counts numbers x that were made elsewhere, as samples of a group: those of
// one group may depend on one another, those of different groups must not. It
// makes as many groups as it needs, and must not be called from two goroutines
// at once. It returns an error if the histogram's range or bins are wrong, or
// group is negative.
func (h *Histogram) Add(group int, x []float64) error {
	if group < 0 || group >= 1<<20 {
		return &sde.SettingError{Field: "stationary: Histogram.Add group", Value: group, Want: "0 to 2²⁰ − 1"}
	}
	if h.groups == nil {
		if err := h.Start(sde.Run{Dim: h.Coordinate + 1, Groups: group + 1}); err != nil {
			return err
		}
	}
	if n := group + 1 - len(h.groups); n > 0 {
		h.groups = append(h.groups, newTallies(n, h.Bins+2)...)
		h.run.Groups = len(h.groups)
	}
	h.count(&h.groups[group], 0, x)
	return nil
}

// Edges returns the bins+1 ends of the bins.
func (h *Histogram) Edges() []float64 { return evenly(nil, h.Lo, h.Hi, h.Bins+1) }

// Counts returns the counts of the bins, of all groups together.
func (h *Histogram) Counts() []uint64 {
	counts, _, _ := totals(h.groups)
	if counts == nil {
		return make([]uint64, h.Bins)
	}
	return counts[1 : h.Bins+1]
}

// Outside returns how many samples lay below the range, above it (at hi or
// beyond), and were NaN.
func (h *Histogram) Outside() (below, above, nan uint64) {
	counts, nan, _ := totals(h.groups)
	if counts == nil {
		return 0, 0, 0
	}
	return counts[0], counts[h.Bins+1], nan
}

// Samples returns how many samples were counted, those outside the range included.
func (h *Histogram) Samples() uint64 {
	_, _, n := totals(h.groups)
	return n
}

// Density returns the density in each bin, the share of all samples divided by
// the bin's width, and its standard error from the scatter between groups (NaN
// with fewer than two).
func (h *Histogram) Density() (density, stderr []float64) {
	return bands(h.groups, 1, h.Bins, (h.Hi-h.Lo)/float64(h.Bins))
}

func (h *Histogram) shape() []float64 { return []float64{h.Lo, h.Hi, float64(h.Bins)} }

// AppendGroup appends group g's counts to dst.
func (h *Histogram) AppendGroup(dst []byte, g int) []byte {
	return appendTally(dst, h.shape(), &h.groups[g])
}

// LoadGroup sets group g's counts to what AppendGroup wrote of a histogram of
// the same range and bins.
func (h *Histogram) LoadGroup(g int, data []byte) error {
	if g < 0 || len(h.groups) <= g {
		return fmt.Errorf("stationary: no group %d in a histogram of %d groups", g, len(h.groups))
	}
	return loadTally(data, h.shape(), &h.groups[g])
}
