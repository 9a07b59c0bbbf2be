// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"errors"
	"math"
	"testing"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/loss/losstest"
	"github.com/sgflow/sgflow/sde"
)

func TestModified(t *testing.T) {
	for _, inner := range []sde.Loss{loss.DoubleWell{}, loss.Himmelblau{}, loss.ABFactorisation{}} {
		losstest.Test(t, loss.Modified{Loss: inner, LearningRate: 0.1}, losstest.Options{})
	}
	losstest.Test(t, loss.Modified{Loss: bare{loss.Himmelblau{}}, LearningRate: 0.1}, losstest.Options{Tolerance: 1e-6})
	for _, l := range []loss.Modified{{}, {Loss: loss.DoubleWell{}, LearningRate: -1}, {Loss: loss.DoubleWell{}, LearningRate: math.NaN()}, {Loss: loss.DoubleWell{Barrier: -1}}} {
		if err := l.Validate(); !errors.Is(err, sde.ErrInvalid) {
			t.Errorf("%+v: error %v", l, err)
		}
	}
	l, x, g := loss.Modified{Loss: loss.Himmelblau{}, LearningRate: 0.1}, []float64{1, 2}, make([]float64, 2)
	if n := testing.AllocsPerRun(50, func() { l.Gradient(g, x); l.Value(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// curvatureOf is k of ∇L = kθ in one dimension.
func curvatureOf(l sde.Loss) float64 {
	g := make([]float64, 1)
	l.Gradient(g, []float64{1})
	return g[0]
}

// TestModifiedEquations holds the stochastic modified equations to SGD on ℓ = ½(x−γ)²,
// γ = ±1, from x = 1 to time 1, where all three have closed moments: their errors are those of
// Li, Tai & E's example, of order 1 without the modification and 2 with it.
func TestModifiedEquations(t *testing.T) {
	t.Parallel()
	half := must(loss.NewDiagonalQuadratic([]float64{1}, nil))
	flow := func(k, eta float64) (mean, square float64) { // dX = −kX dt + √η dW
		mean = math.Exp(-k)
		return mean, mean*mean + eta*(1-math.Exp(-2*k))/(2*k)
	}
	sgd := func(eta float64) (mean, square float64) {
		n, a := 1/eta, 1-eta
		mean = math.Pow(a, n)
		return mean, mean*mean + eta*eta*(1-math.Pow(a, 2*n))/(1-a*a)
	}
	for _, c := range []struct{ eta, mean, variance, mean1, square1, mean2, square2 float64 }{
		{0.2, 0.327680, 0.0991806, 4.0199e-2, 1.5247e-2, 5.1911e-3, -1.4916e-2},
		{0.1, 0.348678440, 0.0462328, 1.9201e-2, 1.0759e-2, 1.25931e-3, -3.5652e-3},
		{0.025, 0.363232440, 0.0109881, 4.6470e-3, 3.2177e-3, 7.7129e-5, -2.15966e-4},
	} {
		m, s := sgd(c.eta)
		m1, s1 := flow(curvatureOf(half), c.eta)
		m2, s2 := flow(curvatureOf(loss.Modified{Loss: half, LearningRate: c.eta}), c.eta)
		for _, v := range [][2]float64{{m, c.mean}, {s - m*m, c.variance}, {m1 - m, c.mean1}, {s1 - s, c.square1}, {m2 - m, c.mean2}, {s2 - s, c.square2}} {
			if math.Abs(v[0]-v[1]) > 1e-4*math.Abs(v[1]) {
				t.Errorf("η = %g: %.7g, want %.7g", c.eta, v[0], v[1])
			}
		}
	}
	// The orders as η → 0, and the planted fault of (η/2)|∇L|².
	order := func(k func(eta float64) float64) float64 {
		e := func(eta float64) float64 {
			_, s := sgd(eta)
			_, f := flow(k(eta), eta)
			return math.Abs(f - s)
		}
		return math.Log2(e(1.0/1024) / e(1.0/2048))
	}
	modified := func(factor float64) func(eta float64) float64 {
		return func(eta float64) float64 { return curvatureOf(loss.Modified{Loss: half, LearningRate: factor * eta}) }
	}
	if p, q, wrong := order(modified(0)), order(modified(1)), order(modified(2)); math.Abs(p-1) > 0.02 || math.Abs(q-2) > 0.02 || wrong > 1.1 {
		t.Errorf("orders %v without modification, %v with it, %v with twice as much", p, q, wrong)
	}
}

// TestModifiedDescent: gradient descent on a loss that is not quadratic follows the flow of
// the modified one to order 2.
func TestModifiedDescent(t *testing.T) {
	t.Parallel()
	l := loss.Himmelblau{}
	end := func(l sde.Loss, h float64, steps int) []float64 { // by Runge and Kutta's fourth order
		x, y := []float64{0.5, 0.3}, make([]float64, 2)
		var k [4][]float64
		for i := range k {
			k[i] = make([]float64, 2)
		}
		for range steps {
			copy(y, x)
			for i, c := range []float64{0.5, 0.5, 1, 0} {
				l.Gradient(k[i], y)
				for j := range y {
					y[j] = x[j] - c*h*k[i][j]
				}
			}
			for j := range x {
				x[j] -= h / 6 * (k[0][j] + 2*k[1][j] + 2*k[2][j] + k[3][j])
			}
		}
		return x
	}
	distance := func(eta, factor float64) float64 {
		const time = 1.0 / 16
		n := int(math.Round(time / eta))
		x, g := []float64{0.5, 0.3}, make([]float64, 2)
		for range n {
			l.Gradient(g, x)
			x[0], x[1] = x[0]-eta*g[0], x[1]-eta*g[1]
		}
		y := end(loss.Modified{Loss: l, LearningRate: factor * eta}, eta/8, 8*n)
		return math.Hypot(x[0]-y[0], x[1]-y[1])
	}
	for _, c := range []struct{ factor, order float64 }{{0, 1}, {1, 2}, {2, 1}} {
		if p := math.Log2(distance(1.0/4096, c.factor) / distance(1.0/8192, c.factor)); math.Abs(p-c.order) > 0.05 {
			t.Errorf("%g times the modification: order %v, want %v", c.factor, p, c.order)
		}
	}
}
