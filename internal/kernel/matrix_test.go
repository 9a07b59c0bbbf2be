// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestMatrixMul holds Mul to gonum, to its own definition to the bit, and to
// itself in other blocks of rows, with strides and guards.
func TestMatrixMul(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	random := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		return x
	}
	sizes := [][3]int{{1, 1, 1}, {3, 2, 5}, {64, 100, 100}, {64, 200, 100}, {17, 9, 24}, {13, 31, 25}, {5, 3, 49}, {8, 0, 7}, {0, 3, 3}, {4, 7, 0}}
	for range 120 {
		sizes = append(sizes, [3]int{r.IntN(20), r.IntN(20), r.IntN(80)})
	}
	again := NewMatrix(50, 100, random(5000)) // its memory holds rubbish for what follows
	for _, s := range sizes {
		n, k, p := s[0], s[1], s[2]
		ldx, ldd := k+r.IntN(3), p+r.IntN(3)
		x, data := random(n*ldx+1), random(k*p)
		m := NewMatrix(k, p, data)
		again.Set(k, p, data)
		compare(t, fmt.Sprint("set ", s), again.data, m.data)
		transposed := make([]float64, k*p)
		for i := range k {
			for j := range p {
				transposed[j*k+i] = data[i*p+j]
			}
		}
		again.SetTransposed(k, p, transposed)
		compare(t, fmt.Sprint("set transposed ", s), again.data, m.data)
		for _, add := range []bool{false, true} {
			start := random(n*ldd + 20)
			want := append([]float64(nil), start...)
			for i := range n {
				for j := range p {
					var d float64
					if add {
						d = start[i*ldd+j]
					}
					for l := range k {
						d = math.FMA(x[i*ldx+l], data[l*p+j], d)
					}
					want[i*ldd+j] = d
				}
			}
			for _, level := range levels {
				use(level, func() {
					name := fmt.Sprintf("%s %v add %v", level, s, add)
					got := append([]float64(nil), start...)
					m.Mul(got, ldd, x, ldx, n, add)
					compare(t, name, got, want)
					got = append([]float64(nil), start...)
					for i := 0; i < n; {
						rows := min(n-i, 1+r.IntN(7))
						m.Mul(got[i*ldd:], ldd, x[i*ldx:], ldx, rows, add)
						i += rows
					}
					compare(t, name+" in blocks", got, want)
				})
			}
			if add || n*k*p == 0 {
				continue
			}
			var g mat.Dense
			xs := mat.NewDense(n, k, nil)
			for i := range n {
				xs.SetRow(i, x[i*ldx:][:k])
			}
			g.Mul(xs, mat.NewDense(k, p, data))
			for i := range n {
				for j := range p {
					var size float64
					for l := range k {
						size += math.Abs(x[i*ldx+l] * data[l*p+j])
					}
					if e := math.Abs(g.At(i, j) - want[i*ldd+j]); e > float64(k)*0x1p-52*size {
						t.Fatalf("%v: element %d, %d is %v, gonum %v", s, i, j, want[i*ldd+j], g.At(i, j))
					}
				}
			}
		}
	}
}

// TestPanics checks that what does not fit is refused.
func TestPanics(t *testing.T) {
	x := make([]float64, 8)
	m := NewMatrix(2, 3, make([]float64, 6))
	r := rand.New(rand.NewPCG(11, 12))
	var l Lanes
	for name, f := range map[string]func(){
		"Normals":    func() { Normals(x, make([]uint64, 8)) },
		"Uniforms":   func() { Uniforms(x, make([]uint64, 7)) },
		"Exp":        func() { Exp(x, x[1:]) },
		"Log":        func() { Log(x, x[1:]) },
		"Euler":      func() { Euler(x, x, x[1:], 1, 1) },
		"Axpy":       func() { Axpy(x, 1, x[1:]) },
		"Cubic":      func() { Cubic(x, x[1:], 1, 1) },
		"Dot":        func() { Dot(x, x[1:]) },
		"Mul":        func() { Mul(x, x, x[1:]) },
		"Scale":      func() { Scale(x, 1, x[1:]) },
		"Bins":       func() { Bins(make([]uint32, 7), x, 0, 1, 5) },
		"Bins zero":  func() { Bins(make([]uint32, 8), x, 0, 1, 0) },
		"Gaussians2": func() { n := 5 + 2*r.IntN(2); Gaussians2(x[:n], x[:n], nil) },
		"NewMatrix":  func() { NewMatrix(2, 2, x) },
		"Matrix.Mul": func() { m.Mul(x, 3, x[:5], 2, 3, false) },
		"rows":       func() { m.Mul(x, 3, x, 2, 3, false) },
		"stride":     func() { m.Mul(x, 2, x, 2, 1, false) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	l.Normals(nil)
	Exp(nil, nil)
	if !AllFinite(nil) || Sum(nil) != 0 {
		t.Error("empty slices")
	}
}

// TestAllocs checks that no kernel allocates.
func TestAllocs(t *testing.T) {
	x, y, z := make([]float64, 101), make([]float64, 101), make([]float64, 101)
	for i := range x {
		x[i], y[i] = float64(i)-.5, 1
	}
	words, idx := make([]uint64, 112), make([]uint32, 101)
	m := NewMatrix(10, 10, x[:100])
	var l Lanes
	for _, level := range levels {
		use(level, func() {
			if n := testing.AllocsPerRun(20, func() {
				l.Key(3)
				l.Words(words)
				l.Normals(x)
				Normals(x, words)
				Uniforms(x, words[:101])
				Exp(y, x)
				Log(y, x)
				Euler(x, y, z, 1, 1)
				Axpy(x, 1, y)
				Cubic(x, y, 1, 1)
				Gaussians2(z[:100], y[:100], mullerBrown)
				Bins(idx, x, 0, 1, 10)
				m.Mul(x, 10, y, 10, 7, true)
				Mul(x, y, z)
				Scale(x, 2, y)
				if Dot(x, y)+Sum(x)+SumSquares(x, 1) == 1 || AllFinite(z) && z[0] == 99 {
					t.Log("never mind")
				}
			}); n != 0 {
				t.Errorf("%s: %v allocations", level, n)
			}
		})
	}
}
