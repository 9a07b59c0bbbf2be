// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

func TestBreastCancer(t *testing.T) {
	t.Parallel()
	d := loss.BreastCancer()
	if n, cols := d.X.Dims(); n != 569 || cols != 30 || len(d.Columns) != 30 || d.Target != "benign" || d.Columns[29] != "worst fractal dimension" {
		t.Fatalf("%d×%d, columns %q, target %q", n, cols, d.Columns, d.Target)
	}
	var benign float64
	for _, v := range d.Y {
		benign += v
	}
	if benign != 357 || d.X.At(0, 0) != 17.99 || d.X.At(568, 29) != 0.07039 {
		t.Errorf("%v benign, first number %v, last %v", benign, d.X.At(0, 0), d.X.At(568, 29))
	}
	d.X.Set(0, 0, 0)
	if loss.BreastCancer().X.At(0, 0) != 17.99 {
		t.Error("two calls share memory")
	}
}

// optimum is what scikit-learn found: testdata/breastcancer.py.
type optimum struct {
	Ridge float64
	Theta []float64
	Loss  float64
	Right int // samples it classifies as they are labelled
}

func readOptima(t *testing.T) []optimum {
	t.Helper()
	data, err := os.ReadFile("testdata/breastcancer.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Optima []optimum }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Optima
}

// newton takes full steps from 0 until they are as small as rounding.
func newton(t *testing.T, l interface {
	sde.Loss
	sde.Hessian
}) []float64 {
	t.Helper()
	d := l.Dim()
	theta, g, h := make([]float64, d), make([]float64, d), make([]float64, d*d)
	for range 50 {
		l.Gradient(g, theta)
		l.Hessian(h, theta)
		var chol mat.Cholesky
		if !chol.Factorize(mat.NewSymDense(d, h)) {
			t.Fatal("the Hessian is not positive")
		}
		step := mat.NewVecDense(d, nil)
		if err := chol.SolveVecTo(step, mat.NewVecDense(d, g)); err != nil {
			t.Fatal(err)
		}
		for j := range theta {
			theta[j] -= step.AtVec(j)
		}
		if mat.Norm(step, 2) < 1e-13 {
			return theta
		}
	}
	t.Fatal("Newton's method did not converge")
	return nil
}

// right returns how many samples θ, whose last coordinate is the intercept, classifies as
// they are labelled.
func right(d loss.Dataset, theta []float64) (n int) {
	p := len(theta) - 1
	for i, y := range d.Y {
		if s := mat.Dot(d.X.RowView(i), mat.NewVecDense(p, theta[:p])) + theta[p]; (s > 0) == (y == 1) {
			n++
		}
	}
	return n
}

// TestScikitLearn holds the optimum of logistic regression to that of scikit-learn.
func TestScikitLearn(t *testing.T) {
	t.Parallel()
	d := loss.BreastCancer().Standardized()
	for _, c := range readOptima(t) {
		l := must(loss.NewLogistic(d.X, d.Y, c.Ridge)).WithIntercept()
		theta := newton(t, l)
		var worst float64
		for j, v := range theta {
			worst = math.Max(worst, math.Abs(v-c.Theta[j]))
		}
		t.Logf("λ = %v: off by %.2g", c.Ridge, worst)
		if !(worst < 1e-8) {
			t.Errorf("λ = %v: θ = %v, scikit-learn has %v", c.Ridge, theta, c.Theta)
		}
		if v := l.Value(theta); !(math.Abs(v-c.Loss) < 1e-14) {
			t.Errorf("λ = %v: loss %v, scikit-learn has %v", c.Ridge, v, c.Loss)
		}
		if n := right(d, theta); n != c.Right {
			t.Errorf("λ = %v: %d right, scikit-learn has %d", c.Ridge, n, c.Right)
		}
		// An intercept with weight decay is another optimum.
		x := mat.NewDense(len(d.Y), 31, nil)
		x.Augment(d.X, mat.NewDense(len(d.Y), 1, ones(len(d.Y))))
		if other := newton(t, must(loss.NewLogistic(x, d.Y, c.Ridge))); math.Abs(other[30]-c.Theta[30]) < 1e-3 {
			t.Errorf("λ = %v: weight decay of the intercept does not show", c.Ridge)
		}
	}
}

// TestTailAverage runs one replica of SGD and averages its second half.
func TestTailAverage(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Parallel()
	d := loss.BreastCancer().Standardized()
	optima := readOptima(t)[:2]
	for _, c := range optima {
		l := must(loss.NewLogistic(d.X, d.Y, c.Ridge)).WithIntercept()
		const rate, half = 0.05, 2000
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: noise.WithReplacement{Loss: l, BatchSize: 64}},
			Step: rate, Particles: 1, Seed: 1}
		var tail integrate.Moments
		var last integrate.Final
		if _, err := e.Run(context.Background(), integrate.Schedule{BurnIn: half, Time: half, Every: rate}, &tail, &last); err != nil {
			t.Fatal(err)
		}
		theta := make([]float64, l.Dim())
		for j := range theta {
			theta[j] = tail.Mean(j).Value
		}
		excess := l.Value(theta) - c.Loss
		t.Logf("λ = %v: %.2g above the optimum, %d right", c.Ridge, excess, right(d, theta))
		if !(excess < 1e-4) || right(d, theta) != c.Right {
			t.Errorf("λ = %v: loss %v and %d right after SGD, at the optimum %v and %d", c.Ridge, c.Loss+excess, right(d, theta), c.Loss, c.Right)
		}
		if end := l.Value(last.States().Row(0)) - c.Loss; !(end > 10*excess) {
			t.Errorf("λ = %v: without the average SGD ends %v above the optimum, with it %v: the average shows nothing", c.Ridge, end, excess)
		}
	}
}
