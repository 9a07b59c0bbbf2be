// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package losstest checks that an implementation of sde.Loss keeps its promises:
//
//	func TestMyLoss(t *testing.T) {
//		losstest.Test(t, MyLoss{}, losstest.Options{Wants: []losstest.Upgrade{losstest.Hessian}})
//	}
//
// It holds the gradient against differences of the value, every upgrade of the
// loss against the plain methods, and all of them to being functions: nothing is
// written to θ, and the same θ gives the same answer, in any order and from many
// goroutines. Run it with -race as well.
package losstest

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

// The upgrades of an sde.Loss.
const (
	BatchGradient   Upgrade = "BatchGradient"
	Hessian         Upgrade = "Hessian"
	Laplacian       Upgrade = "Laplacian"
	Curvature       Upgrade = "Curvature"
	Normalizable    Upgrade = "Normalizable"
	Charted         Upgrade = "Charted"
	FiniteSum       Upgrade = "FiniteSum"
	Minibatches     Upgrade = "Minibatches"
	SampleGradients Upgrade = "SampleGradients"
	OutputGradient  Upgrade = "OutputGradient"
	FlippedGradient Upgrade = "FlippedGradient"
	Harmonic        Upgrade = "Harmonic"
)

// Options says how a loss is checked. The zero value serves most.
type Options struct {
	// Points are the places where the loss is probed, besides its critical points
	// if it is Charted, 64 of them if there are more. Nil means 12 around each of those,
	// or around the origin, at distances of about Scale in each coordinate.
	Points [][]float64
	// Scale is the length over which the loss changes; 0 means 1. It sets the
	// spread of the default points, and finite differences start with steps of
	// a tenth of it (times |θ_i|, where that is above 1) and shrink to 10⁻⁴ of it.
	Scale float64
	// Tolerance is the error that is allowed in the gradient, the Hessian and the
	// Laplacian, beyond ten times what the differences are estimated to be off
	// themselves: a fraction of the largest entry, or of its median over
	// the points where that is larger. 0 means 1e-9; a loss that takes its own
	// gradient by differences needs about 1e-6.
	Tolerance float64
	// ULPs is how far the batch gradient may be from the plain one, in units of
	// 2⁻⁵² of the row's largest entry, or of its median over the points where that
	// is larger. 0 means 64.
	ULPs float64
	// Exact asks for a batch gradient with the bits of the plain one, as those of
	// this library have.
	Exact bool
	// Wants lists the upgrades that the loss is meant to have. Without it an
	// upgrade that is missing altogether is not noticed; one with the
	// right name and another signature always is.
	Wants []Upgrade
}

// Test checks l as Check does and reports each fault by t.Error.
func Test(t testing.TB, l sde.Loss, o Options) {
	t.Helper()
	conformance.Report(t, Check(l, o))
}

// Check returns nil if l keeps the promises of sde.Loss and of the upgrades it
// has, otherwise the faults it found, each with its explanation, joined by
// errors.Join. It takes some milliseconds for a cheap loss of few dimensions.
//
//   - Dim is at least 1, and Validate returns nil if there is one.
//   - Value and Gradient are finite at the points, write nothing to θ, ignore what
//     is in dst, and give the same bits when asked again, in another order, with
//     another slice, and from eight goroutines at once.
//   - Gradient agrees with differences of Value: along each coordinate up to 32,
//     beyond that along 32 of them and 8 random directions.
//   - Hessian is symmetric and agrees with differences of Gradient; Laplacian
//     agrees with its trace, or with differences.
//   - BatchGradient agrees with Gradient for 0, 1, 2, 7, 64 and 1000 rows, with and
//     without gaps between them, which it leaves alone.
//   - Critical points have a gradient that vanishes (to 1e-8 of the largest entry
//     of the Hessian, for a unit of θ), the value and the index they declare, and
//     nothing below a minimum lies right beside it.
//   - Curvature is the largest eigenvalue over the declared minima.
//   - A loss that declares itself Harmonic has the gradient H(θ−c).
//   - The gradients of a finite sum's samples average to Gradient, to 1e-12 of the
//     largest or of the typical gradient, those of mini-batches are the means of their
//     samples', and SampleGradients agrees with SampleGradient as BatchGradient does
//     with Gradient. OutputGradient and FlippedGradient are finite, write nothing to θ and
//     ignore what is in dst; whether they are right is not known.
//   - No method has the name of an upgrade's and another signature.
//   - Nothing panics.
func Check(l sde.Loss, o Options) error {
	if l == nil {
		return errors.New("losstest: the loss is nil")
	}
	c := &checker{l: l, o: o}
	if err := c.guard("settings", c.settings); err != nil {
		return err
	}
	var all []error
	for _, s := range []struct {
		name  string
		check func() error
	}{
		{"upgrades", c.upgrades},
		{"points", c.probe},
		{"purity", c.purity},
		{"gradient", c.gradient},
		{"Hessian", c.hessian},
		{"Laplacian", c.laplacian},
		{"harmonic", c.harmonic},
		{"batch gradient", c.batch},
		{"concurrency", c.concurrency},
		{"critical points", c.critical},
		{"curvature", c.curvature},
		{"normalizable", c.normalizable},
		{"samples", c.samples},
	} {
		if err := c.guard(s.name, s.check); err != nil {
			all = append(all, err)
			if s.name == "points" {
				break // nothing to stand on
			}
			c.impure = c.impure || s.name == "purity"
		}
	}
	return errors.Join(all...)
}

// checker is one run of the battery.
type checker struct {
	l sde.Loss
	o Options
	d int

	points  [][]float64
	values  []float64   // reference answers at the points
	grads   [][]float64 //
	typical float64     // the median over the points of the gradient's largest entry
	height  float64     // the median of |L|
	impure  bool        // whether the purity check failed
}

// guard runs one check, names it in its error and makes an error of a panic.
func (c *checker) guard(name string, check func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("losstest: %s: the loss panicked: %v", name, r)
		}
	}()
	if err := check(); err != nil {
		return fmt.Errorf("losstest: %s: %w", name, err)
	}
	return nil
}

func (c *checker) settings() error {
	o := &c.o
	for _, f := range []struct {
		name     string
		value    *float64
		standard float64
	}{{"Scale", &o.Scale, 1}, {"Tolerance", &o.Tolerance, 1e-9}, {"ULPs", &o.ULPs, 64}} {
		if *f.value == 0 {
			*f.value = f.standard
		}
		if !(*f.value > 0) || math.IsInf(*f.value, 0) {
			return &sde.SettingError{Field: "losstest: Options." + f.name, Value: *f.value, Want: "a finite number above 0, or 0 for the default"}
		}
	}
	if c.d = c.l.Dim(); c.d < 1 {
		return fmt.Errorf("method Dim() = %d: a loss has at least one coordinate", c.d)
	}
	if v, ok := c.l.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return fmt.Errorf("the loss refuses itself: %w", err)
		}
	}
	for i, p := range o.Points {
		if len(p) != c.d {
			return &sde.SettingError{Field: fmt.Sprintf("losstest: Options.Points[%d]", i), Value: p,
				Want: fmt.Sprintf("%d coordinates, as many as the loss has", c.d), Err: sde.ErrDimension}
		}
	}
	return nil
}

// probe chooses the points and takes the reference answers.
func (c *checker) probe() error {
	var centers [][]float64
	if ch, ok := c.l.(sde.Charted); ok {
		for i, p := range ch.CriticalPoints() {
			if len(p.Theta) != c.d {
				return fmt.Errorf("critical point %d has %d coordinates: the loss has %d", i, len(p.Theta), c.d)
			}
			centers = append(centers, slices.Clone(p.Theta))
		}
		if n := len(centers); n > 64 { // that many will do, spread over all
			for i := range 64 {
				centers[i] = centers[i*n/64]
			}
			centers = centers[:64]
		}
	}
	c.points = append(c.points, centers...)
	if c.o.Points != nil {
		for _, p := range c.o.Points {
			c.points = append(c.points, slices.Clone(p))
		}
	} else {
		if len(centers) == 0 {
			centers = [][]float64{make([]float64, c.d)}
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for _, center := range centers {
			for range 12 {
				p := slices.Clone(center)
				for j := range p {
					p[j] += c.o.Scale * rng.NormFloat64()
				}
				c.points = append(c.points, p)
			}
		}
	}
	if len(c.points) == 0 {
		return errors.New("there are none")
	}
	var sizes, heights []float64
	for _, p := range c.points {
		v, g := c.l.Value(slices.Clone(p)), make([]float64, c.d)
		c.l.Gradient(g, slices.Clone(p))
		if !isFinite(v) {
			return fmt.Errorf("the value is %v at θ = %v: it should be finite there, or Options.Points set to where it is", v, p)
		}
		for j, x := range g {
			if !isFinite(x) {
				return fmt.Errorf("∂L/∂θ_%d = %v at θ = %v: it should be finite there, or Options.Points set to where it is", j, x, p)
			}
		}
		c.values, c.grads = append(c.values, v), append(c.grads, g)
		sizes, heights = append(sizes, conformance.Largest(g)), append(heights, math.Abs(v))
	}
	slices.Sort(sizes)
	slices.Sort(heights)
	c.typical, c.height = sizes[len(sizes)/2], heights[len(heights)/2]
	return nil
}

// purity asks for everything again: in reverse order, gradients before values,
// always in the same slice, with other rubbish in dst.
func (c *checker) purity() error {
	theta, g := make([]float64, c.d), make([]float64, c.d)
	for i := len(c.points) - 1; i >= 0; i-- {
		copy(theta, c.points[i])
		conformance.Fill(g, math.NaN())
		c.l.Gradient(g, theta)
		if !conformance.SameBits(theta, c.points[i]) {
			return fmt.Errorf("method Gradient wrote to theta: it was %v and is %v", c.points[i], theta)
		}
		if !conformance.SameBits(g, c.grads[i]) {
			return fmt.Errorf("the gradient is %v at θ = %v, and was %v when first asked: it should depend on θ alone, not on what was called before, on dst or on which slice holds θ", g, theta, c.grads[i])
		}
	}
	for i := len(c.points) - 1; i >= 0; i-- {
		copy(theta, c.points[i])
		v := c.l.Value(theta)
		if !conformance.SameBits(theta, c.points[i]) {
			return fmt.Errorf("method Value wrote to theta: it was %v and is %v", c.points[i], theta)
		}
		if math.Float64bits(v) != math.Float64bits(c.values[i]) {
			return fmt.Errorf("the value is %v at θ = %v, and was %v when first asked: it should depend on θ alone", v, theta, c.values[i])
		}
	}
	return nil
}

func (c *checker) normalizable() error {
	n, ok := c.l.(sde.Normalizable)
	if !ok {
		return nil
	}
	for _, t := range []float64{0.1, 1, 10} {
		if first := n.Normalizable(t); first != n.Normalizable(t) {
			return fmt.Errorf("two answers at temperature %v", t)
		}
	}
	for _, t := range []float64{0, -1, math.NaN()} {
		if n.Normalizable(t) {
			return fmt.Errorf("temperature %v is accepted: there is no law exp(−L/T) at it", t)
		}
	}
	return nil
}

func isFinite(x float64) bool { return x-x == 0 }
