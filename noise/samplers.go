// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"sync"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// bindBatches returns the function of a sampler of batches that averages the gradients of l,
// which has the same samples as its own finite sum.
func bindBatches(s sde.Batched, l sde.FiniteSum, rows int) sde.GradientFunc {
	_, b := s.Batches()
	draw, mean := s.BindBatches(rows), sde.BindMinibatches(l, rows)
	samples := make([]uint32, rows*b)
	return func(dst, x sde.Batch, stream *sde.Stream) {
		all := samples[:x.Rows*b]
		draw(all, stream)
		mean(dst, x, all)
	}
}

// bindRows returns a function that changes each row of a sampler's gradients.
func bindRows(s sde.GradientSampler, rows int, change func(g []float64)) sde.GradientFunc {
	inner := s.BindGradients(rows)
	return func(dst, x sde.Batch, stream *sde.Stream) {
		inner(dst, x, stream)
		for r := range x.Rows {
			change(dst.Row(r))
		}
	}
}

// bindChanged returns a function that changes each row of a sampler's gradients by a number for
// each component, which draw stores.
func bindChanged(s sde.GradientSampler, rows int, draw func(s *sde.Stream, dst []float64), change func(g, z []float64)) sde.GradientFunc {
	inner, z := s.BindGradients(rows), make([]float64, rows*s.Objective().Dim())
	return func(dst, x sde.Batch, stream *sde.Stream) {
		inner(dst, x, stream)
		d := x.Cols
		draw(stream, z[:x.Rows*d])
		for r := range x.Rows {
			change(dst.Row(r), z[r*d:(r+1)*d])
		}
	}
}

// bindAdded returns a function that adds a·z to a sampler's gradients, with independent
// numbers z that draw stores.
func bindAdded(s sde.GradientSampler, rows int, a float64, draw func(s *sde.Stream, dst []float64)) sde.GradientFunc {
	inner, z := s.BindGradients(rows), make([]float64, rows*s.Objective().Dim())
	return func(dst, x sde.Batch, stream *sde.Stream) {
		inner(dst, x, stream)
		z := z[:x.Rows*x.Cols]
		draw(stream, z)
		addScaled(dst, a, z)
	}
}

// addScaled adds a·z to the rows of dst, z without gaps.
func addScaled(dst sde.Batch, a float64, z []float64) {
	if flat, ok := dst.Flat(); ok {
		kernel.Axpy(flat, a, z)
		return
	}
	for r := range dst.Rows {
		kernel.Axpy(dst.Row(r), a, z[r*dst.Cols:(r+1)*dst.Cols])
	}
}

// addDiagonal adds v to the diagonal of a d×d matrix.
func addDiagonal(dst []float64, d int, v float64) {
	for i := 0; v != 0 && i < len(dst); i += d + 1 {
		dst[i] += float64(v)
	}
}

// pool keeps scratch memory of methods that many goroutines call.
var pool = sync.Pool{New: func() any { return new([]float64) }}

// scratch returns a slice of n numbers, to be given back by pool.Put.
func scratch(n int) *[]float64 {
	b := pool.Get().(*[]float64)
	if cap(*b) < n {
		*b = make([]float64, n)
	}
	*b = (*b)[:n]
	return b
}
