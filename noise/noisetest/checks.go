// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noisetest

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// rounding is how far a root may be from what another method of the same
// diffusion makes it, as a fraction: a few roundings, as in √(2T).
const rounding = 8 * 0x1p-52

// thermal holds the root to √(2T) I.
func (c *checker) thermal() error {
	n, ok := c.n.(sde.Thermal)
	if !ok {
		return nil
	}
	if c.d != c.m {
		return fmt.Errorf("a diffusion of %d×%d has a temperature, which says that its root is a multiple of the identity", c.d, c.m)
	}
	for _, p := range c.places {
		t := n.Temperature(p.t)
		if !(t >= 0) || math.IsInf(t, 0) {
			return fmt.Errorf("the temperature is %v at t = %v: it should be finite and not negative", t, p.t)
		}
		for k, v := range p.root {
			var want float64
			if k/c.m == k%c.m {
				want = math.Sqrt(2 * t)
			}
			if math.Abs(v-want) > rounding*want {
				return fmt.Errorf("entry B[%d,%d] = %v at t = %v, and the temperature %v makes it %v", k/c.m, k%c.m, v, p.t, t, want)
			}
		}
	}
	return nil
}

// diagonalRoot holds the root to being diagonal with the elements that DiagonalRoot gives.
func (c *checker) diagonalRoot() error {
	n, ok := c.n.(sde.DiagonalRoot)
	if !ok {
		return nil
	}
	if c.d != c.m {
		return fmt.Errorf("a diffusion of %d×%d has the upgrade DiagonalRoot", c.d, c.m)
	}
	theta, b := make([]float64, c.d), make([]float64, c.d)
	for _, p := range c.places {
		copy(theta, p.theta)
		conformance.Fill(b, math.NaN())
		n.DiagonalRoot(b, theta, p.t)
		if !conformance.SameBits(theta, p.theta) {
			return fmt.Errorf("method DiagonalRoot wrote to theta: it was %v and is %v", p.theta, theta)
		}
		for k, v := range p.root {
			var want float64
			if i := k / c.m; i == k%c.m {
				want = b[i]
			}
			if !(math.Abs(v-want) <= rounding*math.Abs(want)) {
				return fmt.Errorf("entry B[%d,%d] = %v at θ = %v, t = %v by Root, and %v by DiagonalRoot", k/c.m, k%c.m, v, theta, p.t, want)
			}
		}
	}
	return nil
}

// class holds the noise to its declared class, as far as that needs no derivatives.
func (c *checker) class() error {
	class := sde.ClassOf(c.n)
	if class < sde.General || sde.Constant < class {
		return fmt.Errorf("method Class() = %d: it should be one of sde's classes", int(class))
	}
	if _, ok := c.n.(sde.Thermal); ok && class < sde.Additive {
		return fmt.Errorf("the class is %v, and noise that has a temperature is additive at least", class)
	}
	if class == sde.Diagonal && c.d != c.m {
		return fmt.Errorf("the class is diagonal, and the root is of %d×%d", c.d, c.m)
	}
	if class < sde.Additive {
		return nil
	}
	first := 0
	for i, p := range c.places {
		if class == sde.Additive && p.t != c.places[first].t {
			first = i
		}
		if q := c.places[first]; !conformance.SameBits(p.root, q.root) {
			return fmt.Errorf("the class is %v, and the root is %v at θ = %v, t = %v, but %v at θ = %v, t = %v", class, p.root, p.theta, p.t, q.root, q.theta, q.t)
		}
	}
	return nil
}

// derivatives holds what is said of the derivatives of the root to differences of it.
func (c *checker) derivatives() error {
	class := sde.ClassOf(c.n)
	jacobian, hasJacobian := c.n.(sde.RootJacobian)
	slope, hasSlope := c.n.(sde.DiagonalDerivative)
	divergence, hasDivergence := c.n.(sde.Divergence)
	if hasSlope && (class < sde.Diagonal || c.d != c.m) {
		return fmt.Errorf("the upgrade DiagonalDerivative is for noise of class diagonal, and this is %v, of %d×%d", class, c.d, c.m)
	}
	if !hasJacobian && !hasSlope && !hasDivergence && class != sde.Diagonal && class != sde.Commutative {
		return nil
	}
	d, m := c.d, c.m
	places := c.places
	if n := 4; d > 16 && len(places) > n {
		places = places[:n]
	}
	theta, got := make([]float64, d), make([]float64, d*m*d)
	for _, p := range places {
		want, off := c.differences(p) // ∂B_ik/∂θ_l
		size := conformance.Largest(want)
		at := fmt.Sprintf("at θ = %v, t = %v", p.theta, p.t)
		copy(theta, p.theta)
		if hasJacobian {
			conformance.Fill(got, math.NaN())
			jacobian.RootJacobian(got, theta, p.t)
			for k, v := range got {
				if err := c.agree(v, want[k], off[k], size); err != nil {
					return fmt.Errorf("the derivative of B[%d,%d] by θ_%d %s %w", k/d/m, k/d%m, k%d, at, err)
				}
			}
		}
		if hasSlope {
			b := got[:d]
			conformance.Fill(b, math.NaN())
			slope.DiagonalDerivative(b, theta, p.t)
			for i, v := range b {
				k := (i*m+i)*d + i
				if err := c.agree(v, want[k], off[k], size); err != nil {
					return fmt.Errorf("the derivative of b_%d by θ_%d %s %w", i, i, at, err)
				}
			}
		}
		if hasDivergence {
			if err := c.divergence(divergence, p, want, off); err != nil {
				return err
			}
		}
		if !conformance.SameBits(theta, p.theta) {
			return fmt.Errorf("a method for derivatives wrote to theta: it was %v and is %v", p.theta, theta)
		}
		switch class {
		case sde.Diagonal:
			for k, v := range want {
				i, j, l := k/d/m, k/d%m, k%d
				if i != j && p.root[i*m+j] != 0 {
					return fmt.Errorf("the class is diagonal, and B[%d,%d] = %v %s", i, j, p.root[i*m+j], at)
				}
				if (i != j || i != l) && math.Abs(v) > 10*off[k]+c.o.Tolerance*size {
					return fmt.Errorf("the class is diagonal, and the derivative of B[%d,%d] by θ_%d %s is %.6g ± %.1g: b_i should depend on θ_i alone", i, j, l, at, v, off[k])
				}
			}
		case sde.Commutative:
			if err := c.commutative(p, want, off); err != nil {
				return err
			}
		}
	}
	return nil
}

// divergence holds Divergence to
//
//	Σ_j ∂D_ij/∂θ_j = ½ Σ_jk (B_jk ∂_j B_ik + B_ik ∂_j B_jk)
func (c *checker) divergence(n sde.Divergence, p place, dB, off []float64) error {
	d, m := c.d, c.m
	got := make([]float64, d)
	conformance.Fill(got, math.NaN())
	n.Divergence(got, append([]float64(nil), p.theta...), p.t)
	for i, v := range got {
		var want, e, size float64
		for j := range d {
			for k := range m {
				x, y := p.root[j*m+k]*dB[(i*m+k)*d+j], p.root[i*m+k]*dB[(j*m+k)*d+j]
				want += (x + y) / 2
				size += math.Abs(x) + math.Abs(y)
				e += math.Abs(p.root[j*m+k])*off[(i*m+k)*d+j] + math.Abs(p.root[i*m+k])*off[(j*m+k)*d+j]
			}
		}
		if err := c.agree(v, want, e, size); err != nil {
			return fmt.Errorf("the divergence of D, element %d, at θ = %v, t = %v %w", i, p.theta, p.t, err)
		}
	}
	return nil
}

// commutative holds noise to Σ_l B_lj ∂_l B_ik = Σ_l B_lk ∂_l B_ij.
func (c *checker) commutative(p place, dB, off []float64) error {
	d, m := c.d, c.m
	for i := range d {
		for j := range m {
			for k := range j {
				var a, b, e, size float64
				for l := range d {
					x, y := p.root[l*m+j]*dB[(i*m+k)*d+l], p.root[l*m+k]*dB[(i*m+j)*d+l]
					a, b = a+x, b+y
					size += math.Abs(x) + math.Abs(y)
					e += math.Abs(p.root[l*m+j])*off[(i*m+k)*d+l] + math.Abs(p.root[l*m+k])*off[(i*m+j)*d+l]
				}
				if math.Abs(a-b) > 10*e+c.o.Tolerance*size {
					return fmt.Errorf("the class is commutative, and Σ_l B_lj ∂B_ik/∂θ_l is %.6g for i, j, k = %d, %d, %d and %.6g for j and k exchanged, at θ = %v, t = %v", a, i, j, k, b, p.theta, p.t)
				}
			}
		}
	}
	return nil
}

// differences returns ∂B_ik/∂θ_l in the order of a RootJacobian, with its errors.
func (c *checker) differences(p place) (value, off []float64) {
	d := c.d
	n := d * c.m
	value, off = make([]float64, n*d), make([]float64, n*d)
	if sde.ClassOf(c.n) >= sde.Additive {
		return value, off // that it does not depend on θ is checked by itself
	}
	x := append([]float64(nil), p.theta...)
	for l, v := range p.theta {
		dv, e := conformance.Derivative(func(dst []float64, s float64) {
			x[l] = v + s
			c.n.Root(dst, x, p.t)
		}, n, 0.1*c.o.Scale*math.Max(1, math.Abs(v)))
		x[l] = v
		for ik := range n {
			value[ik*d+l], off[ik*d+l] = dv[ik], e[ik]
		}
	}
	return value, off
}

// agree returns an error unless |got − want| is within ten times the error of
// want and the tolerance, and unless the error is small enough to tell.
func (c *checker) agree(got, want, estimate, size float64) error {
	if diff := math.Abs(got - want); !(diff <= 10*estimate+c.o.Tolerance*size) {
		return fmt.Errorf("is %.12g, and %.12g ± %.1g by differences", got, want, estimate)
	}
	if coarse := math.Max(1e-4, 10*c.o.Tolerance) * size; estimate > coarse && size > 0 {
		return fmt.Errorf("cannot be checked: differences give %.6g ± %.1g, too uncertain; is the root smooth, and Options.Scale the length over which it changes?", want, estimate)
	}
	return nil
}

// concurrency asks for the root from eight goroutines at once, with the same
// slices of θ: to write there and restore it is a race as well.
func (c *checker) concurrency() error {
	if c.impure {
		return nil // it would race, and that has been said
	}
	return conformance.Concurrently("the diffusion", func() func(w, r int) error {
		root := make([]float64, c.d*c.m)
		return func(w, r int) error {
			for i := range c.places {
				p := c.places[(i+w*len(c.places)/conformance.Workers+r)%len(c.places)]
				c.n.Root(root, p.theta, p.t)
				if !conformance.SameBits(root, p.root) {
					return fmt.Errorf("the root at θ = %v, t = %v is %v when called from many goroutines, and %v from one: do calls share scratch memory?", p.theta, p.t, root, p.root)
				}
			}
			return nil
		}
	})
}
