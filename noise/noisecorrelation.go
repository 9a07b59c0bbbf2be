// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package noise

import (
	"math"

	"github.com/sgflow/sgflow/internal/kernel"
	"github.com/sgflow/sgflow/sde"
)

// NoiseCorrelation estimates the autocorrelation of gradient noise from a series of vectors ξ_t of
// mean 0, the noise g − E g of one step after the other:
//
//	ρ_k = Σ_t ξ_t·ξ_{t+k}/Σ_t |ξ_t|²,   k = 1 … Lags
//
// White noise has 0 at each lag, reshuffling −1/(m−1) on average within an epoch of m steps. Memory
// is (Lags+1) d numbers.
type NoiseCorrelation struct {
	Lags int // at least 1

	past    [][]float64 // a ring
	next, n int
	size    float64   // Σ |ξ|²
	total   int       // how many
	product []float64 // Σ ξ_t·ξ_{t+k}
	square  []float64 // Σ (ξ_t·ξ_{t+k})²
	pairs   []float64
}

// Validate returns an error if Lags is below 1.
func (c *NoiseCorrelation) Validate() error {
	if c.Lags < 1 {
		return &sde.SettingError{Field: "noise: NoiseCorrelation.Lags", Value: c.Lags, Want: "at least 1"}
	}
	return nil
}

// Add takes in the noise of the next step. It panics if it is of another dimension than the first,
// or Lags is below 1.
func (c *NoiseCorrelation) Add(noise []float64) {
	c.start(len(noise))
	if len(noise) != len(c.past[0]) {
		panic(badGradient)
	}
	for k := range min(c.n, c.Lags) {
		p := kernel.Dot(noise, c.past[(c.next-1-k+2*len(c.past))%len(c.past)])
		c.product[k] += p
		c.square[k] += float64(p * p)
		c.pairs[k]++
	}
	copy(c.past[c.next], noise)
	c.next = (c.next + 1) % len(c.past)
	c.n++
	c.total++
	c.size += kernel.Dot(noise, noise)
}

func (c *NoiseCorrelation) start(d int) {
	if c.past != nil {
		return
	}
	if c.Lags < 1 {
		panic("noise: autocorrelation at no lags")
	}
	c.past = make([][]float64, c.Lags)
	for i := range c.past {
		c.past[i] = make([]float64, d)
	}
	c.product, c.square, c.pairs = make([]float64, c.Lags), make([]float64, c.Lags), make([]float64, c.Lags)
}

// Cut begins another series: what comes is not held against what was.
func (c *NoiseCorrelation) Cut() { c.n = 0 }

// Merge takes in another's series, of the same Lags.
func (c *NoiseCorrelation) Merge(o *NoiseCorrelation) {
	if o.past == nil {
		return
	}
	c.start(len(o.past[0]))
	if len(o.product) != len(c.product) {
		panic("noise: autocorrelations of different lags")
	}
	for k := range o.product {
		c.product[k] += o.product[k]
		c.square[k] += o.square[k]
		c.pairs[k] += o.pairs[k]
	}
	c.size += o.size
	c.total += o.total
}

// Correlation returns ρ_k and its standard error if the noise is white: the products ξ_t·ξ_{t+k}
// are uncorrelated then. It panics if k is not in 1 … Lags, and is NaN if there were not so many
// steps.
func (c *NoiseCorrelation) Correlation(k int) sde.Estimate {
	if k < 1 || c.Lags < k {
		panic("noise: autocorrelation at another lag")
	}
	if c.past == nil {
		return sde.Estimate{Value: math.NaN(), StdErr: math.NaN()}
	}
	n := c.pairs[k-1]
	size := c.size / float64(c.total)
	return sde.Estimate{Value: c.product[k-1] / n / size, StdErr: math.Sqrt(c.square[k-1]) / n / size, Groups: int(n)}
}
