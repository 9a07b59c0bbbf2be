// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"math"
	"math/rand/v2"
)

// optimizer is somebody's own: a step of one chain.
type optimizer struct {
	name, wrong string
	right       bool
	step        func(chain int, x float64, r *rand.Rand) float64
}

func gradient(x float64) float64 { return x*x*x - x }

// optimizers returns SGD of a learning rate whose gradients have noise of such a variance C
// that T = ηC/2, and others that are meant to be as good.
func optimizers(eta float64, chains int) []optimizer {
	c := 2 * temperature / eta
	noisy := func(x float64, r *rand.Rand) float64 { return gradient(x) + math.Sqrt(c)*r.NormFloat64() }
	velocity := make([]float64, chains)
	clip := 1.5 * math.Sqrt(c)
	return []optimizer{
		{"SGD", "", true, func(_ int, x float64, r *rand.Rand) float64 { return x - eta*noisy(x, r) }},
		{"noise added twice", "C for C/2", false, func(_ int, x float64, r *rand.Rand) float64 {
			return x - eta*(noisy(x, r)+noisy(x, r)-gradient(x))
		}},
		{"batches of twice the size", "C/2 for C", false, func(_ int, x float64, r *rand.Rand) float64 {
			return x - eta*(noisy(x, r)+noisy(x, r))/2
		}},
		{"momentum ½", "rate not times 1−μ", false, func(i int, x float64, r *rand.Rand) float64 {
			velocity[i] = 0.5*velocity[i] - eta*noisy(x, r)
			return x + velocity[i]
		}},
		{"clipped", "noise cut at 1.5 σ", false, func(_ int, x float64, r *rand.Rand) float64 {
			return x - eta*max(-clip, min(clip, noisy(x, r)))
		}},
		{"weight decay 0.1", "another loss", false, func(_ int, x float64, r *rand.Rand) float64 { return x - eta*(noisy(x, r)+0.1*x) }},
		{"noise of h", "h for √h in a step", false, func(_ int, x float64, r *rand.Rand) float64 {
			return x - eta*gradient(x) + eta*math.Sqrt(2*temperature)*r.NormFloat64()
		}},
	}
}
