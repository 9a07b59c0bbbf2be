// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// DeepLinear is a deep linear network on N samples (x_i, y_i): an MLP without biases whose
// activation is the identity,
//
//	L(θ) = (1/N) Σ_i ½ |x_i W_1 ⋯ W_L − y_i|² + ½ λ|θ|²
//
// A linear map in too many coordinates: for λ = 0 there are no local minima but the
// global ones, and saddles where the product lacks some of the best map's singular values. Use
// NewDeepLinear.
//
// P. Baldi & K. Hornik, 1989, Neural networks and principal component analysis: learning
// from examples without local minima, Neural Networks 2, 53–58; K. Kawaguchi, 2016,
// Deep learning without poor local minima, Advances in Neural Information Processing Systems 29.
type DeepLinear struct {
	*MLP
}

var (
	_ sde.FiniteSum       = DeepLinear{}
	_ sde.Minibatches     = DeepLinear{}
	_ sde.SampleGradients = DeepLinear{}
	_ sde.BatchGradient   = DeepLinear{}
	_ sde.Normalizable    = DeepLinear{}
)

// NewDeepLinear returns the loss of the rows of x and their targets, the rows of y, with
// so many units in each hidden layer. It copies the data and returns an error as NewMLP does.
func NewDeepLinear(x, y *mat.Dense, hidden []int, ridge float64) (DeepLinear, error) {
	l, err := NewMLP(x, y, MLPSettings{Hidden: hidden, Activation: Identity, NoBias: true, Ridge: ridge})
	return DeepLinear{l}, err
}

// Product returns the linear map W_1 ⋯ W_L, inputs × outputs. It panics if theta is not of
// the dimension.
func (l DeepLinear) Product(theta []float64) *mat.Dense {
	if len(theta) != l.d {
		panic(badTheta)
	}
	var product *mat.Dense
	for i := 1; i < len(l.widths); i++ {
		w := mat.NewDense(l.widths[i-1], l.widths[i], slices.Clone(theta[l.at[i]:l.at[i+1]]))
		if product != nil {
			var next mat.Dense
			next.Mul(product, w)
			w = &next
		}
		product = w
	}
	return product
}

// Minimum returns the least value of the loss without weight decay, that of the best linear
// map of a rank no larger than the narrowest layer r,
//
//	(1/2N) (|Y|² − Σ_{k ≤ r} σ_k²)
//
// with σ_k the singular values, from the largest on, of the projection of Y on the columns of
// X. It takes of the order of N p² operations for p inputs.
func (l DeepLinear) Minimum() float64 {
	var svd mat.SVD
	if !svd.Factorize(l.x, mat.SVDThin) {
		panic("loss: the singular values of the data cannot be computed")
	}
	var u, projected mat.Dense
	svd.UTo(&u)
	n, p := l.x.Dims()
	rank := svd.Rank(rounding * float64(max(n, p)))
	rest := mat.Norm(l.y, 2) * mat.Norm(l.y, 2)
	if rank > 0 {
		projected.Mul(u.Slice(0, n, 0, rank).T(), l.y)
		if !svd.Factorize(&projected, mat.SVDNone) {
			panic("loss: the singular values of the data cannot be computed")
		}
		for k, s := range svd.Values(nil) {
			if k < slices.Min(l.widths) {
				rest -= float64(s * s)
			}
		}
	}
	return rest / float64(2*n)
}
