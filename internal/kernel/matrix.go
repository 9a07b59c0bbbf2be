// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import "math"

// panel is the number of columns that stand together in a packed matrix.
const panel = 24

// Matrix is a constant matrix packed for products from the right. The zero value
// is the empty matrix. A Matrix may be used by many goroutines at once, but not set.
type Matrix struct {
	rows, cols int
	data       []float64 // panels of 24 columns, each row-major, the last padded with zeros
}

// NewMatrix packs a k×p matrix given in row-major order. It panics if a dimension
// is negative or data is not of length k·p; it keeps no reference to data.
func NewMatrix(k, p int, data []float64) *Matrix {
	m := new(Matrix)
	m.Set(k, p, data)
	return m
}

// Set packs another matrix in the place of the old one, in its memory if that will do. It
// panics as NewMatrix does, and must not be called while the matrix is in use.
func (m *Matrix) Set(k, p int, data []float64) {
	m.reshape(k, p, data)
	for j := 0; j < p; j += panel {
		w, at := min(panel, p-j), m.data[j*k:]
		for i := range k {
			if w == panel {
				*(*[panel]float64)(at[i*panel:]) = *(*[panel]float64)(data[i*p+j:])
				continue
			}
			copy(at[i*panel:][:w], data[i*p+j:])
			clear(at[i*panel+w : (i+1)*panel])
		}
	}
}

// SetTransposed packs the transpose of a p×k matrix given in row-major order, as Set does.
func (m *Matrix) SetTransposed(k, p int, data []float64) {
	m.reshape(k, p, data)
	for j := 0; j < p; j += panel {
		w, at := min(panel, p-j), m.data[j*k:]
		for c := range w {
			for i, v := range data[(j+c)*k : (j+c+1)*k] {
				at[i*panel+c] = v
			}
		}
		for i := 0; w < panel && i < k; i++ {
			clear(at[i*panel+w : (i+1)*panel])
		}
	}
}

// reshape makes room for the panels of a k×p matrix.
func (m *Matrix) reshape(k, p int, data []float64) {
	if k < 0 || p < 0 || len(data) != k*p {
		panic("kernel: matrix data do not match its dimensions")
	}
	m.rows, m.cols = k, p
	n := (p + panel - 1) / panel * panel * k
	if cap(m.data) < n {
		m.data = make([]float64, n)
	}
	m.data = m.data[:n]
}

// Dims returns the dimensions of the matrix.
func (m *Matrix) Dims() (k, p int) { return m.rows, m.cols }

// Mul sets dst = X·M, or adds X·M to dst if add is true. X is n×k, dst is n×p,
// both row-major with rows ldx and ldd apart. An element is one chain
//
//	d = fma(x[i,l], m[l,j], d),   l = 0, 1, … k−1,
//
// that starts from 0, or from dst[i,j] if add is true, so its bits depend on
// nothing else. Mul panics if a stride is less than a row or a slice too short;
// dst must not overlap x.
func (m *Matrix) Mul(dst []float64, ldd int, x []float64, ldx, n int, add bool) {
	k, p := m.rows, m.cols
	if n <= 0 || p == 0 {
		if n < 0 {
			panic("kernel: negative number of rows")
		}
		return
	}
	if ldd < p || ldx < k || len(dst) < (n-1)*ldd+p || len(x) < (n-1)*ldx+k {
		panic("kernel: rows do not match the matrix")
	}
	if k == 0 {
		if !add {
			for i := range n {
				clear(dst[i*ldd:][:p])
			}
		}
		return
	}
	if m.mulASM(dst, ldd, x, ldx, n, add) {
		return
	}
	var acc [8]float64
	for i := range n {
		row, out := x[i*ldx:][:k], dst[i*ldd:][:p]
		for j := 0; j < p; j += len(acc) {
			b := m.data[j/panel*panel*k+j%panel:]
			w := min(len(acc), p-j)
			clear(acc[:])
			if add {
				copy(acc[:], out[j:j+w])
			}
			dotPanel(&acc, row, b)
			copy(out[j:j+w], acc[:])
		}
	}
}

// dotPanel adds the product of a row with eight columns of a panel.
func dotPanel(acc *[8]float64, row, b []float64) {
	a0, a1, a2, a3, a4, a5, a6, a7 := acc[0], acc[1], acc[2], acc[3], acc[4], acc[5], acc[6], acc[7]
	for l, v := range row {
		c := (*[8]float64)(b[l*panel:])
		a0 = math.FMA(v, c[0], a0)
		a1 = math.FMA(v, c[1], a1)
		a2 = math.FMA(v, c[2], a2)
		a3 = math.FMA(v, c[3], a3)
		a4 = math.FMA(v, c[4], a4)
		a5 = math.FMA(v, c[5], a5)
		a6 = math.FMA(v, c[6], a6)
		a7 = math.FMA(v, c[7], a7)
	}
	*acc = [8]float64{a0, a1, a2, a3, a4, a5, a6, a7}
}
