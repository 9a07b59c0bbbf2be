// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// TestIndices holds whole numbers to be below their bound, and uniform: for small
// bounds each; for the bound ⌊2³²/2.5⌋ the even and the odd ones below 2²⁸, since there
// every other has three words of 32 bits and the rest two, if none is drawn again.
func TestIndices(t *testing.T) {
	for _, newSource := range []func(uint64) sde.Source{nil, func(seed uint64) sde.Source { return &counter{} }} {
		s := sde.NewStream(3, newSource)
		for _, n := range []int{1, 2, 3, 7, 1717986918} {
			classes := n
			if n > 7 {
				classes = 2
			}
			s.At(sde.Steps, 1, n%1000)
			counts := make([]float64, classes)
			dst := make([]uint32, 100_001)
			s.Indices(dst, n)
			total := 0
			for _, i := range dst {
				if int(i) >= n {
					t.Fatalf("%d is not below %d", i, n)
				}
				if n > 7 {
					if i >= 1<<28 {
						continue
					}
					i %= 2
				}
				counts[i]++
				total++
			}
			if newSource != nil || classes == 1 {
				continue
			}
			var chi float64
			for _, c := range counts {
				e := float64(total) / float64(classes)
				chi += (c - e) * (c - e) / e
			}
			if p := (distuv.ChiSquared{K: float64(classes - 1)}).Survival(chi); p < 1e-8 {
				t.Errorf("below %d: χ² = %v, p = %v", n, chi, p)
			}
		}
		// The same place gives the same numbers, in one piece of any length.
		a, b := make([]uint32, 999), make([]uint32, 999)
		s.At(sde.Steps, 0, 0)
		s.Indices(a, 10)
		s.At(sde.Steps, 0, 0)
		s.Indices(b, 10)
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("number %d is %d and %d", i, a[i], b[i])
			}
		}
	}
}

// counter is a source that counts, in steps that reach all words.
type counter struct{ n uint64 }

func (c *counter) Seed(seed uint64) { c.n = seed }
func (c *counter) Uint64() uint64   { c.n += 0x9e3779b97f4a7c15; return c.n }

// TestIndicesBegin: the first of many indices are those of few, whatever the numbers.
func TestIndicesBegin(t *testing.T) {
	s := sde.NewStream(3, nil)
	draw := func(n int) []uint32 {
		dst := make([]uint32, n)
		s.At(sde.Steps, 1, 2)
		s.Indices(dst, 1000)
		return dst
	}
	all := draw(2000)
	for _, n := range []int{1, 2, 3, 7, 8, 11, 511, 512, 513, 1023, 1025, 1999} {
		if got := draw(n); !slices.Equal(got, all[:n]) {
			t.Errorf("%d indices are not the first of 2000", n)
		}
	}
}
