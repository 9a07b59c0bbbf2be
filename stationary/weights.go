// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// Weights is the law of a whole number, P(k) = w_k / Σ w: with which probability a basin, or
// another region of several, is met. Compare holds it against a Histogram that counts the number of
// the region,
//
//	hist := &stationary.Histogram{Lo: -0.5, Hi: 1.5, Bins: 2, Project: func(theta []float64) float64 {
//		if theta[0] < barrier {
//			return 0
//		}
//		return 1
//	}}
//
// Exact weights of Boltzmann's law come from Density.Probability in one dimension, or from
// GridLaw.Mean.
type Weights []float64

var _ Law = Weights(nil)

// Validate returns an error if there are no weights, one is negative or not finite, or all
// vanish.
func (w Weights) Validate() error {
	var sum float64
	for k, v := range w {
		if !(v >= 0) || math.IsInf(v, 1) {
			return &sde.SettingError{Field: fmt.Sprintf("stationary: Weights[%d]", k), Value: v, Want: "a finite number that is not negative"}
		}
		sum += v
	}
	if !(sum > 0) {
		return &sde.SettingError{Field: "stationary: Weights", Value: []float64(w), Want: "at least one weight above 0"}
	}
	return nil
}

// Dim returns 1.
func (Weights) Dim() int { return 1 }

// Probability returns the probability of lo ≤ k < hi.
func (w Weights) Probability(lo, hi []float64) float64 {
	var part, sum float64
	for k, v := range w {
		sum += v
		if x := float64(k); lo[0] <= x && x < hi[0] {
			part += v
		}
	}
	return part / sum
}

// String returns the law's name.
func (w Weights) String() string { return fmt.Sprintf("weights of %d regions", len(w)) }
