// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// recorder is a finite sum that keeps what samples its mini-batches were asked for.
type recorder struct {
	n, d  int
	asked *[]uint32
}

func (r recorder) Dim() int                                   { return r.d }
func (recorder) Value([]float64) float64                      { return 0 }
func (recorder) Gradient(dst, _ []float64)                    { clear(dst) }
func (r recorder) Samples() int                               { return r.n }
func (r recorder) SampleGradient(dst, theta []float64, i int) { clear(dst) }
func (r recorder) BindMinibatches(int) func(dst, x sde.Batch, samples []uint32) {
	return func(_, _ sde.Batch, samples []uint32) { *r.asked = append(*r.asked, samples...) }
}

// batches returns the batches of so many particles and steps.
func batches(n, size, particles, steps int, without bool) [][]uint32 {
	r := recorder{n, 1, new([]uint32)}
	var s sde.GradientSampler = noise.WithReplacement{Loss: r, BatchSize: size}
	if without {
		s = noise.WithoutReplacement{Loss: r, BatchSize: size}
	}
	f := s.BindGradients(particles)
	stream := sde.NewStream(5, nil)
	x := sde.NewBatch(particles, 1)
	for k := range steps {
		stream.At(sde.Steps, 0, k)
		f(x, x, stream)
	}
	var all [][]uint32
	for b := *r.asked; len(b) > 0; b = b[size:] {
		all = append(all, b[:size])
	}
	return all
}

// TestBatchesUniform holds batches to be uniform over all that there are: 4³ of
// three drawn of four samples with replacement, 4 sets of three without.
func TestBatchesUniform(t *testing.T) {
	const n, size = 4, 3
	for _, without := range []bool{false, true} {
		counts := map[int]int{}
		all := batches(n, size, 100, 400, without)
		for _, b := range all {
			key := 0
			seen := map[uint32]bool{}
			for _, i := range b {
				if i >= n {
					t.Fatalf("sample %d of %d", i, n)
				}
				seen[i] = true
				if without {
					key += 1 << i
				} else {
					key = key*n + int(i)
				}
			}
			if without && len(seen) != size {
				t.Fatalf("a batch without replacement is %v", b)
			}
			counts[key]++
		}
		kinds := 64
		if without {
			kinds = 4
		}
		var chi float64
		want := float64(len(all)) / float64(kinds)
		for _, c := range counts {
			chi += (float64(c) - want) * (float64(c) - want) / want
		}
		chi += float64(kinds-len(counts)) * want
		if p := (distuv.ChiSquared{K: float64(kinds - 1)}).Survival(chi); p < 1e-8 {
			t.Errorf("without %v: χ² = %v of %d kinds, p = %v", without, chi, kinds, p)
		}
	}
}

// samples is the finite sum of ℓ_i = g_i·θ.
type samples struct{ g [][]float64 }

func (s samples) Dim() int              { return len(s.g[0]) }
func (samples) Value([]float64) float64 { return 0 }
func (s samples) Samples() int          { return len(s.g) }
func (s samples) Gradient(dst, _ []float64) {
	clear(dst)
	for _, g := range s.g {
		for j, v := range g {
			dst[j] += v / float64(len(s.g))
		}
	}
}
func (s samples) SampleGradient(dst, _ []float64, i int) { copy(dst, s.g[i]) }

// TestCovarianceFactor goes through all batches there are, and holds the mean of
// their gradients to ∇L and their covariance to the factor times Σ.
func TestCovarianceFactor(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	l := samples{make([][]float64, 5)}
	for i := range l.g {
		l.g[i] = []float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
	}
	var sigma mat.SymDense
	noise.SampleCovariance(&sigma, l, make([]float64, 3))
	full := make([]float64, 3)
	l.Gradient(full, nil)
	for size := 1; size <= 5; size++ {
		for _, without := range []bool{false, true} {
			factor := noise.WithReplacement{Loss: l, BatchSize: size}.CovarianceFactor()
			if without {
				factor = noise.WithoutReplacement{Loss: l, BatchSize: size}.CovarianceFactor()
			}
			var count float64
			mean, second := make([]float64, 3), mat.NewSymDense(3, nil)
			total := 1
			for range size {
				total *= 5
			}
			for code := range total {
				g := mat.NewVecDense(3, nil)
				seen, distinct := 0, true
				for k, c := 0, code; k < size; k, c = k+1, c/5 {
					distinct = distinct && seen>>(c%5)&1 == 0
					seen |= 1 << (c % 5)
					g.AddScaledVec(g, 1/float64(size), mat.NewVecDense(3, l.g[c%5]))
				}
				if without && !distinct {
					continue
				}
				count++
				g.SubVec(g, mat.NewVecDense(3, full))
				for j := range mean {
					mean[j] += g.AtVec(j)
				}
				second.SymRankOne(second, 1, g)
			}
			for i := range 3 {
				if m := mean[i] / count; !(math.Abs(m) < 1e-15*5) {
					t.Errorf("without %v, B = %d: the mean gradient is off by %v", without, size, m)
				}
				for j := range 3 {
					if e := second.At(i, j)/count - factor*sigma.At(i, j); !(math.Abs(e) < 1e-14) {
						t.Errorf("without %v, B = %d: covariance %d, %d is off by %v", without, size, i, j, e)
					}
				}
			}
		}
	}
}

func TestBatchesRefused(t *testing.T) {
	l := samples{[][]float64{{1}, {2}}}
	for _, v := range []interface{ Validate() error }{
		noise.WithReplacement{BatchSize: 1}, noise.WithReplacement{Loss: l}, noise.WithReplacement{Loss: l, BatchSize: -1},
		noise.WithReplacement{Loss: recorder{}, BatchSize: 1},
		noise.WithoutReplacement{BatchSize: 1}, noise.WithoutReplacement{Loss: l}, noise.WithoutReplacement{Loss: l, BatchSize: 3},
	} {
		if err := v.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: error %v, want one that wraps sde.ErrInvalid", v, err)
		}
	}
}
