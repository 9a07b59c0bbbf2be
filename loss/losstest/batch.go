// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// gap is what stands between the rows of a batch, a NaN of a pattern of its own.
var gap = math.Float64frombits(0x7ff8_dead_beef_0001)

// batch holds BatchGradient to Gradient.
func (c *checker) batch() error {
	l, ok := c.l.(sde.BatchGradient)
	if !ok {
		return nil
	}
	for _, rows := range []int{0, 1, 2, 7, 64, 1000} {
		if rows > 64 && rows*c.d > 1<<22 {
			continue
		}
		for _, stride := range []int{c.d, c.d + 3} {
			if err := c.oneBatch(l, rows, stride); err != nil {
				return fmt.Errorf("%d rows, stride %d (of %d coordinates): %w", rows, stride, c.d, err)
			}
		}
	}
	return nil
}

func (c *checker) oneBatch(l sde.BatchGradient, rows, stride int) error {
	x, dst := c.newBatch(rows, stride), c.newBatch(rows, stride)
	for i := range rows {
		copy(x.Row(i), c.points[i%len(c.points)])
		conformance.Fill(dst.Row(i), math.NaN())
	}
	l.BatchGradient(dst, x)
	for i := range rows {
		k := i % len(c.points)
		if !conformance.SameBits(x.Row(i), c.points[k]) {
			return fmt.Errorf("row %d of x was written to: it was %v and is %v", i, c.points[k], x.Row(i))
		}
		if j, off := c.distance(dst.Row(i), c.grads[k]); off != 0 {
			return fmt.Errorf("row %d, θ = %v: entry %d is %v, and %v by Gradient, %s", i, c.points[k], j, dst.Row(i)[j], c.grads[k][j], c.bound(off))
		}
		if i == rows-1 {
			break // no gap behind the last row
		}
		for j := c.d; j < stride; j++ {
			if v := dst.Data[i*stride+j]; math.Float64bits(v) != math.Float64bits(gap) {
				return fmt.Errorf("dst was written to between its rows, behind row %d", i)
			}
			if v := x.Data[i*stride+j]; math.Float64bits(v) != math.Float64bits(gap) {
				return fmt.Errorf("x was written to between its rows, behind row %d", i)
			}
		}
	}
	return nil
}

func (c *checker) newBatch(rows, stride int) sde.Batch {
	b := sde.Batch{Rows: rows, Cols: c.d, Stride: stride}
	if rows > 0 {
		b.Data = make([]float64, (rows-1)*stride+c.d)
		conformance.Fill(b.Data, gap)
	}
	return b
}

// distance returns the entry of a gradient that is farthest from the plain one
// and how many units in the last place it is, 0 if that is allowed.
func (c *checker) distance(got, plain []float64) (entry int, ulps float64) {
	size := math.Max(conformance.Largest(plain), c.typical)
	for j, want := range plain {
		if math.Float64bits(got[j]) == math.Float64bits(want) {
			continue
		}
		off := math.Abs(got[j]-want) / (0x1p-52 * size)
		if c.o.Exact {
			return j, math.Max(off, math.SmallestNonzeroFloat64)
		}
		if !(off <= c.o.ULPs) {
			if math.IsNaN(off) {
				off = math.Inf(1)
			}
			if off > ulps {
				entry, ulps = j, off
			}
		}
	}
	return entry, ulps
}

func (c *checker) bound(off float64) string {
	if c.o.Exact {
		return fmt.Sprintf("%.3g units of 2⁻⁵² away: the bits should be the same (Options.Exact)", off)
	}
	return fmt.Sprintf("%.3g units of 2⁻⁵² away: at most %g are allowed (Options.ULPs)", off, c.o.ULPs)
}

// concurrency asks for everything from eight goroutines at once, with the same
// slices of θ: to write there and restore it is a race as well.
func (c *checker) concurrency() error {
	if c.impure {
		return nil // it would race, and that has been said
	}
	return conformance.Concurrently("the loss", func() func(w, r int) error {
		g := make([]float64, c.d)
		return func(w, r int) error {
			for i := range c.points {
				k := (i + w*len(c.points)/conformance.Workers + r) % len(c.points)
				c.l.Gradient(g, c.points[k])
				if !conformance.SameBits(g, c.grads[k]) {
					return fmt.Errorf("the gradient at θ = %v is %v when called from many goroutines, and %v from one: do calls share scratch memory?", c.points[k], g, c.grads[k])
				}
				if v := c.l.Value(c.points[k]); math.Float64bits(v) != math.Float64bits(c.values[k]) {
					return fmt.Errorf("the value at θ = %v is %v when called from many goroutines, and %v from one: do calls share scratch memory?", c.points[k], v, c.values[k])
				}
			}
			if l, ok := c.l.(sde.BatchGradient); ok {
				if err := c.oneBatch(l, 7, c.d); err != nil {
					return fmt.Errorf("method BatchGradient called from many goroutines: %w", err)
				}
			}
			return nil
		}
	})
}
