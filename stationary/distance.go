// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import "math"

// The distances that a Report holds, in this order.
const (
	kolmogorovSmirnov = iota
	totalVariation
	kullbackLeibler
	hellinger
	wasserstein
	distances
)

// measure returns the distances between the frequencies f of cells and their
// probabilities p:
//
//	Kolmogorov–Smirnov   max |F̂ − F| over the edges of bins
//	total variation      ½ Σ |f − p|
//	Kullback–Leibler     Σ f log(f/p), +Inf where f > 0 = p
//	Hellinger            √(½ Σ (√f − √p)²)
//	Wasserstein-1        ∫ |F̂ − F| dx over the range
//
// widths are those of the bins in one dimension, whose cells are below, the bins,
// above, NaN; nil in two, where the first and last distance are 0. Each is a
// lower bound to the distance of the laws themselves, since what happens inside
// a cell is not seen.
func measure(f, p, widths []float64) (d [distances]float64) {
	for k, v := range f {
		u := p[k]
		d[totalVariation] += math.Abs(v - u)
		r := math.Sqrt(v) - math.Sqrt(u)
		d[hellinger] += r * r
		if v > 0 {
			d[kullbackLeibler] += v * math.Log(v/u)
		}
	}
	d[totalVariation] /= 2
	d[hellinger] = math.Sqrt(d[hellinger] / 2)
	cumulated(&d, func(k int) float64 { return f[k] - p[k] }, widths)
	return d
}

// scatter returns what measure would be if f deviated from p by dev, small: KL
// and Hellinger's distance to second order, ½ Σ dev²/p and √(⅛ Σ dev²/p). scale
// stands for p, and is no smaller than f.
func scatter(dev, scale, widths []float64) (d [distances]float64) {
	for k, v := range dev {
		d[totalVariation] += math.Abs(v)
		if scale[k] > 0 {
			d[kullbackLeibler] += v * v / scale[k]
		}
	}
	d[totalVariation] /= 2
	d[kullbackLeibler] /= 2
	d[hellinger] = math.Sqrt(d[kullbackLeibler] / 4)
	cumulated(&d, func(k int) float64 { return dev[k] }, widths)
	return d
}

// cumulated sets the distances that are taken from the cumulated deviation,
// which between two edges is interpolated.
func cumulated(d *[distances]float64, dev func(k int) float64, widths []float64) {
	if widths == nil {
		return
	}
	a := dev(0)
	d[kolmogorovSmirnov] = math.Abs(a)
	for i, w := range widths {
		b := a + dev(i+1)
		d[kolmogorovSmirnov] = math.Max(d[kolmogorovSmirnov], math.Abs(b))
		if a*b >= 0 {
			d[wasserstein] += w * math.Abs(a+b) / 2
		} else {
			d[wasserstein] += w * (a*a + b*b) / (2 * math.Abs(a-b))
		}
		a = b
	}
}
