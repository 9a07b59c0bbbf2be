// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestRows holds the forms of the kernels on rows together and to plain sums.
func TestRows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for d := 1; d < 70; d++ {
		n := 1 + r.IntN(50)
		data := make([]float64, n*d)
		for i := range data {
			data[i] = r.NormFloat64()
		}
		rows := NewRows(n, d, data)
		stride := rows.Stride()
		for m := range 40 {
			parts := 1 + r.IntN(4)
			theta := make([]float64, parts*stride)
			for j := range theta {
				if j%stride < d {
					theta[j] = r.NormFloat64()
				}
			}
			idx, c := make([]uint32, parts*m), make([]float64, parts*m)
			for k := range idx {
				idx[k], c[k] = uint32(r.IntN(n)), r.NormFloat64()
			}
			var dots, sums []float64
			for _, level := range levels {
				use(level, func() {
					a, b := make([]float64, len(idx)+2), make([]float64, len(theta)+2)
					a[len(idx)], b[len(theta)] = 7, 7
					places := make([]uint64, len(idx))
					rows.Locate(places, idx)
					rows.Dots(a[:len(idx)], places, theta)
					rows.Combine(b[:len(theta)], places, c, 0.5, theta)
					if a[len(idx)] != 7 || b[len(theta)] != 7 {
						t.Fatalf("%s wrote too far, d = %d, m = %d", level, d, m)
					}
					if dots == nil {
						dots, sums = a, b
						return
					}
					compare(t, fmt.Sprintf("%s Dots, d = %d", level, d), a, dots)
					compare(t, fmt.Sprintf("%s Combine, d = %d", level, d), b, sums)
				})
			}
			for k, i := range idx {
				var want, size float64
				for j := range d {
					v := data[int(i)*d+j] * theta[k/m*stride+j]
					want += v
					size += math.Abs(v)
				}
				if !(math.Abs(dots[k]-want) <= 1e-14*size) {
					t.Fatalf("product %d: %v, want %v", k, dots[k], want)
				}
			}
			for j, v := range theta {
				want, size := v/2, math.Abs(v/2)
				for k := j / stride * m; k < (j/stride+1)*m; k++ {
					if j%stride < d {
						v := c[k] * data[int(idx[k])*d+j%stride]
						want += v
						size += math.Abs(v)
					}
				}
				if !(math.Abs(sums[j]-want) <= 1e-14*size) {
					t.Fatalf("number %d: %v, want %v", j, sums[j], want)
				}
			}
		}
	}
}

// TestRowsOutOfRange holds Locate to panic, so that nothing is read beyond the matrix.
func TestRowsOutOfRange(t *testing.T) {
	rows := NewRows(10, 3, make([]float64, 30))
	for _, level := range levels {
		use(level, func() {
			for at := range 19 {
				for _, bad := range []uint32{10, 1 << 31, 1<<32 - 1} {
					idx := make([]uint32, 19)
					idx[at] = bad
					func() {
						defer func() {
							if recover() == nil {
								t.Errorf("%s: no panic for row %d at %d", level, bad, at)
							}
						}()
						rows.Locate(make([]uint64, 19), idx)
					}()
				}
			}
		})
	}
}

func TestSigmoid(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for n := range 70 {
		x := mixture(r, n)
		for _, level := range levels {
			use(level, func() {
				y := make([]float64, n)
				Sigmoid(y, 0.1, x)
				for i, v := range x {
					if want := 0.1 / (1 + Exp1(v)); !same(y[i], want) {
						t.Fatalf("%s: %v at %v, want %v", level, y[i], v, want)
					}
				}
			})
		}
	}
}

func TestIndices(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for n := range 40 {
		for _, size := range []uint32{1, 2, 3, 10_000, 1 << 20, 1<<31 + 11, 1<<32 - 1} {
			words := make([]uint64, n)
			for i := range words {
				words[i] = r.Uint64()
			}
			if n > 3 {
				words[1], words[2], words[3] = 0, 1<<64-1, 1<<32
			}
			for _, level := range levels {
				use(level, func() {
					idx := make([]uint32, 2*n)
					least := Indices(idx, words, size)
					want := uint32(1<<32 - 1)
					for i, v := range idx {
						half := words[i/2] >> (32 * (i % 2)) & (1<<32 - 1)
						if p := half * uint64(size); v != uint32(p>>32) {
							t.Fatalf("%s: half %d of size %d gives %d, want %d", level, i, size, v, p>>32)
						} else {
							want = min(want, uint32(p))
						}
					}
					if least != want {
						t.Fatalf("%s: least %d, want %d", level, least, want)
					}
				})
			}
		}
	}
}

func TestRepack(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for cols := 1; cols < 40; cols++ {
		for n := range 4 {
			lds, ldd := cols+r.IntN(3), cols+r.IntN(9)
			src := make([]float64, n*lds+cols)
			for i := range src {
				src[i] = r.NormFloat64()
			}
			for _, level := range levels {
				use(level, func() {
					dst := make([]float64, n*ldd+cols)
					Repack(dst, ldd, src, lds, cols, n)
					for i, v := range dst {
						want := 0.0
						if i/ldd < n && i%ldd < cols {
							want = src[i/ldd*lds+i%ldd]
						}
						if v != want {
							t.Fatalf("%s: %d rows of %d, number %d: %v, want %v", level, n, cols, i, v, want)
						}
					}
				})
			}
		}
	}
}
