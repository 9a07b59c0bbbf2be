// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"iter"

	"github.com/sgflow/sgflow/sde"
)

// Draws returns n gradients of a sampler at θ, those of its steps 0 … n−1 for the seed, one after
// the other. The slice is the same each time. It is what estimators are fed with:
//
//	var m noise.GradientMoments
//	for g := range noise.Draws(sampler, theta, 1000, 1) {
//		m.Add(g)
//	}
//
// The sampler must be valid. It panics if theta is of another dimension.
func Draws(s sde.GradientSampler, theta []float64, n int, seed uint64) iter.Seq[[]float64] {
	d := s.Objective().Dim()
	if len(theta) != d {
		panic(badTheta)
	}
	return func(yield func([]float64) bool) {
		f, stream, g := s.BindGradients(1), sde.NewStream(seed, nil), sde.NewBatch(1, d)
		x := sde.NewBatch(1, d)
		copy(x.Data, theta)
		for k := range n {
			stream.At(sde.Steps, 0, k)
			f(g, x, stream)
			if !yield(g.Data) {
				return
			}
		}
	}
}
