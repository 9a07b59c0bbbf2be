// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary_test

import (
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
	"github.com/sgflow/sgflow/stationary"
)

// eightSchools returns the chains of a column of the test data.
func eightSchools(t *testing.T, column int) stationary.Draws {
	t.Helper()
	f, err := os.Open("testdata/eightschools.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	c := make(stationary.Draws, 4)
	for _, line := range lines[1:] {
		k, _ := strconv.Atoi(line[0])
		v, err := strconv.ParseFloat(line[column], 64)
		if err != nil {
			t.Fatal(err)
		}
		c[k] = append(c[k], v)
	}
	return c
}

// TestEightSchools holds the diagnostics to those of ArviZ 0.21.0 on its own example.
func TestEightSchools(t *testing.T) {
	t.Parallel()
	for column, want := range map[int]struct{ mean, bulk, tail, identity, rhat, mcse float64 }{
		1: {238.44424404476572, 240.99310388243433, 658.6979683209769, 264.7286918531168, 1.0204658098967794, 0.22578649321824482},
		2: {140.07070573364257, 66.569678376277, 38.18310070991432, 134.90239546817847, 1.0624371764120308, 0.2621122290330698},
	} {
		c := eightSchools(t, column)
		d, err := stationary.Diagnose(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			what      string
			got, want float64
		}{
			{"effective samples", d.EffectiveSamples, want.mean}, {"bulk", d.Bulk, want.bulk}, {"tail", d.Tail, want.tail},
			{"autocorrelation time", d.AutocorrelationTime, 2000 / want.identity}, {"R̂", d.RHat, want.rhat}, {"standard error", d.Mean.StdErr, want.mcse},
		} {
			if !(math.Abs(x.got-x.want) <= 1e-10*x.want) {
				t.Errorf("column %d: %s %.12g, want %.12g", column, x.what, x.got, x.want)
			}
		}
		if s := d.String(); !strings.Contains(s, "R̂ = 1.0") || !strings.Contains(s, "not come to the same law") {
			t.Errorf("the sampler's trouble is not told:\n%s", s)
		}
	}
}

// autoregression returns chains of x′ = ρx + √(1−ρ²) z, of law N(0, 1).
func autoregression(chains, n int, rho float64, seed uint64) stationary.Draws {
	r := rand.New(rand.NewPCG(seed, 7))
	c := make(stationary.Draws, chains)
	for i := range c {
		c[i] = make([]float64, n)
		x := r.NormFloat64()
		for k := range c[i] {
			c[i][k] = x
			x = rho*x + math.Sqrt(1-rho*rho)*r.NormFloat64()
		}
	}
	return c
}

// TestAutocorrelationTime: of an autoregression it is (1+ρ)/(1−ρ), and of the event that
// it is below its median 1 + (4/π) Σ asin ρᵗ. The estimate's scatter is taken from repetitions;
// its bias, of some autocorrelation times in n, is below that.
func TestAutocorrelationTime(t *testing.T) {
	t.Parallel()
	const rho, repeats, alpha = 0.9, 40, 1e-6 / 4
	n := 20_000
	if testing.Short() {
		n = 5000
	}
	below := func(c stationary.Draws) stationary.Draws {
		for _, x := range c {
			for k, v := range x {
				x[k] = 0
				if v < 0 {
					x[k] = 1
				}
			}
		}
		return c
	}
	indicator := 1.0
	for k := 1; k < 400; k++ {
		indicator += 4 / math.Pi * math.Asin(math.Pow(rho, float64(k)))
	}
	if math.Abs(indicator-13.2789) > 1e-4 {
		t.Errorf("the time of the event is %v", indicator)
	}
	longer := 1.0
	for k := 1; k < 5000; k++ {
		longer += 4 / math.Pi * math.Asin(math.Pow(0.99, float64(k)))
	}
	if math.Abs(longer-137.973) > 1e-3 {
		t.Errorf("the time of the event at ρ = 0.99 is %v", longer)
	}
	for name, c := range map[string]struct {
		of   func(c stationary.Draws) stationary.Draws
		want float64
	}{
		"number": {func(c stationary.Draws) stationary.Draws { return c }, (1 + rho) / (1 - rho)},
		"event":  {below, indicator},
	} {
		var values []float64
		for seed := range uint64(repeats) {
			tau, err := stationary.AutocorrelationTime(c.of(autoregression(4, n, rho, seed)))
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, tau)
		}
		p := func(want float64) float64 {
			var mean, squares float64
			for _, v := range values {
				mean += v / repeats
			}
			for _, v := range values {
				squares += (v - mean) * (v - mean)
			}
			z := (mean - want) / math.Sqrt(squares/repeats/(repeats-1))
			return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: repeats - 1}.Survival(math.Abs(z))
		}
		if q := p(c.want); !(q >= alpha) {
			t.Errorf("%s: p = %.3g of τ = %v", name, q, c.want)
		}
		// A sum that counts each lag once, or twice the first, is noticed.
		if q := p((c.want + 1) / 2); !(q < alpha) {
			t.Errorf("%s: half of the lags is not noticed: p = %.3g", name, q)
		}
	}
}

func TestRHatSees(t *testing.T) {
	t.Parallel()
	same := autoregression(4, 1000, 0.3, 1)
	if r, err := stationary.RHat(same); err != nil || r > 1.01 {
		t.Errorf("chains of one law: R̂ = %v, %v", r, err)
	}
	for name, spoil := range map[string]func(i, k int, v float64) float64{
		"place": func(i, _ int, v float64) float64 { return v + 0.5*float64(i%2) },
		"width": func(i, _ int, v float64) float64 { return v * float64(1+i%2) },
		"drift": func(_, k int, v float64) float64 { return v + float64(k)/1000 },
	} {
		c := autoregression(4, 1000, 0.3, 1)
		for i := range c {
			for k, v := range c[i] {
				c[i][k] = spoil(i, k, v)
			}
		}
		if r, err := stationary.RHat(c); err != nil || r < 1.01 {
			t.Errorf("chains of another %s: R̂ = %v, %v", name, r, err)
		}
	}
}

func TestBatchMeans(t *testing.T) {
	t.Parallel()
	// The mean of an autoregression has the variance τ/n, to first order.
	const n, rho = 40_000, 0.8
	var squares, mean float64
	const repeats = 100
	for seed := range uint64(repeats) {
		e, err := stationary.BatchMeans(autoregression(1, n, rho, seed)[0], 0)
		if err != nil || e.Groups != 200 {
			t.Fatal(e, err)
		}
		squares += e.StdErr * e.StdErr / repeats
		mean += e.Value * e.Value / repeats
	}
	want := (1 + rho) / (1 - rho) / n
	// 199 degrees of freedom and 100 repetitions: 0.01; stretches of 200 are 5 % short of τ.
	if math.Abs(squares/want-1) > 0.05+5*math.Sqrt(2.0/199/repeats) {
		t.Errorf("squared error %v, want %v", squares, want)
	}
	if p := (distuv.ChiSquared{K: repeats}).Survival(mean / want * repeats); p < 1e-6 || p > 1-1e-6 {
		t.Errorf("the mean of squared means is %v times what it should be", mean/want)
	}
}

func TestSettlingTime(t *testing.T) {
	t.Parallel()
	c := autoregression(64, 2000, 0.5, 3)
	if n, err := stationary.SettlingTime(c); err != nil || n != 0 {
		t.Errorf("stationary chains settle at %d, %v", n, err)
	}
	for i := range c {
		for k := range c[i] {
			c[i][k] += 3 * math.Exp(-float64(k)/100)
		}
	}
	// 3 exp(−k/100) passes the standard error of a stretch of 20, about 0.05, near 400.
	if n, err := stationary.SettlingTime(c); err != nil || n < 200 || n > 600 {
		t.Errorf("chains that drift settle at %d, %v", n, err)
	}
	for i := range c {
		for k := range c[i] {
			c[i][k] = float64(k) + c[i][k]
		}
	}
	if n, err := stationary.SettlingTime(c); err != nil || n != -1 {
		t.Errorf("chains that go on drifting settle at %d, %v", n, err)
	}
}

func TestChainsRefused(t *testing.T) {
	second := func(_ any, err error) error { return err }
	ten := make([]float64, 10)
	for k, err := range []error{
		second(stationary.EffectiveSampleSize(nil)),
		second(stationary.EffectiveSampleSize(stationary.Draws{{1, 2, 3}})),
		second(stationary.BulkEffectiveSampleSize(stationary.Draws{ten, ten[:8]})),
		second(stationary.TailEffectiveSampleSize(stationary.Draws{{1, 2, 3, 4, math.NaN(), 6}})),
		second(stationary.AutocorrelationTime(stationary.Draws{{1, 2, 3, 4, math.Inf(1), 6}})),
		second(stationary.RHat(stationary.Draws{ten, ten, ten})),
		second(stationary.Diagnose(stationary.Draws{})),
		second(stationary.SettlingTime(stationary.Draws{ten, ten, ten, ten})),
		second(stationary.SettlingTime(stationary.Draws{ten})),
		second(stationary.BatchMeans(ten, 1)), second(stationary.BatchMeans(ten, 11)), second(stationary.BatchMeans(nil, 0)),
		second(stationary.BatchMeans([]float64{1, math.NaN(), 3, 4}, 2)),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("case %d: error %v, want one that wraps sde.ErrInvalid", k, err)
		}
	}
	if d, err := stationary.Diagnose(stationary.Draws{ten, ten, ten, ten}); err != nil || !strings.Contains(d.String(), "never move") {
		t.Errorf("of chains that never move: %v, %v", d, err)
	}
	if n, err := stationary.EffectiveSampleSize(stationary.Draws{ten}); err != nil || !math.IsNaN(n) {
		t.Errorf("of a chain that does not move: %v, %v", n, err)
	}
}
