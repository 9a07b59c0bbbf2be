// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise_test

import (
	"testing"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// BenchmarkSamplers measures a sample's gradient in mini-batches of 32 of logistic regression, N =
// 10,000 and d = 20, for a block that is carried through the steps of an epoch.
func BenchmarkSamplers(b *testing.B) {
	x, y := loss.LogisticTeacher(10_000, make([]float64, 20), 1)
	l, err := loss.NewLogistic(x, y, 1e-3)
	if err != nil {
		b.Fatal(err)
	}
	const size, rows = 32, 64
	with := noise.WithReplacement{Loss: l, BatchSize: size}
	for _, c := range []struct {
		name string
		s    sde.GradientSampler
	}{
		{"WithReplacement", with},
		{"WithoutReplacement", noise.WithoutReplacement{Loss: l, BatchSize: size}},
		{"Reshuffling", noise.Reshuffling{Loss: l, BatchSize: size}},
		{"LabelFlips", noise.LabelFlips{Gradient: with, Rate: 0.1}},
		{"ClippedSamples", noise.ClippedSamples{Gradient: with, Norm: 1}},
		{"StableNoise", noise.StableNoise{Gradient: with, Alpha: 1.5, Scale: 1}},
	} {
		b.Run(c.name, func(b *testing.B) {
			f, stream, step := c.s.BindGradients(rows), sde.NewStream(1, nil), 0
			x, g := sde.NewBatch(rows, 20), sde.NewBatch(rows, 20)
			for b.Loop() {
				stream.At(sde.Steps, 0, step)
				f(g, x, stream)
				step++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(rows*size), "ns/sample-gradient")
		})
	}
}

// BenchmarkSGDNoise measures a root of D(θ) of a finite sum with N = 1,000 and d = 20, of all
// kinds.
func BenchmarkSGDNoise(b *testing.B) {
	x, y := loss.LogisticTeacher(1000, make([]float64, 20), 1)
	l, err := loss.NewLogistic(x, y, 1e-3)
	if err != nil {
		b.Fatal(err)
	}
	with := noise.WithReplacement{Loss: l, BatchSize: 32}
	columns, err := noise.NewSGDColumns(with, 0.1, 32, 1)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		n    sde.Diffusion
	}{
		{"Exact", noise.SGDNoise{Gradient: with, LearningRate: 0.1}},
		{"Columns32", columns},
		{"Top5", noise.SGDTop{Gradient: with, LearningRate: 0.1, Directions: 5}},
	} {
		b.Run(c.name, func(b *testing.B) {
			_, m := c.n.Dims()
			root, theta := make([]float64, 20*m), make([]float64, 20)
			for b.Loop() {
				c.n.Root(root, theta, 0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "µs/root")
		})
	}
	b.Run("Diagonal", func(b *testing.B) {
		n, root, theta := noise.SGDDiagonal{Gradient: with, LearningRate: 0.1}, make([]float64, 20), make([]float64, 20)
		for b.Loop() {
			n.DiagonalRoot(root, theta, 0)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "µs/root")
	})
}
