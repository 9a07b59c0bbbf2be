// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build long

package kernel

import (
	"math"
	"testing"
)

// The tests of this file take minutes: go test -tags long -timeout 1h.

func init() { longLength = 100_000_000 }

// TestNormalsStream holds 10¹⁰ normals to the law: moments to order 8, a χ² over
// 1,200 bins of [−6, 6), and the tails beyond 6 and 7.
func TestNormalsStream(t *testing.T) {
	const blocks, block = 10_000_000, 1000
	const bins, edge = 1200, 6
	var sum [9]float64
	var count [bins + 2]float64
	var beyond7 int
	z, q, p := make([]float64, block), make([]float64, block), make([]float64, block)
	idx := make([]uint32, block)
	for key := range uint64(blocks) {
		draw(mix(key+1), z)
		Square(q, z)
		sum[0] += block
		sum[1] += Sum(z)
		sum[2] += Sum(q)
		sum[3] += Dot(q, z)
		sum[4] += Dot(q, q)
		Mul(p, q, q)
		sum[5] += Dot(p, z)
		sum[6] += Dot(p, q)
		Mul(q, q, z)
		sum[7] += Dot(p, q)
		sum[8] += Dot(p, p)
		Bins(idx, z, -edge, bins/(2*edge), bins)
		for i, b := range idx {
			count[b]++
			if b == 0 || b == bins+1 {
				if math.Abs(z[i]) > 7 {
					beyond7++
				}
			}
		}
	}
	checks := momentChecks(&sum)
	n := sum[0]
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	var x2, df float64
	var o, e float64
	for b := range bins {
		x := -edge + float64(b)*2*edge/bins
		if x < 0 {
			e += n * (phi(x+2.0*edge/bins) - phi(x))
		} else {
			e += n * (phi(-x) - phi(-x-2.0*edge/bins))
		}
		o += count[b+1]
		if e > 50 || b == bins-1 {
			x2 += (o - e) * (o - e) / e
			df++
			o, e = 0, 0
		}
	}
	checks = append(checks, check{"χ²", chiSquare(x2, df-1)},
		check{"below −6", poisson(int(count[0]), n*phi(-6))},
		check{"above 6", poisson(int(count[bins+1]), n*phi(-6))},
		check{"beyond 7", poisson(beyond7, 2*n*phi(-7))})
	for _, c := range checks {
		t.Logf("%s: p = %.3g", c.name, c.p)
	}
	t.Logf("beyond 6: %v and %v, expected %.2f each; beyond 7: %d, expected %.4f", count[0], count[bins+1], n*phi(-6), beyond7, 2*n*phi(-7))
	for _, c := range rejected(checks) {
		t.Errorf("%s: p = %.3g", c.name, c.p)
	}
}
