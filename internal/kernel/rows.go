// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

// Rows is a constant n×d matrix of which kernels take rows by number, each row
// padded with zeros to Stride numbers, a multiple of eight.
type Rows struct {
	n, stride int
	data      []float64
}

// NewRows returns the rows of a row-major n×d matrix.
func NewRows(n, d int, data []float64) *Rows {
	if len(data) != n*d {
		panic(badLength)
	}
	r := &Rows{n: n, stride: (d + 7) &^ 7}
	r.data = make([]float64, n*r.stride)
	for i := range n {
		copy(r.data[i*r.stride:], data[i*d:(i+1)*d])
	}
	return r
}

// Stride returns how many numbers a row has, padding included.
func (r *Rows) Stride() int { return r.stride }

// Row returns row i with its padding.
func (r *Rows) Row(i int) []float64 { return r.data[i*r.stride : (i+1)*r.stride] }

// Dots sets dst[k] to the product of row idx[k] with theta, of length Stride: eight
// running sums, s[j mod 8] = fma(row[j], theta[j], s[j mod 8]), added up as
//
//	((s0+s1) + (s2+s3)) + ((s4+s5) + (s6+s7)).
//
// It panics if there is no such row.
func (r *Rows) Dots(dst []float64, idx []uint32, theta []float64) {
	if len(dst) != len(idx) || len(theta) != r.stride {
		panic(badLength)
	}
	for k := rowDotsASM(dst, r, idx, theta); k < len(idx); k++ {
		row := r.Row(int(idx[k]))
		var s [8]float64
		for j, v := range theta {
			s[j&7] = math.FMA(row[j], v, s[j&7])
		}
		dst[k] = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
	}
}

// Combine sets dst, of length Stride, to Σ c[k] row idx[k]: two running sums, of the
// even and of the odd k, s = fma(c[k], row[j], s), that are added at the end. It panics
// if there is no such row.
func (r *Rows) Combine(dst []float64, idx []uint32, c []float64) {
	if len(c) != len(idx) || len(dst) != r.stride {
		panic(badLength)
	}
	if len(idx) > 0 && rowSumASM(dst, r, idx, c) {
		return
	}
	for j := range dst {
		var s [2]float64
		for k, i := range idx {
			s[k&1] = math.FMA(c[k], r.data[int(i)*r.stride+j], s[k&1])
		}
		dst[j] = s[0] + s[1]
	}
}

// OverOnePlus sets dst[i] to a/(1 + x[i]), each operation rounded. The slices must be
// of one length, and the same or not overlap.
func OverOnePlus(dst []float64, a float64, x []float64) {
	if len(dst) != len(x) {
		panic(badLength)
	}
	n := over1pASM(dst, a, x)
	for i := n; i < len(x); i++ {
		dst[i] = a / (1 + x[i])
	}
}

// Indices maps each half of a word, the low one first, to a number below size, the
// high half of its product with it, and returns the smallest low half of all products.
// Those whose low half is below 2³² mod size make the map uneven and have to be drawn
// again (D. Lemire, 2019, Fast random integer generation in an interval, ACM
// Transactions on Modeling and Computer Simulation 29, 3). There must be a word for
// every two numbers.
func Indices(dst []uint32, words []uint64, size uint32) (least uint32) {
	if len(dst) != 2*len(words) {
		panic(badLength)
	}
	n, least := indicesASM(dst, words, size)
	for i, w := range words[n:] {
		p, q := uint64(uint32(w))*uint64(size), w>>32*uint64(size)
		dst[2*(n+i)], dst[2*(n+i)+1] = uint32(p>>32), uint32(q>>32)
		least = min(least, uint32(p), uint32(q))
	}
	return least
}
