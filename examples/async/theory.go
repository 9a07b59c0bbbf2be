// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
)

// stable returns the bound of ηh for a staleness.
func stable(tau int) float64 { return 2 * math.Sin(math.Pi/(2*(2*float64(tau)+1))) }

// cut returns where a geometric staleness is cut off.
func cut(mean float64) int { return int(5*mean) + 1 }

// weights returns the distribution of an update's staleness.
func weights(u integrate.DelayedSGD) []float64 {
	p := u.Delays
	if p == nil {
		p = make([]float64, u.Delay+1)
		p[u.Delay] = 1
	}
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	out := make([]float64, len(p))
	for j, v := range p {
		out[j] = v / sum
	}
	return out
}

// exact returns the stationary variance of θ_{k+1} = θ_k − η(hθ_{k−τ} + ξ), for a τ drawn anew at
// each step. With r_j = E θ_k θ_{k−j} and a = ηh,
//
//	r_{j+1} = r_j − a Σ_τ p_τ r_{|τ−j|},   0 = a² r_0 − 2a Σ_τ p_τ r_τ + η² C
//
// It is NaN where there is none.
func exact(eta float64, p []float64) float64 {
	n, a := len(p), eta*curvature
	m, rhs := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	add := func(i, j int, v float64) { m.Set(i, j, m.At(i, j)+v) }
	for j := range n - 1 {
		add(j, j+1, 1)
		add(j, j, -1)
		for tau, w := range p {
			add(j, max(tau-j, j-tau), a*w)
		}
	}
	add(n-1, 0, a*a)
	for tau, w := range p {
		add(n-1, tau, -2*a*w)
	}
	rhs.SetVec(n-1, -eta*eta*variance)
	var r mat.VecDense
	if err := r.SolveVec(m, rhs); err != nil || !(r.AtVec(0) > 0) {
		return math.NaN()
	}
	return r.AtVec(0)
}
