// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// Modified is the loss that descent with a finite learning rate really descends,
//
//	L(θ) = L₀(θ) + (η/4)|∇L₀(θ)|²,   ∇L = ∇L₀ + (η/2) ∇²L₀ ∇L₀
//
// Steps of gradient descent on L₀ follow the gradient flow of L to second order in η, and
// SGD is to weak order 2 the flow of L with D = (η/2) Cov g, where it is of order 1 that of
// L₀. The stationary variance is not nearer for it: on a quadratic SGD's is larger than that
// of L₀ by a factor 1 + ηh/2 + …, and that of L smaller by as much. For the heavy ball with
// momentum μ put η(1+μ)/(1−μ)² for η, on the clock of η/(1−μ) a step.
//
// The gradient takes the Hessian of L₀, its own or by differences, and so d² numbers. Its
// critical points are those of L₀ and may be more. Sources: Barrett & Dherin, 2021, Implicit
// gradient regularization, theorem 3.1; Li, Tai & E, 2017, Stochastic modified equations and
// adaptive stochastic gradient algorithms, theorem 1.
type Modified struct {
	Loss         sde.Loss
	LearningRate float64 // η, not negative
}

var (
	_ sde.Loss          = Modified{}
	_ sde.BatchGradient = Modified{}
)

// Validate returns an error if Loss is nil or not valid, or LearningRate negative or not finite.
func (l Modified) Validate() error {
	if !(l.LearningRate >= 0) || math.IsInf(l.LearningRate, 1) {
		return &sde.SettingError{Field: "loss: Modified.LearningRate", Value: l.LearningRate, Want: "a finite number from 0"}
	}
	return checkPart("Modified.Loss", l.Loss)
}

// Dim returns the dimension of Loss.
func (l Modified) Dim() int { return l.Loss.Dim() }

// Value returns L. It panics if theta is not of the dimension.
func (l Modified) Value(theta []float64) float64 {
	p := borrow(len(theta))
	defer scratch.Put(p)
	l.Loss.Gradient(*p, theta)
	return math.FMA(l.LearningRate/4, kernel.Dot(*p, *p), l.Loss.Value(theta))
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l Modified) Gradient(dst, theta []float64) {
	d := l.Dim()
	checkGradient(dst, theta, d)
	p := borrow(d*d + d)
	defer scratch.Put(p)
	h, g := (*p)[:d*d], (*p)[d*d:]
	l.Loss.Gradient(g, theta)
	hessian(l.Loss, h, theta)
	for i := range dst {
		dst[i] = math.FMA(l.LearningRate/2, kernel.Dot(h[i*d:(i+1)*d], g), g[i])
	}
}

// BatchGradient stores ∇L at each row of x into dst. It panics if the batches do not
// match the dimension or each other.
func (l Modified) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.Dim())
	for i := range x.Rows {
		l.Gradient(dst.Row(i), x.Row(i))
	}
}
