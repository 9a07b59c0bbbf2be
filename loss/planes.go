// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loss

import "github.com/sgflow/sgflow/internal/kernel"

// planes are K vectors that are multiplied with samples, such as the weights of classes or
// of hidden units.
type planes struct {
	rows  *kernel.Rows
	k     int
	theta []float64 // the vectors, of the rows' stride
	sum   []float64 // likewise, of what add gives to each
	at    []uint64  // where the samples' rows are, K times over
	t     []float64 // what dots gives: that of vector k and sample s is t[k·b+s], of b samples
}

func newPlanes(rows *kernel.Rows, k, most int) planes {
	return planes{rows: rows, k: k, theta: make([]float64, k*rows.Stride()), sum: make([]float64, k*rows.Stride()),
		at: make([]uint64, k*most), t: make([]float64, k*most)}
}

// load takes d numbers of theta for each vector, the first ones from theta[0], ld apart.
func (p *planes) load(theta []float64, ld, d int) {
	kernel.Repack(p.theta, p.rows.Stride(), theta, ld, d, p.k)
}

// dots returns the products of all vectors with samples.
func (p *planes) dots(samples []uint32) []float64 {
	b := len(samples)
	p.rows.Locate(p.at[:b], samples)
	for k := 1; k < p.k; k++ {
		copy(p.at[k*b:], p.at[:b])
	}
	t := p.t[:p.k*b]
	p.rows.Dots(t, p.at[:p.k*b], p.theta)
	return t
}

// add adds to the d numbers of each vector in dst, ld apart, Σ_s c[k·b+s] x_s over the
// samples that dots was last called for.
func (p *planes) add(dst []float64, ld, d int, c []float64) {
	p.rows.Combine(p.sum, p.at[:len(c)], c, 0, p.theta)
	stride := p.rows.Stride()
	for k := range p.k {
		for j, v := range p.sum[k*stride:][:d] {
			dst[k*ld+j] += v
		}
	}
}
