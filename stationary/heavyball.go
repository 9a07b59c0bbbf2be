// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/sde"
)

// HeavyBall is stochastic gradient descent with momentum on a quadratic loss, with
// gradient noise ξ of constant covariance C:
//
//	v′ = μv − Λ (H(θ−c) + ξ),   θ′ = θ + v′
//
// The covariance of its stationary law is exact at any learning rate: in one dimension
// Λ = η gives
//
//	Var θ = ηC(1+μ) / (h (1−μ) (2(1+μ) − ηh))
//
// and without momentum HS + SH − ηHSH = ηC. Source: Liu, Ziyin & Ueda, 2021, Noise and
// fluctuation of finite learning rate stochastic gradient descent, ICML, theorem 1.
type HeavyBall struct {
	// Hessian is H and Noise is C, the covariance of a mini-batch's gradient.
	Hessian, Noise mat.Symmetric
	// LearningRate is η, above 0, and Preconditioner P of Λ = ηP; nil is I.
	LearningRate   float64
	Preconditioner mat.Matrix
	// Momentum is μ, 0 ≤ μ < 1; 0 is plain SGD.
	Momentum float64
	// Center is c; nil is 0.
	Center []float64
}

// Chain returns the update as a chain: its state is θ without momentum, and (θ, v)
// with it. It returns an error if a field is wrong or the update not stable.
func (b HeavyBall) Chain() (*Chain, error) {
	if err := checkSymmetric("stationary: HeavyBall.Hessian", b.Hessian); err != nil {
		return nil, err
	}
	if err := checkSymmetric("stationary: HeavyBall.Noise", b.Noise); err != nil {
		return nil, err
	}
	d := b.Hessian.SymmetricDim()
	if n := b.Noise.SymmetricDim(); n != d {
		return nil, &sde.SettingError{Field: "stationary: HeavyBall.Noise", Value: fmt.Sprintf("a matrix of order %d", n), Want: fmt.Sprintf("%d, that of the Hessian", d), Err: sde.ErrDimension}
	}
	if !(b.LearningRate > 0) {
		return nil, &sde.SettingError{Field: "stationary: HeavyBall.LearningRate", Value: b.LearningRate, Want: "above 0"}
	}
	if !(0 <= b.Momentum && b.Momentum < 1) {
		return nil, &sde.SettingError{Field: "stationary: HeavyBall.Momentum", Value: b.Momentum, Want: "at least 0 and below 1"}
	}
	rate := mat.NewDense(d, d, nil)
	for i := range d {
		rate.Set(i, i, b.LearningRate)
	}
	if b.Preconditioner != nil {
		if err := checkMatrix("stationary: HeavyBall.Preconditioner", b.Preconditioner); err != nil {
			return nil, err
		}
		if n, _ := b.Preconditioner.Dims(); n != d {
			return nil, &sde.SettingError{Field: "stationary: HeavyBall.Preconditioner", Value: fmt.Sprintf("a matrix of order %d", n), Want: fmt.Sprint(d), Err: sde.ErrDimension}
		}
		rate.Scale(b.LearningRate, b.Preconditioner)
	}
	if b.Center != nil {
		if err := checkVector("stationary: HeavyBall.Center", b.Center, d); err != nil {
			return nil, err
		}
	}
	var pull, t, noise mat.Dense
	pull.Mul(rate, b.Hessian)
	t.Mul(rate, b.Noise)
	noise.Mul(&t, rate.T())
	copies := 1
	if b.Momentum > 0 {
		copies = 2
	}
	m, v, center := mat.NewDense(copies*d, copies*d, nil), mat.NewSymDense(copies*d, nil), make([]float64, copies*d)
	copy(center, b.Center)
	for i := range d {
		for j := range d {
			for k := range copies { // both rows get v′
				m.Set(k*d+i, j, -pull.At(i, j))
				for l := range copies {
					if k*d+i <= l*d+j {
						v.SetSym(k*d+i, l*d+j, (noise.At(i, j)+noise.At(j, i))/2)
					}
				}
			}
		}
		m.Set(i, i, m.At(i, i)+1)
		if copies == 2 {
			m.Set(i, d+i, b.Momentum)
			m.Set(d+i, d+i, b.Momentum)
		}
	}
	return NewChain(m, v, center)
}
