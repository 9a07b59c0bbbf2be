// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

func flowAt(l sde.Loss, temperature float64) sde.Flow {
	return sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}
}

func close(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got/want-1) <= relative) {
		t.Errorf("%s: %.15g, want %.15g (off by %.2g)", what, got, want, got/want-1)
	}
}

func TestKramers(t *testing.T) {
	for _, c := range []struct{ barrier, temperature, want float64 }{
		{0.25, 0.05, 659.382292375}, {0.25, 0.1, 54.1253945622}, {0.25, 0.2, 15.507185174}, {0.25, 1, 5.70477461596},
		{1, 0.2, 164.845573094}, {1, 0.25, 60.6432973093}, {1, 1, 3.01925198919},
	} {
		p, err := stationary.Kramers(flowAt(loss.DoubleWell{Barrier: c.barrier}, c.temperature), -1, 0)
		if err != nil {
			t.Fatal(err)
		}
		close(t, fmt.Sprint(c), p.Time, c.want, 1e-11)
		// For L = (x²−1)² the next term is 0.375 T, and so is that of L/4 at T/4.
		close(t, "correction", p.Correction, 0.375*c.temperature/c.barrier, 1e-7)
		if warned := len(p.Warnings) > 0; warned != (c.barrier < 5*c.temperature || p.Correction > 0.2) {
			t.Errorf("%v: %v", c, p.Warnings)
		}
	}
	// The expansion to second order is right to third: at half the temperature the
	// rest is a quarter.
	rest := func(temperature float64) float64 {
		f := flowAt(loss.TiltedDoubleWell{Tilt: 0.1}, temperature)
		minima := sde.Minima(f.Loss)
		saddle := saddles(f.Loss)[0].Theta[0]
		p, err := stationary.Kramers(f, minima[0].Theta[0], saddle)
		if err != nil {
			t.Fatal(err)
		}
		exact := mfpt(t, f, minima[0].Theta[0], minima[1].Theta[0])
		return math.Expm1(exact.Log-p.Log) - p.Correction
	}
	if r := rest(0.004) / rest(0.002); !(r > 3.7 && r < 4.6) {
		t.Errorf("the rest of the expansion falls by %.3g as the temperature is halved, not 4", r)
	}
	// D ∝ 1+x², which differs by 5 between the minima: each calculus has a prefactor of its own.
	for _, c := range []sde.Calculus{sde.Ito, sde.Stratonovich, sde.Klimontovich} {
		f := sde.Flow{Loss: loss.FlatSharp{}, Diffusion: curved(0.005, 1), Calculus: c}
		for _, way := range [][3]float64{{0, 1.23155500997, 2}, {2, 1.23155500997, 0}} {
			p, err := stationary.Kramers(f, way[0], way[1])
			if err != nil {
				t.Fatal(err)
			}
			close(t, fmt.Sprint(c, way), math.Exp(p.Log-mfpt(t, f, way[0], way[2]).Log), 1, 0.02)
		}
	}
	f := sde.Flow{Loss: loss.FlatSharp{}, Diffusion: curved(0.02, 1)}
	p, err := stationary.Kramers(f, 0, 1.23155500997)
	if err != nil {
		t.Fatal(err)
	}
	close(t, "d.6", mfpt(t, f, 0, 2).Time/p.Time, 1.019, 5e-4)
	well := flowAt(loss.DoubleWell{}, 0.1)
	for name, ab := range map[string][2]float64{"no minimum": {-0.5, 0}, "a minimum": {-1, 1}, "reversed": {0, 1}, "the same": {1, 1}, "off": {-1, 0.1}} {
		if _, err := stationary.Kramers(well, ab[0], ab[1]); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func saddles(l sde.Loss) (s []sde.CriticalPoint) {
	for _, p := range l.(sde.Charted).CriticalPoints() {
		if p.Index == 1 {
			s = append(s, p)
		}
	}
	return s
}

func TestEyringKramers(t *testing.T) {
	a, b, c := []float64{-0.558, 1.442}, []float64{0.623, 0.028}, []float64{-0.05, 0.467}
	ac, cb := []float64{-0.822, 0.624}, []float64{0.212, 0.293}
	l := loss.MullerBrown{}
	ek := func(l sde.Loss, temperature float64, m []float64, gates ...[]float64) stationary.Prediction {
		t.Helper()
		p, err := stationary.EyringKramers(l, temperature, m, gates...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, test := range []struct {
		from, gate  []float64
		temperature float64
		want        float64
	}{
		{a, ac, 10, 158.2186}, {a, ac, 15, 4.615815}, {a, ac, 20, 0.788395}, {b, cb, 10, 0.148707}, {c, cb, 10, 0.0214709}, {c, ac, 10, 0.489788},
	} {
		for _, l := range []sde.Loss{l, gradientOnly{l}} {
			close(t, fmt.Sprint(test), ek(l, test.temperature, test.from, test.gate).Time, test.want, 5e-6)
		}
	}
	// Two gates at equal height: rates add. One dimension: Kramers.
	three := loss.ThreeHole{}
	top := []float64{0, 1.537}
	one := ek(three, 0.05, top, []float64{0.617, 1.103})
	close(t, "two gates", ek(three, 0.05, top, []float64{0.617, 1.103}, []float64{-0.617, 1.103}).Time, one.Time/2, 1e-9)
	close(t, "one dimension", ek(loss.DoubleWell{}, 0.01, []float64{1}, []float64{0}).Log, math.Log(2*math.Pi/math.Sqrt2)+25, 1e-12)
	// In the separable double wells a coordinate escapes alone.
	close(t, "separable", ek(loss.DoubleWells{D: 4}, 0.01, []float64{1, 1, 1, 1}, []float64{1, 0, 1, 1}).Log, math.Log(2*math.Pi/math.Sqrt2)+25, 1e-12)
	if w := ek(l, 30, b, cb).Warnings; len(w) == 0 {
		t.Error("a barrier of 1.2 T without a warning")
	}
	if w := ek(l, 3, a, ac).Warnings; len(w) != 0 {
		t.Error(w)
	}
	if p := ek(l, 0.01, a, ac); !math.IsInf(p.Time, 1) || !(p.Log > 10000) {
		t.Error(p)
	}
	for name, f := range map[string]func() (stationary.Prediction, error){
		"no loss":        func() (stationary.Prediction, error) { return stationary.EyringKramers(nil, 1, a, ac) },
		"no gate":        func() (stationary.Prediction, error) { return stationary.EyringKramers(l, 1, a) },
		"T = 0":          func() (stationary.Prediction, error) { return stationary.EyringKramers(l, 0, a, ac) },
		"no minimum":     func() (stationary.Prediction, error) { return stationary.EyringKramers(l, 1, ac, ac) },
		"no saddle":      func() (stationary.Prediction, error) { return stationary.EyringKramers(l, 1, a, b) },
		"a slope":        func() (stationary.Prediction, error) { return stationary.EyringKramers(l, 1, []float64{-1.5, 0.2}, ac) },
		"the gate twice": func() (stationary.Prediction, error) { return stationary.EyringKramers(l, 1, a, ac, ac) },
		"a dimension":    func() (stationary.Prediction, error) { return stationary.EyringKramers(l, 1, []float64{1}, ac) },
		"singular": func() (stationary.Prediction, error) {
			return stationary.EyringKramers(fourth{}, 1, []float64{0}, []float64{1})
		},
	} {
		if _, err := f(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// gradientOnly hides the upgrades of a loss.
type gradientOnly struct{ sde.Loss }

// fourth is L = x⁴.
type fourth struct{}

func (fourth) Dim() int                      { return 1 }
func (fourth) Value(theta []float64) float64 { return math.Pow(theta[0], 4) }
func (fourth) Gradient(dst, theta []float64) { dst[0] = 4 * math.Pow(theta[0], 3) }

// TestPowerLawEscape holds the formula to quadrature on a double well whose noise is
// proportional to its loss.
func TestPowerLawEscape(t *testing.T) {
	const eta, batch, offset = 0.1, 1.0, 0.05
	l := raised{offset}
	c := eta * 2 / batch // η h*/B, h* = 2
	f := sde.Flow{Loss: l, Diffusion: noise.DiagonalFunc{State: 1, Of: sde.Diagonal,
		B: func(dst, theta []float64, _ float64) { dst[0] = math.Sqrt(2 * c * l.Value(theta)) }}}
	p, err := stationary.PowerLawEscape{LearningRate: eta, BatchSize: batch, LossMinimum: offset, LossSaddle: offset + 0.25, Minimum: 2, Saddle: -1}.Predict()
	if err != nil {
		t.Fatal(err)
	}
	k, err := stationary.Kramers(f, -1, 0)
	if err != nil {
		t.Fatal(err)
	}
	close(t, "against Kramers", p.Log, k.Log, 1e-9)
	off := mfpt(t, f, -1, 1).Log - p.Log
	if math.Abs(off) > 0.1 {
		t.Errorf("quadrature over the formula: %.3g", math.Exp(off))
	}
	// (c)^{B/ηh} c/√(c−1) from 0 to a level c above the minimum.
	q := stationary.PowerLawEscape{LearningRate: 0.1, BatchSize: 1, Minimum: 1}
	if q.Exponent() != 11 || q.CriticalDimension() != 22 {
		t.Errorf("φ = %g, n_c = %g", q.Exponent(), q.CriticalDimension())
	}
	q.LossMinimum, q.LossSaddle, q.Saddle = 1, 2, -1
	for _, bad := range []func(*stationary.PowerLawEscape){
		func(p *stationary.PowerLawEscape) { p.LearningRate = 0 }, func(p *stationary.PowerLawEscape) { p.BatchSize = math.NaN() },
		func(p *stationary.PowerLawEscape) { p.LossMinimum = 0 }, func(p *stationary.PowerLawEscape) { p.LossSaddle = 0.5 },
		func(p *stationary.PowerLawEscape) { p.Saddle = 1 }, func(p *stationary.PowerLawEscape) { p.Dimension = 23 },
	} {
		r := q
		bad(&r)
		if _, err := r.Predict(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// raised is the double well lifted above 0.
type raised struct{ by float64 }

func (raised) Dim() int                        { return 1 }
func (r raised) Value(theta []float64) float64 { return r.by + loss.DoubleWell{}.Value(theta) }
func (raised) Gradient(dst, theta []float64)   { loss.DoubleWell{}.Gradient(dst, theta) }

// TestCurvatureEscape: under each calculus the formula is Kramers' for D ∝ |H|, as
// on FlatSharp with D = c(1+x²), which is c/2 the curvature at 0.
func TestCurvatureEscape(t *testing.T) {
	e := stationary.CurvatureEscape{LearningRate: 0.01, BatchSize: 2, Barrier: 0.3, Minimum: 2, Saddle: -3}
	exponent := 2 * 2 * 0.3 / 0.01 * (0.5/2 + 0.5/3)
	for c, prefactor := range map[sde.Calculus]float64{sde.Ito: math.Pi, sde.Klimontovich: 2 * math.Pi / 3, sde.Stratonovich: 2 * math.Pi / math.Sqrt(6)} {
		e.Calculus = c
		p, err := e.Predict()
		if err != nil {
			t.Fatal(err)
		}
		close(t, c.String(), p.Log, math.Log(prefactor)+exponent, 1e-13)
	}
	for _, bad := range []func(*stationary.CurvatureEscape){
		func(e *stationary.CurvatureEscape) { e.Saddle = 1 }, func(e *stationary.CurvatureEscape) { e.Share = 1 },
		func(e *stationary.CurvatureEscape) { e.Barrier = -1 }, func(e *stationary.CurvatureEscape) { e.LearningRate = math.Inf(1) },
	} {
		r := e
		bad(&r)
		if _, err := r.Predict(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestLevyExit(t *testing.T) {
	close(t, "C_1", stationary.LevyDensity(1), 1/math.Pi, 1e-15)
	close(t, "C_1.5", stationary.LevyDensity(1.5), 0.299206710301, 2e-12)
	p, err := stationary.LevyExit{Alpha: 1, Scale: 0.01, Left: 1, Right: math.Inf(1), Relaxation: 1}.Predict()
	if err != nil || len(p.Warnings) != 0 {
		t.Fatal(p, err)
	}
	close(t, "one-sided Cauchy", p.Time, 100*math.Pi, 1e-14)
	if p, _ := (stationary.LevyExit{Alpha: 1.9, Scale: 0.5, Left: 1, Right: 2, Relaxation: 100}).Predict(); len(p.Warnings) != 3 {
		t.Error(p.Warnings)
	}
	for _, e := range []stationary.LevyExit{{}, {Alpha: 2, Scale: 1, Left: 1, Right: 1}, {Alpha: 1, Left: 1, Right: 1}, {Alpha: 1, Scale: 1, Left: 1},
		{Alpha: 1, Scale: 1, Left: math.Inf(1), Right: math.Inf(1)}} {
		if _, err := e.Predict(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}
