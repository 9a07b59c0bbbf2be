// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// level bounds the false alarms of the p-values of this package's tests, each on its own.
const level = 1e-6 / 40

// line is the finite sum of ½a x² − b_i x.
type line struct {
	a float64
	b []float64
}

func (line) Dim() int { return 1 }
func (l line) Value(x []float64) (v float64) {
	for _, b := range l.b {
		v += (l.a*x[0]*x[0]/2 - b*x[0]) / float64(len(l.b))
	}
	return v
}
func (l line) Gradient(dst, x []float64) {
	dst[0] = l.a * x[0]
	for _, b := range l.b {
		dst[0] -= b / float64(len(l.b))
	}
}
func (l line) Samples() int                           { return len(l.b) }
func (l line) SampleGradient(dst, x []float64, i int) { dst[0] = l.a*x[0] - l.b[i] }

// endOfEpoch is the variance at the end of epochs of theory.md a.8, of N samples one at a time.
func endOfEpoch(a, eta, s2 float64, n int) float64 {
	A, m := 1-eta*a, float64(n)
	var first, second float64
	for j := range n {
		first += math.Pow(A, float64(j))
		second += math.Pow(A, float64(2*j))
	}
	return eta * eta * s2 * m / (m - 1) * (second - first*first/m) / (1 - math.Pow(A, 2*m))
}

// TestReshufflingVarianceFormula holds the formula to all 120 orders of five samples: an epoch maps
// x to A⁵x + η Σ_j A^{4−j} b_{π(j)}, whose second part has the mean 0.
func TestReshufflingVarianceFormula(t *testing.T) {
	b := []float64{-2, -1, 0, 0.5, 2.5}
	const a, eta, s2 = 1.5, 0.2, 11.5 / 5
	A := 1 - eta*a
	var count, sum, square float64
	var permute func(rest []float64, x float64)
	permute = func(rest []float64, x float64) {
		if len(rest) == 0 {
			count, sum, square = count+1, sum+x, square+x*x
			return
		}
		for i, v := range rest {
			next := append(append([]float64(nil), rest[:i]...), rest[i+1:]...)
			permute(next, A*x+eta*v)
		}
	}
	permute(b, 0)
	got := square / count / (1 - math.Pow(A, 10))
	if want := endOfEpoch(a, eta, s2, 5); math.Abs(sum/count) > 1e-15 || math.Abs(got-want) > 1e-15 {
		t.Errorf("by all orders mean %v, variance %v; the formula has 0, %v", sum/count, got, want)
	}
	// For small η it is η³ a s² m(m+1)/24.
	if got, want := endOfEpoch(a, 1e-4, s2, 5), 1e-12*a*s2*5*6/24; math.Abs(got-want) > 1e-3*want {
		t.Errorf("for a small η the variance is %v, want %v", got, want)
	}
}

// TestReshufflingStationary runs SGD with reshuffled samples and holds the variance at the ends of
// epochs to a.8, which that of independent batches is far from.
func TestReshufflingStationary(t *testing.T) {
	t.Parallel()
	l := line{1.5, []float64{-2, -1, 0, 0.5, 2.5}}
	const eta, rows, epochs, m = 0.2, 512, 120, 5
	variance := func(s sde.GradientSampler) (mean, stderr float64) {
		f, stream := s.BindGradients(rows), sde.NewStream(8+*seedShift, nil)
		x, g := sde.NewBatch(rows, 1), sde.NewBatch(rows, 1)
		of := make([]float64, rows)
		for k := range epochs * m {
			stream.At(sde.Steps, 3, k)
			f(g, x, stream)
			for r := range x.Data {
				x.Data[r] -= eta * g.Data[r]
				if k >= 20*m && k%m == m-1 {
					of[r] += x.Data[r] * x.Data[r] / (epochs - 20)
				}
			}
		}
		return meanError(of)
	}
	want := endOfEpoch(l.a, eta, 11.5/5, m)
	mean, stderr := variance(noise.Reshuffling{Loss: l, BatchSize: 1})
	if p := normalP((mean - want) / stderr); p < level {
		t.Errorf("variance at the end of an epoch %v ± %v, want %v: p = %g", mean, stderr, want, p)
	}
	independent := eta * 11.5 / 5 / (l.a * (2 - eta*l.a))
	if p := normalP((mean - independent) / stderr); p > level {
		t.Errorf("the variance of independent batches, %v, is not told apart: p = %g", independent, p)
	}
	mean, stderr = variance(noise.WithReplacement{Loss: l, BatchSize: 1})
	if p := normalP((mean - independent) / stderr); p < level {
		t.Errorf("with independent batches %v ± %v, want %v: p = %g", mean, stderr, independent, p)
	}
	if p := normalP((mean - want) / stderr); p > level {
		t.Errorf("independent batches pass for reshuffled ones: p = %g", p)
	}
}

// TestReshufflingOrders: an epoch meets each sample once, all orders are equally likely, another
// epoch and another particle have another order, and steps out of turn change nothing.
func TestReshufflingOrders(t *testing.T) {
	t.Parallel()
	const n, rows, epochs = 4, 64, 300
	r := recorder{n, 1, new([]uint32)}
	s := noise.Reshuffling{Loss: r, BatchSize: 1}
	if got := sde.CorrelationStepsOf(s); got != n {
		t.Errorf("correlated over %d steps, want %d", got, n)
	}
	f, stream, x := s.BindGradients(rows), sde.NewStream(2+*seedShift, nil), sde.NewBatch(rows, 1)
	orders := make([][epochs]int, rows)
	for e := range epochs {
		for j := range n {
			stream.At(sde.Steps, 0, e*n+j)
			*r.asked = (*r.asked)[:0]
			f(x, x, stream)
			for row, i := range *r.asked {
				orders[row][e] = orders[row][e]*n + int(i)
			}
		}
	}
	counts, same := map[int]float64{}, 0.0
	for row := range orders {
		for e, o := range orders[row] {
			counts[o]++
			if e > 0 && o == orders[row][e-1] {
				same++
			}
		}
	}
	if len(counts) != 24 {
		t.Errorf("%d orders of 4 samples, want 24: %v", len(counts), counts)
	}
	for o := range counts {
		var seen [n]bool
		for range n {
			seen[o%n], o = true, o/n
		}
		if seen != [n]bool{true, true, true, true} {
			t.Errorf("an order meets a sample twice")
		}
	}
	uniform := func(counts map[int]float64) float64 {
		var chi float64
		const want = rows * epochs / 24.0
		for _, c := range counts {
			chi += (c - want) * (c - want) / want
		}
		return (distuv.ChiSquared{K: 23}).Survival(chi)
	}
	if p := uniform(counts); p < level {
		t.Errorf("orders are not equally likely: p = %g", p)
	}
	// The usual mistake, to exchange each with any: 4⁴ outcomes do not make 24 orders evenly.
	naive, words := map[int]float64{}, make([]uint32, n)
	stream.At(sde.Steps, 9, 9)
	for range rows * epochs {
		order, key := [n]int{0, 1, 2, 3}, 0
		stream.Indices(words, n)
		for i, k := range words {
			order[i], order[k] = order[k], order[i]
		}
		for _, v := range order {
			key = key*n + v
		}
		naive[key]++
	}
	if p := uniform(naive); p > level {
		t.Errorf("a shuffle that exchanges each with any passes: p = %g", p)
	}
	// One epoch in 24 has the order of the one before.
	trials := float64(rows * (epochs - 1))
	repeats := func(same float64) float64 {
		return normalP((same - trials/24) / math.Sqrt(trials/24*23/24))
	}
	if p := repeats(same); p < level {
		t.Errorf("%v of %v epochs repeat the one before: p = %g", same, trials, p)
	}
	if p := repeats(same + trials/50); p > level { // were each 50th order kept
		t.Errorf("orders that are kept now and then pass: p = %g", p)
	}
	// Other blocks in between: the order is drawn again, the same.
	again := s.BindGradients(rows)
	for _, k := range []int{17, 3, 16, 2} {
		for _, block := range []int{1, 0} {
			stream.At(sde.Steps, block, k)
			*r.asked = (*r.asked)[:0]
			again(x, x, stream)
		}
		for row, i := range *r.asked {
			o := orders[row][k/n]
			for range n - 1 - k%n {
				o /= n
			}
			if o%n != int(i) {
				t.Fatalf("step %d, row %d: sample %d, and %d when epochs went in order", k, row, i, o%n)
			}
		}
	}
}

// TestReshufflingAnticorrelated holds the covariance of two steps of an epoch to −Σ/(N−1).
func TestReshufflingAnticorrelated(t *testing.T) {
	t.Parallel()
	l := line{1, []float64{-2, -1, 0, 0.5, 2.5, 3, -4}}
	sigma := 0.0
	for _, b := range l.b {
		sigma += (b + 1.0/7) * (b + 1.0/7) / 7
	}
	const rows, epochs, m = 256, 60, 3
	f, stream := noise.Reshuffling{Loss: l, BatchSize: 2}.BindGradients(rows), sde.NewStream(4+*seedShift, nil)
	x, g := sde.NewBatch(rows, 1), sde.NewBatch(rows, 1)
	of := make([]float64, rows)
	for e := range epochs {
		var z [m][rows]float64
		for j := range m {
			stream.At(sde.Steps, 0, e*m+j)
			f(g, x, stream)
			for r, v := range g.Data {
				z[j][r] = v - 1.0/7
			}
		}
		for r := range rows {
			of[r] += (z[0][r]*z[1][r] + z[0][r]*z[2][r] + z[1][r]*z[2][r]) / (3 * epochs)
		}
	}
	mean, stderr := meanError(of)

	want := -sigma / 6
	if p := normalP((mean - want) / stderr); p < level {
		t.Errorf("the covariance of two steps of an epoch is %v ± %v, want %v: p = %g", mean, stderr, want, p)
	}
	if p := normalP(mean / stderr); p > level {
		t.Errorf("the covariance is not told from 0: p = %g", p)
	}
}

// meanError returns a mean and its standard error.
func meanError(x []float64) (mean, stderr float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		stderr += (v - mean) * (v - mean) / (n * (n - 1))
	}
	return mean, math.Sqrt(stderr)
}

func normalP(z float64) float64 { return 2 * distuv.UnitNormal.CDF(-math.Abs(z)) }
