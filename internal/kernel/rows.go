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

// Dots sets dst[k] to the product of row idx[k] with a vector of Stride numbers. Theta
// holds one such vector or more, and as many equal parts of idx belong to one each. A product
// is eight running sums, s[j mod 8] = fma(row[j], theta[j], s[j mod 8]), added up as
//
//	((s0+s1) + (s2+s3)) + ((s4+s5) + (s6+s7)).
//
// It panics if there is no such row.
func (r *Rows) Dots(dst []float64, idx []uint32, theta []float64) {
	m := r.parts(len(idx), len(theta))
	if len(dst) != len(idx) {
		panic(badLength)
	}
	for k := rowDotsASM(dst, r, idx, theta, m); k < len(idx); k++ {
		row := r.Row(int(idx[k]))
		var s [8]float64
		for j, v := range theta[k/m*r.stride:][:r.stride] {
			s[j&7] = math.FMA(row[j], v, s[j&7])
		}
		dst[k] = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
	}
}

// parts returns how many of n rows belong to each of the vectors in so many numbers.
func (r *Rows) parts(n, numbers int) int {
	if r.stride == 0 {
		return max(n, 1)
	}
	p := numbers / r.stride
	if p < 1 || numbers != p*r.stride || n%p != 0 {
		panic(badLength)
	}
	return max(n/p, 1)
}

// Combine sets dst, one vector of Stride numbers or more, to Σ c[k] row idx[k] over as many
// equal parts of idx and c: two running sums, of the even and of the odd k of a part,
// s = fma(c[k], row[j], s), that are added at the end. It panics if there is no such row.
// If ahead is as long as idx, its rows are fetched into the cache meanwhile: a matrix that
// does not fit there costs its latency otherwise.
func (r *Rows) Combine(dst []float64, idx []uint32, c []float64, ahead []uint32) {
	m := r.parts(len(idx), len(dst))
	if len(c) != len(idx) {
		panic(badLength)
	}
	if len(ahead) < len(idx) {
		ahead = idx
	}
	if rowSumASM(dst, r, idx, ahead, c, m) {
		return
	}
	for at := 0; at < len(dst); at += r.stride {
		first := at / r.stride * m
		for j := range r.stride {
			var s [2]float64
			if len(idx) > 0 {
				for k, i := range idx[first : first+m] {
					s[k&1] = math.FMA(c[first+k], r.data[int(i)*r.stride+j], s[k&1])
				}
			}
			dst[at+j] = s[0] + s[1]
		}
	}
}

// Repack copies the first cols numbers of each of n rows, of which lds numbers separate
// the beginnings in src and ldd in dst. It panics if a row does not fit its slice.
func Repack(dst []float64, ldd int, src []float64, lds, cols, n int) {
	if n <= 0 || cols <= 0 {
		return
	}
	if ldd < cols || lds < cols || (n-1)*ldd+cols > len(dst) || (n-1)*lds+cols > len(src) {
		panic(badLength)
	}
	if repackASM(dst, ldd, src, lds, cols, n) {
		return
	}
	for i := range n {
		copy(dst[i*ldd:i*ldd+cols], src[i*lds:])
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
