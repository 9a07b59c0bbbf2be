// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package sde

// FiniteSum is a Loss that is the mean of the losses of N samples,
//
//	L(θ) = (1/N) Σ_i ℓ_i(θ)
//
// such as that of a model on data. A term that is no sample's, weight decay say, is
// part of each ℓ_i.
type FiniteSum interface {
	Loss
	// Samples returns N.
	Samples() int
	// SampleGradient stores ∇ℓ_i(θ) into dst, 0 ≤ i < N. Like Gradient it is called
	// from many goroutines, and must not write to theta or keep it.
	SampleGradient(dst, theta []float64, i int)
}

// Minibatches is an upgrade of a FiniteSum that takes the gradients of many particles'
// mini-batches in one call.
type Minibatches interface {
	// BindMinibatches returns a function for batches of at most so many rows that
	// stores into row r of dst the mean gradient at row r of x of its samples,
	//
	//	(1/b) Σ_k ∇ℓ_i(θ_r),   i = samples[r·b+k], k < b = len(samples)/rows
	//
	// The function may hold scratch memory: it serves one goroutine at a time.
	BindMinibatches(rows int) func(dst, x Batch, samples []uint32)
}

// OutputGradient is an upgrade of a FiniteSum whose samples have a scalar output f_i(θ), as
// ℓ_i = ½(f_i − y_i)² has: it stores ∇f_i(θ) into dst. With it labels can be noisy: noise ε
// of y_i turns ∇ℓ_i into ∇ℓ_i − ε ∇f_i.
type OutputGradient interface {
	OutputGradient(dst, theta []float64, i int)
}

// FlippedGradient is an upgrade of a FiniteSum whose samples have one of K labels: it stores
// into dst the gradient that sample i would have with the label k places on in their circle,
// 0 < k < K. Of two labels that is the other one.
type FlippedGradient interface {
	// Classes returns K, 2 or more.
	Classes() int
	FlippedGradient(dst, theta []float64, i, k int)
}

// BindMinibatches returns the function of the upgrade Minibatches if f has it, and
// otherwise one that calls SampleGradient.
func BindMinibatches(f FiniteSum, rows int) func(dst, x Batch, samples []uint32) {
	if m, ok := f.(Minibatches); ok {
		return m.BindMinibatches(rows)
	}
	one := make([]float64, f.Dim())
	return func(dst, x Batch, samples []uint32) {
		b := len(samples) / max(x.Rows, 1)
		for r := range x.Rows {
			g := dst.Row(r)
			clear(g)
			for _, i := range samples[r*b : (r+1)*b] {
				f.SampleGradient(one, x.Row(r), int(i))
				for j, v := range one {
					g[j] += v
				}
			}
			for j := range g {
				g[j] /= float64(b)
			}
		}
	}
}

// SampleGradients is an upgrade of a FiniteSum that takes the gradients of many samples at
// one θ in one call, as the covariance of gradients needs them. It stores into row r of dst
//
//	∇ℓ_i(θ),   i = from + r,   r < dst.Rows
//
// with dst of d columns, which may have gaps between its rows. Like SampleGradient it is
// called from many goroutines.
type SampleGradients interface {
	SampleGradients(dst Batch, theta []float64, from int)
}

// StoreSampleGradients does what the upgrade SampleGradients says, by it if f has it, and
// otherwise by calls of SampleGradient.
func StoreSampleGradients(dst Batch, f FiniteSum, theta []float64, from int) {
	if s, ok := f.(SampleGradients); ok {
		s.SampleGradients(dst, theta, from)
		return
	}
	for r := range dst.Rows {
		f.SampleGradient(dst.Row(r), theta, from+r)
	}
}
