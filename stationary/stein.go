// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/sde"
)

// Stein is the kernelised Stein discrepancy of samples from a law of which only the score
// s = ∇log p is known, in any dimension and without its normalisation,
//
//	S² = E k₀(x, x′),   x, x′ independent samples
//	k₀(x, y) = s_x·s_y k + s_x·∇_y k + s_y·∇_x k + tr ∇_x∇_y k,   k = (c² + |x−y|²)^β
//
// which vanishes for samples of the law and, for this kernel, the inverse multiquadric, tends to 0
// only if the samples' law tends to p. Scale the coordinates, or c, to the width of the law.
//
// J. Gorham & L. Mackey, 2017, Measuring sample quality with kernels, ICML; Q. Liu, J. Lee &
// M. Jordan, 2016, A kernelized Stein discrepancy for goodness-of-fit tests, ICML, theorem 3.6.
// It cannot tell in what proportion far-off wells are filled: between them the score says nothing.
type Stein struct {
	// Width is c, in the units of the state; 0 means 1.
	Width float64
	// Exponent is β, between −1 and 0; 0 means −½.
	Exponent float64
	// Block is how many neighbouring rows depend on one another, such as the successive states
	// of one particle; 0 means 1, that all are independent.
	Block int
	// Resamples is how many times the p-value's bootstrap draws; 0 means 1000. The least
	// p-value is its reciprocal.
	Resamples int
	// Seed is that of the bootstrap.
	Seed uint64
}

// SteinResult is a discrepancy with the p-value of the law.
type SteinResult struct {
	// Squared is the estimate of S². It has no bias, and so may be below 0, if rows are
	// independent.
	Squared float64
	// PValue is the probability of a discrepancy as large, or larger, of samples of the law.
	PValue float64
	// Samples is the number of rows.
	Samples int
}

// mostSteinRows is how many rows Test holds the kernel's matrix of: 800 MB.
const mostSteinRows = 10_000

// check returns the settings with their defaults, and an error if one is wrong.
func (k Stein) check(law Scorer, x sde.Batch) (Stein, error) {
	bad := func(field string, value any, want string) (Stein, error) {
		return k, &sde.SettingError{Field: "stationary: Stein" + field, Value: value, Want: want}
	}
	if k.Width == 0 {
		k.Width = 1
	}
	if k.Exponent == 0 {
		k.Exponent = -0.5
	}
	if k.Block == 0 {
		k.Block = 1
	}
	if k.Resamples == 0 {
		k.Resamples = 1000
	}
	switch {
	case law == nil:
		return bad(" law", nil, "a law that knows its score")
	case !(k.Width > 0) || math.IsInf(k.Width, 1):
		return bad(".Width", k.Width, "a finite number above 0, or 0 for 1")
	case !(k.Exponent > -1 && k.Exponent < 0):
		return bad(".Exponent", k.Exponent, "a number between −1 and 0, or 0 for −½")
	case k.Block < 1:
		return bad(".Block", k.Block, "a positive number, or 0 for 1")
	case k.Resamples < 1:
		return bad(".Resamples", k.Resamples, "a positive number, or 0 for 1000")
	case x.Cols < 1 || x.Rows < 2*k.Block:
		return bad(" samples", fmt.Sprintf("%d×%d", x.Rows, x.Cols), "at least two blocks of rows, of at least one coordinate")
	}
	if l, ok := law.(interface{ Dim() int }); ok && l.Dim() != x.Cols {
		return k, &sde.SettingError{Field: "stationary: Stein samples", Value: fmt.Sprintf("%d coordinates", x.Cols), Want: fmt.Sprintf("%d, those of the law", l.Dim()), Err: sde.ErrDimension}
	}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return bad(fmt.Sprintf(" samples[%d][%d]", i, j), v, "a finite number")
			}
		}
	}
	return k, nil
}

// kernel returns k₀(x, y), given the scores at both.
func (k *Stein) kernel(x, y, sx, sy []float64) float64 {
	b := k.Width * k.Width
	var r2, dot, along float64
	for i, v := range x {
		r := v - y[i]
		r2 += r * r
		dot += sx[i] * sy[i]
		along += (sy[i] - sx[i]) * r
	}
	b += r2
	beta := k.Exponent
	p := math.Pow(b, beta)
	return p * (dot + 2*beta*along/b - 2*beta*float64(len(x))/b - 4*beta*(beta-1)*r2/(b*b))
}

// scores returns the score at each row.
func scores(law Scorer, x sde.Batch) sde.Batch {
	s := sde.NewBatch(x.Rows, x.Cols)
	for i := range x.Rows {
		law.Score(s.Row(i), x.Row(i))
	}
	return s
}

// Test returns the discrepancy of all pairs of rows of x, and the p-value of the law by a
// wild bootstrap, in which blocks of rows are given random signs w,
//
//	n² S²_w = Σ_ij w_i w_j k₀(x_i, x_j)
//
// K. Chwialkowski, H. Strathmann & A. Gretton, 2016, A kernel test of goodness of fit, ICML, § 3.
// It takes n² kernels and holds them, for at most 10,000 rows. It returns an *sde.SettingError for
// settings that are wrong, samples that do not match the law or are not finite, or too many.
func (k Stein) Test(law Scorer, x sde.Batch) (*SteinResult, error) {
	k, err := k.check(law, x)
	if err != nil {
		return nil, err
	}
	n := x.Rows
	if n > mostSteinRows {
		return nil, &sde.SettingError{Field: "stationary: Stein samples", Value: fmt.Sprintf("%d rows, whose kernels would take %.3g GB", n, 8*float64(n)*float64(n)/1e9),
			Want: fmt.Sprintf("at most %d, or Stein.Linear for more", mostSteinRows)}
	}
	s := scores(law, x)
	h := mat.NewSymDense(n, nil)
	var all, within float64
	for i := range n {
		for j := i; j < n; j++ {
			v := k.kernel(x.Row(i), x.Row(j), s.Row(i), s.Row(j))
			h.SetSym(i, j, v)
			pairs := 2.0
			if i == j {
				pairs = 1
			}
			all += pairs * v
			if i/k.Block == j/k.Block {
				within += pairs * v
			}
		}
	}
	// Pairs of one block are left out of the estimate, and kept in the statistic.
	blocks := float64((n + k.Block - 1) / k.Block)
	r := &SteinResult{Squared: (all - within) / (float64(n) * float64(n) * (blocks - 1) / blocks), Samples: n}
	stream := sde.NewStream(k.Seed, nil)
	words := make([]uint64, (n+k.Block-1)/k.Block)
	w, hw := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
	larger := 1.0
	for b := range k.Resamples {
		stream.At(sde.Observers, 0, b)
		stream.Words(words)
		for i := range n {
			w.SetVec(i, 1-2*float64(words[i/k.Block]>>63))
		}
		hw.MulVec(h, w)
		if mat.Dot(w, hw) >= all {
			larger++
		}
	}
	r.PValue = larger / float64(k.Resamples+1)
	return r, nil
}

// Linear returns the discrepancy of neighbouring rows alone, in linear time and without
// memory: of pairs that are a block apart, in groups of two blocks,
//
//	S² ≈ (2/n) Σ k₀(x_2i, x_2i+1)
//
// with a p-value by its standard error, on one side. It needs many more samples than Test to
// see the same. Errors are those of Test, but for the number of rows.
func (k Stein) Linear(law Scorer, x sde.Batch) (*SteinResult, error) {
	k, err := k.check(law, x)
	if err != nil {
		return nil, err
	}
	sx, sy := make([]float64, x.Cols), make([]float64, x.Cols)
	var values []float64 // means over blocks
	for first := 0; first+2*k.Block <= x.Rows; first += 2 * k.Block {
		var v float64
		for i := first; i < first+k.Block; i++ {
			law.Score(sx, x.Row(i))
			law.Score(sy, x.Row(i+k.Block))
			v += k.kernel(x.Row(i), x.Row(i+k.Block), sx, sy) / float64(k.Block)
		}
		values = append(values, v)
	}
	mean, squares := meanOf(values)
	n := float64(len(values))
	if n < 2 {
		return nil, &sde.SettingError{Field: "stationary: Stein samples", Value: fmt.Sprintf("%d rows", x.Rows), Want: fmt.Sprintf("at least %d, four blocks", 4*k.Block)}
	}
	z := mean / math.Sqrt(squares/n/(n-1))
	return &SteinResult{Squared: mean, PValue: distuv.UnitNormal.Survival(z), Samples: x.Rows}, nil
}
