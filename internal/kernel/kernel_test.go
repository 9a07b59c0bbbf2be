// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import (
	"math"
	"testing"
)

func TestPlausible(t *testing.T) {
	var l Lanes
	l.Key(1)
	z := make([]float64, 1<<20)
	l.Normals(z)
	m, v := Sum(z)/float64(len(z)), SumSquares(z, 0)/float64(len(z))
	if math.Abs(m) > 5e-3 || math.Abs(v-1) > 1e-2 {
		t.Errorf("mean %v, variance %v", m, v)
	}
	for _, x := range []float64{-700, -1, -1e-9, 0, 1e-9, .3, 1, 10, 700} {
		if e := math.Abs(Exp1(x)/math.Exp(x) - 1); e > 3e-16 {
			t.Errorf("exp(%v) = %v, want %v", x, Exp1(x), math.Exp(x))
		}
		x = math.Exp(x)
		if e := math.Abs(Log1(x) - math.Log(x)); e > 5e-16*math.Abs(math.Log(x)) {
			t.Errorf("log(%v) = %v, want %v", x, Log1(x), math.Log(x))
		}
	}
	terms := []Gaussian2{{-200, -1, 0, -10, 1, 0}, {-100, -1, 0, -10, 0, .5}, {-170, -6.5, 11, -6.5, -.5, 1.5}, {15, .7, .6, .7, -1, 1}}
	gx, gy := Gaussians2One(.1, .2, terms)
	const h = 1e-6
	fx := (Gaussians2Value(.1+h, .2, terms) - Gaussians2Value(.1-h, .2, terms)) / (2 * h)
	fy := (Gaussians2Value(.1, .2+h, terms) - Gaussians2Value(.1, .2-h, terms)) / (2 * h)
	if math.Abs(gx-fx) > 1e-6*math.Abs(gx) || math.Abs(gy-fy) > 1e-6*math.Abs(gy) {
		t.Errorf("gradient %v %v, by differences %v %v", gx, gy, fx, fy)
	}
	m2 := NewMatrix(2, 3, []float64{1, 2, 3, 4, 5, 6})
	dst := make([]float64, 6)
	m2.Mul(dst, 3, []float64{1, 1, 2, -1}, 2, 2, false)
	if want := [6]float64{5, 7, 9, -2, -1, 0}; [6]float64(dst) != want {
		t.Errorf("product %v, want %v", dst, want)
	}
	for x, want := range map[float64]uint32{-.1: 0, 0: 1, .99: 1, 1: 2, 9.5: 10, 10: 11, math.Inf(-1): 0} {
		if b := Bin1(x, 0, 1, 10); b != want {
			t.Errorf("bin of %v is %d, want %d", x, b, want)
		}
	}
}
