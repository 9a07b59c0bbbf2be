// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integrate_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/integrate"
	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/noise"
	"github.com/sgflow/sgflow/sde"
)

// BenchmarkGrowth shows how the time of a step grows with the dimension, of a
// quadratic with its own curvature in each direction and of a dense one, and with
// the particles of DoubleWell. Each run takes about 10⁸ coordinate-steps, or
// 4·10⁹ multiplications of the dense matrix.
func BenchmarkGrowth(b *testing.B) {
	const coordinates = 1 << 16
	for _, d := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("diagonal/d=%d", d), func(b *testing.B) {
			l, err := loss.NewDiagonalQuadratic(curvatures(d), nil)
			if err != nil {
				b.Fatal(err)
			}
			e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 0.2}},
				Step: 0.01, Particles: coordinates / d, Seed: 1, Workers: 1}
			benchmark(b, e, 1600, "ns/coord-step", d)
		})
	}
	for _, d := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("dense/d=%d", d), func(b *testing.B) {
			h := mat.NewSymDense(d, nil)
			for i, v := range curvatures(d) {
				for j := i + 1; j < d; j++ {
					h.SetSym(i, j, 0.1/float64(d))
				}
				h.SetSym(i, i, v)
			}
			l, err := loss.NewQuadratic(h, nil)
			if err != nil {
				b.Fatal(err)
			}
			e := integrate.Ensemble{Equation: sde.Flow{Loss: l, Diffusion: noise.Temperature{T: 0.2}},
				Step: 0.01, Particles: coordinates / d, Seed: 1, Workers: 1}
			benchmark(b, e, max(1, 64_000/d), "ns/coord-step", d)
		})
	}
	for particles := 100; particles <= 10_000_000; particles *= 10 {
		b.Run(fmt.Sprintf("particles=%d", particles), func(b *testing.B) {
			e := doubleWellEnsemble()
			e.Particles = particles
			benchmark(b, e, 100_000_000/particles, "ns/particle-step", 1)
		})
	}
}

// curvatures returns d numbers from 0.1 to 2.
func curvatures(d int) []float64 {
	c := make([]float64, d)
	for i := range c {
		c[i] = 0.1 + 1.9*float64(i)/float64(max(d-1, 1))
	}
	return c
}

// BenchmarkCheckpoint saves a run of a million particles at each of ten
// intervals: what is written counts the particles' state once for each.
func BenchmarkCheckpoint(b *testing.B) {
	e := doubleWellEnsemble()
	e.Particles = 1_000_000
	s := integrate.Schedule{Time: 10 * e.Step}
	e.Checkpoint = integrate.Checkpoint{Path: filepath.Join(b.TempDir(), "run"), Every: e.Step}
	b.SetBytes(10 * 8 * int64(e.Particles))
	for b.Loop() {
		mustRun(b, e, s)
	}
}
