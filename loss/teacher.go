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
	data, y := make([]float64, n*d), make([]float64, n)
	s := sde.NewStream(seed, nil)
	s.At(sde.Starts, 0, 0)
	s.Normals(data)
	s.Uniforms(y)
	for i, u := range y {
		p := 1 / (1 + kernel.Exp1(-kernel.Dot(w, data[i*d:(i+1)*d])))
		y[i] = 0
		if u < p {
			y[i] = 1
		}
	}
	return mat.NewDense(n, d, data), y
}
