// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// TestSpaceTimeComposition holds the increments and areas of coarse steps to
// those of the fine ones, by the integral of the path over the step.
func TestSpaceTimeComposition(t *testing.T) {
	const n, fine = 5, 24
	w, h := make([][]float64, fine), make([][]float64, fine) // of steps of 1/fine
	s := sde.NewStream(7, nil)
	for i := range fine {
		w[i], h[i] = make([]float64, n), make([]float64, n)
		s.At(sde.Steps, 3, i)
		s.SpaceTime(w[i], h[i])
		for j := range n {
			w[i][j] *= math.Sqrt(1. / fine)
			h[i][j] *= math.Sqrt(1. / fine / 12)
		}
	}
	for _, pieces := range []int{1, 2, 3, 8, 24} {
		s.Couple(pieces)
		step := float64(pieces) / fine
		z, u := make([]float64, n), make([]float64, n)
		for k := range fine / pieces {
			s.At(sde.Steps, 3, k)
			s.SpaceTime(z, u)
			for j := range n {
				// ∫ W over the step, from pieces of the path that starts at 0.
				var at, integral float64
				for i := k * pieces; i < (k+1)*pieces; i++ {
					integral += (at + w[i][j]/2 + h[i][j]) / fine
					at += w[i][j]
				}
				area := integral/step - at/2
				if got := z[j] * math.Sqrt(step); math.Abs(got-at) > 1e-14 {
					t.Fatalf("%d pieces, step %d: increment %v, want %v", pieces, k, got, at)
				}
				if got := u[j] * math.Sqrt(step/12); math.Abs(got-area) > 1e-14 {
					t.Fatalf("%d pieces, step %d: area %v, want %v", pieces, k, got, area)
				}
			}
		}
	}
}

// TestSpaceTimeMoments tests that areas are standard normals, independent of the
// increments, of other steps and of what else is drawn, for each coupling.
func TestSpaceTimeMoments(t *testing.T) {
	const n, steps = 1 << 12, 16
	const alpha = 1e-8
	for _, pieces := range []int{1, 4, 7} {
		s := sde.NewStream(11, nil)
		s.Couple(pieces)
		z, u, f := make([]float64, n), make([]float64, n), make([]float64, n)
		last := make([]float64, n)
		var uu, uz, uf, ul, quartic float64
		for k := range steps {
			s.At(sde.Steps, 0, k)
			s.SpaceTime(z, u)
			s.Normals(f)
			for j := range n {
				uu += u[j] * u[j]
				uz += u[j] * z[j]
				uf += u[j] * f[j]
				ul += u[j] * last[j]
				quartic += math.Pow(u[j], 4)
			}
			copy(last, u)
		}
		total := float64(n * steps)
		c := distuv.ChiSquared{K: total}
		if p := 2 * min(c.CDF(uu), c.Survival(uu)); p < alpha {
			t.Errorf("%d pieces: Σu² = %g for %g numbers, p = %.3g", pieces, uu, total, p)
		}
		for _, sum := range []struct {
			name     string
			x, sigma float64
		}{{"area and increment", uz, math.Sqrt(total)}, {"area and free normals", uf, math.Sqrt(total)},
			{"areas of neighbouring steps", ul, math.Sqrt(total)}, {"fourth moment", quartic - 3*total, math.Sqrt(96 * total)}} {
			if p := math.Erfc(math.Abs(sum.x) / sum.sigma / math.Sqrt2); p < alpha {
				t.Errorf("%d pieces: %s: sum %g, p = %.3g", pieces, sum.name, sum.x, p)
			}
		}
	}
}

// TestSpaceTimeBits tests that areas and neighbours disturb nothing.
func TestSpaceTimeBits(t *testing.T) {
	for _, pieces := range []int{1, 3} {
		s, ref := sde.NewStream(5, nil), sde.NewStream(5, nil)
		s.Couple(pieces)
		ref.Couple(pieces)
		z, u, next, want, free, wantFree := make([]float64, 9), make([]float64, 9), make([]float64, 9), make([]float64, 9), make([]float64, 9), make([]float64, 9)
		for step := range 3 {
			ref.At(sde.Steps, 2, step)
			ref.Normals(wantFree)
			ref.Increments(want)
			if step > 0 {
				compare(t, "NextIncrements", next, want)
			}
			s.At(sde.Steps, 2, step)
			s.NextIncrements(next)
			s.SpaceTime(z, u)
			s.NextIncrements(next)
			s.Normals(free)
			compare(t, "increments", z, want)
			compare(t, "free normals", free, wantFree)
			if b, k := s.Place(); b != 2 || k != step {
				t.Errorf("Place = %d, %d", b, k)
			}
			// The pieces' increments add up to the step's.
			sum := make([]float64, 9)
			for i := range pieces {
				p := s.Piece(i)
				p.Increments(next)
				for j := range sum {
					sum[j] = math.FMA(1/math.Sqrt(float64(pieces)), next[j], sum[j])
				}
			}
			compare(t, "sum of pieces", sum, want)
			s.NextIncrements(next)
		}
	}
}

func compare(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestScript(t *testing.T) {
	fill := func(v float64) func(dst []float64) {
		return func(dst []float64) {
			for i := range dst {
				dst[i] = v
			}
		}
	}
	s := sde.NewScriptedStream(sde.Script{Increments: fill(1), Areas: fill(2), Normals: fill(3)})
	z, u, n := make([]float64, 2), make([]float64, 2), make([]float64, 2)
	s.At(sde.Steps, 0, 0)
	s.SpaceTime(z, u)
	s.Normals(n)
	if z[1] != 1 || u[1] != 2 || n[1] != 3 {
		t.Errorf("scripted numbers are %v, %v, %v", z, u, n)
	}
	words := []uint64{7}
	if s.Words(words); words[0] != 0 {
		t.Errorf("unscripted word is %d", words[0])
	}
}
