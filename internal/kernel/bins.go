// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

// Bins sets idx[i] = Bin1(x[i], lo, scale, bins). The slices must be of one
// length and bins in 1…2³⁰, or Bins panics.
func Bins(idx []uint32, x []float64, lo, scale float64, bins int) {
	if len(idx) != len(x) {
		panic(badLength)
	}
	if bins < 1 || bins > 1<<30 {
		panic("kernel: number of bins out of range")
	}
	n := binsASM(idx, x, lo, scale, bins)
	idx, x = idx[n:], x[n:]
	for i, v := range x {
		idx[i] = Bin1(v, lo, scale, bins)
	}
}

// Bin1 returns the bin of x: with t = (x−lo)·scale, each operation rounded,
//
//	0            if t < 0,
//	1 + ⌊t⌋      if 0 ≤ t < bins,
//	bins + 1     if t ≥ bins or t is NaN.
//
// A bin holds its lower edge, and the range as a whole does not hold its upper
// one. An edge that is no number of the form lo + k/scale in binary is where
// the rounded t passes an integer.
func Bin1(x, lo, scale float64, bins int) uint32 {
	t := float64(x-lo) * scale
	switch {
	case !(t < float64(bins)):
		return uint32(bins) + 1
	case t < 0:
		return 0
	}
	return uint32(int64(t)) + 1
}
