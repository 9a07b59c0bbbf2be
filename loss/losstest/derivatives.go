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
)

// direction is a line along which derivatives are taken.
type direction struct {
	name   string
	unit   []float64
	stride float64 // the first step of the differences
}

// directions returns the lines at θ: the coordinate axes, or if there are more
// than 32, as many of them and 8 random directions.
func (c *checker) directions(theta []float64, rng *rand.Rand) []direction {
	axis := func(j int) direction {
		u := make([]float64, c.d)
		u[j] = 1
		return direction{fmt.Sprintf("θ_%d", j), u, 0.1 * c.o.Scale * math.Max(1, math.Abs(theta[j]))}
	}
	var all []direction
	if c.d <= 32 {
		for j := range c.d {
			all = append(all, axis(j))
		}
		return all
	}
	for _, j := range rng.Perm(c.d)[:32] {
		all = append(all, axis(j))
	}
	for range 8 {
		u := make([]float64, c.d)
		for j := range u {
			u[j] = rng.NormFloat64() / math.Sqrt(float64(c.d))
		}
		all = append(all, direction{"a random direction", u, 0.1 * c.o.Scale})
	}
	return all
}

// along stores θ + s·u into dst.
func along(dst, theta, u []float64, s float64) {
	for j, v := range theta {
		dst[j] = v + s*u[j]
	}
}

// agree returns an error unless |got − want| is within ten times the error of
// want and the tolerance, and unless the error is small enough to tell, or as good
// as nothing beside the typical gradient.
func (c *checker) agree(got, want, estimate, size float64) error {
	allowed := c.o.Tolerance * size
	if diff := math.Abs(got - want); !(diff <= 10*estimate+allowed) {
		return fmt.Errorf("is %.12g, and %.12g ± %.1g by differences", got, want, estimate)
	}
	if coarse := math.Max(1e-4, 10*c.o.Tolerance) * size; size > 0 && estimate > coarse && estimate > 1e-12*c.typical/c.o.Scale {
		return fmt.Errorf("cannot be checked: differences give %.6g ± %.1g, too uncertain; is the loss smooth, and Options.Scale the length over which it changes?", want, estimate)
	}
	return nil
}

// gradient holds Gradient against differences of Value.
func (c *checker) gradient() error {
	rng := rand.New(rand.NewPCG(2, 1))
	x := make([]float64, c.d)
	for i, theta := range c.points {
		size := math.Max(conformance.Largest(c.grads[i]), c.typical)
		for _, dir := range c.directions(theta, rng) {
			want, e := conformance.Derivative(func(dst []float64, s float64) {
				along(x, theta, dir.unit, s)
				dst[0] = c.l.Value(x)
			}, 1, dir.stride)
			if err := c.agree(dot(c.grads[i], dir.unit), want[0], e[0], size); err != nil {
				return fmt.Errorf("the derivative along %s at θ = %v %w", dir.name, theta, err)
			}
		}
	}
	return nil
}

// fewer returns the points at which second derivatives are checked.
func (c *checker) fewer() [][]float64 {
	if n := 8; c.d > 32 && len(c.points) > n {
		return c.points[:n]
	}
	return c.points
}

// hessian holds Hessian to being symmetric, pure and the derivative of Gradient.
func (c *checker) hessian() error {
	l, ok := c.l.(sde.Hessian)
	if !ok {
		return nil
	}
	d := c.d
	rng := rand.New(rand.NewPCG(3, 1))
	theta, x := make([]float64, d), make([]float64, d)
	h, again, column := make([]float64, d*d), make([]float64, d*d), make([]float64, d)
	for _, p := range c.fewer() {
		copy(theta, p)
		conformance.Fill(h, math.NaN())
		l.Hessian(h, theta)
		if !conformance.SameBits(theta, p) {
			return fmt.Errorf("method Hessian wrote to theta: it was %v and is %v", p, theta)
		}
		if l.Hessian(again, theta); !conformance.SameBits(h, again) {
			return fmt.Errorf("two answers at θ = %v: %v, then %v (the first time dst was full of NaN)", theta, h, again)
		}
		size := conformance.Largest(h)
		for i := range d {
			for j := range i {
				if a, b := h[i*d+j], h[j*d+i]; !(math.Abs(a-b) <= 64*0x1p-52*size) {
					return fmt.Errorf("not symmetric at θ = %v: entry (%d, %d) is %v, and (%d, %d) is %v", theta, i, j, a, j, i, b)
				}
			}
		}
		for _, dir := range c.directions(theta, rng) {
			want, e := conformance.Derivative(func(dst []float64, s float64) {
				along(x, theta, dir.unit, s)
				c.l.Gradient(dst, x)
			}, d, dir.stride)
			for i := range d {
				column[i] = dot(h[i*d:][:d], dir.unit)
			}
			size := math.Max(size, conformance.Largest(want))
			for i := range d {
				if err := c.agree(column[i], want[i], e[i], size); err != nil {
					return fmt.Errorf("the derivative of ∂L/∂θ_%d along %s at θ = %v %w", i, dir.name, theta, err)
				}
			}
		}
	}
	return nil
}

// differenceHessian stores the Hessian by differences of Gradient into h, and
// returns the largest of the errors it estimates.
func (c *checker) differenceHessian(h, theta []float64) float64 {
	d := c.d
	x, u := make([]float64, d), make([]float64, d)
	var worst float64
	for j := range d {
		u[j] = 1
		v, e := conformance.Derivative(func(dst []float64, s float64) {
			along(x, theta, u, s)
			c.l.Gradient(dst, x)
		}, d, 0.1*c.o.Scale*math.Max(1, math.Abs(theta[j])))
		u[j] = 0
		for i := range d {
			h[i*d+j] = v[i]
		}
		worst = math.Max(worst, conformance.Largest(e))
	}
	for i := range d {
		for j := range i {
			s := (h[i*d+j] + h[j*d+i]) / 2
			h[i*d+j], h[j*d+i] = s, s
		}
	}
	return worst
}

// laplacian holds Laplacian against the trace of the Hessian.
func (c *checker) laplacian() error {
	l, ok := c.l.(sde.Laplacian)
	if !ok {
		return nil
	}
	d := c.d
	second, exact := c.l.(sde.Hessian)
	points := c.fewer()
	if !exact && d > 32 {
		points = points[:1]
	}
	theta, h := make([]float64, d), make([]float64, d*d)
	for _, p := range points {
		copy(theta, p)
		got := l.Laplacian(theta)
		if !conformance.SameBits(theta, p) {
			return fmt.Errorf("method Laplacian wrote to theta: it was %v and is %v", p, theta)
		}
		var e float64
		if exact {
			second.Hessian(h, theta)
		} else {
			e = float64(d) * c.differenceHessian(h, theta)
		}
		var trace, size float64
		for i := range d {
			trace += h[i*d+i]
			size += math.Abs(h[i*d+i])
		}
		if err := c.agree(got, trace, e, math.Max(size, conformance.Largest(h))); err != nil {
			return fmt.Errorf("the Laplacian at θ = %v %w", theta, err)
		}
	}
	return nil
}

func dot(x, y []float64) float64 {
	var s float64
	for i, v := range x {
		s += v * y[i]
	}
	return s
}
