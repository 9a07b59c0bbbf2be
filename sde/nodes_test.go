// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// TestNode: the numbers of a node are a function of key and node, a longer draw
// begins with a shorter one, and nothing else that is drawn is disturbed.
func TestNode(t *testing.T) {
	for _, source := range []func(uint64) sde.Source{nil, func(uint64) sde.Source { return new(weyl) }} {
		s, ref := sde.NewStream(5, source), sde.NewStream(5, source)
		a, b, free, want := make([]float64, 40), make([]float64, 7), make([]float64, 20), make([]float64, 20)
		ref.Normals(want[:10])
		ref.Normals(want[10:])
		s.Normals(free[:10])
		s.Node(a, [2]uint64{3, 4}, 9)
		s.Normals(free[10:])
		compare(t, "free normals", free, want)
		s.At(sde.Observers, 7, 7)
		s.Node(b, [2]uint64{3, 4}, 9)
		compare(t, "a node", b, a[:7])
		for _, other := range [][3]uint64{{3, 4, 10}, {3, 5, 9}, {2, 4, 9}} {
			s.Node(b, [2]uint64{other[0], other[1]}, other[2])
			if b[0] == a[0] || b[6] == a[6] {
				t.Errorf("key and node %v have the numbers of another", other)
			}
		}
	}
	for _, f := range []func(s *sde.Stream){func(s *sde.Stream) { s.Node(nil, [2]uint64{}, 1<<44) }, func(s *sde.Stream) { s.Node(make([]float64, 1<<20+1), [2]uint64{}, 0) }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a node out of range was drawn")
				}
			}()
			f(sde.NewStream(1, nil))
		}()
	}
}

// weyl is a bad generator.
type weyl struct{ n uint64 }

func (c *weyl) Uint64() uint64   { c.n += 0x9e3779b97f4a7c15; return c.n }
func (c *weyl) Seed(seed uint64) { c.n = seed }

// TestNodeMoments: normals, without correlation between neighbouring nodes and keys
// that differ by a bit.
func TestNodeMoments(t *testing.T) {
	const n, m, alpha = 1 << 14, 4, 1e-8
	s := sde.NewStream(1, nil)
	var square, quartic, neighbours, keys float64
	a, last, other := make([]float64, m), make([]float64, m), make([]float64, m)
	for node := range uint64(n) {
		s.Node(a, [2]uint64{8, 1}, node)
		s.Node(other, [2]uint64{9, 1}, node)
		for j, v := range a {
			square += v * v
			quartic += v*v*v*v - 3
			neighbours += v * last[j]
			keys += v * other[j]
		}
		copy(last, a)
	}
	total := float64(n * m)
	c := distuv.ChiSquared{K: total}
	if p := 2 * min(c.CDF(square), c.Survival(square)); p < alpha {
		t.Errorf("Σz² = %g of %g, p = %.3g", square, total, p)
	}
	for name, z := range map[string]float64{"fourth moment": quartic / math.Sqrt(96*total), "neighbours": neighbours / math.Sqrt(total), "keys": keys / math.Sqrt(total)} {
		if p := math.Erfc(math.Abs(z) / math.Sqrt2); p < alpha {
			t.Errorf("%s: %.3g standard deviations, p = %.3g", name, z, p)
		}
	}
}
