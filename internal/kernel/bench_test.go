// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package kernel

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkKernels reports ns/unit for every kernel in every form: a unit is an
// element, a normal, a point, for Mul a multiply and an add (0.047 is 42 GFLOP/s).
func BenchmarkKernels(b *testing.B) {
	const n = 1024
	r := rand.New(rand.NewPCG(1, 2))
	x, y, z := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i], y[i], z[i] = r.NormFloat64(), r.Float64()+.5, r.NormFloat64()
	}
	words, idx := make([]uint64, n), make([]uint32, n)
	var l Lanes
	l.Key(1)
	l.Words(words)
	const rows, inner, cols = 64, 200, 100
	wide := make([]float64, rows*inner)
	for i := range wide {
		wide[i] = r.NormFloat64()
	}
	m := NewMatrix(inner, cols, make([]float64, inner*cols))
	for i := range m.data {
		m.data[i] = r.NormFloat64()
	}
	half := NewMatrix(inner/2, cols, make([]float64, inner/2*cols))
	copy(half.data, m.data)
	samples := NewRows(64, 20, wide[:64*20])
	for i := range idx {
		idx[i] = uint32(i % 64)
	}
	theta := make([]float64, samples.Stride())
	picks := make([]uint64, len(idx))
	samples.Locate(picks, idx)
	out := make([]float64, rows*cols)
	dst := make([]float64, n)
	for _, k := range []struct {
		name  string
		units int
		run   func()
	}{
		{"Lanes.Normals", n, func() { l.Normals(dst) }},
		{"Lanes.NormalsKey", n, func() { l.Key(words[0]); l.Normals(dst) }},
		{"Lanes.Key", 1, func() { l.Key(words[0]) }},
		{"Lanes.Words", n, func() { l.Words(words) }},
		{"Normals", n, func() { Normals(dst, words) }},
		{"Uniforms", n, func() { Uniforms(dst, words) }},
		{"Euler", n, func() { Euler(dst, x, z, -1e-9, 1e-9) }},
		{"Cubic", n, func() { Cubic(dst, x, -1, 1) }},
		{"Axpy", n, func() { Axpy(dst, 1e-9, x) }},
		{"Mul", n, func() { Mul(dst, x, y) }},
		{"Scale", n, func() { Scale(dst, 3, x) }},
		{"Gaussians2", n / 2, func() { Gaussians2(dst, x, mullerBrown) }},
		{"Matrix.Mul100", rows * inner / 2 * cols, func() { half.Mul(out, cols, wide, inner, rows, false) }},
		{"Matrix.Mul200", rows * inner * cols, func() { m.Mul(out, cols, wide, inner, rows, false) }},
		{"Exp", n, func() { Exp(dst, x) }},
		{"Log", n, func() { Log(dst, y) }},
		{"Tanh", n, func() { Tanh(dst, x) }},
		{"Bins", n, func() { Bins(idx, x, -2.5, 40, 200) }},
		{"Rows.Dots20", n, func() { samples.Dots(dst, picks, theta) }},
		{"Rows.Combine20", n, func() { samples.Combine(theta, picks, x, 0.5, theta) }},
		{"Sigmoid", n, func() { Sigmoid(dst, 2, y) }},
		{"Indices", n, func() { Indices(idx, words[:n/2], 10_000) }},
		{"AllFinite", n, func() { AllFinite(x) }},
		{"Dot", n, func() { Dot(x, y) }},
		{"Dot20", 20, func() { Dot(x[:20], y[:20]) }},
		{"Sum", n, func() { Sum(x) }},
		{"SumSquares", n, func() { SumSquares(x, 1) }},
		{"MullerBrownStep", n / 2, func() { Gaussians2(y, x, mullerBrown); l.Normals(z); Euler(x, y, z, -1e-12, 1e-12) }},
		{"DoubleWellStep", n, func() { Cubic(y, x, -1, 1); l.Normals(z); Euler(x, y, z, -1e-2, 1e-3) }},
	} {
		for _, level := range levels {
			b.Run(k.name+"/"+level, func(b *testing.B) {
				use(level, func() {
					for b.Loop() {
						k.run()
					}
				})
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(k.units), "ns/unit")
			})
		}
	}
}
