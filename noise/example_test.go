// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// SGD with mini-batches beside the flow that models it, whose noise depends on θ as that of the
// batches does.
func ExampleSGDNoise() {
	x, y := loss.LogisticTeacher(40, []float64{1, -1}, 1)
	l, err := loss.NewLogistic(x, y, 0.1)
	if err != nil {
		log.Fatal(err)
	}
	batches := noise.WithReplacement{Loss: l, BatchSize: 4}
	const eta = 0.5
	schedule := integrate.Schedule{BurnIn: 20, Time: 20, Every: 5}
	for _, e := range []integrate.Ensemble{
		{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: batches}},
		{Equation: sde.Flow{Loss: l, Diffusion: noise.SGDNoise{Gradient: batches, LearningRate: eta}}},
	} {
		e.Step, e.Particles = eta, 500
		var m integrate.Moments
		if _, err := e.Run(context.Background(), schedule, &m); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("variance %.3f\n", m.Variance(0).Value)
	}
	// Output:
	// variance 0.031
	// variance 0.031
}

// Batches of one epoch are anticorrelated: SGD that goes through its samples in a random order
// settles much closer to the minimum than with independent batches, and a sampler says that its
// noise is not white.
func ExampleReshuffling() {
	l := line{a: 1, b: []float64{-2, -1, 0, 0.5, 2.5}}
	for _, g := range []sde.GradientSampler{noise.WithReplacement{Loss: l, BatchSize: 1}, noise.Reshuffling{Loss: l, BatchSize: 1}} {
		e := integrate.Ensemble{Equation: sde.Flow{Loss: l}, Scheme: integrate.SGD{Gradient: g}, Step: 0.1, Particles: 1000}
		var m integrate.Moments
		if _, err := e.Run(context.Background(), integrate.Schedule{BurnIn: 50, Time: 50, Every: 0.5}, &m); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("variance %.3f, correlated over %d steps\n", m.Variance(0).Value, sde.CorrelationStepsOf(g))
	}
	// Output:
	// variance 0.122, correlated over 0 steps
	// variance 0.003, correlated over 5 steps
}

// The noise of mini-batches, measured: its variance falls as 1/B.
func ExampleDraws() {
	x, y := loss.LogisticTeacher(100, []float64{1, -2, 0.5}, 3)
	l, err := loss.NewLogistic(x, y, 0.05)
	if err != nil {
		log.Fatal(err)
	}
	sizes := []float64{1, 4, 16, 64}
	var variances []sde.Estimate
	for _, b := range sizes {
		var m noise.GradientMoments
		for g := range noise.Draws(noise.WithReplacement{Loss: l, BatchSize: int(b)}, []float64{0, 0, 0}, 4000, 1) {
			m.Add(g)
		}
		variances = append(variances, m.Trace())
	}
	law, err := noise.FitPowerLaw(sizes, variances)
	if err != nil {
		log.Fatal(err)
	}
	low, high := law.Interval(0.99)
	fmt.Printf("variance ∝ B^p with p in %.2f to %.2f\n", low, high)
	// Output: variance ∝ B^p with p in -1.01 to -0.99
}

// The gradient noise scale by pairs of batches, and from all samples.
func ExampleNoiseScale() {
	x, y := loss.LogisticTeacher(100, []float64{1, -2, 0.5}, 3)
	l, err := loss.NewLogistic(x, y, 0.05)
	if err != nil {
		log.Fatal(err)
	}
	theta := []float64{0, 0, 0}
	scale := noise.NoiseScale{Small: 8, Big: 64}
	big, stop := iter.Pull(noise.Draws(noise.WithReplacement{Loss: l, BatchSize: 64}, theta, 2000, 1))
	defer stop()
	for g := range noise.Draws(noise.WithReplacement{Loss: l, BatchSize: 8}, theta, 2000, 2) {
		h, _ := big()
		scale.Add(g, h)
	}
	exact, _ := noise.NoiseScales(l, theta)
	fmt.Printf("%.1f by batches, %.1f exactly\n", scale.Scale().Value, exact)
	// Output: 8.9 by batches, 8.4 exactly
}

// A schedule of batch sizes that does what a decay of the learning rate does.
func ExampleBatchFor() {
	decay := noise.Stepwise{Times: []float64{10, 20}, Values: []float64{0.1, 0.02, 0.004}}
	grow := noise.BatchFor{Decay: decay, LearningRate: 0.1, BatchSize: 32}
	for _, t := range []float64{0, 10, 20} {
		fmt.Printf("t = %v: η = %v with batches of 32, or 0.1 with batches of %d\n", t, decay.At(t), grow.Size(t))
	}
	// Output:
	// t = 0: η = 0.1 with batches of 32, or 0.1 with batches of 32
	// t = 10: η = 0.02 with batches of 32, or 0.1 with batches of 160
	// t = 20: η = 0.004 with batches of 32, or 0.1 with batches of 800
}
