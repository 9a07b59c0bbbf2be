// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// fullNoise is noise of a full D that depends on both coordinates.
type fullNoise struct{}

func (fullNoise) Dims() (state, noise int) { return 2, 2 }
func (fullNoise) Root(dst, x []float64, _ float64) {
	s := 0.7 * math.Sin(x[0]+x[1])
	dst[0], dst[1], dst[2], dst[3] = math.Sqrt(2+x[0]*x[0]/4), 0, s, math.Sqrt(2-s*s+x[1]*x[1]/8)
}

// whirl is Q₁₂ = x·y/2, ∇·Q = (x/2, −y/2).
type whirl struct{}

func (whirl) Circulation(dst, x []float64) {
	q := x[0] * x[1] / 2
	dst[0], dst[1], dst[2], dst[3] = 0, q, -q, 0
}
func (whirl) CirculationDivergence(dst, x []float64) { dst[0], dst[1] = x[0]/2, -x[1]/2 }

var saddleless = quadratic{1, 0.4, 1.5, 0, 0}

// A restored equation satisfies detailed balance; with a circulation the law stays and
// a current flows; the plain flow with the same noise has another law.
func TestDetailedBalance(t *testing.T) {
	t.Parallel()
	const T = 0.6
	judge := func(eq sde.Equation, loss sde.Loss, at ...sde.Batch) *stationary.Balance {
		t.Helper()
		return must(stationary.DetailedBalance(eq, loss, T, append(at, sde.Batch{})[0]))
	}
	restored := must(sde.Restore(saddleless, T, fullNoise{}, nil))
	b := judge(restored, saddleless)
	if !b.Holds() || !b.Stationary() || !strings.Contains(b.String(), "holds") {
		t.Errorf("restored: %v (%+v)", b, *b)
	}
	for name, q := range map[string]sde.Circulation{"constant": sde.ConstantCirculation{0, 0.3, -0.3, 0}, "of θ": whirl{}} {
		b = judge(must(sde.Restore(saddleless, T, fullNoise{}, q)), saddleless)
		if b.Holds() || !b.Stationary() || !(b.Relative > 0.01) {
			t.Errorf("circulation %s: %v (%+v)", name, b, *b)
		}
	}
	b = judge(sde.Flow{Loss: saddleless, Diffusion: fullNoise{}}, saddleless)
	if b.Holds() || b.Stationary() || b.Drain < 0.01 {
		t.Errorf("plain flow: %v (%+v)", b, *b)
	}
	b = judge(sde.Flow{Loss: saddleless, Diffusion: thermal(T)}, saddleless)
	if !b.Holds() || b.EntropyProduction > 1e-20 {
		t.Errorf("thermal flow: %v (%+v)", b, *b)
	}
	// The wrong temperature is a current of v = (T/T′ − 1)∇L.
	b = judge(sde.Flow{Loss: saddleless, Diffusion: thermal(2 * T)}, saddleless)
	within(t, "twice too hot", b.Relative, 1/math.Sqrt(5), 1e-9)
	// At given points, in any dimension.
	points := sde.NewBatch(2, 2)
	copy(points.Data, []float64{1, 0.5, -0.3, 2})
	if b = judge(restored, saddleless, points); !b.Holds() {
		t.Errorf("at points: %v", b)
	}
	// One dimension: D(x) needs ∇·D.
	d := multiplicative(func(x float64) float64 { return 0.3 * (1 + x*x) })
	if b = judge(must(sde.Restore(parabolic, T, d, nil)), parabolic); !b.Holds() {
		t.Errorf("one dimension: %v", b)
	}
	if b = judge(sde.Flow{Loss: parabolic, Diffusion: d}, parabolic); b.Stationary() {
		t.Errorf("without ∇·D: %v", b)
	}
}

// Of a linear flow, against its own potential, the current is that of the circulation,
// and the entropy production 1/9.
func TestDetailedBalanceLinear(t *testing.T) {
	t.Parallel()
	eq := field{func(x, y float64) (float64, float64) { return -x, -2 * y }, skew}
	u := must(rotating().Precision())
	b := must(stationary.DetailedBalance(eq, quadratic{u.At(0, 0), u.At(0, 1), u.At(1, 1), 0, 0}, 1, sde.Batch{}))
	within(t, "entropy production", b.EntropyProduction, 1.0/9, 1e-8)
	if b.Holds() || !b.Stationary() {
		t.Errorf("%v (%+v)", b, *b)
	}
	// E|v|² = tr(QU Qᵀ)
	var q, qu, quq mat.Dense
	q.CloneFrom(rotating().Circulation())
	qu.Mul(&q, u)
	quq.Mul(&qu, q.T())
	within(t, "current", b.Current*b.Current, mat.Trace(&quq), 1e-8)
}

// The law of a restored equation on a grid is exp(−L/T), with a circulation too.
func TestRestoreOnGrid(t *testing.T) {
	t.Parallel()
	const T = 0.6
	box := sde.Box{Lo: []float64{-4, -4}, Hi: []float64{4, 4}}
	for name, q := range map[string]sde.Circulation{"none": nil, "constant": sde.ConstantCirculation{0, 0.5, -0.5, 0}, "of θ": whirl{}} {
		var off [2]float64
		for i, n := range []int{40, 80} {
			g := must(stationary.FokkerPlanck{Equation: must(sde.Restore(saddleless, T, fullNoise{}, q)), Box: box, Cells: []int{n, n}}.Generator())
			law := must(g.Stationary())
			want := must(g.Project(func(x []float64) float64 { return math.Exp(-saddleless.Value(x) / T) }))
			for k := range n * n {
				off[i] += math.Abs(law.CellProbability(k)-want.CellProbability(k)) / 2
			}
		}
		t.Logf("%s: total variation %.3g, %.3g", name, off[0], off[1])
		if off[1] > 2e-3 || off[1] > 1e-12 && off[1] > off[0]/3.4 {
			t.Errorf("%s: total variation %g, then %g", name, off[0], off[1])
		}
	}
}

func TestDetailedBalanceRefuses(t *testing.T) {
	t.Parallel()
	flow := sde.Flow{Loss: saddleless, Diffusion: thermal(1)}
	for name, c := range map[string]struct {
		eq   sde.Equation
		loss sde.Loss
		T    float64
		at   sde.Batch
		want error
	}{
		"no equation": {nil, saddleless, 1, sde.Batch{}, sde.ErrInvalid},
		"no noise":    {sde.Flow{Loss: saddleless}, saddleless, 1, sde.Batch{}, sde.ErrInvalid},
		"no loss":     {flow, nil, 1, sde.Batch{}, sde.ErrInvalid},
		"dimension":   {flow, parabolic, 1, sde.Batch{}, sde.ErrDimension},
		"T":           {flow, saddleless, 0, sde.Batch{}, sde.ErrInvalid},
		"points":      {flow, saddleless, 1, sde.NewBatch(2, 3), sde.ErrDimension},
		"3-D":         {sde.Flow{Loss: tall(3), Diffusion: thermal(1)}, tall(3), 1, sde.Batch{}, sde.ErrDimension},
	} {
		if _, err := stationary.DetailedBalance(c.eq, c.loss, c.T, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
