// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/examples/internal/example"
	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// gradientNoise is the trace of the covariance of a mini-batch's gradient at the optimum.
type gradientNoise struct {
	size        int
	replacement bool
	trace       sde.Estimate
	exact       float64
}

// diffusion is tr D at the optimum, measured from what a step of SGD moves.
type diffusion struct {
	eta   float64
	size  int
	trace sde.Estimate
	exact float64
}

// scale is the gradient noise scale at a time of the descent from 0.
type scale struct {
	time     float64
	measured sde.Estimate
	exact    float64
}

// sample calls f with the gradients of so many mini-batches at θ.
func sample(g sde.GradientSampler, theta []float64, n int, seed uint64, f func(k int, gradient []float64)) {
	const rows = 64
	x, dst := sde.NewBatch(rows, len(theta)), sde.NewBatch(rows, len(theta))
	for i := range rows {
		copy(x.Row(i), theta)
	}
	gradients, stream := g.BindGradients(rows), sde.NewStream(seed, nil)
	for k := 0; k < n; k += rows {
		stream.At(sde.Steps, 0, k/rows)
		gradients(dst, x, stream)
		for i := range min(rows, n-k) {
			f(k+i, dst.Row(i))
		}
	}
}

// measureGradients takes the noise of mini-batches of several sizes, drawn with and without
// replacement.
func (m *measured) measureGradients(s *example.Session) {
	for _, size := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512} {
		n := m.loss.Samples()
		for _, c := range []struct {
			g           sde.GradientSampler
			factor      float64
			replacement bool
		}{
			{noise.WithReplacement{Loss: m.loss, BatchSize: size}, 1 / float64(size), true},
			{noise.WithoutReplacement{Loss: m.loss, BatchSize: size}, float64(n-size) / float64(size*(n-1)), false},
		} {
			var moments noise.GradientMoments
			sample(c.g, m.best, s.Particles, s.Seed+uint64(len(m.gradients)), func(_ int, g []float64) { moments.Add(g) })
			m.gradients = append(m.gradients, gradientNoise{size, c.replacement, moments.Trace(), c.factor * mat.Trace(&m.sigma)})
		}
	}
}

// measureScales takes the noise scale on the way of gradient descent from 0 by pairs of
// batches.
func (m *measured) measureScales(s *example.Session) {
	theta, g := make([]float64, m.loss.Dim()), make([]float64, m.loss.Dim())
	const small, big = 4, 64
	next, time := 0.0, 0.0
	for k := 0; time <= 60; k++ {
		if time >= next {
			pairs := noise.NoiseScale{Small: small, Big: big}
			first := make([][]float64, 0, s.Particles)
			sample(noise.WithReplacement{Loss: m.loss, BatchSize: small}, theta, s.Particles, s.Seed+uint64(2*k+1), func(_ int, g []float64) {
				first = append(first, append([]float64(nil), g...))
			})
			sample(noise.WithReplacement{Loss: m.loss, BatchSize: big}, theta, s.Particles, s.Seed+uint64(2*k+2), func(i int, g []float64) { pairs.Add(first[i], g) })
			exact, _ := noise.NoiseScales(m.loss, theta)
			found := pairs.Scale()
			if g := pairs.SquaredGradient(); g.Value < 5*g.StdErr {
				found.Value = math.NaN() // the gradient is lost in the noise
			}
			m.scales = append(m.scales, scale{time, found, exact})
			next = time + 1 + time/4
		}
		m.loss.Gradient(g, theta)
		for j, v := range g {
			theta[j] -= 0.1 * v
		}
		time += 0.1
	}
}

// measureDiffusion takes D = Cov(θ′−θ)/2η from a step of SGD at the optimum, where the mean of a
// step is 0.
func (m *measured) measureDiffusion(ctx context.Context, s *example.Session, ensemble integrate.Ensemble) error {
	for _, eta := range []float64{0.1, 0.5, 2} {
		for _, size := range []int{1, 4, 16, 64} {
			ensemble.Step = eta
			ensemble.Seed++ // what a power law is fitted to is independent
			ensemble.Scheme = integrate.SGD{Gradient: noise.WithReplacement{Loss: m.loss, BatchSize: size}}
			mean := integrate.NewMean(1, func(dst, theta []float64) {
				dst[0] = 0
				for j, v := range theta {
					dst[0] += (v - m.best[j]) * (v - m.best[j]) / (2 * eta)
				}
			})
			if _, err := s.Simulate(ctx, "diffusion", ensemble, integrate.Schedule{Time: eta}, mean); err != nil {
				return err
			}
			m.diffusions = append(m.diffusions, diffusion{eta, size, mean.Estimate(0), eta / float64(2*size) * mat.Trace(&m.sigma)})
		}
	}
	return nil
}
