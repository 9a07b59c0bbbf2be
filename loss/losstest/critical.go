// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
	"gonum.org/v1/gonum/mat"
)

// spectrum returns the eigenvalues of the Hessian at θ in ascending order, and
// how far off they may be.
func (c *checker) spectrum(theta []float64) (values []float64, off float64, err error) {
	d := c.d
	h := make([]float64, d*d)
	if l, ok := c.l.(sde.Hessian); ok {
		l.Hessian(h, theta)
	} else {
		off = 10 * float64(d) * c.differenceHessian(h, theta)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(d, h), false) {
		return nil, 0, fmt.Errorf("the eigenvalues of the Hessian at θ = %v cannot be computed", theta)
	}
	values = eigen.Values(nil)
	return values, off + 1e-9*conformance.Largest(values), nil
}

// critical holds the declared critical points to what they are said to be.
func (c *checker) critical() error {
	l, ok := c.l.(sde.Charted)
	if !ok {
		return nil
	}
	rng := rand.New(rand.NewPCG(4, 1))
	g, x := make([]float64, c.d), make([]float64, c.d)
	for i, p := range l.CriticalPoints() {
		values, off, err := c.spectrum(p.Theta)
		if err != nil {
			return err
		}
		c.l.Gradient(g, p.Theta)
		unit := math.Max(1, conformance.Largest(p.Theta))
		if allowed := 1e-8*conformance.Largest(values)*unit + off; !(conformance.Largest(g) <= allowed) {
			return fmt.Errorf("point %d, θ = %v, is not critical: its gradient is %v, and at most %.1g is allowed", i, p.Theta, g, allowed)
		}
		v := c.l.Value(p.Theta)
		if allowed := 1e-9 * math.Max(math.Abs(v), c.height); !(math.Abs(v-p.Value) <= allowed) {
			return fmt.Errorf("point %d, θ = %v, declares the value %v: it is %v", i, p.Theta, p.Value, v)
		}
		low, high := 0, 0 // eigenvalues certainly, and perhaps, below 0
		for _, e := range values {
			if e < -off {
				low++
			}
			if e <= off {
				high++
			}
		}
		if p.Index < low || high < p.Index {
			return fmt.Errorf("point %d, θ = %v, declares %d negative eigenvalues of the Hessian: they are %v", i, p.Theta, p.Index, values)
		}
		if p.Index != 0 {
			continue
		}
		for range 32 {
			for j, t := range p.Theta {
				x[j] = t + 1e-3*c.o.Scale*rng.NormFloat64()
			}
			if w := c.l.Value(x); w < v-1e-12*math.Max(math.Abs(v), c.height) {
				return fmt.Errorf("point %d, θ = %v, is declared a minimum of %v, and at %v beside it the value is %v", i, p.Theta, v, x, w)
			}
		}
	}
	return nil
}

// curvature holds Curvature to the largest eigenvalue over the minima.
func (c *checker) curvature() error {
	l, ok := c.l.(sde.Curvature)
	if !ok {
		return nil
	}
	got := l.Curvature()
	if !isFinite(got) {
		return fmt.Errorf("method Curvature() = %v: it should be a finite number", got)
	}
	minima := sde.Minima(c.l)
	if len(minima) == 0 {
		return nil
	}
	want, slack := math.Inf(-1), 0.0
	for _, p := range minima {
		values, off, err := c.spectrum(p.Theta)
		if err != nil {
			return err
		}
		want, slack = math.Max(want, values[c.d-1]), math.Max(slack, off)
	}
	if !(math.Abs(got-want) <= slack+1e-9*math.Abs(want)) {
		return fmt.Errorf("method Curvature() = %v: the largest eigenvalue of the Hessian over the declared minima is %v", got, want)
	}
	return nil
}
