// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// normals returns n numbers of a generator that is not the library's.
func normals(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 2))
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// near reports whether each number is within tol of the other's, relative to the largest.
func near(a, b []float64, tol float64) bool {
	size := 0.0
	for _, v := range b {
		size = math.Max(size, math.Abs(v))
	}
	for i, v := range a {
		if !(math.Abs(v-b[i]) <= tol*size) {
			return false
		}
	}
	return len(a) == len(b)
}

// dense is a network by the definition: matrices, one sample at a time, and derivatives as
// dual numbers carry them, forward.
type dense struct {
	widths  []int
	act     loss.Activation
	entropy bool
	noBias  bool
}

// sample returns ℓ of one sample, and its derivative along direction u of θ.
func (n dense) sample(theta, u, x, y []float64) (value, slope float64) {
	a, da := append([]float64(nil), x...), make([]float64, len(x))
	at := 0
	for l := 1; l < len(n.widths); l++ {
		in, out := n.widths[l-1], n.widths[l]
		z, dz := make([]float64, out), make([]float64, out)
		for j := range out {
			for i := range in {
				z[j] += a[i] * theta[at+i*out+j]
				dz[j] += da[i]*theta[at+i*out+j] + a[i]*u[at+i*out+j]
			}
			if !n.noBias {
				z[j] += theta[at+in*out+j]
				dz[j] += u[at+in*out+j]
			}
		}
		at += in * out
		if !n.noBias {
			at += out
		}
		if l < len(n.widths)-1 {
			for j := range z {
				switch n.act {
				case loss.Tanh:
					z[j] = math.Tanh(z[j])
					dz[j] *= 1 - z[j]*z[j]
				case loss.ReLU:
					if z[j] < 0 {
						z[j], dz[j] = 0, 0
					}
				}
			}
		}
		a, da = z, dz
	}
	if n.entropy {
		var sum, dsum float64
		for k, f := range a {
			sum += math.Exp(f)
			dsum += math.Exp(f) * da[k]
			value -= y[k] * f
			slope -= y[k] * da[k]
		}
		return value + math.Log(sum), slope + dsum/sum
	}
	for k, f := range a {
		value += (f - y[k]) * (f - y[k]) / 2
		slope += (f - y[k]) * da[k]
	}
	return value, slope
}

// TestMLP holds values and reverse mode to forward mode by the definition, and Predict.
func TestMLP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n      int
		widths []int
		set    loss.MLPSettings
	}{
		{3, []int{2, 4, 2}, loss.MLPSettings{}},
		{3, []int{2, 4, 2}, loss.MLPSettings{CrossEntropy: true, Ridge: 0.1}},
		{100, []int{3, 5, 1}, loss.MLPSettings{Activation: loss.ReLU, NoBias: true}},
		{5, []int{1, 3, 30, 2, 3}, loss.MLPSettings{Ridge: 0.2}},
		{5, []int{4, 3}, loss.MLPSettings{Activation: loss.Identity}},
		{9, []int{3, 3, 3}, loss.MLPSettings{Activation: loss.Identity, NoBias: true}},
	} {
		last := len(c.widths) - 1
		c.set.Hidden = c.widths[1:last]
		x := mat.NewDense(c.n, c.widths[0], normals(c.n*c.widths[0], 1))
		y := mat.NewDense(c.n, c.widths[last], normals(c.n*c.widths[last], 2))
		if c.set.CrossEntropy { // labels that are not sure
			for i := range c.n {
				row := y.RawRowView(i)
				row[0] = 0.25
				row[1] = 0.75
			}
		}
		l := must(loss.NewMLP(x, y, c.set))
		theta := normals(l.Dim(), 3)
		n := dense{c.widths, c.set.Activation, c.set.CrossEntropy, c.set.NoBias}
		var want, q float64
		u, g := make([]float64, l.Dim()), make([]float64, l.Dim())
		for i := range c.n {
			v, _ := n.sample(theta, u, x.RawRowView(i), y.RawRowView(i))
			want += v / float64(c.n)
		}
		for _, v := range theta {
			q += v * v
		}
		want += c.set.Ridge / 2 * q
		if got := l.Value(theta); !(math.Abs(got-want) <= 1e-13*want) {
			t.Errorf("%v: value %v, want %v", c, got, want)
		}
		wantG := make([]float64, l.Dim())
		for i := range c.n {
			l.SampleGradient(g, theta, i)
			for j := range u {
				u[j] = 1
				_, wantG[j] = n.sample(theta, u, x.RawRowView(i), y.RawRowView(i))
				wantG[j] += c.set.Ridge * theta[j]
				u[j] = 0
			}
			if !near(g, wantG, 1e-13) {
				t.Fatalf("%v: ∇ℓ_%d = %v, want %v", c, i, g, wantG)
			}
		}
		f := make([]float64, c.widths[last])
		l.Predict(f, theta, x.RawRowView(0))
		one := must(loss.NewMLP(mat.NewDense(1, c.widths[0], x.RawRowView(0)), mat.NewDense(1, len(f), f), loss.MLPSettings{
			Hidden: c.set.Hidden, Activation: c.set.Activation, NoBias: c.set.NoBias}))
		if v := one.Value(theta); v != 0 {
			t.Errorf("%v: what the network predicts is %v away from its outputs", c, v)
		}
	}
}

// TestMLPLarge holds a mini-batch of a network of 10⁵ parameters to forward mode.
func TestMLPLarge(t *testing.T) {
	t.Parallel()
	widths := []int{100, 220, 220, 130, 3}
	const n, b = 40, 7
	x, y := mat.NewDense(n, 100, normals(n*100, 1)), mat.NewDense(n, 3, normals(n*3, 2))
	l := must(loss.NewMLP(x, y, loss.MLPSettings{Hidden: widths[1:4]}))
	if l.Dim() < 99_000 {
		t.Fatalf("%d parameters", l.Dim())
	}
	theta, g := sde.NewBatch(2, l.Dim()), sde.NewBatch(2, l.Dim())
	samples := make([]uint32, 2*b)
	s := sde.NewStream(1, nil)
	s.Indices(samples, n)
	l.Start(theta.Row(0), s)
	copy(theta.Row(1), normals(l.Dim(), 4))
	l.BindMinibatches(2)(g, theta, samples)
	u := normals(l.Dim(), 3)
	for r := range 2 {
		var want, size float64
		for _, i := range samples[r*b : (r+1)*b] {
			_, slope := dense{widths: widths}.sample(theta.Row(r), u, x.RawRowView(int(i)), y.RawRowView(int(i)))
			want += slope / b
			size += math.Abs(slope) / b
		}
		if got := mat.Dot(mat.NewVecDense(len(u), g.Row(r)), mat.NewVecDense(len(u), u)); !(math.Abs(got-want) < 1e-11*size) {
			t.Errorf("θ_%d: slope %v, forward mode %v", r, got, want)
		}
	}
}

// TestMLPLearns trains a network by SGD to tell three clusters apart as well as can be.
func TestMLPLearns(t *testing.T) {
	t.Parallel()
	centers := mat.NewDense(3, 2, []float64{0, 2, -2, -1, 2, -1})
	d := loss.Clusters(300, centers, 0.7, 1)
	l := must(loss.NewMLP(d.X, must(loss.OneHot(d.Y, 3)), loss.MLPSettings{Hidden: []int{8}, CrossEntropy: true, Ridge: 1e-4}))
	e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 16}},
		Start: integrate.StartFunc(func(theta []float64, _ int, s *sde.Stream) { l.Start(theta, s) }), Step: 0.1, Particles: 3, Seed: 1}
	var last integrate.Final
	if _, err := e.Run(context.Background(), integrate.Schedule{Time: 100}, &last); err != nil {
		t.Fatal(err)
	}
	nearest := func(x []float64) int { // the best classifier
		best, at := math.Inf(1), 0
		for k := range 3 {
			if v := math.Hypot(x[0]-centers.At(k, 0), x[1]-centers.At(k, 1)); v < best {
				best, at = v, k
			}
		}
		return at
	}
	for r := range 3 {
		theta, f := last.States().Row(r), make([]float64, 3)
		wrong, least := 0, 0
		for i, y := range d.Y {
			x := d.X.RawRowView(i)
			l.Predict(f, theta, x)
			if f[int(y)] < slices.Max(f) {
				wrong++
			}
			if nearest(x) != int(y) {
				least++
			}
		}
		if wrong > least+6 {
			t.Errorf("replica %d: %d of 300 wrong after training, %d by the best classifier", r, wrong, least)
		}
	}
}

// TestMLPStart holds the start to the variances it states.
func TestMLPStart(t *testing.T) {
	t.Parallel()
	l := must(loss.NewMLP(mat.NewDense(1, 100, ones(100)), mat.NewDense(1, 1, ones(1)), loss.MLPSettings{Hidden: []int{200}, Activation: loss.ReLU}))
	theta := make([]float64, l.Dim())
	l.Start(theta, sde.NewStream(1, nil))
	var s float64
	for _, v := range theta[:100*200] {
		s += v * v
	}
	// 20,000 squares over 2/100: a relative error of √(2/20000) = 0.01.
	if s /= 20000 * 2. / 100; math.Abs(s-1) > 0.05 {
		t.Errorf("variance %v of what it should be", s)
	}
	for _, v := range theta[100*200 : 101*200] {
		if v != 0 {
			t.Fatalf("a bias starts at %v", v)
		}
	}
}

// TestDeepLinear descends to the value that the singular values promise, through the
// narrow layer, and past it where all layers are wide.
func TestDeepLinear(t *testing.T) {
	t.Parallel()
	const n, p, k = 30, 4, 3
	x, y := mat.NewDense(n, p, normals(n*p, 4)), mat.NewDense(n, k, normals(n*k, 5))
	var best mat.Dense
	if err := best.Solve(x, y); err != nil {
		t.Fatal(err)
	}
	var residual mat.Dense
	residual.Mul(x, &best)
	residual.Sub(y, &residual)
	full := math.Pow(mat.Norm(&residual, 2), 2) / (2 * n)
	for _, hidden := range [][]int{{1}, {2, 5}, {4, 4}, nil} {
		l := must(loss.NewDeepLinear(x, y, hidden, 0))
		r, err := optimize.Minimize(optimize.Problem{Func: l.Value, Grad: l.Gradient}, normals(l.Dim(), 6),
			&optimize.Settings{GradientThreshold: 1e-7}, &optimize.CG{})
		if err != nil {
			t.Fatal(err)
		}
		if want := l.Minimum(); !(math.Abs(r.F-want) < 1e-10) {
			t.Errorf("hidden layers %v: descent ends at %v, the minimum is %v", hidden, r.F, want)
		}
		wide := len(hidden) == 0 || hidden[0] >= k
		if wide != (math.Abs(l.Minimum()-full) < 1e-12) {
			t.Errorf("hidden layers %v: minimum %v, and %v by linear regression", hidden, l.Minimum(), full)
		}
		if wide {
			if got := l.Product(r.X); !mat.EqualApprox(got, &best, 1e-5) {
				t.Errorf("hidden layers %v: the product is %v, regression gives %v", hidden, mat.Formatted(got), mat.Formatted(&best))
			}
		}
	}
}

// TestTwoLayer holds the network to its definition by the standard library.
func TestTwoLayer(t *testing.T) {
	t.Parallel()
	const n, p, m = 40, 3, 5
	x, y := mat.NewDense(n, p, normals(n*p, 7)), normals(n, 8)
	theta := normals(m*(1+p), 9)
	for _, mean := range []bool{false, true} {
		l := must(loss.NewTwoLayer(x, y, loss.TwoLayerSettings{Units: m, MeanField: mean, Ridge: 0.1}))
		var want, q float64
		for i := range n {
			var f float64
			for k := range m {
				unit := theta[k*(1+p):][:1+p]
				f += unit[0] * math.Tanh(mat.Dot(x.RowView(i), mat.NewVecDense(p, unit[1:])))
			}
			if mean {
				f /= m
			}
			if got := l.Predict(theta, x.RawRowView(i)); !(math.Abs(got-f) < 1e-14) {
				t.Errorf("f(x_%d) = %v, want %v", i, got, f)
			}
			want += (f - y[i]) * (f - y[i]) / (2 * n)
		}
		if mean {
			want *= m
		}
		for _, v := range theta {
			q += v * v
		}
		if got := l.Value(theta); !(math.Abs(got-want-0.05*q) < 1e-13*want) {
			t.Errorf("mean field %v: value %v, want %v", mean, got, want+0.05*q)
		}
	}
}

// TestMeanField doubles each unit: in the mean-field scaling nothing changes for any of them,
// in the other one the output doubles.
func TestMeanField(t *testing.T) {
	t.Parallel()
	const n, p, m = 30, 2, 4
	x, y := mat.NewDense(n, p, normals(n*p, 1)), normals(n, 2)
	theta := normals(m*(1+p), 3)
	twice := append(append([]float64(nil), theta...), theta...)
	for _, mean := range []bool{true, false} {
		s := loss.TwoLayerSettings{Units: m, MeanField: mean, Ridge: 0.1}
		one := must(loss.NewTwoLayer(x, y, s))
		s.Units *= 2
		two := must(loss.NewTwoLayer(x, y, s))
		g, h := make([]float64, len(theta)), make([]float64, len(twice))
		one.Gradient(g, theta)
		two.Gradient(h, twice)
		same := near(h[:len(g)], g, 1e-13) && near(h[len(g):], g, 1e-13) && near([]float64{two.Value(twice)}, []float64{2 * one.Value(theta)}, 1e-13) &&
			near([]float64{two.Predict(twice, x.RawRowView(0))}, []float64{one.Predict(theta, x.RawRowView(0))}, 1e-13)
		if same != mean {
			t.Errorf("mean field %v: two units in the place of one change nothing: %v", mean, same)
		}
	}
}

// TestSoftmaxOfTwo is logistic regression on the difference of the two rows.
func TestSoftmaxOfTwo(t *testing.T) {
	t.Parallel()
	x, y := loss.LogisticTeacher(150, []float64{1, -1, 2}, 3)
	logistic := must(loss.NewLogistic(x, y, 0)).WithIntercept()
	softmax := must(loss.NewSoftmax(x, y, 2, 0)).WithIntercept()
	theta := normals(8, 4)
	w, g, h := make([]float64, 4), make([]float64, 4), make([]float64, 8)
	for j := range w {
		w[j] = theta[4+j] - theta[j]
	}
	if a, b := softmax.Value(theta), logistic.Value(w); !(math.Abs(a-b) < 1e-14*b) {
		t.Errorf("softmax %v, logistic %v", a, b)
	}
	softmax.Gradient(h, theta)
	logistic.Gradient(g, w)
	if !near(h[4:], g, 1e-14) {
		t.Errorf("gradient of class 1 is %v, logistic %v", h[4:], g)
	}
	for j := range g {
		if math.Abs(h[j]+h[4+j]) > 1e-15 {
			t.Errorf("the classes' gradients do not sum to 0: %v", h)
		}
	}
}

// TestMatrixCompletion finds the entries it has not seen, and the noise vanishes there.
func TestMatrixCompletion(t *testing.T) {
	t.Parallel()
	const rows, columns, rank = 15, 12, 2
	r := rand.New(rand.NewPCG(1, 1))
	var full mat.Dense
	full.Mul(mat.NewDense(rows, rank, normals(rows*rank, 1)), mat.NewDense(rank, columns, normals(rank*columns, 2)))
	var seen []loss.MatrixEntry
	for i := range rows {
		for j := range columns {
			if r.Float64() < 0.6 {
				seen = append(seen, loss.MatrixEntry{Row: i, Column: j, Value: full.At(i, j)})
			}
		}
	}
	l := must(loss.NewMatrixCompletion(rows, columns, rank, seen, 0))
	found, err := optimize.Minimize(optimize.Problem{Func: l.Value, Grad: l.Gradient}, normals(l.Dim(), 3),
		&optimize.Settings{GradientThreshold: 1e-8}, &optimize.BFGS{})
	if err != nil {
		t.Fatal(err)
	}
	u, v := mat.NewDense(rows, rank, found.X[:rows*rank]), mat.NewDense(columns, rank, found.X[rows*rank:])
	var got mat.Dense
	got.Mul(u, v.T())
	if !mat.EqualApprox(&got, &full, 1e-5) {
		t.Errorf("found %v, want %v", mat.Formatted(&got), mat.Formatted(&full))
	}
	g := sde.NewBatch(len(seen), l.Dim())
	l.SampleGradients(g, found.X, 0)
	for i, v := range g.Data {
		if math.Abs(v) > 1e-5 {
			t.Fatalf("sample %d has the gradient %v where the model interpolates", i/l.Dim(), v)
		}
	}
}
