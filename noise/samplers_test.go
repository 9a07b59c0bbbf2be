// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/noise/noisetest"
	"github.com/sgflow/sgflow/sde"
)

// seedShift changes every seed: tests must hold for any.
var seedShift = flag.Uint64("seedshift", 0, "added to the seeds of statistical tests")

// regression is the finite sum of ½(f_i(θ) − y_i)² with f_i = x_i·θ + ½ c (x_i·θ)².
type regression struct {
	x [][]float64
	y []float64
	c float64
}

func (l regression) Dim() int     { return len(l.x[0]) }
func (l regression) Samples() int { return len(l.x) }
func (l regression) output(theta []float64, i int) (f, slope float64) {
	for j, v := range l.x[i] {
		f += v * theta[j]
	}
	return f + l.c*f*f/2, 1 + l.c*f
}
func (l regression) Value(theta []float64) (v float64) {
	for i := range l.x {
		f, _ := l.output(theta, i)
		v += (f - l.y[i]) * (f - l.y[i]) / 2 / float64(len(l.x))
	}
	return v
}
func (l regression) OutputGradient(dst, theta []float64, i int) {
	_, s := l.output(theta, i)
	for j, v := range l.x[i] {
		dst[j] = s * v
	}
}
func (l regression) SampleGradient(dst, theta []float64, i int) {
	f, s := l.output(theta, i)
	for j, v := range l.x[i] {
		dst[j] = (f - l.y[i]) * s * v
	}
}
func (l regression) Gradient(dst, theta []float64) {
	clear(dst)
	g := make([]float64, len(dst))
	for i := range l.x {
		l.SampleGradient(g, theta, i)
		for j, v := range g {
			dst[j] += v / float64(len(l.x))
		}
	}
}

// newRegression returns one of n samples in d dimensions; its labels are those of some θ plus
// noise of the given size.
func newRegression(n, d int, c, noise float64) regression {
	r := rand.New(rand.NewPCG(3, 4))
	l := regression{x: make([][]float64, n), y: make([]float64, n), c: c}
	for i := range l.x {
		l.x[i] = make([]float64, d)
		for j := range l.x[i] {
			l.x[i][j] = r.NormFloat64()
		}
	}
	truth := make([]float64, d)
	for j := range truth {
		truth[j] = 0.5 - float64(j%3)/2
	}
	for i := range l.y {
		l.y[i], _ = l.output(truth, i)
		l.y[i] += noise * r.NormFloat64()
	}
	return l
}

// bowl is ½ Σ_j k_j (θ_j − c_j)².
type bowl struct{ k, c []float64 }

func (l bowl) Dim() int { return len(l.k) }
func (l bowl) Value(theta []float64) (v float64) {
	for j, x := range theta {
		v += l.k[j] * (x - l.c[j]) * (x - l.c[j]) / 2
	}
	return v
}
func (l bowl) Gradient(dst, theta []float64) {
	for j, x := range theta {
		dst[j] = l.k[j] * (x - l.c[j])
	}
}
func (l bowl) Harmonic() (h, center []float64) {
	d := len(l.k)
	h = make([]float64, d*d)
	for j, v := range l.k {
		h[j*d+j] = v
	}
	return h, l.c
}

// samplers returns one of each kind, and more where settings change how they work.
func samplers(t *testing.T) map[string]sde.GradientSampler {
	l := newRegression(7, 2, 0.2, 1)
	wide := newRegression(9, 11, 0, 1)
	x, y := loss.LogisticTeacher(30, []float64{1, -2, 0.5}, 3)
	logistic, err := loss.NewLogistic(x, y, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		y[i] = float64(i % 4)
	}
	softmax, err := loss.NewSoftmax(x, y, 4, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	with := noise.WithReplacement{Loss: l, BatchSize: 3}
	without := noise.WithoutReplacement{Loss: l, BatchSize: 3}
	shuffled := noise.Reshuffling{Loss: l, BatchSize: 2}
	b := bowl{[]float64{1, 3}, []float64{0.5, -1}}
	full := noise.FullGradient{Loss: b}
	classes := noise.WithReplacement{Loss: logistic, BatchSize: 4}
	constant, err := noise.NewConstant(mat.NewSymDense(2, []float64{2, 1, 1, 3}))
	if err != nil {
		t.Fatal(err)
	}
	clients := []noise.Client{
		{Gradient: noise.GradientNoise{Gradient: full, Diffusion: noise.Diagonal{D: []float64{0.1, 0.2}}, LearningRate: 0.1}, Weight: 0.2},
		{Gradient: with, Weight: 0.5}, {Gradient: noise.FullGradient{Loss: bowl{[]float64{2, 1}, []float64{-2, 2}}}, Weight: 0.3}}
	quadratics := []noise.Client{{Gradient: full, Weight: 0.25}, {Gradient: noise.WithReplacement{Loss: harmonicSum{}, BatchSize: 2}, Weight: 0.75}}
	return map[string]sde.GradientSampler{
		"full gradient":                        full,
		"full gradient in batches":             noise.FullGradient{Loss: loss.MullerBrown{}},
		"with replacement":                     with,
		"with replacement in 11 dimensions":    noise.WithReplacement{Loss: wide, BatchSize: 2},
		"without replacement":                  without,
		"batches that grow":                    noise.ScheduledBatches{Loss: l, Size: noise.Stepwise{Times: []float64{1}, Values: []float64{2, 5.4}}, LearningRate: 0.1, Most: 5},
		"reshuffling":                          shuffled,
		"reshuffling of divisible samples":     noise.Reshuffling{Loss: logistic, BatchSize: 10},
		"reshuffling of everything":            noise.Reshuffling{Loss: l, BatchSize: 7},
		"label noise":                          noise.LabelNoise{Gradient: with, StdDev: 0.7},
		"label noise on shuffled samples":      noise.LabelNoise{Gradient: shuffled, StdDev: 0.7},
		"label noise in 11 dimensions":         noise.LabelNoise{Gradient: noise.WithoutReplacement{Loss: wide, BatchSize: 3}, StdDev: 2},
		"label flips":                          noise.LabelFlips{Gradient: classes, Rate: 0.2},
		"label flips without replacement":      noise.LabelFlips{Gradient: noise.WithoutReplacement{Loss: logistic, BatchSize: 20}, Rate: 0.5},
		"label flips of four classes":          noise.LabelFlips{Gradient: noise.WithoutReplacement{Loss: softmax, BatchSize: 5}, Rate: 0.4},
		"isotropic noise":                      noise.GradientNoise{Gradient: full, Diffusion: noise.Temperature{T: 0.3}, LearningRate: 0.1},
		"anisotropic noise":                    noise.GradientNoise{Gradient: with, Diffusion: constant, LearningRate: 0.1},
		"noise of a function":                  noise.GradientNoise{Gradient: full, Diffusion: noise.DiagonalFunc{State: 2, B: geometric}, LearningRate: 0.01},
		"noise that cools":                     noise.GradientNoise{Gradient: full, Diffusion: noise.Annealing{Schedule: func(t float64) float64 { return 1 / (1 + t) }}, LearningRate: 0.1},
		"scaled":                               noise.Scaled{Gradient: with, StdDev: 0.5},
		"scaled as one":                        noise.Scaled{Gradient: without, StdDev: 0.5, Common: true},
		"dropout":                              noise.Dropout{Gradient: with, Rate: 0.3},
		"clipped samples":                      noise.ClippedSamples{Gradient: with, Norm: 0.8},
		"clipped shuffled samples":             noise.ClippedSamples{Gradient: shuffled, Norm: 0.8},
		"clipped":                              noise.Clipped{Gradient: without, Norm: 0.5},
		"private":                              noise.DPSGD{Gradient: without, Norm: 0.8, Multiplier: 1.1},
		"quantised":                            noise.Quantised{Gradient: full, Spacing: 0.7},
		"quantised batches":                    noise.Quantised{Gradient: with, Spacing: 0.7},
		"stable":                               noise.StableNoise{Gradient: full, Alpha: 1.5, Scale: 0.3},
		"Cauchy":                               noise.StableNoise{Gradient: full, Alpha: 1, Scale: 0.3},
		"stable without a mean":                noise.StableNoise{Gradient: full, Alpha: 0.7, Scale: 0.3},
		"stable of index 2":                    noise.StableNoise{Gradient: with, Alpha: 2, Scale: 0.3},
		"Student with 9 degrees of freedom":    noise.StudentNoise{Gradient: full, DegreesOfFreedom: 9, Scale: 0.3},
		"Student with 1.5 degrees of freedom":  noise.StudentNoise{Gradient: full, DegreesOfFreedom: 1.5, Scale: 0.3},
		"SVAG":                                 noise.SVAG{Gradient: with, L: 4},
		"averaged":                             noise.Averaged{Gradient: without, Count: 3},
		"clients":                              noise.Clients{Members: clients},
		"clients that take part now and then":  noise.Clients{Members: clients, Participants: 2},
		"two different clients of three":       noise.Clients{Members: clients, Participants: 2, Distinct: true},
		"different clients, local steps":       noise.Clients{Members: quadratics, Participants: 1, Distinct: true, LocalSteps: 3, LocalRate: 0.2},
		"all clients, as different ones":       noise.Clients{Members: clients, Participants: 3, Distinct: true},
		"clients with local steps":             noise.Clients{Members: quadratics, LocalSteps: 3, LocalRate: 0.2},
		"some clients with local steps":        noise.Clients{Members: quadratics, Participants: 2, LocalSteps: 4, LocalRate: 0.2},
		"clients whose drift is not known":     noise.Clients{Members: clients, LocalSteps: 2, LocalRate: 0.1},
		"averages of clients, clipped, scaled": noise.Scaled{Gradient: noise.Averaged{Gradient: noise.Clients{Members: clients, Participants: 1}, Count: 2}, StdDev: 0.1},
	}
}

// harmonicSum is the finite sum of ½|θ − x_i|² for three points, a quadratic.
type harmonicSum struct{}

var harmonicPoints = [][]float64{{1, 0}, {-1, 2}, {3, 1}}

func (harmonicSum) Dim() int     { return 2 }
func (harmonicSum) Samples() int { return 3 }
func (harmonicSum) Value(theta []float64) (v float64) {
	for _, p := range harmonicPoints {
		v += ((theta[0]-p[0])*(theta[0]-p[0]) + (theta[1]-p[1])*(theta[1]-p[1])) / 6
	}
	return v
}
func (harmonicSum) Gradient(dst, theta []float64) { dst[0], dst[1] = theta[0]-1, theta[1]-1 }
func (harmonicSum) SampleGradient(dst, theta []float64, i int) {
	dst[0], dst[1] = theta[0]-harmonicPoints[i][0], theta[1]-harmonicPoints[i][1]
}
func (harmonicSum) Harmonic() (h, center []float64) {
	return []float64{1, 0, 0, 1}, []float64{1, 1}
}

func TestSamplers(t *testing.T) {
	t.Parallel()
	for name, s := range samplers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noisetest.TestSampler(t, s, noisetest.SamplerOptions{Seed: 5 + *seedShift})
		})
	}
}

// TestSamplerAllocations: once bound, no sampler allocates.
func TestSamplerAllocations(t *testing.T) {
	for name, s := range samplers(t) {
		const rows = 16
		f, stream, step := s.BindGradients(rows), sde.NewStream(1, nil), 0
		x, g := sde.NewBatch(rows, s.Objective().Dim()), sde.NewBatch(rows, s.Objective().Dim())
		call := func() {
			stream.At(sde.Steps, 0, step)
			f(g, x, stream)
			step++
		}
		call()
		if n := testing.AllocsPerRun(20, call); n > 0 {
			t.Errorf("%s: %v allocations a call", name, n)
		}
	}
}

func TestSamplersRefused(t *testing.T) {
	t.Parallel()
	l := newRegression(3, 1, 0, 1)
	ok := noise.WithReplacement{Loss: l, BatchSize: 1}
	shuffled := noise.Reshuffling{Loss: l, BatchSize: 1}
	flat := noise.WithReplacement{Loss: samples{[][]float64{{1}, {2}}}, BatchSize: 1}
	other := noise.WithReplacement{Loss: newRegression(3, 2, 0, 1), BatchSize: 1}
	nan := math.NaN()
	for name, s := range map[string]interface{ Validate() error }{
		"no loss":                     noise.FullGradient{},
		"a loss that refuses itself":  noise.FullGradient{Loss: loss.Func{}},
		"nothing to shuffle":          noise.Reshuffling{},
		"shuffled, B = 0":             noise.Reshuffling{Loss: l},
		"shuffled, B > N":             noise.Reshuffling{Loss: l, BatchSize: 4},
		"shuffled, N = 0":             noise.Reshuffling{Loss: recorder{}, BatchSize: 1},
		"no batches scheduled":        noise.ScheduledBatches{Size: noise.Fixed{Value: 1}, LearningRate: 1, Most: 1},
		"no schedule of batches":      noise.ScheduledBatches{Loss: l, LearningRate: 1, Most: 1},
		"batches at η = 0":            noise.ScheduledBatches{Loss: l, Size: noise.Fixed{Value: 1}, Most: 1},
		"batches of at most 0":        noise.ScheduledBatches{Loss: l, Size: noise.Fixed{Value: 1}, LearningRate: 1},
		"no labels":                   noise.LabelNoise{StdDev: 1},
		"labels of no outputs":        noise.LabelNoise{Gradient: flat, StdDev: 1},
		"labels, σ < 0":               noise.LabelNoise{Gradient: ok, StdDev: -1},
		"no labels to flip":           noise.LabelFlips{},
		"labels of no classes":        noise.LabelFlips{Gradient: ok, Rate: 0.1},
		"no gradient":                 noise.GradientNoise{},
		"no diffusion":                noise.GradientNoise{Gradient: ok, LearningRate: 1},
		"a diffusion that is refused": noise.GradientNoise{Gradient: ok, LearningRate: 1, Diffusion: noise.Temperature{T: -1}},
		"a diffusion of 2 dimensions": noise.GradientNoise{Gradient: ok, LearningRate: 1, Diffusion: noise.Diagonal{D: []float64{1, 1}}},
		"η = 0":                       noise.GradientNoise{Gradient: ok, Diffusion: noise.Temperature{T: 1}},
		"nothing scaled":              noise.Scaled{},
		"scaled by NaN":               noise.Scaled{Gradient: ok, StdDev: nan},
		"nothing dropped":             noise.Dropout{},
		"everything dropped":          noise.Dropout{Gradient: ok, Rate: 1},
		"nothing clipped":             noise.ClippedSamples{Norm: 1},
		"samples clipped at 0":        noise.ClippedSamples{Gradient: ok},
		"no gradient clipped":         noise.Clipped{Norm: 1},
		"clipped at −1":               noise.Clipped{Gradient: ok, Norm: -1},
		"clipped at NaN":              noise.Clipped{Gradient: ok, Norm: nan},
		"nothing private":             noise.DPSGD{Norm: 1},
		"private, clipped at 0":       noise.DPSGD{Gradient: ok},
		"private, σ < 0":              noise.DPSGD{Gradient: ok, Norm: 1, Multiplier: -1},
		"nothing quantised":           noise.Quantised{Spacing: 1},
		"quantised to 0":              noise.Quantised{Gradient: ok},
		"no stable":                   noise.StableNoise{Alpha: 1},
		"α = 0":                       noise.StableNoise{Gradient: ok},
		"α > 2":                       noise.StableNoise{Gradient: ok, Alpha: 2.1},
		"α is NaN":                    noise.StableNoise{Gradient: ok, Alpha: nan},
		"stable, σ < 0":               noise.StableNoise{Gradient: ok, Alpha: 1, Scale: -1},
		"no Student":                  noise.StudentNoise{DegreesOfFreedom: 1},
		"ν = 0":                       noise.StudentNoise{Gradient: ok},
		"Student, s < 0":              noise.StudentNoise{Gradient: ok, DegreesOfFreedom: 1, Scale: -1},
		"no SVAG":                     noise.SVAG{L: 1},
		"l < 1":                       noise.SVAG{Gradient: ok, L: 0.5},
		"SVAG that is shuffled":       noise.SVAG{Gradient: shuffled, L: 1},
		"nothing averaged":            noise.Averaged{Count: 1},
		"an average of none":          noise.Averaged{Gradient: ok},
		"an average, shuffled":        noise.Averaged{Gradient: shuffled, Count: 2},
		"no clients":                  noise.Clients{},
		"a client without":            noise.Clients{Members: []noise.Client{{Weight: 1}}},
		"weights of 0.9":              noise.Clients{Members: []noise.Client{{ok, 0.4}, {ok, 0.5}}},
		"a weight below 0":            noise.Clients{Members: []noise.Client{{ok, 1.5}, {ok, -0.5}}},
		"clients of two dimensions":   noise.Clients{Members: []noise.Client{{ok, 0.5}, {other, 0.5}}},
		"a client that is shuffled":   noise.Clients{Members: []noise.Client{{shuffled, 1}}},
		"−1 participants":             noise.Clients{Members: []noise.Client{{ok, 1}}, Participants: -1},
		"4 of 1 client, different":    noise.Clients{Members: []noise.Client{{ok, 1}}, Participants: 4, Distinct: true},
		"different ones of all":       noise.Clients{Members: []noise.Client{{ok, 1}}, Distinct: true},
		"−1 local steps":              noise.Clients{Members: []noise.Client{{ok, 1}}, LocalSteps: -1},
		"no local rate":               noise.Clients{Members: []noise.Client{{ok, 1}}, LocalSteps: 2},
	} {
		if err := s.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: error %v, want one that wraps sde.ErrInvalid", name, err)
		}
	}
}
