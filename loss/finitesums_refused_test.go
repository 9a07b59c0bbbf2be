// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

// TestFiniteSumsRefused gives each constructor what it cannot take.
func TestFiniteSumsRefused(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	good, y := mat.NewDense(2, 2, []float64{1, 2, 3, 4}), []float64{0, 1}
	wrong := mat.NewDense(2, 2, []float64{1, 2, nan, 4})
	squares := func(x *mat.Dense, y []float64, ridge float64) error {
		_, err := loss.NewLeastSquares(x, y, ridge)
		return err
	}
	huber := func(x *mat.Dense, y []float64, delta, ridge float64) error {
		_, err := loss.NewHuber(x, y, delta, ridge)
		return err
	}
	softmax := func(x *mat.Dense, y []float64, classes int, ridge float64) error {
		_, err := loss.NewSoftmax(x, y, classes, ridge)
		return err
	}
	two := func(x *mat.Dense, y []float64, s loss.TwoLayerSettings) error {
		_, err := loss.NewTwoLayer(x, y, s)
		return err
	}
	mlp := func(x, y *mat.Dense, s loss.MLPSettings) error { _, err := loss.NewMLP(x, y, s); return err }
	scalar := func(x *mat.Dense, y []float64, s loss.MLPSettings) error {
		_, err := loss.NewScalarMLP(x, y, s)
		return err
	}
	completion := func(rows, columns, rank int, e []loss.MatrixEntry, ridge float64) error {
		_, err := loss.NewMatrixCompletion(rows, columns, rank, e, ridge)
		return err
	}
	hot := func(y []float64, classes int) error { _, err := loss.OneHot(y, classes); return err }
	entry := []loss.MatrixEntry{{Row: 0, Column: 1, Value: 3}}
	for _, c := range []struct {
		err  error
		want string
	}{
		{squares(nil, nil, 0), "NewLeastSquares x = no samples"},
		{squares(new(mat.Dense), nil, 0), "NewLeastSquares x = no samples"},
		{squares(good, y[:1], 0), "1 labels"},
		{squares(wrong, y, 0), "row 1, column 0"},
		{squares(good, []float64{0, inf}, 0), "y[1]"},
		{squares(good, y, -1), "ridge"},
		{huber(wrong, y, 1, 0), "row 1, column 0"},
		{huber(good, y, 0, 0), "delta = 0"},
		{huber(good, y, inf, 0), "delta = +Inf"},
		{huber(good, y, nan, 0), "delta = NaN"},
		{huber(good, y, 1, inf), "ridge"},
		{softmax(wrong, y, 2, 0), "row 1, column 0"},
		{softmax(good, y, 1, 0), "classes = 1"},
		{softmax(good, []float64{0, 2}, 2, 0), "y[1] = 2: want a whole number from 0 to 1"},
		{softmax(good, []float64{0.5, 1}, 2, 0), "y[0] = 0.5"},
		{softmax(good, []float64{0, -1}, 2, 0), "y[1] = -1"},
		{softmax(good, y, 2, nan), "ridge"},
		{two(wrong, y, loss.TwoLayerSettings{Units: 1}), "row 1, column 0"},
		{two(good, y, loss.TwoLayerSettings{}), "Units = 0"},
		{two(good, y, loss.TwoLayerSettings{Units: 1, Activation: 9}), "Activation = Activation(9)"},
		{two(good, y, loss.TwoLayerSettings{Units: 1, Ridge: -1}), "Ridge"},
		{mlp(wrong, good, loss.MLPSettings{}), "NewMLP x, row 1, column 0"},
		{mlp(good, wrong, loss.MLPSettings{}), "NewMLP y, row 1, column 0"},
		{mlp(good, nil, loss.MLPSettings{}), "NewMLP y = no samples"},
		{mlp(good, mat.NewDense(3, 1, nil), loss.MLPSettings{}), "y = 3 rows: want 2"},
		{mlp(good, good, loss.MLPSettings{Hidden: []int{3, 0}}), "Hidden[1] = 0"},
		{mlp(good, good, loss.MLPSettings{Activation: 3}), "MLPSettings.Activation"},
		{mlp(good, good, loss.MLPSettings{Ridge: inf}), "MLPSettings.Ridge"},
		{mlp(good, good, loss.MLPSettings{CrossEntropy: true}), "y, row 0 = a sum of 3"},
		{mlp(good, mat.NewDense(2, 2, []float64{1, 0, 2, -1}), loss.MLPSettings{CrossEntropy: true}), "y, row 1, column 1 = -1"},
		{scalar(wrong, y, loss.MLPSettings{}), "NewScalarMLP x, row 1, column 0"},
		{scalar(good, y, loss.MLPSettings{CrossEntropy: true}), "CrossEntropy = true"},
		{scalar(good, y, loss.MLPSettings{Ridge: -1}), "MLPSettings.Ridge"},
		{completion(0, 2, 1, entry, 0), "rows = 0"},
		{completion(2, -1, 1, entry, 0), "columns = -1"},
		{completion(2, 2, 0, entry, 0), "rank = 0"},
		{completion(2, 2, 1, nil, 0), "entries = no samples"},
		{completion(2, 1, 1, entry, 0), "entries[0] = row 0, column 1: want a place in 2×1"},
		{completion(2, 2, 1, []loss.MatrixEntry{{Row: 1, Column: 0, Value: nan}}, 0), "entries[0], row 1, column 0 = NaN"},
		{completion(2, 2, 1, entry, -1), "ridge"},
		{hot(nil, 2), "no labels"},
		{hot([]float64{0, 3}, 3), "y[1] = 3"},
		{hot([]float64{nan}, 3), "y[0] = NaN"},
	} {
		if !errors.Is(c.err, sde.ErrInvalid) || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want one of sde.ErrInvalid with %q", c.err, c.want)
		}
	}
	for _, err := range []error{squares(good, y[:1], 0), mlp(good, mat.NewDense(3, 1, nil), loss.MLPSettings{}), completion(2, 1, 1, entry, 0)} {
		if !errors.Is(err, sde.ErrDimension) {
			t.Errorf("error %v is not one of sde.ErrDimension", err)
		}
	}
}

// TestFiniteSumsPanics calls each method with what is too short, and for samples there are none of.
func TestFiniteSumsPanics(t *testing.T) {
	t.Parallel()
	for name, c := range finiteSums() {
		l, d, n := c.loss, c.loss.Dim(), c.loss.Samples()
		g, theta := make([]float64, d), make([]float64, d)
		for what, call := range map[string]func(){
			"Value":                 func() { l.Value(theta[:d-1]) },
			"Gradient, dst":         func() { l.Gradient(g[:d-1], theta) },
			"Gradient, theta":       func() { l.Gradient(g, theta[:d-1]) },
			"SampleGradient, dst":   func() { l.SampleGradient(g[:d-1], theta, 0) },
			"SampleGradient, theta": func() { l.SampleGradient(g, theta[:d-1], 0) },
			"SampleGradient, −1":    func() { l.SampleGradient(g, theta, -1) },
			"SampleGradient, N":     func() { l.SampleGradient(g, theta, n) },
			"SampleGradients":       func() { l.(sde.SampleGradients).SampleGradients(sde.NewBatch(2, d), theta, n-1) },
			"BatchGradient":         func() { l.(sde.BatchGradient).BatchGradient(sde.NewBatch(2, d), sde.NewBatch(1, d)) },
		} {
			if !panics(call) {
				t.Errorf("%s: %s does not panic", name, what)
			}
		}
	}
}

// panics reports whether f does.
func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// TestOutputGradient moves a target, which moves the gradient by as much times that of the
// output.
func TestOutputGradient(t *testing.T) {
	t.Parallel()
	const n, p, eps = 6, 2, 0.75
	x, y := mat.NewDense(n, p, normals(n*p, 1)), normals(n, 2)
	moved := make([]float64, n)
	seen, after := make([]loss.MatrixEntry, n), make([]loss.MatrixEntry, n)
	for i, v := range y {
		moved[i] = v + eps
		seen[i] = loss.MatrixEntry{Row: i % 2, Column: i / 2, Value: v}
		after[i] = loss.MatrixEntry{Row: i % 2, Column: i / 2, Value: v + eps}
	}
	set := loss.TwoLayerSettings{Units: 3, Ridge: 0.1}
	mean := set
	mean.MeanField = true
	net := loss.MLPSettings{Hidden: []int{3, 2}, Ridge: 0.1}
	for _, c := range []struct{ l, moved sde.FiniteSum }{
		{must(loss.NewLeastSquares(x, y, 0.1)), must(loss.NewLeastSquares(x, moved, 0.1))},
		{must(loss.NewTwoLayer(x, y, set)), must(loss.NewTwoLayer(x, moved, set))},
		{must(loss.NewTwoLayer(x, y, mean)), must(loss.NewTwoLayer(x, moved, mean))},
		{must(loss.NewScalarMLP(x, y, net)), must(loss.NewScalarMLP(x, moved, net))},
		{must(loss.NewMatrixCompletion(2, 3, 2, seen, 0.1)), must(loss.NewMatrixCompletion(2, 3, 2, after, 0.1))},
	} {
		d := c.l.Dim()
		theta, g, h, f := normals(d, 3), make([]float64, d), make([]float64, d), make([]float64, d)
		for i := range n {
			c.l.SampleGradient(g, theta, i)
			c.moved.SampleGradient(h, theta, i)
			c.l.(sde.OutputGradient).OutputGradient(f, theta, i)
			for j := range g {
				g[j] -= eps * f[j]
			}
			if !near(g, h, 1e-13) {
				t.Errorf("%T: sample %d with another target has the gradient %v, want %v", c.l, i, g, h)
			}
		}
	}
}

// TestFlippedGradient holds it to the loss with the other labels.
func TestFlippedGradient(t *testing.T) {
	t.Parallel()
	x, y := loss.LogisticTeacher(9, []float64{1, -1}, 1)
	flipped := make([]float64, len(y))
	for i, v := range y {
		flipped[i] = 1 - v
	}
	l, other := must(loss.NewLogistic(x, y, 0.1)).WithIntercept(), must(loss.NewLogistic(x, flipped, 0.1)).WithIntercept()
	theta, g, h := normals(3, 2), make([]float64, 3), make([]float64, 3)
	for i := range y {
		l.FlippedGradient(g, theta, i, 1)
		other.SampleGradient(h, theta, i)
		if !near(g, h, 1e-15) {
			t.Errorf("sample %d: %v, want %v", i, g, h)
		}
	}
	const classes = 4
	for i := range y {
		y[i] = float64(i % classes)
	}
	several := must(loss.NewSoftmax(x, y, classes, 0.1)).WithIntercept()
	theta, g, h = normals(3*classes, 3), make([]float64, 3*classes), make([]float64, 3*classes)
	for k := 1; k < classes; k++ {
		for i := range y {
			flipped[i] = float64((i + k) % classes)
		}
		other := must(loss.NewSoftmax(x, flipped, classes, 0.1)).WithIntercept()
		for i := range y {
			several.FlippedGradient(g, theta, i, k)
			other.SampleGradient(h, theta, i)
			if !near(g, h, 1e-14) {
				t.Errorf("sample %d, %d places on: %v, want %v", i, k, g, h)
			}
			if several.FlippedGradient(g, theta, i, k%(classes-1)+1); near(g, h, 1e-3) {
				t.Errorf("sample %d: another label than %d places on passes", i, k)
			}
		}
	}
	for _, k := range []int{0, classes} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for %d places", k)
				}
			}()
			several.FlippedGradient(g, theta, 0, k)
		}()
	}
}

// TestFiniteSumsAllocate holds all that runs in a step to its own memory.
func TestFiniteSumsAllocate(t *testing.T) {
	var pool sync.Pool
	for range 100 {
		if pool.Put(t); pool.Get() == nil {
			return // the race detector makes pools forget
		}
	}
	for name, c := range finiteSums() {
		d := c.loss.Dim()
		if d > 128 { // beyond what linear models keep on the stack
			continue
		}
		x, dst, g := sde.NewBatch(4, d), sde.NewBatch(4, d), make([]float64, d)
		mean := sde.BindMinibatches(c.loss, 4)
		samples := make([]uint32, 4*8)
		rows := sde.NewBatch(min(4, c.loss.Samples()), d)
		if n := testing.AllocsPerRun(10, func() {
			mean(dst, x, samples)
			c.loss.Value(x.Row(0))
			c.loss.Gradient(g, x.Row(0))
			c.loss.SampleGradient(g, x.Row(0), 0)
			sde.StoreSampleGradients(rows, c.loss, x.Row(0), 0)
		}); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
