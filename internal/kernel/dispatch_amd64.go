// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

//go:build amd64 && !noasm

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate go -C gen run . -out ../kernel_amd64.s -stubs ../stubs_amd64.go -pkg kernel

// useAVX512 and useAVX2 say which assembly may run; a test turns them off.
var (
	useAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasBMI2
	useAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2
)

// The functions below return how many elements the assembly has done.

func keyASM(l *Lanes, key uint64) bool {
	switch {
	case useAVX512:
		keyAVX512((*[4][8]uint64)(l), key)
	case useAVX2:
		keyAVX2((*[4][8]uint64)(l), key)
	default:
		return false
	}
	return true
}

func wordsASM(l *Lanes, dst []uint64) int {
	n := len(dst) &^ 7
	if n == 0 {
		return 0
	}
	switch {
	case useAVX512:
		wordsAVX512((*[4][8]uint64)(l), &dst[0], n/8)
	case useAVX2:
		wordsAVX2((*[4][8]uint64)(l), &dst[0], n/8)
	default:
		return 0
	}
	return n
}

func laneNormalsASM(l *Lanes, dst []float64) int {
	n := len(dst) &^ 15
	if n == 0 {
		return 0
	}
	switch {
	case useAVX512:
		laneNormalsAVX512((*[4][8]uint64)(l), &dst[0], n/16)
	case useAVX2:
		var words [256]uint64
		for i := 0; i < n; i += len(words) {
			m := min(len(words), n-i)
			wordsAVX2((*[4][8]uint64)(l), &words[0], m/8)
			normalsAVX2(&dst[i], &words[0], m/16)
		}
	default:
		return 0
	}
	return n
}

func normalsASM(dst []float64, words []uint64) int {
	n := len(dst) &^ 15
	if n == 0 {
		return 0
	}
	switch {
	case useAVX512:
		normalsAVX512(&dst[0], &words[0], n/16)
	case useAVX2:
		normalsAVX2(&dst[0], &words[0], n/16)
	default:
		return 0
	}
	return n
}

// vectors returns how many of n elements the assembly will do: all in AVX-512,
// whole vectors in AVX2.
func vectors(n int) int {
	switch {
	case useAVX512:
		return n
	case useAVX2:
		return n &^ 3
	}
	return 0
}

func uniformsASM(dst []float64, words []uint64) int {
	n := vectors(len(dst))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		uniformsAVX512(&dst[0], &words[0], n)
	} else {
		uniformsAVX2(&dst[0], &words[0], n)
	}
	return n
}

func logASM(dst, x []float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		return logAVX512(&dst[0], &x[0], n)
	}
	return logAVX2(&dst[0], &x[0], n)
}

func expASM(dst, x []float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		expAVX512(&dst[0], &x[0], n)
	} else {
		expAVX2(&dst[0], &x[0], n)
	}
	return n
}

func eulerASM(x, g, z []float64, a, s float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		eulerAVX512(&x[0], &g[0], &z[0], n, a, s)
	} else {
		eulerAVX2(&x[0], &g[0], &z[0], n, a, s)
	}
	return n
}

func axpyASM(y []float64, a float64, x []float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		axpyAVX512(&y[0], &x[0], n, a)
	} else {
		axpyAVX2(&y[0], &x[0], n, a)
	}
	return n
}

func cubicASM(dst, x []float64, a, b float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		cubicAVX512(&dst[0], &x[0], n, a, b)
	} else {
		cubicAVX2(&dst[0], &x[0], n, a, b)
	}
	return n
}

func mulASM(dst, x, y []float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		mulAVX512(&dst[0], &x[0], &y[0], n)
	} else {
		mulAVX2(&dst[0], &x[0], &y[0], n)
	}
	return n
}

func scaleASM(dst []float64, a float64, x []float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		scaleAVX512(&dst[0], &x[0], n, a)
	} else {
		scaleAVX2(&dst[0], &x[0], n, a)
	}
	return n
}

func finiteASM(x []float64) (n int, ok bool) {
	switch {
	case len(x) == 0:
	case useAVX512:
		return len(x), finiteAVX512(&x[0], len(x))
	case useAVX2 && len(x) >= 8:
		n = len(x) &^ 7
		return n, finiteAVX2(&x[0], n)
	}
	return 0, true
}

// The sums either return the total, in AVX-512, or how many elements have gone
// into s.

func dotASM(s *partial, x, y []float64) (total float64, n int, done bool) {
	switch {
	case len(x) == 0:
	case useAVX512:
		return dotAVX512(&x[0], &y[0], len(x)), 0, true
	case useAVX2 && len(x) >= len(s):
		n = len(x) &^ 31
		dotAVX2((*[32]float64)(s), &x[0], &y[0], n)
	}
	return 0, n, false
}

func sumASM(s *partial, x []float64) (total float64, n int, done bool) {
	switch {
	case len(x) == 0:
	case useAVX512:
		return sumAVX512(&x[0], len(x)), 0, true
	case useAVX2 && len(x) >= len(s):
		n = len(x) &^ 31
		sumAVX2((*[32]float64)(s), &x[0], n)
	}
	return 0, n, false
}

func sumSquaresASM(s *partial, x []float64, c float64) (total float64, n int, done bool) {
	switch {
	case len(x) == 0:
	case useAVX512:
		return sumSquaresAVX512(&x[0], len(x), c), 0, true
	case useAVX2 && len(x) >= len(s):
		n = len(x) &^ 31
		sumSquaresAVX2((*[32]float64)(s), &x[0], n, c)
	}
	return 0, n, false
}

func binsASM(idx []uint32, x []float64, lo, scale float64, bins int) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		binsAVX512(&idx[0], &x[0], n, lo, scale, float64(bins))
	} else {
		binsAVX2(&idx[0], &x[0], n, lo, scale, float64(bins))
	}
	return n
}

func gaussiansASM(dst, xy []float64, terms []gaussian2) int {
	n := vectors(len(xy) / 2)
	if n == 0 {
		return 0
	}
	p := (*float64)(unsafe.Pointer(unsafe.SliceData(terms)))
	if useAVX512 {
		gaussiansAVX512(&dst[0], &xy[0], n, p, len(terms))
	} else {
		gaussiansAVX2(&dst[0], &xy[0], n, p, len(terms))
	}
	return 2 * n
}

func (m *Matrix) mulASM(dst []float64, ldd int, x []float64, ldx, n int, add bool) bool {
	switch {
	case useAVX512:
		m.mulAVX512(dst, ldd, x, ldx, n, add)
	case useAVX2:
		m.mulAVX2(dst, ldd, x, ldx, n, add)
	default:
		return false
	}
	return true
}

func (m *Matrix) mulAVX512(dst []float64, ldd int, x []float64, ldx, n int, add bool) {
	k, p := m.rows, m.cols
	for j := 0; j < p; j += panel {
		b := &m.data[j*k]
		w := min(panel, p-j)
		vecs := (w + 7) / 8
		mask := uint64(1)<<(w-8*(vecs-1)) - 1
		i := 0
		for ; i+8 <= n; i += 8 {
			switch vecs {
			case 1:
				block8x1AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			case 2:
				block8x2AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			default:
				block8x3AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			}
		}
		for ; i+4 <= n; i += 4 {
			switch vecs {
			case 1:
				block4x1AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			case 2:
				block4x2AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			default:
				block4x3AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			}
		}
		for ; i < n; i++ {
			switch vecs {
			case 1:
				block1x1AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			case 2:
				block1x2AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			default:
				block1x3AVX512(&dst[i*ldd+j], ldd, &x[i*ldx], ldx, b, k, mask, add)
			}
		}
	}
}

func (m *Matrix) mulAVX2(dst []float64, ldd int, x []float64, ldx, n int, add bool) {
	const half = panel / 2
	k, p := m.rows, m.cols
	for j := 0; j < p; j += half {
		b := &m.data[j/panel*panel*k+j%panel]
		w := min(half, p-j)
		for i := 0; i < n; {
			rows := 1
			if i+4 <= n {
				rows = 4
			}
			// A block writes full rows: where fewer columns are left it gets a buffer.
			var buf [4 * half]float64
			out, ldo := &dst[i*ldd+j], ldd
			if w < half {
				out, ldo = &buf[0], half
				for r := range rows {
					copy(buf[r*half:][:w], dst[(i+r)*ldd+j:])
				}
			}
			if rows == 4 {
				block4x3AVX2(out, ldo, &x[i*ldx], ldx, b, k, 0, add)
			} else {
				block1x3AVX2(out, ldo, &x[i*ldx], ldx, b, k, 0, add)
			}
			if w < half {
				for r := range rows {
					copy(dst[(i+r)*ldd+j:][:w], buf[r*half:])
				}
			}
			i += rows
		}
	}
}

// locateASM also reports whether all it has done are rows.
func locateASM(places []uint64, idx []uint32, size, rows uint64) (n int, ok bool) {
	switch n = len(idx) &^ 7; {
	case n == 0:
		return 0, true
	case useAVX512:
		return n, locateAVX512(&places[0], &idx[0], n, size, rows) == 0
	case useAVX2:
		return n, locateAVX2(&places[0], &idx[0], n, size, rows) == 0
	}
	return 0, true
}

// rowDotsASM does whole groups of rows: of one vector's rows all but the last few, of
// several vectors all or none.
func rowDotsASM(dst []float64, r *Rows, places []uint64, theta []float64, m int) int {
	group := 8
	if !useAVX512 {
		group = 4
	}
	n := len(places)
	if m == n {
		m &^= group - 1
		n = m
	}
	switch {
	case r.stride == 0 || r.n == 0 || n == 0 || m%group != 0:
		return 0
	case useAVX512:
		rowDotsAVX512(&dst[0], &r.data[0], r.stride, &places[0], &theta[0], m, n)
	case useAVX2:
		rowDotsAVX2(&dst[0], &r.data[0], r.stride, &places[0], &theta[0], m, n)
	default:
		return 0
	}
	return n
}

// rowSumASM reports whether it has done all.
func rowSumASM(dst []float64, r *Rows, places []uint64, c []float64, m int, a float64, base []float64) bool {
	switch {
	case r.stride == 0 || r.n == 0 || len(places) == 0:
		return false
	case useAVX512:
		rowSumAVX512(&dst[0], &r.data[0], r.stride, &places[0], &c[0], m, len(dst)/r.stride, a, &base[0])
	case useAVX2:
		rowSumAVX2(&dst[0], &r.data[0], r.stride, &places[0], &c[0], m, len(dst)/r.stride, a, &base[0])
	default:
		return false
	}
	return true
}

func sigmoidASM(dst []float64, a float64, x []float64) int {
	n := vectors(len(x))
	if n == 0 {
		return 0
	}
	if useAVX512 {
		sigmoidAVX512(&dst[0], &x[0], n, a)
	} else {
		sigmoidAVX2(&dst[0], &x[0], n, a)
	}
	return n
}

// indicesASM also returns the smallest low half of the products.
func indicesASM(dst []uint32, words []uint64, size uint32) (n int, least uint32) {
	var lanes [8]uint64
	switch n = len(words) &^ 7; {
	case n == 0:
		return 0, 1<<32 - 1
	case useAVX512:
		indicesAVX512(&dst[0], &words[0], n, uint64(size), &lanes)
	case useAVX2:
		indicesAVX2(&dst[0], &words[0], n, uint64(size), &lanes)
	default:
		return 0, 1<<32 - 1
	}
	least = 1<<32 - 1
	for _, l := range lanes {
		least = min(least, uint32(l))
	}
	return n, least
}

func repackASM(dst []float64, ldd int, src []float64, lds, cols, n int) bool {
	switch {
	case useAVX512:
		repackAVX512(&dst[0], 8*ldd, &src[0], 8*lds, cols, n)
	case useAVX2:
		repackAVX2(&dst[0], 8*ldd, &src[0], 8*lds, cols, n)
	default:
		return false
	}
	return true
}
