// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integratetest

import (
	"errors"
	"fmt"
	"math"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/sde"
)

// harmonic is L = kx²/2.
type harmonic struct{ k float64 }

func (harmonic) Dim() int                        { return 1 }
func (l harmonic) Value(theta []float64) float64 { return l.k * theta[0] * theta[0] / 2 }
func (l harmonic) Gradient(dst, theta []float64) { dst[0] = l.k * theta[0] }
func (l harmonic) Harmonic() (h, center []float64) {
	return []float64{l.k}, []float64{0}
}

// thermal is constant noise of a temperature.
type thermal struct{ t float64 }

func (thermal) Dims() (state, noise int)      { return 0, 0 }
func (thermal) Class() sde.NoiseClass         { return sde.Constant }
func (n thermal) Temperature(float64) float64 { return n.t }
func (n thermal) Root(dst, theta []float64, _ float64) {
	clear(dst)
	for i := range theta {
		dst[i*len(theta)+i] = math.Sqrt(2 * n.t)
	}
}

// stable is noise of unit scale driven by a stable motion.
type stable struct {
	alpha      float64
	rotational bool
}

func (stable) Dims() (state, noise int)             { return 0, 0 }
func (stable) Class() sde.NoiseClass                { return sde.Constant }
func (n stable) StableLaw() (float64, bool)         { return n.alpha, n.rotational }
func (stable) Root(dst, theta []float64, _ float64) { dst[0] = 1 }

// ornsteinUhlenbeck is dX = −kX dt + √(2T) dW.
func ornsteinUhlenbeck(k, temperature float64) sde.Flow {
	return sde.Flow{Loss: harmonic{k}, Diffusion: thermal{temperature}}
}

// affine is a step x' = αx + c + Σ_i β_i ξ_i of a scalar equation, with ξ the
// normals of the increment, of the next, of the area, and another.
type affine struct {
	alpha, c float64
	beta     [4]float64
}

// variance returns the stationary variance: the next increment is shared with
// the next step, so that x and this step's increment are correlated.
func (a affine) variance() float64 {
	b := a.beta
	return (b[0]*b[0] + b[1]*b[1] + 2*a.alpha*b[0]*b[1] + b[2]*b[2] + b[3]*b[3]) / (1 - a.alpha*a.alpha)
}

var errNotAffine = errors.New("the step is not affine in the state and the noise")

// affineStep finds the coefficients of a step at time t, and an error if it is not affine.
func (s *stepper) affineStep(t float64) (affine, error) {
	const big = 2 // which a three-point variable makes √3
	at := func(x float64, n noise) float64 {
		var y [1]float64
		s.step(y[:], []float64{x}, t, n)
		return y[0]
	}
	unit := func(v [4]float64) noise {
		return noise{z: v[:1], next: v[1:2], u: v[2:3], normal: v[3:4]}
	}
	scale := 1.0
	if s.dependence([]float64{0.3}, 1).steps {
		scale = math.Sqrt(3) / big
	}
	var a affine
	a.c = at(0, unit([4]float64{}))
	a.alpha = at(1, unit([4]float64{})) - a.c
	for i := range a.beta {
		var v [4]float64
		v[i] = big
		f := big * scale
		if i > 1 {
			f = big
		}
		a.beta[i] = (at(0, unit(v)) - a.c) / f
	}
	want := 3*a.alpha + a.c + big*scale*(a.beta[0]-a.beta[1]) - 2*a.beta[2] + 2*a.beta[3]
	got := at(3, unit([4]float64{big, -big, -2, 2}))
	if math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
		return a, errNotAffine
	}
	return a, nil
}

// quadraticStep returns the step of a scheme on dX = −kX dt + √(2T) dW.
func quadraticStep(scheme integrate.Scheme, k, temperature, h float64) (affine, error) {
	if _, ok := scheme.(integrate.Augmented); ok {
		return affine{}, fmt.Errorf("the scheme has history")
	}
	p, err := scheme.Properties(sde.Constant)
	if err != nil {
		return affine{}, err
	}
	kernel, err := scheme.Bind(integrate.NewSystem(ornsteinUhlenbeck(k, temperature), p.Calculus, h, 1))
	if err != nil {
		return affine{}, err
	}
	return newStepper(kernel, 1, h).affineStep(0)
}

// StationaryVariance returns the variance of a scheme's stationary law on
// dX = −kX dt + √(2T) dW with steps of h, exact but for rounding, or an error if the
// scheme does not serve constant noise, or takes a step that is not
// linear. It is NaN, negative or +Inf where the scheme is not stable.
func StationaryVariance(scheme integrate.Scheme, k, temperature, h float64) (float64, error) {
	if _, ok := scheme.(integrate.Augmented); ok {
		return integrate.QuadraticVariance(scheme, k, temperature, h)
	}
	a, err := quadraticStep(scheme, k, temperature, h)
	return a.variance(), err
}

func (c *checker) quadratic() {
	p, ok := c.stated(sde.Constant)
	if !ok || c.augmented && p.Invariant == 0 {
		return
	}
	const k, temperature = 1.5, 0.3
	heat := p.Heat
	if heat == 0 {
		heat = 1
	}
	if c.augmented {
		c.augmentedQuadratic(k, temperature, heat, p.Invariant)
		return
	}
	step := func(z float64) (affine, bool) {
		a, err := quadraticStep(c.scheme, k, temperature, z/k)
		if err != nil && !errors.Is(err, sde.ErrUnsupported) {
			c.fault("quadratic", "h·k = %g: %v", z, err)
		}
		return a, err == nil
	}
	if _, err := quadraticStep(c.scheme, k, temperature, 0.1/k); errors.Is(err, errNotAffine) {
		c.stationaryOrder("quadratic", OrnsteinUhlenbeck(k, temperature))
		return
	} else if err != nil {
		step(0.1) // says why
		return
	}
	var z, e []float64
	for v := 0.2; v > 0.006; v /= 2 {
		a, ok := step(v)
		if !ok {
			return
		}
		z = append(z, v)
		e = append(e, a.variance()*k/(temperature*heat)-1)
	}
	c.order("quadratic", "the relative error of the variance T/k of dX = −kX dt + √(2T) dW", z, e, p.Invariant, 1e-11)
	switch limit := p.Stability; {
	case math.IsInf(limit, 1):
		if a, _ := step(1000); !(math.Abs(a.alpha) <= 1) {
			c.fault("quadratic", "the scheme states no limit of stability, but at h·k = 1000 a step multiplies by %g", a.alpha)
		}
	case limit > 0:
		below, _ := step(0.999 * limit)
		above, _ := step(1.001 * limit)
		if !(math.Abs(below.alpha) < 1) || !(math.Abs(above.alpha) > 1) {
			c.fault("quadratic", "the scheme states stability up to h·k = %g; a step multiplies by %g just below and by %g just above",
				limit, below.alpha, above.alpha)
		}
	}
}

// augmentedQuadratic is the part of quadratic for schemes with history that can be had: the
// order of the variance, where a step is linear and not accepted or rejected.
func (c *checker) augmentedQuadratic(k, temperature, heat, order float64) {
	var z, e []float64
	for v := 0.2; v > 0.006; v /= 2 {
		variance, err := integrate.QuadraticVariance(c.scheme, k, temperature, v/k)
		if errors.Is(err, sde.ErrUnsupported) || errors.Is(err, integrate.ErrNotLinear) {
			return
		}
		if err != nil {
			c.fault("quadratic", "h·k = %g: %v", v, err)
			return
		}
		z = append(z, v)
		e = append(e, variance*k/(temperature*heat)-1)
	}
	c.order("quadratic", fmt.Sprintf("the relative error of the variance %.3g T/k of x on dX = −kX dt + √(2T) dW", heat), z, e, order, 1e-11)
}

// order adds a fault unless the errors e at steps h, falling by halves, vanish with
// at least the stated order. Errors below floor are taken for rounding.
func (c *checker) order(check, what string, h, e []float64, stated, floor float64) {
	n := len(e) - 1
	if math.IsInf(stated, 1) {
		for i, v := range e {
			if !(math.Abs(v) < floor) {
				c.fault(check, "%s is stated to be exact; at h = %.4g it is off by %.3g", what, h[i], v)
				return
			}
		}
		return
	}
	if math.Abs(e[n]) < floor {
		return
	}
	slope := lastOrder(e)
	if !(slope > stated-orderSlack) {
		c.fault(check, "%s does not vanish with order %g: the errors are %s, the last of order %.3f", what, stated, table(h, e), slope)
	}
}

// orderSlack is how far the order between the last two steps may be below what is stated.
const orderSlack = 0.2

// lastOrder is the order between the last two steps, of which one is half of the other.
func lastOrder(e []float64) float64 {
	n := len(e) - 1
	return math.Log2(math.Abs(e[n-1] / e[n]))
}

// table shows errors and their steps.
func table(h, e []float64) string {
	s := ""
	for i := range h {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%.3g (h = %.3g)", e[i], h[i])
	}
	return s
}
