// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// scalar is an equation in one dimension, with what its law is made of.
type scalar struct {
	eq       sde.Equation
	alpha    float64
	noise    int
	lo, hi   float64
	boundary sde.Boundary
	loss     sde.Loss  // of a gradient system, else nil
	constant bool      // D does not depend on x
	centres  []float64 // where wells are declared
}

// newScalar validates an equation in one dimension. field is what errors call it.
func newScalar(field string, eq sde.Equation) (*scalar, error) {
	d, m, err := checkEquation(field, eq)
	if err != nil {
		return nil, err
	}
	if d != 1 {
		return nil, &sde.SettingError{Field: field, Value: fmt.Sprintf("an equation of %d coordinates", d), Want: "one coordinate", Err: sde.ErrDimension}
	}
	s := &scalar{eq: eq, noise: m, alpha: sde.InterpretationOf(eq).Alpha(), lo: math.Inf(-1), hi: math.Inf(1), loss: sde.LossOf(eq)}
	s.constant = sde.ClassOf(sde.DiffusionOf(eq)) == sde.Constant
	if c, ok := eq.(sde.Confined); ok && c.Confinement() != nil {
		box, ok := c.Confinement().(sde.Box)
		if !ok {
			return nil, &sde.SettingError{Field: field + " domain", Value: fmt.Sprintf("%T", c.Confinement()), Want: "an sde.Box, or none"}
		}
		if err := box.Validate(1); err != nil {
			return nil, err
		}
		s.lo, s.hi, s.boundary = box.Lo[0], box.Hi[0], box.Boundary
	}
	if s.loss != nil {
		for _, c := range sde.Minima(s.loss) {
			s.centres = append(s.centres, c.Theta[0])
		}
	}
	return s, nil
}

// checkEquation validates an equation of any dimension whose law is asked for: it
// must have noise, and noise that does not change in time.
func checkEquation(field string, eq sde.Equation) (d, m int, err error) {
	if eq == nil {
		return 0, 0, &sde.SettingError{Field: field, Value: nil, Want: "an equation, such as an sde.Flow"}
	}
	if v, ok := eq.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return 0, 0, err
		}
	}
	d, m = eq.Dims()
	if d < 1 {
		return 0, 0, &sde.SettingError{Field: field, Value: fmt.Sprintf("an equation of %d coordinates", d), Want: "at least one", Err: sde.ErrDimension}
	}
	if m < 1 {
		return 0, 0, &sde.SettingError{Field: field, Value: "an equation without noise", Want: "noise: without it nothing spreads and there is no density"}
	}
	if sde.ClassOf(sde.DiffusionOf(eq)) != sde.Constant {
		// Noise that changes in time has no stationary law.
		x, now, later := make([]float64, d), make([]float64, d*m), make([]float64, d*m)
		for i := range x {
			x[i] = 0.7 + 0.1*float64(i)
		}
		eq.Root(now, x, 0)
		for _, t := range []float64{1, 1234.5} {
			eq.Root(later, x, t)
			for i, v := range now {
				if later[i] != v && !math.IsNaN(v) {
					return 0, 0, &sde.SettingError{Field: field, Value: fmt.Sprintf("noise that changes in time, B = %g at t = 0 and %g at t = %g", v, later[i], t),
						Want: "noise that does not: otherwise there is no stationary law"}
				}
			}
		}
	}
	return d, m, nil
}

// diffusion returns D(x) = ½ Σ_k B_k².
func (s *scalar) diffusion(x float64) float64 {
	theta, root := [1]float64{x}, make([]float64, s.noise)
	s.eq.Root(root, theta[:], 0)
	sum := 0.0
	for _, b := range root {
		sum += b * b
	}
	return sum / 2
}

// drift returns a(x) under the equation's own calculus.
func (s *scalar) drift(x float64) float64 {
	var theta, a [1]float64
	theta[0] = x
	s.eq.Drift(a[:], theta[:], 0)
	return a[0]
}

// slope returns D′(x) = Σ_k B_k B_k′.
func (s *scalar) slope(x float64) float64 {
	if s.constant {
		return 0
	}
	theta, root, jacobian := [1]float64{x}, make([]float64, s.noise), make([]float64, s.noise)
	s.eq.Root(root, theta[:], 0)
	sde.JacobianOf(sde.DiffusionOf(s.eq), 1, s.noise)(jacobian, theta[:], 0)
	sum := 0.0
	for k, b := range root {
		sum += b * jacobian[k]
	}
	return sum
}

// origin is where the potential is 0: at 0, or the place of the domain nearest to
// it that is not an end.
func (s *scalar) origin() float64 {
	switch {
	case s.lo < 0 && 0 < s.hi:
		return 0
	case math.IsInf(s.hi, 1):
		return s.lo + 1
	case math.IsInf(s.lo, -1):
		return s.hi - 1
	}
	return s.lo + (s.hi-s.lo)/2
}

// potential returns Φ(x) = −∫ a/D from the origin to x, and what its error does to
// the integral of a line: L/D up to a constant where D is one, by quadrature otherwise.
func (s *scalar) potential(field string) (phi func(x float64) float64, err func(l *line) float64, fault error) {
	x0 := s.origin()
	if s.loss != nil && s.constant {
		d := s.diffusion(x0)
		if !(d > 0) || math.IsInf(d, 1) {
			return nil, nil, degenerate(field, x0, d)
		}
		start := s.loss.Value([]float64{x0})
		return func(x float64) float64 { return (s.loss.Value([]float64{x}) - start) / d }, func(*line) float64 { return 0 }, nil
	}
	p := newPrimitive(func(x float64) float64 { return -s.drift(x) / s.diffusion(x) }, x0, s.lo, s.hi, s.centres)
	// Where D vanishes between two places both of which can be reached, the process
	// stops or is cut in two.
	for _, x := range p.places() {
		if d := s.diffusion(x); !(d > 0) {
			return nil, nil, degenerate(field, x, d)
		}
	}
	return p.at, p.error, nil
}

func degenerate(field string, x, d float64) error {
	return &sde.SettingError{Field: field, Value: fmt.Sprintf("D(%.6g) = %g", x, d),
		Want: "a finite D above 0 inside the domain: where D vanishes nothing crosses, and each side has a law of its own; give one side as the domain"}
}
