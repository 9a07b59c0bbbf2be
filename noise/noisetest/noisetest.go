// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package noisetest checks that an implementation of sde.Diffusion, or of
// sde.GradientSampler, keeps its promises:
//
//	func TestMyNoise(t *testing.T) {
//		noisetest.Test(t, MyNoise{}, noisetest.Options{Wants: []noisetest.Upgrade{noisetest.Classified}})
//	}
//
// It holds every upgrade of the diffusion against the plain root, the declared
// class against differences of the root, and all of them to being functions:
// nothing is written to θ, and the same θ and t give the same answer, in any order
// and from many goroutines. Run it with -race as well.
package noisetest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// Upgrade is the name of an optional interface of package sde.
type Upgrade string

// The upgrades of an sde.Diffusion.
const (
	Classified         Upgrade = "Classified"
	Thermal            Upgrade = "Thermal"
	DiagonalRoot       Upgrade = "DiagonalRoot"
	DiagonalDerivative Upgrade = "DiagonalDerivative"
	RootJacobian       Upgrade = "RootJacobian"
	Divergence         Upgrade = "Divergence"
)

// Options says how a diffusion is checked. The zero value serves most.
type Options struct {
	// Dim is the dimension in which a diffusion for any dimension is checked; 0
	// means 3.
	Dim int
	// Points are the places where the noise is probed. Nil means 12 around the
	// origin, at distances of about Scale in each coordinate.
	Points [][]float64
	// Times are the times at which it is probed. Nil means 0, ½ and 10.
	Times []float64
	// Scale is the length over which the root changes; 0 means 1. It sets the
	// spread of the default points, and finite differences start with steps of a
	// tenth of it (times |θ_i|, where that is above 1) and shrink to 10⁻⁴ of it.
	Scale float64
	// Tolerance is the error that is allowed in derivatives, beyond ten times what
	// the differences are estimated to be off themselves: a fraction of the
	// largest entry of what is compared. 0 means 1e-9.
	Tolerance float64
	// Wants lists the upgrades that the diffusion is meant to have. Without
	// it an upgrade that is missing altogether is not noticed; one with
	// the right name and another signature always is.
	Wants []Upgrade
}

// Test checks n as Check does and reports each fault by t.Error.
func Test(t testing.TB, n sde.Diffusion, o Options) {
	t.Helper()
	conformance.Report(t, Check(n, o))
}

// Check returns nil if n keeps the promises of sde.Diffusion and of the upgrades
// it has, otherwise the faults it found, each with its explanation, joined by
// errors.Join. It takes some milliseconds for a root of few entries.
//
//   - Dims are both 0 or both above 0, and Validate returns nil if there is one.
//   - Root is finite, writes nothing to θ, ignores what is in dst, sets
//     all of it, and gives the same bits when asked again, in another order, with
//     another slice, and from eight goroutines at once.
//   - Thermal: the root is √(2T) I. DiagonalRoot: it is the diagonal matrix of b.
//   - DiagonalDerivative, RootJacobian and Divergence agree with differences.
//   - The class is true: of Constant and Additive noise the root has the same bits
//     everywhere; of Diagonal noise ∂b_i/∂θ_j vanishes for j ≠ i; of Commutative
//     noise the commutators do.
//   - No method has the name of an upgrade's and another signature.
//   - Nothing panics.
//
// What is said of D needs no check: ½BBᵀ is symmetric and positive semi-definite.
func Check(n sde.Diffusion, o Options) error {
	if n == nil {
		return errors.New("noisetest: the diffusion is nil")
	}
	c := &checker{n: n, o: o}
	if err := c.guard("settings", c.settings); err != nil {
		return err
	}
	var all []error
	for _, s := range []struct {
		name  string
		check func() error
	}{
		{"upgrades", c.upgrades},
		{"root", c.probe},
		{"purity", c.purity},
		{"class", c.class},
		{"temperature", c.thermal},
		{"diagonal root", c.diagonalRoot},
		{"derivatives", c.derivatives},
		{"concurrency", c.concurrency},
	} {
		if err := c.guard(s.name, s.check); err != nil {
			all = append(all, err)
			if s.name == "root" {
				break // nothing to stand on
			}
			c.impure = c.impure || s.name == "purity"
		}
	}
	return errors.Join(all...)
}

// place is where and when the noise is probed, and the root there.
type place struct {
	theta []float64
	t     float64
	root  []float64
}

// checker is one run of the battery.
type checker struct {
	n      sde.Diffusion
	o      Options
	d, m   int
	places []place // time by time
	impure bool    // whether the purity check failed
}

// guard runs one check, names it in its error and makes an error of a panic.
func (c *checker) guard(name string, check func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("noisetest: %s: the diffusion panicked: %v", name, r)
		}
	}()
	if err := check(); err != nil {
		return fmt.Errorf("noisetest: %s: %w", name, err)
	}
	return nil
}

func (c *checker) settings() error {
	o := &c.o
	for _, f := range []struct {
		name     string
		value    *float64
		standard float64
	}{{"Scale", &o.Scale, 1}, {"Tolerance", &o.Tolerance, 1e-9}} {
		if *f.value == 0 {
			*f.value = f.standard
		}
		if !(*f.value > 0) || math.IsInf(*f.value, 0) {
			return &sde.SettingError{Field: "noisetest: Options." + f.name, Value: *f.value, Want: "a finite number above 0, or 0 for the default"}
		}
	}
	if o.Dim < 0 {
		return &sde.SettingError{Field: "noisetest: Options.Dim", Value: o.Dim, Want: "a number above 0, or 0 for 3", Err: sde.ErrDimension}
	}
	if v, ok := c.n.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return fmt.Errorf("the diffusion refuses itself: %w", err)
		}
	}
	switch c.d, c.m = c.n.Dims(); {
	case c.d == 0 && c.m == 0:
		if c.d = o.Dim; c.d == 0 {
			c.d = 3
		}
		c.m = c.d
	case c.d < 1 || c.m < 1:
		return fmt.Errorf("method Dims() = %d, %d: both should be above 0, or both 0 for any dimension", c.d, c.m)
	}
	for i, p := range o.Points {
		if len(p) != c.d {
			return &sde.SettingError{Field: fmt.Sprintf("noisetest: Options.Points[%d]", i), Value: p,
				Want: fmt.Sprintf("%d coordinates, as many as the diffusion has", c.d), Err: sde.ErrDimension}
		}
	}
	return nil
}

// probe chooses the places and takes the reference roots.
func (c *checker) probe() error {
	points, times := c.o.Points, c.o.Times
	if points == nil {
		rng := rand.New(rand.NewPCG(1, 1))
		for range 12 {
			p := make([]float64, c.d)
			for j := range p {
				p[j] = c.o.Scale * rng.NormFloat64()
			}
			points = append(points, p)
		}
	}
	if times == nil {
		times = []float64{0, 0.5, 10}
	}
	if len(points) == 0 || len(times) == 0 {
		return errors.New("there is no point or no time to probe it at")
	}
	for _, t := range times {
		for _, p := range points {
			root := make([]float64, c.d*c.m)
			c.n.Root(root, slices.Clone(p), t)
			for k, v := range root {
				if v-v != 0 {
					return fmt.Errorf("entry B[%d,%d] = %v at θ = %v, t = %v: it should be finite there, or Options.Points and Times set to where it is", k/c.m, k%c.m, v, p, t)
				}
			}
			c.places = append(c.places, place{slices.Clone(p), t, root})
		}
	}
	return nil
}

// purity asks again, in reverse order, always in the same slice, with other
// rubbish in dst.
func (c *checker) purity() error {
	theta, root := make([]float64, c.d), make([]float64, c.d*c.m)
	for i := len(c.places) - 1; i >= 0; i-- {
		p := c.places[i]
		copy(theta, p.theta)
		conformance.Fill(root, math.NaN())
		c.n.Root(root, theta, p.t)
		if !conformance.SameBits(theta, p.theta) {
			return fmt.Errorf("method Root wrote to theta: it was %v and is %v", p.theta, theta)
		}
		if !conformance.SameBits(root, p.root) {
			return fmt.Errorf("the root is %v at θ = %v, t = %v, and was %v when first asked: it should depend on θ and t alone, not on what was called before, on dst (full of NaN now) or on which slice holds θ", root, theta, p.t, p.root)
		}
	}
	return nil
}
