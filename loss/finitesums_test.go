// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// kinks is the scale of a loss whose gradient has kinks: differences are to stay between
// two of them.
const kinks = 1e-4

// finiteSums are the losses on data, of samples few and many, beside what they should have.
func finiteSums() map[string]struct {
	loss  sde.FiniteSum
	scale float64
	wants []losstest.Upgrade
} {
	type entry = struct {
		loss  sde.FiniteSum
		scale float64
		wants []losstest.Upgrade
	}
	sums := map[string]entry{}
	add := func(name string, l sde.FiniteSum, scale float64, more ...losstest.Upgrade) {
		sums[name] = entry{l, scale, append(more, losstest.FiniteSum, losstest.Minibatches, losstest.SampleGradients, losstest.BatchGradient)}
	}
	many := 70 // more than are taken at a time
	if testing.Short() {
		many = 9
	}
	quadratic := []losstest.Upgrade{losstest.Hessian, losstest.Laplacian, losstest.Curvature, losstest.Normalizable, losstest.Charted,
		losstest.Harmonic, losstest.OutputGradient}
	for _, s := range []struct{ n, d int }{{1, 1}, {7, 2}, {300, 8}, {40, 150}} {
		if testing.Short() && s.d > 32 {
			continue
		}
		x, y := loss.LogisticTeacher(s.n, make([]float64, s.d), 5)
		size := fmt.Sprintf(" %d×%d", s.n, s.d)
		add("logistic with intercept"+size, must(loss.NewLogistic(x, y, 0.01)).WithIntercept(), 1, losstest.Hessian, losstest.Normalizable, losstest.FlippedGradient)
		for i := range y { // targets that are not all the same
			y[i] = y[i] + 0.7*x.At(i, 0)
		}
		square := must(loss.NewLeastSquares(x, y, 0.01))
		add("least squares"+size, square, 1, quadratic...)
		add("least squares with intercept"+size, square.WithIntercept(), 1, quadratic...)
		huber := must(loss.NewHuber(x, y, 0.6, 0.01))
		add("Huber"+size, huber, kinks, losstest.Hessian, losstest.Normalizable)
		add("Huber with intercept"+size, huber.WithIntercept(), kinks, losstest.Hessian, losstest.Normalizable)
	}
	for _, s := range []struct{ n, d, k int }{{1, 1, 2}, {many, 3, 4}} {
		x, y := loss.LogisticTeacher(s.n, make([]float64, s.d), 6)
		for i := range y {
			y[i] = float64(i % s.k)
		}
		size := fmt.Sprintf(" %d×%d, %d", s.n, s.d, s.k)
		softmax := must(loss.NewSoftmax(x, y, s.k, 0.01))
		add("softmax"+size, softmax, 1, losstest.Hessian, losstest.Normalizable, losstest.FlippedGradient)
		add("softmax with intercept"+size, softmax.WithIntercept(), 1, losstest.Hessian, losstest.Normalizable)
		for _, a := range []loss.Activation{loss.Tanh, loss.ReLU, loss.Identity} {
			for _, mean := range []bool{false, true} {
				scale := 0.7
				if a == loss.ReLU {
					scale = kinks
				}
				l := must(loss.NewTwoLayer(x, y, loss.TwoLayerSettings{Units: s.k + 1, Activation: a, MeanField: mean, Ridge: 0.02}))
				add(fmt.Sprintf("two layers, %v, mean field %v,%s", a, mean, size), l, scale, losstest.Normalizable, losstest.OutputGradient)
			}
		}
	}
	for _, s := range []struct {
		n, d, k int
		hidden  []int
	}{{1, 1, 1, nil}, {5, 2, 3, []int{4}}, {many, 3, 2, []int{4, 3}}, {3, 1, 1, []int{30, 1}}} {
		x, y := loss.LogisticTeacher(s.n, make([]float64, s.d), 7)
		targets := mat.NewDense(s.n, s.k, nil)
		for i := range s.n {
			for j := range s.k {
				targets.Set(i, j, y[i]-0.3*float64(j))
			}
		}
		for _, a := range []loss.Activation{loss.Tanh, loss.ReLU, loss.Identity} {
			scale := 0.7
			if a == loss.ReLU {
				scale = kinks
			}
			set := loss.MLPSettings{Hidden: s.hidden, Activation: a, NoBias: a == loss.Identity, Ridge: 0.03}
			add(fmt.Sprintf("MLP %d %d %v %d, %v", s.n, s.d, s.hidden, s.k, a), must(loss.NewMLP(x, targets, set)), scale, losstest.Normalizable)
			if s.k > 1 {
				set.CrossEntropy = true
				set.NoBias = false
				add(fmt.Sprintf("MLP %d %d %v %d, %v, cross entropy", s.n, s.d, s.hidden, s.k, a), must(loss.NewMLP(x, must(loss.OneHot(y, s.k)), set)), scale, losstest.Normalizable)
			}
		}
	}
	x, y := loss.NormalFeatures(5, 2, 1), []float64{1, -1, 0.5, 2, 0}
	add("scalar MLP", must(loss.NewScalarMLP(x, y, loss.MLPSettings{Hidden: []int{3}, Ridge: 0.1})), 0.7, losstest.Normalizable, losstest.OutputGradient)
	add("deep linear", must(loss.NewDeepLinear(x, mat.NewDense(5, 1, y), []int{2, 3}, 0.1)), 0.7, losstest.Normalizable)
	add("matrix completion", must(loss.NewMatrixCompletion(3, 4, 2, entries(3, 4), 0.1)), 1, losstest.Hessian, losstest.Normalizable, losstest.OutputGradient)
	add("matrix completion, one entry", must(loss.NewMatrixCompletion(1, 1, 1, []loss.MatrixEntry{{Value: 2}}, 0)), 1, losstest.Hessian, losstest.Normalizable)
	return sums
}

// entries are those of a matrix of rank 1, but for the diagonal.
func entries(rows, columns int) (all []loss.MatrixEntry) {
	for i := range rows {
		for j := range columns {
			if i != j {
				all = append(all, loss.MatrixEntry{Row: i, Column: j, Value: float64(i+1) / float64(j+2)})
			}
		}
	}
	return all
}

func TestFiniteSums(t *testing.T) {
	t.Parallel()
	for name, c := range finiteSums() {
		t.Run(name, func(t *testing.T) {
			o := losstest.Options{Exact: true, Scale: c.scale, Wants: c.wants}
			if c.scale == kinks { // of a small scale, so that rounding shows, and points that are not
				o.Tolerance = 1e-7
				r := rand.New(rand.NewPCG(3, 1))
				for range 12 {
					p := make([]float64, c.loss.Dim())
					for j := range p {
						p[j] = r.NormFloat64()
					}
					o.Points = append(o.Points, p)
				}
			}
			losstest.Test(t, c.loss, o)
		})
	}
}

// TestLeastSquares holds the Hessian to XᵀX/N + λI and the optimum to the normal equations.
func TestLeastSquares(t *testing.T) {
	t.Parallel()
	const n, d, ridge = 200, 5, 0.1
	x, y := loss.LogisticTeacher(n, make([]float64, d), 3)
	for _, intercept := range []bool{false, true} {
		l := must(loss.NewLeastSquares(x, y, ridge))
		p := d
		var design mat.Dense
		design.CloneFrom(x)
		if intercept {
			l, p = l.WithIntercept(), d+1
			design.Reset()
			design.Augment(x, mat.NewDense(n, 1, ones(n)))
		}
		var want mat.Dense
		want.Mul(design.T(), &design)
		want.Scale(1.0/n, &want)
		for j := range d {
			want.Set(j, j, want.At(j, j)+ridge)
		}
		h, center := l.Harmonic()
		if !mat.EqualApprox(mat.NewDense(p, p, h), &want, 1e-14) {
			t.Errorf("intercept %v: H = %v, want %v", intercept, h, mat.Formatted(&want))
		}
		var b, solved mat.VecDense
		b.MulVec(design.T(), mat.NewVecDense(n, y))
		b.ScaleVec(1.0/n, &b)
		if err := solved.SolveVec(&want, &b); err != nil {
			t.Fatal(err)
		}
		if !mat.EqualApprox(mat.NewVecDense(p, center), &solved, 1e-13) {
			t.Errorf("intercept %v: optimum %v, want %v", intercept, center, solved.RawVector().Data)
		}
		if g := make([]float64, p); true {
			l.Gradient(g, center)
			for j, v := range g {
				if math.Abs(v) > 1e-14 {
					t.Errorf("intercept %v: ∂L/∂θ_%d = %v at the optimum", intercept, j, v)
				}
			}
		}
	}
	// Fewer samples than coordinates: of all minima the one in the span of x.
	l := must(loss.NewLeastSquares(mat.NewDense(1, 2, []float64{3, 4}), []float64{5}, 0))
	if _, c := l.Harmonic(); math.Abs(c[0]-0.6) > 1e-15 || math.Abs(c[1]-0.8) > 1e-15 {
		t.Errorf("minimum %v, want (0.6, 0.8)", c)
	}
	if l.CriticalPoints() != nil || l.Normalizable(1) {
		t.Error("a valley of minima is called a minimum, or a law")
	}
}

// TestLeastSquaresNoise holds Σ(θ) to (1/N) Σ r² x xᵀ − g gᵀ, with g the gradient without
// weight decay, which all samples share; where the model interpolates it is 0.
func TestLeastSquaresNoise(t *testing.T) {
	t.Parallel()
	const n, d = 30, 3
	x, w := loss.NormalFeatures(n, d, 1), []float64{1, -2, 0.5}
	theta := []float64{0.3, 0.1, -1}
	l := must(loss.NewLeastSquares(x, loss.LinearTargets(x, w, 0, 1), 0.7))
	want, g := mat.NewSymDense(d, nil), mat.NewVecDense(d, nil)
	for i := range n {
		row := mat.NewVecDense(d, x.RawRowView(i))
		r := mat.Dot(row, mat.NewVecDense(d, theta)) - mat.Dot(row, mat.NewVecDense(d, w))
		want.SymRankOne(want, r*r/n, row)
		g.AddScaledVec(g, r/n, row)
	}
	want.SymRankOne(want, -1, g)
	var got mat.SymDense
	noise.SampleCovariance(&got, l, theta)
	if !mat.EqualApprox(&got, want, 1e-13) {
		t.Errorf("Σ = %v, want %v", mat.Formatted(&got), mat.Formatted(want))
	}
	noise.SampleCovariance(&got, l, w)
	if mat.Norm(&got, 1) > 1e-28 {
		t.Errorf("Σ = %v at the teacher, want 0", mat.Formatted(&got))
	}
}

func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// TestHuber has an outlier, which least squares follows and Huber's loss does not; with a
// delta beyond all residuals they are the same.
func TestHuber(t *testing.T) {
	t.Parallel()
	x := mat.NewDense(5, 1, ones(5))
	y := []float64{1, 2, 3, 4, 1000}
	l := must(loss.NewHuber(x, y, 1, 0))
	// The gradient is the sum of clamped residuals: at m in (2, 4), −1 + (m−2 or 1) … − 1 = 0.
	var g [1]float64
	if l.Gradient(g[:], []float64{3}); g[0] != (1+1+0-1-1)/5. {
		t.Errorf("gradient %v at the median, want 0", g[0])
	}
	if l.Gradient(g[:], []float64{2.5}); g[0] != (1+0.5-0.5-1-1)/5 {
		t.Errorf("gradient %v at 2.5, want −0.2", g[0])
	}
	wide, square := must(loss.NewHuber(x, y, 1e4, 0.5)), must(loss.NewLeastSquares(x, y, 0.5))
	for _, m := range []float64{-3, 0, 17} {
		if a, b := wide.Value([]float64{m}), square.Value([]float64{m}); math.Abs(a-b) > 1e-12*b {
			t.Errorf("δ beyond all residuals: %v, and %v by least squares", a, b)
		}
	}
}

func TestFuncSum(t *testing.T) {
	t.Parallel()
	f := func(theta []float64, i int) float64 { return math.Cosh(theta[0]-float64(i)) + theta[1]*theta[1] }
	grad := func(dst, theta []float64, i int) {
		dst[0], dst[1] = math.Sinh(theta[0]-float64(i)), 2*theta[1]
	}
	l := loss.FuncSum{Coordinates: 2, Count: 3, F: f, Grad: grad}
	losstest.Test(t, l, losstest.Options{Wants: []losstest.Upgrade{losstest.FiniteSum}})
	for _, bad := range []loss.FuncSum{
		{Count: 3, F: f, Grad: grad}, {Coordinates: 2, F: f, Grad: grad}, {Coordinates: 2, Count: 1 << 31, F: f, Grad: grad},
		{Coordinates: 2, Count: 3, Grad: grad}, {Coordinates: 2, Count: 3, F: f},
	} {
		if err := bad.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%d coordinates, %d samples: error %v", bad.Coordinates, bad.Count, err)
		}
	}
	if !panics(func() { l.SampleGradient(make([]float64, 2), make([]float64, 2), 3) }) {
		t.Error("there is no sample 3")
	}
}
