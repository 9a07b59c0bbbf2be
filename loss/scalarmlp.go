// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// ScalarMLP is an MLP with one output under the squared error, so that the noise of a label is
// known to go along ∇f. Use NewScalarMLP.
type ScalarMLP struct {
	*MLP
}

var (
	_ sde.FiniteSum       = ScalarMLP{}
	_ sde.Minibatches     = ScalarMLP{}
	_ sde.SampleGradients = ScalarMLP{}
	_ sde.BatchGradient   = ScalarMLP{}
	_ sde.OutputGradient  = ScalarMLP{}
	_ sde.Normalizable    = ScalarMLP{}
)

// NewScalarMLP returns the loss of the rows of x and their targets y, which it copies. It
// returns an error as NewMLP does, and if CrossEntropy is set.
func NewScalarMLP(x *mat.Dense, y []float64, s MLPSettings) (ScalarMLP, error) {
	if err := checkData("NewScalarMLP", x, y); err != nil {
		return ScalarMLP{}, err
	}
	if s.CrossEntropy {
		return ScalarMLP{}, &sde.SettingError{Field: "loss: MLPSettings.CrossEntropy", Value: true, Want: "false, as there is one output and no classes"}
	}
	l, err := NewMLP(x, mat.NewDense(len(y), 1, slices.Clone(y)), s)
	return ScalarMLP{l}, err
}

// OutputGradient implements sde.OutputGradient: it stores the gradient of f(x_i; θ) into dst.
// It panics as SampleGradient does.
func (l ScalarMLP) OutputGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.d)
	p := l.pass().(*mlpPass)
	defer l.passes.Put(p)
	p.load(theta)
	p.forward(l.order[i : i+1])
	p.delta[0][0] = 1
	clear(dst)
	p.into(dst, 1)
}
