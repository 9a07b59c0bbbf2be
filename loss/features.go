// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// What a generator of data draws, each at a place of its own: the features of a seed are the
// same whatever their labels are, and the starts of a run of this seed have nothing of either.
const (
	drawFeatures = 1 + iota
	drawLabels
	drawFlips
	drawClients
)

// draw returns the stream of a seed for one kind of numbers, in block k.
func draw(seed uint64, kind, k int) *sde.Stream {
	s := sde.NewStream(seed, nil)
	s.At(sde.Starts, k, kind)
	return s
}

const noSamples = "loss: data without samples or columns"

// NormalFeatures returns n rows of d independent standard normals. The seed decides them, on
// every machine. It panics if n or d is not positive.
func NormalFeatures(n, d int, seed uint64) *mat.Dense {
	if n < 1 || d < 1 {
		panic(noSamples)
	}
	x := make([]float64, n*d)
	draw(seed, drawFeatures, 0).Normals(x)
	return mat.NewDense(n, d, x)
}

// StudentFeatures returns n rows of d independent numbers with Student's t distribution of nu
// degrees of freedom,
//
//	P(|x| > t) ~ t^−ν,   E x² = ν/(ν−2) for ν > 2, otherwise infinite
//
// so that gradients on them have heavy tails too. The seed decides them, on every machine. It
// panics if n or d is not positive, or nu is below ¼ or not finite.
func StudentFeatures(n, d int, nu float64, seed uint64) *mat.Dense {
	if n < 1 || d < 1 {
		panic(noSamples)
	}
	if !(nu >= 0.25) || math.IsInf(nu, 1) {
		panic("loss: degrees of freedom below ¼ or not finite")
	}
	x, v := make([]float64, n*d), make([]float64, n*d)
	s := draw(seed, drawFeatures, 0)
	s.Uniforms(x)
	s.Uniforms(v)
	for i, u := range x {
		x[i] = kernel.Student1(nu, u, v[i])
	}
	return mat.NewDense(n, d, x)
}
