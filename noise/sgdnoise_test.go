// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/noise/noisetest"
	"github.com/sgflow/sgflow/sde"
)

// covarianceOf returns BBᵀ/η of a diffusion at θ.
func covarianceOf(n sde.Diffusion, theta []float64, eta float64) *mat.SymDense {
	d, m := n.Dims()
	root := make([]float64, d*m)
	n.Root(root, theta, 0)
	c := mat.NewSymDense(d, nil)
	c.SymOuterK(1/eta, mat.NewDense(d, m, root))
	return c
}

func differ(a, b mat.Symmetric) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return mat.Max(&d) - mat.Min(&d)
}

// TestSGDNoise holds roots to BBᵀ = ηC with C the covariance over all batches there are, of full
// rank, of less because of few samples, of collinear ones, and of none.
func TestSGDNoise(t *testing.T) {
	t.Parallel()
	const eta = 0.3
	collinear := newRegression(20, 4, 0.1, 1)
	for i := range collinear.x {
		collinear.x[i][2] = collinear.x[i][0] - collinear.x[i][1]
	}
	exact := newRegression(9, 3, 0.2, 0)
	for name, c := range map[string]struct {
		l     sde.FiniteSum
		theta []float64
	}{
		"full rank":      {newRegression(20, 3, 0.2, 1), []float64{1, -0.5, 0.2}},
		"few samples":    {newRegression(3, 6, 0.2, 1), []float64{1, -0.5, 0.2, 0, 0, 1}},
		"collinear":      {collinear, []float64{1, -0.5, 0.2, 0.3}},
		"one sample":     {newRegression(1, 2, 0, 1), []float64{1, 2}},
		"no noise":       {exact, []float64{0.5, 0, -0.5}},
		"almost none":    {exact, []float64{0.5 + 1e-9, 0, -0.5}},
		"one coordinate": {newRegression(5, 1, 0, 1), []float64{2}},
	} {
		d, n := len(c.theta), c.l.Samples()
		with := noise.WithReplacement{Loss: c.l, BatchSize: 4}
		without := noise.WithoutReplacement{Loss: c.l, BatchSize: min(2, n)}
		var sigma mat.SymDense
		noise.SampleCovariance(&sigma, c.l, c.theta)
		size := mat.Max(&sigma)
		for _, s := range []sde.Batched{with, without} {
			var want mat.SymDense
			want.ScaleSym(s.CovarianceFactor(), &sigma)
			columns, err := noise.NewSGDColumns(s, eta, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			for kind, n := range map[string]sde.Diffusion{"exact": noise.SGDNoise{Gradient: s, LearningRate: eta},
				"all columns": columns, "all directions": noise.SGDTop{Gradient: s, LearningRate: eta, Directions: d}} {
				if off := differ(covarianceOf(n, c.theta, eta), &want); off > 1e-13*size {
					t.Errorf("%s, %s: BBᵀ/η is off C by %v of %v", name, kind, off, size)
				}
			}
			b := make([]float64, d)
			noise.SGDDiagonal{Gradient: s, LearningRate: eta}.DiagonalRoot(b, c.theta, 0)
			for j, v := range b {
				if math.Abs(v*v/eta-want.At(j, j)) > 1e-13*size {
					t.Errorf("%s, diagonal: b_%d² = %v η, want %v η", name, j, v*v/eta, want.At(j, j))
				}
			}
		}
	}
}

// TestSGDNoiseNaN: where the gradients are not finite, a root is not, and nothing panics or goes on
// for ever: a run then says which particle diverged.
func TestSGDNoiseNaN(t *testing.T) {
	t.Parallel()
	for name, n := range diffusions(t) {
		if name == "a diagonal, modulated" || name == "a scheduled mini-batch" {
			continue // they do not depend on θ
		}
		_, m := n.Dims()
		for _, bad := range []float64{math.NaN(), math.Inf(1), 1e200} {
			root, finite := make([]float64, 3*m), true
			n.Root(root, []float64{1, bad, 2}, 0)
			for _, v := range root {
				finite = finite && v-v == 0
			}
			if finite && bad != 1e200 && name != "of clipped samples" && name != "of labels that flip" {
				t.Errorf("%s: at %v the root is %v", name, bad, root)
			}
		}
	}
}

// TestFinitePopulation holds (N−B)/(B(N−1)) Σ to the other form that it has, (1/B − 1/N) S with S =
// N/(N−1) Σ, to rounding.
func TestFinitePopulation(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3, 20, 569, 60_000} {
		l := recorder{n: n, d: 1}
		for _, b := range []int{1, 2, n / 2, n - 1, n} {
			if b < 1 {
				continue
			}
			big, size := float64(n), float64(b)
			got, want := noise.WithoutReplacement{Loss: l, BatchSize: b}.CovarianceFactor(), (1/size-1/big)*(big/(big-1))
			if math.Abs(got-want) > 1e-15*want && math.Abs(got-want) > 1e-15/size {
				t.Errorf("N = %d, B = %d: %v, and %v in the other form", n, b, got, want)
			}
			if shuffled := (noise.Reshuffling{Loss: l, BatchSize: b}).CovarianceFactor(); shuffled != got {
				t.Errorf("N = %d, B = %d: reshuffled %v, independent %v", n, b, shuffled, got)
			}
		}
	}
}

// TestGradientNoiseForms holds the forms of one noise, isotropic, diagonal and dense, to one
// another.
func TestGradientNoiseForms(t *testing.T) {
	t.Parallel()
	const temperature = 0.3
	full := noise.FullGradient{Loss: bowl{[]float64{1, 3}, []float64{0.5, -1}}}
	root := math.Sqrt(2 * temperature)
	var want []float64
	for k, n := range []sde.Diffusion{noise.Temperature{T: temperature}, noise.Diagonal{D: []float64{temperature, temperature}},
		noise.Func{State: 2, Noise: 2, B: func(dst, _ []float64, _ float64) { copy(dst, []float64{root, 0, 0, root}) }}} {
		i := 0
		draws(noise.GradientNoise{Gradient: full, Diffusion: n, LearningRate: 0.1}, []float64{1, 2}, 4, 3, 1, func(_ int, g []float64) {
			for _, v := range g {
				if k == 0 {
					want = append(want, v)
				} else if math.Abs(v-want[i]) > 4e-15 {
					t.Errorf("%T: number %d is %v, by a temperature %v", n, i, v, want[i])
				}
				i++
			}
		})
	}
}

// TestSGDTop: what is left out is the smaller eigenvalues, and Share says how much that is.
func TestSGDTop(t *testing.T) {
	t.Parallel()
	l := newRegression(30, 5, 0.2, 1)
	theta := []float64{1, 0, 0.5, -0.2, 0}
	s := noise.WithReplacement{Loss: l, BatchSize: 1}
	values, _ := noise.TopSpectrum(l, theta, 5)
	var all float64
	for _, v := range values {
		all += v
	}
	var kept float64
	for k, v := range values {
		kept += v
		n := noise.SGDTop{Gradient: s, LearningRate: 0.1, Directions: k + 1}
		if got := n.Share(theta); math.Abs(got-kept/all) > 1e-12 {
			t.Errorf("%d directions have %v of the trace, want %v", k+1, got, kept/all)
		}
		var sigma mat.SymDense
		noise.SampleCovariance(&sigma, l, theta)
		var rest mat.Dense
		rest.Sub(&sigma, covarianceOf(n, theta, 0.1))
		if off := math.Abs(mat.Norm(&rest, 2) - norm(values[k+1:])); off > 1e-12*all {
			t.Errorf("%d directions leave out a matrix of norm %v, want %v", k+1, mat.Norm(&rest, 2), norm(values[k+1:]))
		}
	}
}

func norm(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s)
}

// TestSGDColumnsUnbiased: averaged over all choices of three of five samples, D̂ is D.
func TestSGDColumnsUnbiased(t *testing.T) {
	t.Parallel()
	l := newRegression(5, 2, 0.1, 1)
	theta := []float64{0.4, -1}
	s := noise.WithReplacement{Loss: l, BatchSize: 1}
	var sigma mat.SymDense
	noise.SampleCovariance(&sigma, l, theta)
	var mean mat.SymDense
	mean.ReuseAsSym(2)
	choices := map[float64]*mat.SymDense{}
	for seed := range uint64(200) {
		n, err := noise.NewSGDColumns(s, 1, 3, seed)
		if err != nil {
			t.Fatal(err)
		}
		c := covarianceOf(n, theta, 1)
		choices[math.Round(c.At(0, 0)*1e9)] = c
	}
	if len(choices) != 10 {
		t.Fatalf("%d choices of three of five, want 10", len(choices))
	}
	for _, c := range choices {
		c.ScaleSym(0.1, c)
		mean.AddSym(&mean, c)
	}
	if off := differ(&mean, &sigma); off > 1e-14*mat.Max(&sigma) {
		t.Errorf("the mean over all choices is off by %v", off)
	}
}

// TestSGDNoiseDivergence holds ∇·D, by differences of the root, to its formula for ℓ_i = ½(x_i·θ −
// y_i)²: with g_i = e_i x_i, ∂_l g_i = x_il x_i,
//
//	(∇·D)_j = (η/2B) [mean_i (2 e_i x_ij |x_i|²) − Σ_l ∂_l(ḡ_j ḡ_l)]
func TestSGDNoiseDivergence(t *testing.T) {
	t.Parallel()
	const n, d, eta, b = 12, 3, 0.2, 2
	l := newRegression(n, d, 0, 1)
	theta := []float64{0.3, -0.7, 1}
	g, h := make([]float64, d), mat.NewDense(d, d, nil)
	want := make([]float64, d)
	for i, x := range l.x {
		e, _ := l.output(theta, i)
		e -= l.y[i]
		var q float64
		for _, v := range x {
			q += v * v
		}
		for j, v := range x {
			want[j] += 2 * e * v * q / n
			g[j] += e * v / n
			for k, w := range x {
				h.Set(j, k, h.At(j, k)+v*w/n)
			}
		}
	}
	for j := range want {
		for k := range g {
			want[j] -= h.At(j, k)*g[k] + g[j]*h.At(k, k)
		}
		want[j] *= eta / (2 * b)
	}
	s := noise.WithReplacement{Loss: l, BatchSize: b}
	columns, err := noise.NewSGDColumns(s, eta, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, diffusion := range map[string]sde.Diffusion{"exact": noise.SGDNoise{Gradient: s, LearningRate: eta}, "columns": columns,
		"directions": noise.SGDTop{Gradient: s, LearningRate: eta, Directions: d}} {
		_, m := diffusion.Dims()
		got := make([]float64, d)
		sde.NewConversion(diffusion, d, m, sde.Klimontovich, sde.Ito).Add(got, theta, 0)
		for j, v := range got {
			if math.Abs(v-want[j]) > 1e-7*norm(want) {
				t.Errorf("%s: (∇·D)_%d = %v, want %v", name, j, v, want[j])
			}
		}
	}
}

// diffusions returns those made from samplers of gradients, and from schedules.
func diffusions(t *testing.T) map[string]sde.Diffusion {
	l := newRegression(8, 3, 0.2, 1)
	with := noise.WithReplacement{Loss: l, BatchSize: 2}
	columns, err := noise.NewSGDColumns(with, 0.1, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	x, y := loss.LogisticTeacher(30, []float64{1, -2, 0.5}, 3)
	logistic, err := loss.NewLogistic(x, y, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	labels := noise.LabelNoise{Gradient: noise.WithoutReplacement{Loss: l, BatchSize: 3}, StdDev: 0.5}
	flips := noise.LabelFlips{Gradient: noise.WithReplacement{Loss: logistic, BatchSize: 3}, Rate: 0.2}
	half := noise.Stepwise{Times: []float64{0.2, 5}, Values: []float64{1, 0.5, 0.1}}
	return map[string]sde.Diffusion{
		"of batches":             noise.SGDNoise{Gradient: with, LearningRate: 0.1},
		"of noisy labels":        noise.SGDNoise{Gradient: labels, LearningRate: 0.1},
		"of labels that flip":    noise.SGDNoise{Gradient: flips, LearningRate: 0.1},
		"of clipped samples":     noise.SGDNoise{Gradient: noise.ClippedSamples{Gradient: with, Norm: 1}, LearningRate: 0.1},
		"columns":                columns,
		"directions":             noise.SGDTop{Gradient: with, LearningRate: 0.1, Directions: 2},
		"directions of labels":   noise.SGDTop{Gradient: labels, LearningRate: 0.1, Directions: 1},
		"diagonal":               noise.SGDDiagonal{Gradient: with, LearningRate: 0.1},
		"diagonal of labels":     noise.SGDDiagonal{Gradient: labels, LearningRate: 0.1},
		"modulated":              noise.Modulated{Diffusion: noise.SGDNoise{Gradient: with, LearningRate: 0.1}, Factor: half},
		"a diagonal, modulated":  noise.Modulated{Diffusion: noise.Diagonal{D: []float64{1, 2, 3}}, Factor: half},
		"a scheduled mini-batch": noise.ScheduledMinibatch{LearningRate: half, BatchSize: noise.Fixed{Value: 8}, Variance: 2},
	}
}

func TestDiffusionsOfData(t *testing.T) {
	t.Parallel()
	for name, n := range diffusions(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noisetest.Test(t, n, noisetest.Options{})
		})
	}
}

// TestDiffusionAllocations: a root allocates nothing once memory is in the pool, and a flow with
// each runs.
func TestDiffusionAllocations(t *testing.T) {
	for name, n := range diffusions(t) {
		m := 3
		if _, k := n.Dims(); k > 0 {
			m = k
		}
		root, theta := make([]float64, 3*m), []float64{1, 0.2, -1}
		n.Root(root, theta, 0)
		if a := testing.AllocsPerRun(50, func() { n.Root(root, theta, 0) }); a > 0 {
			t.Errorf("%s: %v allocations a root", name, a)
		}
		e := integrate.Ensemble{Equation: sde.Flow{Loss: bowl{[]float64{1, 1, 1}, []float64{0, 0, 0}}, Diffusion: n}, Step: 0.1, Particles: 10}
		if _, err := e.Run(t.Context(), integrate.Schedule{Time: 0.5}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiffusionsOfDataRefused(t *testing.T) {
	t.Parallel()
	l := newRegression(3, 1, 0, 1)
	with := noise.WithReplacement{Loss: l, BatchSize: 1}
	for name, n := range map[string]interface{ Validate() error }{
		"no sampler":           noise.SGDNoise{LearningRate: 0.1},
		"η = 0":                noise.SGDNoise{Gradient: with},
		"no covariance":        noise.SGDNoise{Gradient: noise.Clipped{Gradient: with, Norm: 1}, LearningRate: 0.1},
		"a plain sampler":      noise.SGDDiagonal{Gradient: struct{ sde.GradientSampler }{with}, LearningRate: 0.1},
		"infinite variance":    noise.SGDNoise{Gradient: noise.StableNoise{Gradient: with, Alpha: 1.5, Scale: 1}, LearningRate: 0.1},
		"noise with memory":    noise.SGDNoise{Gradient: noise.Reshuffling{Loss: l, BatchSize: 1}, LearningRate: 0.1},
		"a sampler refused":    noise.SGDTop{Gradient: noise.WithReplacement{Loss: l}, LearningRate: 0.1, Directions: 1},
		"k = 0":                noise.SGDTop{Gradient: with, LearningRate: 0.1},
		"k > d":                noise.SGDTop{Gradient: with, LearningRate: 0.1, Directions: 2},
		"no columns":           new(noise.SGDColumns),
		"nothing modulated":    noise.Modulated{Factor: noise.Fixed{Value: 1}},
		"by nothing":           noise.Modulated{Diffusion: noise.Temperature{T: 1}},
		"modulated jumps":      noise.Modulated{Diffusion: noise.Stable{Alpha: 1, Scale: 1}, Factor: noise.Fixed{Value: 1}},
		"jumps as Gaussians":   noise.GradientNoise{Gradient: with, Diffusion: noise.Stable{Alpha: 1, Scale: 1}, LearningRate: 1},
		"no variance":          noise.ScheduledMinibatch{LearningRate: noise.Fixed{Value: 1}, BatchSize: noise.Fixed{Value: 1}},
		"B(0) = 0":             noise.ScheduledMinibatch{LearningRate: noise.Fixed{Value: 1}, BatchSize: noise.Fixed{}, Variance: 1},
		"no learning rate":     noise.ScheduledMinibatch{BatchSize: noise.Fixed{Value: 1}, Variance: 1},
		"no batch size":        noise.ScheduledMinibatch{LearningRate: noise.Fixed{Value: 1}, Variance: 1},
		"fixed at −1":          noise.Fixed{Value: -1},
		"steps without values": noise.Stepwise{Times: []float64{1}},
		"times out of order":   noise.Stepwise{Times: []float64{2, 1}, Values: []float64{1, 2, 3}},
		"a time twice":         noise.Stepwise{Times: []float64{1, 1}, Values: []float64{1, 2, 3}},
		"a time of 0":          noise.Stepwise{Times: []float64{0}, Values: []float64{1, 2}},
		"a value of NaN":       noise.Stepwise{Values: []float64{math.NaN()}},
		"warming up to what":   noise.Warmup{Duration: 1},
		"warm at once":         noise.Warmup{Then: noise.Fixed{}},
		"from −1":              noise.Warmup{Start: -1, Duration: 1, Then: noise.Fixed{}},
		"to what is refused":   noise.Warmup{Duration: 1, Then: noise.Fixed{Value: -1}},
		"a wave from −1":       noise.Cosine{From: -1, Duration: 1},
		"a wave to −1":         noise.Cosine{To: -1, Duration: 1},
		"a wave of no length":  noise.Cosine{},
		"1/t from −1":          noise.InverseTime{Initial: -1},
		"1/t at −1":            noise.InverseTime{Rate: -1},
		"a cycle from −1":      noise.Cyclic{Low: -1, Period: 1},
		"a cycle to −1":        noise.Cyclic{High: -1, Period: 1},
		"a cycle of no length": noise.Cyclic{},
		"a ratio of nothing":   noise.Ratio{By: noise.Fixed{}},
		"a ratio by nothing":   noise.Ratio{Of: noise.Fixed{}},
		"batches for nothing":  noise.BatchFor{LearningRate: 1, BatchSize: 1},
		"batches for η₀ = 0":   noise.BatchFor{Decay: noise.Fixed{Value: 1}, BatchSize: 1},
		"batches for B₀ = 0":   noise.BatchFor{Decay: noise.Fixed{Value: 1}, LearningRate: 1},
	} {
		if err := n.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: error %v, want one that wraps sde.ErrInvalid", name, err)
		}
	}
	for name, err := range map[string]error{
		"no sampler": second(noise.NewSGDColumns(nil, 0.1, 0, 1)),
		"η = 0":      second(noise.NewSGDColumns(with, 0, 0, 1)),
		"m = 1":      second(noise.NewSGDColumns(with, 0.1, 1, 1)),
		"m > N":      second(noise.NewSGDColumns(with, 0.1, 4, 1)),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("columns, %s: error %v, want one that wraps sde.ErrInvalid", name, err)
		}
	}
}
