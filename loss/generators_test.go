// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

// dataAlpha is the level of one check of generated data: 1e-6 over at most 40.
const dataAlpha = 1e-6 / 40

// ksP returns the p-value of the largest distance between the samples' distribution and a
// law (the first term of Kolmogorov's series, which bounds it from above).
func ksP(x []float64, cdf func(float64) float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	n, d := float64(len(x)), 0.0
	for i, v := range x {
		c := cdf(v)
		d = math.Max(d, math.Max(float64(i+1)/n-c, c-float64(i)/n))
	}
	return 2 * math.Exp(-2*n*d*d)
}

// countP returns the two-sided p-value of so many of n where each has the probability p.
func countP(count, n int, p float64) float64 {
	z := (float64(count) - float64(n)*p) / math.Sqrt(float64(n)*p*(1-p))
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

func TestFeatures(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for _, nu := range []float64{0.5, 1, 3, 20} {
		x := loss.StudentFeatures(n/4, 4, nu, 1).RawMatrix().Data
		right := distuv.StudentsT{Nu: nu, Sigma: 1}
		if p := ksP(x, right.CDF); p < dataAlpha {
			t.Errorf("ν = %v: p = %v", nu, p)
		}
		if wrong := (distuv.StudentsT{Nu: nu * 3, Sigma: 1}); nu < 10 {
			if p := ksP(x, wrong.CDF); p >= dataAlpha {
				t.Errorf("ν = %v: three times as many degrees are not found, p = %v", nu, p)
			}
		}
		// Neighbours are independent: how often both are on one side.
		same := 0
		for i := 0; i < n; i += 2 {
			if (math.Abs(x[i]) > right.Quantile(0.75)) == (math.Abs(x[i+1]) > right.Quantile(0.75)) {
				same++
			}
		}
		if p := countP(same, n/2, 0.5); p < dataAlpha {
			t.Errorf("ν = %v: neighbours go together %d times of %d, p = %v", nu, same, n/2, p)
		}
		if p := countP(same+n/20, n/2, 0.5); p >= dataAlpha { // were one pair in ten of two equal numbers
			t.Errorf("ν = %v: equal neighbours are not found, p = %v", nu, p)
		}
	}
	if p := ksP(loss.NormalFeatures(n/4, 4, 1).RawMatrix().Data, distuv.UnitNormal.CDF); p < dataAlpha {
		t.Errorf("normal: p = %v", p)
	}
	if p := ksP(loss.NormalFeatures(n/4, 4, 1).RawMatrix().Data, distuv.StudentsT{Nu: 3, Sigma: 1}.CDF); p >= dataAlpha {
		t.Errorf("normals are taken for Student's of 3 degrees, p = %v", p)
	}
}

// TestTargets has residuals that are normal with the standard deviation of the noise.
func TestTargets(t *testing.T) {
	t.Parallel()
	const n, sigma = 20_000, 0.3
	x := loss.NormalFeatures(n, 3, 1)
	w := []float64{1, -2, 0.5}
	net := loss.TwoLayerSettings{Units: 2}
	theta := normals(8, 1)
	teacher := must(loss.NewTwoLayer(x, make([]float64, n), net))
	for name, c := range map[string]struct {
		y []float64
		f func(row []float64) float64
	}{
		"linear": {loss.LinearTargets(x, w, sigma, 1), func(row []float64) float64 { return mat.Dot(mat.NewVecDense(3, w), mat.NewVecDense(3, row)) }},
		"network": {must(loss.TwoLayerTargets(x, net, theta, sigma, 1)), func(row []float64) float64 {
			return teacher.Predict(theta, row)
		}},
	} {
		r := make([]float64, n)
		for i, y := range c.y {
			r[i] = y - c.f(x.RawRowView(i))
		}
		law := distuv.Normal{Sigma: sigma}
		if p := ksP(r, law.CDF); p < dataAlpha {
			t.Errorf("%s: residuals: p = %v", name, p)
		}
		law.Sigma *= 1.1
		if p := ksP(r, law.CDF); p >= dataAlpha {
			t.Errorf("%s: a tenth more noise is not found, p = %v", name, p)
		}
		// Noise and features come from one seed and are independent.
		if z := stat.Correlation(r, mat.Col(nil, 0, x), nil) * math.Sqrt(n); math.Erfc(math.Abs(z)/math.Sqrt2) < dataAlpha {
			t.Errorf("%s: noise and features correlate, z = %v", name, z)
		}
		for i := range r {
			r[i] += 0.03 * x.At(i, 0) // a tenth of the noise
		}
		if z := stat.Correlation(r, mat.Col(nil, 0, x), nil) * math.Sqrt(n); math.Erfc(math.Abs(z)/math.Sqrt2) >= dataAlpha {
			t.Errorf("%s: noise that goes with a feature is not found, z = %v", name, z)
		}
	}
	y := loss.LogisticLabels(x, w, 1)
	var z, v float64
	for i, label := range y {
		p := 1 / (1 + math.Exp(-mat.Dot(mat.NewVecDense(3, w), x.RowView(i))))
		z += (label - p) * p
		v += p * (1 - p) * p * p
	}
	if z /= math.Sqrt(v); math.Erfc(math.Abs(z)/math.Sqrt2) < dataAlpha {
		t.Errorf("labels do not follow the model, z = %v", z)
	}
}

// TestClusters holds the best classifier to its error Φ(−|c₁ − c₀|/2σ), and flipped labels to
// their rate.
func TestClusters(t *testing.T) {
	t.Parallel()
	const n, sigma = 30_000, 1.5
	d := loss.Clusters(n, mat.NewDense(2, 2, []float64{1, 0, -1, 2}), sigma, 3)
	second, wrong := 0, 0
	for i, y := range d.Y {
		if y == 1 {
			second++
		}
		if x := d.X.RawRowView(i); (-2*x[0]+2*x[1]-2 > 0) != (y == 1) { // w·x + b, times σ²
			wrong++
		}
	}
	if p := countP(second, n, 0.5); p < dataAlpha {
		t.Errorf("%d of %d in the second cluster, p = %v", second, n, p)
	}
	rate := distuv.UnitNormal.CDF(-math.Sqrt(8) / (2 * sigma))
	if p := countP(wrong, n, rate); p < dataAlpha {
		t.Errorf("%d of %d misclassified, p = %v", wrong, n, p)
	}
	if p := countP(wrong, n, distuv.UnitNormal.CDF(-math.Sqrt(8)/(2*sigma*1.1))); p >= dataAlpha {
		t.Errorf("wider clusters are not found, p = %v", p)
	}

	y := make([]float64, n)
	for i := range y {
		y[i] = float64(i % 3)
	}
	flipped := loss.FlipLabels(y, 3, 0.2, 1)
	moved, next := 0, 0
	for i, v := range flipped {
		if v != y[i] {
			moved++
			if v == math.Mod(y[i]+1, 3) {
				next++
			}
		}
	}
	if p := countP(moved, n, 0.2); p < dataAlpha {
		t.Errorf("%d of %d flipped, p = %v", moved, n, p)
	}
	if p := countP(moved, n, 0.2*2/3); p >= dataAlpha {
		t.Errorf("flips to the same label are not found, p = %v", p)
	}
	if p := countP(next, moved, 0.5); p < dataAlpha {
		t.Errorf("%d of %d flipped to the next label, p = %v", next, moved, p)
	}
	if p := countP(next+moved/20, moved, 0.5); p >= dataAlpha {
		t.Errorf("flips that prefer a label are not found, p = %v", p)
	}
	if !slices.Equal(loss.FlipLabels(y, 3, 0, 1), y) {
		t.Error("labels were flipped at the rate 0")
	}
}

// TestClients finds each client's teacher again, and their spread.
func TestClients(t *testing.T) {
	t.Parallel()
	c := loss.Clients{Count: 200, Samples: 12, Teacher: []float64{3, -1}, Spread: 0.5, Shift: 2}
	all := must(c.Generate(1))
	var ws, means []float64
	for _, d := range all {
		_, w := must(loss.NewLeastSquares(d.X, d.Y, 0)).Harmonic() // no noise: exact
		for j := range w {
			ws = append(ws, (w[j]-c.Teacher[j])/c.Spread)
			// The mean of 12 is μ + N(0, 1/12).
			means = append(means, stat.Mean(mat.Col(nil, j, d.X), nil)/math.Sqrt(4+1./12))
		}
	}
	for name, v := range map[string][]float64{"teachers": ws, "means": means} {
		if p := ksP(v, distuv.UnitNormal.CDF); p < dataAlpha {
			t.Errorf("%s: p = %v", name, p)
		}
		if p := ksP(v, distuv.Normal{Sigma: 2}.CDF); p >= dataAlpha {
			t.Errorf("%s: another spread is not found, p = %v", name, p)
		}
	}
	more := c
	more.Count, more.Logistic = 300, true
	for k, d := range must(more.Generate(1))[:c.Count] {
		if !mat.Equal(d.X, all[k].X) {
			t.Fatalf("client %d depends on how many there are", k)
		}
		for _, y := range d.Y {
			if y != 0 && y != 1 {
				t.Fatalf("label %v", y)
			}
		}
	}
	joined := loss.Join(all...)
	if n, _ := joined.X.Dims(); n != 200*12 || joined.Y[12] != all[1].Y[0] || joined.X.At(12, 1) != all[1].X.At(0, 1) {
		t.Error("joined data are not those of the clients, one below the other")
	}
	for _, bad := range []loss.Clients{
		{Samples: 1, Teacher: []float64{1}}, {Count: 1, Teacher: []float64{1}}, {Count: 1, Samples: 1}, {Count: 1 << 24, Samples: 1, Teacher: []float64{1}},
		{Count: 1, Samples: 1, Teacher: []float64{math.NaN()}}, {Count: 1, Samples: 1, Teacher: []float64{1}, Spread: -1},
		{Count: 1, Samples: 1, Teacher: []float64{1}, Shift: math.Inf(1)}, {Count: 1, Samples: 1, Teacher: []float64{1}, Noise: math.NaN()},
	} {
		if _, err := bad.Generate(1); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: error %v", bad, err)
		}
	}
}

func TestGeneratorsPanic(t *testing.T) {
	t.Parallel()
	x, binary := loss.NormalFeatures(3, 2, 1), []float64{0, 1, 0}
	two := must(loss.NewTwoLayer(x, binary, loss.TwoLayerSettings{Units: 1}))
	net := must(loss.NewDeepLinear(x, mat.NewDense(3, 1, binary), []int{2}, 0))
	if n := must(loss.NewSoftmax(x, binary, 4, 0)).Classes(); n != 4 {
		t.Errorf("%d classes, want 4", n)
	}
	for name, f := range map[string]func(){
		"no rows":         func() { loss.NormalFeatures(0, 1, 1) },
		"no columns":      func() { loss.StudentFeatures(1, 0, 3, 1) },
		"no degrees":      func() { loss.StudentFeatures(1, 1, 0, 1) },
		"short teacher":   func() { loss.LinearTargets(x, []float64{1}, 1, 1) },
		"long teacher":    func() { loss.LogisticLabels(x, []float64{1, 2, 3}, 1) },
		"short network":   func() { loss.TwoLayerTargets(x, loss.TwoLayerSettings{Units: 1}, []float64{1}, 0, 1) },
		"no samples":      func() { loss.Clusters(0, x, 1, 1) },
		"a rate above 1":  func() { loss.FlipLabels([]float64{0}, 2, 1.5, 1) },
		"another label":   func() { loss.FlipLabels([]float64{2}, 2, 0.5, 1) },
		"one class":       func() { loss.FlipLabels([]float64{0}, 1, 0.5, 1) },
		"nothing to join": func() { loss.Join() },
		"two intercepts":  func() { must(loss.NewSoftmax(x, binary, 2, 0)).WithIntercept().WithIntercept() },
		"again":           func() { must(loss.NewLogistic(x, binary, 0)).WithIntercept().WithIntercept() },
		"a long input":    func() { two.Predict(make([]float64, 3), make([]float64, 3)) },
		"few parameters":  func() { two.Predict(make([]float64, 2), make([]float64, 2)) },
		"a long output":   func() { net.Predict(make([]float64, 2), make([]float64, 6), make([]float64, 2)) },
		"no parameters":   func() { net.Predict(make([]float64, 1), nil, make([]float64, 2)) },
		"a short start":   func() { net.Start(make([]float64, 5), sde.NewStream(1, nil)) },
		"a short product": func() { net.Product(make([]float64, 5)) },
		"a short trace":   func() { must(loss.NewLeastSquares(x, binary, 0)).Laplacian([]float64{1}) },
		"no teacher":      func() { loss.LogisticTeacher(3, nil, 1) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
	if _, err := loss.TwoLayerTargets(x, loss.TwoLayerSettings{}, nil, 0, 1); !errors.Is(err, sde.ErrInvalid) {
		t.Errorf("error %v of a network without units", err)
	}
}

// TestDataBits holds generated data, and values and gradients of losses on them, to words
// that are the same on every machine.
func TestDataBits(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	write := func(all ...[]float64) {
		for _, x := range all {
			for _, v := range x {
				h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
			}
		}
	}
	check := func(what, want string) {
		if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != want {
			t.Errorf("bits of %s: %s, want %s", what, got, want)
		}
		h.Reset()
	}
	x := loss.NormalFeatures(150, 3, 1)
	net := loss.TwoLayerSettings{Units: 4, Ridge: 0.1, MeanField: true}
	theta := loss.NormalFeatures(1, 16, 2).RawMatrix().Data
	w := theta[:3]
	binary, real := loss.LogisticLabels(x, w, 1), loss.LinearTargets(x, w, 0.3, 1)
	clusters := loss.Clusters(20, loss.NormalFeatures(3, 2, 4), 0.7, 1)
	client := must(loss.Clients{Count: 2, Samples: 3, Teacher: w, Spread: 1, Shift: 1, Noise: 1}.Generate(5))[1]
	write(x.RawMatrix().Data, loss.StudentFeatures(50, 2, 2.5, 1).RawMatrix().Data, binary, real, must(loss.TwoLayerTargets(x, net, theta, 0.2, 1)),
		clusters.X.RawMatrix().Data, clusters.Y, loss.FlipLabels(binary, 2, 0.3, 1), client.X.RawMatrix().Data, client.Y,
		loss.BreastCancer().Standardized().X.RawMatrix().Data)
	check("data", "961e1cc4424e8c5b")
	for _, c := range []struct {
		name string
		l    sde.FiniteSum
		want string
	}{
		{"Logistic", must(loss.NewLogistic(x, binary, 0.1)).WithIntercept(), "9f031b3823c393de"},
		{"LeastSquares", must(loss.NewLeastSquares(x, real, 0.1)), "9d46f31ec4364a91"},
		{"Huber", must(loss.NewHuber(x, real, 0.5, 0.1)), "e86928940973daf6"},
		{"Softmax", must(loss.NewSoftmax(x, binary, 2, 0.1)).WithIntercept(), "7c930520579d0628"},
		{"TwoLayer", must(loss.NewTwoLayer(x, real, net)), "eae846edad76863f"},
		{"TwoLayer ReLU", must(loss.NewTwoLayer(x, real, loss.TwoLayerSettings{Units: 4, Activation: loss.ReLU})), "692f5aaa1927f8ce"},
		{"MLP", must(loss.NewMLP(x, mat.NewDense(150, 1, real), loss.MLPSettings{Hidden: []int{5, 4}, Ridge: 0.1})), "e24612e611715216"},
		{"MLP classes", must(loss.NewMLP(x, must(loss.OneHot(binary, 2)), loss.MLPSettings{Hidden: []int{30}, CrossEntropy: true})), "47e96f955520ecef"},
		{"DeepLinear", must(loss.NewDeepLinear(x, mat.NewDense(150, 1, real), []int{2}, 0.1)), "a78772658bdc8bf7"},
		{"MatrixCompletion", must(loss.NewMatrixCompletion(3, 4, 2, entries(3, 4), 0.1)), "65ffa04b891618b3"},
	} {
		d := c.l.Dim()
		points, g := sde.NewBatch(5, d), sde.NewBatch(5, d)
		copy(points.Data, loss.NormalFeatures(5, d, 3).RawMatrix().Data)
		samples := make([]uint32, 5*7)
		for i := range samples {
			samples[i] = uint32(i * 31 % c.l.Samples())
		}
		sde.BindMinibatches(c.l, 5)(g, points, samples)
		write(g.Data)
		for r := range points.Rows {
			c.l.Gradient(g.Row(r), points.Row(r))
			write(g.Row(r), []float64{c.l.Value(points.Row(r))})
			c.l.SampleGradient(g.Row(r), points.Row(r), r)
			write(g.Row(r))
		}
		check(c.name, c.want)
	}
}
