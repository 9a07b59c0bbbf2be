// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/sgflow/sgflow/internal/stable"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// accept rejects an estimate that is too far from what it should be, refuse one that is not.
func accept(t *testing.T, what string, e sde.Estimate, want float64) {
	t.Helper()
	if p := normalP((e.Value - want) / e.StdErr); !(p > level) {
		t.Errorf("%s: %v, want %v: p = %g", what, e, want, p)
	}
}

func refuse(t *testing.T, what string, e sde.Estimate, wrong float64) {
	t.Helper()
	if p := normalP((e.Value - wrong) / e.StdErr); !(p < level) {
		t.Errorf("%s: %v is not told from %v: p = %g", what, e, wrong, p)
	}
}

// TestGradientMoments holds sums, merged from parts, to those by gonum of all at once, and the
// standard errors to their definition.
func TestGradientMoments(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	const n, d = 500, 3
	x := mat.NewDense(n, d, nil)
	var all, one, two noise.GradientMoments
	var empty noise.GradientMoments
	for i := range n {
		g := x.RawRowView(i)
		g[0], g[1] = 5+r.NormFloat64(), r.ExpFloat64()
		g[2] = g[0]*g[1] - 3
		all.Add(g)
		if i < 200 {
			one.Add(g)
		} else {
			two.Add(g)
		}
	}
	one.Merge(&two)
	one.Merge(&empty)
	empty.Merge(&one)
	var want, centred mat.SymDense
	stat.CovarianceMatrix(&want, x, nil)
	var means [d]float64
	for j := range d {
		means[j] = stat.Mean(mat.Col(nil, j, x), nil)
	}
	var squares []float64
	for i := range n {
		var q float64
		for j := range d {
			q += (x.At(i, j) - means[j]) * (x.At(i, j) - means[j])
		}
		squares = append(squares, q)
	}
	deviation := math.Sqrt(stat.Variance(squares, nil) * (n - 1) / n / n)
	for name, m := range map[string]*noise.GradientMoments{"all": &all, "merged": &one, "merged into nothing": &empty} {
		if m.Count() != n {
			t.Errorf("%s: count %d", name, m.Count())
		}
		centred.Reset()
		m.Covariance(&centred)
		if !mat.EqualApprox(&centred, &want, 1e-12) {
			t.Errorf("%s: covariance %v, want %v", name, mat.Formatted(&centred), mat.Formatted(&want))
		}
		e := m.Trace()
		if math.Abs(e.Value-mat.Trace(&want)) > 1e-12*e.Value || math.Abs(e.StdErr-deviation) > 1e-9*deviation {
			t.Errorf("%s: trace %v ± %v, want %v ± %v", name, e.Value, e.StdErr, mat.Trace(&want), deviation)
		}
		for j := range d {
			e := m.Mean(j)
			if se := math.Sqrt(want.At(j, j) / n); math.Abs(e.Value-means[j]) > 1e-13*math.Abs(means[j]) || math.Abs(e.StdErr-se) > 1e-12*se {
				t.Errorf("%s: mean %d is %v ± %v, want %v ± %v", name, j, e.Value, e.StdErr, means[j], se)
			}
		}
	}
}

// TestNoiseScale holds tr Σ, |G|² and their ratio from pairs of batches to those of all samples,
// with and without replacement, small ones that are parts of the large ones, and with the Hessian
// as a metric.
func TestNoiseScale(t *testing.T) {
	t.Parallel()
	x, y := loss.LogisticTeacher(60, []float64{1, -2, 0.5}, 3)
	l, err := loss.NewLogistic(x, y, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	theta := []float64{-0.5, 0.2, 1}
	simple, byHessian := noise.NoiseScales(l, theta)
	var sigma mat.SymDense
	noise.SampleCovariance(&sigma, l, theta)
	trace := mat.Trace(&sigma)
	h := mat.NewSymDense(3, nil)
	l.Hessian(h.RawSymmetric().Data, theta)
	const small, big, pairs = 4, 16, 20_000
	for name, c := range map[string]struct {
		samples int
		metric  func(dst, g []float64)
		trace   float64
		scale   float64
		subset  bool
	}{
		"with replacement":    {0, nil, trace, simple, false},
		"without replacement": {60, nil, trace, simple, false},
		"parts of the other":  {0, nil, trace, simple, true},
		"by the Hessian": {0, func(dst, g []float64) { mat.NewVecDense(3, dst).MulVec(h, mat.NewVecDense(3, g)) },
			0, byHessian, false},
	} {
		newScale := func() *noise.NoiseScale {
			return &noise.NoiseScale{Small: small, Big: big, Samples: c.samples, Metric: c.metric}
		}
		parts, wrong := []*noise.NoiseScale{newScale(), newScale()}, newScale()
		wrong.Small = 8 // a planted fault
		if err := parts[0].Validate(); err != nil {
			t.Fatal(err)
		}
		var of, all sde.GradientSampler = noise.WithReplacement{Loss: l, BatchSize: small}, noise.WithReplacement{Loss: l, BatchSize: big}
		if c.samples > 0 {
			of, all = noise.WithoutReplacement{Loss: l, BatchSize: small}, noise.WithoutReplacement{Loss: l, BatchSize: big}
		}
		var gs, gb [][]float64
		draws(of, theta, 64, pairs/64+1, 5, func(_ int, g []float64) { gs = append(gs, slices.Clone(g)) })
		draws(all, theta, 64, pairs/64+1, 6, func(_ int, g []float64) { gb = append(gb, slices.Clone(g)) })
		for i := range pairs {
			if c.subset { // a mean of four small ones
				for j := range gb[i] {
					gb[i][j] = (gs[i][j] + gs[(i+1)%pairs][j] + gs[(i+2)%pairs][j] + gs[(i+3)%pairs][j]) / 4
				}
				if i%4 != 0 {
					continue
				}
			}
			parts[i%8/4].Add(gs[i], gb[i])
			wrong.Add(gs[i], gb[i])
		}
		e := parts[0]
		e.Merge(parts[1])
		if c.trace > 0 {
			accept(t, name+": tr Σ", e.Trace(), c.trace)
			refuse(t, name+": tr Σ for 8 of 4", wrong.Trace(), c.trace)
			accept(t, name+": |G|²", e.SquaredGradient(), c.trace/c.scale)
			refuse(t, name+": |G|² for 8 of 4", wrong.SquaredGradient(), c.trace/c.scale)
		}
		accept(t, name+": the noise scale", e.Scale(), c.scale)
		refuse(t, name+": half the noise scale", e.Scale(), c.scale/2)
		if c.samples > 0 {
			right := e.Trace().Value
			e.Samples = 0
			if got := e.Trace().Value; math.Abs(got-right*60/59) > 1e-12*right {
				t.Errorf("%s: tr Σ = %v, uncorrected %v", name, right, got)
			}
		}
	}
	for _, e := range []noise.NoiseScale{{Big: 2}, {Small: 2, Big: 2}, {Small: 1, Big: 4, Samples: 3}} {
		if err := e.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: error %v, want one that wraps sde.ErrInvalid", e, err)
		}
	}
	for name, e := range map[string]sde.Estimate{"the trace of none": new(noise.GradientMoments).Trace(), "the kurtosis of none": new(noise.Kurtosis).Kurtosis(),
		"the scale of none": new(noise.NoiseScale).Scale()} {
		if !math.IsNaN(e.Value) || !math.IsNaN(e.StdErr) {
			t.Errorf("%s is %v", name, e)
		}
	}
	if _, n := noise.NoiseScales(newRegression(5, 2, 0, 1), []float64{1, 2}); !math.IsNaN(n) {
		t.Errorf("without a Hessian B_noise is %v", n)
	}
}

// TestTopSpectrum holds Lanczos's eigenvalues and vectors to those of the whole matrix.
func TestTopSpectrum(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, d, k int }{{100, 12, 4}, {5, 12, 3}, {5, 12, 8}, {40, 3, 3}, {1, 3, 2}, {200, 40, 5}} {
		l := newRegression(c.n, c.d, 0.2, 1)
		theta := make([]float64, c.d)
		theta[0] = 0.3
		var sigma mat.SymDense
		noise.SampleCovariance(&sigma, l, theta)
		var eigen mat.EigenSym
		eigen.Factorize(&sigma, false)
		want := eigen.Values(nil)
		values, vectors := noise.TopSpectrum(l, theta, c.k)
		for j, v := range values {
			w := want[c.d-1-j]
			if math.Abs(v-w) > 1e-10*want[c.d-1] {
				t.Errorf("%+v: eigenvalue %d is %v, want %v", c, j, v, w)
			}
			if v <= 1e-10*values[0] {
				continue
			}
			var r mat.VecDense
			r.MulVec(&sigma, vectors.ColView(j))
			r.AddScaledVec(&r, -v, vectors.ColView(j))
			if res := mat.Norm(&r, 2); res > 1e-8*values[0] || math.Abs(mat.Norm(vectors.ColView(j), 2)-1) > 1e-10 {
				t.Errorf("%+v: eigenvector %d has the residual %v", c, j, res)
			}
		}
	}
}

func TestAlignment(t *testing.T) {
	t.Parallel()
	a := mat.NewSymDense(2, []float64{1, 2, 2, 5})
	var b, c mat.SymDense
	b.ScaleSym(3, a)
	c.ScaleSym(-1, a)
	for _, v := range []struct {
		b    mat.Symmetric
		want float64
	}{{a, 1}, {&b, 1}, {&c, -1}, {mat.NewSymDense(2, []float64{2, -1, -1, 0.4}), 0}} {
		if got := noise.Alignment(a, v.b); math.Abs(got-v.want) > 1e-15 {
			t.Errorf("alignment %v, want %v", got, v.want)
		}
	}
}

// TestKurtosis holds the estimate to the laws': 3, 9 and 1.8, and to gonum's by the same numbers.
func TestKurtosis(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, *seedShift))
	for name, c := range map[string]struct {
		draw       func() float64
		want, skew float64
	}{
		"normal":      {r.NormFloat64, 3, 0},
		"exponential": {r.ExpFloat64, 9, 2},
		"uniform":     {r.Float64, 1.8, 0},
	} {
		var all, part noise.Kurtosis
		var x []float64
		for i := range 200_000 {
			v := c.draw() + 10
			x = append(x, v)
			if i%3 == 0 {
				part.Add(v)
			} else {
				all.Add(v)
			}
		}
		all.Merge(&part)
		e := all.Kurtosis()
		accept(t, name, e, c.want)
		refuse(t, name, e, c.want*1.2)
		// gonum corrects for the size of the sample.
		if d := e.Value - 3 - stat.ExKurtosis(x, nil); math.Abs(d) > 1e-3 {
			t.Errorf("%s: off gonum's by %v", name, d)
		}
	}
	// The standard error of a Gaussian's is √(24/n), of an exponential's larger by far.
	var k noise.Kurtosis
	for range 200_000 {
		k.Add(r.NormFloat64())
	}
	if got, want := k.Kurtosis().StdErr, math.Sqrt(24.0/200_000); math.Abs(got-want) > 0.1*want {
		t.Errorf("standard error %v, want %v", got, want)
	}
}

// TestTailIndices draws α-stable and Pareto numbers and holds the indices found to theirs.
func TestTailIndices(t *testing.T) {
	t.Parallel()
	const n = 1 << 16
	s := sde.NewStream(6+*seedShift, nil)
	u := make([]float64, 2*n)
	for k, alpha := range []float64{0.8, 1.2, 1.5, 1.9} {
		s.At(sde.Steps, 0, k)
		s.Uniforms(u)
		var all, part noise.StableIndex
		pareto := make([]float64, n)
		for i := range n {
			x := 3 * stable.Symmetric(alpha, u[2*i], u[2*i+1])
			if i < 64*500 {
				part.Add(x)
			} else {
				all.Add(x)
			}
			pareto[i] = math.Pow(u[2*i], -1/alpha)
		}
		all.Merge(&part)
		if all.Count() != n {
			t.Errorf("count %d", all.Count())
		}
		for name, index := range map[string]func() (sde.Estimate, error){"sums": all.Sums, "logarithms": all.Logs} {
			e, err := index()
			if err != nil {
				t.Fatal(err)
			}
			accept(t, name, e, alpha)
			refuse(t, name, e, alpha-0.25)
		}
		e, err := noise.Hill(pareto, 4000)
		if err != nil {
			t.Fatal(err)
		}
		accept(t, "Hill", e, alpha)
		refuse(t, "Hill", e, alpha*1.2)
	}
	// The standard errors are those that many estimates scatter by.
	var found, stated [2][]float64
	for k := range 200 {
		s.At(sde.Steps, 1, k)
		s.Uniforms(u[:2*2048])
		var e noise.StableIndex
		for i := range 2048 {
			e.Add(stable.Symmetric(1.5, u[2*i], u[2*i+1]))
		}
		for j, index := range []func() (sde.Estimate, error){e.Logs, e.Sums} {
			a, err := index()
			if err != nil {
				t.Fatal(err)
			}
			found[j], stated[j] = append(found[j], a.Value), append(stated[j], a.StdErr)
		}
	}
	for j, name := range []string{"logarithms", "sums"} {
		// The error of a standard deviation σ is σ√((κ−1)/4n), κ the kurtosis.
		mean, off := meanError(stated[j])
		r := stat.StdDev(found[j], nil) / mean
		kurtosis := stat.ExKurtosis(found[j], nil) + 3
		e := sde.Estimate{Value: r, StdErr: r * math.Hypot(math.Sqrt((kurtosis-1)/4/200), off/mean)}
		accept(t, name+": scatter over the standard error", e, 1)
		refuse(t, name+": scatter over two thirds of the standard error", e, 1.5)
	}
	for name, err := range map[string]error{
		"k = 0":          second(noise.Hill([]float64{1, 2}, 0)),
		"k = n":          second(noise.Hill([]float64{1, 2}, 2)),
		"NaN":            second(noise.Hill([]float64{1, 2, math.NaN()}, 1)),
		"zeros":          second(noise.Hill([]float64{0, 0, 1}, 1)),
		"no tail":        second(noise.Hill([]float64{1, 1, 1}, 1)),
		"a block of 1":   (&noise.StableIndex{Block: 1}).Validate(),
		"no sums":        second(new(noise.StableIndex).Sums()),
		"no logarithms":  second(new(noise.StableIndex).Logs()),
		"a zero":         second(indexOf(0, 1, 2, 3, 4).Logs()),
		"all about even": second(indexOf(1, 1.1, 1, -1.1, 1, 1.1).Logs()),
		"sums of zero":   second(indexOf(1, -1, 1, -1).Sums()),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func indexOf(x ...float64) *noise.StableIndex {
	e := &noise.StableIndex{Block: 2}
	for _, v := range x {
		e.Add(v)
	}
	return e
}

// TestNoiseCorrelation: white noise has none, a moving average of two has ½ at lag 1, and
// reshuffling of all of five samples −1/4 on average over pairs within an epoch.
func TestNoiseCorrelation(t *testing.T) {
	t.Parallel()
	l := line{1, []float64{-2, -1, 0, 0.5, 2.5}}
	series := func(s sde.GradientSampler) []*noise.NoiseCorrelation {
		of := make([]*noise.NoiseCorrelation, 32)
		for r := range of {
			of[r] = &noise.NoiseCorrelation{Lags: 6}
		}
		draws(s, []float64{0}, len(of), 2000, 3, func(r int, g []float64) { of[r].Add(g) })
		return of
	}
	merged := func(of []*noise.NoiseCorrelation) *noise.NoiseCorrelation {
		var all = &noise.NoiseCorrelation{Lags: 6}
		for _, c := range of {
			all.Merge(c)
		}
		return all
	}
	white := merged(series(noise.WithReplacement{Loss: l, BatchSize: 1}))
	shuffled := merged(series(noise.Reshuffling{Loss: l, BatchSize: 1}))
	for k := 1; k <= 6; k++ {
		accept(t, "white", white.Correlation(k), 0)
		// Of steps k apart (5−k)/5 are in one epoch.
		want := -math.Max(0, 5-float64(k)) / 5 / 4
		accept(t, "reshuffled", shuffled.Correlation(k), want)
		if k < 4 {
			refuse(t, "reshuffled", shuffled.Correlation(k), 0)
		}
	}
	r := rand.New(rand.NewPCG(1, *seedShift))
	c := &noise.NoiseCorrelation{Lags: 2}
	last := []float64{0, 0}
	for range 20_000 {
		z := []float64{r.NormFloat64(), r.NormFloat64()}
		c.Add([]float64{z[0] + last[0], z[1] + last[1]})
		last = z
	}
	if e := c.Correlation(1); math.Abs(e.Value-0.5) > 0.02 {
		t.Errorf("a moving average: %v, want ½", e)
	}
	refuse(t, "a moving average", c.Correlation(1), 0)
	c.Cut()
	before := c.Correlation(1).Groups
	c.Add([]float64{1, 1})
	if c.Correlation(1).Groups != before {
		t.Error("a series that was cut goes on")
	}
	if err := (&noise.NoiseCorrelation{}).Validate(); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("no lags: %v", err)
	}
	if e := (&noise.NoiseCorrelation{Lags: 1}).Correlation(1); !math.IsNaN(e.Value) {
		t.Errorf("of nothing: %v", e)
	}
}

// TestPowerLaws shows from data that the variance of a gradient is in proportion to 1/B, and D,
// half of what a step of SGD moves by squared, per time, to η/B. Without replacement, near B = N,
// it is not.
func TestPowerLaws(t *testing.T) {
	t.Parallel()
	l := newRegression(48, 3, 0.2, 1)
	theta := []float64{0.2, 0, 1}
	measure := func(of func(b int) sde.GradientSampler, b int, eta float64, seed uint64) sde.Estimate {
		var m noise.GradientMoments
		draws(of(b), theta, 64, 200, seed, func(_ int, g []float64) {
			for j := range g {
				g[j] *= -eta
			}
			m.Add(g)
		})
		e := m.Trace()
		return sde.Estimate{Value: e.Value / (2 * eta), StdErr: e.StdErr / (2 * eta)}
	}
	with := func(b int) sde.GradientSampler { return noise.WithReplacement{Loss: l, BatchSize: b} }
	without := func(b int) sde.GradientSampler { return noise.WithoutReplacement{Loss: l, BatchSize: b} }
	sizes, rates := []float64{1, 2, 4, 8, 16, 32}, []float64{0.01, 0.02, 0.05, 0.1, 0.2}
	fit := func(x []float64, f func(x float64, seed uint64) sde.Estimate) noise.PowerLaw {
		var y []sde.Estimate
		for i, v := range x {
			y = append(y, f(v, uint64(10+i)))
		}
		law, err := noise.FitPowerLaw(x, y)
		if err != nil {
			t.Fatal(err)
		}
		return law
	}
	inB := fit(sizes, func(b float64, seed uint64) sde.Estimate { return measure(with, int(b), 1, seed) })
	accept(t, "D against B", inB.Exponent, -1)
	refuse(t, "D against B", inB.Exponent, -0.9)
	if p := inB.P(); p < level {
		t.Errorf("D against B is no power law: p = %g", p)
	}
	if low, high := inB.Interval(1 - 1e-8); low > -1 || high < -1 {
		t.Errorf("the interval %v to %v does not have −1", low, high)
	}
	inEta := fit(rates, func(eta float64, seed uint64) sde.Estimate { return measure(with, 4, eta, 20+seed) })
	accept(t, "D against η", inEta.Exponent, 1)
	refuse(t, "D against η", inEta.Exponent, 1.1)
	const exact = 0.5 // D = (η/2B) tr Σ
	var sigma mat.SymDense
	noise.SampleCovariance(&sigma, l, theta)
	if want := exact / 4 * mat.Trace(&sigma); math.Abs(inEta.Amplitude-want) > 0.1*want {
		t.Errorf("D = %v η, want %v η", inEta.Amplitude, want)
	}
	bent := fit(sizes, func(b float64, seed uint64) sde.Estimate { return measure(without, int(b), 1, seed) })
	refuse(t, "D against B without replacement", bent.Exponent, -1)
	if p := bent.P(); p > level {
		t.Errorf("without replacement it is a power law of B: p = %g", p)
	}
	one := sde.Estimate{Value: 1, StdErr: 0.1}
	for name, err := range map[string]error{
		"two points":  second(noise.FitPowerLaw([]float64{1, 2}, []sde.Estimate{one, one})),
		"x = 0":       second(noise.FitPowerLaw([]float64{0, 1, 2}, []sde.Estimate{one, one, one})),
		"no error":    second(noise.FitPowerLaw([]float64{3, 1, 2}, []sde.Estimate{one, one, {Value: 1}})),
		"one x alone": second(noise.FitPowerLaw([]float64{1, 1, 1}, []sde.Estimate{one, one, one})),
	} {
		if !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMomentsSpectrum: of gradients added in two parts and merged, the spectrum is that of the
// covariance of all, and TopSpectrum's of the finite sum up to the divisor.
func TestMomentsSpectrum(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	l := samples{make([][]float64, 40)}
	var parts [2]noise.GradientMoments
	for i := range l.g {
		l.g[i] = []float64{3 * r.NormFloat64(), r.NormFloat64(), 0.3 * r.NormFloat64()}
		parts[i/25].Add(l.g[i])
	}
	parts[0].Merge(&parts[1])
	got, vectors := parts[0].Spectrum(2)
	want, w := noise.TopSpectrum(l, make([]float64, 3), 2)
	for i, v := range want {
		if v *= 40.0 / 39; math.Abs(got[i]-v) > 1e-12*v {
			t.Errorf("eigenvalue %d is %v, want %v", i, got[i], v)
		}
		var dot float64
		for j := range 3 {
			dot += vectors.At(j, i) * w.At(j, i)
		}
		if math.Abs(math.Abs(dot)-1) > 1e-9 {
			t.Errorf("eigenvector %d is turned: product %v", i, dot)
		}
	}
	var one noise.GradientMoments
	one.Add([]float64{1, 2})
	if values, _ := one.Spectrum(1); !math.IsNaN(values[0]) {
		t.Errorf("of one gradient: %v", values)
	}
}
