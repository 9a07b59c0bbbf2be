// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"math"
	"testing"

	//lint:ignore SA1019 the source interface is fixed by the project, see sde.Source
	"golang.org/x/exp/rand"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// streamAlpha bounds the false alarms of the tests of this file together; each of
// their ten p-values takes its share.
const streamAlpha = 1e-6 / 10

// normalP returns the two-sided p-value of a standard normal statistic.
func normalP(z float64) float64 { return 2 * distuv.UnitNormal.CDF(-math.Abs(z)) }

func accept(t *testing.T, what string, z float64) {
	t.Helper()
	if p := normalP(z); !(p > streamAlpha) {
		t.Errorf("%s: z = %.3g, p = %.3g", what, z, p)
	}
}

// increments returns n increments at a place.
func increments(s *sde.Stream, block, step, n int) []float64 {
	z := make([]float64, n)
	s.At(sde.Steps, block, step)
	s.Increments(z)
	return z
}

func dot(x, y []float64) (sum float64) {
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

func TestIncrements(t *testing.T) {
	const n = 1 << 16
	s := sde.NewStream(7, nil)
	z := increments(s, 3, 11, n)
	// Σz² has the mean n and the variance 2n, a product of independent ones 0 and n.
	accept(t, "variance", (dot(z, z)-n)/math.Sqrt(2*n))
	if p := normalP((dot(z, z)*1.05 - n) / math.Sqrt(2*n)); p > streamAlpha {
		t.Errorf("a variance 5 %% too large is not noticed: p = %g", p)
	}
	for _, other := range []struct {
		what string
		z    []float64
	}{
		{"next step", increments(s, 3, 12, n)},
		{"next block", increments(s, 4, 11, n)},
		{"next seed", increments(sde.NewStream(8, nil), 3, 11, n)},
	} {
		accept(t, other.what, dot(z, other.z)/math.Sqrt(n))
	}
	free := make([]float64, n)
	s.At(sde.Steps, 3, 11)
	s.Normals(free)
	accept(t, "the step's other normals", dot(z, free)/math.Sqrt(n))
	if again := increments(s, 3, 11, n); dot(z, again) != dot(z, z) {
		t.Error("a place does not give the same increments again")
	}
}

// Consecutive seeds are what people use; the words behind them must be neither
// alike nor too even, which a chi-square test on both sides sees.
func TestConsecutiveSeeds(t *testing.T) {
	const seeds, cells = 20_000, 100
	p := func(first func(seed uint64) float64) float64 {
		var count [cells]float64
		for seed := range uint64(seeds) {
			count[int(first(seed)*cells)]++
		}
		var x2 float64
		for _, c := range count {
			x2 += (c - seeds/cells) * (c - seeds/cells) / (seeds / cells)
		}
		law := distuv.ChiSquared{K: cells - 1}
		return 2 * min(law.CDF(x2), law.Survival(x2))
	}
	stream := func(newSource func(uint64) sde.Source) func(seed uint64) float64 {
		u := make([]float64, 1)
		return func(seed uint64) float64 {
			s := sde.NewStream(seed, newSource)
			s.At(sde.Steps, 0, 0)
			s.Uniforms(u)
			return u[0]
		}
	}
	if p := p(stream(nil)); !(p > streamAlpha) {
		t.Errorf("first uniforms of consecutive seeds: p = %.3g", p)
	}
	pcg := func(seed uint64) sde.Source { return rand.NewSource(seed) }
	if p := p(stream(pcg)); !(p > streamAlpha) {
		t.Errorf("first uniforms of consecutive seeds from PCG: p = %.3g", p)
	}
	// The planted fault: a counter that is spread, as of SplitMix, but not mixed.
	if p := p(func(seed uint64) float64 { return float64(seed*0x9e3779b97f4a7c15>>11) / (1 << 53) }); p > streamAlpha {
		t.Errorf("words that are too even are not noticed: p = %.3g", p)
	}
}

func TestCoupledIncrementsAreSums(t *testing.T) {
	fine, coarse := sde.NewStream(1, nil), sde.NewStream(1, nil)
	coarse.Couple(4)
	got := increments(coarse, 2, 5, 100)
	want := make([]float64, 100)
	for step := 20; step < 24; step++ {
		for i, z := range increments(fine, 2, step, 100) {
			want[i] += z / 2
		}
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-14 {
			t.Fatalf("increment %d of the coarse step is %v, the sum of the fine ones %v", i, got[i], want[i])
		}
	}
}

// TestBeside holds a stream beside another to the numbers of its place, and the other to
// go on as if nothing had been drawn.
func TestBeside(t *testing.T) {
	s, plain, epoch := sde.NewStream(9, nil), sde.NewStream(9, nil), sde.NewStream(9, nil)
	s.At(sde.Steps, 5, 17)
	plain.At(sde.Steps, 5, 17)
	epoch.At(sde.Epochs, 5, 3)
	got, want := make([]float64, 20), make([]float64, 20)
	for range 3 {
		s.Beside(sde.Epochs, 3).Normals(got)
		epoch.At(sde.Epochs, 5, 3)
		epoch.Normals(want)
		if dot(got, got) != dot(want, want) || got[7] != want[7] {
			t.Fatalf("beside: %v, at the place %v", got, want)
		}
		s.Normals(got)
		plain.Normals(want)
		if got[7] != want[7] || got[19] != want[19] {
			t.Fatalf("after a stream beside it: %v, without %v", got, want)
		}
	}
	if s.Beside(sde.Steps, 17).Normals(got); got[7] == want[7] {
		t.Error("a stream beside goes on where the other is")
	}
}

func TestStreamPanics(t *testing.T) {
	for name, f := range map[string]func(s *sde.Stream){
		"increments twice": func(s *sde.Stream) { s.Increments(make([]float64, 1)); s.Increments(make([]float64, 1)) },
		"negative step":    func(s *sde.Stream) { s.At(sde.Steps, 0, -1) },
		"block too large":  func(s *sde.Stream) { s.At(sde.Steps, sde.MaxBlocks, 0) },
		"no pieces":        func(s *sde.Stream) { s.Couple(0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			s := sde.NewStream(1, nil)
			s.At(sde.Steps, 0, 0)
			f(s)
		})
	}
}
