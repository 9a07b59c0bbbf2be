// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Dataset is a table of N samples: what the losses on data are made of.
type Dataset struct {
	X *mat.Dense // N×d, a sample a row
	Y []float64  // N targets of a regression, or labels 0 … K−1
	// Columns are the names of the columns of X, and Target is that of Y; nil and
	// empty if they have none.
	Columns []string
	Target  string
}

// Validate returns an error if there are no samples, X and Y differ in length, or hold what
// is not finite (naming row and column).
func (d Dataset) Validate() error { return checkData("Dataset", d.X, d.Y) }

// Standardized returns the data with each column of X moved to mean 0 and scaled to variance
// 1 (with 1/N). A column of equal numbers becomes 0. Y is shared. It panics if there is
// no X.
func (d Dataset) Standardized() Dataset {
	var x mat.Dense
	x.CloneFrom(d.X)
	n, cols := x.Dims()
	for j := range cols {
		c := x.ColView(j)
		var mean, square float64
		for i := range n {
			mean += c.AtVec(i)
		}
		mean /= float64(n)
		same := true
		for i := range n {
			v := c.AtVec(i) - mean
			square = math.FMA(v, v, square)
			same = same && c.AtVec(i) == c.AtVec(0)
		}
		sigma := math.Sqrt(square / float64(n))
		for i := range n {
			if v := c.AtVec(i); same {
				x.Set(i, j, 0)
			} else {
				x.Set(i, j, (v-mean)/sigma)
			}
		}
	}
	d.X = &x
	return d
}

// Join returns the rows of all sets, one set below the other, with the names of the first. It
// panics if there are none or the numbers of columns differ.
func Join(sets ...Dataset) Dataset {
	if len(sets) == 0 {
		panic("loss: nothing to join")
	}
	joined := sets[0]
	joined.X = mat.DenseCopyOf(sets[0].X)
	joined.Y = slices.Clone(sets[0].Y)
	for _, s := range sets[1:] {
		var x mat.Dense
		x.Stack(joined.X, s.X)
		joined.X = &x
		joined.Y = append(joined.Y, s.Y...)
	}
	return joined
}
