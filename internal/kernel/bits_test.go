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

// corners are numbers where something can go wrong.
var corners = []float64{
	0, math.Copysign(0, -1), 1, -1, 0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp-1023, math.MaxFloat64, -math.MaxFloat64,
	math.Inf(1), math.Inf(-1), math.NaN(), 0.5, 2, math.Sqrt2, math.Sqrt2 / 2, math.Nextafter(1, 0), math.Nextafter(1, 2),
	709.78, 709.79, 710, 711, -708, -708.4, -709, -744.5, -745.13, -745.14, -746, -747, 1e9, -1e9, 1e300, -1e300, 0x1p53, 0x1p31, 0x1p63,
	math.Float64frombits(sqrtHalf), math.Float64frombits(sqrtHalf - 1), math.Float64frombits(sqrtHalf + 1), 10, 9.999999999999998, -2.5, 2.5,
}

// mixture returns n numbers of every size, with corners among them.
func mixture(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		switch r.IntN(8) {
		case 0:
			x[i] = corners[r.IntN(len(corners))]
		case 1:
			x[i] = math.Float64frombits(r.Uint64())
		case 2:
			x[i] = r.NormFloat64() * 300
		default:
			x[i] = r.NormFloat64()
		}
	}
	return x
}

// same reports whether two results are of the same bits; a NaN is a NaN.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

func compare(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if !same(got[i], want[i]) {
			t.Fatalf("%s: element %d of %d is %v (%#x), portable %v (%#x)", what, i, len(want),
				got[i], math.Float64bits(got[i]), want[i], math.Float64bits(want[i]))
		}
	}
}

// kernels are the elementwise kernels and sums as functions of three slices.
var kernels = []struct {
	name string
	run  func(dst, x, y []float64)
}{
	{"Normals", func(dst, x, _ []float64) {
		w := make([]uint64, (len(dst)+15)&^15)
		for i := range w {
			w[i] = 0x9e3779b97f4a7c15 * uint64(i+1)
		}
		for i, v := range x {
			w[i] ^= math.Float64bits(v)
		}
		Normals(dst, w)
	}},
	{"Uniforms", func(dst, x, _ []float64) {
		w := make([]uint64, len(x))
		for i, v := range x {
			w[i] = math.Float64bits(v)
		}
		Uniforms(dst, w)
	}},
	{"Exp", func(dst, x, _ []float64) { Exp(dst, x) }},
	{"Log", func(dst, x, _ []float64) { Log(dst, x) }},
	{"Tanh", func(dst, x, _ []float64) { Tanh(dst, x) }},
	{"LogNormal", func(dst, x, _ []float64) {
		for i, v := range x {
			dst[i] = math.Abs(v)
			if !(dst[i] >= 0x1p-1022 && dst[i] <= math.MaxFloat64) {
				dst[i] = 3
			}
		}
		Log(dst, dst)
	}},
	{"Euler", func(dst, x, y []float64) { copy(dst, x); Euler(dst, y, x, -0.01, 0.3) }},
	{"Axpy", func(dst, x, y []float64) { copy(dst, x); Axpy(dst, 1.7, y) }},
	{"Cubic", func(dst, x, _ []float64) { Cubic(dst, x, -1, 1.1) }},
	{"Mul", func(dst, x, y []float64) { Mul(dst, x, y) }},
	{"Scale", func(dst, x, _ []float64) { Scale(dst, 1.3, x) }},
	{"Square", func(dst, x, _ []float64) { Square(dst, x) }},
	{"Bins", func(dst, x, _ []float64) {
		idx := make([]uint32, len(x)+1)
		idx[len(x)] = 77
		Bins(idx[:len(x)], x, -2.5, 40, 200)
		for i := range x {
			dst[i] = float64(idx[i])
			if idx[i] != Bin1(x[i], -2.5, 40, 200) {
				panic("Bins is not Bin1")
			}
		}
		if idx[len(x)] != 77 {
			panic("Bins wrote too far")
		}
	}},
	{"Sums", func(dst, x, y []float64) {
		if len(dst) > 0 {
			dst[0] = Dot(x, y) + Sum(x) + 3*SumSquares(y, 0.3)
		}
	}},
	{"SumsFinite", func(dst, x, y []float64) {
		x, y = append([]float64(nil), x...), append([]float64(nil), y...)
		for i := range x {
			x[i] = math.Float64frombits(math.Float64bits(x[i])&^(0x7ff<<52) | uint64(1020+i%7)<<52)
			y[i] = math.Float64frombits(math.Float64bits(y[i])&^(0x7ff<<52) | uint64(1020+i%5)<<52)
		}
		if len(dst) > 2 {
			dst[0], dst[1], dst[2] = Dot(x, y), Sum(x), SumSquares(y, 0.3)
		}
	}},
	{"AllFinite", func(dst, x, _ []float64) {
		for i := range x {
			dst[i] = 0
			if AllFinite(x[i:min(len(x), i+1+i%23)]) {
				dst[i] = 1
			}
		}
	}},
	{"Gaussians2", func(dst, x, _ []float64) { n := len(x) &^ 1; Gaussians2(dst[:n], x[:n], mullerBrown) }},
	{"Gaussians2None", func(dst, x, _ []float64) { n := len(x) &^ 1; Gaussians2(dst[:n], x[:n], nil) }},
	{"Lanes", func(dst, x, _ []float64) {
		var l Lanes
		l.Key(uint64(len(x)))
		w := make([]uint64, len(x))
		l.Words(w)
		l.Normals(dst)
		for i := range dst {
			dst[i] += float64(w[i] >> 11)
		}
	}},
}

var mullerBrown = []Gaussian2{
	{-200, -1, 0, -10, 1, 0}, {-100, -1, 0, -10, 0, .5}, {-170, -6.5, 11, -6.5, -.5, 1.5}, {15, .7, .6, .7, -1, 1},
}

// TestSameBits runs every kernel in every form at every short length.
func TestSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 20 {
		for n := range 71 {
			x, y := mixture(r, n), mixture(r, n)
			if round%4 == 0 {
				for i := range x {
					x[i], y[i] = r.NormFloat64(), r.NormFloat64()
				}
			}
			for _, k := range kernels {
				var want []float64
				for _, level := range levels {
					buf := make([]float64, n+16)
					for i := range buf {
						buf[i] = -12345
					}
					use(level, func() { k.run(buf[8:8+n:8+n], x, y) })
					for i := range buf {
						if (i < 8 || i >= 8+n) && buf[i] != -12345 {
							t.Fatalf("%s %s, length %d: wrote outside of the slice", level, k.name, n)
						}
					}
					if want == nil {
						want = buf[8 : 8+n]
						continue
					}
					compare(t, fmt.Sprintf("%s %s", level, k.name), buf[8:8+n], want)
				}
			}
		}
	}
}

// longLength is the number of words TestSameBitsLong goes through.
var longLength = 12_000_000

// TestSameBitsLong runs the kernels over many random words.
func TestSameBitsLong(t *testing.T) {
	n := longLength
	if testing.Short() {
		n = 1 << 20
	}
	const block = 4096
	var words [block]uint64
	var x, y, want, got [block]float64
	r := rand.New(rand.NewPCG(3, 4))
	var l Lanes
	for done := 0; done < n; done += block {
		l.Key(r.Uint64())
		l.Words(words[:])
		for i := range words {
			// Widths from subnormal to overflow for Exp, and the plane for the Gaussians.
			x[i] = (float64(words[i]>>11)*0x1p-53 - 0.5) * 1500
			y[i] = float64(words[i]<<20>>11)*0x1p-53*4 - 2
		}
		for _, k := range []struct {
			name string
			run  func(dst []float64)
		}{
			{"Normals", func(dst []float64) { Normals(dst, words[:]) }},
			{"Exp", func(dst []float64) { Exp(dst, x[:]) }},
			{"Log", func(dst []float64) { Uniforms(dst, words[:]); Log(dst, dst) }},
			{"Gaussians2", func(dst []float64) { Gaussians2(dst, y[:], mullerBrown) }},
		} {
			if k.name != "Normals" && done%(8*block) != 0 {
				continue
			}
			use("portable", func() { k.run(want[:]) })
			for _, level := range levels[1:] {
				use(level, func() { k.run(got[:]) })
				compare(t, level+" "+k.name, got[:], want[:])
			}
		}
	}
}

// TestNormalsCorners holds the forms together where u is near 0 and 1, at the
// edges of the octants and of the mantissa, under all eight sign and swap bits.
func TestNormalsCorners(t *testing.T) {
	var radius, angle []uint64
	for d := range uint64(20) {
		half := uint64(math.Sqrt(0.5)*0x1p52) - 10 + d
		for _, k := range []uint64{d, 1<<52 - 1 - d, half, half / 2, half / 4, half >> 51, 1<<51 - 10 + d, 1 << (2 * d), 1<<(2*d) - 1} {
			for low := range uint64(8) {
				radius = append(radius, k<<12|low*0x111)
				angle = append(angle, k<<12|low, k<<12|low|0xff8)
			}
		}
	}
	var words []uint64
	for i, a := range angle {
		for j := range 16 {
			words = append(words, radius[(i*5+j*131)%len(radius)])
			if j >= 8 {
				words[len(words)-1] = a + uint64(j&^7)
				if j&1 != 0 {
					words[len(words)-1] = angle[(i*7+j)%len(angle)]
				}
			}
		}
	}
	want, got := make([]float64, len(words)), make([]float64, len(words))
	use("portable", func() { Normals(want, words) })
	if !AllFinite(want) {
		t.Error("a normal is not finite")
	}
	for _, v := range want {
		if math.Abs(v) > 8.5717 {
			t.Fatalf("a normal is %v", v)
		}
	}
	for _, level := range levels[1:] {
		use(level, func() { Normals(got, words) })
		compare(t, level, got, want)
	}
}

// TestBinsEdges holds Bins to Bin1 around every edge.
func TestBinsEdges(t *testing.T) {
	for _, bins := range []int{1, 7, 200, 1 << 30} {
		for _, lo := range []float64{-2.5, 0, 0.1} {
			scale := float64(bins) / 5
			var x []float64
			for b := 0; b <= bins; b += 1 + bins/200 {
				e := lo + float64(b)/scale
				x = append(x, e, math.Nextafter(e, -9), math.Nextafter(e, 9))
			}
			x = append(x, corners...)
			idx := make([]uint32, len(x))
			for _, level := range levels {
				use(level, func() { Bins(idx, x, lo, scale, bins) })
				for i, v := range x {
					if want := Bin1(v, lo, scale, bins); idx[i] != want {
						t.Fatalf("%s: bin of %v is %d, want %d", level, v, idx[i], want)
					}
				}
			}
		}
	}
}

// TestGaussians2One holds Gaussians2 to its scalar form, for many terms too.
func TestGaussians2One(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, count := range []int{0, 1, 4, 16, 17, 40} {
		terms := make([]Gaussian2, count)
		for i := range terms {
			terms[i] = Gaussian2{r.NormFloat64() * 100, r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		}
		xy := make([]float64, 62)
		for i := range xy {
			xy[i] = 3 * r.NormFloat64()
		}
		xy[5] = 1e5
		dst := make([]float64, len(xy))
		for _, level := range levels {
			use(level, func() { Gaussians2(dst, xy, terms) })
			for i := 0; i < len(xy); i += 2 {
				gx, gy := Gaussians2One(xy[i], xy[i+1], terms)
				if !same(dst[i], gx) || !same(dst[i+1], gy) {
					t.Fatalf("%s: gradient %v %v, want %v %v", level, dst[i], dst[i+1], gx, gy)
				}
			}
		}
	}
}

// TestKeys checks what the comment of Lanes.Key claims, and its forms.
func TestKeys(t *testing.T) {
	for i := range 8 {
		for j := range i {
			d := keys[0][i] ^ keys[0][j]
			if keys[1][i]^keys[1][j] == d && keys[2][i]^keys[2][j] == d && keys[3][i]^keys[3][j] == d {
				t.Errorf("lanes %d and %d can get the same state", i, j)
			}
		}
		if keys[0][i] == keys[1][i] && keys[1][i] == keys[2][i] && keys[2][i] == keys[3][i] {
			t.Errorf("lane %d can get the zero state", i)
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 10000 {
		key := r.Uint64()
		if i < 32 {
			key = keys[i/8][i%8]
		}
		var want, got Lanes
		use("portable", func() { want.Key(key) })
		for _, level := range levels[1:] {
			use(level, func() { got.Key(key) })
			if got != want {
				t.Fatalf("%s: key %#x gives other states", level, key)
			}
		}
	}
}
