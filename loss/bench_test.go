// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss_test

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/sgflow/sgflow/loss"
	"github.com/sgflow/sgflow/sde"
)

// BenchmarkMLP takes the gradients of mini-batches of a network of 10⁵ parameters, each
// of a θ of its own. A multiplication and an addition are two operations, 6 d a sample but for
// the first layer's inputs.
func BenchmarkMLP(b *testing.B) {
	const n, inputs, units, rows = 1000, 100, 220, 2
	x, y := loss.LogisticTeacher(n, make([]float64, inputs), 1)
	l := must(loss.NewMLP(x, mat.NewDense(n, 1, y), loss.MLPSettings{Hidden: []int{units, units, units - 20}}))
	d := l.Dim()
	theta, g := sde.NewBatch(rows, d), sde.NewBatch(rows, d)
	s := sde.NewStream(1, nil)
	for r := range rows {
		s.At(sde.Starts, r, 0)
		l.Start(theta.Row(r), s)
	}
	operations := float64(6*d - 2*inputs*units)
	for _, size := range []int{1, 8, 32, 128} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			mean := l.BindMinibatches(rows)
			samples := make([]uint32, rows*size)
			s.Indices(samples, n)
			mean(g, theta, samples)
			for b.Loop() {
				mean(g, theta, samples)
			}
			all := float64(b.Elapsed().Nanoseconds()) / float64(b.N*rows*size)
			b.ReportMetric(operations/all, "GFLOP/s")
			b.ReportMetric(all/float64(d), "ns/parameter-sample")
		})
	}
}
