// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"errors"
	"math"
	"testing"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// curved is D = T(1 + c x²).
func curved(t, c float64) sde.Diffusion {
	return noise.DiagonalFunc{State: 1, B: func(dst, theta []float64, _ float64) { dst[0] = math.Sqrt(2 * t * (1 + c*theta[0]*theta[0])) }, Of: sde.Diagonal}
}

func mfpt(t testing.TB, eq sde.Equation, from float64, targets ...float64) stationary.Prediction {
	t.Helper()
	p, err := stationary.MeanFirstPassageTime(eq, from, targets...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMeanFirstPassageTime holds quadrature to numbers computed elsewhere to 12
// digits or as many as are known. Those of FlatSharp to 15 digits are by mpmath at 25.
func TestMeanFirstPassageTime(t *testing.T) {
	at := func(l sde.Loss, temperature float64) sde.Flow {
		return sde.Flow{Loss: l, Diffusion: noise.Temperature{T: temperature}}
	}
	shallow, deep, flat := loss.DoubleWell{Barrier: 0.25}, loss.DoubleWell{Barrier: 1}, loss.FlatSharp{}
	ito := func(s float64) sde.Flow { return sde.Flow{Loss: flat, Diffusion: curved(s, 1)} }
	mse := sde.Flow{Loss: offsetQuadratic{}, Diffusion: noise.DiagonalFunc{State: 1, Of: sde.Diagonal,
		B: func(dst, theta []float64, _ float64) { dst[0] = math.Sqrt(2 * 0.1 * (offsetQuadratic{}).Value(theta)) }}}
	reach := func(c float64) float64 { return math.Sqrt(2 * 0.1 * (c - 1)) }
	ou := at(offsetQuadratic{}, 0.5)
	for _, test := range []struct {
		eq      sde.Equation
		from    float64
		targets []float64
		want    float64
		digits  float64
	}{
		{at(shallow, 0.05), -1, []float64{0}, 361.903759501, 12}, {at(shallow, 0.05), -1, []float64{1}, 729.670691942, 12},
		{at(shallow, 0.1), -1, []float64{0}, 30.8213024727, 12}, {at(shallow, 0.1), -1, []float64{1}, 66.2686263649, 12},
		{at(shallow, 0.2), 1, []float64{0}, 7.93402154001, 12}, {at(shallow, 0.2), 1, []float64{-1}, 19.0938969968, 12},
		{at(shallow, 1), -1, []float64{0}, 1.29056138021, 12}, {at(shallow, 1), -1, []float64{1}, 3.48830964885, 12},
		{at(deep, 0.2), -1, []float64{0}, 90.4759398752, 12}, {at(deep, 0.2), -1, []float64{1}, 182.417672986, 12},
		{at(deep, 0.25), -1, []float64{0}, 33.9457442877, 12}, {at(deep, 0.25), -1, []float64{1}, 69.2636447608, 12},
		{at(deep, 1), -1, []float64{0}, 1.43585926701, 12}, {at(deep, 1), -1, []float64{1}, 3.56943415913, 12},
		{at(flat, 0.05), 0, []float64{2}, 216142.805569064, 15}, {at(flat, 0.05), 2, []float64{0}, 98926.3059869884, 15},
		{at(flat, 0.1), 0, []float64{2}, 801.415594847118, 15}, {at(flat, 0.1), 2, []float64{0}, 378.860452707156, 15},
		{ito(0.02), 0, []float64{2}, 1813881815.47823, 15}, {ito(0.02), 2, []float64{0}, 1809.57389380111, 15},
		{ito(0.1), 0, []float64{2}, 244.140775140237, 15}, {ito(0.1), 2, []float64{0}, 6.65202111548454, 15},
		{mse, 0, []float64{-reach(2), reach(2)}, 574.101630563, 12}, {mse, 0, []float64{-reach(4), reach(4)}, 650252.238563, 12},
		{ou, 0, []float64{1, -1}, 1.445245613388347, 15}, {ou, -1, []float64{1}, 5.184965439133721, 15},
	} {
		p := mfpt(t, test.eq, test.from, test.targets...)
		off := math.Abs(p.Time/test.want - 1)
		// The reference is rounded to its last digit.
		last := math.Pow(10, math.Floor(math.Log10(test.want))+1-test.digits) / test.want
		if off > last/2*1.001+p.Error {
			t.Errorf("%v from %g to %v: %.15g, want %.15g (off by %.2g, digit %.2g, error %.2g)", test.eq, test.from, test.targets, p.Time, test.want, off, last, p.Error)
		}
		if !(p.Error < 1e-11) || math.Abs(math.Exp(p.Log)/p.Time-1) > 1e-12 {
			t.Errorf("%v", p)
		}
	}
}

// offsetQuadratic is L = 0.1 + x²/2.
type offsetQuadratic struct{}

func (offsetQuadratic) Dim() int                      { return 1 }
func (offsetQuadratic) Value(theta []float64) float64 { return 0.1 + theta[0]*theta[0]/2 }
func (offsetQuadratic) Gradient(dst, theta []float64) { dst[0] = theta[0] }

// TestPassageCalculi: under each calculus the equation is Itô's with another
// drift: Stratonovich's adds D′/2, Klimontovich's D′.
func TestPassageCalculi(t *testing.T) {
	for _, c := range []sde.Calculus{sde.Stratonovich, sde.Klimontovich} {
		f := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: curved(0.1, 0.5), Calculus: c}
		converted := sde.Flow{Loss: tilted{c.Alpha() * 0.1}, Diffusion: f.Diffusion}
		for _, targets := range [][]float64{{1}, {-2}, {-2, 1}} {
			a, b := mfpt(t, f, -1, targets...), mfpt(t, converted, -1, targets...)
			if math.Abs(a.Time/b.Time-1) > 1e-11 {
				t.Errorf("%v to %v: %v, as Itô's %v", c, targets, a, b)
			}
		}
	}
}

// tilted is the double well whose force has α D′ = a x added, D = T(1 + x²/2).
type tilted struct{ a float64 }

func (tilted) Dim() int { return 1 }
func (l tilted) Value(theta []float64) float64 {
	return loss.DoubleWell{}.Value(theta) - l.a*theta[0]*theta[0]/2
}
func (l tilted) Gradient(dst, theta []float64) {
	loss.DoubleWell{}.Gradient(dst, theta)
	dst[0] -= l.a * theta[0]
}

// TestPassageBounds: identities of passage times: through a point on the way
// they add up; between reflecting ends on a flat loss they are a parabola; at any temperature
// the logarithm stays finite and tends to Kramers'.
func TestPassageBounds(t *testing.T) {
	f := sde.Flow{Loss: loss.TiltedDoubleWell{Tilt: 0.1}, Diffusion: noise.Temperature{T: 0.03}}
	whole := mfpt(t, f, -1, 1).Time
	if parts := mfpt(t, f, -1, 0.3).Time + mfpt(t, f, 0.3, 1).Time; math.Abs(parts/whole-1) > 1e-12 {
		t.Errorf("%g in two parts, %g in one", parts, whole)
	}
	box := sde.Flow{Loss: constantLoss{}, Diffusion: noise.Temperature{T: 0.7}, Domain: sde.Box{Lo: []float64{-1}, Hi: []float64{2}}}
	if got, want := mfpt(t, box, 0.5, 2).Time, (9-1.5*1.5)/(2*0.7); math.Abs(got/want-1) > 1e-13 {
		t.Errorf("from a reflecting end: %g, want %g", got, want)
	}
	if got, want := mfpt(t, box, 0.5, 2, -1).Time, 1.5*1.5/(2*0.7); math.Abs(got/want-1) > 1e-13 {
		t.Errorf("between two targets: %g, want %g", got, want)
	}
	for _, temperature := range []float64{1e-3, 1e-5, 1e-7} {
		f := sde.Flow{Loss: loss.DoubleWell{Barrier: 0.25}, Diffusion: noise.Temperature{T: temperature}}
		p := mfpt(t, f, -1, 1)
		kramers := math.Log(2*math.Pi/math.Sqrt2) + 0.25/temperature
		if !math.IsInf(p.Time, 1) && temperature < 1e-3 || math.Abs(p.Log-kramers) > 2*temperature+1e-15*kramers {
			t.Errorf("T = %g: log %.15g, Kramers %.15g", temperature, p.Log, kramers)
		}
	}
}

type constantLoss struct{}

func (constantLoss) Dim() int                      { return 1 }
func (constantLoss) Value(theta []float64) float64 { return 3 }
func (constantLoss) Gradient(dst, theta []float64) { dst[0] = 0 }

func TestPassageTimeRefuses(t *testing.T) {
	f := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.1}}
	confined := f
	confined.Domain = sde.Box{Lo: []float64{-2}, Hi: []float64{2}}
	absorbing := f
	absorbing.Domain = sde.Box{Lo: []float64{-2}, Hi: []float64{2}, Boundary: sde.Absorbing}
	singular := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.DiagonalFunc{State: 1, Of: sde.Diagonal, B: func(dst, theta []float64, _ float64) { dst[0] = theta[0] }}}
	for name, c := range map[string]struct {
		eq      sde.Equation
		from    float64
		targets []float64
	}{
		"no equation": {nil, 0, []float64{1}}, "no noise": {sde.Flow{Loss: loss.DoubleWell{}}, 0, []float64{1}},
		"two dimensions": {sde.Flow{Loss: loss.ThreeHole{}, Diffusion: noise.Temperature{T: 1}}, 0, []float64{1}},
		"no target":      {f, 0, nil}, "the start": {f, 1, []float64{1}}, "an infinite target": {f, 1, []float64{math.Inf(1)}},
		"one side": {f, 0, []float64{1, 2}}, "three": {f, 0, []float64{1, -1, 2}}, "outside": {confined, 0, []float64{3}},
		"absorbing": {absorbing, 0, []float64{1}}, "singular": {singular, -1, []float64{1}},
		"never back": {sde.Flow{Loss: constantLoss{}, Diffusion: noise.Temperature{T: 1}}, 0, []float64{1}},
		"a NaN":      {f, math.NaN(), []float64{1}},
	} {
		if _, err := stationary.MeanFirstPassageTime(c.eq, c.from, c.targets...); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkMeanFirstPassageTime(b *testing.B) {
	f := sde.Flow{Loss: loss.DoubleWell{}, Diffusion: noise.Temperature{T: 0.05}}
	for range b.N {
		mfpt(b, f, -1, 1)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/time")
}
