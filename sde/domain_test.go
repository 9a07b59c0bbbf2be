// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"errors"
	"math"
	"testing"

	"github.com/sgflow/sgflow/sde"
)

// constrained returns what a box makes of one particle's step in one dimension.
func constrained(b sde.Box, before, after float64) float64 {
	x, y := sde.NewBatch(1, 1), sde.NewBatch(1, 1)
	x.Data[0], y.Data[0] = before, after
	b.Constrain(x, y)
	return y.Data[0]
}

func TestBox(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	box := func(lo, hi float64, b sde.Boundary) sde.Box {
		return sde.Box{Lo: []float64{lo}, Hi: []float64{hi}, Boundary: b}
	}
	for _, test := range []struct {
		box                 sde.Box
		before, after, want float64
	}{
		{box(-1, 2, sde.Reflecting), 0, 1.5, 1.5},
		{box(-1, 2, sde.Reflecting), 0, 2.25, 1.75},
		{box(-1, 2, sde.Reflecting), 0, -1.5, -0.5},
		{box(-1, 2, sde.Reflecting), 0, 8.5, 1.5}, // 6.5 above: down to −1 and up again
		{box(-1, inf, sde.Reflecting), 0, -3, 1},
		{box(-1, inf, sde.Reflecting), 0, 1e300, 1e300},
		{box(-inf, 2, sde.Reflecting), 0, 3, 1},
		{box(-inf, inf, sde.Reflecting), 0, -7, -7},
		{box(-1, 2, sde.Reflecting), 0, inf, inf}, // left for the run to find
		{box(-1, 2, sde.Periodic), 0, 2.25, -0.75},
		{box(-1, 2, sde.Periodic), 0, -1.25, 1.75},
		{box(-1, 2, sde.Periodic), 0, 11.5, -0.5},
		{box(-1, 2, sde.Periodic), 0, -1 - 0x1p-60, -1}, // rounding must not put it on the upper end
		{box(-1, 2, sde.Periodic), 0, -inf, -inf},
		{box(-1, 2, sde.Absorbing), 1.9, 2.5, 2.5}, // where it first stood outside …
		{box(-1, 2, sde.Absorbing), 2.5, 0, 2.5},   // … it stays
		{box(-1, 2, sde.Absorbing), 2, 1, 1},       // the boundary itself is inside
	} {
		if got := constrained(test.box, test.before, test.after); got != test.want {
			t.Errorf("%v box [%g, %g]: a step from %g to %g ends at %g, want %g", test.box.Boundary, test.box.Lo[0], test.box.Hi[0], test.before, test.after, got, test.want)
		}
	}
	if got := constrained(box(-1, 2, sde.Reflecting), 0, nan); !math.IsNaN(got) {
		t.Errorf("NaN is made %v, and would not be found", got)
	}
}

// TestBoxInside: whatever the step, a reflecting or periodic box holds the particle,
// periodic images differ by whole periods, and reflection keeps distances below one
// width.
func TestBoxInside(t *testing.T) {
	lo, hi := -0.3, 1.7
	for i := range 20_001 {
		x := float64(i-10_000) * 0.0137
		for _, b := range []sde.Boundary{sde.Reflecting, sde.Periodic} {
			y := constrained(sde.Box{Lo: []float64{lo}, Hi: []float64{hi}, Boundary: b}, 0, x)
			if !(lo <= y && y <= hi) || b == sde.Periodic && y == hi {
				t.Fatalf("%v: %g is put to %g, outside [%g, %g]", b, x, y, lo, hi)
			}
			if k := (x - y) / (hi - lo); b == sde.Periodic && math.Abs(k-math.Round(k)) > 1e-12 {
				t.Fatalf("periodic: %g and its image %g differ by %g periods", x, y, k)
			}
			// The mirror images of y are y and 2lo−y, up to multiples of twice the width.
			even, odd := (x-y)/(2*(hi-lo)), (x-(2*lo-y))/(2*(hi-lo))
			if b == sde.Reflecting && math.Abs(even-math.Round(even)) > 1e-12 && math.Abs(odd-math.Round(odd)) > 1e-12 {
				t.Fatalf("reflecting: %g is no mirror image of %g", y, x)
			}
		}
	}
}

func TestBoxRefused(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, b := range []sde.Box{
		{},
		{Lo: []float64{0, 0}, Hi: []float64{1}},
		{Lo: []float64{1}, Hi: []float64{1}},
		{Lo: []float64{nan}, Hi: []float64{1}},
		{Lo: []float64{0}, Hi: []float64{inf}, Boundary: sde.Periodic},
		{Lo: []float64{0}, Hi: []float64{1}, Boundary: 3},
		{Lo: []float64{0}, Hi: []float64{1}, Boundary: -1},
	} {
		if err := b.Validate(1); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: error %v, want one that wraps sde.ErrInvalid", b, err)
		}
	}
	if err := (sde.Box{Lo: []float64{0}, Hi: []float64{inf}}).Validate(1); err != nil {
		t.Error(err)
	}
}
