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

// Locate sets places[k] to where row idx[k] begins, in bytes, which is how Dots and Combine
// take rows: what is used twice is looked up once. It panics if there is no such row.
func (r *Rows) Locate(places []uint64, idx []uint32) {
	if len(places) != len(idx) {
		panic(badLength)
	}
	size := uint64(8 * r.stride)
	n, ok := locateASM(places, idx, size, uint64(r.n))
	for k, i := range idx[n:] {
		ok = ok && int(i) < r.n
		places[n+k] = uint64(i) * size
	}
	if !ok {
		panic("kernel: no such row")
	}
}

// at returns the row at a place.
func (r *Rows) at(place uint64) []float64 { return r.data[place/8:][:r.stride] }

// Dots sets dst[k] to the product of the row at places[k] with a vector of Stride numbers.
// Theta holds one such vector or more, and as many equal parts of places belong to one each. A
// product is eight running sums, s[j mod 8] = fma(row[j], theta[j], s[j mod 8]), added up as
//
//	((s0+s1) + (s2+s3)) + ((s4+s5) + (s6+s7)).
//
// The places must be of Locate.
func (r *Rows) Dots(dst []float64, places []uint64, theta []float64) {
	m := r.parts(len(places), len(theta))
	if len(dst) != len(places) {
		panic(badLength)
	}
	for k := rowDotsASM(dst, r, places, theta, m); k < len(places); k++ {
		row := r.at(places[k])
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

// Combine sets dst, one vector of Stride numbers or more, to a base + Σ c[k] row over as many
// equal parts of places and c: two running sums, of the even and of the odd k of a part,
// s = fma(c[k], row[j], s), that are added up, and at last fma(a, base[j], s). The base is as
// long as dst, and may be it. The places must be of Locate.
func (r *Rows) Combine(dst []float64, places []uint64, c []float64, a float64, base []float64) {
	m := r.parts(len(places), len(dst))
	if len(c) != len(places) || len(base) != len(dst) {
		panic(badLength)
	}
	if rowSumASM(dst, r, places, c, m, a, base) {
		return
	}
	for at := 0; at < len(dst); at += r.stride {
		first := at / r.stride * m
		for j := range r.stride {
			var s [2]float64
			if len(places) > 0 {
				for k, p := range places[first : first+m] {
					s[k&1] = math.FMA(c[first+k], r.data[int(p/8)+j], s[k&1])
				}
			}
			dst[at+j] = math.FMA(a, base[at+j], s[0]+s[1])
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

// Sigmoid sets dst[i] to a/(1 + exp(x[i])), with the exponential of Exp and each operation
// rounded. The slices must be of one length, and the same or not overlap.
func Sigmoid(dst []float64, a float64, x []float64) {
	if len(dst) != len(x) {
		panic(badLength)
	}
	n := sigmoidASM(dst, a, x)
	for i := n; i < len(x); i++ {
		dst[i] = a / (1 + Exp1(x[i]))
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
