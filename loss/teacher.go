// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// LogisticTeacher returns n samples of the model that logistic regression assumes, of
// teacher w: x is standard normal in the dimension of w, and y is 1 with probability
// 1/(1 + exp(−w·x)), otherwise 0. The seed decides the data, on every machine. It panics
// if n is not positive or w is empty.
func LogisticTeacher(n int, w []float64, seed uint64) (x *mat.Dense, y []float64) {
	if n < 1 || len(w) == 0 {
		panic("loss: a teacher without samples or weights")
	}
	d := len(w)
	data := make([]float64, n*d)
	s := sde.NewStream(seed, nil)
	s.At(sde.Starts, 0, 0)
	s.Normals(data)
	x = mat.NewDense(n, d, data)
	return x, bernoulli(x, w, s)
}

// LogisticLabels returns a label for each row of x, 1 with probability 1/(1 + exp(−w·x)),
// otherwise 0. The seed decides them, on every machine. It panics if w is not as long as a row.
func LogisticLabels(x *mat.Dense, w []float64, seed uint64) []float64 {
	checkTeacher(x, w)
	return bernoulli(x, w, draw(seed, drawLabels, 0))
}

// bernoulli draws the labels of a logistic model.
func bernoulli(x *mat.Dense, w []float64, s *sde.Stream) []float64 {
	n, _ := x.Dims()
	y := make([]float64, n)
	s.Uniforms(y)
	for i, u := range y {
		p := 1 / (1 + kernel.Exp1(-kernel.Dot(w, x.RawRowView(i))))
		y[i] = 0
		if u < p {
			y[i] = 1
		}
	}
	return y
}

// LinearTargets returns w·x + σε for each row of x, with independent standard normal ε. The
// seed decides them, on every machine. It panics if w is not as long as a row.
func LinearTargets(x *mat.Dense, w []float64, sigma float64, seed uint64) []float64 {
	checkTeacher(x, w)
	return noisy(products(x, w), sigma, draw(seed, drawLabels, 0))
}

// TwoLayerTargets returns f(x; θ) + σε for each row of x, where f is the two-layer network
// of settings s and parameters theta, the teacher, and ε are independent standard normals.
// The seed decides them, on every machine. It returns an error for the settings and x as
// NewTwoLayer does, and panics if theta is not of the network's dimension.
func TwoLayerTargets(x *mat.Dense, s TwoLayerSettings, theta []float64, sigma float64, seed uint64) ([]float64, error) {
	if err := checkFeatures("TwoLayerTargets", "x", x); err != nil {
		return nil, err
	}
	n, _ := x.Dims()
	teacher, err := NewTwoLayer(x, make([]float64, n), s)
	if err != nil {
		return nil, err
	}
	if len(theta) != teacher.d {
		panic(badTheta)
	}
	p := newTwoLayerPass(teacher)
	p.load(theta)
	f := make([]float64, 0, n)
	for from := 0; from < n; from += teacher.most {
		part := teacher.order[from:min(from+teacher.most, n)]
		p.forward(part)
		f = append(f, p.f[:len(part)]...)
	}
	return noisy(f, sigma, draw(seed, drawLabels, 0)), nil
}

// noisy adds noise of standard deviation sigma to f.
func noisy(f []float64, sigma float64, s *sde.Stream) []float64 {
	e := make([]float64, len(f))
	s.Normals(e)
	kernel.Axpy(f, sigma, e)
	return f
}

// products returns w·x of each row.
func products(x *mat.Dense, w []float64) []float64 {
	n, _ := x.Dims()
	f := make([]float64, n)
	for i := range f {
		f[i] = kernel.Dot(w, x.RawRowView(i))
	}
	return f
}

// checkTeacher panics unless w is as long as a row of x.
func checkTeacher(x *mat.Dense, w []float64) {
	if _, d := x.Dims(); len(w) != d {
		panic("loss: a teacher whose weights do not match x")
	}
}
