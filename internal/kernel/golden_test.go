// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import (
	"fmt"
	"math"
	"testing"
)

// golden holds, for a key, words 0, 1, 8 and 1000 and the bits of normals 0, 8,
// 15 and 1000. They change only in a release that says so.
var golden = []struct {
	key     uint64
	words   [4]uint64
	normals [4]uint64
}{
	{0x0, [4]uint64{0xfd96590eac05c6c6, 0xfdc51ecdd7b0b32a, 0xdf6157de92fb6a09, 0x6a9af0877ff9d665}, [4]uint64{0xbfc1436e77f17897, 0xbf9c0482cca6d5cb, 0xbff2b23dd3018068, 0x3ffa9a6ea1790ec0}},
	{0x1, [4]uint64{0xbb2df6759c42e24e, 0x4c8a46f62b97bc46, 0x38201093aa99efe8, 0x24c5f5013aa2ba11}, [4]uint64{0x3fe7d60628272a6c, 0x3fd11942e219a871, 0xbfdad1825b9d3e84, 0x3fd7aea4cea28796}},
	{0x9e3779b97f4a7c15, [4]uint64{0x64be0995b2cf2a61, 0x1dc8388753a42392, 0xed882e9d25e89dca, 0x9354630955367f75}, [4]uint64{0x3ff5b6287bf11396, 0x3fc3c46a2398d0d7, 0x3ff617cd5697dd84, 0x3fe6a7129f6f1dda}},
	{0xffffffffffffffff, [4]uint64{0xa6043a2b6bf94912, 0xca0cbb872639e7fe, 0x36e461ea37871c0a, 0xf6093df272077bd3}, [4]uint64{0x3fec1bcfdb74312c, 0xbfd3af5064a4b82b, 0x3f81224fccf6297c, 0x3fb39451eafca278}},
}

// goldenSum is a hash of 2²⁰ normals and of Exp, Log, Gaussians2 and Mul of them.
const goldenSum = 0x64d012dadf6c317c

func goldenHash() uint64 {
	var h uint64
	add := func(x []float64) {
		for _, v := range x {
			h = mix(h ^ math.Float64bits(v))
		}
	}
	var l Lanes
	l.Key(2026)
	z, y := make([]float64, 1<<15), make([]float64, 1<<15)
	m := make([]float64, 32*40)
	for i := range m {
		m[i] = float64(i%7) - 2.9
	}
	prod := NewMatrix(32, 40, m)
	out := make([]float64, 1<<10*40)
	for range 32 {
		l.Normals(z)
		add(z)
	}
	Exp(y, z)
	add(y)
	Log(y, y)
	add(y)
	Gaussians2(y, z, mullerBrown)
	add(y)
	Cubic(y, z, -1, 1)
	Euler(y, z, z, -.01, .1)
	add(y)
	prod.Mul(out, 40, z, 32, 1<<10, false)
	add(out)
	add([]float64{Sum(z), Dot(y, z), SumSquares(z, .1), Exp1(-740.3), Log1(0x1p-1070)})
	return h
}

// TestGolden holds all forms to the golden words.
func TestGolden(t *testing.T) {
	for _, level := range levels {
		use(level, func() {
			for _, g := range golden {
				var w [4]uint64
				var z [4]uint64
				words, normals := make([]uint64, 1001), make([]float64, 1001)
				var l Lanes
				l.Key(g.key)
				l.Words(words)
				l.Key(g.key)
				l.Normals(normals)
				for i, j := range []int{0, 1, 8, 1000} {
					w[i] = words[j]
				}
				for i, j := range []int{0, 8, 15, 1000} {
					z[i] = math.Float64bits(normals[j])
				}
				if w != g.words || z != g.normals {
					t.Errorf("%s: got\n%s", level, fmt.Sprintf("\t{%#x, [4]uint64{%#x, %#x, %#x, %#x}, [4]uint64{%#x, %#x, %#x, %#x}},",
						g.key, w[0], w[1], w[2], w[3], z[0], z[1], z[2], z[3]))
				}
			}
			if h := goldenHash(); h != goldenSum {
				t.Errorf("%s: hash is %#x", level, h)
			}
		})
	}
}
