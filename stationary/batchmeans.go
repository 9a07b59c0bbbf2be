// Copyright ©2026 The sgflow Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package stationary

import (
	"fmt"
	"math"

	"github.com/sgflow/sgflow/sde"
)

// BatchMeans returns the mean of one chain with the standard error from the scatter
// between the means of so many stretches of equal length, which is right if they are long
// against the autocorrelation time; 0 stands for ⌊√n⌋ stretches, of which length and number
// grow together. What does not fill the last stretch is left out.
//
// J. Flegal & G. Jones, 2010, Batch means and spectral variance estimators in Markov chain
// Monte Carlo, Annals of Statistics 38, 1034–1070, eq. 5.
//
// It returns an *sde.SettingError for fewer than 2 stretches or less than a number in each, or
// numbers that are not finite.
func BatchMeans(x []float64, batches int) (sde.Estimate, error) {
	if batches == 0 {
		batches = int(math.Sqrt(float64(len(x))))
	}
	if batches < 2 || batches > len(x) {
		return sde.Estimate{}, &sde.SettingError{Field: "stationary: BatchMeans batches", Value: batches, Want: fmt.Sprintf("2 to %d, or 0 for the square root of that", len(x))}
	}
	size := len(x) / batches
	means := make([]float64, batches)
	for i := range means {
		for k, v := range x[i*size : (i+1)*size] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return sde.Estimate{}, &sde.SettingError{Field: fmt.Sprintf("stationary: BatchMeans x[%d]", i*size+k), Value: v, Want: "a finite number"}
			}
			means[i] += v / float64(size)
		}
	}
	mean, squares := meanOf(means)
	return sde.Estimate{Value: mean, StdErr: math.Sqrt(squares / float64(batches*(batches-1))), Groups: batches}, nil
}
