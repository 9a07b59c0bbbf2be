// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// harmonic holds Harmonic to Gradient.
func (c *checker) harmonic() error {
	l, ok := c.l.(sde.Harmonic)
	if !ok {
		return nil
	}
	d := c.d
	h, center := l.Harmonic()
	if len(h) != d*d || len(center) != d {
		return fmt.Errorf("the matrix has %d numbers and the center %d: they should be %d and %d", len(h), len(center), d*d, d)
	}
	size := conformance.Largest(h)
	for i := range d {
		for j := range i {
			if a, b := h[i*d+j], h[j*d+i]; !(math.Abs(a-b) <= 64*0x1p-52*size) {
				return fmt.Errorf("not symmetric: entry (%d, %d) is %v, and (%d, %d) is %v", i, j, a, j, i, b)
			}
		}
	}
	x := make([]float64, d)
	for k, p := range c.points {
		along(x, p, center, -1)
		allowed := c.o.Tolerance * math.Max(math.Max(conformance.Largest(c.grads[k]), c.typical), size*conformance.Largest(x))
		for i := range d {
			if want := dot(h[i*d:][:d], x); !(math.Abs(c.grads[k][i]-want) <= allowed) {
				return fmt.Errorf("∂L/∂θ_%d = %.12g at θ = %v, and H(θ−c) is %.12g: only a quadratic may declare itself one", i, c.grads[k][i], p, want)
			}
		}
	}
	return nil
}
