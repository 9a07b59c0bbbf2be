// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// draws calls f for so many gradients at θ, for each step with one of each row.
func draws(s sde.GradientSampler, theta []float64, rows, steps int, seed uint64, f func(row int, g []float64)) {
	sample, stream := s.BindGradients(rows), sde.NewStream(seed+*seedShift, nil)
	x, g := sde.NewBatch(rows, len(theta)), sde.NewBatch(rows, len(theta))
	for r := range rows {
		copy(x.Row(r), theta)
	}
	for k := range steps {
		stream.At(sde.Steps, 0, k)
		sample(g, x, stream)
		for r := range rows {
			f(r, g.Row(r))
		}
	}
}

// TestSVAGWeights holds c₁ + c₂ = 1 and c₁² + c₂² = l.
func TestSVAGWeights(t *testing.T) {
	t.Parallel()
	for _, l := range []float64{1, 2, 3.5, 17, 1e4} {
		c1, c2 := noise.SVAG{L: l}.Weights()
		if math.Abs(c1+c2-1) > 1e-14*c1 || math.Abs(c1*c1+c2*c2-l) > 1e-14*l {
			t.Errorf("l = %v: c₁ + c₂ = %v, c₁² + c₂² = %v", l, c1+c2, c1*c1+c2*c2)
		}
	}
	// l = 1 is SGD, to the bit.
	with := noise.WithReplacement{Loss: newRegression(7, 2, 0.2, 1), BatchSize: 3}
	var got, want []float64
	draws(with, []float64{1, 2}, 3, 4, 1, func(_ int, g []float64) { want = append(want, g...) })
	draws(noise.SVAG{Gradient: with, L: 1}, []float64{1, 2}, 3, 4, 1, func(_ int, g []float64) { got = append(got, g...) })
	for k, v := range want {
		if got[k] != v {
			t.Fatalf("with l = 1 number %d is %v, of SGD %v", k, got[k], v)
		}
	}
}

// TestClippedEnumerated goes through all nine batches of two of three samples for what clipping the
// mean and clipping the samples make of it, and tests both against draws.
func TestClippedEnumerated(t *testing.T) {
	t.Parallel()
	l := samples{[][]float64{{3, 0}, {-1, 1}, {0.5, -0.2}}}
	with := noise.WithReplacement{Loss: l, BatchSize: 2}
	const c = 0.9
	clip := func(x, y float64) (float64, float64) {
		f := math.Min(1, c/math.Hypot(x, y))
		return f * x, f * y
	}
	var whole, each, largest float64 // means of the first component
	var square float64               // of the mean clipped
	for _, a := range l.g {
		for _, b := range l.g {
			x, _ := clip((a[0]+b[0])/2, (a[1]+b[1])/2)
			whole += x / 9
			square += x * x / 9
			p, _ := clip(a[0], a[1])
			q, _ := clip(b[0], b[1])
			each += (p + q) / 18
			largest += math.Max(math.Hypot((a[0]+b[0])/2, (a[1]+b[1])/2)-c, 0) / 9
		}
	}
	if math.Abs(whole-2.5/3) > largest {
		t.Errorf("the bias %v is above its bound %v", whole-2.5/3, largest)
	}
	for name, s := range map[string]struct {
		sampler sde.GradientSampler
		want    float64
		other   float64
	}{
		"the mean clipped":    {noise.Clipped{Gradient: with, Norm: c}, whole, each},
		"the samples clipped": {noise.ClippedSamples{Gradient: with, Norm: c}, each, whole},
	} {
		of := make([]float64, 512)
		draws(s.sampler, []float64{0, 0}, len(of), 64, 3, func(r int, g []float64) {
			of[r] += g[0] / 64
			if n := math.Hypot(g[0], g[1]); n > c*(1+1e-15) {
				t.Errorf("%s: a gradient of norm %v", name, n)
			}
		})
		mean, stderr := meanError(of)
		if p := normalP((mean - s.want) / stderr); p < level {
			t.Errorf("%s: mean %v ± %v, want %v: p = %g", name, mean, stderr, s.want, p)
		}
		if p := normalP((mean - s.other) / stderr); p > level {
			t.Errorf("%s: is not told from the other, %v: p = %g", name, s.other, p)
		}
	}
	of := make([]float64, 512)
	draws(noise.Clipped{Gradient: with, Norm: c}, []float64{0, 0}, len(of), 64, 4, func(r int, g []float64) { of[r] += g[0] * g[0] / 64 })
	mean, stderr := meanError(of)
	accept(t, "the mean clipped: E g²", sde.Estimate{Value: mean, StdErr: stderr}, square)
	refuse(t, "the mean clipped: E g² of what is not clipped", sde.Estimate{Value: mean, StdErr: stderr}, square*1.1)
	// Far above the gradients nothing is clipped, to the bit.
	var plain, clipped []float64
	draws(with, []float64{0, 0}, 8, 4, 3, func(_ int, g []float64) { plain = append(plain, g...) })
	draws(noise.Clipped{Gradient: with, Norm: math.Inf(1)}, []float64{0, 0}, 8, 4, 3, func(_ int, g []float64) { clipped = append(clipped, g...) })
	for k, v := range plain {
		if clipped[k] != v {
			t.Fatalf("clipped at infinity number %d is %v, plain %v", k, clipped[k], v)
		}
	}
}

// TestQuantised: what is on the grid stays, the rest goes to a neighbour; the variance of quantised
// batches is that of the batches plus the mean of δ²f(1−f), over all of them.
func TestQuantised(t *testing.T) {
	t.Parallel()
	l := samples{[][]float64{{3}, {-1}, {0.4}}}
	const delta = 2
	with := noise.WithReplacement{Loss: l, BatchSize: 2}
	var square, plain float64
	for _, a := range l.g {
		for _, b := range l.g {
			g := (a[0] + b[0]) / 2
			f := g/delta - math.Floor(g/delta)
			square += (g*g + delta*delta*f*(1-f)) / 9
			plain += g * g / 9
		}
	}
	of := make([]float64, 512)
	draws(noise.Quantised{Gradient: with, Spacing: delta}, []float64{0}, len(of), 64, 3, func(r int, g []float64) {
		of[r] += g[0] * g[0] / 64
		if g[0] != math.Round(g[0]/delta)*delta {
			t.Errorf("%v is not on the grid", g[0])
		}
	})
	mean, stderr := meanError(of)
	if p := normalP((mean - square) / stderr); p < level {
		t.Errorf("E g² = %v ± %v, want %v: p = %g", mean, stderr, square, p)
	}
	if p := normalP((mean - plain) / stderr); p > level {
		t.Errorf("E g² = %v ± %v is not told from that of the batches, %v: p = %g", mean, stderr, plain, p)
	}
	draws(noise.Quantised{Gradient: noise.FullGradient{Loss: samples{[][]float64{{1}, {-5}}}}, Spacing: delta}, []float64{0}, 4, 4, 3, func(_ int, g []float64) {
		if g[0] != -2 {
			t.Errorf("−2 is on the grid and became %v", g[0])
		}
	})
}

// TestLabelNoiseAtInterpolation holds C to (σ²/B) H where the model interpolates, H by differences
// of the gradient, and finds it different elsewhere.
func TestLabelNoiseAtInterpolation(t *testing.T) {
	t.Parallel()
	l := newRegression(8, 3, 0.3, 0)
	const sigma, b = 0.7, 4
	s := noise.LabelNoise{Gradient: noise.WithReplacement{Loss: l, BatchSize: b}, StdDev: sigma}
	off := func(theta []float64) (off float64) {
		c, up, down := make([]float64, 9), make([]float64, 3), make([]float64, 3)
		s.GradientCovariance(c, theta)
		for j := range theta {
			const h = 1e-4
			theta[j] += h
			l.Gradient(up, theta)
			theta[j] -= 2 * h
			l.Gradient(down, theta)
			theta[j] += h
			for i := range up {
				off = math.Max(off, math.Abs(c[i*3+j]-sigma*sigma/b*(up[i]-down[i])/(2*h)))
			}
		}
		return off
	}
	if d := off([]float64{0.5, 0, -0.5}); d > 1e-7 {
		t.Errorf("at interpolation C is off (σ²/B) H by %v", d)
	}
	if d := off([]float64{0.4, 0, -0.5}); d < 1e-4 {
		t.Errorf("away from interpolation C is (σ²/B) H to %v", d)
	}
}

// ab is the single sample of ½(ab − 1)².
type ab struct{}

func (ab) Dim() int                                     { return 2 }
func (ab) Samples() int                                 { return 1 }
func (ab) Value(x []float64) float64                    { return (x[0]*x[1] - 1) * (x[0]*x[1] - 1) / 2 }
func (ab) OutputGradient(dst, x []float64, _ int)       { dst[0], dst[1] = x[1], x[0] }
func (ab) Gradient(dst, x []float64)                    { r := x[0]*x[1] - 1; dst[0], dst[1] = r*x[1], r*x[0] }
func (l ab) SampleGradient(dst, theta []float64, _ int) { l.Gradient(dst, theta) }
func (ab) Hessian(dst, x []float64) {
	copy(dst, []float64{x[1] * x[1], 2*x[0]*x[1] - 1, 2*x[0]*x[1] - 1, x[0] * x[0]})
}

// TestLabelNoiseSlides follows SGD on ½(ab − 1 − ε)²: u = a² − b² obeys u′ = u(1 − η²r²) with r the
// residual of each step, to rounding, and goes to the flattest minimum |a| = |b|; without label
// noise it stays. That is the drift −(ησ²/4B)∇tr H along the minima, for which du/dt = −ησ²u.
func TestLabelNoiseSlides(t *testing.T) {
	t.Parallel()
	const eta, sigma = 0.05, 0.5
	for _, noisy := range []bool{true, false} {
		s := noise.LabelNoise{Gradient: noise.WithReplacement{Loss: ab{}, BatchSize: 1}, StdDev: sigma}
		if !noisy {
			s.StdDev = 0
		}
		f, stream := s.BindGradients(1), sde.NewStream(1+*seedShift, nil)
		x, g := sde.NewBatch(1, 2), sde.NewBatch(1, 2)
		x.Data[0], x.Data[1] = 2, 0.5
		for k := range 20_000 {
			stream.At(sde.Steps, 0, k)
			f(g, x, stream)
			a, b := x.Data[0], x.Data[1]
			r := g.Data[0] / b
			x.Data[0], x.Data[1] = a-eta*g.Data[0], b-eta*g.Data[1]
			got := x.Data[0]*x.Data[0] - x.Data[1]*x.Data[1]
			if want := (a*a - b*b) * (1 - eta*eta*r*r); math.Abs(got-want) > 1e-14*(a*a+b*b) {
				t.Fatalf("step %d: a² − b² = %v, want %v", k, got, want)
			}
		}
		u := x.Data[0]*x.Data[0] - x.Data[1]*x.Data[1]
		if noisy && math.Abs(u) > 1e-3 || !noisy && math.Abs(u-3.75) > 1e-12 {
			t.Errorf("noise %v: a² − b² is %v in the end, from 3.75", noisy, u)
		}
	}
	// On ab = 1 the tangent is (a, −b)/√(a²+b²), and tr H = a² + b².
	a, b := 2.0, 0.5
	along := (2*a*a - 2*b*b) / (a*a + b*b)
	da, db := -eta*sigma*sigma/4*along*a, eta*sigma*sigma/4*along*b
	if got, want := 2*a*da-2*b*db, -eta*sigma*sigma*(a*a-b*b); math.Abs(got-want) > 1e-15 {
		t.Errorf("the drift of a² − b² along the minima is %v, want %v", got, want)
	}
}

// TestLabelNoiseDrift holds the drift of u = a² − b² under label noise to its rate. Given the residual e = ab − 1
// without noise, E u′ = u (1 − η²(σ² + e²)), so that
//
//	u_K/Π_k (1 − η²(σ² + e_k²))
//
// has the mean u_0 for any K. Near the minima e² is small, and du/dt = −ησ²u.
func TestLabelNoiseDrift(t *testing.T) {
	t.Parallel()
	const eta, sigma, rows, steps = 0.05, 0.5, 2048, 300
	f := noise.LabelNoise{Gradient: noise.WithReplacement{Loss: ab{}, BatchSize: 1}, StdDev: sigma}.BindGradients(rows)
	stream := sde.NewStream(1+*seedShift, nil)
	x, g := sde.NewBatch(rows, 2), sde.NewBatch(rows, 2)
	product, wrong := make([]float64, rows), make([]float64, rows)
	for r := range rows {
		x.Row(r)[0], x.Row(r)[1], product[r], wrong[r] = 2, 0.5, 1, 1
	}
	for k := range steps {
		stream.At(sde.Steps, 0, k)
		for r := range rows {
			e := x.Row(r)[0]*x.Row(r)[1] - 1
			product[r] *= 1 - eta*eta*(sigma*sigma+e*e)
			wrong[r] *= 1 - eta*eta*(0.9*sigma*sigma+e*e)
		}
		f(g, x, stream)
		for i := range x.Data {
			x.Data[i] -= eta * g.Data[i]
		}
	}
	of := func(product []float64) sde.Estimate {
		v := make([]float64, rows)
		for r := range rows {
			v[r] = (x.Row(r)[0]*x.Row(r)[0] - x.Row(r)[1]*x.Row(r)[1]) / product[r]
		}
		mean, stderr := meanError(v)
		return sde.Estimate{Value: mean, StdErr: stderr}
	}
	accept(t, "u/Π", of(product), 3.75)
	refuse(t, "u/Π for a label noise of 0.9 σ²", of(wrong), 3.75)
}

// TestLabelFlipsCovariance holds that of flips to Cov_i h_i and p(1−p) E xxᵀ, taken by hand, and
// shows that it is not in proportion to the Hessian.
func TestLabelFlipsCovariance(t *testing.T) {
	t.Parallel()
	const n, b, p = 40, 4, 0.15
	x, y := loss.LogisticTeacher(n, []float64{1, -2}, 3)
	l, err := loss.NewLogistic(x, y, 0)
	if err != nil {
		t.Fatal(err)
	}
	theta := []float64{0.8, -1.2}
	var mean [2]float64
	var second, design mat.SymDense
	second.ReuseAsSym(2)
	design.ReuseAsSym(2)
	for i := range n {
		row := x.RawRowView(i)
		q := 1 / (1 + math.Exp(-row[0]*theta[0]-row[1]*theta[1]))
		e := q - y[i] + p*(2*y[i]-1) // E over flips of q − label
		for j := range mean {
			mean[j] += e * row[j] / n
		}
		second.SymRankOne(&second, e*e/n, mat.NewVecDense(2, row))
		design.SymRankOne(&design, 1.0/n, mat.NewVecDense(2, row))
	}
	s := noise.LabelFlips{Gradient: noise.WithReplacement{Loss: l, BatchSize: b}, Rate: p}
	got, m := make([]float64, 4), make([]float64, 2)
	s.GradientCovariance(got, theta)
	s.MeanGradient(m, theta)
	for k, v := range got {
		i, j := k/2, k%2
		if want := (second.At(i, j)-mean[i]*mean[j])/b + p*(1-p)/b*design.At(i, j); math.Abs(v-want) > 1e-14 {
			t.Errorf("C[%d,%d] = %v, want %v", i, j, v, want)
		}
	}
	if math.Abs(m[0]-mean[0]) > 1e-14 || math.Abs(m[1]-mean[1]) > 1e-14 {
		t.Errorf("mean %v, want %v", m, mean)
	}
	h := make([]float64, 4)
	l.Hessian(h, theta)
	if a := noise.Alignment(mat.NewSymDense(2, got), mat.NewSymDense(2, h)); a > 0.999 {
		t.Errorf("C and H have the alignment %v: they should not be in proportion", a)
	}
}

// TestWellSpecified: where labels have the probabilities that logistic regression says, Σ = H, to
// rounding: each x comes with ten labels, of which as many are 1 as the model at θ expects, so that
// θ is the optimum. With flips C is not in proportion to H any more, and at another θ Σ is not H.
func TestWellSpecified(t *testing.T) {
	t.Parallel()
	theta := []float64{1, -2}
	x, y := mat.NewDense(40, 2, nil), make([]float64, 40)
	for i, ones := range []int{2, 4, 5, 9} {
		second := float64(i) - 1.5
		for k := range 10 {
			x.SetRow(10*i+k, []float64{math.Log(float64(ones)/float64(10-ones)) + 2*second, second})
			if k < ones {
				y[10*i+k] = 1
			}
		}
	}
	l, err := loss.NewLogistic(x, y, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := func(s sde.GradientCovariance, theta []float64) (gradient, difference, alignment float64) {
		g, c, h := make([]float64, 2), mat.NewSymDense(2, nil), mat.NewSymDense(2, nil)
		l.Gradient(g, theta)
		l.Hessian(h.RawSymmetric().Data, theta)
		s.GradientCovariance(c.RawSymmetric().Data, theta)
		return norm(g), differ(c, h), noise.Alignment(c, h)
	}
	one := noise.WithReplacement{Loss: l, BatchSize: 1}
	if g, d, a := at(one, theta); g > 1e-15 || d > 1e-14 || math.Abs(a-1) > 1e-15 {
		t.Errorf("at the optimum |∇L| = %v, Σ is off H by %v, of alignment %v", g, d, a)
	}
	if _, d, a := at(one, []float64{0.5, -2}); d < 0.01 || a > 1-1e-9 {
		t.Errorf("away from it Σ is off H by %v, of alignment %v", d, a)
	}
	if _, _, a := at(noise.LabelFlips{Gradient: one, Rate: 0.2}, theta); a > 1-1e-9 {
		t.Errorf("with flips C and H have the alignment %v", a)
	}
}

// TestLabelFlipsEnumerated holds mean and covariance for three classes to those over all samples and
// labels that a batch of one can have, with the planted fault of flips to one label alone.
func TestLabelFlipsEnumerated(t *testing.T) {
	t.Parallel()
	const n, classes, p, d = 7, 3, 0.3, 6
	x, y := loss.LogisticTeacher(n, []float64{1, -2}, 3)
	for i := range y {
		y[i] = float64(i % classes)
	}
	l, err := loss.NewSoftmax(x, y, classes, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	theta := []float64{0.8, -1.2, 0.3, 0.1, -0.5, 1}
	moments := func(chance [classes]float64) (mean *mat.VecDense, second *mat.SymDense) {
		mean, second = mat.NewVecDense(d, nil), mat.NewSymDense(d, nil)
		g := mat.NewVecDense(d, nil)
		for k, q := range chance {
			for i := range y {
				y[i] = float64((i + k) % classes)
			}
			moved, err := loss.NewSoftmax(x, y, classes, 0.1)
			if err != nil {
				t.Fatal(err)
			}
			for i := range y {
				moved.SampleGradient(g.RawVector().Data, theta, i)
				mean.AddScaledVec(mean, q/n, g)
				second.SymRankOne(second, q/n, g)
			}
		}
		second.SymRankOne(second, -1, mean)
		return mean, second
	}
	s := noise.LabelFlips{Gradient: noise.WithReplacement{Loss: l, BatchSize: 1}, Rate: p}
	mean, c := mat.NewVecDense(d, nil), mat.NewSymDense(d, nil)
	s.MeanGradient(mean.RawVector().Data, theta)
	s.GradientCovariance(c.RawSymmetric().Data, theta)
	wantMean, want := moments([classes]float64{1 - p, p / 2, p / 2})
	if !mat.EqualApprox(mean, wantMean, 1e-14) || !mat.EqualApprox(c, want, 1e-14) {
		t.Errorf("mean %v, covariance %v; want %v, %v", mat.Formatted(mean), mat.Formatted(c), mat.Formatted(wantMean), mat.Formatted(want))
	}
	if m, c2 := moments([classes]float64{1 - p, p, 0}); mat.EqualApprox(mean, m, 1e-3) || mat.EqualApprox(c, c2, 1e-3) {
		t.Error("flips to one label alone are not told apart")
	}
}

// TestClientsDrift holds federated averaging on quadratics to the exact mean of what its clients
// report, and to the fixed point that follows, which is not the minimum of L.
func TestClientsDrift(t *testing.T) {
	t.Parallel()
	const k, gamma = 5, 0.2
	one, two := bowl{[]float64{1}, []float64{3}}, bowl{[]float64{4}, []float64{-1}}
	s := noise.Clients{Members: []noise.Client{{Gradient: noise.FullGradient{Loss: one}, Weight: 0.5}, {Gradient: noise.FullGradient{Loss: two}, Weight: 0.5}},
		LocalSteps: k, LocalRate: gamma}
	pull := func(h float64) float64 { return (1 - math.Pow(1-gamma*h, k)) / (gamma * k) }
	mean := []float64{0}
	if !s.MeanGradient(mean, []float64{0.7}) {
		t.Fatal("the mean of quadratics is not known")
	}
	if want := 0.5*pull(1)*(0.7-3) + 0.5*pull(4)*(0.7+1); math.Abs(mean[0]-want) > 1e-15 {
		t.Errorf("mean %v, want %v", mean[0], want)
	}
	f, stream := s.BindGradients(1), sde.NewStream(1, nil)
	x, g := sde.NewBatch(1, 1), sde.NewBatch(1, 1)
	for range 400 {
		f(g, x, stream)
		x.Data[0] -= gamma * k * g.Data[0]
	}
	fixed, minimum := (3*pull(1)-pull(4))/(pull(1)+pull(4)), (3.0*1-1*4)/5
	if math.Abs(x.Data[0]-fixed) > 1e-14 {
		t.Errorf("it settles at %v, want %v", x.Data[0], fixed)
	}
	if math.Abs(fixed-minimum) < 0.1 {
		t.Errorf("the drift is too small to be seen: %v and %v", fixed, minimum)
	}
	s.Objective().Gradient(mean, []float64{minimum})
	if math.Abs(mean[0]) > 1e-15 {
		t.Errorf("∇L = %v at the minimum of L", mean[0])
	}
}

// TestClientsParts goes through all draws of two clients of three, with and without those that are
// the same, with two samples each and batches of one, for the parts of the covariance.
func TestClientsParts(t *testing.T) {
	t.Parallel()
	data := []samples{{[][]float64{{1}, {3}}}, {[][]float64{{-2}, {0.5}}}, {[][]float64{{4}, {4.5}}}}
	weights := []float64{0.5, 0.3, 0.2}
	for _, distinct := range []bool{false, true} {
		s := noise.Clients{Participants: 2, Distinct: distinct}
		for m, l := range data {
			s.Members = append(s.Members, noise.Client{Gradient: noise.WithReplacement{Loss: l, BatchSize: 1}, Weight: weights[m]})
		}
		var mean, square, centres float64
		for m, l := range data {
			for n, k := range data {
				p, u, v := weights[m]*weights[n], 1.0, 1.0
				if distinct {
					p, u, v = 1.0/6, 3*weights[m], 3*weights[n]
					if m == n {
						continue
					}
				}
				for _, a := range l.g {
					for _, b := range k.g {
						g := (u*a[0] + v*b[0]) / 2
						mean, square = mean+p/4*g, square+p/4*g*g
					}
				}
				g := (u*(l.g[0][0]+l.g[1][0]) + v*(k.g[0][0]+k.g[1][0])) / 4
				centres += p * g * g
			}
		}
		within, between, all := []float64{0}, []float64{0}, []float64{0}
		if !s.Covariances(within, between, []float64{0}) || !s.GradientCovariance(all, []float64{0}) {
			t.Fatal("the covariance is not known")
		}
		if math.Abs(all[0]-(square-mean*mean)) > 1e-14 || math.Abs(between[0]-(centres-mean*mean)) > 1e-14 || math.Abs(within[0]-(square-centres)) > 1e-14 {
			t.Errorf("different %v: within %v, between %v, all %v; want %v, %v, %v", distinct, within, between, all, square-centres, centres-mean*mean, square-mean*mean)
		}
	}
}

// TestStudentLaw holds draws to Student's distribution by Kolmogorov's test, with the bound of
// Dvoretzky, Kiefer, Wolfowitz and Massart for the p-value.
func TestStudentLaw(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long")
	}
	flat := noise.FullGradient{Loss: samples{[][]float64{{0}}}}
	for _, nu := range []float64{0.5, 1.5, 4, 1e6} {
		var x []float64
		draws(noise.StudentNoise{Gradient: flat, DegreesOfFreedom: nu, Scale: 2}, []float64{0}, 1024, 32, 3, func(_ int, g []float64) { x = append(x, g[0]/2) })
		sort.Float64s(x)
		p := func(nu float64) float64 {
			law, n, d := distuv.StudentsT{Sigma: 1, Nu: nu}, float64(len(x)), 0.0
			for i, v := range x {
				c := law.CDF(v)
				d = math.Max(d, math.Max(c-float64(i)/n, float64(i+1)/n-c))
			}
			return 2 * math.Exp(-2*n*d*d)
		}
		if p := p(nu); p < level {
			t.Errorf("ν = %v: p = %g", nu, p)
		}
		if p := p(nu * 1.3); nu < 2 && p > level {
			t.Errorf("ν = %v passes for %v: p = %g", nu, nu*1.3, p)
		}
	}
}

// TestStableStationary holds SGD with stable noise on a quadratic to its exact stationary law,
// which is stable with the scale given by s^α = (ησ)^α/(1 − |1−ηk|^α).
func TestStableStationary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long")
	}
	const eta, k, sigma, alpha, rows = 0.4, 1.5, 0.7, 1.4, 16384
	s := noise.StableNoise{Gradient: noise.FullGradient{Loss: bowl{[]float64{k}, []float64{0}}}, Alpha: alpha, Scale: sigma}
	f, stream := s.BindGradients(rows), sde.NewStream(4+*seedShift, nil)
	x, g := sde.NewBatch(rows, 1), sde.NewBatch(rows, 1)
	for n := range 100 {
		stream.At(sde.Steps, 0, n)
		f(g, x, stream)
		for r := range x.Data {
			x.Data[r] -= eta * g.Data[r]
		}
	}
	p := func(scale, wave float64) float64 {
		var sum float64
		for _, v := range x.Data {
			sum += math.Cos(wave * v)
		}
		phi := func(q float64) float64 { return math.Exp(-math.Pow(scale*q, alpha)) }
		return normalP((sum/rows - phi(wave)) / math.Sqrt(((1+phi(2*wave))/2-phi(wave)*phi(wave))/rows))
	}
	scale := math.Pow(math.Pow(eta*sigma, alpha)/(1-math.Pow(1-eta*k, alpha)), 1/alpha)
	flow := eta * sigma * math.Pow(alpha*k*eta, -1/alpha) // of the flow, σ η^{1−1/α}/(αk)^{1/α}
	for _, wave := range []float64{1, 3, 6} {
		if p := p(scale, wave); p < level {
			t.Errorf("wave number %v: p = %g", wave, p)
		}
	}
	if p := p(flow, 3); p > level {
		t.Errorf("the scale of the flow, %v, is not told from %v: p = %g", flow, scale, p)
	}
}

// TestLabelNoiseOfTheLibrary holds C to (σ²/B) H for the library's regressions that interpolate,
// with their own Hessians.
func TestLabelNoiseOfTheLibrary(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	design := mat.NewDense(12, 3, nil)
	truth, labels := []float64{1, -2, 0.5}, make([]float64, 12)
	for i := range labels {
		for j := range truth {
			design.Set(i, j, r.NormFloat64())
			labels[i] += truth[j] * design.At(i, j)
		}
	}
	squares, err := loss.NewLeastSquares(design, labels, 0)
	if err != nil {
		t.Fatal(err)
	}
	factors := []float64{1, 0.5, -1, 2, 0.3} // u of two rows, v of three columns, of rank 1
	var entries []loss.MatrixEntry
	for a := range 2 {
		for b := range 3 {
			entries = append(entries, loss.MatrixEntry{Row: a, Column: b, Value: factors[a] * factors[2+b]})
		}
	}
	completion, err := loss.NewMatrixCompletion(2, 3, 1, entries, 0)
	if err != nil {
		t.Fatal(err)
	}
	const sigma, b = 0.7, 5
	for name, c := range map[string]struct {
		l     sde.FiniteSum
		theta []float64
	}{"least squares": {squares, truth}, "matrix completion": {completion, factors}} {
		d := len(c.theta)
		got, h := make([]float64, d*d), make([]float64, d*d)
		noise.LabelNoise{Gradient: noise.WithReplacement{Loss: c.l, BatchSize: b}, StdDev: sigma}.GradientCovariance(got, c.theta)
		c.l.(sde.Hessian).Hessian(h, c.theta)
		for k, v := range got {
			if math.Abs(v-sigma*sigma/b*h[k]) > 1e-14 {
				t.Errorf("%s: C[%d,%d] = %v, (σ²/B) H has %v", name, k/d, k%d, v, sigma*sigma/b*h[k])
			}
		}
	}
}

// TestSVAGConverges takes the exact moments at time 1 of SGD by steps η/l with two samples of ℓ =
// ½(x−γ)², γ = ±1, from x = 1. For l = 1 they are off those of the flow as the oracle of Q. Li, C.
// Tai & W. E (2017) has it computed, and with l they go to them in powers of 1/l. Steps η/l without
// SVAG's weights, the planted fault, lose the noise.
func TestSVAGConverges(t *testing.T) {
	t.Parallel()
	of := noise.WithReplacement{Loss: line{1, []float64{1, -1}}, BatchSize: 1}
	const eta = 0.1
	flow := math.Exp(-2) + eta/2*(1-math.Exp(-2)) // E x² of dx = −x dt + √η dW
	square := func(l float64, s sde.GradientCovariance) float64 {
		c := []float64{0}
		s.GradientCovariance(c, []float64{0.3})
		h := eta / l
		mean, variance := 1.0, 0.0
		for range int(math.Round(1 / h)) {
			mean, variance = (1-h)*mean, (1-h)*(1-h)*variance+h*h*c[0]
		}
		return mean*mean + variance
	}
	if got := flow - square(1, noise.SVAG{Gradient: of, L: 1}); math.Abs(got-1.0759e-2) > 5e-7 {
		t.Errorf("the flow is off SGD's E x² by %v, want 1.0759e-2", got)
	}
	limit, off := extrapolate(func(h float64) float64 { return square(1/h, noise.SVAG{Gradient: of, L: 1 / h}) }, 1)
	if !(math.Abs(limit-flow) <= off) {
		t.Errorf("E x² goes to %v ± %.1g, that of the flow is %v", limit, off, flow)
	}
	if limit, off := extrapolate(func(h float64) float64 { return square(1/h, of) }, 1); math.Abs(limit-flow) <= off {
		t.Error("steps without weights go to the flow")
	}
}

// TestStableNoiseOfBatches holds the law of stable noise on skewed mini-batches to the product of the
// characteristic functions of both, over all batches there are: its real and imaginary parts at
// several wave numbers. Noise of another index and batches that are not skewed do not pass.
func TestStableNoiseOfBatches(t *testing.T) {
	t.Parallel()
	l := samples{[][]float64{{3}, {-1}, {-0.5}, {-1.5}}}
	const alpha, scale, rows, steps = 1.3, 0.4, 512, 64
	s := noise.StableNoise{Gradient: noise.WithReplacement{Loss: l, BatchSize: 2}, Alpha: alpha, Scale: scale}
	for _, k := range []float64{0.4, 1, 2.5} {
		var re, im float64
		for _, a := range l.g {
			for _, b := range l.g {
				sin, cos := math.Sincos(k * (a[0] + b[0]) / 2)
				re, im = re+cos/16, im+sin/16
			}
		}
		damped := math.Exp(-math.Pow(k*scale, alpha))
		cosines, sines := make([]float64, rows), make([]float64, rows)
		draws(s, []float64{0}, rows, steps, 9, func(r int, g []float64) {
			sin, cos := math.Sincos(k * g[0])
			cosines[r], sines[r] = cosines[r]+cos/steps, sines[r]+sin/steps
		})
		c, stderr := meanError(cosines)
		accept(t, "E cos kg", sde.Estimate{Value: c, StdErr: stderr}, re*damped)
		cosine := sde.Estimate{Value: c, StdErr: stderr}
		c, stderr = meanError(sines)
		sine := sde.Estimate{Value: c, StdErr: stderr}
		accept(t, "E cos kg", cosine, re*damped)
		accept(t, "E sin kg", sine, im*damped)
		if k == 1 {
			refuse(t, "E cos kg of another index", cosine, re*math.Exp(-math.Pow(k*scale, 1.7)))
			refuse(t, "E sin kg without skewness", sine, 0)
		}
	}
}

// TestSamplerPanics: slices of the wrong length.
func TestSamplerPanics(t *testing.T) {
	t.Parallel()
	l := newRegression(4, 2, 0, 1)
	with := noise.WithReplacement{Loss: l, BatchSize: 1}
	theta := []float64{1, 2}
	var moments noise.GradientMoments
	moments.Add(theta)
	series := &noise.NoiseCorrelation{Lags: 2}
	series.Add(theta)
	var sigma mat.SymDense
	for name, f := range map[string]func(){
		"a covariance of 3 numbers":      func() { with.GradientCovariance(make([]float64, 3), theta) },
		"a mean of 3 numbers":            func() { noise.ClippedSamples{Gradient: with, Norm: 1}.MeanGradient(make([]float64, 3), theta) },
		"θ of 1 number":                  func() { noise.SampleCovariance(&sigma, l, theta[:1]) },
		"a matrix of 3×3":                func() { noise.SampleCovariance(mat.NewSymDense(3, nil), l, theta) },
		"moments of 3×3":                 func() { moments.Covariance(mat.NewSymDense(3, nil)) },
		"a gradient of 3":                func() { moments.Add(make([]float64, 3)) },
		"pairs of two lengths":           func() { (&noise.NoiseScale{Small: 1, Big: 2}).Add(theta, theta[:1]) },
		"pairs of no batches":            func() { new(noise.NoiseScale).Add(theta, theta) },
		"blocks of one":                  func() { (&noise.StableIndex{Block: 1}).Add(1) },
		"the mean of nothing":            func() { new(noise.GradientMoments).Mean(0) },
		"no eigenvalues":                 func() { noise.TopSpectrum(l, theta, 0) },
		"the spectrum at θ of 1 number":  func() { noise.TopSpectrum(l, theta[:1], 1) },
		"alignment of two sizes":         func() { noise.Alignment(mat.NewSymDense(3, nil), mat.NewSymDense(2, nil)) },
		"a root of 3 numbers":            func() { noise.SGDNoise{Gradient: with, LearningRate: 1}.Root(make([]float64, 3), theta, 0) },
		"a diagonal of 3 numbers":        func() { noise.SGDDiagonal{Gradient: with, LearningRate: 1}.DiagonalRoot(make([]float64, 3), theta, 0) },
		"a diagonal's root of 3 numbers": func() { noise.SGDDiagonal{Gradient: with, LearningRate: 1}.Root(make([]float64, 3), theta, 0) },
		"directions of 3 numbers": func() {
			noise.SGDTop{Gradient: with, LearningRate: 1, Directions: 1}.Root(make([]float64, 3), theta, 0)
		},
		"noise of 1 number":              func() { series.Add(theta[:1]) },
		"autocorrelation at lag 3":       func() { series.Correlation(3) },
		"autocorrelation at no lags":     func() { new(noise.NoiseCorrelation).Add(theta) },
		"autocorrelations of other lags": func() { other := &noise.NoiseCorrelation{Lags: 1}; other.Add(theta); series.Merge(other) },
		"moments of other gradients":     func() { var other noise.GradientMoments; other.Add(theta[:1]); moments.Merge(&other) },
		"parts of clients of 3 numbers": func() {
			noise.Clients{Members: []noise.Client{{Gradient: with, Weight: 1}}}.Covariances(make([]float64, 3), make([]float64, 4), theta)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestClientsObjective holds the loss of clients to what a loss must be.
func TestClientsObjective(t *testing.T) {
	t.Parallel()
	losstest.Test(t, noise.Clients{Members: []noise.Client{
		{Gradient: noise.WithReplacement{Loss: newRegression(5, 2, 0.2, 1), BatchSize: 1}, Weight: 0.3},
		{Gradient: noise.FullGradient{Loss: bowl{[]float64{1, 3}, []float64{0.5, -1}}}, Weight: 0.7}}}.Objective(), losstest.Options{})
}
