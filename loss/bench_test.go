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

// plain hides all upgrades of a finite sum.
type plain struct{ l sde.FiniteSum }

func (p plain) Dim() int                                   { return p.l.Dim() }
func (p plain) Value(theta []float64) float64              { return p.l.Value(theta) }
func (p plain) Gradient(dst, theta []float64)              { p.l.Gradient(dst, theta) }
func (p plain) Samples() int                               { return p.l.Samples() }
func (p plain) SampleGradient(dst, theta []float64, i int) { p.l.SampleGradient(dst, theta, i) }

// BenchmarkMinibatches takes mini-batches of 32 for 64 particles, in one call and sample by
// sample.
func BenchmarkMinibatches(b *testing.B) {
	const n, inputs, rows, size = 10_000, 20, 64, 32
	x := loss.NormalFeatures(n, inputs, 1)
	w := make([]float64, inputs)
	labels, targets := loss.LogisticLabels(x, w, 1), loss.LinearTargets(x, w, 1, 1)
	column := mat.NewDense(n, 1, targets)
	for _, c := range []struct {
		name string
		l    sde.FiniteSum
	}{
		{"Logistic", must(loss.NewLogistic(x, labels, 1e-3))},
		{"LogisticIntercept", must(loss.NewLogistic(x, labels, 1e-3)).WithIntercept()},
		{"LeastSquares", must(loss.NewLeastSquares(x, targets, 1e-3))},
		{"Huber", must(loss.NewHuber(x, targets, 1, 1e-3))},
		{"Softmax", must(loss.NewSoftmax(x, labels, 5, 1e-3))},
		{"TwoLayer", must(loss.NewTwoLayer(x, targets, loss.TwoLayerSettings{Units: 50}))},
		{"TwoLayerReLU", must(loss.NewTwoLayer(x, targets, loss.TwoLayerSettings{Units: 50, Activation: loss.ReLU}))},
		{"MLP", must(loss.NewMLP(x, column, loss.MLPSettings{Hidden: []int{50}}))},
		{"DeepLinear", must(loss.NewDeepLinear(x, column, []int{20}, 0))},
		{"MatrixCompletion", must(loss.NewMatrixCompletion(30, 40, 3, entries(30, 40), 1e-3))},
	} {
		for way, l := range map[string]sde.FiniteSum{"at once": c.l, "one by one": plain{c.l}} {
			b.Run(c.name+"/"+way, func(b *testing.B) {
				d := c.l.Dim()
				theta, g := sde.NewBatch(rows, d), sde.NewBatch(rows, d)
				copy(theta.Data, loss.NormalFeatures(rows, d, 2).RawMatrix().Data)
				mean := sde.BindMinibatches(l, rows)
				samples := make([]uint32, rows*size)
				s := sde.NewStream(1, nil)
				s.Indices(samples, c.l.Samples())
				for b.Loop() {
					mean(g, theta, samples)
				}
				all := float64(b.Elapsed().Nanoseconds()) / float64(b.N*rows*size)
				b.ReportMetric(all, "ns/sample-gradient")
				b.ReportMetric(all/float64(d), "ns/parameter-sample")
			})
		}
	}
}
