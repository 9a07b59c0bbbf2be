// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// samplesAlpha bounds the false alarms of this file's tests together.
const samplesAlpha = 1e-6 / 12

// gaussian are rows of N(μ e₁, s² I), blocks of equal rows if block > 1.
func gaussian(n, d int, mu, s float64, block int, seed uint64) sde.Batch {
	r := rand.New(rand.NewPCG(seed, 11))
	x := sde.NewBatch(n, d)
	for i := range n {
		if i%block != 0 {
			copy(x.Row(i), x.Row(i-1))
			continue
		}
		for j := range d {
			x.Row(i)[j] = s * r.NormFloat64()
		}
		x.Row(i)[0] += mu
	}
	return x
}

// normalScore is the score of N(0, I), times a factor that is 1 unless it is a fault.
type normalScore struct{ factor float64 }

func (s normalScore) Score(dst, x []float64) {
	for i, v := range x {
		dst[i] = -s.factor * v
	}
}

// latticeP is Kolmogorov and Smirnov's p-value, by Smirnov's bound, of numbers against
// the uniform law on the multiples of 1/(resamples+1).
func latticeP(p []float64) float64 {
	count := func(at float64) (below float64) {
		for _, v := range p {
			if v <= at {
				below++
			}
		}
		return below / float64(len(p))
	}
	var d float64
	for k := 1; k <= 100; k++ {
		d = math.Max(d, math.Abs(count(float64(k)/100)-float64(k)/100))
	}
	return math.Min(1, 2*math.Exp(-2*float64(len(p))*d*d))
}

// TestSteinIdentity: for one point fixed, the kernel integrates to zero under the law. Seen
// through the linear form, whose mean over two points is k₀, by quadrature.
func TestSteinIdentity(t *testing.T) {
	x, w := make([]float64, 400), make([]float64, 400)
	quad.Legendre{}.FixedLocations(x, w, -12, 12)
	for _, k := range []stationary.Stein{{}, {Width: 3, Exponent: -0.9}} {
		for _, factor := range []float64{1, 1.2} {
			var sum, scale float64
			for i, v := range x {
				weight := w[i] * math.Exp(-v*v/2)
				// Both pairs of four rows are (v, 0.7).
				r, err := k.Linear(normalScore{factor}, sde.Batch{Data: []float64{v, 0.7, v, 0.7}, Rows: 4, Cols: 1, Stride: 1})
				if err != nil {
					t.Fatal(err)
				}
				sum += weight * r.Squared
				scale += weight * math.Abs(r.Squared)
			}
			if zero := math.Abs(sum) < 1e-12*scale; zero != (factor == 1) {
				t.Errorf("%+v, score times %v: ∫k₀(x, 0.7) φ = %v of %v", k, factor, sum, scale)
			}
		}
	}
}

func TestSteinPValues(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	const runs = 80
	for _, block := range []int{1, 5} {
		var all, linear, ignored []float64
		for seed := range uint64(runs) {
			x := gaussian(120, 3, 0, 1, block, seed)
			k := stationary.Stein{Block: block, Resamples: 99, Seed: seed, Width: 2}
			r, err := k.Test(normalScore{1}, x)
			if err != nil {
				t.Fatal(err)
			}
			l, err := k.Linear(normalScore{1}, x)
			if err != nil {
				t.Fatal(err)
			}
			all, linear = append(all, r.PValue), append(linear, l.PValue)
			k.Block = 1
			if r, err = k.Test(normalScore{1}, x); err != nil {
				t.Fatal(err)
			}
			ignored = append(ignored, r.PValue)
		}
		if p := latticeP(all); p < samplesAlpha {
			t.Errorf("blocks of %d: p-values are not uniform, p = %.3g", block, p)
		}
		if p := latticeP(linear); p < samplesAlpha {
			t.Errorf("blocks of %d: p-values of the linear form are not uniform, p = %.3g", block, p)
		}
		if p := latticeP(ignored); (p < samplesAlpha) != (block > 1) {
			t.Errorf("rows in blocks of %d taken as independent: p = %.3g", block, p)
		}
	}
	for name, x := range map[string]sde.Batch{"place": gaussian(500, 3, 0.4, 1, 1, 1), "width": gaussian(500, 3, 0, 1.3, 1, 1)} {
		if r, err := (stationary.Stein{Width: 2}).Test(normalScore{1}, x); err != nil || r.PValue > 0.002 || r.Squared <= 0 {
			t.Errorf("another %s: %+v, %v", name, r, err)
		}
	}
	// Of Boltzmann's law, by its own score.
	law, err := stationary.Boltzmann(loss.DoubleWell{}, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 3))
	x := sde.NewBatch(400, 1)
	for i := range x.Data {
		x.Data[i] = law.Quantile(r.Float64())
	}
	if r, err := (stationary.Stein{Width: 0.5}).Test(law, x); err != nil || r.PValue < 0.001 {
		t.Errorf("exact samples: %+v, %v", r, err)
	}
	for i := range x.Data {
		x.Data[i] *= 1.1
	}
	if r, err := (stationary.Stein{Width: 0.5}).Test(law, x); err != nil || r.PValue > 0.002 {
		t.Errorf("samples spread by 10 %%: %+v, %v", r, err)
	}
}

func TestEnergyDistance(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	// In one dimension it is 2∫(F−G)², here of {0, 1} and {0, 3}: F−G is 0.5 on (1, 3).
	e, err := stationary.EnergyDistance(sde.Batch{Data: []float64{0, 1}, Rows: 2, Cols: 1, Stride: 1}, sde.Batch{Data: []float64{0, 3}, Rows: 2, Cols: 1, Stride: 1}, 1, 9, 1)
	if err != nil || math.Abs(e.Value-1) > 1e-15 {
		t.Errorf("𝓔² = %+v, want 1, %v", e, err)
	}
	const runs = 100
	for _, block := range []int{1, 4} {
		var p []float64
		for seed := range uint64(runs) {
			e, err := stationary.EnergyDistance(gaussian(32, 2, 0, 1, block, 2*seed), gaussian(48, 2, 0, 1, block, 2*seed+1), block, 99, seed)
			if err != nil {
				t.Fatal(err)
			}
			p = append(p, e.PValue)
		}
		if q := latticeP(p); q < samplesAlpha {
			t.Errorf("blocks of %d: p-values are not uniform, p = %.3g", block, q)
		}
	}
	if e, err := stationary.EnergyDistance(gaussian(300, 2, 0, 1, 1, 1), gaussian(300, 2, 0.5, 1, 1, 2), 1, 0, 1); err != nil || e.PValue > 0.001 {
		t.Errorf("samples of another place: %+v, %v", e, err)
	}
}

func TestSlicedWasserstein(t *testing.T) {
	t.Parallel()
	// Of points moved by μ it is |μ|²/d exactly, on average over directions.
	const d, mu = 5, 2.0
	x := gaussian(500, d, 0, 1, 1, 1)
	y := sde.NewBatch(500, d)
	y.CopyFrom(x)
	for i := range y.Rows {
		y.Row(i)[2] += mu
	}
	e, err := stationary.SlicedWasserstein(x, y, 2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := 2 * distuv.UnitNormal.Survival(math.Abs(e.Value-mu*mu/d)/e.StdErr)
	if p < samplesAlpha {
		t.Errorf("SW² = %v, want %v", e, mu*mu/d)
	}
	if wrong := 2 * distuv.UnitNormal.Survival(math.Abs(e.Value-mu*mu/(d-1))/e.StdErr); wrong > samplesAlpha {
		t.Errorf("|μ|²/(d−1) is not rejected: p = %v", wrong)
	}
	// Samples of different size: of {0, 0, 3, 3} and {0, 3} it vanishes, of {0} and {0, 2} it is 2.
	one := func(v ...float64) sde.Batch { return sde.Batch{Data: v, Rows: len(v), Cols: 1, Stride: 1} }
	if e, _ := stationary.SlicedWasserstein(one(0, 0, 3, 3), one(3, 0), 2, 1); math.Abs(e.Value) > 1e-15 {
		t.Errorf("of one law: %v", e.Value)
	}
	if e, _ := stationary.SlicedWasserstein(one(0), one(0, 2), 2, 1); math.Abs(e.Value-2) > 1e-15 {
		t.Errorf("SW² = %v, want 2", e.Value)
	}
}

func TestHolm(t *testing.T) {
	got := stationary.Holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if math.Abs(got[i]-want) > 1e-15 {
			t.Errorf("adjusted %v, want 0.03, 0.06, 0.06, 0.02", got)
			break
		}
	}
}

// TestCompareCoordinates: of three coordinates the one that is wrong is found.
func TestCompareCoordinates(t *testing.T) {
	t.Parallel()
	var laws []stationary.Law
	var histograms []*stationary.Histogram
	r := rand.New(rand.NewPCG(1, 12))
	for k := range 3 {
		h := stationary.NewHistogram(-6, 6, 60)
		for g := range 32 {
			x := make([]float64, 2000)
			for i := range x {
				x[i] = r.NormFloat64() * (1 + 0.05*float64(k/2))
			}
			if err := h.Add(g, x); err != nil {
				t.Fatal(err)
			}
		}
		laws, histograms = append(laws, stationary.CDF(distuv.UnitNormal.CDF)), append(histograms, h)
	}
	c, err := stationary.CompareCoordinates(laws, histograms)
	if err != nil {
		t.Fatal(err)
	}
	if c.Adjusted[0] < samplesAlpha || c.Adjusted[1] < samplesAlpha || c.Adjusted[2] > samplesAlpha || c.PValue != c.Adjusted[2] {
		t.Errorf("adjusted p-values %v, in all %v", c.Adjusted, c.PValue)
	}
}

// thermometers runs a quadratic of curvatures k at step h and temperature T.
func thermometers(t *testing.T, k []float64, h, temperature float64) *stationary.Thermometers {
	t.Helper()
	q, err := loss.NewDiagonalQuadratic(k, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := integrate.Ensemble{Equation: sde.Flow{Loss: q, Diffusion: noise.Temperature{T: temperature}}, Step: h, Particles: 20_000, Seed: 2,
		Start: integrate.StartFunc(func(theta []float64, _ int, s *sde.Stream) { // nearly settled
			s.Normals(theta)
			for j := range theta {
				theta[j] *= math.Sqrt(temperature / k[j])
			}
		})}
	m := new(stationary.Thermometers)
	if _, err := e.Run(context.Background(), integrate.Schedule{BurnIn: 100 * h, Time: 200 * h, Every: 20 * h}, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestThermometers: on a quadratic each coordinate of Euler–Maruyama is normal of the
// temperature T_j = T/(1−hk_j/2), and Isserlis' theorem gives all three readings.
func TestThermometers(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	k := []float64{1, 0.2}
	const T = 0.5
	readings := func(h float64) [3]float64 {
		var sumT, sumK, sumKT, sumK2T, sumK2T2 float64
		for _, c := range k {
			tj := T / (1 - h*c/2)
			sumT, sumK, sumKT = sumT+tj, sumK+c, sumKT+c*tj
			sumK2T, sumK2T2 = sumK2T+c*c*tj, sumK2T2+c*c*tj*tj
		}
		return [3]float64{sumT / 2, sumKT / sumK, (sumKT*sumKT + 2*sumK2T2) / (sumKT*sumK + 2*sumK2T)}
	}
	for _, h := range []float64{0.6, 0.05} {
		m := thermometers(t, k, h, T)
		want := readings(h)
		for i, e := range m.Temperatures() {
			p := 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(e.Groups - 1)}.Survival(math.Abs(e.Value-want[i])/e.StdErr)
			if p < samplesAlpha {
				t.Errorf("h = %v: thermometer %d reads %v, want %v (p = %.3g)", h, i+1, e, want[i], p)
			}
			if wrong := math.Abs(e.Value-want[i]/2) / e.StdErr; wrong < 10 {
				t.Errorf("half of the temperature is not noticed")
			}
		}
	}
	// A step makes them differ, a wrong temperature does not.
	if p := thermometers(t, k, 0.6, T).Consistent(); p == nil || p.PValue > samplesAlpha {
		t.Errorf("at a large step the thermometers are taken to agree: %+v", p)
	}
	if p := thermometers(t, k, 0.01, 2*T).Consistent(); p == nil || p.PValue < samplesAlpha {
		t.Errorf("at twice the temperature the thermometers are taken to differ: %+v", p)
	}
	// Saved and loaded, they are the same.
	m := thermometers(t, k, 0.05, T)
	other := new(stationary.Thermometers)
	q, _ := loss.NewDiagonalQuadratic(k, nil)
	other.Loss = q
	if err := other.Start(sde.Run{Dim: 2, Groups: 64}); err != nil {
		t.Fatal(err)
	}
	for g := range m.Temperatures()[0].Groups {
		if err := other.LoadGroup(g, m.AppendGroup(nil, g)); err != nil {
			t.Fatal(err)
		}
	}
	if other.Temperatures()[2].Value != m.Temperatures()[2].Value {
		t.Error("loaded thermometers read something else")
	}
	if other.LoadGroup(0, []byte{1}) == nil {
		t.Error("a saved group of one byte is loaded")
	}
}

func TestSamplesRefused(t *testing.T) {
	second := func(_ any, err error) error { return err }
	x, nan := gaussian(10, 2, 0, 1, 1, 1), gaussian(10, 2, 0, 1, 1, 1)
	nan.Data[7] = math.NaN()
	other := gaussian(10, 3, 0, 1, 1, 1)
	s := normalScore{1}
	law, err := stationary.Boltzmann(loss.DoubleWell{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	h := stationary.NewHistogram(0, 1, 2)
	for k, err := range []error{
		second(stationary.Stein{}.Test(nil, x)), second(stationary.Stein{Width: -1}.Test(s, x)), second(stationary.Stein{Exponent: -1}.Test(s, x)),
		second(stationary.Stein{Exponent: 0.5}.Test(s, x)), second(stationary.Stein{Block: -1}.Test(s, x)), second(stationary.Stein{Block: 6}.Test(s, x)),
		second(stationary.Stein{Resamples: -1}.Test(s, x)), second(stationary.Stein{}.Test(s, nan)), second(stationary.Stein{}.Test(law, x)),
		second(stationary.Stein{}.Linear(s, nan)), second(stationary.Stein{Block: 3}.Linear(s, x)), second(stationary.Stein{}.Test(s, sde.NewBatch(10_001, 1))),
		second(stationary.EnergyDistance(x, other, 1, 0, 1)), second(stationary.EnergyDistance(x, nan, 1, 0, 1)), second(stationary.EnergyDistance(x, x, 0, 0, 1)),
		second(stationary.EnergyDistance(x, x, 6, 0, 1)), second(stationary.EnergyDistance(x, x, 1, -1, 1)), second(stationary.EnergyDistance(sde.NewBatch(9000, 1), sde.NewBatch(2000, 1), 1, 0, 1)),
		second(stationary.SlicedWasserstein(x, other, 10, 1)), second(stationary.SlicedWasserstein(x, nan, 10, 1)), second(stationary.SlicedWasserstein(x, x, 1, 1)),
		second(stationary.SlicedWasserstein(sde.NewBatch(0, 2), x, 10, 1)),
		second(stationary.CompareCoordinates(nil, nil)), second(stationary.CompareCoordinates([]stationary.Law{law}, []*stationary.Histogram{h, h})),
		new(stationary.Thermometers).Start(sde.Run{Dim: 1, Groups: 1}),
		(&stationary.Thermometers{Loss: loss.Func{N: 1, F: func([]float64) float64 { return 0 }}}).Start(sde.Run{Dim: 1, Groups: 1}),
		(&stationary.Thermometers{Loss: loss.DoubleWell{}}).Start(sde.Run{Dim: 2, Groups: 1}),
		(&stationary.Thermometers{Loss: loss.DoubleWell{}}).Start(sde.Run{Dim: 1}),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("case %d: error %v, want one that wraps sde.ErrInvalid", k, err)
		}
	}
}
