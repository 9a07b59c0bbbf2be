// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package integratetest holds a numerical scheme to what it states of itself:
//
//	func TestMyScheme(t *testing.T) {
//		integratetest.Test(t, MyScheme{}, integratetest.Options{})
//	}
//
// Nearly all of it is free of Monte Carlo error. A step of a scheme is a function of
// the state and of the normals that it takes (sde.Script), so its law on a
// quadratic, the moments of its paths and its stationary law are found by algebra and
// quadrature. Only strong orders are measured on random paths, which
// all steps share; the test is one of statistical confidence there.
//
// The equations that it uses come with their answers and serve other tests too:
// see Problem.
package integratetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// Options says how a scheme is checked. The zero value serves most.
type Options struct {
	// Paths is the number of paths for strong orders; 0 means 2048.
	Paths int
	// Seed selects the paths.
	Seed uint64
	// Skip lists checks, by the names that errors begin with, that are not to be made.
	Skip []string
}

func (o Options) paths() int {
	if o.Paths > 0 {
		return o.Paths
	}
	return 2048
}

// Test checks a scheme as Check does and reports each fault by t.Error.
func Test(t testing.TB, scheme integrate.Scheme, o Options) {
	t.Helper()
	conformance.Report(t, Check(scheme, o))
}

// Check returns nil if a scheme is what its Properties state for each class of
// noise, otherwise the faults it found, each with its explanation, joined by
// errors.Join. The faults begin with the name of the check:
//
//   - properties: what is stated is possible at all.
//   - refusals: classes that are not served are refused by an error that wraps
//     sde.ErrUnsupported and says which scheme to take.
//   - invariance: the bits of a particle depend neither on the block that it is
//     stepped with nor on the number of workers, and a step allocates nothing.
//   - gradients: as many evaluations of the drift a step as stated, or no fewer if steps
//     can fail (integrate.Explainer), since their number then depends on the state.
//   - consistency: mean and covariance of a small step are a h and BBᵀh, with a the Itô
//     drift, for each problem of the zoo, whatever its calculus.
//   - increments: the moments of a step of Brownian motion are a normal's as far as
//     the weak order needs, and what is drawn for different steps, particles and
//     blocks is independent.
//   - quadratic: on dX = −kX dt + √(2T) dW the step is linear, stable up to
//     h = Stability/k, and its variance tends to T/k (times Heat) with the stated order;
//     of a step that is not linear, such as a tamed one, the variance is that of the
//     transition kernel.
//   - weak order: of means and covariances of linear equations at a fixed time, with
//     noise of each class; and of averages on double wells with constant and
//     state-dependent noise of one component, and with two that do not commute.
//   - invariant measure: the order of ⟨x²⟩ under the stationary law on the same wells.
//   - strong order: of paths, on problems with known solutions or between
//     steps; the stated order must be compatible, and one lower by ½ not.
//   - areas: a scheme of strong order 1 for general noise has the variance of Lévy areas.
//
// Of the checks by quadrature, schemes with history (integrate.Augmented) are spared all
// but the variance on a quadratic, if they state an order of the stationary law.
func Check(scheme integrate.Scheme, o Options) error {
	if scheme == nil {
		return errors.New("integratetest: the scheme is nil")
	}
	c := &checker{scheme: scheme, o: o}
	_, c.augmented = scheme.(integrate.Augmented)
	c.properties()
	if len(c.faults) > 0 {
		return errors.Join(c.faults...)
	}
	for _, check := range []struct {
		name string
		do   func()
	}{
		{"refusals", c.refusals},
		{"invariance", c.invariance},
		{"gradients", c.gradients},
		{"consistency", c.consistency},
		{"increments", c.increments},
		{"quadratic", c.quadratic},
		{"weak order", c.weakOrder},
		{"invariant measure", c.invariantMeasure},
		{"strong order", c.strongOrder},
		{"areas", c.areas},
	} {
		if c.skips(check.name) {
			continue
		}
		c.guard(check.name, check.do)
	}
	return errors.Join(c.faults...)
}

type checker struct {
	scheme    integrate.Scheme
	o         Options
	augmented bool
	faults    []error
}

func (c *checker) skips(name string) bool {
	for _, s := range c.o.Skip {
		if s == name {
			return true
		}
	}
	return false
}

func (c *checker) fault(check, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(check+": "+format, args...))
}

// guard makes a check and turns a panic into a fault.
func (c *checker) guard(name string, do func()) {
	defer func() {
		if v := recover(); v != nil {
			c.fault(name, "panic: %v", v)
		}
	}()
	do()
}

var classes = []sde.NoiseClass{sde.General, sde.Commutative, sde.Diagonal, sde.Additive, sde.Constant}

// stated returns the properties for a class, and whether it is served.
func (c *checker) stated(class sde.NoiseClass) (integrate.Properties, bool) {
	p, err := c.scheme.Properties(class)
	return p, err == nil
}

func (c *checker) properties() {
	served := 0
	for _, class := range classes {
		p, ok := c.stated(class)
		if !ok {
			continue
		}
		served++
		if p.Name == "" {
			c.fault("properties", "%v noise: the scheme has no name", class)
		}
		if !(p.Strong >= 0) || !(p.Weak >= 0) || !(p.Invariant >= 0) || !(p.Stability >= 0) || !(p.Gradients >= 0) || !(p.Normals >= 0) {
			c.fault("properties", "%v noise: an order, limit or count is negative or NaN: %+v", class, p)
		}
		if p.Weak < p.Strong {
			c.fault("properties", "%v noise: weak order %g is below strong order %g, which it cannot be", class, p.Weak, p.Strong)
		}
	}
	if served == 0 {
		c.fault("properties", "the scheme serves no class of noise")
	}
}

func (c *checker) refusals() {
	for _, class := range classes {
		_, err := c.scheme.Properties(class)
		if err == nil {
			continue
		}
		if !errors.Is(err, sde.ErrUnsupported) {
			c.fault("refusals", "%v noise: the error does not wrap sde.ErrUnsupported: %v", class, err)
		}
		if !strings.Contains(err.Error(), "take ") {
			c.fault("refusals", "%v noise: the error does not say which scheme to take instead: %v", class, err)
		}
	}
}

// bind returns the scheme's kernel for an equation, and false if it is not served.
func (c *checker) bind(eq sde.Equation, h float64, rows int) (integrate.Kernel, integrate.Properties, bool) {
	class := sde.ClassOf(sde.DiffusionOf(eq))
	p, ok := c.stated(class)
	if _, stable := sde.DiffusionOf(eq).(sde.Stable); stable && ok {
		_, ok = c.scheme.(integrate.StableDriven) // Ensemble refuses it to others
	}
	if !ok {
		return nil, p, false
	}
	k, err := c.scheme.Bind(integrate.NewSystem(eq, p.Calculus, h, rows))
	if err != nil {
		if !errors.Is(err, sde.ErrUnsupported) {
			c.fault("refusals", "binding to %v noise failed, and not by sde.ErrUnsupported: %v", class, err)
		}
		return nil, p, false
	}
	return k, p, true
}
