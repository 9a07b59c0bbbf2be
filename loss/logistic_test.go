// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

func TestLogistic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n     int
		w     []float64
		ridge float64
	}{
		{1, []float64{1}, 0}, {7, []float64{2, -1}, 0.1}, {300, make([]float64, 8), 1e-3}, {1000, make([]float64, 20), 1e-3}, {40, make([]float64, 150), 0.01},
	} {
		x, y := loss.LogisticTeacher(c.n, c.w, 5)
		l, err := loss.NewLogistic(x, y, c.ridge)
		if err != nil {
			t.Fatal(err)
		}
		losstest.Test(t, l, losstest.Options{Wants: []losstest.Upgrade{losstest.FiniteSum, losstest.Minibatches, losstest.Hessian, losstest.Normalizable}})
		// The formula, by the standard library.
		theta := make([]float64, len(c.w))
		for j := range theta {
			theta[j] = math.Sin(float64(j))
		}
		want := 0.0
		for i, v := range y {
			t := mat.Dot(mat.NewVecDense(len(theta), theta), x.RowView(i))
			want += math.Log1p(math.Exp(t)) - v*t
		}
		want /= float64(c.n)
		for _, v := range theta {
			want += c.ridge / 2 * v * v
		}
		if got := l.Value(theta); !(math.Abs(got-want) < 1e-13*want) {
			t.Errorf("N = %d, d = %d: value %v, want %v", c.n, len(c.w), got, want)
		}
	}
}

// TestLogisticTeacher finds the teacher again: at the optimum the samples' gradients have
// the covariance H, so that the estimate is w + N(0, H⁻¹/N).
func TestLogisticTeacher(t *testing.T) {
	t.Parallel()
	w := []float64{1, -0.5, 0.25}
	const n = 40_000
	x, y := loss.LogisticTeacher(n, w, 9)
	l, err := loss.NewLogistic(x, y, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := optimize.Minimize(optimize.Problem{Func: l.Value, Grad: l.Gradient}, make([]float64, 3), &optimize.Settings{GradientThreshold: 1e-8}, &optimize.BFGS{})
	if err != nil {
		t.Fatal(err)
	}
	h := make([]float64, 9)
	l.Hessian(h, r.X)
	d := mat.NewVecDense(3, nil)
	d.SubVec(mat.NewVecDense(3, r.X), mat.NewVecDense(3, w))
	if chi := n * mat.Inner(d, mat.NewSymDense(3, h), d); !(chi < 40) { // p = 1e-8 of χ² with 3 degrees
		t.Errorf("found %v, teacher %v: χ² = %v", r.X, w, chi)
	}
}

func TestLogisticRefused(t *testing.T) {
	x := func(v ...float64) *mat.Dense { return mat.NewDense(2, 2, v) }
	good := x(1, 2, 3, 4)
	for _, c := range []struct {
		x     *mat.Dense
		y     []float64
		ridge float64
		want  string
	}{
		{nil, nil, 0, "no samples"},
		{new(mat.Dense), nil, 0, "no samples"},
		{good, []float64{1}, 0, "1 labels"},
		{good, []float64{1, 2}, 0, "y[1]"},
		{good, []float64{1, math.NaN()}, 0, "y[1]"},
		{good, []float64{0, 1}, -1, "ridge"},
		{good, []float64{0, 1}, math.Inf(1), "ridge"},
		{x(1, 2, 3, math.NaN()), []float64{0, 1}, 0, "row 1, column 1"},
		{x(1, math.Inf(-1), 3, 4), []float64{0, 1}, 0, "row 0, column 1"},
	} {
		if _, err := loss.NewLogistic(c.x, c.y, c.ridge); !errors.Is(err, sde.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one of sde.ErrInvalid with %q", err, c.want)
		}
	}
}

// TestLogisticFlipped holds the gradient under the other label to that of a loss of the
// other labels.
func TestLogisticFlipped(t *testing.T) {
	x, y := loss.LogisticTeacher(20, []float64{1, -2, 0.5}, 3)
	l, err := loss.NewLogistic(x, y, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		y[i] = 1 - y[i]
	}
	other, err := loss.NewLogistic(x, y, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	theta, got, want := []float64{0.3, 1, -2}, make([]float64, 3), make([]float64, 3)
	for i := range y {
		l.FlippedGradient(got, theta, i, 1)
		other.SampleGradient(want, theta, i)
		for j, v := range want {
			if got[j] != v {
				t.Errorf("sample %d flipped: ∂/∂θ_%d = %v, of the other label %v", i, j, got[j], v)
			}
		}
	}
}
