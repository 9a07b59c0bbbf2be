// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/groups"
	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// EulerBias returns by how much each unit of the step changes an average of
// EulerMaruyama on a flow with D = T I,
//
//	d/dh E_h f = −(1/T) Cov(f, ℓ),   ℓ = −¼|∇L|² + (T/2)ΔL
//
// at h = 0, whose stationary law is ∝ exp(−(L + hℓ)/T) to first order. The covariance is
// that over points of exp(−L/T), a pilot's with a small step, which its standard error
// takes for independent (ask for each after its correlation time). On a quadratic of
// curvature k it is T/2 for f = x², and (T/k)(hk/2) the bias. ΔL comes from
// sde.Laplacian, the trace of sde.Hessian, or central differences of the gradient.
//
// It returns an error if there are fewer than two points, they are of another dimension,
// or something is not finite. Source: the expansion of the generator of a step in h; see
// Talay & Tubaro, 1990, Expansion of the global error for numerical schemes solving
// stochastic differential equations.
func EulerBias(loss sde.Loss, temperature float64, points sde.Batch, f func(theta []float64) float64) (sde.Estimate, error) {
	none := sde.Estimate{Value: math.NaN(), StdErr: math.NaN()}
	switch {
	case loss == nil:
		return none, invalid("EulerBias loss", nil, "a loss", nil)
	case f == nil:
		return none, invalid("EulerBias f", nil, "a function", nil)
	case !(temperature > 0) || math.IsInf(temperature, 1):
		return none, invalid("EulerBias temperature", temperature, "positive and finite", nil)
	case points.Rows < 2:
		return none, invalid("EulerBias points", fmt.Sprintf("%d points", points.Rows), "at least 2", nil)
	case points.Cols != loss.Dim():
		return none, invalid("EulerBias points", fmt.Sprintf("of %d coordinates", points.Cols), fmt.Sprintf("%d, the dimension of the loss", loss.Dim()), sde.ErrDimension)
	}
	n, d := points.Rows, points.Cols
	g, h := make([]float64, d), make([]float64, d*d)
	fs, ls := make([]float64, n), make([]float64, n)
	for i := range n {
		x := points.Row(i)
		loss.Gradient(g, x)
		var laplacian float64
		if l, ok := loss.(sde.Laplacian); ok {
			laplacian = l.Laplacian(x)
		} else {
			hessianAt(h, loss, x)
			for j := range d {
				laplacian += h[j*d+j]
			}
		}
		fs[i] = f(x)
		ls[i] = float64(temperature/2*laplacian) - float64(kernel.Dot(g, g)/4)
		if v := []float64{fs[i], ls[i]}; !kernel.AllFinite(v) {
			return none, invalid(fmt.Sprintf("EulerBias points, row %d", i), x, "a state where f and the loss's derivatives are finite", nil)
		}
	}
	mf, ml := kernel.Sum(fs)/float64(n), kernel.Sum(ls)/float64(n)
	ones := make([]float64, n)
	for i := range fs {
		fs[i] = -(fs[i] - mf) * (ls[i] - ml) / temperature
		ones[i] = 1
	}
	v, se, _ := groups.Mean(fs, ones)
	return sde.Estimate{Value: v, StdErr: se, Groups: n}, nil
}
