// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package losstest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/sgflow/sgflow/internal/conformance"
	"github.com/sgflow/sgflow/sde"
)

// mostSamples is how many samples are gone through at each of all points; a sum of more is
// checked at two.
const mostSamples = 10_000

// samples holds the gradients of a finite sum's samples to its gradient, and those of
// mini-batches to those of samples.
func (c *checker) samples() error {
	f, ok := c.l.(sde.FiniteSum)
	if !ok {
		return nil
	}
	n := f.Samples()
	if n < 1 {
		return fmt.Errorf("method Samples returns %d: a finite sum has at least one", n)
	}
	points := c.fewer()
	if n > mostSamples {
		points = points[:min(2, len(points))]
	}
	theta, g, sum := make([]float64, c.d), make([]float64, c.d), make([]float64, c.d)
	for k, p := range points {
		copy(theta, p)
		clear(sum)
		size := c.typical // samples may all vanish, where the model interpolates
		for i := range n {
			conformance.Fill(g, math.NaN())
			f.SampleGradient(g, theta, i)
			for j, v := range g {
				sum[j] += v / float64(n)
				if !isFinite(v) {
					return fmt.Errorf("∂ℓ_%d/∂θ_%d = %v at θ = %v: it should be finite", i, j, v, p)
				}
			}
			size = math.Max(size, conformance.Largest(g))
		}
		if !conformance.SameBits(theta, p) {
			return fmt.Errorf("method SampleGradient wrote to theta: it was %v and is %v", p, theta)
		}
		for j, v := range sum {
			if diff := math.Abs(v - c.grads[k][j]); !(diff <= 1e-12*size) {
				return fmt.Errorf("the samples' mean of ∂ℓ_i/∂θ_%d at θ = %v is %.12g, ∂L/∂θ_%d is %.12g: they differ by %.3g, "+
					"and should be equal; is what all samples share, such as weight decay, in each ℓ_i?", j, p, v, j, c.grads[k][j], diff)
			}
		}
	}
	if err := c.rowsOfSamples(f); err != nil {
		return err
	}
	if l, ok := c.l.(sde.OutputGradient); ok {
		if err := c.pure("OutputGradient", l.OutputGradient, n); err != nil {
			return err
		}
	}
	if l, ok := c.l.(sde.FlippedGradient); ok {
		k := l.Classes()
		if k < 2 {
			return fmt.Errorf("method Classes() = %d: labels that flip are at least two", k)
		}
		for flip := 1; flip < min(k, 5); flip++ { // each is one method more
			if err := c.pure("FlippedGradient", func(dst, theta []float64, i int) { l.FlippedGradient(dst, theta, i, flip) }, n); err != nil {
				return err
			}
		}
	}
	return c.minibatches(f)
}

// pure holds a method that gives a vector for each sample to being a function.
func (c *checker) pure(name string, method func(dst, theta []float64, i int), n int) error {
	first, again := make([]float64, c.d), make([]float64, c.d)
	for k, p := range c.points {
		theta, i := slices.Clone(p), k%n
		conformance.Fill(first, math.NaN())
		method(first, theta, i)
		method(again, theta, i)
		if !conformance.SameBits(theta, p) {
			return fmt.Errorf("method %s wrote to theta: it was %v and is %v", name, p, theta)
		}
		for j, v := range first {
			if !isFinite(v) {
				return fmt.Errorf("entry %d of %s(%d) at θ = %v is %v: it should be finite (dst was full of NaN)", j, name, i, p, v)
			}
		}
		if !conformance.SameBits(first, again) {
			return fmt.Errorf("two answers of %s(%d) at θ = %v: %v, then %v", name, i, p, first, again)
		}
	}
	return nil
}

// rowsOfSamples holds sde.SampleGradients to SampleGradient.
func (c *checker) rowsOfSamples(f sde.FiniteSum) error {
	l, ok := f.(sde.SampleGradients)
	if !ok {
		return nil
	}
	n := f.Samples()
	theta, g := slices.Clone(c.points[0]), make([]float64, c.d)
	for _, stride := range []int{c.d, c.d + 3} {
		for _, from := range []int{0, n / 3, n - 1} {
			for _, rows := range []int{0, 1, min(n-from, 7), min(n-from, 70)} {
				dst := c.newBatch(rows, stride)
				for r := range rows {
					conformance.Fill(dst.Row(r), math.NaN())
				}
				l.SampleGradients(dst, theta, from)
				if !conformance.SameBits(theta, c.points[0]) {
					return fmt.Errorf("method SampleGradients wrote to theta: it was %v and is %v", c.points[0], theta)
				}
				for r := range rows {
					f.SampleGradient(g, theta, from+r)
					if j, off := c.distance(dst.Row(r), g); off != 0 {
						return fmt.Errorf("row %d of the gradients of samples from %d, at θ = %v: entry %d is %v, and %v by SampleGradient(%d), %s",
							r, from, theta, j, dst.Row(r)[j], g[j], from+r, c.bound(off))
					}
					if r == rows-1 {
						break
					}
					for _, v := range dst.Data[r*stride+c.d : (r+1)*stride] {
						if math.Float64bits(v) != math.Float64bits(gap) {
							return fmt.Errorf("method SampleGradients wrote to dst between its rows, behind row %d", r)
						}
					}
				}
			}
		}
	}
	return nil
}

// minibatches holds sde.Minibatches to SampleGradient, for blocks and batches of several sizes.
func (c *checker) minibatches(f sde.FiniteSum) error {
	m, ok := f.(sde.Minibatches)
	if !ok {
		return nil
	}
	r := rand.New(rand.NewPCG(1, uint64(c.d)))
	const most = 64
	mean := m.BindMinibatches(most)
	g, sum := make([]float64, c.d), make([]float64, c.d)
	for _, rows := range []int{0, 1, 2, 7, most} {
		for _, b := range []int{1, 2, 5, 8, 32} {
			x, dst := sde.NewBatch(rows, c.d), sde.NewBatch(rows, c.d)
			for i := range rows {
				copy(x.Row(i), c.points[r.IntN(len(c.points))])
			}
			conformance.Fill(dst.Data, math.NaN())
			before := slices.Clone(x.Data)
			samples := make([]uint32, rows*b)
			for k := range samples {
				samples[k] = uint32(r.IntN(f.Samples()))
			}
			mean(dst, x, samples)
			if !conformance.SameBits(x.Data, before) {
				return fmt.Errorf("the function of BindMinibatches wrote to x, of %d rows", rows)
			}
			for i := range rows {
				clear(sum)
				size := c.typical
				for _, k := range samples[i*b : (i+1)*b] {
					f.SampleGradient(g, x.Row(i), int(k))
					size = math.Max(size, conformance.Largest(g))
					for j, v := range g {
						sum[j] += v / float64(b)
					}
				}
				for j, v := range dst.Row(i) {
					if diff := math.Abs(v - sum[j]); !(diff <= 1e-12*size) {
						return fmt.Errorf("the mini-batch %v at θ = %v has the mean ∂/∂θ_%d = %.12g, its samples %.12g (row %d of %d)",
							samples[i*b:(i+1)*b], x.Row(i), j, v, sum[j], i, rows)
					}
				}
			}
		}
	}
	return nil
}
