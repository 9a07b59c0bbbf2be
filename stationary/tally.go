// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/sde"
)

// tally is one group's counts of cells, of the first and the second half of the
// observations apart.
type tally struct {
	half [2][]uint64
	nan  [2]uint64
}

func newTallies(groups, cells int) []tally {
	t := make([]tally, groups)
	for g := range t {
		// One array a group, so that groups do not share cache lines.
		both := make([]uint64, 2*cells)
		t[g].half = [2][]uint64{both[:cells:cells], both[cells:]}
	}
	return t
}

// count returns how often cell k was met.
func (t *tally) count(k int) uint64 { return t.half[0][k] + t.half[1][k] }

// lateHalf returns 1 for an observation of the second half, 0 otherwise and where
// it is not known how many there will be.
func lateHalf(index, observations int) int {
	if observations >= 2 && index >= (observations+1)/2 {
		return 1
	}
	return 0
}

const tallyMagic = "sgfhist1"

var errTally = errors.New("stationary: not what a histogram of this shape wrote for a group")

// appendTally appends, all little-endian, the magic word, the histogram's shape
// (lo, hi and bins of each coordinate), the counts of the first half and of the
// second, and those of NaN in each.
func appendTally(dst []byte, shape []float64, t *tally) []byte {
	dst = append(dst, tallyMagic...)
	for _, v := range shape {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	for _, half := range t.half {
		for _, n := range half {
			dst = binary.LittleEndian.AppendUint64(dst, n)
		}
	}
	for _, n := range t.nan {
		dst = binary.LittleEndian.AppendUint64(dst, n)
	}
	return dst
}

// loadTally sets t from what appendTally wrote. It changes nothing on error.
func loadTally(data []byte, shape []float64, t *tally) error {
	cells := len(t.half[0])
	if want := len(tallyMagic) + 8*(len(shape)+2*cells+2); len(data) != want {
		return fmt.Errorf("%w: %d bytes, want %d", errTally, len(data), want)
	}
	if string(data[:len(tallyMagic)]) != tallyMagic {
		return fmt.Errorf("%w: it begins with %q, want %q", errTally, data[:len(tallyMagic)], tallyMagic)
	}
	data = data[len(tallyMagic):]
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(data[8*i:]) }
	for i, v := range shape {
		if word(i) != math.Float64bits(v) {
			return fmt.Errorf("%w: range or number of bins differ: %g, want %g", errTally, math.Float64frombits(word(i)), v)
		}
	}
	const most = 1 << 53 // counts beyond that are no float64
	sum := uint64(0)
	for i := range 2*cells + 2 {
		n := word(len(shape) + i)
		if n > most || sum+n > most {
			return fmt.Errorf("%w: more than 2⁵³ samples", errTally)
		}
		sum += n
	}
	for h := range t.half {
		for k := range t.half[h] {
			t.half[h][k] = word(len(shape) + h*cells + k)
		}
		t.nan[h] = word(len(shape) + 2*cells + h)
	}
	return nil
}

// totals returns the counts of all groups together, those of NaN, and all samples.
func totals(t []tally) (counts []uint64, nan, samples uint64) {
	if len(t) == 0 {
		return nil, 0, 0
	}
	counts = make([]uint64, len(t[0].half[0]))
	for g := range t {
		for k := range counts {
			n := t[g].count(k)
			counts[k] += n
			samples += n
		}
		nan += t[g].nan[0] + t[g].nan[1]
	}
	return counts, nan, samples + nan
}

// bands returns, for cells first to first+n−1, the share of all samples divided by
// volume, and its standard error from the scatter between groups.
func bands(t []tally, first, n int, volume float64) (density, stderr []float64) {
	density, stderr = make([]float64, n), make([]float64, n)
	sums, weights := make([]float64, len(t)), make([]float64, len(t))
	for g := range t {
		_, _, all := totals(t[g : g+1])
		weights[g] = float64(all)
	}
	for k := range n {
		for g := range t {
			sums[g] = float64(t[g].count(first + k))
		}
		m, se, _ := groups.Mean(sums, weights)
		density[k], stderr[k] = m/volume, se/volume
	}
	return density, stderr
}

// checkRange returns an error unless lo < hi are finite and bins in 1 … most.
func checkRange(field string, lo, hi float64, bins, most int) error {
	if !(lo < hi) || math.IsInf(hi-lo, 0) {
		return &sde.SettingError{Field: field + " range", Value: fmt.Sprintf("[%g, %g]", lo, hi), Want: "finite ends, the lower below the upper"}
	}
	if bins < 1 || bins > most {
		return &sde.SettingError{Field: field + ".Bins", Value: bins, Want: fmt.Sprintf("1 to %d bins", most)}
	}
	if w := (hi - lo) / float64(bins); !(lo+w > lo && hi-w < hi) || math.IsInf(1/w, 0) {
		return &sde.SettingError{Field: field + ".Bins", Value: bins, Want: fmt.Sprintf("bins of [%g, %g] wide enough to have two different ends", lo, hi)}
	}
	return nil
}

// checkRun returns an error if a run cannot be observed.
func checkRun(field string, r sde.Run) error {
	if r.Groups < 1 {
		return &sde.SettingError{Field: field + ": Run.Groups", Value: r.Groups, Want: "at least 1 group of samples"}
	}
	return nil
}
