// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
)

// Clusters returns n samples of K normal clusters: y is a number of 0 … K−1, each as likely
// as the others, and x is normal about row y of centers, with standard deviation sigma in all
// directions. The seed decides them, on every machine. It panics if n is not positive.
//
// The best classifier for K = 2 is logistic regression with w = (c₁ − c₀)/σ² and an
// intercept of (|c₀|² − |c₁|²)/2σ², and errs with probability Φ(−|c₁ − c₀|/2σ).
func Clusters(n int, centers *mat.Dense, sigma float64, seed uint64) Dataset {
	if n < 1 {
		panic(noSamples)
	}
	k, d := centers.Dims()
	x, y, labels := NormalFeatures(n, d, seed), make([]float64, n), make([]uint32, n)
	draw(seed, drawLabels, 0).Indices(labels, k)
	for i, c := range labels {
		row := x.RawRowView(i)
		kernel.Scale(row, sigma, row)
		kernel.Axpy(row, 1, centers.RawRowView(int(c)))
		y[i] = float64(c)
	}
	return Dataset{X: x, Y: y}
}

// FlipLabels returns labels of 0 … classes−1 of which each is replaced, with probability p and
// independently, by one of the others, each as likely: label noise that stays, unlike what is drawn
// afresh in each step. The seed decides which, on every machine. It panics if p is
// not in [0, 1], there are fewer than two classes, or a label is not one of them.
func FlipLabels(y []float64, classes int, p float64, seed uint64) []float64 {
	if !(p >= 0 && p <= 1) {
		panic("loss: a rate of flips that is not in [0, 1]")
	}
	whole, err := classLabels("FlipLabels", y, classes)
	if err != nil {
		panic("loss: labels outside their classes")
	}
	flipped, u, to := make([]float64, len(y)), make([]float64, len(y)), make([]uint32, len(y))
	s := draw(seed, drawFlips, 0)
	s.Uniforms(u)
	s.Indices(to, classes-1)
	for i, k := range whole {
		if u[i] < p {
			k = (k + 1 + int(to[i])) % classes
		}
		flipped[i] = float64(k)
	}
	return flipped
}
