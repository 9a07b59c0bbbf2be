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

// bowl is x²/2 + y² + xy/4.
type bowl struct{}

func (bowl) Dim() int                  { return 2 }
func (bowl) Value(x []float64) float64 { return x[0]*x[0]/2 + x[1]*x[1] + x[0]*x[1]/4 }
func (bowl) Gradient(dst, x []float64) { dst[0], dst[1] = x[0]+x[1]/4, 2*x[1]+x[0]/4 }

// swirl is Q₁₂ = sin x · y, with ∇·Q = (sin x, −cos x · y).
type swirl struct{}

func (swirl) Circulation(dst, x []float64) {
	q := math.Sin(x[0]) * x[1]
	copy(dst, []float64{0, q, -q, 0})
}
func (swirl) CirculationDivergence(dst, x []float64) {
	dst[0], dst[1] = math.Sin(x[0]), -math.Cos(x[0])*x[1]
}

// The drift against the formula, as each calculus has it; with the divergence that the
// diffusion declares, and by differences.
func TestRestore(t *testing.T) {
	const T = 0.3
	for name, n := range map[string]struct {
		noise     sde.Diffusion
		tolerance float64
	}{"differences": {turned{}, 1e-9}, "divergence": {divergence{}, 1e-14}} {
		eq, err := sde.Restore(bowl{}, T, n.noise, swirl{})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := eq.(sde.Divergence); ok != (name == "divergence") {
			t.Errorf("%s: declares a divergence: %t", name, ok)
		}
		for _, x := range [][]float64{{0.7, 0.3}, {-1.2, 2.5}} {
			g, q, a := make([]float64, 2), math.Sin(x[0])*x[1], make([]float64, 2)
			bowl{}.Gradient(g, x)
			b := 1 + x[0]*x[0]/2
			want := []float64{
				-(b*b/2*g[0]+q*g[1])/T + b*x[0] + math.Sin(x[0]),
				-(b*b/2*g[1]-q*g[0])/T - math.Cos(x[0])*x[1],
			}
			eq.Drift(a, x, 0)
			sde.NewConversion(eq, 2, 2, sde.InterpretationOf(eq), sde.Ito).Add(a, x, 0)
			for i := range want {
				if math.Abs(a[i]-want[i]) > n.tolerance*(1+math.Abs(want[i])) {
					t.Errorf("%s: Itô drift %d at %v is %.15g, want %.15g", name, i, x, a[i], want[i])
				}
			}
		}
	}
	eq, err := sde.Restore(bowl{}, T, turned{}, sde.ConstantCirculation{0, 2, -2, 0})
	if err != nil {
		t.Fatal(err)
	}
	a, x := make([]float64, 2), []float64{0.1, 0.2}
	if n := testing.AllocsPerRun(100, func() { eq.Drift(a, x, 0) }); n != 0 {
		t.Errorf("%g allocations a drift", n)
	}
}

func TestRestoreRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		loss sde.Loss
		temp float64
		d    sde.Diffusion
		q    sde.Circulation
		want error
	}{
		"no loss":     {nil, 1, turned{}, nil, sde.ErrInvalid},
		"no noise":    {bowl{}, 1, nil, nil, sde.ErrInvalid},
		"T = 0":       {bowl{}, 0, turned{}, nil, sde.ErrInvalid},
		"NaN":         {bowl{}, math.NaN(), turned{}, nil, sde.ErrInvalid},
		"short Q":     {bowl{}, 1, turned{}, sde.ConstantCirculation{0}, sde.ErrDimension},
		"symmetric Q": {bowl{}, 1, turned{}, sde.ConstantCirculation{0, 1, 1, 0}, sde.ErrInvalid},
	} {
		if _, err := sde.Restore(c.loss, c.temp, c.d, c.q); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
