// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// TwoSample is the outcome of a comparison of two samples.
type TwoSample struct {
	Value float64 // the distance
	// PValue is the probability of a distance as large, or larger, if both samples are of one
	// law: from permutations of the rows, or of blocks of them.
	PValue float64
}

// String returns the distance and its p-value.
func (t *TwoSample) String() string { return fmt.Sprintf("%.4g (p = %.2g)", t.Value, t.PValue) }

// mostPairs is how many distances are held: 800 MB.
const mostPairs = 100_000_000

// EnergyDistance returns the energy distance of two samples, a row each, in any dimension,
//
//	𝓔² = 2 E|X−Y| − E|X−X′| − E|Y−Y′|
//
// which vanishes only for equal laws, and its p-value from so many permutations (0 means 999)
// of blocks of neighbouring rows, which should hold whatever depends on one another;
// 1 where all rows are independent. To compare with a law, draw from it.
//
// G. Székely & M. Rizzo, 2004, Testing for equal distributions in high dimension, InterStat 5.
// It takes (n+m)² distances, at most 10⁸, and holds their sums between blocks; a permutation adds all of
// these, which for 10,000 rows without blocks takes some tenths of a second. It returns an *sde.SettingError for samples
// that are empty, of different dimension, too many or not finite, or a block that does not fit.
func EnergyDistance(x, y sde.Batch, block, permutations int, seed uint64) (*TwoSample, error) {
	bad := func(field string, value any, want string) (*TwoSample, error) {
		return nil, &sde.SettingError{Field: "stationary: EnergyDistance " + field, Value: value, Want: want}
	}
	if permutations == 0 {
		permutations = 999
	}
	n, m := x.Rows, y.Rows
	switch {
	case x.Cols < 1 || x.Cols != y.Cols:
		return nil, &sde.SettingError{Field: "stationary: EnergyDistance samples", Value: fmt.Sprintf("%d and %d coordinates", x.Cols, y.Cols), Want: "as many in both, at least 1", Err: sde.ErrDimension}
	case block < 1 || n < 2*block || m < 2*block:
		return bad("block", block, fmt.Sprintf("from 1 to half of the rows, of which there are %d and %d", n, m))
	case permutations < 1:
		return bad("permutations", permutations, "a positive number, or 0 for 999")
	case (n+m)*(n+m) > mostPairs:
		return bad("samples", fmt.Sprintf("%d rows in all, whose distances would take %.3g GB", n+m, 8*float64(n+m)*float64(n+m)/1e9), "at most 10,000 rows")
	}
	n, m = n/block*block, m/block*block // whole blocks
	row := func(i int) []float64 {
		if i < n {
			return x.Row(i)
		}
		return y.Row(i - n)
	}
	for i := range n + m {
		for j, v := range row(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return bad(fmt.Sprintf("row %d, coordinate %d", i, j), v, "a finite number")
			}
		}
	}
	// Sums of distances between blocks are all that permutations need.
	blocks, first := (n+m)/block, n/block
	d := make([]float64, blocks*blocks)
	for i := range n + m {
		a := row(i)
		for j := range i {
			b := row(j)
			var q float64
			for k, v := range a {
				q += (v - b[k]) * (v - b[k])
			}
			r := math.Sqrt(q)
			d[i/block*blocks+j/block] += r
			d[j/block*blocks+i/block] += r
		}
	}
	order := make([]uint32, blocks)
	for i := range order {
		order[i] = uint32(i)
	}
	distance := func() float64 {
		var xx, xy, yy float64
		for i, a := range order {
			for j, b := range order {
				switch v := d[int(a)*blocks+int(b)]; {
				case i < first && j < first:
					xx += v
				case i >= first && j >= first:
					yy += v
				default:
					xy += v
				}
			}
		}
		fn, fm := float64(n), float64(m)
		return xy/(fn*fm) - xx/(fn*fn) - yy/(fm*fm) // xy counts each pair twice
	}
	t := &TwoSample{Value: distance()}
	stream := sde.NewStream(seed, nil)
	larger := 1.0
	one := make([]uint32, 1)
	for p := range permutations {
		stream.At(sde.Observers, 0, p)
		for i := blocks - 1; i > 0; i-- {
			stream.Indices(one, i+1)
			order[i], order[one[0]] = order[one[0]], order[i]
		}
		if distance() >= t.Value {
			larger++
		}
	}
	t.PValue = larger / float64(permutations+1)
	return t, nil
}
