// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"

	"github.com/sgflow/sgflow/sde"
)

// FindMinimum descends from a place to a minimum of a loss: by gonum's BFGS, then by
// Newton's method to rounding. It need not be that of the basin of gradient flow (sde.Basins)
// if the place is far from any. It is an error if the descent leads to no minimum with a Hessian that is not
// singular, as where the loss falls for ever.
func FindMinimum(loss sde.Loss, from []float64) (sde.CriticalPoint, error) {
	const name = "FindMinimum"
	if err := checkPlace(name+" start", loss, from); err != nil {
		return sde.CriticalPoint{}, err
	}
	p := optimize.Problem{Func: loss.Value, Grad: loss.Gradient}
	at := append([]float64(nil), from...)
	r, err := optimize.Minimize(p, at, &optimize.Settings{GradientThreshold: 1e-9, MajorIterations: 10000}, &optimize.BFGS{})
	if r == nil {
		return sde.CriticalPoint{}, wrong(name+" start", from, fmt.Sprintf("a place from which the loss can be minimised: %v", err))
	}
	// A line search that fails for rounding has come as near as it can.
	c, err := criticalPoint(name+" start", loss, r.X, 0)
	if err != nil {
		gradient := make([]float64, len(from))
		loss.Gradient(gradient, r.X)
		return sde.CriticalPoint{}, wrong(name+" start", from, fmt.Sprintf("a place from which the descent leads to a minimum; it led to %.6g, where |∇L| = %.2g "+
			"(a loss that falls for ever needs weight decay, coordinates of different units to be scaled)", r.X, floats.Norm(gradient, 2)))
	}
	return sde.CriticalPoint{Theta: c.theta, Value: c.value, Index: 0}, nil
}

func checkPlace(field string, loss sde.Loss, at []float64) error {
	if loss == nil {
		return wrong(field, nil, "a loss")
	}
	if d := loss.Dim(); len(at) != d {
		return &sde.SettingError{Field: "stationary: " + field, Value: at, Want: fmt.Sprintf("%d coordinates", d), Err: sde.ErrDimension}
	}
	for _, v := range at {
		if !isNumber(v) {
			return wrong(field, at, "finite coordinates")
		}
	}
	return nil
}

// FindSaddle climbs from a place to a saddle with one negative eigenvalue of the
// Hessian, uphill along the eigenvector of the smallest and downhill along all others (eigenvector following: Cerjan & Miller, 1981, On finding
// transition states; with exact Hessians in place of a dimer's rotations), with steps no longer than a tenth of the
// distance it may go, and ends by Newton's method. It is an error if it does not find one within 10³ steps.
func FindSaddle(loss sde.Loss, from []float64) (sde.CriticalPoint, error) {
	const name = "FindSaddle"
	if err := checkPlace(name+" start", loss, from); err != nil {
		return sde.CriticalPoint{}, err
	}
	x := append([]float64(nil), from...)
	f := newFollower(loss)
	longest := 0.02 * (1 + norm(from))
	for range 1000 {
		if !f.at(x) {
			break
		}
		step := f.step(1)
		length := norm(step)
		if length > longest {
			for i := range step {
				step[i] *= longest / length
			}
		}
		for i, s := range step {
			x[i] += s
		}
		if length <= 1e-10*(1+norm(x)) {
			if c, err := criticalPoint(name+" start", loss, x, 1); err == nil {
				return sde.CriticalPoint{Theta: c.theta, Value: c.value, Index: 1}, nil
			}
			break
		}
	}
	return sde.CriticalPoint{}, wrong(name+" start", from, fmt.Sprintf("a place from which a saddle can be found; the search ended at %.6g", x))
}
