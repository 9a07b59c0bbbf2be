// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// TestStringMethod: the saddles of Müller–Brown and of the three holes to 1e-8.
func TestStringMethod(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for _, test := range []struct {
		loss     sde.Loss
		from, to []float64
		via      [][]float64
		saddles  [][]float64
		highest  int
		value    float64
		minima   int
	}{
		{loss.MullerBrown{}, []float64{-0.5, 1.5}, []float64{0.6, 0}, nil,
			[][]float64{{-0.822001558732732097, 0.624312802814871361}, {0.212486582000662007, 0.292988325107367765}}, 0, -40.6648435086574043, 1},
		{gradientOnly{loss.MullerBrown{}}, []float64{0.6, 0}, []float64{-0.05, 0.47}, nil, [][]float64{{0.212486582000662007, 0.292988325107367765}}, 0, -72.2489401123252115, 0},
		{loss.ThreeHole{}, []float64{-1, 0}, []float64{1, 0}, nil, [][]float64{{0, -0.31582655047814}}, 0, -1.3845866403985, 0},
		{loss.ThreeHole{}, []float64{-1, 0}, []float64{1, 0}, [][]float64{{0, 1.5}},
			[][]float64{{-0.61727230787646, 1.1027345175081}, {0.61727230787646, 1.1027345175081}}, -1, -1.6466874534753, 1},
	} {
		p, err := stationary.StringMethod{Via: test.via}.Path(test.loss, test.from, test.to)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(p.Saddles) != len(test.saddles) || len(p.Minima) != test.minima {
			t.Errorf("%T: %d saddles, %d minima", test.loss, len(p.Saddles), len(p.Minima))
			continue
		}
		for i, s := range test.saddles {
			if d := floats.Distance(p.Saddles[i].Theta, s, 2); !(d < 1e-8) {
				t.Errorf("%T: saddle %d at %.14g, off by %.2g", test.loss, i, p.Saddles[i].Theta, d)
			}
		}
		if h := p.Saddles[p.Highest]; test.highest >= 0 && p.Highest != test.highest || math.Abs(h.Value-test.value) > 1e-9 {
			t.Errorf("%T: highest saddle %d at %.14g", test.loss, p.Highest, h.Value)
		}
		// Images are even, and the path is parallel to the gradient.
		if !(p.Residual < 0.05) || len(p.States) != 65 {
			t.Errorf("%T: residual %.3g", test.loss, p.Residual)
		}
		t.Logf("%T: residual %.2g, length %.4g", test.loss, p.Residual, p.Arc[64])
	}
	m := loss.MullerBrown{}
	for name, f := range map[string]func() error{
		"the same minimum": func() error {
			_, err := stationary.StringMethod{}.Path(m, []float64{-0.5, 1.5}, []float64{-0.6, 1.4})
			return err
		},
		"few images": func() error {
			_, err := stationary.StringMethod{Images: 3}.Path(m, []float64{-0.5, 1.5}, []float64{0.6, 0})
			return err
		},
		"no minimum": func() error {
			_, err := stationary.StringMethod{}.Path(loss.ABFactorisation{}, []float64{0, 0}, []float64{1, 1})
			return err
		},
		"a dimension": func() error { _, err := stationary.StringMethod{}.Path(m, []float64{0}, []float64{1, 1}); return err },
		"a NaN":       func() error { _, err := stationary.FindMinimum(m, []float64{math.NaN(), 0}); return err },
		"no loss":     func() error { _, err := stationary.FindSaddle(nil, []float64{0}); return err },
		"no saddle":   func() error { _, err := stationary.FindSaddle(loss.Quartic{}, []float64{0.5}); return err },
	} {
		if err := f(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCriticalSearch finds each declared minimum and saddle from nearby.
func TestCriticalSearch(t *testing.T) {
	for _, l := range []sde.Loss{loss.MullerBrown{}, loss.ThreeHole{}, loss.Himmelblau{}, loss.DoubleWells{D: 3}, loss.FlatSharp{}, loss.QuadrupleWell{}} {
		for _, p := range l.(sde.Charted).CriticalPoints() {
			if p.Index > 1 {
				continue
			}
			from := append([]float64(nil), p.Theta...)
			for i := range from {
				from[i] += 0.03 * math.Cos(float64(i+1))
			}
			find := stationary.FindMinimum
			if p.Index == 1 {
				find = stationary.FindSaddle
			}
			c, err := find(l, from)
			if err != nil {
				t.Errorf("%T: %v", l, err)
				continue
			}
			if d := floats.Distance(c.Theta, p.Theta, 2); !(d < 1e-8) || c.Index != p.Index || math.Abs(c.Value-p.Value) > 1e-9*(1+math.Abs(p.Value)) {
				t.Errorf("%T: %v for %v", l, c, p)
			}
		}
	}
}

// maierStein is dX = b dt + √ε dW with b = (u−u³−βuv², −(1+u²)v).
type maierStein struct{ beta, epsilon float64 }

func (maierStein) Dims() (int, int)      { return 2, 2 }
func (maierStein) Class() sde.NoiseClass { return sde.Constant }
func (m maierStein) Root(dst, _ []float64, _ float64) {
	dst[0], dst[1], dst[2], dst[3] = math.Sqrt(m.epsilon), 0, 0, math.Sqrt(m.epsilon)
}
func (m maierStein) Drift(dst, x []float64, _ float64) {
	u, v := x[0], x[1]
	dst[0], dst[1] = u-u*u*u-m.beta*u*v*v, -(1+u*u)*v
}

// swirl is dX = −A X dt + dW with A = [[1, w], [−w, 1]]: V = |x|² whatever w is.
type swirl struct{ w float64 }

func (swirl) Dims() (int, int)                    { return 2, 2 }
func (swirl) Class() sde.NoiseClass               { return sde.Constant }
func (swirl) Root(dst, _ []float64, _ float64)    { copy(dst, []float64{1, 0, 0, 1}) }
func (s swirl) Drift(dst, x []float64, _ float64) { dst[0], dst[1] = -x[0]-s.w*x[1], s.w*x[0]-x[1] }

func TestMinimumAction(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	action := func(eq sde.Equation, m stationary.MinimumAction, from, to []float64) *stationary.ActionPath {
		t.Helper()
		p, err := m.Path(eq, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, beta := range []float64{1, 2, 3.5} {
		// From a path off the axis it comes back to it.
		p := action(maierStein{beta, 1}, stationary.MinimumAction{Via: [][]float64{{-0.5, 0.2}}}, []float64{-1, 0}, []float64{0, 0})
		t.Logf("Maier–Stein, β = %g: %.8g ± %.1g", beta, p.Action, p.Error)
		if math.Abs(p.Action-0.5) > 1e-4 {
			t.Errorf("Maier–Stein, β = %g: %.8g, want ½", beta, p.Action)
		}
	}
	// Above β = 4 the path leaves the axis and costs less.
	if p := action(maierStein{10, 1}, stationary.MinimumAction{Via: [][]float64{{-0.5, 0.2}}}, []float64{-1, 0}, []float64{0, 0}); !(p.Action < 0.45) {
		t.Errorf("Maier–Stein, β = 10: %.6g", p.Action)
	} else {
		t.Logf("Maier–Stein, β = 10: %.6g ± %.1g, mid %.3g", p.Action, p.Error, p.States[50])
	}
	for _, w := range []float64{0, 0.5, 1} {
		p := action(swirl{w}, stationary.MinimumAction{}, []float64{0, 0}, []float64{0.6, 0.8})
		t.Logf("swirl %g: %.8g ± %.1g", w, p.Action, p.Error)
		if math.Abs(p.Action-1) > 2e-3 {
			t.Errorf("swirl %g: %.8g, want 1", w, p.Action)
		}
	}
	// A gradient: ΔL/T, along the path of minimum energy.
	f := sde.Flow{Loss: loss.ThreeHole{}, Diffusion: noise.Temperature{T: 0.5}}
	a, b, c := []float64{-1.0480549928242, -0.042093666306678}, []float64{0, -0.31582655047814}, (-1.3845866403985+3.9948606018543)/0.5
	if p := action(f, stationary.MinimumAction{}, a, b); math.Abs(p.Action/c-1) > 1e-3 {
		t.Errorf("three holes: %.8g, want %.8g", p.Action, c)
	}
	// State-dependent noise in one dimension: ∫ L′/D.
	g := sde.Flow{Loss: loss.FlatSharp{}, Diffusion: curved(0.1, 1)}
	k, err := stationary.Kramers(g, 0, 1.23155500997)
	if err != nil {
		t.Fatal(err)
	}
	want := k.Log - math.Log(2*math.Pi/math.Sqrt(2*2.74361408543)) - math.Log(1+1.23155500997*1.23155500997)/2
	if p := action(g, stationary.MinimumAction{}, []float64{0}, []float64{1.23155500997}); math.Abs(p.Action/want-1) > 1e-5 {
		t.Errorf("state-dependent noise: %.8g, want %.8g", p.Action, want)
	}
	for name, f := range map[string]func() error{
		"few images": func() error {
			_, err := stationary.MinimumAction{Images: 2}.Path(g, []float64{0}, []float64{1})
			return err
		},
		"the same":    func() error { _, err := stationary.MinimumAction{}.Path(g, []float64{1}, []float64{1}); return err },
		"a dimension": func() error { _, err := stationary.MinimumAction{}.Path(g, []float64{1}, []float64{1, 2}); return err },
		"no noise": func() error {
			_, err := stationary.MinimumAction{}.Path(sde.Flow{Loss: loss.FlatSharp{}}, []float64{0}, []float64{1})
			return err
		},
		"singular noise": func() error {
			n := noise.DiagonalFunc{State: 1, Of: sde.Diagonal, B: func(dst, theta []float64, _ float64) { dst[0] = math.Max(0, theta[0]-0.5) }}
			_, err := stationary.MinimumAction{}.Path(sde.Flow{Loss: loss.FlatSharp{}, Diffusion: n}, []float64{0}, []float64{1})
			return err
		},
	} {
		if err := f(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Müller–Brown's way from its deepest minimum to the second: over two saddles, the
// first of which decides how long it takes.
func ExampleStringMethod() {
	l := loss.MullerBrown{}
	path, err := stationary.StringMethod{}.Path(l, []float64{-0.5, 1.5}, []float64{0.6, 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range path.Saddles {
		fmt.Printf("saddle at %.6f of %.4f\n", s.Theta, s.Value)
	}
	tau, err := stationary.EyringKramers(l, 10, path.States[0], path.Saddles[path.Highest].Theta)
	fmt.Println(tau, err)
	// Output:
	// saddle at [-0.822002 0.624313] of -40.6648
	// saddle at [0.212487 0.292988] of -72.2489
	// Eyring–Kramers: 158.219 (1.133 times that to the next order) <nil>
}
