// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import (
	"math"
	"sync"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// A pass is a model at one θ with the memory that it takes to go through samples. It serves
// one goroutine. Samples come in parts no larger than sampled.most, and weight decay is
// none of its business.
type pass interface {
	// load goes to θ, which stays as it is until the pass is loaded again.
	load(theta []float64)
	// value returns the sum of the samples' losses.
	value(samples []uint32) float64
	// add adds scale times the sum of the samples' gradients to dst.
	add(dst []float64, samples []uint32, scale float64)
}

// An eachPass is a pass that is faster at the gradients of many samples than at as many
// single ones, with their bits.
type eachPass interface {
	// each adds the gradient of the k-th sample to row k of dst.
	each(dst sde.Batch, samples []uint32)
}

// sampled makes a finite sum of passes:
//
//	L(θ) = (1/N) Σ_i ℓ_i(θ) + ½ λ|θ|²
//
// Of each period coordinates the last free ones have no weight decay.
type sampled struct {
	d, n         int
	order        []uint32 // 0 … N−1
	ridge        float64
	period, free int
	most         int // samples of a part
	newPass      func() pass
	passes       sync.Pool
}

// set prepares l, of d coordinates and n samples.
func (l *sampled) set(d, n, most int, ridge float64, newPass func() pass) {
	l.d, l.n, l.most, l.ridge, l.newPass = d, n, most, ridge, newPass
	l.period = d
	l.order = inOrder(n)
}

// pass returns a pass that is not in use; put it back.
func (l *sampled) pass() pass {
	if p, ok := l.passes.Get().(pass); ok {
		return p
	}
	return l.newPass()
}

// Dim returns the number of coordinates of θ.
func (l *sampled) Dim() int { return l.d }

// Samples returns N.
func (l *sampled) Samples() int { return l.n }

// Value returns L. It panics if theta is not of the dimension.
func (l *sampled) Value(theta []float64) float64 {
	if len(theta) != l.d {
		panic(badTheta)
	}
	p := l.pass()
	defer l.passes.Put(p)
	p.load(theta)
	var s, q float64
	for from := 0; from < l.n; from += l.most {
		s += p.value(l.order[from:min(from+l.most, l.n)])
	}
	for at := 0; at < l.d; at += l.period {
		for _, v := range theta[at : at+l.period-l.free] {
			q = math.FMA(v, v, q)
		}
	}
	return math.FMA(l.ridge/2, q, s/float64(l.n))
}

// mean stores the mean gradient of samples into dst.
func (l *sampled) mean(p pass, dst, theta []float64, samples []uint32) {
	p.load(theta)
	clear(dst)
	scale := 1 / float64(len(samples))
	for len(samples) > 0 {
		m := min(len(samples), l.most)
		p.add(dst, samples[:m], scale)
		samples = samples[m:]
	}
	l.decay(dst, theta)
}

// decay adds the gradient of the weight decay to dst.
func (l *sampled) decay(dst, theta []float64) {
	if l.ridge == 0 {
		return
	}
	for at := 0; at < l.d; at += l.period {
		end := at + l.period - l.free
		kernel.Axpy(dst[at:end], l.ridge, theta[at:end])
	}
}

// Gradient stores ∇L into dst. It panics if dst or theta is not of the dimension.
func (l *sampled) Gradient(dst, theta []float64) {
	checkGradient(dst, theta, l.d)
	p := l.pass()
	defer l.passes.Put(p)
	l.mean(p, dst, theta, l.order)
}

// BatchGradient stores ∇L at each row of x into dst, with the bits of Gradient.
// It panics if the batches do not match the dimension or each other.
func (l *sampled) BatchGradient(dst, x sde.Batch) {
	checkBatch(dst, x, l.d)
	p := l.pass()
	defer l.passes.Put(p)
	for r := range x.Rows {
		l.mean(p, dst.Row(r), x.Row(r), l.order)
	}
}

// SampleGradient stores ∇ℓ_i into dst. It panics if dst or theta is not of the dimension,
// or there is no such sample.
func (l *sampled) SampleGradient(dst, theta []float64, i int) {
	checkGradient(dst, theta, l.d)
	p := l.pass()
	defer l.passes.Put(p)
	l.mean(p, dst, theta, l.order[i:i+1])
}

// SampleGradients implements sde.SampleGradients, with the bits of SampleGradient. It panics
// if dst or theta is not of the dimension, or there are no such samples.
func (l *sampled) SampleGradients(dst sde.Batch, theta []float64, from int) {
	checkSamples(dst, theta, l.d)
	samples := l.order[from : from+dst.Rows]
	p := l.pass()
	defer l.passes.Put(p)
	p.load(theta)
	for r := range dst.Rows {
		clear(dst.Row(r))
	}
	if e, ok := p.(eachPass); ok {
		for at := 0; at < dst.Rows; at += l.most {
			end := min(at+l.most, dst.Rows)
			e.each(dst.Slice(at, end), samples[at:end])
		}
	} else {
		for r := range dst.Rows {
			p.add(dst.Row(r), samples[r:r+1], 1)
		}
	}
	for r := range dst.Rows {
		l.decay(dst.Row(r), theta)
	}
}

// BindMinibatches implements sde.Minibatches.
func (l *sampled) BindMinibatches(int) func(dst, x sde.Batch, samples []uint32) {
	p := l.newPass()
	return func(dst, x sde.Batch, samples []uint32) {
		b := len(samples) / max(x.Rows, 1)
		for r := range x.Rows {
			l.mean(p, dst.Row(r), x.Row(r), samples[r*b:(r+1)*b])
		}
	}
}
